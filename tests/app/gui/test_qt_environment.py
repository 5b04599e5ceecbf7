from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
REPORT = f"import json, os; print(json.dumps({{name: os.environ.get(name) for name in {NAMES}}}))"
PREPARE = "from app.gui.qt_environment import prepare_qt_environment as prepare; prepare()"


def environment_after(*lines: str, **set_by_user: str) -> dict[str, str | None]:
    """What Qt would find in a new process that runs these lines."""
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join((*lines, REPORT))],
        cwd=ROOT,
        env={**environment, **set_by_user},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "lines",
    [
        (PREPARE,),
        (PREPARE, "import cv2"),
        ("import cv2", PREPARE),
        (PREPARE, "import app.gui.application"),
        ("import app.overlay", PREPARE),
    ],
)
def test_what_opencv_does_to_qt_is_taken_back(lines: tuple[str, ...]) -> None:
    assert environment_after(*lines) == dict.fromkeys(NAMES)


def test_what_the_user_set_stays() -> None:
    own = dict.fromkeys(NAMES, "/opt/qt")
    assert environment_after(PREPARE, "import cv2", **own) == own
    one = {"QT_QPA_FONTDIR": "/opt/fonts"}
    assert environment_after(PREPARE, **one) == {"QT_QPA_PLATFORM_PLUGIN_PATH": None, **one}


@pytest.mark.skipif(sys.platform != "linux", reason="only the wheels for Linux do this")
def test_opencv_still_needs_this() -> None:
    """Where this fails, look whether prepare_qt_environment can go."""
    assert all("cv2" in (value or "") for value in environment_after("import cv2").values())

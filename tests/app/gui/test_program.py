"""The program in a process of its own, from start to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.bundled import SAMPLE_CLIP
from tests.app.gui.desk import MISSING_OFFSCREEN, NO_NETWORK
from tests.app.gui.test_recording import read_rows, read_video

ROOT = Path(__file__).parents[3]
LONG_S = 120
pytestmark = pytest.mark.thorough


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "app", *map(str, arguments)]


@dataclass
class Ended:
    code: int
    errors: str
    folder: Path


def run(folder: Path, *arguments: object) -> Ended:
    """The program in a process of its own, from start to end."""
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=LONG_S)
    return Ended(done.returncode, done.stderr, folder)


def assert_no_crash(errors: str) -> None:
    for word in ("traceback", "qthread", "fatal", "exception", "qpainter", "qobject", "core dumped"):
        assert word not in errors.lower()


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("whole run")
    return run(
        folder,
        *("--source", SAMPLE_CLIP, "--model", "lite", "--decoder", "ipr", "--beta", "5"),
        *("--quit-after", "4", "--screenshot", folder / "new" / "window.png"),
        *("--record", "--recordings", folder / "recordings"),
    )


def test_the_program_closes_by_itself_without_a_complaint(whole_run: Ended) -> None:
    assert whole_run.code == 0, whole_run.errors
    assert_no_crash(whole_run.errors)


def test_the_screenshot_shows_the_whole_window(whole_run: Ended) -> None:
    picture = cv2.imread(str(whole_run.folder / "new" / "window.png"))
    height, width, _ = picture.shape
    assert width >= 1280
    assert height >= 720
    view, panel = picture[:, : width // 2], picture[:, -300:]
    assert len(np.unique(view.reshape(-1, 3), axis=0)) > 1000  # the clip is rendered in colour
    assert view.std() > 20
    assert panel.std() > 10


def test_quitting_finishes_the_recording(whole_run: Ended) -> None:
    (video,) = (whole_run.folder / "recordings").glob("*.mp4")
    (keypoints,) = (whole_run.folder / "recordings").glob("*.csv")
    assert video.name.endswith("ipr.mp4")
    pictures = read_video(video)
    assert len(pictures) > 5
    assert pictures[0].shape == (540, 960, 3)
    assert all(row["x"] for row in read_rows(keypoints))


def test_a_mistake_in_the_options_is_one_sentence(tmp_path: Path) -> None:
    ended = run(tmp_path, "--source", SAMPLE_CLIP, "--decoder", "debaised")
    assert ended.code == 2
    (line,) = ended.errors.strip().splitlines()
    assert line.startswith("posescope: ")
    assert "Did you mean" in line


def test_a_screenshot_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "window.png"
    ended = run(tmp_path, "--source", SAMPLE_CLIP, *NO_NETWORK, "--quit-after", "0.2", "--screenshot", path)
    assert ended.code == 2
    (line,) = [line for line in ended.errors.splitlines() if not line.startswith(MISSING_OFFSCREEN)]
    assert line.startswith(f"posescope: Cannot write the screenshot {path}: ")


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_ctrl_c_closes_the_window_and_finishes_the_recording(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("--source", SAMPLE_CLIP, *NO_NETWORK, "--record", "--recordings", tmp_path),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + LONG_S
        while not any(path.stat().st_size > 10_000 for path in tmp_path.glob("*.mp4")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=LONG_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert_no_crash(errors)
    (video,) = tmp_path.glob("*.mp4")
    assert str(video) in said
    assert len(read_video(video)) > 2


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="a display is always there")
def test_without_a_display_one_sentence_and_not_an_abort() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    run = subprocess.run([sys.executable, "-m", "app"], env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stderr.startswith("posescope: The window needs a display")
    assert run.stderr.count("\n") == 1

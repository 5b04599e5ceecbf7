"""The command line in a process of its own: what it imports, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from app import __version__
from app.bundled import SAMPLE_CLIP
from app.exporters import COLUMNS
from tests.app.test_mp4_writer import duration, read_back

ROOT = Path(__file__).parents[2]
LONG = 120.0  # s; only a hang reaches it
LITE = ("--model", "lite", "--device", "cpu")


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LONG,
        check=False,
    )


WITHOUT_QT = """
    import sys
    for name in ("PySide6", "pyqtgraph"):
        sys.modules[name] = None  # importing it raises ImportError
    from app.__main__ import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["--version"], ["run"], ["run", "no.mp4"], ["run", "no.mp4", "--beta", "x"]],
)
def test_help_and_mistakes_load_nothing_heavy(arguments: list[str]) -> None:
    code = """
        import sys
        from app.__main__ import main
        try:
            main(sys.argv[1:])
        except SystemExit:
            pass
        loaded = sorted({"torch", "PySide6", "cv2", "av", "pyqtgraph", "mediapipe"} & set(sys.modules))
        print("loaded:", loaded)
    """
    done = python(code, *arguments)
    assert done.returncode == 0, done.stderr
    *told, loaded = done.stdout.splitlines()
    # A source can only be looked for by the code that opens it.
    heavy = [] if arguments[-1] != "no.mp4" else ["av", "cv2"]
    assert set(re.findall(r"'(\w+)'", loaded)) <= set(heavy)
    if "--help" in arguments:
        assert told[0].startswith("usage: posescope")
    if "--version" in arguments:
        assert told == [f"PoseScope {__version__}"]


def test_a_run_needs_no_qt() -> None:
    done = python(WITHOUT_QT, "run", str(SAMPLE_CLIP), *LITE, "--max-frames", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 frames in ")


def test_the_window_says_that_it_needs_qt() -> None:
    done = python(WITHOUT_QT)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("posescope: The window needs PySide6-Essentials and pyqtgraph")
    assert "`posescope run` works without them" in line


@pytest.mark.parametrize("qt", [True, False])
def test_doctor_tells_what_there_is(qt: bool) -> None:
    code = "import sys; from app.__main__ import main; sys.exit(main(sys.argv[1:]))" if qt else WITHOUT_QT
    done = python(code, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"PoseScope {__version__}, Python {sys.version_info.major}.{sys.version_info.minor}.")
    for beginning in ("Packages: torch ", "Device cuda: ", "Device mps: ", "Device cpu: usable", "Cameras: "):
        assert any(line.startswith(beginning) for line in lines), beginning
    assert re.search(r"^H\.264 encoders in PyAV: .*(libx264|videotoolbox|openh264)", done.stdout, re.MULTILINE)
    assert ("! Qt cannot be loaded" in done.stdout) != qt
    assert bool(re.search(r"^Qt \d+\.\d+", done.stdout, re.MULTILINE)) == qt


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C of another process is POSIX")
def test_ctrl_c_leaves_files_that_can_be_read(tmp_path: Path) -> None:
    # A shell that runs the tests in the background makes its children deaf for Ctrl-C.
    code = """
        import signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from app.__main__ import main
        sys.exit(main(sys.argv[1:]))
    """
    video, table = tmp_path / "out.mp4", tmp_path / "out.csv"
    arguments = ["run", "synthetic", *LITE, "--output", str(video), "--keypoints", str(table)]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + LONG
        while not (video.exists() and video.stat().st_size > 20_000):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=LONG)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, stderr) == (130, "")
    frames = int(stdout.splitlines()[-1].split()[0])
    times, pictures = read_back(video)
    assert len(pictures) == frames > 5
    assert duration(video) == pytest.approx(frames / 30, abs=1e-3)
    assert times[-1] == pytest.approx((frames - 1) / 30, abs=1e-3)
    last_row = table.read_text("utf-8").splitlines()[-1].split(",")
    assert len(last_row) == len(COLUMNS)

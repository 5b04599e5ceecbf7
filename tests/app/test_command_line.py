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
from app.__main__ import main
from app.bundled import SAMPLE_CLIP
from app.camera_report import describe_cameras
from app.cli import _COMMANDS
from app.exporters import COLUMNS
from app.sources.camera_list import CameraEntry, find_camera, list_cameras, parse_camera_text
from app.sources.camera_modes import CameraMode
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
    [
        ["--help"],
        ["run", "--help"],
        ["--version"],
        ["run"],
        ["rnu"],
        ["--no-such-option"],
        ["run", "no.mp4"],
        ["run", "no.mp4", "--beta", "x"],
        ["--export", "csv,jsonn"],
    ],
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


@pytest.mark.thorough
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


@pytest.mark.thorough
@pytest.mark.parametrize("qt", [True, False])
def test_doctor_tells_what_there_is(qt: bool) -> None:
    code = "import sys; from app.__main__ import main; sys.exit(main(sys.argv[1:]))" if qt else WITHOUT_QT
    done = python(code, "doctor")
    assert done.stderr == ""
    findings, facts = done.stdout.split("\n\nPoseScope ")
    assert done.returncode == ("\nproblem " in findings)
    assert facts.startswith(f"{__version__}, Python {sys.version_info.major}.{sys.version_info.minor}.")
    for beginning in ("Packages: torch ", "Device cuda: ", "Device mps: ", "Device cpu: usable", "Cameras: "):
        assert f"\n{beginning}" in facts
    assert re.search(r"^H\.264 encoders in PyAV: .*(libx264|videotoolbox|openh264)", facts, re.MULTILINE)
    assert ("note     Window: Qt is not installed" in findings) != qt
    assert bool(re.search(r"^Qt \d+\.\d+", facts, re.MULTILINE)) == qt


@pytest.mark.thorough
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


MISTAKES = {
    "a file": (["clip.mp4"], "“clip.mp4” is not a command. To open it in the window: posescope --source clip.mp4"),
    "a folder": (["my clips"], 'To open it in the window: posescope --source "my clips"'),
    "a camera": (["0"], "To open it in the window: posescope --source 0"),
    "a stream": (["rtsp://host/x"], "To open it in the window: posescope --source rtsp://host/x"),
    "a command": (["rnu", "clip.mp4"], "“rnu” is neither a command nor a file here. Did you mean “run”?"),
    "another command": (["camera"], "Did you mean “cameras”?"),
    "nothing like it": (
        ["xyzzy"],
        "Commands: window, run, lab, study, bench, evaluate, replay, train, compare-heads, cameras, doctor, "
        "install-desktop-entry.",
    ),
    "a file after options": (["--mirror", "clip.mp4"], "Unknown option “--mirror”."),
    "a source too many": (
        ["--beta", "3", "clip.mp4"],
        "“clip.mp4” is one word too many. Did you mean --source clip.mp4? See `posescope --help`.",
    ),
    "an option": (["--decodr", "ipr"], "Unknown option “--decodr”. Did you mean “--decoder”?"),
    "an option of a command": (["lab", "--outptu", "x", "--output=y"], "Did you mean “--output”? See `posescope lab"),
    "no value": (["--preroll"], "Argument --preroll: expected one argument. See `posescope --help`."),
    "preroll": (["--preroll", "61"], "--preroll must be from 0 to 60 seconds, not 61."),
    "preroll below 0": (["--preroll", "-0.5"], "not -0.5."),
    "preroll in words": (["--preroll", "ten"], "not ten."),
    "preroll nan": (["--preroll", "nan"], "not nan."),
    "exports": (["--export", "csv,jsn"], "Unknown export “jsn”. Did you mean “jsonl”?"),
    "none and one": (["--export", "none,csv"], "--export takes none, or one or more of the others."),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "my clips").mkdir()
    (tmp_path / "clip.mp4").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(_COMMANDS, "window", lambda _: 0)  # a mistake that is missed must not open it
    assert main(arguments) == 2
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("posescope: ")
    assert expected in line
    assert told.out == ""


@pytest.mark.parametrize("command", [[], ["window"]])
def test_options_of_the_window(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setitem(_COMMANDS, "window", lambda options: seen.append(options) or 0)
    assert main(command) == 0
    more = ["--preroll", "2.5", "--export", "openpose,csv,csv", "--clean", "--virtual-camera", "--source", "x"]
    assert main([*command, *more]) == 0
    assert main([*command, "--export", "none", "--preroll", "0"]) == 0
    assert [(o.preroll, o.export, o.clean, o.virtual_camera) for o in seen] == [
        (None, None, False, False),
        (2.5, ("openpose", "csv"), True, True),
        (0.0, (), False, False),
    ]
    assert seen[1].source == "x"


def test_cameras_are_told_with_what_opens_them() -> None:
    camera, plain = CameraEntry(2, "Logi, Pro", "usb-046d_0825-index0", "/dev/video2"), CameraEntry(5, "Old", "old #2")
    modes = [
        CameraMode(640, 480, 30.0, "YUYV"),
        CameraMode(1280, 720, 10.0, "YUYV"),
        CameraMode(1280, 720, 30000 / 1001, "MJPG"),
        CameraMode(1280, 720, 60.0, "MJPG"),
        CameraMode(1920, 1080, 0.0, "MJPG"),
    ]
    lines = list(describe_cameras([camera, plain], lambda entry: modes if entry is camera else []))
    assert lines == [
        "2  Logi, Pro",
        "   identity: usb-046d_0825-index0",
        "   frames a second by size and pixel format:",
        "     640x480    YUYV 30",
        "     1280x720   YUYV 10; MJPG 29.97, 60",
        "     1920x1080  MJPG ?",
        '   open it:  posescope --source "camera:id=usb-046d_0825-index0,1280x720,29.97fps,MJPG"',
        "5  Old",
        "   identity: old #2",
        "   modes: it tells none; a size and a rate may be asked for all the same",
        '   open it:  posescope --source "camera:id=old #2"',
    ]
    # What is printed means that very camera.
    for line, entry in ((lines[6], camera), (lines[-1], plain)):
        request = parse_camera_text(line.split('"')[1])
        assert find_camera(request, [camera, plain]) is entry
    assert (request := parse_camera_text(lines[6].split('"')[1]).mode).width == 1280
    assert (request.height, request.fps, request.pixel_format) == (720, 29.97, "MJPG")


def test_cameras_without_one(capfd: pytest.CaptureFixture[str]) -> None:
    if list_cameras():
        pytest.skip("there is a camera")
    assert main(["cameras"]) == 0
    assert capfd.readouterr() == ("No camera is connected.\n", "")

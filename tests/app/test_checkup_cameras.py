"""What the examination finds of cameras, and what is tried in a process of its own. Provoked, not pretended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.checkup.cameras import check_cameras, check_device_files, macos_finding, programs_using
from app.checkup.child import Tried, try_python
from app.checkup.virtual_camera import check_virtual_camera
from app.sources.camera_list import CameraEntry
from tests.app.checkup_builders import FINE, NOTE, PROBLEM, one, python_with

linux = pytest.mark.skipif(sys.platform != "linux", reason="this is about Linux")
NOBODY = 65534
CAMERA_GONE = "No camera is connected; files, streams and the rendered person can be opened all the same."


@pytest.fixture
def devices() -> Iterator[Path]:
    """A folder like /dev with a camera and its second device file, and what /sys tells of them."""
    # Not in tmp_path, which nobody else may enter.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield camera_in(Path(folder))


def camera_in(folder: Path) -> Path:
    for name, camera, index in (("video0", "Logitech BRIO", "0"), ("video1", "Logitech BRIO", "1")):
        about = folder / "sys" / name
        about.mkdir(parents=True)
        (about / "name").write_text(camera + "\n")
        (about / "index").write_text(index + "\n")
    dev = folder / "dev"
    dev.mkdir()
    for name in ("video0", "video1", "video", "videotape"):
        (dev / name).touch()
    return dev


def on_linux(devices: Path, **options: object):
    return one(check_device_files(devices, devices.parent / "sys", **options))


@linux
def test_a_camera_that_may_be_used(devices: Path) -> None:
    finding = on_linux(devices)
    assert (finding.severity, finding.told) == (FINE, f"Logitech BRIO ({devices / 'video0'}) may be used.")


def as_nobody(devices: Path) -> str:
    """What somebody is told who may not use the camera."""
    code = """
import getpass, grp, os, pwd, sys  # now, for nobody else may read these
from pathlib import Path
import app.sources.camera
from app.checkup.cameras import check_device_files
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
dev = Path(sys.argv[2])
(finding,) = check_device_files(dev, dev.parent / "sys")
print(finding.severity.word, finding.told, finding.remedy, *finding.commands, sep="\\n")
"""
    done = python_with(code, str(NOBODY), str(devices), LOGNAME="ada")
    assert done.stderr == ""
    return done.stdout


@linux
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_camera_of_a_group(devices: Path) -> None:
    import grp

    video = grp.getgrnam("video")
    os.chown(devices / "video0", 0, video.gr_gid)
    (devices / "video0").chmod(0o660)
    assert as_nobody(devices).splitlines() == [
        "problem",
        f"Logitech BRIO is there, but you may not use {devices / 'video0'}: it is for the group “video”.",
        "Add yourself to that group, then log out and in again:",
        "sudo usermod -aG video ada",
    ]


@linux
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become somebody else")
def test_nobody_is_told_to_join_the_group_of_root(devices: Path) -> None:
    (devices / "video0").chmod(0o660)
    said = as_nobody(devices)
    assert said.startswith("problem\nLogitech BRIO is there, but you may not use ")
    assert "usermod" not in said


@linux
def test_a_camera_that_another_program_uses(devices: Path) -> None:
    code = "import sys; file = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(devices / "video0")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        finding = on_linux(devices, refusal=lambda path: "another program uses it")
        users = programs_using(devices / "video0")
        assert other.stdin is not None
        other.stdin.close()
    assert list(users) == [str(other.pid)]
    assert finding.severity is NOTE
    assert finding.told.endswith(f"is in use by {users[str(other.pid)]} (process {other.pid}).")


@linux
def test_the_camera_of_this_very_window_is_no_surprise(devices: Path) -> None:
    with (devices / "video0").open():
        finding = on_linux(devices, refusal=lambda path: "another program uses it")
    assert (finding.severity, "this window shows" in finding.told) == (FINE, True)


@linux
def test_a_camera_of_which_only_the_reason_is_known(devices: Path) -> None:
    finding = on_linux(devices, refusal=lambda path: "it is no longer connected")
    assert (finding.severity, finding.told.endswith("cannot be used now: it is no longer connected.")) == (NOTE, True)


def test_no_camera(tmp_path: Path) -> None:
    assert one(check_device_files(tmp_path)).told == CAMERA_GONE
    assert one(check_cameras(list, "Windows")).told == CAMERA_GONE
    assert macos_finding(3, "").told == CAMERA_GONE


def test_cameras_on_macos_and_windows() -> None:
    found = one(check_cameras(lambda: [CameraEntry(0, "Integrated camera")], "Windows"))
    assert (found.severity, found.told) == (NOTE, "Found: Integrated camera.")
    assert "Privacy & security → Camera" in found.remedy
    assert [macos_finding(status, "FaceTime").severity for status in (0, 1, 2, 3, None)] == [
        NOTE, PROBLEM, PROBLEM, FINE, NOTE,
    ]  # fmt: skip
    assert "System Settings → Privacy & Security → Camera" in macos_finding(2, "FaceTime").remedy


# --- virtual camera, and what is tried in a process of its own -----------------------------------------------------


def test_virtual_camera(tmp_path: Path) -> None:
    absent = one(check_virtual_camera(False))
    assert (absent.severity, absent.commands[0].rpartition(" pip ")[2]) == (NOTE, "install pyvirtualcam")
    no_driver = one(check_virtual_camera(True, tmp_path, "Linux"))
    assert no_driver.severity is NOTE
    assert no_driver.commands[1].startswith("sudo modprobe v4l2loopback ")
    (tmp_path / "video10").mkdir()
    assert one(check_virtual_camera(True, tmp_path, "Linux")).severity is FINE
    assert "OBS" in one(check_virtual_camera(True, tmp_path, "Windows")).remedy


def test_what_is_tried_says_why_it_fails() -> None:
    assert try_python("print('β')") == Tried("β\n", "")
    assert try_python("import app.frames") == Tried("", "")
    assert try_python("import no_such_package").reason == "ModuleNotFoundError: No module named 'no_such_package'"
    assert try_python("raise SystemExit(3)").reason == "it ended with exit code 3"
    assert try_python("import time; time.sleep(60)", timeout_s=0.5).reason == "no answer has come within 0 s"


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_what_is_tried_may_crash() -> None:
    assert try_python("import os, signal; os.kill(os.getpid(), signal.SIGILL)").reason == "it ended with SIGILL"


def test_what_is_tried_is_not_found_in_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise RuntimeError('another app')")
    monkeypatch.chdir(tmp_path)
    assert try_python("import app.frames").reason == ""

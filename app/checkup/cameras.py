"""Cameras: may they be used, and does somebody else use them?"""

from __future__ import annotations

import getpass
import importlib
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.checkup.findings import Finding, fine, note, problem
from app.sources.camera_list import CameraEntry, list_cameras

_SUBJECT = "Camera"
_NONE = "No camera is connected; files, streams and the rendered person can be opened all the same."
_ALLOWED_ON_MACOS = 3  # AVAuthorizationStatusAuthorized


def check_cameras(
    cameras: Callable[[], Sequence[CameraEntry]] = list_cameras, system: str | None = None
) -> Iterator[Finding]:
    """Whether the cameras of this computer may be used. Opens none, and asks the user nothing."""
    system = system or platform.system()
    if system == "Linux":
        yield from check_device_files()
        return
    found = cameras()
    names = ", ".join(camera.name for camera in found)
    if system == "Darwin":
        yield macos_finding(_macos_status(), names)
    elif found:
        yield note(
            _SUBJECT,
            f"Found: {names}.",
            "If the picture stays black or cannot be opened: Settings → Privacy & security → Camera, and let desktop "
            "apps use it; then close other programs that use it.",
        )
    else:
        yield note(_SUBJECT, _NONE)


def check_device_files(
    dev: Path = Path("/dev"),
    classes: Path = Path("/sys/class/video4linux"),
    proc: Path = Path("/proc"),
    refusal: Callable[[str], str] | None = None,
) -> Iterator[Finding]:
    """The same on Linux, from device files.

    refusal: why a device file cannot be used, as a part of a sentence; None for what opening it says.
    """
    devices = [device for device in sorted(dev.glob("video*"), key=_number) if _takes_pictures(device, classes)]
    if not devices:
        yield note(_SUBJECT, _NONE)
        return
    from app.sources.camera import linux_refusal  # here, for it imports cv2

    for device in devices:
        reason = (refusal or linux_refusal)(str(device))
        yield _device_finding(device, _name(device, classes), reason, proc)


def _device_finding(device: Path, name: str, reason: str, proc: Path) -> Finding:
    if not reason:
        return fine(_SUBJECT, f"{name} ({device}) may be used.")
    if not _readable(device):
        group = _group(device)
        if group is None:
            return problem(
                _SUBJECT,
                f"{name} is there, but you may not use {device}.",
                "Ask who looks after this computer to let you use it.",
            )
        return problem(
            _SUBJECT,
            f"{name} is there, but you may not use {device}: it is for the group “{group}”.",
            "Add yourself to that group, then log out and in again:",
            f"sudo usermod -aG {group} {getpass.getuser()}",
        )
    users = programs_using(device, proc)
    if str(os.getpid()) in users:
        return fine(_SUBJECT, f"{name} ({device}) is the one that this window shows.")
    if users:
        told = ", ".join(f"{command} (process {process})" for process, command in users.items())
        return note(_SUBJECT, f"{name} ({device}) is in use by {told}.", "Close that one to use the camera here.")
    return note(_SUBJECT, f"{name} ({device}) cannot be used now: {reason}.")


def _readable(device: Path) -> bool:
    return os.access(device, os.R_OK | os.W_OK)


def _group(device: Path) -> str | None:
    """Whose members may use the device; None where that would not help, or would help too much."""
    import grp

    about = device.stat()
    if about.st_gid == 0 or about.st_mode & 0o060 != 0o060:
        return None
    try:
        return grp.getgrgid(about.st_gid).gr_name
    except KeyError:
        return None


def programs_using(device: Path, proc: Path = Path("/proc")) -> dict[str, str]:
    """Name by number of the processes that have the device open, as far as this user may see: mostly their own."""
    found = {}
    target = str(device.resolve())
    for handle in proc.glob("[0-9]*/fd/*"):
        try:
            if os.readlink(handle) == target:
                process = handle.parents[1]
                found[process.name] = (process / "comm").read_text("utf-8", "replace").strip()
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return found


def _number(device: Path) -> int:
    digits = device.name.removeprefix("video")
    return int(digits) if digits.isdecimal() else -1


def _takes_pictures(device: Path, classes: Path) -> bool:
    """Most cameras have a second device file, of index 1, that tells about the pictures of the first."""
    return _number(device) >= 0 and _line(classes / device.name / "index") in ("", "0")


def _name(device: Path, classes: Path) -> str:
    return _line(classes / device.name / "name") or device.name


def _line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def macos_finding(status: int | None, names: str) -> Finding:
    """status: AVFoundation's AVAuthorizationStatus for video; None where it cannot be asked. names: of the cameras."""
    where = "System Settings → Privacy & Security → Camera"
    if status in (1, 2):
        return problem(
            _SUBJECT,
            "macOS does not let this program use a camera.",
            f"Allow it (or the terminal that it was started from) in {where}, then start it again.",
        )
    if not names:
        return note(_SUBJECT, _NONE)
    if status == _ALLOWED_ON_MACOS:
        return fine(_SUBJECT, f"macOS lets this program use the cameras ({names}).")
    return note(_SUBJECT, f"Found: {names}.", f"macOS will ask once whether this program may use it; later: {where}.")


def _macos_status() -> int | None:
    try:
        framework = importlib.import_module("AVFoundation")  # pyobjc's, which cv2-enumerate-cameras brings
    except ImportError:
        return None
    return int(framework.AVCaptureDevice.authorizationStatusForMediaType_(framework.AVMediaTypeVideo))

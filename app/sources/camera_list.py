"""Which cameras there are, and which of them a text means. Importing this loads neither OpenCV nor a system library."""

from __future__ import annotations

import dataclasses
import difflib
import platform
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import SourceError

# One back end for listing and opening: each numbers the cameras in its own way.
_BACKENDS = {"Linux": "CAP_V4L2", "Windows": "CAP_DSHOW", "Darwin": "CAP_AVFOUNDATION"}

_LINKS = Path("/dev/v4l")
_PREFIX = "camera:"
_ID = "id="

_NUMBER = re.compile(r"[0-9]{1,6}")
_SIZE = re.compile(r"([0-9]{1,5})[x×]([0-9]{1,5})")
_RATE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)fps")
# Only these, for a camera's name may hold a comma and four letters, too.
_SAME_FORMAT = {"YUY2": "YUYV", "I420": "YU12", "MJPEG": "MJPG"}
PIXEL_FORMATS = ("MJPG", "YUYV", "UYVY", "NV12", "NV21", "YU12", "YV12", "BGR3", "RGB3", "GREY", "JPEG")


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """A camera that can be opened.

    index: what OpenCV opens it by; another after re-plugging. identity: the same after re-plugging, and no other
    camera in the list has it. path: its device file on Linux, its device path or unique id elsewhere.
    """

    index: int
    name: str
    identity: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class ModeWish:
    """What is asked of a camera: pixels, frames a second, four letters; None and "" leave it open."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    pixel_format: str = ""

    def __str__(self) -> str:
        """As it follows the camera in a text: “,1280x720,30fps,MJPG”; empty where nothing is asked."""
        size = f",{self.width}x{self.height}" if self.width and self.height else ""
        rate = f",{round(self.fps, 3):g}fps" if self.fps else ""
        return size + rate + (f",{self.pixel_format}" if self.pixel_format else "")


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """A camera by exactly one of its number, a part of its name, or its identity; and the mode wished for."""

    index: int | None = None
    name: str = ""
    identity: str = ""
    mode: ModeWish = ModeWish()

    def __str__(self) -> str:
        """For messages: “camera 0”, “Logitech”."""
        return f"camera {self.index}" if self.index is not None else f"“{self.name or self.identity}”"


def is_camera_text(text: str) -> bool:
    """Whether `parse_camera_text` is the one to read this: “0”, “0,30fps”, or whatever begins with “camera:”."""
    return text.startswith(_PREFIX) or _NUMBER.fullmatch(_without_wishes(text)[0]) is not None


def parse_camera_text(text: str) -> CameraRequest:
    """The camera that is meant by “0”, “camera:0”, “camera:NAME” or “camera:id=IDENTITY”.

    Wishes may follow in any order: “camera:0,1280x720,30fps,MJPG”. They are read from the right, so that a name or an
    identity may hold commas. Raises SourceError.
    """
    target, mode = _without_wishes(text.removeprefix(_PREFIX).strip())
    if _NUMBER.fullmatch(target):
        return CameraRequest(index=int(target), mode=mode)
    if odd := re.fullmatch(r"[0-9]+,(.*)", target):
        raise SourceError(
            f"“{odd[1]}” is no mode of a camera: name a size such as 1280x720, a rate such as 30fps, or a pixel format "
            "such as MJPG, each at most once."
        )
    if target.startswith(_ID) and len(target) > len(_ID):
        return CameraRequest(identity=target.removeprefix(_ID), mode=mode)
    if not target or target.startswith(_ID):
        raise SourceError("Name a camera by its number or a part of its name, for example “camera:0” or “camera:logi”.")
    return CameraRequest(name=target, mode=mode)


def _without_wishes(text: str) -> tuple[str, ModeWish]:
    """What is left of the text, and the wishes that were at its end."""
    mode = ModeWish()
    while "," in text:
        rest, _, word = text.rpartition(",")
        more = _with_wish(mode, word.strip())
        if more is None:
            break
        text, mode = rest.rstrip(), more
    return text, mode


def _with_wish(mode: ModeWish, word: str) -> ModeWish | None:
    """None where the word is none, or the second of its kind."""
    if (size := _SIZE.fullmatch(word)) and mode.width is None and int(size[1]) and int(size[2]):
        return dataclasses.replace(mode, width=int(size[1]), height=int(size[2]))
    if (rate := _RATE.fullmatch(word)) and mode.fps is None and float(rate[1]):
        return dataclasses.replace(mode, fps=float(rate[1]))
    if (letters := known_format(word)) and not mode.pixel_format:
        return dataclasses.replace(mode, pixel_format=letters)
    return None


def known_format(word: str) -> str:
    """The pixel format that is meant, as V4L2 calls it; empty where OpenCV could not show it."""
    letters = _SAME_FORMAT.get(word.upper(), word.upper())
    return letters if letters in PIXEL_FORMATS else ""


def camera_backend() -> int:
    """OpenCV's number of the back end that lists and opens the cameras of this system."""
    import cv2

    return int(getattr(cv2, _BACKENDS.get(platform.system(), "CAP_ANY")))


def list_cameras() -> list[CameraEntry]:
    """The cameras of this machine by index; empty where there are none. Prints nothing. May take a second."""
    # Imported here: on macOS it loads a bridge to the system's frameworks that nothing else needs.
    from cv2_enumerate_cameras import enumerate_cameras

    found = {}
    for camera in enumerate_cameras(camera_backend()):
        name, path = (camera.name or "").strip() or f"camera {camera.index}", str(camera.path or "")
        known = linux_identity(Path(path)) if platform.system() == "Linux" else path
        identity = known or name_with_ids(name, camera.vid, camera.pid)
        found[camera.index] = CameraEntry(int(camera.index), name, identity, path)
    return with_unique_identities([entry for _, entry in sorted(found.items())])


def linux_identity(device: Path, links: Path = _LINKS) -> str:
    """The name of the link that udev keeps for this camera: by make and serial number, else by its socket; else ""."""
    real = device.resolve()
    for kind in ("by-id", "by-path"):
        folder = links / kind
        for link in sorted(folder.iterdir()) if folder.is_dir() else ():
            if link.resolve() == real:
                return link.name
    return ""


def name_with_ids(name: str, vendor: int | None, product: int | None) -> str:
    """Tells cameras apart by make at least, where the system offers nothing better."""
    return name if vendor is None or product is None else f"{name} {vendor:04x}:{product:04x}"


def with_unique_identities(cameras: Sequence[CameraEntry]) -> list[CameraEntry]:
    """The same, with “#2”, “#3” … at identities that were there before."""
    seen: Counter[str] = Counter()
    unique = []
    for camera in cameras:
        seen[camera.identity] += 1
        count = seen[camera.identity]
        identity = camera.identity if count == 1 else f"{camera.identity} #{count}"
        unique.append(dataclasses.replace(camera, identity=identity))
    return unique


def find_camera(request: CameraRequest, cameras: Sequence[CameraEntry]) -> CameraEntry:
    """The one camera that is meant. Raises SourceError with those that there are, and the nearest name."""
    if request.index is not None:
        found = [camera for camera in cameras if camera.index == request.index]
    elif request.identity:
        found = [camera for camera in cameras if camera.identity == request.identity]
    else:
        wanted = request.name.casefold()
        found = [camera for camera in cameras if wanted == camera.name.casefold()]
        found = found or [camera for camera in cameras if wanted in camera.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise SourceError(f"{_capital(request)} may be {_described(found)}: name it by its number.")
    raise SourceError(not_found(request, cameras))


def not_found(request: CameraRequest, cameras: Sequence[CameraEntry]) -> str:
    """The sentence for a camera that is not in the list."""
    if not cameras:
        return f"{_capital(request)} was not found: no camera is connected to this computer."
    names = {camera.name.casefold(): camera.name for camera in cameras}
    near = difflib.get_close_matches(request.name.casefold(), names, n=1, cutoff=0.4) if request.name else []
    hint = f"did you mean “{names[near[0]]}”? There are" if near else "choose one of"
    return f"{_capital(request)} was not found: {hint} {_described(cameras)}."


def _capital(request: CameraRequest) -> str:
    text = str(request)
    return text[0].upper() + text[1:]


def _described(cameras: Sequence[CameraEntry]) -> str:
    return ", ".join(f"{camera.index} ({camera.name})" for camera in cameras)

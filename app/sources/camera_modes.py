"""What a camera offers, and the choice of one of its modes.

Linux tells it through the V4L2 calls ENUM_FMT, ENUM_FRAMESIZES and ENUM_FRAMEINTERVALS, whose structures are those
of <linux/videodev2.h> and of the kernel's documentation (userspace-api/media/v4l). Elsewhere OpenCV offers no list.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.sources.camera_list import PIXEL_FORMATS, CameraEntry, ModeWish

# Tried where a camera offers whole ranges, or tells nothing.
STANDARD_SIZES = (
    (320, 240), (640, 360), (640, 480), (800, 600), (960, 540), (1024, 768), (1280, 720), (1280, 960), (1600, 1200),
    (1920, 1080), (2560, 1440), (3840, 2160),
)  # fmt: skip
_STANDARD_RATES = (5.0, 10.0, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 90.0, 100.0, 120.0)

# Without a wish. More pixels than these gain little: the network looks at 256 x 256 of a person.
_USUAL_WIDTH, _USUAL_HEIGHT, _USUAL_FPS = 1280, 720, 30.0
_NEARLY = 0.99  # 29.97 reaches 30

_COMPRESSED = ("MJPG", "JPEG")
_WITHOUT_COLOUR = ("GREY",)


@dataclass(frozen=True, slots=True)
class CameraMode:
    """A picture size in pixels, the most pictures a second in it, and the four letters of the pixel format."""

    width: int
    height: int
    fps: float
    pixel_format: str


def offered_modes(camera: CameraEntry) -> list[CameraMode]:
    """The modes that OpenCV can show, in the camera's own order; [] where the system or the camera tells none.

    Does not disturb a program that uses the camera.
    """
    if platform.system() != "Linux" or not camera.path:
        return []
    import fcntl

    try:
        device = os.open(camera.path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        return v4l2_modes(lambda request, structure: fcntl.ioctl(device, request, structure))
    finally:
        os.close(device)


def choose_mode(modes: Sequence[CameraMode], wish: ModeWish) -> CameraMode | None:
    """The mode that comes nearest to the wish; None where there is nothing to choose from.

    Size: the one wished for, or the nearest to it; without a wish the largest up to 1280 x 720 that reaches the rate.
    Pixel format, where none is wished for: raw if that reaches the rate in this size, else MJPG, else the fastest.
    Rate: the lowest that reaches the one wished for, which is 30 where nothing is said.
    """
    coloured = [mode for mode in modes if mode.pixel_format not in _WITHOUT_COLOUR]
    modes = [mode for mode in modes if mode.pixel_format == wish.pixel_format] or coloured or modes
    if not modes:
        return None
    rate = wish.fps or _USUAL_FPS

    def reaches(mode: CameraMode) -> bool:
        return mode.fps >= _NEARLY * rate

    width, height = _chosen_size(modes, wish, reaches)
    modes = [mode for mode in modes if (mode.width, mode.height) == (width, height)]
    fast = [mode for mode in modes if reaches(mode)]
    if fast:
        return min(fast, key=lambda mode: (_rank(mode), mode.fps))
    return max(modes, key=lambda mode: (mode.fps, -_rank(mode)))


def _chosen_size(modes: Sequence[CameraMode], wish: ModeWish, reaches: Callable[[CameraMode], bool]) -> tuple[int, int]:
    if wish.width and wish.height:
        wanted = wish.width, wish.height
        nearest = min(modes, key=lambda mode: abs(mode.width - wanted[0]) + abs(mode.height - wanted[1]))
    else:
        small = [mode for mode in modes if mode.width <= _USUAL_WIDTH and mode.height <= _USUAL_HEIGHT]
        if fast := [mode for mode in small if reaches(mode)]:
            nearest = max(fast, key=_area)
        elif small:
            nearest = max(small, key=lambda mode: (mode.fps, _area(mode)))
        else:
            nearest = min(modes, key=_area)
    return nearest.width, nearest.height


def _area(mode: CameraMode) -> int:
    return mode.width * mode.height


def _rank(mode: CameraMode) -> int:
    """0 for raw pictures, 1 for those that have to be unpacked."""
    return int(mode.pixel_format in _COMPRESSED)


# --- V4L2 -------------------------------------------------------------------------------------------------------

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_MMAP = 1  # V4L2_MEMORY_MMAP
_DISCRETE = 1  # of both frmsizetypes and frmivaltypes; 2 is continuous and 3 stepwise, which are told in one form
_MOST_ANSWERS = 256  # of one enumeration, so that no driver can keep it going for ever

_U32 = ctypes.c_uint32


class _Format(ctypes.Structure):  # v4l2_fmtdesc
    _fields_ = (
        ("index", _U32), ("type", _U32), ("flags", _U32), ("description", ctypes.c_uint8 * 32),
        ("pixelformat", _U32), ("mbus_code", _U32), ("reserved", _U32 * 3),
    )  # fmt: skip


class _Size(ctypes.Structure):  # v4l2_frmsizeenum
    # values: width, height; or min, max and step of the width, then of the height
    _fields_ = (("index", _U32), ("pixelformat", _U32), ("type", _U32), ("values", _U32 * 6), ("reserved", _U32 * 2))


class _Interval(ctypes.Structure):  # v4l2_frmivalenum
    # values: numerator, denominator in seconds; or those of the shortest, of the longest, and of the step
    _fields_ = (
        ("index", _U32), ("pixelformat", _U32), ("width", _U32), ("height", _U32), ("type", _U32),
        ("values", _U32 * 6), ("reserved", _U32 * 2),
    )  # fmt: skip


class _BufferRequest(ctypes.Structure):  # v4l2_requestbuffers
    _fields_ = (
        ("count", _U32), ("type", _U32), ("memory", _U32), ("capabilities", _U32), ("flags_and_reserved", _U32),
    )  # fmt: skip


Ioctl = Callable[[int, ctypes.Structure], object]


def _iowr(number: int, structure: type[ctypes.Structure]) -> int:
    """_IOWR('V', number, structure) of <asm-generic/ioctl.h>."""
    return 3 << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


_ENUM_FMT = _iowr(2, _Format)
_REQBUFS = _iowr(8, _BufferRequest)
_ENUM_FRAMESIZES = _iowr(74, _Size)
_ENUM_FRAMEINTERVALS = _iowr(75, _Interval)


def v4l2_modes(ioctl: Ioctl) -> list[CameraMode]:
    """All modes of an open device. ioctl: (request, structure) fills the structure, or raises OSError."""
    modes = []
    for described in _answers(ioctl, _ENUM_FMT, lambda index: _Format(index=index, type=_CAPTURE)):
        code = described.pixelformat
        letters = code.to_bytes(4, "little").decode("latin-1").rstrip()
        if letters not in PIXEL_FORMATS:
            continue
        for width, height in _sizes(ioctl, code):
            rates = list(_rates(ioctl, code, width, height)) or [0.0]  # 0: offered, the rate untold
            modes += [CameraMode(width, height, rate, letters) for rate in rates]
    return modes


def is_busy(device: int) -> bool:
    """Whether another program takes pictures from this open V4L2 device."""
    import fcntl

    try:
        # To give back no buffers at all is refused, too, while they belong to somebody else.
        fcntl.ioctl(device, _REQBUFS, _BufferRequest(count=0, type=_CAPTURE, memory=_MMAP))
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def _sizes(ioctl: Ioctl, code: int) -> Iterator[tuple[int, int]]:
    for answer in _answers(ioctl, _ENUM_FRAMESIZES, lambda index: _Size(index=index, pixelformat=code)):
        if answer.type == _DISCRETE:
            yield answer.values[0], answer.values[1]
            continue
        least_w, most_w, step_w, least_h, most_h, step_h = answer.values
        for width, height in STANDARD_SIZES:
            if _in_steps(width, least_w, most_w, step_w) and _in_steps(height, least_h, most_h, step_h):
                yield width, height
        if (most_w, most_h) not in STANDARD_SIZES:
            yield most_w, most_h
        return  # a range is told in one answer


def _in_steps(value: int, least: int, most: int, step: int) -> bool:
    return least <= value <= most and (value - least) % max(1, step) == 0


def _rates(ioctl: Ioctl, code: int, width: int, height: int) -> Iterator[float]:
    """Frames a second: the inverse of the intervals that the driver tells."""

    def asked(index: int) -> _Interval:
        return _Interval(index=index, pixelformat=code, width=width, height=height)

    for answer in _answers(ioctl, _ENUM_FRAMEINTERVALS, asked):
        fastest = _rate(answer.values[0], answer.values[1])
        if answer.type == _DISCRETE:
            yield fastest
            continue
        slowest = _rate(answer.values[2], answer.values[3])
        yield from (rate for rate in _STANDARD_RATES if slowest <= rate < fastest)
        yield fastest
        return


def _rate(numerator: int, denominator: int) -> float:
    return denominator / numerator if numerator else 0.0


def _answers(ioctl: Ioctl, request: int, asked: Callable[[int], ctypes.Structure]) -> Iterator[ctypes.Structure]:
    """What the driver answers to index 0, 1, 2 ... until it refuses."""
    for index in range(_MOST_ANSWERS):
        structure = asked(index)
        try:
            ioctl(request, structure)
        except OSError:
            return
        yield structure

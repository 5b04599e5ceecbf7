"""`posescope cameras`: which cameras there are, what they offer, and what to type to open each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from app.sources.camera_list import CameraEntry, ModeWish, list_cameras
from app.sources.camera_modes import CameraMode, choose_mode, offered_modes


def report() -> None:
    """Print the cameras of this machine."""
    for line in describe_cameras(list_cameras(), offered_modes):
        print(line)


def describe_cameras(
    cameras: Sequence[CameraEntry], modes_of: Callable[[CameraEntry], Sequence[CameraMode]]
) -> Iterator[str]:
    """Each camera's name, identity, sizes with their pixel formats and rates, and the source that opens it."""
    if not cameras:
        yield "No camera is connected."
    for camera in cameras:
        modes = modes_of(camera)
        yield f"{camera.index}  {camera.name}"
        yield f"   identity: {camera.identity}"
        if modes:
            yield "   frames a second by size and pixel format:"
            yield from _table(modes)
        else:
            yield "   modes: it tells none; a size and a rate may be asked for all the same"
        yield f'   open it:  posescope --source "camera:id={camera.identity}{_usual(modes)}"'


def _table(modes: Sequence[CameraMode]) -> Iterator[str]:
    for width, height in sorted({(mode.width, mode.height) for mode in modes}, key=lambda size: size[0] * size[1]):
        rates: dict[str, set[float]] = {}
        for mode in modes:
            if (mode.width, mode.height) == (width, height):
                rates.setdefault(mode.pixel_format, set()).add(mode.fps)
        told = (f"{name} {', '.join(map(_rate, sorted(fps)))}" for name, fps in rates.items())
        yield f"     {f'{width}x{height}':<9}  {'; '.join(told)}"


def _rate(fps: float) -> str:
    return f"{round(fps, 2):g}" if fps else "?"


def _usual(modes: Sequence[CameraMode]) -> ModeWish:
    """The mode that is taken where none is asked for."""
    mode = choose_mode(modes, ModeWish())
    return ModeWish(mode.width, mode.height, mode.fps, mode.pixel_format) if mode else ModeWish()

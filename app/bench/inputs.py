"""The frames that every engine sees."""

from __future__ import annotations

from collections.abc import Iterator

from app.errors import SourceError
from app.frames import Frame, Image
from app.sources import make_source

LEAST_FRAMES = 20


def pictures(source: str) -> Iterator[Frame]:
    """The frames of a video file, a folder of images or `synthetic`, one after the other. Raises SourceError."""
    opened = make_source(source)
    if opened.live:
        raise SourceError(f"“{opened.name}” is live: the bench needs a video file or a folder of images.")
    try:
        opened.open()
        while (frame := opened.read()) is not None:
            yield frame
    finally:
        opened.close()


def load_frames(source: str, count: int, memory_bytes: int | None) -> list[Image]:
    """The first `count` pictures of `source`, or all where there are fewer.

    memory_bytes: of this computer, if known. Raises SourceError where there are fewer than LEAST_FRAMES, or where the
    pictures would fill half of the memory.
    """
    frames: list[Image] = []
    for frame in pictures(source):
        frames.append(frame.image)
        needed = frame.image.nbytes * count
        if memory_bytes is not None and needed > memory_bytes / 2:
            height, width = frame.image.shape[:2]
            raise SourceError(
                f"{count} frames of {width} × {height} need {needed / 2**30:.1f} GB of memory: "
                "ask for fewer with --frames."
            )
        if len(frames) == count:
            break
    if len(frames) < LEAST_FRAMES:
        raise SourceError(f"“{source}” has only {len(frames)} frames: the bench needs at least {LEAST_FRAMES}.")
    return frames

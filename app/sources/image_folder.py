"""A folder of images, read as if it were a video."""

from __future__ import annotations

import bisect
import os
import re
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np

from app.errors import SourceError
from app.frames import Image
from app.sources.opencv_log import quiet_opencv
from app.sources.pacing import PacedSource, Picture

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class ImageFolderSource(PacedSource):
    """The images of one folder (not of its subfolders) in natural order: img2 comes before img10.

    fps: the k-th file is shown from k / fps seconds on.
    loop: start again at the end, for ever, with whatever the folder then holds. realtime: release each frame when it
    is due.

    Images may differ in size. One that cannot be read, or is gone, is left out: the one before it is shown for
    longer, and `frame_count` shrinks by it.
    """

    seekable = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        fps: float = 30.0,
        loop: bool = False,
        realtime: bool = False,
    ) -> None:
        self._folder = Path(folder)
        super().__init__(self._folder.resolve().name, realtime=realtime, loop=loop)
        self.fps = fps
        self._paths: list[Path] = []
        self._unreadable: set[Path] = set()

    def _pictures(self, from_ns: int, before: bool) -> Generator[Picture, None, None]:
        if from_ns == 0:
            self._paths = self._image_paths()
            self._unreadable.clear()
            self._count()
        first, image = self._shown_at(from_ns, before)
        if image is None:
            raise SourceError(f"No image in the folder “{self.name}” can be read.")
        for place in range(first, len(self._paths)):
            if place > first:
                image = self._read(place)
            if image is not None:
                position_ns = self._position_ns(place)
                yield Picture(position_ns, self._position_ns(place + 1) - position_ns, image)

    def _shown_at(self, at_ns: int, before: bool) -> tuple[int, Image | None]:
        """Place and image; the first or the last at most."""
        last = bisect.bisect_right(range(len(self._paths)), at_ns, key=self._position_ns) - 1
        skip = before
        for place in range(last, -1, -1):
            image = self._read(place)
            if image is not None:
                if not skip:
                    return place, image
                skip = False
        for place in range(len(self._paths)):
            image = self._read(place)
            if image is not None:
                return place, image
        return 0, None

    def _position_ns(self, place: int) -> int:
        return round(place * 1e9 / self.fps)

    def _read(self, place: int) -> Image | None:
        path = self._paths[place]
        image = _read_bgr(path)
        if image is None:
            self._unreadable.add(path)
        else:
            self._unreadable.discard(path)
        self._count()
        return image

    def _count(self) -> None:
        self.frame_count = len(self._paths) - len(self._unreadable)
        self.duration_ns = self._position_ns(len(self._paths))

    def _image_paths(self) -> list[Path]:
        try:
            entries = list(self._folder.iterdir())
        except FileNotFoundError:
            raise SourceError(f"No such file or folder: {self._folder}.") from None
        except OSError as error:
            raise SourceError(f"The folder “{self.name}” cannot be opened: {error.strerror}.") from error
        paths = [p for p in entries if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
        if not paths:
            raise SourceError(f"The folder “{self.name}” holds no images ({', '.join(SUFFIXES)}).")
        return sorted(paths, key=_natural_key)


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name


def _read_bgr(path: Path) -> Image | None:
    # Not cv2.imread: on Windows that knows only paths of the system's code page.
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError:
        return None
    if not data.size:
        return None
    with quiet_opencv():
        try:
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error:  # for example more pixels than OpenCV is willing to decode
            return None
    return None if image is None else np.asarray(image, dtype=np.uint8)

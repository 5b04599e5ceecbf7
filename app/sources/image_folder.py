"""A folder of images, read as if it were a video."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np

from app.errors import SourceError
from app.frames import Image
from app.sources.opencv_log import quiet_opencv
from app.sources.pacing import PacedSource

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class ImageFolderSource(PacedSource):
    """The images of one folder (not of its subfolders) in natural order: img2 comes before img10.

    fps: frame k is at k / fps seconds on the source's time line.
    loop: start again at the end, for ever. realtime: release each frame when it is due.

    Images may differ in size. One that cannot be read is left out, and `frame_count` shrinks by it.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        fps: float = 30.0,
        loop: bool = False,
        realtime: bool = False,
    ) -> None:
        self._folder = Path(folder)
        super().__init__(self._folder.resolve().name, realtime=realtime)
        self.fps = fps
        self._loop = loop

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        paths = self._image_paths()
        self.frame_count = None if self._loop else len(paths)
        ticks = itertools.count()
        while True:
            any_readable = False
            for path in paths:
                image = _read_bgr(path)
                if image is not None:
                    any_readable = True
                    yield round(next(ticks) * 1e9 / self.fps), image
                elif self.frame_count is not None:
                    self.frame_count -= 1
            if not any_readable:
                raise SourceError(f"No image in the folder “{self.name}” can be read.")
            if not self._loop:
                return
            self._continues = False

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

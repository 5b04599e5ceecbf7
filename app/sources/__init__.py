"""Where frames come from. Importing this package loads none of the sources; `make_source` loads its own."""

from __future__ import annotations

import os
import re
from pathlib import Path

from app.errors import SourceError
from app.sources.base import Source

__all__ = ["Source", "make_source"]


def make_source(text: str, *, loop: bool = False, realtime: bool = False) -> Source:
    """The source that the user means; opens nothing yet.

    text: "0" or "camera:0", "synthetic", the address of a stream, a folder of images, or a video file.
    loop: files and folders start again at their end. realtime: whatever is not live anyway is paced.
    Raises SourceError where there is no such file, folder or kind of address.
    """
    if not text:
        raise SourceError("Name a source: a camera, a file, a folder of images or the address of a stream.")
    if camera := re.fullmatch(r"(?:camera:)?([0-9]+)", text):
        from app.sources.camera import CameraSource

        return CameraSource(int(camera[1]))
    if text.startswith("camera:"):
        raise SourceError("A camera is named by its number, for example “camera:0”.")
    if text == "synthetic":
        from app.sources.synthetic import SyntheticSource

        return SyntheticSource(realtime=realtime)
    if "://" in text:
        from app.sources.stream import SCHEMES, StreamSource

        scheme = text.partition("://")[0]
        if scheme.lower() not in SCHEMES:
            raise SourceError(f"Addresses with “{scheme}://” are not supported, only {', '.join(SCHEMES)}.")
        return StreamSource(text)
    # Unlike Path.expanduser this leaves a name that only looks like a home folder as it is.
    path = Path(os.path.expanduser(text))
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise SourceError(f"Cannot look for {path}: {error.strerror}.") from None
    if is_folder:
        from app.sources.image_folder import ImageFolderSource

        return ImageFolderSource(path, loop=loop, realtime=realtime)
    if not exists:
        raise SourceError(f"No such file or folder: {path}.")
    from app.sources.video_file import VideoFileSource

    return VideoFileSource(path, loop=loop, realtime=realtime)

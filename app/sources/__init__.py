"""Where frames come from. Importing this package loads none of the sources; `make_source` loads its own."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.addresses import without_secrets
from app.errors import SourceError
from app.sources.base import Source

__all__ = ["SOURCE_KINDS", "Source", "SourceKind", "make_source"]


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source. title, example: for the user. means: whether a text names one of it; the first kind wins.

    make: (text, loop, realtime) -> the source, not open yet. Raises SourceError.
    """

    title: str
    example: str
    means: Callable[[str], bool]
    make: Callable[[str, bool, bool], Source]


def make_source(text: str, *, loop: bool = False, realtime: bool = False) -> Source:
    """The source that the user means; opens nothing yet.

    text: as the examples of `SOURCE_KINDS`. A file that is called like another kind, for example “0”, is named “./0”.
    loop: files and folders start again at their end. realtime: whatever is not live anyway is paced.
    Raises SourceError where there is no such file, folder or kind of address, or an option is wrong.
    """
    if not text:
        raise SourceError("Name a source: a camera, a file, a folder of images or the address of a stream.")
    for kind in SOURCE_KINDS:
        if kind.means(text):
            return kind.make(text, loop, realtime)
    path = without_secrets(str(_path(text)))
    near = difflib.get_close_matches(text.lower(), ("synthetic", "synthetic:person", "camera:0"), n=1, cutoff=0.75)
    raise SourceError(f"No such file or folder: {path}." + (f" Did you mean “{near[0]}”?" if near else ""))


def _path(text: str) -> Path:
    # Unlike Path.expanduser this leaves a name that only looks like a home folder as it is.
    return Path(os.path.expanduser(text))


def _is_camera(text: str) -> bool:
    from app.sources.camera_list import is_camera_text

    return is_camera_text(text)


def _camera(text: str, loop: bool, realtime: bool) -> Source:
    from app.sources.camera import camera_source

    return camera_source(text)


def _is_synthetic(text: str) -> bool:
    return re.match(r"synthetic(?![^:,])", text) is not None


def _synthetic(text: str, loop: bool, realtime: bool) -> Source:
    from app.sources.options import parse_synthetic

    options = parse_synthetic(text.removeprefix("synthetic"))
    if options.figure == "person":
        from app.sources.rendered_person import RenderedPersonSource

        return RenderedPersonSource.from_options(options, loop=loop, realtime=realtime)
    from app.sources.synthetic import SyntheticSource

    return SyntheticSource.from_options(options, loop=loop, realtime=realtime)


def _is_address(text: str) -> bool:
    # A single letter is a drive of Windows.
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def _stream(text: str, loop: bool, realtime: bool) -> Source:
    from app.sources.stream import SCHEMES, StreamSource

    scheme = text.partition("://")[0].lower()
    if scheme not in SCHEMES:
        near = difflib.get_close_matches(scheme, SCHEMES, n=1)
        hint = f" Did you mean “{near[0]}://”?" if near else ""
        raise SourceError(f"Addresses with “{scheme}://” are not supported, only {', '.join(SCHEMES)}.{hint}")
    return StreamSource(text)


def _is_folder(text: str) -> bool:
    return _look_for(text, Path.is_dir)


def _look_for(text: str, question: Callable[[Path], bool]) -> bool:
    path = _path(text)
    try:
        return question(path)
    except OSError as error:
        raise SourceError(f"Cannot look for {path}: {error.strerror}.") from None


def _folder(text: str, loop: bool, realtime: bool) -> Source:
    from app.sources.image_folder import ImageFolderSource

    return ImageFolderSource(_path(text), loop=loop, realtime=realtime)


def _is_file(text: str) -> bool:
    return _look_for(text, Path.exists)


def _file(text: str, loop: bool, realtime: bool) -> Source:
    from app.sources.video_file import VideoFileSource

    return VideoFileSource(_path(text), loop=loop, realtime=realtime)


SOURCE_KINDS = (
    SourceKind("camera", "camera:0,1280x720,30fps,MJPG", _is_camera, _camera),
    SourceKind("synthetic", "synthetic:person,1280x720,60fps,noise=4", _is_synthetic, _synthetic),
    SourceKind("stream", "rtsp://192.168.1.20/live", _is_address, _stream),
    SourceKind("folder of images", "./frames", _is_folder, _folder),
    SourceKind("video file", "./clip.mp4", _is_file, _file),
)

"""A video file, with the time stamps that it really has."""

from __future__ import annotations

import os
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.errors import SourceError
from app.frames import Image
from app.sources.pacing import PacedSource

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
_FPS_WHERE_UNKNOWN = Fraction(30)


class VideoFileSource(PacedSource):
    """Every frame of a video file, in order, nothing dropped; any format that FFmpeg reads.

    loop: start again at the end, for ever; `time_ns` goes on rising, the last frame keeps its duration.
    realtime: release each frame when it is due instead of as fast as it decodes.

    Frames stand upright: a phone's rotation mark is applied. `time_ns` comes from the presentation time
    stamps, so a variable frame rate is kept. A file whose end is missing ends where nothing decodes any more.
    """

    def __init__(self, path: str | os.PathLike[str], *, loop: bool = False, realtime: bool = False) -> None:
        self._path = Path(path)
        super().__init__(self._path.name, realtime=realtime)
        self._loop = loop

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        time_line = _TimeLine()
        while True:
            any_decoded = False
            for picture in self._decode_once(time_line):
                any_decoded = True
                yield picture
            if not any_decoded:
                raise SourceError(f"The video “{self.name}” is damaged: no picture in it can be decoded.")
            if not self._loop:
                return
            self._continues = False

    def _decode_once(self, time_line: _TimeLine) -> Generator[tuple[int, Image], None, None]:
        with self._open_container() as container:
            stream = self._video_stream(container)
            stream.thread_type = "AUTO"
            rate = stream.average_rate or stream.guessed_rate
            self.fps = float(rate or 0.0)
            self.frame_count = None if self._loop else stream.frames or None
            time_line.start_pass(frame_ns=round(1_000_000_000 / (rate or _FPS_WHERE_UNKNOWN)))
            for frame in _decodable_frames(container, stream):
                yield time_line.place(frame), _upright_bgr(frame)

    def _open_container(self) -> av.container.InputContainer:
        try:
            # Without the protocol in front FFmpeg takes “a:b.mp4” for an address.
            return av.open(f"file:{self._path}")
        except FileNotFoundError:
            raise SourceError(f"No such file or folder: {self._path}.") from None
        except av.FFmpegError as error:
            if isinstance(error, PermissionError | IsADirectoryError):
                reason = error.strerror
            else:
                reason = "it is not a video, or it is damaged"
            raise SourceError(f"The file “{self.name}” cannot be opened: {reason}.") from error

    def _video_stream(self, container: av.container.InputContainer) -> VideoStream:
        for stream in container.streams.video:
            cover_picture = stream.disposition & av.stream.Disposition.attached_pic
            text_as_terminal = stream.codec_context.name == "ansi"  # how FFmpeg “plays” any text file
            if not cover_picture and not text_as_terminal:
                return stream
        raise SourceError(f"The file “{self.name}” holds no video.")


class _TimeLine:
    """Lays the stamps of one pass after the other on one line that starts at 0 and always rises."""

    def __init__(self) -> None:
        self._next_ns = 0
        self._last_ns = -1
        self._shift_ns: int | None = None
        self._frame_ns = 0

    def start_pass(self, *, frame_ns: int) -> None:
        """The file is read from its beginning; `frame_ns` is the duration of a frame that states none."""
        self._shift_ns = None
        self._frame_ns = frame_ns

    def place(self, frame: VideoFrame) -> int:
        """The frame's time in ns. One without a usable stamp follows its predecessor."""
        stamp_ns = _nanoseconds(frame.pts, frame.time_base)
        if stamp_ns is None:
            time_ns = self._next_ns
        else:
            if self._shift_ns is None or stamp_ns + self._shift_ns <= self._last_ns:
                self._shift_ns = self._next_ns - stamp_ns
            time_ns = stamp_ns + self._shift_ns
        self._last_ns = time_ns
        self._next_ns = time_ns + (_nanoseconds(frame.duration, frame.time_base) or self._frame_ns)
        return time_ns


def _nanoseconds(ticks: int | None, time_base: Fraction | None) -> int | None:
    return None if ticks is None or time_base is None else round(ticks * time_base * 1_000_000_000)


def _decodable_frames(container: av.container.InputContainer, stream: VideoStream) -> Generator[VideoFrame, None, None]:
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue  # one damaged packet; those behind it may be sound
            yield from frames
    except av.FFmpegError:
        return  # the rest of the file is missing or unreadable


def _upright_bgr(frame: VideoFrame) -> Image:
    image: Image = np.ascontiguousarray(frame.to_ndarray(format="bgr24"))
    turn = _TURNS.get(frame.rotation % 360)
    return image if turn is None else np.asarray(cv2.rotate(image, turn), dtype=np.uint8)

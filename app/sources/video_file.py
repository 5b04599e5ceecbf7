"""A video file, with the time stamps that it really has."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from app.errors import SourceError
from app.frames import Image
from app.sources.pacing import PacedSource, Picture

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
_SECOND = 1_000_000_000
_FPS_WHERE_UNKNOWN = Fraction(30)
_LATEST_NS = 2**56  # two years; what lies further on is a damaged stamp
_MOST_PIXELS = 64_000_000
_MOST_DAMAGED_PACKETS = 1_000  # in a row
# How far in front of the place that is looked for a key frame is asked for, one after the other: some containers
# find the one behind it, and the picture in front of the place may belong to the key frame before.
_STEPS_BACK_NS = (0, _SECOND // 4, 2 * _SECOND, 12 * _SECOND, 60 * _SECOND)
_SEARCH_S = 0.3  # one that takes longer is given up where another place is wanted meanwhile
# Kept once somebody has wound, so that not every step back has to decode all from the last key frame on.
_KEPT_PICTURES = 32
_KEPT_BYTES = 64_000_000
# Containers whose length counts from stamp 0 and not from the first picture.
_COUNTED_FROM_ZERO = ("flv", "matroska,webm")
# AVI has no presentation stamps, and what FFmpeg makes of the order of these codecs jumps to and fro.
_REORDERED = ("h264", "hevc")
# An MPEG program stream has stamps for some pictures only: those between are known when all before are read.
_FEW_STAMPS = "mpeg"


class VideoFileSource(PacedSource):
    """Every frame of a video file, in order, nothing dropped; any format that FFmpeg reads.

    loop: start again at the end, for ever; `time_ns` goes on rising, the last frame keeps its duration.
    realtime: release each frame when it is due instead of as fast as it decodes.

    Frames stand upright: a phone's rotation mark is applied. Times and places come from the presentation time stamps,
    so a variable frame rate is kept. A file whose end is missing ends where nothing decodes any more. `seek` is exact;
    a file that cannot be wound is read again from its beginning.
    """

    seekable = True

    def __init__(self, path: str | os.PathLike[str], *, loop: bool = False, realtime: bool = False) -> None:
        self._path = Path(path)
        super().__init__(self._path.name, realtime=realtime, loop=loop)
        self._reader: _Reader | None = None

    def _pictures(self, from_ns: int, before: bool) -> Generator[Picture, None, None]:
        if self._reader is None:
            self._reader = reader = _Reader(self._path)
            self.fps, self.frame_count = reader.fps, reader.frame_count
            self.duration_ns = reader.stated_duration_ns()
        reader, end_ns = self._reader, None
        started = time.monotonic()

        def give_up() -> bool:
            return self._stopped.is_set() or (self._is_unwanted() and time.monotonic() - started > _SEARCH_S)

        for position_ns, duration_ns, frame in reader.find(from_ns, before, give_up) if from_ns else reader.rewind():
            end_ns = position_ns + duration_ns
            if self.duration_ns is not None:
                self.duration_ns = max(self.duration_ns, end_ns)
            yield Picture(position_ns, duration_ns, reader.upright_bgr(frame))
        if end_ns is not None:
            self.duration_ns = end_ns
        elif not give_up():
            raise SourceError(f"The video “{self.name}” is damaged: no picture in it can be decoded.")

    def _release(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None


class _Placed(NamedTuple):
    position_ns: int
    duration_ns: int
    frame: VideoFrame


class _Reader:
    """An open video file: its frames in order, with their places, from any place on. Raises SourceError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._origin_ns: int | None = None  # the first frame's stamp
        self._stamps_rise = True
        self._recent: deque[_Placed] = deque()  # the last of what was decoded, without gaps
        self._keeps_recent = False
        self._reformatter = VideoReformatter()
        self._open()

    def close(self) -> None:
        self._coming.close()
        self._recent.clear()
        self._container.close()

    def stated_duration_ns(self) -> int | None:
        """What the container says, or its number of frames."""
        duration = _nanoseconds(self._stream.duration, self._stream.time_base)
        if duration is None and self._container.duration is not None:
            duration = self._container.duration * 1000
            if self._container.format.name in _COUNTED_FROM_ZERO:
                duration -= max(0, _nanoseconds(self._stream.start_time, self._stream.time_base) or 0)
        if duration is None and self.frame_count is not None:
            duration = self.frame_count * self._frame_ns
        return duration if duration is not None and 0 < duration < _LATEST_NS else None

    def rewind(self) -> Iterator[_Placed]:
        """All frames from the first."""
        if self._touched:
            self._container.close()
            self._open()
        return self._rest()

    def find(self, at_ns: int, before: bool, give_up: Callable[[], bool]) -> Iterable[_Placed]:
        """The frames from the one that is shown then (`before`: the one in front of it) on; none where given up."""
        self._keeps_recent = True
        if self._recent and at_ns < self._recent[-1].position_ns + _SECOND:
            found = _shown_at(itertools.chain(tuple(self._recent), self._rest()), at_ns, before, give_up)
            if found is not None:
                return found
        for back_ns in _STEPS_BACK_NS:
            if back_ns > at_ns or not self._go_to_key_frame(at_ns - back_ns):
                break
            found = _shown_at(self._rest(), at_ns, before, give_up)
            if found is not None:
                return found
        return _shown_at(self.rewind(), at_ns, before, give_up, or_first=True) or ()

    def upright_bgr(self, frame: VideoFrame) -> Image:
        try:
            # One thread: more of them would only take turns with those that decode.
            converted = self._reformatter.reformat(frame, format="bgr24", threads=1)
        except (av.FFmpegError, ValueError) as error:
            reason = f"its pixel format {frame.format.name} cannot be shown"
            raise SourceError(f"The video “{self._path.name}” cannot be read: {reason}.") from error
        image: Image = np.ascontiguousarray(converted.to_ndarray())
        turn = _TURNS.get(frame.rotation % 360)
        return image if turn is None else np.asarray(cv2.rotate(image, turn), dtype=np.uint8)

    def _open(self) -> None:
        self._container = _open_container(self._path)
        self._stream = stream = _video_stream(self._container, self._path.name)
        context = stream.codec_context
        if context.width * context.height > _MOST_PIXELS:
            size = f"{context.width} × {context.height} pixels, {_MOST_PIXELS // 1_000_000} million at most"
            raise SourceError(f"The pictures of the video “{self._path.name}” are too large: {size}.")
        context.options = {"max_pixels": str(_MOST_PIXELS)}
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate
        self.fps = float(rate or 0.0)
        self.frame_count = stream.frames or None
        self._frame_ns = max(1, min(round(_SECOND / (rate or _FPS_WHERE_UNKNOWN)), 3600 * _SECOND))
        if self._container.format.name == "avi" and context.has_b_frames and context.name in _REORDERED:
            self._stamps_rise = False
        self._recent.clear()
        self._touched = False
        self._coming = self._placed(sought=False)

    def _go_to_key_frame(self, at_ns: int) -> bool:
        """The one at that place or in front of it, as the container thinks; False where it cannot be wound."""
        time_base = self._stream.time_base
        is_mapped = self._stamps_rise and self._container.format.name != _FEW_STAMPS
        if not is_mapped or time_base is None or self._origin_ns is None:
            return False
        self._coming.close()
        try:
            self._container.seek(math.floor((at_ns + self._origin_ns) / (time_base * _SECOND)), stream=self._stream)
        except (av.FFmpegError, OverflowError):
            return False
        self._recent.clear()
        self._coming = self._placed(sought=True)
        return True

    def _rest(self) -> Generator[_Placed, None, None]:
        """What comes next; may be left and taken up again."""
        for placed in self._coming:
            if self._keeps_recent:
                self._keep(placed)
            yield placed

    def _keep(self, placed: _Placed) -> None:
        self._recent.append(placed)
        frame = placed.frame
        size = max(1, frame.width * frame.height * frame.format.bits_per_pixel // 8)
        while len(self._recent) > min(_KEPT_PICTURES, max(2, _KEPT_BYTES // size)):
            self._recent.popleft()

    def _placed(self, *, sought: bool) -> Generator[_Placed, None, None]:
        """Lays the frames on a line that begins with the first of the file at 0 and always rises.

        One without a usable stamp follows its predecessor. sought: not from the beginning but from a key frame on,
        with none where its place cannot be told.
        """
        self._touched = True
        position_ns, next_ns, shift_ns = -1, 0, 0
        lost = sought
        for frame in _decodable_frames(self._container, self._stream):
            if lost and not frame.key_frame:
                continue  # made from pictures that were not read
            stamp_ns = _nanoseconds(frame.pts, self._stream.time_base) if self._stamps_rise or sought else None
            if stamp_ns is None:
                if lost:
                    return
                place_ns = next_ns
            else:
                if self._origin_ns is None:
                    self._origin_ns = stamp_ns
                place_ns = stamp_ns - self._origin_ns + shift_ns
                if sought and place_ns < 0:
                    continue
                if not position_ns < place_ns < _LATEST_NS:
                    self._stamps_rise = False
                    if sought:
                        return
                    shift_ns += next_ns - place_ns
                    place_ns = next_ns
            lost = False
            position_ns = place_ns
            duration_ns = _nanoseconds(frame.duration, self._stream.time_base) or 0
            if not 0 < duration_ns < _LATEST_NS:
                duration_ns = self._frame_ns
            next_ns = position_ns + duration_ns
            yield _Placed(position_ns, duration_ns, frame)


def _shown_at(
    frames: Iterator[_Placed], at_ns: int, before: bool, give_up: Callable[[], bool], *, or_first: bool = False
) -> Iterable[_Placed] | None:
    """The frames from the one that is shown at `at_ns` on, `before`: from the one in front of it.

    None where `frames` begin behind that one, unless it would be in front of the first (`or_first`: or of these).
    """
    held: deque[_Placed] = deque(maxlen=3)
    shown = -1
    for placed in frames:
        held.append(placed)
        if placed.position_ns > at_ns:
            shown = -2
            break
        if give_up():
            return ()
    first = len(held) + shown - before
    if first < 0:
        if not held or not (or_first or held[0].position_ns == 0):
            return None
        first = 0
    return itertools.chain(itertools.islice(held, first, None), frames)


def _open_container(path: Path) -> InputContainer:
    try:
        # Without the protocol in front FFmpeg takes “a:b.mp4” for an address.
        return av.open(f"file:{path}", options={"max_pixels": str(_MOST_PIXELS)}, metadata_errors="replace")
    except FileNotFoundError:
        raise SourceError(f"No such file or folder: {path}.") from None
    except (av.FFmpegError, UnicodeError) as error:
        if isinstance(error, PermissionError | IsADirectoryError):
            reason = error.strerror
        elif isinstance(error, UnicodeError):
            reason = "its name is no valid text; rename it"
        else:
            reason = "it is not a video, or it is damaged"
        name = path.name.encode(errors="replace").decode()
        raise SourceError(f"The file “{name}” cannot be opened: {reason}.") from error


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    for stream in container.streams.video:
        cover_picture = stream.disposition & av.stream.Disposition.attached_pic
        # Without a decoder there is no context; “ansi” is how FFmpeg “plays” any text file.
        if not cover_picture and stream.codec_context is not None and stream.codec_context.name != "ansi":
            return stream
    container.close()
    raise SourceError(f"The file “{name}” holds no video.")


def _nanoseconds(ticks: int | None, time_base: Fraction | None) -> int | None:
    return None if ticks is None or time_base is None else round(ticks * time_base * _SECOND)


def _decodable_frames(container: InputContainer, stream: VideoStream) -> Generator[VideoFrame, None, None]:
    damaged = 0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:  # one damaged packet; those behind it may be sound
                damaged += 1
                if damaged == _MOST_DAMAGED_PACKETS:
                    return
                continue
            if frames:
                damaged = 0
                yield from frames
    except av.FFmpegError:
        return  # the rest of the file is missing or unreadable

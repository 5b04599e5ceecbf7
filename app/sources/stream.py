"""A video stream from the network."""

from __future__ import annotations

import re
import time
from collections.abc import Generator

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from app.addresses import without_secrets
from app.errors import SourceError
from app.frames import Image
from app.sources.background import BackgroundSource
from app.sources.stream_connection import (
    FIRST_SILENT_S,
    LATE_NS,
    LONGEST_SILENT_S,
    OPEN_S,
    Connection,
    Learned,
)

SCHEMES = ("http", "https", "rtsp", "rtsps", "udp", "tcp")

_CODEC_TITLES = {"h264": "H.264", "hevc": "HEVC", "mjpeg": "MJPEG"}
_HIGHEST_FPS = 1000.0  # some streams name the rate of their clock
_CLOSE_S = 0.5


class StreamSource(BackgroundSource):
    """A stream by its address: http(s) (MJPEG, MPEG-TS, HLS, also whole files), rtsp(s), udp or tcp.

    `captured_ns` is the moment when FFmpeg hands over the packet, before it is decoded. Where nothing tells a
    picture's length, FFmpeg takes it for complete when the next begins: an MJPEG server that sends no
    Content-Length is one frame late in this way and MPEG-TS two, which no clock here can see. HLS and files come
    faster than they are to be shown; there `captured_ns` is the moment of release, when the picture is due by its
    presentation time stamp.

    A file that was received to its end is at its end; whatever else ends was lost, and is connected to again.

    Neither `name` nor any error holds the user name, the password or the query of the address.
    """

    ends = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._address = without_secrets(url)
        self._learned = Learned()
        self._has_delivered = False
        name = re.sub(r"[^\w.]+", "-", self._address.partition("://")[2]).strip("-") or "stream"
        # The connection finds out by itself how long a silence of this stream may be.
        super().__init__(name, open_within_s=2 * OPEN_S + FIRST_SILENT_S, lost_after_s=LONGEST_SILENT_S)

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        connection = Connection(self._url, self._learned)
        try:
            stream = connection.wait_until_open(self._closing)
            if stream is None:
                if not self._closing.is_set():
                    what = "was lost" if self._has_delivered else "cannot be opened"
                    raise SourceError(f"The stream {self._address} {what}: {connection.problem}.")
                return
            reformatter = VideoReformatter()
            for captured_ns, frame in self._frames(connection, stream):
                # H.264 and HEVC name their rate in the key frame that was just decoded.
                fps = float(stream.average_rate or stream.codec_context.framerate or 0.0)
                self.fps = fps if fps < _HIGHEST_FPS else 0.0
                self._has_delivered = True
                self.details = _CODEC_TITLES.get(stream.codec_context.name, stream.codec_context.name)
                yield captured_ns, np.ascontiguousarray(reformatter.reformat(frame, format="bgr24").to_ndarray())
            if not (self._closing.is_set() or connection.is_complete):
                raise SourceError(f"The stream {self._address} broke off: {connection.problem}.")
        finally:
            connection.release(wait_s=_CLOSE_S if self._closing.is_set() else 0.0)

    def _frames(self, connection: Connection, stream: VideoStream) -> Generator[tuple[int, VideoFrame], None, None]:
        """Yield (captured_ns, frame) until the connection ends, leaving out what is late."""
        codec = stream.codec_context
        codec.thread_type = "SLICE"  # threads that share out frames hold back one frame for each thread
        codec.flags |= av.codec.context.Flags.low_delay
        codec.copy_opaque = True
        handed_over_ns = 0
        while not self._closing.is_set():
            packet = connection.take()
            if packet is None:
                if connection.has_ended:
                    return
                if waited_s := connection.silent_too_long_s():
                    say = self._lost_message if handed_over_ns else self._silent_message
                    raise SourceError(say(waited_s))
                continue
            try:
                frames = codec.decode(packet)
            except av.FFmpegError:
                continue  # damaged, or from before the first key frame
            for frame in frames:
                # Of an earlier packet, where the decoder has to put pictures in order.
                due_ns = frame.opaque if isinstance(frame.opaque, int) else time.perf_counter_ns()
                now_ns = time.perf_counter_ns()
                # A decoder that is always late still shows something.
                if connection.lag_ns(now_ns) > LATE_NS and now_ns - handed_over_ns < LATE_NS:
                    continue
                if connection.in_bursts:
                    self._closing.wait(max(0, due_ns - now_ns) / 1e9)
                    due_ns = time.perf_counter_ns()
                handed_over_ns = time.perf_counter_ns()
                yield due_ns, frame

    def _lost_message(self, waited_s: float) -> str:
        return f"The stream {self._address} was lost: no picture came for {waited_s:.1f} s."

    def _silent_message(self, waited_s: float) -> str:
        return f"The stream {self._address} cannot be opened: it sent no picture within {waited_s:.0f} s."

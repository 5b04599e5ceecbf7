"""A video stream from the network."""

from __future__ import annotations

import re
import time
from collections.abc import Generator

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.errors import SourceError
from app.frames import Image
from app.sources.background import BackgroundSource

SCHEMES = ("http", "https", "rtsp", "rtsps", "udp", "tcp")

_OPEN_TIMEOUT_S = 5.0  # for connecting, and once more for finding out what the stream holds
_READ_TIMEOUT_S = 5.0
# No “fflags nobuffer”: it throws away the packets that were read to find out what the stream holds, and with
# them the first key frame. In MPEG-TS that costs seconds until the next one, and gains nothing afterwards.
_OPTIONS = {
    "analyzeduration": "1000000",  # µs; by default a stream that names no frame rate opens after 5 s
    "rtsp_transport": "tcp",  # a lost UDP packet smears the picture until the next key frame
    "overrun_nonfatal": "1",  # udp: what came while nobody read is lost, not the stream
}


class StreamSource(BackgroundSource):
    """A live stream by its address: http(s) (MJPEG, MPEG-TS, HLS), rtsp(s), udp or tcp.

    `captured_ns` is the moment when FFmpeg hands over the packet, before it is decoded. Where nothing tells a
    picture's length, FFmpeg takes it for complete when the next begins: an MJPEG server that sends no
    Content-Length is one frame late in this way and MPEG-TS two, which no clock here can see.

    Neither `name` nor any error holds the user name, the password or the query of the address.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._address = _without_secrets(url)
        name = re.sub(r"[^\w.]+", "-", self._address.partition("://")[2]).strip("-") or "stream"
        super().__init__(name, open_within_s=2 * _OPEN_TIMEOUT_S + _READ_TIMEOUT_S, lost_after_s=_READ_TIMEOUT_S)

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        with self._open_container() as container:
            if not container.streams.video:
                raise SourceError(f"The stream {self._address} holds no video.")
            stream = container.streams.video[0]
            self.fps = float(stream.average_rate or stream.guessed_rate or 0.0)
            for captured_ns, frame in self._decoded(container, stream):
                yield captured_ns, np.ascontiguousarray(frame.to_ndarray(format="bgr24"))

    # FFmpeg's errors quote the address with its password, so none is chained to what leaves this class.

    def _open_container(self) -> av.container.InputContainer:
        try:
            return av.open(self._url, options=_OPTIONS, timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S))
        except av.error.ExitError:
            reason = f"it did not answer within {_OPEN_TIMEOUT_S:.0f} s"
        except av.error.InvalidDataError:
            reason = "it sends nothing that can be read as video"
        except (av.error.HTTPClientError, av.error.HTTPError) as error:
            reason = f"{error.strerror}"
        except av.FFmpegError as error:
            reason = f"{error.strerror}; check the address, the network and that the server is running"
        raise SourceError(f"The stream {self._address} cannot be opened: {reason}.")

    def _decoded(
        self, container: av.container.InputContainer, stream: VideoStream
    ) -> Generator[tuple[int, VideoFrame], None, None]:
        codec = stream.codec_context
        codec.thread_type = "SLICE"  # threads that share out frames hold back one frame for each thread
        codec.flags |= av.codec.context.Flags.low_delay
        codec.copy_opaque = True
        try:
            for packet in container.demux(stream):
                arrival_ns = time.perf_counter_ns()
                packet.opaque = arrival_ns
                if self._closing.is_set():
                    return
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    continue  # damaged, or from before the first key frame
                for frame in frames:
                    # Of an earlier packet, where the decoder has to put pictures in order.
                    yield frame.opaque if isinstance(frame.opaque, int) else arrival_ns, frame
            return
        except av.error.ExitError:
            message = self._lost_message(_READ_TIMEOUT_S)
        except av.FFmpegError as error:
            message = f"The stream {self._address} broke off: {error.strerror}."
        raise SourceError(message)

    def _lost_message(self, waited_s: float) -> str:
        return f"The stream {self._address} was lost: no picture came for {waited_s:.0f} s."


def _without_secrets(url: str) -> str:
    """The address without user name, password, query and fragment, even where a password holds @, / or ?."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split(r'[?#]', rest.rpartition('@')[2])[0]}"

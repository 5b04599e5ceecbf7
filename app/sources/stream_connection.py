"""One connection to a server of video: what comes is taken at once, and what is late is left out."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

from app.addresses import without_secrets
from app.errors import SourceError

OPEN_S = 5.0  # for connecting, and once more for finding out what the stream holds
_REOPEN_S = 2.0  # a server that comes back is asked again rather than waited for
_SILENT_S = 1.2  # a stream of which nothing came for so long is lost, unless its pictures are rarer than that
FIRST_SILENT_S = 3.0  # the same before it is known how rare they are
_BURST_SILENT_S = 10.0  # the same for pictures that come in bursts, before the second burst
_LEAST_BURST_SILENT_S, _SILENT_SEGMENTS = 2.0, 2.0  # and after it
_SEGMENT_NS = 300_000_000
LONGEST_SILENT_S = 20.0
_POLL_S = 0.05

LATE_NS = 200_000_000  # from here on only the newest picture is handed over
_TOO_LATE_NS = 500_000_000  # from here on what lies before the newest key frame is not even decoded
_FAR_TOO_LATE_NS = 1_500_000_000  # nor is anything else until the next one
_QUEUE_BYTES = 32 << 20

_WINDOW_NS = 30_000_000_000
_LONGEST_STEP_NS = 10_000_000_000  # between two pictures; a longer one is a clock that was set anew

# Just enough to know the codec, with which a stream opens at its first key frame. With 1 s and FFmpeg's own
# fpsprobesize that picture was 1.05 s old at the opening in RTSP instead of 0.09 s, and 0.2 to 0.5 s in MPEG-TS. Sound
# that begins before the video needs more, and gets it on a second attempt.
_ANALYZE_US, _LONG_ANALYZE_US = 1, 1_000_000
# No “fflags nobuffer”: it throws away the packets that were read to find out what the stream holds, and with
# them the first key frame. In MPEG-TS that costs seconds until the next one, and gains nothing afterwards.
_OPTIONS = {
    "fpsprobesize": "0",  # else a stream that names no frame rate is watched for 20 pictures before it opens
    "rtsp_transport": "tcp",  # a lost UDP packet smears the picture until the next key frame
    "overrun_nonfatal": "1",  # udp: what came while nobody read is lost, not the stream
    "live_start_index": "-1",  # HLS: from the last segment, not the third last
}
_PROBED_KINDS = ("hls", "mpegts", "mpjpeg")  # what FFmpeg need not find out again on the next connection


@dataclass
class Learned:
    """What earlier connections have shown about a stream."""

    open_s: float = OPEN_S
    first_silent_s: float = FIRST_SILENT_S
    silent_s: float = _SILENT_S
    segment_s: float = 0.0  # the longest pause between two bursts
    kind: str | None = None  # FFmpeg's name of the container


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A packet and when its picture is due: for most streams, when it arrived."""

    due_ns: int
    packet: Packet[VideoStream]


class Connection:
    """One connection to the server. A thread of its own takes whatever comes at once, so that nothing grows old on the
    way, and how late a picture is can be read from the host's clock alone, whatever the server's clock does.

    problem: why it could not be opened or ended, without secrets. is_complete: it was a file and ended with it.
    in_bursts: packets come faster than they are to be shown.
    """

    def __init__(self, url: str, learned: Learned) -> None:
        self.problem = ""
        self.is_complete = self.in_bursts = self.has_ended = False
        self._url = url
        self._learned = learned
        self._stream: VideoStream | None = None
        self._schedule = BurstSchedule()
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._key_wanted = False
        self._released = threading.Event()
        self._count = 0
        self._first_ns = self._last_ns = self._last_due_ns = 0
        self._thread = threading.Thread(target=self._run, name=f"receiver of {without_secrets(url)}", daemon=True)
        self._thread.start()

    def wait_until_open(self, closing: threading.Event) -> VideoStream | None:
        """The stream; None where there is a `problem`, or once `closing` is set."""
        started = time.monotonic()
        limit_s = 2 * self._learned.open_s + 1.0  # looking up a name knows no time-out
        while not closing.is_set():
            with self._changed:
                if not self._changed.wait_for(lambda: self._stream is not None or self.has_ended, _POLL_S):
                    if time.monotonic() - started > limit_s:
                        self.problem = _no_answer(limit_s)
                        return None
                    continue
            if self._stream is not None:
                self._learned.open_s = min(max(_REOPEN_S, 2 * (time.monotonic() - started)), OPEN_S)
            return self._stream
        return None

    def take(self) -> Packet[VideoStream] | None:
        """The next packet to decode; None where none came for a moment, or none will."""
        with self._changed:
            if not (self._waiting or self.has_ended):
                self._changed.wait(_POLL_S)
            self._leave_out_late(time.perf_counter_ns())
            return self._forget_first().packet if self._waiting else None

    def lag_ns(self, now_ns: int) -> int:
        """How long ago the next waiting picture was due."""
        with self._changed:
            return now_ns - self._waiting[0].due_ns if self._waiting else 0

    def silent_too_long_s(self) -> float:
        """For how long nothing came, where that is too long; else 0."""
        with self._changed:
            mean_gap_s = (self._last_ns - self._first_ns) / max(1, self._count - 1) / 1e9
            if self.in_bursts:
                limit_s = _BURST_SILENT_S
                if self._learned.segment_s:
                    limit_s = max(_LEAST_BURST_SILENT_S, _SILENT_SEGMENTS * self._learned.segment_s)
            elif self._count < 3:
                limit_s = self._learned.first_silent_s
            else:
                limit_s = max(self._learned.silent_s, 4 * mean_gap_s)
                self._learned.first_silent_s = min(max(FIRST_SILENT_S, 4 * mean_gap_s), LONGEST_SILENT_S)
            silent_s = (time.perf_counter_ns() - max(self._last_ns, self._last_due_ns)) / 1e9
            if silent_s <= min(limit_s, LONGEST_SILENT_S):
                return 0.0
            if self._count < 3:
                self._learned.first_silent_s = min(2 * limit_s, LONGEST_SILENT_S)
            elif (self._last_ns - self._first_ns) / 1e9 < limit_s:
                self._learned.silent_s = min(2 * limit_s, LONGEST_SILENT_S)  # all came in one go: rare after all
            else:
                self._learned.silent_s = _SILENT_S
            return silent_s

    def release(self, *, wait_s: float) -> None:
        """Close the connection. A thread that still waits for the server after `wait_s` does so at its time-out."""
        with self._changed:
            self._released.set()
            self._changed.notify_all()
        self._thread.join(wait_s)

    def _run(self) -> None:
        container: InputContainer | None = None
        problem = "the server ended it"
        try:
            container = self._open()
            self._receive(container)
        except SourceError as error:
            problem = str(error)
        except Exception as error:  # quotes the address with its password: only its kind leaves this thread
            problem = _reason(error, self._url, self._learned.open_s)
        with self._changed:
            self.problem = self.problem or problem
            self.has_ended = True
            self._changed.notify_all()
        if container is not None:
            self._released.wait()  # its packets may be decoded still
            container.close()

    def _open(self) -> InputContainer:
        container = self._open_once(_ANALYZE_US)
        if not container.streams.video:
            container.close()
            container = self._open_once(_LONG_ANALYZE_US)
        if container.format.name == "hls" and container.read_timeout != LONGEST_SILENT_S:
            container.close()
            self._learned.kind = "hls"
            container = self._open_once(_ANALYZE_US)
        return container

    def _open_once(self, analyze_us: int) -> InputContainer:
        learned = self._learned
        is_hls = learned.kind == "hls" or ".m3u8" in self._url.lower()
        read_s = LONGEST_SILENT_S if is_hls else max(learned.first_silent_s, learned.silent_s) + 1.0
        options = {**_OPTIONS, "analyzeduration": str(analyze_us)}
        try:
            return av.open(self._url, format=learned.kind, options=options, timeout=(learned.open_s, read_s))
        except av.error.ExitError:
            waited_s, learned.open_s = learned.open_s, min(1.5 * learned.open_s, OPEN_S)
            raise SourceError(_no_answer(waited_s)) from None
        except av.error.InvalidDataError:
            if learned.kind is None:
                raise
        learned.kind = None  # the server sends something else than last time
        return self._open_once(analyze_us)

    def _receive(self, container: InputContainer) -> None:
        kind = container.format.name
        if kind in _PROBED_KINDS:
            self._learned.kind = kind
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream) or stream.codec_context is None:
            raise SourceError("it holds no video that can be decoded")
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all  # else all qualities of an HLS stream are fetched
        is_file = container.duration is not None if kind == "hls" else container.size > 0 and kind != "mpjpeg"
        self._schedule = BurstSchedule(adapts=not is_file)
        with self._changed:
            self.in_bursts = is_file or kind == "hls"
            self._last_ns = time.perf_counter_ns()
            self._stream = stream
            self._changed.notify_all()
        for packet in container.demux(stream):
            if self._released.is_set():
                return
            self._put(packet, time.perf_counter_ns())
        self.is_complete = is_file

    def _put(self, packet: Packet[VideoStream], arrival_ns: int) -> None:
        with self._changed:
            due_ns = max(arrival_ns, self._last_due_ns)
            stamp = packet.dts if packet.pts is None else packet.pts
            if self.in_bursts and stamp is not None:
                stamp_ns = round(stamp * (packet.time_base or Fraction(0)) * 1_000_000_000)
                due_ns = self._schedule.due_ns(stamp_ns, arrival_ns)
            if not self._count:
                self._first_ns = arrival_ns
            elif self.in_bursts and arrival_ns - self._last_ns > _SEGMENT_NS:
                self._learned.segment_s = max(self._learned.segment_s, (arrival_ns - self._last_ns) / 1e9)
            self._count += 1
            self._last_ns, self._last_due_ns = arrival_ns, max(self._last_due_ns, due_ns)
            if self.in_bursts:
                self._changed.wait_for(lambda: self._bytes < _QUEUE_BYTES or self._released.is_set())
            elif self._bytes > _QUEUE_BYTES:
                self._key_wanted = True
            self._leave_out_late(arrival_ns)
            packet.opaque = due_ns
            self._waiting.append(_Waiting(due_ns, packet))
            self._bytes += packet.size
            self._changed.notify_all()

    def _leave_out_late(self, now_ns: int) -> None:
        if not self._waiting or self._stream is None:
            return
        lag_ns = now_ns - self._waiting[0].due_ns
        intra_only = self._stream.codec_context.codec.intra_only
        if lag_ns > (LATE_NS if intra_only else _TOO_LATE_NS):
            for number in range(len(self._waiting) - 1, 0, -1):
                if self._waiting[number].due_ns <= now_ns and (intra_only or self._waiting[number].packet.is_keyframe):
                    for _ in range(number):
                        self._forget_first()
                    break
            else:
                self._key_wanted |= lag_ns > _FAR_TOO_LATE_NS and not intra_only
        while self._key_wanted and self._waiting:
            if self._waiting[0].packet.is_keyframe:
                self._key_wanted = False
            else:
                self._forget_first()

    def _forget_first(self) -> _Waiting:
        first = self._waiting.popleft()
        self._bytes -= first.packet.size
        self._changed.notify_all()
        return first


class BurstSchedule:
    """When pictures that come in bursts are due, so that each has arrived by then, and none later than need be.

    The pictures are shown as far apart as their stamps are, as late as the most delayed one of the last 30 s
    demands: in this way it follows a server whose clock runs at another rate, and forgets a stall of the network.
    adapts: False for a file, which has all the time in the world.
    """

    def __init__(self, *, adapts: bool = True) -> None:
        self._adapts = adapts
        self._delays: deque[tuple[int, int]] = deque()  # (arrival, delay) with falling delays: the first is the largest
        self._stamp_ns: int | None = None
        self._due_ns = 0

    def due_ns(self, stamp_ns: int, arrival_ns: int) -> int:
        """The moment by the host's clock at which a picture is due that arrived with that stamp."""
        delay = arrival_ns - stamp_ns
        if self._stamp_ns is not None and not -1_000_000_000 <= stamp_ns - self._stamp_ns <= _LONGEST_STEP_NS:
            self._delays.clear()
            delay = max(arrival_ns, self._due_ns) - stamp_ns  # goes on right after the one before
        self._stamp_ns = stamp_ns
        while self._delays and self._delays[-1][1] <= delay:
            self._delays.pop()
        self._delays.append((arrival_ns, delay))
        while self._adapts and self._delays[0][0] < arrival_ns - _WINDOW_NS:
            self._delays.popleft()
        self._due_ns = stamp_ns + self._delays[0][1]
        return self._due_ns


def _no_answer(waited_s: float) -> str:
    return f"it did not answer within {waited_s:.3g} s"


def _reason(error: Exception, url: str, open_s: float) -> str:
    """Why a connection failed, without the address that FFmpeg quotes."""
    match error:
        case av.error.ExitError() | av.error.TimeoutError():
            return _no_answer(open_s)
        case av.error.InvalidDataError():
            return "it sends nothing that can be read as video"
        case av.error.HTTPUnauthorizedError():
            return "it wants a user name and a password, or refuses those in the address"
        case av.error.HTTPForbiddenError():
            return "the server refuses access to it"
        case av.error.HTTPNotFoundError():
            return "the server knows nothing of that address"
        case av.error.ConnectionRefusedError():
            return "nothing answers there; check the address and that the server is running"
        case av.FFmpegError() if _is_unknown_host(url):
            return "no host of that name is known; check the address and the network"
        case av.FFmpegError():
            return f"{error.strerror}; check the address, the network and that the server is running"
    return f"an error of the kind {type(error).__name__}"


def _is_unknown_host(url: str) -> bool:
    try:
        host = urlsplit(without_secrets(url)).hostname
        socket.getaddrinfo(host, None)
    except (OSError, ValueError):
        return True
    return False

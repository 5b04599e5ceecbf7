"""Streams from servers that are stopped, started again, fall silent, or are slow."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import pytest

from app.errors import SourceError
from app.frames import Frame
from app.sources.stream import StreamSource
from app.sources.stream_connection import Connection, Learned
from tests.app.rtsp_server import RtspServer
from tests.app.servers import (
    CYCLE,
    GROUP,
    LIVE_RATE,
    HlsServer,
    LiveServer,
    MjpegServer,
    MpegTsServer,
    VideoServer,
    h264_pictures,
    jpeg_pictures,
    number_in,
    running,
)
from tests.app.source_builders import (
    no_thread_stays_behind,  # noqa: F401
    running_server,  # noqa: F401
)

SERVERS: dict[str, Callable[[], LiveServer]] = {
    "mjpeg": MjpegServer,
    "mjpeg without lengths": lambda: MjpegServer(lengths=False),
    "mpegts": MpegTsServer,
    "rtsp": RtspServer,
    "hls": HlsServer,
}
BACK_WITHIN_S = 2.0

Case = TypeVar("Case")


@pytest.fixture(scope="module", autouse=True)
def encoded_pictures() -> None:
    h264_pictures()
    jpeg_pictures()


def at_the_same_time(check: Callable[[Case], None], cases: Iterable[Case]) -> None:
    """These tests wait more than they work."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(check, cases))


def read(source: StreamSource) -> Frame:
    frame = source.read()
    assert frame is not None
    return frame


def open_when_ready(server: LiveServer) -> StreamSource:
    if isinstance(server, HlsServer):
        time.sleep(1.2 * GROUP / server.rate)  # until there is a first segment
    source = StreamSource(server.url())
    source.open()
    return source


def age_ms(server: LiveServer, frame: Frame) -> float:
    """From the moment when the server sent the picture to this one."""
    return (time.perf_counter_ns() - server.sent_ns[number_in(frame.image)]) / 1e6


def wait_for(condition: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Drain:
    """Reads all pictures on a thread of its own, until the source is stopped, and keeps what is known of them."""

    def __init__(self, source: StreamSource) -> None:
        self.frames: list[tuple[int, bool]] = []  # when read, continues
        self._source = source
        self._thread = threading.Thread(target=self._run, daemon=True)  # a test that fails ends
        self._thread.start()

    def _run(self) -> None:
        while (frame := self._source.read()) is not None:
            self.frames.append((time.perf_counter_ns(), frame.continues))

    def await_pictures(self, count: int) -> None:
        goal = len(self.frames) + count
        wait_for(lambda: len(self.frames) >= goal)

    def first_return_since(self, since_ns: int) -> float:
        """Seconds until the picture with which the stream came back."""
        wait_for(lambda: any(not continues and when > since_ns for when, continues in self.frames))
        return next((when - since_ns) / 1e9 for when, continues in self.frames if not continues and when > since_ns)

    def close(self) -> None:
        self._source.stop()
        self._thread.join()
        self._source.close()


@pytest.mark.thorough
def test_pictures_come_in_order_and_soon() -> None:
    at_the_same_time(check_order_and_age, SERVERS)


def check_order_and_age(kind: str) -> None:
    with running(SERVERS[kind]()) as server:
        source = open_when_ready(server)
        frames = [read(source) for _ in range(30)]
        ages = [age_ms(server, read(source)) for _ in range(10)]
        source.close()
    numbers = np.array([number_in(frame.image) for frame in frames])
    assert np.all(np.diff(numbers) >= 1)
    assert np.median(np.diff(numbers)) == 1
    assert np.all(np.diff([frame.time_ns for frame in frames]) > 0)
    assert np.all(np.diff([frame.captured_ns for frame in frames]) >= 0)
    # What FFmpeg delivered in one go at the opening is soon over: then they come at the server's rate.
    later = [frame.captured_ns for frame in frames[15:]]
    assert np.median(np.diff(later)) == pytest.approx(1e9 / LIVE_RATE, rel=0.3)
    assert all(frame.continues for frame in frames)
    assert source.fps == (0.0 if "mjpeg" in kind else LIVE_RATE)
    assert source.details == ("MJPEG" if "mjpeg" in kind else "H.264")
    assert source.reopen_text == ""
    # Two pictures are on their way; a segment is one second long, and its last picture as old as that.
    assert np.median(ages) < (1500 if kind == "hls" else 300)


@pytest.mark.parametrize("kind", ["mpegts", "rtsp"])
def test_a_stream_opens_with_the_first_key_frame_and_is_not_watched_for_longer(kind: str) -> None:
    with running(SERVERS[kind]()) as server:
        connection = Connection(server.url(), Learned())
        stream = connection.wait_until_open(threading.Event())
        assert stream is not None
        sent = max(server.sent_ns, key=lambda number: server.sent_ns[number])
        frames = []
        while not frames:
            frames = stream.codec_context.decode(packet) if (packet := connection.take()) is not None else []
        connection.release(wait_s=5.0)
        assert (sent - number_in(frames[0].to_ndarray(format="bgr24"))) % CYCLE < GROUP // 2


@pytest.mark.thorough
def test_a_server_that_is_started_again_or_was_silent_is_back_soon() -> None:
    at_the_same_time(check_return, ["mjpeg", "mpegts", "rtsp"])


def check_return(kind: str) -> None:
    with running(SERVERS[kind]()) as server:
        source = open_when_ready(server)
        drain = Drain(source)
        drain.await_pictures(5)
        for _ in range(2):
            server.stop()
            wait_for(lambda: source.trouble)
            assert source.trouble.startswith("The stream ")
            assert source.trouble.endswith("trying again.")
            time.sleep(0.15)
            began_ns = time.perf_counter_ns()
            server.start()
            assert drain.first_return_since(began_ns) < BACK_WITHIN_S
            assert source.trouble == ""
            drain.await_pictures(10)
        silent_since = time.monotonic()
        server.silent.set()
        wait_for(lambda: source.trouble)
        assert 1.0 < time.monotonic() - silent_since < 2.5
        began_ns = time.perf_counter_ns()
        server.silent.clear()
        assert drain.first_return_since(began_ns) < BACK_WITHIN_S
        drain.close()


@pytest.mark.thorough
def test_a_playlist_comes_back_as_soon_as_it_has_a_segment() -> None:
    with running(HlsServer()) as server:
        drain = Drain(open_when_ready(server))
        drain.await_pictures(2)
        server.stop()
        wait_for(lambda: drain._source.trouble)
        began_ns = time.perf_counter_ns()
        server.start()
        assert drain.first_return_since(began_ns) < BACK_WITHIN_S + GROUP / LIVE_RATE
        drain.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mjpeg", "mpegts", "rtsp"])
def test_20_restarts_are_20_returns(kind: str) -> None:
    pauses = np.random.default_rng(5).uniform(0.1, 4.0, 20)
    with running(SERVERS[kind]()) as server:
        drain = Drain(open_when_ready(server))
        back_s = []
        for pause in pauses:
            drain.await_pictures(10)
            server.stop()
            time.sleep(pause)
            began_ns = time.perf_counter_ns()
            server.start()
            back_s.append(drain.first_return_since(began_ns))
        drain.close()
    print(f"{kind}: back after", *(f"{seconds:.2f}" for seconds in back_s), "s")
    assert max(back_s) < BACK_WITHIN_S


@pytest.mark.thorough
def test_slow_streams_are_not_lost_for_ever() -> None:
    at_the_same_time(lambda check: check(), [check_slow_stream, check_waits_grow])


def check_slow_stream() -> None:
    with running(MjpegServer(rate=0.75)) as server:
        source = StreamSource(server.url())
        source.open()
        frames = [read(source) for _ in range(4)]
        assert all(frame.continues for frame in frames)
        assert server.connection_count == 1
        server.stop()  # else the thread that waits for the next picture would stay for it
        source.close()


def check_waits_grow() -> None:
    with running(MjpegServer(rate=2.0)) as server:
        source = StreamSource(server.url())
        source._learned.first_silent_s = 0.2
        source.open()
        drain = Drain(source)
        wait_for(lambda: any(not continues for _, continues in drain.frames))  # lost after the first picture
        connections = server.connection_count
        drain.await_pictures(5)
        assert server.connection_count - connections <= 2  # 0.4 s, 0.8 s
        server.stop()
        drain.close()


@pytest.mark.thorough
def test_a_slow_reader_gets_the_newest_picture() -> None:
    at_the_same_time(check_slow_reader, ["mjpeg", "mpegts"])


def check_slow_reader(kind: str) -> None:
    with running(SERVERS[kind]()) as server:
        source = open_when_ready(server)
        ages = []
        for _ in range(7):
            time.sleep(0.25)
            ages.append(age_ms(server, read(source)))
        source.close()
    assert np.median(ages) < 400, ages  # each picture that was not read would have added 210 ms
    assert max(ages[3:]) < 1000, ages


@pytest.mark.thorough
def test_a_decoder_that_is_too_slow_skips_to_what_can_be_decoded() -> None:
    at_the_same_time(check_slow_decoder, ["mjpeg", "mpegts"])


def check_slow_decoder(kind: str) -> None:
    with running(SERVERS[kind]()) as server:
        connection = Connection(server.url(), Learned())
        assert connection.wait_until_open(threading.Event()) is not None
        taken = []
        until = time.monotonic() + 3.0
        while time.monotonic() < until:
            if (packet := connection.take()) is not None:
                lag_ms = (time.perf_counter_ns() - packet.opaque) / 1e6
                number = round((packet.pts or 0) * packet.time_base * LIVE_RATE) - LIVE_RATE if kind == "mpegts" else 0
                taken.append((number, packet.is_keyframe, lag_ms))
                time.sleep(0.1)  # 2.5 times as long as there is
        connection.release(wait_s=5.0)
    lags = [lag_ms for *_, lag_ms in taken]
    assert max(lags) < (400 if kind == "mjpeg" else 1000), lags
    if kind == "mpegts":
        follows = [after[0] - before[0] for before, after in itertools.pairwise(taken)]
        assert max(follows) > 1  # it was left out, and only in front of a key frame
        assert all(step == 1 or packet[1] for step, packet in zip(follows, taken[1:], strict=True))


@pytest.mark.thorough
def test_a_reader_that_pauses_for_long_goes_on_with_a_key_frame() -> None:
    with running(MpegTsServer()) as server:
        connection = Connection(server.url(), Learned())
        assert connection.wait_until_open(threading.Event()) is not None
        time.sleep(2.5)
        wait_for(lambda: (packet := connection.take()) is not None and packet.is_keyframe)
        assert connection.lag_ns(time.perf_counter_ns()) < 1_100_000_000  # what follows the newest key frame
        connection.release(wait_s=5.0)


@pytest.mark.thorough
def test_a_size_that_changes_in_mid_stream_is_followed() -> None:
    with running(MjpegServer(sizes=((144, 240), (240, 320)))) as server:
        source = StreamSource(server.url())
        source.open()
        frames = [read(source) for _ in range(LIVE_RATE + 15)]
        source.close()
    assert {frame.image.shape for frame in frames} == {(144, 240, 3), (240, 320, 3)}
    numbers = [number_in(frame.image) for frame in frames]
    assert np.all(np.diff(numbers) % CYCLE >= 1)
    assert server.connection_count == 1


@pytest.mark.thorough
def test_what_is_wrong_with_an_address_is_told_in_one_sentence(
    server: VideoServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(MpegTsServer()) as silent:
        silent.silent.set()
        wrong_password = {"credentials": "anna:wr0ng@"}
        wrong = {
            "http://anna:s3cret@127.0.0.1:9/a?t=s3cret": "nothing answers there; check the address",
            "rtsp://anna:s3cret@127.0.0.1:9/a?t=s3cret": "nothing answers there; check the address",
            "http://anna:s3cret@no-such-host.invalid/a?t=s3cret": "no host of that name is known; check",
            silent.url("anna:s3cret@") + "?t=s3cret": "it did not answer within 1 s",
            server.url("text", **wrong_password): "it sends nothing that can be read as video",
            server.url("private?t=s3cret", **wrong_password): "it wants a user name and a password",
            server.url("forbidden", **wrong_password): "the server refuses access",
            server.url("broken", **wrong_password): "Server returned 5XX",
            server.url("missing", **wrong_password): "the server knows nothing of that address",
        }
        for url, reason in wrong.items():
            source = StreamSource(url)
            source._learned.open_s = 1.0
            with pytest.raises(SourceError, match=rf"^The stream \S+ cannot be opened: {reason}[^.]*\.$") as error:
                source.open()
            source.close()
            assert error.value.__cause__ is None
            assert error.value.__context__ is None
            assert not any(secret in str(error.value) + source.name for secret in ("anna", "s3cret", "wr0ng"))
    assert capfd.readouterr() == ("", "")


def test_a_password_does_not_show_while_a_stream_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    with running(RtspServer()) as server:
        source = StreamSource(server.url("anna:s3cret@") + "?t=s3cret")
        source.open()
        drain = Drain(source)
        drain.await_pictures(3)
        server.stop()
        told = set()
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            told.add(source.trouble)
            told |= {thread.name for thread in threading.enumerate()}
            time.sleep(0.005)
        drain.close()
    assert any("nothing answers there" in text for text in told)
    assert not any("s3cret" in text or "anna" in text for text in told), told
    assert capfd.readouterr() == ("", "")

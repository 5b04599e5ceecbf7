"""Loopback servers that send video the ways in which cameras and media servers do.

`VideoServer` answers short requests of the web. The live servers send a picture with its number drawn into it when
its time has come; they can be stopped, started again on the same port, and fall silent.
"""

from __future__ import annotations

import base64
import functools
import io
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import av
import cv2
import numpy as np

PICTURE_COUNT = 8  # of /short
_FAILURES = {"/forbidden": 403, "/missing": 404, "/broken": 500}
USER, PASSWORD = "anna", "s3cret"

LIVE_RATE = 25  # pictures a second of the live servers
CYCLE = 250  # after so many pictures their numbers start again
GROUP = 25  # pictures from one key frame to the next
_LIVE_SIZE = (144, 240)
_BITS = 10
_JOIN_S = 5.0


def picture(level: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """A plain grey picture of that level."""
    return np.full((*size, 3), level, np.uint8)


def numbered_picture(number: int, size: tuple[int, int] = _LIVE_SIZE) -> np.ndarray:
    """Noise with the number in black and white blocks, two rows of five bits, least significant first."""
    height, width = size
    image = np.random.default_rng(number).integers(80, 176, (height, width, 1), np.uint8).repeat(3, axis=2)
    for bit in range(_BITS):
        image[_block(bit, height, width)] = 235 if number >> bit & 1 else 20
    return image


def number_in(image: np.ndarray) -> int:
    """The number that `numbered_picture` drew."""
    height, width = image.shape[:2]
    return sum(1 << bit for bit in range(_BITS) if image[_block(bit, height, width)].mean() > 128)


def _block(bit: int, height: int, width: int) -> tuple[slice, slice]:
    row, column = divmod(bit, 5)
    return (
        slice(height * (4 * row + 1) // 8, height * (4 * row + 3) // 8),
        slice(width * (4 * column + 1) // 20, width * (4 * column + 3) // 20),
    )


@functools.cache
def jpeg_pictures(size: tuple[int, int] = _LIVE_SIZE) -> list[bytes]:
    return [cv2.imencode(".jpg", numbered_picture(number, size))[1].tobytes() for number in range(CYCLE)]


@functools.cache
def h264_pictures() -> list[tuple[bytes, bool]]:
    """Access units with start codes, and whether each is a key frame (with its parameter sets)."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = _LIVE_SIZE
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, LIVE_RATE), Fraction(LIVE_RATE)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30", "g": str(GROUP)}
    units = []
    for number in range(CYCLE):
        frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="bgr24")
        frame.pts = number
        units += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return units


class PacketMuxer:
    """Hands encoded live pictures to one of FFmpeg's muxers, which calls `write` with what it makes of them."""

    def __init__(self, write: Callable[[bytes], object], kind: str, *, rate: float, packet_size: int = 32768) -> None:
        self.write = write
        self._rate = rate
        self._container = av.open(self, "w", format=kind, options={"flush_packets": "1"}, buffer_size=packet_size)
        self._stream = self._container.add_mux_stream("h264", rate=LIVE_RATE, width=_LIVE_SIZE[1], height=_LIVE_SIZE[0])

    def mux(self, number: int) -> None:
        unit, is_key = h264_pictures()[number % CYCLE]
        packet = av.Packet(unit)
        packet.stream, packet.time_base = self._stream, Fraction(1, 90_000)
        packet.pts = packet.dts = round(90_000 * (1 + number / self._rate))
        packet.is_keyframe = is_key
        self._container.mux(packet)

    def close(self) -> None:
        with suppress(av.FFmpegError, OSError):
            self._container.close()


class LiveServer:
    """A server of live pictures: `start`, `stop` (all is closed, the port refuses), `start` again on the same port.

    rate: pictures a second. silent: while set, connections stay as they are, but nothing is sent or answered.
    sent_ns: host clock at which the picture of each number (modulo CYCLE) was sent last.
    """

    scheme = "http"
    path = "live"

    def __init__(self, *, rate: float = LIVE_RATE) -> None:
        self.rate = rate
        self.port = _free_port()
        self.silent = threading.Event()
        self.sent_ns: dict[int, int] = {}
        self.connection_count = 0
        self._stopping = threading.Event()
        self._started_s = 0.0
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    def url(self, credentials: str = "") -> str:
        return f"{self.scheme}://{credentials}127.0.0.1:{self.port}/{self.path}"

    def start(self) -> None:
        self._stopping = threading.Event()
        self._started_s = time.monotonic()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=self._accept, args=(self._listener,))]
        self._threads[0].start()

    def stop(self) -> None:
        self._stopping.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_JOIN_S)
            assert not thread.is_alive()
        self._listener = None

    def handle(self, connection: socket.socket) -> None:
        """Serve one client until it or the server has gone."""
        raise NotImplementedError

    def numbers(self) -> Iterator[int]:
        """Counts the pictures from now on, each when it is due; ends when the server stops."""
        first = int((time.monotonic() - self._started_s) * self.rate) + 1
        if first == 1:
            first = 0
        for number in itertools.count(first):
            if self._stopping.wait(max(0.0, self._started_s + number / self.rate - time.monotonic())):
                return
            if not self.wait_while_silent():
                return
            self.sent_ns[number % CYCLE] = time.perf_counter_ns()
            yield number

    def wait_while_silent(self) -> bool:
        """False when the server stops."""
        while self.silent.is_set() and not self._stopping.is_set():
            self._stopping.wait(0.02)
        return not self._stopping.is_set()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
                self.connection_count += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()
            if self._stopping.is_set():
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, suppress(OSError, av.FFmpegError):
            self.handle(connection)
        with self._lock:
            self._connections.discard(connection)


def _free_port() -> int:
    """Below those that the system gives to clients, so that none of them takes it while the server is stopped."""
    for port in random.sample(range(20_000, 30_000), 50):
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port
    raise OSError("no free port")


def read_head(connection: socket.socket) -> str:
    """The lines of a request up to the empty one; empty when the client has gone."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (byte := connection.recv(1)):
            return ""
        head += byte
    return head.decode()


def _answer(connection: socket.socket, content_type: str, body: bytes | None = None) -> None:
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{length}Connection: close\r\n\r\n"
    connection.sendall(head.encode() + (body or b""))


class MjpegServer(LiveServer):
    """JPEG after JPEG, with their lengths or without."""

    def __init__(
        self, *, rate: float = LIVE_RATE, lengths: bool = True, sizes: tuple[tuple[int, int], ...] = (_LIVE_SIZE,)
    ) -> None:
        super().__init__(rate=rate)
        self._lengths = lengths
        self._sizes = sizes  # one second of each in turn

    def handle(self, connection: socket.socket) -> None:
        if not (read_head(connection) and self.wait_while_silent()):
            return
        _answer(connection, "multipart/x-mixed-replace; boundary=frame")
        for number in self.numbers():
            jpeg = jpeg_pictures(self._sizes[number // LIVE_RATE % len(self._sizes)])[number % CYCLE]
            length = f"Content-Length: {len(jpeg)}\r\n" if self._lengths else ""
            connection.sendall(f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + jpeg + b"\r\n")


class MpegTsServer(LiveServer):
    """H.264 in an MPEG transport stream; a client joins wherever the stream is, between key frames as a rule."""

    path = "live.ts"

    def handle(self, connection: socket.socket) -> None:
        if not (read_head(connection) and self.wait_while_silent()):
            return
        _answer(connection, "video/mp2t")
        with closing(PacketMuxer(connection.sendall, "mpegts", rate=self.rate)) as muxer:
            for number in self.numbers():
                muxer.mux(number)


class HlsServer(LiveServer):
    """A live playlist of the last segments, each one second long (one group of pictures)."""

    path = "live.m3u8"
    _KEPT: ClassVar = 4

    def handle(self, connection: socket.socket) -> None:
        head = read_head(connection)
        if not (head and self.wait_while_silent()):
            return
        name = head.split()[1].partition("?")[0].strip("/")
        if name.endswith(".ts"):
            self._send_segment(connection, int(name.removesuffix(".ts")))
            return
        group_s = GROUP / self.rate
        count = int((time.monotonic() - self._started_s) / group_s)
        numbers = range(max(0, count - self._KEPT), count)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{max(1, round(group_s))}"]
        lines += [f"#EXT-X-MEDIA-SEQUENCE:{numbers.start}"]
        lines += [f"#EXTINF:{group_s:.3f},\n{number}.ts" for number in numbers]
        _answer(connection, "application/vnd.apple.mpegurl", ("\n".join(lines) + "\n").encode())

    def _send_segment(self, connection: socket.socket, segment: int) -> None:
        content = io.BytesIO()
        with closing(PacketMuxer(content.write, "mpegts", rate=self.rate)) as muxer:
            for number in range(segment * GROUP, (segment + 1) * GROUP):
                muxer.mux(number)
                self.sent_ns[number % CYCLE] = time.perf_counter_ns()
        _answer(connection, "video/mp2t", content.getvalue())


@contextmanager
def running(server: LiveServer) -> Iterator[LiveServer]:
    """Started; stopped when the block is left."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


class VideoServer(ThreadingHTTPServer):
    """Serves /endless, /short, /stalling, /silent, /private (asks for the password), /clip.ts, /half.ts (breaks off in
    the middle of the clip), /text, /forbidden, /missing and /broken.
    """

    daemon_threads = False  # so that server_close() waits for them
    clip: bytes = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()

    def url(self, path: str, *, credentials: str = "") -> str:
        return f"http://{credentials}127.0.0.1:{self.server_port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    server: VideoServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        try:
            if path == "/silent":
                self.server.closing.wait()
            elif path == "/clip.ts":
                self._send("video/mp2t", self.server.clip)
            elif path == "/half.ts":
                self._start("video/mp2t", len(self.server.clip))
                self.wfile.write(self.server.clip[: len(self.server.clip) // 2])
            elif path in _FAILURES:
                self.send_error(_FAILURES[path])
            elif path == "/text":
                self._send("text/html", b"<html>" + b"No video here. " * 400)
            elif path == "/private" and not self._authorised():
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
            else:
                self._start("multipart/x-mixed-replace; boundary=frame")
                self._send_pictures(path)
        except OSError:
            pass  # the reader has gone

    def _start(self, content_type: str, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, content_type: str, content: bytes) -> None:
        self._start(content_type, len(content))
        self.wfile.write(content)

    def _authorised(self) -> bool:
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {token}"

    def _send_pictures(self, path: str) -> None:
        sent = 0
        while not self.server.closing.wait(0.02):
            if path == "/short" and sent == PICTURE_COUNT:
                return
            if path == "/stalling" and sent == 3:
                self.server.closing.wait()
                return
            jpeg = cv2.imencode(".jpg", picture(60 + sent % 100))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            sent += 1


@contextmanager
def video_server() -> Iterator[VideoServer]:
    """A running server; all its threads have ended when the block is left."""
    with VideoServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()

"""A loopback web server that sends video the ways in which cameras and media servers do."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

PICTURE_COUNT = 8  # of /short
USER, PASSWORD = "anna", "s3cret"


def picture(level: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """A plain grey picture of that level."""
    return np.full((*size, 3), level, np.uint8)


class VideoServer(ThreadingHTTPServer):
    """Serves /endless, /short, /stalling, /silent, /private (asks for the password), /clip.ts and /text."""

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

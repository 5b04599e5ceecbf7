"""MediaPipe reports to its maker when it ends; here nothing of that leaves the computer.

A library between MediaPipe and the system's resolver leads every name to a server of the test.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from app.bundled import model_file

RESOLVER = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <netdb.h>
    #include <stdlib.h>
    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
        return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))("127.0.0.1", getenv("TEST_PORT"), hints, found);
    }
"""
RUN = """
    import time
    from pathlib import Path
    import mediapipe, numpy, sys
    {landmarker}
    landmarker.close()
    time.sleep(1.0)  # what it sends it sends on a thread of its own
"""
OURS = """
from models.engines.mediapipe_engine import Landmarker
from models.stage_clock import StageClock
landmarker = Landmarker(Path(sys.argv[1]))
landmarker.poses(numpy.zeros((90, 160, 3), numpy.uint8), 0, StageClock())
"""
# As it comes, but that it trusts the server of the test instead of its maker's.
MEDIAPIPES_OWN = """
import certifi
certifi.where = lambda: sys.argv[2]
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions
landmarker = PoseLandmarker.create_from_options(PoseLandmarkerOptions(BaseOptions(model_asset_path=sys.argv[1])))
picture = numpy.zeros((90, 160, 3), numpy.uint8)
landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture))
"""
TOOLS = ("cc", "openssl")


class Server:
    """MediaPipe's maker, as far as MediaPipe can tell: takes what is sent to it under a certificate of its own."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.calls = 0
        self.received = b""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if self._closed.is_set():
                    return
                self.calls += 1
                connection.settimeout(5.0)
                with contextlib.suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secure:
                    self.received += secure.recv(65536)

    def close(self) -> None:
        self._closed.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._socket.close()


@pytest.mark.thorough
@pytest.mark.skipif(
    sys.platform != "linux" or not all(map(shutil.which, TOOLS)), reason=f"needs {' and '.join(TOOLS)}, on Linux"
)
@pytest.mark.parametrize(("landmarker", "is_silent"), [(MEDIAPIPES_OWN, False), (OURS, True)])
def test_nothing_is_reported(tmp_path: Path, landmarker: str, is_silent: bool) -> None:
    source, library = tmp_path / "resolver.c", tmp_path / "resolver.so"
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    source.write_text(RESOLVER, "utf-8")
    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate)
    name = ("-subj", "/CN=play.googleapis.com", "-addext", "subjectAltName=DNS:play.googleapis.com")
    for command in (("cc", "-shared", "-fPIC", "-o", library, source, "-ldl"), ("openssl", *made, *name)):
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    server = Server(certificate, key)
    code = textwrap.dedent(RUN).format(landmarker=landmarker)
    done = subprocess.run(
        [sys.executable, "-c", code, str(model_file("lite")[0]), str(certificate)],
        env={**os.environ, "LD_PRELOAD": str(library), "TEST_PORT": str(server.port)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    server.close()
    assert done.returncode == 0, done.stderr
    # The first case shows that a report is seen here. (A MediaPipe that reports no more fails it: good news.)
    assert server.calls >= 1
    assert server.received[:9] == (b"" if is_silent else b"POST /log")

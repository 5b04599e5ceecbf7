"""Small videos, image folders and a fake camera, and what the tests of the sources share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from app.frames import Frame
from app.sources import Source
from app.sources.camera import CameraSource
from tests.app.servers import VideoServer, picture, video_server

IRREGULAR_MS = (0, 40, 50, 200, 233, 1000)


@pytest.fixture(autouse=True)
def no_thread_stays_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 8
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left


@pytest.fixture(name="server")
def running_server() -> Iterator[VideoServer]:
    with video_server() as running:
        yield running


def write_video(
    path: Path,
    stamps_ms: Sequence[int],
    *,
    colour: tuple[int, int, int] | None = None,
    b_frames: int = 0,
) -> Path:
    """A small H.264 video with a picture at each stamp: ever lighter grey, or the BGR colour."""
    options = {"crf": "10", "g": "4", "bf": str(b_frames), "b-adapt": "0"}
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for number, stamp in enumerate(stamps_ms):
            image = picture(20 + 5 * number % 200, (48, 64))
            if colour is not None:
                image[:] = colour
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_images(folder: Path, names: Sequence[str] = ("img1.png", "img2.png", "img10.png")) -> Path:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), picture(50 * (number + 1)))
    return folder


def read_all(source: Source, at_most: int = 10_000) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < at_most and (frame := source.read()) is not None:
        frames.append(frame)
    return frames


class FakeDevice:
    """Behaves like cv2.VideoCapture of a camera with 100 frames a second, until it is unplugged or stalls."""

    def __init__(self) -> None:
        self.settings: list[int] = []
        self.grabbed_ns: list[int] = []
        self.decoding_ns: list[int] = []
        self.unplugged = threading.Event()
        self.stalled = threading.Event()
        self.released = threading.Event()

    def isOpened(self) -> bool:
        return True

    def set(self, prop: int, value: float) -> bool:
        self.settings.append(prop)
        return True

    def get(self, prop: int) -> float:
        return 100.0 if prop == cv2.CAP_PROP_FPS else 0.0

    def grab(self) -> bool:
        if self.stalled.is_set():
            self.released.wait(1.5)  # a driver that waits for a picture
            return False
        time.sleep(0.01)
        self.grabbed_ns.append(time.perf_counter_ns())
        return not self.unplugged.is_set()

    def retrieve(self) -> tuple[bool, np.ndarray]:
        self.decoding_ns.append(time.perf_counter_ns())
        time.sleep(0.002)
        return True, picture(100)

    def release(self) -> None:
        self.released.set()


class FakeCamera(CameraSource):
    """A camera source on a fake device."""

    def __init__(self, *, lost_after_s: float = 20.0, **wishes: int) -> None:
        super().__init__(0, **wishes)
        self.device = FakeDevice()
        self._lost_after_s = lost_after_s

    def _new_capture(self) -> cv2.VideoCapture:
        return self.device  # type: ignore[return-value]


def stalled_camera() -> Source:
    camera = FakeCamera()
    camera.open()
    camera.device.stalled.set()
    return camera

"""Small videos, image folders and a fake camera, and what the tests of the sources share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from app.frames import Frame
from app.sources import Source
from app.sources.camera import CameraSource
from app.sources.camera_list import CameraEntry, parse_camera_text
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
    pictures = [picture(20 + 5 * number % 200, (48, 64)) for number in range(len(stamps_ms))]
    if colour is not None:
        for image in pictures:
            image[:] = colour
    options = {"crf": "10", "g": "4", "bf": str(b_frames), "b-adapt": "0"}
    return write_movie(path, pictures, stamps=stamps_ms, time_base=Fraction(1, 1000), options=options)


def grainy_pictures(count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """BGR pictures (H, W, 3), each unlike the others."""
    grain = np.random.default_rng(1).integers(0, 120, (*size, 3), dtype=np.uint8)
    return [np.roll(grain, 3 * number, axis=1) + np.uint8(number % 120) for number in range(count)]


def write_movie(
    path: Path,
    pictures: Iterable[np.ndarray | av.VideoFrame],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 30,
    stamps: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    sound: bool = False,
) -> Path:
    """A video of those pictures, BGR (H, W, 3) or frames. stamps: in `time_base`, by default one for each tick of it.

    time_base: 1 / rate by default. sound: a second of silence beside it.
    """
    time_base = time_base or Fraction(1, rate)
    with av.open(path, "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt = pixels
        stream.codec_context.time_base = stream.time_base = time_base
        for number, image in enumerate(pictures):
            frame = image if isinstance(image, av.VideoFrame) else av.VideoFrame.from_ndarray(image, format="bgr24")
            if number == 0:
                stream.width, stream.height = frame.width, frame.height
                stream.codec_context.colorspace, stream.codec_context.color_range = frame.colorspace, frame.color_range
                if sound:
                    _add_silence(container)
            frame.pts, frame.time_base = stamps[number] if stamps else number, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _add_silence(container: av.container.OutputContainer) -> None:
    stream = container.add_stream("aac", rate=8000, layout="mono")
    silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
    silence.sample_rate = 8000
    container.mux(stream.encode(silence))
    container.mux(stream.encode(None))


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
    """A camera with a cable: what a driver would know of it. 100 pictures a second, each a shade of grey of its own.

    hung: a driver that never returns; `let_go` ends that. `index` may be changed between unplugging and replugging.
    """

    name, identity = "Fake C920", "usb-Fake_C920-video-index0"

    def __init__(self) -> None:
        self.index = 0
        self.size = (96, 128)  # (H, W)
        self.picture_s = 0.01
        self.claimed_fps = 100.0
        self.captures: list[FakeCapture] = []
        self.unplugged = threading.Event()
        self.stalled = threading.Event()
        self.repeating = threading.Event()
        self.hung = threading.Event()
        self.let_go = threading.Event()
        self.count = 0

    def unplug(self) -> None:
        self.unplugged.set()

    def replug(self, index: int | None = None) -> None:
        self.index = self.index if index is None else index
        self.unplugged.clear()

    @property
    def capture(self) -> FakeCapture:
        """The newest."""
        return self.captures[-1]

    def listed(self) -> list[CameraEntry]:
        other = CameraEntry(7, "Another camera", "usb-Another-video-index0")
        return [other] if self.unplugged.is_set() else [CameraEntry(self.index, self.name, self.identity), other]


class FakeCapture:
    """Behaves like cv2.VideoCapture of that camera. Unplugging ends it for good, as with a real one."""

    def __init__(self, device: FakeDevice, index: int) -> None:
        self._device = device
        self._opened = index == device.index and not device.unplugged.is_set()
        self._shade = 0
        self.index = index
        self.settings: dict[int, float] = {}
        self.grabbed_ns: list[int] = []
        self.decoding_ns: list[int] = []
        self.released = threading.Event()
        device.captures.append(self)

    def isOpened(self) -> bool:
        return self._opened

    def set(self, prop: int, value: float) -> bool:
        self.settings[prop] = value
        return True

    def get(self, prop: int) -> float:
        height, width = self._device.size
        return {
            cv2.CAP_PROP_FPS: self._device.claimed_fps,
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"MJPG")),
        }.get(prop, 0.0)

    def grab(self) -> bool:
        device = self._device
        if device.hung.is_set():
            device.let_go.wait(60)
            return False
        if device.stalled.is_set():
            self.released.wait(0.5)  # a driver that waits for a picture
            return False
        time.sleep(device.picture_s)
        self._opened = self._opened and not device.unplugged.is_set()
        if self._opened:
            self.grabbed_ns.append(time.perf_counter_ns())
            device.count += not device.repeating.is_set()
            self._shade = device.count % 256
        return self._opened

    def retrieve(self) -> tuple[bool, np.ndarray]:
        self.decoding_ns.append(time.perf_counter_ns())
        time.sleep(0.002)
        return True, picture(self._shade, self._device.size)

    def release(self) -> None:
        self.released.set()


class FakeCamera(CameraSource):
    """A camera source on a fake device, whose number it was told."""

    def __init__(self, text: str = "camera:0", *, lost_after_s: float = 20.0, hung_after_s: float = 3.0) -> None:
        super().__init__(parse_camera_text(text))
        self.device = FakeDevice()
        self._lost_after_s = lost_after_s
        self._hung_after_s = hung_after_s

    def _new_capture(self, index: int) -> cv2.VideoCapture:
        return FakeCapture(self.device, index)  # type: ignore[return-value]

    def _listed(self) -> list[CameraEntry]:
        return self.device.listed()


def stalled_camera() -> Source:
    camera = FakeCamera()
    camera.open()
    camera.device.stalled.set()
    return camera

"""Live sources that lose their device and get it back by themselves, and what they say of their rate."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.frames import Frame, Image
from app.sources.background import BackgroundSource, _Arrival
from app.sources.rate import ArrivalRate, same_picture
from tests.app.servers import picture
from tests.app.source_builders import (
    FakeCamera,
    no_thread_stays_behind,  # noqa: F401
    read_all,
    stalled_camera,
)

GENEROUS_S = 20.0


def wait_for(condition: Callable[[], object]) -> float:
    """Seconds until it held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < GENEROUS_S, "waited in vain"
        time.sleep(0.005)
    return time.monotonic() - began


class Reader:
    """Reads a source on a thread of its own, as the pipeline does."""

    def __init__(self, source: BackgroundSource) -> None:
        self.source = source
        self.frames: list[Frame] = []
        self.thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        self.source.open()
        while (frame := self.source.read()) is not None:
            self.frames.append(frame)
        self.source.close()

    @property
    def breaks(self) -> int:
        return sum(not frame.continues for frame in self.frames)


@contextmanager
def reading(source: BackgroundSource) -> Iterator[Reader]:
    reader = Reader(source)
    reader.thread.start()
    try:
        wait_for(lambda: len(reader.frames) > 4)
        yield reader
    finally:
        source.stop()
        reader.thread.join(GENEROUS_S)
        assert not reader.thread.is_alive()


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["unplugged", "stalled"])
def test_a_camera_that_is_silent_for_a_second_is_lost_and_comes_back(how: str) -> None:
    camera = FakeCamera(lost_after_s=1.0)
    with reading(camera) as reader:
        assert camera.trouble == ""
        fault = getattr(camera.device, how)
        fault.set()
        assert 0.7 < wait_for(lambda: camera.trouble) < 5.0
        reason = "it is no longer connected" if how == "unplugged" else "no picture has come for 1 s; check its cable"
        assert camera.trouble == f"“Fake C920” was lost: {reason}; trying again."
        assert math.isnan(camera.measured_fps)
        before = len(reader.frames)
        fault.clear()
        wait_for(lambda: len(reader.frames) > before + 3)
        assert camera.trouble == ""
        assert [frame.continues for frame in reader.frames].index(False) == before
        assert reader.breaks == 1
        assert np.all(np.diff([frame.time_ns for frame in reader.frames]) > 0)
        assert [frame.index for frame in reader.frames] == list(range(len(reader.frames)))
        assert all(capture.released.is_set() for capture in camera.device.captures[:-1])


@pytest.mark.thorough
def test_ten_losses_are_ten_returns_within_two_seconds_each() -> None:
    camera = FakeCamera(lost_after_s=0.2)
    away_s = (0, 0, 0.15, 0, 0.35, 0, 0, 0.8, 0, 0)  # each phase of the back-off
    with reading(camera) as reader:
        for count, away in enumerate(away_s, start=1):
            camera.device.unplug()
            wait_for(lambda: camera.trouble)
            time.sleep(away)
            camera.device.replug(index=count % 3)
            assert wait_for(lambda expected=count: reader.breaks == expected) < 2.0
            wait_for(lambda: len(reader.frames) > 4 and all(frame.continues for frame in reader.frames[-3:]))
            assert camera.device.capture.index == count % 3
        assert reader.breaks == len(away_s)


def test_after_a_loss_the_same_mode_is_asked_for_and_its_neighbour_is_left_alone() -> None:
    camera = FakeCamera("camera:c920,640x480", lost_after_s=0.2)
    with reading(camera) as reader:
        assert camera.name == "Fake C920"
        camera.device.unplug()
        wait_for(lambda: "no longer connected" in camera.trouble)
        camera.device.replug(index=4)
        wait_for(lambda: reader.breaks)
    settings = camera.device.capture.settings
    size = settings[cv2.CAP_PROP_FRAME_WIDTH], settings[cv2.CAP_PROP_FRAME_HEIGHT]
    assert size == (128, 96)  # what it took instead
    assert {capture.index for capture in camera.device.captures} == {0, 4}


def test_only_the_first_opening_raises() -> None:
    camera = FakeCamera("camera:c920")
    camera.device.unplug()
    with pytest.raises(SourceError, match=r"^“c920” was not found: .*7 \(Another camera\)\.$"):
        camera.open()
    assert camera.read() is None
    camera.close()


@pytest.mark.thorough
def test_a_slow_camera_is_not_called_lost() -> None:
    camera = FakeCamera(lost_after_s=0.1)
    camera.device.picture_s = 0.25
    camera.open()
    frames = read_all(camera, at_most=6)
    assert camera.trouble == ""
    assert all(frame.continues for frame in frames)
    camera.close()
    assert len(camera.device.captures) == 1


def test_another_size_in_mid_stream_is_a_break_but_no_loss() -> None:
    camera = FakeCamera()
    with reading(camera) as reader:
        camera.device.size = (48, 64)
        wait_for(lambda: reader.frames[-1].image.shape == (48, 64, 3))
        wait_for(lambda: reader.frames[-1].continues)
        sizes = [frame.image.shape for frame in reader.frames]
        assert [not frame.continues for frame in reader.frames] == [
            index > 0 and sizes[index] != sizes[index - 1] for index in range(len(sizes))
        ]
        assert reader.breaks == 1
        assert len(camera.device.captures) == 1


def test_a_slow_reader_gets_the_newest_picture() -> None:
    camera = FakeCamera()
    camera.open()
    camera.read()
    for _ in range(5):
        time.sleep(0.15)
        newest = camera.device.count
        frame = camera.read()
        assert frame is not None
        assert int(frame.image[0, 0, 0]) >= newest - 1  # that one may still be in its decoder
    assert camera.replaced > 5
    camera.close()


@pytest.mark.thorough
def test_the_rate_that_is_measured_shows_a_lie() -> None:
    camera = FakeCamera()
    camera.device.picture_s = 0.05
    camera.open()
    assert math.isnan(camera.measured_fps)
    read_all(camera, at_most=20)
    grabbed = camera.device.capture.grabbed_ns
    truth = (len(grabbed) - 1) / (grabbed[-1] - grabbed[0]) * 1e9
    assert camera.fps == 100.0
    assert camera.measured_fps == pytest.approx(truth, rel=0.2)
    assert camera.measured_fps < 25
    assert camera.repeated_share == 0.0
    camera.device.repeating.set()
    read_all(camera, at_most=20)
    assert camera.repeated_share > 0.3
    camera.close()
    assert math.isnan(camera.measured_fps)


def test_a_picture_from_before_the_loss_that_comes_late_is_not_shown() -> None:
    camera = FakeCamera(lost_after_s=0.2)
    with reading(camera) as reader:
        before = camera._attempt
        assert before is not None
        camera.device.stalled.set()
        wait_for(lambda: camera.trouble)
        camera._newest.put(_Arrival(before, time.perf_counter_ns(), picture(0, (8, 8))))
        time.sleep(0.2)
        assert camera.trouble
        camera.device.stalled.clear()
        wait_for(lambda: reader.breaks)
        assert {frame.image.shape for frame in reader.frames} == {(96, 128, 3)}


class TestDriversThatHang:
    def test_the_hung_thread_is_left_behind_and_another_goes_on(self) -> None:
        camera = FakeCamera(lost_after_s=0.2, hung_after_s=0.2)
        with reading(camera) as reader:
            camera.device.hung.set()
            wait_for(lambda: camera.trouble)
            camera.device.hung.clear()  # only the first is caught
            wait_for(lambda: reader.breaks)
            first, second = camera.device.captures
            assert not first.released.is_set()
            camera.device.let_go.set()
            wait_for(first.released.is_set)
            before = len(reader.frames)
            wait_for(lambda: len(reader.frames) > before + 3)
            assert not second.released.is_set()
            assert reader.breaks == 1

    @pytest.mark.thorough
    def test_no_more_than_three_hang_at_once(self) -> None:
        camera = FakeCamera(lost_after_s=0.1, hung_after_s=0.1)
        camera._open_within_s = 0.1
        with reading(camera) as reader:
            camera.device.hung.set()
            wait_for(lambda: len(camera.device.captures) == 3)
            time.sleep(0.8)
            assert len(camera.device.captures) == 3
            camera.device.hung.clear()
            camera.device.let_go.set()
            camera._open_within_s = 10.0
            wait_for(lambda: reader.breaks)
            wait_for(lambda: all(capture.released.is_set() for capture in camera.device.captures[:3]))

    @pytest.mark.thorough
    def test_closing_does_not_wait_for_it(self) -> None:
        camera = FakeCamera()
        camera.open()
        camera.device.hung.set()
        time.sleep(0.1)
        camera.stop()
        began = time.monotonic()
        camera.close()
        assert time.monotonic() - began < 5.0
        camera.device.let_go.set()
        wait_for(camera.device.capture.released.is_set)


def test_stop_ends_the_wait_between_two_attempts() -> None:
    camera = FakeCamera(lost_after_s=0.1)
    with reading(camera) as reader:
        camera.device.unplug()
        wait_for(lambda: camera.trouble)
        time.sleep(0.5)
        camera.stop()
        reader.thread.join(2.0)
        assert not reader.thread.is_alive()
        assert camera.trouble == ""


def test_stop_while_a_driver_waits_for_a_picture() -> None:
    camera = stalled_camera()
    stopper = threading.Timer(0.2, camera.stop)
    stopper.start()
    read_all(camera)
    camera.close()
    stopper.join()


class Scripted(BackgroundSource):
    """Delivers three pictures at each opening, then does what it was told."""

    def __init__(self, after: Exception | None, *, ends: bool = False) -> None:
        super().__init__("script", open_within_s=5.0)
        self.after, self.ends = after, ends
        self.openings = 0

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        self.openings += 1
        self.fps = 50.0
        for level in range(3):
            yield time.perf_counter_ns(), picture(level)
            self._closing.wait(0.02)
        if self.after is not None:
            raise self.after

    def _lost_message(self, waited_s: float) -> str:
        return "The script was lost."


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("after", "trouble"),
    [
        (None, "The script was lost; trying again."),
        (SourceError("The script broke off: end of page."), "The script broke off: end of page; trying again."),
        (
            RuntimeError("anna:s3cret@host"),
            "“script” was lost: its driver failed (RuntimeError); trying again.",
        ),
    ],
)
def test_whatever_ends_the_pictures_is_a_loss(after: Exception | None, trouble: str) -> None:
    source = Scripted(after)
    troubles = set()
    with reading(source) as reader:
        while reader.breaks < 3:
            troubles.add(source.trouble)
            time.sleep(0.002)
    assert troubles == {"", trouble}
    assert source.openings >= 4
    levels = [int(frame.image[0, 0, 0]) for frame in reader.frames]
    breaks = [index for index, frame in enumerate(reader.frames) if not frame.continues]
    assert breaks == [index for index in range(1, len(levels)) if levels[index] < levels[index - 1]]


def test_a_source_that_may_end_ends_but_not_by_an_error() -> None:
    finite = Scripted(None, ends=True)
    finite.open()
    assert [int(frame.image[0, 0, 0]) for frame in read_all(finite)][-1] == 2
    assert finite.read() is None
    finite.close()
    assert finite.openings == 1
    with reading(Scripted(SourceError("Broken."), ends=True)) as reader:
        wait_for(lambda: reader.breaks)


def test_the_rate_of_arrivals() -> None:
    rate = ArrivalRate()
    assert math.isnan(rate.fps(0))
    second = 1_000_000_000
    for count in range(61):  # 20 a second, every fourth the same as before
        rate.add(count * second // 20, picture(count - count % 4 // 3))
    now = 3 * second
    assert rate.fps(now) == pytest.approx(20.0)
    assert rate.interval_s == pytest.approx(0.05)
    assert rate.repeated_share == pytest.approx(0.25, abs=0.02)
    assert rate.fps(now + second) == pytest.approx(40 / 2.95)  # 40 intervals in 2 s; the next is 0.95 s late
    assert math.isnan(rate.fps(now + 3 * second))
    for count in range(4):
        rate.add(now + (2 + 2 * count) * second, picture(count))
    assert rate.fps(now + 8 * second) == pytest.approx(0.5)
    assert rate.fps(now + 11 * second) > 0  # not gone: another is due after 2 s


def test_pictures_are_the_same_only_to_the_last_bit() -> None:
    image = np.arange(96 * 128 * 3, dtype=np.uint32).astype(np.uint8).reshape(96, 128, 3)
    assert same_picture(image, image.copy())
    for row in (0, 1, 95):
        other = image.copy()
        other[row, 127, 2] ^= 1
        assert not same_picture(image, other)
    assert not same_picture(image, image[:, :64])

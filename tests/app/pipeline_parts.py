"""Sources and an estimator that do what a test of the pipeline wants, a pipeline, and waiting with a time-out."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

import numpy as np

from app.errors import SourceError
from app.frames import Frame, PoseResult
from app.pipeline import DecoderChoice, Pipeline
from app.sources.base import Source
from models.estimator import Estimate, EstimateTimes, PoseEstimator
from models.readings import DECODER_NAMES
from tests.app import builders

LONG = 30.0  # s; only a hang reaches it


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002)


def numbered_frame(index: int, *, continues: bool = True) -> Frame:
    """Its picture holds its number, for an estimator sees nothing else of it."""
    picture = np.full((4, 4, 3), index % 256, np.uint8)
    return Frame(index, time.perf_counter_ns(), index * 40_000_000, picture, continues)


class FileLike(Source):
    """`count` frames, always at hand. `fail_at`: reading that frame raises; `restarts`: do not continue."""

    def __init__(
        self,
        count: int,
        *,
        paced: bool = False,
        fail_at: int | None = None,
        fail_to_open: bool = False,
        restarts: tuple[int, ...] = (),
        error: Exception | None = None,
    ) -> None:
        super().__init__("file-like")
        self.paced = paced
        self.count = count
        self.fail_at = fail_at
        self.fail_to_open = fail_to_open
        self.restarts = restarts
        self.error = error or SourceError("The disk was pulled out.")
        self.calls: list[str] = []
        self.reads = 0

    def open(self) -> None:
        self.calls.append("open")
        if self.fail_to_open:
            raise self.error

    def read(self) -> Frame | None:
        if self.reads == self.fail_at:
            raise self.error
        if self.reads == self.count or self._stopped.is_set():
            return None
        self.reads += 1
        return numbered_frame(self.reads - 1, continues=self.reads - 1 not in self.restarts)

    def close(self) -> None:
        self.calls.append("close")


class CommandedCamera(Source):
    """Live: delivers a frame whenever the test says so, and waits until then."""

    live = True

    def __init__(self) -> None:
        super().__init__("camera")
        self._triggers: queue.Queue[bool] = queue.Queue()
        self.delivered = 0
        self.waiting = threading.Event()
        self.closed = False
        self.restarts: tuple[int, ...] = ()

    def deliver(self, count: int) -> None:
        """Returns when the pipeline has taken all of them and asks for more."""
        wanted = self.delivered + count
        for _ in range(count):
            self._triggers.put(True)
        until(lambda: self.delivered == wanted and self.waiting.is_set())

    def open(self) -> None:
        pass

    def read(self) -> Frame | None:
        if self._triggers.empty():
            self.waiting.set()
        while not self._stopped.is_set():
            try:
                self._triggers.get(timeout=0.02)
            except queue.Empty:
                continue
            self.waiting.clear()
            self.delivered += 1
            number = self.delivered - 1
            return numbered_frame(number, continues=number not in self.restarts)
        return None

    def close(self) -> None:
        self.closed = True


class FakeEstimator:
    """Sees a standing person in every frame, and can be held inside a frame."""

    decoders = DECODER_NAMES
    device_label = "cpu"
    warning = None

    def __init__(self, *, fail_at: int | None = None) -> None:
        self.closed = 0
        self.seen: list[int] = []
        self.betas: list[float] = []
        self.resets_before: list[int] = []
        self.opened = threading.Event()
        self.opened.set()
        self._fail_at = fail_at
        self._resets = 0

    def hold(self) -> None:
        """The next frame stays inside until `release`."""
        self.opened.clear()

    def release(self) -> None:
        self.opened.set()

    def reset(self) -> None:
        self._resets += 1

    def close(self) -> None:
        self.closed += 1

    def estimate(
        self, image: np.ndarray, beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        self.seen.append(int(image[0, 0, 0]))
        self.betas.append(beta)
        self.resets_before.append(self._resets)
        self._resets = 0
        assert self.opened.wait(LONG)
        if self._fail_at == self.seen[-1]:
            raise RuntimeError("the network exploded")
        return Estimate((builders.person(),), EstimateTimes(preprocess=1, detect=2, network=3, decode=4))


CHOICE = DecoderChoice("debiased", 10.0)


class Run:
    """A pipeline that collects its results."""

    def __init__(
        self,
        source: Source,
        load: Callable[[], FakeEstimator | PoseEstimator],
        *,
        wait_for_model: bool = True,
        consumer: Callable[[PoseResult], None] | None = None,
    ) -> None:
        self.results: list[PoseResult] = []
        consumers = [self.results.append, *([consumer] if consumer else [])]
        self.pipeline = Pipeline(source, load, consumers, CHOICE, wait_for_model=wait_for_model)

    @property
    def indices(self) -> list[int]:
        return [result.frame.index for result in self.results]

    def finish(self) -> None:
        """Wait for the end of the source."""
        assert self.pipeline.finished.wait(LONG)
        assert self.pipeline.join(LONG)

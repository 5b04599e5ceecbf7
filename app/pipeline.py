"""The threads that a frame passes: capture -> estimate -> consumers."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import UserError
from app.frames import Frame, PoseResult, StageTimes
from app.latest_slot import LatestSlot
from app.network_loader import LoadedNetwork, NetworkLoader
from app.reference_ghost import ReferenceGhost
from app.smoothing import OneEuroSettings, Smoothing
from app.sources.base import Source
from models.head_file import OWN

if TYPE_CHECKING:
    from models.estimators import Estimator

# Every wait ends after this time to look whether the pipeline was stopped.
_POLL_S = 0.1

# Frames of a live source that may wait while nothing is to be lost: about as many as a camera's driver holds.
_PATIENCE = 4


@dataclass(frozen=True, slots=True)
class DecoderChoice:
    """Which decoder is shown, and the beta of ipr and debiased. Swapped as a whole, read once per frame."""

    name: str
    beta: float


class Pipeline:
    """Runs one source through one estimator and hands every result to the consumers, on the inference thread.

    network: how the network is called in the results.
    load_estimator: called on a thread of its own. Until it is done the frames pass without people (`stages` is None),
        unless `wait_for_model`: then no frame is read before. `use_network` brings in another one later.
    consumers: called in turn with each PoseResult, one result after the other. They must be quick and must not raise.
    reference: MediaPipe beside the network, off at first; of a live source it may hand results on, on its own thread.
    keep_heatmaps: may be switched at any time; the results' people have their heatmaps while it is on.
    head_choice: whose maps the decoders read (`models.head_file.LoadedHeads`); read once per frame.
    most_people, focus: how many are followed at most, and whom the meters look at (`app.frames.PoseResult`); may be
        changed at any time.
    smoothing: None, or how the points are smoothed after they were read; may be replaced at any time.

    A live source goes through a slot that keeps the newest frame (older ones are dropped and counted; while
    `loses_none`, which may be switched at any time, some wait where the estimator is held up for a moment). Any other
    goes through a short blocking queue, so nothing is lost; where it is paced, a frame is asked for when the estimator
    is free, so that none grows old in the queue. Errors are kept in `source_error` and `model_error`.
    `finished` is set once no more results will come. What is `paused` can be wound by `step` and `seek`.
    """

    def __init__(
        self,
        source: Source,
        load_estimator: Callable[[], Estimator],
        consumers: Sequence[Callable[[PoseResult], None]],
        choice: DecoderChoice,
        *,
        network: str = "",
        wait_for_model: bool = False,
    ) -> None:
        self.source = source
        self.choice = choice
        self.keep_heatmaps = False
        self.most_people = 1
        self.head_choice = OWN
        self.focus: int | None = None
        self._smoothing = Smoothing()
        self.source_error: UserError | None = None
        self.finished = threading.Event()
        self.paused = threading.Event()
        self.networks = NetworkLoader()
        self.networks.ask(load_estimator, network)
        self.reference = ReferenceGhost(self._hand_on, every_frame=not source.live)
        self._in_use: LoadedNetwork | None = None
        self._consumers = consumers
        self._network = network
        self._wait_for_model = wait_for_model
        self._stop = threading.Event()
        self._capture_ended = threading.Event()
        self._wanted = threading.Event()
        self._asked = False
        # A frame, and how often the source was interrupted up to it: a dropped one may be the first after a gap.
        self._slot: LatestSlot[tuple[Frame, int]] = LatestSlot()
        self._interruptions = self._known_interruptions = 0
        self._queue: queue.Queue[Frame | None] = queue.Queue(maxsize=2)
        self._under_way = 0  # frames of a file between its reader and the last consumer
        self._winding = threading.Lock()
        self._steps = 0
        self._one_more = False
        self._position_ns = 0
        self._threads = [
            threading.Thread(target=self._guarded(self._load), name="posescope-load"),
            threading.Thread(target=self._guarded(self._capture), name="posescope-capture"),
            threading.Thread(target=self._guarded(self._infer), name="posescope-inference"),
        ]

    @property
    def estimator(self) -> Estimator | None:
        """The network in use; None before the first is loaded."""
        return self.networks.loaded.estimator if self.networks.loaded else None

    @property
    def model_error(self) -> UserError | None:
        """Why the network that was last asked for could not be loaded."""
        return self.networks.error

    def use_network(self, load_estimator: Callable[[], Estimator], network: str) -> None:
        """Go on with another network once it is loaded: between two frames, so that none is lost."""
        self.networks.ask(load_estimator, network)

    @property
    def at_end(self) -> bool:
        """Whether a file is held at its end, and everything up to there has been looked at."""
        with self._winding:
            return self.source.at_end and self._under_way == 0

    def seek(self, position_ns: int) -> None:
        """Go to that place of a source that is `seekable`; shows its picture also where paused."""
        with self._winding:
            self._steps = 0
            self._one_more = True
            self.source.seek(position_ns)

    def step(self, count: int) -> None:
        """Pause, and show the picture `count` further on, or back where negative; every one between is looked at."""
        self.paused.set()
        with self._winding:
            self._steps += count
        if self.source.at_end:  # its reader waits inside `read`
            self._step_back_from_end()

    @property
    def smoothing(self) -> OneEuroSettings | None:
        """How points are smoothed after they were read; None is off."""
        return self._smoothing.settings

    @smoothing.setter
    def smoothing(self, settings: OneEuroSettings | None) -> None:
        self._smoothing.settings = settings

    @property
    def dropped(self) -> int:
        """Frames of a live source that were replaced by a newer one before they could be looked at."""
        return self._slot.replaced + self.source.replaced

    @property
    def loses_none(self) -> bool:
        """Whether frames of a live source may wait a moment, as a recording wants it: each, rather than the newest."""
        return self._slot.patience > 1

    @loses_none.setter
    def loses_none(self, wanted: bool) -> None:
        self._slot.patience = _PATIENCE if wanted else 1

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask all threads to end. Returns at once; `join` waits."""
        self._stop.set()
        # Whoever waits looks at once.
        self.networks.let_go()
        self._slot.let_go()
        self._wanted.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self.source.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until all threads have ended; False if `timeout` seconds passed first."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        self.reference.use(None)
        ended = self.reference.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return False
        for network in (self.networks.loaded, self._in_use):
            if network is not None:
                network.estimator.close()
        return ended

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except Exception as error:
                self.source_error = self.source_error or UserError(f"Internal error: {type(error).__name__}: {error}")
                self._stop.set()
                raise
            finally:
                if threading.current_thread().name == "posescope-inference":
                    self.reference.use(None)
                    self.finished.set()

        return run

    def _load(self) -> None:
        self.networks.run(lambda: self._stop.is_set() or self.finished.is_set())

    def _capture(self) -> None:
        try:
            while self._wait_for_model and not self._stop.is_set():
                if self.networks.settled.wait(_POLL_S):
                    break
            if self._wait_for_model and self.estimator is None:
                self._stop.set()
            if not self._stop.is_set():
                self.source.open()
            while not self._stop.is_set():
                if not self._may_read():
                    continue
                frame = self.source.read()
                if frame is None:
                    break
                self._wanted.clear()
                self._note_place(frame)
                self._pass_on(frame)
        except UserError as error:
            self.source_error = error
        finally:
            self.source.close()
            self._capture_ended.set()

    def _may_read(self) -> bool:
        """Whether the next frame should be read now; waits a little where not."""
        if self.source.live:
            return True
        if self.paused.is_set():
            if self._wind():
                return True
            self._stop.wait(_POLL_S / 10)
            return False
        if self.source.paced:
            return self._wanted.wait(_POLL_S)
        return True

    def _wind(self) -> bool:
        """Whether a picture is to be read although the source is paused; winds back where it is an earlier one."""
        with self._winding:
            if self._one_more:
                self._one_more = False
                return True
            if self._steps < 0:
                self._steps += 1
                self.source.seek(self._position_ns, before=True)
                return True
            if self._steps > 0:
                self._steps -= 1
                return True
            return False

    def _step_back_from_end(self) -> None:
        with self._winding:
            back, self._steps = self._steps < 0, min(0, self._steps + 1)
        if back:
            self.source.seek(self._position_ns, before=True)

    def _note_place(self, frame: Frame) -> None:
        with self._winding:
            self._position_ns = frame.position_ns or 0
            self._under_way += not self.source.live
            if not frame.continues:
                self._one_more = False  # where a read was under way it has brought the picture already
            if not self.paused.is_set():
                self._steps = 0

    def _pass_on(self, frame: Frame) -> None:
        if self.source.live:
            self._interruptions += not frame.continues
            if not self.paused.is_set():
                self._slot.put((frame, self._interruptions))
            return
        while not self._stop.is_set():
            try:
                self._queue.put(frame, timeout=_POLL_S)
                return
            except queue.Full:
                continue

    def _take(self) -> Frame | None:
        if self.source.live:
            return self._take_newest()
        # Once per frame, however long it takes to come: a second wish would put one into the queue to grow old there.
        if not self._asked:
            self._asked = True
            self._wanted.set()
        try:
            frame = self._queue.get(timeout=_POLL_S)
        except queue.Empty:
            return None
        if frame is None:
            return None
        self._asked = False
        # A file that is read ahead hands its frame over now: the time in the queue is no latency.
        return frame if self.source.paced else dataclasses.replace(frame, captured_ns=time.perf_counter_ns())

    def _take_newest(self) -> Frame | None:
        item = self._slot.take(_POLL_S)
        if item is None:
            return None
        frame, interruptions = item
        if interruptions != self._known_interruptions:
            self._known_interruptions = interruptions
            frame = dataclasses.replace(frame, continues=False)
        return frame

    def _infer(self) -> None:
        while not self._stop.is_set():
            # Asked before the take: a frame that came in between is not forgotten.
            ended = self._capture_ended.is_set()
            frame = self._take()
            if frame is not None:
                self.reference.offer(frame, self.most_people)
                self.reference.add(self._estimate(frame))
                with self._winding:
                    self._under_way -= not self.source.live
            elif ended:
                return

    def _hand_on(self, result: PoseResult) -> None:
        for consumer in self._consumers:
            consumer(result)

    def _estimate(self, frame: Frame) -> PoseResult:
        choice, loaded = self.choice, self.networks.loaded
        if loaded is None:
            return PoseResult(frame, (), choice.name, choice.beta, None, self._network)
        estimator = loaded.estimator
        if self._in_use is not None and self._in_use is not loaded:
            self._in_use.estimator.close()
        self._in_use = loaded
        taken_ns = time.perf_counter_ns()
        if not frame.continues:
            estimator.reset()
        estimator.most_people = self.most_people
        estimator.head_choice = self.head_choice
        estimate = estimator.estimate(frame.image, choice.beta, time_ns=frame.time_ns, keep_heatmaps=self.keep_heatmaps)
        times = estimate.times
        stages = StageTimes(
            capture_wait=taken_ns - frame.captured_ns,
            preprocess=times.preprocess,
            detect=times.detect,
            network=times.network,
            decode=times.decode,
            done_ns=time.perf_counter_ns(),
            decoders=times.decoders,
        )
        return PoseResult(
            frame,
            estimate.people,
            # Where MediaPipe reads there is nothing to choose from.
            choice.name if choice.name in estimator.decoders else estimator.decoders[0],
            choice.beta,
            stages,
            loaded.name,
            estimator.device_label,
            self._smoothing.smooth(frame, estimate.people),
            self.focus,
            estimate.heads,
        )

"""Time per frame of several engines on the same frames, block by block in turn, so that noise meets them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from app.frames import Image
from models.estimator import Estimate, PoseEstimator
from models.regions import Region
from models.stage_clock import StageClock

if TYPE_CHECKING:
    from models.engines.mediapipe_engine import MediaPipePeer

STAGES = ("preprocess", "detect", "network", "decode")
TOTAL = "total"
# Consecutive frames of one engine, before it is the next one's turn.
BLOCK = 10
# Frames before each block that do not count: the engine before has filled the caches.
UNCOUNTED = 2
# Before the first block. The first runs are slow, and a GPU's graphs are made in them.
WARM_UP = 6
# In the first of these everything is cold.
_COLD = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """One frame: nanoseconds by stage, for the stages that ran, and for the whole frame by the host's clock.

    points: (33, 2) px, see `models.people.Person.own_points` (or MediaPipe's points), None where nobody was seen.
    parts: nanoseconds of the decoders one by one, empty where they were not taken apart.
    """

    stages: Mapping[str, int]
    total: int
    points: NDArray[np.floating] | None
    parts: Mapping[str, int] = field(default_factory=dict)


class Case(Protocol):
    """An engine on some frames."""

    @property
    def length(self) -> int:
        """How many frames there are."""

    def restart(self) -> None:
        """Forget who is followed, where that can be done."""

    def run(self, index: int) -> Reading:
        """Frame `index`, from a picture in memory to keypoints in memory."""


class Following:
    """An estimator that follows one person, as in normal use."""

    def __init__(self, estimator: PoseEstimator, frames: Sequence[Image]) -> None:
        self._estimator = estimator
        self._frames = frames
        self.length = len(frames)

    def restart(self) -> None:
        self._estimator.reset()

    def run(self, index: int) -> Reading:
        started = time.perf_counter_ns()
        estimate = self._estimator.estimate(self._frames[index])
        return _reading(estimate, time.perf_counter_ns() - started)


class Crops:
    """An estimator on given crops: as many people in each frame as regions."""

    def __init__(self, estimator: PoseEstimator, frames: Sequence[Image], regions: Sequence[Sequence[Region]]) -> None:
        self._estimator = estimator
        self._frames = frames
        self._regions = regions
        self.length = len(frames)

    def restart(self) -> None:
        pass

    def run(self, index: int) -> Reading:
        started = time.perf_counter_ns()
        estimate = self._estimator.read(self._frames[index], self._regions[index])
        return _reading(estimate, time.perf_counter_ns() - started)


class Peer:
    """MediaPipe, which follows one person and can only be started anew by loading it anew."""

    def __init__(self, peer: MediaPipePeer, frames: Sequence[Image]) -> None:
        self._peer = peer
        self._frames = frames
        self.length = len(frames)

    def restart(self) -> None:
        pass

    def run(self, index: int) -> Reading:
        clock = StageClock()
        started = time.perf_counter_ns()
        points = self._peer.process(self._frames[index], clock)
        return Reading(clock.times(), time.perf_counter_ns() - started, points)


def _reading(estimate: Estimate, total: int) -> Reading:
    times = estimate.times
    stages = {stage: spent for stage in STAGES if (spent := getattr(times, stage))}
    points = estimate.people[0].own_points if estimate.people else None
    return Reading(stages, total, points, times.decoders)


@dataclass(slots=True)
class Samples:
    """What one case took. looks: nanoseconds of each detection before the first frame that counts."""

    frames: list[Reading] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)

    @property
    def frames_with_person(self) -> int:
        return sum(reading.points is not None for reading in self.frames)

    def stage_ns(self, stage: str) -> list[int]:
        """Of the frames in which this stage ran; of detection also before the first frame."""
        if stage == TOTAL:
            return [reading.total for reading in self.frames]
        before = self.looks if stage == "detect" else []
        return [*before, *(reading.stages[stage] for reading in self.frames if stage in reading.stages)]


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles in ms, over `count` frames."""

    p50: float
    p95: float
    p99: float
    count: int


def spread(nanoseconds: Sequence[int]) -> Spread | None:
    """None where there is nothing to look at. Between two values: on the straight line."""
    if not nanoseconds:
        return None
    p50, p95, p99 = (round(float(ns) / 1e6, 4) for ns in np.percentile(nanoseconds, (50, 95, 99)))
    return Spread(p50, p95, p99, len(nanoseconds))


def measure(cases: Sequence[Case], on_frame: Callable[[], object]) -> list[Samples]:
    """Run each case over all of its frames, in order, in blocks by turns; all have the same number of frames.

    on_frame: called after each frame that counts, outside of what is timed.
    """
    found = [_warmed_up(case) for case in cases]
    for start in range(0, cases[0].length, BLOCK):
        for case, samples in zip(cases, found, strict=True):
            for _ in range(UNCOUNTED):
                case.run(max(0, start - 1))
            for index in range(start, min(start + BLOCK, case.length)):
                samples.frames.append(case.run(index))
                on_frame()
    return found


def _warmed_up(case: Case) -> Samples:
    looks = []
    for _ in range(WARM_UP):
        case.restart()
        looks.append(case.run(0).stages.get("detect", 0))
    return Samples(looks=[spent for spent in looks[_COLD:] if spent])

"""Latency: how long each stage takes, and the whole way since the host received the frame."""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds over a window: the newest, three percentiles, the largest; `count` of them."""

    now: float
    p50: float
    p95: float
    p99: float
    max: float
    count: int

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


class LatencyMeter:
    """Durations of named stages over the last `window_s` seconds; 16 bytes each, so that hours can be kept.

    The first `warm_up` durations of each stage are left out: they hold one-off costs.
    """

    def __init__(self, window_s: float = 10.0, warm_up: int = 3) -> None:
        self._window_ns = window_s * 1e9
        self._warm_up = warm_up
        self._stages: dict[str, _Durations] = {}
        self._skipped: dict[str, int] = {}
        self._newest_ns = 0

    def set_window(self, window_s: float) -> None:
        """Read over that many seconds from now on."""
        self._window_ns = window_s * 1e9

    def clear(self) -> None:
        """Forget everything; the next durations are warm-up again."""
        self._stages.clear()
        self._skipped.clear()

    def add(self, stage: str, now_ns: int, duration_ns: float) -> None:
        """A duration that ended at `now_ns` of the host clock."""
        skipped = self._skipped.get(stage, 0)
        if skipped < self._warm_up:
            self._skipped[stage] = skipped + 1
            return
        self._stages.setdefault(stage, _Durations()).append(now_ns, duration_ns / 1e6)
        self._newest_ns = max(self._newest_ns, now_ns)
        self._recent(stage)

    def _recent(self, stage: str) -> _Durations | None:
        """The stage's durations inside the window, which ends with the newest of any stage: one that stopped goes."""
        durations = self._stages.get(stage)
        if durations is not None:
            durations.forget_before(self._newest_ns - self._window_ns)
        return durations

    def median(self, stage: str) -> float:
        """Milliseconds; NaN where the stage has no durations."""
        durations = self._recent(stage)
        return float(np.median(durations.values())) if durations else float("nan")

    def read(self, stage: str) -> Spread | None:
        """The stage's durations over the window, or None where there are none in it."""
        durations = self._recent(stage)
        if not durations:
            return None
        values = durations.values()
        p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
        return Spread(float(values[-1]), p50, p95, p99, float(values.max()), len(values))

    def read_all(self) -> dict[str, Spread]:
        """All stages that have durations, in the order in which they were first added."""
        spreads = {stage: self.read(stage) for stage in self._stages}
        return {stage: spread for stage, spread in spreads.items() if spread is not None}

    def rate(self, stage: str) -> float:
        """How often a second the stage ended over the window; NaN before the second time."""
        durations = self._recent(stage)
        if not durations or len(durations) < 2:
            return float("nan")
        span_ns = durations.times_ns[-1] - durations.times_ns[durations.first]
        return (len(durations) - 1) / span_ns * 1e9 if span_ns > 0 else float("nan")


class _Durations:
    """Durations in ms and when they ended; those before index `first` are forgotten."""

    def __init__(self) -> None:
        self.times_ns = array("q")
        self.milliseconds = array("d")
        self.first = 0

    def __len__(self) -> int:
        return len(self.times_ns) - self.first

    def append(self, now_ns: int, milliseconds: float) -> None:
        self.times_ns.append(now_ns)
        self.milliseconds.append(milliseconds)

    def forget_before(self, oldest_ns: float) -> None:
        while len(self) and self.times_ns[self.first] < oldest_ns:
            self.first += 1
        if self.first > len(self):
            del self.times_ns[: self.first], self.milliseconds[: self.first]
            self.first = 0

    def values(self) -> NDArray[np.float64]:
        # A copy: an array that numpy looks into cannot grow.
        return np.array(self.milliseconds[self.first :])

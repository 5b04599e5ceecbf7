"""Latency: how long each stage takes, and the whole way since the host received the frame."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

import numpy as np


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
    """Durations of named stages over the last `window_s` seconds.

    The first `warm_up` durations of each stage are left out: they hold one-off costs.
    """

    def __init__(self, window_s: float = 10.0, warm_up: int = 3) -> None:
        self._window_ns = window_s * 1e9
        self._warm_up = warm_up
        self._stages: dict[str, deque[tuple[int, float]]] = {}
        self._skipped: dict[str, int] = {}

    def add(self, stage: str, now_ns: int, duration_ns: float) -> None:
        """A duration that ended at `now_ns` of the host clock."""
        skipped = self._skipped.get(stage, 0)
        if skipped < self._warm_up:
            self._skipped[stage] = skipped + 1
            return
        entries = self._stages.setdefault(stage, deque())
        entries.append((now_ns, duration_ns / 1e6))
        while now_ns - entries[0][0] > self._window_ns:
            entries.popleft()

    def read(self, stage: str) -> Spread | None:
        """The stage's durations over the window, or None where there are none yet."""
        entries = self._stages.get(stage)
        if not entries:
            return None
        values = np.array([entry[1] for entry in entries])
        p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
        return Spread(float(values[-1]), p50, p95, p99, float(values.max()), len(values))

    def read_all(self) -> dict[str, Spread]:
        """All stages that have durations, in the order in which they were first added."""
        spreads = {stage: self.read(stage) for stage in self._stages}
        return {stage: spread for stage, spread in spreads.items() if spread is not None}

    def rate(self, stage: str) -> float:
        """How often a second the stage ended over the window; NaN before the second time."""
        entries = self._stages.get(stage)
        if entries is None or len(entries) < 2:
            return float("nan")
        span_ns = entries[-1][0] - entries[0][0]
        return (len(entries) - 1) / span_ns * 1e9 if span_ns > 0 else float("nan")

"""Difference: how far MediaPipe's points lie from what our network regressed in the same frames."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from app.frames import Person
from models.people import MEDIAPIPE


class DifferenceMeter:
    """Mean over the frames of the last `window_s` seconds of the median distance of the joints, a share of the body.

    The regression is compared, since that is what MediaPipe starts from too; it refines and smooths it. Where a network
    has none, the peaks of its heatmaps are. Joints count where the heatmap's peak is at least `min_score`. With an
    infinite window only sums are kept.
    """

    def __init__(self, window_s: float = 2.0, min_score: float = 0.3) -> None:
        self._window_ns = window_s * 1e9
        self._min_score = min_score
        self._entries: deque[tuple[int, float]] = deque()
        self._sum = 0.0
        self._count = 0

    def add(self, time_ns: int, person: Person | None) -> None:
        """One frame's person; whom MediaPipe has not read, or nobody, changes nothing. Times rise from call to call."""
        self._trim(time_ns)
        if person is None or MEDIAPIPE not in person.points or not person.has_decoders:
            return
        seen = person.certainty >= self._min_score
        if not seen.any():
            return
        apart = np.linalg.norm(person.points[MEDIAPIPE][seen] - person.own_points[seen], axis=-1)
        share = float(np.median(apart)) / person.region.body_size
        self._sum += share
        self._count += 1
        if math.isfinite(self._window_ns):
            self._entries.append((time_ns, share))

    @classmethod
    def pooled(cls, meters: Sequence[DifferenceMeter]) -> DifferenceMeter:
        """To be read: everything that these hold at this moment, together."""
        whole = cls(math.inf)
        whole._sum, whole._count = sum(meter._sum for meter in meters), sum(meter._count for meter in meters)
        return whole

    def set_window(self, window_s: float) -> None:
        """Read over that many seconds from now on."""
        self._window_ns = window_s * 1e9

    def read(self) -> float:
        """NaN where MediaPipe has read none of the frames."""
        return self._sum / self._count if self._count else math.nan

    def _trim(self, now_ns: int) -> None:
        while self._entries and now_ns - self._entries[0][0] > self._window_ns:
            self._sum -= self._entries.popleft()[1]
            self._count -= 1

"""Jitter: how much each joint trembles, for every decoder at once."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from app.frames import Person
from app.meters.rolling import JointDistances, RollingDistances

# Frames further apart than this are not neighbours: the source paused, or the person was out of sight.
_LONGEST_GAP_NS = 500_000_000


class JitterMeter:
    """Standard deviation of a joint's position noise on each axis, in px, free of steady motion.

    For three frames at times t0 < t1 < t2 the middle point is compared with the straight line between the outer
    ones: r = x1 - (a x0 + b x2), a = (t2 - t1) / (t2 - t0), b = 1 - a. For white noise of standard deviation s on
    each axis |r|² is 2 s² (1 + a² + b²) on average, so sigma² = mean of |r|² / (2 (1 + a² + b²)). At a steady frame
    rate this is sqrt(mean |x0 - 2 x1 + x2|² / 12). Motion at constant velocity cancels; acceleration does not.

    A joint counts where its heatmap's peak is at least `min_score` in all three frames: the same joints for every
    decoder, so that their numbers can be compared.
    """

    def __init__(self, window_s: float = 2.0, min_score: float = 0.3) -> None:
        self._rolling = RollingDistances(window_s)
        self._min_score = min_score
        self._last: deque[tuple[int, int, NDArray[np.float64], NDArray[np.bool_]]] = deque(maxlen=3)
        self._decoders: tuple[str, ...] = ()

    def clear(self) -> None:
        """Forget everything."""
        self._rolling.clear()
        self._last.clear()

    def add(self, time_ns: int, person: Person | None, *, continues: bool = True) -> None:
        """One frame's person, or None where nobody was seen; times rise from call to call.

        continues: False where this frame does not follow from the one before (a file that starts again).
        """
        self._rolling.trim(time_ns)
        if person is None or not continues:
            self._last.clear()
        if person is None:
            return
        if self._last and (time_ns - self._last[-1][0] > _LONGEST_GAP_NS or person.id != self._last[-1][1]):
            self._last.clear()
        self._decoders = tuple(person.points)
        points = np.stack([person.points[name] for name in self._decoders]).astype(np.float64)
        self._last.append((time_ns, person.id, points, person.scores["argmax"] >= self._min_score))
        if len(self._last) == 3:
            (t0, _, x0, seen0), (t1, _, x1, seen1), (t2, _, x2, seen2) = self._last
            a = (t2 - t1) / (t2 - t0)
            b = 1 - a
            squares = ((x1 - a * x0 - b * x2) ** 2).sum(-1) / (2 * (1 + a * a + b * b))
            self._rolling.add(time_ns, squares, seen0 & seen1 & seen2, person.region.body_size)

    def read(self) -> JointDistances:
        """Jitter in px over the window; empty before three frames of a person were seen."""
        return self._rolling.read(self._decoders)

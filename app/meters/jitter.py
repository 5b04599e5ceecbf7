"""Jitter: how much each joint trembles, for every decoder at once, and apart from it how the joints move."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.frames import Person
from app.meters.rolling import JointDistances, RollingDistances, unknown_joints

# Frames further apart than this are not neighbours: the source paused, or the person was out of sight.
_LONGEST_GAP_NS = 500_000_000

# A reading looks at this many neighbouring frames: the three of the second difference, and two more on each side to
# know the acceleration.
FRAMES = 7
_MIDDLE = FRAMES // 2

# Whether the person moves is asked of the regression: it reads no heatmap, so it does not depend on β. Where a network
# has none it is asked of DARK, which has no β and does not jump from cell to cell; where MediaPipe alone reads, of it.
# Faster than this share of the body's size in a second is called motion.
MOTION_DECODER = "regression"
_WITHOUT_REGRESSION = "dark"
STILL_BODY_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Motion:
    """How the joints move, root mean squares over the window: speed in px/s, acceleration in px/s²."""

    speed: JointDistances
    acceleration: JointDistances

    @property
    def speed_px(self) -> float:
        """How fast the person moves, px/s; NaN where that is not known."""
        return _motion_of(self.speed.overall)

    @property
    def speed_share(self) -> float:
        """The same as a share of the body's size."""
        return _motion_of(self.speed.body_share)


def _motion_of(speeds: Mapping[str, float]) -> float:
    asked = (speeds[name] for name in (MOTION_DECODER, _WITHOUT_REGRESSION) if name in speeds)
    return next(asked, next(iter(speeds.values()), math.nan))


class JitterMeter:
    """Standard deviation of a joint's position noise on each axis, in px, free of motion.

    For three frames at times t0 < t1 < t2 the middle point is compared with the straight line between the outer
    ones: r = x1 - (a x0 + b x2), a = (t2 - t1) / (t2 - t0), b = 1 - a. Motion at constant velocity cancels. What a
    constant acceleration leaves is taken away too: that of the parabola fitted to the seven frames around. Both steps
    are linear, r = Σ w x with weights w that depend on the times alone, so for white noise of standard deviation s on
    each axis |r|² is 2 s² Σ w² on average, and sigma² = mean of |r|² / (2 Σ w²), exactly and at any frame times.
    Without the second step this is the well-known sqrt(mean |x0 - 2 x1 + x2|² / 12) of a steady frame rate, in which
    a waving arm shows as jitter of several px.

    Velocity and acceleration of the same parabola, at its middle frame, are what `motion` reports.

    A joint counts where its heatmap's peak is at least `min_score` in all seven frames: the same joints for every
    decoder, so that their numbers can be compared.
    """

    def __init__(self, window_s: float = 2.0, min_score: float = 0.3) -> None:
        self._jitter = RollingDistances(window_s)
        self._speed = RollingDistances(window_s)
        self._acceleration = RollingDistances(window_s)
        self._all = (self._jitter, self._speed, self._acceleration)
        self._min_score = min_score
        self._last: deque[tuple[int, int, NDArray[np.float64], NDArray[np.bool_]]] = deque(maxlen=FRAMES)
        self._decoders: tuple[str, ...] = ()

    def clear(self) -> None:
        """Forget everything."""
        for rolling in self._all:
            rolling.clear()
        self._last.clear()

    @classmethod
    def pooled(cls, meters: Sequence[JitterMeter]) -> JitterMeter:
        """To be read: everything that these hold at this moment, together."""
        whole = cls(math.inf)
        whole._jitter, whole._speed, whole._acceleration = (
            RollingDistances.pooled(parts) for parts in zip(*(meter._all for meter in meters), strict=True)
        )
        whole._decoders = meters[0]._decoders
        return whole

    def set_window(self, window_s: float) -> None:
        """Read over that many seconds from now on."""
        for rolling in self._all:
            rolling.set_window(window_s)

    def add(self, time_ns: int, person: Person | None, *, continues: bool = True) -> None:
        """One frame's person, or None where nobody was seen; times rise from call to call.

        continues: False where this frame does not follow from the one before (a file that starts again).
        """
        for rolling in self._all:
            rolling.trim(time_ns)
        if person is None or not continues:
            self._last.clear()
        if person is None:
            return
        if self._last and (time_ns - self._last[-1][0] > _LONGEST_GAP_NS or person.id != self._last[-1][1]):
            self._last.clear()
        self._decoders = person.measured
        points = np.stack([person.points[name] for name in self._decoders]).astype(np.float64)
        self._last.append((time_ns, person.id, points, person.certainty >= self._min_score))
        if len(self._last) == FRAMES:
            self._read_middle(time_ns, person.region.body_size, unknown_joints(person))

    def _read_middle(self, time_ns: int, body_size: float, unknown: NDArray[np.bool_]) -> None:
        seconds = np.array([(entry[0] - self._last[_MIDDLE][0]) / 1e9 for entry in self._last])
        weights, velocity, acceleration = _weights(seconds)
        # Seen from the middle frame: far from the picture's corner the squares would lose digits.
        origin = self._last[_MIDDLE][2]
        tracks = np.stack([entry[2] - origin for entry in self._last]).reshape(FRAMES, -1)
        read = np.stack((weights, velocity, acceleration)) @ tracks
        squares = (read.reshape(3, *origin.shape) ** 2).sum(-1)
        seen = np.all([entry[3] for entry in self._last], axis=0)
        self._jitter.add(time_ns, squares[0] / (2 * (weights**2).sum()), seen, body_size, unknown)
        self._speed.add(time_ns, squares[1], seen, body_size, unknown)
        self._acceleration.add(time_ns, squares[2], seen, body_size, unknown)

    def read(self) -> JointDistances:
        """Jitter in px over the window; empty before seven frames of a person were seen."""
        return self._jitter.read(self._decoders)

    def motion(self) -> Motion:
        """Speed and acceleration over the window."""
        return Motion(self._speed.read(self._decoders), self._acceleration.read(self._decoders))


def _weights(seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What to weigh the points of FRAMES times with: for r, for the velocity and for the acceleration, each (FRAMES,).

    seconds: rising, 0 at the middle frame.
    """
    before, after = -seconds[_MIDDLE - 1], seconds[_MIDDLE + 1]
    second_difference = np.zeros(FRAMES)
    second_difference[_MIDDLE - 1 : _MIDDLE + 2] = -after / (before + after), 1.0, -before / (before + after)
    # The parabola p(t) = p0 + v t + q t² / 2, fitted by least squares.
    scale = seconds[-1] - seconds[0]
    powers = np.stack((np.ones(FRAMES), seconds / scale, (seconds / scale) ** 2 / 2), 1)
    fit = np.linalg.pinv(powers)
    weights = second_difference - (second_difference @ powers) @ fit
    return weights, fit[1] / scale, fit[2] / scale**2

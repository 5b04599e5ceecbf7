"""Lag: by how much smoothing delays the points."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.frames import Person

Tracks = NDArray[np.float64]

# Frames further apart than this are not neighbours: the source paused, or the person was out of sight.
_LONGEST_GAP_NS = 500_000_000
_MIN_SCORE = 0.3
_SHORTEST_SPAN_S = 1.0
_FEWEST_FRAMES = 10

_LONGEST_LAG_S = 0.5
_COARSE_STEP_S = 0.05
_FINE_STEP_S = 0.01
# Frames at which raw and smoothed are compared; with more of them the rest is left out, evenly.
_MOST_COMPARED = 60

# Over this time a joint has to move this many times as far (squared) as its noise alone would make it.
_MOTION_S = 0.1
_LEAST_MOTION = 16.0
# The best lag has to leave less than this share of what the worst lag leaves.
_DEEPEST_SHARE = 0.7
# Of minima equally deep but for this share (motion that repeats), the one with the smallest lag counts.
_TIE_SHARE = 0.1


class LagMeter:
    """The delay in ms that smoothing costs, over the last `window_s` seconds. Thread-safe.

    It is the τ from 0 to 500 ms that minimises the sum of |smoothed(t) − raw(t − τ)|² over frames and joints, with raw
    interpolated linearly between its frames at their real times. A joint counts at a frame where its heatmap's peak is
    at least 0.3 then and over the 500 ms before, and where it moves: noise does not know about lag, or worse, tells
    lag 0, since the noise of a frame is in its smoothed points too.
    """

    def __init__(self, window_s: float = 4.0) -> None:
        self._window_ns = window_s * 1e9
        self._lock = threading.Lock()
        self._entries: deque[_Entry] = deque()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def add(
        self, time_ns: int, raw: Person | None, smoothed: Person | None, decoder: str, *, continues: bool = True
    ) -> None:
        """One frame's person before and after smoothing, read by `decoder`; times rise from call to call.

        raw, smoothed: None where nobody was seen, or smoothing is off: the meter starts anew. So it does for another
            person or decoder, after a gap of more than 0.5 s, and where `continues` is False (a file that starts
            again).
        """
        with self._lock:
            if raw is None or smoothed is None:
                self._entries.clear()
                return
            if self._entries:
                last = self._entries[-1]
                follows = continues and time_ns - last.time_ns <= _LONGEST_GAP_NS
                if not follows or (raw.id, decoder) != (last.person_id, last.decoder):
                    self._entries.clear()
            seen = raw.certainty >= _MIN_SCORE
            entry = _Entry(time_ns, raw.id, decoder, raw.points[decoder], smoothed.points[decoder], seen)
            self._entries.append(entry)
            while time_ns - self._entries[0].time_ns > self._window_ns:
                self._entries.popleft()

    def read(self) -> float | None:
        """The lag in ms, or None where it cannot be told.

        That is so with less than 1 s or 10 frames; where no joint moves, in a tenth of a second, at least 4 times as
        far (root mean square) as its noise alone would make it (the noise is what four neighbours in time do not
        predict); and where no lag up to 500 ms makes smoothed resemble raw: the smallest sum is no minimum inside, or
        not below 0.7 of the largest.
        """
        with self._lock:
            entries = list(self._entries)
        if len(entries) < _FEWEST_FRAMES or entries[-1].time_ns - entries[0].time_ns < _SHORTEST_SPAN_S * 1e9:
            return None
        times = np.array([entry.time_ns - entries[0].time_ns for entry in entries]) / 1e9
        raw = np.array([entry.raw for entry in entries], np.float64)
        smoothed = np.array([entry.smoothed for entry in entries], np.float64)
        seen = np.array([entry.seen for entry in entries])
        seen &= np.isfinite(raw).all(-1) & np.isfinite(smoothed).all(-1)
        raw[~seen] = smoothed[~seen] = 0.0
        return _best_lag_ms(times, raw, smoothed, seen)


@dataclass(frozen=True, slots=True)
class _Entry:
    time_ns: int
    person_id: int
    decoder: str
    raw: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    seen: NDArray[np.bool_]


class _Comparison:
    """Compares points at frames t with raw at t − τ, where the joints were seen from t − 500 ms to t.

    times: (T,) s; raw: (T, K, 2), finite; seen: (T, K); noise_power: (K,) px², both axes together.
    """

    def __init__(self, times: Tracks, raw: Tracks, seen: NDArray[np.bool_], noise_power: Tracks) -> None:
        first = int(np.searchsorted(times, times[0] + _LONGEST_LAG_S))
        every = -(-(len(times) - first) // _MOST_COMPARED)
        self.frames = np.arange(first, len(times), every)
        oldest = np.searchsorted(times, times[self.frames] - _LONGEST_LAG_S, side="right") - 1
        unseen = np.concatenate([np.zeros((1, seen.shape[1]), np.int64), np.cumsum(~seen, 0)])
        # One frame more than the lags need: the parabola at lag 0 looks a little beyond.
        newest = np.minimum(self.frames + 2, len(times))
        self.counted = (unseen[newest] == unseen[oldest]).astype(np.float64)
        self._times = times
        self._counted_twice = self.counted.repeat(2, axis=1)
        self._raw = raw.reshape(len(raw), -1)
        self._steps = np.diff(self._raw, axis=0)
        self._noise_power = noise_power

    def squares(self, points: Tracks, lag_s: float) -> Tracks:
        """|points − raw(t − lag)|² of each joint, summed over its frames, (K,); points: (F, K, 2) at `frames`.

        The noise of raw is taken off: interpolation halves it in the middle between two frames, which would draw the
        minimum there.
        """
        then = self._times[self.frames] - lag_s
        before = np.searchsorted(self._times[1:-1], then)
        share = (then - self._times[before]) / (self._times[before + 1] - self._times[before])
        # Joints and axes in one row: numpy is twice as fast on long rows.
        difference = self._steps[before]
        difference *= -share[:, None]
        difference -= self._raw[before]
        difference += points.reshape(len(points), -1)
        difference *= self._counted_twice
        summed: Tracks = np.einsum("fi,fi->i", difference, difference).reshape(-1, 2).sum(1)
        noise_counts: Tracks = ((1 - share) ** 2 + share**2) @ self.counted
        return summed - noise_counts * self._noise_power


def _best_lag_ms(times: Tracks, raw: Tracks, smoothed: Tracks, seen: NDArray[np.bool_]) -> float | None:
    noise_power = _noise_power(times, raw, seen)
    comparison = _Comparison(times, raw, seen, noise_power)
    # A displacement holds the noise of two frames, of which the comparison has taken off one.
    least = (_LEAST_MOTION * 2 - 1) * noise_power * comparison.counted.sum(0)
    moving = comparison.squares(raw[comparison.frames], _MOTION_S) > least
    if not moving.any():
        return None
    comparison = _Comparison(times, raw[:, moving], seen[:, moving], noise_power[moving])
    points = smoothed[comparison.frames][:, moving]

    def curve(lags: Tracks) -> Tracks:
        return np.array([comparison.squares(points, lag).sum() for lag in lags])

    lags = np.arange(0.0, _LONGEST_LAG_S + _COARSE_STEP_S / 2, _COARSE_STEP_S)
    costs = curve(lags)
    lowest, highest = costs.min(), costs.max()
    if not lowest < _DEEPEST_SHARE * highest:
        return None
    bounded = np.concatenate([[np.inf], costs, [np.inf]])
    is_minimum = (costs <= bounded[:-2]) & (costs <= bounded[2:])
    best = int(np.argmax(is_minimum & (costs <= lowest + _TIE_SHARE * (highest - lowest))))
    if best == len(lags) - 1:
        return None
    # One step beyond 0 too, so that the parabola has a left neighbour there.
    near = lags[best] + np.arange(-_COARSE_STEP_S, _COARSE_STEP_S + _FINE_STEP_S / 2, _FINE_STEP_S)
    near = near[near > -1.5 * _FINE_STEP_S]
    return max(0.0, _lowest_point(near, curve(near))) * 1000


def _noise_power(times: Tracks, raw: Tracks, seen: NDArray[np.bool_]) -> Tracks:
    """Mean square of each joint's noise, both axes together, (K,); 0 for a joint that was never seen for long enough.

    Each point is compared with the cubic through two neighbours on either side (Lagrange, at the real times), so that
    motion cancels: r = x2 − Σ l x, and |r|² is (1 + Σ l²) times the noise power.
    """
    around = (0, 1, 3, 4)
    count = len(times) - 4
    middle = times[2 : 2 + count]
    nodes = np.stack([times[i : i + count] for i in around])
    shares = np.ones_like(nodes)
    for i in range(4):
        for j in range(4):
            if i != j:
                shares[i] *= (middle - nodes[j]) / (nodes[i] - nodes[j])
    rest = raw[2 : 2 + count].copy()
    together = seen[2 : 2 + count].copy()
    for share, i in zip(shares, around, strict=True):
        rest -= share[:, None, None] * raw[i : i + count]
        together &= seen[i : i + count]
    powers = np.where(together, (rest**2).sum(-1), 0.0) / (1 + (shares**2).sum(0))[:, None]
    mean: Tracks = powers.sum(0) / np.maximum(together.sum(0), 1)
    return mean


def _lowest_point(places: Tracks, values: Tracks) -> float:
    """Where the parabola through the lowest value and its two neighbours is lowest."""
    lowest = int(values.argmin())
    if not 0 < lowest < len(values) - 1:
        return float(places[lowest])
    before, here, after = values[lowest - 1 : lowest + 2]
    bend = before - 2 * here + after
    shift = (before - after) / (2 * bend) if bend > 0 else 0.0
    return float(places[lowest] + shift * (places[1] - places[0]))

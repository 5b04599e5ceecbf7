"""By how much points come after the truth, or ahead of it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.meters.jitter import STILL_BODY_SHARE

Tracks = NDArray[np.float64]

EARLIEST_S, LATEST_S = -0.1, 0.5
# Where a joint moves slower than this share of the body in a second, on average over the time below, it rests.
MOVING_BODY_SHARE = 3 * STILL_BODY_SHARE
_SPEED_OVER_S = 0.2
_COARSE_STEP_S = 0.025
_FINE_STEP_S = 0.005
_FEWEST = 20
# The best delay has to leave less than this share of what the worst leaves.
_DEEPEST_SHARE = 0.7


def delay_s(
    seconds: Tracks,
    points: Tracks,
    counted: NDArray[np.bool_],
    truth_seconds: Tracks,
    truth: Tracks,
    bodies: Tracks,
) -> float:
    """The delay τ in s, from EARLIEST_S to LATEST_S, at which points(t) differ least from truth(t − τ).

    seconds: (T,); points: (T, K, 2) px, finite where `counted` (T, K). truth_seconds: (S,) on the same clock; truth:
    (S, K, 2), NaN where not known. bodies: (T,) px.

    What is minimised is the sum of |points(t) − truth(t − τ) − o|² over the frames and joints in which the truth moves.
    The offset o of each joint is the mean of the difference: what an annotator and a network mean by a hip may lie
    apart, and that is no delay. The truth lies on straight lines between its frames. A joint counts at t where the
    truth is known from t − LATEST_S to t − EARLIEST_S: the same sum at each τ.

    NaN where fewer than 20 frames and joints move, and where no τ makes the two alike: the least sum lies at an end, or
    is not below 0.7 of the largest.
    """
    usable = counted & _known_around(seconds, truth_seconds, truth) & _moving(seconds, truth_seconds, truth, bodies)
    if usable.sum() < _FEWEST:
        return math.nan

    frames = usable.any(1)
    usable, points, seconds = usable[frames], points[frames], seconds[frames]
    counts = usable.sum(0)

    def cost(delay: float) -> float:
        difference = np.where(usable[..., None], points - _at(seconds - delay, truth_seconds, truth), 0.0)
        # Σ|d − mean d|², joint by joint.
        squares, sums = (difference**2).sum((0, 2)), difference.sum(0)
        return float((squares - (sums**2).sum(-1) / np.maximum(counts, 1)).sum())

    coarse = np.arange(EARLIEST_S, LATEST_S + _COARSE_STEP_S / 2, _COARSE_STEP_S)
    costs = np.array([cost(delay) for delay in coarse])
    best = int(costs.argmin())
    if best in (0, len(coarse) - 1) or not costs[best] < _DEEPEST_SHARE * costs.max():
        return math.nan
    fine = coarse[best] + np.arange(-_COARSE_STEP_S, _COARSE_STEP_S + _FINE_STEP_S / 2, _FINE_STEP_S)
    return _lowest_point(fine, np.array([cost(delay) for delay in fine]))


def _lowest_point(places: Tracks, values: Tracks) -> float:
    """Where the parabola through the lowest value and its two neighbours is lowest."""
    lowest = int(np.clip(values.argmin(), 1, len(values) - 2))
    before, here, after = values[lowest - 1 : lowest + 2]
    bend = before - 2 * here + after
    shift = (before - after) / (2 * bend) if bend > 0 else 0.0
    return float(places[lowest] + np.clip(shift, -1, 1) * (places[1] - places[0]))


def _at(times: Tracks, truth_seconds: Tracks, truth: Tracks) -> Tracks:
    """(T, K, 2): the truth at these times, on straight lines; NaN where either end is not known."""
    before = np.clip(np.searchsorted(truth_seconds, times, side="right") - 1, 0, len(truth_seconds) - 2)
    span = truth_seconds[before + 1] - truth_seconds[before]
    share = ((times - truth_seconds[before]) / span)[:, None, None]
    found: Tracks = truth[before] * (1 - share) + truth[before + 1] * share
    return found


def _known_around(seconds: Tracks, truth_seconds: Tracks, truth: Tracks) -> NDArray[np.bool_]:
    """(T, K): whether the truth is known at every delay."""
    slack = 1e-6
    first = np.searchsorted(truth_seconds, seconds - LATEST_S + slack, side="right") - 1
    last = np.searchsorted(truth_seconds, seconds - EARLIEST_S - slack, side="left")
    inside = (first >= 0) & (last < len(truth_seconds))
    first, last = np.clip(first, 0, None), np.clip(last, None, len(truth_seconds) - 1)
    unknown = np.concatenate([np.zeros((1, truth.shape[1]), int), np.cumsum(~np.isfinite(truth).all(-1), 0)])
    known: NDArray[np.bool_] = (unknown[last + 1] == unknown[first]) & inside[:, None]
    return known


def _moving(seconds: Tracks, truth_seconds: Tracks, truth: Tracks, bodies: Tracks) -> NDArray[np.bool_]:
    """(T, K): whether the truth moves around that time."""
    ends = np.clip(seconds[:, None] + np.array([-0.5, 0.5]) * _SPEED_OVER_S, truth_seconds[0], truth_seconds[-1])
    path = _at(ends[:, 1], truth_seconds, truth) - _at(ends[:, 0], truth_seconds, truth)
    with np.errstate(invalid="ignore"):
        speed = np.linalg.norm(path, axis=-1) / (ends[:, 1] - ends[:, 0])[:, None]
        moving: NDArray[np.bool_] = speed > MOVING_BODY_SHARE * bodies[:, None]
    return moving

"""Points in motion, and feeding them to meters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.frames import Person
from app.meters.jitter import JitterMeter
from models.regions import CROP_MARGIN, Region
from tests.app import builders

MS = 1_000_000
BODY_SIZE = 200.0


def person_at(
    points: NDArray[np.floating] | dict[str, NDArray[np.floating]],
    score: float | NDArray[np.floating] = 0.9,
    id: int = 0,
) -> Person:
    """A person of BODY_SIZE whose decoders all say `points` (33, 2), or each its own."""
    base = builders.person(score=np.asarray(score, np.float32), id=id)
    by_name = points if isinstance(points, dict) else dict.fromkeys(builders.DECODERS, points)
    return replace(
        base,
        region=Region(160.0, 120.0, BODY_SIZE * CROP_MARGIN, 0.0),
        points={name: np.asarray(value, np.float32) for name, value in by_name.items()},
    )


def steady_times(count: int, step_ms: float = 1000 / 30) -> list[int]:
    return [round(i * step_ms * MS) for i in range(count)]


def times_of_steps(steps_ms: Sequence[float], count: int) -> list[int]:
    """`count` times whose distances repeat `steps_ms`."""
    steps = np.resize(np.asarray(steps_ms), count - 1)
    return [0, *(np.cumsum(steps) * MS).round().astype(int).tolist()]


def jitter_of(
    times: Iterable[int], tracks: Iterable[NDArray[np.floating] | None], meter: JitterMeter | None = None
) -> JitterMeter:
    """A meter that saw the points of `tracks`, None where nobody was seen, at `times`."""
    meter = meter or JitterMeter(window_s=float("inf"))
    for time_ns, points in zip(times, tracks, strict=True):
        meter.add(time_ns, None if points is None else person_at(points))
    return meter


def fits_of_seven(
    times: Sequence[int], tracks: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the jitter meter's definition says, by numpy's own polynomial fits.

    Returns r of the middle of each seven frames, shaped like tracks (T, K, 2) without 6 frames, and Σ w² (T - 6,).
    """
    seconds = np.array(times) / 1e9
    read, weights = [], []
    for i in range(3, len(times) - 3):
        t = seconds[i - 3 : i + 4] - seconds[i]
        a = t[4] / (t[4] - t[2])

        def r_of(x, t=t, a=a):
            rest = x - np.stack([np.polyval(np.polyfit(t, column, 2), t) for column in x.T], 1)
            return rest[3] - a * rest[2] - (1 - a) * rest[4]

        read.append(r_of(tracks[i - 3 : i + 4].reshape(7, -1)).reshape(tracks.shape[1:]))
        weights.append((r_of(np.eye(7)) ** 2).sum())
    return np.array(read), np.array(weights)

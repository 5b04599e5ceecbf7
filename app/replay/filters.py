"""Filters over the points of a person, causal and on real time stamps; named on the command line like decoders.

Each looks at what has come so far only, so that it could run live. `none` is one of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError
from app.replay.tracks import Points, Tracks
from app.smoothing import OneEuroSettings, PersonSmoother
from models.errors import unknown_name

_USUAL = OneEuroSettings()
_TITLES = {"none": "unfiltered", "one-euro": "1 €", "exponential": "exponential", "mean": "moving mean"}


@dataclass(frozen=True, slots=True)
class Filter(ABC):
    """What the points of one person pass through, frame after frame. Raises UserError for a bad option."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As on the command line."""

    @abstractmethod
    def run(self, tracks: Tracks, run: range) -> Points:
        """`tracks.points[run]` filtered, (frames, V, K, 2): frames in which one person was followed without a break.

        The filter starts anew with the first of them, which comes back as it is.
        """

    def apply(self, tracks: Tracks) -> Points:
        """(T, V, K, 2): all of `tracks.points` filtered, anew wherever a track begins; NaN where nobody was seen."""
        filtered = np.full_like(tracks.points, np.nan)
        for run in tracks.runs():
            filtered[run.start : run.stop] = self.run(tracks, run)
        return filtered

    @property
    def key(self) -> str:
        """For files: what `parse_filters` takes, with every option."""
        return ":".join([self.name, *(f"{field.name}={getattr(self, field.name):g}" for field in fields(self))])

    @property
    def title(self) -> str:
        """For people: `1 €`, with the options that are not the default ones."""
        others = [
            f"{field.name.replace('_', ' ')} {getattr(self, field.name):g}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return ", ".join([_TITLES[self.name], *others])


@dataclass(frozen=True, slots=True)
class NoFilter(Filter):
    """The points as they were read."""

    @property
    def name(self) -> str:
        return "none"

    def run(self, tracks: Tracks, run: range) -> Points:
        return tracks.points[run.start : run.stop]


@dataclass(frozen=True, slots=True)
class OneEuro(Filter):
    """The 1 € filter of the window, see `app.smoothing`. Casiez, Roussel and Vogel, CHI 2012.

    min_cutoff: Hz, for a joint at rest. beta: Hz for each body size per second. derivative_cutoff: Hz, of the speed.
    """

    min_cutoff: float = _USUAL.min_cutoff
    beta: float = _USUAL.beta
    derivative_cutoff: float = _USUAL.derivative_cutoff

    def __post_init__(self) -> None:
        self._settings()

    def _settings(self) -> OneEuroSettings:
        return OneEuroSettings(self.min_cutoff, self.beta, self.derivative_cutoff)

    @property
    def name(self) -> str:
        return "one-euro"

    def run(self, tracks: Tracks, run: range) -> Points:
        smoother = PersonSmoother(self._settings())
        names = [str(i) for i in range(tracks.points.shape[1])]
        found = []
        for t in run:
            person = tracks.person(t, dict(zip(names, tracks.points[t], strict=True)))
            (smoothed,) = smoother.smooth(int(tracks.times_ns[t]), (person,))
            found.append(np.stack([smoothed.points[name] for name in names]))
        return np.array(found, np.float64)


@dataclass(frozen=True, slots=True)
class Exponential(Filter):
    """Exponential smoothing, y += (1 − 2^(−Δt / half_life)) (x − y): after `half_life` seconds half of a step is made.

    Brown, “Statistical Forecasting for Inventory Control”, 1959, for any intervals Δt. A point that moves at constant
    speed lags by half_life / ln 2 where frames come often.
    """

    half_life: float = 0.05

    def __post_init__(self) -> None:
        _check_positive("half_life", self.half_life)

    @property
    def name(self) -> str:
        return "exponential"

    def run(self, tracks: Tracks, run: range) -> Points:
        points, seconds = tracks.points[run.start : run.stop], tracks.seconds[run.start : run.stop]
        filtered = points.copy()
        for t in range(1, len(points)):
            kept = 2 ** (-(seconds[t] - seconds[t - 1]) / self.half_life)
            moved = filtered[t - 1] * kept + points[t] * (1 - kept)
            # A joint that was not known starts anew.
            filtered[t] = np.where(np.isfinite(moved), moved, points[t])
        return filtered


@dataclass(frozen=True, slots=True)
class Mean(Filter):
    """The mean of the points of the last `window` seconds, this frame's included, each counted once.

    A point that moves at constant speed lags by about half the window.
    """

    window: float = 0.15

    def __post_init__(self) -> None:
        _check_positive("window", self.window)

    @property
    def name(self) -> str:
        return "mean"

    def run(self, tracks: Tracks, run: range) -> Points:
        points, times_ns = tracks.points[run.start : run.stop], tracks.times_ns[run.start : run.stop]
        firsts = np.searchsorted(times_ns, times_ns - round(self.window * 1e9), side="right")
        # Sums that rise over a long clip would lose digits far from the origin.
        origin = np.asarray(np.nan_to_num(points[:1]))
        known = np.isfinite(points).all(-1, keepdims=True)
        sums = _sums(np.asarray(np.where(known, points - origin, 0.0)))
        counts = _sums(np.asarray(known, np.float64))
        ends = np.arange(1, len(points) + 1)
        total = counts[ends] - counts[firsts]
        mean = origin + (sums[ends] - sums[firsts]) / np.maximum(total, 1)
        found: Points = np.where(known, mean, np.nan)
        return found


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T + 1, …): of the first 0, 1, … T of them."""
    found: NDArray[np.float64] = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, 0)])
    return found


def _check_positive(option: str, seconds: float) -> None:
    if not 0 < seconds < math.inf:
        raise UserError(f"{option} of a filter is a time above 0 s, not {seconds:g}.")


FILTERS: dict[str, type[Filter]] = {"none": NoFilter, "one-euro": OneEuro, "exponential": Exponential, "mean": Mean}


def parse_filters(text: str) -> tuple[Filter, ...]:
    """`all`, or filters with commas between them, each with options behind colons: `none,one-euro:beta=5`.

    Raises UserError for an unknown filter or option, a bad value, or nothing at all.
    """
    names = list(FILTERS) if text.strip() == "all" else [part.strip() for part in text.split(",")]
    return tuple(dict.fromkeys(_parsed(name) for name in names))


def _parsed(spec: str) -> Filter:
    if not spec:
        raise UserError("The list of filters has an empty place in it.")
    name, *options = spec.split(":")
    if name not in FILTERS:
        raise UserError(unknown_name("filter", name, FILTERS))
    kind = FILTERS[name]
    known = [field.name for field in fields(kind)]
    values: dict[str, float] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in known:
            raise UserError(f"The filter {name} has no option “{key}”. It has: {', '.join(known) or 'none'}.")
        try:
            values[key] = float(value)
        except ValueError:
            raise UserError(f"{key} is a number, not “{value}”.") from None
    return kind(**values)

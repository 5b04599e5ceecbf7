"""Glass to glass: how long a change on the screen takes through camera and pose network back onto the screen.

The loop is closed at one point of the display's chain, the end of a paint: a flip of the pattern counts from the end of
the paint that shows it, and ends with the end of the paint of the first frame that shows the flip. What the display
takes from there to the light lies in the loop once, before the camera sees it, as it does after the paint for whoever
looks at the window. So the whole is right although no clock in this computer sees the light; only camera and display
cannot be told apart.

A flip meets the camera at any moment between two of its pictures. With a constant delay D and a frame interval T the
first frame that shows it is received D + U(0, T) after the flip: mean D + T / 2, standard deviation T / √12. Flips
must come at random moments, or they keep pace with the camera.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError

FLIPS = 50
FEWEST_USABLE = 20

Times = NDArray[np.int64]
# Texts are English; where they are shown, it translates.
Translate = Callable[[str], str]

# The level before and after a flip is the median of so many frames.
SETTLED_FRAMES = 3
# A flip was seen where the signal rose by that share of what was found before: some may be covered, or paler since the
# camera changed its exposure. A half is what covering the lens makes by itself, at any moment.
_LEAST_STEP = 0.6
# A frame below that share of the step, after one above a half, is no noise: something else changed.
_FALLEN_BACK = 0.25
# Delays whose interquartile range is more than this share of the time between two flips do not follow the pattern:
# what has nothing to do with it scatters over all of it, which is a half; a camera's frames over half an interval.
_MOST_SCATTER = 0.15
_MOST_SCATTER_FRAMES = 1.5
_OUTLIER_SIGMAS = 3.0


class NoFigure(UserError):
    """The flips do not bear a figure; says why in one sentence."""


class Outcome(Enum):
    """What became of a flip."""

    SEEN = "seen"
    NOT_SEEN = "not seen"
    UNSTEADY = "unsteady"
    NO_PICTURE = "no picture"
    NOT_PAINTED = "not painted"


@dataclass(frozen=True, slots=True)
class Flip:
    """shown_ns: host clock at the end of the paint that first showed it. state: the pattern since then, +1 or -1."""

    shown_ns: int
    state: int


@dataclass(frozen=True, slots=True)
class Samples:
    """The frames that were looked at, in order of capture; all (N,).

    captured_ns: host clock when the host received the frame; estimated_ns: when its people were known; painted_ns: at
    the end of the paint that first showed it, 0 where a newer one was painted instead. index: of the frame in its
    source, which counts those that nobody looked at too. signal: what follows the pattern, higher for state +1.
    """

    captured_ns: Times
    estimated_ns: Times
    painted_ns: Times
    index: Times
    signal: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlipReading:
    """One flip. Times in ms after it was shown, NaN where that was not seen.

    changed: when the signal passed the middle of its step, interpolated between two frames. received: the host had the
    first frame beyond it; estimated: its people were known; painted: it, or the first after it that was painted, was
    on screen.
    """

    shown_ns: int
    state: int
    outcome: Outcome
    changed: float = math.nan
    received: float = math.nan
    estimated: float = math.nan
    painted: float = math.nan


@dataclass(frozen=True, slots=True)
class DelaySpread:
    """Milliseconds over `count` flips. sd: standard deviation. low, high: 95 % interval of the median.

    The interval is that of two order statistics (Conover, Practical Nonparametric Statistics, 1999, section 3.2), which
    asks for no distribution.
    """

    p5: float
    p50: float
    p95: float
    sd: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> DelaySpread:
        """values: (n,) ms, at least two."""
        ordered = np.sort(values)
        p5, p50, p95 = np.percentile(ordered, (5, 50, 95)).tolist()
        reach = 0.98 * math.sqrt(len(ordered))  # 1.96 standard deviations of a binomial of n and a half
        low = max(0, math.floor(len(ordered) / 2 - reach))
        high = min(len(ordered) - 1, math.ceil(len(ordered) / 2 + reach) - 1)
        sd = float(ordered.std(ddof=1))
        return cls(p5, p50, p95, sd, float(ordered[low]), float(ordered[high]), len(ordered))


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a change at a random moment waits for the next frame, in ms; `interval` is the median between two.

    The residual life of a renewal process: with the intervals T it has the mean E[T²] / 2E[T] and the mean square
    E[T³] / 3E[T] (Cox, Renewal Theory, 1962, section 5.2): T / 2 and T / √12 where all are the same, more where frames
    are missing.
    """

    interval: float
    mean: float
    sd: float

    @classmethod
    def between(cls, times_ns: Times) -> Waiting:
        """times_ns: (n,) rising, at least two."""
        intervals = np.diff(times_ns) / 1e6
        mean = float((intervals**2).mean() / (2 * intervals.mean()))
        square = float((intervals**3).mean() / (3 * intervals.mean()))
        return cls(float(np.median(intervals)), mean, math.sqrt(max(0.0, square - mean**2)))


@dataclass(frozen=True, slots=True)
class Delays:
    """What the flips say. received, changed, posescope, estimated, painted: ms over the flips that were seen.

    painted is the whole, from flip to paint; received its part before this computer had the frame, camera and display
    together; changed the same without waiting for the next frame; posescope the rest, from receipt to paint; estimated
    the part of that until the people were known. camera_interval: between two pictures of the camera, ms; waiting: for
    the next that was looked at. outliers: by the number of the flip; they count in everything here.
    """

    readings: tuple[FlipReading, ...]
    painted: DelaySpread
    received: DelaySpread
    changed: DelaySpread
    posescope: DelaySpread
    estimated: DelaySpread
    waiting: Waiting
    camera_interval: float
    outliers: tuple[int, ...]

    @property
    def unused(self) -> dict[Outcome, int]:
        """How many flips do not count, by what became of them."""
        return count_unused(self.readings)


def read_flips(flips: Sequence[Flip], until_ns: int, samples: Samples, contrast: float) -> list[FlipReading]:
    """What became of each flip until the next one, of the last until `until_ns`.

    contrast: how much the signal rises from state -1 to +1. Delays must be shorter than the time between two flips,
    with `SETTLED_FRAMES` to spare.
    """
    ends = [*(flip.shown_ns for flip in flips), until_ns][1:]
    return [_read_flip(flip, end, samples, contrast) for flip, end in zip(flips, ends, strict=True)]


def _read_flip(flip: Flip, end_ns: int, samples: Samples, contrast: float) -> FlipReading:
    first, end = np.searchsorted(samples.captured_ns, (flip.shown_ns, end_ns), side="right").tolist()
    if first < SETTLED_FRAMES or end - first < SETTLED_FRAMES:
        return FlipReading(flip.shown_ns, flip.state, Outcome.NO_PICTURE)
    before = float(np.median(samples.signal[first - SETTLED_FRAMES : first]))
    after = float(np.median(samples.signal[end - SETTLED_FRAMES : end]))
    if (after - before) * flip.state < _LEAST_STEP * contrast:
        return FlipReading(flip.shown_ns, flip.state, Outcome.NOT_SEEN)
    # 0 before the step, 1 after it; with the last frame in front of the flip.
    progress = (samples.signal[first - 1 : end] - before) / (after - before)
    crossing = int(np.argmax(progress >= 0.5))
    if crossing == 0 or progress[crossing:].min() < _FALLEN_BACK:
        return FlipReading(flip.shown_ns, flip.state, Outcome.UNSTEADY)
    frame = first - 1 + crossing
    into = (0.5 - progress[crossing - 1]) / (progress[crossing] - progress[crossing - 1])
    last_ns, now_ns = samples.captured_ns[frame - 1 : frame + 1].tolist()
    painted = samples.painted_ns[frame:]
    painted = painted[painted > 0]
    return FlipReading(
        flip.shown_ns,
        flip.state,
        Outcome.SEEN if len(painted) else Outcome.NOT_PAINTED,
        changed=(last_ns + into * (now_ns - last_ns) - flip.shown_ns) / 1e6,
        received=(now_ns - flip.shown_ns) / 1e6,
        estimated=(int(samples.estimated_ns[frame]) - flip.shown_ns) / 1e6,
        painted=(int(painted[0]) - flip.shown_ns) / 1e6 if len(painted) else math.nan,
    )


def measure(flips: Sequence[Flip], until_ns: int, samples: Samples, contrast: float, tr: Translate = str) -> Delays:
    """The delays over all flips; arguments as of `read_flips`. Raises NoFigure."""
    readings = tuple(read_flips(flips, until_ns, samples, contrast))
    seen = [reading for reading in readings if reading.outcome is Outcome.SEEN]
    if len(seen) < FEWEST_USABLE:
        few = tr(
            "Only {n} of {count} flips could be used{unused}: there is no figure for fewer than {fewest}. "
            "Hold camera and screen still, and keep the pattern in the picture."
        )
        unused = unused_text(readings, tr)
        raise NoFigure(few.format(n=len(seen), count=len(flips), unused=unused, fewest=FEWEST_USABLE))
    changed, received, estimated, painted = (
        np.array([getattr(reading, name) for reading in seen])
        for name in ("changed", "received", "estimated", "painted")
    )
    shortest_ms = float(np.diff([*(flip.shown_ns for flip in flips), until_ns]).min()) / 1e6
    during = samples.captured_ns >= flips[0].shown_ns
    times_ns, indices = samples.captured_ns[during], samples.index[during]
    waiting = Waiting.between(times_ns)
    most_ms = max(_MOST_SCATTER * shortest_ms, _MOST_SCATTER_FRAMES * waiting.interval)
    low, high = np.percentile(received, (25, 75)).tolist()
    if high - low > most_ms:
        scattered = tr(
            "The delays differ too much for a figure: half of them scatter over {ms:.0f} ms. Keep flickering "
            "lights, other screens and moving things out of the picture, and hold the camera still."
        )
        raise NoFigure(scattered.format(ms=high - low))
    return Delays(
        readings=readings,
        painted=DelaySpread.of(painted),
        received=DelaySpread.of(received),
        changed=DelaySpread.of(changed),
        posescope=DelaySpread.of(painted - received),
        estimated=DelaySpread.of(estimated - received),
        waiting=waiting,
        camera_interval=float(np.median(np.diff(times_ns) / np.maximum(1, np.diff(indices)))) / 1e6,
        outliers=_outliers(readings),
    )


def _outliers(readings: Sequence[FlipReading]) -> tuple[int, ...]:
    """Flips further from the median than three standard deviations, these taken from the median absolute deviation.

    For a uniform distribution that is 1.1 times its whole width: what the camera's frames alone do is never outside.
    """
    painted = np.array([reading.painted for reading in readings])
    distance = np.abs(painted - np.nanmedian(painted))
    limit = _OUTLIER_SIGMAS * 1.4826 * np.nanmedian(distance)
    return tuple(np.flatnonzero(distance > limit).tolist())


def count_unused(readings: Sequence[FlipReading]) -> dict[Outcome, int]:
    """How many flips were not seen, by what became of them; only those that there are."""
    counts = {outcome: sum(reading.outcome is outcome for reading in readings) for outcome in Outcome}
    return {outcome: count for outcome, count in counts.items() if count and outcome is not Outcome.SEEN}


def unused_text(readings: Sequence[FlipReading], tr: Translate = str) -> str:
    """` (2 not seen, 1 unsteady)`; empty where all were used."""
    counts = count_unused(readings)
    return f" ({', '.join(f'{count} {tr(outcome.value)}' for outcome, count in counts.items())})" if counts else ""

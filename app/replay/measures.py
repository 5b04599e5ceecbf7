"""What is measured of every variant behind every filter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.comparison.resampling import UNKNOWN, Interval
from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter
from app.meters.lag import LagMeter
from app.meters.rolling import JointDistances
from app.replay.blocks import Blocks
from app.replay.delay import delay_s
from app.replay.filters import Filter, NoFilter
from app.replay.stillness import STILL, Stillness
from app.replay.tracks import Points, Tracks, spans
from app.replay.truth import Truth
from models.skeletons import BLAZEPOSE_33

ALL, MOVING = "all", "moving"
ALL_JOINTS = "all"

# The names of what is measured, as in results.csv. Px of the source, shares of the body's size, ms.
JITTER, JITTER_SHARE = "jitter_px", "jitter_body_share"
BIAS, BIAS_SHARE = "bias_px", "bias_body_share"
ERROR, ERROR_RMS, ERROR_P95 = "error_median_px", "error_rms_px", "error_p95_px"
ERROR_SHARE, ERROR_RMS_SHARE, ERROR_P95_SHARE = (
    "error_median_body_share", "error_rms_body_share", "error_p95_body_share",
)  # fmt: skip
LAG_TRUTH, LAG_FILTER = "lag_behind_truth_ms", "lag_behind_unfiltered_ms"

# The lag of a filter is read over this time, again and again, and the median of the readings counts.
_LAG_WINDOW_S, _LAG_EVERY_S = 4.0, 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a value belongs to: numbers of the variant and of the filter, a segment, a joint or ALL_JOINTS."""

    variant: int
    filter: int
    segment: str
    joint: str
    measure: str


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """All that was measured of one person in one clip.

    filters: the first is NoFilter. filtered: (F, T, V, K, 2) px. segments: name → (T,) frames that count; ALL first.
    values: without those that are not known.
    """

    tracks: Tracks
    filters: tuple[Filter, ...]
    filtered: Points
    stillness: Stillness
    truth: Truth | None
    segments: Mapping[str, NDArray[np.bool_]]
    blocks: Blocks
    values: Mapping[Place, Interval] = field(default_factory=dict)

    def interval(
        self, measure: str, variant: int, filter_: int = 0, segment: str = ALL, joint: str = ALL_JOINTS
    ) -> Interval:
        """UNKNOWN where it could not be told."""
        return self.values.get(Place(variant, filter_, segment, joint, measure), UNKNOWN)

    def value(self, measure: str, variant: int, filter_: int = 0, segment: str = ALL, joint: str = ALL_JOINTS) -> float:
        """NaN where it could not be told."""
        return self.interval(measure, variant, filter_, segment, joint).value

    def errors(self, variant: int, filter_: int = 0, segment: str = ALL) -> Points:
        """(T, K): distance to the truth in px, NaN where the joint cannot be seen or the frame does not count."""
        assert self.truth is not None
        return _distances(self.filtered[filter_, :, variant], self.truth, self.segments[segment])

    @property
    def jitter_segment(self) -> str:
        """Where jitter says most: while the person stands still, or everywhere where that is nowhere."""
        return STILL if STILL in self.segments else ALL


def measure(tracks: Tracks, filters: Sequence[Filter], still: Stillness, truth: Truth | None) -> Findings:
    """Measure everything. filters: NoFilter is put in front where it is not among them.

    truth: for exactly these frames, or None.
    """
    chosen = (NoFilter(), *(one for one in filters if not isinstance(one, NoFilter)))
    filtered = np.stack([one.apply(tracks) for one in chosen])
    segments = _segments(tracks, still, truth)
    found = Findings(tracks, chosen, filtered, still, truth, segments, Blocks(tracks.seconds))
    values: dict[Place, Interval] = {}
    for place, interval in _all_values(found):
        if math.isfinite(interval.value):
            values[place] = interval
    return Findings(tracks, chosen, filtered, still, truth, segments, found.blocks, values)


def _segments(tracks: Tracks, still: Stillness, truth: Truth | None) -> dict[str, NDArray[np.bool_]]:
    somebody = tracks.somebody
    found = {ALL: somebody, STILL: still.mask & somebody, MOVING: ~still.mask & somebody}
    if truth is not None:
        for name, frames in truth.segments.items():
            found.setdefault(name, (tracks.indices >= frames.start) & (tracks.indices < frames.stop) & somebody)
    if not found[STILL].any():
        del found[MOVING]  # which would be all
    return {name: mask for name, mask in found.items() if mask.any() or name == ALL}


def _all_values(found: Findings) -> Iterator[tuple[Place, Interval]]:
    for segment, mask in found.segments.items():
        yield from _meter_values(found, segment, mask)
        if found.truth is not None:
            yield from _truth_values(found, found.truth, segment, mask)
    yield from _filter_lags(found)


# --- jitter and bias ------------------------------------------------------------------------------------------------


def _meter_values(found: Findings, segment: str, mask: NDArray[np.bool_]) -> Iterator[tuple[Place, Interval]]:
    """By the app's own meters, over the whole segment."""
    tracks = found.tracks
    jitter, bias = JitterMeter(math.inf), BiasMeter(math.inf)
    filters, _, variants = found.filtered.shape[:3]
    names = {f"{f} {v}": (f, v) for f in range(filters) for v in range(variants)}
    for span in spans(mask & tracks.settled()):
        for t in span:
            person = tracks.person(t, {name: found.filtered[f, t, v] for name, (f, v) in names.items()})
            follows = t > span.start and bool(tracks.continues[t])
            jitter.add(int(tracks.times_ns[t]), person, continues=follows)
    for t in np.flatnonzero(mask).tolist():
        bias.add(int(tracks.times_ns[t]), tracks.person(t, {f"0 {v}": tracks.points[t, v] for v in range(variants)}))
    for distances, measures in ((jitter.read(), (JITTER, JITTER_SHARE)), (bias.read(), (BIAS, BIAS_SHARE))):
        yield from _metered(distances, measures, names, segment)


def _metered(
    distances: JointDistances, measures: tuple[str, str], names: Mapping[str, tuple[int, int]], segment: str
) -> Iterator[tuple[Place, Interval]]:
    for name in distances.per_joint:
        filter_, variant = names[name]
        for measure, value in zip(measures, (distances.overall[name], distances.body_share[name]), strict=True):
            yield Place(variant, filter_, segment, ALL_JOINTS, measure), _exactly(value)
        for joint, value in zip(BLAZEPOSE_33.joints, distances.per_joint[name], strict=True):
            yield Place(variant, filter_, segment, joint, measures[0]), _exactly(float(value))


# --- against the truth ----------------------------------------------------------------------------------------------


def _distances(points: Points, truth: Truth, mask: NDArray[np.bool_]) -> Points:
    far: Points = np.linalg.norm(points - truth.joints, axis=-1)
    far[~(truth.seen & mask[:, None])] = np.nan
    return far


def _truth_values(
    found: Findings, truth: Truth, segment: str, mask: NDArray[np.bool_]
) -> Iterator[tuple[Place, Interval]]:
    tracks = found.tracks
    annotated = np.flatnonzero(np.isfinite(truth.joints).all(-1).any(0))
    joints = [BLAZEPOSE_33.joints[joint] for joint in annotated]
    for filter_, variant in product(range(len(found.filters)), range(len(tracks.variants))):
        points = found.filtered[filter_, :, variant]
        far = _distances(points, truth, mask)[:, annotated]
        for scale, measures in (
            (np.ones(len(tracks)), (ERROR, ERROR_RMS, ERROR_P95)),
            (1 / tracks.bodies, (ERROR_SHARE, ERROR_RMS_SHARE, ERROR_P95_SHARE)),
        ):
            scaled = far * scale[:, None]
            median = found.blocks.median_interval(scaled) if measures[0] == ERROR else _exactly(_median(scaled))
            intervals = (median, *map(_exactly, _rms_and_p95(scaled)))
            for measure, interval in zip(measures, intervals, strict=True):
                yield Place(variant, filter_, segment, ALL_JOINTS, measure), interval
        for joint, column in zip(joints, far.T, strict=True):
            yield Place(variant, filter_, segment, joint, ERROR), _exactly(_median(column))
        if segment not in (STILL, MOVING):
            counted = truth.seen & mask[:, None] & np.isfinite(points).all(-1)
            lag = delay_s(
                tracks.seconds, points[:, annotated], counted[:, annotated],
                tracks.seconds, truth.joints[:, annotated], tracks.bodies,
            )  # fmt: skip
            yield Place(variant, filter_, segment, ALL_JOINTS, LAG_TRUTH), _exactly(1000 * lag)


def _median(values: Points) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _rms_and_p95(values: Points) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan
    return math.sqrt(float((known**2).mean())), float(np.quantile(known, 0.95))


# --- what the filters cost ------------------------------------------------------------------------------------------


def _filter_lags(found: Findings) -> Iterator[tuple[Place, Interval]]:
    for filter_ in range(1, len(found.filters)):
        for variant in range(len(found.tracks.variants)):
            lags = list(
                _lag_readings(found.tracks, found.tracks.points[:, variant], found.filtered[filter_, :, variant])
            )
            if lags:
                yield Place(variant, filter_, ALL, ALL_JOINTS, LAG_FILTER), _exactly(float(np.median(lags)))


def _lag_readings(tracks: Tracks, raw: Points, filtered: Points) -> Iterable[float]:
    """ms, by the app's own meter, from all windows in which something moves."""
    name = "points"
    for run in tracks.runs():
        meter = LagMeter(_LAG_WINDOW_S)
        due_ns = tracks.times_ns[run.start] + _LAG_WINDOW_S * 1e9
        for t in run:
            time_ns = int(tracks.times_ns[t])
            before, after = (tracks.person(t, {name: points[t]}) for points in (raw, filtered))
            meter.add(time_ns, before, after, name)
            last = t == run.stop - 1
            if time_ns >= due_ns or last:
                due_ns = time_ns + _LAG_EVERY_S * 1e9
                lag = meter.read()
                if lag is not None:
                    yield lag


def _exactly(value: float) -> Interval:
    return Interval(value, math.nan, math.nan)

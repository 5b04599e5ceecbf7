"""One person through a clip: where every variant put each joint in each frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.comparison.variants import Variant
from app.frames import Person
from models.regions import CROP_MARGIN, Region

Points = NDArray[np.float64]

# Frames further apart than this are not neighbours, as for the meters.
LONGEST_GAP_NS = 500_000_000
# The crop settles on the person in the first frames of a track: they do not count for jitter.
SETTLING_FRAMES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """T frames, V variants, K joints in the order of BLAZEPOSE_33. Points are px of the source, (0, 0) is the centre of
    the top left pixel; NaN where nobody was seen.

    indices: (T,) each frame's number in its source. times_ns: (T,) on the source's own time line, rising.
    people: (T,) who was followed, -1 where nobody. continues: (T,) False where a frame does not follow from the one
        before it.
    points: (T, V, K, 2). regression: (T, K, 2) the network's own points, whether or not it is one of the variants: they
        read no heatmap, so no decoder decides what is called still. peaks: (T, K, 2) the sub-cell peaks of the
        heatmaps, from which the bias is counted. scores: (T, K) how high they are, 0 where nobody was seen.
    bodies: (T,) the body's size, px. width, height: of the picture, px.
    """

    variants: tuple[Variant, ...]
    indices: NDArray[np.int64]
    times_ns: NDArray[np.int64]
    people: NDArray[np.int64]
    continues: NDArray[np.bool_]
    points: Points
    regression: Points
    peaks: Points
    scores: Points
    bodies: Points
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def seconds(self) -> Points:
        """(T,) since the first frame."""
        return np.asarray((self.times_ns - self.times_ns[0]) / 1e9, np.float64)

    @property
    def somebody(self) -> NDArray[np.bool_]:
        """(T,) whether a person was seen."""
        return self.people >= 0

    @property
    def fps(self) -> float:
        """Frames a second, from the median interval; NaN for a single frame."""
        steps = np.diff(self.times_ns)
        return float(1e9 / np.median(steps)) if len(steps) else float("nan")

    def runs(self) -> list[range]:
        """The frames in which one person was followed without a break."""
        starts = [t for t in range(len(self)) if self.somebody[t] and (t == 0 or not self._follows(t))]
        ends = [t for t in range(1, len(self) + 1) if self.somebody[t - 1] and (t == len(self) or not self._follows(t))]
        return [range(start, end) for start, end in zip(starts, ends, strict=True)]

    def _follows(self, t: int) -> bool:
        """Whether frame `t` shows the person of the frame before it, who went on being followed."""
        near = self.times_ns[t] - self.times_ns[t - 1] <= LONGEST_GAP_NS
        return bool(self.continues[t] and near and self.people[t] == self.people[t - 1])

    def settled(self) -> NDArray[np.bool_]:
        """(T,) False where the crop still settles on a person who has just been found, and where nobody is."""
        found = np.zeros(len(self), np.bool_)
        for run in self.runs():
            found[run.start + SETTLING_FRAMES : run.stop] = True
        return found

    def person(self, t: int, points: Mapping[str, Points]) -> Person:
        """The person of frame `t` as the app's meters and filters take them, with these points, each (K, 2)."""
        here = {name: np.asarray(places, np.float32) for name, places in points.items()}
        return Person(
            id=int(self.people[t]),
            region=Region(0.0, 0.0, CROP_MARGIN * float(self.bodies[t]), 0.0),
            presence=1.0,
            points=here,
            scores={"argmax": self.scores[t].astype(np.float32)},
            peaks=self.peaks[t].astype(np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one frame says. points: (V, K, 2); None where nobody was seen."""

    index: int
    time_ns: int
    continues: bool
    person: Person | None
    points: Points | None


def joined(variants: Sequence[Variant], frames: Sequence[Seen], size: tuple[int, int]) -> Tracks:
    """Tracks of these frames, at least one; size: width and height of the picture."""
    joints = next((frame.points.shape[1] for frame in frames if frame.points is not None), 0)
    nobody = np.full((joints, 2), np.nan)
    nowhere = np.full((len(variants), joints, 2), np.nan)
    people = [frame.person for frame in frames]
    return Tracks(
        variants=tuple(variants),
        indices=np.array([frame.index for frame in frames], np.int64),
        times_ns=np.array([frame.time_ns for frame in frames], np.int64),
        people=np.array([-1 if person is None else person.id for person in people], np.int64),
        continues=np.array([frame.continues for frame in frames], np.bool_),
        points=np.array([nowhere if frame.points is None else frame.points for frame in frames], np.float64),
        regression=np.array([nobody if person is None else person.own_points for person in people], np.float64),
        peaks=np.array([nobody if person is None else person.peaks for person in people], np.float64),
        scores=np.array(
            [np.zeros(joints) if person is None else person.scores["argmax"] for person in people], np.float64
        ),
        bodies=np.array([np.nan if person is None else person.region.body_size for person in people], np.float64),
        width=size[0],
        height=size[1],
    )


def spans(mask: NDArray[np.bool_]) -> Iterator[range]:
    """The ranges in which `mask` (T,) is True."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    for start, stop in list(pairwise(changes.tolist()))[::2]:
        yield range(start, stop)


def spans_text(mask: NDArray[np.bool_], indices: NDArray[np.int64]) -> str:
    """`8–89, 120–150`: the frames in which `mask` is True, by their numbers in the source; `none` where there are none.

    Of many stretches the first three are named.
    """
    found = [f"{indices[span.start]}–{indices[span.stop - 1]}" for span in spans(mask)]
    more = [f"{len(found) - 3} more"] if len(found) > 3 else []
    return ", ".join([*found[:3], *more]) or "none"

"""How far an engine's keypoints lie from those of torch in float32 on the CPU, on the very same crops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError
from app.frames import Image
from models.estimator import PoseEstimator
from models.regions import Region
from models.traits import NetworkTraits

# Joints with a lower peak have no place that a decoder could find.
LEAST_PEAK = 0.3
FAR_CELLS = 0.1


@dataclass(frozen=True, slots=True)
class Followed:
    """What the reference saw in one frame: its crop, and its points (33, 2) px, see `models.people.Person`."""

    region: Region
    points: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class CellErrors:
    """Distances in cells of the heatmap; far_share: share of the points that are more than FAR_CELLS off."""

    p50: float
    p95: float
    max: float
    far_share: float


def cells_of(traits: NetworkTraits) -> int:
    """How many cells of the heatmaps a crop is high: one for every four pixels, in all of these networks."""
    return traits.height // 4


def follow(
    estimator: PoseEstimator, frames: Sequence[Image], source: str, on_frame: Callable[[], object]
) -> list[Followed | None]:
    """The reference's way through the frames. Raises UserError where it sees nobody at all."""
    estimator.reset()
    seen: list[Followed | None] = []
    for image in frames:
        people = estimator.estimate(image).people
        seen.append(Followed(people[0].region, people[0].own_points) if people else None)
        on_frame()
    if not any(seen):
        raise UserError(f"Nobody was found in {len(frames)} frames of “{source}”.")
    return seen


def crowd(region: Region, people: int) -> list[Region]:
    """As many crops as people, the first is `region`, the others lie around it and are up to 6 % larger or smaller."""
    around = []
    for i in range(1, people):
        angle = 2.4 * i  # the golden angle: no two lie in the same direction
        around.append(
            replace(
                region,
                center_x=region.center_x + 0.05 * region.side * math.cos(angle),
                center_y=region.center_y + 0.05 * region.side * math.sin(angle),
                side=region.side * (1 + 0.06 * math.sin(3 * angle)),
            )
        )
    return [region, *around]


def crowds(followed: Sequence[Followed | None], people: int) -> list[list[Region]]:
    """The crops for each frame; where the reference saw nobody, those of the nearest frame before, or the first."""
    last = next(one for one in followed if one is not None)
    crops = []
    for one in followed:
        last = one or last
        crops.append(crowd(last.region, people))
    return crops


def cell_errors(
    reference: PoseEstimator,
    candidate: PoseEstimator,
    frames: Sequence[Image],
    crops: Sequence[Sequence[Region]],
    on_frame: Callable[[], object],
) -> dict[str, CellErrors] | None:
    """By decoder, over all joints whose heatmap peak is at least LEAST_PEAK for the reference; None without any.

    Both read the same crops: estimators that follow a person on their own cut crops that differ a little, and so see
    other pixels.
    """
    distances = list(_distances(reference, candidate, frames, crops, on_frame))
    stacked = np.concatenate(distances, axis=1) if distances else np.empty((len(reference.decoders), 0))
    if not stacked.size:
        return None
    return {name: _summary(row) for name, row in zip(reference.decoders, stacked, strict=True)}


def _distances(
    reference: PoseEstimator,
    candidate: PoseEstimator,
    frames: Sequence[Image],
    crops: Sequence[Sequence[Region]],
    on_frame: Callable[[], object],
) -> Iterator[NDArray[np.float64]]:
    """For each person (decoders, joints that count), in cells."""
    for image, regions in zip(frames, crops, strict=True):
        expected, found = (estimator.read(image, regions).people for estimator in (reference, candidate))
        for one, other in zip(expected, found, strict=True):
            counts = one.scores["argmax"] >= LEAST_PEAK
            offsets = [
                np.asarray(other.points[name], np.float64)[counts] - one.points[name][counts]
                for name in reference.decoders
            ]
            yield np.linalg.norm(offsets, axis=-1) / (one.region.side / cells_of(reference.traits))
        on_frame()


def _summary(distances: NDArray[np.float64]) -> CellErrors:
    # A point that is no number is as far off as can be.
    distances = np.where(np.isnan(distances), np.inf, distances)
    with np.errstate(invalid="ignore"):
        p50, p95, largest = np.nan_to_num(np.percentile(distances, (50, 95, 100)), nan=np.inf, posinf=np.inf)
    return CellErrors(float(p50), float(p95), float(largest), float((distances > FAR_CELLS).mean()))


def median_share_of_body(
    followed: Sequence[Followed | None], points: Sequence[NDArray[np.floating] | None]
) -> float | None:
    """Median distance between two ways of following the same person, as a share of the body's size; None where both
    never saw someone in the same frame.
    """
    shares = [
        np.linalg.norm(found - one.points, axis=-1) / one.region.body_size
        for one, found in zip(followed, points, strict=True)
        if one is not None and found is not None
    ]
    return float(np.nanmedian(shares)) if shares else None

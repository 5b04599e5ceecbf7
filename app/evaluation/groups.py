"""The scores of every variant over groups of people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.comparison.resampling import (
    RESAMPLES,
    UNKNOWN,
    Interval,
    mean_interval,
    median_interval,
    resampled_counts,
)
from app.comparison.variants import Variant
from app.evaluation.annotations import AnnotatedPerson
from app.evaluation.average_precision import Found, PrecisionMeter
from app.evaluation.outcome import Group, JointScores, VariantScores
from app.evaluation.scores import Scored

CLOSE, NEAR = 0.05, 0.10
ALL_PEOPLE = "all people"
# The median of many joints over many resamples takes long: so many numbers in all, but never fewer resamples than this.
_MOST_DRAWN_JOINTS = 1_000_000
_LEAST_RESAMPLES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Everybody who was scored, and what the average precision needs beside them.

    found: everybody whom the detector found, or None where people were read at their annotated boxes: then the average
        precision of a group sees these people and nobody else.
    bystanders: annotated, but not scored; with the detector, finding them is no mistake.
    """

    scored: Scored
    variants: tuple[Variant, ...]
    sigmas: tuple[float, ...]
    found: tuple[Found, ...] | None = None
    bystanders: tuple[AnnotatedPerson, ...] = ()

    def precision_meter(self, indices: Sequence[int]) -> PrecisionMeter:
        """For a group of the people who were scored.

        With the detector the pictures that hold somebody of the group are looked at: people outside of the group
        excuse those who find them, and whoever finds nobody is a mistake in every group that has this picture.
        """
        group = [self.scored.people[i] for i in indices]
        if self.found is None:
            found = [
                Found(person.image_id, self.scored.points[i], float(self.scored.confidences[i]))
                for i, person in zip(indices, group, strict=True)
            ]
            return PrecisionMeter(group, [True] * len(group), found, self.sigmas)
        images, inside = {person.image_id for person in group}, set(indices)
        outside = [person for i, person in enumerate(self.scored.people) if i not in inside]
        others = [person for person in (*outside, *self.bystanders) if person.image_id in images]
        counts = [True] * len(group) + [False] * len(others)
        return PrecisionMeter([*group, *others], counts, self.found, self.sigmas)


def group_scores(
    evaluated: Evaluated, split: str, name: str, indices: Sequence[int], precision_resamples: int = 0
) -> Group:
    """Every variant over these people. precision_resamples: for the interval of the average precision; 0 for none."""
    scored = evaluated.scored.part(indices)
    counts = resampled_counts([person.image_id for person in scored.people])
    meter = evaluated.precision_meter(indices)
    close, near, labelled = scored.hits(CLOSE), scored.hits(NEAR), scored.labelled
    scores = []
    for i, variant in enumerate(evaluated.variants):
        precision = meter.measure(i, precision_resamples)
        scores.append(
            VariantScores(
                variant=variant,
                people=len(scored.people),
                joints=int(labelled.sum()),
                ap=precision.ap,
                ap50=precision.ap50,
                ap75=precision.ap75,
                ar=precision.ar,
                mean_oks=mean_interval(scored.oks[:, i], counts),
                pck5=_share_interval(close[:, i], labelled, counts),
                pck10=_share_interval(near[:, i], labelled, counts),
                median_error=_median_error(scored.errors[:, i], counts),
            )
        )
    return Group(split, name, len(scored.people), tuple(scores))


def _share_interval(hits: NDArray[np.int64], of: NDArray[np.int64], counts: NDArray[np.int64]) -> Interval:
    """The share of all people's joints that are hits, and its interval over `counts` (R, P)."""
    total = int(of.sum())
    if not total:
        return UNKNOWN
    low, high = np.quantile((counts @ hits) / np.maximum(counts @ of, 1), (0.025, 0.975))
    return Interval(float(hits.sum()) / total, float(low), float(high))


def _median_error(errors: NDArray[np.float64], counts: NDArray[np.int64]) -> Interval:
    """Of the joints of (P, J) that have an error: people are drawn with all their joints."""
    person_of, joint = np.nonzero(np.isfinite(errors))
    if not len(joint):
        return UNKNOWN
    resamples = min(RESAMPLES, max(_LEAST_RESAMPLES, _MOST_DRAWN_JOINTS // len(joint)))
    return median_interval(errors[person_of, joint], counts[:resamples, person_of])


def joint_scores(scored: Scored, joints: Sequence[str], variants: Sequence[Variant]) -> tuple[JointScores, ...]:
    """Every joint read by every variant, visible and occluded ones apart."""
    labels = scored.labels
    found = []
    for j, joint in enumerate(joints):
        seen, hidden = labels[:, j] == 2, labels[:, j] == 1
        for i, variant in enumerate(variants):
            errors = scored.errors[:, i, j]
            found.append(
                JointScores(
                    joint=joint,
                    variant=variant,
                    seen=int(seen.sum()),
                    hidden=int(hidden.sum()),
                    pck5_seen=_close_share(errors[seen]),
                    pck5_hidden=_close_share(errors[hidden]),
                    median_error_seen=_median(errors[seen]),
                    median_error_hidden=_median(errors[hidden]),
                )
            )
    return tuple(found)


def _close_share(errors: NDArray[np.float64]) -> float:
    """People who were not found have no error, and their joints are not close."""
    return float(np.mean(errors < CLOSE)) if len(errors) else math.nan


def _median(errors: NDArray[np.float64]) -> float:
    known = errors[np.isfinite(errors)]
    return float(np.median(known)) if len(known) else math.nan

"""How well people were read: OKS, PCK and the distance of each joint, per person and variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.evaluation.annotations import AnnotatedPerson


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """P people with J joints, read by V variants.

    points: (P, V, J, 2) px of the picture; NaN for a person who was not found. confidences: (P,), the same for every
        variant: see `app.evaluation.average_precision`.
    oks: (P, V), 0 to 1; 0 for a person who was not found.
    errors: (P, V, J), distance as a share of the longer side of the person's box; NaN where not labelled or not found.
    """

    people: tuple[AnnotatedPerson, ...]
    points: NDArray[np.float64]
    confidences: NDArray[np.float64]
    oks: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(P, J): 0 not labelled, 1 occluded, 2 visible."""
        return np.array([person.labels for person in self.people], np.int64).reshape(self.errors.shape[::2])

    @property
    def labelled(self) -> NDArray[np.int64]:
        """(P,): how many joints are labelled."""
        return np.asarray((self.labels > 0).sum(1), np.int64)

    @property
    def missed(self) -> NDArray[np.bool_]:
        """(P,): who was not found."""
        return np.asarray(np.isnan(self.points).all((1, 2, 3)))

    def hits(self, share: float) -> NDArray[np.int64]:
        """(P, V): how many labelled joints are closer than this share of the longer side of the box."""
        # NaN is not less.
        return np.asarray((self.errors < share).sum(2), np.int64)

    def part(self, indices: Sequence[int]) -> Scored:
        """These people alone."""
        places = list(indices)
        return Scored(
            tuple(self.people[i] for i in places),
            self.points[places],
            self.confidences[places],
            self.oks[places],
            self.errors[places],
        )


def score_people(
    people: Sequence[AnnotatedPerson],
    points: NDArray[np.float64],
    confidences: NDArray[np.float64],
    sigmas: Sequence[float],
) -> Scored:
    """Compare points (P, V, J, 2) with the annotations. PCK's threshold is a share of the longer side of the person's
    box, as in Yang and Ramanan (Articulated Human Detection with Flexible Mixtures of Parts, TPAMI 2013).
    """
    oks = np.zeros(points.shape[:2])
    errors = np.full(points.shape[:3], np.nan)
    for i, person in enumerate(people):
        seen = person.labels > 0
        distances = np.linalg.norm(points[i] - person.joints, axis=-1)
        errors[i][:, seen] = distances[:, seen] / person.longer_side
        oks[i] = similarity(points[i], person, sigmas)
    return Scored(tuple(people), points, confidences, oks, errors)


def similarity(points: NDArray[np.float64], person: AnnotatedPerson, sigmas: Sequence[float]) -> NDArray[np.float64]:
    """Object keypoint similarity of points (..., J, 2) in px with a person: (...,), 0 to 1; 0 where points are NaN.

    The mean of exp(-d² / (2 s² k²)) over the labelled joints, with the distance d, s² the person's area and k = 2 σ:
    cocodataset.org, Keypoint Evaluation.
    """
    seen = person.labels > 0
    squared = ((points - person.joints) ** 2).sum(-1)[..., seen]
    doubled = 2 * np.asarray(sigmas)[seen]
    closeness = np.exp(-squared / (2 * person.area * doubled**2))
    return np.asarray(np.nan_to_num(closeness.mean(-1)), np.float64)

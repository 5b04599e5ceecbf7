"""Which of the people whom the detector found is which of the annotated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.evaluation.annotations import AnnotatedPerson
from app.evaluation.reading import Reading
from app.evaluation.scores import similarity

# Whoever is less similar than this to every reading by every variant was not found.
_LEAST_SIMILARITY = 0.1


def match_people(
    people: Sequence[AnnotatedPerson], readings: Sequence[Reading], sigmas: Sequence[float]
) -> list[Reading | None]:
    """For each annotated person the reading that is theirs, or None where nobody found them.

    One to one, the most similar pair first. How similar: the mean OKS over the variants, so that all variants have the
    same pairs. A pair needs an OKS of .1 by one variant at least: the rest are strangers. People without labelled
    joints cannot be matched.
    """
    found: list[Reading | None] = [None] * len(people)
    means, best = _similarities(people, readings, sigmas)
    means = np.where(best >= _LEAST_SIMILARITY, means, -1.0)
    while means.size and means.max() >= 0:
        person, reading = np.unravel_index(int(means.argmax()), means.shape)
        found[int(person)] = readings[int(reading)]
        means[person] = means[:, reading] = -1.0
    return found


def _similarities(
    people: Sequence[AnnotatedPerson], readings: Sequence[Reading], sigmas: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(people, readings) each: the mean OKS over the variants, and the largest."""
    means, best = np.zeros((2, len(people), len(readings)))
    for i, person in enumerate(people):
        if not person.labelled:
            continue
        for j, reading in enumerate(readings):
            values = similarity(reading.points, person, sigmas)
            means[i, j], best[i, j] = values.mean(), values.max()
    return means, best

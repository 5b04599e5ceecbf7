"""Variants against each other on the same people: paired differences, and where they disagree most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.comparison.resampling import mean_interval, resampled_counts
from app.comparison.variants import Variant
from app.errors import SourceError
from app.evaluation.annotations import AnnotatedImage, read_picture
from app.evaluation.drawing import draw_person
from app.evaluation.groups import ALL_PEOPLE
from app.evaluation.outcome import READ_WITH_OKS, Difference, Disagreement
from app.evaluation.scores import Scored
from models.readings import DEFAULT_BETA

# Fewer people say nothing about a difference.
LEAST_PEOPLE = 10
MOST_PICTURES = 10


def reference_variant(variants: Sequence[Variant]) -> int:
    """The place of the variant that the others are compared with: debiased as it is by default, with the default β if
    it is there; else any debiased; else the first.
    """
    default = ("debiased", None, None)

    def rank(place: int) -> tuple[bool, bool, bool]:
        variant = variants[place]
        as_default = variant.form == default
        return as_default and variant.beta == DEFAULT_BETA, as_default, variant.decoder == "debiased"

    return max(range(len(variants)), key=rank)


def pairs(variants: Sequence[Variant]) -> list[tuple[int, int]]:
    """Who is compared with whom over all people: the reference with all others, and the forms that the paper compares
    (IPR, its own form of debiased IPR) with argmax.
    """
    reference = reference_variant(variants)
    found = [(reference, i) for i in range(len(variants)) if i != reference]
    argmax = next((i for i, variant in enumerate(variants) if variant.decoder == "argmax"), None)
    if argmax is not None:
        of_paper = [
            i
            for i, variant in enumerate(variants)
            if variant.decoder == "ipr" or variant.form == ("debiased", False, 0.0)
        ]
        found += [(i, argmax) for i in of_paper if i != reference]
    return [pair for i, pair in enumerate(found) if pair not in found[:i] and pair[::-1] not in found[:i]]


def differences(
    scored: Scored, variants: Sequence[Variant], parts: Iterable[tuple[str, str, Sequence[int]]]
) -> tuple[Difference, ...]:
    """Over all people, and over every part (split, name, which people) with LEAST_PEOPLE or more: there of the
    reference only.
    """
    reference = reference_variant(variants)
    compared = pairs(variants)
    found = _differences(scored, variants, (ALL_PEOPLE, ""), compared)
    for split, name, indices in parts:
        if len(indices) >= LEAST_PEOPLE:
            of_reference = [pair for pair in compared if pair[0] == reference]
            found += _differences(scored.part(indices), variants, (split, name), of_reference)
    return tuple(found)


def _differences(
    scored: Scored, variants: Sequence[Variant], group: tuple[str, str], compared: Iterable[tuple[int, int]]
) -> list[Difference]:
    counts = resampled_counts([person.image_id for person in scored.people])
    found = []
    for first, second in compared:
        gain = scored.oks[:, first] - scored.oks[:, second]
        better = float(np.mean((gain > 0) + 0.5 * (gain == 0)))
        found.append(
            Difference(group, variants[first], variants[second], len(gain), mean_interval(gain, counts), better)
        )
    return found


def spreads(scored: Scored) -> NDArray[np.float64]:
    """(P,): the median over a person's labelled joints of the largest distance between two variants, as a share of the
    longer side of the box; NaN for who was not found.
    """
    found = np.full(len(scored.people), np.nan)
    for i, person in enumerate(scored.people):
        points = scored.points[i][:, person.labels > 0]
        apart = np.linalg.norm(points[:, None] - points[None], axis=-1).max((0, 1))
        found[i] = np.median(apart) / person.longer_side
    return found


def disagreements(
    scored: Scored, variants: Sequence[Variant], images: Sequence[AnnotatedImage], joints: Sequence[str]
) -> tuple[Disagreement, ...]:
    """The people whom the variants read most differently, each drawn, the largest spread first; only those whom one of
    them reads with READ_WITH_OKS or more.
    """
    by_id = {image.id: image for image in images}
    spread = spreads(scored)
    read = np.flatnonzero(scored.oks.max(1) >= READ_WITH_OKS)
    order = read[np.argsort(-spread[read], kind="stable")].tolist()
    found = []
    for i in order[:MOST_PICTURES]:
        person = scored.people[i]
        try:
            picture = read_picture(by_id[person.image_id])
        except SourceError:
            # It was there a moment ago; the numbers stay.
            continue
        drawn = draw_person(picture, person, scored.points[i], variants, joints)
        oks = tuple(map(float, scored.oks[i]))
        found.append(Disagreement(person.image, person.annotation_id, drawn, float(spread[i]), oks))
    return tuple(found)

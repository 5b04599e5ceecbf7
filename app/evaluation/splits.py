"""Parts of the people that have something in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.evaluation.annotations import AnnotatedPerson

# A box that comes so close to the picture's border, in px, is cut by it.
BORDER = 2.0

_Part = tuple[str, Callable[[AnnotatedPerson], bool]]

SPLITS: dict[str, tuple[_Part, ...]] = {
    "labelled keypoints": (
        ("1–5", lambda person: person.labelled <= 5),
        ("6–10", lambda person: 6 <= person.labelled <= 10),
        ("11 or more", lambda person: person.labelled >= 11),
    ),
    "occluded keypoints": (
        ("none", lambda person: person.occluded_share == 0),
        ("up to a quarter", lambda person: 0 < person.occluded_share <= 0.25),
        ("more than a quarter", lambda person: person.occluded_share > 0.25),
    ),
    "height of the person": (
        ("under 96 px", lambda person: person.height < 96),
        ("96–192 px", lambda person: 96 <= person.height <= 192),
        ("over 192 px", lambda person: person.height > 192),
    ),
    "cut by the picture’s border": (
        ("no", lambda person: not person.is_cut(BORDER)),
        ("yes", lambda person: person.is_cut(BORDER)),
    ),
}


def split_people(people: Sequence[AnnotatedPerson]) -> list[tuple[str, str, list[int]]]:
    """(split, part, which people) for every part that somebody is in."""
    parts = [
        (split, name, [i for i, person in enumerate(people) if belongs(person)])
        for split, found in SPLITS.items()
        for name, belongs in found
    ]
    return [part for part in parts if part[2]]

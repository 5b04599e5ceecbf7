"""Tracks of a person who moves in known ways."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.comparison.variants import Variant
from app.replay.tracks import Tracks
from app.replay.truth import Truth
from models.skeletons import BLAZEPOSE_33
from tests.app.builders import standing_points

JOINTS = len(BLAZEPOSE_33.joints)
BODY = 200.0
ARGMAX, DEBIASED = Variant("argmax"), Variant("debiased", 10.0)
Points = NDArray[np.float64]


def steady(frames: int, fps: float = 30.0) -> Points:
    """(T,) s."""
    return np.arange(frames) / fps


def waving(seconds: Points) -> Points:
    """(T, 33, 2): a standing person of 200 px whose joints swing, each at its own pace, by up to 25 px to a side."""
    pace = np.linspace(0.6, 1.3, JOINTS)[:, None] * np.array([1.0, 0.8])
    turn = 2 * np.pi * seconds[:, None, None] * pace + np.arange(JOINTS)[:, None]
    return standing_points().astype(np.float64) + 25 * np.sin(turn)


def standing(seconds: Points) -> Points:
    """(T, 33, 2): the same person, at rest."""
    return np.broadcast_to(standing_points().astype(np.float64), (len(seconds), JOINTS, 2)).copy()


def tracks_of(
    seconds: Points,
    *points: Points,
    regression: Points | None = None,
    peaks: Points | None = None,
    people: Sequence[int] | None = None,
    variants: Sequence[Variant] = (ARGMAX, DEBIASED),
) -> Tracks:
    """Tracks with one (T, 33, 2) for each variant. people: who is followed in each frame, -1 for nobody."""
    who = np.zeros(len(seconds), np.int64) if people is None else np.array(people)
    stacked = np.stack(points, 1)
    nobody = who < 0
    stacked[nobody] = np.nan
    return Tracks(
        variants=tuple(variants[: len(points)]),
        indices=np.arange(len(seconds)),
        times_ns=np.round((seconds + 7) * 1e9).astype(np.int64),
        people=who,
        continues=np.ones(len(seconds), np.bool_),
        points=stacked,
        regression=points[0] if regression is None else regression,
        peaks=points[0] if peaks is None else peaks,
        scores=np.where(nobody[:, None], 0.0, np.full((len(seconds), JOINTS), 0.9)),
        bodies=np.where(nobody, np.nan, BODY),
        width=640,
        height=480,
    )


def truth_of(joints: Points, **fields: object) -> Truth:
    """All of these (T, 33, 2) joints can be seen."""
    return Truth(joints, np.ones(joints.shape[:2], np.bool_), **fields)  # type: ignore[arg-type]

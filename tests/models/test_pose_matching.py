"""Who is who among poses without names: hand-made bodies on known ways."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from models.pose_matching import PoseMatcher

MS = 1_000_000
BODY = 100.0
COLUMN = np.stack([np.zeros(33), np.linspace(-50, 50, 33)], 1)


def standing(x: float, y: float = 200.0) -> np.ndarray:
    return COLUMN + np.array((x, y))


def seen(matcher: PoseMatcher, time_ms: float, *places: float) -> list[int]:
    """The numbers of people who stand at these x."""
    poses = [standing(x) for x in places]
    return [one.id for one in matcher.identities(poses, [BODY] * len(poses), round(time_ms * MS))]


@pytest.fixture
def matcher() -> PoseMatcher:
    """Knows 1 at 100 and 2 at 300."""
    matcher = PoseMatcher()
    assert seen(matcher, 0, 100, 300) == [1, 2]
    return matcher


def test_the_order_in_which_they_come_does_not_matter(matcher):
    assert seen(matcher, 33, 500, 100, 300) == [3, 1, 2]
    place_of = {1: 102, 2: 297, 3: 504}
    for i, order in enumerate(itertools.permutations(place_of), 2):
        assert seen(matcher, 33 * i, *(place_of[number] for number in order)) == list(order)


def test_who_walks_past_the_other_keeps_the_number(matcher):
    for i in range(1, 60):
        # 120 px a second each; at the meeting they stand in one place, and the one in front alone is seen.
        people = {1: 100 + 4 * i, 2: 300 - 4 * i}
        hidden = abs(people[1] - people[2]) < 30
        known = seen(matcher, 33 * i, *([people[2]] if hidden else [people[2], people[1]]))
        assert known == ([2] if hidden else [2, 1])


def test_who_is_far_from_everybody_is_new(matcher):
    assert seen(matcher, 33, 160, 300) == [3, 2]
    assert seen(matcher, 66, 160, 300, 100) == [3, 2, 1]


@pytest.mark.parametrize(("after_ms", "number"), [(950, 1), (1100, 3)])
def test_who_was_lost_comes_back_under_the_same_number_within_a_second(matcher, after_ms, number):
    for time_ms in range(33, after_ms, 33):
        assert seen(matcher, time_ms, 300) == [2]
    assert seen(matcher, after_ms, 300, 105) == [2, number]


def test_slots_are_the_first_that_are_free(matcher):
    def slots(time_ms: float, *places: float) -> list[int]:
        poses = [standing(x) for x in places]
        return [one.slot for one in matcher.identities(poses, [BODY] * len(poses), round(time_ms * MS))]

    assert slots(33, 100, 300, 500) == [0, 1, 2]
    assert slots(66, 300, 700) == [1, 3]  # the others may come back
    assert slots(1200, 300, 700, 500) == [0, 1, 2]


def test_nobody_is_known_after_a_cut(matcher):
    matcher.forget()
    assert seen(matcher, 33, 100) == [3]
    assert seen(matcher, 66) == []

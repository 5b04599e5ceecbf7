"""Where the person moves while they should hold still, the stretch counts in which they do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.frames import PoseResult
from tests.app.meter_motion import person_at
from tests.app.test_hold_still import START, STILL, measured, result_at


def walking_or_still(still: range, frames: int) -> Iterator[PoseResult]:
    """30 a second, every joint trembling by 0.3 px; walking but for those frames."""
    random, walked = np.random.default_rng(3), 0.0
    for i in range(frames):
        walked += 0.0 if i in still else 3.0
        yield result_at(START, i / 30, people=(person_at(STILL + walked + random.normal(0, 0.3, STILL.shape)),))


@pytest.mark.parametrize("still", [range(120, 200), pytest.param(range(250, 330), marks=pytest.mark.thorough)])
def test_of_a_clip_the_stretch_in_which_the_person_stands_still_is_measured(still: range) -> None:
    # Within the five seconds, or after them: the shipped clip has such a stretch in every ten seconds.
    card = measured(walking_or_still(still, 600)).card()
    assert card is not None
    assert not card.moved
    assert 60 <= card.frames <= len(still)
    assert 2.0 <= card.seconds <= len(still) / 30
    assert card.readings[0].jitter_px == pytest.approx(0.3, rel=0.1)


@pytest.mark.thorough
def test_who_moves_at_first_has_five_seconds_from_then_on() -> None:
    card = measured(walking_or_still(range(150, 900), 900)).card()
    assert card is not None
    assert card.seconds == pytest.approx(5.0, abs=0.05)
    assert not card.moved


@pytest.mark.thorough
@pytest.mark.parametrize("still", [range(0), range(200, 230)])
def test_who_never_stands_still_for_long_is_told_so_and_no_decoder_is_marked(still: range) -> None:
    hold_still = measured(walking_or_still(still, 600))
    card = hold_still.card()
    assert card is not None
    assert card.moved
    assert card.seconds == pytest.approx(15.0, abs=0.05)
    assert (card.steadiest(), card.furthest()) == ((), "")
    assert "this is no measurement of holding still" in card.verdict()


@pytest.mark.thorough
def test_a_clip_that_starts_again_goes_on_though_its_person_has_another_number() -> None:
    def loops() -> Iterator[PoseResult]:
        for i, result in enumerate(walking_or_still(range(240, 900), 900)):
            again = i == 240
            people = tuple(replace(person, id=1 if i < 240 else 2) for person in result.people)
            yield replace(result, people=people, frame=replace(result.frame, continues=not again))

    card = measured(loops()).card()
    assert card is not None
    assert (card.frames, card.moved) == (151, False)

"""Several people in the window: numbers, whom the meters look at, how many are followed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QToolButton

from app.decoder_display import person_color
from app.settings import Settings
from models.estimator import Estimate, EstimateTimes
from models.skeletons import BLAZEPOSE_33
from tests.app import builders
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubEstimator, StubSession, named, pixels, rgb, share_of

PLACES = {1: 80.0, 2: 240.0}
TREMBLE = {1: 0.2, 2: 2.0}


def standing(number: int) -> NDArray[np.float32]:
    """Beneath the plate in the corner."""
    return builders.standing_points(PLACES[number], top=110, height=110)


class TwoPeople(StubEstimator):
    """Number 1 on the left hardly trembles, number 2 on the right does. `here`: who is in the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.here = [1, 2]
        self.most_people = 1
        self._random = np.random.default_rng(1)

    def estimate(
        self, image: NDArray[np.uint8], beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        people = []
        for number in self.here[: self.most_people]:
            points = standing(number) + self._random.normal(0, TREMBLE[number], (33, 2))
            people.append(replace(builders.person(points, id=number), slot=number - 1))
        return Estimate(tuple(people), EstimateTimes(preprocess=1, network=2, decode=3))


@pytest.fixture
def desk(open_window: OpenWindow) -> Desk:
    session = StubSession(SplitSource(), TwoPeople(), most_people=3)
    desk = open_window(session, settings=Settings(preroll_s=0.0, people=3))
    desk.wait_for_picture()
    desk.wait(lambda: len(desk.session.board.read().people) == 2)
    return desk


def chips(desk: Desk) -> dict[int, QToolButton]:
    row = desk.window.meters.people
    return {int(button.text()): button for button in row.findChildren(QToolButton)}


def test_the_meters_look_at_the_first_and_at_whom_is_clicked(desk: Desk) -> None:
    desk.wait(lambda: set(chips(desk)) == {1, 2})
    assert desk.window.meters.people.isVisible()
    desk.wait(lambda: chips(desk)[1].isChecked() and not chips(desk)[2].isChecked())
    desk.wait(lambda: desk.session.board.read().jitter.overall["dark"] < 0.4)
    chips(desk)[2].click()
    desk.wait(lambda: desk.session.board.read().person == 2)
    desk.wait(lambda: chips(desk)[2].isChecked() and not chips(desk)[1].isChecked())
    desk.wait(lambda: desk.session.board.read().jitter.overall["dark"] > 1.2)


def test_a_click_on_somebody_chooses_them_and_the_joint(desk: Desk) -> None:
    joint = BLAZEPOSE_33.index["left_knee"]
    x, y = standing(2)[joint].tolist()
    desk.view.clicked.emit(QPointF(x, y), False)
    assert desk.session.pipeline.focus == 2
    assert desk.window.panel.loupe.joint == joint
    assert desk.window.panel.tab_name == "loupe"
    result = desk.shown_from_now()
    assert result.person is not None
    assert result.person.id == 2
    # The ring is around that person's joint.
    desk.wait(lambda: desk.view.marker is not None and desk.view.marker[0] == pytest.approx(x, abs=8))


@pytest.mark.thorough
def test_whoever_leaves_takes_the_chip_along_and_the_other_is_looked_at(desk: Desk) -> None:
    chips_there = desk.window.meters.people
    desk.session.look_at(2)
    desk.wait(lambda: desk.session.board.read().person == 2)
    desk.session._stub.here = [1]  # type: ignore[attr-defined]
    desk.wait(lambda: desk.session.board.read().person == 1)
    desk.wait(lambda: not chips_there.isVisible())


def test_each_has_a_colour_of_their_own_in_the_picture(desk: Desk) -> None:
    picture = pixels(desk.view.grab())
    for slot in (0, 1):
        assert share_of(picture, rgb(person_color(slot))) > 0.0005


def test_how_many_are_followed_is_chosen_in_the_menu_and_kept(desk: Desk) -> None:
    menu = desk.window.panel.network
    actions = menu._people
    assert [action.isChecked() for action in actions] == [i == 2 for i in range(8)]
    actions[0].trigger()
    assert desk.session.most_people == 1
    desk.wait(lambda: len(desk.view.result.people) == 1)  # type: ignore[union-attr]
    assert desk.window.settings_now.people == 1
    actions[7].trigger()
    assert desk.session.most_people == 8
    # Another source is followed alike.
    desk.window.open_source("synthetic:figure,320x240")
    assert desk.session.most_people == 8


def test_one_person_has_no_number_and_no_row(open_window: OpenWindow) -> None:
    desk = open_window()
    desk.wait_for_picture()
    desk.wait(lambda: desk.session.board.read().jitter.joints)
    assert not desk.window.meters.people.isVisible()
    assert desk.window.meters.people.findChildren(QToolButton) == []
    assert share_of(pixels(desk.view.grab()), rgb(person_color(0))) == 0


def test_chips_have_names_for_screen_readers(desk: Desk) -> None:
    desk.wait(lambda: set(chips(desk)) == {1, 2})
    assert named(desk.window, QToolButton, "Meters of person 2") is chips(desk)[2]

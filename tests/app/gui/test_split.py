"""Two decoders on one picture: each on its side of the divider, and the divider where it is dragged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox

from app.gui.actions import ActionKey
from models.estimator import Estimate, EstimateTimes
from tests.app import builders
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubEstimator, StubSession, named, pixels

LEFT = Qt.MouseButton.LeftButton


class HighAndLow(StubEstimator):
    """IPR sees a small person high in the picture, all others low, in its middle."""

    def estimate(
        self, image: NDArray[np.uint8], beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        low, high = (builders.standing_points(160, top, 90) for top in (140, 10))
        person = builders.person(low)
        person = replace(person, points={**person.points, "ipr": high})
        return Estimate((person,), EstimateTimes(preprocess=1, network=2, decode=3))


@pytest.fixture
def desk(open_window: OpenWindow) -> Desk:
    desk = open_window(StubSession(SplitSource(), HighAndLow()))
    desk.wait_for_picture()
    return desk


def drawn(desk: Desk) -> NDArray[np.bool_]:
    """(240, 320) where the picture on screen is neither the source's red nor its blue: what is drawn over it."""
    view = desk.view
    assert view.image is not None
    target, _ = view._target(view.image)
    picture = pixels(view.grab(target.toRect())).astype(int)
    rows = np.linspace(0, picture.shape[0] - 1, 240).astype(int)
    columns = np.linspace(0, picture.shape[1] - 1, 320).astype(int)
    small = picture[rows][:, columns]
    return np.asarray(small[..., 1] > 60)  # neither half has any green


def test_each_decoder_is_on_its_side(desk: Desk) -> None:
    desk.press("D")
    assert desk.window.panel.looks.split == "ipr"
    assert desk.window._actions[ActionKey.SPLIT].isChecked()
    desk.wait(lambda: desk.view.split.image is not None)
    seen = drawn(desk)
    left, right = seen[:, 145:156], seen[:, 164:175]  # beside the divider, around the middle of the person
    assert left[150:225].any()
    assert not left[60:100].any()
    assert right[60:100].any()
    assert not right[150:225].any()
    desk.press("D")
    desk.wait(lambda: desk.view.split.image is None)
    seen = drawn(desk)
    assert seen[150:225, 164:175].any()
    assert not seen[60:100, 164:175].any()


def test_the_divider_is_dragged_and_stays_within_the_picture(desk: Desk) -> None:
    desk.press("D")
    desk.wait(lambda: desk.view.split.image is not None)
    view = desk.view
    assert view.image is not None
    target, _ = view._target(view.image)

    def at(share: float) -> QPoint:
        return QPoint(round(target.left() + share * target.width()), round(target.center().y()))

    desk.qtbot.mousePress(view, LEFT, pos=at(0.5))
    desk.qtbot.mouseMove(view, at(0.25))
    assert view.split.place == pytest.approx(0.25, abs=0.01)
    assert view.cursor().shape() == Qt.CursorShape.SplitHCursor
    desk.qtbot.mouseMove(view, at(1.4))
    assert view.split.place == pytest.approx(0.97)
    desk.qtbot.mouseRelease(view, LEFT, pos=at(1.4))
    desk.qtbot.mouseMove(view, at(0.5))
    assert view.split.place == pytest.approx(0.97)
    assert view.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_arrow_keys_move_the_divider(desk: Desk) -> None:
    desk.press("D")
    view = desk.view
    view.setFocus()
    desk.qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.split.place == pytest.approx(0.52)
    for _ in range(3):
        desk.qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.split.place == pytest.approx(0.46)


def test_the_decoder_on_the_right_is_chosen_in_the_panel(desk: Desk) -> None:
    splits = named(desk.window, QComboBox, "Split view")
    row = splits.findData("argmax")
    splits.setCurrentIndex(row)
    splits.activated.emit(row)
    assert desk.view.split.decoder == "argmax"
    desk.press("D")
    assert desk.view.split.decoder == ""
    assert splits.currentData() == ""
    desk.press("D")  # the one that was there last
    assert desk.view.split.decoder == "argmax"
    assert splits.currentData() == "argmax"


def test_a_split_picture_is_recorded_whole(desk: Desk) -> None:
    desk.press("D")
    desk.wait(lambda: desk.view.split.image is not None)
    desk.press("S")
    (path,) = desk.files("*.png")
    assert "debiased" in path.name
    import cv2

    saved = cv2.imread(str(path))
    assert saved[150:225, 164:175, 1].max() > 60
    assert saved[60:100, 164:175, 1].max() < 60


def test_in_the_full_screen_the_numbers_are_large(desk: Desk) -> None:
    desk.wait(lambda: desk.session.board.read().jitter.joints)
    assert desk.view.big_meters is None
    desk.press("F")
    desk.wait(lambda: desk.window.isFullScreen() and desk.view.big_meters is not None)
    meters = desk.view.big_meters
    assert meters is not None
    desk.window.choose_decoder("ipr")  # 130 px above the maps' peaks
    desk.wait(lambda: meters._numbers and meters._numbers[2] == ("bias", "130", "px"))
    bottom = pixels(desk.view.grab())[-40:]
    assert bottom.std() > 10
    desk.press(Qt.Key.Key_Escape)
    desk.wait(lambda: not desk.window.isFullScreen())
    assert desk.view.big_meters is None

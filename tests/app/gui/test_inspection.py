"""Looking closer in the window: a click on a joint, the ring, the loupe, smoothing, hold still."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QListView, QPushButton, QTabBar

from app.frames import PoseResult
from app.gui.hold_still_card import HoldStillCardView, HoldStillDialog
from app.meters.hold_still import HoldStill
from app.smoothing import OneEuroSettings
from app.sources.pacing import Picture
from models.estimator import Estimate
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubEstimator, StubSession, named, pixels, top_levels
from tests.app.source_builders import write_images

LEFT_BUTTON = Qt.MouseButton.LeftButton
JOINT = BLAZEPOSE_33.index
SIZES = [(1300, 560), (1024, 900)]  # bars beside the picture, and above and below it


class MapEstimator(StubEstimator):
    """Heatmaps that are the same everywhere: enough for who only asks whether there are any."""

    def estimate(
        self, image: NDArray[np.uint8], beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        estimate = super().estimate(image, beta)
        maps = np.full((len(JOINT), 64, 64), 0.5, np.float32)
        return replace(estimate, people=(replace(estimate.people[0], heatmaps=maps if keep_heatmaps else None),))


class FastClockSource(SplitSource):
    """30 pictures a second of a time line that goes three times as fast."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.paced = False

    def _pictures(self, from_ns: int, before: bool) -> Generator[Picture, None, None]:
        for tick in itertools.count():
            self._stopped.wait(1 / 30)
            yield Picture(tick * 100_000_000, 100_000_000, self._picture.copy())


def tab_in_front(desk: Desk) -> str:
    tabs = named(desk.window, QTabBar, "Panels")
    return tabs.tabText(tabs.currentIndex())


def loupe_joint(desk: Desk) -> int:
    return named(desk.window, QComboBox, "Joint under the loupe").currentIndex()


def joint_in_list(desk: Desk) -> int:
    return named(desk.window, QListView, "Joints by jitter or bias").currentIndex().data(Qt.ItemDataRole.UserRole)


def choose_under_loupe(desk: Desk, joint: int) -> None:
    combo = named(desk.window, QComboBox, "Joint under the loupe")
    key = Qt.Key.Key_Down if joint > combo.currentIndex() else Qt.Key.Key_Up
    while combo.currentIndex() != joint:
        desk.qtbot.keyClick(combo, key)


def on_screen(desk: Desk, joint: int, *, mirrored: bool = False) -> QPointF:
    """Where the joint of the result on screen is in the view: the picture is scaled to fit, and centred."""
    result = desk.view.result
    x, y = result.shown[0].points[result.decoder][joint].tolist()
    height, width = result.frame.image.shape[:2]
    x = width - 1 - x if mirrored else x
    scale = min(desk.view.width() / width, desk.view.height() / height)
    left, top = (desk.view.width() - width * scale) / 2, (desk.view.height() - height * scale) / 2
    return QPointF(left + (x + 0.5) * scale, top + (y + 0.5) * scale)


def click(desk: Desk, place: QPointF, button: Qt.MouseButton = LEFT_BUTTON) -> None:
    desk.qtbot.mouseClick(desk.view, button, pos=place.toPoint())


def hold(desk: Desk) -> PoseResult:
    desk.press(Qt.Key.Key_Space)
    return desk.wait_until_still(0.2)


# --- clicks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("joint", ["right_ankle", pytest.param("left_shoulder", marks=pytest.mark.thorough), "nose"])
def test_a_click_on_a_joint_opens_the_loupe_there(
    desk: Desk, joint: str, size: tuple[int, int], mirrored: bool
) -> None:
    desk.window.resize(*size)
    if mirrored:
        desk.press("M")
    desk.shown_from_now()
    assert tab_in_front(desk) == "Meters"
    click(desk, on_screen(desk, JOINT[joint], mirrored=mirrored))
    assert tab_in_front(desk) == "Loupe"
    assert loupe_joint(desk) == joint_in_list(desk) == JOINT[joint]
    assert desk.session.pipeline.keep_heatmaps


def test_a_click_means_the_nearest_joint_within_reach_or_none(desk: Desk) -> None:
    hold(desk)
    scale = desk.view.width() / 320
    knee, ankle = (on_screen(desk, JOINT[name]) for name in ("right_knee", "right_ankle"))
    before = loupe_joint(desk)
    outside = QPointF(on_screen(desk, JOINT["left_wrist"]).x() + 60 * scale, knee.y())
    for place in (knee - QPointF(20 * scale, 0), outside, QPointF(2, 2)):
        click(desk, place)
        assert (tab_in_front(desk), loupe_joint(desk)) == ("Meters", before)
    click(desk, ankle, Qt.MouseButton.RightButton)
    assert (tab_in_front(desk), loupe_joint(desk)) == ("Meters", before)
    click(desk, knee - QPointF(11 * scale, 0))  # 200 px tall: the reach is 15 px
    assert (tab_in_front(desk), loupe_joint(desk)) == ("Loupe", JOINT["right_knee"])
    click(desk, (knee + ankle) / 2)  # 21 px away from both
    assert loupe_joint(desk) == JOINT["right_knee"]


def test_a_click_finds_the_points_of_the_chosen_decoder_as_they_are_shown(desk: Desk) -> None:
    desk.press("O")
    desk.press("1")
    desk.results_from_now(3)
    result = desk.shown_from_now()
    assert (result.decoder, len(result.smoothed)) == ("argmax", 1)
    click(desk, on_screen(desk, JOINT["left_heel"]))
    assert loupe_joint(desk) == JOINT["left_heel"]


def test_a_click_where_nobody_is_does_nothing(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(), StubEstimator(anybody=False)))
    click(desk, QPointF(200, 200))  # before the first picture
    desk.wait_for_picture()
    click(desk, QPointF(desk.view.rect().center()))
    assert tab_in_front(desk) == "Meters"


# --- the ring -----------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_ring_is_drawn_around_the_joint_on_the_screen_only(desk: Desk, size: tuple[int, int], mirrored: bool) -> None:
    desk.window.resize(*size)
    hold(desk)
    if mirrored:
        desk.press("M")
    plain, picture = pixels(desk.view.grab()).astype(int), desk.view.image.copy()
    for tab, joint in (("Loupe", "left_wrist"), ("Joints", "left_wrist"), ("Loupe", "right_knee")):
        desk.open_tab(tab)
        choose_under_loupe(desk, JOINT[joint])
        rows, columns = np.nonzero((pixels(desk.view.grab()) != plain).any(-1))
        place = on_screen(desk, JOINT[joint], mirrored=mirrored)
        # A pixel's centre is half a pixel from its corner.
        assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(place.x(), abs=1)
        assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(place.y(), abs=1)
        assert 26 < np.ptp(columns) < 40
        assert np.hypot(columns + 0.5 - place.x(), rows + 0.5 - place.y()).min() > 9  # the joint is not hidden
        np.testing.assert_array_equal(desk.view.image, picture)
    desk.open_tab("Latency")
    np.testing.assert_array_equal(pixels(desk.view.grab()), plain)


def test_the_ring_is_there_while_the_joints_heatmap_is(desk: Desk) -> None:
    hold(desk)
    for marked in (True, False, False):  # one joint, all joints, off
        desk.press("H")
        assert (desk.view.marker is not None) is marked


# --- loupe and list -----------------------------------------------------------------------------------------------


def test_list_and_loupe_show_the_same_joint(desk: Desk) -> None:
    assert joint_in_list(desk) == loupe_joint(desk)
    desk.open_tab("Joints")
    rows = named(desk.window, QListView, "Joints by jitter or bias")
    row = 3
    desk.qtbot.mouseClick(rows.viewport(), LEFT_BUTTON, pos=rows.visualRect(rows.model().index(row, 0)).center())
    assert loupe_joint(desk) == joint_in_list(desk) == rows.model().index(row, 0).data(Qt.ItemDataRole.UserRole)
    assert tab_in_front(desk) == "Joints"
    choose_under_loupe(desk, JOINT["right_hip"])
    assert joint_in_list(desk) == JOINT["right_hip"]


def test_the_loupe_has_heatmaps_as_soon_as_it_is_open(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(), MapEstimator()))
    desk.wait_for_picture()
    numbers = named(desk.window, QLabel, "Numbers of the joint")
    desk.press("H")  # now there are heatmaps, but nobody looks through the loupe
    desk.results_from_now()
    desk.shown_from_now()
    assert numbers.text() == ""
    desk.open_tab("Loupe")
    desk.wait(lambda: numbers.text().startswith("peak 0.50 "))


@pytest.mark.thorough
@pytest.mark.parametrize("leave_and_return", ["FF", "LL"])
def test_the_loupe_still_has_heatmaps_after_it_was_out_of_sight(open_window: OpenWindow, leave_and_return: str) -> None:
    desk = open_window(StubSession(SplitSource(), MapEstimator()))
    desk.wait_for_picture()
    desk.open_tab("Loupe")
    desk.press(leave_and_return[0])
    desk.press("G")
    desk.press(leave_and_return[1])
    assert desk.session.pipeline.keep_heatmaps


def test_a_recording_shows_the_heatmap_of_the_joint_that_is_chosen_meanwhile(desk: Desk) -> None:
    desk.press("H")
    desk.press("R")
    click(desk, on_screen(desk, JOINT["right_ankle"]))
    style = desk.session.recorder.style
    desk.press("R")
    assert style.heatmap == JOINT["right_ankle"]


# --- smoothing and other sources ----------------------------------------------------------------------------------


def smoothed_line(desk: Desk) -> str:
    shown = [label for label in desk.window.meters.findChildren(QLabel) if label.isVisible()]
    return next((label.text() for label in shown if label.text().startswith("Smoothed")), "")


@pytest.mark.thorough
def test_the_meters_tell_what_the_smoothing_does(desk: Desk) -> None:
    desk.qtbot.keyClick(named(desk.window, QComboBox, "Length of the jitter window"), Qt.Key.Key_Up)
    assert smoothed_line(desk) == ""
    desk.press("O")
    desk.wait(lambda: smoothed_line(desk).startswith("Smoothed: "))
    desk.press("O")
    desk.wait(lambda: smoothed_line(desk) == "")


def test_another_source_is_looked_at_in_the_same_way(desk: Desk, tmp_path: Path) -> None:
    before = desk.session
    for key in "OGAH":
        desk.press(key)
    desk.qtbot.keyClick(named(desk.window, QComboBox, "Length of the jitter window"), Qt.Key.Key_Down)
    desk.qtbot.keyClick(named(desk.window, QComboBox, "Length of the latency window"), Qt.Key.Key_Down)
    style = desk.window.inspection.style(mirror=False)
    assert style.ghosts
    desk.window.open_source(str(write_images(tmp_path / "images")))
    desk.wait_for_picture()
    assert desk.session is not before
    assert desk.session.pipeline.smoothing == OneEuroSettings()
    assert desk.session.pipeline.keep_heatmaps
    assert desk.results_from_now()[-1].smoothed
    assert desk.window.inspection.style(mirror=False) == style
    assert (desk.session.board.jitter_window_s, desk.session.board.latency_window_s) == (5.0, 30.0)


# --- hold still ---------------------------------------------------------------------------------------------------


def measure_briefly(desk: Desk) -> None:
    desk.session.hold_still = HoldStill(desk.session.source.name, countdown_s=0.1, measure_s=0.5)


@pytest.mark.thorough
def test_t_counts_down_measures_and_shows_the_card(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(FastClockSource()))
    desk.wait_for_picture()
    badges = [""]

    def done() -> bool:
        if desk.view.big_badge != badges[-1]:
            badges.append(desk.view.big_badge)
        return bool(top_levels(HoldStillDialog))

    desk.press("T")
    desk.wait(done)
    seen = [text for text in badges if text]
    expected = ["3", "2", "1", *(f"hold still {seconds} s" for seconds in (5, 4, 3, 2, 1))]
    assert [text for text in expected if text in seen] == seen  # a slow machine may skip one
    assert {"3", "hold still 5 s"} <= set(seen)
    assert desk.view.big_badge == ""
    assert desk.session.hold_still is None

    (dialog,) = top_levels(HoldStillDialog)
    rows = [row.split("\t") for row in dialog.findChild(HoldStillCardView).accessibleDescription().splitlines()]
    # Each decoder of the stub is 2 px further from the peak.
    bias = {row[0]: float(row[3]) for row in rows[1:7]}
    assert bias == pytest.approx(
        {"argmax": 0, "argmax ¼": 2, "DARK": 4, "IPR": 6, "debiased IPR": 8, "regression": 10}, abs=1e-3
    )
    assert ["Source", "split"] in rows
    assert next(row[1] for row in rows if row[0] == "Frames").startswith("51 in 5.0 s")
    close = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Close")
    desk.qtbot.mouseClick(close, LEFT_BUTTON)
    desk.wait(lambda: not top_levels(HoldStillDialog))
    assert desk.results_from_now()


@pytest.mark.parametrize("by", ["key", "button"])
def test_t_again_breaks_the_measurement_off(desk: Desk, by: str) -> None:
    def ask() -> None:
        if by == "key":
            desk.press("T")
        else:
            desk.qtbot.mouseClick(desk.button("Hold still"), LEFT_BUTTON)

    ask()
    assert desk.session.hold_still is not None
    desk.wait(lambda: desk.view.big_badge == "3")
    assert desk.message == ""
    ask()
    assert desk.session.hold_still is None
    assert desk.message == "The hold-still measurement was broken off."
    desk.wait(lambda: desk.view.big_badge == "")
    assert top_levels(HoldStillDialog) == []


@pytest.mark.thorough
def test_nobody_in_view_is_told_and_there_is_no_card(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(), StubEstimator(anybody=False)))
    desk.wait_for_picture()
    measure_briefly(desk)
    desk.wait(lambda: desk.message)
    assert desk.message.startswith("The measurement stopped: ")
    assert desk.message_kind == "warning"
    assert desk.session.hold_still is None
    assert top_levels(HoldStillDialog) == []


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_there_is_nothing_to_measure_in_a_picture_that_stands(desk: Desk, state: str) -> None:
    if state == "paused":
        desk.press(Qt.Key.Key_Space)
    else:
        desk.session.source.lost.set()
        desk.wait(lambda: desk.view.badge == "Source lost")
    desk.press("T")
    assert desk.message == "There is no moving picture to measure in."
    assert desk.message_kind == "warning"
    assert desk.session.hold_still is None


def test_another_source_ends_the_measurement(desk: Desk, tmp_path: Path) -> None:
    desk.press("T")
    desk.wait(lambda: desk.view.big_badge == "3")
    desk.window.open_source(str(write_images(tmp_path / "images")))
    desk.wait_for_picture()
    desk.wait(lambda: desk.view.big_badge == "")
    assert desk.session.hold_still is None


def test_a_source_that_is_lost_ends_the_measurement(desk: Desk) -> None:
    desk.press("T")
    desk.wait(lambda: desk.view.big_badge == "3")
    desk.session.source.lost.set()
    desk.wait(lambda: desk.view.badge == "Source lost")
    desk.qtbot.wait(300)
    assert desk.view.big_badge == ""


@pytest.mark.thorough
def test_closing_the_window_under_the_card_ends_everything(desk: Desk) -> None:
    measure_briefly(desk)
    desk.wait(lambda: top_levels(HoldStillDialog))
    desk.window.close()
    assert desk.session.pipeline.finished.is_set()
    desk.wait(lambda: not any(dialog.isVisible() for dialog in top_levels(HoldStillDialog)))

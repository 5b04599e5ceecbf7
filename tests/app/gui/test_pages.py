"""The live page and the laboratory: one in front, the session runs on behind it."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton

from app.gui.lab.page import LabPage
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, PaintCounter, labels

LEFT_BUTTON = Qt.MouseButton.LeftButton
LIVE, LABORATORY = "Live", "β laboratory"


def button(desk: Desk, title: str) -> QToolButton:
    (found,) = [b for b in desk.window.findChildren(QToolButton) if b.text() == title]
    return found


def laboratories(desk: Desk) -> list[LabPage]:
    return desk.window.findChildren(LabPage)


def in_front(desk: Desk) -> str:
    """The page that is in sight; its button is the one that is down."""
    (marked,) = [title for title in (LIVE, LABORATORY) if button(desk, title).isChecked()]
    assert desk.view.isVisible() is (marked == LIVE)
    assert [page.isVisible() for page in laboratories(desk)] in ([], [marked == LABORATORY])
    return marked


def test_l_and_the_buttons_change_the_page(desk: Desk) -> None:
    assert in_front(desk) == LIVE
    for go, page in (
        (lambda: desk.press("L"), LABORATORY),
        (lambda: desk.press("L"), LIVE),
        (lambda: desk.qtbot.mouseClick(button(desk, LABORATORY), LEFT_BUTTON), LABORATORY),
        (lambda: desk.qtbot.mouseClick(button(desk, LABORATORY), LEFT_BUTTON), LABORATORY),
        (lambda: desk.press("L"), LIVE),
        (lambda: desk.press("L"), LABORATORY),
        (lambda: desk.qtbot.mouseClick(button(desk, LIVE), LEFT_BUTTON), LIVE),
    ):
        go()
        assert in_front(desk) == page


def test_the_laboratory_is_built_once_and_only_when_it_is_wanted(desk: Desk) -> None:
    assert laboratories(desk) == []
    desk.press("L")
    (laboratory,) = laboratories(desk)
    desk.press("L")
    desk.press("L")
    assert laboratories(desk) == [laboratory]


def test_the_session_runs_on_behind_the_laboratory(desk: Desk) -> None:
    desk.press("L")
    painted = len(desk.painted)
    counter = PaintCounter(desk.view)
    results = desk.results_from_now(8)
    assert all(result.people for result in results)
    assert (counter.count, len(desk.painted)) == (0, painted)
    desk.press("L")
    desk.wait(lambda: len(desk.painted) > painted + 3)
    # No frame waited for the return: one that had would be older than the change of pages took.
    assert all(paint.result.frame.index >= results[-1].frame.index for paint in desk.painted[painted:])


@pytest.mark.thorough
def test_keys_of_the_live_page_work_in_the_laboratory_too(desk: Desk) -> None:
    desk.press("L")
    desk.press("1")
    assert {result.decoder for result in desk.results_from_now()} == {"argmax"}
    desk.press("R")
    desk.record_for(0.3)
    desk.press("R")
    assert len(desk.files("*.mp4")) == 1
    desk.press("L")
    assert desk.chosen_on_switch() == ["argmax"]


@pytest.mark.thorough
def test_what_is_out_of_sight_is_not_refreshed(desk: Desk) -> None:
    desk.wait(lambda: any("p95" in text for text in labels(desk.window.meters)))
    desk.press("L")
    texts = labels(desk.window.meters)
    reads: list[bool] = []
    desk.window.meters.snapshot_read.connect(lambda _, due: reads.append(due))
    desk.session.set_beta(3.0)  # clears jitter and bias, so that the numbers differ at once
    desk.wait(lambda: sum(reads) >= 3)
    assert labels(desk.window.meters) == texts


def test_full_screen_from_the_laboratory_is_the_picture_alone(desk: Desk) -> None:
    status = next(label for label in desk.window.findChildren(QLabel) if label.objectName() == "status")
    desk.press("L")
    laboratories(desk)[0].setMinimumSize(1, 1)  # Qt's screen of the tests is only 800 px wide
    desk.press("F")
    desk.wait(desk.window.isFullScreen)
    assert desk.view.isVisible()
    assert not desk.window.pages.bar.isVisible()
    assert not desk.window.panel.isVisible()
    assert not status.isVisible()
    desk.wait(lambda: desk.view.size() == desk.window.size())
    desk.press("L")  # there is only the picture
    assert desk.view.isVisible()
    assert not laboratories(desk)[0].isVisible()
    desk.shown_from_now()

    desk.press(Qt.Key.Key_Escape)
    desk.wait(lambda: not desk.window.isFullScreen())
    assert in_front(desk) == LIVE
    assert desk.window.pages.bar.isVisible()
    assert desk.window.panel.isVisible()
    assert status.isVisible()
    desk.press("L")
    assert in_front(desk) == LABORATORY


def test_escape_in_the_laboratory_changes_nothing(desk: Desk) -> None:
    desk.press("L")
    desk.press(Qt.Key.Key_Escape)
    assert in_front(desk) == LABORATORY
    assert desk.window.isVisible()


def test_the_window_closes_from_the_laboratory(open_window: OpenWindow) -> None:
    before = set(threading.enumerate())
    desk = open_window()
    desk.wait_for_picture()
    desk.press("L")
    desk.results_from_now(1)
    desk.window.close()
    assert desk.session.pipeline.finished.is_set()
    assert set(threading.enumerate()) == before


@pytest.mark.thorough
def test_the_time_that_a_held_picture_waits_behind_the_laboratory_is_no_latency(desk: Desk) -> None:
    desk.press("L")
    desk.results_from_now(1)
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still(0.4)
    desk.press("L")
    desk.view.grab()
    late = [paint for paint in desk.painted if paint.result is held and paint.ended_ns - held.frame.captured_ns > 3e8]
    assert late == []

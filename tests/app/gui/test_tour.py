"""The guided tour: what each step shows, and that everything is afterwards as it was."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton

from app.bundled import SAMPLE_CLIP
from app.gui.actions import ActionKey
from app.gui.tour import _STEPS
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, named


@pytest.fixture
def touring(open_window: OpenWindow) -> Desk:
    desk = open_window()
    desk.wait_for_picture()
    desk.window.source_text = "synthetic:figure,320x240"
    looks = desk.window.panel.looks
    looks.set_ghosts(frozenset({"dark"}))
    looks.set_split("regression")
    desk.window.choose_decoder("argmax-quarter")
    desk.window.choose_beta(7.0)
    desk.window.panel.show_named_tab("latency")
    desk.window._actions[ActionKey.TOUR].trigger()
    return desk


def card(desk: Desk) -> QFrame:
    return named(desk.window, QFrame, "Guided tour")


def click(desk: Desk, title: str) -> None:
    (button,) = [b for b in card(desk).findChildren(QPushButton) if b.text() == title]
    desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def state(desk: Desk) -> tuple[object, ...]:
    looks, choice = desk.window.panel.looks, desk.session.choice
    return choice.name, choice.beta, looks.ghosts, looks.split, desk.window.panel.tab_name


BEFORE = ("argmax-quarter", 7.0, frozenset({"dark"}), "regression", "latency")


def test_five_steps_each_show_what_they_say(touring: Desk) -> None:
    assert touring.session.source.name == SAMPLE_CLIP.name
    assert len(_STEPS) == 5
    shown = []
    for step in range(1, 6):
        texts = [label.text() for label in card(touring).findChildren(QLabel)]
        assert f"TOUR, {step} OF 5" in texts
        shown.append((touring.session.choice.name, touring.window.panel.tab_name, touring.window.panel.looks.split))
        assert touring.session.choice.beta == 10
        assert touring.view.rect().contains(card(touring).geometry())
        click(touring, "Done" if step == 5 else "Next")
    assert shown == [
        ("argmax", "loupe", ""),
        ("ipr", "meters", ""),
        ("ipr", "loupe", ""),
        ("debiased", "meters", "ipr"),
        ("debiased", "meters", ""),
    ]


def test_afterwards_everything_is_as_it_was(touring: Desk) -> None:
    for _ in range(4):
        click(touring, "Next")
    click(touring, "Done")
    assert not touring.window.tour.is_running
    assert touring.session.source.name == "synthetic"
    assert state(touring) == BEFORE
    assert touring.window.settings_now.toured


@pytest.mark.parametrize("how", ["click", "escape"])
def test_it_can_be_skipped(touring: Desk, how: str) -> None:
    click(touring, "Next")
    if how == "click":
        click(touring, "Skip")
    else:
        touring.press(Qt.Key.Key_Escape)
    assert not touring.window.tour.is_running
    assert state(touring) == BEFORE
    assert touring.window.settings_now.toured


def test_it_goes_back_and_by_keys(touring: Desk) -> None:
    touring.qtbot.keyClick(card(touring), Qt.Key.Key_Right)
    touring.qtbot.keyClick(card(touring), Qt.Key.Key_Right)
    assert touring.window.panel.loupe.joint == BLAZEPOSE_33.index["left_ankle"]
    touring.qtbot.keyClick(card(touring), Qt.Key.Key_Left)
    assert (touring.session.choice.name, touring.window.panel.tab_name) == ("ipr", "meters")
    touring.window.resize(1000, 640)
    assert touring.view.rect().contains(card(touring).geometry())
    touring.window.tour.end()


def test_a_window_may_be_closed_in_the_middle_of_it(touring: Desk) -> None:
    click(touring, "Next")
    touring.window.close()
    assert not touring.window.isVisible()

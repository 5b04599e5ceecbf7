"""The dialog of the examination: what it shows, what can be copied, and that the window never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QFrame, QLabel, QPushButton, QScrollArea, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app import __version__
from app.checkup.examination import Check
from app.checkup.findings import Finding, fine, note, problem
from app.gui import checkup_dialog
from app.gui.checkup_dialog import CheckupDialog
from app.gui.help_dialog import HelpDialog
from tests.app.gui.desk import LONG_MS, Desk, labels, named, top_levels

LEFT = Qt.MouseButton.LeftButton
WELL = fine("Python", "Python 3.11.7 is one that PoseScope is written for.")
SO_SO = note("Camera", "No camera is connected.")
ILL = problem("OpenCV", "2 packages provide cv2.", "Remove all of them, then:", "pip uninstall -y a b", "pip install c")

OpenDialog = Callable[[Sequence[Check]], CheckupDialog]


def checks(*findings: Finding) -> tuple[Check, ...]:
    return tuple(Check(finding.subject, lambda finding=finding: [finding]) for finding in findings)


@pytest.fixture
def open_dialog(qtbot: QtBot) -> Iterator[OpenDialog]:
    def open_it(of: Sequence[Check]) -> CheckupDialog:
        dialog = CheckupDialog(of, about="This window computes on: stub")
        dialog.open()
        return dialog

    yield open_it
    for dialog in top_levels(CheckupDialog):
        dialog.close()


def ended(qtbot: QtBot, dialog: CheckupDialog) -> CheckupDialog:
    qtbot.waitUntil(lambda: not dialog.examining, timeout=LONG_MS)
    return dialog


def label(parent: QWidget, text: str) -> QLabel:
    (found,) = [label for label in parent.findChildren(QLabel) if label.text() == text]
    return found


def button(dialog: QWidget, text: str) -> QPushButton:
    (found,) = [button for button in dialog.findChildren(QPushButton) if button.text().replace("&", "") == text]
    return found


def top(dialog: CheckupDialog, text: str) -> int:
    return label(dialog, text).mapTo(dialog, QPoint(0, 0)).y()


def test_findings_are_shown_the_worst_on_top(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = ended(qtbot, open_dialog(checks(WELL, SO_SO, ILL)))
    assert named(dialog, QLabel, "Verdict").text() == "1 problem and 1 note."
    heights = [top(dialog, text) for text in ("PROBLEMS", ILL.told, "NOTES", SO_SO.told, "ALL RIGHT", WELL.told)]
    assert heights == sorted(heights)
    assert {"✓  Python", ILL.remedy, "pip uninstall -y a b", "pip install c"} <= set(labels(dialog))
    kinds = [card.property("severity") for card in dialog.findChildren(QFrame) if card.objectName() == "finding"]
    assert sorted(kinds) == ["note", "problem"]


def test_where_all_is_well_nothing_else_is_shown(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = ended(qtbot, open_dialog(checks(WELL)))
    assert named(dialog, QLabel, "Verdict").text() == "Everything is all right."
    shown = {heading for heading in ("PROBLEMS", "NOTES", "ALL RIGHT") if label(dialog, heading).isVisible()}
    assert shown == {"ALL RIGHT"}


def test_remedies_can_be_selected_and_copied(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = ended(qtbot, open_dialog(checks(ILL)))
    for text in (ILL.told, ILL.remedy, *ILL.commands):
        assert label(dialog, text).textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    qtbot.mouseClick(named(dialog, QToolButton, "Copy pip uninstall -y a b"), LEFT)
    assert QGuiApplication.clipboard().text() == "pip uninstall -y a b\npip install c"


@pytest.mark.thorough
def test_all_of_it_can_be_copied(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = ended(qtbot, open_dialog(checks(WELL, ILL)))
    qtbot.mouseClick(button(dialog, "Copy all"), LEFT)
    first, _, second, *others = QGuiApplication.clipboard().text().splitlines()
    assert (first, second) == ("1 problem.", "problem  OpenCV: 2 packages provide cv2.")
    assert any(line.startswith(f"PoseScope {__version__}, Python ") for line in others)
    assert others[-1] == "This window computes on: stub"
    qtbot.waitUntil(lambda: bool(button(dialog, "Copied")), timeout=LONG_MS)
    qtbot.waitUntil(lambda: any("opy all" in b.text() for b in dialog.findChildren(QPushButton)), timeout=LONG_MS)


def test_the_window_does_not_wait_for_a_check_that_does(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    go_on = threading.Event()
    waiting = Check("Slow", lambda: go_on.wait(LONG_MS / 1000) and [WELL])
    dialog = open_dialog((*checks(SO_SO), waiting))
    ticks: list[int] = []
    timer = QTimer(dialog, interval=1)
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start()
    qtbot.waitUntil(lambda: "2 of 2: Slow" in labels(dialog), timeout=LONG_MS)
    before = len(ticks)
    qtbot.waitUntil(lambda: len(ticks) > before + 20, timeout=LONG_MS)
    timer.stop()
    assert dialog.examining
    assert SO_SO.told in labels(dialog)  # what is known is shown already
    assert not button(dialog, "Copy all").isEnabled()
    go_on.set()
    ended(qtbot, dialog)
    assert button(dialog, "Copy all").isEnabled()


def test_what_is_closed_early_examines_no_more(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    go_on, begun = threading.Event(), threading.Event()
    dialog = open_dialog(
        (Check("Slow", lambda: go_on.wait(LONG_MS / 1000) and []), Check("Next", lambda: begun.set() or []))
    )
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not top_levels(CheckupDialog), timeout=LONG_MS)
    go_on.set()
    qtbot.waitUntil(lambda: not [t for t in threading.enumerate() if t.name == "posescope-checkup"], timeout=LONG_MS)
    assert not begun.is_set()


def test_it_can_be_examined_again(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    found = [ILL]
    dialog = ended(qtbot, open_dialog((Check("OpenCV", lambda: list(found)),)))
    found[:] = [WELL]
    qtbot.mouseClick(button(dialog, "Examine again"), LEFT)
    ended(qtbot, dialog)
    assert named(dialog, QLabel, "Verdict").text() == "Everything is all right."
    qtbot.waitUntil(lambda: ILL.told not in labels(dialog), timeout=LONG_MS)


def test_a_check_that_fails_is_shown(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = ended(qtbot, open_dialog((Check("Odd", lambda: 1 / 0), *checks(WELL))))
    assert "This could not be examined (ZeroDivisionError: division by zero)." in labels(dialog)
    assert WELL.told in labels(dialog)


def test_a_long_path_does_not_widen_it(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    long = problem("Recordings", f"Nothing can be recorded in {'/somewhere' * 40}.", "", f"mkdir {'/somewhere' * 40}")
    dialog = ended(qtbot, open_dialog(checks(long)))
    (area,) = dialog.findChildren(QScrollArea)
    qtbot.waitUntil(lambda: label(dialog, long.told).height() > 3 * label(dialog, "PROBLEMS").height(), timeout=LONG_MS)
    assert area.widget().width() <= area.viewport().width()
    assert dialog.width() == 780


def test_the_window_opens_it_at_its_key_and_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(checkup_dialog, "all_checks", lambda folder: asked.append(folder) or checks(WELL))
    desk.press(Qt.Key.Key_F3)
    desk.wait(lambda: top_levels(CheckupDialog))
    (dialog,) = top_levels(CheckupDialog)
    ended(desk.qtbot, dialog)
    assert asked == [desk.recordings]
    assert dialog.text.endswith("\nThis window computes on: stub\n")
    assert desk.results_from_now()
    desk.qtbot.mouseClick(button(dialog, "Close"), LEFT)
    desk.wait(lambda: not top_levels(CheckupDialog))


def test_the_help_leads_to_it_and_tells_the_version(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup_dialog, "all_checks", lambda folder: checks(WELL))
    desk.press("?")
    desk.wait(lambda: top_levels(HelpDialog))
    (help_dialog,) = top_levels(HelpDialog)
    assert f"PoseScope {__version__}" in labels(help_dialog)
    buttons = help_dialog.findChild(QDialogButtonBox).buttons()
    (leads,) = [button for button in buttons if button.text() == "Is everything all right?"]
    desk.qtbot.mouseClick(leads, LEFT)
    desk.wait(lambda: top_levels(CheckupDialog) and not top_levels(HelpDialog))
    (dialog,) = top_levels(CheckupDialog)
    ended(desk.qtbot, dialog)
    dialog.close()


@pytest.mark.thorough
def test_the_real_examination_in_the_real_window(desk: Desk) -> None:
    desk.press(Qt.Key.Key_F3)
    desk.wait(lambda: top_levels(CheckupDialog))
    (dialog,) = top_levels(CheckupDialog)
    longest = 6 * LONG_MS  # another Python is started, which imports OpenVINO
    desk.qtbot.waitUntil(lambda: not dialog.examining, timeout=longest)
    assert "could not be examined" not in dialog.text
    assert {"✓  Python", "✓  Networks"} <= set(labels(dialog))
    dialog.close()

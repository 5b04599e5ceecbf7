"""What people who try the window for the first time do, and what once surprised them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QPushButton, QScrollArea, QToolButton
from pytestqt.qtbot import QtBot

from app.bundled import SAMPLE_CLIP
from app.gui.help_dialog import HelpDialog
from app.gui.source_dialog import SourceDialog
from models.readings import DEFAULT_BETA
from tests.app.gui.desk import Desk, labels, named


def test_the_split_never_shows_one_decoder_twice(desk: Desk) -> None:
    for key, chosen in (("1", "argmax"), ("2", "ipr"), ("3", "debiased")):
        desk.press(key)
        desk.press("D")
        assert desk.window.panel.looks.split not in ("", chosen)
        desk.press("D")


def test_a_double_click_brings_the_usual_beta_back(desk: Desk, qtbot: QtBot) -> None:
    desk.slider.setValue(desk.slider.maximum())
    assert desk.session.choice.beta > DEFAULT_BETA
    qtbot.mouseDClick(desk.slider, Qt.MouseButton.LeftButton, pos=QPoint(5, desk.slider.height() // 2))
    assert desk.session.choice.beta == DEFAULT_BETA


def test_the_folder_of_a_recording_is_a_click_away(desk: Desk, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True)
    desk.press("R")
    desk.record_for(0.3)
    desk.press("R")
    assert desk.message.startswith("Saved ")
    button = next(b for b in desk.window.messages.findChildren(QToolButton) if b.text() == "Show the folder")
    assert button.isVisible()
    button.click()
    assert [Path(folder) for folder in opened] == [desk.window.recordings]
    desk.window.messages.show_message("Something else")
    assert not button.isVisible()


def test_a_path_may_be_typed_and_enter_opens_it(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = SourceDialog(list, None)
    qtbot.addWidget(dialog)
    dialog.show()
    entries = dialog.findChild(QListWidget)
    entries.setCurrentItem(entries.findItems("Video file …", Qt.MatchFlag.MatchExactly)[0])
    open_button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Open")
    assert not open_button.isEnabled()
    path = named(dialog, QLineEdit, "Path of the video file")
    qtbot.keyClicks(path, str(tmp_path / "mine.mp4"))
    assert open_button.isEnabled()
    with qtbot.waitSignal(dialog.source_chosen, timeout=2000) as chosen:
        qtbot.keyClick(path, Qt.Key.Key_Return)
    assert chosen.args == [str(tmp_path / "mine.mp4")]


def test_the_help_shows_every_line_whole_or_scrolls(desk: Desk, qtbot: QtBot) -> None:
    dialog = HelpDialog(desk.window)
    dialog.show()
    qtbot.waitExposed(dialog)
    for size in (dialog.size(), dialog.size() * 0.6):
        dialog.resize(size)
        qtbot.wait(20)
        for label in dialog.findChild(QScrollArea).findChildren(QLabel):
            needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= needed, label.text()
            assert label.wordWrap() or label.width() >= label.sizeHint().width(), label.text()
    assert any("Ctrl+Q" in text for text in labels(dialog))
    dialog.close()


def test_the_tour_does_not_come_after_somebody_who_has_opened_something_else(desk: Desk, qtbot: QtBot) -> None:
    desk.window.source_text = str(SAMPLE_CLIP)
    desk.window.tour.start_when_seen()
    qtbot.waitUntil(lambda: desk.window.tour.is_running, timeout=5000)
    desk.window.tour.end()
    desk.window.tour.start_when_seen()
    desk.window.open_source("synthetic:figure,64x48")
    qtbot.wait(400)
    assert not desk.window.tour.is_running

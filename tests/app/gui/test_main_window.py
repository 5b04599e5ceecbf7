from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QPushButton, QToolButton, QWidget

from app.decoder_display import bgr, decoder_color
from app.gui import theme
from app.gui.actions import ACTIONS
from app.gui.decoder_table import DecoderTable
from app.gui.help_dialog import HelpDialog
from app.gui.main_window import NOBODY
from app.gui.source_dialog import SourceDialog
from app.session import NetworkChoice
from app.sources import make_source
from models.estimator import PoseEstimator
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import (
    LEFT,
    RIGHT,
    AbsentSource,
    Desk,
    PaintCounter,
    SplitSource,
    StubEstimator,
    StubSession,
    named,
    pixels,
    rgb,
    share_of,
    top_levels,
)
from tests.app.gui.table_rows import row_centres
from tests.app.source_builders import write_images

NUMBER_KEYS = {"1": "argmax", "2": "ipr", "3": "debiased"}
LISTED = ("argmax-quarter", "dark", "regression")


def marked_in_table(table: DecoderTable) -> list[str]:
    """Names of the rows that stand out, by the colour at their right end."""
    picture = pixels(table.grab())
    return [name for name, y in row_centres().items() if tuple(picture[y, -3]) == rgb(theme.RAISED)]


def captions(image: np.ndarray) -> list[str]:
    """Decoders whose colour is in the plate of the picture's corner."""
    corner = image[: image.shape[0] // 3, : image.shape[1] // 2]
    return [name for name in NUMBER_KEYS.values() if share_of(corner, bgr(decoder_color(name))) > 0]


# --- the decoder --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "decoder"), NUMBER_KEYS.items())
def test_a_number_key_changes_the_decoder_from_the_next_frame_on(desk: Desk, key: str, decoder: str) -> None:
    desk.window.choose_decoder("dark")
    desk.press(key)
    assert {result.decoder for result in desk.results_from_now()} == {decoder}
    assert desk.shown_from_now().decoder == decoder
    assert captions(desk.view.image) == [decoder]
    assert desk.chosen_on_switch() == [decoder]
    assert marked_in_table(desk.window.meters.table) == [decoder]
    assert desk.decoder_list.currentData() is None


def test_a_button_of_the_switch_chooses_its_decoder(desk: Desk) -> None:
    for title, decoder in (("Argmax", "argmax"), ("Debiased IPR", "debiased"), ("IPR", "ipr")):
        button = next(b for b in desk.window.decoders.findChildren(QToolButton) if b.text() == title)
        desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert desk.results_from_now(1)[0].decoder == decoder
        assert desk.chosen_on_switch() == [decoder]


def test_the_list_chooses_the_other_decoders_and_the_switch_lets_go(desk: Desk) -> None:
    for decoder in LISTED:
        desk.qtbot.keyClick(desk.decoder_list, Qt.Key.Key_Down)
        assert {result.decoder for result in desk.results_from_now(1)} == {decoder}
        assert desk.decoder_list.currentData() == decoder
        assert desk.chosen_on_switch() == []
        assert marked_in_table(desk.window.meters.table) == [decoder]
    desk.press("1")
    assert desk.chosen_on_switch() == ["argmax"]
    assert desk.decoder_list.currentData() is None


def test_the_list_always_tells_the_decoder_in_use(desk: Desk) -> None:
    desk.qtbot.keyClick(desk.decoder_list, Qt.Key.Key_Down)
    desk.qtbot.keyClick(desk.decoder_list, Qt.Key.Key_Up)  # there is nothing above the first decoder
    assert desk.decoder_list.currentData() == desk.session.choice.name == LISTED[0]


def test_a_click_on_a_row_of_the_table_chooses_its_decoder(desk: Desk) -> None:
    table = desk.window.meters.table
    for decoder, y in row_centres().items():
        desk.qtbot.mouseClick(table, Qt.MouseButton.LeftButton, pos=QPoint(150, y))
        assert desk.results_from_now(1)[0].decoder == decoder
        assert marked_in_table(table) == [decoder]
        assert desk.chosen_on_switch() == ([decoder] if decoder in NUMBER_KEYS.values() else [])


def test_the_slider_changes_the_beta_of_the_next_frame(desk: Desk) -> None:
    assert desk.session.choice.beta == 10.0
    for key, beta in ((Qt.Key.Key_Home, 0.5), (Qt.Key.Key_End, 50.0)):
        desk.qtbot.keyClick(desk.slider, key)
        assert {result.beta for result in desk.results_from_now()} == {beta}
    desk.press("2")
    assert desk.session.choice.beta == 50.0


@pytest.mark.parametrize("focused", ["list", "slider", "button"])
def test_the_keys_work_whichever_widget_has_the_focus(desk: Desk, focused: str) -> None:
    widget = {"list": desk.decoder_list, "slider": desk.slider, "button": desk.button("Mirror")}[focused]
    widget.setFocus()
    desk.wait(widget.hasFocus)
    desk.qtbot.keyClick(widget, "1")
    assert desk.session.choice.name == "argmax"
    desk.qtbot.keyClick(widget, Qt.Key.Key_Space)
    assert desk.session.paused
    assert not desk.button("Mirror").isChecked()


def test_a_key_that_is_held_down_acts_once(desk: Desk) -> None:
    # But for those that are held down to go through a clip.
    repeating = [action.text() for action in desk.window.actions() if action.text() and action.autoRepeat()]
    assert repeating == ["Step back", "Step forward"]


# --- the picture --------------------------------------------------------------------------------------------------


def test_space_holds_the_picture_and_goes_on(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Space)
    assert desk.button("Pause").isChecked()
    held = desk.wait_until_still()
    assert desk.view.badge == "Paused"
    delivered = desk.session.source.delivered
    desk.wait(lambda: desk.session.source.delivered > delivered + 5)  # the camera goes on
    assert desk.view.result is held

    desk.press(Qt.Key.Key_Space)
    assert not desk.button("Pause").isChecked()
    assert desk.view.badge == ""
    assert desk.shown_from_now().frame.index > held.frame.index


def test_the_pause_button_does_the_same(desk: Desk) -> None:
    for paused in (True, False):
        desk.qtbot.mouseClick(desk.button("Pause"), Qt.MouseButton.LeftButton)
        assert desk.session.paused is paused
        assert desk.button("Pause").isChecked() is paused


def test_a_file_stands_still_too_and_loses_no_frame(open_window: OpenWindow, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images")
    desk = open_window(StubSession(make_source(str(folder), loop=True, realtime=True)))
    desk.wait_for_picture()
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    desk.press(Qt.Key.Key_Space)
    desk.wait(lambda: desk.session.results[-1].frame.index > held.frame.index + 3)
    indices = [result.frame.index for result in desk.session.results]
    assert indices == list(range(len(indices)))


def test_mirror_flips_the_view_and_nothing_else(desk: Desk) -> None:
    plain = desk.shown_from_now()
    corner = desk.view.image[-1, 0]
    assert tuple(corner) == LEFT
    desk.press("M")
    assert desk.button("Mirror").isChecked()
    result = desk.shown_from_now()
    assert tuple(desk.view.image[-1, 0]) == RIGHT
    assert tuple(desk.view.image[-1, -1]) == LEFT
    assert tuple(result.frame.image[-1, 0]) == LEFT
    np.testing.assert_allclose(result.people[0].points["dark"], plain.people[0].points["dark"], atol=0.6)
    # On the screen, too.
    shown = pixels(desk.view.grab())
    middle = shown[shown.shape[0] * 3 // 4]
    assert tuple(middle[len(middle) // 8]) == RIGHT[::-1]
    desk.press("M")
    assert not desk.button("Mirror").isChecked()
    desk.shown_from_now()
    assert tuple(desk.view.image[-1, 0]) == LEFT


def test_mirror_flips_a_held_picture_at_once(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    desk.press("M")
    assert tuple(desk.view.image[-1, 0]) == RIGHT
    assert desk.view.result is held


def test_a_held_picture_follows_the_switch_and_is_not_timed_again(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    painted = []
    desk.view.first_painted.connect(lambda *arguments: painted.append(arguments))
    before = desk.view.image.copy()
    desk.press("2" if held.decoder != "ipr" else "1")
    assert desk.view.result.frame is held.frame
    assert desk.view.result.decoder == desk.window.session.choice.name != held.decoder
    assert (desk.view.image != before).any()
    desk.view.grab()
    assert painted == []


def test_a_snapshot_is_not_mirrored(desk: Desk) -> None:
    desk.press("M")
    desk.shown_from_now()
    assert tuple(desk.view.image[-1, 0]) == RIGHT
    desk.press("S")
    (path,) = desk.files("*.png")
    assert tuple(cv2.imread(str(path))[-1, 0]) == LEFT


def test_snapshots_have_the_size_of_the_source_and_names_of_their_own(desk: Desk) -> None:
    desk.window.resize(1400, 900)
    desk.press("S")
    desk.press("S")
    first, second = desk.files("*.png")
    assert str(second) in desk.message or str(first) in desk.message
    for path in (first, second):
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (240, 320, 3)
        assert tuple(image[-1, 0]) == LEFT
        assert tuple(image[-1, -1]) == RIGHT
        assert captions(image) == ["debiased"]


def test_a_snapshot_without_a_picture_says_so(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(AbsentSource()))
    desk.press("S")
    assert desk.message == "There is no picture to save yet."
    assert desk.files() == []


def test_a_snapshot_that_cannot_be_saved_says_so(open_window: OpenWindow, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = open_window(recordings=tmp_path / "file" / "pictures")
    desk.wait_for_picture()
    desk.press("S")
    assert desk.message.startswith("Cannot save the picture in ")
    assert desk.message_kind == "error"
    assert desk.shown_from_now()


def test_full_screen_is_the_picture_alone_and_escape_ends_it(desk: Desk) -> None:
    status = next(label for label in desk.window.findChildren(QLabel) if label.objectName() == "status")
    panel = desk.window.findChild(QWidget, "panel")
    desk.press("F")
    desk.wait(desk.window.isFullScreen)
    assert not panel.isVisible()
    assert not status.isVisible()
    desk.wait(lambda: desk.view.size() == desk.window.size())
    assert desk.results_from_now()
    desk.press("1")
    assert desk.session.choice.name == "argmax"
    desk.press(Qt.Key.Key_Escape)
    desk.wait(lambda: not desk.window.isFullScreen())
    assert panel.isVisible()
    assert status.isVisible()
    desk.press(Qt.Key.Key_Escape)
    assert desk.window.isVisible()


def test_a_maximized_window_is_maximized_again_after_full_screen(desk: Desk) -> None:
    desk.window.showMaximized()
    desk.press("F")
    desk.wait(desk.window.isFullScreen)
    desk.press("F")
    desk.wait(lambda: not desk.window.isFullScreen())
    assert desk.window.isMaximized()


def test_the_status_line_says_what_is_shown(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(), StubEstimator(anybody=False)))
    desk.wait_for_picture()
    status = next(label for label in desk.window.findChildren(QLabel) if label.objectName() == "status")
    desk.wait(lambda: desk.view.badge == NOBODY)
    assert [part in status.text() for part in ("split", "320 × 240")] == [True] * 2
    assert desk.button("lite").text() == "lite · stub ▾"
    assert desk.window.windowTitle() == "split — PoseScope"


# --- help and dialogs ---------------------------------------------------------------------------------------------


def test_help_lists_every_key_and_is_gone_when_closed(desk: Desk) -> None:
    desk.press("?")
    desk.wait(lambda: top_levels(HelpDialog))
    (dialog,) = top_levels(HelpDialog)
    assert dialog.isVisible()
    text = " ".join(label.text() for label in dialog.findChildren(QLabel))
    for info in ACTIONS.values():
        assert info.explained in text
        for key in info.keys:
            assert key in text
    close = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close)
    desk.qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    desk.wait(lambda: not top_levels(HelpDialog))
    assert desk.results_from_now()


def test_every_action_has_a_key_that_no_other_has(desk: Desk) -> None:
    keys = [key.toString() for action in desk.window.actions() for key in action.shortcuts()]
    assert len(keys) == len(set(keys)) == sum(len(info.keys) for info in ACTIONS.values()) + 1  # and Escape


def test_closing_the_window_under_an_open_dialog_ends_everything(desk: Desk) -> None:
    desk.press("?")
    desk.wait(lambda: top_levels(HelpDialog))
    desk.window.close()
    assert desk.session.pipeline.finished.is_set()
    desk.wait(lambda: not any(dialog.isVisible() for dialog in top_levels(QDialog)))


def test_another_source_is_chosen_in_a_dialog(desk: Desk) -> None:
    desk.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: top_levels(SourceDialog))
    (dialog,) = top_levels(SourceDialog)
    sources = named(dialog, QListWidget, "Sources")
    (row,) = sources.findItems("Moving figure", Qt.MatchFlag.MatchContains)
    sources.setCurrentItem(row)
    desk.qtbot.mouseClick(button_named(dialog, "Open"), Qt.MouseButton.LeftButton)
    desk.wait(lambda: desk.session.source.name == "synthetic")
    desk.wait(lambda: not top_levels(SourceDialog))
    desk.wait_for_picture()


def button_named(parent: QWidget, text: str) -> QPushButton:
    (button,) = [button for button in parent.findChildren(QPushButton) if button.text() == text]
    return button


# --- the window ---------------------------------------------------------------------------------------------------


def test_long_names_do_not_widen_the_window(open_window: OpenWindow) -> None:
    source = SplitSource()
    source.name = "n" * 250
    desk = open_window(StubSession(source))
    desk.window.resize(1280, 720)
    desk.wait_for_picture()
    desk.window.messages.show_message(f"Saved 10 s in /{'x' * 400}.mp4")
    desk.qtbot.wait(50)
    assert desk.window.minimumSizeHint().width() < 1000
    assert desk.window.width() == 1280


def test_the_window_fits_a_small_screen(desk: Desk) -> None:
    desk.window.resize(10, 10)
    assert desk.window.width() <= 1024
    assert desk.window.height() <= 720


def test_messages_are_plain_text(desk: Desk, tmp_path: Path) -> None:
    desk.window.open_source(str(tmp_path / "<b>bold</b>.mp4"))
    assert "<b>bold</b>" in desk.message
    label = next(label for label in desk.window.messages.findChildren(QLabel))
    assert label.textFormat() == Qt.TextFormat.PlainText


def test_closing_ends_every_thread_and_may_be_done_twice(open_window: OpenWindow) -> None:
    before = set(threading.enumerate())
    desk = open_window()
    desk.wait_for_picture()
    desk.window.close()
    assert set(threading.enumerate()) == before
    counter = PaintCounter(desk.view)
    desk.window.close()
    desk.qtbot.wait(100)
    assert counter.count == 0


@pytest.mark.thorough
def test_closing_while_the_network_loads_ends_cleanly(open_window: OpenWindow) -> None:
    class SlowSession(StubSession):
        def _load_estimator(self, network: NetworkChoice) -> PoseEstimator:
            time.sleep(0.5)
            return super()._load_estimator(network)

    before = set(threading.enumerate())
    desk = open_window(SlowSession(SplitSource()))
    desk.window.close()
    assert set(threading.enumerate()) == before


def test_quit_is_a_key(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert not desk.window.isVisible()
    assert desk.session.pipeline.finished.is_set()

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QToolButton, QWidget

from app.bundled import SAMPLE_CLIP
from app.decoder_display import bgr, decoder_color
from app.gui import theme
from app.gui.actions import ACTIONS, HelpDialog
from app.gui.decoder_table import DecoderTable
from app.meters.board import ESTIMATED, PAINTED
from app.session import NetworkChoice, Session
from app.sources import make_source
from models.estimator import DECODER_NAMES, PoseEstimator
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import (
    LEFT,
    LONG_MS,
    LOST,
    RIGHT,
    AbsentSource,
    Desk,
    PaintCounter,
    SplitSource,
    StubEstimator,
    StubSession,
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
    assert not [action.text() for action in desk.window.actions() if action.text() and action.autoRepeat()]


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
    assert tuple(middle[5]) == RIGHT[::-1]
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
    desk.wait(lambda: "nobody in view" in status.text())
    assert [part in status.text() for part in ("split", "320 × 240", "lite on stub")] == [True] * 3
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


def test_a_chosen_file_is_opened(desk: Desk, tmp_path: Path) -> None:
    desk.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: top_levels(QFileDialog))
    (dialog,) = top_levels(QFileDialog)
    dialog.setDirectory(str(SAMPLE_CLIP.parent))
    dialog.selectFile(SAMPLE_CLIP.name)
    dialog.accept()
    desk.wait(lambda: desk.session.source.name == SAMPLE_CLIP.name)
    desk.wait(lambda: not top_levels(QFileDialog))


# --- other sources ------------------------------------------------------------------------------------------------


def test_a_missing_file_leaves_the_source_as_it_is(desk: Desk, tmp_path: Path) -> None:
    session = desk.session
    desk.window.open_source(str(tmp_path / "missing.mp4"))
    assert desk.message == f"No such file or folder: {tmp_path / 'missing.mp4'}."
    assert desk.message_kind == "error"
    assert desk.session is session
    assert desk.results_from_now()
    assert desk.shown_from_now()


def test_another_file_keeps_decoder_and_beta(desk: Desk) -> None:
    old = desk.session
    desk.press("2")
    desk.slider.setValue(0)
    desk.press(Qt.Key.Key_Space)
    desk.window.open_source(str(SAMPLE_CLIP))
    assert not [thread.name for thread in threading.enumerate() if thread in old.pipeline._threads]
    assert not desk.button("Pause").isChecked()
    desk.wait(lambda: desk.view.result is not None and desk.view.result.frame.image.shape == (540, 960, 3))
    result = desk.shown_from_now()
    assert (result.decoder, result.beta) == ("ipr", 0.5)
    assert desk.chosen_on_switch() == ["ipr"]
    assert desk.slider.value() == 0
    assert SAMPLE_CLIP.name in desk.window.windowTitle()
    assert desk.message == ""


def test_the_old_picture_is_not_shown_as_the_new_source(desk: Desk) -> None:
    desk.wait_for_picture()
    desk.window.open_source(str(SAMPLE_CLIP))
    assert desk.view.result is None or desk.view.result.frame.image.shape == (540, 960, 3)


def test_a_file_that_is_no_video_leaves_a_window_that_can_be_used(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    desk.press("M")
    desk.window.open_source(str(tmp_path / "notes.mp4"))
    desk.wait(lambda: "notes.mp4" in desk.message)
    assert desk.message == "The file “notes.mp4” cannot be opened: it is not a video, or it is damaged."
    assert desk.message_kind == "error"
    desk.wait(lambda: desk.view.badge == "Source lost")
    assert desk.view.image is None
    assert desk.view.empty_text == "No picture. Open another source with Ctrl+O."
    desk.window.open_source(str(write_images(tmp_path / "images")))
    assert desk.shown_from_now()
    assert desk.message == ""
    desk.wait(lambda: desk.view.badge == "")


def test_a_source_that_ends_leaves_its_last_picture(open_window: OpenWindow, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images")
    desk = open_window(StubSession(make_source(str(folder), realtime=True)))
    desk.wait(lambda: desk.view.badge == "The source has ended")
    assert desk.view.result.frame.index == 2
    desk.press("R")
    assert desk.message == "There is no picture to record."
    assert not desk.button("Record").isChecked()
    assert desk.files() == []


def test_a_lost_source_is_told_at_once_while_the_network_still_loads(open_window: OpenWindow) -> None:
    loading, may_end = threading.Event(), threading.Event()

    class SlowSession(StubSession):
        def _load_estimator(self) -> PoseEstimator:
            loading.set()
            may_end.wait(LONG_MS / 1000)
            return super()._load_estimator()

    desk = open_window(SlowSession(AbsentSource()))
    try:
        desk.wait(loading.is_set)
        desk.wait(lambda: desk.view.badge == "Source lost")
        assert desk.message == LOST
        assert not desk.session.pipeline._model_settled.is_set()
    finally:
        may_end.set()


def test_no_frame_waits_for_the_network(open_window: OpenWindow) -> None:
    may_end = threading.Event()

    class SlowSession(StubSession):
        def _load_estimator(self) -> PoseEstimator:
            may_end.wait(LONG_MS / 1000)
            return super()._load_estimator()

    desk = open_window(SlowSession(SplitSource()))
    try:
        desk.wait(lambda: desk.view.result is not None)
        assert desk.view.result.stages is None
        desk.wait(lambda: desk.view.badge == "Loading the network …")
    finally:
        may_end.set()
    desk.wait_for_picture()
    desk.wait(lambda: desk.view.badge == "")


# --- networks and devices -----------------------------------------------------------------------------------------


def test_a_damaged_bundle_is_told_and_the_picture_goes_on(open_window: OpenWindow, tmp_path: Path) -> None:
    bundle = tmp_path / "damaged.task"
    bundle.write_bytes(b"PK\x03\x04 this is no zip")
    desk = open_window(Session(SplitSource(), NetworkChoice(str(bundle), "cpu")))
    desk.wait(lambda: desk.message)
    assert desk.message == f"{bundle} is not a .task bundle, or it is damaged or truncated."
    assert desk.message_kind == "error"
    result = desk.shown_from_now()
    assert result.people == ()
    assert desk.view.badge == ""


@pytest.fixture(scope="module")
def lite() -> PoseEstimator:
    """The smallest network, asked for on a GPU."""
    return Session(SplitSource(), NetworkChoice("lite", "cuda"))._load_estimator()


def test_a_gpu_that_is_not_there_is_told(open_window: OpenWindow, lite: PoseEstimator) -> None:
    if lite.device_label != "cpu":
        pytest.skip("this machine has a GPU")
    desk = open_window(StubSession(SplitSource(), lite))
    desk.wait(lambda: desk.message)
    assert desk.message.startswith("Asked for cuda, but ")
    assert desk.message.endswith("computing on the CPU instead.")
    assert desk.message_kind == "warning"
    assert desk.window.messages.isVisible()
    desk.wait_for_picture()


def test_the_shipped_clip_is_followed_by_every_decoder(open_window: OpenWindow, lite: PoseEstimator) -> None:
    lite.reset()
    desk = open_window(StubSession(make_source(str(SAMPLE_CLIP), loop=True, realtime=True), lite))
    desk.wait(lambda: desk.view.result is not None and desk.view.result.people)
    assert tuple(desk.view.result.people[0].points) == DECODER_NAMES
    desk.wait(lambda: set(desk.session.board.read().jitter.overall) == set(DECODER_NAMES))
    desk.wait(lambda: PAINTED in desk.session.board.read().latency)
    snapshot = desk.session.board.read()
    assert snapshot.latency[PAINTED].p50 > 0
    assert snapshot.latency[ESTIMATED].p50 > 0


# --- the clock of the paint ---------------------------------------------------------------------------------------


def test_each_result_is_reported_as_painted_once(desk: Desk) -> None:
    desk.wait(lambda: len(desk.painted) > 5)
    desk.view.repaint()
    desk.press("M")
    desk.press(Qt.Key.Key_Space)
    desk.wait_until_still()
    for _ in range(2):  # what is shown again is not new
        desk.press("M")
        desk.view.repaint()
    indices = [paint.result.frame.index for paint in desk.painted]
    assert indices == sorted(set(indices))
    assert indices[-1] == desk.view.result.frame.index
    for paint in desk.painted:
        assert paint.overlay_ns > 0
        assert paint.paint_ns > 0
        if paint.result.stages is not None:
            started_ns = paint.ended_ns - paint.paint_ns - paint.overlay_ns
            assert started_ns >= paint.result.stages.done_ns >= paint.result.frame.captured_ns


def test_the_board_counts_every_paint_but_those_of_the_warm_up(desk: Desk) -> None:
    desk.wait(lambda: len(desk.painted) >= 10)
    desk.press(Qt.Key.Key_Space)
    shown = desk.wait_until_still()
    spread = desk.session.board.read().latency[PAINTED]
    painted_ms = [
        (paint.ended_ns - paint.result.frame.captured_ns) / 1e6
        for paint in desk.painted
        if paint.result.stages is not None
    ]
    assert len(painted_ms) - spread.count >= 3
    counted = painted_ms[-spread.count :]
    assert min(counted) >= 0
    assert spread.now == pytest.approx(counted[-1])
    assert spread.max == pytest.approx(max(counted))
    assert spread.p50 == pytest.approx(float(np.median(counted)))
    assert spread.now >= (shown.stages.done_ns - shown.frame.captured_ns) / 1e6  # it was estimated before


def test_a_picture_of_the_old_source_is_not_counted_for_the_new_one(desk: Desk) -> None:
    old = desk.session.source
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    desk.press(Qt.Key.Key_Space)
    desk.wait(lambda: desk.session.results[-1] is not held)
    desk.window._pull()  # now a paint is due
    desk.window.open_source(str(SAMPLE_CLIP))
    desk.painted.clear()
    desk.wait(lambda: len(desk.painted) > 3)
    assert old is not desk.session.source
    assert {paint.result.frame.image.shape for paint in desk.painted} == {(540, 960, 3)}


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


def test_closing_while_the_network_loads_ends_cleanly(open_window: OpenWindow) -> None:
    class SlowSession(StubSession):
        def _load_estimator(self) -> PoseEstimator:
            time.sleep(0.5)
            return super()._load_estimator()

    before = set(threading.enumerate())
    desk = open_window(SlowSession(SplitSource()))
    desk.window.close()
    assert set(threading.enumerate()) == before


def test_quit_is_a_key(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert not desk.window.isVisible()
    assert desk.session.pipeline.finished.is_set()

"""MediaPipe in the window: alone, where there is nothing to decode, and as a ghost beside our own network."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QToolButton

from app.bundled import SAMPLE_CLIP
from app.decoder_display import DISPLAY_NAMES, REFERENCE_COLOR, bgr
from app.gui.decoder_table import DecoderTable
from app.session import NetworkChoice, Session
from app.sources.video_file import VideoFileSource
from models.people import MEDIAPIPE
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, labels, named

pytestmark = pytest.mark.thorough
NO_HEATMAPS = "MediaPipe gives points and no heatmaps: there is nothing for decoders to read."
LEFT_BUTTON = Qt.MouseButton.LeftButton


def clip_session(engine: str = "auto") -> Session:
    return Session(VideoFileSource(SAMPLE_CLIP, loop=True, realtime=True), NetworkChoice("lite", "cpu", engine))


@pytest.fixture
def reference_desk(open_window: OpenWindow) -> Desk:
    """A window in which MediaPipe is the engine."""
    desk = open_window(clip_session("mediapipe"))
    desk.wait(lambda: desk.wait_for_picture().people)
    return desk


@pytest.fixture
def clip_desk(open_window: OpenWindow) -> Desk:
    """A window in which our own network reads the shipped clip."""
    desk = open_window(clip_session())
    desk.wait(lambda: desk.wait_for_picture().people)
    return desk


def box(desk: Desk) -> QCheckBox:
    return named(desk.window, QCheckBox, "Ghost of MediaPipe (reference)")


def tick(desk: Desk) -> None:
    desk.open_tab("View")
    desk.qtbot.mouseClick(box(desk), LEFT_BUTTON, pos=box(desk).rect().center() - box(desk).rect().center() / 2)


def hint(desk: Desk) -> str:
    return named(desk.window, QLabel, "MediaPipe’s ghost").text()


def has_ghost(desk: Desk) -> bool:
    result = desk.view.result
    return bool(result and result.people and MEDIAPIPE in result.people[0].points)


def ghost_pixels(desk: Desk) -> int:
    """How many pixels of the picture, right of the plates, have MediaPipe's colour."""
    image = desk.view.image
    return int((np.abs(image[:, 300:].astype(int) - bgr(REFERENCE_COLOR)) < 12).all(-1).sum())


# The engine


def test_the_engine_says_that_it_is_the_reference_and_what_it_cannot(reference_desk: Desk) -> None:
    desk, panel = reference_desk, reference_desk.window.panel
    assert desk.view.result.decoder == MEDIAPIPE
    assert desk.view.result.device == "cpu (MediaPipe)"
    desk.wait(lambda: panel.network.text() == "lite · cpu, MediaPipe ▾")
    desk.wait(lambda: not desk.decoder_list.isVisible())
    note = "\n".join(text for text in labels(panel.decoders))
    assert "MediaPipe (reference)" in note
    assert "no heatmaps, so there is nothing to decode" in note
    assert panel.meters.table._names == (MEDIAPIPE,)
    assert "JITTER OF THE REFERENCE" in labels(panel.meters)
    desk.wait(lambda: desk.session.board.read().jitter.overall.get(MEDIAPIPE, 0) > 0)
    assert desk.message == ""


@pytest.mark.parametrize("key", ["1", "2", "3", "G", "A", "H"])
def test_what_needs_heatmaps_is_answered_with_a_sentence(reference_desk: Desk, key: str) -> None:
    looks = reference_desk.window.panel.looks
    before = reference_desk.session.pipeline.choice, looks.ghosts, looks.arrows, looks.heatmap
    reference_desk.press(key)
    assert (reference_desk.message, reference_desk.message_kind) == (NO_HEATMAPS, "info")
    assert (reference_desk.session.pipeline.choice, looks.ghosts, looks.arrows, looks.heatmap) == before


def test_the_panels_say_that_there_is_nothing_to_read(reference_desk: Desk) -> None:
    desk, panel = reference_desk, reference_desk.window.panel
    desk.open_tab("Loupe")
    desk.wait(lambda: "there is nothing to look into" in panel.loupe.heatmap_view.placeholder)
    desk.open_tab("View")
    desk.wait(lambda: not box(desk).isEnabled())
    assert hint(desk) == "MediaPipe alone reads these pictures."
    desk.open_tab("Joints")
    desk.qtbot.mouseClick(named(desk.window, QToolButton, "Joints by bias"), LEFT_BUTTON)
    desk.wait(lambda: "No bias: MediaPipe gives no heatmaps." in labels(panel.joints))
    desk.press("C")
    desk.wait(lambda: desk.message == f"{NO_HEATMAPS} There is nothing to compare.")


def test_ghosts_that_were_ticked_before_are_not_drawn_over_it(reference_desk: Desk) -> None:
    reference_desk.window.panel.looks.set_ghosts(frozenset(DISPLAY_NAMES))
    style = reference_desk.window.inspection.style(mirror=False)
    assert (style.ghosts, style.arrows, style.heatmap) == (frozenset(), 0, None)


def test_a_recording_and_a_snapshot_carry_its_name(reference_desk: Desk) -> None:
    reference_desk.press("R")
    reference_desk.record_for(0.5)
    reference_desk.press("R")
    reference_desk.press("S")
    reference_desk.wait(lambda: len(reference_desk.files("* mediapipe*.mp4")) == 1)
    assert len(reference_desk.files("* mediapipe*.png")) == 1


def test_the_menu_switches_between_our_engine_and_mediapipe(clip_desk: Desk) -> None:
    desk, network = clip_desk, clip_desk.window.panel.network
    desk.press("2")
    network.engine_chosen.emit(MEDIAPIPE)
    desk.wait(lambda: desk.view.result.decoder == MEDIAPIPE)
    desk.wait(lambda: network.text() == "lite · cpu, MediaPipe ▾")
    desk.wait(lambda: not desk.decoder_list.isVisible())
    assert desk.session.network.engine == MEDIAPIPE
    network.engine_chosen.emit("auto")
    desk.wait(lambda: desk.view.result.decoder == "ipr")
    desk.wait(lambda: desk.decoder_list.isVisible())
    assert desk.chosen_on_switch() == ["ipr"]
    assert desk.window.panel.meters.table._names == tuple(DISPLAY_NAMES)


def test_another_source_keeps_the_engine(reference_desk: Desk) -> None:
    opened = []

    def open_session(text: str, network: NetworkChoice) -> Session:
        opened.append(network)
        return clip_session(network.engine)

    reference_desk.window._make_session = open_session
    reference_desk.window.open_source("again")
    assert [network.engine for network in opened] == [MEDIAPIPE]
    reference_desk.wait(lambda: reference_desk.view.result is not None and reference_desk.view.result.people)
    assert reference_desk.view.result.decoder == MEDIAPIPE


# The ghost


def test_g_shows_the_decoders_and_does_not_load_mediapipe(clip_desk: Desk) -> None:
    clip_desk.press("G")
    assert clip_desk.window.panel.looks.ghosts == frozenset(DISPLAY_NAMES)
    assert not clip_desk.session.pipeline.reference.is_on


def test_its_ghost_is_drawn_on_every_picture_of_a_file_and_the_difference_is_told(clip_desk: Desk) -> None:
    desk = clip_desk
    assert ghost_pixels(desk) == 0
    tick(desk)
    assert desk.window.panel.looks.ghosts == {MEDIAPIPE}
    desk.wait(lambda: has_ghost(desk) and ghost_pixels(desk) > 100)
    desk.wait(lambda: hint(desk).startswith("MediaPipe differs by "))
    percent = float(hint(desk).removeprefix("MediaPipe differs by ").removesuffix(" % of the body"))
    assert 0.1 < percent < 3.0  # of a file none is left out, so nothing stands behind it
    for _ in range(3):
        assert MEDIAPIPE in desk.shown_from_now().people[0].points
    # It stays where the source is another one.
    desk.window._make_session = lambda text, network: clip_session(network.engine)
    desk.window.open_source("again")
    desk.wait(lambda: has_ghost(desk))
    tick(desk)
    assert desk.session.pipeline.reference.join(30)
    desk.wait(lambda: not has_ghost(desk))
    desk.wait(lambda: hint(desk) == "")


def test_it_goes_where_mediapipe_itself_becomes_the_engine_and_comes_back(clip_desk: Desk) -> None:
    desk, network = clip_desk, clip_desk.window.panel.network
    tick(desk)
    desk.wait(lambda: has_ghost(desk))
    network.engine_chosen.emit(MEDIAPIPE)
    desk.wait(lambda: desk.view.result.decoder == MEDIAPIPE)
    assert not desk.session.pipeline.reference.is_on
    network.engine_chosen.emit("auto")
    desk.wait(lambda: has_ghost(desk) and desk.view.result.decoder == "debiased")


def test_without_mediapipe_ticking_it_says_how_to_install_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    tick(desk)
    assert desk.message == 'MediaPipe is not installed here: python -m pip install "mediapipe>=1.2"'
    assert desk.message_kind == "error"
    assert not box(desk).isChecked()
    desk.window.messages.clear()
    desk.press("G")  # shows what can be shown
    assert desk.window.panel.looks.ghosts == frozenset(DISPLAY_NAMES)
    assert desk.message == ""


def test_the_table_has_room_for_its_name(qtbot) -> None:
    table = DecoderTable()
    qtbot.addWidget(table)
    heights = []
    for names in (tuple(DISPLAY_NAMES), (MEDIAPIPE,)):
        table.show_readings(names)
        table.resize(340, table.sizeHint().height())
        heights.append(table.height())
        chosen = []
        table.decoder_chosen.connect(chosen.append)
        qtbot.mouseClick(table, LEFT_BUTTON, pos=table.rect().bottomLeft() - table.rect().topLeft())
        assert chosen[-1] == names[-1]
        table.grab()
    assert heights[1] < heights[0]

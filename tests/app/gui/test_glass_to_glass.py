"""“Measure my camera’s delay”: the page, its ways in and out, and the whole loop with a camera that sees the screen."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

import app.sources
from app.bundled import SAMPLE_CLIP
from app.gui.delay_card import DelayCardView, DelayDialog, nice_axis
from app.gui.glass_to_glass import DelayPage
from app.gui.screen_pattern import CameraPreview, FlipLamps, ScreenPattern
from app.meters.glass_to_glass import FEWEST_USABLE, Outcome
from app.sources import make_source
from tests.app import builders
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubSession, named, pixels, top_levels
from tests.app.gui.screen_camera import ScreenCamera, difficult, plain, screen_kind
from tests.app.test_delay_card import card_of

pytestmark = pytest.mark.thorough

LOOP_S = 150.0  # a hang is later


class CameraStub(SplitSource):
    """Looks elsewhere: at what SplitSource shows."""

    from_camera = True


@pytest.fixture
def in_front_of_camera(open_window: OpenWindow) -> Desk:
    desk = open_window(StubSession(CameraStub()))
    desk.wait_for_picture()
    return desk


def open_page(desk: Desk) -> DelayPage:
    desk.press("D", Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: top_levels(DelayPage) and top_levels(DelayPage)[0].isActiveWindow())
    return top_levels(DelayPage)[0]


def click(desk: Desk, parent: DelayPage, title: str) -> None:
    (button,) = [b for b in parent.findChildren(QPushButton) if b.text().replace("&", "") == title]
    desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def said(page: DelayPage) -> str:
    return named(page, QLabel, "What to do").text()


# --- ways in and out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [str(SAMPLE_CLIP), "synthetic:figure,320x240"])
def test_a_file_or_a_drawing_is_told_to_need_a_camera(open_window: OpenWindow, text: str) -> None:
    desk = open_window(StubSession(make_source(text, loop=True, realtime=True)))
    desk.wait_for_picture()
    desk.press("D", Qt.KeyboardModifier.ControlModifier)
    assert desk.message == ("The delay can only be measured with a camera that sees this screen: open one with Ctrl+O.")
    assert desk.message_kind == "warning"
    assert top_levels(DelayPage) == []


def test_a_picture_that_is_held_cannot_be_measured(in_front_of_camera: Desk) -> None:
    in_front_of_camera.press(Qt.Key.Key_Space)
    in_front_of_camera.press("D", Qt.KeyboardModifier.ControlModifier)
    assert in_front_of_camera.message == "There is no moving picture to measure the delay in."
    assert top_levels(DelayPage) == []


def test_it_waits_for_hold_still(in_front_of_camera: Desk) -> None:
    in_front_of_camera.press("T")
    in_front_of_camera.press("D", Qt.KeyboardModifier.ControlModifier)
    assert in_front_of_camera.message == "The hold-still measurement is still running."
    assert top_levels(DelayPage) == []


def test_nothing_flashes_before_the_warning_was_agreed_to(in_front_of_camera: Desk) -> None:
    desk = in_front_of_camera
    page = open_page(desk)
    shown: list[int] = []
    page.flipped.connect(lambda state, ns: shown.append(state))
    assert "Flashing light" in named(page, QLabel, "Warning").text()
    assert "never more than 2.5 times" in named(page, QLabel, "Warning").text()
    desk.results_from_now(8)
    assert shown == []
    assert not page.pattern.isVisible()
    assert desk.session.glass_to_glass is None
    desk.qtbot.keyClick(page, Qt.Key.Key_Return)
    desk.wait(lambda: shown)
    assert page.pattern.isVisible()
    page.close()


@pytest.mark.parametrize("started", [False, True])
def test_escape_leaves_and_everything_else_goes_on(in_front_of_camera: Desk, started: bool) -> None:
    desk = in_front_of_camera
    desk.press("R")
    page = open_page(desk)
    if started:
        click(desk, page, "Start")
        desk.wait(lambda: desk.session.glass_to_glass is not None)
        desk.wait(lambda: page.preview.view.result is not None)
    desk.qtbot.keyClick(page, Qt.Key.Key_Escape)
    desk.wait(lambda: not top_levels(DelayPage))
    assert desk.session.glass_to_glass is None
    desk.shown_from_now()
    assert desk.session.recorder is not None
    assert desk.window.isVisible()
    desk.press("R")
    assert len(desk.files("*.mp4")) == 1


def test_the_page_is_as_large_as_the_window_and_leaves_with_it(in_front_of_camera: Desk) -> None:
    page = open_page(in_front_of_camera)
    click(in_front_of_camera, page, "Start")
    assert page.size() == in_front_of_camera.window.size()
    in_front_of_camera.window.close()
    in_front_of_camera.wait(lambda: not top_levels(DelayPage))


def test_pictures_are_painted_on_the_page_and_metered_as_always(in_front_of_camera: Desk) -> None:
    desk = in_front_of_camera
    page = open_page(desk)
    click(desk, page, "Start")
    desk.session.board.set_latency_window(0.5)
    beneath = len(desk.painted)

    def on_page() -> int:
        return page.preview.view.result.frame.captured_ns if page.preview.view.result is not None else 0

    begun_ns = time.perf_counter_ns()
    desk.wait(lambda: on_page() > begun_ns + 1_000_000_000)
    # Nothing was painted beneath the page meanwhile, so what is metered was painted on it.
    assert len(desk.painted) <= beneath + 1
    assert desk.session.board.read().latency["painted"].count >= 2
    page.close()


def test_the_latency_tab_offers_it_too(in_front_of_camera: Desk) -> None:
    in_front_of_camera.open_tab("Latency")
    in_front_of_camera.qtbot.mouseClick(in_front_of_camera.button("Delay …"), Qt.MouseButton.LeftButton)
    in_front_of_camera.wait(lambda: top_levels(DelayPage))
    top_levels(DelayPage)[0].close()


def test_a_camera_that_looks_elsewhere_is_told_so(in_front_of_camera: Desk) -> None:
    page = open_page(in_front_of_camera)
    click(in_front_of_camera, page, "Start")
    in_front_of_camera.wait(lambda: said(page) == "The camera does not see this window: point it at this screen.")
    assert named(page, FlipLamps, "0 of 5 flips seen").isVisible()
    page.close()


def test_a_camera_that_is_gone_for_good_is_told_and_can_be_left(in_front_of_camera: Desk) -> None:
    desk = in_front_of_camera
    page = open_page(desk)
    click(desk, page, "Start")
    desk.session.source.lost.set()
    reason = named(page, QLabel, "Why there is no figure")
    desk.wait(lambda: reason.isVisible())
    assert reason.text() == "The measurement stopped: the camera delivers no more pictures."
    assert desk.session.glass_to_glass is None
    desk.qtbot.keyClick(page, Qt.Key.Key_Escape)
    desk.wait(lambda: not top_levels(DelayPage))


def test_f_is_the_full_screen_of_the_page(in_front_of_camera: Desk) -> None:
    page = open_page(in_front_of_camera)
    in_front_of_camera.qtbot.keyClick(page, "F")
    assert page.isFullScreen()
    in_front_of_camera.qtbot.keyClick(page, "F")
    assert not page.isFullScreen()
    assert not in_front_of_camera.window.isFullScreen()
    page.close()


# --- what the camera sees -------------------------------------------------------------------------------------------


def test_the_pattern_swaps_black_and_white_and_tells_each_paint_once(qtbot: QtBot) -> None:
    pattern = ScreenPattern()
    qtbot.addWidget(pattern)
    pattern.resize(400, 200)
    shown: list[tuple[int, int]] = []
    pattern.shown.connect(lambda state, ns: shown.append((state, ns)))
    pattern.show()
    qtbot.waitUntil(lambda: len(shown) == 1)
    begun_ns = time.perf_counter_ns()
    pattern.flip()
    assert len(shown) == 1  # not before its paint
    qtbot.waitUntil(lambda: len(shown) == 2)
    assert begun_ns < shown[1][1] < time.perf_counter_ns()
    assert [state for state, _ in shown] == [1, -1]
    after = pixels(pattern.grab())[:, :, 0].astype(int)
    pattern.flip()
    before = pixels(pattern.grab())[:, :, 0].astype(int)
    assert set(np.unique(after)) == {0, 255}
    assert (before + after == 255).all()
    assert after.mean() == pytest.approx(127.5)
    pattern.repaint()
    assert len(shown) == 3


def test_the_camera_s_own_picture_is_too_dark_to_be_taken_for_the_pattern(qtbot: QtBot) -> None:
    preview = CameraPreview()
    qtbot.addWidget(preview)
    preview.show()
    levels = []
    for shade in (0, 255):
        picture = builders.image(180, 320, (shade,) * 3)
        preview.view.show_result(builders.result(), picture, 0)
        preview.show_cells(np.ones((16, 24), bool))
        levels.append(pixels(preview.grab()).mean())
    assert 20 < levels[1] - levels[0] < 0.45 * 255


# --- the card -------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_card(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., DelayDialog]]:
    def open_it(**changes: object) -> DelayDialog:
        dialog = DelayDialog(card_of(**changes), tmp_path / "recordings")
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    yield open_it
    for dialog in top_levels(DelayDialog):
        dialog.close()


@pytest.mark.parametrize(
    "changes",
    [{}, {"missed": 20}, {"refresh_hz": 0.0}, {"source": "rtsp://" + "a-very-long-name/" * 20}, {"every": 3}],
)
def test_nothing_runs_over_the_edge_of_the_card(qtbot: QtBot, changes: dict[str, object]) -> None:
    view = DelayCardView(card_of(**changes))
    qtbot.addWidget(view)
    picture = pixels(view.grab())
    edges = np.concatenate(
        [picture[:, :16].reshape(-1, 3), picture[:, -10:].reshape(-1, 3), picture[-4:].reshape(-1, 3)]
    )
    assert (edges == edges[0]).all()
    assert view.accessibleDescription() == card_of(**changes).to_text()


def test_copy_and_save(qtbot: QtBot, open_card: Callable[..., DelayDialog], tmp_path: Path) -> None:
    dialog = open_card()
    for title in ("Copy", "Save PNG", "Save CSV"):
        (button,) = [b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "") == title]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == card_of().to_text()
    names = sorted(path.name for path in (tmp_path / "recordings").iterdir())
    assert [name.rpartition(" Webcam ")[2] for name in names] == ["glass to glass.csv", "glass to glass.png"]
    with (tmp_path / "recordings" / names[0]).open() as file:
        assert len(list(csv.DictReader(file))) == 50


@pytest.mark.parametrize(("low", "high"), [(90.2, 124.0), (99.0, 99.1), (3.0, 640.0), (0.2, 9.0), (990, 1010)])
def test_the_axis_holds_all_values_between_round_numbers(low: float, high: float) -> None:
    first, last, step = nice_axis(low, high)
    assert 0 <= first <= low
    assert high <= last
    assert (last - first) / step <= 13
    assert first / step == pytest.approx(round(first / step))


# --- the whole loop -------------------------------------------------------------------------------------------------


@pytest.fixture
def screen_cameras(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ScreenCamera]]:
    """`screen:80ms,30fps` is a camera like any other; `plain` and `difficult` are what it makes of the screen."""
    cameras: list[ScreenCamera] = []
    kinds = (screen_kind(cameras, "screen", plain), screen_kind(cameras, "difficult", difficult))
    monkeypatch.setattr(app.sources, "SOURCE_KINDS", (*kinds, *app.sources.SOURCE_KINDS))
    yield cameras
    for camera in cameras:
        camera.release()


def run_loop(desk: Desk, flips: int) -> DelayPage:
    """From the key to the end, whichever it is."""
    desk.window.delay.flips = flips
    page = open_page(desk)
    click(desk, page, "Start")
    return page


def finished(desk: Desk) -> DelayDialog:
    desk.qtbot.waitUntil(lambda: bool(top_levels(DelayDialog)), timeout=round(1000 * LOOP_S))
    assert desk.session.glass_to_glass is None
    return top_levels(DelayDialog)[0]


@pytest.mark.parametrize(
    ("text", "flips"),
    [("screen:80ms,30fps", 50), ("difficult:45ms,30fps", 28), ("screen:210ms,15fps", 26)],
)
def test_the_injected_delay_is_found(
    open_window: OpenWindow, screen_cameras: list[ScreenCamera], text: str, flips: int
) -> None:
    """The camera reads what Qt has put on the screen; its own log says what every single flip should give."""
    session = StubSession(make_source(text))
    (camera,) = screen_cameras
    if text.startswith("difficult"):
        camera.jitter_ms, camera.dropped = 3.0, 0.03
    desk = open_window(session)
    desk.window.resize(800, 520)
    desk.wait_for_picture()
    desk.press("R")
    page = run_loop(desk, flips)
    painted: list[tuple[int, int]] = []
    page.preview.view.first_painted.connect(
        lambda result, overlay, paint, ended: painted.append((result.frame.captured_ns, ended))
    )
    shown: list[int] = []
    page.flipped.connect(lambda state, ns: shown.append(ns))
    dialog = finished(desk)
    card = dialog.findChildren(DelayCardView)[0]._card
    assert np.diff(shown).min() >= 0.4e9  # never more than 2.5 flips a second

    taken_of = {captured_ns: taken_ns for taken_ns, captured_ns in camera.delivered}
    looked_at = [result.frame.captured_ns for result in session.results]
    delays = card.delays
    interval_ms = delays.waiting.interval
    # What of the frames that were looked at was exposed first after the flip, and what was painted first from it on.
    for reading in delays.readings:
        if reading.outcome is Outcome.SEEN:
            first = next(ns for ns in looked_at if taken_of[ns] >= reading.shown_ns)
            on_screen = next(ended for captured_ns, ended in painted if captured_ns >= first)
            assert reading.received == pytest.approx((first - reading.shown_ns) / 1e6, abs=1e-3)
            assert reading.painted == pytest.approx((on_screen - reading.shown_ns) / 1e6, abs=1e-3)
    assert delays.painted.count >= FEWEST_USABLE
    injected = [
        (captured - taken_of[captured]) / 1e6 for captured in looked_at if captured > delays.readings[0].shown_ns
    ]
    assert delays.changed.p50 == pytest.approx(np.median(injected), abs=interval_ms / 2)
    assert delays.received.p50 == pytest.approx(np.median(injected) + interval_ms / 2, abs=interval_ms / 2)
    assert card.source == "a camera that sees the screen"
    dialog.close()
    assert desk.session.recorder is not None
    assert desk.session.recorder.elapsed_s > flips * 0.42
    desk.press("R")
    assert len(desk.files("*.mp4")) == 1


def test_a_camera_that_is_covered_half_way_gives_a_sentence_and_can_try_again(
    open_window: OpenWindow, screen_cameras: list[ScreenCamera]
) -> None:
    desk = open_window(StubSession(make_source("screen:60ms,30fps")))
    desk.window.resize(800, 520)
    desk.wait_for_picture()
    page = run_loop(desk, 24)
    desk.wait(lambda: desk.session.glass_to_glass and len(desk.session.glass_to_glass.state().readings) >= 8)
    screen_cameras[0].covered.set()
    reason = named(page, QLabel, "Why there is no figure")
    desk.wait(lambda: reason.isVisible())
    assert "would be left, so there is no figure. Hold camera and screen still" in reason.text()
    screen_cameras[0].covered.clear()
    click(desk, page, "Try again")
    desk.wait(lambda: desk.session.glass_to_glass and desk.session.glass_to_glass.state().phase == "measuring")
    page.close()

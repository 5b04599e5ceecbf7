from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from app.decoder_display import DISPLAY_NAMES
from app.frames import Frame, PoseResult, StageTimes
from app.gui.decoder_table import DecoderTable
from app.gui.meter_panel import MeterPanel, StageBar
from app.gui.strip_chart import StripChart
from app.meters.board import MeterBoard
from app.smoothing import OneEuroSettings, PersonSmoother
from tests.app import builders
from tests.app.gui.desk import LONG_MS, labels, named, pixels

NAMES = tuple(DISPLAY_NAMES)
MS = 1_000_000


# --- meters -------------------------------------------------------------------------------------------------------


def steady_board(*, paint_ms: float = 55.0) -> MeterBoard:
    """A board that has seen 25 frames a second: each estimated in 40 ms and painted after `paint_ms`."""
    board = MeterBoard()
    for index in range(40):
        captured_ns = 10**12 + index * 40 * MS
        frame = Frame(index, captured_ns, captured_ns, builders.image())
        people = (builders.person(builders.standing_points(100.0 + index % 2), step=1.5),)
        stages = StageTimes(1 * MS, 2 * MS, 0, 30 * MS, 7 * MS, captured_ns + 40 * MS)
        result = PoseResult(frame, people, "debiased", 10.0, stages)
        board.add(result)
        board.add_paint(result, 3 * MS, 4 * MS, captured_ns + round(paint_ms * MS))
    return board


@pytest.fixture
def meters(qtbot: QtBot) -> MeterPanel:
    meters = MeterPanel()
    qtbot.addWidget(meters)
    meters.setFixedSize(340, 420)  # as in the window
    meters.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its frame would come and go with the desktop's windows
    meters.show()
    yield meters
    meters.stop()


def test_the_numbers_are_those_of_the_board(meters: MeterPanel, qtbot: QtBot) -> None:
    board = steady_board()
    meters.show_dropped(12)
    meters.watch(board)
    qtbot.waitUntil(lambda: "55 ms" in labels(meters), timeout=LONG_MS)
    (line,) = [text for text in labels(meters) if "p95" in text]
    assert line.splitlines() == [
        "median of 10 s · 12 dropped",
        "p95 55 · p99 55 · 25.0 fps",
    ]
    snapshot = board.read()
    assert set(snapshot.jitter.overall) == set(snapshot.bias.overall) == set(NAMES)
    assert snapshot.bias.overall["regression"] == pytest.approx(5 * 1.5, abs=1e-3)

    # The table draws its numbers: another one that is given the board's looks the same.
    twin = DecoderTable()
    qtbot.addWidget(twin)
    twin.resize(meters.table.size())
    twin.show_bars(snapshot.jitter.overall, snapshot.bias.overall)
    twin.show_numbers(snapshot.jitter.overall, snapshot.bias.overall)
    np.testing.assert_array_equal(pixels(meters.table.grab()), pixels(twin.grab()))
    other = {**snapshot.jitter.overall, "dark": snapshot.jitter.overall["dark"] + 0.1}
    twin.show_numbers(other, snapshot.bias.overall)
    assert (pixels(meters.table.grab()) != pixels(twin.grab())).any()

    (bar,) = meters.findChildren(StageBar)
    assert bar.toolTip().splitlines() == [
        "capture wait: 1.00 ms",
        "preprocess: 2.00 ms",
        "detect: 0.00 ms",
        "network: 30.00 ms",
        "decode: 7.00 ms",
        "hand-over: 8.00 ms",
        "overlay: 3.00 ms",
        "paint: 4.00 ms",
    ]


@pytest.mark.parametrize("dropped", [0, 12345])
def test_large_numbers_are_not_cut_off(meters: MeterPanel, qtbot: QtBot, dropped: int) -> None:
    meters.show_dropped(dropped)
    meters.watch(steady_board(paint_ms=1234))
    qtbot.waitUntil(lambda: "1234 ms" in labels(meters), timeout=LONG_MS)
    QApplication.processEvents()
    (label,) = [label for label in meters.findChildren(QLabel) if "p95" in label.text()]
    assert ("12345 dropped" in label.text()) is bool(dropped)
    lengths = [label.fontMetrics().horizontalAdvance(line) for line in label.text().splitlines()]
    assert max(lengths) <= label.width()
    assert label.geometry().right() < meters.width()


@pytest.mark.thorough
def test_another_board_begins_without_the_old_numbers(meters: MeterPanel, qtbot: QtBot) -> None:
    board = steady_board()
    meters.watch(board)
    qtbot.waitUntil(lambda: "55 ms" in labels(meters), timeout=LONG_MS)
    meters.watch(MeterBoard())
    qtbot.waitUntil(lambda: "–" in labels(meters), timeout=LONG_MS)
    assert not [text for text in labels(meters) if "55" in text]
    meters.watch(steady_board(paint_ms=70))
    qtbot.waitUntil(lambda: "70 ms" in labels(meters), timeout=LONG_MS)


def test_an_empty_board_is_drawn(meters: MeterPanel) -> None:
    meters.watch(MeterBoard())
    for _ in range(4):
        meters.refresh()
    assert "–" in labels(meters)
    assert meters.grab().height() == meters.height()


def test_a_stopped_panel_freezes(meters: MeterPanel, qtbot: QtBot) -> None:
    board = steady_board()
    meters.watch(board)
    qtbot.waitUntil(lambda: "55 ms" in labels(meters), timeout=LONG_MS)
    meters.stop()
    assert not [timer for timer in meters.findChildren(QTimer) if timer.isActive()]


def test_stages_share_the_bar_by_their_length(qtbot: QtBot) -> None:
    bar = StageBar()
    qtbot.addWidget(bar)
    bar.resize(300, 48)
    bar.grab()  # nothing to draw yet
    bar.show_stages({"capture wait": 0.0, "preprocess": 10.0, "network": 20.0})
    top = pixels(bar.grab())[3]
    assert len(np.unique(top[2:96], axis=0)) == 1
    assert len(np.unique(top[104:296], axis=0)) == 1
    assert (top[50] != top[200]).any()
    bar.show_stages({"detect": 0.0})
    bar.grab()


def test_a_long_legend_stays_inside(qtbot: QtBot) -> None:
    bar = StageBar()
    qtbot.addWidget(bar)
    bar.resize(340, bar.sizeHint().height())
    bar.show_stages(
        dict.fromkeys(("capture wait", "preprocess", "detect", "network", "decode", "overlay", "paint"), 123.4)
    )
    assert (pixels(bar.grab())[-1] == pixels(bar.grab())[-1, 0]).all()


# --- windows, units, joints, motion, smoothing --------------------------------------------------------------------


def moving_board(
    *, speed: float = 0.0, unseen: int = 0, smoothing: OneEuroSettings | None = None, frames: int = 60
) -> MeterBoard:
    """25 frames a second of a person who moves right at `speed` px/s and trembles; `unseen` joints have no score."""
    board, smoother = MeterBoard(), PersonSmoother(smoothing)
    scores = np.full(33, 0.9, np.float32)
    scores[:unseen] = 0.1
    for index in range(frames):
        captured_ns = 10**12 + index * 40 * MS
        frame = Frame(index, captured_ns, captured_ns, builders.image())
        points = builders.standing_points(100.0 + index % 2 + speed * index / 25)
        people = (builders.person(points, scores, step=1.5),)
        smoothed = smoother.smooth(captured_ns, people) if smoothing else ()
        stages = StageTimes(1 * MS, 2 * MS, 0, 30 * MS, 7 * MS, captured_ns + 40 * MS)
        board.add(PoseResult(frame, people, "debiased", 10.0, stages, smoothed=smoothed))
    return board


def line_with(meters: MeterPanel, *parts: str) -> str:
    """The label in sight that has one of these parts."""
    found = [label for label in meters.findChildren(QLabel) if label.isVisible()]
    (text,) = [label.text() for label in found if any(part in label.text() for part in parts)]
    return text


def look_at(meters: MeterPanel, board: MeterBoard) -> None:
    meters.choose("debiased")
    meters.watch(board)
    meters.stop()
    for _ in range(3):  # bars move more often than numbers
        meters.refresh()


def test_the_window_of_jitter_and_bias_is_chosen_in_a_list(meters: MeterPanel, qtbot: QtBot) -> None:
    window = named(meters, QComboBox, "Length of the jitter window")
    asked: list[float] = []
    meters.window_chosen.connect(asked.append)
    for key, seconds in ((Qt.Key.Key_Up, 1.0), (Qt.Key.Key_End, 30.0), (Qt.Key.Key_Home, 1.0)):
        qtbot.keyClick(window, key)
        assert (window.currentText(), asked[-1]) == (f"last {seconds:g} s", seconds)
    board = MeterBoard()
    meters.watch(board)  # another board is looked at over the same time
    assert board.jitter_window_s == 1.0


def test_percent_of_the_body_are_a_hundredth_of_its_size(meters: MeterPanel, qtbot: QtBot) -> None:
    board = moving_board()
    look_at(meters, board)
    in_px = pixels(meters.table.grab())
    (button,) = [button for button in meters.findChildren(QToolButton) if button.text() == "% of body"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert meters.as_body_share
    for _ in range(3):
        meters.refresh()
    snapshot = board.read()
    body = builders.person(builders.standing_points()).region.body_size
    twin = DecoderTable()
    qtbot.addWidget(twin)
    twin.resize(meters.table.size())
    twin.choose("debiased")
    twin.show_bars(snapshot.jitter.overall, snapshot.bias.overall)
    twin.show_unit("%")
    twin.show_numbers(
        *({name: 100 * px / body for name, px in kind.overall.items()} for kind in (snapshot.jitter, snapshot.bias))
    )
    in_percent = pixels(meters.table.grab())
    np.testing.assert_array_equal(in_percent, pixels(twin.grab()))
    assert (in_percent[:18] != in_px[:18]).any()  # the header
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    for _ in range(3):
        meters.refresh()
    np.testing.assert_array_equal(pixels(meters.table.grab()), in_px)


def test_header_and_numbers_change_their_unit_together(meters: MeterPanel, qtbot: QtBot) -> None:
    look_at(meters, moving_board())
    (button,) = [button for button in meters.findChildren(QToolButton) if button.text() == "% of body"]
    shown: list[list[NDArray[np.uint8]]] = [[], []]
    for click in range(6):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        shown[click % 2].append(pixels(meters.table.grab()))
    for pictures in shown:
        assert all((picture == pictures[0]).all() for picture in pictures)


@pytest.mark.parametrize(
    ("unseen", "text"), [(0, "33 joints"), (5, "28 joints · 5 left out (score under 0.3)"), (33, "No joint seen")]
)
def test_joints_that_are_in_no_number_are_counted(meters: MeterPanel, unseen: int, text: str) -> None:
    look_at(meters, moving_board(unseen=unseen))
    assert line_with(meters, "joint") == text


@pytest.mark.parametrize(("share", "state"), [(0.01, "Still"), (0.02, "Still"), (0.05, "Moving"), (0.5, "Moving")])
def test_motion_is_told_from_holding_still(meters: MeterPanel, share: float, state: str) -> None:
    body = builders.person(builders.standing_points()).region.body_size
    board = MeterBoard()
    for index in range(30):
        points = builders.standing_points(100.0 + share * body * index / 25)
        stages = StageTimes(0, 0, 0, 0, 0, index * 40 * MS)
        frame = Frame(index, index * 40 * MS, index * 40 * MS, builders.image())
        board.add(PoseResult(frame, (builders.person(points),), "debiased", 10.0, stages))
    look_at(meters, board)
    assert line_with(meters, "Still", "Moving") == (
        f"{state}: {share * body:.0f} px/s, {100 * share:.0f} % of the body a second"
    )


def test_motion_that_is_not_known_is_a_dash(meters: MeterPanel) -> None:
    look_at(meters, MeterBoard())
    assert line_with(meters, "Motion") == "Motion –"


def test_the_smoothing_has_a_line_while_it_is_on(meters: MeterPanel) -> None:
    board = moving_board(smoothing=OneEuroSettings())
    look_at(meters, board)
    raw, smoothed = (distances.overall["debiased"] for distances in (board.read().jitter, board.read().smoothed_jitter))
    assert smoothed < 0.6 * raw
    text = line_with(meters, "Smoothed")
    assert text == f"Smoothed: {raw:.2f} → {smoothed:.2f} px, lag – (move)"
    look_at(meters, moving_board())
    assert not [label for label in meters.findChildren(QLabel) if label.isVisible() and "Smoothed" in label.text()]


def test_a_panel_out_of_sight_reads_on_and_changes_nothing(meters: MeterPanel) -> None:
    look_at(meters, moving_board())
    texts, read = labels(meters), []
    meters.snapshot_read.connect(lambda snapshot, numbers: read.append((snapshot, numbers)))
    meters.hide()
    look_at(meters, moving_board(unseen=5, speed=300))
    assert labels(meters) == texts
    assert [snapshot.jitter.joints for snapshot, _ in read] == [28] * 3
    assert sum(numbers for _, numbers in read) == 1


# --- strip chart --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log_range", [None, (0.05, 50.0)])
def test_values_that_are_not_known_leave_a_gap_and_no_warning(
    qtbot: QtBot, log_range: tuple[float, float] | None
) -> None:
    chart = StripChart("px", lambda: {"a": "#ff0000", "b": "#00ff00"}, log_range=log_range)
    qtbot.addWidget(chart)
    chart.resize(320, 120)
    chart.show()
    chart.redraw()  # nothing yet
    chart.add(0.0, {})
    chart.redraw()
    chart.grab()
    values = (math.nan, 1.0, 2.0, math.nan, 3.0, 0.0, math.inf, 1e9)
    for tick, value in enumerate(values):
        chart.add(1.0 + tick / 10, {"a": value})
        chart.redraw()
        chart.grab()
    shown, other = chart.getPlotItem().listDataItems()
    x, y = shown.getOriginalDataset()
    assert len(x) == len(y) == len(values) + 1
    assert x[-1] == 0
    assert math.isnan(y[0])
    assert math.isnan(y[1])
    assert y[2] == 1.0
    assert np.isnan(other.getOriginalDataset()[1]).all()


def test_a_line_is_drawn_in_its_colour(qtbot: QtBot) -> None:
    chart = StripChart("px", lambda: {"a": "#ff0000"}, log_range=(0.05, 50.0))
    qtbot.addWidget(chart)
    chart.resize(320, 120)
    chart.show()
    chart.emphasize("a")
    for tick in range(100):
        chart.add(tick / 10, {"a": 1.0})
    chart.redraw()
    QApplication.processEvents()
    picture = pixels(chart.grab()).astype(int)
    red = (picture[..., 0] > 150) & (picture[..., 1] < 80)
    columns = np.argwhere(red)[:, 1]
    assert columns.size
    assert columns.max() > 300  # the newest is at the right


def test_the_chart_forgets_what_is_out_of_sight(qtbot: QtBot) -> None:
    chart = StripChart("ms", lambda: {"a": "#ff0000"})
    qtbot.addWidget(chart)
    chart.show()
    for second in range(100):
        chart.add(float(second), {"a": 1.0})
    chart.redraw()
    (line,) = chart.getPlotItem().listDataItems()
    x, _ = line.getOriginalDataset()
    assert -21 < x[0] <= -19
    assert x[-1] == 0
    assert chart.getPlotItem().viewRange()[0] == [-20, 0]

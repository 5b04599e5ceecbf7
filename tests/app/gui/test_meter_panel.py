from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.decoder_display import DISPLAY_NAMES
from app.frames import Frame, PoseResult, StageTimes
from app.gui.decoder_table import DecoderTable
from app.gui.meter_panel import MeterPanel, StageBar
from app.gui.strip_chart import StripChart
from app.meters.board import MeterBoard
from tests.app import builders
from tests.app.gui.desk import LONG_MS, labels, pixels

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


# --- strip chart --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log_range", [None, (0.05, 50.0)])
def test_values_that_are_not_known_leave_a_gap_and_no_warning(
    qtbot: QtBot, log_range: tuple[float, float] | None
) -> None:
    chart = StripChart("px", {"a": "#ff0000", "b": "#00ff00"}, log_range=log_range)
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
    chart = StripChart("px", {"a": "#ff0000"}, log_range=(0.05, 50.0))
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
    chart = StripChart("ms", {"a": "#ff0000"})
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

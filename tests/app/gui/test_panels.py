from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from app.decoder_display import DECODER_COLORS, DISPLAY_NAMES, display_name
from app.frames import Frame, PoseResult, StageTimes
from app.gui import theme
from app.gui.decoder_panel import BETA_RANGE, DecoderPanel
from app.gui.decoder_table import JITTER_RANGE_PX, DecoderTable
from app.gui.message_bar import MessageBar
from app.gui.meter_panel import MeterPanel, StageBar
from app.gui.strip_chart import StripChart
from app.meters.board import MeterBoard
from tests.app import builders
from tests.app.gui.desk import LONG_MS, named, pixels, rgb, share_of
from tests.app.gui.table_rows import row_centres

NAMES = tuple(DISPLAY_NAMES)
MS = 1_000_000


def labels(parent) -> list[str]:
    return [label.text() for label in parent.findChildren(QLabel)]


# --- decoder panel ------------------------------------------------------------------------------------------------


class PanelOnDesk:
    def __init__(self, qtbot: QtBot) -> None:
        self.panel = DecoderPanel()
        qtbot.addWidget(self.panel)
        self.panel.show()
        self.decoders: list[str] = []
        self.betas: list[float] = []
        self.panel.decoder_chosen.connect(self.decoders.append)
        self.panel.beta_chosen.connect(self.betas.append)
        self.list = named(self.panel, QComboBox, "Other decoders")
        self.slider = named(self.panel, QSlider, "beta")

    def checked(self) -> list[str]:
        return [button.accessibleName() for button in self.panel.findChildren(QToolButton) if button.isChecked()]


@pytest.fixture
def panel(qtbot: QtBot) -> PanelOnDesk:
    return PanelOnDesk(qtbot)


def test_showing_a_choice_emits_nothing(panel: PanelOnDesk) -> None:
    for decoder, beta in itertools.product((*NAMES, *NAMES), (0.5, 10.0, 50.0, 7.3)):
        panel.panel.show_choice(decoder, beta)
        on_switch = decoder in ("argmax", "ipr", "debiased")
        assert panel.checked() == ([f"Decoder {display_name(decoder)}"] if on_switch else [])
        assert panel.list.currentData() == (None if on_switch else decoder)
        assert f"{beta:g}" in labels(panel.panel)
    assert panel.decoders == []
    assert panel.betas == []


def test_the_beta_slider_is_logarithmic_and_reaches_both_ends(panel: PanelOnDesk, qtbot: QtBot) -> None:
    assert BETA_RANGE == (0.5, 50.0)
    panel.panel.show_choice("ipr", 10.0)
    qtbot.keyClick(panel.slider, Qt.Key.Key_Home)
    qtbot.keyClick(panel.slider, Qt.Key.Key_End)
    assert panel.betas == [0.5, 50.0]
    assert "50" in labels(panel.panel)
    panel.betas.clear()
    positions = np.linspace(panel.slider.minimum(), panel.slider.maximum(), 9)
    for position in positions.round().astype(int).tolist()[:-1]:
        panel.slider.setValue(position)
    ratios = [b / a for a, b in itertools.pairwise(panel.betas)]
    np.testing.assert_allclose(ratios, 100 ** (1 / 8), rtol=0.02)


def test_every_position_of_the_slider_is_shown_again_where_it_was_set(panel: PanelOnDesk) -> None:
    for position in range(panel.slider.minimum(), panel.slider.maximum() + 1, 7):
        panel.slider.setValue(position)
        panel.panel.show_choice("ipr", panel.betas[-1] if panel.betas else BETA_RANGE[0])
        assert panel.slider.value() == position


def test_a_beta_beyond_the_slider_is_named_as_it_is(panel: PanelOnDesk) -> None:
    for beta, end in ((0.1, panel.slider.minimum()), (200.0, panel.slider.maximum())):
        panel.panel.show_choice("ipr", beta)
        assert f"{beta:g}" in labels(panel.panel)
        assert panel.slider.value() == end
    assert panel.betas == []


# --- decoder table ------------------------------------------------------------------------------------------------


@pytest.fixture
def table(qtbot: QtBot) -> DecoderTable:
    table = DecoderTable()
    qtbot.addWidget(table)
    table.resize(table.sizeHint())
    return table


def test_the_table_has_a_row_for_every_decoder_from_top_to_bottom() -> None:
    rows = row_centres()
    assert tuple(rows) == NAMES
    heights = np.diff(list(rows.values()))
    assert np.all(heights == heights[0])


def test_a_bar_grows_with_the_logarithm_of_its_value(table: DecoderTable) -> None:
    low, high = JITTER_RANGE_PX
    y = row_centres()["dark"]

    def length(value: float) -> int:
        table.show_bars({"dark": value}, {})
        row = pixels(table.grab())[y]
        return int((row == np.array(rgb(DECODER_COLORS["dark"]))).all(axis=1).sum()) - dot

    dot = 0
    dot = length(math.nan)  # the name's coloured dot
    assert length(low / 2) == length(0.0) == 0
    full = length(high)
    assert length(high * 100) == full > 40
    for share in (0.25, 0.5, 0.75):
        assert length(low * (high / low) ** share) == pytest.approx(full * share, abs=2.5)


def test_bias_is_drawn_beside_jitter(table: DecoderTable) -> None:
    table.show_bars({"dark": 50.0}, {})
    jitter = pixels(table.grab())
    table.show_bars({}, {"dark": 50.0})
    bias = pixels(table.grab())
    color = np.array(rgb(DECODER_COLORS["dark"]))
    columns = [np.argwhere((picture[:, 20:] == color).all(axis=2))[:, 1].mean() for picture in (jitter, bias)]
    assert columns[1] - columns[0] > 80


def test_numbers_are_written_only_where_they_are_known(table: DecoderTable) -> None:
    blank = pixels(table.grab())
    table.show_numbers({"dark": 0.25, "ipr": math.nan}, {})
    changed = np.argwhere((pixels(table.grab()) != blank).any(axis=2))[:, 0]
    rows = row_centres()
    assert np.abs(changed - rows["dark"]).max() < 12
    for value in (3.14159, 31.4159, 314.159, 31415.9):
        table.show_numbers({"dark": value}, {"dark": value})
        assert table.grab().width() == table.width()


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
    meters.resize(340, 420)
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
        "capture → paint, median of 10 s",
        "p95 55 · p99 55 ms · 25.0 frames/s · 12 dropped",
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


# --- message bar --------------------------------------------------------------------------------------------------


@pytest.fixture
def bar(qtbot: QtBot) -> MessageBar:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.findChild(QTimer).setInterval(100)
    return bar


def test_an_info_goes_away_by_itself(bar: MessageBar, qtbot: QtBot) -> None:
    assert bar.text == ""
    bar.show_message("Saved it.")
    assert bar.text == "Saved it."
    assert bar.isVisible()
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=LONG_MS)
    assert bar.text == ""


def test_an_info_can_be_read() -> None:
    assert MessageBar().findChild(QTimer).interval() >= 5000


@pytest.mark.parametrize("kind", ["warning", "error"])
def test_warnings_and_errors_stay_until_they_are_closed(bar: MessageBar, qtbot: QtBot, kind: str) -> None:
    bar.show_message("Saved it.")
    bar.show_message("It is lost.", kind)
    qtbot.wait(300)
    assert bar.text == "It is lost."
    assert bar.isVisible()
    qtbot.mouseClick(named(bar, QToolButton, "Close the message"), Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
    assert bar.text == ""


def test_an_info_after_an_error_goes_away(bar: MessageBar, qtbot: QtBot) -> None:
    bar.show_message("It is lost.", "error")
    bar.show_message("Saved it.")
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=LONG_MS)


def test_kinds_look_different(bar: MessageBar) -> None:
    seen = set()
    for kind in ("info", "warning", "error", "info"):
        bar.show_message("One sentence.", kind)
        bar.resize(400, 40)
        seen.add(tuple(pixels(bar.grab())[20, 3]))
    assert len(seen) == 3
    assert rgb(theme.RAISED) in seen


def test_a_long_message_is_shown_whole(bar: MessageBar) -> None:
    bar.show_message("Saved it in " + "/a-folder-with-a-long-name" * 30 + "/file.mp4", "warning")
    bar.resize(600, bar.heightForWidth(600))
    assert bar.heightForWidth(600) > 60
    assert bar.minimumSizeHint().width() < 600
    assert share_of(pixels(bar.grab()), rgb(theme.TEXT)) > 0

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from app.decoder_display import DECODER_COLORS, DISPLAY_NAMES, PX_RANGE, display_name
from app.gui import theme
from app.gui.decoder_panel import BETA_RANGE, DecoderPanel
from app.gui.decoder_table import DecoderTable
from app.gui.message_bar import MessageBar
from tests.app.gui.desk import LONG_MS, labels, named, pixels, rgb, share_of
from tests.app.gui.table_rows import row_centres

NAMES = tuple(DISPLAY_NAMES)


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
    low, high = PX_RANGE
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


def test_the_table_can_be_read_aloud_and_steered_by_keys(qtbot: QtBot) -> None:
    table = DecoderTable()
    qtbot.addWidget(table)
    table.show()
    chosen: list[str] = []
    table.decoder_chosen.connect(chosen.append)
    table.choose("ipr")
    table.show_numbers({"argmax": 0.91, "ipr": 0.64}, {"argmax": 3.66, "ipr": 27.5})
    assert table.accessibleDescription() == "In px. Argmax: jitter 0.91, bias 3.66. IPR: jitter 0.64, bias 27.5."
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Up)
    assert chosen == ["debiased", "dark"]
    table.choose("regression")
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert chosen[-1] == "argmax"

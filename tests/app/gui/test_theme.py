"""Colours: contrast as WCAG computes it, and whether colours stay apart for eyes that see fewer of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.decoder_display import DARK_SURFACE, DECODER_COLORS, PERSON_COLORS
from app.gui import theme
from app.gui.strip_chart import StripChart
from app.gui.theme import DARK, LIGHT, Scheme, apply_theme, scheme_for
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import pixels, rgb, share_of

SCHEMES = {"dark": DARK, "light": LIGHT}
# G. M. Machado et al., A Physiologically-based Model for Simulation of Color Vision Deficiency, TVCG 2009, severity 1:
# linear RGB to linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication):
    yield
    apply_theme(qapp)


def linear(color: str) -> NDArray[np.float64]:
    values = np.array(rgb(color)) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2.1."""
    low, high = sorted(float(np.dot([0.2126, 0.7152, 0.0722], linear(color))) for color in (a, b))
    return (high + 0.05) / (low + 0.05)


def oklab(color: str, vision: str) -> NDArray[np.float64]:
    """B. Ottosson's perceptual colour space, as that eye sees the colour."""
    seen = np.clip(np.array(VISION[vision]) @ linear(color), 0, 1)
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ seen
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )


def test_contrast_is_computed_as_it_should_be() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", SCHEMES)
def test_text_can_be_read_on_every_surface(name: str) -> None:
    look: Scheme = SCHEMES[name]
    surfaces = (look.window, look.panel, look.raised, look.warning_fill, look.error_fill)
    for surface in surfaces:
        assert contrast(look.text, surface) >= 7
    for surface in surfaces[:3]:
        assert contrast(look.muted, surface) >= 4.5
        assert contrast(look.record, surface) >= 4.5
        assert contrast(look.warning, surface) >= 4.5
    assert contrast(look.on_accent, look.accent) >= 4.5
    assert contrast(look.on_accent, look.record) >= 4.5
    # What has the focus, and which tab is in front.
    assert contrast(look.accent, look.panel) >= 4.5


@pytest.mark.parametrize("name", SCHEMES)
def test_bars_and_lines_can_be_seen(name: str) -> None:
    look = SCHEMES[name]
    for color in (*look.decoders.values(), look.unknown, look.paper, *look.stages):
        assert contrast(color, look.panel) >= 3, color


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", SCHEMES)
def test_decoders_are_told_apart_with_any_colour_vision(name: str, vision: str) -> None:
    colors = list(SCHEMES[name].decoders.values())
    assert len(colors) == len(DECODER_COLORS)
    # .02 is a difference that can just be seen side by side; measured here: .076 at the least.
    apart = min(np.linalg.norm(oklab(a, vision) - oklab(b, vision)) for a, b in combinations(colors, 2))
    assert apart > 0.07


def test_numbers_of_people_can_be_read_in_their_colours() -> None:
    assert len(set(PERSON_COLORS)) == len(PERSON_COLORS) == 8
    assert all(contrast("#121212", color) >= 7 for color in PERSON_COLORS)
    assert all(contrast(color, DARK_SURFACE) >= 4.5 for color in DECODER_COLORS.values() if color != "#d55e00")


def test_the_look_changes_at_once_and_back(qapp: QApplication, qtbot: QtBot) -> None:
    chart = StripChart("px", lambda: theme.DECODERS)
    label = QLabel("text")
    for widget in (chart, label):
        qtbot.addWidget(widget)
    chart.resize(300, 120)
    chart.show()
    for second in range(20):
        chart.add(float(second), {"debiased": 0.5})
    chart.redraw()
    for name in ("light", "dark", "light"):
        apply_theme(qapp, name)
        look = SCHEMES[name]
        assert (look.text, look.panel, look.decoders) == (theme.TEXT, theme.PANEL, theme.DECODERS)
        assert qapp.palette().windowText().color().name() == look.text
        assert chart.getPlotItem().getAxis("left").textPen().color().name() == look.muted
        assert share_of(pixels(chart.grab()), rgb(look.decoders["debiased"])) > 0.001
        other = DARK if look is LIGHT else LIGHT
        assert share_of(pixels(chart.grab()), rgb(other.decoders["debiased"])) == 0


def test_names_of_looks() -> None:
    assert scheme_for("light") is LIGHT
    assert scheme_for("dark") is DARK
    assert scheme_for("system") in (LIGHT, DARK)


@pytest.mark.thorough
def test_the_whole_window_is_light_in_the_light_look(open_window: OpenWindow) -> None:
    desk = open_window()
    desk.wait_for_picture()
    desk.window.appearance.set_theme("light")
    panel = pixels(desk.window.panel.grab())
    assert np.median(panel.mean(-1)) > 235
    # Nothing was left dark but text, meters and what is chosen.
    assert (panel.mean(-1) < 100).mean() < 0.2
    assert desk.window.settings_now.theme == "light"

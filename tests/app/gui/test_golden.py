"""Parts of the window against pictures of them that were looked at.

POSESCOPE_GOLDEN=write makes the pictures anew: look at each before you commit it. Fonts differ between computers, so
these tests are left out where Qt would take another one than DejaVu Sans.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.decoder_display import DISPLAY_NAMES
from app.gui.big_meters import BigMeters
from app.gui.decoder_panel import DecoderPanel
from app.gui.decoder_table import DecoderTable
from app.gui.stage_bar import StageBar
from app.gui.theme import apply_theme
from app.gui.tour import _STEPS, _Card
from app.gui.video_view import VideoView
from app.meters.board import STAGES
from app.overlay import OverlayStyle, draw_overlay
from tests.app import builders
from tests.app.gui.desk import pixels

FOLDER = Path(__file__).parent / "golden"
JITTER = dict(zip(DISPLAY_NAMES, (0.91, 0.63, 0.16, 0.66, 0.17, 0.19), strict=True))
BIAS = dict(zip(DISPLAY_NAMES, (3.67, 1.65, 1.27, 27.5, 0.64, 2.39), strict=True))


def table() -> QWidget:
    widget = DecoderTable()
    widget.choose("debiased")
    widget.show_bars(JITTER, BIAS, {name: px / 3 for name, px in JITTER.items()})
    widget.show_numbers(JITTER, BIAS)
    widget.resize(340, 160)
    return widget


def switch() -> QWidget:
    widget = DecoderPanel()
    widget.show_choice("ipr", 10.0)
    widget.resize(340, 84)
    return widget


def stages() -> QWidget:
    widget = StageBar()
    widget.show_stages(dict(zip(STAGES, (0.2, 1.6, 0.4, 9.4, 1.4, 4.1, 1.5, 1.7), strict=True)))
    widget.resize(340, 64)
    return widget


def empty() -> QWidget:
    widget = VideoView()
    widget.resize(560, 320)
    widget.empty.show_state(
        "No picture", "Choose another camera, file, folder or stream, or drop a video here.", can_open=True
    )
    return widget


def split() -> QWidget:
    """A person whom IPR reads smaller, and the large numbers of the full screen."""
    widget = VideoView()
    widget.resize(640, 360)
    low, high = (builders.standing_points(190, top, height) for top, height in ((60, 250), (100, 170)))
    person = builders.person(low)
    person = replace(person, points={**person.points, "ipr": high})
    result = builders.result(picture=builders.image(360, 380, (150, 160, 150)), people=(person,))
    widget.split.decoder = "ipr"
    widget.split.draw(result, OverlayStyle())
    widget.big_meters = BigMeters()
    widget.big_meters._decoder = "debiased"
    widget.big_meters._numbers = (("latency", "23", "ms"), ("jitter", "0.17", "px"), ("bias", "0.64", "px"))
    widget.show_result(result, draw_overlay(result, OverlayStyle(show_caption=False)), 0)
    return widget


def tour() -> QWidget:
    over = QWidget()
    over.resize(460, 300)
    title, text, _ = _STEPS[3]
    _Card(over).show_step(title, text, 3, len(_STEPS))
    return over


CASES: dict[str, Callable[[], QWidget]] = {
    "table": table,
    "switch": switch,
    "stages": stages,
    "empty": empty,
    "split": split,
    "tour": tour,
}


def compare(name: str, picture: NDArray[np.uint8]) -> None:
    """picture: (H, W, 3) RGB."""
    path = FOLDER / f"{name}.png"
    if os.environ.get("POSESCOPE_GOLDEN") == "write":
        cv2.imwrite(str(path), picture[..., ::-1])
    golden = cv2.imread(str(path))
    assert golden is not None, f"{path.name} is missing"
    assert golden.shape == picture.shape
    difference = np.abs(golden[..., ::-1].astype(int) - picture).max(-1)
    # Edges of letters may be smoothed a little otherwise.
    assert (difference > 48).mean() < 0.004, f"{path.name} looks otherwise now"


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("case", CASES)
def test_it_looks_as_it_did(qapp: QApplication, qtbot: QtBot, case: str, theme: str) -> None:
    if QFontInfo(qapp.font()).family() != "DejaVu Sans":
        pytest.skip("another font")
    apply_theme(qapp, theme)
    try:
        widget = CASES[case]()
        qtbot.addWidget(widget)
        widget.show()
        qtbot.wait(20)
        compare(f"{case}-{theme}", pixels(widget.grab()))
    finally:
        apply_theme(qapp)


def test_a_picture_with_several_people_looks_as_it_did() -> None:
    people = tuple(
        replace(builders.person(builders.standing_points(90 + 130 * i, 110, 220), id=i + 1, step=0.4), slot=i)
        for i in range(4)
    )
    result = replace(builders.result(picture=builders.image(360, 580, (120, 130, 140)), people=people), focus=3)
    picture = draw_overlay(result, OverlayStyle(ghosts=frozenset({"ipr"})), readings=builders.readings())
    compare("people", picture[..., ::-1])

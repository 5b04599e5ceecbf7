"""The card of the hold-still measurement: what it shows, copies and saves."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.decoder_display import decoder_color, px_share
from app.gui import theme
from app.gui.hold_still_card import HoldStillCardView, HoldStillDialog
from app.meters.hold_still import DecoderReading, HoldStillCard
from tests.app import builders
from tests.app.gui.desk import labels, named, pixels, rgb, share_of, top_levels

JITTER = dict(zip(builders.DECODERS, (1.47, 1.09, 0.45, 1.73, 0.43, 0.56), strict=True))
BIAS = dict(zip(builders.DECODERS, (3.46, 1.66, 1.09, 27.3, 0.71, 2.30), strict=True))


def card_of(jitter: dict[str, float] = JITTER, bias: dict[str, float] = BIAS, **changes: object) -> HoldStillCard:
    rows = tuple(DecoderReading(n, jitter[n], jitter[n] / 400, bias[n], bias[n] / 400, math.nan) for n in jitter)
    return replace(
        HoldStillCard(rows, "walk.mp4", 960, 540, "full", "cpu", 10.0, 151, 5.0, 33, (), 3.0, 0.008), **changes
    )


Open = Callable[..., HoldStillDialog]


@pytest.fixture
def open_dialog(qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    def open_it(card: HoldStillCard | None = None, folder: Path | None = None) -> HoldStillDialog:
        dialog = HoldStillDialog(card or card_of(), folder or tmp_path / "recordings")
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    yield open_it
    for dialog in top_levels(HoldStillDialog):
        dialog.close()


def press(qtbot: QtBot, dialog: HoldStillDialog, text: str) -> str:
    """Click a button; returns what the dialog says then."""
    (button,) = [b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "") == text]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    return named(dialog, QLabel, "What was copied or saved").text()


def bar_length(picture: np.ndarray, color: str, columns: slice) -> int:
    """Longest run of a colour in a row of pixels, in px on screen."""
    return int((picture[:, columns] == rgb(color)).all(-1).sum(1).max())


def test_bars_are_logarithmic_in_the_colours_of_the_decoders(qtbot: QtBot):
    view = HoldStillCardView(card_of())
    qtbot.addWidget(view)
    picture = pixels(view.grab())
    half = 460
    for columns, values in ((slice(160, half), JITTER), (slice(half, 700), BIAS)):
        lengths = {name: bar_length(picture, decoder_color(name), columns) for name in values}
        whole = {name: length / px_share(values[name]) for name, length in lengths.items()}
        # All bars are shares of one track; antialiasing takes up to two px at the ends.
        assert max(whole.values()) - min(whole.values()) < 8, whole
        assert min(whole.values()) > 100


def test_a_value_off_the_scale_fills_the_track_or_nothing(qtbot: QtBot):
    def length(jitter_px: float) -> int:
        view = HoldStillCardView(card_of(JITTER | {"dark": jitter_px}))
        qtbot.addWidget(view)
        return bar_length(pixels(view.grab()), decoder_color("dark"), slice(160, 460))

    assert length(0.04) == 0
    assert length(500.0) == length(50.0) > 100


def test_the_lowest_jitter_and_the_largest_bias_are_marked(qtbot: QtBot):
    def rows_with(jitter: dict[str, float], bias: dict[str, float], color: str) -> set[int]:
        view = HoldStillCardView(card_of(jitter, bias))
        qtbot.addWidget(view)
        found = (pixels(view.grab()) == rgb(color)).all(-1).any(1)
        return {int((y - 132) // 32) for y in np.flatnonzero(found)}

    assert rows_with(JITTER, BIAS, theme.RAISED) == {4}
    assert rows_with(JITTER | {"dark": 0.1}, BIAS, theme.RAISED) == {2}
    assert rows_with(JITTER | {"regression": 0.01}, BIAS, theme.RAISED) == {4}
    assert rows_with(JITTER | {"dark": 0.43}, BIAS, theme.RAISED) == {2, 4}
    assert rows_with(JITTER, BIAS, theme.WARNING) == {3}
    assert rows_with(JITTER, BIAS | {"argmax": 30.0}, theme.WARNING) == {0}


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "rtsp://" + "a-very-long-name/" * 20},
        {"readings": tuple(replace(r, smoothed_jitter_px=0.1) for r in card_of().readings)},
        {"readings": tuple(replace(r, bias_px=1261.0, bias_share=3.1) for r in card_of().readings)},
        {"joints": 2, "joints_left_out": builders.JOINTS[:31]},
    ],
)
def test_nothing_runs_over_the_edge(qtbot: QtBot, changes):
    view = HoldStillCardView(card_of(**changes))
    qtbot.addWidget(view)
    picture = pixels(view.grab())
    edges = np.concatenate(
        [picture[:, :18].reshape(-1, 3), picture[:, -18:].reshape(-1, 3), picture[-6:].reshape(-1, 3)]
    )
    assert (edges == rgb(theme.WINDOW)).all()
    assert share_of(picture, rgb(theme.TEXT)) > 0.005


def test_smoothed_jitter_has_a_column_of_its_own(qtbot: QtBot):
    plain, smoothed = card_of(), tuple(replace(r, smoothed_jitter_px=0.1) for r in card_of().readings)
    views = [HoldStillCardView(card) for card in (plain, replace(plain, readings=smoothed))]
    for view in views:
        qtbot.addWidget(view)
    tracks = [bar_length(pixels(view.grab()), theme.LINE, slice(160, 460)) for view in views]
    assert tracks[1] < tracks[0] - 30


def test_a_screen_reader_hears_the_numbers(open_dialog: Open):
    dialog = open_dialog()
    (view,) = dialog.findChildren(HoldStillCardView)
    assert view.accessibleDescription() == card_of().to_text()


def test_copy_gives_the_table_and_the_picture(qtbot: QtBot, open_dialog: Open):
    dialog = open_dialog()
    assert press(qtbot, dialog, "Copy").startswith("Copied")
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == card_of().to_text()
    (view,) = dialog.findChildren(HoldStillCardView)
    picture = QGuiApplication.clipboard().image()
    assert (picture.width(), picture.height()) == (2 * view.width(), 2 * view.height())


def test_the_picture_is_saved_at_twice_the_size(qtbot: QtBot, open_dialog: Open, tmp_path: Path):
    dialog = open_dialog()
    (view,) = dialog.findChildren(HoldStillCardView)
    said = press(qtbot, dialog, "Save PNG")
    (file,) = (tmp_path / "recordings").iterdir()
    assert said == f"Saved “{file.name}” in {tmp_path / 'recordings'}"
    picture = cv2.imread(str(file))
    assert picture.shape == (2 * view.height(), 2 * view.width(), 3)
    # The card, not only its ground: the bars are there, twice as long as on screen.
    on_screen = bar_length(pixels(view.grab()), decoder_color("ipr"), slice(460, 700))
    saved = bar_length(picture[..., ::-1], decoder_color("ipr"), slice(920, 1400))
    assert saved == pytest.approx(2 * on_screen, abs=5)


def test_the_table_is_saved(qtbot: QtBot, open_dialog: Open, tmp_path: Path):
    dialog = open_dialog()
    press(qtbot, dialog, "Save CSV")
    (file,) = (tmp_path / "recordings").iterdir()
    assert file.read_bytes() == card_of().to_csv().encode()
    with file.open(newline="", encoding="utf-8") as table:
        rows = {row["decoder"]: row for row in csv.DictReader(table)}
    assert {name: float(row["jitter_px"]) for name, row in rows.items()} == JITTER


def test_no_file_is_ever_replaced(qtbot: QtBot, open_dialog: Open, tmp_path: Path):
    dialog = open_dialog(card_of(source="my clip: 1/2.mp4"))
    for button in ("Save PNG", "Save CSV", "Save CSV", "Save PNG"):
        press(qtbot, dialog, button)
    names = sorted(path.name for path in (tmp_path / "recordings").iterdir())
    stem = names[0].removesuffix("-2.csv")
    assert names == [f"{stem}-2.csv", f"{stem}-2.png", f"{stem}.csv", f"{stem}.png"]
    assert stem.startswith("posescope 20")
    assert stem.endswith(" my-clip-1-2-mp4 hold still")


@pytest.mark.parametrize("button", ["Save PNG", "Save CSV"])
def test_a_folder_that_cannot_be_is_told_in_one_sentence(qtbot: QtBot, open_dialog: Open, tmp_path: Path, button):
    (tmp_path / "file").write_text("x")
    dialog = open_dialog(folder=tmp_path / "file" / "inside")
    said = press(qtbot, dialog, button)
    assert said.startswith("Cannot write ")
    assert said.endswith("its folder is not a folder.")
    assert theme.RECORD in named(dialog, QLabel, "What was copied or saved").styleSheet()
    assert press(qtbot, dialog, "Copy").startswith("Copied")
    assert theme.RECORD not in named(dialog, QLabel, "What was copied or saved").styleSheet()


def test_close_deletes_the_dialog(qtbot: QtBot, open_dialog: Open):
    dialog = open_dialog()
    assert labels(dialog) == [""]
    with qtbot.waitSignal(dialog.destroyed, timeout=5000):
        (button,) = [b for b in dialog.findChildren(QPushButton) if b.text() == "Close"]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert top_levels(HoldStillDialog) == []

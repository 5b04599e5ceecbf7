from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from app.decoder_display import decoder_color
from app.gui.loupe.loupe import Loupe
from app.gui.loupe.paint import edge_point
from app.gui.loupe.reading import ZOOMS, CellWindow, background_share, percent_text, read_joint
from app.gui.loupe.view import log_brightness
from models.people import Person
from models.regions import Region
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.desk import PaintCounter, labels, named, pixels, rgb

WRIST = BLAZEPOSE_33.index["left_wrist"]
REGION = Region(310.0, 205.0, 320.0, 0.6)
PEAK = (30.3, 21.7)
# The largest place of the picture: 9 cells of 37 px in 340 px. The window is placed on the maximum, cell (30, 22).
CELL, EDGE, FIRST = 37, 3, (26, 18)


def gaussian(x: float, y: float, shape: tuple[int, int] = (64, 64), sigma: float = 1.5) -> NDArray[np.float32]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def in_image(cell: tuple[float, float], shape: tuple[int, int]) -> tuple[float, float]:
    """Cells -> px of the image, written out: scale to the crop's side, turn clockwise, move to its centre."""
    u, v = (cell[0] / shape[1] - 0.5) * REGION.side, (cell[1] / shape[0] - 0.5) * REGION.side
    cos, sin = math.cos(REGION.rotation), math.sin(REGION.rotation)
    return REGION.center_x + cos * u - sin * v, REGION.center_y + sin * u + cos * v


def person(
    heatmap: NDArray[np.float32] | None,
    points: Mapping[str, tuple[float, float]],
    peak: tuple[float, float] = PEAK,
) -> Person:
    """A person whose joints all have this heatmap; points and peak in cells."""
    shape = (64, 64) if heatmap is None else heatmap.shape
    count = len(BLAZEPOSE_33.joints)

    def for_all(cell: tuple[float, float]) -> NDArray[np.float32]:
        return np.tile(np.float32(in_image(cell, shape)), (count, 1))

    heatmaps = None if heatmap is None else np.tile(heatmap, (count, 1, 1))
    scores = {name: np.full(count, 0.9, np.float32) for name in points}
    cells = {name: for_all(cell) for name, cell in points.items()}
    return Person(1, REGION, 0.98, cells, scores, for_all(peak), heatmaps)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loupe(qtbot: QtBot, clock: Clock) -> Iterator[Loupe]:
    loupe = Loupe(clock)
    qtbot.addWidget(loupe)
    loupe.resize(340, 760)
    loupe.show()
    QApplication.processEvents()
    yield loupe
    loupe.hide()


def picture(loupe: Loupe) -> NDArray[np.int64]:
    return pixels(loupe.heatmap_view.grab()).astype(np.int64)[: 2 * EDGE + 9 * CELL]


def middle_of(shown: NDArray[np.int64], color: str) -> tuple[float, float]:
    """x and y of the middle of everything in this colour."""
    rows, columns = np.nonzero((np.abs(shown - rgb(color)) <= 3).all(-1))
    assert rows.size >= 20
    return (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2


def expected_px(cell: tuple[float, float]) -> tuple[float, float]:
    return EDGE + (cell[0] - FIRST[0] + 0.5) * CELL, EDGE + (cell[1] - FIRST[1] + 0.5) * CELL


# --- numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 64), (64, 48)])
def test_points_come_back_to_the_cells_that_they_were_put_in(shape: tuple[int, int]) -> None:
    points = {"argmax": (30.0, 22.0), "ipr": (33.4, 12.8)}
    reading = read_joint(person(gaussian(*PEAK, shape), points), WRIST, 10.0)
    assert reading.points["argmax"] == pytest.approx(points["argmax"], abs=1e-3)
    assert reading.points["ipr"] == pytest.approx(points["ipr"], abs=1e-3)
    assert reading.subcell_peak == pytest.approx(PEAK, abs=1e-3)
    assert reading.cell == (30, 22)
    assert reading.distance("argmax") == pytest.approx(math.hypot(0.3, 0.3), abs=1e-3)
    assert math.isnan(reading.distance("dark"))
    assert reading.cell_px == pytest.approx(320 / shape[1])


@pytest.mark.parametrize("beta", [0.5, 10.0, 45.0])
def test_weights_are_those_of_the_formulas(beta: float) -> None:
    heatmap = (0.8 * gaussian(20.2, 40.6) + 0.15 * gaussian(50, 10, sigma=4) + 0.01).astype(np.float32)
    reading = read_joint(person(heatmap, {}), WRIST, beta)
    h = heatmap.astype(np.float64)
    softmax = np.exp(beta * h) / np.exp(beta * h).sum()
    normalized = np.maximum(h - 0.2 * h.max(), 0) / (0.8 * h.max())
    debiased = np.expm1(beta * normalized) / np.expm1(beta * normalized).sum()
    rows, columns = np.mgrid[:64, :64]
    for name, weights in (("ipr", softmax), ("debiased", debiased)):
        shown = reading.weight_maps[name]
        np.testing.assert_allclose(shown.weights, weights, rtol=2e-5, atol=1e-8)
        assert shown.mean == pytest.approx(((weights * columns).sum(), (weights * rows).sum()), abs=2e-3)
        assert shown.background == pytest.approx(weights[h < 0.1 * h.max()].sum(), abs=1e-5)
    assert reading.peak == heatmap.max()
    assert reading.mean == pytest.approx(h.mean(), rel=1e-5)


@pytest.mark.parametrize("beta", [1.0, 8.0])
def test_background_share_of_one_cell_on_nothing(beta: float) -> None:
    heatmap = np.zeros((64, 48), np.float32)
    heatmap[5, 7] = 1
    reading = read_joint(person(heatmap, {}), WRIST, beta)
    empty = 64 * 48 - 1
    assert reading.weight_maps["ipr"].background == pytest.approx(empty / (empty + math.exp(beta)), rel=1e-4)
    assert reading.weight_maps["debiased"].background == 0


def test_background_is_below_a_tenth_of_the_peak() -> None:
    heatmap = np.array([[0.5, 0.06, 0.04, 0.0]])
    weights = np.array([[4.0, 3.0, 2.0, 1.0]])
    assert background_share(weights, heatmap) == pytest.approx(0.3)
    assert math.isnan(background_share(np.zeros((1, 4)), heatmap))


def test_shares_are_not_rounded_to_nothing_or_to_everything() -> None:
    texts = [
        percent_text(share) for share in (0, 1e-9, 0.0321, 0.0994, 0.0996, 0.41, 0.9849, 0.987, 0.9999, 1, math.nan)
    ]
    assert texts[:5] == ["0 %", "< 0.1 %", "3.2 %", "9.9 %", "10 %"]
    assert texts[5:] == ["41 %", "98 %", "98.7 %", "> 99.9 %", "100 %", "–"]


def test_brightness_is_the_logarithm_of_the_weight() -> None:
    shown = log_brightness(np.array([[1.0, 1e-3, 1e-6, 1e-9, 0.0]]) * 0.2)
    np.testing.assert_allclose(shown, [[1, 0.5, 0, 0, 0]], atol=1e-9)
    assert not log_brightness(np.zeros((2, 2))).any()


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_a_map_without_a_peak_has_no_shares(loupe: Loupe, value: float) -> None:
    heatmap = np.full((64, 64), value, np.float32)
    reading = read_joint(person(heatmap, {}), WRIST, 10.0)
    assert not reading.heatmap.any()
    assert math.isnan(reading.weight_maps["debiased"].background)
    loupe.show_person(person(heatmap, {"ipr": (math.nan, 3.0)}), "ipr", 10.0)
    loupe.grab()


# --- the window of cells ------------------------------------------------------------------------------------------


def test_the_window_moves_only_when_the_maximum_leaves_its_inner_part() -> None:
    window = CellWindow(15)
    window.follow((30, 40), (64, 64))
    assert (window.column, window.row) == (23, 33)
    for cell in ((26, 40), (34, 40), (30, 36), (34, 44)):
        window.follow(cell, (64, 64))
        assert (window.column, window.row) == (23, 33)
    window.follow((35, 40), (64, 64))
    assert (window.column, window.row) == (28, 33)
    window.forget()
    window.follow((34, 40), (64, 64))
    assert (window.column, window.row) == (27, 33)


@pytest.mark.parametrize("size", ZOOMS)
@pytest.mark.parametrize("shape", [(64, 64), (64, 48)])
def test_the_window_stays_inside_of_the_map_and_holds_the_maximum(size: int, shape: tuple[int, int]) -> None:
    window = CellWindow(size)
    for cell in ((0, 0), (shape[1] - 1, shape[0] - 1), (1, shape[0] - 2), (shape[1] // 2, 3)):
        window.follow(cell, shape)
        assert 0 <= window.column <= cell[0] < window.column + window.columns <= shape[1]
        assert 0 <= window.row <= cell[1] < window.row + window.rows <= shape[0]
        assert (window.columns, window.rows) == (min(size, shape[1]), min(size, shape[0]))


# --- the picture --------------------------------------------------------------------------------------------------


def test_points_are_drawn_at_their_sub_cell_places(loupe: Loupe) -> None:
    points = {"debiased": (28.25, 20.6), "argmax": (33.0, 22.0), "regression": (29.1, 25.3), "dark": (31.7, 18.9)}
    loupe.show_person(person(gaussian(*PEAK), points), "debiased", 10.0)
    shown = picture(loupe)
    for name, cell in points.items():
        assert middle_of(shown, decoder_color(name)) == pytest.approx(expected_px(cell), abs=1.0)
    x, y = (int(place) for place in expected_px(points["debiased"]))
    assert tuple(shown[y, x]) == rgb(decoder_color("debiased"))  # solid
    x, y = (int(place) for place in expected_px(points["argmax"]))
    assert tuple(shown[y, x]) != rgb(decoder_color("argmax"))  # a ring
    x, y = (int(place) for place in expected_px(PEAK))
    assert tuple(shown[y, x]) == (255, 255, 255)
    sizes = {name: (np.abs(shown - rgb(decoder_color(name))) <= 3).all(-1).sum() for name in points}
    assert max(sizes, key=sizes.__getitem__) == "debiased"


def test_cells_are_flat_squares_as_bright_as_the_map(loupe: Loupe) -> None:
    loupe.show_person(person(gaussian(*PEAK), {}, peak=(27.0, 19.0)), "ipr", 10.0)
    shown = picture(loupe).sum(-1)

    def inside(column: int, row: int) -> NDArray[np.int64]:
        x, y = EDGE + (column - FIRST[0]) * CELL, EDGE + (row - FIRST[1]) * CELL
        return shown[y + 2 : y + CELL - 1, x + 2 : x + CELL - 1]

    levels = [inside(*cell) for cell in ((30, 22), (31, 21), (32, 22), (33, 22), (34, 20))]
    assert all(np.unique(level).size == 1 for level in levels)
    assert [int(level[0, 0]) for level in levels] == sorted((int(level[0, 0]) for level in levels), reverse=True)
    assert levels[0][0, 0] > levels[3][0, 0] + 200


def test_the_picture_stands_still_while_the_maximum_moves_a_little(loupe: Loupe) -> None:
    loupe.show_person(person(gaussian(*PEAK), {"ipr": (28.0, 20.0)}), "ipr", 10.0)
    before = middle_of(picture(loupe), color := decoder_color("ipr"))
    loupe.show_person(person(gaussian(32.4, 21.7), {"ipr": (28.0, 20.0)}), "ipr", 10.0)
    assert middle_of(picture(loupe), color) == before
    loupe.show_person(person(gaussian(34.4, 21.7), {"ipr": (32.0, 20.0)}), "ipr", 10.0)
    assert middle_of(picture(loupe), color) == before  # four columns further, and the window with it


def test_a_point_out_of_sight_is_an_arrow_at_the_edge(loupe: Loupe) -> None:
    loupe.show_person(person(gaussian(*PEAK), {"ipr": (PEAK[0] + 9.2, PEAK[1])}), "ipr", 10.0)
    hit = (np.abs(picture(loupe) - rgb(decoder_color("ipr"))) <= 3).all(-1)
    rows, _ = np.nonzero(hit[:, EDGE + 9 * CELL - 12 : EDGE + 9 * CELL])
    assert rows.size > 30
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(expected_px(PEAK)[1], abs=1.5)
    assert hit[:, : EDGE + 9 * CELL - 12].sum() > 20  # its distance is written beside it
    assert not hit[:, EDGE + 9 * CELL :].any()


def test_the_way_to_a_point_leaves_through_the_nearest_edge(loupe: Loupe) -> None:
    rect = loupe.heatmap_view.frame().rect
    assert (rect.x(), rect.y(), rect.width(), rect.height()) == (EDGE, EDGE, 9 * CELL, 9 * CELL)
    start = QPointF(100, 100)
    assert edge_point(rect, start, QPointF(100, -500)) == QPointF(100, EDGE)
    assert edge_point(rect, start, QPointF(800, 800)) == QPointF(336, 336)
    assert edge_point(rect, start, QPointF(-94, 294)) == QPointF(3, 197)


@pytest.mark.parametrize("height", [430, 600, 800])
def test_everything_has_its_place(loupe: Loupe, height: int) -> None:
    loupe.resize(340, height)
    QApplication.processEvents()
    loupe.show_person(person(gaussian(*PEAK), {"ipr": (31.0, 22.0)}), "ipr", 10.0)
    parts = [child for child in loupe.children() if getattr(child, "isVisible", bool)()]
    boxes = sorted((part.geometry() for part in parts), key=lambda box: box.top())
    assert len(boxes) == 4
    assert all(upper.bottom() < lower.top() for upper, lower in pairwise(boxes))
    assert boxes[-1].bottom() < height
    for decoder in ("ipr", "debiased"):
        assert loupe.weight_view.rect().toRectF().contains(loupe.weight_view.frame(decoder).rect)
    assert loupe.heatmap_view.rect().toRectF().contains(loupe.heatmap_view.frame().rect)
    assert loupe.heatmap_view.frame().rect.height() >= 9 * 19


def test_weights_show_the_background_of_ipr_and_none_of_debiased(loupe: Loupe) -> None:
    loupe.show_person(person(gaussian(*PEAK), {}), "ipr", 0.5)  # 99 point something percent: the longest text
    shown = pixels(loupe.weight_view.grab()).astype(int).sum(-1)
    brightness = []
    for decoder in ("ipr", "debiased"):
        rect = loupe.weight_view.frame(decoder).rect
        brightness.append(shown[int(rect.bottom()) - 8, int(rect.left()) + 8])
    assert brightness[0] > 300
    assert brightness[1] < 20
    bottom = int(loupe.weight_view.frame("ipr").rect.bottom())
    assert np.unique(shown[bottom + 2 :, 155:175]).size == 1  # the text ends before the other column


# --- hands --------------------------------------------------------------------------------------------------------


def test_the_numbers_are_written_out(loupe: Loupe) -> None:
    loupe.show_person(person(0.93 * gaussian(31, 40), {"ipr": (31.0, 42.0)}, peak=(31.0, 40.0)), "ipr", 10.0)
    (text,) = [text for text in labels(loupe) if "peak" in text]
    assert text == "peak 0.93 at (31, 40) · mean 0.003 · β 10\nIPR 10.0 px from the peak · 1 cell = 5.0 px"


def test_numbers_change_four_times_a_second_and_at_once_for_another_choice(loupe: Loupe, clock: Clock) -> None:
    def peak_after(step_s: float, peak: float, decoder: str = "ipr", beta: float = 10.0) -> str:
        clock.now += step_s
        someone = person(np.float32(peak) * gaussian(*PEAK), {"ipr": (31.0, 22.0), "dark": (31.0, 22.0)})
        loupe.show_person(someone, decoder, beta)
        (text,) = [text for text in labels(loupe) if text.startswith("peak")]
        return text[:9]

    assert peak_after(0, 0.5) == "peak 0.48"  # the nearest cell lies beside the Gaussian's own maximum
    assert peak_after(0.1, 0.8) == "peak 0.48"
    assert peak_after(0.1, 0.9) == "peak 0.48"
    assert peak_after(0.06, 0.7) == "peak 0.67"
    assert peak_after(0.01, 0.8, decoder="dark") == "peak 0.77"
    assert peak_after(0.01, 0.6, decoder="dark", beta=11) == "peak 0.58"
    last = person(np.float32(0.9) * gaussian(*PEAK), {})
    loupe.show_person(last, "dark", 11)
    loupe.show_person(last, "dark", 11)  # as a paused window does
    assert any(text.startswith("peak 0.86") for text in labels(loupe))


def test_a_joint_is_chosen_by_keyboard(loupe: Loupe, qtbot: QtBot) -> None:
    combo = named(loupe, QComboBox, "Joint under the loupe")
    assert [combo.itemText(i) for i in (0, 15, 32)] == ["nose", "left wrist", "right foot index"]
    chosen: list[int] = []
    loupe.joint_chosen.connect(chosen.append)
    loupe.choose_joint(7)
    assert (loupe.joint, combo.currentIndex(), chosen) == (7, 7, [])
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert (loupe.joint, chosen) == (8, [8])


def test_another_joint_shows_another_heatmap(loupe: Loupe) -> None:
    someone = person(gaussian(*PEAK), {"ipr": PEAK})
    assert someone.heatmaps is not None
    someone.heatmaps[3] = 0.5 * gaussian(12, 50)
    loupe.show_person(someone, "ipr", 10.0)
    loupe.choose_joint(3)
    assert any(text.startswith("peak 0.50 at (12, 50)") for text in labels(loupe))
    assert (loupe.heatmap_view.window_of_cells.column, loupe.heatmap_view.window_of_cells.row) == (8, 46)


def test_wheel_and_keys_zoom(loupe: Loupe, qtbot: QtBot) -> None:
    loupe.show_person(person(gaussian(*PEAK), {}), "ipr", 10.0)
    view = loupe.heatmap_view

    def turn(angle: int) -> int:
        place = QPointF(50, 50)
        buttons, modifiers = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        turn = (QPoint(), QPoint(0, angle), buttons, modifiers, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(view, QWheelEvent(place, place, *turn))
        loupe.grab()
        return view.window_of_cells.columns

    assert [turn(-120) for _ in range(4)] == [15, 31, 64, 64]
    assert [turn(120) for _ in range(4)] == [31, 15, 9, 9]
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert view.window_of_cells.columns == 15
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.window_of_cells.columns == 9


def test_without_a_person_or_heatmaps_a_sentence_says_so(loupe: Loupe) -> None:
    someone = person(gaussian(*PEAK), {"ipr": PEAK})
    empty = pixels(loupe.grab())
    assert "somebody" in loupe.heatmap_view.placeholder
    loupe.show_person(someone, "ipr", 10.0)
    assert (pixels(loupe.grab()) != empty).any()
    loupe.show_person(person(None, {"ipr": PEAK}), "ipr", 10.0)
    assert "not kept" in loupe.heatmap_view.placeholder
    assert not any("peak" in text for text in labels(loupe))
    loupe.show_person(someone, "ipr", 10.0)
    loupe.clear()
    np.testing.assert_array_equal(pixels(loupe.grab()), empty)


def test_a_hidden_loupe_does_no_work(loupe: Loupe) -> None:
    loupe.hide()
    paints = PaintCounter(loupe.heatmap_view)
    unreadable = replace(person(gaussian(*PEAK), {}), heatmaps=np.zeros((0, 64, 64), np.float32))
    for _ in range(5):
        loupe.show_person(unreadable, "ipr", 10.0)
        QApplication.processEvents()
    with pytest.raises(IndexError):
        read_joint(unreadable, WRIST, 10.0)
    loupe.show_person(person(gaussian(*PEAK), {"ipr": PEAK}), "ipr", 10.0)
    assert not any("peak" in text for text in labels(loupe))
    assert paints.count == 0
    loupe.show()
    assert any(text.startswith("peak 0.96") for text in labels(loupe))


def test_torch_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, app.gui.loupe.loupe, app.gui.joints.panel; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0

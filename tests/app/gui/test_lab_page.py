"""The page of the β laboratory, by mouse and keyboard, against sums written out in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.gui.lab.page import LabPage
from app.lab.readings import PAPER_FORM, lab_color

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qtbot):
    page = LabPage(beta=6.0)
    qtbot.addWidget(page)
    page.resize(1280, 680)
    with qtbot.waitExposed(page):
        page.show()
    yield page
    page.hide()


def mouse(view, kind, x, y, button=LEFT):
    """A mouse event over the cell place (x, y) of the map."""
    place = view.to_widget((x, y))
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    event = QMouseEvent(kind, place, view.mapToGlobal(place), pressed, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)


def numpy_map(page):
    shown = page.synthetic_map
    rows, columns = np.mgrid[:64, :64]
    blob = np.exp(-((columns - shown.x) ** 2 + (rows - shown.y) ** 2) / (2 * shown.sigma**2))
    return shown.background + (shown.peak - shown.background) * blob


def numpy_mean(weights):
    rows, columns = np.mgrid[:64, :64]
    return (columns * weights).sum() / weights.sum(), (rows * weights).sum() / weights.sum()


def numpy_pull(page):
    x, y = numpy_mean(np.exp(page.beta * numpy_map(page)))
    return math.hypot(x - page.synthetic_map.x, y - page.synthetic_map.y)


def distance_to_color(picture, place, color):
    """How far the nearest of the nine pixels around a place is from a colour, over red, green and blue."""
    wanted = QColor(color)
    nine = [QColor(picture.pixel(round(place.x()) + i, round(place.y()) + j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return min(
        abs(found.red() - wanted.red()) + abs(found.green() - wanted.green()) + abs(found.blue() - wanted.blue())
        for found in nine
    )


def line(plot, decoder):
    """What the chart shows: x and y in the units of the labels."""
    return plot._lines[decoder].getOriginalDataset()


def test_a_click_and_a_drag_move_the_blob_and_all_that_is_read_from_it(page):
    mouse(page.heatmap, QEvent.Type.MouseButtonPress, 50, 20)
    assert (page.synthetic_map.x, page.synthetic_map.y) == pytest.approx((50, 20), abs=0.01)
    before = numpy_pull(page)
    assert page.heatmap.pull_text() == f"pull {before:.1f} cells"
    mouse(page.heatmap, QEvent.Type.MouseMove, 10.5, 33)
    assert (page.synthetic_map.x, page.synthetic_map.y) == pytest.approx((10.5, 33), abs=0.01)
    pull = numpy_pull(page)
    assert abs(pull - before) > 0.3
    assert page.heatmap.pull_text() == f"pull {pull:.1f} cells"
    assert f"IPR&nbsp;&nbsp;<b>{pull:.2f}</b>" in page.legend.text()
    assert f"pull IPR {pull:.1f} cells toward the centre" in page.sentence.text()
    assert page.plots["position"].marker.value() == pytest.approx(10.5, abs=0.01)


def test_a_drag_beyond_the_map_stays_on_it_and_other_buttons_do_nothing(page):
    mouse(page.heatmap, QEvent.Type.MouseButtonPress, -9, 200)
    assert (page.synthetic_map.x, page.synthetic_map.y) == (0, 63)
    mouse(page.heatmap, QEvent.Type.MouseButtonPress, 30, 30, Qt.MouseButton.RightButton)
    mouse(page.heatmap, QEvent.Type.MouseMove, 30, 30, Qt.MouseButton.RightButton)
    assert (page.synthetic_map.x, page.synthetic_map.y) == (0, 63)


def test_arrow_keys_move_by_half_a_cell(page, qtbot):
    x, y = page.synthetic_map.x, page.synthetic_map.y
    qtbot.keyClick(page.heatmap, Qt.Key.Key_Right)
    qtbot.keyClick(page.heatmap, Qt.Key.Key_Up)
    assert (page.synthetic_map.x, page.synthetic_map.y) == pytest.approx((x + 0.5, y - 0.5), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "share", "value"),
    [("sigma", 0.5, 2.4), ("peak", 0.5, 0.55), ("background", 1.0, 0.05), ("beta", 0.5, 5.0), ("beta", 1.0, 50.0)],
)
def test_each_slider_changes_the_formula_to_the_numbers_of_the_map(page, name, share, value):
    slider = page.controls.sliders[name]
    slider.setValue(round(share * slider.maximum()))
    assert (page.beta if name == "beta" else getattr(page.synthetic_map, name)) == pytest.approx(value)
    exponentials = np.exp(page.beta * numpy_map(page))
    total, (pulled, pulled_y) = exponentials.sum(), numpy_mean(exponentials)
    text = page.formula.text()
    if total < 1e7:
        assert f"C = {total:,.0f}      HW = 4,096" in text
        assert f"({total:,.0f} · {pulled:.2f} − 129,024) / ({total:,.0f} − 4,096)" in text
    else:
        mantissa, exponent = f"{total:.2e}".split("e")
        assert f"C = {mantissa}×10^{{{int(exponent)}}}" in text
    assert f"J_{{x}} = {pulled:.2f}" in text
    assert f"J_{{y}} = {pulled_y:.2f}" in text
    corrected_x, corrected_y = numpy_mean(exponentials - 1)
    assert text.splitlines()[2].endswith(f" = {corrected_x:.2f}")
    assert text.splitlines()[3].endswith(f" = {corrected_y:.2f}")


def test_noise_changes_what_is_read(page):
    before = page.heatmap.readings.heatmap
    page.controls.sliders["noise"].setValue(page.controls.sliders["noise"].maximum())
    assert page.synthetic_map.noise == pytest.approx(0.1)
    assert np.abs(page.heatmap.readings.heatmap - before).max() > 0.1


def test_reset_brings_back_the_start(page, qtbot):
    start = page.synthetic_map
    for slider in page.controls.sliders.values():
        slider.setValue(37)
    mouse(page.heatmap, QEvent.Type.MouseButtonPress, 50, 20)
    with qtbot.waitSignal(page.beta_chosen) as chosen:
        qtbot.mouseClick(page.controls.reset_button, LEFT)
    assert chosen.args == [6.0]
    assert (page.synthetic_map, page.beta) == (start, 6.0)
    values = {"beta": "6", "sigma": "2.00 cells", "peak": "1.00", "background": "0.000", "noise": "0.000"}
    assert {name: text.text() for name, text in page.controls._texts.items()} == values


def test_beta_is_told_when_the_user_sets_it_and_not_when_the_window_does(page, qtbot):
    with qtbot.waitSignal(page.beta_chosen) as chosen:
        page.controls.sliders["beta"].setValue(0)
    assert chosen.args == [0.5]
    with qtbot.assertNotEmitted(page.beta_chosen):
        page.set_beta(12.5)
    assert page.beta == 12.5
    assert page.controls._texts["beta"].text() == "12.5"
    assert page.heatmap.pull_text() == f"pull {numpy_pull(page):.2f} cells"


@pytest.mark.parametrize(("chosen", "used"), [(0.01, 0.5), (2000.0, 50.0)])
def test_a_beta_beyond_the_slider_is_held_to_its_range(page, chosen, used):
    page.set_beta(chosen)
    assert page.beta == used
    assert page.heatmap.readings.beta == used


def test_nothing_is_read_while_hidden(qtbot):
    page = LabPage()
    qtbot.addWidget(page)
    page.set_beta(4.0)
    assert page.heatmap.readings is None
    with qtbot.waitExposed(page):
        page.show()
    assert page.heatmap.readings.beta == 4.0
    page.hide()
    shown = page.heatmap.readings
    page.set_beta(9.0)
    assert page.heatmap.readings is shown
    assert not page._sweep_timer.isActive()
    page.show()
    assert page.heatmap.readings.beta == 9.0
    page.hide()
    assert not page._sweep_timer.isActive()


def test_the_charts_follow_a_little_later(page, qtbot):
    qtbot.waitUntil(lambda: line(page.plots["beta"], "ipr")[0] is not None)
    page.set_beta(8.0)
    mouse(page.heatmap, QEvent.Type.MouseButtonPress, 40, 12)
    qtbot.waitUntil(lambda: not page._sweep_timer.isActive())
    xs, errors = line(page.plots["position"], "ipr")
    assert 0 < xs[0] < 0.2
    assert 62.8 < xs[-1] < 63
    # Whole blobs: J - x = HW/C (31.5 - x), with the C of the blob in the middle of a cell.
    shown = page.synthetic_map
    rows, columns = np.mgrid[:64, :64]
    total = np.exp(8 * np.exp(-((columns - 40) ** 2 + (rows - shown.y) ** 2) / 8)).sum()
    at = int(np.argmin(np.abs(xs - 40)))
    assert errors[at] == pytest.approx(4096 / total * (31.5 - xs[at]), abs=2e-3)
    betas, biases = line(page.plots["beta"], "ipr")
    heatmap = numpy_map(page)
    x, y = numpy_mean(np.exp(betas[0] * heatmap))
    assert betas[0] == 0.5
    assert biases[0] == pytest.approx(math.hypot(x - shown.x, y - shown.y))
    peaks, biases = line(page.plots["peak"], PAPER_FORM)
    assert peaks[[0, -1]] == pytest.approx([0.1, 1])
    assert (biases >= 1e-4).all()


@pytest.mark.parametrize(
    ("name", "mark", "value"), [("beta", math.log10(3), 3.0), ("peak", 0.4, 0.4), ("position", 22.0, 22)]
)
def test_dragging_a_marker_sets_its_quantity(page, name, mark, value):
    marker = page.plots[name].marker
    marker.setValue(mark)
    marker.sigDragged.emit(marker)
    shown = {"beta": page.beta, "peak": page.synthetic_map.peak, "position": page.synthetic_map.x}
    assert shown[name] == pytest.approx(value)


def test_the_map_shows_the_blob_and_iprs_ring_where_they_are(page):
    mouse(page.heatmap, QEvent.Type.MouseButtonPress, 8, 52)
    picture = page.heatmap.grab().toImage()
    pulled = page.heatmap.to_widget(numpy_mean(np.exp(page.beta * numpy_map(page))))
    for step in (QPointF(9, 0), QPointF(-9, 0), QPointF(0, -9)):
        assert distance_to_color(picture, pulled + step, lab_color("ipr")) < 60
    # Two standard deviations away the blob glows, farther away all is dark.
    assert QColor(picture.pixel(page.heatmap.to_widget((5, 52)).toPoint())).lightness() > 20
    assert QColor(picture.pixel(page.heatmap.to_widget((30, 58)).toPoint())).lightness() < 5


def test_the_weights_of_the_background_glow_for_ipr_and_not_for_debiased(page):
    for decoder, glows in (("ipr", True), ("debiased", False)):
        view = page.weights[decoder]
        corner = QColor(view.grab().toImage().pixel(view.to_widget((60, 3)).toPoint()))
        assert (corner.lightness() > 60) == glows


@pytest.mark.parametrize("size", [(1000, 600), (1280, 680), pytest.param((1920, 1040), marks=pytest.mark.thorough)])
def test_parts_neither_overlap_nor_are_cut_off(page, qtbot, size):
    page.resize(*size)
    page._change(x=50.0, y=12.0, background=0.05, peak=0.6, noise=0.05)
    qtbot.wait(1)
    parts = [part for part in page.children() if isinstance(part, QWidget)]
    for index, part in enumerate(parts):
        assert page.rect().contains(part.geometry()), part
        assert not [other for other in parts[index + 1 :] if part.geometry().intersects(other.geometry())]
    for label in page.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap():
            assert label.width() >= label.sizeHint().width(), label.text()
            assert label.height() >= label.sizeHint().height() - 2, label.text()
    assert page.sentence.height() >= page.sentence.heightForWidth(page.sentence.width())
    assert page.formula._fits(page.formula._fitting_size())
    assert (page.heatmap.width() - 2) % 64 == 0  # every cell has the same whole number of pixels
    page.grab()

"""Figures of the β laboratory: their size, and that the points stand where the decoders put them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.lab.figures import FIGURES, math_number, overview_figure, weights_figure
from app.lab.gradient_figure import gradient_figure
from app.lab.gradients import descent, training_gradient
from app.lab.readings import Readings, SyntheticMap, lab_color
from app.lab.sweeps import all_sweeps

SIZES = {
    "lab_overview.png": (1080, 1920),
    "lab_map.png": (1200, 1200),
    "lab_weights.png": (900, 1600),
    "lab_bias_position.png": (900, 1600),
    "lab_bias_beta.png": (900, 1600),
    "lab_bias_peak.png": (900, 1600),
    "lab_gradient.png": (900, 1600),
}
PLACE = SyntheticMap(15.3, 50.4)


@pytest.fixture(scope="module")
def sweeps():
    return all_sweeps(PLACE, 6.0)


def picture(png):
    """(H, W, 3) RGB of a PNG."""
    assert png.startswith(b"\x89PNG")
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def pixels_of(image, color):
    """Rows and columns of the pixels of that colour."""
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return np.nonzero((np.abs(image.astype(int) - wanted) <= 2).all(-1))


def test_every_figure_is_known_here():
    assert FIGURES.keys() == SIZES.keys()


@pytest.mark.thorough
@pytest.mark.parametrize("name", SIZES)
def test_each_figure_is_a_picture_of_its_size_with_every_decoder_in_it(name, sweeps):
    image = picture(FIGURES[name](Readings(PLACE, 6.0), sweeps))
    assert image.shape == (*SIZES[name], 3)
    for decoder in (
        ("ipr", "debiased")
        if name in ("lab_weights.png", "lab_gradient.png")
        else ("argmax", "argmax-quarter", "ipr", "debiased")
    ):
        assert len(pixels_of(image, lab_color(decoder))[0]) > 100, decoder
    # Nothing runs into the edge of the picture.
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (edge == edge[0]).all()


def test_the_means_stand_where_the_decoders_put_them(sweeps):
    readings = Readings(PLACE, 6.0)
    image = picture(weights_figure(readings, sweeps))
    # The axes of 640 × 639 px begin 80 or 800 px from the left and 153 px from the top; a cell is 10 px.
    for decoder, left in (("ipr", 80), ("debiased", 800)):
        rows, columns = pixels_of(image[153:792, left : left + 640], lab_color(decoder))
        middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2
        expected = (np.array(readings.points[decoder]) + 0.5) * 10
        assert middle == pytest.approx(expected, abs=2)
    # Far from the blob, every cell weighs something for IPR and nothing for debiased IPR.
    assert image[200, 600].max() > 100
    assert image[200, 1300].max() < 10


@pytest.mark.thorough
def test_the_gradient_is_drawn_with_each_point_and_each_end_in_its_place(sweeps):
    image = picture(gradient_figure(Readings(PLACE, 6.0), sweeps))
    # Both rows of maps are 333 px high: a cell is 5.2 px. The rings are drawn around J, and around where descent ends.
    for left, decoder in ((41.6, "ipr"), (403.2, "debiased")):
        for top, (x, y) in (
            (155.7, np.add((PLACE.x, PLACE.y), training_gradient(PLACE, decoder, 1.0).error)),
            (540.0, descent(PLACE, decoder, 1.0, [(PLACE.x, PLACE.y)])[-1, 0]),
        ):
            column, row = left + (x + 0.5) * 332.8 / 64, top + (y + 0.5) * 333 / 64
            corner = np.array([row - 16, column - 16]).round().astype(int)
            around = image[corner[0] : corner[0] + 33, corner[1] : corner[1] + 33]
            rows, columns = pixels_of(around, lab_color(decoder))
            distances = np.hypot(rows + corner[0] + 0.5 - row, columns + corner[1] + 0.5 - column)
            # A ring of 18 points across, which are 25 px.
            assert np.median(distances) == pytest.approx(12.5, abs=1.5)


@pytest.mark.thorough
def test_the_overview_follows_beta(sweeps):
    at_6, at_30 = (picture(overview_figure(Readings(PLACE, beta), sweeps)) for beta in (6.0, 30.0))
    # The map, the formula and the markers change, the headline does not.
    assert (at_6[100:600] != at_30[100:600]).any()
    assert (at_6[:70, :1000] == at_30[:70, :1000]).all()


@pytest.mark.parametrize(
    ("value", "text"),
    [(66544.8, "66545"), (4096, "4096"), (5.184e21, r"5.18\times 10^{21}"), (1e7, r"1.00\times 10^{7}")],
)
def test_large_numbers_are_written_as_powers(value, text):
    assert math_number(value) == text

"""Crops that are not square, against the affine maps of the authors of SimpleBaseline and HRNet.

What their get_affine_transform and transform_preds gave, run once on these boxes (x, y, width, height as their dataset
hands them on: the middle of the box is the middle of its pixels), with the box padded and enlarged by their _xywh2cs.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.regions import Region
from models.traits import BLAZEPOSE, top_down_traits

REGIONS = st.builds(
    Region,
    st.floats(-500, 2000),
    st.floats(-500, 2000),
    st.floats(10, 3000),
    st.floats(-math.pi, math.pi),
    st.floats(0.2, 3),
)
SMALL, LARGE = (256, 192), (384, 288)
TALL_BOX, WIDE_BOX = (100.0, 50.0, 80.0, 200.0), (30.5, 40.25, 300.0, 120.0)
POINTS = np.array([(140.0, 150.0), (100.0, 50.0), (33.25, 77.5)])


def region_of(box, size):
    x, y, width, height = box
    return top_down_traits(size).region_around(x + width / 2, y + height / 2, width, height)


@pytest.mark.parametrize(
    ("box", "size", "pixels"),
    [
        (TALL_BOX, SMALL, [(96.0, 128.0), (55.04, 25.6), (-13.312, 53.76)]),
        (WIDE_BOX, LARGE, [(112.896, 230.208), (82.176, 153.408), (30.912, 174.528)]),
    ],
)
def test_the_networks_see_each_point_where_the_authors_put_it(box, size, pixels):
    shares = region_of(box, size).to_crop(POINTS)
    assert shares * (size[1], size[0]) == pytest.approx(np.array(pixels), abs=1e-3)


@pytest.mark.parametrize(
    ("box", "size", "places"),
    [
        (TALL_BOX, SMALL, [(46.25, 25.0), (66.7578125, 69.921875), (229.84375, 271.09375)]),
        (WIDE_BOX, LARGE, [(-7.0, -149.75), (20.34375, -89.8541667), (362.7916667, 345.0416667)]),
    ],
)
def test_cells_stand_for_the_places_that_the_authors_give_them(box, size, places):
    height, width = size[0] // 4, size[1] // 4
    cells = np.array([(0.0, 0.0), (5.25, 11.5), (width - 1.0, height - 1.0)])
    assert region_of(box, size).to_image(cells / (width, height)) == pytest.approx(np.array(places), abs=1e-3)


def test_pixels_are_those_of_the_authors_crop():
    # Their warpAffine of this picture, as sums over the channels and single pixels.
    rows, columns = np.mgrid[0:300, 0:400]
    image = np.dstack((columns % 256 // 2, rows % 256 // 2, columns * 0)).astype(np.uint8)
    crop = top_down_traits(SMALL).cut(image, region_of(TALL_BOX, SMALL))
    assert crop.shape == (256, 192, 3)
    assert [crop[10, 20].tolist(), crop[200, 150].tolist(), crop[0, 0].tolist()] == [
        [33, 17, 0],
        [96, 110, 0],
        [23, 12, 0],
    ]
    assert int(crop.sum()) == 6599808
    # Black beyond the picture.
    assert not top_down_traits(SMALL).cut(image, Region(-200.0, 100.0, 100.0, 0.0, 0.75)).any()


@given(REGIONS, st.floats(-1, 2), st.floats(-1, 2))
def test_there_and_back(region, u, v):
    assert region.to_crop(region.to_image(np.array([u, v]))) == pytest.approx([u, v], abs=1e-6)


@given(REGIONS)
def test_the_side_is_the_height_and_the_aspect_width_by_height(region):
    corners = region.to_image(np.array([[0, 0], [1, 0], [0, 1], [0.5, 0.5]]))
    width, height = (float(np.linalg.norm(corners[i] - corners[0])) for i in (1, 2))
    assert height == pytest.approx(region.side, rel=1e-6)
    assert width == pytest.approx(region.side * region.aspect, rel=1e-6)
    assert corners[3] == pytest.approx([region.center_x, region.center_y], abs=1e-6)


def test_a_crop_keeps_its_aspect_while_it_follows():
    region = Region(100.0, 100.0, 200.0, 0.0, 0.75)
    assert region.followed_to(Region(150.0, 100.0, 300.0, 0.0)).aspect == 0.75


@pytest.mark.parametrize("traits", [BLAZEPOSE, top_down_traits(SMALL), top_down_traits(LARGE)])
@pytest.mark.parametrize("rotation", [0.0, 0.4])
def test_the_mirrored_crop_shows_one_minus_the_share(traits, rotation):
    rows, columns = np.mgrid[0:200, 0:250].astype(np.uint8)
    picture = np.dstack((columns, rows, rows))
    region = Region(120.0, 100.0, 100.0, rotation, traits.aspect)
    mirrored = traits.cut_mirrored(picture, region)
    half = 0.5 if traits.centers else 0.0
    at_rows, at_columns = np.mgrid[0 : traits.height, 0 : traits.width]
    shares = np.dstack((1 - (at_columns + half) / traits.width, (at_rows + half) / traits.height))
    # The ramp's value is its place.
    assert np.abs(mirrored[..., :2] - region.to_image(shares)).max() <= 0.51


@pytest.mark.parametrize("traits", [BLAZEPOSE, top_down_traits(SMALL), top_down_traits(LARGE)])
def test_tiles_are_read_bit_by_bit(traits):
    random = np.random.default_rng(3)
    crops = [random.integers(0, 256, (traits.height, traits.width, 3), np.uint8) for _ in range(9)]
    for region, crop in zip(traits.tiles(9), crops, strict=True):
        assert (traits.cut(np.concatenate(crops), region) == crop).all()


@pytest.mark.parametrize(
    ("degrees", "side"),
    # Of a body 200 px long, taken for 100 px wide: lying, the crop has to be 200 px wide, and 1.25 times that.
    [(0, 250.0), (180, 250.0), (90, 1.25 * 200 / 0.75), (-90, 1.25 * 200 / 0.75)],
)
def test_a_detected_body_fits_into_an_upright_crop(degrees, side):
    turn = math.radians(degrees)
    center = np.array([300.0, 200.0])
    scale = center + 100 * np.array([math.sin(turn), -math.cos(turn)])
    region = top_down_traits(SMALL).region_of_detection(center, scale)
    assert (region.rotation, region.aspect) == (0.0, 0.75)
    assert (region.center_x, region.center_y) == (300.0, 200.0)
    assert region.side == pytest.approx(side)
    assert BLAZEPOSE.region_of_detection(center, scale).side == pytest.approx(250.0)

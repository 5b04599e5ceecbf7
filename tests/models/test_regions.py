"""Crops: maps there and back, MediaPipe's rectangle rules, pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.regions import Region, letterbox, region_from_alignment

REGIONS = st.builds(
    Region, st.floats(-500, 2000), st.floats(-500, 2000), st.floats(10, 3000), st.floats(-math.pi, math.pi)
)


@given(REGIONS, st.floats(-1, 2), st.floats(-1, 2))
def test_there_and_back(region, u, v):
    assert region.to_crop(region.to_image(np.array([u, v]))) == pytest.approx([u, v], abs=1e-6)


@given(REGIONS)
def test_the_middle_of_the_crop_is_the_centre(region):
    assert region.to_image(np.array([0.5, 0.5])) == pytest.approx([region.center_x, region.center_y], abs=1e-6)


def test_upright_person():
    region = region_from_alignment(np.array([100.0, 200.0]), np.array([100.0, 120.0]))
    assert region == Region(100, 200, 200, 0)
    assert region.body_size == 160
    assert region.to_image(np.array([[0, 0], [1, 0], [0, 1]])).tolist() == [[0, 100], [200, 100], [0, 300]]


@pytest.mark.parametrize(
    ("scale", "degrees"), [((180, 200), 90), ((20, 200), -90), ((100, 280), -180), ((180, 120), 45)]
)
def test_rotation_brings_the_head_up(scale, degrees):
    region = region_from_alignment(np.array([100.0, 200.0]), np.array(scale, float))
    assert math.degrees(region.rotation) == pytest.approx(degrees)
    # Whatever the rotation, the scale point lies straight above the centre of the crop, at 0.5 / 1.25 of its side.
    assert region.to_crop(np.array(scale, float)) == pytest.approx([0.5, 0.1])


def test_cut_shows_what_the_map_says():
    rows, columns = np.mgrid[0:240, 0:320]
    image = np.stack([columns % 256, rows, np.zeros_like(rows)], -1).astype(np.uint8)
    region = Region(150, 120, 64, 0.3)
    crop = region.cut(image, 32)
    for column, row in ((3, 5), (16, 16), (30, 8)):
        # The centre of the pixel; the corner is .7 px of the picture away from it here.
        x, y = region.to_image((np.array([column, row]) + 0.5) / 32)
        assert crop[row, column, :2] == pytest.approx([x, y], abs=0.51)


def test_outside_repeats_the_border_where_asked():
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)[..., None].repeat(3, 2)
    crop = Region(-0.5, 4.5, 20, 0.0).cut(image, 20, extend=True)
    assert (crop[10, :10, 0] == image[5, 0, 0]).all()
    assert crop[10, 12, 0] == image[5, 2, 0]


def test_outside_is_black_and_letterbox_holds_everything():
    image = np.full((100, 300, 3), 200, np.uint8)
    square = letterbox(100, 300).cut(image, 30)
    assert (square[:9] == 0).all()
    assert (square[11:19] == 200).all()
    assert (square[21:] == 0).all()


REST = Region(300.0, 200.0, 400.0, 0.1)


def test_a_crop_with_slack_stays_while_the_person_trembles():
    for dx, dy, side, turn in (
        (1.9, 0, 400, 0),
        (-1.4, 1.4, 400, 0),
        (0, 0, 401.9, 0),
        (0, 0, 398.1, 0),
        (0, 0, 400, 0.0099),
    ):
        assert REST.followed_to(Region(300.0 + dx, 200.0 + dy, side, 0.1 + turn), slack=0.005) == REST


def test_a_crop_follows_to_within_its_slack_at_once():
    target = Region(330.0, 240.0, 500.0, 0.6)
    followed = REST.followed_to(target, slack=0.01)
    # 50 px away along (3, 4), of which 4 px (a hundredth of the side) are slack.
    assert (followed.center_x, followed.center_y) == pytest.approx((300 + 0.92 * 30, 200 + 0.92 * 40))
    assert followed.side == pytest.approx(500 / 1.01)
    assert followed.rotation == pytest.approx(0.6 - 0.02)
    assert REST.followed_to(Region(300.0, 200.0, 200.0, 0.1), slack=0.01).side == pytest.approx(200 / 0.99)


def test_a_crop_turns_the_short_way_round():
    upside_down = Region(300.0, 200.0, 400.0, math.pi - 0.05)
    beyond = Region(300.0, 200.0, 400.0, -math.pi + 0.05)
    assert upside_down.followed_to(beyond, slack=0.01).rotation == pytest.approx(-math.pi + 0.03)
    assert beyond.followed_to(upside_down, slack=0.01).rotation == pytest.approx(math.pi - 0.03)

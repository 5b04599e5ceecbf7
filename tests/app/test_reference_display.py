"""How MediaPipe is named, coloured and drawn."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from app.decoder_display import (
    DARK_SURFACE,
    DECODER_COLORS,
    DISPLAY_NAMES,
    READING_COLORS,
    READING_NAMES,
    REFERENCE_COLOR,
    bgr,
    decoder_color,
    display_name,
)
from app.ghosts import ghost_decoders
from app.overlay import OverlayStyle, draw_overlay
from models.people import MEDIAPIPE
from models.skeletons import BLAZEPOSE_33
from tests.app import builders
from tests.app.test_overlay import luminance

SHAPE = (480, 640)
# Machado, Oliveira and Fernandes, IEEE TVCG 2009, severity 1; on linear RGB.
COLOR_VISION = {
    "all three cones": np.eye(3),
    "no L cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no M cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no S cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(color: str, vision: np.ndarray) -> tuple[float, float, float]:
    """CIELAB under D65 of an sRGB colour as somebody with that vision sees it."""
    channels = np.array(bgr(color)[::-1]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(vision @ linear, 0, 1) / (0.95047, 1.0, 1.08883)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Sharma, Wu and Dalal, Color Research and Application 2005."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_chroma = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * math.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    c1, c2 = math.hypot(stretch * a1, b1), math.hypot(stretch * a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = (
        1
        - 0.17 * math.cos(math.radians(mean_h - 30))
        + 0.24 * math.cos(math.radians(2 * mean_h))
        + 0.32 * math.cos(math.radians(3 * mean_h + 6))
        - 0.20 * math.cos(math.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / math.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rotation = 2 * math.sqrt(mean_c**7 / (mean_c**7 + 25**7))
    rotation *= -math.sin(math.radians(60 * math.exp(-(((mean_h - 275) / 25) ** 2))))
    dl, dc = (l2 - l1) / s_l, (c2 - c1) / s_c
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / s_h
    return math.sqrt(dl**2 + dc**2 + dh**2 + rotation * dc * dh)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # pairs 1, 7, 13, 17 and 25 of the published test data
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -0.0010, 2.4900), (50.0, 0.0011, -2.4900), 4.7461),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_measure_of_difference_is_the_published_one(one, other, expected):
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", COLOR_VISION.values(), ids=COLOR_VISION)
def test_its_colour_is_further_from_the_decoders_than_they_are_from_each_other(vision):
    seen = {name: lab(color, vision) for name, color in DECODER_COLORS.items()}
    nearest = min(ciede2000(lab(REFERENCE_COLOR, vision), color) for color in seen.values())
    assert nearest > 20
    assert nearest > min(itertools.starmap(ciede2000, itertools.combinations(seen.values(), 2)))
    assert (luminance(REFERENCE_COLOR) + 0.05) / (luminance(DARK_SURFACE) + 0.05) > 4.5


def test_it_has_a_name_and_a_colour_but_is_no_decoder():
    assert MEDIAPIPE not in DISPLAY_NAMES
    assert (display_name(MEDIAPIPE), decoder_color(MEDIAPIPE)) == ("MediaPipe (reference)", REFERENCE_COLOR)
    assert set(READING_NAMES) == set(READING_COLORS) == {*DISPLAY_NAMES, MEDIAPIPE}
    assert ghost_decoders(frozenset({MEDIAPIPE, "ipr", "argmax"}), "ipr") == ["argmax", MEDIAPIPE]


def reference_pixels(picture: np.ndarray) -> np.ndarray:
    """(M, 2) x and y of the pixels right of the plates that have its colour."""
    ys, xs = np.nonzero((np.abs(picture.astype(int) - bgr(REFERENCE_COLOR)) < 12).all(-1))
    return np.stack((xs, ys), 1)[xs > 260]


def test_its_ghost_is_drawn_where_it_reads_and_on_no_frame_that_it_did_not_read():
    ours = builders.person(builders.standing_points(400, 30, 420))
    points = ours.points["ipr"] + np.float32((30, 0))
    read = replace(
        ours, points={**ours.points, MEDIAPIPE: points}, scores={**ours.scores, MEDIAPIPE: ours.scores["ipr"]}
    )
    style = OverlayStyle(ghosts=frozenset({MEDIAPIPE}))
    drawn, without = (
        draw_overlay(builders.result(picture=builders.image(*SHAPE), people=(someone,)), style)
        for someone in (read, ours)
    )
    found = reference_pixels(drawn)
    for joint in ("left_wrist", "right_ankle", "left_elbow"):
        assert np.hypot(*(found - points[BLAZEPOSE_33.index[joint]]).T).min() < 4
    assert len(reference_pixels(without)) == 0


def test_its_caption_has_no_bias():
    someone = builders.person(decoders=(MEDIAPIPE,))
    result = builders.result(picture=builders.image(*SHAPE), people=(someone,), decoder=MEDIAPIPE)
    ours = builders.result(picture=builders.image(*SHAPE), people=(), decoder="regression")
    readings = replace(builders.readings(), jitter_px={MEDIAPIPE: 0.1, "regression": 0.1})
    heights = []
    for shown in (result, ours):
        plain = builders.image(*SHAPE).astype(int)
        drawn = draw_overlay(replace(shown, people=()), OverlayStyle(), readings=readings)
        rows = np.flatnonzero((np.abs(drawn - plain).max(-1) > 0).any(1))
        heights.append(rows.max() - rows.min())
    assert heights[0] < heights[1] - 10

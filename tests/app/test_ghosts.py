"""Ghosts, arrows, their legend, and heatmaps over the picture."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.decoder_display import DECODER_COLORS, bgr
from app.frames import Image, PoseResult
from app.ghosts import ghost_decoders
from app.overlay import ALL_JOINTS, OverlayStyle, draw_overlay
from models.regions import Region
from models.skeletons import BLAZEPOSE_33
from tests.app import builders

SHAPE = (480, 640)
PLATES_END = 200
WRIST = BLAZEPOSE_33.index["left_wrist"]
KNEE = BLAZEPOSE_33.index["right_knee"]


def lone_joint(joint: int, places: dict[str, tuple[float, float]]) -> PoseResult:
    """A person of whom one joint is known, each decoder with its own place."""
    person = builders.person(builders.standing_points(400, 30, 420))
    for name, values in person.points.items():
        values[:] = np.nan
        values[joint] = places.get(name, places["debiased"])
    return builders.result(picture=builders.image(*SHAPE, (0, 0, 0)), people=(person,), decoder="debiased")


def colored(picture: Image, decoder: str) -> np.ndarray:
    """(M, 2) x and y of the pixels right of the plates that have nearly the decoder's colour: lines are thin."""
    ys, xs = np.nonzero((np.abs(picture.astype(int) - bgr(DECODER_COLORS[decoder])) < 45).all(-1))
    return np.stack((xs, ys), 1)[xs > PLATES_END]


def with_ghosts(*names: str, **options: object) -> OverlayStyle:
    return OverlayStyle(ghosts=frozenset(names), **options)


def test_the_chosen_decoder_is_no_ghost_of_itself() -> None:
    assert ghost_decoders(frozenset({"ipr", "argmax", "debiased"}), "ipr") == ["argmax", "debiased"]
    result = builders.result(picture=builders.image(*SHAPE))
    np.testing.assert_array_equal(
        draw_overlay(result, with_ghosts(result.decoder)), draw_overlay(result, OverlayStyle())
    )


def test_every_ghost_has_its_colour_and_a_line_in_the_legend() -> None:
    names = ("argmax", "dark", "ipr")
    person = builders.person(builders.standing_points(330, 30, 420), step=9.0)
    result = builders.result(picture=builders.image(*SHAPE), people=(person,), decoder="debiased")
    plain, picture = draw_overlay(result, OverlayStyle()), draw_overlay(result, with_ghosts(*names))
    for name in names:
        assert len(colored(picture, name)) > 30
        # The colours of left and right give way, for they resemble some decoder's.
        assert len(colored(picture, "regression")) + len(colored(picture, "argmax-quarter")) < 20
    legend = (picture != plain).any(-1)[:, :200]
    rows = np.flatnonzero(legend.any(1))
    assert rows.min() > SHAPE[0] // 2  # at the lower left, beneath the caption
    for name in (*names, "debiased"):
        assert (picture[:, :60] == np.array(bgr(DECODER_COLORS[name]))).all(-1).any()


def test_ghosts_are_where_their_decoders_put_the_limbs() -> None:
    person = builders.person(builders.standing_points(330, 30, 420))
    shifted = person.points["ipr"] + np.float32([-20, 0])
    person = replace(person, points={**person.points, "ipr": shifted})
    result = builders.result(picture=builders.image(*SHAPE), people=(person,))
    ghost = colored(draw_overlay(result, with_ghosts("ipr")), "ipr")
    main = [i for i, joint in enumerate(BLAZEPOSE_33.joints) if joint.endswith(("wrist", "elbow", "ankle"))]
    for x, y in shifted[main]:
        assert np.hypot(*(ghost - (x, y)).T).min() < 4
    mirrored = colored(draw_overlay(result, with_ghosts("ipr", mirror=True)), "ipr")
    for x, y in shifted[main]:
        assert np.hypot(*(mirrored - (SHAPE[1] - 1 - x, y)).T).min() < 4


@pytest.mark.parametrize("magnification", [1, 4, 16])
@pytest.mark.parametrize("mirror", [False, True])
def test_an_arrow_is_as_many_times_as_long_as_the_distance(magnification: int, mirror: bool) -> None:
    chosen, ghost = np.array([330.0, 240.0]), np.array([330.0 + 30 / magnification, 240.0 - 40 / magnification])
    result = lone_joint(KNEE, {"debiased": tuple(chosen), "argmax": tuple(ghost)})
    picture = draw_overlay(result, with_ghosts("argmax", arrows=magnification, mirror=mirror))
    arrow = colored(picture, "argmax").astype(float)
    flip = (lambda x: SHAPE[1] - 1 - x) if mirror else (lambda x: x)
    head, tail = np.array([flip(330.0), 240.0]), np.array([flip(360.0), 200.0])
    along = (tail - head) / 50
    reach = (arrow - head) @ along
    # The dot at its far end is a few pixels large.
    assert reach.max() == pytest.approx(50, abs=4)
    across = np.abs((arrow - head) @ np.array([-along[1], along[0]]))
    assert across.max() < 8
    assert reach.min() > -3


def test_joints_that_lie_too_close_have_no_arrow() -> None:
    thumb = BLAZEPOSE_33.index["left_thumb"]
    picture = draw_overlay(
        lone_joint(thumb, {"debiased": (330, 240), "argmax": (360, 200)}), with_ghosts("argmax", arrows=1)
    )
    assert len(colored(picture, "argmax")) == 0


@pytest.mark.parametrize("arrows", [0, 16])
def test_ghosts_without_a_place_or_far_outside_are_harmless(arrows: int) -> None:
    for place in ((math.nan, math.nan), (math.inf, 0.0), (1e12, -1e12), (-5000.0, 300.0)):
        draw_overlay(lone_joint(WRIST, {"debiased": (330, 240), "argmax": place}), with_ghosts("argmax", arrows=arrows))


# --- heatmaps -----------------------------------------------------------------------------------------------------


def person_with_heatmaps(region: Region, cells: dict[int, tuple[float, float]], score: float = 0.9) -> PoseResult:
    """A person of whom only heatmaps are drawn: a Gaussian at (column, row) for each joint named."""
    rows, columns = np.indices((64, 64))
    maps = np.zeros((33, 64, 64), np.float32)
    for joint, (x, y) in cells.items():
        maps[joint] = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    person = replace(builders.person(score=score), region=region, heatmaps=maps)
    for values in person.points.values():
        values[:] = np.nan
    return builders.result(picture=builders.image(*SHAPE, (0, 0, 0)), people=(person,))


def brightest(picture: Image) -> tuple[float, float]:
    light = picture[:, PLATES_END:].astype(float).sum(-1)
    ys, xs = np.nonzero(light > 0.97 * light.max())
    return float(xs.mean()) + PLATES_END, float(ys.mean())


@pytest.mark.parametrize("mirror", [False, True])
def test_a_heatmap_lies_where_its_cells_are_in_the_crop(mirror: bool) -> None:
    region = Region(330.0, 250.0, 320.0, 0.6)
    result = person_with_heatmaps(region, {WRIST: (40.0, 22.0)})
    x, y = region.to_image(np.array([40 / 64, 22 / 64]))
    found = brightest(draw_overlay(result, OverlayStyle(heatmap=WRIST, mirror=mirror)))
    assert found == pytest.approx((SHAPE[1] - 1 - x if mirror else x, y), abs=1.5)
    # Another joint's map is empty, and far from the blob nothing is changed.
    empty = draw_overlay(result, OverlayStyle(heatmap=KNEE))
    np.testing.assert_array_equal(empty, draw_overlay(result, OverlayStyle()))


def test_all_joints_are_shown_at_once_but_those_that_are_not_seen() -> None:
    region = Region(330.0, 250.0, 320.0, 0.0)
    result = person_with_heatmaps(region, {WRIST: (20.0, 20.0), KNEE: (44.0, 44.0)})
    result.people[0].scores["argmax"][KNEE] = 0.1
    picture = draw_overlay(result, OverlayStyle(heatmap=ALL_JOINTS))
    for joint, cell in ((WRIST, 20), (KNEE, 44)):
        x, y = region.to_image(np.array([cell / 64, cell / 64])).round().astype(int)
        assert bool(picture[y, x].sum() > 300) is (joint == WRIST)


@pytest.mark.parametrize("centre", [(-400, 250), (640, 480), (320, 5000)])
def test_a_crop_that_leaves_the_picture_is_cut(centre: tuple[float, float]) -> None:
    result = person_with_heatmaps(Region(*centre, 320.0, 0.3), {WRIST: (40.0, 22.0)})
    draw_overlay(result, OverlayStyle(heatmap=ALL_JOINTS))


def test_without_heatmaps_the_picture_stays_as_it_is() -> None:
    result = builders.result(picture=builders.image(*SHAPE))
    np.testing.assert_array_equal(
        draw_overlay(result, OverlayStyle(heatmap=ALL_JOINTS)), draw_overlay(result, OverlayStyle())
    )

from __future__ import annotations

import itertools
import math
import threading
from dataclasses import replace

import numpy as np
import pytest

from app.caption import _number
from app.decoder_display import (
    DARK_SURFACE,
    DECODER_COLORS,
    DISPLAY_NAMES,
    beta_text,
    bgr,
    decoder_color,
    display_title,
    person_color,
)
from app.frames import Image, PoseResult
from app.overlay import SIDE_COLORS, OverlayStyle, draw_overlay
from models.skeletons import BLAZEPOSE_33, side_of
from tests.app import builders

INDEX = BLAZEPOSE_33.index
BODY = [
    f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
]
CENTER_X, TOP, HEIGHT, SHAPE = 430.25, 30.5, 420.0, (480, 640)


def scene(score: float = 1.0, color: tuple[int, int, int] = (64, 64, 64), **kwargs: object) -> PoseResult:
    """One large person at the right, away from the caption."""
    person = builders.person(builders.standing_points(CENTER_X, TOP, HEIGHT), score)
    return builders.result(picture=builders.image(*SHAPE, color), people=(person,), **kwargs)


def lone_joint(
    joint: str, x: float, y: float, score: float = 1.0, color: tuple[int, int, int] = (0, 0, 0)
) -> PoseResult:
    points = builders.standing_points(CENTER_X, TOP, HEIGHT)
    person = builders.person(points, score)
    for values in person.points.values():
        values[:] = np.nan
        values[INDEX[joint]] = x, y
    return builders.result(picture=builders.image(*SHAPE, color), people=(person,))


def drawn(result: PoseResult, style: OverlayStyle | None = None) -> Image:
    return draw_overlay(result, style or OverlayStyle())


def weights(result: PoseResult, style: OverlayStyle | None = None) -> np.ndarray:
    """(H, W) how much the people changed each pixel; the caption is the same with and without them."""
    without = builders.result(picture=result.frame.image.copy(), people=(), decoder=result.decoder)
    return np.abs(drawn(result, style).astype(float) - drawn(without, style).astype(float)).sum(-1)


def centroid(change: np.ndarray) -> tuple[float, float]:
    ys, xs = np.indices(change.shape)
    return (change * xs).sum() / change.sum(), (change * ys).sum() / change.sum()


def near(pixel: np.ndarray, color: str, tolerance: int = 12) -> bool:
    return bool(np.abs(pixel.astype(int) - np.array(bgr(color))).max() <= tolerance)


def test_returns_a_new_picture_and_leaves_the_frame_alone():
    result = scene()
    before = result.frame.image.copy()
    for mirror in (False, True):
        picture = draw_overlay(result, OverlayStyle(mirror=mirror))
        assert picture.shape == before.shape
        assert picture.dtype == np.uint8
        assert picture.flags.writeable
        assert not np.shares_memory(picture, result.frame.image)
        assert not np.array_equal(picture, before)
    assert np.array_equal(result.frame.image, before)
    assert not result.frame.image.flags.writeable


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (30, 157, 255), (247, 180, 63)])
@pytest.mark.parametrize("mirror", [False, True])
def test_each_body_joint_shows_its_side_where_the_decoder_puts_it(color, mirror):
    result = scene(color=color)
    picture = drawn(result, OverlayStyle(mirror=mirror))
    points = result.people[0].points["debiased"]
    for joint in BODY:
        x, y = np.rint(points[INDEX[joint]]).astype(int)
        x = SHAPE[1] - 1 - x if mirror else x
        assert near(picture[y, x], SIDE_COLORS[side_of(joint)]), joint


def test_limbs_take_the_colour_of_their_side_and_the_rest_is_neutral():
    result = scene()
    picture = drawn(result)
    points = result.people[0].points["debiased"]
    for a, b, side in (
        ("left_shoulder", "left_elbow", "left"),
        ("right_hip", "right_knee", "right"),
        ("left_shoulder", "right_shoulder", "middle"),
        ("left_hip", "right_hip", "middle"),
    ):
        x, y = np.rint((points[INDEX[a]] + points[INDEX[b]]) / 2).astype(int)
        assert near(picture[y, x], SIDE_COLORS[side]), (a, b)


@pytest.mark.parametrize("mirror", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_a_joint_is_drawn_to_a_fraction_of_a_pixel(mirror):
    errors = []
    for dx, dy in np.random.default_rng(1).random((30, 2)):
        x, y = 400 + dx, 300 + dy
        center = centroid(weights(lone_joint("left_knee", x, y), OverlayStyle(mirror=mirror)))
        errors.append(np.subtract(center, (SHAPE[1] - 1 - x if mirror else x, y)))
    assert np.abs(errors).max() < 0.12
    assert np.sqrt(np.mean(np.square(errors))) < 0.045  # whole pixels would give 0.09
    assert np.abs(np.mean(errors, axis=0)).max() < 0.02


def test_mirror_flips_the_picture_but_not_the_caption():
    picture = builders.image(*SHAPE)
    picture[300:, :100] = (10, 200, 10)
    result = builders.result(picture=picture, people=())
    plain, mirrored = drawn(result), drawn(result, OverlayStyle(mirror=True))
    assert (mirrored[400, -50] == (10, 200, 10)).all()
    assert (mirrored[400, 50] == (64, 64, 64)).all()
    assert np.array_equal(plain[:200], mirrored[:200])
    assert (plain[:200] != 64).any()


def test_only_the_chosen_decoder_is_drawn():
    person = builders.person(builders.standing_points(CENTER_X, TOP, HEIGHT), 1.0, step=7.5)
    for decoder in builders.DECODERS:
        picture = drawn(builders.result(picture=builders.image(*SHAPE), people=(person,), decoder=decoder))
        x, y = np.rint(person.points[decoder][INDEX["left_knee"]]).astype(int)
        assert near(picture[y, x], SIDE_COLORS["left"])
        assert (picture[y, x - 16] == 64).all()
        assert (picture[y, x + 16] == 64).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30])
def test_an_impossible_point_is_skipped_with_its_limbs(bad):
    result = scene()
    person = result.people[0]
    person.points["debiased"][INDEX["left_knee"]] = bad, 100
    picture = drawn(result)
    points = person.points["debiased"]
    middle = ((points[INDEX["left_hip"]] + points[INDEX["left_ankle"]]) / 2).astype(int)
    assert (picture[middle[1], middle[0] - 4 : middle[0] + 5] == 64).all()
    assert near(picture[tuple(np.rint(points[INDEX["left_hip"]]).astype(int)[::-1])], SIDE_COLORS["left"])


def test_a_score_that_is_not_a_number_is_skipped():
    result = lone_joint("left_knee", 400, 300)
    result.people[0].scores["debiased"][:] = np.nan
    assert not weights(result).any()


def test_the_score_shows():
    changes = [weights(lone_joint("left_knee", 400, 300, score)).sum() for score in (1.0, 0.6, 0.2, 0.05)]
    assert changes == sorted(changes, reverse=True)
    assert len(set(changes)) == 4
    assert changes[-1] == 0
    faint = drawn(lone_joint("left_knee", 400, 300, 0.2))[300, 400]
    sure = drawn(lone_joint("left_knee", 400, 300, 1.0))[300, 400]
    assert 0 < faint.max() < 0.75 * sure.max()


def test_the_least_score_is_a_setting():
    result = lone_joint("left_knee", 400, 300, 0.2)
    sure = drawn(result, OverlayStyle(min_score=0.0))[300, 400]
    assert near(sure, SIDE_COLORS["left"])


def test_joints_of_face_and_hands_are_smaller_than_those_of_the_body():
    area = {
        joint: (weights(lone_joint(joint, 400, 300)) > 0).sum() for joint in ("left_knee", "left_eye", "left_pinky")
    }
    assert area["left_eye"] < area["left_pinky"] < area["left_knee"]


def test_lines_grow_with_the_person_and_stay_within_bounds():
    def width(height: float, shape: tuple[int, int] = (1080, 1920)) -> int:
        points = builders.standing_points(1400, 40, height)
        result = builders.result(picture=builders.image(*shape), people=(builders.person(points, 1.0),))
        a, b = points[INDEX["left_hip"]], points[INDEX["left_knee"]]
        x, y = ((a + b) / 2).astype(int)
        reach = int(0.06 * height)  # not as far as the other leg
        row = drawn(result)[y, x - reach : x + reach + 1].astype(int)
        return int((np.abs(row - 64).sum(-1) > 30).sum())

    small, middle, large = width(60), width(500), width(1000)
    assert 2 <= small < middle < large < 25


def test_people_outside_of_the_picture_and_partly_outside():
    for center_x, top in ((-300.0, 10.0), (900.0, 10.0), (640.0, 30.0), (0.0, -200.0), (300.0, 470.0)):
        person = builders.person(builders.standing_points(center_x, top, HEIGHT), 1.0)
        drawn(builders.result(picture=builders.image(*SHAPE), people=(person,)))


def test_many_people_and_none():
    people = tuple(
        builders.person(builders.standing_points(x, 150, 250), 1.0, id=i) for i, x in enumerate((260.0, 400.0, 540.0))
    )
    picture = drawn(builders.result(picture=builders.image(*SHAPE), people=people))
    for person in people:
        x, y = np.rint(person.points["debiased"][INDEX["right_ankle"]]).astype(int)
        assert near(picture[y, x], SIDE_COLORS["right"], tolerance=40)
    assert drawn(builders.result(picture=builders.image(*SHAPE), people=())).shape == (*SHAPE, 3)


def test_a_decoder_that_nobody_has_and_a_name_unknown_here():
    person = builders.person(decoders=("argmax",))
    result = builders.result(people=(person,), decoder="newest-idea")
    without = builders.result(people=(), decoder="newest-idea")
    assert np.array_equal(drawn(result), drawn(without))


@pytest.mark.parametrize(
    "shape", [(8, 8), (48, 64), (240, 320), (240, 426), (1280, 720), (1080, 1920), (2160, 3840), (37, 333)]
)
def test_any_size_of_picture(shape):
    picture = draw_overlay(
        builders.result(picture=builders.image(*shape), device="NVIDIA GeForce RTX 4070 Laptop GPU"),
        OverlayStyle(),
        readings=builders.readings(),
    )
    assert picture.shape == (*shape, 3)
    if min(shape) >= 240:
        changed = np.nonzero((picture[:, : shape[1] // 4] != 64).any(-1))
        assert changed[0].min() > 0
        assert changed[1].min() > 0


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (128, 128, 128)])
def test_the_caption_is_readable_on_any_background(color):
    result = builders.result(picture=builders.image(*SHAPE, color), people=())
    picture = draw_overlay(result, OverlayStyle(), readings=builders.readings())
    plate = (picture != np.array(color)).any(-1)
    ys, xs = np.nonzero(plate)
    corner = picture[ys.min() : ys.max(), xs.min() : xs.max()].max(-1)
    assert np.median(corner) < 80
    assert (corner > 200).sum() > 300


def test_meters_follow_the_readings_and_can_be_switched_off():
    result = builders.result(picture=builders.image(*SHAPE), people=())

    def picture(readings=None, **style):
        return draw_overlay(result, OverlayStyle(**style), readings=readings)

    plain = picture()
    assert np.array_equal(picture(builders.readings(), show_readings=False), plain)
    slow, fast = picture(builders.readings(latency_ms=90.0)), picture(builders.readings(latency_ms=10.0))
    assert not np.array_equal(slow, plain)
    bar = np.array((235, 230, 226))
    assert (slow == bar).all(-1).sum() > 4 * (fast == bar).all(-1).sum() > 0
    jitters = builders.readings(jitter_px={"debiased": 0.2, "ipr": 1.9})
    color = np.array(bgr(decoder_color("debiased")))
    chip = (plain == color).all(-1).sum()
    short = (picture(jitters) == color).all(-1).sum() - chip
    full = (picture(builders.readings(jitter_px={"debiased": 50.0})) == color).all(-1).sum() - chip
    assert 0 < short < full


def test_unknown_readings_are_drawn_as_a_dash():
    result = builders.result(picture=builders.image(*SHAPE), people=())
    unknown = builders.readings(latency_ms=math.nan, fps=math.nan, jitter_px={"ipr": 1.0})
    picture = draw_overlay(result, OverlayStyle(), readings=unknown)
    again = draw_overlay(result, OverlayStyle(), readings=builders.readings(math.nan, math.nan, {"debiased": math.nan}))
    assert np.array_equal(picture, again)
    assert not (picture == np.array((235, 230, 226))).all(-1).any()
    assert _number(math.nan, "px", 2) == _number(math.inf, "px", 2) == "– px"
    assert _number(1.234, "px", 2) == "1.23 px"


def test_threads_draw_the_same():
    result = scene()
    wanted = draw_overlay(result, OverlayStyle(), readings=builders.readings())
    same: list[bool] = []

    def draw() -> None:
        for _ in range(20):
            picture = draw_overlay(result, OverlayStyle(), readings=builders.readings())
            same.append(np.array_equal(picture, wanted))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert same == [True] * 80


def test_every_decoder_has_a_name_and_a_colour_of_its_own():
    assert set(DISPLAY_NAMES) == set(DECODER_COLORS) == set(builders.DECODERS)
    assert len(set(DECODER_COLORS.values())) == len(set(DISPLAY_NAMES.values())) == 6
    assert display_title("debiased") == "Debiased IPR"
    assert display_title("dark") == "DARK"
    assert beta_text("debiased", 10.0) == "β 10"
    assert beta_text("ipr", 2.5) == "β 2.5"
    assert beta_text("argmax", 10.0) == ""


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_are_readable_on_the_dark_surface_and_apart_from_each_other():
    for color in DECODER_COLORS.values():
        assert (luminance(color) + 0.05) / (luminance(DARK_SURFACE) + 0.05) >= 4.5, color
    for one, other in itertools.combinations(DECODER_COLORS.values(), 2):
        assert np.abs(np.subtract(bgr(one), bgr(other), dtype=int)).sum() > 80


def crowd(*slots: int, **kwargs: object) -> PoseResult:
    """People side by side, beneath the caption; numbers are slots + 1."""
    people = [
        replace(builders.person(builders.standing_points(120 + 180 * i, 220, 220), id=slot + 1), slot=slot)
        for i, slot in enumerate(slots)
    ]
    return replace(builders.result(picture=builders.image(*SHAPE), people=tuple(people)), **kwargs)


def places_of(picture: Image, color: str) -> np.ndarray:
    """(N, 2) x and y of the pixels that have exactly this colour."""
    return np.argwhere((picture == np.array(bgr(color), np.uint8)).all(-1))[:, ::-1]


@pytest.mark.parametrize("mirror", [False, True])
def test_each_of_several_people_has_a_number_above_the_head_in_their_own_colour(mirror: bool) -> None:
    result = crowd(0, 3)
    picture = drawn(result, OverlayStyle(mirror=mirror))
    for person in result.people:
        x, y = places_of(picture, person_color(person.slot)).mean(0)
        head_x, head_y = person.points["debiased"].mean(0)[0], person.points["debiased"][:, 1].min()
        assert x == pytest.approx(SHAPE[1] - 1 - head_x if mirror else head_x, abs=6)
        assert head_y - 50 < y < head_y
    # Alone nobody needs a number.
    alone = drawn(crowd(3))
    assert len(places_of(alone, person_color(3))) == 0


def test_whom_the_meters_look_at_has_a_white_rim_around_the_number() -> None:
    def white(result: PoseResult, person: int) -> int:
        x, y = places_of(drawn(result), person_color(result.people[person].slot)).mean(0).round().astype(int)
        return len(places_of(drawn(result)[y - 18 : y + 18, x - 18 : x + 18], "#ffffff"))

    first, second = crowd(0, 1), crowd(0, 1, focus=2)
    assert white(first, 0) > 40 > white(first, 1)
    assert white(second, 1) > 40 > white(second, 0)


def test_a_number_stays_within_the_picture() -> None:
    people = [
        replace(builders.person(builders.standing_points(x, top, 200), id=i + 11), slot=i)
        for i, (x, top) in enumerate(((5.0, 250.0), (635.0, -60.0)))
    ]
    picture = drawn(builders.result(picture=builders.image(*SHAPE), people=tuple(people)))
    for person in people:
        assert len(places_of(picture, person_color(person.slot))) > 150

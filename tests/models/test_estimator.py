"""From picture to people: against the clip's truth, and what the estimator remembers."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.bundled import model_file
from app.decoder_display import DECODER_COLORS, DISPLAY_NAMES
from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter
from models.decoders import DECODERS
from models.estimator import PoseEstimator
from models.people import Person
from models.readings import DECODER_NAMES, HEATMAP_DECODERS, PRESENCE_THRESHOLD
from tests.models.clip import FPS, as_coco, clip_frames, true_joints

ROOT = Path(__file__).parents[2]
HEATMAP_CELLS = 64


@pytest.fixture(scope="module")
def lite() -> PoseEstimator:
    return PoseEstimator.load(model_file("lite")[0], "cpu")


@pytest.fixture(scope="module")
def full() -> PoseEstimator:
    return PoseEstimator.load(model_file("full")[0], "cpu")


@pytest.fixture
def estimator(lite: PoseEstimator) -> PoseEstimator:
    """Follows nobody yet."""
    lite.reset()
    return lite


def only_person(estimator: PoseEstimator, image: np.ndarray, beta: float = 10.0) -> Person:
    (person,) = estimator.estimate(image, beta).people
    return person


@pytest.fixture(scope="module")
def sampled(full: PoseEstimator) -> list[tuple[int, Person]]:
    """The person in every seventh frame, by the full network."""
    full.reset()
    return [(i, only_person(full, clip_frames()[i])) for i in range(0, 300, 7)]


def median_error(sampled: list[tuple[int, Person]], decoder: str, shift_cells: float = 0.0) -> float:
    """Median distance in px from the truth over all joints that are seen; each point is first moved on x and y."""
    joints, seen = true_joints()
    errors = []
    for i, person in sampled:
        in_crop = person.region.to_crop(person.points[decoder]) + shift_cells / HEATMAP_CELLS
        errors.append(np.linalg.norm(as_coco(person.region.to_image(in_crop)) - joints[i], axis=-1)[seen[i]])
    return float(np.median(np.concatenate(errors)))


@pytest.mark.parametrize(
    ("decoder", "at_most"),
    # Measured: 3.54, 3.07, 2.66, 10.4, 2.73 and 3.23 px; the body is 250 to 580 px large.
    [("argmax", 4.4), ("argmax-quarter", 3.4), ("dark", 2.95), ("ipr", 11.5), ("debiased", 3.0), ("regression", 3.55)],
)
def test_points_are_where_the_joints_are(sampled, decoder, at_most):
    assert len(sampled) == 43
    assert median_error(sampled, decoder) < at_most


def test_debiasing_is_worth_it_and_plain_ipr_is_not(sampled):
    error = {name: median_error(sampled, name) for name in DECODER_NAMES}
    assert error["debiased"] < 0.85 * error["argmax"]
    assert error["ipr"] > 2.5 * error["argmax"]


@pytest.mark.parametrize("decoder", ["argmax-quarter", "dark", "debiased"])
def test_a_cell_stands_for_its_share_of_the_crop(sampled, decoder):
    # Half a cell is 3 to 4 px here: were a cell c read as (c + 0.5) / 64, this is what it would cost.
    right, shifted, shifted_back = (median_error(sampled, decoder, cells) for cells in (0.0, 0.5, -0.5))
    assert shifted > 2 * right
    assert shifted_back > 1.3 * right


def test_a_still_person_tells_steady_decoders_from_trembling_ones(full):
    full.reset()
    jitter, bias = JitterMeter(math.inf), BiasMeter(math.inf)
    for i in range(10, 86):
        person = only_person(full, clip_frames()[i])
        time_ns = round(i * 1e9 / FPS)
        jitter.add(time_ns, person)
        bias.add(time_ns, person)
    trembling, distance = jitter.read(), bias.read()
    # Measured in px: argmax .69, argmax-quarter .54, DARK .16, IPR .63, debiased .17, regression .19. With a crop that
    # follows every tremble of the alignment points debiased reads .57.
    assert trembling.overall["debiased"] < 0.5 * trembling.overall["argmax"]
    assert 0.1 < trembling.overall["debiased"] < 0.3
    # Measured: 3.7, 1.7, 1.3, 27.7, .6, 2.4.
    others = max(value for name, value in distance.overall.items() if name != "ipr")
    assert distance.overall["ipr"] > 5 * others
    assert distance.overall["debiased"] == min(distance.overall.values()) < 1.0
    assert trembling.joints == distance.joints >= 25


def test_every_decoder_gives_finite_points_and_scores(estimator):
    person = only_person(estimator, clip_frames()[0])
    assert tuple(person.points) == tuple(person.scores) == DECODER_NAMES == (*DECODERS, "regression")
    assert tuple(DECODERS) == HEATMAP_DECODERS
    for name in DECODER_NAMES:
        points, scores = person.points[name], person.scores[name]
        assert (points.shape, points.dtype, scores.shape, scores.dtype) == ((33, 2), np.float32, (33,), np.float32)
        assert np.isfinite(points).all()
        assert (scores >= 0).all()
        assert (scores <= 1).all()
    assert (person.peaks.shape, person.peaks.dtype) == ((33, 2), np.float32)
    assert np.isfinite(person.peaks).all()
    assert PRESENCE_THRESHOLD <= person.presence <= 1
    # All but plain IPR stay within a cell or two of the peak, where there is one.
    strong = person.scores["argmax"] > 0.5
    cell = person.region.side / HEATMAP_CELLS
    assert strong.sum() > 17
    for name in ("argmax", "argmax-quarter", "dark", "debiased"):
        assert np.linalg.norm(person.points[name] - person.peaks, axis=-1)[strong].max() < 1.5 * cell


def test_every_decoder_has_a_name_and_a_colour_for_people():
    assert tuple(DISPLAY_NAMES) == tuple(DECODER_COLORS) == DECODER_NAMES
    assert len(set(DISPLAY_NAMES.values())) == len(set(DECODER_COLORS.values())) == 6


def test_beta_changes_ipr_and_debiased_and_nothing_else(estimator):
    frames = clip_frames()[100:106]
    constant = [only_person(estimator, frame) for frame in frames]
    estimator.reset()
    toggled = [only_person(estimator, frame, beta) for frame, beta in zip(frames, (10, 2, 2, 30, 10, 5), strict=True)]
    for before, after, same_beta in zip(constant, toggled, (True, False, False, False, True, False), strict=True):
        assert after.region == before.region
        assert after.presence == before.presence
        assert np.array_equal(after.peaks, before.peaks)
        for name in DECODER_NAMES:
            unchanged = np.array_equal(after.points[name], before.points[name])
            assert unchanged == (same_beta or name not in ("ipr", "debiased"))
            assert np.array_equal(after.scores[name], before.scores[name])


def test_a_small_beta_pulls_ipr_into_the_middle(estimator):
    distances = []
    for beta in (1.0, 5.0, 10.0, 20.0):
        estimator.reset()
        person = only_person(estimator, clip_frames()[0], beta)
        middle = person.region.to_image(np.full(2, (HEATMAP_CELLS - 1) / 2 / HEATMAP_CELLS))
        distances.append(np.linalg.norm(person.points["ipr"] - middle, axis=-1).mean() / person.region.side)
    assert distances == sorted(distances)
    assert distances[0] < 0.05 < 0.15 < distances[-1]


def empty_pictures() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "black": np.zeros((540, 960, 3), np.uint8),
        "white": np.full((540, 960, 3), 255, np.uint8),
        "noise": random.integers(0, 256, (540, 960, 3), np.uint8),
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "one row": np.zeros((1, 2000, 3), np.uint8),
        "one column": np.zeros((2000, 1, 3), np.uint8),
    }


@pytest.mark.parametrize("kind", empty_pictures())
def test_nobody_in_the_picture(estimator, kind):
    for _ in range(2):
        estimate = estimator.estimate(empty_pictures()[kind])
        assert estimate.people == ()
        assert estimate.times.detect > 0
        assert estimate.times.network == estimate.times.decode == 0


def test_a_person_is_followed_lost_and_found_again(estimator):
    picture, empty = clip_frames()[0], empty_pictures()["black"]
    first, followed = estimator.estimate(picture), estimator.estimate(clip_frames()[1])
    assert first.times.detect > 0 == followed.times.detect
    assert first.people[0].id == followed.people[0].id
    # Where the person was: the network says that nobody is there, and the detector looks at the same picture.
    lost = estimator.estimate(empty)
    assert lost.people == ()
    assert lost.times.network > 0 < lost.times.detect
    still_lost = estimator.estimate(empty)
    assert still_lost.times.network == 0 < still_lost.times.detect
    again = estimator.estimate(picture)
    assert again.times.detect > 0
    # Who comes back at once is the same person.
    assert again.people[0].id == first.people[0].id
    for name in DECODER_NAMES:
        assert np.array_equal(again.people[0].points[name], first.people[0].points[name])


def test_who_comes_back_after_a_second_is_somebody_else(estimator):
    picture, empty = clip_frames()[0], empty_pictures()["black"]
    first, *_, again = (
        estimator.estimate(image, time_ns=time_ns)
        for image, time_ns in ((picture, 0), (empty, 40_000_000), (picture, 1_200_000_000))
    )
    assert again.people[0].id == first.people[0].id + 1


def test_reset_forgets_the_person(estimator):
    first = estimator.estimate(clip_frames()[0])
    estimator.reset()
    second = estimator.estimate(clip_frames()[0])
    assert second.times.detect > 0
    assert second.people[0].id == first.people[0].id + 1


def test_a_person_who_jumps_is_found_by_the_detector_in_the_same_frame(estimator):
    cut_out = clip_frames()[0][:, 250:660]
    left, right = np.zeros((2, 540, 960, 3), np.uint8)
    left[:, :410] = right[:, -410:] = cut_out
    nose = np.array([453 - 250, 145])
    person = only_person(estimator, left)
    assert person.points["debiased"][0] == pytest.approx(nose, abs=15)
    moved = only_person(estimator, right)
    assert moved.points["debiased"][0] == pytest.approx(nose + np.array([550, 0]), abs=15)
    assert moved.id == person.id + 1


def test_the_picture_is_left_alone(estimator):
    picture = clip_frames()[0].copy()
    picture.flags.writeable = False
    only_person(estimator, picture)
    assert np.array_equal(picture, clip_frames()[0])


@pytest.mark.parametrize(
    "module",
    ["models.people", "models.regions", "models.skeletons", "models.bundle", "models.estimator", "app.session"],
)
def test_what_needs_no_torch_loads_none(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'mediapipe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=120).returncode == 0

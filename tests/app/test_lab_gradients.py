"""What training through a decoder does to an ideal map, against closed forms and central differences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.decoder_display import PAPER_FORM
from app.errors import UserError
from app.lab.gradients import descent, training_gradient
from app.lab.readings import SyntheticMap, read_points

SIZES = [(64, 48), (64, 64)]
TRUTH = np.array([14.3, 44.6])


def map_of(size):
    return SyntheticMap(*TRUTH, height=size[0], width=size[1])


def heights(synthetic, x=TRUTH[0], y=TRUTH[1]):
    rows, columns = np.mgrid[: synthetic.height, : synthetic.width]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * synthetic.sigma**2))


def background_share(synthetic, beta):
    """HW / Σ e^(βh), the share a in J = t + a (c - t)."""
    return synthetic.height * synthetic.width / np.exp(beta * heights(synthetic)).sum()


def to_centre(synthetic):
    return np.array(synthetic.centre) - TRUTH


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("beta", [0.5, 1.0, 5.0])
def test_ipr_lies_the_backgrounds_share_of_the_way_to_the_centre_and_lags_behind_the_blob(beta, size):
    synthetic = map_of(size)
    share, gradient = background_share(synthetic, beta), training_gradient(synthetic, "ipr", beta)
    # What is left is that the blob is sampled in cells.
    assert gradient.error == pytest.approx(share * to_centre(synthetic), rel=1e-4)
    assert gradient.loss == pytest.approx((share * math.hypot(*to_centre(synthetic))) ** 2 / 2, rel=1e-4)
    np.testing.assert_allclose(gradient.follows, (1 - share) * np.eye(2), atol=3e-3 * (1 - share))
    assert gradient.missing == pytest.approx(-share / (1 - share) * to_centre(synthetic), rel=5e-3)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_at_the_truth_ipr_pushes_the_blob_straight_away_from_the_centre_and_debiased_ipr_does_not(beta, size):
    synthetic = map_of(size)
    ipr, paper = (training_gradient(synthetic, name, beta) for name in ("ipr", PAPER_FORM))
    share, away = background_share(synthetic, beta), -to_centre(synthetic)
    # -dL/dq = (1 - a) a (t - c).
    assert ipr.push == pytest.approx(share * (1 - share) * away, rel=0.03)
    assert ipr.push @ away / (np.linalg.norm(ipr.push) * np.linalg.norm(away)) > 0.9999
    # e^(βh) - 1 is symmetric about the truth, but for its sampling, which grows with β.
    left = {1.0: 1e-7, 10.0: 5e-3}[beta]
    assert np.abs(paper.error).max() < left
    assert np.abs(paper.push).max() < left
    assert np.abs(paper.step).max() < 2 * left
    np.testing.assert_allclose(paper.follows, np.eye(2), atol=max(left, 0.02 * (beta > 1)))
    assert np.abs(training_gradient(synthetic, "debiased", beta).error).max() < 0.01


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_the_step_of_each_cell_is_the_closed_form(beta, size):
    # -dL/dh_k = -β e^(βh_k) (p_k - J)·(J - t) / Σ w.
    synthetic = map_of(size)
    rows, columns = np.mgrid[: synthetic.height, : synthetic.width]
    exponentials = np.exp(beta * heights(synthetic))
    for name, weights in (("ipr", exponentials), (PAPER_FORM, exponentials - 1)):
        point = np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
        along = (columns - point[0]) * (point[0] - TRUTH[0]) + (rows - point[1]) * (point[1] - TRUTH[1])
        found = training_gradient(synthetic, name, beta).step
        np.testing.assert_allclose(found, -beta * exponentials * along / weights.sum(), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("decoder", ["ipr", "debiased", PAPER_FORM])
def test_how_j_follows_the_blob_is_what_central_differences_give(decoder):
    synthetic, nudge = map_of((64, 48)), 1e-5

    def point(x, y):
        return np.array(read_points(replace(synthetic, x=x, y=y), 4.0)[decoder])

    x, y = TRUTH
    along_x = (point(x + nudge, y) - point(x - nudge, y)) / (2 * nudge)
    along_y = (point(x, y + nudge) - point(x, y - nudge)) / (2 * nudge)
    gradient = training_gradient(synthetic, decoder, 4.0)
    np.testing.assert_allclose(gradient.follows, np.stack((along_x, along_y), 1), atol=1e-8)
    assert gradient.error == pytest.approx(point(x, y) - TRUTH, abs=1e-12)


def test_of_the_map_only_place_sigma_and_size_are_used():
    plain, other = map_of((64, 48)), replace(map_of((64, 48)), peak=0.4, background=0.1, noise=0.2)
    np.testing.assert_array_equal(training_gradient(plain, "ipr", 3.0).step, training_gradient(other, "ipr", 3.0).step)


def test_a_blob_that_is_moved_by_what_is_missing_is_read_at_the_truth():
    synthetic = map_of((64, 64))
    x, y = TRUTH + training_gradient(synthetic, "ipr", 10.0).missing
    assert math.dist((x, y), TRUTH) == pytest.approx(1.38, abs=0.01)
    assert read_points(replace(synthetic, x=x, y=y), 10.0)["ipr"] == pytest.approx(TRUTH, abs=0.04)


def test_descent_at_beta_1_takes_the_blob_to_the_edge_with_ipr_and_to_the_truth_with_debiased_ipr():
    synthetic = map_of((64, 64))
    starts = [tuple(TRUTH), (31.5, 31.5), (50.0, 12.0)]
    ways = {name: descent(synthetic, name, 1.0, starts) for name in ("ipr", PAPER_FORM)}
    for way in ways.values():
        np.testing.assert_array_equal(way[0], starts)
        assert np.linalg.norm(np.diff(way, axis=0), axis=-1).max() < 1 + 1e-9
    np.testing.assert_allclose(ways[PAPER_FORM][-1], [TRUTH] * 3, atol=2e-3)
    # As far into the corner as the blob is still whole: J moves with what weighs more than the background.
    ends = ways["ipr"][-1]
    np.testing.assert_allclose(ends, [ends[0]] * 3, atol=0.01)
    assert (ends[0] - TRUTH) @ -to_centre(synthetic) / math.hypot(*to_centre(synthetic)) > 17
    assert ends[0][0] < 2 * synthetic.sigma
    assert 63 - ends[0][1] < 2 * synthetic.sigma
    # The best that can be had there: of all places around it none has a lower loss, and it is far from 0.
    best = loss_of_ipr(synthetic, *ends[0])
    assert best > 200
    for turn in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        assert loss_of_ipr(synthetic, ends[0][0] + 0.1 * np.cos(turn), ends[0][1] + 0.1 * np.sin(turn)) > best


def loss_of_ipr(synthetic, x, y):
    weights = np.exp(heights(synthetic, x, y))
    rows, columns = np.mgrid[: synthetic.height, : synthetic.width]
    return (
        ((weights * columns).sum() / weights.sum() - TRUTH[0]) ** 2
        + ((weights * rows).sum() / weights.sum() - TRUTH[1]) ** 2
    ) / 2


def test_descent_at_beta_10_ends_beyond_the_truth_by_the_closed_form():
    synthetic = map_of((64, 64))
    share = background_share(synthetic, 10.0)
    expected = TRUTH - share / (1 - share) * to_centre(synthetic)
    assert descent(synthetic, "ipr", 10.0, [tuple(TRUTH)])[-1, 0] == pytest.approx(expected, abs=0.05)
    assert descent(synthetic, PAPER_FORM, 10.0, [tuple(TRUTH)])[-1, 0] == pytest.approx(TRUTH, abs=5e-3)


def test_a_bad_beta_is_refused():
    with pytest.raises(UserError, match="β must be"):
        training_gradient(map_of((64, 48)), "ipr", 0.0)
    with pytest.raises(UserError, match="β must be"):
        descent(map_of((64, 48)), "ipr", 501.0, [(1.0, 1.0)])

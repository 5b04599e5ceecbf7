"""Decoders against closed forms, on maps that are not square."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoder_display import WITH_BETA
from models.decoders import DECODERS, Debiased, Ipr, SubcellPeak, get_decoder, has_beta, prepare
from models.errors import UserError
from tests.models.heatmaps import compact_blob, gaussian

HEIGHT, WIDTH = 64, 48
PAPER = Debiased(beta=10.0, normalize=False, floor=0.0)


def point(decoder, heatmap):
    return decoder(heatmap).points[0, 0].tolist()


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_contract_shapes_and_scores(name, dtype):
    maps = torch.cat([gaussian(10, 20, peak=0.9), gaussian(30, 50, peak=0.4)]).reshape(1, 2, HEIGHT, WIDTH)
    points, scores = get_decoder(name)(maps.to(dtype))
    assert points.shape == (1, 2, 2)
    assert points.dtype == scores.dtype == dtype
    assert scores[0].tolist() == pytest.approx([0.9, 0.4], abs=1e-6)
    if name != "ipr":
        assert points[0].tolist() == [pytest.approx([10, 20], abs=0.05), pytest.approx([30, 50], abs=0.05)]


@pytest.mark.parametrize("name", [n for n in DECODERS if n != "ipr"])
def test_x_runs_along_width_and_y_along_height(name):
    # A map with the axes exchanged would put the point outside, at x = 60 of 48.
    assert point(get_decoder(name), gaussian(7, 60)) == pytest.approx([7, 60], abs=0.3)


def test_argmax_is_the_cell_and_quarter_moves_toward_the_higher_neighbour():
    heatmap = gaussian(10.3, 20.8)
    assert point(get_decoder("argmax"), heatmap) == [10, 21]
    assert point(get_decoder("argmax-quarter"), heatmap) == [10.25, 20.75]
    assert point(get_decoder("argmax-quarter"), gaussian(10, 20)) == [10, 20]
    assert point(get_decoder("argmax-quarter"), gaussian(0, 63)) == [0, 63]


@given(x=st.floats(8, 40), y=st.floats(8, 55), sigma=st.floats(1.0, 3.0))
@settings(deadline=None, max_examples=40)
def test_taylor_and_parabola_are_exact_on_a_gaussian(x, y, sigma):
    heatmap = gaussian(x, y, sigma=sigma)
    assert point(SubcellPeak(), heatmap) == pytest.approx([x, y], abs=1e-6)
    # Smoothing a sampled Gaussian leaves it nearly a Gaussian.
    assert point(get_decoder("dark"), heatmap) == pytest.approx([x, y], abs=0.02)


@pytest.mark.parametrize(("beta", "x", "y"), [(1.0, 12, 40), (10.0, 5, 60), (50.0, 40, 3)])
def test_ipr_is_the_softmax_expectation(beta, x, y):
    heatmap = gaussian(x, y)
    weights = torch.softmax(beta * heatmap.flatten(), 0).reshape(HEIGHT, WIDTH)
    expected = [
        sum(float(weights[r, c]) * c for r in range(HEIGHT) for c in range(WIDTH)),
        sum(float(weights[r, c]) * r for r in range(HEIGHT) for c in range(WIDTH)),
    ]
    assert point(Ipr(beta), heatmap) == pytest.approx(expected, abs=1e-9)


def test_ipr_is_pulled_toward_the_centre_and_not_at_all_in_it():
    centre = ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    assert point(Ipr(10), gaussian(*centre)) == pytest.approx(centre, abs=1e-9)
    x, y = point(Ipr(10), gaussian(10, 20))
    assert 10.5 < x < centre[0]
    assert 20.3 < y < centre[1]


@st.composite
def blob_inside(draw):
    """Height and width of a map, and a place, whole or half cells, at which a blob of radius 4 lies inside."""
    height, width = draw(st.integers(10, 90)), draw(st.integers(10, 90))
    x, y = draw(st.integers(9, 2 * (width - 1) - 9)) / 2, draw(st.integers(9, 2 * (height - 1) - 9)) / 2
    return height, width, x, y


@given(
    place=blob_inside(),
    beta=st.floats(0.01, 1000),
    normalize=st.booleans(),
    floor=st.sampled_from([0.0, 0.1, 0.4]),
    peak=st.floats(0.05, 1.0),
)
@settings(deadline=None, max_examples=300)
def test_debiased_is_exact_on_a_symmetric_blob_on_zeros(place, beta, normalize, floor, peak):
    height, width, x, y = place
    heatmap = peak * compact_blob(x, y, height=height, width=width)
    assert point(Debiased(beta, normalize, floor), heatmap) == pytest.approx([x, y], abs=1e-9)


@given(place=blob_inside(), beta=st.floats(0.5, 30), sigma=st.floats(1, 3), noise=st.floats(0, 0.05))
@settings(deadline=None, max_examples=200)
def test_debiased_equals_the_paper_with_each_axis_its_own_size(place, beta, sigma, noise):
    # (C J - sum p) / (C - HW); sum over all cells of x is H W (W - 1) / 2, of y it is H W (H - 1) / 2.
    height, width, x, y = place
    heatmap = gaussian(x, y, sigma=sigma, height=height, width=width)
    heatmap = (heatmap + noise * torch.rand(heatmap.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    weights = torch.exp(beta * heatmap[0, 0]).tolist()
    # Exactly rounded sums: what differs is the decoder's own error, and the cancellation in the formula.
    c = math.fsum(weight for row in weights for weight in row)
    jx = math.fsum(weight * column for row in weights for column, weight in enumerate(row)) / c
    jy = math.fsum(weight * i for i, row in enumerate(weights) for weight in row) / c
    area = height * width
    expected = [(c * jx - area * (width - 1) / 2) / (c - area), (c * jy - area * (height - 1) / 2) / (c - area)]
    # Each of the two terms that are subtracted is rounded to 53 bits; well conditioned where little is taken away.
    condition = c / (c - area)
    assert point(Debiased(beta, normalize=False, floor=0.0), heatmap) == pytest.approx(
        expected, abs=1e-12 * max(1.0, condition / 2)
    )


def test_debiased_removes_the_bias_where_forms_without_the_area_do_not():
    heatmap = gaussian(16, 16, height=64, width=64)
    bias = math.dist(point(Ipr(10.0), heatmap), (16, 16))
    left = math.dist(point(PAPER, heatmap), (16, 16))
    assert bias > 1.0
    assert left < 0.005


def test_weak_peaks_need_normalizing():
    heatmap = gaussian(10, 20, height=64, width=64, peak=0.5, background=0.005)
    plain = math.dist(point(PAPER, heatmap), (10, 20))
    robust = math.dist(point(Debiased(10.0, normalize=True, floor=0.1), heatmap), (10, 20))
    assert plain > 0.5
    assert robust < 0.01


def test_a_blob_cut_by_the_border_leaves_an_error_that_is_known():
    # What lies outside is missing, so the mean moves inward: 0.29 cells for sigma 2 and beta 10, centre on the border.
    weight = [[math.expm1(10 * math.exp(-(x**2 + (y - 20) ** 2) / 8)) for x in range(WIDTH)] for y in range(HEIGHT)]
    expected = sum(x * w for row in weight for x, w in enumerate(row)) / sum(map(sum, weight))
    assert expected == pytest.approx(0.287, abs=0.001)
    assert point(PAPER, gaussian(0, 20)) == pytest.approx([expected, 20], abs=1e-9)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf, -math.inf, -1.0])
def test_maps_without_a_peak_give_the_centre_with_score_zero(name, bad):
    maps = torch.cat([torch.zeros(1, 1, HEIGHT, WIDTH), gaussian(10, 20).float()], 1)
    maps[0, 0] = 0.0 if bad == 0.0 else maps[0, 0]
    if bad == -1.0:
        maps[0, 0] = bad
    else:
        maps[0, 0, 3, 5] = bad
    points, scores = get_decoder(name)(maps)
    assert points[0, 0].tolist() == [(WIDTH - 1) / 2, (HEIGHT - 1) / 2]
    assert scores[0].tolist() == pytest.approx([0.0, 1.0])
    assert torch.isfinite(points).all()


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("beta", [0.01, 1.0, 50.0, 1000.0])
def test_no_overflow_in_any_precision(name, dtype, beta):
    options = {"beta": beta} if name in ("ipr", "debiased") else {}
    maps = torch.zeros(1, 4, HEIGHT, WIDTH, dtype=dtype)
    maps[0, 0] = 1.0
    maps[0, 1, 0, 0] = 1.0
    maps[0, 2, -1, -1] = 1.0
    maps[0, 3] = gaussian(12, 30)[0, 0].to(dtype)
    points, scores = get_decoder(name, **options)(maps)
    assert torch.isfinite(points).all()
    assert scores[0].tolist() == [1, 1, 1, 1]
    if name not in ("ipr", "dark"):
        assert points[0, 1].tolist() == pytest.approx([0, 0], abs=1e-3)
        assert points[0, 2].tolist() == pytest.approx([WIDTH - 1, HEIGHT - 1], abs=1e-3)


@pytest.mark.parametrize("decoder", [Ipr(7.0), Debiased(7.0), PAPER])
def test_the_weights_that_are_shown_are_those_that_are_used(decoder):
    maps = torch.cat([gaussian(12.3, 40.1, background=0.01), torch.zeros(1, 1, HEIGHT, WIDTH)], 1)
    weights = decoder.weights(prepare(maps))
    assert weights.shape == maps.shape
    mean = weights[0, 0] / weights[0, 0].sum()
    x, y = (mean.sum(0) @ torch.arange(WIDTH).double()).item(), (mean.sum(1) @ torch.arange(HEIGHT).double()).item()
    assert point(decoder, maps[:, :1]) == pytest.approx([x, y], abs=1e-9)


@pytest.mark.parametrize("place", [(0, 0), (47, 63), (3, 30), (20, 2), (24, 32)])
@pytest.mark.parametrize("radius", [1, 4, 6])
def test_the_cells_around_the_maximum(place, radius):
    x, y = place
    heatmap = torch.rand(1, 2, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(3))
    heatmap[0, 1, y, x] = 2.0
    padded = torch.nn.functional.pad(heatmap[0, 1], (radius,) * 4)
    expected = padded[y : y + 2 * radius + 1, x : x + 2 * radius + 1]
    assert torch.equal(prepare(heatmap).around(radius)[0, 1], expected)


def test_of_equal_maxima_the_first_in_reading_order_counts():
    heatmap = torch.zeros(1, 1, HEIGHT, WIDTH)
    heatmap[0, 0, 5, 40] = heatmap[0, 0, 5, 12] = heatmap[0, 0, 9, 3] = 0.7
    assert point(get_decoder("argmax"), heatmap) == [12, 5]


def test_large_and_small_exponents_of_debiased_meet_without_a_step():
    heatmap = gaussian(17.3, 40.6)
    below, above = (point(Debiased(b, normalize=False, floor=0.0), heatmap) for b in (39.999999, 40.000001))
    assert below == pytest.approx(above, abs=1e-6)


@pytest.mark.parametrize(
    "decoder", [Ipr(4.0), Debiased(4.0), Debiased(4.0, normalize=False, floor=0.0), Debiased(40.0)]
)
def test_ipr_and_debiased_are_differentiable(decoder):
    heatmap = gaussian(2.2, 3.4, height=7, width=5, sigma=1.2, background=0.03).requires_grad_()
    assert torch.autograd.gradcheck(lambda maps: decoder(maps).points, heatmap)


@pytest.mark.parametrize("name", ["ipr", "debiased", "dark"])
def test_gradients_flow_after_the_decoder_was_used_in_inference_mode(name):
    heatmap = gaussian(12.2, 30.4, height=61, width=43)  # a size that no other test uses
    with torch.inference_mode():
        read = get_decoder(name)(heatmap).points
    points = get_decoder(name)(heatmap.requires_grad_()).points
    assert torch.equal(points, read)
    if name != "dark":
        points.sum().backward()
        assert heatmap.grad.abs().max() > 0


def test_gradients_stay_finite_without_a_peak():
    maps = torch.zeros(1, 1, 6, 5, dtype=torch.float64, requires_grad=True)
    Debiased()(maps).points.sum().backward()
    assert torch.isfinite(maps.grad).all()


def test_unknown_names_and_bad_options_are_one_sentence():
    with pytest.raises(UserError, match="Did you mean “debiased”"):
        get_decoder("debaised")
    with pytest.raises(UserError, match="no option “gamma”"):
        get_decoder("ipr", gamma=2)
    for beta in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UserError, match="greater than 0"):
            get_decoder("ipr", beta=beta)
    with pytest.raises(UserError, match="floor"):
        get_decoder("debiased", floor=1.0)


def test_beta_is_shown_beside_the_decoders_that_have_one():
    assert {name for name in DECODERS if has_beta(name)} == WITH_BETA

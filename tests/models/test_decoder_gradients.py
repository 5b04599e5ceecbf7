"""Gradients of IPR and debiased IPR against closed forms and central differences, on maps of the size that is trained.

For J = Σ w p / Σ w, dJ/dh_k = (dw_k/dh_k) (p_k - J) / Σ w, with dw/dh = β e^(βh) for w = e^(βh) and for e^(βh) - 1.
"""

from __future__ import annotations

import pytest
import torch

from models.decoders import Debiased, Ipr
from tests.models.heatmaps import gaussian

SIZES = [(64, 48), (64, 64)]
# 50 lies above the largest β that `Debiased` puts into an exponential as it is.
BETAS = [1.0, 10.0, 50.0]
FLOOR = 0.2


def heatmap_of(size, peak=0.9, background=0.01):
    height, width = size
    return gaussian(14.3, 40.6, height=height, width=width, peak=peak, background=background)


def autograd(decoder, heatmap):
    """(2, H, W): dx/dh and dy/dh."""
    heatmap = heatmap.clone().requires_grad_()
    point = decoder(heatmap).points[0, 0]
    return torch.stack([torch.autograd.grad(point[axis], heatmap, retain_graph=True)[0][0, 0] for axis in (0, 1)])


def positions(heatmap):
    """(2, H, W): x and y of each cell."""
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in heatmap.shape[-2:])
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"))


def slopes(weights, derivatives, places):
    """(2, H, W): dJ/dh where the weight of each cell depends on its own height alone."""
    point = (weights * places).sum((1, 2)) / weights.sum()
    return derivatives * (places - point[:, None, None]) / weights.sum()


def expected_ipr(heatmap, beta):
    weights = torch.exp(beta * heatmap[0, 0])
    return slopes(weights, beta * weights, positions(heatmap))


def expected_debiased(heatmap, beta):
    values = heatmap[0, 0]
    return slopes(torch.expm1(beta * values), beta * torch.exp(beta * values), positions(heatmap))


def expected_normalized(heatmap, beta):
    # h' = (h / m - f) / (1 - f) where that is above 0, with the peak m: dh'/dh = 1 / (m (1 - f)) and
    # dh'/dm = -h / (m² (1 - f)); the peak's own cell stays at h' = 1.
    values = heatmap[0, 0]
    peak = values.max()
    inner = (values / peak - FLOOR).clamp_min(0) / (1 - FLOOR)
    by_inner = slopes(torch.expm1(beta * inner), beta * torch.exp(beta * inner) * (inner > 0), positions(heatmap))
    expected = by_inner / (peak * (1 - FLOOR))
    others = values < peak
    expected[:, ~others] = -(by_inner * values * others).sum((1, 2))[:, None] / (peak**2 * (1 - FLOOR))
    return expected


DECODERS = {
    "ipr": (Ipr, expected_ipr),
    "paper": (lambda beta: Debiased(beta, normalize=False, floor=0.0), expected_debiased),
    "debiased": (lambda beta: Debiased(beta, floor=FLOOR), expected_normalized),
}


def assert_near(found, expected, share):
    """Within that share of the largest gradient of the same axis."""
    for axis in (0, 1):
        assert (found[axis] - expected[axis]).abs().max() <= share * expected[axis].abs().max()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", DECODERS)
def test_the_gradient_of_every_cell_is_the_closed_form(name, beta, size):
    make, expected = DECODERS[name]
    # At a height of 0.5 the exponents of β = 50 are small enough for expm1 itself.
    for heatmap in (heatmap_of(size), heatmap_of(size, peak=0.5)):
        assert_near(autograd(make(beta), heatmap), expected(heatmap, beta), 1e-11)


def test_the_form_that_is_checked_is_that_of_the_app():
    assert Debiased(10.0) == Debiased(10.0, normalize=True, floor=FLOOR)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", DECODERS)
def test_the_gradient_is_what_central_differences_give(name, beta, size):
    decoder, heatmap, step = DECODERS[name][0](beta), heatmap_of(size), 1e-5
    # Every second cell of the blob, its peak among them, and the map's corners and middle.
    cells = [(row, column) for row in range(33, 50, 2) for column in range(6, 23, 2)]
    cells += [(0, 0), (0, size[1] - 1), (size[0] - 1, 0), (size[0] - 1, size[1] - 1), (31, 30)]
    rows, columns = torch.tensor(cells).T
    nudges = torch.zeros(len(cells), 1, *size, dtype=torch.float64)
    nudges[torch.arange(len(cells)), 0, rows, columns] = step
    differences = (decoder(heatmap + nudges).points - decoder(heatmap - nudges).points)[:, 0].T / (2 * step)
    assert_near(autograd(decoder, heatmap)[:, rows, columns], differences, 1e-6)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", DECODERS)
def test_single_precision_has_the_same_gradient(name, beta):
    make, expected = DECODERS[name]
    heatmap = heatmap_of((64, 48)).float()
    assert_near(autograd(make(beta), heatmap).double(), expected(heatmap.double(), beta), 1e-4)


@pytest.mark.parametrize("beta", BETAS)
def test_background_cells_have_a_gradient_except_where_the_foot_is_cut(beta):
    # Cells at 0 weigh nothing in the paper's form, but raising one would move the point: β (p - J) / Σ (e^(βh) - 1).
    heatmap = heatmap_of((64, 48), background=0.0)
    total = torch.expm1(beta * heatmap).sum()
    corner = autograd(DECODERS["paper"][0](beta), heatmap)[:, 0, 47]
    point = DECODERS["paper"][0](beta)(heatmap).points[0, 0]
    assert torch.allclose(corner, beta * (torch.tensor([47.0, 0.0]) - point) / total, rtol=1e-9, atol=0)
    assert (autograd(DECODERS["debiased"][0](beta), heatmap)[:, 0, 47] == 0).all()

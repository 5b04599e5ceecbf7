"""What training through IPR or debiased IPR does to an ideal map: the gradient of the loss, and where it leads.

An ideal map is what a network should give: a Gaussian of height 1 on zeros. The loss is ½ |J - t|² in cells², with the
decoder's point J and the true point t. All points are in cells, x to the right and y down.

For IPR the derivative is dJ/dh_k = β e^(βh_k) (p_k - J) / Σ e^(βh), p_k the position of cell k; for the paper's form of
debiased IPR it is β e^(βh_k) (p_k - J) / Σ (e^(βh) - 1). While the blob lies inside the map, IPR's point is
J = t + a (c - t), with the map's centre c and the background's share a = HW / Σ e^(βh): the loss of an ideal map is not
0, and one cell of the blob's way moves J by only 1 - a cells. The loss would be 0 for a blob a / (1 - a) |t - c| beyond
t, away from the centre. For debiased IPR a is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.lab.readings import Floats, Point, SyntheticMap, as_floats, check_beta, lab_decoder

_FIRST_STEP, _LAST_STEP = 1.0, 1e-3  # cells
_MOST_STEPS = 200


@dataclass(frozen=True)
class TrainingGradient:
    """What the loss asks for at the ideal map whose blob lies on the true point.

    error: (2,), J - t in cells. step: (H, W), -dL/dh of each cell, in cells² for a height of 1. follows: (2, 2), row i
    and column j hold how many cells J moves along axis i (0 is x) where the blob moves one cell along axis j.
    """

    error: Floats
    step: Floats
    follows: Floats

    @property
    def loss(self) -> float:
        """½ |J - t|² in cells²."""
        return float(self.error @ self.error) / 2

    @property
    def push(self) -> Floats:
        """(2,): -dL/dq, where descent moves the blob's centre q; in cells² for one cell."""
        return -self.follows.T @ self.error

    @property
    def missing(self) -> Floats:
        """(2,): how many cells the blob would have to move for the loss to be 0, to first order. NaN where J is stuck.

        Exact for IPR as long as the blob lies inside the map.
        """
        try:
            return np.asarray(-np.linalg.solve(self.follows, self.error), dtype=np.float64)
        except np.linalg.LinAlgError:
            return np.full(2, math.nan)


def training_gradient(synthetic: SyntheticMap, decoder: str, beta: float) -> TrainingGradient:
    """The gradient at the ideal map of that place, σ and size; peak, background and noise are not used.

    decoder: ipr, debiased or `PAPER_FORM`. Raises UserError for a β that is not greater than 0 and at most 500.
    """
    reader = lab_decoder(decoder, check_beta(beta))
    truth = torch.tensor([synthetic.x, synthetic.y], dtype=torch.float64)
    maps = _blobs(truth[None], synthetic).requires_grad_()
    point = reader(maps).points[0, 0]
    by_cell = torch.stack([torch.autograd.grad(point[axis], maps, retain_graph=True)[0][0, 0] for axis in (0, 1)])
    height, width = synthetic.height, synthetic.width
    # dh/dq of a Gaussian of variance σ² is h (p - q) / σ².
    offsets = torch.stack(
        (
            (torch.arange(width) - truth[0])[None, :].expand(height, width),
            (torch.arange(height) - truth[1])[:, None].expand(height, width),
        )
    )
    by_place = maps.detach()[0, 0] * offsets / synthetic.sigma**2
    error = point.detach() - truth
    return TrainingGradient(
        error=as_floats(error),
        step=as_floats(-torch.tensordot(error, by_cell, 1)),
        follows=as_floats(torch.einsum("ihw,jhw->ij", by_cell, by_place)),
    )


def descent(synthetic: SyntheticMap, decoder: str, beta: float, starts: Sequence[Point]) -> Floats:
    """(S, N, 2): the ways of N blobs, from `starts`, whose places follow the gradient of the loss at the true point.

    Each step goes straight against dL/dq; one that would not lower the loss is not taken, and the next is half as long.
    A blob's centre stays on the map. decoder, beta and errors as in `training_gradient`.
    """
    reader = lab_decoder(decoder, check_beta(beta))
    truth = torch.tensor([synthetic.x, synthetic.y], dtype=torch.float64)
    corner = torch.tensor([synthetic.width - 1, synthetic.height - 1], dtype=torch.float64)

    def losses(places: Tensor) -> tuple[Tensor, Tensor]:
        asked = places.clone().requires_grad_()
        loss = ((reader(_blobs(asked, synthetic)).points[:, 0] - truth) ** 2).sum(-1) / 2
        return loss.detach(), torch.autograd.grad(loss.sum(), asked)[0]

    places = torch.tensor(starts, dtype=torch.float64)
    loss, gradient = losses(places)
    length = torch.full((len(starts), 1), _FIRST_STEP, dtype=torch.float64)
    way = [places]
    for _ in range(_MOST_STEPS):
        if (length < _LAST_STEP).all():
            break
        norm = gradient.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(gradient.dtype).tiny)
        tried = torch.minimum((places - length * gradient / norm).clamp_min(0), corner)
        tried_loss, tried_gradient = losses(tried)
        lower = tried_loss < loss
        places = torch.where(lower[:, None], tried, places)
        gradient = torch.where(lower[:, None], tried_gradient, gradient)
        loss = torch.where(lower, tried_loss, loss)
        length = torch.where(lower[:, None], length, length / 2)
        way.append(places)
    return as_floats(torch.stack(way))


def _blobs(places: Tensor, synthetic: SyntheticMap) -> Tensor:
    """(N, 1, H, W): ideal maps with their blobs at `places` (N, 2), through which gradients flow."""
    x, y = places[:, 0, None], places[:, 1, None]
    along_x = torch.exp(-((torch.arange(synthetic.width) - x) ** 2) / (2 * synthetic.sigma**2))
    along_y = torch.exp(-((torch.arange(synthetic.height) - y) ** 2) / (2 * synthetic.sigma**2))
    return (along_y[:, :, None] * along_x[:, None, :])[:, None]

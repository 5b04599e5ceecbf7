"""What a head is trained to make small. Maps are (N, J, H, W) in [0, 1], points (N, J, 2), x and y in cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.decoders import Debiased, Decoder, Ipr, get_decoder, prepare
from models.readings import DEFAULT_BETA

# Standard deviation in cells: what SimpleBaseline (Xiao et al., ECCV 2018) takes on maps of this size.
SIGMA = 2.0


@dataclass(frozen=True, slots=True)
class Objective:
    """What a head is trained for.

    decoder: argmax is trained on maps (the mean squared error to Gaussians); ipr and debiased on coordinates: the mean
    absolute error, in cells, of the points that they read, as the app reads them. beta: theirs.
    shape_weight: how much the Jensen-Shannon divergence between the decoder's weights and a Gaussian counts beside
    that, in cells per nat; 0 leaves the shape of the maps free (Nibali et al., Numerical Coordinate Regression, 2018,
    and Gu et al., ICCV 2021, regularise so).
    """

    decoder: str
    beta: float = DEFAULT_BETA
    shape_weight: float = 0.0

    @property
    def reader(self) -> Decoder:
        """What reads the head: of argmax the cell of the maximum."""
        return get_decoder(self.decoder, **({} if self.decoder == "argmax" else {"beta": self.beta}))

    def loss(self, maps: Tensor, points: Tensor, labelled: Tensor) -> Tensor:
        """A scalar, the mean over the joints that are labelled (N, J); 0 where none is."""
        reader = self.reader
        if not isinstance(reader, (Ipr, Debiased)):
            wanted = gaussians(points, maps.shape[-2], maps.shape[-1])
            return _mean(((maps - wanted) ** 2).sum((-2, -1)), labelled)
        prepared = prepare(maps)
        loss = (reader.read(prepared).points - points).abs().sum(-1)
        if self.shape_weight:
            weights = reader.weights(prepared)
            wanted = gaussians(points, maps.shape[-2], maps.shape[-1])
            loss = loss + self.shape_weight * jensen_shannon(weights, wanted)
        return _mean(loss, labelled)


def _mean(values: Tensor, labelled: Tensor) -> Tensor:
    return torch.where(labelled, values, torch.zeros_like(values)).sum() / labelled.sum().clamp_min(1)


def gaussians(points: Tensor, height: int, width: int, sigma: float = SIGMA) -> Tensor:
    """(N, J, height, width): e^(-d² / 2σ²) with each cell's distance d from its map's point; 1 at the point."""
    x = torch.arange(width, dtype=points.dtype, device=points.device) - points[..., 0, None]
    y = torch.arange(height, dtype=points.dtype, device=points.device) - points[..., 1, None]
    along_x, along_y = torch.exp(-(x**2) / (2 * sigma**2)), torch.exp(-(y**2) / (2 * sigma**2))
    return along_y[..., :, None] * along_x[..., None, :]


def jensen_shannon(weights: Tensor, wanted: Tensor) -> Tensor:
    """(N, J): the Jensen-Shannon divergence in nats of two sets of non-negative weights (N, J, H, W), each taken with
    the sum 1: 0 for the same shape, ln 2 for shapes that share no cell.
    """
    p, q = _shares(weights), _shares(wanted)
    middle = (p + q) / 2
    return (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2


def _shares(weights: Tensor) -> Tensor:
    return weights / weights.sum((-2, -1), keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)


def _relative_entropy(p: Tensor, q: Tensor) -> Tensor:
    # p log(p / q) with 0 log 0 = 0, and gradients that stay finite there.
    tiny = math.sqrt(torch.finfo(p.dtype).tiny)
    return (p * (torch.log(p.clamp_min(tiny)) - torch.log(q.clamp_min(tiny)))).sum((-2, -1))

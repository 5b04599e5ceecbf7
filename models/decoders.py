"""Ways to read a point from a heatmap.

Contract: `decoder(heatmaps)` takes (N, K, H, W) floating values in [0, 1], on any device, and returns a `Decoded`:
points (N, K, 2), x and y in cells (x along W, y along H, the centre of the top left cell is (0, 0)), and scores
(N, K), the height of each map's maximum. A map without any peak (all zero, or holding NaN or infinity) gives the
map's centre with score 0. `ipr` and `debiased` are differentiable.

>>> from models.decoders import get_decoder
>>> points, scores = get_decoder("debiased", beta=10.0)(heatmaps)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from models.errors import UserError, unknown_name

BETA_RANGE = (0.5, 50.0)
DEFAULT_BETA = 10.0


class Decoded(NamedTuple):
    """points (N, K, 2) xy in cells and scores (N, K)."""

    points: Tensor
    scores: Tensor


class Decoder(Protocol):
    """Anything that reads heatmaps (N, K, H, W)."""

    def __call__(self, heatmaps: Tensor) -> Decoded: ...


@dataclass(frozen=True)
class Argmax:
    """The cell of the maximum."""

    def __call__(self, heatmaps: Tensor) -> Decoded:
        heatmaps, usable = _usable(heatmaps)
        column, row, peak = _maximum(heatmaps)
        points = torch.stack((column, row), -1).to(_work_dtype(heatmaps))
        return _finish(points, peak, usable, heatmaps)


@dataclass(frozen=True)
class ArgmaxQuarter:
    """The cell of the maximum, a quarter of a cell toward the higher neighbour on each axis.

    The rule of Newell et al., Stacked Hourglass Networks, ECCV 2016. On the border or between equal neighbours
    the axis keeps the cell.
    """

    def __call__(self, heatmaps: Tensor) -> Decoded:
        heatmaps, usable = _usable(heatmaps)
        column, row, peak = _maximum(heatmaps)
        height, width = heatmaps.shape[-2:]
        flat = heatmaps.flatten(2)
        shift_x = torch.sign(
            _cell(flat, width, column + 1, row, width, height) - _cell(flat, width, column - 1, row, width, height)
        )
        shift_y = torch.sign(
            _cell(flat, width, column, row + 1, width, height) - _cell(flat, width, column, row - 1, width, height)
        )
        inside_x = (column > 0) & (column < width - 1)
        inside_y = (row > 0) & (row < height - 1)
        dtype = _work_dtype(heatmaps)
        points = torch.stack(
            (column + 0.25 * shift_x.to(dtype) * inside_x, row + 0.25 * shift_y.to(dtype) * inside_y), -1
        )
        return _finish(points, peak, usable, heatmaps)


@dataclass(frozen=True)
class Dark:
    """A Taylor step from the maximum on the logarithm of the smoothed map.

    Zhang et al., Distribution-Aware Coordinate Representation for Human Pose Estimation, CVPR 2020:
    point = m - H⁻¹ g with the map's maximum m, and gradient g and Hessian H at m of the logarithm of the map smoothed
    by a Gaussian (standard deviation `sigma` cells). Where H is not negative definite, or m lies on the border, the
    point stays on m; a step is at most one cell on each axis.
    """

    sigma: float = 1.0

    def __call__(self, heatmaps: Tensor) -> Decoded:
        heatmaps, usable = _usable(heatmaps)
        column, row, peak = _maximum(heatmaps)
        height, width = heatmaps.shape[-2:]
        values = _log(_smoothed_around(heatmaps.to(_work_dtype(heatmaps)), column, row, self.sigma))
        inside = (column > 0) & (column < width - 1) & (row > 0) & (row < height - 1)
        step = _taylor_step(values) * inside[..., None]
        return _finish(torch.stack((column, row), -1) + step, peak, usable, heatmaps)


@dataclass(frozen=True)
class SubcellPeak:
    """The vertex of a parabola through the logarithm of the three cells around the maximum, on each axis.

    Exact for an axis-parallel Gaussian on zero background, without smoothing and without any pull: the reference
    from which the bias of the decoders is measured. On the border the point stays in its cell.
    """

    def __call__(self, heatmaps: Tensor) -> Decoded:
        heatmaps, usable = _usable(heatmaps)
        column, row, peak = _maximum(heatmaps)
        height, width = heatmaps.shape[-2:]
        dtype = _work_dtype(heatmaps)
        flat = heatmaps.flatten(2)

        def log_cell(x: Tensor, y: Tensor) -> Tensor:
            return _log(_cell(flat, width, x, y, width, height).to(dtype))

        middle = log_cell(column, row)

        def vertex(before: Tensor, after: Tensor, inside: Tensor) -> Tensor:
            curvature = 2 * middle - before - after
            offset = 0.5 * (after - before) / curvature.clamp_min(torch.finfo(dtype).eps)
            return torch.where(inside & (curvature > 0), offset.clamp(-0.5, 0.5), torch.zeros_like(offset))

        x = column + vertex(log_cell(column - 1, row), log_cell(column + 1, row), (column > 0) & (column < width - 1))
        y = row + vertex(log_cell(column, row - 1), log_cell(column, row + 1), (row > 0) & (row < height - 1))
        return _finish(torch.stack((x, y), -1), peak, usable, heatmaps)


@dataclass(frozen=True)
class Ipr:
    """Integral pose regression: the expectation of the position under softmax(beta * h).

    Sun et al., Integral Human Pose Regression, ECCV 2018: J = Σ p e^(βh) / Σ e^(βh). Every cell of the background
    weighs e^0 = 1, which pulls the point to the map's centre ((W - 1) / 2, (H - 1) / 2).
    """

    beta: float = DEFAULT_BETA

    def __post_init__(self) -> None:
        _check_beta(self.beta)

    def __call__(self, heatmaps: Tensor) -> Decoded:
        heatmaps, usable = _usable(heatmaps)
        values = heatmaps.to(_work_dtype(heatmaps))
        peak = values.amax((-2, -1), keepdim=True)
        # Less the maximum, so that no exponential overflows; the common factor cancels.
        weights = torch.exp(self.beta * (values - peak.detach()))
        return _finish(_expectation(weights), peak[..., 0, 0], usable, heatmaps)


@dataclass(frozen=True)
class Debiased:
    """Debiased integral pose regression: the expectation under the weights e^(βh) - 1.

    Gu et al., Removing the Bias of Integral Pose Regression, ICCV 2021, subtract the share of the background,
    (C J - Σ p) / (C - HW) with C = Σ e^(βh) and J from `Ipr`. Both sums contain each cell once, so this equals
    Σ p (e^(βh) - 1) / Σ (e^(βh) - 1), here with expm1: no cancellation, and no constant for the map's centre.

    normalize: divide each map by its peak first, so that weak peaks are read like strong ones.
    floor: share of the peak below which cells are cut away (h -> max(h - floor·peak, 0)); 0 keeps all.
    `normalize=False, floor=0` is the form of the paper.
    """

    beta: float = DEFAULT_BETA
    normalize: bool = True
    floor: float = 0.1

    def __post_init__(self) -> None:
        _check_beta(self.beta)
        if not 0 <= self.floor < 1:
            raise UserError(f"floor must be at least 0 and less than 1, not {self.floor:g}.")

    def __call__(self, heatmaps: Tensor) -> Decoded:
        heatmaps, usable = _usable(heatmaps)
        values = heatmaps.to(_work_dtype(heatmaps))
        peak = values.amax((-2, -1), keepdim=True)
        scaled = values
        if self.floor:
            scaled = (scaled - self.floor * peak).clamp_min(0)
        if self.normalize:
            top = peak * (1 - self.floor)
            scaled = scaled / torch.where(top > 0, top, torch.ones_like(top))
        # expm1(b h) = e^(b m) (e^(b (h - m)) - e^(-b m)) with the map's maximum m: where e^(b m) would overflow, the
        # second form without its common factor is used, in which the lost digits are far below the weights' own.
        exponent = self.beta * scaled
        top_exponent = exponent.detach().amax((-2, -1), keepdim=True)
        small = top_exponent < _SAFE_EXPONENT
        direct = torch.expm1(torch.where(small, exponent, torch.zeros_like(exponent)))
        shifted = torch.exp(exponent - top_exponent) - torch.exp(-top_exponent)
        weights = torch.where(small, direct, shifted)
        return _finish(_expectation(weights), peak[..., 0, 0], usable, heatmaps)


# e^16 times the largest map that is used here stays far inside float32.
_SAFE_EXPONENT = 16.0

DECODERS: dict[str, Callable[..., Decoder]] = {
    "argmax": Argmax,
    "argmax-quarter": ArgmaxQuarter,
    "dark": Dark,
    "ipr": Ipr,
    "debiased": Debiased,
}


def get_decoder(name: str, **options: Any) -> Decoder:
    """The decoder of that name; `options` are its fields, for example beta.

    Raises UserError for an unknown name (with the nearest known one), an unknown option or a bad value.
    """
    if name not in DECODERS:
        raise UserError(unknown_name("decoder", name, DECODERS))
    decoder_class = DECODERS[name]
    known = [field.name for field in fields(decoder_class)]  # type: ignore[arg-type]
    for option in options:
        if option not in known:
            raise UserError(f"The decoder {name} has no option “{option}”. It has: {', '.join(known) or 'none'}.")
    return decoder_class(**options)


def _check_beta(beta: float) -> None:
    if not (math.isfinite(beta) and beta > 0):
        raise UserError(f"beta must be greater than 0, not {beta:g}.")


def _work_dtype(heatmaps: Tensor) -> torch.dtype:
    """Half precision cannot count 64 × 48 cells to a thousandth of a cell: sums are made in float32."""
    return torch.float64 if heatmaps.dtype == torch.float64 else torch.float32


def _usable(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """The maps with unusable ones set to zero, and (N, K) whether each map has a peak at all."""
    peak = heatmaps.detach().amax((-2, -1))
    # NaN survives amax, so this one comparison also finds NaN; minus infinity has to be looked for.
    usable = (peak > 0) & (peak < torch.inf) & (heatmaps.detach().amin((-2, -1)) > -torch.inf)
    return torch.where(usable[..., None, None], heatmaps, torch.zeros_like(heatmaps)), usable


def _maximum(heatmaps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Column, row (both integers) and height of each map's maximum, each (N, K)."""
    peak, index = heatmaps.flatten(2).max(-1)
    width = heatmaps.shape[-1]
    return index % width, index.div(width, rounding_mode="floor"), peak


def _cell(flat: Tensor, stride: int, column: Tensor, row: Tensor, width: int, height: int) -> Tensor:
    """Values of (N, K, H·W) maps at one cell of each, (N, K); cells outside read the nearest inside."""
    index = row.clamp(0, height - 1) * stride + column.clamp(0, width - 1)
    return flat.gather(-1, index[..., None])[..., 0]


def _expectation(weights: Tensor) -> Tensor:
    """(N, K, 2): the mean position under non-negative weights (N, K, H, W); NaN where all weights are 0."""
    height, width = weights.shape[-2:]
    columns = torch.arange(width, dtype=weights.dtype, device=weights.device)
    rows = torch.arange(height, dtype=weights.dtype, device=weights.device)
    along_x, along_y = weights.sum(-2), weights.sum(-1)
    total = along_x.sum(-1)
    # The weights of an unusable map may all be 0: a divisor of 1 keeps NaN out of the gradient too.
    total = torch.where(total > 0, total, torch.ones_like(total))
    return torch.stack(((along_x * columns).sum(-1) / total, (along_y * rows).sum(-1) / total), -1)


def _finish(points: Tensor, peak: Tensor, usable: Tensor, heatmaps: Tensor) -> Decoded:
    height, width = heatmaps.shape[-2:]
    centre = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=points.dtype, device=points.device)
    points = torch.where(usable[..., None], points, centre)
    return Decoded(points, torch.where(usable, peak, torch.zeros_like(peak)).to(points.dtype))


def _log(values: Tensor) -> Tensor:
    return torch.log(values.clamp_min(torch.finfo(values.dtype).tiny))


def _smoothed_around(maps: Tensor, column: Tensor, row: Tensor, sigma: float) -> Tensor:
    """(N, K, 3, 3): the maps smoothed by a Gaussian, only at the cell (column, row) of each and its neighbours.

    Cells outside count as zero.
    """
    radius = max(1, math.ceil(3 * sigma))
    side = 2 * radius + 3
    offsets = torch.arange(side, device=maps.device)
    steps = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    smoothing = torch.stack([F.pad(kernel, (i, 2 - i)) for i in range(3)])
    padded = F.pad(maps, (radius + 1,) * 4)
    width = padded.shape[-1]
    cells = (row[..., None] + offsets)[..., :, None] * width + (column[..., None] + offsets)[..., None, :]
    patches = padded.flatten(2).gather(-1, cells.flatten(2)).reshape(*maps.shape[:2], side, side)
    smoothed: Tensor = smoothing @ patches @ smoothing.T
    return smoothed


def _taylor_step(values: Tensor) -> Tensor:
    """(N, K, 2): -H⁻¹ g at the middle of (N, K, 3, 3) values; 0 where H is not negative definite."""
    middle = values[..., 1, 1]
    left, right, up, down = values[..., 1, 0], values[..., 1, 2], values[..., 0, 1], values[..., 2, 1]
    gradient_x, gradient_y = (right - left) / 2, (down - up) / 2
    xx, yy = left - 2 * middle + right, up - 2 * middle + down
    xy = (values[..., 2, 2] - values[..., 2, 0] - values[..., 0, 2] + values[..., 0, 0]) / 4
    determinant = xx * yy - xy * xy
    peaked = (determinant > 0) & (xx < 0)
    safe = torch.where(peaked, determinant, torch.ones_like(determinant))
    step_x = -(yy * gradient_x - xy * gradient_y) / safe
    step_y = -(xx * gradient_y - xy * gradient_x) / safe
    step: Tensor = torch.stack((step_x, step_y), -1).clamp(-1, 1) * peaked[..., None]
    return step

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
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from models.constants import constant
from models.errors import UserError, unknown_name
from models.readings import DEFAULT_BETA, DEFAULT_FLOOR


class Decoded(NamedTuple):
    """points (N, K, 2) xy in cells and scores (N, K)."""

    points: Tensor
    scores: Tensor


@dataclass(frozen=True)
class Heatmaps:
    """Heatmaps looked over once, so that several decoders can read them.

    values: (N, K, H, W) float32 or float64, contiguous; a map without a usable peak is all zero. usable: (N, K).
    column, row, peak: (N, K), the cell and the height of each map's maximum.
    all_usable: True where it is known that every map is usable.
    """

    values: Tensor
    usable: Tensor
    column: Tensor
    row: Tensor
    peak: Tensor
    all_usable: bool

    @cached_property
    def cell(self) -> Tensor:
        """(N, K, 2): x and y of the maximum's cell, whole numbers in the type of `values`."""
        return torch.stack((self.column, self.row), -1).to(self.values.dtype)

    def around(self, radius: int) -> Tensor:
        """(N, K, 2 radius + 1, 2 radius + 1): the cells around each map's maximum; 0 outside of the map."""
        largest = max(radius, _AROUND_RADIUS)
        cells = self._around if largest == _AROUND_RADIUS else self._gather(largest)
        rim = largest - radius
        return cells[..., rim : rim + 2 * radius + 1, rim : rim + 2 * radius + 1]

    @cached_property
    def _around(self) -> Tensor:
        return self._gather(_AROUND_RADIUS)

    def _gather(self, radius: int) -> Tensor:
        height, width = self.values.shape[-2:]
        offsets = _offsets(radius, self.values.device)
        rows, columns = self.row[..., None] + offsets, self.column[..., None] + offsets
        rows_in, columns_in = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
        cells = (rows_in * width)[..., :, None] + columns_in[..., None, :]
        values = self.values.flatten(2).gather(-1, cells.flatten(2)).view_as(cells)
        return values * (rows_in == rows)[..., :, None] * (columns_in == columns)[..., None, :]

    @cached_property
    def inside(self) -> Tensor:
        """(N, K, 2): whether the maximum has neighbours on both sides, along x and along y."""
        height, width = self.values.shape[-2:]
        return (self.cell > 0) & (self.cell < constant((width - 1, height - 1), self.cell))


# The largest neighbourhood that a decoder asks for as it comes: gathered once for all of them.
_AROUND_RADIUS = 4


def prepare(heatmaps: Tensor, *, finite: bool = False) -> Heatmaps:
    """Look over (N, K, H, W) maps: find the maxima, set aside maps without a peak or with NaN or infinity.

    finite: the maps are known to hold neither, and nothing below 0. They are not searched for it then, and nothing is
        asked of the device, so that this can be part of a recorded graph.
    """
    # Half precision cannot count 64 × 48 cells to a thousandth of a cell: everything is read in float32 at least.
    values = (heatmaps if heatmaps.dtype == torch.float64 else heatmaps.float()).contiguous()
    seen = values.detach()
    # Row by row, which is five times as fast as one search for the largest of all cells.
    row_peaks = seen.amax(-1)
    row = row_peaks.argmax(-1)
    peak = row_peaks.gather(-1, row[..., None])[..., 0]
    row_values = seen.gather(-2, row[..., None, None].expand(*row.shape, 1, seen.shape[-1]))[..., 0, :]
    usable = peak > 0
    if finite:
        return Heatmaps(values, usable, row_values.argmax(-1), row, peak, False)
    # NaN survives max and sum; minus infinity only sum.
    total = seen.sum((-2, -1))
    # Asking is free on the CPU only; a GPU would have to be waited for.
    all_usable = values.device.type == "cpu" and bool(usable.all()) and math.isfinite(float(total.sum()))
    if not all_usable:
        usable = usable & torch.isfinite(total)
        values = torch.where(usable[..., None, None], values, torch.zeros_like(values[:1, :1]))
        peak = torch.where(usable, peak, torch.zeros_like(peak))
    return Heatmaps(values, usable, row_values.argmax(-1), row, peak, all_usable)


class Decoder(ABC):
    """Reads heatmaps. Subclasses are small frozen dataclasses whose fields are the decoder's options."""

    def __call__(self, heatmaps: Tensor) -> Decoded:
        """(N, K, H, W) in [0, 1] -> points and scores, in float64 for float64 and in float32 for anything else."""
        return self.read(prepare(heatmaps))

    def read(self, maps: Heatmaps) -> Decoded:
        """The same on maps that were looked over before."""
        points = self._points(maps)
        if not maps.all_usable:
            height, width = maps.values.shape[-2:]
            centre = constant(((width - 1) / 2, (height - 1) / 2), maps.values)
            points = torch.where(maps.usable[..., None], points, centre)
        return Decoded(points, maps.peak)

    @abstractmethod
    def _points(self, maps: Heatmaps) -> Tensor:
        """(N, K, 2) xy in cells; whatever it gives for an unusable map is not used."""


@dataclass(frozen=True)
class Argmax(Decoder):
    """The cell of the maximum."""

    def _points(self, maps: Heatmaps) -> Tensor:
        return maps.cell


@dataclass(frozen=True)
class ArgmaxQuarter(Decoder):
    """The cell of the maximum, a quarter of a cell toward the higher neighbour on each axis.

    The rule of Newell et al., Stacked Hourglass Networks, ECCV 2016. On the border or between equal neighbours
    the axis keeps the cell.
    """

    def _points(self, maps: Heatmaps) -> Tensor:
        shift = _stencils(maps.around(1), _CENTRAL)
        return maps.cell + 0.25 * torch.sign(shift) * maps.inside


@dataclass(frozen=True)
class Dark(Decoder):
    """A Taylor step from the maximum on the logarithm of the smoothed map.

    Zhang et al., Distribution-Aware Coordinate Representation for Human Pose Estimation, CVPR 2020:
    point = m - H⁻¹ g with the map's maximum m, and gradient g and Hessian H at m of the logarithm of the map smoothed
    by a Gaussian (standard deviation `sigma` cells). Where H is not negative definite, or m lies on the border, the
    point stays on m; a step is at most one cell on each axis.
    """

    sigma: float = 1.0

    def _points(self, maps: Heatmaps) -> Tensor:
        radius = max(1, math.ceil(3 * self.sigma))
        smoothing = _smoothing_matrix(radius, self.sigma, maps.values.dtype, maps.values.device)
        smoothed = smoothing @ maps.around(radius + 1) @ smoothing.T
        step = _taylor_step(_log(smoothed)) * maps.inside.all(-1, keepdim=True)
        return maps.cell + step


@dataclass(frozen=True)
class SubcellPeak(Decoder):
    """The vertex of a parabola through the logarithm of the three cells around the maximum, on each axis.

    Exact for an axis-parallel Gaussian on zero background, without smoothing and without any pull: the reference
    from which the bias of the decoders is measured. On the border the axis stays in its cell.
    """

    def _points(self, maps: Heatmaps) -> Tensor:
        shift, curvature = torch.split(_stencils(_log(maps.around(1)), (*_CENTRAL, *_CURVATURE)), 2, -1)
        offset = 0.5 * shift / curvature.clamp_min(torch.finfo(curvature.dtype).eps)
        offset = torch.where(maps.inside & (curvature > 0), offset.clamp(-0.5, 0.5), torch.zeros_like(offset))
        return maps.cell + offset


@dataclass(frozen=True)
class Ipr(Decoder):
    """Integral pose regression: the expectation of the position under softmax(beta * h).

    Sun et al., Integral Human Pose Regression, ECCV 2018: J = Σ p e^(βh) / Σ e^(βh). Every cell of the background
    weighs e^0 = 1, which pulls the point to the map's centre ((W - 1) / 2, (H - 1) / 2).
    """

    beta: float | Tensor = DEFAULT_BETA

    def __post_init__(self) -> None:
        _check_beta(self.beta)

    def weights(self, maps: Heatmaps) -> Tensor:
        """(N, K, H, W): the weight of each cell, the softmax, with the sum 1 for each map."""
        return torch.softmax(self.beta * maps.values.flatten(2), -1).view_as(maps.values)

    def _points(self, maps: Heatmaps) -> Tensor:
        # The softmax up to its divisor, which cancels in the mean; any shift does, and the peak's overflows nothing.
        largest = maps.peak.detach()[..., None, None]
        return _expectation(torch.exp(self.beta * (maps.values - largest)), maps)


@dataclass(frozen=True)
class Debiased(Decoder):
    """Debiased integral pose regression: the expectation under the weights e^(βh) - 1.

    Gu et al., Removing the Bias of Integral Pose Regression, ICCV 2021, subtract the share of the background,
    (C J - Σ p) / (C - HW) with C = Σ e^(βh) and J from `Ipr`. Both sums contain each cell once, so this equals
    Σ p (e^(βh) - 1) / Σ (e^(βh) - 1), here with expm1: no cancellation, and no constant for the map's centre.

    beta: a number; or a 0-dimensional tensor, where it is an input of a recorded graph.
    normalize: divide each map by its peak first, so that weak peaks are read like strong ones.
    floor: share of the peak below which cells are cut away (h -> max(h - floor·peak, 0)); 0 keeps all.
    `normalize=False, floor=0` is the form of the paper. The defaults are the outcome of `posescope study`.
    """

    beta: float | Tensor = DEFAULT_BETA
    normalize: bool = True
    floor: float = DEFAULT_FLOOR

    def __post_init__(self) -> None:
        _check_beta(self.beta)
        if not 0 <= self.floor < 1:
            raise UserError(f"floor must be at least 0 and less than 1, not {self.floor:g}.")

    def weights(self, maps: Heatmaps) -> Tensor:
        """(N, K, H, W): the weight of each cell, e^(βh) - 1 up to a factor for each map; 0 where h is 0."""
        # Not the peak that was found before: where gradients are asked for, it has to carry them.
        peak = maps.values.amax((-2, -1), keepdim=True) if maps.values.requires_grad else maps.peak[..., None, None]
        values = (maps.values - self.floor * peak).clamp_min(0) if self.floor else maps.values
        scale = self.beta
        if self.normalize:
            scale = self.beta / (peak * (1 - self.floor)).clamp_min(2 * self.beta / torch.finfo(peak.dtype).max)
        exponent = values * scale
        if isinstance(self.beta, Tensor):
            # A recorded graph has no branches. No exponent is larger than beta, so one common factor keeps all finite.
            shift = (self.beta - _LARGEST_DIRECT_BETA).clamp_min(0)
            return torch.exp(exponent - shift) - torch.exp(-shift)
        if self.beta <= _LARGEST_DIRECT_BETA:
            return torch.expm1(exponent)
        # expm1(e) = e^m (e^(e - m) - e^(-m)) with the largest exponent m, without the common factor that would
        # overflow. What the subtraction loses lies far below the other weights' own last digit.
        largest = exponent.detach().amax((-2, -1), keepdim=True)
        direct = torch.expm1(exponent.clamp_max(_LARGEST_DIRECT_BETA))
        shifted = torch.exp(exponent - largest) - torch.exp(-largest)
        return torch.where(largest <= _LARGEST_DIRECT_BETA, direct, shifted)

    def _points(self, maps: Heatmaps) -> Tensor:
        return _expectation(self.weights(maps), maps)


# e^40 times the largest map that is used here stays far inside float32, also where h exceeds 1 a little.
_LARGEST_DIRECT_BETA = 40.0

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


def has_beta(name: str) -> bool:
    """Whether the decoder of that name has the option beta."""
    return any(field.name == "beta" for field in fields(DECODERS[name]))  # type: ignore[arg-type]


def _check_beta(beta: float | Tensor) -> None:
    # A tensor is the input of a recorded graph; its value is nothing that could be asked.
    if not isinstance(beta, Tensor) and not (math.isfinite(beta) and beta > 0):
        raise UserError(f"beta must be greater than 0, not {beta:g}.")


def _expectation(weights: Tensor, maps: Heatmaps) -> Tensor:
    """(N, K, 2): the mean position under the non-negative weights (N, K, H, W) of `maps`; 0 where all of them are 0."""
    height, width = weights.shape[-2:]
    # In one pass over the maps, and along one axis after the other: a sum over 4096 cells at once would lose what is
    # small beside the blob, up to 2e-3 cells in float32.
    along_x = _place_and_one(width, weights.dtype, weights.device)
    along_y = _place_and_one(height, weights.dtype, weights.device)
    sums = along_y.T @ (weights @ along_x)
    moments = torch.stack((sums[..., 1, 0], sums[..., 0, 1]), -1)
    total = sums[..., 1, 1, None]
    if not maps.all_usable:
        # The weights of an unusable map may all be 0: a divisor of 1 keeps NaN out of the gradient too.
        total = torch.where(total > 0, total, torch.ones_like(total))
    return moments / total


def _log(values: Tensor) -> Tensor:
    return torch.log(values.clamp_min(torch.finfo(values.dtype).tiny))


# What is kept from call to call must not have been made in inference mode: it could not take part in a gradient later.
@cache
def _place_and_one(count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(count, 2): 0, 1, 2, ... and ones."""
    with torch.inference_mode(False):
        places = torch.arange(count, dtype=dtype, device=device)
        return torch.stack((places, torch.ones_like(places)), -1)


@cache
def _offsets(radius: int, device: torch.device) -> Tensor:
    """(2 radius + 1,): -radius to radius."""
    with torch.inference_mode(False):
        return torch.arange(-radius, radius + 1, device=device)


@cache
def _smoothing_matrix(radius: int, sigma: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(3, 2 radius + 3): a Gaussian at three neighbouring places, each row with the sum 1."""
    with torch.inference_mode(False):
        kernel = torch.exp(-(torch.arange(-radius, radius + 1, dtype=torch.float64) ** 2) / (2 * sigma**2))
        kernel = kernel / kernel.sum()
        return torch.stack([F.pad(kernel, (i, 2 - i)) for i in range(3)]).to(device, dtype)


# Differences in a neighbourhood of 3 × 3 cells, row by row.
_CENTRAL = ((0, 0, 0, -1, 0, 1, 0, 0, 0), (0, -1, 0, 0, 0, 0, 0, 1, 0))
_CURVATURE = ((0, 0, 0, -1, 2, -1, 0, 0, 0), (0, -1, 0, 0, 2, 0, 0, -1, 0))
_MIXED = ((1, 0, -1, 0, 0, 0, -1, 0, 1),)


@cache
def _stencil_matrix(rows: tuple[tuple[int, ...], ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.tensor(rows, dtype=dtype, device=device).T.contiguous()


def _stencils(around: Tensor, rows: tuple[tuple[int, ...], ...]) -> Tensor:
    """(N, K, S): these S differences of (N, K, 3, 3) values, in one step instead of two for each."""
    return around.flatten(-2) @ _stencil_matrix(rows, around.dtype, around.device)


def _taylor_step(values: Tensor) -> Tensor:
    """(N, K, 2): -H⁻¹ g at the middle of (N, K, 3, 3) values; 0 where H is not negative definite."""
    differences = _stencils(values, (*_CENTRAL, *_CURVATURE, *_MIXED))
    twice_x, twice_y, minus_xx, minus_yy, four_xy = differences.unbind(-1)
    gradient_x, gradient_y, xx, yy, xy = twice_x / 2, twice_y / 2, -minus_xx, -minus_yy, four_xy / 4
    determinant = xx * yy - xy * xy
    peaked = (determinant > 0) & (xx < 0)
    safe = torch.where(peaked, determinant, torch.ones_like(determinant))
    step_x = -(yy * gradient_x - xy * gradient_y) / safe
    step_y = -(xx * gradient_y - xy * gradient_x) / safe
    step: Tensor = torch.stack((step_x, step_y), -1).clamp(-1, 1) * peaked[..., None]
    return step

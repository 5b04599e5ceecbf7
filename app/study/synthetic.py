"""Decoders on drawn heatmaps whose centre is known: Gaussians with background and noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from app.comparison.variants import Variant
from models.decoders import DECODERS, Debiased, Decoder, has_beta, prepare

MAP_CELLS = 64
# Where argmax is further off than this in one map of twenty, the noise is higher than the peak: the joint is lost.
LOST_CELLS = 3.0
# Maps read at once: few enough to stay in the processor's cache, which more than halves the time.
_MAPS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Condition:
    """What a map looks like: `background + (peak - background) · Gaussian + noise`, cut to [0, 1].

    peak: 0 to 1. background: 0 to 1. noise: standard deviation for each cell. sigma: of the Gaussian, in cells.
    """

    peak: float
    background: float
    noise: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Errors:
    """How far a variant is from the true centre under one condition, in cells.

    rms: root mean square distance. p95: 95th percentile of the distance.
    jitter: standard deviation on each axis over draws of the noise at a fixed centre, root mean square over centres.
    bias: root mean square over the centres of the length of the mean error vector, freed from what the few draws
        leave of the noise: rms² = bias² + 2 jitter².
    pull: mean part of the error toward the middle of the map; negative is away from it.
    """

    rms: float
    p95: float
    bias: float
    jitter: float
    pull: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the table."""

    condition: Condition
    variant: Variant
    errors: Errors


@dataclass(frozen=True, slots=True)
class Grid:
    """Which conditions and variants are measured. centres: places in the map; draws: of the noise at each place."""

    peaks: tuple[float, ...] = (0.2, 0.35, 0.6, 1.0)
    backgrounds: tuple[float, ...] = (0.0, 0.002, 0.005, 0.01, 0.02)
    noises: tuple[float, ...] = (0.0, 0.005, 0.01, 0.02, 0.05)
    sigmas: tuple[float, ...] = (1.0, 2.0, 3.0)
    betas: tuple[float, ...] = (0.5, 2.0, 5.0, 10.0, 20.0, 50.0)
    floors: tuple[float, ...] = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
    centres: int = 16
    draws: int = 4
    seed: int = 1

    def conditions(self) -> list[Condition]:
        return [Condition(*values) for values in product(self.peaks, self.backgrounds, self.noises, self.sigmas)]

    def variants(self) -> list[Variant]:
        return variants(self.betas, self.floors)


def variants(betas: tuple[float, ...], floors: tuple[float, ...]) -> list[Variant]:
    """Every decoder with every beta, debiased IPR with and without `normalize` and with every floor too."""
    found = []
    for name in DECODERS:
        for beta in betas if has_beta(name) else (None,):
            if DECODERS[name] is Debiased:
                found += [Variant(name, beta, normalize, floor) for normalize, floor in product((False, True), floors)]
            else:
                found.append(Variant(name, beta))
    return found


def draw_centres(count: int, seed: int) -> Tensor:
    """(count, 2) float64: x and y in cells, anywhere in the map; every fourth 3 to 6 cells from a border."""
    random = torch.Generator().manual_seed(seed)
    last = MAP_CELLS - 1
    centres = 6 + (last - 12) * torch.rand(count, 2, dtype=torch.float64, generator=random)
    from_border = 3 + 3 * torch.rand(count, dtype=torch.float64, generator=random)
    side = torch.randint(4, (count,), generator=random)
    for i in range(3, count, 4):
        axis, at_the_end = int(side[i]) % 2, int(side[i]) >= 2
        centres[i, axis] = last - from_border[i] if at_the_end else from_border[i]
    return centres


def draw_maps(centres: Tensor, condition: Condition, unit_noise: Tensor) -> Tensor:
    """Maps (P, D, 64, 64) float32 for centres (P, 2) and noise of standard deviation 1 (P, D, 64, 64)."""
    cells = torch.arange(MAP_CELLS, dtype=torch.float64)
    shape = torch.exp(-((cells - centres[..., None]) ** 2) / (2 * condition.sigma**2))
    blobs = condition.background + (condition.peak - condition.background) * shape[:, 1, :, None] * shape[:, 0, None, :]
    return (blobs[:, None].float() + condition.noise * unit_noise).clamp(0, 1)


def measure(grid: Grid, progress: Callable[[], object] = lambda: None) -> list[Measurement]:
    """Every variant under every condition; `progress` is called after each condition.

    All conditions share the centres and the draws of the noise, so that they can be compared.
    """
    with torch.inference_mode():
        centres = draw_centres(grid.centres, grid.seed)
        random = torch.Generator().manual_seed(grid.seed)
        unit_noise = torch.randn(grid.centres, grid.draws, MAP_CELLS, MAP_CELLS, generator=random)
        built = [(variant, variant.build()) for variant in grid.variants()]
        rows = []
        for condition in grid.conditions():
            # Without noise all draws are the same.
            draws = unit_noise if condition.noise else unit_noise[:, :1]
            for variant, points in _read(draw_maps(centres, condition, draws), built):
                rows.append(Measurement(condition, variant, errors(points - centres[:, None], centres)))
            progress()
        return rows


def _read(maps: Tensor, built: list[tuple[Variant, Decoder]]) -> Iterator[tuple[Variant, Tensor]]:
    """(P, D, H, W) maps -> each variant's points (P, D, 2) float64."""
    batches = [prepare(batch) for batch in torch.split(maps.flatten(0, 1)[:, None], _MAPS_AT_ONCE)]
    for variant, decoder in built:
        points = torch.cat([decoder.read(batch).points[:, 0] for batch in batches])
        yield variant, points.double().view(*maps.shape[:2], 2)


def errors(off: Tensor, centres: Tensor) -> Errors:
    """The statistics of error vectors (P, D, 2) at P centres (P, 2), D draws each."""
    draws = off.shape[1]
    distances = off.norm(dim=-1)
    mean_square = float((distances**2).mean())
    jitter_square = float(off.var(1).mean()) if draws > 1 else 0.0
    inward = (MAP_CELLS - 1) / 2 - centres
    inward = inward / inward.norm(dim=-1, keepdim=True)
    return Errors(
        rms=math.sqrt(mean_square),
        p95=float(torch.quantile(distances, 0.95)),
        bias=math.sqrt(max(0.0, mean_square - 2 * jitter_square)),
        jitter=math.sqrt(jitter_square),
        pull=float((off * inward[:, None]).sum(-1).mean()),
    )

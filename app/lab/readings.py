"""The β laboratory: one synthetic heatmap, every heatmap decoder on it, and their bias against what can be dragged.

All points are in cells, x to the right and y down, the centre of the top left cell is (0, 0). A bias is the distance
from a decoder's point to the true centre of the blob, in cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.decoder_display import PAPER_FORM, decoder_color, display_title
from app.errors import UserError
from models.decoders import DECODERS, Debiased, Decoder, Heatmaps, Ipr, get_decoder, has_beta, prepare

Point = tuple[float, float]
Floats = NDArray[np.float64]

# `debiased` as the paper writes it: the map as it is, neither divided by its peak nor cut at its foot.
LAB_DECODERS = (*DECODERS, PAPER_FORM)
PEAK_RANGE = (0.1, 1.0)
# Off the middle on both axes and between the cells, so that every decoder shows what it does.
DEFAULT_PLACE = (14.3, 44.6)
_LARGEST_BETA = 500.0  # e^500 times a whole map is still far inside float64


def lab_title(decoder: str) -> str:
    """The decoder's name as a title, here with the paper's form of debiasing too."""
    return "Debiased, paper’s form" if decoder == PAPER_FORM else display_title(decoder)


def lab_color(decoder: str) -> str:
    """The decoder's colour as `#rrggbb`; the paper's form has its own."""
    return "#b9a3ff" if decoder == PAPER_FORM else decoder_color(decoder)


@dataclass(frozen=True)
class SyntheticMap:
    """A Gaussian blob on a heatmap: background + (peak - background) e^(-d² / 2σ²) + noise·N(0, 1), cut to [0, 1].

    x, y: the true centre, in cells, anywhere between the outermost cells' centres. sigma: in cells. peak, background,
    noise: heights, where 1 is the top of the scale. height, width: in cells. seed: of the noise.

    Raises UserError where a value makes no heatmap.
    """

    x: float
    y: float
    sigma: float = 2.0
    peak: float = 1.0
    background: float = 0.0
    noise: float = 0.0
    height: int = 64
    width: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name, size in (("height", self.height), ("width", self.width)):
            if not 3 <= size <= 1024:
                raise UserError(f"The {name} of a heatmap must be between 3 and 1024 cells, not {size}.")
        for name, place, size in (("x", self.x, self.width), ("y", self.y, self.height)):
            if not 0 <= place <= size - 1:
                raise UserError(f"{name} must lie on the heatmap, between 0 and {size - 1}, not {place:g}.")
        if not (math.isfinite(self.sigma) and self.sigma >= 0.1):
            raise UserError(f"σ must be at least 0.1 cells, not {self.sigma:g}.")
        if not 0 < self.peak <= 1:
            raise UserError(f"The peak must be greater than 0 and at most 1, not {self.peak:g}.")
        if not 0 <= self.background < self.peak:
            raise UserError(
                f"The background must be at least 0 and lower than the peak {self.peak:g}, not {self.background:g}."
            )
        if not 0 <= self.noise <= 1:
            raise UserError(f"The noise must be between 0 and 1, not {self.noise:g}.")
        if self.seed < 0:
            raise UserError(f"The seed must be 0 or greater, not {self.seed}.")

    @property
    def centre(self) -> Point:
        """The middle of the map, to which IPR is pulled."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    def heatmap(self) -> Tensor:
        """(1, 1, H, W) float64 in [0, 1]."""
        return stacked([self])


@dataclass(frozen=True)
class FormulaNumbers:
    """The numbers in (C·J - Σp) / (C - HW), the paper's correction, for one map and one β.

    C: Σ e^(βh). HW: the number of cells. J: IPR's point. sum_p: Σp, the sum of all cells' positions. corrected: what
    the formula gives; the map's centre where no cell stands out (C = HW). expm1: the same point from the decoder,
    Σ p (e^(βh) - 1) / Σ (e^(βh) - 1).
    """

    C: float
    HW: int
    J: Point
    sum_p: Point
    corrected: Point
    expm1: Point


class Readings:
    """One synthetic map, looked over once, and what is read from it at one β.

    Raises UserError for a β that is not greater than 0 and at most 500.
    """

    def __init__(self, synthetic: SyntheticMap, beta: float) -> None:
        self.synthetic = synthetic
        self.beta = check_beta(beta)
        self._maps: Heatmaps = prepare(synthetic.heatmap())

    @property
    def heatmap(self) -> Floats:
        """(H, W)."""
        return as_floats(self._maps.values[0, 0])

    @cached_property
    def points(self) -> dict[str, Point]:
        """Each decoder's point."""
        return {name: point_of(lab_decoder(name, self.beta), self._maps) for name in LAB_DECODERS}

    @property
    def pull(self) -> float:
        """How far, in cells, IPR lies from the truth toward the map's centre; 0 where it lies on the other side."""
        synthetic = self.synthetic
        away = (synthetic.centre[0] - synthetic.x, synthetic.centre[1] - synthetic.y)
        distance = math.hypot(*away)
        x, y = self.points["ipr"]
        along = (x - synthetic.x) * away[0] + (y - synthetic.y) * away[1]
        return max(0.0, along / distance) if distance else 0.0

    def bias(self, decoder: str) -> float:
        """The distance from the decoder's point to the true centre, in cells."""
        x, y = self.points[decoder]
        return math.hypot(x - self.synthetic.x, y - self.synthetic.y)

    @cached_property
    def softmax_weights(self) -> Floats:
        """(H, W): IPR's weight of each cell, with the sum 1."""
        return _shares(Ipr(self.beta).weights(self._maps))

    @cached_property
    def expm1_weights(self) -> Floats:
        """(H, W): debiased IPR's weight of each cell, as shares of their sum."""
        return _shares(Debiased(self.beta).weights(self._maps))

    @cached_property
    def formula(self) -> FormulaNumbers:
        """The numbers of the paper's formula."""
        height, width = self.heatmap.shape
        area = height * width
        total = float(np.exp(self.beta * self.heatmap).sum())
        sum_p = (area * (width - 1) / 2, area * (height - 1) / 2)
        pulled = self.points["ipr"]
        corrected: Sequence[float] = self.synthetic.centre
        if total > area:
            corrected = tuple((total * j - s) / (total - area) for j, s in zip(pulled, sum_p, strict=True))
        return FormulaNumbers(total, area, pulled, sum_p, (corrected[0], corrected[1]), self.points[PAPER_FORM])

    @cached_property
    def background(self) -> tuple[int, float, float]:
        """The cells more than 3σ away from the true centre: how many, their mean e^(βh), their share of C."""
        rows, columns = np.indices(self.heatmap.shape)
        far = np.hypot(columns - self.synthetic.x, rows - self.synthetic.y) > 3 * self.synthetic.sigma
        weights = np.exp(self.beta * self.heatmap[far])
        count = int(far.sum())
        return count, float(weights.mean()) if count else 0.0, float(weights.sum()) / self.formula.C


def lab_decoder(name: str, beta: float) -> Decoder:
    """The decoder of that name with that β where it has one; also `PAPER_FORM`."""
    if name == PAPER_FORM:
        return Debiased(beta, normalize=False, floor=0.0)
    return get_decoder(name, beta=beta) if has_beta(name) else get_decoder(name)


def check_beta(beta: float) -> float:
    """The β itself; UserError where it is not greater than 0 and at most 500."""
    if not 0 < beta <= _LARGEST_BETA:
        raise UserError(f"β must be greater than 0 and at most {_LARGEST_BETA:g}, not {beta:g}.")
    return beta


def read_points(synthetic: SyntheticMap, beta: float) -> dict[str, Point]:
    """Each decoder's point (x, y) in cells on that map."""
    return Readings(synthetic, beta).points


def formula_numbers(synthetic: SyntheticMap, beta: float) -> FormulaNumbers:
    """The numbers of the paper's formula on that map."""
    return Readings(synthetic, beta).formula


def explanation(readings: Readings, tr: Callable[[str], str] = str) -> str:
    """Two sentences that say what one sees, with the numbers in it. tr: translates."""
    synthetic = readings.synthetic
    count, mean_weight, share = readings.background
    flat = synthetic.background == 0 and synthetic.noise == 0
    cells = (
        tr("{n:,} background cells weigh e⁰ = 1 each, together {share} of C")
        if flat
        else tr("{n:,} background cells weigh {weight} each on average, together {share} of C")
    )
    small = share < 0.001
    cells = cells.format(
        n=count, weight=_short(mean_weight), share=tr("less than 0.1 %") if small else f"{100 * share:.1f} %"
    )
    pull = readings.pull
    aside = math.dist((synthetic.x, synthetic.y), synthetic.centre)
    if aside < 0.5:
        first = tr("{cells}. The blob is in the middle of the map, so their pull cancels out. ")
    elif pull < 0.05:
        first = tr("{cells}: too little to pull IPR by more than {pull:.2f} cells. ")
        pull = max(pull, 0.005)
    else:
        first = tr("{cells}, and pull IPR {pull:.1f} cells toward the centre. ")
    left, debiased = readings.bias(PAPER_FORM), readings.bias("debiased")
    second = tr("The formula takes 1 from the weight of every cell: {left:.2f} cells are left.")
    if left >= 0.05 and debiased < left / 2:
        second = tr(
            "The formula takes 1 from the weight of every cell: {left:.2f} cells are left, {debiased:.2f} once the map "
            "is divided by its peak and what is below {floor:g} of it cut off."
        )
    return first.format(cells=cells, pull=pull) + second.format(left=left, debiased=debiased, floor=Debiased.floor)


def stacked(maps: Sequence[SyntheticMap]) -> Tensor:
    """(N, 1, H, W) of maps that share their size, seed and noise."""
    first = maps[0]
    rows = np.arange(first.height)[None, :, None]
    columns = np.arange(first.width)[None, None, :]
    x, y, sigma, peak, background = (
        np.array([getattr(one, name) for one in maps])[:, None, None]
        for name in ("x", "y", "sigma", "peak", "background")
    )
    # A Gaussian is the product of one along x and one along y: far fewer exponentials.
    along_x, along_y = np.exp(-((columns - x) ** 2) / (2 * sigma**2)), np.exp(-((rows - y) ** 2) / (2 * sigma**2))
    values = background + (peak - background) * (along_y * along_x)
    if first.noise:
        values += first.noise * np.random.default_rng(first.seed).standard_normal((first.height, first.width))
        values.clip(0, 1, out=values)
    return torch.from_numpy(values[:, None])


def point_of(decoder: Decoder, maps: Heatmaps) -> Point:
    x, y = decoder.read(maps).points[0, 0].tolist()
    return x, y


def as_floats(values: Tensor) -> Floats:
    return np.asarray(values.numpy(), dtype=np.float64)


def _shares(weights: Tensor) -> Floats:
    shares = as_floats(weights[0, 0])
    return shares / max(float(shares.sum()), np.finfo(np.float64).tiny)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.3g}"

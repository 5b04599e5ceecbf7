"""What the loupe shows of one joint, as numbers. No Qt and no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.people import Person
from models.readings import DEFAULT_FLOOR

Cell = tuple[float, float]
"""A point in cells, (x, y); the centre of the top left cell is (0, 0)."""

BACKGROUND_SHARE_OF_PEAK = 0.1
ZOOMS = (9, 15, 31, 64)
# Above it e^β leaves the numbers, and the 1 that is taken away is far below the last digit.
_LARGEST_DIRECT_BETA = 600.0


@dataclass(frozen=True, slots=True)
class WeightMap:
    """The weights under which a decoder takes its mean.

    weights: (H, W) float32 with the sum 1, or all 0 where the heatmap has no peak.
    mean: the decoder's point. background: share of the weight on background cells, NaN where there is no weight.
    """

    weights: NDArray[np.float32]
    mean: Cell
    background: float


@dataclass(frozen=True, slots=True)
class JointReading:
    """One joint's heatmap and what every decoder makes of it.

    heatmap: (H, W) float32; all 0 where it holds NaN or infinity. cell: column and row of its maximum, `peak`.
    points: decoder name -> point; subcell_peak: the reference of the bias meter.
    cell_px: the side of a cell in px of the source image.
    weight_maps: of ipr and debiased.
    """

    heatmap: NDArray[np.float32]
    cell: tuple[int, int]
    peak: float
    mean: float
    points: Mapping[str, Cell]
    subcell_peak: Cell
    cell_px: float
    weight_maps: Mapping[str, WeightMap]

    def distance(self, decoder: str) -> float:
        """Cells from the sub-cell peak to the decoder's point; NaN for a decoder that did not read this joint."""
        return math.dist(self.points[decoder], self.subcell_peak) if decoder in self.points else math.nan


def read_joint(person: Person, joint: int, beta: float) -> JointReading:
    """Read one joint of a person who has heatmaps; ipr and debiased weigh with this beta."""
    assert person.heatmaps is not None
    seen = person.heatmaps[joint].astype(np.float32)
    heatmap = seen if np.isfinite(seen).all() and seen.max() > 0 else np.zeros_like(seen)
    row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    return JointReading(
        heatmap=heatmap,
        cell=(int(column), int(row)),
        peak=float(heatmap.max()),
        mean=float(heatmap.mean()),
        points=points_in_cells(person, joint),
        subcell_peak=_to_cells(person, person.peaks[joint][None])[0],
        cell_px=person.region.side * person.region.aspect / heatmap.shape[1],
        weight_maps={
            "ipr": _weight_map(ipr_weights(heatmap, beta), heatmap),
            "debiased": _weight_map(debiased_weights(heatmap, beta), heatmap),
        },
    )


def ipr_weights(heatmap: NDArray[np.float32], beta: float) -> NDArray[np.float64]:
    """(H, W): e^(βh) as in `models.decoders.Ipr`, up to a factor; in numpy, since torch takes seconds to load."""
    weights: NDArray[np.float64] = np.exp(beta * (heatmap.astype(np.float64) - heatmap.max()))
    return weights


def debiased_weights(heatmap: NDArray[np.float32], beta: float) -> NDArray[np.float64]:
    """(H, W): e^(βh) - 1 as in `models.decoders.Debiased` by default, up to a factor; 0 where there is no peak."""
    peak = float(heatmap.max())
    if not peak > 0:
        return np.zeros(heatmap.shape)
    above_floor = np.clip(heatmap.astype(np.float64) / peak - DEFAULT_FLOOR, 0, None) / (1 - DEFAULT_FLOOR)
    return np.expm1(beta * above_floor) if beta <= _LARGEST_DIRECT_BETA else np.exp(beta * (above_floor - 1))


def _weight_map(weights: NDArray[np.float64], heatmap: NDArray[np.float32]) -> WeightMap:
    height, width = weights.shape
    shares = as_shares(weights)
    mean = ((width - 1) / 2, (height - 1) / 2)
    if heatmap.max() > 0:
        mean = (float(shares.sum(0) @ np.arange(width)), float(shares.sum(1) @ np.arange(height)))
    return WeightMap(shares, mean, background_share(weights, heatmap))


def points_in_cells(person: Person, joint: int) -> dict[str, Cell]:
    """Decoder name -> this joint's point in cells of the person's heatmaps; points that are not finite are left out."""
    names = list(person.measured)
    cells = _to_cells(person, np.array([person.points[name][joint] for name in names], np.float64).reshape(-1, 2))
    return {name: cell for name, cell in zip(names, cells, strict=True) if math.isfinite(sum(cell))}


def _to_cells(person: Person, points_px: NDArray[np.floating]) -> list[Cell]:
    assert person.heatmaps is not None
    height, width = person.heatmaps.shape[-2:]
    return [(x * width, y * height) for x, y in person.region.to_crop(points_px).tolist()]


def as_shares(weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """Weights (H, W) divided by their sum; all 0 stays all 0."""
    total = float(weights.sum(dtype=np.float64))
    return (weights / total).astype(np.float32) if total > 0 else np.zeros_like(weights)


def background_share(weights: NDArray[np.floating], heatmap: NDArray[np.floating]) -> float:
    """Share of the weight on cells below a tenth of the heatmap's peak; both (H, W). NaN where there is no weight."""
    total = float(weights.sum(dtype=np.float64))
    if not total > 0:
        return math.nan
    background = heatmap < BACKGROUND_SHARE_OF_PEAK * heatmap.max()
    return float(weights[background].sum(dtype=np.float64)) / total


def percent_text(share: float) -> str:
    """`41 %`; near 0 and 1 with one digit more, so that only nothing reads `0 %` and only everything `100 %`."""
    if math.isnan(share):
        return "–"
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share < 0.0005:
        return "< 0.1 %"
    if share >= 0.9995:
        return "> 99.9 %"
    return f"{100 * share:.1f} %" if share < 0.0995 or share >= 0.985 else f"{100 * share:.0f} %"


class CellWindow:
    """The part of a heatmap in sight: moves only when the maximum leaves its inner part, so that it stands still."""

    def __init__(self, size: int = ZOOMS[0]) -> None:
        self.size = size
        self.column = self.row = 0
        self.columns = self.rows = size
        self._placed_on: tuple[int, int] | None = None

    def zoom(self, steps: int) -> None:
        """Show fewer cells (positive) or more cells (negative)."""
        self.size = ZOOMS[min(max(ZOOMS.index(self.size) - steps, 0), len(ZOOMS) - 1)]
        self.forget()

    def forget(self) -> None:
        """The next maximum is placed in the middle."""
        self._placed_on = None

    def follow(self, cell: tuple[int, int], shape: tuple[int, ...]) -> None:
        """Keep the cell (column, row) of a map of this shape (H, W) in sight."""
        height, width = shape
        inside = self._holds(cell[0] - self.column, self.columns) and self._holds(cell[1] - self.row, self.rows)
        if self._placed_on == (height, width) and inside:
            return
        self._placed_on = (height, width)
        self.columns, self.rows = min(self.size, width), min(self.size, height)
        self.column = min(max(cell[0] - self.columns // 2, 0), width - self.columns)
        self.row = min(max(cell[1] - self.rows // 2, 0), height - self.rows)

    @staticmethod
    def _holds(place: int, count: int) -> bool:
        rim = count // 5
        return rim <= place < count - rim

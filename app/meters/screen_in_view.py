"""Which part of a camera's picture follows the pattern on the screen, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.frames import Image
from app.meters.glass_to_glass import Flip, Times, Translate

# Cells of the grid that stands for a picture: (rows, columns).
GRID = (16, 24)
LONGEST_LAG_S = 1.5
# Of the samples that make up a cell along each side. More say no more about it, and cost time.
_SAMPLES_PER_CELL = 4
_LAG_STEP_S = 0.015
_FEWEST_FLIPS = 4

# A cell follows where it correlates with the pattern and has at least half of the strongest contrast. The small picture
# of the camera's view on the page is shown darker than that, so that an echo of the pattern is never taken for it.
_CORRELATION = 0.6
_OF_STRONGEST = 0.5
_FAINTEST = 2.0  # grey levels
# The pattern swaps black and white: some cells rise where others fall. A lamp that blinks does not.
_LEAST_OF_EACH = 0.15
# Enough to measure with.
_LEAST_CONTRAST = 8.0
_LEAST_SHARE = 0.01
# For the reasons why nothing was found, in grey levels.
_DARK, _BRIGHT, _MOVING = 10.0, 247.0, 4.0

Grid = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sight:
    """How the camera sees the pattern.

    message: one sentence for the user. found: enough of it is seen. weights: (rows, columns), zero where a cell does
    not follow; the signal is the sum of weights times brightness, and rises with the state, whatever else changes all
    of the picture. contrast: of the cells that follow, in grey levels between the two states; rise: of the signal.
    share: of the picture that follows, 0 to 1. lag_ms: how late, to within a few frames.
    """

    message: str
    found: bool = False
    weights: NDArray[np.float64] | None = None
    contrast: float = 0.0
    rise: float = 0.0
    share: float = 0.0
    lag_ms: float = 0.0

    @property
    def cells(self) -> NDArray[np.bool_]:
        """(rows, columns): which of them follow."""
        return np.zeros(GRID, np.bool_) if self.weights is None else self.weights != 0

    def signal(self, grids: NDArray[np.float32]) -> NDArray[np.float64]:
        """(N, rows, columns) -> (N,)."""
        if self.weights is None:
            return np.zeros(len(grids))
        return np.asarray(np.tensordot(grids, self.weights, 2), np.float64)


def brightness(image: Image) -> Grid:
    """Mean of each cell of the picture over all three colours, GRID, 0 to 255, from a few of its pixels.

    image: (H, W, 3). Some 0.1 ms, whatever its size: it is called for each frame.
    """
    height, width = image.shape[:2]
    rows, columns = GRID
    step_y = max(1, height // (rows * _SAMPLES_PER_CELL))
    step_x = max(1, width // (columns * _SAMPLES_PER_CELL))
    grid: Grid = np.asarray(image[::step_y, ::step_x].mean(2), np.float32)
    for axis, cells in ((0, rows), (1, columns)):
        edges = np.arange(cells) * grid.shape[axis] // cells
        counts = np.maximum(1, np.diff(edges, append=grid.shape[axis])).astype(np.float32)
        grid = np.add.reduceat(grid, edges, axis) / np.expand_dims(counts, 1 - axis)
    return grid


def look_for_pattern(
    flips: Sequence[Flip], captured_ns: Times, grids: NDArray[np.float32], tr: Translate = str
) -> Sight:
    """Find what follows the pattern.

    flips: all there were while the frames were captured, the first before them, at random intervals.
    captured_ns: (N,), grids: (N, rows, columns) of the frames.

    For each lag the brightness of each cell is regressed on the state of that much earlier; the lag that explains most
    of the variance counts. Random intervals make every other lag, and whatever changes by itself, explain less.
    """
    if len(flips) < _FEWEST_FLIPS or len(captured_ns) < 2 * _FEWEST_FLIPS:
        return Sight(tr("Looking for the pattern in the camera’s picture …"))
    values = grids.reshape(len(grids), -1).astype(np.float64)
    steady = _without_drift(captured_ns, values)
    lags_ns = np.arange(0.0, LONGEST_LAG_S, _LAG_STEP_S) * 1e9
    states, known = _states_at(flips, captured_ns - lags_ns[:, None])
    # Zero where nothing is known, and in the mean: its product with the values is their covariance.
    count = np.maximum(1.0, known.sum(1, keepdims=True))
    states = np.where(known, states - states.sum(1, keepdims=True) / count, 0.0)
    power = np.maximum(1e-9, (states**2).sum(1))
    covariance = states @ steady
    explained = (covariance**2).sum(1) / power
    best = int(np.argmax(explained))
    slope = covariance[best] / power[best]
    inside = steady[known[best]]
    scatter = np.sqrt(((inside - inside.mean(0)) ** 2).sum(0)) if len(inside) else np.zeros(values.shape[1])
    correlation = np.abs(covariance[best]) / np.maximum(1e-9, scatter * np.sqrt(power[best]))
    follows = (correlation >= _CORRELATION) & (2 * np.abs(slope) >= _FAINTEST)
    strongest = np.abs(slope[follows]).max(initial=0.0)
    follows &= np.abs(slope) >= _OF_STRONGEST * strongest
    rising, falling = follows & (slope > 0), follows & (slope < 0)
    if min(rising.sum(), falling.sum()) <= _LEAST_OF_EACH * follows.sum():
        return Sight(_why_not_found(values, steady, tr))
    weights = rising / rising.sum() - falling / falling.sum()
    contrast, share = float(2 * np.abs(slope[follows]).mean()), float(follows.mean())
    trouble = _too_little(values, contrast, share, tr)
    seen = tr("The camera sees the pattern in {share:.0f} % of its picture. Hold both still.")
    return Sight(
        message=trouble or seen.format(share=100 * share),
        found=not trouble,
        weights=weights.reshape(GRID),
        contrast=contrast,
        rise=float(2 * slope @ weights),
        share=share,
        lag_ms=float(lags_ns[best] / 1e6),
    )


def _without_drift(captured_ns: Times, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the straight line through each cell's values: a camera that changes its exposure."""
    time = (captured_ns - captured_ns.mean()) / 1e9
    centred = values - values.mean(0)
    slope = time @ centred / np.maximum(1e-9, time @ time)
    return np.asarray(centred - time[:, None] * slope, np.float64)


def _states_at(flips: Sequence[Flip], times_ns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The state on screen at these times, and whether it is known: not before the first flip."""
    place = np.searchsorted([flip.shown_ns for flip in flips], times_ns, side="right") - 1
    states = np.array([flip.state for flip in flips], np.float64)
    return np.where(place >= 0, states[place], 0.0), place >= 0


def _too_little(values: NDArray[np.float64], contrast: float, share: float, tr: Translate) -> str:
    if share < _LEAST_SHARE:
        return tr("The camera sees too little of the pattern: move it closer to this window.")
    if contrast < _LEAST_CONTRAST and np.median(values) > _BRIGHT:
        return _overexposed(tr)
    if contrast < _LEAST_CONTRAST:
        return tr(
            "The camera sees the pattern, but faintly (contrast {contrast:.0f} of 255): move it closer, brighten the "
            "screen or darken the room."
        ).format(contrast=contrast)
    return ""


def _why_not_found(values: NDArray[np.float64], steady: NDArray[np.float64], tr: Translate) -> str:
    level = values.mean(0)
    if level.max() < _DARK:
        return tr("The camera’s picture is black: uncover the lens, or brighten the screen.")
    if np.median(level) > _BRIGHT:
        return _overexposed(tr)
    if np.percentile(steady.std(0), 95) > _MOVING:
        return tr("The picture changes, but not with this window: point the camera at it, and hold both still.")
    return tr("The camera does not see this window: point it at this screen.")


def _overexposed(tr: Translate) -> str:
    return tr("The camera’s picture is overexposed: darken the screen, or move the camera away from the light.")

"""Intervals of a median over frames that are not independent: whole blocks of frames are drawn again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.comparison.resampling import UNKNOWN, Interval, resampled_counts

BLOCK_S = 0.5
# With fewer blocks the intervals would pretend to know.
FEWEST_BLOCKS = 6
_BINS = 512
_LOW, _HIGH = 0.025, 0.975


class Blocks:
    """Frames in blocks of about BLOCK_S, drawn again in the same way for every variant, so that pairs can be compared.

    A block is long enough to hold what neighbouring frames have in common. seconds: (T,) rising.
    """

    def __init__(self, seconds: NDArray[np.float64]) -> None:
        # Times are rounded in files: a frame on the border belongs to the block that begins there.
        number = np.floor((seconds - seconds[0]) / BLOCK_S + 1e-6).astype(np.int64)
        _, self.of_frame = np.unique(number, return_inverse=True)
        self.count = int(self.of_frame.max()) + 1
        self._drawn = resampled_counts(range(self.count)).astype(np.float32)

    def medians(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(R,) the median of `values` (T, N), NaN left out, in each resample; exact to a 512th of the values."""
        known = np.isfinite(values)
        if not known.any():
            return np.full(len(self._drawn), np.nan)
        block = np.broadcast_to(self.of_frame[:, None], values.shape)[known]
        ordered = np.sort(values[known])
        places = np.linspace(0, len(ordered) - 1, min(_BINS, len(ordered))).round().astype(np.int64)
        levels = ordered[places]
        bins = np.minimum(np.searchsorted(levels, values[known]), len(levels) - 1)
        in_bins = np.bincount(block * len(levels) + bins, minlength=self.count * len(levels))
        reached = np.cumsum(self._drawn @ in_bins.reshape(self.count, -1).astype(np.float32), 1)
        total = reached[:, -1:]
        # The lower and the upper of the two in the middle, which are the same one where the number is odd.
        lower = levels[(reached >= np.ceil(total / 2)).argmax(1)]
        upper = levels[(reached >= np.floor(total / 2) + 1).argmax(1)]
        return np.where(total[:, 0] > 0, (lower + upper) / 2, np.nan)

    def median_interval(self, values: NDArray[np.float64]) -> Interval:
        """The median of `values` (T, N) and its 95 % interval; no interval from fewer than FEWEST_BLOCKS blocks."""
        known = np.isfinite(values)
        if not known.any():
            return UNKNOWN
        median = float(np.median(values[known]))
        if len(np.unique(self.of_frame[known.any(1)])) < FEWEST_BLOCKS:
            return Interval(median, np.nan, np.nan)
        return _interval(median, self.medians(values))

    def difference_interval(self, values: NDArray[np.float64], others: NDArray[np.float64]) -> Interval:
        """The median of `values` less that of `others`, both (T, N), from the same draws."""
        median = float(np.nanmedian(values) - np.nanmedian(others))
        if self.count < FEWEST_BLOCKS:
            return Interval(median, np.nan, np.nan)
        return _interval(median, self.medians(values) - self.medians(others))


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    low, high = np.nanquantile(resampled, (_LOW, _HIGH))
    return Interval(value, float(low), float(high))

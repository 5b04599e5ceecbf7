"""What is noise and what is not: bootstrap intervals over groups that belong together, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % bootstrap interval (percentiles); NaN where it cannot be told."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is more than noise."""
        return self.low > 0 or self.high < 0


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def resampled_counts(clusters: Sequence[object], resamples: int = RESAMPLES, seed: int = 1) -> NDArray[np.int64]:
    """(R, N): how often each of N people is drawn in each resample.

    clusters: what each person belongs to (their picture): people of one cluster are drawn together, since they are
        not independent of each other.
    """
    _, cluster_of = np.unique(np.array([str(cluster) for cluster in clusters]), return_inverse=True)
    count = int(cluster_of.max()) + 1 if len(cluster_of) else 0
    random = np.random.default_rng(seed)
    drawn = random.multinomial(count, np.full(count, 1 / count), resamples) if count else np.zeros((resamples, 0), int)
    return np.asarray(drawn[:, cluster_of], np.int64)


def mean_interval(values: NDArray[np.floating], counts: NDArray[np.int64]) -> Interval:
    """The mean of (N,) values and its interval over `counts` (R, N); NaN values do not count."""
    known = np.isfinite(values)
    if not known.any():
        return UNKNOWN
    drawn = counts[:, known]
    total = drawn.sum(1)
    sums = drawn @ values[known]
    return _interval(float(values[known].mean()), sums[total > 0] / total[total > 0])


def median_interval(values: NDArray[np.floating], counts: NDArray[np.int64]) -> Interval:
    """The median of (N,) values and its interval over `counts` (R, N); NaN values do not count."""
    known = np.isfinite(values)
    if not known.any():
        return UNKNOWN
    order = np.argsort(values[known], kind="stable")
    ordered = values[known][order]
    reached = np.cumsum(counts[:, known][:, order], 1)
    total = reached[:, -1:]
    drawn = total[:, 0] > 0
    # The lower and the upper of the two in the middle, which are the same one where the number is odd.
    lower = (reached >= (total + 1) // 2).argmax(1)
    upper = (reached >= total // 2 + 1).argmax(1)
    medians = (ordered[lower] + ordered[upper]) / 2
    return _interval(float(np.median(ordered)), medians[drawn])


def statistic_interval(
    value: float, clusters: Sequence[object], statistic: Callable[[list[int]], float], resamples: int, seed: int = 1
) -> Interval:
    """`value` and the interval of `statistic`, which takes the indices of the clusters drawn, with repeats."""
    random = np.random.default_rng(seed)
    count = len(clusters)
    found = np.array([statistic(random.integers(count, size=count).tolist()) for _ in range(resamples)])
    return _interval(value, found[np.isfinite(found)])


def _interval(value: float, resampled: NDArray[np.floating]) -> Interval:
    if not len(resampled):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(resampled, (_LOW, _HIGH))
    return Interval(value, float(low), float(high))

"""Bias: how far each decoder's point is from the peak of the very heatmap that it read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.frames import Person
from app.meters.rolling import JointDistances, RollingDistances, unknown_joints


class BiasMeter:
    """Root mean square distance in px from each decoder's point to the sub-cell peak of the same map.

    Stands beside the jitter always: a decoder that collapsed to the map's centre hardly trembles.
    Joints count where the map's peak is at least `min_score`.
    """

    def __init__(self, window_s: float = 2.0, min_score: float = 0.3) -> None:
        self._rolling = RollingDistances(window_s)
        self._min_score = min_score
        self._decoders: tuple[str, ...] = ()

    def clear(self) -> None:
        """Forget everything."""
        self._rolling.clear()

    @classmethod
    def pooled(cls, meters: Sequence[BiasMeter]) -> BiasMeter:
        """To be read: everything that these hold at this moment, together."""
        whole = cls(math.inf)
        whole._rolling = RollingDistances.pooled([meter._rolling for meter in meters])
        whole._decoders = meters[0]._decoders
        return whole

    def set_window(self, window_s: float) -> None:
        """Read over that many seconds from now on."""
        self._rolling.set_window(window_s)

    def add(self, time_ns: int, person: Person | None) -> None:
        """One frame's person, or None where nobody was seen."""
        self._rolling.trim(time_ns)
        if person is None:
            return
        self._decoders = person.measured
        points = np.stack([person.points[name] for name in self._decoders]).astype(np.float64)
        peaks = np.stack([person.peaks_of(name) for name in self._decoders])
        squares = ((points - peaks) ** 2).sum(-1)
        self._rolling.add(
            time_ns, squares, person.certainty >= self._min_score, person.region.body_size, unknown_joints(person)
        )

    def read(self, only: NDArray[np.bool_] | None = None) -> JointDistances:
        """Bias in px over the window.

        only: (K,) the joints that may count. Those of the jitter meter make the two comparable: it needs a joint in
        several frames in a row, while here a joint that flickers counts too.
        """
        return self._rolling.read(self._decoders, only)

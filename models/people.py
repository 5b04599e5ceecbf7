"""What is known of one person in one image. Plain numpy: importing this does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.regions import Region

# What MediaPipe itself reads: its points stand in `Person.points` under this name.
MEDIAPIPE = "mediapipe"
_ARGMAX = "argmax"
_REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class Person:
    """One person, read by every decoder from the same heatmaps, or by MediaPipe without heatmaps, or by both.

    id: stays the same while the person is followed, and over a loss of less than a second.
    slot: 0, 1, …, the first that none of the others has: for what has to be told apart, such as colours.
    region: the crop that the network saw.
    presence: the network's probability that the crop holds a person, 0 to 1; NaN where that is not told.
    points: decoder name -> (K, 2) float32, x and y in pixels of the source image, joints as in BLAZEPOSE_33.
    scores: decoder name -> (K,) float32, 0 to 1.
    peaks: (K, 2) float32, the sub-cell peak of each joint's heatmap in pixels: the reference of the bias meter; NaN
        where no heatmap is known.
    own_peaks, own_heatmaps: decoder name -> the same for a decoder that reads the maps of a head of its own.
    heatmaps: (K, H, W) float32, what the decoders read, where it was asked for. Cell (column, row) stands for
        (column / W, row / H) of the crop.
    """

    id: int
    region: Region
    presence: float
    points: Mapping[str, NDArray[np.float32]]
    scores: Mapping[str, NDArray[np.float32]]
    peaks: NDArray[np.float32]
    heatmaps: NDArray[np.float32] | None = None
    slot: int = 0
    own_peaks: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    own_heatmaps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def peaks_of(self, decoder: str) -> NDArray[np.float32]:
        """(K, 2) float32, the sub-cell peaks of the heatmaps that this decoder reads, in pixels."""
        return self.own_peaks.get(decoder, self.peaks)

    def as_read_by(self, decoder: str) -> Person:
        """The person with the heatmaps, and their peaks, that this decoder reads."""
        if decoder not in self.own_peaks:
            return self
        return replace(self, peaks=self.own_peaks[decoder], heatmaps=self.own_heatmaps.get(decoder))

    @property
    def has_decoders(self) -> bool:
        """Whether decoders have read heatmaps of this person."""
        return any(name != MEDIAPIPE for name in self.points)

    @property
    def measured(self) -> tuple[str, ...]:
        """The readings that can be compared over time: the decoders', where there are any. MediaPipe's beside them may
        be missing in any frame.
        """
        return tuple(name for name in self.points if name != MEDIAPIPE) if self.has_decoders else tuple(self.points)

    @property
    def own_points(self) -> NDArray[np.float32]:
        """(K, 2) px that do not depend on any decoder: what the network regressed, or where it regresses nothing the
        peaks of its heatmaps; NaN for joints that it does not have.
        """
        return self.points.get(_REGRESSION, self.peaks)

    @property
    def certainty(self) -> NDArray[np.float32]:
        """(K,) how surely each joint is seen, 0 to 1: the peak of its heatmap, or what the only reading says."""
        return self.scores[_ARGMAX] if self.has_decoders else next(iter(self.scores.values()))

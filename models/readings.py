"""What an engine makes of crops, and the names of the decoders. Plain numpy: importing this does not import torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.errors import UserError
from models.people import Person
from models.regions import Region, region_from_alignment

HEATMAP_DECODERS = ("argmax", "argmax-quarter", "dark", "ipr", "debiased")
# Heads are trained through these; the others read the same maps as argmax.
HEADS_FOR = ("argmax", "ipr", "debiased")
REGRESSION = "regression"
DECODER_NAMES: tuple[str, ...] = (*HEATMAP_DECODERS, REGRESSION)
# Parts of the decoding that are no decoder.
SHARED, PEAK, TO_IMAGE = "shared", "peak", "to image"
BETA_RANGE = (0.5, 50.0)
# Beyond these a recorded graph in float32 gives nonsense: every weight 0, or all of it on one cell.
BETA_LIMITS = (0.01, 10_000.0)
DEFAULT_BETA = 10.0
# Share of the peak below which the debiased decoder cuts cells away: the outcome of `posescope study`.
DEFAULT_FLOOR = 0.2
PRESENCE_THRESHOLD = 0.5


def head_slot(decoder: str) -> int:
    """Which of HEADS_FOR has the maps that this decoder reads."""
    return HEADS_FOR.index(decoder) if decoder in HEADS_FOR else 0


def checked_beta(beta: float) -> float:
    """`beta`, or UserError unless it lies within BETA_LIMITS."""
    if not BETA_LIMITS[0] <= beta <= BETA_LIMITS[1]:
        raise UserError(f"beta must be from {BETA_LIMITS[0]:g} to {BETA_LIMITS[1]:g}, not {beta:g}.")
    return beta


@dataclass(frozen=True, slots=True)
class CropReadings:
    """What every decoder reads from N crops of one image. All points are x and y as shares of the crop, 0 to 1.

    points: (N, D, K, 2) float32, in the order of `decoders`; NaN for a joint that the network does not know.
    scores: (N, D, K) float32, 0 to 1; 0 for such a joint.
    peaks: (N, K, 2) float32, the sub-cell peak of each joint's heatmap.
    alignment: (N, 2, 2) float32, from which the next crop follows (`models.regions.region_from_alignment`).
    presence: (N,) float32, the network's probability that the crop holds a person.
    heatmaps: (N, K, H, W) float32, or None where they were left on the device.
    own_peaks, own_heatmaps: the same of those decoders that read maps of another head than argmax does.
    """

    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    peaks: NDArray[np.float32]
    alignment: NDArray[np.float32]
    presence: NDArray[np.float32]
    heatmaps: NDArray[np.float32] | None
    decoders: tuple[str, ...] = DECODER_NAMES
    own_peaks: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    own_heatmaps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def of_parts(
        cls,
        points: NDArray[np.float32],
        scores: NDArray[np.float32],
        alignment: NDArray[np.float32],
        presence: NDArray[np.float32],
        heatmaps: Sequence[NDArray[np.float32]] | None,
    ) -> CropReadings:
        """What `models.reader.DecoderReader` gives: behind the decoders' points the peaks, of one set of maps that all
        decoders read, or of one for each of HEADS_FOR; heatmaps: likewise one set or three.
        """
        decoders = scores.shape[1]
        peaks = [points[:, i] for i in range(decoders, points.shape[1])]
        maps = () if heatmaps is None else tuple(heatmaps)
        return cls(
            points[:, :decoders],
            scores,
            peaks[0],
            alignment,
            presence,
            maps[0] if maps else None,
            own_peaks=dict(zip(HEADS_FOR[1:], peaks[1:], strict=False)),
            own_heatmaps=dict(zip(HEADS_FOR[1:], maps[1:], strict=False)),
        )

    def holds_person(self, index: int) -> bool:
        """Whether the network says that this crop holds a person, and where the next crop is."""
        # A damaged network may say yes and point nowhere.
        return bool(self.presence[index] >= PRESENCE_THRESHOLD and np.isfinite(self.alignment[index]).all())

    def person(self, index: int, region: Region, person_id: int = 0, slot: int = 0) -> Person:
        """The person in crop `index`, which was cut at `region`: every point in pixels of the image."""
        own = [peaks[index][None] for peaks in self.own_peaks.values()]
        shares = np.concatenate((self.points[index], self.peaks[index][None], *own))
        in_image = region.to_image(shares).astype(np.float32)
        decoders = len(self.points[index])
        return Person(
            id=person_id,
            region=region,
            presence=float(self.presence[index]),
            points=dict(zip(self.decoders, in_image[:decoders], strict=True)),
            scores=dict(zip(self.decoders, self.scores[index], strict=True)),
            peaks=in_image[decoders],
            heatmaps=None if self.heatmaps is None else self.heatmaps[index],
            slot=slot,
            own_peaks=dict(zip(self.own_peaks, in_image[decoders + 1 :], strict=True)),
            own_heatmaps={name: maps[index] for name, maps in self.own_heatmaps.items()},
        )

    def next_region(self, index: int, region: Region) -> Region:
        """The crop for the next image, from the alignment points in this one, which was cut at `region`."""
        return region.followed_to(region_from_alignment(*region.to_image(self.alignment[index])))


def joined(readings: Sequence[CropReadings]) -> CropReadings:
    """Readings of several crops as one."""
    if len(readings) == 1:
        return readings[0]
    maps = [reading.heatmaps for reading in readings if reading.heatmaps is not None]
    return CropReadings(
        points=np.concatenate([reading.points for reading in readings]),
        scores=np.concatenate([reading.scores for reading in readings]),
        peaks=np.concatenate([reading.peaks for reading in readings]),
        alignment=np.concatenate([reading.alignment for reading in readings]),
        presence=np.concatenate([reading.presence for reading in readings]),
        heatmaps=np.concatenate(maps) if len(maps) == len(readings) else None,
        own_peaks=_joined_by_name([reading.own_peaks for reading in readings]),
        own_heatmaps=_joined_by_name([reading.own_heatmaps for reading in readings]),
        decoders=readings[0].decoders,
    )


def _joined_by_name(parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

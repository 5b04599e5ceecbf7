"""Every heatmap decoder on the maps of a top-down network."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from models.constants import constant
from models.decoders import SubcellPeak, get_decoder, has_beta, prepare
from models.readings import HEATMAP_DECODERS, PEAK, SHARED


class MapReadings(NamedTuple):
    """points: (N, D, K, 2) as shares of the crop, in the order of HEATMAP_DECODERS. peaks: (N, K, 2), the sub-cell
    peaks. scores: (N, K), 0 to 1, the maps' maxima. maps: (N, K, H, W), at least 0: what was read.
    """

    points: Tensor
    peaks: Tensor
    scores: Tensor
    maps: Tensor


def read_maps(maps: Tensor, beta: float, lap: Callable[[str], None]) -> MapReadings:
    """Read maps (N, K, H, W) as a network regressed them. lap is called with the name of each part when it is done.

    Cell c stands for c / size of the crop. The network was taught maps from 0 to 1; what it gives below 0 is nothing
    that a mean could be weighed with, so it is read as 0 by all decoders alike. A map without a peak, or with NaN, has
    the score 0.
    """
    prepared = prepare(maps.clamp_min(0.0))
    prepared.around(1)
    lap(SHARED)
    size = constant((maps.shape[-1], maps.shape[-2]), prepared.values)
    points = []
    for name in HEATMAP_DECODERS:
        decoder = get_decoder(name, beta=beta) if has_beta(name) else get_decoder(name)
        points.append(decoder.read(prepared).points / size)
        lap(name)
    peaks = SubcellPeak().read(prepared).points / size
    lap(PEAK)
    scores = torch.where(prepared.usable, prepared.peak, torch.zeros_like(prepared.peak)).clamp_max(1.0)
    return MapReadings(torch.stack(points, 1), peaks, scores, prepared.values)

"""Every decoder on the output of the landmark network, as one module: run step by step, or recorded as one graph."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.blazepose import ALIGNMENT, refine
from models.constants import constant
from models.decoders import Decoder, Heatmaps, SubcellPeak, get_decoder, has_beta, prepare
from models.readings import HEATMAP_DECODERS, PEAK, SHARED, head_slot


class _Decode(nn.Module):
    """A decoder as a module, so that a recorded graph knows its steps by its name."""

    def __init__(self, decoder: Callable[[float | Tensor], Decoder]) -> None:
        super().__init__()
        self._decoder = decoder

    def forward(self, maps: Heatmaps, beta: float | Tensor) -> Tensor:
        points: Tensor = self._decoder(beta).read(maps).points
        return points


def _without_beta(decoder: Decoder) -> Callable[[float | Tensor], Decoder]:
    return lambda beta: decoder


def _with_beta(name: str) -> Callable[[float | Tensor], Decoder]:
    return lambda beta: get_decoder(name, beta=beta)


def _no_lap(part: str) -> None:
    pass


class DecoderReader(nn.Module):
    """Reads N crops with every decoder.

    `forward` gives points (N, D + 1, K, 2) as shares of the crop, in the order of DECODER_NAMES with the sub-cell peak
    last, or (N, D + 3, K, 2) where maps of several heads are read, with the peaks of each; scores (N, D, K); alignment
    points (N, 2, 2) as shares of the crop. beta may be a 0-dimensional tensor, and nothing is asked of the device: the
    whole may be captured in a CUDA graph or converted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decoders = nn.ModuleDict(
            {
                name: _Decode(_with_beta(name) if has_beta(name) else _without_beta(get_decoder(name)))
                for name in HEATMAP_DECODERS
            }
        )
        self.peak = _Decode(_without_beta(SubcellPeak()))

    def forward(
        self,
        maps: Tensor | tuple[Tensor, ...],
        alignment_maps: Tensor,
        landmarks: Tensor,
        visibility: Tensor,
        beta: float | Tensor,
        lap: Callable[[str], None] = _no_lap,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Maps (N, K, H, W) of the joints, the same for all decoders or one for each of HEADS_FOR, and (N, 2, H, W) of
        the alignment points, all in [0, 1]; landmarks (N, K + 2 or more, 2) as shares of the crop; visibility (N, K or
        more).

        lap is called with the name of each part when it is done.
        """
        kinds = (maps,) if isinstance(maps, Tensor) else maps
        joints = kinds[0].shape[1]
        # The sigmoid of whatever the network gave lies between 0 and 1; where it gave NaN, the peak is NaN: unusable.
        prepared = [prepare(kind, finite=True) for kind in kinds]
        for one in prepared:
            one.around(1)
        lap(SHARED)
        # Cell c stands for c / size of the crop (not (c + 0.5) / size): the network's own refinement uses that.
        size = constant((kinds[0].shape[-1], kinds[0].shape[-2]), prepared[0].values)
        shares, heights_read = [], []
        heights = [torch.where(one.usable, one.peak, torch.zeros_like(one.peak)) for one in prepared]
        for name, decoder in self.decoders.items():
            kind = head_slot(name) if len(prepared) > 1 else 0
            shares.append(decoder(prepared[kind], beta) / size)
            heights_read.append(heights[kind])
            lap(name)
        peaks = [self.peak(one, beta) / size for one in prepared]
        lap(PEAK)
        points = torch.stack([*shares, landmarks[:, :joints].to(size.dtype), *peaks], 1)
        scores = torch.stack([*heights_read, visibility[:, :joints].to(size.dtype)], 1)
        alignment = refine(landmarks[:, ALIGNMENT].to(size.dtype), alignment_maps.to(size.dtype))
        return points, scores, alignment

"""Heads: the last layers before the heatmaps, each trained for one decoder, on one common trunk.

A BlazePose landmark network ends in a feature pyramid: at each resolution a depthwise 3 × 3 and a 1 × 1 convolution
make 48 channels (lite: 32) of what the trunk has there, which are added to the enlarged sum of the coarser ones; a last
1 × 1 convolution makes the heatmaps of it. A head is the part of it that works at the two finest resolutions, 32 × 32
and 64 × 64 cells, with the last convolution. Nothing else in the network uses these layers, so a head changes neither
the regression nor the crop that follows a person; what lies before them (the trunk) takes most of the time, and is
passed once for all heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.blazepose import LandmarkNetwork
from models.errors import BundleError
from models.tflite_graph import TFLiteGraph
from models.tflite_layers import Add, Convolution, Resize

_LEVELS = 2
_HEATMAPS = 2  # which of the outputs of `LandmarkNetwork.graph`
_CEILING = 6.0


class TrunkFeatures(NamedTuple):
    """What heads are made of, from N crops: coarse (N, C, 16, 16), the sum of the pyramid's coarser levels; middle
    (N, D, 32, 32) and fine (N, E, 64, 64), what the trunk has there.
    """

    coarse: Tensor
    middle: Tensor
    fine: Tensor


class Head(nn.Module):
    """TrunkFeatures -> the logits of `joints` heatmaps, (N, joints, 64, 64).

    width: channels of the pyramid. middle, fine: channels of the trunk. All in the network's own arithmetic, so that a
    head with the shipped weights gives the shipped heatmaps.
    """

    def __init__(self, width: int, middle: int, fine: int, joints: int) -> None:
        super().__init__()
        self.depthwise = nn.ModuleList(nn.Conv2d(n, n, 3, padding=1, groups=n) for n in (middle, fine))
        self.pointwise = nn.ModuleList(nn.Conv2d(n, width, 1) for n in (middle, fine))
        self.last = nn.Conv2d(width, joints, 1)

    def forward(self, features: TrunkFeatures) -> Tensor:
        middle = self._lateral(0, features.middle)
        fine = self._lateral(1, features.fine)
        coarser = _enlarged(features.coarse, middle) + middle
        # A 1 × 1 convolution and bilinear enlarging may change places: fewer maps are enlarged.
        return _enlarged(F.conv2d(coarser, self.last.weight), fine) + self.last(fine)

    def _lateral(self, level: int, features: Tensor) -> Tensor:
        lateral: Tensor = F.relu6(self.pointwise[level](F.relu6(self.depthwise[level](features))))
        return lateral


def _enlarged(maps: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(maps, like.shape[-2:], mode="bilinear", align_corners=False)


class Pyramid(NamedTuple):
    """Where a network's head lies in its graph. features: the tensors of TrunkFeatures. lateral: for each of the two
    levels the depthwise and the 1 × 1 convolution. last: the last convolution.
    """

    features: tuple[int, int, int]
    lateral: tuple[tuple[Convolution, Convolution], ...]
    last: Convolution


def find_pyramid(network: LandmarkNetwork) -> Pyramid:
    """Raises BundleError where the network does not end in such a pyramid."""
    graph = network.graph
    makers = {output: (layer, inputs) for layer, (inputs, output) in zip(graph.layers, graph.steps, strict=True)}
    last, (total,) = makers[graph.output_tensors[_HEATMAPS]]
    laterals, features = [], []
    for _ in range(_LEVELS):
        added, parts = makers.get(total, (None, []))
        enlarged = [part for part in parts if isinstance(makers.get(part, (None,))[0], Resize)]
        if not isinstance(added, Add) or len(parts) != 2 or len(enlarged) != 1:
            raise _no_pyramid()
        (side,) = (part for part in parts if part not in enlarged)
        pointwise, (between,) = makers.get(side, (None, (-1,)))
        depthwise, (feature,) = makers.get(between, (None, (-1,)))
        laterals.append((_checked(depthwise, 3), _checked(pointwise, 1)))
        features.append(feature)
        total = makers[enlarged[0]][1][0]
    if (
        not isinstance(last, Convolution)
        or last.ceiling is not None
        or graph.shapes.get(total, ())[1:2] != (last.weight.shape[1],)
    ):
        raise _no_pyramid()
    return Pyramid((total, features[1], features[0]), tuple(reversed(laterals)), last)


def _checked(layer: nn.Module | None, side: int) -> Convolution:
    depthwise = side > 1
    if not isinstance(layer, Convolution) or tuple(layer.weight.shape[2:]) != (side, side):
        raise _no_pyramid()
    groups = len(layer.weight) if depthwise else 1
    if (layer.groups, layer.stride, layer.dilation, layer.ceiling) != (groups, (1, 1), (1, 1), _CEILING):
        raise _no_pyramid()
    return layer


def _no_pyramid() -> BundleError:
    return BundleError("The network in the bundle does not end as BlazePose's do: no heads can be trained for it.")


def shipped_head(network: LandmarkNetwork, joints: Sequence[int]) -> Head:
    """A new head with the network's own weights, for these of its joints. Raises BundleError as `find_pyramid`."""
    pyramid = find_pyramid(network)
    (middle_depthwise, middle), (fine_depthwise, fine) = pyramid.lateral
    head = Head(len(middle.weight), len(middle_depthwise.weight), len(fine_depthwise.weight), len(joints))
    chosen = list(joints)
    with torch.no_grad():
        for own, layer in zip(
            (*head.depthwise, *head.pointwise), (middle_depthwise, fine_depthwise, middle, fine), strict=True
        ):
            own.load_state_dict({"weight": layer.weight, "bias": layer.bias})
        head.last.weight.copy_(pyramid.last.weight[chosen])
        head.last.bias.copy_(pyramid.last.bias[chosen])
    return head


class Trunk(nn.Module):
    """RGB crops (N, 3, S, S) in [0, 1] -> TrunkFeatures: the network up to where heads begin, and no further."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        network = LandmarkNetwork(model)
        self.input_size = network.input_size
        self.features = find_pyramid(network).features
        self.graph: TFLiteGraph = network.graph
        self.graph.let_return(self.features)

    def forward(self, crops: Tensor) -> TrunkFeatures:
        return TrunkFeatures(*self.graph(crops))

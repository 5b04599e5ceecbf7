"""Heads: the last layers before the heatmaps, each trained for one decoder, on one common trunk.

A BlazePose landmark network ends in a feature pyramid: at each resolution a depthwise 3 × 3 and a 1 × 1 convolution
make 48 channels (lite: 32) of what the trunk has there, which are added to the enlarged sum of the coarser ones; a last
1 × 1 convolution makes the heatmaps of it. A head is the three 1 × 1 convolutions at its end: those of the two finest
resolutions, 32 × 32 and 64 × 64 cells, and the last one. Nothing else in the network uses these layers, so a head
changes neither the regression nor the crop that follows a person; what lies before them (the trunk) takes most of the
time, and is passed once for all heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.blazepose import JOINT_COUNT, LandmarkNetwork
from models.errors import BundleError
from models.head_file import HeadError, TrainedHead
from models.tflite_graph import TFLiteGraph
from models.tflite_layers import Add, Convolution, Resize

_LEVELS = 2
_HEATMAPS = 2  # which of the outputs of `LandmarkNetwork.graph`
_CEILING = 6.0


class TrunkFeatures(NamedTuple):
    """What heads are made of, from N crops: coarse (N, C, 16, 16), the sum of the pyramid's coarser levels; middle
    (N, D, 32, 32) and fine (N, E, 64, 64), what the depthwise convolutions there give.
    """

    coarse: Tensor
    middle: Tensor
    fine: Tensor


def enlarged(maps: Tensor, like: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, height and width of `like`), bilinearly, cells aligned by their edges."""
    return F.interpolate(maps, like.shape[-2:], mode="bilinear", align_corners=False)


class HeadSteps(NamedTuple):
    """How the last steps of a head are computed: an engine may know faster ways."""

    convolve: Callable[[Tensor, Tensor, Tensor | None], Tensor] = F.conv2d
    enlarge: Callable[[Tensor, Tensor], Tensor] = enlarged


_USUAL_STEPS = HeadSteps()


class Head(nn.Module):
    """TrunkFeatures -> the logits of `joints` heatmaps, (N, joints, 64, 64).

    width: channels of the pyramid. middle, fine: channels of the trunk. All in the network's own arithmetic, so that a
    head with the shipped weights gives the shipped heatmaps.
    """

    def __init__(self, width: int, middle: int, fine: int, joints: int) -> None:
        super().__init__()
        self.middle = nn.Conv2d(middle, width, 1)
        self.fine = nn.Conv2d(fine, width, 1)
        self.last = nn.Conv2d(width, joints, 1)
        self.steps = _USUAL_STEPS

    def forward(self, features: TrunkFeatures) -> Tensor:
        return self.on(features, enlarged_coarse(features))

    def on(self, features: TrunkFeatures, coarse: Tensor) -> Tensor:
        """The same of what several heads share: coarse is `enlarged_coarse` of the features."""
        fine = F.relu6(self.fine(features.fine))
        coarser = coarse + F.relu6(self.middle(features.middle))
        convolve, enlarge = self.steps
        # A 1 × 1 convolution and bilinear enlarging may change places: fewer maps are enlarged.
        coarse_part = enlarge(convolve(coarser, self.last.weight, None), fine)
        return coarse_part + convolve(fine, self.last.weight, self.last.bias)


def enlarged_coarse(features: TrunkFeatures) -> Tensor:
    """(N, C, 32, 32): the coarse features at the middle ones' resolution."""
    return enlarged(features.coarse, features.middle)


class Pyramid(NamedTuple):
    """Where a head lies in a graph. features: the tensors of TrunkFeatures. middle, fine, last: the head's layers."""

    features: tuple[int, int, int]
    middle: Convolution
    fine: Convolution
    last: Convolution


def find_pyramid(network: LandmarkNetwork) -> Pyramid:
    """Raises BundleError where the network does not end in such a pyramid."""
    try:
        return _pyramid(network.graph)
    except (KeyError, ValueError):
        # A layer where there should be one more, or with more inputs than such a one has.
        raise _no_pyramid() from None


def _pyramid(graph: TFLiteGraph) -> Pyramid:
    makers = {output: (layer, inputs) for layer, (inputs, output) in zip(graph.layers, graph.steps, strict=True)}
    last, (total,) = makers[graph.output_tensors[_HEATMAPS]]
    laterals, features = [], []
    for _ in range(_LEVELS):
        added, parts = makers[total]
        (enlarged,) = (part for part in parts if isinstance(makers[part][0], Resize))
        (side,) = (part for part in parts if part != enlarged)
        layer, (feature,) = makers[side]
        laterals.append(_pointwise(layer, _CEILING))
        features.append(feature)
        if not isinstance(added, Add):
            raise _no_pyramid()
        (total,) = makers[enlarged][1]
    fine, middle = laterals
    found = Pyramid((total, features[1], features[0]), middle, fine, _pointwise(last, None))
    if {len(fine.weight), len(middle.weight), graph.shapes[total][1]} != {found.last.weight.shape[1]}:
        raise _no_pyramid()
    return found


def _pointwise(layer: nn.Module, ceiling: float | None) -> Convolution:
    """The layer, where it is a 1 × 1 convolution with this activation."""
    if not isinstance(layer, Convolution) or tuple(layer.weight.shape[2:]) != (1, 1):
        raise _no_pyramid()
    if (layer.groups, layer.stride, layer.dilation, layer.ceiling) != (1, (1, 1), (1, 1), ceiling):
        raise _no_pyramid()
    return layer


def _no_pyramid() -> BundleError:
    return BundleError("The network in the bundle does not end as BlazePose's do: no heads can be trained for it.")


def shipped_head(network: LandmarkNetwork, joints: Sequence[int]) -> Head:
    """A new head with the network's own weights, for these of its joints. Raises BundleError as `find_pyramid`."""
    pyramid, chosen = find_pyramid(network), list(joints)
    middle, fine, last = pyramid.middle, pyramid.fine, pyramid.last
    head = Head(len(middle.weight), middle.weight.shape[1], fine.weight.shape[1], len(chosen))
    with torch.no_grad():
        head.middle.load_state_dict({"weight": middle.weight, "bias": middle.bias})
        head.fine.load_state_dict({"weight": fine.weight, "bias": fine.bias})
        head.last.load_state_dict({"weight": last.weight[chosen], "bias": last.bias[chosen]})
    return head


def built_head(network: LandmarkNetwork, trained: TrainedHead) -> Head:
    """The head as a module. Raises HeadError where its weights are not those of such a head of this network."""
    head = shipped_head(network, trained.about.joints)
    wanted = {name: tuple(values.shape) for name, values in head.state_dict().items()}
    found = {name: values.shape for name, values in trained.weights.items()}
    wrong = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    if wrong:
        raise HeadError(f"The head “{trained.label}” does not fit this network: see its weights “{wrong[0]}”.")
    head.load_state_dict({name: torch.from_numpy(values) for name, values in trained.weights.items()})
    return head


class HeadMaps(nn.Module):
    """Several heads on the same features."""

    def __init__(
        self,
        network: LandmarkNetwork,
        trained: Sequence[TrainedHead],
        steps: HeadSteps = _USUAL_STEPS,
    ) -> None:
        super().__init__()
        heads = [built_head(network, one) for one in trained]
        for head in heads:
            head.steps = steps
        self.heads = nn.ModuleList(heads)
        self._orders = [_order(one.about.joints) for one in trained]

    def forward(self, features: TrunkFeatures) -> tuple[Tensor, ...]:
        """For each head the maps (N, J, H, W) of the joints that it was trained on."""
        coarse = enlarged_coarse(features)
        return tuple(torch.sigmoid(head.on(features, coarse)) for head in self._heads())

    def _heads(self) -> Iterator[Head]:
        for head in self.heads:
            assert isinstance(head, Head)
            yield head

    def merged(self, shipped: Tensor, features: TrunkFeatures) -> tuple[Tensor, ...]:
        """For each head maps (N, 33, H, W): its own, and the shipped ones (N, 33, H, W) of the other joints."""
        own = zip(self(features), self._orders, strict=True)
        return tuple(torch.cat((shipped, maps), 1)[:, order] for maps, order in own)


class HeadedNetwork(nn.Module):
    """RGB crops (N, 3, S, S) in [0, 1] -> the LandmarkOutput of a network, and behind it the maps of each head."""

    def __init__(self, network: LandmarkNetwork, trained: Sequence[TrainedHead]) -> None:
        super().__init__()
        self.network = network
        self.input_size = network.input_size
        self.maps = HeadMaps(network, trained)
        return_features(network)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        landmarks, presence, logits, *features = self.network.graph(crops)
        output = self.network.output(landmarks, presence, logits)
        return (*output, *self.maps.merged(output.heatmaps[:, :JOINT_COUNT], TrunkFeatures(*features)))


def return_features(network: LandmarkNetwork) -> None:
    """Let the network's graph give the three tensors of TrunkFeatures, too, behind its three outputs."""
    network.graph.let_return([*network.graph.output_tensors, *find_pyramid(network).features])


def _order(joints: Sequence[int]) -> list[int]:
    """For each of the 33 joints its place behind each other: 33 shipped maps, then those of `joints`."""
    order = list(range(JOINT_COUNT))
    for place, joint in enumerate(joints):
        order[joint] = JOINT_COUNT + place
    return order


class Trunk(nn.Module):
    """RGB crops (N, 3, S, S) in [0, 1] -> TrunkFeatures: the network up to where heads begin, and no further.

    feature_shapes: of the three features of one crop, (C, H, W).
    """

    def __init__(self, model: bytes) -> None:
        super().__init__()
        network = LandmarkNetwork(model)
        self.input_size = network.input_size
        self.features = find_pyramid(network).features
        self.graph: TFLiteGraph = network.graph
        self.graph.let_return(self.features)
        self.feature_shapes = [self.graph.shapes[tensor][1:] for tensor in self.features]

    def forward(self, crops: Tensor) -> TrunkFeatures:
        return TrunkFeatures(*self.graph(crops))

"""Converts the torch modules of a bundle to OpenVINO graphs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.blazepose import ALIGNMENT, JOINT_COUNT, LandmarkNetwork, PersonDetector
from models.bundle import Bundle
from models.engines.openvino_runtime import openvino
from models.head_file import TrainedHead
from models.heads import HeadMaps, HeadSteps, TrunkFeatures, enlarged, return_features
from models.reader import DecoderReader
from models.readings import DEFAULT_BETA
from models.tflite_layers import Convolution


class DetectorGraph(nn.Module):
    """RGB (1, S, S, 3), 0 to 255 -> boxes (1, A, 12), logits (1, A)."""

    def __init__(self, network: PersonDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        boxes, logits = self.network(squares.permute(0, 3, 1, 2) / 127.5 - 1.0)
        return boxes, logits


class _Landmarks(nn.Module):
    """RGB (1, S, S, 3), 0 to 255 -> joints' heatmaps, alignment points' heatmaps, landmarks, visibility, presence; then
    of each head the heatmaps of the joints that it was trained on.
    """

    def __init__(self, network: LandmarkNetwork, heads: Sequence[TrainedHead] = ()) -> None:
        super().__init__()
        self.network = network
        self.head_maps = HeadMaps(network, heads, HeadSteps(_as_product, _enlarged_by_products))
        if heads:
            return_features(network)
        layers, heatmaps = network.graph.layers, network.graph.layer_of_output(2)
        if _Product.can_stand_for(layers[heatmaps]):
            layers[heatmaps] = _Product(layers[heatmaps])

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        landmarks, presence, logits, *features = self.network.graph(crops.permute(0, 3, 1, 2) / 255.0)
        output = self.network.output(landmarks, presence, logits)
        joints, alignment = output.heatmaps[:, :JOINT_COUNT], output.heatmaps[:, ALIGNMENT]
        own = self.head_maps(TrunkFeatures(*features)) if features else ()
        return joints, alignment, output.landmarks, output.visibility, output.presence, *own


class _OwnMaps(nn.Module):
    """The decoders, each on the maps of its own of HEADS_FOR."""

    def __init__(self) -> None:
        super().__init__()
        # Under this name the graph's counters are looked for.
        self.reader = DecoderReader()

    def forward(
        self,
        argmax: Tensor,
        ipr: Tensor,
        debiased: Tensor,
        alignment: Tensor,
        landmarks: Tensor,
        visibility: Tensor,
        beta: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        points, scores, ends = self.reader((argmax, ipr, debiased), alignment, landmarks, visibility, beta)
        return points, scores, ends


class _Product(nn.Module):
    """A 1 × 1 convolution as a product of matrices.

    OpenVINO's convolution leaves the channels of each place side by side, and sorting them into maps takes 0.4 ms; the
    product writes one map after the other.
    """

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        assert isinstance(convolution, Convolution)
        self.weight = nn.Parameter(convolution.weight[:, :, 0, 0])
        self.bias = nn.Parameter(convolution.bias[:, None])

    @staticmethod
    def can_stand_for(layer: nn.Module) -> bool:
        return (
            isinstance(layer, Convolution)
            and tuple(layer.weight.shape[2:]) == (1, 1)
            and (layer.groups, layer.stride, layer.ceiling) == (1, (1, 1), None)
        )

    def forward(self, x: Tensor) -> Tensor:
        return _product(x, self.weight) + self.bias[..., None]


def _as_product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1 × 1 convolution likewise; weight (C, D, 1, 1), bias (C,)."""
    product = _product(x, weight[:, :, 0, 0])
    return product if bias is None else product + bias[:, None, None]


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """(N, D, H, W) by (C, D) -> (N, C, H, W)."""
    height, width = x.shape[-2:]
    places = x.permute(0, 2, 3, 1).flatten(1, 2)
    return (weight @ places.transpose(1, 2)).reshape(-1, len(weight), height, width)


def _enlarged_by_products(maps: Tensor, like: Tensor) -> Tensor:
    """`models.heads.enlarged`, likewise: OpenVINO's own leaves the channels of each place side by side."""
    rows, columns = (
        enlarged(torch.eye(small)[None, None], torch.empty(1, 1, large, small))[0, 0]
        for small, large in zip(maps.shape[-2:], like.shape[-2:], strict=True)
    )
    return rows @ (maps @ columns.T)


def make_graphs(bundle: Bundle, heads: Sequence[TrainedHead] = ()) -> list[openvino.Model]:
    """The detector, the landmark network with the heads, and the decoders: each for one image; float32 throughout.

    Raises HeadError for a head of another network.
    """
    detector, landmarks = PersonDetector(bundle.detector), LandmarkNetwork(bundle.landmarks)
    square = torch.zeros(1, *detector.input_size, 3)
    crop = torch.zeros(1, *landmarks.input_size, 3)
    network = _Landmarks(landmarks, heads)
    with torch.no_grad():
        maps, alignment_maps, points, visibility, *_ = network(crop)
    rest = (alignment_maps, points, visibility, torch.tensor(DEFAULT_BETA))
    decoders = (
        converted(_OwnMaps(), (maps, maps.clone(), maps.clone(), *rest))
        if heads
        else converted(DecoderReader(), (maps, *rest))
    )
    return [converted(DetectorGraph(detector), [square]), converted(network, [crop]), decoders]


def converted(module: nn.Module, examples: Sequence[Tensor]) -> openvino.Model:
    """The module as a graph that takes inputs of the examples' shapes.

    Not openvino.convert_model, which reports its use over the network unless the user has forbidden it.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    module.eval().requires_grad_(False)
    with torch.no_grad(), warnings.catch_warnings():
        # torch would rather record in another way, which OpenVINO cannot take over completely yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit._trace.TracerWarning)
        recorded = torch.jit.trace(module, tuple(examples), check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(torch.jit.freeze(recorded))
        front_end = FrontEndManager().load_by_framework("pytorch")
        graph = front_end.convert(front_end.load(decoder))
    for port, example in zip(graph.inputs, examples, strict=True):
        port.get_node().set_element_type(openvino.Type.f32)
        port.get_node().set_partial_shape(openvino.PartialShape(list(example.shape)))
    graph.validate_nodes_and_infer_types()
    return graph

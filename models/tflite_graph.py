"""A float TFLite graph as a torch.nn.Module.

Covers what the pose networks need: convolutions with fused ReLU or ReLU6, ADD, PAD, bilinear resize, max pooling,
DEPTH_TO_SPACE, RESHAPE, CONCATENATION, LOGISTIC; weights behind DEQUANTIZE (float16) and DENSIFY (sparse). Only the
operations that the requested outputs depend on are built.

Layout: TFLite's four-dimensional tensors are NHWC, here they are NCHW; tensors of other ranks keep their order.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tflite
import torch
from numpy.typing import NDArray
from tflite import BuiltinOperator as Op
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import BundleError

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_OP_NAMES = {code: name for name, code in vars(Op).items() if isinstance(code, int)}
_MOST_OPERATORS = 10_000
_MOST_ELEMENTS = 2**28


class TFLiteGraph(nn.Module):
    """Runs the part of a TFLite graph that leads to some of its outputs.

    model: content of a .tflite file with one subgraph and one image input.
    outputs: indices into the graph's outputs, in the order in which `forward` returns them.

    `input_size` is (height, width). `forward` takes (N, 3, height, width) float and returns a tuple of tensors: NCHW
    where the graph's output has four dimensions, else as in the file with the leading 1 replaced by N.
    Raises BundleError where the content is damaged or uses something that is not covered.
    """

    def __init__(self, model: bytes, outputs: Sequence[int]) -> None:
        super().__init__()
        try:
            self._build(_GraphReader(model), outputs)
        except (struct.error, IndexError, TypeError, ValueError, KeyError, AttributeError, RuntimeError, MemoryError):
            # flatbuffers checks nothing: damaged content surfaces as any of these.
            raise BundleError("The network in the bundle is damaged.") from None

    def _build(self, graph: _GraphReader, outputs: Sequence[int]) -> None:
        self.output_tensors = [graph.outputs[i] for i in outputs]
        self.input_tensor = graph.inputs[0]
        _, height, width, channels = graph.shape(self.input_tensor)
        if channels != 3:
            raise BundleError("The network in the bundle does not take a colour image.")
        self.input_size = (height, width)
        self.layers = nn.ModuleList()
        self.steps: list[tuple[list[int], int]] = []
        for operator in graph.operators_leading_to(self.output_tensors):
            inputs = [i for i in graph.op_inputs(operator) if i >= 0 and not graph.is_constant(i)]
            self.layers.append(_layer(graph, operator))
            self.steps.append((inputs, operator.Outputs(0)))
        # Where each tensor was used for the last time, so that memory is freed as the pass goes on.
        last_use = {tensor: step for step, (inputs, _) in enumerate(self.steps) for tensor in inputs}
        self.freed: list[list[int]] = [[] for _ in self.steps]
        for tensor, step in last_use.items():
            if tensor not in self.output_tensors:
                self.freed[step].append(tensor)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        values = {self.input_tensor: images}
        for layer, (inputs, output), freed in zip(self.layers, self.steps, self.freed, strict=True):
            values[output] = layer(*[values[i] for i in inputs])
            for tensor in freed:
                del values[tensor]
        return tuple(values[i] for i in self.output_tensors)

    def layer_of_output(self, index: int) -> int:
        """Which of `layers` computes the output `index`."""
        return [output for _, output in self.steps].index(self.output_tensors[index])


class _GraphReader:
    """Plain access to the flatbuffer: shapes, constants, operators."""

    def __init__(self, model: bytes) -> None:
        if not tflite.Model.ModelBufferHasIdentifier(model, 0):
            raise BundleError("The network in the bundle is not a TFLite file.")
        self.model = tflite.Model.GetRootAs(model, 0)
        self.graph = self.model.Subgraphs(0)
        self.inputs = [int(i) for i in self.graph.InputsAsNumpy()]
        self.outputs = [int(i) for i in self.graph.OutputsAsNumpy()]
        if self.graph.OperatorsLength() > _MOST_OPERATORS:
            raise BundleError("The network in the bundle is damaged.")
        operators = [self.graph.Operators(i) for i in range(self.graph.OperatorsLength())]
        self.producer = {op.Outputs(0): i for i, op in enumerate(operators)}
        self.operators = operators
        self._constants: dict[int, NDArray[Any] | None] = {}

    def code(self, operator: Any) -> int:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        return int(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))

    def options(self, operator: Any, options_class: Callable[[], Any]) -> Any:
        options, table = options_class(), operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def op_inputs(self, operator: Any) -> list[int]:
        return [int(i) for i in operator.InputsAsNumpy()]

    def shape(self, tensor: int) -> tuple[int, ...]:
        shape = tuple(int(n) for n in self.graph.Tensors(tensor).ShapeAsNumpy())
        if min(shape, default=1) < 1 or int(np.prod(shape, dtype=np.int64)) > _MOST_ELEMENTS:
            raise BundleError("The network in the bundle is damaged.")
        return shape

    def operators_leading_to(self, tensors: Sequence[int]) -> list[Any]:
        """The operators that compute `tensors` from the image, in the order of the file, constants left out."""
        needed: set[int] = set()
        pending = list(tensors)
        while pending:
            index = self.producer.get(pending.pop())
            if index is not None and index not in needed:
                needed.add(index)
                pending += [i for i in self.op_inputs(self.operators[index]) if i >= 0]
        return [self.operators[i] for i in sorted(needed) if not self.is_constant(self.operators[i].Outputs(0))]

    def is_constant(self, tensor: int) -> bool:
        return self.constant(tensor) is not None

    def constant(self, tensor: int) -> NDArray[Any] | None:
        """The value of a weight as stored or as DEQUANTIZE and DENSIFY make it; None for an activation."""
        if tensor not in self._constants:
            self._constants[tensor] = self._read_constant(tensor)
        return self._constants[tensor]

    def _read_constant(self, tensor: int) -> NDArray[Any] | None:
        if tensor in self.producer:
            operator = self.operators[self.producer[tensor]]
            if self.code(operator) not in (Op.DEQUANTIZE, Op.DENSIFY):
                return None
            return self.constant(operator.Inputs(0))
        info = self.graph.Tensors(tensor)
        data = self.model.Buffers(info.Buffer()).DataAsNumpy()
        if isinstance(data, int):  # flatbuffers returns 0 for an empty vector
            return None
        values = np.frombuffer(data.tobytes(), _DTYPES[info.Type()])
        shape = self.shape(tensor)
        return values.reshape(shape) if info.Sparsity() is None else _densify(values, shape, info.Sparsity())


def _densify(values: NDArray[Any], shape: tuple[int, ...], sparsity: Any) -> NDArray[Any]:
    """Expand weights of which only the last dimension is stored in compressed sparse rows."""
    formats = [sparsity.DimMetadata(i).Format() for i in range(sparsity.DimMetadataLength())]
    if sparsity.BlockMapLength() or formats != [tflite.DimensionType.DENSE] * (len(shape) - 1) + [
        tflite.DimensionType.SPARSE_CSR
    ]:
        raise BundleError("The network in the bundle stores its sparse weights in a way that is not supported.")
    last = sparsity.DimMetadata(len(shape) - 1)
    segments = _sparse_index(last.ArraySegmentsType(), last.ArraySegments())
    columns = _sparse_index(last.ArrayIndicesType(), last.ArrayIndices())
    dense = np.zeros((int(np.prod(shape[:-1])), shape[-1]), values.dtype)
    dense[np.repeat(np.arange(len(dense)), np.diff(segments)), columns] = values
    return dense.reshape(shape)


def _sparse_index(kind: int, table: Any) -> NDArray[np.int64]:
    vector_class = {
        tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
        tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
        tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
    }[kind]
    vector = vector_class()
    vector.Init(table.Bytes, table.Pos)
    index: NDArray[np.int64] = vector.ValuesAsNumpy().astype(np.int64)
    return index


def _layer(graph: _GraphReader, operator: Any) -> nn.Module:
    code = graph.code(operator)
    builder = _BUILDERS.get(code)
    if builder is None:
        raise BundleError(
            f"The network in the bundle uses the operation {_OP_NAMES.get(code, code)}, which is not supported."
        )
    return builder(graph, operator)


class _Activated(nn.Module):
    """Applies the activation that TFLite fuses into an operation."""

    def __init__(self, activation: int) -> None:
        super().__init__()
        kinds = tflite.ActivationFunctionType
        if activation not in (kinds.NONE, kinds.RELU, kinds.RELU6):
            raise BundleError("The network in the bundle uses an activation that is not supported.")
        self.ceiling = {kinds.NONE: None, kinds.RELU: float("inf"), kinds.RELU6: 6.0}[activation]

    def activate(self, x: Tensor) -> Tensor:
        # In place: the argument is always a fresh result of the operation before.
        return x if self.ceiling is None else x.clamp_(0.0, self.ceiling)


class Convolution(_Activated):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        depthwise = graph.code(operator) == Op.DEPTHWISE_CONV_2D
        options = graph.options(operator, tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
        super().__init__(options.FusedActivationFunction())
        _, weight_index, *bias_index = graph.op_inputs(operator)
        weight, bias = graph.constant(weight_index), graph.constant(bias_index[0])
        assert weight is not None
        assert bias is not None
        # (out, h, w, in), and for a depthwise convolution (1, h, w, out), to (out, in, h, w).
        weight = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
        self.groups = graph.shape(operator.Inputs(0))[3] if depthwise else 1
        self.stride = (options.StrideH(), options.StrideW())
        self.dilation = (options.DilationHFactor(), options.DilationWFactor())
        self.weight = nn.Parameter(torch.from_numpy(weight.astype(np.float32)))
        self.bias = nn.Parameter(torch.from_numpy(bias.astype(np.float32)))
        (top, bottom), (left, right) = _padding(
            options.Padding(), graph, operator, self.weight.shape[2:], self.stride, self.dilation
        )
        self.padding = (top, left) if (top, left) == (bottom, right) else (0, 0)
        self.uneven_padding = None if (top, left) == (bottom, right) else (left, right, top, bottom)

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven_padding is not None:
            x = F.pad(x, self.uneven_padding)
        return self.activate(F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups))


class _Add(_Activated):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        super().__init__(graph.options(operator, tflite.AddOptions).FusedActivationFunction())
        if any(graph.is_constant(i) for i in graph.op_inputs(operator)):
            raise BundleError("The network in the bundle adds a constant, which is not supported.")

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.activate(a + b)


class _Pad(nn.Module):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        super().__init__()
        amounts = graph.constant(operator.Inputs(1))
        assert amounts is not None
        batch, height, width, channels = amounts.reshape(4, 2).tolist()
        self.amounts = (*width, *height, *channels, *batch)

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.amounts)


class _MaxPool(_Activated):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        options = graph.options(operator, tflite.Pool2DOptions)
        super().__init__(options.FusedActivationFunction())
        self.size = (options.FilterHeight(), options.FilterWidth())
        self.stride = (options.StrideH(), options.StrideW())
        padding = _padding(options.Padding(), graph, operator, self.size, self.stride, (1, 1))
        if padding != ((0, 0), (0, 0)):
            raise BundleError("The network in the bundle pads before max pooling, which is not supported.")

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(F.max_pool2d(x, self.size, self.stride))


class _Resize(nn.Module):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        super().__init__()
        options = graph.options(operator, tflite.ResizeBilinearOptions)
        if options.AlignCorners() or not options.HalfPixelCenters():
            raise BundleError("The network in the bundle resizes in a way that is not supported.")
        size = graph.constant(operator.Inputs(1))
        assert size is not None
        self.size = (int(size[0]), int(size[1]))

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, self.size, mode="bilinear", align_corners=False)


class _DepthToSpace(nn.Module):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        super().__init__()
        self.block = int(graph.options(operator, tflite.DepthToSpaceOptions).BlockSize())

    def forward(self, x: Tensor) -> Tensor:
        # TFLite's channels are ordered (block row, block column, channel); PixelShuffle's the other way round.
        n, c, h, w = x.shape
        b = self.block
        x = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(n, c // (b * b), h * b, w * b)


class _Reshape(nn.Module):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        super().__init__()
        self.shape = graph.shape(operator.Outputs(0))[1:]

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 4:
            x = x.permute(0, 2, 3, 1)
        x = x.reshape(x.shape[0], *self.shape)
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


class _Concatenation(_Activated):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        options = graph.options(operator, tflite.ConcatenationOptions)
        super().__init__(options.FusedActivationFunction())
        rank = len(graph.shape(operator.Outputs(0)))
        axis = options.Axis() % rank
        self.axis = (0, 2, 3, 1)[axis] if rank == 4 else axis

    def forward(self, *parts: Tensor) -> Tensor:
        return self.activate(torch.cat(parts, self.axis))


class _Logistic(nn.Module):
    def __init__(self, graph: _GraphReader, operator: Any) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)


def _padding(
    kind: int,
    graph: _GraphReader,
    operator: Any,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(top, bottom), (left, right) of zeros that TensorFlow's SAME or VALID padding adds."""
    if kind == tflite.Padding.VALID:
        return (0, 0), (0, 0)
    size = graph.shape(operator.Inputs(0))[1:3]
    sides = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        sides.append((total // 2, total - total // 2))
    return sides[0], sides[1]


_BUILDERS: dict[int, Callable[[_GraphReader, Any], nn.Module]] = {
    Op.CONV_2D: Convolution,
    Op.DEPTHWISE_CONV_2D: Convolution,
    Op.ADD: _Add,
    Op.PAD: _Pad,
    Op.MAX_POOL_2D: _MaxPool,
    Op.RESIZE_BILINEAR: _Resize,
    Op.DEPTH_TO_SPACE: _DepthToSpace,
    Op.RESHAPE: _Reshape,
    Op.CONCATENATION: _Concatenation,
    Op.LOGISTIC: _Logistic,
}

"""A float TFLite graph as a torch.nn.Module.

Covers what the pose networks need: convolutions with fused ReLU or ReLU6, ADD, PAD, bilinear resize, max pooling,
DEPTH_TO_SPACE, RESHAPE, CONCATENATION, LOGISTIC; weights behind DEQUANTIZE (float16) and DENSIFY (sparse). Only the
operations that the requested outputs depend on are built.

Layout: TFLite's four-dimensional tensors are NHWC, here they are NCHW; tensors of other ranks keep their order.

Each layer says which shape it makes of its inputs' shapes. Where that is not the shape that the file states, the file
is damaged; and since those are limited, so are the memory and the time that the network takes, before it is run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tflite
import torch
from tflite import BuiltinOperator as Op
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import BundleError
from models.tflite_file import (
    LARGEST_TENSOR,
    MOST_ACTIVATIONS,
    MOST_MULTIPLICATIONS,
    Operator,
    TFLiteFile,
    damaged,
    told_as_damage,
    too_large,
)

Shape = tuple[int, ...]
_INPUT_SIDES = (32, 1024)
# Of kernels, strides, dilations and blocks; the official networks have 5, 2, 1 and 2.
_LARGEST_STEP = 32
_COMPARISON = 16
# Of this thread's own time: heavy takes a tenth of a second.
_LONGEST_CHECK_S = 2.0
# What a convolution may lay out in memory at once: each pixel of its result with all the values that it is made of.
_MOST_UNFOLDED = 2**26


class TFLiteGraph(nn.Module):
    """Runs the part of a TFLite graph that leads to some of its outputs.

    model: content of a .tflite file with one subgraph and one image input.
    outputs: indices into the graph's outputs, in the order in which `forward` returns them.

    `input_size` is (height, width). `forward` takes (N, 3, height, width) float and returns a tuple of tensors: NCHW
    where the graph's output has four dimensions, else as in the file with the leading 1 replaced by N. Their shapes
    for N = 1 are the `output_shapes`.
    Raises BundleError where the content is damaged, too large, or uses something that is not covered.
    """

    def __init__(self, model: bytes, outputs: Sequence[int]) -> None:
        super().__init__()
        with told_as_damage():
            self._build(TFLiteFile(model), outputs)

    def _build(self, file: TFLiteFile, outputs: Sequence[int]) -> None:
        self.output_tensors = [file.outputs[i] for i in outputs]
        self.input_tensor = file.inputs[0]
        batch, height, width, channels = file.shape(self.input_tensor)
        if channels != 3:
            raise BundleError("The network in the bundle does not take a colour image.")
        if batch != 1 or min(height, width) < _INPUT_SIDES[0] or max(height, width) > _INPUT_SIDES[1]:
            raise BundleError(f"The network in the bundle takes images of {width} × {height}, which is not supported.")
        self.input_size = (height, width)
        self.layers = nn.ModuleList()
        self.steps: list[tuple[list[int], int]] = []
        computed, activations, multiplications = {self.input_tensor}, 0, 0
        for operator in file.operators_leading_to(self.output_tensors):
            inputs, output = file.activations(operator), operator.outputs[0]
            layer = _layer(file, operator)
            shape = layer.output_shape(*[file.shape(i) for i in inputs])
            if shape != file.shape(output) or not computed.issuperset(inputs):
                raise damaged()
            activations += math.prod(shape)
            multiplications += layer.multiplications(shape)
            if activations > MOST_ACTIVATIONS or multiplications > MOST_MULTIPLICATIONS:
                raise too_large()
            computed.add(output)
            self.layers.append(layer)
            self.steps.append((inputs, output))
        if not computed.issuperset(self.output_tensors):
            raise damaged()
        self.output_shapes = [_torch_shape(file.shape(tensor)) for tensor in self.output_tensors]
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

    def check(self) -> None:
        """Runs the network on a grey image.

        Raises BundleError where it cannot be computed, not in numbers, or not in a few seconds: values too small to be
        written in full make any network a hundred times as slow.
        """
        started = time.thread_time()

        def stop_if_slow(layer: nn.Module, inputs: object) -> None:
            if time.thread_time() - started > _LONGEST_CHECK_S:
                raise BundleError("The network in the bundle takes too long.")

        with told_as_damage(), torch.inference_mode():
            hooks = [layer.register_forward_pre_hook(stop_if_slow) for layer in self.layers]
            outputs = self(torch.full((1, 3, *self.input_size), 0.5))
            for hook in hooks:
                hook.remove()
            for output, shape in zip(outputs, self.output_shapes, strict=True):
                if output.shape != shape or not output.isfinite().all():
                    raise damaged()


def _torch_shape(shape: Shape) -> Shape:
    return (shape[0], shape[3], *shape[1:3]) if len(shape) == 4 else shape


class Layer(nn.Module):
    """One operation. Shapes are those of the file, NHWC."""

    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        super().__init__()

    def output_shape(self, x: Shape) -> Shape:
        """What becomes of inputs of these shapes."""
        return x

    def multiplications(self, output: Shape) -> int:
        """How many make an output of this shape."""
        return math.prod(output)


def _layer(file: TFLiteFile, operator: Operator) -> Layer:
    builder = _BUILDERS.get(operator.code)
    if builder is None:
        raise BundleError(f"The network in the bundle uses the operation {operator.name}, which is not supported.")
    return builder(file, operator)


class _Activated(Layer):
    """Applies the activation that TFLite fuses into an operation."""

    def __init__(self, file: TFLiteFile, operator: Operator, options: Any) -> None:
        super().__init__(file, operator)
        kinds = tflite.ActivationFunctionType
        activation = options.FusedActivationFunction()
        if activation not in (kinds.NONE, kinds.RELU, kinds.RELU6):
            raise BundleError("The network in the bundle uses an activation that is not supported.")
        self.ceiling = {kinds.NONE: None, kinds.RELU: float("inf"), kinds.RELU6: 6.0}[activation]

    def activate(self, x: Tensor) -> Tensor:
        # In place: the argument is always a fresh result of the operation before.
        return x if self.ceiling is None else x.clamp_(0.0, self.ceiling)


class Convolution(_Activated):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        depthwise = operator.code == Op.DEPTHWISE_CONV_2D
        options = operator.options(tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
        super().__init__(file, operator, options)
        image, weight_tensor, bias_tensor = operator.inputs
        _, height, width, channels = file.shape(image)
        # (out, h, w, in), and for a depthwise convolution (1, h, w, out).
        first, kernel_height, kernel_width, last = file.shape(weight_tensor)
        self.groups, out, taken = (channels, last, first) if depthwise else (1, first, last)
        if taken != channels // self.groups or out % self.groups or file.shape(bias_tensor) != (out,):
            raise damaged()
        kernel = _steps(kernel_height, kernel_width)
        self.stride = _steps(options.StrideH(), options.StrideW())
        self.dilation = _steps(options.DilationHFactor(), options.DilationWFactor())
        (top, bottom), (left, right) = _padding(options.Padding(), (height, width), kernel, self.stride, self.dilation)
        self.padding = (top, left) if (top, left) == (bottom, right) else (0, 0)
        self.uneven_padding = None if (top, left) == (bottom, right) else (left, right, top, bottom)
        self._padded = (height + top + bottom, width + left + right)
        if math.prod(self._padded) * channels > LARGEST_TENSOR:
            raise too_large()
        # To (out, in, h, w).
        weight = file.weights(weight_tensor, (3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        self.weight = nn.Parameter(torch.from_numpy(weight))
        self.bias = nn.Parameter(torch.from_numpy(file.weights(bias_tensor, (0,))))

    def output_shape(self, x: Shape) -> Shape:
        kernel = tuple(self.weight.shape[2:])
        height, width = _windows(self._padded, kernel, self.stride, self.dilation)
        if height * width * self.groups * self.weight[0].numel() > _MOST_UNFOLDED:
            raise too_large()
        return 1, height, width, len(self.bias)

    def multiplications(self, output: Shape) -> int:
        return output[1] * output[2] * self.weight.numel()

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven_padding is not None:
            x = F.pad(x, self.uneven_padding)
        return self.activate(F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups))


class _Add(_Activated):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        super().__init__(file, operator, operator.options(tflite.AddOptions))
        if any(file.is_constant(i) for i in operator.inputs):
            raise BundleError("The network in the bundle adds a constant, which is not supported.")

    def output_shape(self, a: Shape, b: Shape) -> Shape:  # type: ignore[override]
        return tuple(np.broadcast_shapes(a, b)) if len(a) == len(b) else ()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.activate(a + b)


class _Pad(Layer):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        super().__init__(file, operator)
        self._sides = file.integers(operator.inputs[1], (4, 2))
        batch, height, width, channels = self._sides
        if batch != [0, 0] or min(map(min, self._sides)) < 0:
            raise damaged()
        self.amounts = (*width, *height, *channels, *batch)

    def output_shape(self, x: Shape) -> Shape:
        return tuple(n + before + after for n, (before, after) in zip(x, self._sides, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.amounts)


class _MaxPool(_Activated):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        options = operator.options(tflite.Pool2DOptions)
        super().__init__(file, operator, options)
        self.size = _steps(options.FilterHeight(), options.FilterWidth())
        self.stride = _steps(options.StrideH(), options.StrideW())
        padding = _padding(options.Padding(), file.shape(operator.inputs[0])[1:3], self.size, self.stride, (1, 1))
        if padding != ((0, 0), (0, 0)):
            raise BundleError("The network in the bundle pads before max pooling, which is not supported.")

    def output_shape(self, x: Shape) -> Shape:
        batch, height, width, channels = x
        return batch, *_windows((height, width), self.size, self.stride, (1, 1)), channels

    def multiplications(self, output: Shape) -> int:
        # Comparisons: they take far longer.
        return _COMPARISON * math.prod(output) * math.prod(self.size)

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(F.max_pool2d(x, self.size, self.stride))


class _Resize(Layer):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        super().__init__(file, operator)
        options = operator.options(tflite.ResizeBilinearOptions)
        if options.AlignCorners() or not options.HalfPixelCenters():
            raise BundleError("The network in the bundle resizes in a way that is not supported.")
        height, width = file.integers(operator.inputs[1], (2,))
        self.size = (height, width)

    def output_shape(self, x: Shape) -> Shape:
        batch, _, _, channels = x
        return batch, *self.size, channels

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, self.size, mode="bilinear", align_corners=False)


class _DepthToSpace(Layer):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        super().__init__(file, operator)
        self.block, _ = _steps(operator.options(tflite.DepthToSpaceOptions).BlockSize(), 1)

    def output_shape(self, x: Shape) -> Shape:
        batch, height, width, channels = x
        if channels % self.block**2:
            raise damaged()
        return batch, height * self.block, width * self.block, channels // self.block**2

    def forward(self, x: Tensor) -> Tensor:
        # TFLite's channels are ordered (block row, block column, channel); PixelShuffle's the other way round.
        n, c, h, w = x.shape
        b = self.block
        x = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(n, c // (b * b), h * b, w * b)


class _Reshape(Layer):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        super().__init__(file, operator)
        batch, *self.shape = file.shape(operator.outputs[0])
        if batch != 1:
            raise BundleError("The network in the bundle mixes images with one another, which is not supported.")

    def output_shape(self, x: Shape) -> Shape:
        if math.prod(x) != math.prod(self.shape):
            raise damaged()
        return 1, *self.shape

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 4:
            x = x.permute(0, 2, 3, 1)
        x = x.reshape(x.shape[0], *self.shape)
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


class _Concatenation(_Activated):
    def __init__(self, file: TFLiteFile, operator: Operator) -> None:
        options = operator.options(tflite.ConcatenationOptions)
        super().__init__(file, operator, options)
        rank = len(file.shape(operator.outputs[0]))
        self._axis_in_file = range(rank)[options.Axis()]
        if self._axis_in_file == 0:
            raise BundleError("The network in the bundle mixes images with one another, which is not supported.")
        self.axis = (0, 2, 3, 1)[self._axis_in_file] if rank == 4 else self._axis_in_file

    def output_shape(self, *parts: Shape) -> Shape:
        joined = list(parts[0])
        joined[self._axis_in_file] = sum(part[self._axis_in_file] for part in parts)
        others = {part[: self._axis_in_file] + part[self._axis_in_file + 1 :] for part in parts}
        if len(others) != 1:
            raise damaged()
        return tuple(joined)

    def forward(self, *parts: Tensor) -> Tensor:
        return self.activate(torch.cat(parts, self.axis))


class _Logistic(Layer):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)


def _steps(vertical: int, horizontal: int) -> tuple[int, int]:
    """Two sizes of a kernel, stride, dilation or block from the file."""
    if not (1 <= vertical <= _LARGEST_STEP and 1 <= horizontal <= _LARGEST_STEP):
        raise damaged()
    return vertical, horizontal


def _padding(
    kind: int, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(top, bottom), (left, right) of zeros that TensorFlow's SAME or VALID padding adds."""
    if kind == tflite.Padding.VALID:
        return (0, 0), (0, 0)
    if kind != tflite.Padding.SAME:
        raise damaged()
    sides = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        sides.append((total // 2, total - total // 2))
    return sides[0], sides[1]


def _windows(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Shape:
    """How many positions a kernel takes within (height, width)."""
    return tuple((n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation, strict=True))


_BUILDERS: dict[int, Callable[[TFLiteFile, Operator], Layer]] = {
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

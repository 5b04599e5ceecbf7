"""The operations of a TFLite graph as torch modules.

Layout: TFLite's four-dimensional tensors are NHWC, here they are NCHW; tensors of other ranks keep their order. Each
layer says which shape it makes of its inputs' shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tflite
import torch
from tflite import BuiltinOperator as Op
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import BundleError
from models.tflite_file import LARGEST_TENSOR, Operator, TFLiteFile, damaged, too_large

Shape = tuple[int, ...]
# Of kernels, strides, dilations and blocks; the official networks have 5, 2, 1 and 2.
_LARGEST_STEP = 32
_COMPARISON = 16
# What a convolution may lay out in memory at once: each pixel of its result with all the values that it is made of.
_MOST_UNFOLDED = 2**26


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


def make_layer(file: TFLiteFile, operator: Operator) -> Layer:
    """The layer that does what this operator does. Raises BundleError where it is damaged or not covered."""
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


class Add(_Activated):
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


class Resize(Layer):
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
    Op.ADD: Add,
    Op.PAD: _Pad,
    Op.MAX_POOL_2D: _MaxPool,
    Op.RESIZE_BILINEAR: Resize,
    Op.DEPTH_TO_SPACE: _DepthToSpace,
    Op.RESHAPE: _Reshape,
    Op.CONCATENATION: _Concatenation,
    Op.LOGISTIC: _Logistic,
}

"""A float TFLite graph as a torch.nn.Module.

Covers what the pose networks need: convolutions with fused ReLU or ReLU6, ADD, PAD, bilinear resize, max pooling,
DEPTH_TO_SPACE, RESHAPE, CONCATENATION, LOGISTIC; weights behind DEQUANTIZE (float16) and DENSIFY (sparse). Only the
operations that the requested outputs depend on are built.

Each layer (`models.tflite_layers`) says which shape it makes of its inputs' shapes. Where that is not the shape that
the file states, the file is damaged; and since those are limited, so are the memory and the time that the network
takes, before it is run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.errors import BundleError
from models.tflite_file import MOST_ACTIVATIONS, MOST_MULTIPLICATIONS, TFLiteFile, damaged, told_as_damage, too_large
from models.tflite_layers import Shape, make_layer

_INPUT_SIDES = (32, 1024)
# Of this thread's own time: heavy takes a tenth of a second.
_LONGEST_CHECK_S = 2.0


class TFLiteGraph(nn.Module):
    """Runs the part of a TFLite graph that leads to some of its outputs.

    model: content of a .tflite file with one subgraph and one image input.
    outputs: indices into the graph's outputs, in the order in which `forward` returns them.

    `input_size` is (height, width). `forward` takes (N, 3, height, width) float and returns a tuple of tensors: NCHW
    where the graph's output has four dimensions, else as in the file with the leading 1 replaced by N. Their shapes
    for N = 1 are the `output_shapes`; `shapes` has those of every tensor that is computed, by its number.
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
            layer = make_layer(file, operator)
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
        self.shapes = {output: _torch_shape(file.shape(output)) for _, output in self.steps}
        self._plan_freeing()

    def let_return(self, tensors: Sequence[int]) -> None:
        """Let `forward` give these tensors instead, numbers as in `steps`; layers that none needs are dropped."""
        needed, kept = set(tensors), []
        for layer, (inputs, output) in reversed(list(zip(self.layers, self.steps, strict=True))):
            if output in needed:
                needed.update(inputs)
                kept.append((layer, (inputs, output)))
        self.layers = nn.ModuleList(layer for layer, _ in reversed(kept))
        self.steps = [step for _, step in reversed(kept)]
        self.output_tensors = list(tensors)
        self.output_shapes = [self.shapes[tensor] for tensor in tensors]
        self._plan_freeing()

    def _plan_freeing(self) -> None:
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

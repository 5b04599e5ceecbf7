"""Layers as a GPU computes them faster."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.tflite_layers import Convolution


class Pointwise(nn.Module):
    """A 1 × 1 convolution as a matrix product, which adds the bias on its way; a convolution adds it afterwards."""

    def __init__(self, layer: Convolution) -> None:
        super().__init__()
        self.layer = layer

    @staticmethod
    def can_be(layer: nn.Module) -> bool:
        """Whether this layer is such a convolution; without a stride, it needs no padding."""
        return isinstance(layer, Convolution) and (*layer.weight.shape[2:], *layer.stride, layer.groups) == (1,) * 5

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)
        product = torch.addmm(self.layer.bias, pixels, self.layer.weight[:, :, 0, 0].T)
        return self.layer.activate(product.view(n, height, width, -1).permute(0, 3, 1, 2))


class InHalf(nn.Module):
    """A network's graph in float16, between float32."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.graph = graph.half()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(values.float() for values in self.graph(images.half()))

"""Weights that anybody can make again: each parameter's values follow from its name and shape alone."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.top_down.hrnet import HRNet
from models.top_down.simple_baseline import SimpleBaseline

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "R50": lambda: SimpleBaseline((3, 4, 6, 3), 17),
    "R101": lambda: SimpleBaseline((3, 4, 23, 3), 17),
    "R152": lambda: SimpleBaseline((3, 8, 36, 3), 17),
    "W32": lambda: HRNet(32, 17),
    "W48": lambda: HRNet(48, 17),
}


def uniform(name: str, shape: tuple[int, ...], low: float, high: float) -> Tensor:
    """Values between low and high, float32: PCG64 seeded with the SHA-256 of “name shape”."""
    seed = int.from_bytes(hashlib.sha256(f"{name} {shape}".encode()).digest()[:8], "little")
    raw = np.random.PCG64(seed).random_raw(math.prod(shape)) >> np.uint64(11)
    return torch.from_numpy((low + (high - low) * (raw * 2.0**-53)).reshape(shape).astype(np.float32))


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """By the authors' name. Convolutions as He et al. draw them; no batch normalisation is trivial."""
    if name.endswith("running_var"):
        return uniform(name, shape, 0.5, 1.5)
    if name.endswith(("running_mean", "bias")):
        return uniform(name, shape, -0.2, 0.2)
    if len(shape) == 1:
        return uniform(name, shape, 0.3, 0.9)
    # A deconvolution of stride 2 with a kernel of 4: four cells of each input meet in a cell.
    inputs = shape[0] * 4 if name.startswith("deconv_layers") else shape[1] * shape[2] * shape[3]
    bound = math.sqrt(6 / inputs)
    return uniform(name, shape, -bound, bound)


def state_of(network: str) -> dict[str, Tensor]:
    """A state dict with the authors' names, without the counts of batches."""
    with torch.device("meta"):
        own = NETWORKS[network]().state_dict()
    return {name: weight(name, tuple(value.shape)) for name, value in own.items() if "num_batches" not in name}


def in_mmpose_layout(state: dict[str, Tensor], head: str) -> dict[str, Tensor]:
    """Under MMPose's names; head: “keypoint_head” (0.x) or “head” (1.x)."""
    return {
        f"{head if re.match('deconv_layers|final_layer', name) else 'backbone'}.{name}": value
        for name, value in state.items()
    }


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path

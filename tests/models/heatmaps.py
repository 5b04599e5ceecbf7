"""Heatmaps with known centres."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian(
    x: float,
    y: float,
    *,
    height: int = 64,
    width: int = 48,
    sigma: float = 2.0,
    peak: float = 1.0,
    background: float = 0.0,
) -> Tensor:
    """(1, 1, H, W) float64: a Gaussian blob at (x, y) in cells."""
    rows = torch.arange(height, dtype=torch.float64)[:, None]
    columns = torch.arange(width, dtype=torch.float64)[None, :]
    blob = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return (background + (peak - background) * blob)[None, None]


def compact_blob(x: float, y: float, *, height: int, width: int, radius: float = 4.0) -> Tensor:
    """(1, 1, H, W) float64: a blob on exact zeros, symmetric about (x, y) where 2x and 2y are whole numbers."""
    rows = torch.arange(height, dtype=torch.float64)[:, None]
    columns = torch.arange(width, dtype=torch.float64)[None, :]
    distance = ((columns - x) ** 2 + (rows - y) ** 2) / radius**2
    return (1 - distance).clamp_min(0)[None, None]

"""Pictures brought to a device, and crops cut there."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# While one piece of a picture is on its way to the device, the next is put into pinned memory.
_PIECE_BYTES = 2 * 2**20


class Picture:
    """A picture (H, W, 3) uint8 BGR in the host's memory. It must stay as it is while it is in use."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self._image = np.ascontiguousarray(image)
        self.shape = self._image.shape
        # torch.from_numpy warns of pictures that are read-only; nothing is written here.
        memory = (ctypes.c_uint8 * self._image.nbytes).from_address(self._image.ctypes.data)
        self.pixels = torch.frombuffer(memory, dtype=torch.uint8).view(self.shape)


class FrameBuffer:
    """Memory on a device for pictures of one size: the rows of the newest one, as far as they were asked for.

    What reads `frame` must be done before another picture is brought.
    """

    def __init__(self, shape: Sequence[int], device: torch.device) -> None:
        self._pinned = host_memory(shape, torch.uint8, device)
        self.frame = torch.zeros(tuple(shape), dtype=torch.uint8, device=device)
        self._rows_at_once = max(1, _PIECE_BYTES // (shape[1] * shape[2]))
        self._held: Picture | None = None
        self._rows = range(0)

    def bring(self, picture: Picture, rows: range) -> None:
        """See to it that these rows of the picture are there before what is asked of the device next."""
        if self._held is not picture:
            self._held, self._rows = picture, range(rows.start, rows.start)
        self._copy(picture, range(rows.start, self._rows.start))
        self._copy(picture, range(self._rows.stop, rows.stop))
        self._rows = range(min(rows.start, self._rows.start), max(rows.stop, self._rows.stop))

    def _copy(self, picture: Picture, rows: range) -> None:
        for start in rows[:: self._rows_at_once]:
            piece = slice(start, min(start + self._rows_at_once, rows.stop))
            # torch copies with several threads, numpy with one.
            self._pinned[piece].copy_(picture.pixels[piece])
            self.frame[piece].copy_(self._pinned[piece], non_blocking=True)


def host_memory(shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Memory of the host that this device reads and writes by itself."""
    return torch.empty(tuple(shape), dtype=dtype, pin_memory=device.type == "cuda")


def rows_needed(affines: Sequence[NDArray[np.float64]], height: int) -> range:
    """The rows of a picture of this height that crops show, with the maps (2, 3) of `Region.crop_to_image`."""
    # A crop's corners are at the map's start, and one step along each axis from there.
    corners = [
        affine[1, 2] + along_x + along_y
        for affine in affines
        for along_x in (0, affine[1, 0])
        for along_y in (0, affine[1, 1])
    ]
    first, last = np.clip((np.floor(min(corners)), np.floor(max(corners)) + 1), 0, height - 1)
    return range(int(first), int(last) + 1)


def sample(frame: Tensor, affines: Tensor, size: int, *, extend: bool) -> Tensor:
    """Cut crops out of `frame` (H, W, 3) uint8 BGR, contiguous, as `models.regions.Region.cut` does on the CPU.

    affines: (N, 2, 3) float64 on the same device, from crop coordinates (0 to 1) to pixels of the frame, as
        `Region.crop_to_image` gives them.
    extend: repeat the frame's border outside of it; else all is black there.

    Returns (N, 3, size, size) float32 RGB from 0 to 255, channels last in memory: bilinear, and not rounded to whole
    grey levels. Column j shows crop coordinate (j + 0.5) / size. Nothing is asked of the device: a CUDA graph can hold
    it.
    """
    height, width = frame.shape[:2]
    # In float64: in float32 a position near 1920 is good to 1e-4 px only, which is .03 grey levels at a sharp edge.
    ticks = torch.arange(size, device=frame.device, dtype=torch.float64).add(0.5) / size
    across, down, start = (affines[:, :, i, None, None] for i in range(3))
    positions = across * ticks + (down * ticks[:, None] + start)
    columns, column_weights = _taps(positions[:, 0], width, extend)
    rows, row_weights = _taps(positions[:, 1], height, extend)
    # (2, 2, N, size, size): the pixels above and below each position, left and right of it.
    cells = rows[:, None] * width + columns
    weights = row_weights[:, None] * column_weights
    colours = frame.view(-1, 3)[cells].to(torch.float32)
    crops = (colours * weights[..., None]).sum((0, 1))
    return crops.flip(-1).permute(0, 3, 1, 2)


def _taps(positions: Tensor, count: int, extend: bool) -> tuple[Tensor, Tensor]:
    """(2, N, S, S) each: the two of `count` pixels between which each position (N, S, S) lies, and their weights."""
    before = positions.floor()
    share = (positions - before).to(torch.float32)
    weights = torch.stack((1 - share, share))
    pixels = torch.stack((before, before + 1))
    inside = pixels.clamp(0, count - 1)
    if not extend:
        weights = weights * (inside == pixels)
    return inside.to(torch.int64), weights


def drawn_person(size: int) -> NDArray[np.uint8]:
    """A person (size, size, 3) BGR, standing and seen from the front, whom the networks take for one: to try a device.

    Every joint's heatmap has its peak at .6 or higher in each of the shipped networks.
    """
    y, x = np.mgrid[0:size, 0:size] / size
    picture = np.full((size, size, 3), (150.0, 165.0, 160.0)) + 40 * (y[..., None] - 0.5)

    def limb(x0: float, y0: float, x1: float, y1: float, radius: float, colour: tuple[int, int, int]) -> None:
        dx, dy = x1 - x0, y1 - y0
        share = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        distance = np.hypot(x - x0 - share * dx, y - y0 - share * dy)[..., None] / radius
        cover = np.clip((1 - distance) * radius * size + 0.5, 0, 1)
        shaded = np.array(colour) * (1 - 0.5 * np.minimum(distance, 1) ** 2)
        picture[:] = picture + cover * (shaded - picture)

    skin, shirt, trousers, dark = (140, 170, 215), (120, 70, 40), (60, 50, 45), (25, 30, 35)
    for side in (-1, 1):
        limb(0.5 + 0.045 * side, 0.52, 0.5 + 0.06 * side, 0.7, 0.042, trousers)
        limb(0.5 + 0.06 * side, 0.7, 0.5 + 0.065 * side, 0.87, 0.032, trousers)
        limb(0.5 + 0.065 * side, 0.88, 0.5 + 0.09 * side, 0.895, 0.022, dark)
    for step in range(-3, 4):
        limb(0.5 + 0.022 * step, 0.3, 0.5 + 0.017 * step, 0.52, 0.04, shirt)
    for side in (-1, 1):
        limb(0.5 + 0.1 * side, 0.29, 0.5 + 0.155 * side, 0.41, 0.03, shirt)
        limb(0.5 + 0.155 * side, 0.41, 0.5 + 0.172 * side, 0.56, 0.024, skin)
    limb(0.5, 0.22, 0.5, 0.27, 0.028, skin)
    limb(0.5, 0.155, 0.5, 0.185, 0.05, skin)
    limb(0.5, 0.125, 0.5, 0.13, 0.05, dark)
    for side in (-1, 1):
        limb(0.5 + 0.02 * side, 0.165, 0.5 + 0.02 * side, 0.166, 0.007, dark)
    limb(0.485, 0.207, 0.515, 0.207, 0.005, (70, 70, 150))
    rounded: NDArray[np.uint8] = picture.round().astype(np.uint8)
    return rounded

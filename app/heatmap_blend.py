"""The heatmaps that the decoders read, laid over the picture."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np

from app.frames import Image, Person

# How much of the picture a heatmap's peak hides.
_OPACITY = 0.82
_CLEAR_BELOW = 0.03
# Maps whose peak is lower than this say nothing; among all joints they would only be a haze.
_MIN_PEAK = 0.3


def blend_heatmap(picture: Image, person: Person, joint: int | None) -> None:
    """Blend the heatmap of one joint, or the highest of all joints where `joint` is None, into `picture` (H, W, 3).

    Nothing is drawn where the person's heatmaps were not kept.
    """
    maps = person.heatmaps
    if maps is None:
        return
    if joint is None:
        seen = maps[person.scores["argmax"] >= _MIN_PEAK]
        values = seen.max(0) if len(seen) else np.zeros_like(maps[0])
    else:
        values = maps[joint]
    height, width = maps.shape[-2:]
    # Cell (column, row) stands for (column / W, row / H) of the crop.
    to_picture = person.region.crop_to_image() @ np.diag((1 / width, 1 / height, 1.0))
    corners = np.array([(-1, -1), (width, -1), (width, height), (-1, height)]) @ to_picture[:, :2].T + to_picture[:, 2]
    left, top = (max(0, math.floor(value)) for value in corners.min(0))
    right = min(picture.shape[1], math.ceil(corners[:, 0].max()) + 1)
    bottom = min(picture.shape[0], math.ceil(corners[:, 1].max()) + 1)
    if right <= left or bottom <= top:
        return
    to_picture[:, 2] -= left, top
    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    level = cv2.warpAffine(levels, to_picture, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    part = picture[top:bottom, left:right]
    color, rest = _tables()
    # In whole numbers throughout: twice as fast as a blend with shares, and off by one level at most.
    cv2.multiply(part, cv2.applyColorMap(level, rest), dst=part, scale=1 / 255)
    cv2.add(part, cv2.applyColorMap(level, color), dst=part)


@cache
def _tables() -> tuple[Image, Image]:
    """(256, 1, 3) each: what a level adds to the picture, and how much of the picture it leaves, of 255.

    Clear where there is nearly nothing, then rising fast, so that the blob's foot is seen too.
    """
    levels = np.arange(256, dtype=np.uint8)[:, None]
    shares = np.maximum((levels / 255 - _CLEAR_BELOW) / (1 - _CLEAR_BELOW), 0)
    opacity = (_OPACITY * np.sqrt(shares))[..., None]
    color = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO) * opacity
    rest = 255 * (1 - opacity).repeat(3, -1)
    return np.rint(color).astype(np.uint8), np.rint(rest).astype(np.uint8)

"""The flip test: a crop and its mirror image, read as one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.skeletons import BLAZEPOSE_33

_MIRRORED = list(BLAZEPOSE_33.mirrored)


def joined_maps(maps: NDArray[np.float32], of_mirrored: NDArray[np.float32]) -> NDArray[np.float32]:
    """Heatmaps (N, 33, H, W) of crops, averaged with those of the mirrored crops.

    Cell c stands for share c / W of the crop, and the mirrored crop shows share 1 - x at share x. So what is at share
    c / W is at share (W - c) / W there: m[c] = f[W - c], with left and right joints swapped. The f[W - 1 - c] that
    one would write first, f[..., ::-1], is off by a whole cell, and the average by half of one. Cell W does not exist:
    column 0 keeps what the crop itself says.
    """
    joined = maps.copy()
    joined[..., 1:] += of_mirrored[:, _MIRRORED, :, :0:-1]
    joined[..., 1:] /= 2
    return joined


def joined_points(points: NDArray[np.float64], of_mirrored: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for points (N, 33, 2) in shares of the crop: the mean of x and 1 - x'."""
    turned = of_mirrored[:, _MIRRORED] * (-1, 1) + (1, 0)
    return (points + turned) / 2

"""What a network takes and gives: the size of its crops and how they are cut, its joints, and who can read it.

Plain numpy: importing this does not import torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.readings import DECODER_NAMES, HEATMAP_DECODERS
from models.regions import CROP_MARGIN, Region, region_from_alignment
from models.skeletons import BLAZEPOSE_33, COCO_FROM_BLAZEPOSE

# Of a body whose axis is as long as the circle around it is wide: how wide the body is across.
_BODY_WIDTH = 0.5


@dataclass(frozen=True, slots=True)
class NetworkTraits:
    """height, width: of its crops, px. extend, centers: how they are cut, see `models.regions.Region.cut`.

    upright: whether crops stay upright, for a network that was trained so; else they turn with the person.
    joints: the indices in BLAZEPOSE_33 of those that it knows.
    decoders: names of the readings, in the order of `models.readings.CropReadings.points`.
    """

    height: int
    width: int
    extend: bool
    centers: bool
    upright: bool
    joints: tuple[int, ...]
    decoders: tuple[str, ...]

    @property
    def aspect(self) -> float:
        """Width / height of a crop."""
        return self.width / self.height

    def placed(self, values: NDArray[np.float32], axis: int, unknown: float) -> NDArray[np.float32]:
        """Values of the joints of this network along `axis` -> of all of BLAZEPOSE_33, `unknown` for the rest."""
        shape = list(values.shape)
        shape[axis] = len(BLAZEPOSE_33.joints)
        whole = np.full(shape, unknown, np.float32)
        np.moveaxis(whole, axis, 0)[list(self.joints)] = np.moveaxis(values, axis, 0)
        return whole

    def cut(self, image: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
        """The crop (height, width, 3) uint8 BGR out of `image` (H, W, 3)."""
        return region.cut(image, (self.height, self.width), extend=self.extend, centers=self.centers)

    def cut_mirrored(self, image: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
        """The mirror image of the crop: it shows at share x what the crop shows at share 1 - x."""
        if not self.centers:
            # Column j shows share j / width, from 0 to one step before 1; the mirrored crop goes from 1 to one step
            # after 0. So a crop one column further on is turned around.
            center_x, center_y = region.to_image(np.array([0.5 + 1 / self.width, 0.5])).tolist()
            region = replace(region, center_x=center_x, center_y=center_y)
        return np.ascontiguousarray(self.cut(image, region)[:, ::-1])

    def tiles(self, count: int) -> list[Region]:
        """Regions in `count` crops on top of each other: region i is crop i, pixel for pixel.

        At these places resampling is the identity, and touches no neighbour.
        """
        # Where columns show their centres, share .5 lies between two pixels, else on one.
        off = 0.5 if self.centers else 0.0
        x, y = self.width / 2 - off, self.height / 2 - off
        return [Region(x, y + i * self.height, float(self.height), 0.0, self.aspect) for i in range(count)]

    def region_around(self, x: float, y: float, width: float, height: float) -> Region:
        """The upright crop around a box of this centre and size, all in px: padded to the crops' aspect, then enlarged
        by CROP_MARGIN. So do the authors of SimpleBaseline and HRNet; for square crops the longer side counts.
        """
        return Region(x, y, CROP_MARGIN * max(height, width / self.aspect), 0.0, self.aspect)

    def region_of_detection(self, center: NDArray[np.floating], scale: NDArray[np.floating]) -> Region:
        """The crop for somebody whom the detector saw, from the two alignment points, each (2,) in image pixels."""
        square = region_from_alignment(center, scale)
        if not self.upright:
            return square
        # The body is taken for a rectangle in the circle, and the box around that is what counts.
        along, across = abs(math.cos(square.rotation)), abs(math.sin(square.rotation))
        body = square.body_size
        width, height = body * (across + _BODY_WIDTH * along), body * (along + _BODY_WIDTH * across)
        return self.region_around(square.center_x, square.center_y, width, height)


# The landmark networks of the official bundles.
BLAZEPOSE = NetworkTraits(
    height=256,
    width=256,
    extend=True,
    centers=True,
    upright=False,
    joints=tuple(range(len(BLAZEPOSE_33.joints))),
    decoders=DECODER_NAMES,
)


def top_down_traits(input_size: tuple[int, int]) -> NetworkTraits:
    """Of SimpleBaseline and HRNet with crops of this height and width.

    Their crops were cut by an affine map that brings the middle of the box to the pixel (width / 2, height / 2), so
    that column j shows share j / width: no half pixel, and black outside of the picture. The same map with the size of
    the heatmaps brings their cells back: cell c stands for share c / W. Read in the authors' code (get_affine_transform
    and transform_preds) and compared with it, see tests/models/test_top_down_crops.py.
    """
    height, width = input_size
    return NetworkTraits(height, width, False, False, True, COCO_FROM_BLAZEPOSE, HEATMAP_DECODERS)

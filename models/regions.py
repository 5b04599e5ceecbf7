"""The rotated crop of a person, square or not: from alignment points, to an affine map, to the next crop.

All image coordinates are pixels (x right, y down) of the source image, as OpenCV counts them: (0, 0) is the
centre of the top left pixel. Crop coordinates are shares of the crop's width and height, 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# From MediaPipe's pose graphs: the crop is this much larger than the circle around the person.
CROP_MARGIN = 1.25

# Of the side of such a square: how far the next one is away at most.
_SEARCH_STEP = 0.4

# How far the crop may be off the place where it should be before it follows, as a share of its side. Measured on a
# person who stands still: without it the decoders' jitter is three times as large, with .005 to .02 it is the same.
FOLLOWING_SLACK = 0.005


@dataclass(frozen=True, slots=True)
class Region:
    """A crop: centre (px), side (px) and rotation (radians, clockwise on screen).

    aspect: width / height; `side` is the height. The crops of BlazePose are square.
    """

    center_x: float
    center_y: float
    side: float
    rotation: float
    aspect: float = 1.0

    @property
    def body_size(self) -> float:
        """Diameter in px of the circle that encloses the body, about the height of a standing person."""
        return self.side / CROP_MARGIN

    def crop_to_image(self) -> NDArray[np.float64]:
        """(2, 3) affine map from crop coordinates (0 to 1) to image pixels."""
        cos, sin = math.cos(self.rotation) * self.side, math.sin(self.rotation) * self.side
        across_x, across_y = cos * self.aspect, sin * self.aspect
        return np.array(
            [
                [across_x, -sin, self.center_x - (across_x - sin) / 2],
                [across_y, cos, self.center_y - (across_y + cos) / 2],
            ]
        )

    def followed_to(self, target: Region, slack: float = FOLLOWING_SLACK) -> Region:
        """The crop after this one for a person who is now at `target`: pulled along, as on a rope with some slack.

        Alignment points tremble with the picture's noise, and a crop that is cut anew for each frame lets every joint
        tremble along. So nothing moves as long as centre, side and rotation are off by less than `slack` (a share of
        the side; the rotation by as much as moves the middle of the crop's border by `slack`), and what goes beyond is
        followed at once, without any delay.
        """
        dx, dy = target.center_x - self.center_x, target.center_y - self.center_y
        distance, free = math.hypot(dx, dy), slack * self.side
        share = 1 - free / distance if distance > free else 0.0
        turn = _wrapped(target.rotation - self.rotation)
        turn = math.copysign(max(0.0, abs(turn) - 2 * slack), turn)
        return replace(
            self,
            center_x=self.center_x + share * dx,
            center_y=self.center_y + share * dy,
            side=min(max(self.side, target.side / (1 + slack)), target.side / (1 - slack)),
            rotation=_wrapped(self.rotation + turn),
        )

    def to_image(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) in crop coordinates (0 to 1) -> image pixels."""
        affine = self.crop_to_image()
        return np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2]

    def to_crop(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) in image pixels -> crop coordinates (0 to 1)."""
        affine = self.crop_to_image()
        return (np.asarray(points, np.float64) - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T

    def cut(
        self, image: NDArray[np.uint8], size: int | tuple[int, int], *, extend: bool = False, centers: bool = True
    ) -> NDArray[np.uint8]:
        """The crop as (height, width, 3) uint8, bilinear; black outside of `image` (H, W, 3).

        size: height and width of the result, or the side of a square one.
        extend: repeat the image's border pixels outside of it instead. MediaPipe does so for the landmark network,
            and fills with black for the detector.
        centers: column j of the result shows crop coordinate (j + 0.5) / width, the centre of that column; else
            j / width. Rows likewise.

        BlazePose's networks were trained with centres: on annotated people and on their mirror images all three then
        read 0.00 ± .05 cells off along x. MediaPipe's converter for CPUs shows j / width, which puts each joint .11
        cells to one side. For others see `models.top_down.crops`.
        """
        # Here, and not at the top: only the crop on the CPU needs OpenCV.
        import cv2

        height, width = (size, size) if isinstance(size, int) else size
        to_image = self.crop_to_image()
        to_image[:, :2] /= width, height
        if centers:
            to_image[:, 2] += to_image[:, :2].sum(1) / 2
        crop = cv2.warpAffine(
            image,
            to_image,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if extend else cv2.BORDER_CONSTANT,
        )
        return crop.astype(np.uint8, copy=False)


def region_from_alignment(center: NDArray[np.floating], scale: NDArray[np.floating]) -> Region:
    """The crop for a person with these two alignment points, each (2,) in image pixels.

    `center` is the middle of the hips; `scale` lies on the circle around the whole person, above the head when
    the person stands. MediaPipe: AlignmentPointsRectsCalculator with target angle 90°, then
    RectTransformationCalculator with scale 1.25.
    """
    dx, dy = float(scale[0] - center[0]), float(scale[1] - center[1])
    rotation = _wrapped(math.pi / 2 - math.atan2(-dy, dx))
    return Region(float(center[0]), float(center[1]), 2 * CROP_MARGIN * math.hypot(dx, dy), rotation)


def letterbox(image_height: int, image_width: int) -> Region:
    """The smallest upright square that holds the whole image: what the person detector looks at."""
    return Region((image_width - 1) / 2, (image_height - 1) / 2, float(max(image_height, image_width)), 0.0)


def search_squares(image_height: int, image_width: int) -> tuple[Region, ...]:
    """Where the person detector looks for several people, who may be too small in the whole image: that, then upright
    squares as large as the shorter side allows, which overlap so that everybody is whole in one of them.
    """
    side = min(image_height, image_width)
    beyond = max(image_height, image_width) - side
    count = math.ceil(beyond / (_SEARCH_STEP * side)) + 1 if beyond else 0
    across = image_width > image_height
    middle = (side - 1) / 2
    squares = []
    for i in range(count):
        along = middle + beyond * i / (count - 1)
        squares.append(Region(along if across else middle, middle if across else along, float(side), 0.0))
    return letterbox(image_height, image_width), *squares


def _wrapped(angle: float) -> float:
    """The same angle from -π up to π."""
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))

"""Crops of people, cut and read ahead in threads of their own; also mirrored, and from pictures that were shrunk."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from app.evaluation.annotations import AnnotatedPerson
from app.frames import Image
from models.regions import Region, letterbox
from models.traits import NetworkTraits

DETECTOR_SIZE = 224
# Heights to which a person's box is shrunk, in px; who is less high than the first is not among them.
SHRUNK_TO = (192, 128, 96, 64, 32)
# Around a crop in a shrunk picture: what bilinear sampling touches, and more.
_RIM = 2
_RIM_SHARE = 0.01

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One crop to be read.

    region: where it lies in the picture as it is. pixels: (H, W, 3) uint8 BGR, as the network takes them. mirrored: the
    mirror image, or None.
    """

    region: Region
    pixels: Image
    mirrored: Image | None


def region_of_box(person: AnnotatedPerson, traits: NetworkTraits) -> Region:
    """An upright crop around the box: see `models.traits.NetworkTraits.region_around`.

    COCO counts boxes from the corner of the top left pixel, and points from its centre: half a pixel less.
    """
    x, y, width, height = person.box
    return traits.region_around(x + width / 2 - 0.5, y + height / 2 - 0.5, width, height)


def cut_person(picture: Image, region: Region, traits: NetworkTraits, *, flip: bool) -> Cut:
    """The person at `region`; with the mirrored crop too where `flip` says so."""
    return Cut(region, traits.cut(picture, region), traits.cut_mirrored(picture, region) if flip else None)


def cut_shrunk(picture: Image, person: AnnotatedPerson, target: int, traits: NetworkTraits, *, flip: bool) -> Cut:
    """The person as in a picture so small that their box is `target` px high.

    Only the neighbourhood of the crop is shrunk. Points in shares of the crop are the same in both pictures.
    """
    region = region_of_box(person, traits)
    small, small_region = shrink_around(picture, region, target / person.height)
    cut = cut_person(small, small_region, traits, flip=flip)
    return Cut(region, cut.pixels, cut.mirrored)


def shrink_around(picture: Image, region: Region, scale: float) -> tuple[Image, Region]:
    """The neighbourhood of an upright region, `scale` (at most 1) times as large, and where the region lies in it.

    Pixel d of the small picture is the mean of what lies between (d) / scale and (d + 1) / scale in the large one,
    counted from its corner.
    """
    height, width = picture.shape[:2]
    # The mirrored crop of a top-down network begins a column of its input further on.
    rim = _RIM / scale + (_RIM_SHARE * region.side if region.aspect != 1 else 0)
    left, right = _span(region.center_x, region.side * region.aspect / 2 + rim, width)
    top, bottom = _span(region.center_y, region.side / 2 + rim, height)
    near: Image = picture[top:bottom, left:right]
    if min(near.shape[:2]) * scale < 1:
        # A sliver would become nothing at all.
        beyond = math.ceil(1 / scale)
        near = np.asarray(cv2.copyMakeBorder(near, 0, beyond, 0, beyond, cv2.BORDER_REPLICATE), np.uint8)
    small = cv2.resize(near, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    there = Region(
        (region.center_x - left + 0.5) * scale - 0.5,
        (region.center_y - top + 0.5) * scale - 0.5,
        region.side * scale,
        region.rotation,
        region.aspect,
    )
    return np.asarray(small, np.uint8), there


def _span(center: float, reach: float, size: int) -> tuple[int, int]:
    """The pixels of one axis that lie within reach; at least one, also where the crop lies outside of the picture."""
    first = min(max(int(center - reach), 0), size - 1)
    return first, min(max(int(center + reach) + 2, first + 1), size)


def detector_square(picture: Image) -> Image:
    """What the detector looks at: the whole picture in a black square.

    Of a square of this size the detector's own square is the same, pixel for pixel; so this can be cut ahead, and
    pictures of all sizes are one size to a GPU.
    """
    return letterbox(*picture.shape[:2]).cut(picture, DETECTOR_SIZE)


def from_detector_square(region: Region, picture: Image) -> Region:
    """A region in `detector_square(picture)` as a region in the picture."""
    square = letterbox(*picture.shape[:2])
    center = square.to_image((np.array([region.center_x, region.center_y]) + 0.5) / DETECTOR_SIZE)
    scale = square.side / DETECTOR_SIZE
    return replace(region, center_x=float(center[0]), center_y=float(center[1]), side=region.side * scale)


def stacked(crops: Iterable[Image]) -> NDArray[np.uint8]:
    """Crops (H, W, 3) as one picture (N H, W, 3), for `models.traits.NetworkTraits.tiles`."""
    return np.concatenate(list(crops))


def ahead(make: Callable[[_Item], _Made], items: Iterable[_Item], workers: int, depth: int) -> Iterator[_Made]:
    """`make` of each item in turn, made by `workers` threads up to `depth` items ahead.

    Whatever `make` raises is raised here. The threads have ended when the iterator is at its end or is closed.
    """
    waiting: deque[Future[_Made]] = deque()
    rest = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="crops")
    try:
        for item in rest:
            waiting.append(pool.submit(make, item))
            if len(waiting) == depth:
                break
        while waiting:
            made = waiting.popleft().result()
            for item in rest:
                waiting.append(pool.submit(make, item))
                break
            yield made
    finally:
        pool.shutdown(cancel_futures=True)

"""Views of a person: the crop that the network sees, cut anew and disturbed each time, and where its joints are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.evaluation.crops import region_of_box
from app.frames import Image
from app.training.people import TrainingPerson
from models.regions import Region
from models.skeletons import BLAZEPOSE_33
from models.traits import NetworkTraits

Floats = NDArray[np.float64]

# A change to how views are made makes what was computed of them useless.
VERSION = 2
_SCALES = (0.8, 1.3)
_TURNED, _LARGEST_TURN = 0.6, math.radians(35)
_LARGEST_SHIFT = 0.06  # of the crop's side
_OCCLUDED = 0.5
_OCCLUDER_SIDES = (0.08, 0.35)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """pixels: (H, W, 3) uint8 BGR. points: (J, 2), x and y as shares of the crop. labelled: (J,), known and inside."""

    pixels: Image
    points: NDArray[np.float64]
    labelled: NDArray[np.bool_]


def plain_view(picture: Image, person: TrainingPerson, traits: NetworkTraits) -> View:
    """The person as `posescope evaluate` cuts them: upright, around their box."""
    region = region_of_box(person.person, traits)
    return _view(traits.cut(picture, region), region.to_crop(person.points), person.labelled)


def disturbed_view(
    picture: Image,
    person: TrainingPerson,
    traits: NetworkTraits,
    joints: tuple[int, ...],
    random: np.random.Generator,
) -> View:
    """The person turned, nearer or further away, perhaps mirrored (left and right exchanged), in other colours, with
    noise and things in front of them. A joint that is hidden stays labelled, as in annotated pictures.
    """
    region = _disturbed(region_of_box(person.person, traits), random)
    points, labelled = region.to_crop(person.points), person.labelled
    if random.random() < 0.5:
        pixels = traits.cut_mirrored(picture, region)
        place = {joint: i for i, joint in enumerate(joints)}
        # A joint whose counterpart is not trained is not known in a mirror image.
        sources = [place.get(BLAZEPOSE_33.mirrored[joint], -1) for joint in joints]
        points = (points * (-1, 1) + (1, 0))[sources]
        labelled = np.array([source >= 0 and bool(labelled[source]) for source in sources])
    else:
        pixels = traits.cut(picture, region)
    return _view(_recolored(_occluded(pixels, random), random), points, labelled)


def _view(pixels: Image, points: Floats, labelled: NDArray[np.bool_]) -> View:
    return View(pixels, points, labelled & ((points >= 0) & (points <= 1)).all(-1))


def _disturbed(region: Region, random: np.random.Generator) -> Region:
    scale = math.exp(random.uniform(math.log(_SCALES[0]), math.log(_SCALES[1])))
    turn = random.uniform(-_LARGEST_TURN, _LARGEST_TURN) if random.random() < _TURNED else 0.0
    dx, dy = random.uniform(-_LARGEST_SHIFT, _LARGEST_SHIFT, 2) * region.side
    return Region(region.center_x + dx, region.center_y + dy, region.side * scale, turn, region.aspect)


def _occluded(pixels: Image, random: np.random.Generator) -> Image:
    if random.random() >= _OCCLUDED:
        return pixels
    pixels = pixels.copy()
    rows, columns = pixels.shape[:2]
    for _ in range(random.integers(1, 3)):
        width, height = (random.uniform(*_OCCLUDER_SIDES, 2) * (columns, rows)).astype(int) + 1
        x, y = random.integers(0, columns - width), random.integers(0, rows - height)
        if random.random() < 0.5:
            # Another part of the same picture: as sharp, and lit alike.
            from_x, from_y = random.integers(0, columns - width), random.integers(0, rows - height)
            cover = pixels[from_y : from_y + height, from_x : from_x + width].copy()
        else:
            cover = np.broadcast_to(random.integers(0, 256, 3, np.uint8), (height, width, 3))
        mask = _ellipse(height, width) if random.random() < 0.5 else np.ones((height, width), np.bool_)
        part = pixels[y : y + height, x : x + width]
        part[mask] = cover[mask]
    return pixels


def _ellipse(height: int, width: int) -> NDArray[np.bool_]:
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    inside: NDArray[np.bool_] = x * x + y * y <= 1
    return inside


def _recolored(pixels: Image, random: np.random.Generator) -> Image:
    if random.random() < 0.15:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.5, 2.0)), np.uint8)
    gain = random.uniform(0.75, 1.25) * random.uniform(0.9, 1.1, 3)
    values = pixels * gain + random.uniform(-20, 20)
    noise = random.uniform(0, 6)
    values += random.standard_normal(pixels.shape, np.float32) * noise
    return np.clip(values, 0, 255).astype(np.uint8)

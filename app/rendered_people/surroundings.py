"""Places drawn at random: rooms, outdoors, studios. The camera looks along +y, people stand around the origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.rendered_people.camera import Camera, Triple
from app.rendered_people.meshes import Material
from app.rendered_people.parts import Cell, Draws, color_cell
from app.rendered_people.rotations import Array
from app.rendered_people.scenery import Paint, Thing, box, bunch, painted, post

PLAIN, GRAIN, STRIPES, CHECKS, ROUGH, COLOURFUL, BRICKS = range(7)  # patterns of shaders/scenery.frag
_EMPTY = 1.5  # m around the origin: there are people


@dataclass(frozen=True, eq=False)
class Place:
    """outdoors: lit by the sun, and one sees far."""

    kind: str
    things: list[Thing]
    outdoors: bool


def random_place(random: Draws) -> Place:
    kinds: dict[str, Callable[[Draws], Place]] = {
        "room": _room,
        "outdoors": _outdoors,
        "studio": _studio,
    }
    kind = str(random.choice(list(kinds), p=[0.5, 0.3, 0.2]))
    place = kinds[kind](random)
    if random.random() < 0.4:
        place.things.extend(_clutter(random, int(random.integers(4, 16))))
    return place


def random_color(random: Draws, low: float = 0.03, high: float = 0.75) -> Array:
    """Linear light: greyish ones as often as strong ones."""

    def draw() -> Array:
        grey = random.uniform(low, high)
        strong = random.uniform(low, high, 3)
        return np.asarray(grey + (strong - grey) * random.uniform(0, 1))

    return random.of_part(draw, color_cell)


def _shade(random: Draws, color: Triple, low: float, high: float) -> Array:
    """A colour, darker or brighter."""
    return random.of_part(lambda: np.array(color) * random.uniform(low, high), color_cell)


def backdrop(camera: Camera, outdoors: bool, random: Draws) -> NDArray[np.float32]:
    """(H, W, 3) linear RGB behind all things: a sky with clouds, or a soft gradient."""
    rows, columns = np.mgrid[: camera.height, : camera.width]
    # Elevation over the horizon, as it falls on the picture.
    rays = np.stack(
        [columns + 0.5 - camera.width / 2, camera.height / 2 - rows - 0.5, np.full(rows.shape, -camera.focal)], -1
    )
    directions = rays @ camera.view[:3, :3]
    up = directions[..., 2] / np.linalg.norm(directions, axis=-1)
    zenith, horizon = (random_color(random, 0.15, 0.9) for _ in range(2))
    if outdoors:
        zenith = random.of_part(lambda: _blue_sky(random), color_cell)
        horizon = _shade(random, (0.75, 0.78, 0.80), 0.7, 1.2)
    share = np.clip(up * 2.5, 0, 1)[..., None] ** 0.6
    sky = horizon + (zenith - horizon) * share
    clouds = _soft_noise(camera.height, camera.width, random)
    strength = random.uniform(0, 0.8) if outdoors else random.uniform(0, 0.3)
    covered = np.clip((clouds - 0.5) * 4, 0, 1)[..., None] * strength
    result: NDArray[np.float32] = (sky + (0.85 - sky) * covered).astype(np.float32)
    return result


def _blue_sky(random: Draws) -> Array:
    """More or less hazy."""
    blue = np.array([0.16, 0.32, 0.68]) * random.uniform(0.6, 1.3)
    return np.asarray(blue + (random.uniform(0.4, 0.8) - blue) * random.uniform(0, 1) ** 2)


def _soft_noise(height: int, width: int, random: Draws) -> Array:
    """(H, W), about 0 to 1, in several sizes."""
    total = np.zeros((height, width))
    for octave in range(1, 6):
        cells = 2**octave
        coarse = random.uniform(0, 1, (cells, 2 * cells)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total / (1 - 2.0**-5)


# Kinds of places


def _room(random: Draws) -> Place:
    wall_y, half = random.uniform(1.6, 4.0), random.uniform(2.4, 4.5)
    height = random.uniform(2.4, 3.4)
    color, pattern = random_color(random, 0.15, 0.8), int(random.choice([PLAIN, PLAIN, PLAIN, STRIPES, BRICKS, ROUGH]))
    wall = painted(color, pattern)
    side = painted(random_color(random, 0.15, 0.8)) if random.random() < 0.3 else wall
    things = [
        box([-half, wall_y, -0.1], [half, wall_y + 0.1, height], paint=wall),
        box([-half - 0.1, -6, -0.1], [-half, wall_y, height], paint=side),
        box([half, -6, -0.1], [half + 0.1, wall_y, height], paint=side),
        box([-half, wall_y - 0.02, 0], [half, wall_y, 0.1], paint=painted(random_color(random, 0.3, 0.8))),
    ]
    floor = random.of_part(lambda: _floor_pattern(random), lambda floor: room_cell(pattern, floor))
    if floor is None:
        things.append(box([-8, -8, -0.1], [8, wall_y, 0], Material.PARQUET))
    else:
        things.append(box([-8, -8, -0.1], [8, wall_y, 0], paint=painted(random_color(random, 0.08, 0.6), floor)))
    x = -half + random.uniform(0, 0.4)
    while x < half - 0.5:
        piece = _FURNITURE[random.integers(len(_FURNITURE))]
        width = random.uniform(0.4, 1.3)
        if x + width < half:
            things += piece(x, wall_y, width, random)
        x += width + random.uniform(0.0, 0.9)
    if random.random() < 0.3:
        size = random.uniform(0.8, 1.6, 2)
        things.append(box([-size[0], -size[1], 0], [size[0], size[1], 0.008], paint=_any_paint(random)))
    return Place("room", things, outdoors=False)


def _floor_pattern(random: Draws) -> int | None:
    """None: parquet."""
    return None if random.random() < 0.4 else int(random.choice([PLAIN, GRAIN, CHECKS, ROUGH]))


def room_cell(wall: int, floor: int | None) -> Cell:
    """The kind of a room, by the patterns of its walls and of its floor (None: parquet)."""
    return (PLAIN, STRIPES, BRICKS, ROUGH).index(wall), (PLAIN, None, ROUGH, GRAIN, CHECKS).index(floor)


def _outdoors(random: Draws) -> Place:
    greens = _shade(random, (0.10, 0.19, 0.05), 0.6, 1.6)
    ground = greens if random.random() < 0.5 else random_color(random, 0.1, 0.45)
    things = [box([-60, -20, -0.2], [60, 120, 0], paint=painted(ground, ROUGH))]
    if random.random() < 0.5:
        width = random.uniform(1.5, 4)
        things.append(box([-60, 2, 0], [60, 2 + width, 0.01], paint=painted(random_color(random, 0.1, 0.35), ROUGH)))
    for _ in range(random.integers(0, 9)):
        things += _tree(random)
    for _ in range(random.integers(0, 5)):
        x, y = random.uniform(-25, 25), random.uniform(14, 45)
        size = random.uniform([4, 4, 3], [12, 10, 14])
        paint = painted(random_color(random, 0.15, 0.7), random.choice([PLAIN, BRICKS, STRIPES, CHECKS]))
        things.append(box([x, y, 0], [x + size[0], y + size[1], size[2]], paint=paint, turn=random.uniform(-0.4, 0.4)))
    if random.random() < 0.3:
        y, paint = random.uniform(2.2, 6), painted(random_color(random, 0.1, 0.7), GRAIN)
        things += [box([x, y, 0], [x + 0.1, y + 0.03, 1.1], paint=paint) for x in np.arange(-8, 8, 0.16)]
    return Place("outdoors", things, outdoors=True)


def _studio(random: Draws) -> Place:
    """Anything for a background: strong patterns in all colours."""
    y = random.uniform(1.5, 3.0)
    things = [box([-9, y, -0.1], [9, y + 0.1, 7], paint=_any_paint(random))]
    floor = _any_paint(random) if random.random() < 0.5 else painted(random_color(random, 0.1, 0.6))
    things.append(box([-9, -8, -0.1], [9, y, 0], paint=floor))
    return Place("studio", things, outdoors=False)


def _any_paint(random: Draws) -> Paint:
    return painted(random_color(random, 0.1, 0.75), int(random.integers(7)))


# What stands around. Furniture: from x to x + width, at a wall


def _cupboard(x: float, wall: float, width: float, random: Draws) -> list[Thing]:
    height, depth = random.uniform(0.4, 2.1), random.uniform(0.25, 0.5)
    paint = painted(random_color(random), random.choice([PLAIN, GRAIN]))
    door = painted(random_color(random), random.choice([PLAIN, GRAIN]))
    things = [box([x, wall - depth, 0], [x + width, wall, height], paint=paint)]
    for left, right in ((0.05, 0.48), (0.52, 0.95)):
        low, high = [x + left * width, wall - depth - 0.02, 0.06], [x + right * width, wall - depth, height - 0.05]
        things.append(box(low, high, paint=door))
    if height < 1.2:
        centre = [x + width / 2, wall - depth / 2, height + 0.2]
        things += bunch(centre, [0.08, 0.06, 0.08], 20, random, paint=painted([0.09, 0.19, 0.06], ROUGH))
    return things


def _picture(x: float, wall: float, width: float, random: Draws) -> list[Thing]:
    low = random.uniform(0.9, 1.4)
    high = low + width * random.uniform(0.5, 1.1)
    inner = box([x + 0.04, wall - 0.035, low + 0.04], [x + width - 0.04, wall, high - 0.04], Material.PICTURE)
    if random.random() < 0.5:
        ends = inner.points.min(0), inner.points.max(0)
        inner = box(*ends, paint=_any_paint(random))
    return [box([x, wall - 0.03, low], [x + width, wall, high], paint=painted(random_color(random))), inner]


def _door(x: float, wall: float, width: float, random: Draws) -> list[Thing]:
    paint, panel = (painted(random_color(random, 0.1, 0.8)) for _ in range(2))
    right = x + max(width, 0.8)
    things = [box([x, wall - 0.04, 0], [right, wall, 2.05], paint=paint)]
    for low, high in ((0.2, 0.95), (1.1, 1.85)):
        things.append(box([x + 0.12, wall - 0.06, low], [right - 0.12, wall, high], paint=panel))
    return things


def _shelf(x: float, wall: float, width: float, random: Draws) -> list[Thing]:
    paint = painted(random_color(random), GRAIN)
    things = []
    for level in np.arange(0.3, 2.0, 0.4):
        things.append(box([x, wall - 0.3, level], [x + width, wall, level + 0.03], paint=paint))
        book = x + 0.02
        while book < x + width - 0.06:
            thick, tall = random.uniform(0.02, 0.06), random.uniform(0.15, 0.32)
            low, high = [book, wall - 0.25, level + 0.03], [book + thick, wall - 0.02, level + 0.03 + tall]
            things.append(box(low, high, paint=painted(random_color(random))))
            book += thick + random.uniform(0, 0.05)
    return things


def _lamp(x: float, wall: float, width: float, random: Draws) -> list[Thing]:
    foot = [x + width / 2, wall - 0.3, 0]
    shade = [foot[0], foot[1], 1.4]
    return [
        post(foot, 0.02, 1.5, paint=painted(random_color(random, 0.05, 0.3))),
        post(shade, random.uniform(0.12, 0.2), 0.3, paint=painted(random_color(random, 0.4, 0.9))),
    ]


_FURNITURE = (_cupboard, _picture, _door, _shelf, _lamp)


def _tree(random: Draws) -> list[Thing]:
    x, y = random.uniform(-10, 10), random.uniform(3.0, 20)
    height, girth = random.uniform(1.5, 4), random.uniform(0.08, 0.25)
    trunk = post([x, y, 0], girth, height, paint=painted([0.12, 0.08, 0.05], GRAIN))
    leaf = painted(_shade(random, (0.07, 0.15, 0.04), 0.6, 1.8), ROUGH)
    crown = []
    for _ in range(220):
        middle = np.array([x, y, height + 0.6]) + random.normal(0, [0.6, 0.6, 0.45])
        half = random.uniform(0.04, 0.17, 3)
        crown.append(box(middle - half, middle + half, paint=leaf, turn=random.uniform(0, 3)))
    return [trunk, *crown]


def _clutter(random: Draws, count: int) -> list[Thing]:
    """Boxes on the floor and in the air, beside and behind the people."""
    things: list[Thing] = []
    while len(things) < count:
        x, y = random.uniform(-3.5, 3.5), random.uniform(-0.5, 3.5)
        size = random.uniform(0.05, 0.5, 3)
        if np.hypot(x, y) - size[:2].max() < _EMPTY:
            continue
        bottom = 0.0 if random.random() < 0.7 else random.uniform(0.5, 2.5)
        low, high = [x, y, bottom], [x + size[0], y + size[1], bottom + size[2]]
        things.append(box(low, high, paint=_any_paint(random), turn=random.uniform(0, 3)))
    return things

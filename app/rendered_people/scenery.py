"""Things without bones: boxes, posts, and the room of the shipped clip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.rendered_people.meshes import Material
from app.rendered_people.rotations import Array, about

Paint = tuple[float, float, float, float]
UNPAINTED: Paint = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Thing:
    """texture: 0 to 1 on each face. paint: RGB in linear light and the pattern's number, for PATTERNED."""

    material: Material
    points: Array
    normals: Array
    texture: Array
    faces: NDArray[np.integer]
    paint: Paint = UNPAINTED


def painted(color: ArrayLike, pattern: int = 0) -> Paint:
    red, green, blue = (float(value) for value in np.asarray(color, float))
    return (red, green, blue, float(pattern))


def box(
    low: ArrayLike,
    high: ArrayLike,
    material: Material = Material.PATTERNED,
    *,
    paint: Paint = UNPAINTED,
    turn: float = 0.0,
    about_point: ArrayLike | None = None,
) -> Thing:
    """turn: about an upright axis through `about_point` (or else the box's middle), radians."""
    ends = np.array([low, high], float)
    points: list[Array] = []
    normals: list[Array] = []
    texture: list[tuple[int, float]] = []
    faces: list[list[int]] = []
    for axis in range(3):
        first, second = (other for other in range(3) if other != axis)
        for side in range(2):
            normal = np.zeros(3)
            normal[axis] = 2 * side - 1
            start = len(points)
            for a, b in ((0, 0), (1, 0), (1, 1), (0, 1)):
                point = np.zeros(3)
                point[axis], point[first], point[second] = ends[side, axis], ends[a, first], ends[b, second]
                points.append(point)
                normals.append(normal)
                texture.append((a, 1.0 - b))
            faces += [[start, start + 1, start + 2], [start, start + 2, start + 3]]
    rotation = about([0, 0, 1], turn)
    centre = ends.mean(0) if about_point is None else np.asarray(about_point, float)
    turned = (np.array(points) - centre) @ rotation.T + centre
    return Thing(material, turned, np.array(normals) @ rotation.T, np.array(texture), np.array(faces), paint)


def post(foot: ArrayLike, radius: float, height: float, *, paint: Paint) -> Thing:
    """An upright cylinder without ends."""
    angles = np.linspace(0, 2 * np.pi, 25)
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    points = np.concatenate([ring * radius, ring * radius + [0, 0, height]]) + np.asarray(foot, float)
    count = len(angles)
    i = np.arange(count - 1)
    faces = np.concatenate([np.stack([i, i + 1, i + count], 1), np.stack([i + 1, i + count + 1, i + count], 1)])
    texture = np.stack([np.tile(angles / (2 * np.pi), 2), np.repeat([0.0, 1.0], count)], 1)
    return Thing(Material.PATTERNED, points, np.tile(ring, (2, 1)), texture, faces, paint)


def bunch(
    centre: ArrayLike,
    spread: Sequence[float],
    count: int,
    random: np.random.Generator,
    material: Material = Material.PATTERNED,
    paint: Paint = UNPAINTED,
) -> list[Thing]:
    """Small boxes, as leaves."""
    things = []
    for _ in range(count):
        middle = np.asarray(centre, float) + random.normal(0, spread)
        half = random.uniform(0.015, 0.04, 3)
        things.append(box(middle - half, middle + half, material, paint=paint))
    return things


def by_material(things: Iterable[Thing]) -> list[tuple[Material, list[Thing]]]:
    groups: dict[Material, list[Thing]] = {}
    for thing in things:
        groups.setdefault(thing.material, []).append(thing)
    return sorted(groups.items())


def clip_room() -> list[Thing]:
    """The room of the shipped clip: parquet, a wall with a picture, a cupboard with a plant, a door."""
    m = Material
    things = [
        box([-4, -3.5, -0.1], [4, 1.3, 0], m.PARQUET),
        box([-4, 1.3, -0.1], [4, 1.4, 3], m.WALL),
        box([-4, 1.275, 0], [4, 1.3, 0.11], m.PAINT),
        # Picture and frame
        box([-1.62, 1.27, 1.15], [-0.82, 1.30, 1.75], m.WOOD),
        box([-1.58, 1.262, 1.19], [-0.86, 1.285, 1.71], m.PICTURE),
        # Cupboard
        box([-2.1, 0.93, 0], [-1.05, 1.29, 0.72], m.WOOD),
        box([-2.07, 0.915, 0.06], [-1.59, 0.94, 0.68], m.PAINT),
        box([-1.56, 0.915, 0.06], [-1.08, 0.94, 0.68], m.PAINT),
        # Door with four panels
        box([1.15, 1.25, 0], [2.05, 1.30, 2.05], m.PAINT),
        box([1.22, 1.235, 0.08], [1.98, 1.26, 1.98], m.PAINT),
        *(
            box([left, 1.225, low], [right, 1.24, high], m.WALL)
            for left, right in ((1.28, 1.58), (1.64, 1.92))
            for low, high in ((0.25, 0.95), (1.1, 1.85))
        ),
        box([-1.75, 1.0, 0.72], [-1.6, 1.14, 0.86], m.PAINT),
    ]
    return things + _plant(np.array([-1.675, 1.07, 0.95]), np.random.default_rng(1))


def _plant(centre: Array, random: np.random.Generator) -> list[Thing]:
    return bunch(centre, [0.07, 0.05, 0.07], 26, random, material=Material.LEAVES)

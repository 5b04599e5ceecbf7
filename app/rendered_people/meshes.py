"""Triangles: normals, smoothing, and what the renderer gets of a garment or a body."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from app.rendered_people.rotations import Array

Faces = NDArray[np.integer]


class Material(IntEnum):
    """What a shader paints; the shaders get these numbers under these names."""

    SKIN = 0
    HAIR = 1
    SHIRT = 2
    TROUSERS = 3
    SHOES = 4
    PARQUET = 10
    WALL = 11
    PAINT = 12
    PICTURE = 13
    WOOD = 14
    LEAVES = 15
    RUG = 16
    PATTERNED = 17


@dataclass(frozen=True, eq=False)
class Mesh:
    """V vertices that follow the bones, F triangles.

    regions: (V, 4) for the shaders: of skin how far it is covered (> 0 is not drawn), into the scalp, an ear, an eye;
    of the others the distance inwards from the hem, four times.
    """

    material: Material
    faces: Faces
    rest: Array
    normals: Array
    weights: sparse.csr_matrix
    texture: Array
    regions: Array


def vertex_normals(points: Array, faces: Faces) -> Array:
    corners = [points[faces[:, i]] for i in range(3)]
    of_faces = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    count = len(faces)
    touches = sparse.csr_matrix(
        (np.ones(3 * count), (faces.T.ravel(), np.tile(np.arange(count), 3))), shape=(len(points), count)
    )
    total = touches @ of_faces
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def smoothed(points: Array, faces: Faces, rounds: int, strength: float) -> Array:
    """Each vertex moves toward the mean of its neighbours, `rounds` times."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    size = len(points)
    both_ways = (np.r_[edges[:, 0], edges[:, 1]], np.r_[edges[:, 1], edges[:, 0]])
    neighbours = sparse.csr_matrix((np.ones(2 * len(edges)), both_ways), shape=(size, size))
    neighbours.data[:] = 1
    count = np.maximum(np.asarray(neighbours.sum(1)), 1)
    for _ in range(rounds):
        points = points + strength * ((neighbours @ points) / count - points)
    return points


def compact(faces: Faces) -> tuple[NDArray[np.integer], Faces]:
    """The vertices that are used, and the faces in terms of those."""
    used, places = np.unique(faces, return_inverse=True)
    return used, places.reshape(-1, 3)

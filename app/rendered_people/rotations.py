"""Rotations of three-dimensional space as (3, 3) matrices that act on columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MIRROR = np.diag([-1.0, 1.0, 1.0])  # left for right


def unit(vectors: ArrayLike) -> Array:
    array = np.asarray(vectors, float)
    return np.asarray(array / np.linalg.norm(array, axis=-1, keepdims=True))


def about(axis: ArrayLike, angle: float) -> Array:
    """Rodrigues' formula. angle: radians, anticlockwise for who looks against the axis."""
    x, y, z = unit(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turned


def basis(along: ArrayLike, across: ArrayLike) -> Array:
    """Right-handed axes as columns: `along`, the part of `across` that stands upright on it, and their product."""
    first = unit(along)
    across = np.asarray(across, float)
    second = unit(across - first * np.dot(first, across))
    return np.stack([first, second, np.cross(first, second)], 1)


def shortest_turn(start: ArrayLike, end: ArrayLike) -> Array:
    """The smallest rotation that brings one direction to the other."""
    start, end = unit(start), unit(end)
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis)
    return np.eye(3) if sine < 1e-9 else about(axis, np.arctan2(sine, np.dot(start, end)))


def twist(rotation: Array, axis: Array) -> float:
    """The angle of a rotation about `axis`."""
    skew = np.array(
        [
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        ]
    )
    return float(np.arctan2(np.dot(axis, skew) / 2, (np.trace(rotation) - 1) / 2))


def angle_between(first: ArrayLike, second: ArrayLike) -> float:
    return float(np.arccos(np.clip(np.dot(unit(first), unit(second)), -1, 1)))


def mirrored(rotation: Array) -> Array:
    return MIRROR @ rotation @ MIRROR

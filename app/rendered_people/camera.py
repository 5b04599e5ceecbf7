"""A pinhole camera with square pixels and its principal point in the middle of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.rendered_people.rotations import Array, about, unit

Triple = tuple[float, float, float]


def look_at(eye: Array, target: Array, roll: float = 0.0) -> Array:
    """(4, 4) from the world to a camera that sees along -z with y up. roll: of the camera, clockwise, radians."""
    forward = unit(target - eye)
    right = unit(np.cross(forward, [0, 0, 1]))
    right = about(forward, roll) @ right if roll else right
    matrix = np.eye(4)
    matrix[:3, :3] = right, np.cross(right, forward), -forward
    matrix[:3, 3] = -matrix[:3, :3] @ eye
    return matrix


def parallel_projection(half_width: float, near: float, far: float) -> Array:
    """What a light sees that is far away."""
    matrix = np.diag([1 / half_width, 1 / half_width, -2 / (far - near), 1.0])
    matrix[2, 3] = -(far + near) / (far - near)
    return matrix


@dataclass(frozen=True)
class Camera:
    """focal: in px. near, far: what is drawn, in metres along the view."""

    width: int
    height: int
    focal: float
    eye: Triple
    target: Triple
    roll: float = 0.0
    near: float = 0.1
    far: float = 20.0

    @cached_property
    def view(self) -> Array:
        return look_at(np.array(self.eye, float), np.array(self.target, float), self.roll)

    @cached_property
    def view_projection(self) -> Array:
        near, far = self.near, self.far
        matrix = np.zeros((4, 4))
        matrix[0, 0] = 2 * self.focal / self.width
        matrix[1, 1] = 2 * self.focal / self.height
        matrix[2, 2] = -(far + near) / (far - near)
        matrix[2, 3] = -2 * far * near / (far - near)
        matrix[3, 2] = -1
        return matrix @ self.view

    def project(self, points: Array) -> tuple[Array, Array]:
        """(N, 3) -> (N, 2) px, x = 0 at the left edge of the left column, and (N,) depth in metres along the view."""
        seen = points @ self.view[:3, :3].T + self.view[:3, 3]
        depth = -seen[:, 2]
        x = self.width / 2 + self.focal * seen[:, 0] / depth
        y = self.height / 2 - self.focal * seen[:, 1] / depth
        return np.stack([x, y], 1), depth

    def metres(self, buffer: Array) -> Array:
        """A depth buffer's values, 0 to 1, as depth along the view."""
        near, far = self.near, self.far
        return 2 * far * near / (far + near - (2 * buffer - 1) * (far - near))

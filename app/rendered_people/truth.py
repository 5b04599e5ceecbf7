"""What is known of each frame: joints by two definitions, and whether they are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.rendered_people.body import Body
from app.rendered_people.camera import Camera
from app.rendered_people.renderer import Rendered
from app.rendered_people.rotations import Array
from app.rendered_people.sensor import Sensor
from app.rendered_people.skeleton import BONES, COCO_NAMES

CONVENTION = "pixel centres at +0.5 (x=0 is the left edge of the left column); left_=person left"
OUTSIDE, OCCLUDED, VISIBLE = 0, 1, 2
# Joints lie inside the body. So much nearer (m) may the surface be at which one looks when one looks at the joint.
_FLESH = np.array([0.05] * 3 + [0.10] * 2 + [0.14] * 2 + [0.10] * 4 + [0.14] * 2 + [0.10] * 4)


def visibility(points: Array, depths: Array, flesh: Array, picture: Rendered, owner: int | None = None) -> list[int]:
    """Of N joints, by the depth of what is drawn at each.

    points: (N, 2) px from the left upper corner. depths, flesh: (N,) m.
    owner: the number of the person whose joints these are; then whatever else lies in front of a joint hides it,
    however near. None where only that person's own body can.
    """
    height, width = picture.depth.shape
    result = []
    for (x, y), depth, margin in zip(points, depths, flesh, strict=True):
        column, row = int(np.floor(x)), int(np.floor(y))
        if not (0 <= column < width and 0 <= row < height):
            result.append(OUTSIDE)
            continue
        own = owner is None or picture.owner[row, column] == owner
        hidden = depth - picture.depth[row, column] >= (margin if own else 0)
        result.append(OCCLUDED if hidden else VISIBLE)
    return result


class TrueJoints:
    """The joints of one posed person: coco by anny's regressor (17), bones as the rig's centres (12)."""

    def __init__(self, body: Body, transforms: Array, camera: Camera) -> None:
        self.coco_world = body.coco_joints(transforms)
        self.coco, self.coco_depth = camera.project(self.coco_world)
        self.bones, self.bone_depth = camera.project(body.skeleton.joint_centres(transforms))

    def coco_visibility(self, picture: Rendered, owner: int | None = None) -> list[int]:
        return visibility(self.coco, self.coco_depth, _FLESH, picture, owner)

    def bone_visibility(self, picture: Rendered, owner: int | None = None) -> list[int]:
        return visibility(self.bones, self.bone_depth, _FLESH[5:], picture, owner)

    def as_frame(self, number: int, time_s: float, visible: Sequence[int]) -> dict[str, Any]:
        """An entry of a truth file's “frames”."""
        return {
            "frame": number,
            "t": time_s,
            "kp": np.round(self.coco, 4).tolist(),
            "vis": list(visible),
            "depth": np.round(self.coco_depth, 4).tolist(),
            "xyz": np.round(self.coco_world, 5).tolist(),
            "bone": np.round(self.bones, 4).tolist(),
        }


def header(
    camera: Camera,
    sensor: Sensor,
    *,
    fps: int,
    segments: Mapping[str, Sequence[int]],
    seed: int | Sequence[int],
    phenotype: Mapping[str, float],
) -> dict[str, Any]:
    """All of a truth file but its frames."""
    result: dict[str, Any] = {
        "width": camera.width,
        "height": camera.height,
        "fps": fps,
        "convention": CONVENTION,
        "names": list(COCO_NAMES),
        "bone_names": list(BONES),
        "segments": {name: list(span) for name, span in segments.items()},
        "vis_meaning": "0 outside, 1 occluded (z-buffer), 2 visible",
        "camera": {
            "f": camera.focal,
            "cx": camera.width // 2,
            "cy": camera.height // 2,
            "eye": list(camera.eye),
            "target": list(camera.target),
            "up": [0, 0, 1],
        },
        "noise": {
            "model": "linear light var=gain*L+read^2, gaussian blur s=.6 x1.6, ACES tone, uniform dither",
            "gain": sensor.gain,
            "read": sensor.read,
            "seed": seed,
        },
        "phenotype": dict(phenotype),
    }
    if camera.roll:
        result["camera"]["roll"] = camera.roll
    if sensor.exposure != 1:
        result["noise"]["exposure"] = sensor.exposure
    return result


def box_and_area(mask: NDArray[np.bool_]) -> tuple[list[float], int]:
    """COCO's x, y, width, height from the corner of the top left pixel, and the pixels of the mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return [float(left), float(top), float(columns[-1] + 1 - left), float(rows[-1] + 1 - top)], int(mask.sum())

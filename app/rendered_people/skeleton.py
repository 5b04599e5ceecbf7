"""Bones: where they are at rest, and where they come to when each is turned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.rendered_people.rotations import Array

SIDES = ("L", "R")
COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
# The bones whose heads are the joints' centres in the rig.
BONES = {
    "left_shoulder": "upperarm01.L", "right_shoulder": "upperarm01.R", "left_elbow": "lowerarm01.L",
    "right_elbow": "lowerarm01.R", "left_wrist": "wrist.L", "right_wrist": "wrist.R", "left_hip": "upperleg01.L",
    "right_hip": "upperleg01.R", "left_knee": "lowerleg01.L", "right_knee": "lowerleg01.R", "left_ankle": "foot.L",
    "right_ankle": "foot.R",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Skeleton:
    """names: (J,), parents first. parents: (J,), -1 for the root. heads: (J, 3) m; z up, faces -y, its left is +x."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: Array

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def place(self, name: str) -> int:
        return self._places[name]

    def head(self, name: str) -> Array:
        """Where this bone begins at rest."""
        head: Array = self.heads[self._places[name]]
        return head

    def transforms(self, turns: Mapping[str, Array], shift: Array) -> Array:
        """(J, 4, 4): from the place at rest to the posed place, in the world's axes.

        turns: of a bone from its rest, in the world's axes; a bone that is not named turns with its parent.
        shift: of the root.
        """
        result = np.zeros((len(self.names), 4, 4))
        for i, name in enumerate(self.names):
            matrix = np.eye(4)
            if self.parents[i] < 0:
                matrix[:3, :3] = turns.get(name, np.eye(3))
                head = self.heads[i] + shift
            else:
                parent = result[self.parents[i]]
                matrix[:3, :3] = turns.get(name, parent[:3, :3])
                head = parent[:3, :3] @ self.heads[i] + parent[:3, 3]
            matrix[:3, 3] = head - matrix[:3, :3] @ self.heads[i]
            result[i] = matrix
        return result

    def posed_head(self, transforms: Array, name: str) -> Array:
        place = self._places[name]
        head: Array = transforms[place][:3, :3] @ self.heads[place] + transforms[place][:3, 3]
        return head

    def joint_centres(self, transforms: Array) -> Array:
        """(12, 3): the heads of BONES."""
        return np.array([self.posed_head(transforms, bone) for bone in BONES.values()])

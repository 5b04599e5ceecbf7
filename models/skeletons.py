"""Joint names, sides, limbs, and the way from BlazePose's 33 joints to COCO's 17 and to OpenPose's 25."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Skeleton:
    """A set of joints.

    joints: names in the network's order; a name's prefix `left_` or `right_` is the person's own side.
    limbs: pairs of joint names that are drawn as a line.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]

    @cached_property
    def index(self) -> dict[str, int]:
        return {joint: i for i, joint in enumerate(self.joints)}

    @cached_property
    def limb_indices(self) -> tuple[tuple[int, int], ...]:
        return tuple((self.index[a], self.index[b]) for a, b in self.limbs)

    @cached_property
    def mirrored(self) -> tuple[int, ...]:
        """For each joint the index of its counterpart on the other side (itself on the midline)."""
        swap = {"left_": "right_", "right_": "left_"}
        return tuple(self.index[next((swap[s] + j[len(s) :] for s in swap if j.startswith(s)), j)] for j in self.joints)


def side_of(joint: str) -> str:
    """`left`, `right` or `middle`."""
    side = joint.split("_", 1)[0]
    return side if side in ("left", "right") else "middle"


_SIDES = ("left", "right")


def _both_sides(*limbs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{side}_{a}", f"{side}_{b}") for a, b in limbs for side in _SIDES)


BLAZEPOSE_33 = Skeleton(
    name="BlazePose-33",
    joints=(
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
        "left_ear",
        "right_ear",
        "left_mouth",
        "right_mouth",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_pinky",
        "right_pinky",
        "left_index",
        "right_index",
        "left_thumb",
        "right_thumb",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "left_heel",
        "right_heel",
        "left_foot_index",
        "right_foot_index",
    ),
    limbs=(
        ("nose", "left_eye_inner"),
        ("nose", "right_eye_inner"),
        *_both_sides(
            ("eye_inner", "eye"),
            ("eye", "eye_outer"),
            ("eye_outer", "ear"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("wrist", "pinky"),
            ("wrist", "index"),
            ("wrist", "thumb"),
            ("pinky", "index"),
            ("shoulder", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "heel"),
            ("heel", "foot_index"),
            ("ankle", "foot_index"),
        ),
        ("left_mouth", "right_mouth"),
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
    ),
)

COCO_17 = Skeleton(
    name="COCO-17",
    joints=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    limbs=(
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        *_both_sides(
            ("eye", "ear"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("shoulder", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
        ),
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
    ),
)

# points_33[..., COCO_FROM_BLAZEPOSE, :] are the joints of COCO-17 in their order.
COCO_FROM_BLAZEPOSE: tuple[int, ...] = tuple(BLAZEPOSE_33.index[joint] for joint in COCO_17.joints)

# OpenPose's model with feet.
BODY_25 = Skeleton(
    name="BODY_25",
    joints=(
        "nose",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "mid_hip",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_eye",
        "left_eye",
        "right_ear",
        "left_ear",
        "left_big_toe",
        "left_small_toe",
        "left_heel",
        "right_big_toe",
        "right_small_toe",
        "right_heel",
    ),
    limbs=(
        ("neck", "mid_hip"),
        ("neck", "nose"),
        ("neck", "left_shoulder"),
        ("neck", "right_shoulder"),
        ("mid_hip", "left_hip"),
        ("mid_hip", "right_hip"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        *_both_sides(
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("eye", "ear"),
            ("ankle", "big_toe"),
            ("big_toe", "small_toe"),
            ("ankle", "heel"),
        ),
    ),
)

# What BlazePose calls otherwise, or does not have: then the mean of these joints. Small toes have none.
_BODY_25_OTHERWISE: dict[str, tuple[str, ...]] = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
    **{f"{side}_big_toe": (f"{side}_foot_index",) for side in _SIDES},
    **{f"{side}_small_toe": () for side in _SIDES},
}

# For each joint of BODY_25 the joints of BlazePose-33 whose mean it is; none where BlazePose cannot tell.
BODY_25_FROM_BLAZEPOSE: tuple[tuple[int, ...], ...] = tuple(
    tuple(BLAZEPOSE_33.index[name] for name in _BODY_25_OTHERWISE.get(joint, (joint,))) for joint in BODY_25.joints
)

"""From what a person shall do (where the feet stand, where the arms point) to the turn of every bone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from app.rendered_people.rotations import MIRROR, Array, about, basis, mirrored, shortest_turn, twist, unit
from app.rendered_people.skeleton import SIDES, Skeleton

_SPINE = ("spine05", "spine04", "spine03", "spine02", "spine01")
_NECK = ("neck01", "neck02", "neck03", "head")
_X, _Y, _Z = np.eye(3)
_STRETCHED = 0.9985  # of a leg's length: never quite straight, so that the knee knows where to


@dataclass(frozen=True, eq=False)
class Arm:
    """Directions of upper arm and forearm in the axes of the chest; pronation of the hand in radians."""

    upper: Array
    fore: Array
    pronation: float = 0.0


@dataclass(frozen=True, eq=False)
class Foot:
    """ankle: in the world. turn: of the foot from its rest. knee: the direction in which it bends."""

    ankle: Array
    turn: Array
    knee: Array


@dataclass(frozen=True, eq=False)
class Goal:
    """shift: of the pelvis from its rest; turn: of the pelvis. Angles in radians; spine: forward, to the left, aside.

    head: forward and to the left, against the chest. collar: how far each shoulder is lifted.
    Arms, feet and collar by side, L and R.
    """

    shift: Array
    turn: Array
    spine: tuple[float, float, float]
    head: tuple[float, float]
    arms: Mapping[str, Arm]
    feet: Mapping[str, Foot]
    collar: Mapping[str, float] = field(default_factory=lambda: {"L": 0.0, "R": 0.0})

    def mirrored(self) -> Goal:
        """The same with left for right, in the plane x = 0."""
        other = {"L": "R", "R": "L"}
        arms = {other[side]: Arm(MIRROR @ a.upper, MIRROR @ a.fore, -a.pronation) for side, a in self.arms.items()}
        feet = {other[side]: Foot(MIRROR @ f.ankle, mirrored(f.turn), MIRROR @ f.knee) for side, f in self.feet.items()}
        forward, left, aside = self.spine
        return Goal(
            MIRROR @ self.shift,
            mirrored(self.turn),
            (forward, -left, -aside),
            (self.head[0], -self.head[1]),
            arms,
            feet,
            {other[side]: lift for side, lift in self.collar.items()},
        )


def posed(skeleton: Skeleton, goal: Goal) -> Array:
    """(J, 4, 4) transforms of the bones."""
    turns = {"root": goal.turn}
    forward, left, aside = (angle / len(_SPINE) for angle in goal.spine)
    step = about(_Z, left) @ about(_X, forward) @ about(_Y, aside)
    chest = goal.turn
    for name in _SPINE:
        chest = chest @ step
        turns[name] = chest
    for i, name in enumerate(_NECK, 1):
        share = i / len(_NECK)
        turns[name] = chest @ about(_Z, goal.head[1] * share) @ about(_X, goal.head[0] * share)
    for side in SIDES:
        lift = goal.collar[side] * (-1 if side == "L" else 1)
        turns[f"clavicle.{side}"] = chest @ about(_Y, lift / 2)
        turns[f"shoulder01.{side}"] = chest @ about(_Y, lift)
        for name, turn in _arm_turns(skeleton, side, goal.arms[side]).items():
            turns[f"{name}.{side}"] = chest @ turn
    without_legs = skeleton.transforms(turns, goal.shift)
    for side in SIDES:
        hip = skeleton.posed_head(without_legs, f"upperleg01.{side}")
        for name, turn in _leg_turns(skeleton, side, hip, goal.feet[side]).items():
            turns[f"{name}.{side}"] = turn
    return skeleton.transforms(turns, goal.shift)


def _arm_turns(skeleton: Skeleton, side: str, arm: Arm) -> dict[str, Array]:
    """In the chest's axes. Each half of a limb takes half of the twist, so that the skin does not wring."""
    upper, fore = unit(arm.upper), unit(arm.fore)
    shoulder, elbow, wrist = (skeleton.head(f"{name}.{side}") for name in ("upperarm01", "lowerarm01", "wrist"))
    upper_rest, fore_rest = unit(elbow - shoulder), unit(wrist - elbow)
    # The elbow's hinge stands upright on both parts, at rest and posed.
    hinge, hinge_rest = np.cross(upper, fore), np.cross(upper_rest, fore_rest)
    turn_upper = basis(upper, hinge) @ basis(upper_rest, hinge_rest).T
    turn_fore = basis(fore, hinge) @ basis(fore_rest, hinge_rest).T
    swing = shortest_turn(upper_rest, upper)
    return {
        "upperarm01": about(upper, twist(turn_upper @ swing.T, upper) / 2) @ swing,
        "upperarm02": turn_upper,
        "lowerarm01": turn_fore,
        "lowerarm02": about(fore, arm.pronation / 2) @ turn_fore,
        "wrist": about(fore, arm.pronation) @ turn_fore,
    }


def _leg_turns(skeleton: Skeleton, side: str, hip: Array, foot: Foot) -> dict[str, Array]:
    """Two bones from the hip to the ankle, by the law of cosines; a foot too far away is not reached."""
    hip_rest, knee_rest, ankle_rest = (skeleton.head(f"{name}.{side}") for name in ("upperleg01", "lowerleg01", "foot"))
    thigh, shin = np.linalg.norm(knee_rest - hip_rest), np.linalg.norm(ankle_rest - knee_rest)
    away = foot.ankle - hip
    distance = float(np.linalg.norm(away))
    down = away / distance
    distance = min(distance, float((thigh + shin) * _STRETCHED))
    along = (thigh**2 - shin**2 + distance**2) / (2 * distance)
    out = np.sqrt(max(float(thigh**2 - along**2), 0.0))
    bend = unit(foot.knee - down * np.dot(foot.knee, down))
    knee = hip + down * along + bend * out
    ankle = hip + down * distance
    across = np.cross(bend, down)
    return {
        "upperleg01": basis(knee - hip, across) @ basis(knee_rest - hip_rest, _X).T,
        "lowerleg01": basis(ankle - knee, across) @ basis(ankle_rest - knee_rest, _X).T,
        "foot": foot.turn,
    }

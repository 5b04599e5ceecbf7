"""Poses drawn at random: on the floor or a seat, within the joints' limits, without a limb inside another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.rendered_people.figure import Figure, collides, within_limits
from app.rendered_people.posing import Arm, Foot, Goal, posed
from app.rendered_people.rotations import MIRROR, Array, about, unit
from app.rendered_people.skeleton import SIDES

_X, _Y, _Z = np.eye(3)
_AHEAD = -_Y
_MOST_TRIES = 500
_REACH = 0.995  # of a leg's length


@dataclass(frozen=True)
class Stance:
    """Where the lower body is, of a person at the origin who faces -y. Lengths as shares of the leg's.

    feet: x (outwards positive) and y, by side. lifts: over the floor. pitches: toes down. yaws: toes outwards.
    drop: of the pelvis below its height at rest. back: of the pelvis behind the feet's middle. lean: of the pelvis.
    seat: whether something is sat on.
    """

    kind: str
    feet: dict[str, tuple[float, float]]
    lifts: dict[str, float]
    pitches: dict[str, float]
    yaws: dict[str, float]
    drop: float
    back: float = 0.0
    lean: float = 0.0
    off_floor: float = 0.0

    @property
    def seated(self) -> bool:
        return self.kind == "sit"


@dataclass(frozen=True, eq=False)
class Pose:
    """A goal, the transforms that follow from it, and the height (m) of the seat, None where one stands.

    planted: the sides whose foot stands on the floor.
    """

    kind: str
    goal: Goal
    transforms: Array
    seat: float | None
    planted: tuple[str, ...]

    def moved(self, figure: Figure, heading: float, place: tuple[float, float]) -> Pose:
        """Turned about the upright axis through the origin, then shifted on the floor."""
        turn = about(_Z, heading)
        off = np.array([*place, 0.0])
        root = figure.skeleton.heads[0]
        goal = self.goal
        feet = {side: Foot(turn @ f.ankle + off, turn @ f.turn, turn @ f.knee) for side, f in goal.feet.items()}
        goal = replace(goal, shift=turn @ (root + goal.shift) + off - root, turn=turn @ goal.turn, feet=feet)
        return replace(self, goal=goal, transforms=posed(figure.skeleton, goal))


def random_pose(figure: Figure, random: np.random.Generator) -> Pose:
    """At the origin, facing -y."""
    kinds = list(_STANCES)
    for _ in range(_MOST_TRIES):
        kind = kinds[random.choice(len(kinds), p=[_SHARES[name] for name in kinds])]
        pose = _pose(figure, _STANCES[kind](random), random)
        if within_limits(figure.skeleton, pose.transforms) and not collides(figure.parts(pose.transforms)):
            return pose
    raise RuntimeError(f"no pose in {_MOST_TRIES} tries")


# Stances


def _both(draw: Callable[[], float]) -> dict[str, float]:
    return {side: float(draw()) for side in SIDES}


def _level() -> dict[str, float]:
    return dict.fromkeys(SIDES, 0.0)


def _stand(random: np.random.Generator) -> Stance:
    feet = {side: (random.uniform(0.1, 0.26), random.uniform(-0.09, 0.09)) for side in SIDES}
    yaws = _both(lambda: random.uniform(0, 0.35))
    return Stance("stand", feet, _level(), _level(), yaws, random.uniform(0, 0.05), lean=random.uniform(-0.05, 0.15))


def _step(random: np.random.Generator) -> Stance:
    front, behind = random.permutation(SIDES)
    stride = random.uniform(0.15, 0.33)
    feet = {front: (random.uniform(0.1, 0.15), -stride), behind: (random.uniform(0.1, 0.15), stride)}
    pitches = {front: 0.0, behind: random.uniform(0.1, 0.6)}
    yaws = _both(lambda: random.uniform(0, 0.2))
    return Stance("step", feet, _level(), pitches, yaws, random.uniform(0, 0.05), lean=random.uniform(0, 0.1))


def _squat(random: np.random.Generator) -> Stance:
    depth = random.uniform(0.15, 0.5)
    feet = {side: (random.uniform(0.18, 0.34), random.uniform(-0.04, 0.04)) for side in SIDES}
    yaws = _both(lambda: random.uniform(0.1, 0.6))
    return Stance("squat", feet, _level(), _level(), yaws, depth, 0.42 * depth, random.uniform(0.8, 1.3) * depth)


def _lunge(random: np.random.Generator) -> Stance:
    front, behind = random.permutation(SIDES)
    feet = {front: (random.uniform(0.1, 0.2), random.uniform(-0.6, -0.4)), behind: (0.15, random.uniform(0.35, 0.6))}
    pitches = {front: 0.0, behind: random.uniform(0.5, 0.9)}
    yaws = _both(lambda: random.uniform(0, 0.15))
    return Stance("lunge", feet, _level(), pitches, yaws, random.uniform(0.15, 0.35), lean=random.uniform(0, 0.2))


def _one_leg(random: np.random.Generator) -> Stance:
    lifted, standing = random.permutation(SIDES)
    feet = {standing: (0.07, 0.0), lifted: (random.uniform(0.1, 0.5), random.uniform(-0.5, 0.35))}
    lifts = {standing: 0.0, lifted: random.uniform(0.1, 0.55)}
    pitches = {standing: 0.0, lifted: random.uniform(0.0, 0.6)}
    yaws = _both(lambda: random.uniform(0, 0.2))
    return Stance("one leg", feet, lifts, pitches, yaws, random.uniform(0, 0.04), lean=random.uniform(-0.15, 0.15))


def _sit(random: np.random.Generator) -> Stance:
    feet = {side: (random.uniform(0.12, 0.3), random.uniform(-0.6, -0.4)) for side in SIDES}
    yaws = _both(lambda: random.uniform(0, 0.3))
    drop = random.uniform(0.45, 0.52)
    return Stance("sit", feet, _level(), _level(), yaws, drop, lean=random.uniform(-0.25, 0.1))


def _jump(random: np.random.Generator) -> Stance:
    feet = {side: (random.uniform(0.12, 0.4), random.uniform(-0.25, 0.25)) for side in SIDES}
    pitches = _both(lambda: random.uniform(0.3, 0.8))
    lifts = _both(lambda: random.uniform(0, 0.15))
    off = random.uniform(0.08, 0.35)
    return Stance("jump", feet, lifts, pitches, _level(), random.uniform(0, 0.2), lean=0.1, off_floor=off)


_STANCES: dict[str, Callable[[np.random.Generator], Stance]] = {
    "stand": _stand,
    "step": _step,
    "squat": _squat,
    "lunge": _lunge,
    "one leg": _one_leg,
    "sit": _sit,
    "jump": _jump,
}
_SHARES = {"stand": 0.40, "step": 0.18, "squat": 0.10, "lunge": 0.09, "one leg": 0.10, "sit": 0.10, "jump": 0.03}


# From a stance to a pose


def _pose(figure: Figure, stance: Stance, random: np.random.Generator) -> Pose:
    feet = _feet(figure, stance)
    turned, tipped = random.uniform(-0.15, 0.15), random.uniform(-0.06, 0.06)
    pelvis_turn = about(_Z, turned) @ about(_X, stance.lean) @ about(_Y, tipped)
    middle = np.mean([feet[side].ankle[:2] for side in SIDES], axis=0) if not stance.seated else np.zeros(2)
    if stance.kind == "one leg":
        standing = min(SIDES, key=lambda side: stance.lifts[side])
        middle = feet[standing].ankle[:2]
    rest_ankle_y = figure.skeleton.head("foot.L")[1]
    back = stance.back * figure.leg - rest_ankle_y * (not stance.seated)
    shift = np.array([middle[0], middle[1] + back, figure.up + (stance.off_floor - stance.drop) * figure.leg])
    shift[2] = min(shift[2], _highest(figure, shift, pelvis_turn, feet))
    spine = (
        random.uniform(-0.1, 0.45) - min(stance.lean, 0.3),
        random.uniform(-0.45, 0.45),
        random.uniform(-0.25, 0.25),
    )
    head = (random.uniform(-0.35, 0.35) - 0.5 * spine[0], random.uniform(-0.8, 0.8))
    arms = {side: _arm(side, random) for side in SIDES}
    collar = {side: max(0.0, np.arccos(np.clip(-arms[side].upper[2], -1, 1)) - 0.7) * 0.28 for side in SIDES}
    goal = Goal(shift, pelvis_turn, spine, head, arms, feet, collar)
    transforms = posed(figure.skeleton, goal)
    seat = _seat_height(figure, transforms) if stance.seated else None
    planted = tuple(side for side in SIDES if stance.lifts[side] == stance.off_floor == 0)
    return Pose(stance.kind, goal, transforms, seat, planted)


def _feet(figure: Figure, stance: Stance) -> dict[str, Foot]:
    feet = {}
    for side, outwards in (("L", 1), ("R", -1)):
        yaw = outwards * stance.yaws[side]
        turn = about(_Z, yaw) @ about(_X, stance.pitches[side])
        x, y = (value * figure.leg for value in stance.feet[side])
        height = figure.ankle_height(side, turn) + (stance.lifts[side] + stance.off_floor) * figure.leg
        feet[side] = Foot(np.array([outwards * x, y, height]), turn, about(_Z, yaw) @ _AHEAD)
    return feet


def _highest(figure: Figure, shift: Array, turn: Array, feet: dict[str, Foot]) -> float:
    """The pelvis' upward shift at which the legs still reach their feet."""
    root = figure.skeleton.heads[0]
    limits = []
    for side, foot in feet.items():
        off = turn @ (figure.skeleton.head(f"upperleg01.{side}") - root)
        hip = root + shift + off
        across = np.linalg.norm(hip[:2] - foot.ankle[:2])
        rise = np.sqrt(max(float((_REACH * figure.leg) ** 2 - across**2), (0.3 * figure.leg) ** 2))
        limits.append(foot.ankle[2] + rise - root[2] - off[2])
    return float(min(limits))


def _seat_height(figure: Figure, transforms: Array) -> float:
    hips = [figure.skeleton.posed_head(transforms, f"upperleg01.{side}")[2] for side in SIDES]
    return float(min(hips)) - figure.radii["thigh"] - 0.02


def _arm(side: str, random: np.random.Generator) -> Arm:
    """Often hanging or held in front, at times anywhere."""
    mirror = np.eye(3) if side == "L" else MIRROR
    if random.random() < 0.35:
        lift, ahead, bend = random.uniform(0.1, 0.5), random.uniform(-0.4, 1.2), random.uniform(0.1, 0.9)
    else:
        lift, ahead, bend = random.uniform(0.15, 2.8), random.uniform(-0.4, 1.7), random.uniform(0.1, 2.4)
    # lift: from hanging; ahead: 0 is to the side, 90 degrees to the front.
    upper = np.array([np.sin(lift) * np.cos(ahead), -np.sin(lift) * np.sin(ahead), -np.cos(lift)])
    # A forearm bends to the front and to the middle, mostly.
    toward = np.array([-0.5, -0.7, 0.3]) + 0.3 * random.normal(size=3)
    fore = about(unit(np.cross(upper, toward)), bend) @ upper
    pronation = random.uniform(-0.4, 1.0) * (1 if side == "L" else -1)
    return Arm(mirror @ upper, mirror @ fore, pronation)

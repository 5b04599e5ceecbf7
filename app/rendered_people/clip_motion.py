"""What the person of the shipped clip does: stands still, waves, raises both arms, squats, turns and walks. Others, who
walk otherwise, move by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from app.rendered_people.garments import Dressed
from app.rendered_people.posing import Arm, Foot, Goal
from app.rendered_people.rotations import MIRROR, Array, about, unit

FPS = 30
FRAMES = 300
SEGMENTS = {"still": (0, 90), "arms": (90, 167), "squat": (167, 209), "walk_turn": (210, 300)}

_X, _, _Z = np.eye(3)
Direction = tuple[float, float, float]
ArmKey = tuple[float, Direction, Direction]  # s, upper arm, forearm, of the left side in the chest's axes

_HANG: tuple[Direction, Direction] = ((0.17, 0.03, -1), (0.06, -0.22, -0.97))
_WAVE = (0.93, -0.2, -0.12)
_RAISE: list[ArmKey] = [
    (4.65, (0.98, -0.05, -0.1), (0.96, -0.28, 0.02)),
    (5.0, (0.42, -0.05, 0.9), (0.1, -0.22, 0.97)),
    (5.2, (0.55, -0.05, 0.83), (0.25, -0.25, 0.93)),
    (5.55, (0.95, -0.12, -0.3), (0.9, -0.42, -0.1)),
    (6.1, (0.2, -0.95, -0.12), (0.02, -1, 0.0)),
    (6.35, (0.2, -0.95, -0.12), (0.02, -1, 0.0)),
    (6.95, *_HANG),
    (10, *_HANG),
]
_LEFT_ARM: list[ArmKey] = [(0, *_HANG), (4.15, *_HANG), *_RAISE]
_RIGHT_ARM: list[ArmKey] = [
    (0, *_HANG),
    (3.0, *_HANG),
    (3.4, _WAVE, (0.45, -0.3, 0.85)),
    (3.55, _WAVE, (0.75, -0.25, 0.62)),
    (3.72, _WAVE, (0.1, -0.3, 0.95)),
    (3.89, _WAVE, (0.75, -0.25, 0.62)),
    (4.06, _WAVE, (0.1, -0.3, 0.95)),
    (4.3, _WAVE, (0.6, -0.3, 0.72)),
    *_RAISE,
]


@dataclass(frozen=True)
class Step:
    """From start to end (s) a foot goes to x, y (m), turned to the left by yaw (degrees)."""

    start: float
    end: float
    side: str
    x: float
    y: float
    yaw: float


_STEPS = (
    Step(7.0, 7.4, "L", 0.20, -0.03, 65),
    Step(7.3, 7.72, "R", 0.24, 0.17, 75),
    Step(7.75, 8.15, "L", 0.62, -0.06, 80),
    Step(8.2, 8.62, "R", 0.98, 0.13, 80),
    Step(8.65, 9.05, "L", 1.13, -0.05, 35),
    Step(9.05, 9.45, "R", 0.93, 0.03, -5),
    Step(9.45, 9.75, "L", 1.13, 0.0, 5),
)
_STANDS = {"L": (0.105, 0.0, 6.0), "R": (-0.105, 0.0, -6.0)}


@dataclass(frozen=True, eq=False)
class Motion:
    """times: (T,) s, at FPS. stands: of each foot x, y (m) and yaw (degrees) at first; steps: where they go from there.

    arms: of each side. squats, looks, walking, lowered: (T,) share of a squat, turn of the head (radians), 1 while
    walking, by how much the pelvis is lower (m).
    """

    times: Array
    stands: Mapping[str, tuple[float, float, float]]
    steps: Sequence[Step]
    arms: Mapping[str, Sequence[ArmKey]]
    squats: Array
    looks: Array
    walking: Array
    lowered: Array


def eased(share: Array | float) -> Array:
    """From 0 to 1 with no speed and no acceleration at either end."""
    share = np.clip(share, 0, 1)
    return share * share * share * (share * (6 * share - 15) + 10)


def _held(times: Array, rise: float, up: float, down: float, fall: float) -> Array:
    return eased((times - rise) / (up - rise)) * (1 - eased((times - down) / (fall - down)))


def _directions(keys: Sequence[ArmKey], times: Array) -> tuple[Array, Array]:
    moments = [key[0] for key in keys]
    upper, fore = (PchipInterpolator(moments, np.array([unit(key[part]) for key in keys]))(times) for part in (1, 2))
    return upper, fore


@dataclass(frozen=True, eq=False)
class _FootTrack:
    """place: (T, 3) of x, y and yaw in degrees. lift: (T,) m. pitch: (T,) radians, toes down."""

    place: Array
    lift: Array
    pitch: Array

    @classmethod
    def of(cls, side: str, motion: Motion) -> _FootTrack:
        times, here = motion.times, np.array(motion.stands[side])
        place = np.tile(here, (len(times), 1))
        lift, pitch = np.zeros(len(times)), np.zeros(len(times))
        for step in motion.steps:
            if step.side != side:
                continue
            share = (times - step.start) / (step.end - step.start)
            there = np.array([step.x, step.y, step.yaw])
            place = np.where(times[:, None] >= step.start, here + (there - here) * eased(share)[:, None], place)
            length = np.hypot(*(there - here)[:2])
            within = (share > 0) & (share < 1)
            wave = np.sin(np.pi * np.clip(share, 0, 1))
            lift = np.where(within, (0.05 + 0.07 * min(length / 0.7, 1)) * wave**1.3, lift)
            roll = np.sin(2 * np.pi * np.clip(share, 0, 1)) * np.where(share < 0.5, 1, 0.6)
            pitch = np.where(within, np.radians(28) * min(length / 0.5, 1) * roll, pitch)
            here = there
        return cls(place, lift, pitch)


def clip_goals(person: Dressed) -> Iterator[Goal]:
    """Of the clip's 300 frames."""
    times = np.arange(FRAMES) / FPS
    return moving(
        person,
        Motion(
            times=times,
            stands=_STANDS,
            steps=_STEPS,
            arms={"L": _LEFT_ARM, "R": _RIGHT_ARM},
            squats=_held(times, 5.55, 6.15, 6.3, 6.95),
            looks=0.15 * np.sin(2 * np.pi * (times - 3) / 2.6) * _held(times, 3, 3.5, 5, 5.5),
            walking=np.where(times > 7, _held(times, 7, 7.5, 9.3, 9.8), 0),
            lowered=0.018 * _held(times, 7, 7.3, 9.5, 9.9),
        ),
    )


def walk(start: tuple[float, float], heading: float, steps: int, first: float, seconds: float) -> Motion:
    """Somebody who stands at `start` (x, y in m), turned to the left by `heading` (degrees), and from the second
    `first` on goes so many steps that way.
    """
    times = np.arange(round(seconds * FPS)) / FPS
    yaw = np.radians(heading)
    ahead, leftwards = np.array([np.sin(yaw), -np.cos(yaw)]), np.array([np.cos(yaw), np.sin(yaw)])
    feet = {side: np.array(start) + 0.1 * outwards * leftwards for side, outwards in (("L", 1), ("R", -1))}
    stands = {side: (float(place[0]), float(place[1]), heading) for side, place in feet.items()}
    made = []
    for number in range(steps):
        side = "LR"[number % 2]
        half = number == 0 or number == steps - 1
        feet[side] = feet[side] + (0.6 if half else 1.2) * ahead
        begin = first + 0.45 * number
        made.append(Step(begin, begin + 0.45, side, float(feet[side][0]), float(feet[side][1]), heading))
    last = made[-1].end
    return Motion(
        times=times,
        stands=stands,
        steps=made,
        arms={side: [(0.0, *_HANG), (seconds, *_HANG)] for side in ("L", "R")},
        squats=np.zeros(len(times)),
        looks=np.zeros(len(times)),
        walking=_held(times, first, first + 0.5, last - 0.3, last),
        lowered=0.018 * _held(times, first, first + 0.3, last - 0.2, last),
    )


def moving(person: Dressed, motion: Motion) -> Iterator[Goal]:
    """Frame after frame."""
    up = -person.floor  # from the rest's axes, whose origin is in the pelvis, to a floor at 0
    sole = person.sole
    ankles = {side: person.body.skeleton.head(f"foot.{side}") + up * _Z for side in ("L", "R")}
    tracks = {side: _FootTrack.of(side, motion) for side in ("L", "R")}
    left, right = tracks["L"].place, tracks["R"].place
    middle = gaussian_filter1d((left[:, :2] + right[:, :2]) / 2, 5, axis=0, mode="nearest")
    sway = gaussian_filter1d(tracks["L"].lift - tracks["R"].lift, 3, mode="nearest")
    yaws = np.radians(gaussian_filter1d((left[:, 2] + right[:, 2]) / 2, 5, mode="nearest"))
    between = gaussian_filter1d(right[:, :2] - left[:, :2], 2, axis=0, mode="nearest")
    squats, looks, walking, lowered = motion.squats, motion.looks, motion.walking, motion.lowered
    arms = {side: _directions(keys, motion.times) for side, keys in motion.arms.items()}
    for i in range(len(motion.times)):
        yaw, squat = yaws[i], squats[i]
        ahead = np.array([np.sin(yaw), -np.cos(yaw), 0])
        leftwards = np.array([np.cos(yaw), np.sin(yaw), 0])
        stride = float(between[i] @ ahead[:2]) * walking[i]
        x, y = middle[i]
        shift = np.array([x, y - ankles["L"][1] + 0.01, up - sole - 0.43 * squat - lowered[i]])
        shift = shift - 0.17 * squat * ahead - 0.22 * sway[i] * leftwards
        # Arms swing against the legs.
        swings = {"L": about(_X, 0.9 * stride), "R": about(_X, -0.9 * stride)}
        goal_arms, collar, feet = {}, {}, {}
        for side, mirror, outwards in (("L", np.eye(3), 1), ("R", MIRROR, -1)):
            upper, fore = (directions[i] for directions in arms[side])
            goal_arms[side] = Arm(swings[side] @ mirror @ upper, swings[side] @ mirror @ fore, 0.35 * outwards)
            collar[side] = max(0.0, np.arccos(np.clip(-unit(upper)[2], -1, 1)) - 0.7) * 0.28
            feet[side] = _foot(tracks[side], i, ankles[side][2], 0.25 * outwards * squat)
        yield Goal(
            shift,
            about(_Z, yaw + 0.10 * stride) @ about(_X, 0.55 * squat + 0.02),
            (0.12 * squat + 0.02, -0.25 * stride, 0.0),
            (-0.45 * squat, looks[i] - 0.35 * yaw),
            goal_arms,
            feet,
            collar,
        )


def _foot(track: _FootTrack, i: int, ankle_height: float, knee_outwards: float) -> Foot:
    x, y, degrees = track.place[i]
    yaw, pitch = np.radians(degrees), track.pitch[i]
    ankle = np.array([x, y, ankle_height + track.lift[i] + max(0, np.sin(pitch)) * 0.10])
    knee = unit([np.sin(yaw + knee_outwards), -np.cos(yaw), 0])
    return Foot(ankle, about(_Z, yaw) @ about(_X, pitch), knee)

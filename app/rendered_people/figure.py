"""What of a person matters for a pose: bones, soles and how thick the parts are. Limits of joints; collisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.rendered_people.body import SKIN_END, Body
from app.rendered_people.garments import Dressed
from app.rendered_people.meshes import Material
from app.rendered_people.rotations import Array, angle_between, unit
from app.rendered_people.skeleton import SIDES, Skeleton

# Degrees. What a healthy adult reaches without help, less a little: sheets of the American Academy of Orthopaedic
# Surgeons (Joint Motion, 1965) give elbow 0-150, knee 0-135, hip flexion 120, shoulder elevation 180.
JOINT_LIMITS = {
    "elbow": (0, 145),
    "knee": (0, 135),
    "shoulder": (0, 175),  # of the upper arm from hanging
    "shoulder_back": (-180, 45),  # of the upper arm behind the chest's plane
    "shoulder_across": (-180, 45),  # beyond the middle of the body
    "hip": (-30, 120),  # of the thigh forward
    "hip_aside": (-25, 50),
    "ankle": (-50, 45),  # of the toes up
    "trunk": (0, 75),
    "neck": (0, 70),
}

Segment = tuple[Array, Array]
# A part begins at this share of its bone: what is nearer to the trunk touches it in every pose.
_BONES_OF_PARTS = {
    "upper_arm": ("upperarm01", "lowerarm01", 0.45, ("upperarm01", "upperarm02")),
    "forearm": ("lowerarm01", "wrist", 0.0, ("lowerarm01", "lowerarm02")),
    "hand": ("wrist", "finger3-3", 0.0, ("wrist", "metacarpal1", "metacarpal2", "metacarpal3", "metacarpal4")),
    "thigh": ("upperleg01", "lowerleg01", 0.4, ("upperleg01", "upperleg02")),
    "shin": ("lowerleg01", "foot", 0.0, ("lowerleg01", "lowerleg02")),
    "foot": ("foot", "toe2-3", 0.0, ("foot",)),
}
_TRUNK_BONES = ("pelvis.L", "pelvis.R", "spine01", "spine02", "spine03", "spine04", "spine05")
_TOUCHING = {
    frozenset(pair)
    for pair in (
        ("upper_arm", "forearm"),
        ("forearm", "hand"),
        ("thigh", "shin"),
        ("shin", "foot"),
        ("trunk", "thigh"),
        ("trunk", "head"),
        ("trunk", "upper_arm"),
        ("thigh", "foot"),
    )
}
_SQUEEZE = 0.85  # flesh gives way


@dataclass(frozen=True, eq=False)
class Figure:
    """soles: (N, 3) by side, of the shoe or bare foot, from the ankle. radii: in metres, of the parts.

    up: what lifts a body at rest onto a floor at z = 0. head_centre: at rest.
    """

    skeleton: Skeleton
    soles: Mapping[str, Array]
    radii: Mapping[str, float]
    up: float
    head_centre: Array

    @classmethod
    def of(cls, dressed: Dressed) -> Figure:
        body = dressed.body
        return cls(body.skeleton, _soles(dressed), _radii(body), -dressed.floor, dressed.head_centre)

    @property
    def leg(self) -> float:
        """From the hip to the ankle along the bones."""
        hip, knee, ankle = (self.skeleton.head(f"{name}.L") for name in ("upperleg01", "lowerleg01", "foot"))
        return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))

    def ankle_height(self, side: str, turn: Array) -> float:
        """Over the floor, when the turned foot stands on it."""
        return float(-(self.soles[side] @ turn.T)[:, 2].min())

    def parts(self, transforms: Array) -> dict[str, tuple[Segment, float]]:
        """Capsules: an axis and a radius, by names such as “shin.L”."""
        return {name: (segment, self.radii[name.split(".")[0]]) for name, segment in self._axes(transforms).items()}

    def _axes(self, transforms: Array) -> dict[str, Segment]:
        posed_head = self.skeleton.posed_head
        axes: dict[str, Segment] = {}
        for side, other in (("L", "R"), ("R", "L")):
            for part, (start, end, skipped, _) in _BONES_OF_PARTS.items():
                first, last = posed_head(transforms, f"{start}.{side}"), posed_head(transforms, f"{end}.{side}")
                axes[f"{part}.{side}"] = (first + (last - first) * skipped, last)
            shoulder, opposite = (posed_head(transforms, f"upperarm01.{name}") for name in (side, other))
            hip, other_hip = (posed_head(transforms, f"upperleg01.{name}") for name in (side, other))
            axes[f"trunk.{side}"] = (0.75 * hip + 0.25 * other_hip, 0.72 * shoulder + 0.28 * opposite)
        head = transforms[self.skeleton.place("head")]
        centre = head[:3, :3] @ self.head_centre + head[:3, 3]
        axes["head"] = (centre, centre)
        return axes


def _soles(dressed: Dressed) -> dict[str, Array]:
    ankles = {side: dressed.body.skeleton.head(f"foot.{side}") for side in SIDES}
    shoes = [mesh for mesh in dressed.meshes if mesh.material is Material.SHOES]
    points = shoes[0].rest[np.unique(shoes[0].faces)] if shoes else dressed.body.rest[:SKIN_END]
    points = points[points[:, 2] < ankles["L"][2]]
    return {side: points[points[:, 0] * ankle[0] > 0] - ankle for side, ankle in ankles.items()}


def _radii(body: Body) -> dict[str, float]:
    """Of the skin around each axis at rest, the median, and a centimetre for the cloth."""
    heads = body.skeleton.head
    result = {"head": 0.105 * body.height / 1.75}
    skin = body.rest[:SKIN_END]
    for part, (start, end, skipped, names) in _BONES_OF_PARTS.items():
        first, last = heads(f"{start}.L"), heads(f"{end}.L")
        mine = body.share_of([f"{name}.L" for name in names])[:SKIN_END] > 0.5
        axis = (first + (last - first) * skipped, last)
        result[part] = 0.01 + float(np.median([segment_distance(axis, (p, p)) for p in skin[mine][::5]]))
    result["hand"] *= 0.5  # it is flat
    trunk = skin[body.share_of(list(_TRUNK_BONES))[:SKIN_END] > 0.7][::5]
    # Half of its depth, since two capsules stand side by side.
    result["trunk"] = 0.01 + float(np.percentile(trunk[:, 1], 85) - np.percentile(trunk[:, 1], 15)) / 2
    return result


def segment_distance(first: Segment, second: Segment) -> float:
    """The smallest distance of two segments; either may be a point. After C. Ericson, Real-Time Collision Detection."""
    (p1, q1), (p2, q2) = first, second
    d1, d2, r = q1 - p1, q2 - p2, p1 - p2
    a, e, f, c, b = (float(product) for product in (d1 @ d1, d2 @ d2, d2 @ r, d1 @ r, d1 @ d2))
    if a < 1e-12 and e < 1e-12:
        return float(np.linalg.norm(r))
    if a < 1e-12:
        s, t = 0.0, _share(f / e)
    elif e < 1e-12:
        s, t = _share(-c / a), 0.0
    else:
        slope = a * e - b * b
        s = _share((b * f - c * e) / slope) if slope > 1e-12 else 0.0
        t = (b * s + f) / e
        if t < 0 or t > 1:
            t = _share(t)
            s = _share((b * t - c) / a)
    return float(np.linalg.norm(p1 + s * d1 - p2 - t * d2))


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def collides(parts: Mapping[str, tuple[Segment, float]]) -> bool:
    """Whether two parts of one person that are not neighbours are nearer than their radii."""
    names = list(parts)
    for i, first in enumerate(names):
        for second in names[:i]:
            kinds = frozenset((first.split(".")[0], second.split(".")[0]))
            same_side = first[-1] == second[-1] or "head" in kinds or "trunk" in kinds
            if kinds == {"trunk"} or (kinds in _TOUCHING and same_side):
                continue
            (axis, radius), (other_axis, other_radius) = parts[first], parts[second]
            if segment_distance(axis, other_axis) < _SQUEEZE * (radius + other_radius):
                return True
    return False


def people_collide(
    first: Mapping[str, tuple[Segment, float]], second: Mapping[str, tuple[Segment, float]], gap: float = 0.03
) -> bool:
    return any(
        segment_distance(axis, other_axis) < radius + other_radius + gap
        for axis, radius in first.values()
        for other_axis, other_radius in second.values()
    )


def joint_angles(skeleton: Skeleton, transforms: Array) -> dict[str, list[float]]:
    """Degrees, measured from where the joints came to; by the names of JOINT_LIMITS, one of each side or one."""

    def axes(name: str) -> Array:
        turn: Array = transforms[skeleton.place(name)][:3, :3]
        return turn

    found: dict[str, list[float]] = {name: [] for name in JOINT_LIMITS}
    pelvis, chest, head = axes("root"), axes("spine01"), axes("head")
    found["trunk"].append(_turned(pelvis.T @ chest))
    found["neck"].append(_turned(chest.T @ head))
    for side, outwards in (("L", 1), ("R", -1)):
        shoulder, elbow, wrist, hip, knee, ankle = (
            skeleton.posed_head(transforms, f"{name}.{side}")
            for name in ("upperarm01", "lowerarm01", "wrist", "upperleg01", "lowerleg01", "foot")
        )
        upper = unit(elbow - shoulder) @ chest
        thigh = unit(knee - hip) @ pelvis
        found["elbow"].append(np.degrees(angle_between(elbow - shoulder, wrist - elbow)))
        found["knee"].append(np.degrees(angle_between(knee - hip, ankle - knee)))
        found["shoulder"].append(np.degrees(angle_between(upper, [0, 0, -1])))
        found["shoulder_back"].append(np.degrees(np.arcsin(upper[1])))
        found["shoulder_across"].append(np.degrees(np.arcsin(-outwards * upper[0])))
        found["hip"].append(np.degrees(np.arctan2(-thigh[1], -thigh[2])) if thigh[2] < 0.9 else 180.0)
        found["hip_aside"].append(np.degrees(np.arcsin(outwards * thigh[0])))
        toes = axes(f"foot.{side}") @ [0, -1, 0]
        found["ankle"].append(90 - np.degrees(angle_between(toes, knee - ankle)))
    return found


def _turned(rotation: Array) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def within_limits(skeleton: Skeleton, transforms: Array) -> bool:
    # Rounding may leave a stretched joint a hair below zero.
    return all(
        JOINT_LIMITS[name][0] - 1e-6 <= angle <= JOINT_LIMITS[name][1] + 1e-6
        for name, angles in joint_angles(skeleton, transforms).items()
        for angle in angles
    )

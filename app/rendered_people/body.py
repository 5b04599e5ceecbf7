"""The body: anny's shape and rig (https://github.com/naver/anny, Apache-2.0; shapes CC0), skinned here in float64."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse
import torch

from app.rendered_people.rotations import Array
from app.rendered_people.skeleton import COCO_NAMES, Skeleton

# Of anny's vertices: the skin comes first, the eyeballs begin here.
SKIN_END = 13380
EYES_START = 14598


@cache
def anny_model() -> Any:
    """The first call on a machine takes over a minute, later ones use anny's cache.

    The topology “smplx” is never asked for: it would download assets that are not free.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anny

        return anny.Anny(topology="anny-full", local_changes="none").to(dtype=torch.float32)


@cache
def _coco_regressor() -> Array:
    """(17, V): shares of the skin's vertices that make up each COCO joint."""
    from anny.keypoints import KeypointsRegressor

    regressor = KeypointsRegressor.coco(anny_model(), labels=list(COCO_NAMES))
    return np.asarray(regressor.regression_weights.numpy(), float)


@cache
def _skin_weights() -> sparse.csr_matrix:
    """(V, J)."""
    model = anny_model()
    weights, bones = model.vertex_bone_weights.numpy(), model.vertex_bone_indices.numpy()
    rows = np.repeat(np.arange(len(weights)), weights.shape[1])
    return sparse.csr_matrix(
        (weights.ravel().astype(float), (rows, bones.ravel())), shape=(len(weights), len(model.bone_labels))
    )


def skinned(weights: sparse.csr_matrix, transforms: Array, points: Array) -> Array:
    """Linear blend skinning. weights: (V, J), transforms: (J, 4, 4), points: (V, 3)."""
    blended = (weights @ transforms.reshape(len(transforms), 16)).reshape(-1, 4, 4)
    moved: Array = np.einsum("nij,nj->ni", blended[:, :3, :3], points) + blended[:, :3, 3]
    return moved


def skinned_normals(weights: sparse.csr_matrix, transforms: Array, normals: Array) -> Array:
    blended = (weights @ transforms[:, :3, :3].reshape(len(transforms), 9)).reshape(-1, 3, 3)
    turned: Array = np.einsum("nij,nj->ni", blended, normals)
    return np.asarray(turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9))


class Body:
    """A person's shape at rest: arms held off, feet flat, in the axes of `Skeleton`.

    phenotype: anny's, each 0 to 1 (gender 0 is male, age .67 is an adult); those left out are .5.
    """

    def __init__(self, phenotype: Mapping[str, float]) -> None:
        model = anny_model()
        self.phenotype = dict.fromkeys(model.phenotype_labels, 0.5) | dict(phenotype)
        with torch.no_grad():
            shape = model(phenotype_kwargs=self.phenotype)
        self.rest: Array = shape["rest_vertices"][0].numpy().astype(float)
        self.rest_bone_poses = shape["rest_bone_poses"]
        parents = tuple(-1 if i == 0 else int(parent) for i, parent in enumerate(model.bone_parents))
        heads = shape["rest_bone_heads"][0].numpy().astype(float)
        self.skeleton = Skeleton(tuple(model.bone_labels), parents, heads)
        self.weights = _skin_weights()
        self.faces = np.array(model.faces)
        self.texture = model.texture_coordinates.numpy()
        self.texture_faces = model.face_texture_coordinate_indices.numpy()

    @cached_property
    def lowest(self) -> float:
        """The height z of the bare soles at rest, in metres."""
        return float(self.rest[:SKIN_END, 2].min())

    @cached_property
    def height(self) -> float:
        return float(np.ptp(self.rest[:SKIN_END, 2]))

    def share_of(self, bones: list[str]) -> Array:
        """(V,): how much of each vertex follows these bones."""
        columns = [self.skeleton.place(name) for name in bones]
        return np.asarray(self.weights[:, columns].sum(1)).ravel()

    def posed(self, transforms: Array) -> Array:
        """(V, 3)."""
        return skinned(self.weights, transforms, self.rest)

    def coco_joints(self, transforms: Array) -> Array:
        """(17, 3): anny's regressor on the posed skin."""
        return _coco_regressor() @ self.posed(transforms)

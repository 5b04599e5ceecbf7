"""Which joints are compared, and from which of BlazePose's they are read."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.comparison.page import clean
from app.errors import UserError
from models.errors import unknown_name
from models.skeletons import BLAZEPOSE_33, COCO_17

LSP_JOINTS = (
    *(f"right_{joint}" for joint in ("ankle", "knee", "hip")),
    *(f"left_{joint}" for joint in ("hip", "knee", "ankle")),
    *(f"right_{joint}" for joint in ("wrist", "elbow", "shoulder")),
    *(f"left_{joint}" for joint in ("shoulder", "elbow", "wrist")),
    "neck",
    "head_top",
)
_NECK = ("left_shoulder", "right_shoulder")
_HEAD_TOP = "head_top"
_LARGEST_SIGMA = 1.0


@dataclass(frozen=True, slots=True)
class JointSet:
    """The joints of an annotation file that BlazePose can read.

    name: COCO-17, LSP-14, or that of the user's mapping. all_names: every joint of the file's category, in its order.
    places: which of them are compared. sources: for each of those the indices in BLAZEPOSE_33 whose mean it is.
    sigmas: for each of those, how far apart people who annotate it lie, as a share of the person's scale (OKS).
    """

    name: str
    all_names: tuple[str, ...]
    places: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]
    sigmas: tuple[float, ...]

    @property
    def joints(self) -> tuple[str, ...]:
        """The names of those that are compared."""
        return tuple(self.all_names[place] for place in self.places)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Joints of the file that the network cannot read."""
        return tuple(name for i, name in enumerate(self.all_names) if i not in self.places)

    def known_to(self, indices: Collection[int]) -> JointSet:
        """What of it can be read by a network that knows these indices of BLAZEPOSE_33; perhaps nothing."""
        kept = [i for i, source in enumerate(self.sources) if set(source) <= set(indices)]
        return replace(
            self,
            places=tuple(self.places[i] for i in kept),
            sources=tuple(self.sources[i] for i in kept),
            sigmas=tuple(self.sigmas[i] for i in kept),
        )

    @property
    def needed(self) -> tuple[int, ...]:
        """The indices in BLAZEPOSE_33 that have to be decoded, in their order."""
        return tuple(sorted({index for source in self.sources for index in source}))

    def means(self, values: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
        """From the joints of `needed` along `axis` to the joints of this set: each the mean of its sources."""
        place = {index: i for i, index in enumerate(self.needed)}
        weights = np.zeros((len(self.sources), len(place)))
        for row, source in zip(weights, self.sources, strict=True):
            row[[place[index] for index in source]] = 1 / len(source)
        return np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)


@cache
def coco_sigmas() -> Mapping[str, float]:
    """COCO's, by joint, from pycocotools: measured on images that several people annotated."""
    from pycocotools.cocoeval import Params  # type: ignore[import-untyped]

    return dict(zip(COCO_17.joints, map(float, Params("keypoints").kpt_oks_sigmas), strict=True))


def default_sigma(source: Sequence[int]) -> float:
    """The mean of COCO's for the joints that this one is read from; the median of all of COCO's (.072, an elbow's)
    where COCO has no such joint, since nobody has measured those.

    So a neck between the shoulders gets .079, which CrowdPose (Li et al., CVPR 2019), whose people have the same
    fourteen joints as LSP's, takes for its neck too.
    """
    known = coco_sigmas()
    names = [BLAZEPOSE_33.joints[index] for index in source]
    if all(name in known for name in names):
        return float(np.mean([known[name] for name in names]))
    return float(np.median(list(known.values())))


def built_in_set(names: Sequence[str]) -> JointSet:
    """The joint set for a category with these joints, in any order: of COCO-17, of LSP-14, or of BlazePose's 33.

    Spaces and hyphens count as underscores. LSP's neck is the middle of the shoulders; its head top is nothing that
    BlazePose knows, and is left out. Raises UserError for a name that is known nowhere.
    """
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    known = (*BLAZEPOSE_33.joints, "neck", _HEAD_TOP)
    for name, written in zip(plain, names, strict=True):
        if name not in known:
            raise UserError(f"{unknown_name('joint', written, known)} Other names need --mapping.")
    if set(plain) <= set(COCO_17.joints):
        title = COCO_17.name
    else:
        title = "LSP-14" if set(plain) <= set(LSP_JOINTS) else BLAZEPOSE_33.name
    places = tuple(i for i, name in enumerate(plain) if name != _HEAD_TOP)
    if not places:
        raise UserError("None of the joints of the annotations can be read: BlazePose has no top of the head.")
    sources = tuple(_indices(_NECK if plain[i] == "neck" else (plain[i],)) for i in places)
    return JointSet(title, tuple(names), places, sources, tuple(map(default_sigma, sources)))


def mapped_set(path: Path, names: Sequence[str]) -> JointSet:
    """The joint set that a user's file describes, for a category with these joints.

    The file: {"joints": {"their name": "a joint of BlazePose" or ["a", "b"] for the mean}, "sigmas": {"their name":
    number}}; sigmas may be left out, all or some. Joints of the category that are not named are left out.
    Raises UserError with one sentence for whatever is wrong.
    """
    written = _read(path)
    joints, sigmas = written.get("joints"), written.get("sigmas", {})
    if not isinstance(joints, dict) or not joints or not isinstance(sigmas, dict):
        raise UserError(f"The mapping “{path.name}” needs “joints”, an object from names to joints of BlazePose.")
    for name in joints:
        if name not in names:
            raise UserError(f"In the mapping: {unknown_name('joint of the annotations', name, names)}")
    for name in sigmas:
        if name not in joints:
            raise UserError(f"In the mapping, under sigmas: {unknown_name('joint', name, joints)}")
    sources = {name: _source(name, target) for name, target in joints.items()}
    places = tuple(i for i, name in enumerate(names) if name in joints)
    taken = [names[place] for place in places]
    return JointSet(
        clean(path.stem),
        tuple(names),
        places,
        tuple(sources[name] for name in taken),
        tuple(_sigma(name, sigmas[name]) if name in sigmas else default_sigma(sources[name]) for name in taken),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        written = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UserError(f"The mapping {path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise UserError(f"The mapping “{path.name}” is not JSON.") from None
    if not isinstance(written, dict):
        raise UserError(f"The mapping “{path.name}” needs “joints”, an object from names to joints of BlazePose.")
    return written


def _source(name: str, target: object) -> tuple[int, ...]:
    joints = [target] if isinstance(target, str) else target
    if not isinstance(joints, list) or not joints or not all(isinstance(joint, str) for joint in joints):
        raise UserError(f"In the mapping, “{name}” needs the name of a joint of BlazePose, or a list of such names.")
    for joint in joints:
        if joint not in BLAZEPOSE_33.index:
            raise UserError(f"In the mapping: {unknown_name('joint of BlazePose', joint, BLAZEPOSE_33.joints)}")
    return _indices(joints)


def _sigma(name: str, value: object) -> float:
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not 0 < number <= _LARGEST_SIGMA:
        raise UserError(f"In the mapping, the sigma of “{name}” must be greater than 0 and at most 1, as .079 is.")
    return number


def _indices(names: Sequence[str]) -> tuple[int, ...]:
    return tuple(BLAZEPOSE_33.index[name] for name in names)

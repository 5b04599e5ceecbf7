"""What is trained on, made once of every view and kept on the disk: a trunk's features for heads, or the crops."""

from __future__ import annotations

import hashlib
import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.disk_space import LEAST_FREE_BYTES, short_of_space, size_text
from app.errors import OutputError, SourceError, UserError
from app.evaluation.annotations import read_picture
from app.evaluation.crops import ahead
from app.evaluation.outcome import Skipped
from app.training.people import TrainingPeople
from app.training.views import VERSION, View, disturbed_view, plain_view
from models.heads import Trunk, TrunkFeatures
from models.traits import BLAZEPOSE, NetworkTraits

_WORKERS, _AHEAD = 2, 4
_DONE = "done.json"


class Maker(ABC):
    """Makes of crops what is kept, and of that what a module takes.

    title: for people. key: what is kept depends on it. names, shapes: of the arrays that one crop becomes, in `dtype`.
    """

    title: str
    key: str
    traits: NetworkTraits
    names: Sequence[str]
    shapes: Sequence[tuple[int, ...]]
    dtype: type[np.generic]

    @abstractmethod
    def make(self, crops: NDArray[np.uint8], device: torch.device) -> Sequence[NDArray[np.generic]]:
        """Of crops (N, H, W, 3) uint8 BGR."""

    @abstractmethod
    def taken(self, arrays: Sequence[Tensor]) -> Any:
        """What the module takes, of arrays as they were kept, on their device."""


class TrunkMaker(Maker):
    """The features of a landmark network's trunk, in float16, for `models.heads.Head`. network: its .tflite file."""

    title = "trunk features"
    traits = BLAZEPOSE
    names = TrunkFeatures._fields
    dtype = np.float16

    def __init__(self, network: bytes) -> None:
        self.key = hashlib.sha256(network).hexdigest()
        self._trunk = Trunk(network).eval().requires_grad_(False)
        self.shapes = self._trunk.feature_shapes

    @torch.inference_mode()
    def make(self, crops: NDArray[np.uint8], device: torch.device) -> Sequence[NDArray[np.generic]]:
        features = self._trunk.to(device)(_as_input(torch.from_numpy(crops).to(device)))
        return [values.half().cpu().numpy() for values in features]

    def taken(self, arrays: Sequence[Tensor]) -> TrunkFeatures:
        return TrunkFeatures(*(array.float() for array in arrays))


class CropMaker(Maker):
    """The crops as they are, for networks of which all layers are trained."""

    title = "crops"
    names = ("crops",)
    dtype = np.uint8

    def __init__(self, traits: NetworkTraits) -> None:
        self.traits = traits
        self.key = f"crops {traits.height} {traits.width}"
        self.shapes = [(traits.height, traits.width, 3)]

    def make(self, crops: NDArray[np.uint8], device: torch.device) -> Sequence[NDArray[np.generic]]:
        return [crops]

    def taken(self, arrays: Sequence[Tensor]) -> Tensor:
        return _as_input(arrays[0])


def _as_input(crops: Tensor) -> Tensor:
    """(N, H, W, 3) uint8 BGR -> (N, 3, H, W) float32 RGB in [0, 1]."""
    return crops.flip(-1).permute(0, 3, 1, 2).float() / 255.0


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """Which views are made: of each person the plain one, and `disturbed` more, drawn from the seed."""

    disturbed: int
    seed: int

    @property
    def of_each(self) -> int:
        return 1 + self.disturbed


class FeatureStore:
    """Views of people, as a maker keeps them, in a folder. View v of person p is row p · of_each + v.

    points: (R, J, 2) float32, x and y as shares of the crop. labelled: (R, J). usable: (people,), False where the
    picture cannot be read; those are named in `skipped`.
    """

    def __init__(self, folder: Path, maker: Maker, people: TrainingPeople, plan: ViewPlan) -> None:
        self.plan, self._maker = plan, maker
        rows = len(people.people) * plan.of_each
        done = json.loads((folder / _DONE).read_text("utf-8"))
        self.skipped = [Skipped(what, why) for what, why in done["skipped"]]
        self.usable = np.array(done["usable"], np.bool_)
        self._arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in maker.names]
        self.points: NDArray[np.float32] = np.load(folder / "points.npy")
        self.labelled: NDArray[np.bool_] = np.load(folder / "labelled.npy")
        if len(self.points) != rows:
            raise ValueError(f"{rows} rows are expected, not {len(self.points)}")

    def rows_of(self, people: Sequence[int], *, plain_only: bool = False) -> NDArray[np.int64]:
        """The rows of those of these people whose pictures could be read, and who have a labelled joint there."""
        views = range(1) if plain_only else range(self.plan.of_each)
        rows = np.array([p * self.plan.of_each + v for p in people if self.usable[p] for v in views], np.int64)
        return rows[self.labelled[rows].any(-1)]

    def features(self, rows: NDArray[np.int64], device: torch.device) -> Any:
        """Of these rows, what the module takes."""
        return self._maker.taken([_on(array[rows], device) for array in self._arrays])

    def truth(self, rows: NDArray[np.int64], size: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
        """Points (N, J, 2) in cells of maps of `size` (height, width), and labelled (N, J)."""
        # Cell c stands for c / width of the crop.
        cells = self.points[rows] * np.array([size[1], size[0]], np.float32)
        # A point beyond the last cell's centre can be reached by no mean of cells.
        inside = (cells <= np.array([size[1] - 1, size[0] - 1])).all(-1)
        return _on(cells, device), _on(self.labelled[rows] & inside, device)


def _on(values: NDArray[np.generic], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)


def feature_store(
    cache: Path,
    maker: Maker,
    people: TrainingPeople,
    plan: ViewPlan,
    device: torch.device,
    tell: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> FeatureStore:
    """What the maker makes of all views, from `cache` where it is there already.

    tell: given a sentence on how large it is. progress: how many people of how many are done. Raises UserError where
    the disk has no room or nobody's picture can be read.
    """
    key = json.dumps([maker.key, people.digest, people.joints, plan.disturbed, plan.seed, VERSION])
    folder = cache / f"{maker.title.replace(' ', '-')}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if (folder / _DONE).is_file():
        tell(f"The {maker.title} are there already: {folder}")
        return FeatureStore(folder, maker, people, plan)
    rows = len(people.people) * plan.of_each
    size = rows * sum(np.dtype(maker.dtype).itemsize * math.prod(shape) for shape in maker.shapes)
    tell(f"{rows:,} views of {len(people.people):,} people take {size_text(size)} as {maker.title} in {folder}")
    if short_of_space([folder / _DONE], size + LEAST_FREE_BYTES) is not None:
        raise UserError(f"There is no room for {size_text(size)} of {maker.title} in {cache}: take fewer --views.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill(folder, maker, people, plan, device, progress)
    except OSError as error:
        raise OutputError(f"Cannot write the {maker.title} in {folder}: {error.strerror or error}.") from None
    store = FeatureStore(folder, maker, people, plan)
    if not store.usable.any():
        first = store.skipped[0]
        raise UserError(f"Nobody's picture can be read. The first reason: {first.what}: {first.why}")
    return store


def _fill(
    folder: Path,
    maker: Maker,
    people: TrainingPeople,
    plan: ViewPlan,
    device: torch.device,
    progress: Callable[[int, int], None],
) -> None:
    count = len(people.people)
    rows, joints = count * plan.of_each, len(people.joints)
    arrays = [
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", maker.dtype, (rows, *shape))
        for name, shape in zip(maker.names, maker.shapes, strict=True)
    ]
    points, labelled = np.zeros((rows, joints, 2), np.float32), np.zeros((rows, joints), np.bool_)
    usable, skipped = np.ones(count, np.bool_), []

    def views_of(number: int) -> list[View] | Skipped:
        person = people.people[number]
        try:
            picture = read_picture(person.image)
        except SourceError as error:
            return Skipped(person.image.name, str(error))
        # Each depends on the seed and its own numbers alone.
        drawn = [np.random.default_rng((plan.seed, number, view)) for view in range(plan.disturbed)]
        return [
            plain_view(picture, person, maker.traits),
            *(disturbed_view(picture, person, maker.traits, people.joints, random) for random in drawn),
        ]

    for number, views in enumerate(ahead(views_of, range(count), _WORKERS, _AHEAD)):
        if isinstance(views, Skipped):
            usable[number] = False
            skipped.append(views)
        else:
            here = slice(number * plan.of_each, (number + 1) * plan.of_each)
            points[here] = [view.points for view in views]
            labelled[here] = [view.labelled for view in views]
            made = maker.make(np.stack([view.pixels for view in views]), device)
            for array, values in zip(arrays, made, strict=True):
                array[here] = values
        progress(number + 1, count)
    for array in arrays:
        array.flush()
    np.save(folder / "points.npy", points)
    np.save(folder / "labelled.npy", labelled)
    done = {"usable": usable.tolist(), "skipped": [[one.what, one.why] for one in dict.fromkeys(skipped)]}
    # Last, and at once: without it the folder counts as not there.
    unfinished = folder / f"{_DONE}.unfinished"
    unfinished.write_text(json.dumps(done), "utf-8")
    os.replace(unfinished, folder / _DONE)

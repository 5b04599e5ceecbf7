"""How well heads are read by every decoder, on people that none of them was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from app.evaluation.annotations import AnnotatedPerson
from app.evaluation.crops import region_of_box
from app.evaluation.joint_sets import coco_sigmas, default_sigma
from app.training.features import FeatureStore
from app.training.kinds import READERS
from app.training.people import TrainingPeople
from models.decoders import Decoder, get_decoder, prepare
from models.heads import Head
from models.skeletons import BLAZEPOSE_33
from models.traits import BLAZEPOSE

_AT_ONCE = 32
OCCLUDED_FROM = 0.25  # of the labelled joints


@dataclass(frozen=True, slots=True, eq=False)
class TestPeople:
    """name: for people. rows: of the store, one for each of `people`."""

    __test__ = False  # for pytest

    name: str
    people: TrainingPeople
    store: FeatureStore
    rows: NDArray[np.int64]

    @property
    def persons(self) -> list[AnnotatedPerson]:
        """In the order of the rows."""
        return [self.people.people[row // self.store.plan.of_each].person for row in self.rows]

    @property
    def pictures(self) -> list[object]:
        """Which picture each is in: people of one picture are no independent samples."""
        return [person.image for person in self.persons]

    def groups(self) -> dict[str, NDArray[np.bool_]]:
        """Which people are in each group: all, the smaller half, those of whom more is occluded."""
        persons = self.persons
        sizes = np.array([person.longer_side for person in persons])
        occluded = np.array([person.occluded_share for person in persons])
        small = float(np.median(sizes))
        return {
            "all": np.ones(len(persons), np.bool_),
            f"smaller than {small:.0f} px": sizes < small,
            f"larger than {small:.0f} px": sizes >= small,
            f"at least {OCCLUDED_FROM:.0%} occluded": occluded >= OCCLUDED_FROM,
            f"less than {OCCLUDED_FROM:.0%} occluded": occluded < OCCLUDED_FROM,
        }


@dataclass(frozen=True, slots=True, eq=False)
class HeadScores:
    """oks: (P, D), D as in READERS. cells: (P, D, J) distance from the truth in cells, NaN where not labelled."""

    oks: NDArray[np.float64]
    cells: NDArray[np.float64]

    def mean_cells(self) -> NDArray[np.float64]:
        """(P, D): the mean over a person's labelled joints."""
        return np.asarray(np.nanmean(self.cells, -1))


def scores(head: Head, test: TestPeople, beta: float, device: torch.device) -> HeadScores:
    """Read the head's maps of these people with every decoder of READERS."""
    decoders: list[Decoder] = [get_decoder(name, **({} if name == "argmax" else {"beta": beta})) for name in READERS]
    head.to(device).eval()
    distances, labels = [], []
    with torch.inference_mode():
        for start in range(0, len(test.rows), _AT_ONCE):
            rows = test.rows[start : start + _AT_ONCE]
            maps = torch.sigmoid(head(test.store.features(rows, device)))
            points, labelled = test.store.truth(rows, (maps.shape[-2], maps.shape[-1]), device)
            prepared = prepare(maps)
            read = torch.stack([decoder.read(prepared).points for decoder in decoders], 1)
            distances.append((read - points[:, None]).norm(dim=-1).double().cpu().numpy())
            labels.append(labelled.cpu().numpy())
    cells, known = np.concatenate(distances), np.concatenate(labels)
    cells[~np.broadcast_to(known[:, None], cells.shape)] = np.nan
    return HeadScores(_oks(cells, test, maps.shape[-1]), cells)


def _oks(cells: NDArray[np.float64], test: TestPeople, width: int) -> NDArray[np.float64]:
    """(P, D): object keypoint similarity, with COCO's sigmas and the areas of the annotations."""
    persons = test.persons
    cell_px = np.array([region_of_box(person, BLAZEPOSE).side for person in persons]) / width
    areas = np.array([person.area for person in persons])
    sigmas = np.array([_sigma(joint) for joint in test.people.joints])
    squares = (cells * cell_px[:, None, None]) ** 2
    similar = np.exp(-squares / (2 * areas[:, None, None] * (2 * sigmas) ** 2 + np.spacing(1)))
    return np.asarray(np.nanmean(similar, -1))


def _sigma(joint: int) -> float:
    name = BLAZEPOSE_33.joints[joint]
    return coco_sigmas()[name] if name in coco_sigmas() else default_sigma((joint,))

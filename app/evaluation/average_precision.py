"""Average precision over OKS, as pycocotools computes it, and how sure it is."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.comparison.resampling import Interval, statistic_interval
from app.evaluation.annotations import AnnotatedPerson

# Resampled pictures; each person counts as often as their picture was drawn.
RESAMPLES = 200
# Of COCO's ten OKS thresholds from .50 to .95: .75.
_AT_75 = 5
_CATEGORY = 1


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Somebody who was found in a picture. points: (V, J, 2) px, of every variant.

    confidence: the network's presence times the mean peak of the heatmaps. It is the same for every variant, so that
    the average precision compares points: with confidences of its own a variant could win by sorting its people
    better.
    """

    image_id: int
    points: NDArray[np.float64]
    confidence: float


@dataclass(frozen=True, slots=True)
class Precision:
    """0 to 1; NaN where there is nobody. ar: average recall over the same thresholds of OKS."""

    ap: Interval
    ap50: float
    ap75: float
    ar: float


class PrecisionMeter:
    """Measures the average precision of each variant against the same people.

    people: annotated. counts: for each of them, whether they are to be found; the others excuse whoever finds them.
    found: everybody who was found in these pictures; nobody else's pictures are looked at.
    """

    def __init__(
        self,
        people: Sequence[AnnotatedPerson],
        counts: Sequence[bool],
        found: Sequence[Found],
        sigmas: Sequence[float],
    ) -> None:
        self._found = found
        self._sigmas = np.array(sigmas)
        images = dict.fromkeys(person.image_id for person in people)
        # Numbers of our own: pycocotools takes the id 0 of a person for “nobody”.
        self._image_ids = {image: i for i, image in enumerate(images, 1)}
        annotations = [
            self._truth(i, person, count) for i, (person, count) in enumerate(zip(people, counts, strict=True), 1)
        ]
        self._truth_file = self._file(annotations)

    def measure(self, variant: int, resamples: int = 0) -> Precision:
        """Of the variant in this place. resamples: 0 for no interval."""
        run = self._run(variant)
        precision, recall = run.eval["precision"][..., 0, 0, 0], run.eval["recall"][:, 0, 0, 0]
        # pycocotools says -1 where there is nobody to be found.
        if (precision < 0).all():
            return Precision(Interval(math.nan, math.nan, math.nan), math.nan, math.nan, math.nan)
        value = float(precision.mean())
        interval = Interval(value, math.nan, math.nan)
        if resamples:
            matches = Matches(run.evalImgs)
            interval = statistic_interval(value, list(self._image_ids), matches.average_precision, resamples)
        return Precision(interval, float(precision[0].mean()), float(precision[_AT_75].mean()), float(recall.mean()))

    def _run(self, variant: int) -> Any:
        """COCOeval after `accumulate`."""
        from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]

        predictions = [
            {
                "id": i,
                "image_id": self._image_ids[found.image_id],
                "category_id": _CATEGORY,
                "keypoints": np.insert(found.points[variant], 2, 1, axis=1).ravel(),
                "score": found.confidence,
                # Only for ranges of areas, of which there is one: all.
                "area": 1.0,
            }
            for i, found in enumerate(self._found, 1)
            if found.image_id in self._image_ids
        ]
        run = COCOeval(self._truth_file, self._file(predictions), "keypoints")
        run.params.kpt_oks_sigmas = self._sigmas
        run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], run.params.areaRngLbl[:1]
        with _silence():
            run.evaluate()
            run.accumulate()
        return run

    def _truth(self, number: int, person: AnnotatedPerson, counts: bool) -> dict[str, Any]:
        return {
            "id": number,
            "image_id": self._image_ids[person.image_id],
            "category_id": _CATEGORY,
            "keypoints": np.column_stack((person.joints, person.labels)).ravel(),
            # pycocotools leaves out whoever has none.
            "num_keypoints": person.labelled if counts else 0,
            "bbox": list(person.box),
            "area": person.area,
            "iscrowd": int(person.crowd),
        }

    def _file(self, annotations: list[dict[str, Any]]) -> Any:
        from pycocotools.coco import COCO  # type: ignore[import-untyped]

        file = COCO()
        file.dataset = {
            "images": [{"id": number} for number in self._image_ids.values()],
            "annotations": annotations,
            "categories": [{"id": _CATEGORY, "name": "person"}],
        }
        with _silence():
            file.createIndex()
        return file


class Matches:
    """Who was found with which confidence at each threshold of OKS: enough to draw the pictures again and again.

    pictures: COCOeval.evalImgs of one category, range of areas and number of detections, one for each picture.
    """

    def __init__(self, pictures: Sequence[Any]) -> None:
        filled = [(i, picture) for i, picture in enumerate(pictures) if picture is not None]
        self._pictures = len(pictures)
        self._truths = np.zeros(len(pictures), np.int64)
        for i, picture in filled:
            self._truths[i] = np.count_nonzero(np.asarray(picture["gtIgnore"]) == 0)
        confidences = np.concatenate([np.asarray(picture["dtScores"], float) for _, picture in filled])
        order = np.argsort(-confidences, kind="mergesort")
        self._picture_of = np.repeat([i for i, _ in filled], [len(picture["dtScores"]) for _, picture in filled])[order]
        matched = np.concatenate([picture["dtMatches"] for _, picture in filled], axis=1)[:, order] != 0
        ignored = np.concatenate([picture["dtIgnore"] for _, picture in filled], axis=1)[:, order].astype(bool)
        self._right, self._wrong = matched & ~ignored, ~matched & ~ignored
        self._recalls = np.linspace(0, 1, 101)

    def average_precision(self, drawn: Sequence[int]) -> float:
        """Of the pictures drawn, with repeats: what COCOeval.accumulate says of them, in a fraction of the time.

        Somebody who is there several times stands in so many places one after the other; the precision is highest at
        the end of these places if they were matched, and before them if not, so that one place with a weight will do.
        """
        times = np.bincount(drawn, minlength=self._pictures)
        truths = int(times @ self._truths)
        if not truths:
            return math.nan
        weights = times[self._picture_of]
        right, wrong = np.cumsum(self._right * weights, axis=1), np.cumsum(self._wrong * weights, axis=1)
        precision = right / np.maximum(right + wrong, 1)
        highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        total = 0.0
        for reached, best in zip(right / truths, highest, strict=True):
            places = np.searchsorted(reached, self._recalls)
            total += float(best[places[places < len(best)]].sum())
        return total / (len(right) * len(self._recalls))


def _silence() -> contextlib.AbstractContextManager[object]:
    """For pycocotools, which prints as it goes."""
    return contextlib.redirect_stdout(io.StringIO())

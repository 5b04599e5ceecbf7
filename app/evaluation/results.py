"""The files of an evaluation, beside its report."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import __version__
from app.comparison.variants import Variant
from app.evaluation.groups import CLOSE, NEAR, Evaluated
from app.evaluation.joint_sets import JointSet
from app.evaluation.outcome import Outcome
from app.evaluation.splits import BORDER

COLUMNS = (
    "image",
    "annotation_id",
    "variant",
    "labelled_keypoints",
    "occluded_share",
    "height_px",
    "cut",
    "oks",
    "pck5",
    "pck10",
    "median_error",
    "missed",
)
_DIGITS = 6
_PX_DIGITS = 3


def results_json(outcome: Outcome, options: Mapping[str, object]) -> str:
    """Everything in the outcome but the pictures; options: what was asked for. NaN is null."""
    content = {"posescope": __version__, "options": dict(options), **_plain(outcome)}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: object) -> Any:
    """As JSON has it."""
    if isinstance(value, Variant):
        return value.key
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value))
        return {name: _plain(getattr(value, name)) for name in fields if name != "picture"}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value


def results_csv(evaluated: Evaluated) -> str:
    """A row for each person and variant. What is not known is empty; cut and missed are 0 or 1."""
    scored = evaluated.scored
    close, near, labelled, missed = scored.hits(CLOSE), scored.hits(NEAR), scored.labelled, scored.missed
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for p, person in enumerate(scored.people):
        for v, variant in enumerate(evaluated.variants):
            errors = scored.errors[p, v]
            known = errors[np.isfinite(errors)]
            writer.writerow(
                (
                    person.image,
                    person.annotation_id,
                    variant.key,
                    person.labelled,
                    round(person.occluded_share, _DIGITS),
                    round(person.height, _PX_DIGITS),
                    int(person.is_cut(BORDER)),
                    round(float(scored.oks[p, v]), _DIGITS),
                    round(close[p, v] / labelled[p], _DIGITS),
                    round(near[p, v] / labelled[p], _DIGITS),
                    round(float(np.median(known)), _DIGITS) if len(known) else "",
                    int(missed[p]),
                )
            )
    return text.getvalue()


def predictions_json(evaluated: Evaluated, joint_set: JointSet, category_id: int) -> str:
    """COCO results of all variants in one array, each with its `variant`; people read at their annotated box have the
    `annotation_id` too.

    pycocotools' loadRes takes the array, or what is left of it when one variant is picked out; for average precision
    pick one. Keypoints are x, y and 1, in the order of the file's category; joints that cannot be read are 0, 0, 0.
    """
    if evaluated.found is None:
        scored = evaluated.scored
        people: list[tuple[int, NDArray[np.float64], float, dict[str, int]]] = [
            (person.image_id, scored.points[i], float(scored.confidences[i]), {"annotation_id": person.annotation_id})
            for i, person in enumerate(scored.people)
        ]
    else:
        people = [(found.image_id, found.points, found.confidence, {}) for found in evaluated.found]
    rows = [
        json.dumps(
            {
                "image_id": image_id,
                "category_id": category_id,
                "keypoints": _keypoints(points[v], joint_set),
                "score": round(confidence, _DIGITS),
                "variant": variant.key,
                **extra,
            }
        )
        for v, variant in enumerate(evaluated.variants)
        for image_id, points, confidence, extra in people
    ]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def _keypoints(points: NDArray[np.float64], joint_set: JointSet) -> Sequence[float]:
    table = np.zeros((len(joint_set.all_names), 3))
    table[list(joint_set.places), :2] = points
    table[list(joint_set.places), 2] = 1
    return [round(float(value), _PX_DIGITS) for value in table.ravel()]

"""Keypoints of the chosen decoder in COCO's format for results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.exporters.file_exporter import FileExporter, keypoint_table
from app.frames import Person, PoseResult
from models.skeletons import COCO_FROM_BLAZEPOSE


class CocoResults(FileExporter):
    """Writes results to a JSON file as they come: an array with an object for each person and frame, which
    `pycocotools.coco.COCO.loadRes` takes as it is, as soon as it holds a person.

    image_id: the frame's index in its source. category_id: 1, a person.
    keypoints: x, y and score of the 17 joints of COCO-17, one after the other, 51 numbers; 0, 0, 0 where a joint is not
        known. As read by the chosen decoder, never smoothed.
    score: the mean score of the 17 joints, by which an evaluation ranks people.
    Beyond COCO's format: decoder, the name of the chosen one; person, an id that stays the same while the person is
    followed; time_s, when the picture was taken, in s since the first frame written.

    x and y are in pixels of the source image and (0, 0) is the centre of the top left pixel, as everywhere here. COCO's
    ground truth is the same: its keypoints are 0-based whole numbers up to W - 1 and H - 1, that is pixel indices. (Its
    boxes and outlines count from the corner of that pixel, which is why detectron2 adds 0.5 to keypoints that it reads
    and takes 0.5 away when it writes them.)

    After each write the file is a complete array; its closing bracket is overwritten by what comes next.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        super().__init__(path, "[", "\n]\n", overwrite=overwrite)
        self._separator = "\n"

    def write(self, result: PoseResult) -> None:
        """Append an object for each person. OutputError where the file takes no more."""
        time_s = self._time_s(result)
        if result.people:
            self._append(self._separator + ",\n".join(_entry(person, result, time_s) for person in result.people))
            self._separator = ",\n"


def _entry(person: Person, result: PoseResult, time_s: float) -> str:
    points = keypoint_table(person, (result.decoder,))[0, COCO_FROM_BLAZEPOSE, :]
    points[np.isnan(points).any(axis=1)] = 0.0
    facts = {
        "score": round(float(points[:, 2].mean()), 4),
        "decoder": result.decoder,
        "person": person.id,
        "time_s": round(time_s, 6),
    }
    keypoints = ",".join(["%.3f,%.3f,%.4f"] * len(points)) % tuple(points.ravel().tolist())
    begin = f'{{"image_id":{result.frame.index},"category_id":1,"keypoints":[{keypoints}],'
    return begin + json.dumps(facts, separators=(",", ":"))[1:]

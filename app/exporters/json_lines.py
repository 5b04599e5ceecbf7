"""Keypoints as JSON lines: one object for each frame."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from app import __version__
from app.exporters.file_exporter import FileExporter, keypoint_table
from app.frames import Person, PoseResult, StageTimes
from models.skeletons import BLAZEPOSE_33

_STAGES = ("capture_wait", "preprocess", "detect", "network", "decode")
_HEADER = {
    "posescope": __version__,
    "joints": BLAZEPOSE_33.joints,
    "units": {
        "time_s": "s since the first frame of this file",
        "position_s": "s since the beginning of the source file",
        "latency_ms": "ms from the capture to the keypoints",
        "stages_ms": "ms",
        "keypoints": "x, y in px of the source image, (0, 0) is the centre of the top left pixel; score 0 to 1",
    },
}


class JsonLines(FileExporter):
    """Writes results to a file of JSON lines as they come: a header, then one object for each frame.

    Header: posescope (version), joints (names of the 33 joints, in the order of the points), units.

    time_s: when the picture was taken, in s since the first frame written, 6 decimals.
    frame: the frame's index in its source. position_s: where the picture lies in its file, null for a live source.
    continues: false where the picture does not follow from the one before it (wound, started again, camera lost).
    width, height: of the picture, in px.
    network, device: what read this frame. heads: for each decoder the head whose maps it read, empty where none was
        loaded. decoder: the chosen one. beta: that of ipr and debiased.
    latency_ms: from the capture to the keypoints. stages_ms: capture_wait, preprocess, detect, network and decode. Both
        null while the network is still being loaded.
    people: none, one or many, each with its id (the same while the person is followed), presence (0 to 1) and decoders:
        for each decoder 33 times [x, y, score], x and y in pixels of the source image, where (0, 0) is the centre of
        the top left pixel; as read, never smoothed.
    A number that is not known is null. A kill in the middle of a write can leave a last line without an end.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        super().__init__(path, _json(_HEADER) + "\n", overwrite=overwrite)

    def write(self, result: PoseResult) -> None:
        """Append the object of this frame. OutputError where the file takes no more."""
        frame, stages = result.frame, result.stages
        height, width = frame.image.shape[:2]
        facts = {
            "time_s": round(self._time_s(result), 6),
            "frame": frame.index,
            "position_s": None if frame.position_ns is None else round(frame.position_ns / 1e9, 6),
            "continues": frame.continues,
            "width": width,
            "height": height,
            "network": result.network,
            "device": result.device,
            "heads": dict(result.heads),
            "decoder": result.decoder,
            "beta": result.beta,
            "latency_ms": _ms(stages.done_ns - frame.captured_ns) if stages else None,
            "stages_ms": _stages_ms(stages) if stages else None,
        }
        people = ",".join(map(_person, result.people))
        self._append(f'{_json(facts)[:-1]},"people":[{people}]}}\n')


def _person(person: Person) -> str:
    decoders = tuple(person.points)
    points = _template(decoders) % tuple(keypoint_table(person, decoders).ravel().tolist())
    # Names stand in quotes: behind a bracket or a comma only a number can begin like this.
    points = points.replace("[nan", "[null").replace(",nan", ",null")
    facts = {"id": person.id, "presence": round(person.presence, 4) if math.isfinite(person.presence) else None}
    return f'{_json(facts)[:-1]},"decoders":{{{points}}}}}'


@lru_cache(maxsize=8)
def _template(decoders: tuple[str, ...]) -> str:
    points = ",".join(["[%.3f,%.3f,%.4f]"] * len(BLAZEPOSE_33.joints))
    return ",".join(f"{_json(name).replace('%', '%%')}:[{points}]" for name in decoders)


def _stages_ms(stages: StageTimes) -> dict[str, float]:
    return {stage: _ms(getattr(stages, stage)) for stage in _STAGES}


def _ms(ns: int) -> float:
    return round(ns / 1e6, 3)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

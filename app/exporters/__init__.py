"""Keypoints written to files as they come, in several formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.errors import OutputError
from app.exporters.coco_results import CocoResults
from app.exporters.json_lines import JsonLines
from app.exporters.keypoints_csv import COLUMNS, KeypointsCsv
from app.exporters.openpose_folder import SUFFIX, OpenPoseFolder
from app.frames import PoseResult
from models.errors import unknown_name

__all__ = ["COLUMNS", "KEYPOINT_FORMATS", "KeypointExporter", "KeypointFormat", "KeypointsCsv", "open_exporter"]


@dataclass(frozen=True, slots=True)
class KeypointFormat:
    """title: for the user. suffix: what follows the stem of the recording's name."""

    title: str
    suffix: str


KEYPOINT_FORMATS: dict[str, KeypointFormat] = {
    "csv": KeypointFormat("CSV", ".keypoints.csv"),
    "jsonl": KeypointFormat("JSON lines", ".keypoints.jsonl"),
    "coco": KeypointFormat("COCO results", ".coco.json"),
    "openpose": KeypointFormat("OpenPose folder", SUFFIX),
}


class KeypointExporter(Protocol):
    """Writes results to a file or a folder as they come; what `write` was given is with the system when it returns."""

    @property
    def path(self) -> Path: ...

    def write(self, result: PoseResult) -> None:
        """Add one frame. OutputError where that is not possible; what was written before stays valid."""
        ...

    def check_still_there(self) -> None:
        """OutputError where the file or folder was deleted while it is written."""
        ...

    def close(self) -> None:
        """Finish; may be called again. OutputError where the system reports only now that a write failed."""
        ...

    def discard(self) -> None:
        """Close and delete what was written. Raises nothing."""
        ...


_EXPORTERS: dict[str, Callable[..., KeypointExporter]] = {
    "csv": KeypointsCsv,
    "jsonl": JsonLines,
    "coco": CocoResults,
    "openpose": OpenPoseFolder,
}


def open_exporter(kind: str, path: Path, *, overwrite: bool = False) -> KeypointExporter:
    """An exporter of one of `KEYPOINT_FORMATS`, its file or folder made.

    Raises OutputError for another kind, where the file or folder cannot be made, and where it exists (a folder: and is
    not empty) while `overwrite` is false.
    """
    if kind not in _EXPORTERS:
        raise OutputError(unknown_name("keypoint format", kind, _EXPORTERS))
    return _EXPORTERS[kind](path, overwrite=overwrite)

"""Which files a recording has, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

ANNOTATED_SUFFIX = ".mp4"
CLEAN_SUFFIX = ".clean.mp4"
# As in app.exporters.KEYPOINT_FORMATS.
KEYPOINT_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"csv": ".keypoints.csv", "jsonl": ".keypoints.jsonl", "coco": ".coco.json", "openpose": ".openpose"}
)
ALL_SUFFIXES = (ANNOTATED_SUFFIX, CLEAN_SUFFIX, *KEYPOINT_SUFFIXES.values())


@dataclass(frozen=True, slots=True)
class RecordingWish:
    """What a user wants recorded.

    annotated: the video as it is seen. clean: the source's picture with nothing drawn on it. keypoints: formats, keys
        of `app.exporters.KEYPOINT_FORMATS`.
    """

    annotated: bool = True
    clean: bool = False
    keypoints: tuple[str, ...] = ("csv",)


@dataclass(frozen=True, slots=True)
class RecordingPaths:
    """The files of one recording; None, or not in the mapping, where one is not wanted. keypoints: format -> path."""

    annotated: Path | None = None
    clean: Path | None = None
    keypoints: Mapping[str, Path] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file, the annotated video first."""
        videos = (path for path in (self.annotated, self.clean) if path is not None)
        return (*videos, *self.keypoints.values())

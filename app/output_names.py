"""Names of recordings, snapshots and ledgers: date, source and what it is, never one that exists."""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import datetime
from pathlib import Path

from app.output_file import free_path, free_stem
from app.recording_paths import ANNOTATED_SUFFIX, CLEAN_SUFFIX, KEYPOINT_SUFFIXES, RecordingPaths, RecordingWish

_LONGEST_SOURCE_NAME = 40
# File systems take 255 bytes; the date, the decoder and the longest suffix need half of them.
_MOST_SOURCE_BYTES = 120


def recording_paths(folder: Path, source: str, decoder: str, wish: RecordingWish | None = None) -> RecordingPaths:
    """Free paths for the files that are wished, all with the same stem."""
    wish = wish or RecordingWish()
    stem = free_stem(folder, _stem(source, decoder))
    return RecordingPaths(
        annotated=folder / (stem + ANNOTATED_SUFFIX) if wish.annotated else None,
        clean=folder / (stem + CLEAN_SUFFIX) if wish.clean else None,
        keypoints={kind: folder / (stem + KEYPOINT_SUFFIXES[kind]) for kind in wish.keypoints},
    )


def snapshot_path(folder: Path, source: str, decoder: str) -> Path:
    """A free path for a snapshot."""
    return free_path(folder, _stem(source, decoder), ".png")


def ledger_path(folder: Path, source: str) -> Path:
    """A free path for a latency ledger."""
    return free_path(folder, _stem(source, "latency"), ".json")


def _stem(source: str, what: str) -> str:
    return f"posescope {datetime.now():%Y-%m-%d %H-%M-%S} {_source_name(source)} {what}"


def _source_name(source: str) -> str:
    """Letters of any language stay, with their marks; what file systems or shells stumble over becomes a hyphen."""
    text = unicodedata.normalize("NFC", source)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    kept = (c if c in "_-" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    name = re.sub(r" +", "-", "".join(kept)).strip("-")
    end = min(len(name), _LONGEST_SOURCE_NAME)
    while len(os.fsencode(name[:end])) > _MOST_SOURCE_BYTES:
        end -= 1
    while 0 < end < len(name) and unicodedata.category(name[end])[0] == "M":
        end -= 1  # a letter keeps its marks
    return name[:end].strip("-") or "source"

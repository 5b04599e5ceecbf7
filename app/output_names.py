"""Names of recordings, snapshots and ledgers: date, source and what it is, never one that exists."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from app.output_file import free_path, keypoints_path_for

_LONGEST_SOURCE_NAME = 40


def recording_paths(folder: Path, source: str, decoder: str) -> tuple[Path, Path]:
    """Free paths for the video and the keypoints of a recording."""
    video = free_path(folder, _stem(source, decoder), ".mp4")
    return video, keypoints_path_for(video)


def snapshot_path(folder: Path, source: str, decoder: str) -> Path:
    """A free path for a snapshot."""
    return free_path(folder, _stem(source, decoder), ".png")


def ledger_path(folder: Path, source: str) -> Path:
    """A free path for a latency ledger."""
    return free_path(folder, _stem(source, "latency"), ".json")


def _stem(source: str, what: str) -> str:
    # Letters of any language stay; what file systems or shells stumble over does not.
    name = re.sub(r"[^\w-]+", "-", source).strip("-")[:_LONGEST_SOURCE_NAME] or "source"
    return f"posescope {datetime.now():%Y-%m-%d %H-%M-%S} {name} {what}"

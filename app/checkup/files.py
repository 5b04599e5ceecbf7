"""The files that PoseScope reads and keeps: networks, compiled graphs, settings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.bundled import ASSETS, MODELS, SAMPLE_CLIP
from app.checkup.findings import Finding, fine, note, problem
from app.settings import load_settings, settings_path
from models.bundle import open_bundle
from models.engines.graph_cache import GraphCache
from models.errors import BundleError

_NETWORKS = "Networks"
_CACHE = "Compiled networks"
_SETTINGS = "Settings"


def check_bundles(weights: Path | None = None, clip: Path = SAMPLE_CLIP) -> Iterator[Finding]:
    """Whether the shipped networks are those that were published, and the sample clip is there.

    weights: their folder; None for the installed one.
    """
    weights = weights or ASSETS / "weights"
    remedy = "Install PoseScope again, or restore the file from where you have it."
    damaged = False
    for name, sha256 in MODELS.items():
        try:
            open_bundle(weights / f"pose_landmarker_{name}.task", sha256)
        except BundleError as error:
            damaged = True
            yield problem(_NETWORKS, f"“{name}” cannot be used: {str(error).rstrip('.')}.", remedy)
    if not clip.is_file():
        yield problem(_NETWORKS, f"The sample clip is not there: {clip}.", remedy)
    if not damaged:
        yield fine(_NETWORKS, f"{', '.join(MODELS)} are as they were published.")


def check_graph_cache(folder: Path | None = None) -> Iterator[Finding]:
    """Whether compiled networks can be kept from one start to the next. folder: None for the user's."""
    folder = folder or GraphCache().folder
    reason = why_not_writable(folder)
    if reason:
        yield note(
            _CACHE,
            f"They cannot be kept in {folder}, so that each start takes seconds longer: {reason}.",
            "Make that folder yours.",
        )
    else:
        yield fine(_CACHE, f"They are kept in {folder}.")


def check_settings(path: Path | None = None) -> Iterator[Finding]:
    """Whether what was chosen the last time is understood, and can be kept. path: None for the user's file."""
    path = path or settings_path()
    _, complaints = load_settings(path)
    if any("are not used" in complaint for complaint in complaints):
        yield problem(_SETTINGS, complaints[0], "Mend the file, or delete it to begin with the usual settings.")
    elif complaints:
        yield note(_SETTINGS, " ".join(complaints), f"If you miss something, mend it in {path}, or delete that file.")
    reason = why_not_writable(path.parent)
    if reason:
        yield note(
            _SETTINGS,
            f"What is chosen in the window cannot be kept in {path.parent}: {reason}.",
            "Make that folder yours.",
        )
    elif not complaints:
        yield fine(_SETTINGS, f"They are kept in {path}.")


def why_not_writable(folder: Path) -> str:
    """Why no file can be written to `folder`, as a part of a sentence; empty where one can.

    A folder that is not there yet is not made: its nearest parent counts. What is written is deleted at once.
    """
    for place in (folder, *folder.absolute().parents):
        try:
            if not place.exists():
                continue
            if not place.is_dir():
                return f"{place} is not a folder"
            with tempfile.TemporaryFile(dir=place):
                return ""
        except OSError as error:
            return f"{place} cannot be written to ({(error.strerror or str(error)).lower()})"
    return "its disk is not there"

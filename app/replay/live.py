"""The report of a replay from what the window has seen in the last seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.comparison.variants import Variant
from app.decoder_display import WITH_BETA
from app.errors import UserError
from app.frames import PoseResult
from app.output_file import OutputFile
from app.replay.filters import NoFilter, OneEuro
from app.replay.measures import Findings, measure
from app.replay.pictures import close_ups
from app.replay.report import About, report_html
from app.replay.stillness import stillness
from app.replay.tracks import Seen, Tracks, joined
from models.engines.choice import NO_HEATMAPS

SHORTEST_S = 2.0
_FEWEST_FRAMES = 15


@dataclass(frozen=True, slots=True)
class Compared:
    """A report that was written. seconds, frames: what it holds; since: what was changed before them, or empty."""

    path: Path
    seconds: float
    frames: int
    since: str


def compare_recent(results: Sequence[PoseResult], newest: PoseResult | None, source: str, path: Path) -> Compared:
    """Write the report of the last seconds to `path`, which must not exist.

    results: oldest first, see `app.replay.recent`. What came before β, the network, its device or the picture's size
    was changed last is left out. Raises UserError where nobody was seen, MediaPipe has read or too little is left,
    OutputError where the file cannot be written; then none is left.
    """
    kept, since = _alike(results)
    if any(person is not None and not person.has_decoders for result in kept for person in result.people):
        raise UserError(f"{NO_HEATMAPS} There is nothing to compare.")
    seconds = (kept[-1].frame.time_ns - kept[0].frame.time_ns) / 1e9 if kept else 0.0
    seen = sum(bool(result.people) for result in kept)
    if seconds < SHORTEST_S or len(kept) < _FEWEST_FRAMES:
        reason = f"{since} was changed" if since else "the network began to read"
        raise UserError(f"Too short to compare: {reason} {seconds:.1f} s ago, and {SHORTEST_S:g} s are needed.")
    if seen < _FEWEST_FRAMES:
        raise UserError(f"Nothing to compare: a person was seen in {seen} of the last {len(kept)} frames.")
    # At once: a folder that cannot be written to is told before the work.
    file = OutputFile(path)
    try:
        tracks = _tracks(kept)
        found = measure(tracks, (NoFilter(), OneEuro()), stillness(tracks, None, None), None)
        file.write(_report(found, kept, since, source, newest).encode())
        file.close()
    except BaseException:
        file.discard()
        raise
    return Compared(path, seconds, len(kept), since)


def _alike(results: Sequence[PoseResult]) -> tuple[list[PoseResult], str]:
    """The last results that were read alike, and what was changed before them."""
    kept: list[PoseResult] = []
    for result in reversed(results):
        if kept and (change := _change(result, kept[-1])):
            return kept[::-1], change
        kept.append(result)
    return kept[::-1], ""


def _change(before: PoseResult, after: PoseResult) -> str:
    for what, old, new in (
        ("β", before.beta, after.beta),
        ("the network", before.network, after.network),
        ("the device", before.device, after.device),
        ("the size of the picture", before.frame.image.shape, after.frame.image.shape),
    ):
        if old != new:
            return what
    return ""


def _tracks(results: Sequence[PoseResult]) -> Tracks:
    """Every decoder as it was live."""
    people = [result.people[0] if result.people else None for result in results]
    names = next(person.measured for person in people if person is not None)
    beta = results[-1].beta
    variants = [Variant(name, beta if name in WITH_BETA else None) for name in names]
    frames = [
        Seen(
            result.frame.index,
            result.frame.time_ns,
            result.frame.continues,
            person,
            None if person is None else np.stack([person.points[name] for name in names]).astype(np.float64),
        )
        for result, person in zip(results, people, strict=True)
    ]
    height, width = results[-1].frame.image.shape[:2]
    return joined(variants, frames, (width, height))


def _report(found: Findings, kept: Sequence[PoseResult], since: str, source: str, newest: PoseResult | None) -> str:
    last = kept[-1]
    notes = [
        "Every decoder as it was live in the window, all on the same frames. Frames that were dropped before the "
        "network are not among them."
    ]
    if since:
        notes.append(f"What came before {since} was changed is left out.")
    pictures = []
    if newest is not None and newest.people and newest.frame.image.shape == last.frame.image.shape:
        person = newest.people[0]
        points = np.stack([person.points[name] for name in person.measured]).astype(np.float64)
        pictures = close_ups(newest.frame.image, person, points)
    return report_html(found, About(source, last.network, last.device, "", tuple(notes)), pictures)

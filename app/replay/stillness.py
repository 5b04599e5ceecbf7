"""In which frames the person stands still: as the user says, as the truth says, or where the network's points rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError
from app.meters.jitter import FRAMES, MOTION_DECODER, STILL_BODY_SHARE, JitterMeter
from app.replay.tracks import Tracks
from app.replay.truth import Truth

STILL = "still"
_SHORTEST_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Stillness:
    """mask: (T,) the frames in which the person stands still. origin: who says so, as a sentence has it."""

    mask: NDArray[np.bool_]
    origin: str


def parse_still(text: str | None) -> range | None:
    """`8-87` names the frames 8 to 87, both included. Raises UserError for anything else."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,9})\s*[-–]\s*(\d{1,9})\s*", text)
    if match is None or int(match[1]) > int(match[2]):
        raise UserError(f"--still takes the first and the last frame, for example 8-87, not “{text}”.")
    return range(int(match[1]), int(match[2]) + 1)


def stillness(tracks: Tracks, named: range | None, truth: Truth | None) -> Stillness:
    """named: by the user. Raises UserError where none of the frames named is in the clip, or too few of them."""
    if named is not None:
        mask = (tracks.indices >= named.start) & (tracks.indices < named.stop)
        if mask.sum() < FRAMES:
            raise UserError(
                f"--still {named.start}-{named.stop - 1}: jitter needs at least {FRAMES} frames, and only "
                f"{int(mask.sum())} of these are in the clip, which has {len(tracks)}."
            )
        return Stillness(mask, "named by the user")
    if truth is not None and STILL in truth.segments:
        segment = truth.segments[STILL]
        return Stillness(
            (tracks.indices >= segment.start) & (tracks.indices < segment.stop), "the truth’s segment “still”"
        )
    return Stillness(found_still(tracks), "found: where the network’s own points move slowly")


def found_still(tracks: Tracks) -> NDArray[np.bool_]:
    """(T,) the stretches of at least a second in which the person moves slower than STILL_BODY_SHARE a second.

    The speed is that of `app.meters.jitter`, of the regression, over each second; it reads no heatmap.
    """
    found = np.zeros(len(tracks), np.bool_)
    for run in tracks.runs():
        meter = JitterMeter(window_s=_SHORTEST_S)
        seconds = tracks.seconds
        for t in run:
            meter.add(int(tracks.times_ns[t]), tracks.person(t, {MOTION_DECODER: tracks.regression[t]}))
            first = max(run.start, int(np.searchsorted(seconds, seconds[t] - _SHORTEST_S - 1e-9)))
            whole = seconds[t] - seconds[run.start] >= _SHORTEST_S
            speed = meter.motion().speed.body_share.get(MOTION_DECODER, np.nan)
            if whole and speed < STILL_BODY_SHARE:
                found[first : t + 1] = True
    return found

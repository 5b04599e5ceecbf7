"""Stretches of frames in which a person stands still."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.meters.bias import BiasMeter
from app.meters.jitter import STILL_BODY_SHARE, JitterMeter
from models.people import Person

# Motion shows over this time, and for half of it in hindsight.
_RECENT_S = 0.3


@dataclass(frozen=True, slots=True)
class Seen:
    """What a measured frame leaves: the person, None where they were not in view, and whether smoothing was on."""

    time_ns: int
    continues: bool
    person: Person | None
    smoothed_person: Person | None
    smoothing: bool


def seconds(stretch: Sequence[Seen]) -> float:
    """From the first to the last frame; 0 where there are none."""
    return (stretch[-1].time_ns - stretch[0].time_ns) / 1e9 if stretch else 0.0


class StretchReading:
    """Jitter, bias and motion over a stretch of frames."""

    def __init__(self, stretch: Sequence[Seen]) -> None:
        jitter, smoothed, bias = JitterMeter(math.inf), JitterMeter(math.inf), BiasMeter(math.inf)
        for seen in stretch:
            jitter.add(seen.time_ns, seen.person, continues=seen.continues)
            smoothed.add(seen.time_ns, seen.smoothed_person, continues=seen.continues)
            bias.add(seen.time_ns, seen.person)
        self.jitter, self.motion, self.smoothed = jitter.read(), jitter.motion(), smoothed.read()
        self.bias = bias.read(self.jitter.seen)
        self.always_smoothed = all(seen.smoothing for seen in stretch if seen.person is not None)
        self.frames = len(stretch)
        self.seconds = seconds(stretch)

    @property
    def moved(self) -> bool:
        """Whether the person moved too much for a figure of holding still."""
        return self.motion.speed_share > STILL_BODY_SHARE


class StillStretches:
    """Finds them as the frames come. going_on: the one that has not ended; longest: of those that have."""

    def __init__(self) -> None:
        self.going_on: list[Seen] = []
        self.longest: list[Seen] = []
        self._recent = JitterMeter(_RECENT_S)

    def add(self, seen: Seen) -> None:
        """The next frame."""
        if not seen.continues:
            self._recent.clear()
        self._recent.add(seen.time_ns, seen.person, continues=seen.continues)
        if self._recent.motion().speed_share > STILL_BODY_SHARE:
            since_ns = seen.time_ns - round(_RECENT_S / 2 * 1e9)
            ended = [earlier for earlier in self.going_on if earlier.time_ns < since_ns]
            self.longest = max(self.longest, ended, key=seconds)
            self.going_on = []
        else:
            self.going_on.append(seen)

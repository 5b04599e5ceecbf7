"""Books the time between laps on stages, by the host's clock."""

from __future__ import annotations

import time
from collections.abc import Mapping

DECODE = "decode"


class StageClock:
    """Starts when it is made; each `lap` books the time since the lap before it on a stage.

    Work that a GPU does on its own is booked where it was waited for; `models.engines.device_clock` knows better.
    parts: nanoseconds of the decoders one by one, where they are not laps of their own; set by the engine.
    """

    def __init__(self) -> None:
        self.parts: Mapping[str, int] = {}
        self._spent: dict[str, int] = {}
        self._last = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        """What was done since the last lap was this stage; a stage may have several laps."""
        now = time.perf_counter_ns()
        self._spent[stage] = self._spent.get(stage, 0) + now - self._last
        self._last = now

    def skip(self) -> None:
        """What was done since the last lap belongs to no stage."""
        self._last = time.perf_counter_ns()

    def times(self) -> dict[str, int]:
        """Nanoseconds by stage, in the order of their first laps. Waits for the device."""
        return self._spent

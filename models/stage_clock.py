"""Books the time between laps on stages: by the host's clock, or on a GPU by events in its own stream."""

from __future__ import annotations

import time
from typing import Any

import torch


class StageClock:
    """Starts when it is made; each `lap` books the time since the lap before it on a stage.

    A GPU works through its queue on its own: by the host's clock a stage would end when its work was queued, and the
    next one that waits would be charged for it. So on CUDA each lap leaves an event in the stream, and `times` waits
    once and reads the distances between events. What the host did meanwhile is included, for the next event is queued
    after it. MPS has events too, but they may wait for ever where nothing was queued between two of them: there each
    lap waits for the device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._marks: list[Any] = [self._now()]
        self._stages: list[str] = []

    def lap(self, stage: str) -> None:
        """What was done since the last lap was this stage; a stage may have several laps."""
        self._stages.append(stage)
        self._marks.append(self._now())

    def times(self) -> dict[str, int]:
        """Nanoseconds by stage, in the order of their first laps. Waits for the device."""
        if self._device.type == "cuda":
            self._marks[-1].synchronize()
        spent: dict[str, int] = {}
        for i, stage in enumerate(self._stages):
            spent[stage] = spent.get(stage, 0) + self._between(self._marks[i], self._marks[i + 1])
        return spent

    def _now(self) -> Any:
        if self._device.type == "cuda":
            event: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            # The stream of this device; without it, that of the first GPU.
            event.record(torch.cuda.current_stream(self._device))
            return event
        if self._device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter_ns()

    def _between(self, before: Any, after: Any) -> int:
        milliseconds: float
        if self._device.type == "cuda":
            milliseconds = before.elapsed_time(after)
            return round(milliseconds * 1e6)
        return int(after - before)

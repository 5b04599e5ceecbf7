"""Stages of work on a GPU, timed where it is done."""

from __future__ import annotations

from typing import Any

import torch

from models.stage_clock import StageClock

_NOBODY = ""


class CudaClock(StageClock):
    """Laps are events in the device's own stream.

    A GPU works through its queue on its own: by the host's clock a stage would end when its work was queued, and the
    next one that waits would be charged for it. `times` waits once and reads the distances between events. What the
    host did meanwhile is included, for the next event is queued after it.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device
        self._stages: list[str] = []
        self._marks: list[Any] = [self._mark()]

    def lap(self, stage: str) -> None:
        self._stages.append(stage)
        self._marks.append(self._mark())

    def skip(self) -> None:
        self.lap(_NOBODY)

    def times(self) -> dict[str, int]:
        self._marks[-1].synchronize()
        spent: dict[str, int] = {}
        for i, stage in enumerate(self._stages):
            milliseconds: float = self._marks[i].elapsed_time(self._marks[i + 1])
            spent[stage] = spent.get(stage, 0) + round(milliseconds * 1e6)
        spent.pop(_NOBODY, None)
        return spent

    def _mark(self) -> Any:
        event: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        # The stream of this device; without it, that of the first GPU.
        event.record(torch.cuda.current_stream(self._device))
        return event


class MpsClock(StageClock):
    """Each lap waits for the device: MPS events may wait for ever where nothing was queued between two of them."""

    def __init__(self) -> None:
        torch.mps.synchronize()
        super().__init__()

    def lap(self, stage: str) -> None:
        torch.mps.synchronize()
        super().lap(stage)


def clock_for(device: torch.device) -> StageClock:
    """The clock that tells the truth about this device."""
    if device.type == "cuda":
        return CudaClock(device)
    return MpsClock() if device.type == "mps" else StageClock()

"""What the window has seen in the last seconds, light enough to be kept always."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

import numpy as np

from app.frames import PoseResult

_NO_PICTURE = np.zeros((1, 1, 1), np.uint8)


class RecentResults:
    """The results of the last `seconds`, without pictures and heatmaps, and the newest one whole. Thread-safe.

    A second of 30 frames with one person takes about 70 kB.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._results: deque[PoseResult] = deque()
        self._newest: PoseResult | None = None

    def add(self, result: PoseResult) -> None:
        """The next result; those before the network was there are left out."""
        if result.stages is None:
            return
        kept = replace(
            result,
            # As large as it was, but of a single byte.
            frame=replace(result.frame, image=np.broadcast_to(_NO_PICTURE, result.frame.image.shape)),
            people=tuple(replace(person, heatmaps=None) for person in result.people),
            smoothed=(),
        )
        with self._lock:
            if result.people or self._newest is None:
                self._newest = result
            self._results.append(kept)
            oldest_ns = result.frame.time_ns - round(self.seconds * 1e9)
            while self._results[0].frame.time_ns < oldest_ns:
                self._results.popleft()

    def read(self) -> tuple[list[PoseResult], PoseResult | None]:
        """The results, oldest first, and the newest with a person in it, whole, with its picture."""
        with self._lock:
            return list(self._results), self._newest

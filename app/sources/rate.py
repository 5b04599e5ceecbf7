"""How often pictures really arrive, whatever the device claims."""

from __future__ import annotations

import itertools
import math
import statistics
import threading
from collections import deque

import numpy as np

from app.frames import Image

_WINDOW_NS = 2_000_000_000
_AT_LEAST = 4  # arrivals that are kept although they are older: of a slow camera there would be none left
_SPARSE_ROWS = 16


class ArrivalRate:
    """Rate and repetitions of the pictures of the last 2 s, or of the last few of a slow source. Thread-safe.

    All times are in ns of one rising clock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: deque[tuple[int, bool]] = deque()  # when, and whether it repeats the one before
        self._last: Image | None = None

    def add(self, now_ns: int, image: Image) -> None:
        """A picture, (H, W, 3), has arrived; nobody writes into it any more."""
        repeated = self._last is not None and same_picture(self._last, image)
        self._last = image
        with self._lock:
            self._arrivals.append((now_ns, repeated))
            while len(self._arrivals) > _AT_LEAST and self._arrivals[0][0] < now_ns - _WINDOW_NS:
                self._arrivals.popleft()

    def fps(self, now_ns: int) -> float:
        """Pictures per second; NaN before the second one and where they have ceased to come."""
        times = [when for when, _ in self._snapshot()]
        if len(times) < 2:
            return math.nan
        usual = (times[-1] - times[0]) / (len(times) - 1)
        if now_ns - times[-1] > max(_WINDOW_NS, 3 * usual):
            return math.nan
        # One that is overdue counts as if it came now, so that the rate falls as soon as the pictures slow down.
        return (len(times) - 1) * 1e9 / max(1.0, max(times[-1], now_ns - usual) - times[0])

    @property
    def repeated_share(self) -> float:
        """Share of the pictures that were the same as the one before to the last bit, 0 to 1."""
        arrivals = self._snapshot()
        return sum(repeated for _, repeated in arrivals) / len(arrivals) if arrivals else 0.0

    @property
    def interval_s(self) -> float:
        """The usual time from one picture to the next, the median; NaN before the second one."""
        times = [when for when, _ in self._snapshot()]
        if len(times) < 2:
            return math.nan
        return statistics.median(after - before for before, after in itertools.pairwise(times)) / 1e9

    def _snapshot(self) -> list[tuple[int, bool]]:
        with self._lock:
            return list(self._arrivals)


def same_picture(before: Image, image: Image) -> bool:
    """Whether both are the same to the last bit. A look at a few rows settles it for nearly all that are not."""
    if before.shape != image.shape:
        return False
    rows = slice(None, None, max(1, len(image) // _SPARSE_ROWS))
    return np.array_equal(before[rows], image[rows]) and np.array_equal(before, image)

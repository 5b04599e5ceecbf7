"""Pictures with a clock in them: milliseconds as a row of black and white blocks, which no encoder blurs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.frames import Frame, Image
from app.sources.base import Source

BITS = 20  # 17 minutes in ms
BLOCK = 16
SIZE = (BITS * BLOCK, 240)  # width, height


def clock_picture(milliseconds: int) -> Image:
    """(240, 320, 3) grey, the clock across its middle."""
    picture = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    for bit in range(BITS):
        level = 235 if milliseconds >> bit & 1 else 16
        picture[120 : 120 + BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = level
    return picture


def read_clock(picture: NDArray[np.uint8]) -> int:
    """The milliseconds in a picture, also after encoding."""
    row = picture[120 + 4 : 120 + BLOCK - 4].mean(axis=(0, 2)).reshape(BITS, BLOCK)[:, 4:-4].mean(axis=1)
    return sum(int(level > 125) << bit for bit, level in enumerate(row))


class ClockSource(Source):
    """A live source whose pictures show the time of their capture since the first one.

    intervals_s: the pauses between pictures, one after the other; it ends with them.
    """

    live = True

    def __init__(self, intervals_s: Iterator[float]) -> None:
        super().__init__("clock")
        self._intervals = intervals_s
        self._begin_ns: int | None = None
        self._index = 0

    def open(self) -> None:
        pass

    def read(self) -> Frame | None:
        pause = next(self._intervals, None)
        if pause is None or self._stopped.wait(pause):
            return None
        now = time.perf_counter_ns()
        if self._begin_ns is None:
            self._begin_ns = now
        self._index += 1
        return Frame(self._index - 1, now, now, clock_picture((now - self._begin_ns) // 1_000_000))

    def close(self) -> None:
        pass

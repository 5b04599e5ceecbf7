"""The annotated picture of a result, drawn once for everyone who wants it: the screen and the recording."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from app.frames import Image, PoseResult, Readings
from app.overlay import OverlayStyle, draw_overlay

# Numbers that change more often cannot be read.
_READINGS_EVERY_NS = 250_000_000
_GONE_BACK_NS = 3_000_000_000
# Pictures that are kept for the other one: a recorder that is further behind draws its own.
_KEPT = 3


@dataclass(slots=True)
class _Picture:
    result: PoseResult
    style: OverlayStyle
    lock: threading.Lock = field(default_factory=threading.Lock)
    image: Image | None = None


class DrawnOnce:
    """Draws results; who asks second for the same result in the same style gets what was drawn for the first.

    readings: the meters' numbers, asked for four times per second of the source's time. Thread-safe.
    """

    def __init__(self, readings: Callable[[], Readings] | None) -> None:
        self._readings = readings
        self._lock = threading.Lock()
        self._pictures: deque[_Picture] = deque(maxlen=_KEPT)
        self._shown: Readings | None = None
        self._shown_at_ns: int | None = None

    def draw(self, result: PoseResult, style: OverlayStyle) -> Image:
        """(H, W, 3) uint8 BGR, not to be written to: `app.overlay.draw_overlay` of this result."""
        with self._lock:
            picture = next((p for p in self._pictures if p.result is result and p.style == style), None)
            if picture is None:
                picture = _Picture(result, style)
                self._pictures.append(picture)
            readings = self._readings_at(result.frame.time_ns)
        with picture.lock:
            if picture.image is None:
                picture.image = draw_overlay(result, style, readings=readings)
            return picture.image

    def _readings_at(self, time_ns: int) -> Readings | None:
        since = time_ns - self._shown_at_ns if self._shown_at_ns is not None else _READINGS_EVERY_NS
        # A recorder may be a little behind the screen; a file that starts again goes far back.
        due = since >= _READINGS_EVERY_NS or since < -_GONE_BACK_NS
        if self._readings is not None and due:
            self._shown, self._shown_at_ns = self._readings(), time_ns
        return self._shown

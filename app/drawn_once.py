"""The annotated picture of a result, drawn once for everyone who wants it: the screen and the recording."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from app.frames import Image, PoseResult, Readings
from app.overlay import OverlayStyle, draw_overlay

# Numbers that change more often cannot be read.
_READINGS_EVERY_NS = 250_000_000
# Pictures that are kept for the other one: a recorder that is further behind draws its own.
_KEPT = 4
# So long the recorder, which has time, leaves a new result to the screen, which has none.
_HEAD_START_S = 0.05


@dataclass(slots=True)
class _Picture:
    result: PoseResult
    style: OverlayStyle
    lock: threading.Lock = field(default_factory=threading.Lock)
    painted: threading.Event = field(default_factory=threading.Event)
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
        """(H, W, 3) uint8 BGR, not to be written to: `app.overlay.draw_overlay` of this result.

        Never waits: where another thread is drawing it at this moment, it is drawn twice.
        """
        picture = self._picture(result, style)
        if picture.image is not None:
            return picture.image
        readings = self._readings_at(result)
        if not picture.lock.acquire(blocking=False):
            return draw_overlay(result, style, readings=readings)
        try:
            picture.image = draw_overlay(result, style, readings=readings)
            return picture.image
        finally:
            picture.lock.release()

    def painted(self, result: PoseResult) -> None:
        """Tell that this result is on the screen: who let the screen go first may go on."""
        with self._lock:
            for picture in self._pictures:
                if picture.result is result:
                    picture.painted.set()

    def draw_after_screen(self, result: PoseResult, style: OverlayStyle) -> Image:
        """The same for whoever can wait: as long as the result is new, the screen may draw and paint it first.

        Not only the drawing: an encoder that works during the paint makes it half as slow again on two cores.
        """
        picture = self._picture(result, style)
        known_ns = result.stages.done_ns if result.stages is not None else result.frame.captured_ns
        age_s = (time.perf_counter_ns() - known_ns) / 1e9
        # A result that claims to come from the future gets no more than a new one.
        picture.painted.wait(min(max(0.0, _HEAD_START_S - age_s), _HEAD_START_S))
        return self.draw(result, style)

    def _picture(self, result: PoseResult, style: OverlayStyle) -> _Picture:
        with self._lock:
            for picture in self._pictures:
                if picture.result is result and picture.style == style:
                    return picture
            self._pictures.append(_Picture(result, style))
            return self._pictures[-1]

    def _readings_at(self, result: PoseResult) -> Readings | None:
        time_ns = result.frame.time_ns
        with self._lock:
            since = time_ns - self._shown_at_ns if self._shown_at_ns is not None else _READINGS_EVERY_NS
            # A recorder may be behind the screen; a file that starts again goes back in time.
            due = self._readings is not None and (
                since >= _READINGS_EVERY_NS or (since < 0 and not result.frame.continues)
            )
            if due:
                self._shown_at_ns = time_ns
        if due and self._readings is not None:
            # Not under the lock: the meters have one of their own.
            self._shown = self._readings()
        return self._shown

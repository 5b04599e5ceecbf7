"""A camera that sees the real window: it reads the pixels that Qt has put on the screen, and delivers them later."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from app.frames import Frame, Image
from app.gui.glass_to_glass import DelayPage
from app.sources import Source, SourceKind

_POLL_S = 0.02
_TAKEN_AT = (96, 160)  # (H, W) of what the camera makes of the window


class Exposure(NamedTuple):
    """What was on the screen at that moment, (H, W) grey."""

    taken_ns: int
    screen: NDArray[np.float32]


Optics = Callable[[NDArray[np.float32], float, np.random.Generator], NDArray[np.float32]]


def plain(screen: NDArray[np.float32], time_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """As it is, with a little noise."""
    return screen + rng.normal(0, 3, screen.shape).astype(np.float32)


def difficult(screen: NDArray[np.float32], time_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A part of the screen, mirrored, out of focus, paler, in a grey room; the gain drifts, and the room flickers."""
    picture = np.full((120, 160), 70.0, np.float32)
    part = screen[:60, 20:130][:, ::-1]
    picture[24:96, 30:130] = 50 + 0.4 * cv2.resize(part, (100, 72), interpolation=cv2.INTER_AREA)
    picture = cv2.GaussianBlur(picture, (0, 0), 2.0) * (1 + 0.1 * np.sin(time_s / 3)) + 6 * np.sin(
        2 * np.pi * 9 * time_s
    )
    return picture + rng.normal(0, 6, picture.shape).astype(np.float32)


class ScreenCamera(Source):
    """Live. The window's own thread exposes it every `interval_ms`; each exposure is delivered `delay_ms` later.

    Both are only wishes on a busy machine: `delivered` holds what really happened, as (taken_ns, captured_ns).
    jitter_ms: standard deviation of a further delay. dropped: share of the exposures that never come.
    """

    live = True
    from_camera = True

    def __init__(
        self,
        *,
        interval_ms: int = 33,
        delay_ms: float = 80.0,
        jitter_ms: float = 0.0,
        dropped: float = 0.0,
        optics: Optics = plain,
    ) -> None:
        super().__init__("a camera that sees the screen")
        self.fps = 1000 / interval_ms
        self.interval_ms, self.delay_ms, self.jitter_ms, self.dropped = interval_ms, delay_ms, jitter_ms, dropped
        self.optics = optics
        self.covered = threading.Event()
        self.delivered: list[tuple[int, int]] = []
        self._rng = np.random.default_rng(1)
        self._exposures: queue.Queue[Exposure] = queue.Queue()
        self._begun_ns = time.perf_counter_ns()
        self._index = 0
        self._shutter = _Shutter(interval_ms, self._exposures.put)

    def release(self) -> None:
        """Expose no more; on the window's thread."""
        self._shutter.timer.stop()

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def read(self) -> Frame | None:
        while not self._stopped.is_set():
            try:
                exposure = self._exposures.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if self._rng.random() < self.dropped:
                self._index += 1
                continue
            picture = self._picture(exposure)
            late_ms = self.delay_ms + abs(self._rng.normal()) * self.jitter_ms
            self._stopped.wait(max(0.0, (exposure.taken_ns - time.perf_counter_ns()) / 1e9 + late_ms / 1000))
            captured_ns = time.perf_counter_ns()
            self.delivered.append((exposure.taken_ns, captured_ns))
            self._index += 1
            return Frame(self._index - 1, captured_ns, captured_ns, picture)
        return None

    def _picture(self, exposure: Exposure) -> Image:
        time_s = (exposure.taken_ns - self._begun_ns) / 1e9
        screen = exposure.screen
        if self.covered.is_set():
            screen = np.full_like(screen, 20.0)
        grey = np.clip(np.rint(self.optics(screen, time_s, self._rng)), 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, 2)


class _Shutter(QObject):
    """Reads the window in front from what is on the screen; nothing is painted for it."""

    def __init__(self, interval_ms: int, expose: Callable[[Exposure], None]) -> None:
        super().__init__()
        self._expose = expose
        self.timer = QTimer(self, interval=interval_ms, timerType=Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._take)
        self.timer.start()

    def _take(self) -> None:
        self._expose(Exposure(time.perf_counter_ns(), _screen_now()))


def _screen_now() -> NDArray[np.float32]:
    pages = [
        widget for widget in QApplication.topLevelWidgets() if isinstance(widget, DelayPage) and widget.isVisible()
    ]
    if not pages:
        return np.full(_TAKEN_AT, 60.0, np.float32)
    grabbed = QGuiApplication.primaryScreen().grabWindow(pages[0].winId())
    image = grabbed.toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    if image.isNull():
        return np.full(_TAKEN_AT, 60.0, np.float32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    grey = rows[:, : image.width()]
    return cv2.resize(grey, _TAKEN_AT[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)


def screen_kind(cameras: list[ScreenCamera], name: str = "screen", optics: Optics = plain) -> SourceKind:
    """Named like `screen:80ms,30fps` where `name` is “screen”. cameras: those that were made are put there."""

    def make(text: str, loop: bool, realtime: bool) -> Source:
        numbers = [float(number) for number in re.findall(r"[0-9.]+", text)]
        cameras.append(ScreenCamera(delay_ms=numbers[0], interval_ms=round(1000 / numbers[1]), optics=optics))
        return cameras[-1]

    return SourceKind(name, f"{name}:80ms,30fps", lambda text: text.startswith(f"{name}:"), make)

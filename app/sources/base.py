"""The contract of every source of frames."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from app.frames import Frame


class Source(ABC):
    """Delivers frames one at a time to one reading thread.

    The life of a source: construct (cheap, opens nothing) -> `open()` -> `read()` again and again -> `close()`.
    `open` and `read` run on the capture thread and may raise SourceError with one clear sentence. `stop()` may
    be called from any thread: it makes a waiting `read` return None soon. `close` may be called twice.

    name: short text for the window's title and for file names; never holds credentials.
    live: True where frames come whether or not they are read (camera, stream): then the newest frame counts
        and old ones may be dropped. False where nothing may be dropped (files).
    paced: True where frames that could come at any time are released one by one when they are due.
    fps: nominal frames a second, known after `open`; 0.0 where unknown.
    frame_count: number of frames if known after `open`, else None.
    """

    live: bool = False
    paced: bool = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.fps: float = 0.0
        self.frame_count: int | None = None
        self._stopped = threading.Event()

    @abstractmethod
    def open(self) -> None:
        """Acquire the device or file. Raises SourceError."""

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame; None at the end or after `stop`. Raises SourceError when the source was lost."""

    @abstractmethod
    def close(self) -> None:
        """Release everything. Does nothing where nothing is open."""

    def stop(self) -> None:
        """Ask a waiting `read` to return None soon. Thread-safe."""
        self._stopped.set()

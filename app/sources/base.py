"""The contract of every source of frames."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod

from app.frames import Frame


class Source(ABC):
    """Delivers frames one at a time to one reading thread.

    The life of a source: construct (cheap, opens nothing) -> `open()` -> `read()` again and again -> `close()`.
    `open` and `read` run on the capture thread and may raise SourceError with one clear sentence. `stop()` and
    `seek()` may be called from any thread, as may the attributes be read and set. `close` may be called twice.

    name: short text for the window's title and for file names; never holds credentials.
    live: True where frames come whether or not they are read (camera, stream): then the newest frame counts
        and old ones may be dropped. False where nothing may be dropped (files).
    from_camera: True where the pictures may come from a camera, which could see this very screen.
    paced: True where frames that could come at any time are released one by one when they are due.
    fps: nominal frames a second, known after `open`; 0.0 where unknown.
    frame_count: number of frames if known after `open`, else None.
    details: what else a user wants to know, for example the pixel format in use; empty where nothing.
    reopen_text: what `make_source` takes to open this very camera again; empty for all other sources.

    A live source that is lost comes back by itself: until then `read` waits, and `trouble` holds one sentence.

    What can be wound (`seekable`) has a length, `duration_ns`, where it is known after `open`. `loop`: start again at
    the end. `realtime`: release each frame when it is due (`paced`) instead of as fast as possible. `hold_at_end`:
    wait at the end for `seek`, `loop` or `stop` instead of ending, and be `at_end` meanwhile. All may be set at any
    time.
    """

    live: bool = False
    from_camera: bool = False
    paced: bool = False
    seekable: bool = False
    loop: bool = False
    realtime: bool = False
    hold_at_end: bool = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.fps: float = 0.0
        self.frame_count: int | None = None
        self.duration_ns: int | None = None
        self.details = ""
        self.reopen_text = ""
        self.trouble = ""
        self.at_end = False
        self._stopped = threading.Event()

    @abstractmethod
    def open(self) -> None:
        """Acquire the device or file. Raises SourceError."""

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame; None at the end or after `stop`. Raises SourceError where it cannot go on."""

    @abstractmethod
    def close(self) -> None:
        """Release everything. Does nothing where nothing is open."""

    def stop(self) -> None:
        """Ask a waiting `read` to return None soon. Thread-safe."""
        self._stopped.set()

    @property
    def measured_fps(self) -> float:
        """Pictures that really arrived per second, of late; NaN where that is not measured or not known yet."""
        return math.nan

    @property
    def repeated_share(self) -> float:
        """Share of those that were the same as the one before to the last bit, 0 to 1."""
        return 0.0

    @property
    def replaced(self) -> int:
        """Pictures of a live source that newer ones replaced before `read` asked for them."""
        return 0

    def seek(self, position_ns: int, *, before: bool = False) -> None:  # noqa: B027  (live sources cannot)
        """Let the next `read` return the picture that is shown at that position, the first or the last at most.

        before: the one in front of it instead, for steps back. Of several calls the last counts. Thread-safe;
        does nothing where the source is not `seekable`.
        """

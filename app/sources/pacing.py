"""Sources whose pictures are always at hand (files, drawings): released at once, or each when it is due."""

from __future__ import annotations

import itertools
import threading
import time
from abc import abstractmethod
from collections.abc import Generator

from app.frames import Frame, Image
from app.sources.base import Source


class Pacer:
    """Holds pictures back until they are due on the host clock.

    A reader that falls further behind than `SLACK_NS` moves the schedule instead of racing to catch up.
    """

    SLACK_NS = 50_000_000

    def __init__(self) -> None:
        self._shift_ns: int | None = None

    def wait_until_due(self, time_ns: int, stopped: threading.Event) -> None:
        """Wait for the moment of `time_ns` (the source's time line, ns); returns at once when stopped."""
        now = time.perf_counter_ns()
        if self._shift_ns is None or now > time_ns + self._shift_ns + self.SLACK_NS:
            self._shift_ns = now - time_ns
        stopped.wait(max(0, time_ns + self._shift_ns - now) / 1e9)


class PacedSource(Source):
    """A source that never waits for its pictures: a subclass yields them, `realtime` paces their release.

    `captured_ns` is the host clock at the release of a frame, for the host received it long before.
    """

    def __init__(self, name: str, *, realtime: bool) -> None:
        super().__init__(name)
        self.paced = realtime
        self._pacer = Pacer() if realtime else None
        self._continues = True
        self._indices = itertools.count()
        self._generator: Generator[tuple[int, Image], None, None] | None = None
        self._first: tuple[int, Image] | None = None

    @abstractmethod
    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        """Yield (time_ns, image): strictly rising, from 0. Opens, and releases when it is closed.

        `fps` and `frame_count` are set before the first picture. Before a picture that does not follow from the one
        before it, `_continues` is set to False. Raises SourceError.
        """

    def open(self) -> None:
        """Take the first picture, so that whatever cannot be shown fails here. Raises SourceError."""
        self._generator = self._pictures()
        self._first = next(self._generator, None)

    def read(self) -> Frame | None:
        """The next frame, when it is due; None at the end, after `stop` and after `close`."""
        if self._generator is None or self._stopped.is_set():
            return None
        picture, self._first = self._first or next(self._generator, None), None
        if picture is None:
            return None
        time_ns, image = picture
        if self._pacer is not None:
            self._pacer.wait_until_due(time_ns, self._stopped)
            if self._stopped.is_set():
                return None
        continues, self._continues = self._continues, True
        return Frame(next(self._indices), time.perf_counter_ns(), time_ns, image, continues)

    def close(self) -> None:
        """Release the file. Does nothing where nothing is open."""
        if self._generator is not None:
            self._generator.close()
        self._generator = self._first = None

"""Sources that wait for their pictures (camera, stream): the waiting is done on a thread of its own."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass

from app.errors import SourceError
from app.frames import Frame, Image
from app.sources.base import Source

_POLL_S = 0.05  # how late `stop` and `close` may be noticed
_JOIN_S = 1.0


@dataclass(frozen=True)
class _End:
    """The last thing a feeding thread hands over."""

    error: Exception | None


class BackgroundSource(Source):
    """A live source; a subclass yields pictures on a thread of its own, for the calls of a driver or of the
    network cannot be interrupted: a reader that waits here gives up as soon as `stop` is called.

    The device is opened, read and released on that one thread, as some back ends demand. `time_ns` is
    `captured_ns`, nudged where two pictures arrived at the same moment.

    open_within_s: longest wait for the first picture. lost_after_s: longest wait for any other.
    """

    live = True

    def __init__(self, name: str, *, open_within_s: float, lost_after_s: float) -> None:
        super().__init__(name)
        self._open_within_s = open_within_s
        self._lost_after_s = lost_after_s
        self._closing = threading.Event()
        # Two places: enough to hide a late wake-up of the reader, too few to let pictures grow old.
        self._handover: queue.Queue[tuple[int, Image] | _End] = queue.Queue(maxsize=2)
        self._thread: threading.Thread | None = None
        self._first: tuple[int, Image] | None = None
        self._indices = itertools.count()
        self._captured_ns = 0
        self._time_ns = -1

    @abstractmethod
    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        """Yield (captured_ns, image): host clock of the arrival, before decoding. Raises SourceError.

        Runs on its own thread from opening to release; sets `fps` before the first picture; returns soon once
        `_closing` is set.
        """

    @abstractmethod
    def _lost_message(self, waited_s: float) -> str:
        """One sentence for the user: nothing came for `waited_s` seconds."""

    def open(self) -> None:
        """Wait for the first picture, so that whatever delivers none fails here. Raises SourceError."""
        self._thread = threading.Thread(target=self._feed, name=f"source {self.name}", daemon=True)
        self._thread.start()
        self._first = self._take(self._open_within_s)

    def read(self) -> Frame | None:
        """The next frame; None at the end, after `stop` and after `close`. Raises SourceError when lost."""
        if self._thread is None or self._stopped.is_set():
            return None
        picture, self._first = self._first or self._take(self._lost_after_s), None
        if picture is None:
            return None
        captured_ns, image = picture
        # A stream with B-frames shows pictures in another order than they arrive in.
        self._captured_ns = max(self._captured_ns, captured_ns)
        self._time_ns = max(self._time_ns + 1, self._captured_ns)
        return Frame(next(self._indices), self._captured_ns, self._time_ns, image)

    def close(self) -> None:
        """Release the device. One that does not answer is left to its thread, which releases it later."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._thread = self._first = None

    def _take(self, timeout_s: float) -> tuple[int, Image] | None:
        deadline = time.monotonic() + timeout_s
        while not self._stopped.is_set():
            try:
                item = self._handover.get(timeout=_POLL_S)
            except queue.Empty:
                if time.monotonic() < deadline:
                    continue
                item = _End(SourceError(self._lost_message(timeout_s)))
            if not isinstance(item, _End):
                return item
            self._stopped.set()  # nothing follows an end
            if item.error is not None:
                raise item.error
        return None

    def _feed(self) -> None:
        end = _End(None)
        try:
            pictures = self._pictures()
            try:
                for picture in pictures:
                    if not self._hand_over(picture):
                        break
            finally:
                pictures.close()
        except Exception as error:
            end = _End(error)
        self._hand_over(end)

    def _hand_over(self, item: tuple[int, Image] | _End) -> bool:
        """False when nobody will take it any more."""
        while not self._closing.is_set():
            try:
                self._handover.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False

"""Sources that wait for their pictures (camera, stream): the waiting is done on a thread of its own."""

from __future__ import annotations

import itertools
import math
import threading
import time
from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field

from app.errors import SourceError
from app.frames import Frame, Image
from app.latest_slot import LatestSlot
from app.sources.base import Source
from app.sources.rate import ArrivalRate

_POLL_S = 0.05  # how late `stop`, `close` and a loss may be noticed
_JOIN_S = 2.0  # longer than a driver waits for a picture: who opens the device again must find it free
# The first wait is short, for most losses are. The longest leaves 1.5 s for what takes its time after the device is
# there again: opening it, and the first picture. Both together shall stay below 2 s.
_BACK_OFF_S = (0.1, 0.2, 0.4, 0.5)
_LOST_AFTER_INTERVALS = 3.0
# After a single picture nobody knows yet how slow the device is; one every 2 s is not lost.
_UNKNOWN_RATE_S = 3.0
_HUNG_AFTER_S = 3.0
_MOST_ABANDONED = 2


@dataclass(eq=False)
class _Attempt:
    """One opening of the device, on a thread of its own, until its release."""

    closing: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    rate: ArrivalRate = field(default_factory=ArrivalRate)
    error: Exception | None = None
    thread: threading.Thread | None = None


@dataclass(frozen=True, slots=True)
class _Arrival:
    attempt: _Attempt
    captured_ns: int
    image: Image


class BackgroundSource(Source):
    """A live source; a subclass yields pictures on a thread of its own, for the calls of a driver or of the
    network cannot be interrupted: a reader that waits here gives up as soon as `stop` is called.

    `read` returns the newest picture that came since the last call; older ones are let go and counted in
    `replaced`. `time_ns` is `captured_ns`, nudged where two pictures arrived at the same moment.

    **Loss and return.** Only the first opening raises. Where no picture comes for `lost_after_s` (or three times the
    usual interval, if that is longer), or `_pictures` ends or raises, the source is lost: `trouble` tells it until the
    next picture, the device is released, and after a pause it is opened anew. The first picture after a loss has
    `continues=False`, as has one of another size than the one before.

    **Attempts.** Each opening is an attempt: `_pictures` is called once for it, on a new thread, and the device is
    opened, read and released on that thread, as some back ends demand. `_closing` is the event of the attempt that the
    calling thread belongs to: it is set when this attempt shall end. An attempt whose thread does not come back from
    the driver is abandoned: another begins beside it, on an event of its own. What is left of the first notices its
    own `_closing`, still set, when the call returns at last; so a subclass looks at it after each call that may
    hang, before it changes anything of `self`.

    open_within_s: longest wait for the first picture of an attempt. lost_after_s: longest wait for any other.
    ends: True where a normal end of `_pictures` is the end of the source, not a loss.
    """

    live = True
    from_camera = True
    ends = False

    def __init__(self, name: str, *, open_within_s: float, lost_after_s: float = 1.0) -> None:
        super().__init__(name)
        self._open_within_s = open_within_s
        self._lost_after_s = lost_after_s
        self._hung_after_s = _HUNG_AFTER_S
        self._of_this_thread = threading.local()
        self._newest: LatestSlot[_Arrival] = LatestSlot()
        self._attempt: _Attempt | None = None
        self._abandoned: list[_Attempt] = []
        self._first: _Arrival | None = None
        self._last: _Arrival | None = None  # of those that were read
        self._failures = 0  # attempts since the last picture
        self._waited_s = 0.0  # since the last picture, or since what is waited for now began
        self._indices = itertools.count()
        self._captured_ns = 0
        self._time_ns = -1

    @abstractmethod
    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        """Yield (captured_ns, image): host clock of the arrival, before decoding. Raises SourceError.

        Runs on its own thread from opening to release; sets `fps` before the first picture; returns soon once
        `_closing` is set. Each image is an array of its own, which is never written to again.
        """

    @abstractmethod
    def _lost_message(self, waited_s: float) -> str:
        """One sentence for the user: nothing came for `waited_s` seconds."""

    def _silent_message(self, waited_s: float) -> str:
        """The same for the first opening: it was opened, but never delivered anything."""
        return self._lost_message(waited_s)

    @property
    def _closing(self) -> threading.Event:
        attempt: _Attempt | None = getattr(self._of_this_thread, "attempt", None) or self._attempt
        return attempt.closing if attempt is not None else threading.Event()

    @property
    def measured_fps(self) -> float:
        attempt = self._attempt
        if attempt is None or attempt.closing.is_set():  # lost
            return math.nan
        return attempt.rate.fps(time.perf_counter_ns())

    @property
    def repeated_share(self) -> float:
        attempt = self._attempt
        return attempt.rate.repeated_share if attempt is not None else 0.0

    @property
    def replaced(self) -> int:
        """Pictures that gave way to a newer one because `read` was not called in time."""
        return self._newest.replaced

    def open(self) -> None:
        """Wait for the first picture, so that whatever delivers none fails here. Raises SourceError."""
        attempt = self._begin()
        deadline = time.monotonic() + self._open_within_s
        while not self._stopped.is_set():
            ended = attempt.ended.is_set()  # asked before the take: its last picture is not missed
            self._first = self._newest.take(_POLL_S)
            if self._first is not None:
                return
            if ended:
                self._stopped.set()
                if attempt.error is None:
                    raise SourceError(f"“{self.name}” ended before its first picture.")
                raise SourceError(self._reason(attempt.error)) from None
            if time.monotonic() > deadline:
                self._stopped.set()
                attempt.closing.set()
                raise SourceError(self._silent_message(self._open_within_s))

    def read(self) -> Frame | None:
        """The next frame, however long it takes; None after `stop`, after `close`, and at an end (see `ends`)."""
        if self._attempt is None or self._stopped.is_set():
            return None
        arrival, self._first = self._first or self._next(), None
        if arrival is None:
            return None
        self.trouble = ""
        self._failures, self._waited_s = 0, 0.0
        last, self._last = self._last, arrival
        # A stream with B-frames shows pictures in another order than they arrive in.
        self._captured_ns = max(self._captured_ns, arrival.captured_ns)
        self._time_ns = max(self._time_ns + 1, self._captured_ns)
        continues = last is None or (last.attempt is arrival.attempt and last.image.shape == arrival.image.shape)
        return Frame(next(self._indices), self._captured_ns, self._time_ns, arrival.image, continues)

    def close(self) -> None:
        """Release the device. One that does not answer is left to its thread, which releases it later."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None and attempt.thread is not None:
            attempt.closing.set()
            attempt.thread.join(_JOIN_S)
        self._first = self._last = None
        self.trouble = ""

    # --- on the thread of the reader ----------------------------------------------------------------------------

    def _begin(self) -> _Attempt:
        attempt = _Attempt()
        name = f"source {self.name}"
        attempt.thread = threading.Thread(target=self._feed, args=(attempt,), name=name, daemon=True)
        self._attempt = attempt
        self._waited_s = 0.0
        attempt.thread.start()
        return attempt

    def _next(self) -> _Arrival | None:
        while not self._stopped.is_set() and (attempt := self._attempt) is not None:
            ended = attempt.ended.is_set()  # asked before the take: its last picture is not missed
            began = time.monotonic()
            arrival = self._newest.take(_POLL_S)
            if arrival is not None and arrival.attempt is attempt and not attempt.closing.is_set():
                return arrival
            # Where this process itself stood still for longer, the device is not to blame.
            self._waited_s += min(time.monotonic() - began, 4 * _POLL_S)
            if ended:
                self._after_the_end_of(attempt)
            elif attempt.closing.is_set():
                self._abandon_if_hung(attempt)
            elif self._waited_s > (limit := self._longest_silence_s(attempt)):
                self._lose(attempt, self._lost_message(limit))
        return None

    def _longest_silence_s(self, attempt: _Attempt) -> float:
        if self._last is None or self._last.attempt is not attempt:
            return self._open_within_s
        interval_s = attempt.rate.interval_s
        if math.isnan(interval_s):
            return max(self._lost_after_s, _UNKNOWN_RATE_S)
        return max(self._lost_after_s, _LOST_AFTER_INTERVALS * interval_s)

    def _lose(self, attempt: _Attempt, sentence: str) -> None:
        """Begin to get it back: end the attempt, and tell the user."""
        attempt.closing.set()
        self._failures += 1
        self._waited_s = 0.0
        if "trying again" not in sentence:
            sentence = f"{sentence.removesuffix('.')}; trying again."
        self.trouble = sentence

    def _after_the_end_of(self, attempt: _Attempt) -> None:
        if not attempt.closing.is_set():  # it ended by itself
            if self.ends and attempt.error is None:
                self._stopped.set()  # nothing follows an end
                return
            self._lose(attempt, self._reason(attempt.error))
        elif self._waited_s >= _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S)) - 1]:
            self._begin()

    def _reason(self, error: Exception | None) -> str:
        if error is None:
            return self._lost_message(self._lost_after_s)
        if isinstance(error, SourceError):
            return str(error)
        # Not the text of a stranger: FFmpeg's errors quote the address with its password.
        return f"“{self.name}” was lost: its driver failed ({type(error).__name__})."

    def _abandon_if_hung(self, attempt: _Attempt) -> None:
        if self._waited_s < self._hung_after_s:
            return
        self._abandoned = [other for other in self._abandoned if not other.ended.is_set()]
        if len(self._abandoned) < _MOST_ABANDONED:
            self._abandoned.append(attempt)
            self._begin()

    # --- on the thread of an attempt ----------------------------------------------------------------------------

    def _feed(self, attempt: _Attempt) -> None:
        self._of_this_thread.attempt = attempt
        try:
            pictures = self._pictures()
            try:
                for captured_ns, image in pictures:
                    if attempt.closing.is_set():
                        break
                    attempt.rate.add(time.perf_counter_ns(), image)
                    self._newest.put(_Arrival(attempt, captured_ns, image))
            finally:
                pictures.close()
        except Exception as error:
            attempt.error = error
        finally:
            attempt.ended.set()

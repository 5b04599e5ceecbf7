"""Sources whose pictures are always at hand (files, drawings): released at once, or each when it is due."""

from __future__ import annotations

import itertools
import threading
import time
from abc import abstractmethod
from collections.abc import Generator
from typing import NamedTuple

from app.frames import Frame, Image
from app.sources.base import Source

_LONGEST_WAIT_S = 60.0  # in one go: a damaged file can ask for centuries, which no lock takes


class Picture(NamedTuple):
    """One picture of a pass. position_ns: its place from the beginning; duration_ns: how long it is shown.

    continues: False where it does not follow from the picture before it although the pass goes on.
    """

    position_ns: int
    duration_ns: int
    image: Image
    continues: bool = True


class Pacer:
    """Says how long pictures have to be held back until they are due on the host clock.

    A reader that falls further behind than `SLACK_NS` moves the schedule instead of racing to catch up, but for live
    sources, which leave pictures out instead.
    """

    SLACK_NS = 50_000_000

    def __init__(self) -> None:
        self._shift_ns: int | None = None

    def seconds_left(self, time_ns: int, *, delay_ns: int = 0, live: bool = False) -> float:
        """Until the moment of `time_ns` (the source's time line) plus `delay_ns`; 0.0 where that is over."""
        now = time.perf_counter_ns()
        if self._shift_ns is None or (not live and now > time_ns + self._shift_ns + delay_ns + self.SLACK_NS):
            # The first of a schedule is delayed as well; a late one is due at once.
            self._shift_ns = now - time_ns - (0 if self._shift_ns is None else delay_ns)
        return max(0, time_ns + self._shift_ns + delay_ns - now) / 1e9

    def restart(self) -> None:
        """The next picture is due at once, whatever came before it."""
        self._shift_ns = None


class _TimeLine:
    """Lays one stretch of pictures after the other on one line that starts at 0 and always rises."""

    def __init__(self) -> None:
        self._next_ns = 0
        self._last_ns = -1
        self._shift_ns: int | None = None

    def break_off(self) -> None:
        """What follows lies elsewhere in the file: it comes when the last picture has had its time."""
        self._shift_ns = None

    def time_of(self, picture: Picture) -> int:
        """When the next picture, which may still be given up, will have been taken, in ns."""
        if self._shift_ns is None:
            self._shift_ns = self._next_ns - picture.position_ns
        return max(self._last_ns + 1, picture.position_ns + self._shift_ns)

    def add(self, picture: Picture) -> int:
        self._last_ns = self.time_of(picture)
        self._next_ns = self._last_ns + picture.duration_ns
        return self._last_ns


class _Place(NamedTuple):
    """Where to go on."""

    position_ns: int
    before: bool


class PacedSource(Source):
    """A source that never waits for its pictures: a subclass yields them, `realtime` paces their release.

    `captured_ns` is the host clock at the release of a frame, for the host received it long before; where the
    source has a delay it was that much earlier. `loop`, `realtime` and `hold_at_end` may be set at any time.
    """

    def __init__(self, name: str, *, realtime: bool, loop: bool = False, delay_ns: int = 0) -> None:
        super().__init__(name)
        self.paced = realtime
        self._loop = loop
        self._hold_at_end = False
        self._delay_ns = delay_ns
        # Guards what other threads set, and wakes the reader where it waits.
        self._changed = threading.Condition()
        self._wanted: _Place | None = None
        self._pacer = Pacer()
        self._time_line = _TimeLine()
        self._continues = True
        self._shape: tuple[int, ...] | None = None  # of the last frame
        self._indices = itertools.count()
        self._pass: Generator[Picture, None, None] | None = None
        self._pass_is_empty = True
        self._first: Picture | None = None

    @abstractmethod
    def _pictures(self, from_ns: int, before: bool) -> Generator[Picture, None, None]:
        """Yield one pass, from the picture that is shown at `from_ns` (`before`: the one in front of it) to the end.

        Positions rise strictly. Opens what is not open yet. `fps`, `frame_count` and `duration_ns` are set before the
        first picture. May end early once `_is_unwanted`. Raises SourceError.
        """

    def _release(self) -> None:
        """Close what `_pictures` opened; also where nothing is open."""

    @property
    def realtime(self) -> bool:
        """Whether each frame is released when it is due; else as fast as they are read."""
        return self.paced

    @realtime.setter
    def realtime(self, realtime: bool) -> None:
        with self._changed:
            if realtime != self.paced:
                self.paced = realtime
                self._pacer.restart()
            self._changed.notify_all()

    @property
    def loop(self) -> bool:
        """Start again at the end."""
        return self._loop

    @loop.setter
    def loop(self, loop: bool) -> None:
        with self._changed:
            self._loop = loop
            self._changed.notify_all()

    @property
    def hold_at_end(self) -> bool:
        """Wait at the end for `seek`, `loop` or `stop` instead of ending."""
        return self._hold_at_end

    @hold_at_end.setter
    def hold_at_end(self, hold: bool) -> None:
        with self._changed:
            self._hold_at_end = hold
            self._changed.notify_all()

    def seek(self, position_ns: int, *, before: bool = False) -> None:
        """See `Source.seek`. A reader that waits for a frame to be due, or at the end, goes there at once."""
        if self.seekable:
            with self._changed:
                self._wanted = _Place(max(0, position_ns), before)
                self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            super().stop()
            self._changed.notify_all()

    def open(self) -> None:
        """Take the first picture, so that whatever cannot be shown fails here. Raises SourceError."""
        self._pass = self._pictures(0, False)
        self._first = next(self._pass, None)
        self._pass_is_empty = self._first is None

    def read(self) -> Frame | None:
        """The next frame, when it is due; None at the end, after `stop` and after `close`. Raises SourceError."""
        while self._pass is not None and not self._stopped.is_set():
            self._go_where_wanted()
            picture, self._first = self._first or next(self._pass, None), None
            if picture is None:
                if not self._go_on_behind_end():
                    return None
                continue
            self._pass_is_empty = False
            captured_ns = self._wait_until_due(picture)
            if captured_ns is not None:
                return self._frame(picture, captured_ns)
        return None

    def close(self) -> None:
        """Release the file. Does nothing where nothing is open."""
        if self._pass is not None:
            self._pass.close()
        self._pass = self._first = None
        self._release()

    def _frame(self, picture: Picture, captured_ns: int) -> Frame:
        # Nothing that was found in a picture of another size lies where it did.
        same_size = self._shape in (None, picture.image.shape)
        continues = self._continues and picture.continues and same_size
        self._continues, self._shape = True, picture.image.shape
        position_ns = None if self.live else picture.position_ns
        return Frame(
            next(self._indices), captured_ns, self._time_line.add(picture), picture.image, continues, position_ns
        )

    def _go_where_wanted(self) -> None:
        with self._changed:
            wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._pacer.restart()
            self._start_pass(*wanted)

    def _start_pass(self, from_ns: int, before: bool) -> None:
        if self._pass is not None:
            self._pass.close()
        self._pass, self._first = self._pictures(from_ns, before), None
        self._pass_is_empty = True
        self._continues = False
        self._time_line.break_off()

    def _go_on_behind_end(self) -> bool:
        """Wait there where that is asked for; False where no picture follows."""
        with self._changed:
            while not (self._loop or self._is_unwanted()) and self._hold_at_end:
                self.at_end = True
                self._changed.wait(_LONGEST_WAIT_S)
            self.at_end = False
            if self._is_unwanted():
                return not self._stopped.is_set()
        if not self._loop or self._pass_is_empty:
            return False
        self._start_pass(0, False)
        return True

    def _wait_until_due(self, picture: Picture) -> int | None:
        """The time of capture; None where the picture is not wanted any more."""
        time_ns = self._time_line.time_of(picture)
        with self._changed:
            while not self._is_unwanted():
                if not self.paced:
                    return time.perf_counter_ns()
                left_s = self._pacer.seconds_left(time_ns, delay_ns=self._delay_ns, live=self.live)
                if left_s <= 0:
                    return time.perf_counter_ns() - self._delay_ns
                self._changed.wait(min(left_s, _LONGEST_WAIT_S))
        return None

    def _is_unwanted(self) -> bool:
        """Whether whatever the reader is about can be given up: the source was stopped, or wound once more."""
        return self._stopped.is_set() or self._wanted is not None

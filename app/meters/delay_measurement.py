"""A glass-to-glass measurement while it runs: first the pattern is looked for, then its flips are timed."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.frames import PoseResult
from app.meters.delay_card import DelayCard
from app.meters.glass_to_glass import (
    FEWEST_USABLE,
    FLIPS,
    Flip,
    FlipReading,
    NoFigure,
    Outcome,
    Samples,
    Times,
    Translate,
    measure,
    read_flips,
    unused_text,
)
from app.meters.screen_in_view import LONGEST_LAG_S, Grid, Sight, brightness, look_for_pattern

Phase = Literal["looking", "measuring", "done", "failed"]

# Two flips lie further apart than that, so that no more than 2.5 of them come in a second, whatever the timer does:
# three flashes a second can bring on a seizure (WCAG 2.2, success criterion 2.3.1), and a flash is a pair of flips.
SHORTEST_INTERVAL_S = 0.42
# The interval is random within so much, many frames of a camera, and with a slow one at least so many.
_RANDOM_S, _RANDOM_FRAMES = 0.45, 4.0
# So many flips in a row have to be seen, each about as late as the others, before the measurement begins.
CONFIRM = 5
_WINDOW_S = 5.0
_WINDOW_FLIPS = 8.0
_SILENT_S = 1.5
# What nobody has found for so long may be later than can be told.
_LONG_SEARCH_S = 15.0
_UNSEEN_WORTH_TELLING = 3
_USUAL_FRAME_S = 1 / 30


@dataclass(frozen=True, slots=True)
class DelayState:
    """Where a measurement is.

    message: one sentence for the user: what to do, or why there is no figure. sight: how the pattern is seen.
    confirmed: flips seen in a row, before the measurement begins. readings: the flips that were timed so far.
    """

    phase: Phase
    message: str
    sight: Sight
    confirmed: int
    readings: tuple[FlipReading, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One frame: when, and how bright its cells are."""

    captured_ns: int
    estimated_ns: int
    index: int
    grid: Grid


class DelayMeasurement:
    """Thread-safe. Results come from the inference thread; flips, paints and the clock from the window.

    The window flips the pattern at random intervals within `interval_s`, says so by `add_flip` at the end of the paint,
    and calls `look` a few times a second. Before each flip it calls `before_flip`, which times the last one, and says
    whether another is wanted.

    source: its name; refresh_hz: of the screen; both for the card. flips: how many are timed. tr: called on any thread.
    """

    def __init__(self, source: str, refresh_hz: float, *, flips: int = FLIPS, tr: Translate = str) -> None:
        self._lock = threading.Lock()
        self._source, self._refresh_hz = source, refresh_hz
        self.flips_wanted = flips
        self._tr = tr
        self._phase: Phase = "looking"
        self._message = tr("Looking for the pattern in the camera’s picture …")
        self._sight = Sight(self._message)
        self._confirmed = 0
        self._frame_s = _USUAL_FRAME_S
        self._flips: list[Flip] = []
        self._first_timed = 0  # index into _flips, where the measurement began
        self._readings: list[FlipReading] = []
        self._seen: list[_Seen] = []
        self._painted: dict[int, int] = {}  # captured_ns -> painted_ns
        self._loading = False
        self._last: PoseResult | None = None
        self._card: DelayCard | None = None

    # --- what happens -----------------------------------------------------------------------------------------

    def add(self, result: PoseResult) -> None:
        """The next result, on the inference thread."""
        if result.stages is None:
            self._loading = True
            return
        grid = brightness(result.frame.image)
        with self._lock:
            self._loading = False
            last, self._last = self._last, result
            broken_off = not result.frame.continues or (
                last is not None and last.frame.image.shape != result.frame.image.shape
            )
            if last is not None and broken_off:
                self._start_anew()
            frame = result.frame
            self._seen.append(_Seen(frame.captured_ns, result.stages.done_ns, frame.index, grid))

    def _start_anew(self) -> None:
        if self._phase == "measuring":
            self._fail(self._tr("The camera was interrupted while its delay was measured."))
        self._seen.clear()
        self._confirmed = 0

    def add_paint(self, captured_ns: int, painted_ns: int) -> None:
        """The paint that first showed that frame ended."""
        with self._lock:
            self._painted[captured_ns] = painted_ns

    def add_flip(self, flip: Flip) -> None:
        """The paint that first showed that state ended. The first one is the pattern's appearance."""
        with self._lock:
            self._flips.append(flip)
            if self._phase == "looking" and self._confirmed >= CONFIRM:
                self._phase, self._first_timed = "measuring", len(self._flips) - 1
                self._message = self._tr("Hold camera and screen still.")

    def interval_s(self) -> tuple[float, float]:
        """Shortest and longest time until the next flip: longer than the delay, with frames to spare after it."""
        with self._lock:
            lag_s = self._sight.lag_ms / 1000 if self._sight.found else 0.0
            frame_s = self._frame_s if self._sight.found else 0.0
        shortest = max(SHORTEST_INTERVAL_S, 1.25 * lag_s + _RANDOM_FRAMES * frame_s)
        return shortest, shortest + max(_RANDOM_S, _RANDOM_FRAMES * frame_s)

    def look(self, now_ns: int) -> None:
        """Look for the pattern, and say what to do, until it is found; `now_ns` is the host clock."""
        tr = self._tr
        with self._lock:
            if self._phase != "looking":
                return
            flips, seen, painted = list(self._flips), self._recent(now_ns), dict(self._painted)
            loading = self._loading
        silent = tr("The network is being loaded …") if loading else tr("No picture comes from the camera.")
        if not seen or now_ns - seen[-1].captured_ns > _SILENT_S * 1e9:
            self._tell(silent, Sight(""), 0)
            return
        captured_ns = np.array([one.captured_ns for one in seen])
        sight = look_for_pattern(flips, captured_ns, np.stack([one.grid for one in seen]), tr)
        message, confirmed = sight.message, 0
        timed = [flip for flip in flips if flip.shown_ns > captured_ns[0]]
        if sight.found and timed:
            self._frame_s = float(np.median(np.diff(captured_ns))) / 1e9
            readings = read_flips(timed[:-1], timed[-1].shown_ns, _samples(seen, sight, painted), sight.rise)
            confirmed = self._in_a_row(readings, sight)
            if readings and not confirmed:
                message = tr(
                    "The camera sees the pattern, but not every flip: hold camera and screen still, and keep "
                    "flickering lights out of the picture."
                )
        elif not sight.found and now_ns - flips[0].shown_ns > _LONG_SEARCH_S * 1e9:
            message += tr(" (Delays of more than {longest:g} s cannot be told.)").format(longest=LONGEST_LAG_S)
        self._tell(message, sight, confirmed)

    def _recent(self, now_ns: int) -> list[_Seen]:
        """What is looked at in search of the pattern; what is older is let go."""
        interval_ns = 0.0
        if len(self._flips) > 1:
            few = self._flips[-4:]
            interval_ns = (few[-1].shown_ns - few[0].shown_ns) / (len(few) - 1)
        oldest_ns = now_ns - max(_WINDOW_S * 1e9, _WINDOW_FLIPS * interval_ns)
        del self._seen[: bisect_left(self._seen, oldest_ns, key=lambda one: one.captured_ns)]
        for captured_ns in [key for key in self._painted if key < oldest_ns]:
            del self._painted[captured_ns]
        # Before the first flip the screen showed something else.
        first_ns = self._flips[0].shown_ns if self._flips else now_ns
        return [one for one in self._seen if one.captured_ns > first_ns]

    def _in_a_row(self, readings: list[FlipReading], sight: Sight) -> int:
        """How many of the last flips were seen without a miss, all about equally late."""
        tolerance_ms = 2000 * self._frame_s + 20 + 0.1 * sight.lag_ms
        received: list[float] = []
        for reading in reversed(readings[-CONFIRM:]):
            so_far = [*received, reading.received]
            if math.isnan(reading.received) or max(so_far) - min(so_far) > tolerance_ms:
                break
            received = so_far
        return len(received)

    def _tell(self, message: str, sight: Sight, confirmed: int) -> None:
        with self._lock:
            if self._phase == "looking":
                self._message, self._sight, self._confirmed = message, sight, confirmed

    def before_flip(self, now_ns: int) -> bool:
        """Time the last flip, which has had its interval; False where no other is wanted, see `state`."""
        with self._lock:
            if self._phase == "measuring":
                self._read_last(now_ns)
            return self._phase in ("looking", "measuring")

    def _read_last(self, now_ns: int) -> None:
        flip = self._flips[-1]
        since_ns = flip.shown_ns - 1e9
        recent = self._seen[bisect_left(self._seen, since_ns, key=lambda one: one.captured_ns) :]
        samples = _samples(recent, self._sight, self._painted)
        self._readings += read_flips([flip], now_ns, samples, self._sight.rise)
        usable = sum(reading.outcome is Outcome.SEEN for reading in self._readings)
        left = self.flips_wanted - len(self._readings)
        if usable + left < FEWEST_USABLE:
            count = len(self._readings)
            few = self._tr(
                "{n} of {count} flips could not be used{unused}: fewer than {fewest} would be left, so there is no "
                "figure. Hold camera and screen still, and keep the pattern in the picture."
            )
            unused = unused_text(self._readings, self._tr)
            self._fail(few.format(n=count - usable, count=count, unused=unused, fewest=FEWEST_USABLE))
        elif not left:
            self._finish(now_ns)
        else:
            last = self._readings[-_UNSEEN_WORTH_TELLING:]
            lost = len(last) == _UNSEEN_WORTH_TELLING and all(one.outcome is not Outcome.SEEN for one in last)
            self._message = (
                self._tr("The camera does not see the pattern any more: point it at this window, and hold it still.")
                if lost
                else self._tr("Hold camera and screen still.")
            )

    def _finish(self, now_ns: int) -> None:
        result = self._last
        assert result is not None
        samples = _samples(self._seen, self._sight, self._painted)
        try:
            delays = measure(self._flips[self._first_timed :], now_ns, samples, self._sight.rise, self._tr)
        except NoFigure as failure:
            self._fail(str(failure))
            return
        height, width = result.frame.image.shape[:2]
        self._card = DelayCard(
            delays=delays,
            source=self._source,
            width=width,
            height=height,
            network=result.network,
            device=result.device,
            refresh_hz=self._refresh_hz,
            contrast=self._sight.contrast,
            picture_share=self._sight.share,
        )
        self._phase, self._message = "done", self._card.verdict(self._tr)

    def _fail(self, message: str) -> None:
        self._phase, self._message = "failed", message

    def fail(self, message: str) -> None:
        """Break it off, for that reason."""
        with self._lock:
            if self._phase in ("looking", "measuring"):
                self._fail(message)

    # --- what is known ----------------------------------------------------------------------------------------

    def state(self) -> DelayState:
        """Where the measurement is now."""
        with self._lock:
            return DelayState(self._phase, self._message, self._sight, self._confirmed, tuple(self._readings))

    def card(self) -> DelayCard | None:
        """The result; None until it is done."""
        with self._lock:
            return self._card

    def trace(self, since_ns: int) -> tuple[Times, np.ndarray, list[Flip]]:
        """For a picture of the signal: times (N,), signal (N,), -1 to 1 where it follows, and the flips meanwhile.

        The last flip before is among them. No signal (N = 0) where nothing follows.
        """
        with self._lock:
            place = max(0, bisect_left(self._flips, since_ns, key=lambda flip: flip.shown_ns) - 1)
            flips = self._flips[place:]
            recent = self._seen[bisect_left(self._seen, since_ns, key=lambda one: one.captured_ns) :]
            sight = self._sight
        if not recent or sight.weights is None:
            return np.zeros(0, np.int64), np.zeros(0), flips
        signal = sight.signal(np.stack([one.grid for one in recent]))
        middle = (signal.max() + signal.min()) / 2
        return np.array([one.captured_ns for one in recent]), 2 * (signal - middle) / sight.rise, flips


def _samples(seen: list[_Seen], sight: Sight, painted: dict[int, int]) -> Samples:
    """The frames as the flips are read from them."""
    return Samples(
        captured_ns=np.array([one.captured_ns for one in seen], np.int64),
        estimated_ns=np.array([one.estimated_ns for one in seen], np.int64),
        painted_ns=np.array([painted.get(one.captured_ns, 0) for one in seen], np.int64),
        index=np.array([one.index for one in seen], np.int64),
        signal=sight.signal(np.stack([one.grid for one in seen])) if seen else np.zeros(0),
    )

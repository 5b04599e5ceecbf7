"""MediaPipe beside our own network, on the same frames: its points as one more reading of the people that we follow."""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app.errors import UserError
from app.frames import Frame, Person, PoseResult
from models.people import MEDIAPIPE

if TYPE_CHECKING:
    from models.estimators import Estimator

# Of a live source so many results wait for MediaPipe at most; one more, and the first goes on without it.
_MOST_WAITING = 3
# MediaPipe's person further away than this from ours, as a share of the body, is somebody else.
_SAME_PERSON = 0.5


@dataclass(frozen=True, slots=True)
class _Task:
    """follows: whether the frame follows from the one that was read before."""

    frame: Frame
    most_people: int
    follows: bool


class ReferenceGhost:
    """Hands results on, each with MediaPipe's reading of its own frame where there is one. Off at first.

    deliver: is given every result, in their order; on the thread that calls `add`, or on this one's own.
    every_frame: each result waits for MediaPipe, so that none is without (files, where nothing is live). Else MediaPipe
        takes the newest frame whenever it is free, and the others are left out; a result waits for it beside the
        inference thread, at most until three more have come. No result is ever given the reading of another frame.

    The inference thread calls `offer` and `add`; anybody may call the others. compared, left_out: results handed on
    with and without MediaPipe's reading since it was last switched on. error: why there is none.
    """

    def __init__(self, deliver: Callable[[PoseResult], None], *, every_frame: bool) -> None:
        self._deliver = deliver
        self._every_frame = every_frame
        # Also held while results are handed on, which keeps them in order.
        self._changed = threading.Condition(threading.RLock())
        self._wish: Callable[[], Estimator] | None = None
        self._ready = False
        self._thread: threading.Thread | None = None
        self._is_running = False
        self._next: _Task | None = None
        self._reading: int | None = None
        self._found: dict[int, tuple[Person, ...]] = {}
        self._waiting: deque[PoseResult] = deque()
        self._first: int | None = None
        self.compared = 0
        self.left_out = 0
        self.error: UserError | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is asked for, and did not fail."""
        return self._wish is not None

    @property
    def is_ready(self) -> bool:
        """Whether MediaPipe is loaded and reads."""
        return self._ready

    def use(self, load: Callable[[], Estimator] | None) -> None:
        """Load MediaPipe and read with it, or no longer. What waits for the one before is handed on without it."""
        with self._changed:
            self._switch(load)
            if load is None:
                return
            self.error = None
            self.compared = self.left_out = 0
            if not self._is_running:
                self._is_running = True
                self._thread = threading.Thread(target=self._run, name="posescope-reference")
                self._thread.start()

    def wait_until_ready(self) -> None:
        """Return when MediaPipe is loaded. Raises UserError where it cannot be."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._wish is None)
            if self.error is not None:
                raise self.error

    def offer(self, frame: Frame, most_people: int) -> None:
        """A frame that our own network is about to read; returns at once."""
        with self._changed:
            if self._ready:
                self._first = frame.index if self._first is None else self._first
                skipped = self._next
                # One that is left out may be the first after a gap.
                follows = frame.continues and (skipped is None or skipped.follows)
                self._next = _Task(frame, most_people, follows)
                self._changed.notify_all()

    def add(self, result: PoseResult) -> None:
        """Our own reading of a frame: handed on now or when MediaPipe has read that frame too."""
        with self._changed:
            if self._every_frame:
                self._changed.wait_for(lambda: not self._may_come(result))
            self._waiting.append(result)
            self._hand_on()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the thread has ended, as it does where this is off; False if `timeout` seconds passed first."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _switch(self, load: Callable[[], Estimator] | None) -> None:
        self._wish, self._ready = load, False
        self._next = self._reading = self._first = None
        self._found.clear()
        self._hand_on()
        self._changed.notify_all()

    def _may_come(self, result: PoseResult) -> bool:
        """Whether MediaPipe reads this result's frame, or will next."""
        index = result.frame.index
        return self._reading == index or (self._next is not None and self._next.frame.index == index)

    def _hand_on(self) -> None:
        """All that no longer have to wait, the oldest first."""
        while self._waiting and (not self._may_come(self._waiting[0]) or len(self._waiting) > _MOST_WAITING):
            result = self._waiting.popleft()
            index = result.frame.index
            found = self._found.pop(index, None)
            for late in [one for one in self._found if one < index]:
                del self._found[late]
            if self._first is not None and index >= self._first:
                self.compared += found is not None
                self.left_out += found is None
            self._deliver(result if found is None else with_reference(result, found))

    # --- its own thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        estimator: Estimator | None = None
        loaded: Callable[[], Estimator] | None = None
        while True:
            wish, task = self._take(loaded)
            try:
                if wish is not loaded:
                    before, estimator = estimator, None
                    if before is not None:
                        before.close()
                    if wish is None:
                        return
                    loaded = wish
                    estimator = wish()
                    self._begin(wish)
                elif estimator is not None and task is not None:
                    self._read(estimator, task)
            except UserError as error:
                self._fail(loaded, error)
            except Exception as error:
                traceback.print_exc()
                reason = str(error).partition("\n")[0] or type(error).__name__
                self._fail(loaded, UserError(f"MediaPipe has stopped: {reason.rstrip('.')}."))

    def _take(self, loaded: Callable[[], Estimator] | None) -> tuple[Callable[[], Estimator] | None, _Task | None]:
        """What is to be loaded, and the frame to be read; waits until that is another one, or there is a frame."""
        with self._changed:
            self._changed.wait_for(lambda: self._wish is None or self._wish is not loaded or self._next is not None)
            self._is_running = self._wish is not None
            task = self._next if self._wish is loaded else None
            if task is not None:
                self._next, self._reading = None, task.frame.index
            return self._wish, task

    def _begin(self, wish: Callable[[], Estimator]) -> None:
        with self._changed:
            if self._wish is wish:
                self._ready = True
                self._changed.notify_all()

    def _read(self, estimator: Estimator, task: _Task) -> None:
        frame = task.frame
        if not task.follows:
            estimator.reset()
        estimator.most_people = task.most_people
        people = estimator.estimate(frame.image, time_ns=frame.time_ns).people
        with self._changed:
            if self._reading == frame.index:  # nobody has switched meanwhile
                self._reading = None
                self._found[frame.index] = people
                self._hand_on()
                self._changed.notify_all()

    def _fail(self, wish: Callable[[], Estimator] | None, error: UserError) -> None:
        with self._changed:
            if self._wish is wish:
                self.error = error
                self._switch(None)


def with_reference(result: PoseResult, found: tuple[Person, ...]) -> PoseResult:
    """The same result, where each person has MediaPipe's points of the nearest of `found`, each given once.

    MediaPipe's points are smoothed by itself, and so are the same in `smoothed`.
    """
    nearest = _nearest(result.people, found)

    def read(people: tuple[Person, ...]) -> tuple[Person, ...]:
        return tuple(_with_reading(person, nearest[person.id]) if person.id in nearest else person for person in people)

    return replace(result, people=read(result.people), smoothed=read(result.smoothed))


def _nearest(people: tuple[Person, ...], found: tuple[Person, ...]) -> dict[int, Person]:
    """Number of our person -> MediaPipe's, by the distance of the joints on average, the nearest pairs first."""
    pairs = []
    for person in (one for one in people if one.has_decoders):
        for i, other in enumerate(found):
            # Joints that our network does not have are NaN.
            apart = np.nanmean(np.linalg.norm(person.own_points - other.points[MEDIAPIPE], axis=-1))
            if apart <= _SAME_PERSON * person.region.body_size:
                pairs.append((float(apart) / person.region.body_size, person.id, i))
    nearest: dict[int, int] = {}
    for _, person_id, i in sorted(pairs):
        if person_id not in nearest and i not in nearest.values():
            nearest[person_id] = i
    return {person_id: found[i] for person_id, i in nearest.items()}


def _with_reading(person: Person, other: Person) -> Person:
    return replace(
        person,
        points={**person.points, MEDIAPIPE: other.points[MEDIAPIPE]},
        scores={**person.scores, MEDIAPIPE: other.scores[MEDIAPIPE]},
    )

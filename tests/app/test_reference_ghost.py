"""MediaPipe beside our own network: each reading on its own frame, nobody waits who must not, no result is lost."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.errors import UserError
from app.frames import PoseResult
from app.reference_ghost import ReferenceGhost, with_reference
from models.estimator import Estimate, EstimateTimes
from models.people import MEDIAPIPE, Person
from models.readings import REGRESSION
from tests.app import builders
from tests.app.pipeline_parts import LONG, numbered_frame, until


def reading(points: np.ndarray) -> Person:
    """Somebody whom MediaPipe has read."""
    return builders.person(points, decoders=(MEDIAPIPE,))


def own_result(number: int, *, continues: bool = True) -> PoseResult:
    return replace(builders.result(), frame=numbered_frame(number, continues=continues))


class HeldReference:
    """Stands in for MediaPipe, whose time the test must rule: reads a frame each time it is let, and puts its person to
    the right by as many quarters of a px as the frame's number says.
    """

    decoders = (MEDIAPIPE,)
    device_label = "held"
    warning = None

    def __init__(self) -> None:
        self.most_people = 1
        self.begun: list[int] = []
        self.resets_before: list[int] = []
        self.closed = threading.Event()
        self._let: queue.Queue[Exception | None] = queue.Queue()
        self._always = threading.Event()

    def let(self, count: int = 1, error: Exception | None = None) -> None:
        for _ in range(count):
            self._let.put(error)

    def let_always(self) -> None:
        self._always.set()
        self.let()

    def reset(self) -> None:
        self.resets_before.append(len(self.begun))

    def estimate(self, image, beta=10.0, *, time_ns=None, keep_heatmaps=False):
        number = int(image[0, 0, 0])
        self.begun.append(number)
        if not self._always.is_set():
            error = self._let.get(timeout=LONG)
            if error is not None:
                raise error
        return Estimate((reading(builders.standing_points() + np.float32((number / 4, 0))),), EstimateTimes())

    def close(self) -> None:
        self.closed.set()


class Beside:
    """A ghost, what it has handed on, and a stand-in for MediaPipe that is loaded at once."""

    def __init__(self, *, every_frame: bool) -> None:
        self.results: list[PoseResult] = []
        self.threads: set[str] = set()
        self.reference = HeldReference()
        self.ghost = ReferenceGhost(self._take, every_frame=every_frame)

    def _take(self, result: PoseResult) -> None:
        self.results.append(result)
        self.threads.add(threading.current_thread().name)

    def switch_on(self, load: Callable[[], HeldReference] | None = None) -> None:
        self.ghost.use(load or (lambda: self.reference))
        if load is None:
            self.ghost.wait_until_ready()

    def pass_frame(self, number: int, *, continues: bool = True) -> None:
        """As the inference thread does."""
        result = own_result(number, continues=continues)
        self.ghost.offer(result.frame, 1)
        self.ghost.add(result)

    @property
    def numbers(self) -> list[int]:
        return [result.frame.index for result in self.results]

    @property
    def with_reading(self) -> list[int]:
        """The frames whose result has MediaPipe's reading; fails where it is that of another frame."""
        found = []
        for result in self.results:
            (person,) = result.people
            if MEDIAPIPE in person.points:
                shift = person.points[MEDIAPIPE] - builders.standing_points()
                assert shift == pytest.approx(np.broadcast_to((result.frame.index / 4, 0), shift.shape), abs=1e-3)
                found.append(result.frame.index)
        return found


@pytest.fixture
def live() -> Iterator[Beside]:
    beside = Beside(every_frame=False)
    yield beside
    beside.reference.let_always()
    beside.ghost.use(None)
    assert beside.ghost.join(LONG)


@pytest.fixture
def file() -> Iterator[Beside]:
    beside = Beside(every_frame=True)
    yield beside
    beside.reference.let_always()
    beside.ghost.use(None)
    assert beside.ghost.join(LONG)


def test_switched_off_it_hands_on_at_once_and_has_no_thread(live):
    live.pass_frame(0)
    assert live.numbers == [0]
    assert live.with_reading == []
    assert live.threads == {threading.current_thread().name}
    assert not live.ghost.is_on


def test_of_a_file_every_frame_has_a_reading(file):
    file.switch_on()
    file.reference.let_always()
    for number in range(40):
        file.pass_frame(number)
        assert file.numbers[-1] == number
    assert file.with_reading == list(range(40))
    assert (file.ghost.compared, file.ghost.left_out) == (40, 0)


def test_a_live_frame_waits_for_its_reading_beside_the_inference_thread(live):
    live.switch_on()
    live.pass_frame(0)
    until(lambda: live.reference.begun == [0])
    assert live.numbers == []
    live.reference.let()
    until(lambda: live.numbers == [0])
    assert live.with_reading == [0]
    assert live.threads == {"posescope-reference"}


def test_a_slow_mediapipe_holds_nobody_up_and_takes_the_newest_frame(live):
    live.switch_on()
    live.pass_frame(0)
    until(lambda: live.reference.begun == [0])
    # None of these calls waits, though MediaPipe has not come back from the first frame.
    for number in (1, 2):
        live.pass_frame(number)
    assert live.numbers == []
    live.pass_frame(3)
    # Three at most wait for it; and of those between none is read any more, so there is nothing to wait for.
    assert live.numbers == [0, 1, 2]
    for number in range(4, 10):
        live.pass_frame(number)
    assert live.numbers == list(range(9))
    live.reference.let()
    until(lambda: live.reference.begun == [0, 9])
    assert live.with_reading == []
    live.reference.let()
    until(lambda: live.numbers == list(range(10)))
    assert live.with_reading == [9]
    assert (live.ghost.compared, live.ghost.left_out) == (1, 9)


def test_whatever_the_timing_no_result_is_lost_or_has_the_reading_of_another_frame(live):
    live.switch_on()
    random = np.random.default_rng(5)
    for number in range(200):
        live.pass_frame(number)
        if random.random() < 0.7:
            live.reference.let()
    live.reference.let_always()
    until(lambda: len(live.numbers) == 200)
    assert live.numbers == list(range(200))
    assert len(live.with_reading) == live.ghost.compared == 200 - live.ghost.left_out > 0


def test_a_gap_before_a_frame_that_was_left_out_is_not_forgotten(live):
    live.switch_on()
    live.pass_frame(0)
    until(lambda: live.reference.begun == [0])
    live.pass_frame(1, continues=False)
    live.pass_frame(2)
    live.reference.let(2)
    until(lambda: len(live.numbers) == 3)
    live.pass_frame(3)
    until(lambda: live.reference.begun == [0, 2, 3])
    assert live.reference.resets_before == [1]


def test_switching_off_hands_on_what_waits_and_ends_the_thread(live):
    live.switch_on()
    live.pass_frame(0)
    until(lambda: live.reference.begun == [0])
    live.pass_frame(1)
    live.ghost.use(None)
    assert live.numbers == [0, 1]
    live.pass_frame(2)
    assert live.numbers == [0, 1, 2]
    live.reference.let()
    assert live.ghost.join(LONG)
    assert live.reference.closed.is_set()
    # What came too late is not drawn later.
    assert live.with_reading == []
    live.reference = HeldReference()
    live.switch_on()
    live.reference.let()
    live.pass_frame(3)
    until(lambda: live.numbers == [0, 1, 2, 3])
    assert live.with_reading == [3]


def test_another_bundle_takes_the_place_of_the_first(file):
    file.switch_on()
    file.reference.let_always()
    file.pass_frame(0)
    first, file.reference = file.reference, HeldReference()
    file.switch_on()
    file.reference.let_always()
    file.pass_frame(1)
    assert (first.begun, file.reference.begun) == ([0], [1])
    assert first.closed.is_set()
    assert file.with_reading == [0, 1]


def test_frames_pass_while_it_is_loaded(live):
    may_load = threading.Event()

    def load() -> HeldReference:
        assert may_load.wait(LONG)
        return live.reference

    live.switch_on(load)
    live.pass_frame(0)
    assert live.numbers == [0]
    assert (live.ghost.is_on, live.ghost.is_ready) == (True, False)
    may_load.set()
    live.ghost.wait_until_ready()
    live.reference.let()
    live.pass_frame(1)
    until(lambda: live.numbers == [0, 1])
    assert live.with_reading == [1]
    assert (live.ghost.compared, live.ghost.left_out) == (1, 0)


def test_what_cannot_be_loaded_is_told_and_frames_pass(file):
    def load() -> HeldReference:
        raise UserError("MediaPipe is not here.")

    file.switch_on(load)
    with pytest.raises(UserError, match="MediaPipe is not here"):
        file.ghost.wait_until_ready()
    assert (str(file.ghost.error), file.ghost.is_on) == ("MediaPipe is not here.", False)
    file.pass_frame(0)
    assert file.numbers == [0]
    assert file.ghost.join(LONG)


def test_a_failure_on_the_way_is_told_and_frames_pass(file, capsys):
    file.switch_on()
    file.reference.let()
    file.reference.let(error=RuntimeError("the graph fell over\nin a long story"))
    for number in range(3):
        file.pass_frame(number)
    assert file.numbers == [0, 1, 2]
    assert file.with_reading == [0]
    assert str(file.ghost.error) == "MediaPipe has stopped: the graph fell over."
    assert file.ghost.join(LONG)
    assert file.reference.closed.is_set()
    assert "RuntimeError: the graph fell over" in capsys.readouterr().err


# Whose reading it is


def standing_at(x: float) -> np.ndarray:
    return builders.standing_points(x)


def test_each_person_has_the_reading_of_the_nearest_and_each_reading_is_given_once():
    people = tuple(builders.person(standing_at(x), id=i) for i, x in enumerate((100, 160, 800), 1))
    smoothed = tuple(replace(person, points={**person.points}) for person in people)
    result = replace(builders.result(people=people), smoothed=smoothed)
    found = tuple(reading(standing_at(x)) for x in (150, 104))
    joined = with_reference(result, found)
    for group in (joined.people, joined.smoothed):
        read = {person.id: person.points[MEDIAPIPE] for person in group if MEDIAPIPE in person.points}
        assert set(read) == {1, 2}
        assert read[1] == pytest.approx(standing_at(104))
        assert read[2] == pytest.approx(standing_at(150))
    assert tuple(joined.people[0].scores) == tuple(joined.people[0].points)
    assert joined.people[0].measured == tuple(people[0].points)
    assert MEDIAPIPE not in people[0].points


def test_who_is_far_away_is_somebody_else():
    person = builders.person(standing_at(100))
    body = person.region.body_size
    for share, is_same in ((0.45, True), (0.55, False)):
        away = reading(person.points[REGRESSION] + np.float32((share * body, 0)))
        (joined,) = with_reference(builders.result(people=(person,)), (away,)).people
        assert (MEDIAPIPE in joined.points) is is_same
    assert with_reference(builders.result(people=()), (away,)).people == ()

"""The threads between a source and its consumers, with sources and an estimator that obey the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.errors import UserError
from app.frames import PoseResult
from app.pipeline import DecoderChoice, Pipeline
from app.smoothing import OneEuroSettings
from app.sources.base import Source
from models.readings import DECODER_NAMES
from tests.app import builders
from tests.app.pipeline_parts import CHOICE, LONG, CommandedCamera, FakeEstimator, FileLike, Run, until

Start = Callable[..., Run]


@pytest.fixture
def start() -> Iterator[Start]:
    runs: list[Run] = []

    def start_run(source: Source, estimator: FakeEstimator | Callable[[], FakeEstimator], **options: object) -> Run:
        load = (lambda: estimator) if isinstance(estimator, FakeEstimator) else estimator
        run = Run(source, load, **options)
        runs.append(run)
        run.pipeline.start()
        return run

    yield start_run
    for run in runs:
        run.pipeline.stop()
        if run.pipeline.estimator is not None:
            run.pipeline.estimator.release()
        ended = run.pipeline.join(LONG)
        run.pipeline.source.stop()  # so that a failing test does not hold up the end of all tests
        assert ended
        assert run.pipeline.finished.is_set()


def test_a_file_loses_nothing_and_keeps_its_order(start: Start) -> None:
    source = FileLike(60)
    run = start(source, FakeEstimator(), consumer=lambda result: time.sleep(0.001 * (result.frame.index % 5)))
    run.finish()
    assert run.indices == list(range(60))
    assert run.pipeline.dropped == 0
    assert source.calls == ["open", "close"]
    assert run.pipeline.source_error is run.pipeline.model_error is None
    for result in run.results:
        # The people were found in the very picture that they travel with.
        assert run.pipeline.estimator.seen[result.frame.index] == result.frame.image[0, 0, 0]
        assert len(result.people) == 1
        stages = result.stages
        assert (stages.preprocess, stages.detect, stages.network, stages.decode) == (1, 2, 3, 4)
        assert 0 <= stages.capture_wait <= stages.done_ns - result.frame.captured_ns


def test_a_file_waits_for_the_estimator(start: Start) -> None:
    source, estimator = FileLike(50), FakeEstimator()
    estimator.hold()
    run = start(source, estimator)
    until(lambda: source.reads == 4)
    time.sleep(0.3)
    # One in the estimator, two in the queue, one in hand: pictures do not pile up.
    assert source.reads == 4
    released_ns = time.perf_counter_ns()
    estimator.release()
    run.finish()
    assert run.indices == list(range(50))
    # The time in the queue is no latency of a file.
    assert all(result.frame.captured_ns > released_ns for result in run.results[1:])


def test_a_live_source_drops_the_oldest_and_counts(start: Start) -> None:
    camera, estimator = CommandedCamera(), FakeEstimator()
    estimator.hold()
    run = start(camera, estimator)
    camera.deliver(1)
    until(lambda: estimator.seen == [0])
    camera.deliver(9)
    estimator.release()
    until(lambda: run.indices == [0, 9])
    assert run.pipeline.dropped == 8
    estimator.hold()
    camera.deliver(1)
    until(lambda: len(estimator.seen) == 3)
    camera.deliver(5)
    estimator.release()
    until(lambda: run.indices == [0, 9, 10, 15])
    assert run.pipeline.dropped == 12


def test_a_live_source_loses_none_to_a_short_stall_where_none_is_to_be_lost(start: Start) -> None:
    camera, estimator = CommandedCamera(), FakeEstimator()
    camera.restarts = (2,)
    estimator.hold()
    run = start(camera, estimator)
    run.pipeline.loses_none = True
    camera.deliver(1)
    until(lambda: estimator.seen == [0])
    camera.deliver(4)
    estimator.release()
    until(lambda: run.indices == [0, 1, 2, 3, 4])
    assert run.pipeline.dropped == 0
    assert [result.frame.continues for result in run.results] == [True, True, False, True, True]
    estimator.hold()
    camera.deliver(1)
    until(lambda: len(estimator.seen) == 6)
    camera.deliver(9)  # no short stall any more: the newest is wanted
    estimator.release()
    until(lambda: run.indices[5:] == [5, 14])
    assert run.pipeline.dropped == 8


def test_the_age_of_a_live_frame_stays_bounded_by_one_estimate(start: Start) -> None:
    camera, estimator = CommandedCamera(), FakeEstimator()
    newest_when_taken: list[int] = []
    run = start(camera, estimator)
    for _ in range(10):
        estimator.hold()
        count = len(estimator.seen)
        camera.deliver(1)
        until(lambda count=count: len(estimator.seen) == count + 1)
        camera.deliver(7)
        newest_when_taken.append(camera.delivered - 1)
        estimator.release()
        until(lambda: run.indices[-1:] == newest_when_taken[-1:])
    assert run.indices[1::2] == newest_when_taken
    assert run.indices == sorted(set(run.indices))


def test_a_paced_frame_does_not_grow_old_in_a_queue(start: Start) -> None:
    source, estimator = FileLike(20, paced=True), FakeEstimator()
    estimator.hold()
    run = start(source, estimator)
    until(lambda: estimator.seen == [0])
    time.sleep(0.3)
    assert source.reads == 1
    released_ns = time.perf_counter_ns()
    estimator.release()
    run.finish()
    assert run.indices == list(range(20))
    assert all(result.frame.captured_ns > released_ns for result in run.results[1:])


@pytest.mark.thorough
def test_a_paced_source_is_asked_for_one_frame_at_a_time(start: Start) -> None:
    class SlowHandover(FileLike):
        """The capture thread is held up before it hands a frame on, longer than a wait of the other thread."""

        @property
        def live(self) -> bool:
            if self.reads == 1 and threading.current_thread().name == "posescope-capture":
                time.sleep(0.25)
            return False

    source, estimator = SlowHandover(3, paced=True), FakeEstimator()
    estimator.hold()
    run = start(source, estimator)
    until(lambda: estimator.seen == [0])
    time.sleep(0.8)
    assert source.reads == 1
    estimator.release()
    run.finish()
    assert run.indices == [0, 1, 2]


def test_pausing_a_file_loses_nothing(start: Start) -> None:
    source = FileLike(40)
    run: Run

    def pause_at_five(result: PoseResult) -> None:
        if result.frame.index == 5:
            run.pipeline.paused.set()

    pipeline_made = threading.Event()
    run = start(source, lambda: pipeline_made.wait(LONG) and FakeEstimator(), consumer=pause_at_five)
    pipeline_made.set()
    until(run.pipeline.paused.is_set)
    time.sleep(0.3)
    shown = len(run.results)
    # Frames that were under way may still come.
    assert 6 <= shown <= 10
    time.sleep(0.3)
    assert len(run.results) == shown
    run.pipeline.paused.clear()
    run.finish()
    assert run.indices == list(range(40))


def test_a_paused_camera_goes_on_with_the_newest(start: Start) -> None:
    camera, estimator = CommandedCamera(), FakeEstimator()
    run = start(camera, estimator)
    camera.deliver(1)
    until(lambda: run.indices == [0])
    run.pipeline.paused.set()
    camera.deliver(6)
    assert run.indices == [0]
    run.pipeline.paused.clear()
    camera.deliver(1)
    until(lambda: run.indices == [0, 7])
    assert run.pipeline.dropped == 0


def test_a_toggle_takes_effect_on_the_next_frame(start: Start) -> None:
    choices = {i: DecoderChoice(DECODER_NAMES[i % 6], 1.0 + i) for i in range(12)}
    estimator = FakeEstimator()
    run: Run

    def toggle(result: PoseResult) -> None:
        run.pipeline.choice = choices[result.frame.index]

    made = threading.Event()
    run = start(FileLike(12), lambda: made.wait(LONG) and estimator, consumer=toggle)
    made.set()
    run.finish()
    expected = [CHOICE, *(choices[i] for i in range(11))]
    assert [DecoderChoice(result.decoder, result.beta) for result in run.results] == expected
    # What the result says is what the estimator was told.
    assert estimator.betas == [choice.beta for choice in expected]


def test_a_toggle_during_a_frame_leaves_that_frame_as_it_was(start: Start) -> None:
    camera, estimator = CommandedCamera(), FakeEstimator()
    estimator.hold()
    run = start(camera, estimator)
    camera.deliver(1)
    until(lambda: estimator.seen == [0])
    run.pipeline.choice = DecoderChoice("ipr", 3.0)
    estimator.release()
    camera.deliver(1)
    until(lambda: run.indices == [0, 1])
    assert [(result.decoder, result.beta) for result in run.results] == [("debiased", 10.0), ("ipr", 3.0)]
    assert estimator.betas == [10.0, 3.0]


@pytest.mark.parametrize("paced", [False, True])
def test_an_error_while_reading_ends_after_the_frames_before_it(start: Start, paced: bool) -> None:
    source = FileLike(30, fail_at=7, paced=paced)
    run = start(source, FakeEstimator())
    run.finish()
    assert run.pipeline.source_error is source.error
    assert run.pipeline.model_error is None
    assert run.indices == list(range(7))
    assert source.calls == ["open", "close"]


def test_an_error_while_opening(start: Start) -> None:
    source = FileLike(30, fail_to_open=True)
    run = start(source, FakeEstimator())
    run.finish()
    assert run.pipeline.source_error is source.error
    assert (run.results, source.reads, source.calls) == ([], 0, ["open", "close"])


def failing_load() -> FakeEstimator:
    raise UserError("No such model file.")


def test_without_the_model_nothing_is_read_where_it_is_waited_for(start: Start) -> None:
    source = FileLike(30)
    run = start(source, failing_load)
    run.finish()
    assert str(run.pipeline.model_error) == "No such model file."
    assert run.pipeline.source_error is None
    assert (run.results, source.reads) == ([], 0)
    assert "open" not in source.calls


def test_without_the_model_the_picture_goes_on_where_it_is_not_waited_for(start: Start) -> None:
    run = start(FileLike(30), failing_load, wait_for_model=False)
    run.finish()
    assert str(run.pipeline.model_error) == "No such model file."
    assert run.indices == list(range(30))
    assert all(result.people == () and result.stages is None for result in run.results)


def test_frames_pass_without_people_until_the_model_is_there(start: Start) -> None:
    camera, estimator, loaded = CommandedCamera(), FakeEstimator(), threading.Event()
    run = start(camera, lambda: loaded.wait(LONG) and estimator, wait_for_model=False)
    camera.deliver(1)
    until(lambda: run.indices == [0])
    loaded.set()
    until(lambda: run.pipeline.estimator is estimator)
    camera.deliver(1)
    until(lambda: run.indices == [0, 1])
    assert [len(result.people) for result in run.results] == [0, 1]
    assert [result.stages is None for result in run.results] == [True, False]


def test_stop_during_a_read_that_waits(start: Start) -> None:
    camera = CommandedCamera()
    run = start(camera, FakeEstimator())
    until(camera.waiting.is_set)
    run.pipeline.stop()
    run.finish()
    assert camera.closed
    assert run.pipeline.source_error is None


def test_stop_while_the_queue_is_full(start: Start) -> None:
    source, estimator = FileLike(50), FakeEstimator()
    estimator.hold()
    run = start(source, estimator)
    until(lambda: source.reads == 4)
    run.pipeline.stop()
    assert not run.pipeline.join(0.05)
    estimator.release()
    run.finish()
    # The frame that was in the estimator is still handed on; no other is begun.
    assert run.indices == [0]


@pytest.mark.parametrize("wait_for_model", [False, True])
def test_stop_before_the_model_is_loaded(start: Start, wait_for_model: bool) -> None:
    loading, loaded = threading.Event(), threading.Event()
    source = FileLike(10**9)

    def load() -> FakeEstimator:
        loading.set()
        assert loaded.wait(LONG)
        return FakeEstimator()

    run = start(source, load, wait_for_model=wait_for_model)
    assert loading.wait(LONG)
    run.pipeline.stop()
    loaded.set()
    run.finish()
    assert source.calls[-1] == "close"
    if wait_for_model:
        assert (source.reads, run.results) == (0, [])


def test_stop_before_start() -> None:
    source = FileLike(10)
    pipeline = Pipeline(source, FakeEstimator, [], CHOICE)
    pipeline.stop()
    pipeline.start()
    assert pipeline.join(LONG)
    assert source.reads == 0


def test_stopping_twice_is_harmless(start: Start) -> None:
    run = start(CommandedCamera(), FakeEstimator())
    run.pipeline.stop()
    run.pipeline.stop()
    run.finish()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("where", ["estimator", "open", "read", "consumer"])
def test_a_bug_ends_everything_with_an_error(start: Start, where: str) -> None:
    bug = RuntimeError("the network exploded")
    source = FileLike(10**9, fail_at=2 if where == "read" else None, fail_to_open=where == "open", error=bug)

    def explode(*_: object) -> None:
        raise bug

    estimator = FakeEstimator(fail_at=2 if where == "estimator" else None)
    run = start(source, estimator, consumer=explode if where == "consumer" else None)
    run.finish()
    assert str(run.pipeline.source_error) == "Internal error: RuntimeError: the network exploded"
    assert len(run.results) <= 2
    assert source.calls[-1] == "close"


@pytest.mark.parametrize("restarts", [(), (0,), (4, 5)])
def test_the_estimator_forgets_where_a_file_starts_again(start: Start, restarts: tuple[int, ...]) -> None:
    estimator = FakeEstimator()
    start(FileLike(8, restarts=restarts), estimator).finish()
    assert estimator.resets_before == [int(i in restarts) for i in range(8)]


def test_smoothing_can_be_switched_while_it_runs_and_leaves_the_raw_points(start: Start) -> None:
    camera = CommandedCamera()
    run = start(camera, FakeEstimator)
    camera.deliver(1)
    run.pipeline.smoothing = OneEuroSettings()
    camera.deliver(2)
    until(lambda: run.indices[-1:] == [2])
    run.pipeline.smoothing = None
    camera.deliver(1)
    run.pipeline.stop()
    assert run.pipeline.join(LONG)
    by_index = {result.frame.index: result for result in run.results}
    assert by_index[0].smoothed == ()
    assert by_index[0].shown is by_index[0].people
    for index in (1, 2):
        if index in by_index:  # the camera is live: a frame may have been replaced by the next
            (raw,), (smoothed,) = by_index[index].people, by_index[index].smoothed
            assert by_index[index].shown == (smoothed,)
            np.testing.assert_array_equal(raw.points["ipr"], builders.person().points["ipr"])
            np.testing.assert_allclose(smoothed.points["ipr"], raw.points["ipr"], atol=1e-4)
    assert by_index[3].smoothed == ()

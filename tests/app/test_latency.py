"""Latency: durations that are known, stage by stage, and the board that collects everything."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.frames import Person, PoseResult, StageTimes
from app.meters.board import ESTIMATED, PAINTED, STAGES, MeterBoard
from app.meters.latency import LatencyMeter
from tests.app import builders
from tests.app.meter_motion import MS
from tests.app.pipeline_parts import FakeEstimator, FileLike, Run

NO_WARM_UP = {"warm_up": 0}


def test_percentiles_of_known_durations():
    meter = LatencyMeter(**NO_WARM_UP)
    durations = np.random.default_rng(1).permutation(101)
    for i, milliseconds in enumerate(durations.tolist()):
        meter.add("network", i * MS, milliseconds * MS)
    spread = meter.read("network")
    assert (spread.p50, spread.p95, spread.p99, spread.max, spread.count) == (50, 95, 99, 100, 101)
    assert spread.now == durations[-1]


def test_percentiles_equal_those_of_numpy():
    meter = LatencyMeter(**NO_WARM_UP)
    durations = np.random.default_rng(2).lognormal(2.0, 0.7, 700)
    for i, milliseconds in enumerate(durations.tolist()):
        meter.add("decode", i * MS, milliseconds * MS)
    spread = meter.read("decode").as_dict()
    for name, share in (("p50", 50), ("p95", 95), ("p99", 99), ("max", 100)):
        assert spread[name] == pytest.approx(np.percentile(durations, share))


def test_the_first_three_of_each_stage_are_left_out():
    meter = LatencyMeter()
    for i in range(3):
        meter.add("network", i * MS, 900 * MS)
        assert meter.read("network") is None
    meter.add("network", 4 * MS, 7 * MS)
    meter.add("detect", 4 * MS, 900 * MS)
    assert (meter.read("network").max, meter.read("network").count) == (7, 1)
    assert list(meter.read_all()) == ["network"]


def test_the_window_trims():
    meter = LatencyMeter(window_s=1.0, **NO_WARM_UP)
    meter.add("network", 0, 900 * MS)
    meter.add("network", 500 * MS, 20 * MS)
    meter.add("network", 1000 * MS, 30 * MS)
    assert meter.read("network").max == 900
    meter.add("network", 1001 * MS, 10 * MS)
    assert (meter.read("network").max, meter.read("network").count) == (30, 3)


def test_rate():
    meter = LatencyMeter(window_s=1.0, **NO_WARM_UP)
    assert math.isnan(meter.rate("network"))
    meter.add("network", 0, 1)
    assert math.isnan(meter.rate("network"))
    meter.add("network", 0, 1)
    assert math.isnan(meter.rate("network"))
    for i in range(300):
        meter.add("network", i * 20 * MS, 1)
    assert meter.rate("network") == pytest.approx(50.0)
    for i in range(100):
        meter.add("network", (6000 + i * 40) * MS, 1)
    assert meter.rate("network") == pytest.approx(25.0)


def timed_result(index: int, captured_ns: int, stages: StageTimes | None, **options) -> PoseResult:
    result = builders.result(index, **options)
    return replace(result, frame=replace(result.frame, captured_ns=captured_ns), stages=stages)


def stages(done_ns: int) -> StageTimes:
    return StageTimes(capture_wait=1 * MS, preprocess=2 * MS, detect=0, network=16 * MS, decode=4 * MS, done_ns=done_ns)


def test_end_to_end_counts_from_the_capture():
    board = MeterBoard()
    for i in range(20):
        captured_ns = 77_000 * MS + i * 40 * MS
        result = timed_result(i, captured_ns, stages(captured_ns + 25 * MS))
        board.add(result)
        board.add_paint(result, overlay_ns=3 * MS, paint_ns=5 * MS, painted_ns=captured_ns + 41 * MS)
    snapshot = board.read()
    expected = dict(zip(STAGES, (1, 2, 0, 16, 4, 10, 3, 5), strict=True)) | {ESTIMATED: 25, PAINTED: 41}
    assert {stage: spread.p50 for stage, spread in snapshot.latency.items()} == expected
    assert {spread.count for spread in snapshot.latency.values()} == {17}
    assert snapshot.fps == pytest.approx(25.0)
    assert snapshot.jitter.overall["debiased"] == snapshot.bias.overall["debiased"] == 0.0
    assert snapshot.jitter.joints == snapshot.bias.joints == 33
    readings = board.readings()
    assert readings.latency_ms == 41
    assert readings.fps == pytest.approx(25.0)
    assert set(readings.jitter_px) == set(builders.DECODERS)


def test_decoders_are_read_one_by_one_and_apart_from_the_network():
    board = MeterBoard()
    for i in range(10):
        parts = {"shared": 1 * MS, "ipr": (2 + i) * MS}
        board.add(timed_result(i, i * 40 * MS, replace(stages(i * 40 * MS + 25 * MS), decoders=parts)))
    snapshot = board.read()
    assert list(snapshot.decoders) == ["shared", "ipr"]
    # None is left out: some engines take the decoding apart in a few frames only.
    assert (snapshot.decoders["ipr"].p50, snapshot.decoders["ipr"].now, snapshot.decoders["ipr"].count) == (6.5, 11, 10)
    assert snapshot.latency["network"].p50 == 16


def test_the_frame_interval_is_the_source_s_own_however_many_frames_are_dropped():
    board = MeterBoard()
    for i in (0, 1, 2, 5, 6, 9, 10):
        board.add(timed_result(i, i * 33 * MS, stages(i * 40 * MS), time_ns=i * 33 * MS))
    # A file that starts again leaves no interval.
    again = timed_result(11, 11 * 33 * MS, stages(440 * MS), time_ns=3000 * MS)
    board.add(replace(again, frame=replace(again.frame, continues=False)))
    interval = board.read().frame_interval
    assert (interval.p50, interval.max, interval.count) == (33, 33, 6)


def test_the_windows_can_be_set():
    board = MeterBoard()
    board.set_latency_window(1.0)
    board.set_jitter_window(0.5)
    assert (board.latency_window_s, board.jitter_window_s) == (1.0, 0.5)
    for i in range(100):
        shift = 50.0 if i < 80 else 0.0
        person = builders.person()
        person = replace(person, points=person.points | {"ipr": person.peaks + np.float32([shift, 0])})
        board.add(timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=(person,)))
    snapshot = board.read()
    assert snapshot.latency["network"].count == 26
    assert snapshot.bias.overall["ipr"] == 0.0


def test_smoothed_points_have_their_own_jitter():
    board = MeterBoard()
    random = np.random.default_rng(7)
    for i in range(60):
        points = builders.standing_points()
        raw = builders.person(points + random.normal(0, 2.0, points.shape))
        smoothed = builders.person(points + random.normal(0, 0.5, points.shape))
        result = timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=(raw,))
        board.add(replace(result, smoothed=(smoothed,)))
    snapshot = board.read()
    assert snapshot.jitter.overall["dark"] == pytest.approx(2.0, rel=0.1)
    assert snapshot.smoothed_jitter.overall["dark"] == pytest.approx(0.5, rel=0.1)


def two_people(i: int, *, first: bool = True, second: bool = True) -> tuple[Person, ...]:
    """Number 1 trembles by 2 px, number 2 by half a px."""
    random = np.random.default_rng(i)
    noise = random.normal(0, 1, (2, 33, 2))
    one = builders.person(builders.standing_points(80) + 2.0 * noise[0], id=1)
    two = builders.person(builders.standing_points(240) + 0.5 * noise[1], id=2)
    return (*([one] if first else []), *([two] if second else []))


def test_everybody_has_meters_of_their_own_and_who_leaves_takes_nothing_along():
    board = MeterBoard()
    for i in range(60):
        people = two_people(i, first=i < 30)
        board.add(timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=people))
        if i == 29:
            both = board.read()
            assert set(both.people) == {1, 2}
            assert both.person == 1
            assert both.jitter.overall["dark"] == pytest.approx(2.0, rel=0.15)
            assert both.jitter.overall == board.read_people()[1][0].overall
            joined = board.read(everybody=True).jitter.overall["dark"]
            assert joined == pytest.approx(math.sqrt((2.0**2 + 0.5**2) / 2), rel=0.15)
    one, two = board.read_people()[1], board.read_people()[2]
    assert one[0].joints == 33  # still within the window
    assert two[0].overall["dark"] == pytest.approx(0.5, rel=0.15)
    # Whoever is in sight now is looked at.
    assert board.read().person == 2
    assert board.readings().jitter_px["dark"] == two[0].overall["dark"]
    for i in range(60, 95):
        board.add(timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=two_people(i, first=False)))
    assert set(board.read().people) == {2}


def test_the_meters_look_at_whom_they_were_told_to_and_stay_there_for_a_while():
    board = MeterBoard()
    for i in range(40):
        result = timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=two_people(i, second=i < 30))
        board.add(replace(result, focus=2))
    assert board.read().person == 2
    assert board.read().jitter.overall["dark"] == pytest.approx(0.5, rel=0.15)
    for i in range(40, 95):
        result = timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=two_people(i, second=False))
        board.add(replace(result, focus=2))
    assert board.read().person == 1


def test_a_known_delay_is_read_to_a_millisecond():
    """A camera that needs 20 ms to hand over a frame, a network that needs 10: real threads, the real clock."""
    ready_ns, done_ns = {}, {}

    class SlowCamera(FileLike):
        live = True

        def read(self):
            captured_ns = time.perf_counter_ns()
            time.sleep(0.02)
            frame = super().read()
            if frame is not None:
                ready_ns[frame.index] = time.perf_counter_ns()
                frame = replace(frame, captured_ns=captured_ns)
            return frame

    class SlowEstimator(FakeEstimator):
        def estimate(self, image, beta, *, time_ns=None, keep_heatmaps=False):
            time.sleep(0.01)
            estimate = super().estimate(image, beta, keep_heatmaps=keep_heatmaps)
            done_ns[self.seen[-1]] = time.perf_counter_ns()
            return estimate

    board = MeterBoard(latency_window_s=60)
    run = Run(SlowCamera(40), SlowEstimator, consumer=board.add)
    run.pipeline.start()
    run.finish()
    whole = {r.frame.index: (r.stages.done_ns - r.frame.captured_ns) / MS for r in run.results}
    waits = {r.frame.index: r.stages.capture_wait / MS for r in run.results}
    captured = {r.frame.index: r.frame.captured_ns for r in run.results}
    # On a busy computer a thread may lose its turn at any place; the best of 40 frames shows what the meter adds.
    added = [whole[i] - (done_ns[i] - captured[i]) / MS for i in whole]
    assert 0 <= min(added) < 1
    added_to_wait = [waits[i] - (ready_ns[i] - captured[i]) / MS for i in waits]
    assert 0 <= min(added_to_wait) < 1
    assert board.read().latency[ESTIMATED].p50 == pytest.approx(np.median(list(whole.values())[3:]))


def test_without_a_window_the_readings_end_at_the_estimate():
    board = MeterBoard()
    assert math.isnan(board.readings().latency_ms)
    for i in range(5):
        board.add(timed_result(i, i * 40 * MS, stages(i * 40 * MS + 25 * MS)))
    assert board.readings().latency_ms == 25


def test_results_without_a_network_are_ignored():
    board = MeterBoard()
    for i in range(10):
        result = timed_result(i, i * 40 * MS, None, people=())
        board.add(result)
        board.add_paint(result, MS, MS, i * 40 * MS + 9 * MS)
    snapshot = board.read()
    assert snapshot.latency == {}
    assert math.isnan(snapshot.fps)
    assert snapshot.jitter.joints == snapshot.bias.joints == 0


def test_a_frame_that_starts_again_is_no_jitter():
    board = MeterBoard()
    for i in range(20):
        points = builders.standing_points(160.0 if i < 10 else 260.0)
        result = timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=(builders.person(points),))
        board.add(replace(result, frame=replace(result.frame, continues=i != 10)))
    assert board.read().jitter.overall["argmax"] == 0.0


@pytest.fixture
def threads_that_interrupt_each_other() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.thorough
@pytest.mark.usefixtures("threads_that_interrupt_each_other")
def test_the_board_takes_results_paints_and_readers_at_once():
    board = MeterBoard(latency_window_s=0.05, jitter_window_s=0.05)
    person = builders.person()
    results = [timed_result(i, i * MS, stages(i * MS + MS), time_ns=i * MS, people=(person,)) for i in range(600)]
    writing = threading.Event()
    writing.set()
    errors: list[Exception] = []

    def guarded(work) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def estimate() -> None:
        for result in results:
            board.add(result)

    def paint() -> None:
        for result in results:
            board.add_paint(result, MS, MS, result.frame.captured_ns + 2 * MS)

    def read() -> None:
        while writing.is_set():
            snapshot = board.read()
            assert all(spread.count <= 51 for spread in snapshot.latency.values())
            board.readings()

    reader, *writers = guarded(read), guarded(estimate), guarded(paint)
    for writer in writers:
        writer.join(60)
    writing.clear()
    reader.join(60)
    assert errors == []
    # The window ends with the newest of both: paints end a millisecond after the estimates.
    assert (board.read().latency[PAINTED].count, board.read().latency[ESTIMATED].count) == (51, 50)


def test_a_new_beta_starts_jitter_and_bias_anew():
    board = MeterBoard()
    for i in range(20):
        shifted = builders.person()
        offset = 100.0 if i < 10 else 1.0
        shifted = replace(shifted, points=shifted.points | {"ipr": shifted.peaks + np.float32([offset, 0])})
        result = timed_result(i, i * 40 * MS, stages(i * 40 * MS), people=(shifted,), beta=1.0 if i < 10 else 20.0)
        board.add(result)
        if i == 9:
            assert board.read().bias.overall["ipr"] == pytest.approx(100)
    assert board.read().bias.overall["ipr"] == pytest.approx(1)
    assert board.read().jitter.overall["ipr"] == pytest.approx(0, abs=1e-3)

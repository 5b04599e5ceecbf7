"""Jitter and bias against injected truth."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter
from tests.app import builders
from tests.app.meter_motion import BODY_SIZE, MS, fits_of_seven, jitter_of, person_at, steady_times, times_of_steps

STILL = builders.standing_points()
IRREGULAR_MS = (20, 50, 33, 41, 120)


def noise(seed: int, count: int, s: float) -> np.ndarray:
    """(count, 33, 2): the standing person with white noise of standard deviation s on each axis."""
    return STILL + np.random.default_rng(seed).normal(0, s, (count, 33, 2))


@pytest.mark.parametrize("s", [0.3, *(pytest.param(s, marks=pytest.mark.thorough) for s in (0.05, 1.0, 5.0))])
@pytest.mark.parametrize("times", [steady_times(1500), times_of_steps(IRREGULAR_MS, 1500)], ids=["steady", "irregular"])
@pytest.mark.parametrize(("velocity", "acceleration"), [(0, 0), (80, 0), (80, 6)], ids=["still", "steady", "speeding"])
def test_white_noise_reads_its_standard_deviation_however_the_person_moves(s, times, velocity, acceleration):
    t = np.array(times)[:, None, None] / 1e9
    motion = np.array([0.6, -0.8]) * (velocity * t + acceleration / 2 * t**2)
    reading = jitter_of(times, noise(3, 1500, s) + motion).read()
    assert reading.overall == {name: pytest.approx(s, rel=0.02) for name in builders.DECODERS}
    assert reading.joints == 33


@pytest.mark.thorough
def test_each_decoder_and_each_joint_reads_its_own_noise():
    random = np.random.default_rng(4)
    share = np.linspace(0.2, 2.0, 33)
    scales = dict(zip(builders.DECODERS, (0.1, 0.2, 0.5, 1.0, 2.0, 4.0), strict=True))
    meter = JitterMeter(math.inf)
    for time_ns in steady_times(4000):
        shapes = {name: random.normal(0, 1, (33, 2)) * share[:, None] for name in scales}
        meter.add(time_ns, person_at({name: STILL + s * shapes[name] for name, s in scales.items()}))
    reading = meter.read()
    for name, s in scales.items():
        # 4,000 frames settle a single joint to 1.6 %.
        assert reading.per_joint[name] == pytest.approx(s * share, rel=0.08)
        assert reading.overall[name] == pytest.approx(s * math.sqrt((share**2).mean()), rel=0.02)
        assert reading.body_share[name] == pytest.approx(reading.overall[name] / BODY_SIZE)


MOTIONS = pytest.mark.parametrize("steps_ms", [(1000 / 30,), (20, 50), (5, 480, 33)])


@MOTIONS
def test_constant_velocity_is_no_jitter_and_is_read_as_speed(steps_ms):
    times = times_of_steps(steps_ms, 60)
    meter = jitter_of(times, [STILL + np.array([30.0, -40.0]) * t / 1e9 for t in times])
    # What stays is the rounding of float32 at up to 600 px.
    assert max(meter.read().overall.values()) < 1e-4
    assert meter.motion().speed.overall["ipr"] == pytest.approx(50.0, rel=1e-3)
    assert meter.motion().speed.body_share["ipr"] == pytest.approx(50.0 / BODY_SIZE, rel=1e-3)
    assert meter.motion().acceleration.overall["ipr"] < 0.5


@MOTIONS
def test_constant_acceleration_is_no_jitter_and_is_read_as_such(steps_ms):
    times = times_of_steps(steps_ms, 60)
    q = np.array([60.0, -80.0])  # px/s²
    meter = jitter_of(times, [STILL + q / 2 * (t / 1e9) ** 2 for t in times])
    # The second difference alone would show |q| dt² / √12 = .032 px at 30 frames a second, 3.6 px at the longest steps.
    assert max(meter.read().overall.values()) < 1e-3
    assert meter.motion().acceleration.overall["dark"] == pytest.approx(100.0, rel=0.01)


def test_a_waving_arm_is_motion_and_hardly_any_jitter():
    # Once a second, 100 px to each side: the second difference alone reads (2 π)² 100 / 900 / √12 / √2 = .9 px.
    t = np.arange(300) / 30
    waving = STILL + 100 * np.stack((np.sin(2 * np.pi * t), np.zeros(300)), -1)[:, None]
    meter = jitter_of(steady_times(300), waving)
    assert meter.read().overall["argmax"] < 0.1
    assert meter.motion().speed.overall["argmax"] == pytest.approx(2 * np.pi * 100 / math.sqrt(2), rel=0.07)


def feed(
    meter: JitterMeter, times: list[int], points: np.ndarray = STILL, *, id: int = 0, continues: bool = True
) -> None:
    for i, time_ns in enumerate(times):
        meter.add(time_ns, person_at(points, id=id), continues=continues or i > 0)


def test_a_jump_of_a_followed_person_is_seen():
    meter = JitterMeter(math.inf)
    times = steady_times(20)
    feed(meter, times[:10])
    feed(meter, times[10:], STILL + 100)
    tracks = np.concatenate((np.zeros((10, 1, 2)), np.full((10, 1, 2), 100.0)))
    r, weights = fits_of_seven(times, tracks)
    expected = math.sqrt(((r**2).sum((1, 2)) / (2 * weights)).mean())
    assert expected > 10
    assert meter.read().overall["argmax"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("how", ["lost", "another person", "gap", "starts again"])
def test_what_does_not_continue_makes_no_spike(how):
    meter = JitterMeter(math.inf)
    times = steady_times(23)
    feed(meter, times[:10])
    if how == "lost":
        meter.add(times[10], None)
    late = [t + 501 * MS - 1000 * MS // 15 for t in times] if how == "gap" else times
    feed(meter, late[11:], STILL + 100, id=1 if how == "another person" else 0, continues=how != "starts again")
    reading = meter.read()
    assert reading.overall["argmax"] == 0.0
    assert reading.joints == 33


def test_a_gap_of_half_a_second_is_still_a_neighbour():
    times = [i * 500 * MS for i in range(7)]
    assert jitter_of(times, [STILL] * 7).read().joints == 33
    assert jitter_of([*times[:6], times[6] + MS], [STILL] * 7).read().joints == 0


def test_a_lost_frame_is_not_bridged():
    noisy = list(noise(5, 14, 1.0))
    lost = jitter_of(steady_times(14), [*noisy[:7], None, *noisy[8:]]).read()
    first_seven = jitter_of(steady_times(7), noisy[:7]).read()
    assert lost.overall == first_seven.overall
    assert lost.overall["dark"] > 0


def test_before_seven_frames_nothing_is_known():
    for count in (0, 1, 2, 6):
        meter = jitter_of(steady_times(count), [STILL] * count)
        for reading in (meter.read(), meter.motion().speed, meter.motion().acceleration):
            assert reading.joints == reading.left_out == 0
            assert reading.per_joint == {}
            assert all(math.isnan(value) for value in (*reading.overall.values(), *reading.body_share.values()))
    assert jitter_of(steady_times(7), [STILL] * 7).read().joints == 33


@pytest.mark.parametrize("make", [JitterMeter, BiasMeter])
def test_weak_joints_are_left_out_of_every_decoder(make):
    meter = make(math.inf)
    score = np.full(33, 0.3, np.float32)
    score[:5] = 0.29
    for i, time_ns in enumerate(steady_times(10)):
        points = STILL + 1.0 * (i % 2)
        points[0] = np.nan
        points[1:5] += 500.0 * (i % 3)
        person = person_at(points, score)
        # Only the height of the heatmap's peak counts, which argmax reports.
        person.scores["regression"][:] = 0.0
        person.scores["debiased"][:5] = 1.0
        meter.add(time_ns, person)
    reading = meter.read()
    assert reading.joints == 28
    assert reading.left_out == 5
    for name in builders.DECODERS:
        assert np.isnan(reading.per_joint[name][:5]).all()
        assert np.isfinite(reading.per_joint[name][5:]).all()
    assert len(set(reading.overall.values())) == 1
    assert 0 < reading.overall["argmax"] < 2


def test_a_joint_counts_only_when_all_seven_frames_saw_it():
    meter = JitterMeter(math.inf)
    for i, time_ns in enumerate(steady_times(21)):
        score = np.full(33, 0.9, np.float32)
        score[7] = 0.9 if i % 7 else 0.1
        meter.add(time_ns, person_at(STILL, score))
    assert meter.read().joints == 32


def test_the_window_forgets():
    meter = JitterMeter(window_s=2.0)
    times = steady_times(300)
    jitter_of(times[:90], noise(6, 90, 2.0), meter)
    assert meter.read().overall["ipr"] == pytest.approx(2.0, rel=0.1)
    half_way = [*STILL[None].repeat(30, 0)]
    jitter_of(times[90:120], half_way, meter)
    assert meter.read().overall["ipr"] == pytest.approx(math.sqrt(2), rel=0.1)
    jitter_of(times[120:], [STILL] * 180, meter)
    assert meter.read().overall["ipr"] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("make", [JitterMeter, BiasMeter])
def test_the_length_of_the_window_can_be_changed(make):
    meter = make(window_s=60.0)
    random = np.random.default_rng(14)
    for i, time_ns in enumerate(steady_times(300)):
        person = person_at(STILL + random.normal(0, 4.0 if i < 230 else 1.0, (33, 2)))
        meter.add(time_ns, replace(person, peaks=STILL.astype(np.float32)))
    # Noise of 4 px before the last 70 frames, of 1 px since; the distance has two axes.
    axes = 1 if make is JitterMeter else math.sqrt(2)
    assert meter.read().overall["ipr"] == pytest.approx(axes * math.sqrt((230 * 16 + 70) / 300), rel=0.05)
    meter.set_window(2.0)
    meter.add(300 * 1000 * MS // 30, None)
    assert meter.read().overall["ipr"] == pytest.approx(axes * 1.0, rel=0.05)


@pytest.mark.parametrize("make", [JitterMeter, BiasMeter])
def test_the_window_runs_on_while_nobody_is_seen(make):
    meter = make(2.0)
    for time_ns in steady_times(30):
        meter.add(time_ns, person_at(STILL))
    meter.add(2000 * MS, None)
    assert meter.read().joints == 33
    meter.add(4000 * MS, None)
    assert meter.read().joints == 0
    assert all(math.isnan(value) for value in meter.read().overall.values())


@pytest.mark.thorough
def test_an_infinite_window_equals_numpy_over_everything():
    tracks = noise(8, 200, 1.5) + np.cumsum(noise(9, 200, 0.2) - STILL, 0)
    times = times_of_steps(IRREGULAR_MS, 200)
    r, weights = fits_of_seven(times, tracks.astype(np.float32).astype(np.float64))
    joints = np.sqrt(((r**2).sum(-1) / (2 * weights)[:, None]).mean(0))
    reading = jitter_of(times, tracks).read()
    assert reading.per_joint["debiased"] == pytest.approx(joints, rel=1e-6)
    assert reading.overall["debiased"] == pytest.approx(math.sqrt((joints**2).mean()), rel=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("make", [JitterMeter, BiasMeter])
def test_an_infinite_window_does_not_grow(make):
    meter = make(math.inf)
    people = [person_at(points) for points in noise(10, 100, 1.0)]
    times = iter(steady_times(3000))

    def add_all(rounds: int) -> int:
        for _ in range(rounds):
            for person in people:
                meter.add(next(times), person)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        growth = -add_all(10) + add_all(20)
    finally:
        tracemalloc.stop()
    # A kept frame would cost more than 2 kB.
    assert growth < 20_000


def test_body_share_is_a_share_of_the_mean_body_size():
    meter = JitterMeter(math.inf)
    bias = BiasMeter(math.inf)
    for i, (time_ns, points) in enumerate(zip(steady_times(40), noise(11, 40, 1.0), strict=True)):
        person = person_at(points)
        object.__setattr__(person.region, "side", 250.0 if i < 21 else 500.0)
        meter.add(time_ns, person)
        bias.add(time_ns, person)
    # 200 px for 15 readings (named by their last frame) or 21 frames, 400 px for the other 19.
    assert meter.read().body_share["dark"] == pytest.approx(meter.read().overall["dark"] / ((15 * 200 + 19 * 400) / 34))
    assert bias.read().body_share["dark"] == pytest.approx(bias.read().overall["dark"] / ((21 * 200 + 19 * 400) / 40))


def test_bias_is_the_distance_from_the_peak():
    meter = BiasMeter(math.inf)
    for i, time_ns in enumerate(steady_times(30)):
        # Moving does not matter: the peaks move along.
        meter.add(time_ns, builders.person(STILL + 7 * i, step=3.0))
    reading = meter.read()
    assert reading.overall == {name: pytest.approx(3.0 * i, abs=1e-4) for i, name in enumerate(builders.DECODERS)}
    assert reading.per_joint["ipr"] == pytest.approx(np.full(33, 9.0), abs=1e-4)


def test_bias_is_a_root_mean_square_and_forgets():
    meter = BiasMeter(2.0)
    for i, time_ns in enumerate(steady_times(60)):
        meter.add(time_ns, person_at(STILL + np.array([3.0, 4.0]) * (i % 2)))
    assert meter.read().overall["argmax"] == pytest.approx(5 / math.sqrt(2), rel=1e-5)
    for time_ns in steady_times(180)[60:]:
        meter.add(time_ns, person_at(STILL))
    assert meter.read().overall["argmax"] == pytest.approx(0.0, abs=1e-4)


def test_a_decoder_that_collapsed_is_smooth_but_far_from_the_peak():
    # Why bias stands beside jitter.
    jitter, bias = JitterMeter(math.inf), BiasMeter(math.inf)
    for time_ns, points in zip(steady_times(60), noise(12, 60, 1.0), strict=True):
        collapsed = np.full((33, 2), 160.0)
        person = person_at({**dict.fromkeys(builders.DECODERS, points), "ipr": collapsed})
        jitter.add(time_ns, person)
        bias.add(time_ns, person)
    assert jitter.read().overall["ipr"] == 0.0 < jitter.read().overall["debiased"]
    assert bias.read().overall["ipr"] > 20 * bias.read().overall["debiased"]

"""The lag meter against delays that are known."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

import numpy as np
import pytest

from app.meters.lag import LagMeter
from app.smoothing import OneEuroSettings, PersonSmoother
from tests.app import builders
from tests.app.meter_motion import MS, person_at, steady_times, times_of_steps

STILL = builders.standing_points().astype(np.float64)
TIMES = {
    "30 a second": steady_times(140),
    "60 a second": steady_times(280, 1000 / 60),
    "12 a second": steady_times(60, 1000 / 12),
    "240 a second": steady_times(400, 1000 / 240),
    "uneven": times_of_steps((20, 50, 33, 41, 90), 110),
}
EVERY_TIMING = pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)


def waving(times: Sequence[int], delay_ms: float = 0.0, hertz: float = 0.8, amplitude: float = 25.0) -> np.ndarray:
    """(T, 33, 2): every joint on its own sinusoids around its place, later by `delay_ms`."""
    random = np.random.default_rng(1)
    phases, rates = random.uniform(0, 2 * math.pi, (33, 2)), hertz * random.uniform(0.7, 1.3, (33, 2))
    t = (np.asarray(times)[:, None, None] / MS - delay_ms) / 1000
    return STILL + amplitude * np.sin(2 * math.pi * rates * t + phases)


def noise(seed: int, times: Sequence[int], s: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, s, (len(times), 33, 2))


def meter_of(times: Sequence[int], raw: np.ndarray, smoothed: np.ndarray, score: object = 0.9) -> LagMeter:
    meter = LagMeter()
    for time_ns, before, after in zip(times, raw, smoothed, strict=True):
        meter.add(time_ns, person_at(before, score), person_at(after, score), "debiased")
    return meter


def lag_of(times: Sequence[int], raw: np.ndarray, smoothed: np.ndarray, score: object = 0.9) -> float | None:
    return meter_of(times, raw, smoothed, score).read()


@EVERY_TIMING
@pytest.mark.parametrize(
    "delay_ms", [10, 50, 200, *(pytest.param(ms, marks=pytest.mark.thorough) for ms in (25, 100, 400))]
)
def test_a_known_delay_is_recovered(times, delay_ms):
    raw, delayed = waving(times), waving(times, delay_ms)
    assert lag_of(times, raw, delayed) == pytest.approx(delay_ms, abs=1)
    noisy = raw + noise(2, times, 0.5)
    assert lag_of(times, noisy, delayed) == pytest.approx(delay_ms, abs=3)


@EVERY_TIMING
def test_no_delay_reads_zero(times):
    raw = waving(times) + noise(3, times, 0.3)
    assert lag_of(times, raw, raw) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("share", [0.15, 0.3, 0.6])
def test_a_first_order_low_pass_reads_its_phase_delay(share):
    times, hertz = steady_times(150), 0.9
    t = np.array(times) / 1e9
    raw = STILL + 40 * np.sin(2 * math.pi * hertz * t)[:, None, None]
    smoothed = raw.copy()
    for i in range(1, len(raw)):
        smoothed[i] = smoothed[i - 1] + share * (raw[i] - smoothed[i - 1])
    turn = 2 * math.pi * hertz / 30
    response = share / (1 - (1 - share) * cmath.exp(-1j * turn))
    delay_ms = -cmath.phase(response) / (2 * math.pi * hertz) * 1000
    assert 10 < delay_ms < 140
    assert lag_of(times, raw, smoothed) == pytest.approx(delay_ms, abs=3)


@pytest.mark.parametrize("beta", [0.0, 10.0])
def test_the_filter_of_the_app_lags_on_a_ramp_by_its_time_constant(beta):
    times = steady_times(150)
    px_per_s = 80.0
    tracks = STILL + np.array(times)[:, None, None] / 1e9 * np.array([px_per_s, 0])
    smoother = PersonSmoother(OneEuroSettings(beta=beta))
    smoothed = np.array(
        [smoother.smooth(t, (person_at(p),))[0].points["dark"] for t, p in zip(times, tracks, strict=True)]
    )
    behind_ms = (tracks[-60:] - smoothed[-60:])[..., 0].mean() / px_per_s * 1000
    assert lag_of(times, tracks, smoothed) == pytest.approx(behind_ms, abs=1)


@EVERY_TIMING
@pytest.mark.parametrize("s", [0.05, 5.0])
@pytest.mark.parametrize("cutoff", [0.2, 30.0])
def test_a_still_person_tells_nothing(times, s, cutoff):
    raw = STILL + noise(4, times, s)
    smoother = PersonSmoother(OneEuroSettings(min_cutoff=cutoff))
    smoothed = [smoother.smooth(t, (person_at(p),))[0].points["dark"] for t, p in zip(times, raw, strict=True)]
    assert lag_of(times, raw, np.array(smoothed)) is None


def test_motion_that_noise_hides_tells_nothing_until_it_is_four_times_the_noise():
    times = TIMES["30 a second"]
    per_frame = np.arange(len(times))[:, None, None] / 3 * np.array([1.0, 0])  # px in a tenth of a second: 1
    for px, told in ((2.0, False), (2.6, False), (3.3, True), (5.0, True)):
        # Noise of 0.4 px on each axis alone takes two frames √(4 · 0.4²) = 0.8 px apart; four times that is 3.2 px,
        # of which motion has to make √(3.2² - 0.8²) = 3.1 px.
        raw = STILL + px * per_frame + noise(5, times, 0.4)
        lag = lag_of(times, raw, STILL + px * (per_frame - 1.0 * np.array([1.0, 0])))
        assert (lag is not None) == told, px
        if told:
            assert lag == pytest.approx(100, abs=3)


def test_a_perfectly_still_person_tells_nothing():
    times = TIMES["30 a second"]
    raw = np.repeat(STILL[None], len(times), 0)
    assert lag_of(times, raw, raw) is None


def test_joints_at_rest_do_not_drown_the_one_that_moves():
    times = TIMES["30 a second"]
    still = np.repeat(STILL[None], len(times), 0)
    raw, smoothed = still + noise(6, times, 4.0), still.copy()
    raw[:, 15] = STILL[15]
    raw[:, 15] += (waving(times) - STILL)[:, 15] * 2
    smoothed[:, 15] = STILL[15] + (waving(times, 60) - STILL)[:, 15] * 2
    # Smoothed noise that has no lag, as from a filter that hardly smooths.
    smoothed[:, np.arange(33) != 15] = raw[:, np.arange(33) != 15]
    assert lag_of(times, raw, smoothed) == pytest.approx(60, abs=3)


def test_weak_joints_do_not_count_nor_what_was_seen_too_shortly():
    times = TIMES["30 a second"]
    raw, smoothed = waving(times), waving(times, 40)
    smoothed[:, :16] = waving(times, 300)[:, :16]
    score = np.full(33, 0.3, np.float32)
    score[:16] = 0.29
    assert lag_of(times, raw, smoothed, score) == pytest.approx(40, abs=1)
    assert lag_of(times, raw, smoothed, np.full(33, 0.29, np.float32)) is None


@pytest.mark.parametrize("how", ["weak", "unknown before", "unknown after"])
@pytest.mark.parametrize("delay_ms", [3, 40])
def test_joints_that_are_lost_now_and_then_count_in_between(how, delay_ms):
    times = TIMES["30 a second"]
    meter = LagMeter()
    for i, (time_ns, raw, smoothed) in enumerate(zip(times, waving(times), waving(times, delay_ms), strict=True)):
        lost = (i + 3 * np.arange(33)) % 60 == 0
        if how == "weak":
            raw[lost], smoothed[lost] = 900.0, -900.0
        else:
            (raw if how == "unknown before" else smoothed)[lost] = np.nan
        score = np.where(lost & (how == "weak"), 0.0, 0.9)
        meter.add(time_ns, person_at(raw, score), person_at(smoothed), "debiased")
    assert meter.read() == pytest.approx(delay_ms, abs=1)


@pytest.mark.parametrize(("hertz", "delay_ms"), [(4.0, 60), (2.5, 30)])
def test_of_motion_that_repeats_the_shortest_lag_counts(hertz, delay_ms):
    times = TIMES["60 a second"]
    t = np.array(times)[:, None, None] / 1e9
    raw, later = (STILL + 20 * np.sin(2 * math.pi * hertz * (t - lag)) for lag in (0, delay_ms / 1000))
    assert lag_of(times, raw + noise(7, times, 0.5), later) == pytest.approx(delay_ms, abs=3)


def test_points_that_hardly_follow_have_no_lag():
    times = TIMES["30 a second"]
    frozen = np.repeat(STILL[None], len(times), 0)
    assert lag_of(times, waving(times), frozen) is None
    # Too late to be found: the best lag is the longest one.
    drift = STILL + np.arange(140)[:, None, None] * 3.0
    assert lag_of(times, drift, drift - 3.0 * 30 * 0.8) is None


def test_a_second_is_needed():
    for count, told in ((30, False), (32, True)):
        times = steady_times(count)
        lag = lag_of(times, waving(times), waving(times, 50))
        assert (lag is not None) == told
    for count, told in ((9, False), (11, True)):
        few = steady_times(count, 400)
        lag = lag_of(few, waving(few, 0, 0.1), waving(few, 50, 0.1))
        assert (lag is not None) == told
    assert LagMeter().read() is None


BREAKS = ["lost", "smoothing off", "another person", "another decoder", "gap", "starts again", "cleared"]


@pytest.mark.parametrize("how", BREAKS)
def test_what_does_not_follow_is_not_compared(how):
    times = steady_times(121)
    meter = meter_of(times[:60], waving(times)[:60], waving(times, 200)[:60])
    assert meter.read() == pytest.approx(200, abs=1)
    after = np.array(times[61:]) + (500 * MS if how == "gap" else 0)
    if how == "lost":
        meter.add(times[60], None, None, "debiased")
    elif how == "smoothing off":
        meter.add(times[60], person_at(STILL), None, "debiased")
    elif how == "cleared":
        meter.clear()
    for i, (time_ns, raw, smoothed) in enumerate(zip(after, waving(after), waving(after, 50), strict=True)):
        id = 1 if how == "another person" else 0
        decoder = "ipr" if how == "another decoder" else "debiased"
        people = (person_at(raw, id=id), person_at(smoothed, id=id))
        meter.add(int(time_ns), *people, decoder, continues=how != "starts again" or i > 0)
        if i == 20:
            assert meter.read() is None
    assert meter.read() == pytest.approx(50, abs=1)


def test_the_window_forgets():
    times = steady_times(300)
    smoothed = np.concatenate([waving(times, 200)[:150], waving(times, 30)[150:]])
    meter = meter_of(times[:150], waving(times)[:150], smoothed[:150])
    for i in range(150, 300):
        meter.add(times[i], person_at(waving(times[i : i + 1])[0]), person_at(smoothed[i]), "debiased")
    assert meter.read() == pytest.approx(30, abs=1)


def test_the_decoder_asked_for_is_compared():
    times = TIMES["30 a second"]
    meter = LagMeter()
    late, later = waving(times, 20), waving(times, 90)
    for i, (time_ns, raw) in enumerate(zip(times, waving(times), strict=True)):
        smoothed = person_at({**dict.fromkeys(builders.DECODERS, later[i]), "ipr": late[i]})
        meter.add(time_ns, person_at(raw), smoothed, "ipr")
    assert meter.read() == pytest.approx(20, abs=1)

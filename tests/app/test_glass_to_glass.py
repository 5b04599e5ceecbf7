"""Delays from flips and brightness, against cameras whose delay is known in closed form."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.meters.glass_to_glass import (
    FEWEST_USABLE,
    Delays,
    DelaySpread,
    NoFigure,
    Outcome,
    Samples,
    Waiting,
    measure,
    read_flips,
    unused_text,
)
from tests.app.screen_loop import MS, Camera, Flip, flips_at_random, samples_of

pytestmark = pytest.mark.thorough

SEEDS = 200
RISE = 2.0  # of a signal of -1 and +1


def random_camera(rng: np.random.Generator) -> Camera:
    return Camera(
        fps=float(rng.choice([15, 24, 25, 30, 50, 60, 120])),
        delay_ms=float(rng.uniform(20, 300)),
        exposure=float(rng.choice([0.0, 0.3, 1.0])),
    )


def measured(camera: Camera, seed: int, *, noise: float = 0.05, missed: int = 0) -> Delays:
    """Fifty flips at intervals as the window chooses them. missed: of so many in the middle nothing is seen."""
    rng = np.random.default_rng(seed)
    shortest_s = max(0.42, (1.25 * camera.expected_ms + 4 * camera.interval_ms) / 1000)
    flips = flips_at_random(rng, low_s=shortest_s, high_s=shortest_s + 0.45)
    samples, _ = samples_of(flips, camera, rng, noise=noise)
    if missed:
        covered = (samples.captured_ns > flips[10].shown_ns) & (samples.captured_ns <= flips[10 + missed].shown_ns)
        samples = replace(samples, signal=np.where(covered, 0.0, samples.signal))
    return measure(flips, flips[-1].shown_ns + round(shortest_s * 1e9), samples, RISE)


@pytest.fixture(scope="module")
def many() -> list[tuple[Camera, Delays]]:
    cameras = [random_camera(np.random.default_rng(seed + 1000)) for seed in range(SEEDS)]
    return [(camera, measured(camera, seed)) for seed, camera in enumerate(cameras)]


def test_medians_agree_with_the_injected_delay_within_half_a_frame(many):
    for camera, delays in many:
        assert delays.received.p50 == pytest.approx(camera.expected_ms, abs=camera.interval_ms / 2)
        assert delays.painted.p50 == pytest.approx(camera.expected_ms + camera.paint_ms, abs=camera.interval_ms / 2)
        assert delays.changed.p50 == pytest.approx(
            camera.expected_ms - camera.interval_ms / 2, abs=camera.interval_ms / 2
        )
        assert delays.posescope.p50 == pytest.approx(camera.paint_ms, abs=1e-3)
        assert delays.estimated.p50 == pytest.approx(camera.estimate_ms, abs=1e-3)
        assert not delays.unused
        assert delays.outliers == ()


def test_errors_of_the_median_are_those_of_a_uniform_distribution(many):
    """The median of n uniform values has the standard deviation T / (2 √(n + 2)); over many cameras no bias is left."""
    errors = np.array([(delays.received.p50 - camera.expected_ms) / camera.interval_ms for camera, delays in many])
    theory = 1 / (2 * math.sqrt(52))
    assert errors.std() == pytest.approx(theory, rel=0.15)
    assert abs(errors.mean()) < 3.5 * theory / math.sqrt(SEEDS)


def test_the_spread_is_that_of_the_frame_interval(many):
    shares = np.array([delays.received.sd / (camera.interval_ms / math.sqrt(12)) for camera, delays in many])
    assert shares.mean() == pytest.approx(1, abs=0.02)
    assert 0.75 < shares.min() < shares.max() < 1.25
    for camera, delays in many:
        assert delays.waiting.interval == pytest.approx(camera.interval_ms, rel=1e-3)
        assert delays.waiting.sd == pytest.approx(camera.interval_ms / math.sqrt(12), rel=1e-3)
        assert delays.camera_interval == pytest.approx(camera.interval_ms, rel=1e-3)


def test_the_interval_of_the_median_holds_the_truth(many):
    inside = [delays.received.low <= camera.expected_ms <= delays.received.high for camera, delays in many]
    # 95 % ± 1.3 %, the binomial's standard deviation.
    assert 0.91 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize("missed", [1, 7, 29])
def test_flips_that_were_not_seen_are_counted_and_change_nothing(missed):
    camera = Camera()
    delays = measured(camera, 4, missed=missed)
    # The flip that ends the covered time has no level before it.
    assert delays.unused == {Outcome.NOT_SEEN: missed + 1}
    assert delays.painted.count == 50 - missed - 1
    assert delays.received.p50 == pytest.approx(camera.expected_ms, abs=camera.interval_ms / 2)
    assert unused_text(delays.readings) == f" ({missed + 1} not seen)"


def test_fewer_than_twenty_give_a_sentence_and_no_figure():
    with pytest.raises(NoFigure, match=r"^Only 19 of 50 flips could be used \(31 not seen\): there is no figure"):
        measured(Camera(), 4, missed=30)
    assert measured(Camera(), 4, missed=29).painted.count == FEWEST_USABLE


def test_a_signal_of_its_own_gives_no_figure():
    """A light that changes at random, as often as the pattern: what agrees by chance scatters over the interval."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        flips = flips_at_random(rng, high_s=0.87)
        light = flips_at_random(rng, high_s=0.87)
        samples, _ = samples_of(light, Camera(), rng)
        with pytest.raises(NoFigure, match=r"^(Only \d+ of 50 flips|The delays differ too much for a figure)"):
            measure(flips, flips[-1].shown_ns + 500 * MS, samples, RISE)


# --- one flip -------------------------------------------------------------------------------------------------------


def step(signal: list[float], *, painted: list[bool] | None = None) -> Samples:
    """A frame every 10 ms; the flip comes at 45 ms, between the fifth and the sixth."""
    times = np.arange(len(signal)) * 10 * MS
    shown = np.ones(len(signal), bool) if painted is None else np.array(painted)
    return Samples(times, times + 2 * MS, np.where(shown, times + 3 * MS, 0), np.arange(len(signal)), np.array(signal))


FLIP = [Flip(45 * MS, 1)]
BEFORE = [-1.0] * 5


def read(signal: list[float], **kwargs: list[bool]) -> tuple[Outcome, float, float, float]:
    (reading,) = read_flips(FLIP, 10_000 * MS, step(signal, **kwargs), RISE)
    return reading.outcome, reading.changed, reading.received, reading.painted


def test_the_first_frame_beyond_the_middle_counts_and_the_moment_is_interpolated():
    assert read([*BEFORE, -1, -1, 1, 1, 1]) == (Outcome.SEEN, 20.0, 25.0, 28.0)
    assert read([*BEFORE, -1, 0.5, 1, 1, 1]) == (Outcome.SEEN, pytest.approx(5 + 10 / 1.5), 15.0, 18.0)
    assert read([*BEFORE, -1, -0.5, 1, 1, 1]) == (Outcome.SEEN, pytest.approx(15 + 5 / 1.5), 25.0, 28.0)


def test_a_fall_is_read_as_a_rise_is():
    falling = step([1.0] * 5 + [1, 1, -1, -1, -1])
    (reading,) = read_flips([Flip(45 * MS, -1)], 10_000 * MS, falling, RISE)
    assert (reading.outcome, reading.received) == (Outcome.SEEN, 25.0)
    (reading,) = read_flips([Flip(45 * MS, 1)], 10_000 * MS, falling, RISE)
    assert reading.outcome is Outcome.NOT_SEEN


def test_a_frame_that_was_not_painted_counts_with_the_next_that_was():
    signal = [*BEFORE, -1, -1, 1, 1, 1]
    assert read(signal, painted=[True] * 7 + [False, False, True]) == (Outcome.SEEN, 20.0, 25.0, 48.0)
    outcome, _, received, painted = read(signal, painted=[True] * 7 + [False] * 3)
    assert (outcome, received) == (Outcome.NOT_PAINTED, 25.0)
    assert math.isnan(painted)


@pytest.mark.parametrize(
    ("signal", "outcome"),
    [
        ([*BEFORE, -1, -1, -1, -1, -1], Outcome.NOT_SEEN),
        ([*BEFORE, -1, 0, 0, 0, 0], Outcome.NOT_SEEN),  # the lens was covered
        ([*BEFORE, -1, 1, -1, 1, 1, 1], Outcome.UNSTEADY),
        ([-1, -1, -1, -1, 1, -1, 1, 1, 1, 1], Outcome.UNSTEADY),  # over before the flip
        ([*BEFORE, 1, 1], Outcome.NO_PICTURE),
    ],
)
def test_what_is_no_step_is_told_apart(signal, outcome):
    reading = read(signal)
    assert reading[0] is outcome
    assert all(math.isnan(value) for value in reading[1:])


def test_two_thirds_of_the_contrast_suffice():
    assert read([*BEFORE, -1, 0.4, 0.4, 0.4, 0.4]) == (Outcome.SEEN, 10.0, 15.0, 18.0)


# --- spread ---------------------------------------------------------------------------------------------------------


def test_waiting_for_a_frame_in_closed_form():
    steady = Waiting.between(np.arange(100) * 40 * MS)
    assert (steady.interval, steady.mean, steady.sd) == pytest.approx((40, 20, 40 / math.sqrt(12)))
    # Intervals of T and 2 T in turn: E[T²] = 2.5 T², E[T³] = 4.5 T³, E[T] = 1.5 T.
    uneven = Waiting.between(np.cumsum([0, *[30 * MS, 60 * MS] * 50]))
    assert uneven.mean == pytest.approx(30 * 2.5 / 3)
    assert uneven.sd == pytest.approx(30 * math.sqrt(1 - (2.5 / 3) ** 2))


def test_waiting_agrees_with_waiting():
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.choice([10, 20, 70], 4000) * MS)
    moments = rng.uniform(times[0], times[-2], 100_000)
    waits = (times[np.searchsorted(times, moments)] - moments) / MS
    waiting = Waiting.between(times)
    assert waiting.mean == pytest.approx(waits.mean(), rel=0.02)
    assert waiting.sd == pytest.approx(waits.std(), rel=0.02)


def test_percentiles_and_the_interval_of_the_median():
    spread = DelaySpread.of(np.arange(101.0))
    assert (spread.p5, spread.p50, spread.p95, spread.count) == (5, 50, 95, 101)
    assert spread.sd == pytest.approx(np.arange(101.0).std(ddof=1))
    assert (spread.low, spread.high) == (40, 60)  # 50.5 ± 0.98 √101, as whole ranks


def test_an_outlier_is_kept_and_named():
    rng = np.random.default_rng(0)
    flips = flips_at_random(rng)
    samples, _ = samples_of(flips, Camera(), rng)
    clean = measure(flips, flips[-1].shown_ns + 500 * MS, samples, RISE)
    late = int(np.searchsorted(samples.captured_ns, flips[7].shown_ns + round(clean.readings[7].received * 1e6)))
    painted_ns = samples.painted_ns.copy()
    painted_ns[late] += 150 * MS
    spoilt = measure(flips, flips[-1].shown_ns + 500 * MS, replace(samples, painted_ns=painted_ns), RISE)
    assert clean.outliers == ()
    assert spoilt.outliers == (7,)
    assert spoilt.painted.count == 50
    assert spoilt.painted.sd > 1.5 * clean.painted.sd
    assert spoilt.painted.p50 == pytest.approx(clean.painted.p50, abs=4)

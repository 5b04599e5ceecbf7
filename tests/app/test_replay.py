"""What a replay measures, against people who move, tremble and err in known ways; filters against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.comparison.resampling import median_interval, resampled_counts
from app.errors import UserError
from app.replay.blocks import FEWEST_BLOCKS, Blocks
from app.replay.delay import delay_s
from app.replay.filters import Exponential, Mean, NoFilter, OneEuro, parse_filters
from app.replay.measures import (
    ALL,
    BIAS,
    BIAS_SHARE,
    ERROR,
    ERROR_P95,
    ERROR_RMS,
    ERROR_SHARE,
    JITTER,
    JITTER_SHARE,
    LAG_FILTER,
    LAG_TRUTH,
    MOVING,
    Findings,
    measure,
)
from app.replay.stillness import STILL, Stillness, found_still, parse_still, stillness
from app.replay.tracks import SETTLING_FRAMES, Tracks, spans, spans_text
from app.replay.truth import Truth
from app.replay.verdict import nearest, verdict
from app.smoothing import OneEuroSettings, PersonSmoother
from models.skeletons import BLAZEPOSE_33
from tests.app.replay_tracks import BODY, JOINTS, Points, standing, steady, tracks_of, truth_of, waving

RANDOM = np.random.default_rng(4)


def nowhere_still(tracks: Tracks) -> Stillness:
    return Stillness(np.zeros(len(tracks), np.bool_), "nobody")


def measured(tracks: Tracks, truth: Truth | None = None, filters: str = "none") -> Findings:
    return measure(tracks, parse_filters(filters), nowhere_still(tracks), truth)


def uneven(frames: int) -> Points:
    """Rising times with steps between 10 and 90 ms."""
    return np.cumsum(np.random.default_rng(2).uniform(0.01, 0.09, frames))


# --- filters --------------------------------------------------------------------------------------------------------


def test_exponential_smoothing_answers_a_step_with_its_closed_form_at_any_times() -> None:
    seconds = uneven(40)
    step = standing(seconds)
    step[1:] += 10.0
    filtered = Exponential(half_life=0.08).apply(tracks_of(seconds, step))[:, 0]
    # With the step just after the first frame: 1 − 2^(−t / half_life).
    expected = 10 * (1 - 2 ** (-(seconds - seconds[0]) / 0.08))
    np.testing.assert_allclose(filtered - step[:1], np.broadcast_to(expected[:, None, None], filtered.shape), atol=1e-9)


def test_the_moving_mean_is_the_mean_of_what_came_in_its_window() -> None:
    seconds = uneven(50)
    points = waving(seconds)
    filtered = Mean(window=0.15).apply(tracks_of(seconds, points))[:, 0]
    for t in range(50):
        inside = (seconds > seconds[t] - 0.15) & (np.arange(50) <= t)
        np.testing.assert_allclose(filtered[t], points[inside].mean(0), atol=1e-9)


def test_a_joint_that_is_not_known_leaves_no_trace_in_the_others() -> None:
    seconds = steady(20)
    points = waving(seconds)
    points[8, 3] = np.nan
    for one in (Mean(0.15), Exponential(0.05), OneEuro()):
        filtered = one.apply(tracks_of(seconds, points))[:, 0]
        assert np.isnan(filtered[8, 3]).all()
        assert np.isfinite(np.delete(filtered.reshape(20, -1), [6, 7], 1)).all()
        assert np.isfinite(filtered[9:, 3]).all()


def test_one_euro_is_the_filter_of_the_window() -> None:
    seconds = uneven(30)
    tracks = tracks_of(seconds, waving(seconds), waving(seconds + 0.3))
    filtered = OneEuro(min_cutoff=0.7, beta=3.0).apply(tracks)
    smoother = PersonSmoother(OneEuroSettings(min_cutoff=0.7, beta=3.0))
    for t in range(30):
        person = tracks.person(t, {"a": tracks.points[t, 0], "b": tracks.points[t, 1]})
        (expected,) = smoother.smooth(int(tracks.times_ns[t]), (person,))
        np.testing.assert_array_equal(filtered[t], [expected.points["a"], expected.points["b"]])


@pytest.mark.parametrize("one", [Mean(0.3), Exponential(0.1), OneEuro()], ids=lambda one: one.name)
def test_filters_start_anew_with_another_person_and_see_no_future(one: Mean) -> None:
    seconds = steady(30)
    points = waving(seconds)
    filtered = one.apply(tracks_of(seconds, points, people=[0] * 10 + [-1] * 3 + [1] * 17))[:, 0]
    assert np.isnan(filtered[10:13]).all()
    np.testing.assert_allclose(filtered[[0, 13]], points[[0, 13]], atol=1e-4)
    assert not np.allclose(filtered[14], points[14], atol=1e-2)
    changed = points.copy()
    changed[20:] += 50
    again = one.apply(tracks_of(seconds, changed, people=[0] * 10 + [-1] * 3 + [1] * 17))[:, 0]
    np.testing.assert_array_equal(again[:10], filtered[:10])
    np.testing.assert_array_equal(again[13:20], filtered[13:20])


def test_filters_are_named_like_decoders() -> None:
    assert parse_filters("none, one-euro:beta=3,mean:window=0.2,exponential:half_life=0.1,none") == (
        NoFilter(), OneEuro(beta=3.0), Mean(0.2), Exponential(0.1),
    )  # fmt: skip
    assert [one.name for one in parse_filters("all")] == ["none", "one-euro", "exponential", "mean"]
    assert OneEuro(beta=3.0).key == "one-euro:min_cutoff=1:beta=3:derivative_cutoff=1"
    assert parse_filters(OneEuro(beta=3.0).key) == (OneEuro(beta=3.0),)
    assert (OneEuro().title, OneEuro(beta=3.0).title, Mean(0.2).title) == (
        "1 €",
        "1 €, beta 3",
        "moving mean, window 0.2",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("one-euros", "Did you mean “one-euro”"),
        ("none,,mean", "The list of filters has an empty place in it."),
        ("mean:windows=1", "The filter mean has no option “windows”. It has: window."),
        ("none:window=1", "The filter none has no option “window”. It has: none."),
        ("mean:window=wide", "window is a number, not “wide”."),
        ("mean:window=0", "window of a filter is a time above 0 s, not 0."),
        ("exponential:half_life=nan", "half_life of a filter is a time above 0 s, not nan."),
        ("one-euro:min_cutoff=-1", "lowest cutoff"),
    ],
)
def test_a_bad_filter_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_filters(text)
    assert sentence in str(caught.value)


# --- measures -------------------------------------------------------------------------------------------------------


def test_injected_noise_is_found_as_jitter_and_motion_is_not() -> None:
    seconds = steady(400)
    noise = RANDOM.normal(0, 1, (400, JOINTS, 2))
    drift = 40 * seconds[:, None, None]
    found = measured(tracks_of(seconds, standing(seconds) + 0.5 * noise, standing(seconds) + 2 * noise + drift))
    assert found.value(JITTER, 0) == pytest.approx(0.5, rel=0.03)
    assert found.value(JITTER, 1) == pytest.approx(2.0, rel=0.03)
    assert found.value(JITTER_SHARE, 1) == pytest.approx(found.value(JITTER, 1) / BODY)
    assert found.value(JITTER, 1, joint="left_wrist") == pytest.approx(2.0, rel=0.15)


def test_the_frames_in_which_the_crop_settles_do_not_count_for_jitter() -> None:
    seconds = steady(60)
    points = standing(seconds)
    first = [range(SETTLING_FRAMES), range(30, 30 + SETTLING_FRAMES)]
    for run in first:
        points[run.start : run.stop] += RANDOM.normal(0, 5, (len(run), JOINTS, 2))
    assert measured(tracks_of(seconds, points, people=[0] * 30 + [1] * 30)).value(JITTER, 0) == pytest.approx(
        0, abs=1e-4
    )


def test_bias_is_the_distance_to_the_peaks_before_any_filter() -> None:
    seconds = steady(40)
    peaks = waving(seconds)
    found = measured(tracks_of(seconds, peaks, peaks + np.array([3, -4]), peaks=peaks), filters="none,mean")
    assert found.value(BIAS, 0) == pytest.approx(0, abs=1e-6)
    assert found.value(BIAS, 1) == pytest.approx(5, rel=1e-5)
    assert found.value(BIAS_SHARE, 1) == pytest.approx(5 / BODY, rel=1e-5)
    assert math.isnan(found.value(BIAS, 1, 1))


def test_injected_errors_are_found_and_hidden_joints_do_not_count() -> None:
    seconds = steady(200)
    true = waving(seconds)
    error = np.zeros_like(true)
    error[..., 0] = np.linspace(0, 10, true[..., 0].size).reshape(true.shape[:2])
    truth = truth_of(true)
    truth.seen[:, 5] = False
    error[:, 5] = 1000
    found = measured(tracks_of(seconds, true + error), truth)
    known = np.delete(error[..., 0], 5, 1)
    assert found.value(ERROR, 0) == pytest.approx(np.median(known))
    assert found.value(ERROR_RMS, 0) == pytest.approx(math.sqrt((known**2).mean()))
    assert found.value(ERROR_P95, 0) == pytest.approx(np.quantile(known, 0.95))
    assert found.value(ERROR_SHARE, 0) == pytest.approx(np.median(known) / BODY)
    assert math.isnan(found.value(ERROR, 0, joint=BLAZEPOSE_33.joints[5]))
    assert found.value(ERROR, 0, joint="nose") == pytest.approx(np.median(error[:, 0, 0]))


def test_segments_are_measured_apart() -> None:
    seconds = steady(120)
    true = standing(seconds)
    points = true.copy()
    points[:60] += (1, 0)
    points[60:] += (4, 0)
    truth = truth_of(true, segments={"still": range(60), "arms": range(60, 90)})
    tracks = tracks_of(seconds, points)
    found = measure(tracks, parse_filters("none"), stillness(tracks, None, truth), truth)
    assert list(found.segments) == [ALL, STILL, MOVING, "arms"]
    assert [found.value(ERROR, 0, 0, segment) for segment in (STILL, MOVING, "arms")] == pytest.approx([1, 4, 4])
    assert [int(found.segments[name].sum()) for name in (STILL, MOVING, "arms")] == [60, 60, 30]


@pytest.mark.parametrize("delay_ms", [-70.0, 0.0, 12.0, 100.0, 333.0])
@pytest.mark.parametrize("fps", [30.0, 12.0])
def test_an_injected_delay_is_found_whatever_the_offset_of_the_joints(delay_ms: float, fps: float) -> None:
    seconds = steady(round(8 * fps), fps)
    offset = RANDOM.uniform(-8, 8, (JOINTS, 2))
    points = waving(seconds - delay_ms / 1000) + offset + RANDOM.normal(0, 0.5, (len(seconds), JOINTS, 2))
    found = measured(tracks_of(seconds, points), truth_of(waving(seconds)))
    assert found.value(LAG_TRUTH, 0) == pytest.approx(delay_ms, abs=3 if fps == 30 else 6)


def test_a_delay_is_not_told_where_nothing_moves_or_nothing_fits() -> None:
    seconds = steady(150)
    still = standing(seconds)
    counted = np.ones((150, JOINTS), np.bool_)
    bodies = np.full(150, BODY)
    noisy = still + RANDOM.normal(0, 0.5, still.shape)
    assert math.isnan(delay_s(seconds, noisy, counted, seconds, still, bodies))
    nonsense = still + RANDOM.normal(0, 300, still.shape)
    assert math.isnan(delay_s(seconds, nonsense, counted, seconds, waving(seconds), bodies))
    late = waving(seconds - 0.7)
    only = np.zeros_like(counted)
    only[:, 3] = True  # one joint, whose best delay lies beyond the longest
    lag = delay_s(seconds, late, only, seconds, waving(seconds), bodies)
    assert math.isnan(lag) or lag < 0


def test_a_filter_is_found_to_lag_by_what_it_lags() -> None:
    seconds = steady(300, 60.0)
    raw = waving(seconds)
    found = measured(tracks_of(seconds, raw), truth_of(raw), "none,mean:window=0.2")
    # The mean of 12 frames at 60 a second is half of 11 intervals late.
    expected = 1000 * 5.5 / 60
    assert found.value(LAG_FILTER, 0, 1) == pytest.approx(expected, abs=4)
    assert found.value(LAG_TRUTH, 0, 1) == pytest.approx(expected, abs=2)
    assert math.isnan(found.value(LAG_FILTER, 0, 0))
    assert found.value(JITTER, 0, 1) < 0.1


# --- intervals ------------------------------------------------------------------------------------------------------


def test_blocks_are_drawn_as_wholes() -> None:
    seconds = steady(300)  # 20 blocks of 15 frames
    blocks = Blocks(seconds)
    assert blocks.count == 20
    of_block = RANDOM.normal(5, 2, 20)
    values = np.repeat(of_block, 15)[:, None] * np.ones((1, 4))
    expected = median_interval(of_block, resampled_counts(range(20)))
    interval = blocks.median_interval(values)
    assert (interval.value, interval.low, interval.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_medians_of_resamples_are_those_of_the_repeated_values() -> None:
    blocks = Blocks(steady(90, 10.0))  # 18 blocks of 5 frames
    values = RANDOM.normal(0, 1, (90, 7))
    values[RANDOM.random((90, 7)) < 0.2] = np.nan
    counts = resampled_counts(range(18))
    expected = [np.nanmedian(np.repeat(values, np.repeat(draw, 5), axis=0)) for draw in counts[:200]]
    # To a 512th of the values, whose density at the median is 0.4.
    np.testing.assert_allclose(blocks.medians(values)[:200], expected, atol=3 / 512 / 0.4)


def test_few_blocks_give_no_interval_and_pairs_a_narrow_one() -> None:
    few = Blocks(steady(30 * (FEWEST_BLOCKS - 1) // 2))
    assert math.isnan(few.median_interval(RANDOM.normal(0, 1, (len(few.of_frame), 3))).low)
    blocks = Blocks(steady(300))
    common = np.repeat(RANDOM.normal(20, 8, 20), 15)[:, None] + RANDOM.normal(0, 0.01, (300, 5))
    difference = blocks.difference_interval(common + 0.5, common)
    assert difference.value == pytest.approx(0.5)
    assert 0.4 < difference.low <= difference.high < 0.6
    alone = blocks.median_interval(common)
    assert alone.high - alone.low > 2


# --- still ----------------------------------------------------------------------------------------------------------


def test_still_is_found_where_the_regression_rests_for_a_second() -> None:
    seconds = steady(300)
    # At rest for 3 s, then at a tenth of the body a second for 3 s, at rest for 0.6 s, moving, at rest from 8 s.
    speed = np.where((seconds >= 3) & (seconds < 6) | (seconds >= 6.6) & (seconds < 8), 0.1 * BODY, 0.0)
    points = standing(seconds)
    points[..., 0] += np.cumsum(speed / 30)[:, None]
    first, second = spans(found_still(tracks_of(seconds, points)))
    assert first.start == 0
    assert abs(first.stop - 90) <= 8
    assert abs(second.start - 240) <= 8
    assert second.stop == 300
    assert spans_text(found_still(tracks_of(seconds, points)), np.arange(300) + 10).startswith("10–")


def test_what_the_user_names_counts_and_is_checked() -> None:
    tracks = tracks_of(steady(60), waving(steady(60)))
    assert parse_still(None) is None
    assert parse_still("8-87") == range(8, 88)
    still = stillness(tracks, parse_still("10-29"), truth_of(waving(steady(60)), segments={"still": range(5)}))
    assert spans_text(still.mask, tracks.indices) == "10–29"
    for text, sentence in (
        ("87-8", "--still takes the first and the last frame, for example 8-87, not “87-8”."),
        ("all", "--still takes the first and the last frame, for example 8-87, not “all”."),
    ):
        with pytest.raises(UserError, match="^" + sentence):
            parse_still(text)
    with pytest.raises(UserError, match=r"only 2 of these are in the clip, which has 60\.$"):
        stillness(tracks, range(58, 90), None)


# --- the verdict ----------------------------------------------------------------------------------------------------


def test_the_verdict_names_the_nearest_only_where_noise_does_not_explain_it() -> None:
    seconds = steady(300)
    true = standing(seconds)
    noise = RANDOM.normal(0, 1, (2, 300, JOINTS, 2))
    alike = measured(tracks_of(seconds, true + noise[0], true + noise[1]), truth_of(true))
    assert sorted(nearest(alike)) == [0, 1]
    assert "cannot be told apart" in verdict(alike)
    apart = measured(tracks_of(seconds, true + noise[0], true + 3 * noise[1]), truth_of(true))
    assert nearest(apart) == (0,)
    assert "Nearest to the truth is argmax, with a median error of 1.1" in verdict(apart)
    assert "furthest is debiased IPR, β 10, with 3.5" in verdict(apart)

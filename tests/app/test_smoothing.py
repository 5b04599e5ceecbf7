"""The 1 € filter against the paper's formulas, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from app.errors import UserError
from app.smoothing import OneEuroSettings, PersonSmoother, Smoothing
from models.regions import CROP_MARGIN, Region
from tests.app import builders
from tests.app.meter_motion import BODY_SIZE, MS, person_at, steady_times, times_of_steps

STILL = builders.standing_points().astype(np.float64)
IRREGULAR_MS = (20, 50, 33, 41, 120)
TIMES = pytest.mark.parametrize("times", [steady_times(60), times_of_steps(IRREGULAR_MS, 60)], ids=["steady", "uneven"])


def alpha(cutoff: float, elapsed_s: float) -> float:
    tau = 1 / (2 * math.pi * cutoff)
    return 1 / (1 + tau / elapsed_s)


def one_euro(
    values: Iterable[tuple[float, float]], times: list[int], settings: OneEuroSettings, body_size: float = BODY_SIZE
) -> list[tuple[float, float]]:
    """Algorithm 1 of the paper for one point, with the speed along the path in body sizes per second."""
    filtered: list[tuple[float, float]] = []
    x_speed = y_speed = 0.0
    for i, (x, y) in enumerate(values):
        if not filtered:
            filtered.append((x, y))
            continue
        te = (times[i] - times[i - 1]) / 1e9
        x_before, y_before = filtered[-1]
        a = alpha(settings.derivative_cutoff, te)
        x_speed = a * (x - x_before) / te + (1 - a) * x_speed
        y_speed = a * (y - y_before) / te + (1 - a) * y_speed
        cutoff = settings.min_cutoff + settings.beta * math.hypot(x_speed, y_speed) / body_size
        a = alpha(cutoff, te)
        filtered.append((a * x + (1 - a) * x_before, a * y + (1 - a) * y_before))
    return filtered


def smoothed_track(
    tracks: np.ndarray, times: list[int], settings: OneEuroSettings, decoder: str = "debiased"
) -> np.ndarray:
    """(T, 33, 2) of one decoder."""
    smoother = PersonSmoother(settings)
    return np.array(
        [
            smoother.smooth(time_ns, (person_at(points),))[0].points[decoder]
            for time_ns, points in zip(times, tracks, strict=True)
        ]
    )


@TIMES
def test_a_step_follows_the_closed_form_of_exponential_smoothing(times):
    tracks = np.repeat(STILL[None], 60, 0)
    tracks[10:] += (30.0, -20.0)
    output = smoothed_track(tracks, times, OneEuroSettings(min_cutoff=1.5, beta=0.0))
    assert output[:10] == pytest.approx(tracks[:10], abs=1e-4)
    left = 1.0
    for i in range(10, 60):
        left *= 1 - alpha(1.5, (times[i] - times[i - 1]) / 1e9)
        assert output[i] == pytest.approx(tracks[i] - left * np.array([30.0, -20.0]), abs=1e-3)
    assert left < 0.01


@TIMES
@pytest.mark.parametrize("settings", [OneEuroSettings(), OneEuroSettings(0.3, 40.0, 2.5)])
def test_any_motion_equals_the_paper_point_by_point(times, settings):
    random = np.random.default_rng(1)
    tracks = STILL + np.cumsum(random.normal(0, 4, (60, 33, 2)), 0)
    output = smoothed_track(tracks, times, settings)
    for joint in (0, 15, 32):
        seen = tracks[:, joint].astype(np.float32).astype(float)
        assert output[:, joint] == pytest.approx(np.array(one_euro(seen.tolist(), times, settings)), abs=1e-3)
    assert np.abs(output - tracks).max() > 3


def test_every_decoder_is_smoothed_on_its_own():
    times, settings = steady_times(30), OneEuroSettings()
    random = np.random.default_rng(2)
    tracks = {name: STILL + random.normal(0, 2, (30, 33, 2)) for name in builders.DECODERS}
    smoother = PersonSmoother(settings)
    for i, time_ns in enumerate(times):
        (last,) = smoother.smooth(time_ns, (person_at({name: track[i] for name, track in tracks.items()}),))
    assert tuple(last.points) == builders.DECODERS
    for name, track in tracks.items():
        assert last.points[name].dtype == np.float32
        assert last.points[name][20] == pytest.approx(one_euro(track[:, 20].tolist(), times, settings)[-1], abs=1e-3)


@pytest.mark.parametrize("settings", [OneEuroSettings(), OneEuroSettings(0.05, 80.0)])
def test_what_does_not_move_stays(settings):
    output = smoothed_track(np.repeat(STILL[None], 30, 0), steady_times(30), settings)
    assert (output == STILL.astype(np.float32)).all()


def test_white_noise_falls_as_exponential_smoothing_does():
    a = alpha(1.0, 1 / 30)
    noise = np.random.default_rng(3).normal(0, 1, (3000, 33, 2))
    output = smoothed_track(STILL + noise, steady_times(3000), OneEuroSettings(beta=0.0))[100:]
    # Variance of exponential smoothing of white noise: a / (2 - a).
    assert (output - STILL).std() == pytest.approx(math.sqrt(a / (2 - a)), rel=0.03)


def lag_of_steady_motion(beta: float) -> float:
    """How far behind, in ms, the smoothed points are after 3 s at 100 px/s."""
    times = steady_times(90)
    tracks = STILL + np.array(times)[:, None, None] / 1e9 * np.array([100.0, 0.0])
    output = smoothed_track(tracks, times, OneEuroSettings(beta=beta))
    return float((tracks[-1] - output[-1])[:, 0].mean() * 10)


def test_a_higher_beta_lags_less():
    lags = [lag_of_steady_motion(beta) for beta in (0.0, 1.0, 10.0, 50.0)]
    # Exponential smoothing of a ramp lags by Te (1 - a) / a = τ.
    assert lags[0] == pytest.approx(1000 / (2 * math.pi), rel=1e-3)
    assert all(slower > 1.3 * faster for slower, faster in pairwise(lags))


def test_speed_counts_in_body_sizes():
    times, settings = steady_times(20), OneEuroSettings()
    outputs = []
    for scale in (1.0, 3.0):
        smoother = PersonSmoother(settings)
        for i, time_ns in enumerate(times):
            person = person_at(scale * (STILL + 4.0 * i))
            person = replace(person, region=Region(0.0, 0.0, scale * BODY_SIZE * CROP_MARGIN, 0.0))
            (last,) = smoother.smooth(time_ns, (person,))
        outputs.append(last.points["dark"] / scale)
    assert outputs[0] == pytest.approx(outputs[1], abs=1e-3)
    assert np.abs(outputs[0] - (STILL + 4.0 * 19)).max() > 1


RESTARTS = ["starts again", "gap", "another person", "lost", "time runs back", "another set of decoders"]


@pytest.mark.parametrize("how", RESTARTS)
def test_what_does_not_follow_starts_anew(how):
    smoother = PersonSmoother()
    smoother.smooth(0, (person_at(STILL),))
    later, jumped = 33 * MS, person_at(STILL + 50)
    if how == "gap":
        later = 501 * MS
    elif how == "another person":
        jumped = replace(jumped, id=1)
    elif how == "lost":
        smoother.smooth(20 * MS, ())
    elif how == "time runs back":
        later = 0
    elif how == "another set of decoders":
        jumped = replace(jumped, points={"argmax": jumped.points["argmax"], "dark": jumped.points["dark"]})
    (output,) = smoother.smooth(later, (jumped,), continues=how != "starts again")
    assert all((output.points[name] == jumped.points[name]).all() for name in jumped.points)
    # Velocity too: from rest, the next frame is smoothed like a second one.
    moved = person_at(STILL + 60) if how != "another set of decoders" else replace(jumped, id=0)
    moved = replace(moved, id=jumped.id)
    (next_output,) = smoother.smooth(later + 33 * MS, (moved,))
    path = [tuple(p.points["dark"][5].tolist()) for p in (jumped, moved)]
    expected = one_euro(path, [0, 33 * MS], OneEuroSettings())[-1]
    assert next_output.points["dark"][5] == pytest.approx(expected, abs=1e-3)


def test_half_a_second_is_not_yet_a_gap():
    smoother = PersonSmoother()
    smoother.smooth(0, (person_at(STILL),))
    (output,) = smoother.smooth(500 * MS, (person_at(STILL + 50),))
    assert (output.points["ipr"] < STILL + 49.9).all()


def test_two_people_are_smoothed_apart_in_any_order():
    smoother, settings, times = PersonSmoother(), OneEuroSettings(), steady_times(8)
    paths = {0: STILL, 7: STILL + 100}
    for i, time_ns in enumerate(times):
        people = [person_at(path + (3 + id) * i, id=id) for id, path in paths.items()]
        output = smoother.smooth(time_ns, tuple(people if i % 2 else people[::-1]))
    assert [person.id for person in output] == [0, 7]
    for person in output:
        path = [tuple((paths[person.id][3] + (3 + person.id) * i).tolist()) for i in range(8)]
        assert person.points["ipr"][3] == pytest.approx(one_euro(path, times, settings)[-1], abs=1e-3)


def test_an_unknown_joint_stays_unknown_and_starts_anew():
    times = steady_times(12)
    tracks = STILL + np.arange(12)[:, None, None] * 5.0
    holed = tracks.copy()
    holed[5, 8] = np.nan
    settings = OneEuroSettings()
    output, whole = smoothed_track(holed, times, settings), smoothed_track(tracks, times, settings)
    assert np.isnan(output[5, 8]).all()
    assert output[6, 8] == pytest.approx(tracks[6, 8], abs=1e-4)
    rest = one_euro(tracks[6:, 8].tolist(), times[6:], settings)
    assert output[6:, 8] == pytest.approx(np.array(rest), abs=1e-3)
    others = np.arange(33) != 8
    assert (output[:, others] == whole[:, others]).all()


def test_raw_people_and_all_other_fields_stay_as_they_are():
    smoother = PersonSmoother()
    smoother.smooth(0, (person_at(STILL),))
    raw = person_at(STILL + 9)
    before = {name: points.copy() for name, points in raw.points.items()}
    (output,) = smoother.smooth(33 * MS, (raw,))
    assert all((raw.points[name] == before[name]).all() for name in before)
    assert not (output.points["dark"] == raw.points["dark"]).any()
    fields = ("id", "region", "presence", "scores", "peaks", "heatmaps")
    assert all(getattr(output, field) is getattr(raw, field) for field in fields)
    (first_again,) = smoother.smooth(0, (person_at(STILL),), continues=False)
    first_again.points["dark"][:] = 0.0
    (after,) = smoother.smooth(33 * MS, (person_at(STILL),))
    assert after.points["dark"] == pytest.approx(STILL, abs=1e-3)


def test_smoothing_is_off_until_it_has_settings_and_starts_anew():
    smoothing = Smoothing()
    people = [(person_at(STILL + 10 * i),) for i in range(6)]
    assert smoothing.smooth(builders.frame(0), people[0]) == ()
    smoothing.settings = OneEuroSettings(beta=0.0)
    on = [smoothing.smooth(builders.frame(i), people[i])[0].points["dark"][0] for i in (1, 2)]
    a = alpha(1.0, 1 / 30)
    assert on[0] == pytest.approx(STILL[0] + 10)
    assert on[1] == pytest.approx(STILL[0] + 10 + 10 * a, abs=1e-3)
    # Other settings take effect on the next frame, from where the points are.
    smoothing.settings = OneEuroSettings(min_cutoff=1e6, beta=0.0)
    assert smoothing.smooth(builders.frame(3), people[3])[0].points["dark"][0] == pytest.approx(STILL[0] + 30, abs=1e-3)
    smoothing.settings = None
    assert smoothing.smooth(builders.frame(4), people[4]) == ()
    smoothing.settings = OneEuroSettings(beta=0.0)
    assert smoothing.smooth(builders.frame(5), people[5])[0].points["dark"][0] == pytest.approx(STILL[0] + 50)
    restarted = replace(builders.frame(6), continues=False)
    assert smoothing.smooth(restarted, people[0])[0].points["dark"][0] == pytest.approx(STILL[0])


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"min_cutoff": 0.0}, "lowest cutoff"),
        ({"min_cutoff": math.nan}, "lowest cutoff"),
        ({"min_cutoff": math.inf}, "lowest cutoff"),
        ({"beta": -0.1}, "β"),
        ({"beta": math.nan}, "β"),
        ({"derivative_cutoff": -1.0}, "derivative cutoff"),
    ],
)
def test_settings_are_checked_once_with_a_sentence(wrong, text):
    with pytest.raises(UserError, match=text):
        OneEuroSettings(**wrong)

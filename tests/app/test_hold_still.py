"""The hold-still measurement: its phases to the nanosecond, its numbers against injected noise, its failures."""

from __future__ import annotations

import csv
import io
import math
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.decoder_display import three_digits
from app.frames import PoseResult
from app.meters.hold_still import (
    DecoderReading,
    HoldStill,
    HoldStillCard,
    HoldStillState,
    badge_text,
)
from models.regions import CROP_MARGIN, Region
from tests.app import builders
from tests.app.meter_motion import BODY_SIZE, MS, person_at

STILL = builders.standing_points().astype(np.float64)
S = 1000 * MS
START = 7 * S
JITTER = dict(zip(builders.DECODERS, (1.5, 1.1, 0.45, 1.8, 0.3, 0.2), strict=True))
BIAS = dict(zip(builders.DECODERS, (3.0, 1.5, 1.0, 27.0, 0.7, 40.0), strict=True))


def result_at(time_ns: int, seconds: float = 0.0, **changes: object) -> PoseResult:
    """A result `seconds` after `time_ns`, of a person who stands still."""
    result = builders.result(0, time_ns + round(seconds * 1e9), people=(person_at(STILL),))
    return replace(result, **changes)


def noisy_results(seconds: float = 8.0, fps: float = 60.0) -> Iterator[PoseResult]:
    """Every decoder with its own noise around its own place; peaks move along with it, so that bias is exact."""
    random = np.random.default_rng(1)
    for i in range(round(seconds * fps) + 1):
        noise = {name: random.normal(0, JITTER[name], (33, 2)) for name in builders.DECODERS}
        points = {name: STILL + noise[name] + (BIAS[name], 0) for name in builders.DECODERS}
        person = person_at(points)
        smoothed = person_at({name: points[name] - 0.75 * noise[name] for name in points})
        result = builders.result(i, START + round(i * 1e9 / fps), people=(person,))
        yield replace(result, smoothed=(smoothed,))


def measured(results: Iterator[PoseResult]) -> HoldStill:
    hold_still = HoldStill("clip.mp4")
    for result in results:
        hold_still.add(result)
    return hold_still


@pytest.fixture(scope="module")
def card() -> HoldStillCard:
    hold_still = measured(noisy_results())
    assert hold_still.state().phase == "done"
    card = hold_still.card()
    assert card is not None
    return card


def readings(card: HoldStillCard) -> dict[str, DecoderReading]:
    return {reading.decoder: reading for reading in card.readings}


def test_injected_noise_is_read_within_two_percent(card):
    assert tuple(readings(card)) == builders.DECODERS
    for name, reading in readings(card).items():
        assert reading.jitter_px == pytest.approx(JITTER[name], rel=0.02)
        assert reading.jitter_share == pytest.approx(JITTER[name] / BODY_SIZE, rel=0.02)
        # The peak of the heatmap is `STILL`: the distance holds offset and noise of both axes.
        bias = math.hypot(BIAS[name], math.sqrt(2) * JITTER[name])
        assert reading.bias_px == pytest.approx(bias, rel=0.02)
        assert reading.bias_share == pytest.approx(bias / BODY_SIZE, rel=0.02)
        assert reading.smoothed_jitter_px == pytest.approx(JITTER[name] / 4, rel=0.02)


def test_the_card_says_what_it_holds_for(card):
    assert (card.source, card.width, card.height) == ("clip.mp4", 320, 240)
    assert (card.network, card.device, card.beta) == ("full", "cpu", 10.0)
    assert (card.frames, card.joints, card.joints_left_out) == (301, 33, ())
    assert card.seconds == pytest.approx(5.0)
    assert card.fps == pytest.approx(60.0)
    assert card.conditions() == {
        "Source": "clip.mp4",
        "Picture": "320 × 240",
        "Network": "full on cpu",
        "β": "10",
        "Frames": "301 in 5.0 s (60.0 a second)",
        "Joints": "33 of 33",
    }


@pytest.mark.thorough
def test_what_came_before_or_after_is_not_measured():
    def results() -> Iterator[PoseResult]:
        for i, result in enumerate(noisy_results(9.0)):
            wild = person_at(STILL + 300 * (i % 2))
            yield result if 180 <= i <= 480 else replace(result, people=(wild,))

    card = measured(results()).card()
    assert card is not None
    assert card.frames == 301
    assert readings(card)["debiased"].jitter_px == pytest.approx(0.3, rel=0.03)


def test_phases_end_at_exact_times():
    hold_still = HoldStill("x")
    assert hold_still.state() == HoldStillState("countdown", 3.0, "Get ready to hold still.")
    expected = [(0.0, "countdown", 3.0), (1.25, "countdown", 1.75), (2.999, "countdown", 0.001)]
    expected += [(3.0 + 0.25 * i, "measuring", 5.0 - 0.25 * i) for i in range(20)]
    for seconds, phase, left in expected:
        hold_still.add(result_at(START, seconds))
        assert (hold_still.state().phase, hold_still.state().seconds_left) == (phase, pytest.approx(left)), seconds
        assert hold_still.card() is None
    hold_still.add(result_at(START, 8.0))
    assert (hold_still.state().phase, hold_still.state().seconds_left) == ("done", 0.0)
    card = hold_still.card()
    assert card is not None
    assert hold_still.state().message == card.verdict()
    assert card.frames == 21
    # What comes later changes nothing.
    hold_still.add(result_at(START, 8.1, beta=1.0, people=()))
    assert hold_still.card() is card
    assert hold_still.state().phase == "done"


def test_a_frame_later_than_the_end_is_not_measured():
    hold_still = HoldStill("x")
    for i in range(80):
        hold_still.add(result_at(START, i / 10))
    hold_still.add(result_at(START, 8.02, people=(person_at(STILL + 200),)))
    card = hold_still.card()
    assert card is not None
    assert (card.frames, card.seconds) == (50, pytest.approx(4.9))
    assert card.readings[0].bias_px == pytest.approx(0, abs=1e-4)


def test_only_the_time_line_of_the_frames_counts():
    # A file that plays slowly: captured_ns runs ten times as fast.
    hold_still = HoldStill("x")
    for i in range(81):
        result = result_at(START, i / 10)
        hold_still.add(replace(result, frame=replace(result.frame, captured_ns=i * S)))
        assert (hold_still.state().phase == "done") == (i == 80)


def test_a_new_time_line_starts_the_countdown_anew():
    hold_still = HoldStill("x")
    for seconds in (0.0, 2.0):
        hold_still.add(result_at(START, seconds))
    hold_still.add(result_at(0, 0.0))
    assert hold_still.state().seconds_left == 3.0
    hold_still.add(result_at(0, 3.0))
    assert hold_still.state().phase == "measuring"


def test_nobody_needs_to_be_there_while_it_counts_down_nor_the_conditions_to_stay():
    hold_still = HoldStill("x")
    hold_still.add(result_at(START, 0.0, people=(), network="lite", beta=1.0))
    hold_still.add(result_at(START, 2.9, people=(), beta=5.0))
    for i in range(51):
        hold_still.add(result_at(START, 3 + i / 10))
    card = hold_still.card()
    assert card is not None
    assert (card.network, card.beta) == ("full", 10.0)


@pytest.mark.thorough
def test_a_file_that_starts_again_adds_no_jitter():
    def results(say_so: bool) -> Iterator[PoseResult]:
        for i in range(241):
            again = i == 170
            person = person_at(STILL + (100 if i >= 170 else 0) + 0.5 * (i % 2))
            result = result_at(START, i / 30, people=(person,), smoothed=(person,))
            yield replace(result, frame=replace(result.frame, continues=not (again and say_so)))

    steady, jumped = measured(results(True)).card(), measured(results(False)).card()
    assert steady is not None
    assert jumped is not None
    assert steady.frames == 151
    assert steady.readings[0].jitter_px < 1
    assert steady.readings[0].smoothed_jitter_px < 1
    # Were it not said, it would be a jump of 100 px, and only what came before it would be still.
    assert jumped.frames < 80


FAILURES = {
    "β was changed": {"beta": 10.5},
    "the network was changed": {"network": "lite"},
    "the device was changed": {"device": "cuda"},
    "the size of the picture was changed": {"frame": builders.frame(0, START + 5100 * MS, builders.image(480, 640))},
}


@pytest.mark.parametrize("reason", FAILURES)
def test_it_fails_when_the_conditions_change(reason):
    hold_still = HoldStill("x")
    for i in range(51):
        hold_still.add(result_at(START, i / 10))
    assert hold_still.state().phase == "measuring"
    hold_still.add(result_at(START, 5.1, **FAILURES[reason]))
    expected = HoldStillState("failed", 0.0, f"The measurement stopped: {reason}.")
    assert hold_still.state() == expected
    for i in range(52, 100):
        hold_still.add(result_at(START, i / 10))
    assert hold_still.state() == expected
    assert hold_still.card() is None


@pytest.mark.parametrize("last_seen", [3.0, 4.2])
def test_it_fails_when_nobody_is_seen_for_more_than_a_second(last_seen):
    hold_still = HoldStill("x")
    for i in range(round(last_seen * 10) + 1):
        # Who left while it counted down has a second from the start of the measurement.
        hold_still.add(result_at(START, i / 10, **({"people": ()} if last_seen == 3.0 else {})))
    for seconds in (0.3, 0.6, 1.0):
        hold_still.add(result_at(START, last_seen + seconds, people=()))
        assert hold_still.state().phase == "measuring"
    hold_still.add(result_at(START, last_seen + 1.01, people=()))
    assert hold_still.state().phase == "failed"
    assert hold_still.state().message == "The measurement stopped: nobody was seen for more than a second."


def test_a_short_absence_is_forgiven():
    hold_still = HoldStill("x")
    for i in range(81):
        people = () if 40 <= i < 49 else (person_at(STILL),)
        hold_still.add(result_at(START, i / 10, people=people))
    assert hold_still.state().phase == "done"


def test_somebody_else_in_the_picture_is_no_part_of_it():
    hold_still = HoldStill("x")
    for i in range(81):
        still, restless = person_at(STILL, id=5), person_at(STILL + 40.0 * (i % 3), id=2)
        hold_still.add(replace(result_at(START, i / 10, people=(restless, still)), focus=5))
    card = hold_still.card()
    assert card is not None
    assert max(reading.jitter_px for reading in card.readings) == pytest.approx(0, abs=1e-9)


def test_it_fails_when_another_person_is_chosen():
    hold_still = HoldStill("x")
    for i in range(50):
        people = (person_at(STILL, id=1), person_at(STILL, id=2))
        hold_still.add(replace(result_at(START, i / 10, people=people), focus=1 if i < 40 else 2))
    assert hold_still.state().message == "The measurement stopped: the person to look at was changed."


def test_it_fails_when_no_picture_comes_and_when_time_runs_back():
    for seconds, reason in ((5.01, "no picture came for more than a second"), (3.9, "the source was changed")):
        hold_still = HoldStill("x")
        for i in range(41):
            hold_still.add(result_at(START, i / 10))
        hold_still.add(result_at(START, seconds))
        assert hold_still.state().message == f"The measurement stopped: {reason}."


def test_it_fails_when_no_joint_is_clear():
    hold_still = HoldStill("x")
    for i in range(81):
        hold_still.add(result_at(START, i / 10, people=(person_at(STILL, 0.2),)))
    assert hold_still.state().phase == "failed"
    assert "no joint was seen clearly enough" in hold_still.state().message


def test_weak_joints_are_named_and_left_out():
    score = np.full(33, 0.9, np.float32)
    score[[25, 32]] = 0.2
    hold_still = HoldStill("x")
    for i in range(81):
        points = STILL.copy()
        points[25] += 90 * (i % 2)
        hold_still.add(result_at(START, i / 10, people=(person_at(points, score),)))
    card = hold_still.card()
    assert card is not None
    assert (card.joints, card.joints_left_out) == (31, ("left_knee", "right_foot_index"))
    assert card.readings[0].jitter_px == pytest.approx(0, abs=1e-4)
    assert "left_knee, right_foot_index" in card.to_text()
    assert next(csv.DictReader(io.StringIO(card.to_csv())))["joints_left_out"] == "left_knee right_foot_index"


@pytest.mark.thorough
def test_smoothed_jitter_is_told_only_when_smoothing_was_always_on():
    for off in (range(0), range(100, 110), range(241)):
        hold_still = HoldStill("x")
        for i in range(241):
            person = person_at(STILL)
            hold_still.add(result_at(START, i / 30, people=(person,), smoothed=() if i in off else (person,)))
        card = hold_still.card()
        assert card is not None
        assert card.is_smoothed == (len(off) == 0)


def card_of(jitter: dict[str, float], bias: dict[str, float], **changes: object) -> HoldStillCard:
    rows = tuple(DecoderReading(n, jitter[n], jitter[n] / 200, bias[n], bias[n] / 200, math.nan) for n in jitter)
    card = HoldStillCard(rows, "clip.mp4", 960, 540, "full", "cpu", 10.0, 151, 5.0, 33, (), 3.0, 0.008)
    return replace(card, **changes)


def test_the_verdict_names_heatmap_decoders_only():
    assert card_of(JITTER, BIAS).verdict() == (
        "Lowest jitter of the heatmap decoders: debiased IPR, 0.30 px. Largest bias: IPR, 27.0 px."
    )
    # Numbers that read alike are no victory.
    assert card_of(JITTER | {"dark": 0.304, "debiased": 0.301}, BIAS).verdict() == (
        "Lowest jitter of the heatmap decoders: DARK and debiased IPR, 0.30 px. Largest bias: IPR, 27.0 px."
    )
    # A decoder that collapsed is not praised.
    assert card_of(JITTER | {"ipr": 0.1}, BIAS | {"ipr": 127.4}).verdict() == (
        "Lowest jitter of the heatmap decoders: IPR, 0.10 px, but it has the largest bias too: 127 px."
    )
    assert (
        card_of(JITTER | {"ipr": 0.3}, BIAS).verdict().endswith("0.30 px, but IPR has the largest bias too: 27.0 px.")
    )


def test_csv_is_read_back(card):
    odd = replace(card, source='a, "b"\tc.mp4')
    rows = list(csv.DictReader(io.StringIO(odd.to_csv())))
    assert [row["decoder"] for row in rows] == list(builders.DECODERS)
    assert "\r" not in odd.to_csv()
    for row in rows:
        reading = readings(card)[row["decoder"]]
        assert float(row["jitter_px"]) == pytest.approx(reading.jitter_px, abs=6e-5)
        assert float(row["jitter_percent_of_body"]) == pytest.approx(100 * reading.jitter_px / BODY_SIZE, abs=6e-5)
        assert float(row["bias_px"]) == pytest.approx(reading.bias_px, abs=6e-5)
        assert float(row["bias_percent_of_body"]) == pytest.approx(100 * reading.bias_px / BODY_SIZE, abs=6e-5)
        assert float(row["smoothed_jitter_px"]) == pytest.approx(reading.smoothed_jitter_px, abs=6e-5)
        assert row["beta"] == ("10" if row["decoder"] in ("ipr", "debiased") else "")
        assert (row["joints"], row["frames"], row["seconds"], row["fps"]) == ("33", "301", "5.000", "60.00")
        assert (row["source"], row["width"], row["height"]) == ('a, "b"\tc.mp4', "320", "240")
        assert (row["network"], row["device"], row["joints_left_out"]) == ("full", "cpu", "")
    assert next(csv.DictReader(io.StringIO(card_of(JITTER, BIAS).to_csv())))["smoothed_jitter_px"] == ""


def test_text_is_a_table_of_tabs(card):
    rows = [line.split("\t") for line in replace(card, source="a\tb.mp4").to_text().splitlines()]
    assert rows[0] == ["Decoder", "Jitter px", "Jitter % of body", "Bias px", "Bias % of body", "Smoothed jitter px"]
    assert [row[0] for row in rows[1:7]] == ["argmax", "argmax ¼", "DARK", "IPR", "debiased IPR", "regression"]
    assert {len(row) for row in rows[:7]} == {6}
    assert float(rows[5][1]) == pytest.approx(0.3, rel=0.02)
    assert float(rows[5][2]) == pytest.approx(0.15, rel=0.02)
    assert [card.verdict()] in rows
    assert ["Source", "a b.mp4"] in rows
    assert {len(line.split("\t")) for line in card_of(JITTER, BIAS).to_text().splitlines()[:7]} == {5}


@pytest.mark.parametrize(
    ("phase", "left", "text"),
    [
        *[("countdown", 3.0, "3"), ("countdown", 2.01, "3"), ("countdown", 2.0, "2"), ("countdown", 0.01, "1")],
        *[("measuring", 5.0, "hold still 5 s"), ("measuring", 3.9, "hold still 4 s")],
        *[("measuring", 0.1, "hold still 1 s"), ("done", 0.0, ""), ("failed", 0.0, "")],
    ],
)
def test_the_badge_counts_whole_seconds(phase, left, text):
    assert badge_text(HoldStillState(phase, left, "")) == text


def test_numbers_have_three_digits():
    values = (0.189, 9.994, 9.996, 27.34, 99.94, 99.96, 1261.2, math.nan)
    assert [three_digits(value) for value in values] == ["0.19", "9.99", "10.0", "27.3", "99.9", "100", "1261", "–"]


def test_it_can_be_watched_while_it_is_fed():
    hold_still, phases, stop = HoldStill("x"), [], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            state, card = hold_still.state(), hold_still.card()
            assert card is None or hold_still.state().phase == "done"
            if not phases or phases[-1] != state.phase:
                phases.append(state.phase)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for i in range(81):
        hold_still.add(result_at(START, i / 10, people=(person_at(STILL),)))
    stop.set()
    watcher.join()
    assert phases == [phase for phase in ("countdown", "measuring", "done") if phase in phases]


def test_body_size_scales_the_shares():
    hold_still = HoldStill("x")
    for result in noisy_results(8.0, 30.0):
        wide = Region(0.0, 0.0, 2 * BODY_SIZE * CROP_MARGIN, 0.0)
        hold_still.add(replace(result, people=(replace(result.people[0], region=wide),)))
    card = hold_still.card()
    assert card is not None
    assert card.readings[0].jitter_share == pytest.approx(card.readings[0].jitter_px / (2 * BODY_SIZE))

"""MediaPipe in the meters: how far it is from ours, what it changes where it is a ghost, and what it is on its own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.frames import StageTimes
from app.meters.board import MeterBoard
from app.meters.difference import DifferenceMeter
from app.meters.hold_still import HoldStill
from models.people import MEDIAPIPE
from tests.app import builders

STAGES = StageTimes(0, 0, 0, 0, 0, 0)


def person(shift_px: float | np.ndarray | None = 3.0, noise: np.ndarray | float = 0.0):
    """Somebody whom MediaPipe reads so much further right than our regression; None: not at all."""
    points = (builders.standing_points() + noise).astype(np.float32)
    ours = builders.person(points)
    if shift_px is None:
        return ours
    offset = np.stack([np.broadcast_to(shift_px, 33), np.zeros(33)], 1).astype(np.float32)
    return replace(
        ours,
        points={**ours.points, MEDIAPIPE: points + offset},
        scores={**ours.scores, MEDIAPIPE: ours.scores["argmax"]},
    )


def by_mediapipe_alone(noise: np.ndarray | float = 0.0):
    points = (builders.standing_points() + noise).astype(np.float32)
    return replace(builders.person(points, decoders=(MEDIAPIPE,)), peaks=np.full((33, 2), np.nan, np.float32))


def result(index: int, someone):
    return replace(builders.result(index, people=(someone,)), stages=STAGES)


BODY = person().region.body_size


def test_it_is_the_mean_over_the_frames_of_the_median_over_the_joints():
    meter = DifferenceMeter(2.0)
    assert math.isnan(meter.read())
    meter.add(0, None)
    meter.add(1, person(None))
    assert math.isnan(meter.read())
    mostly = np.full(33, 2.0)
    mostly[:16] = 50.0
    meter.add(2, person(mostly))
    meter.add(3, person(4.0))
    assert meter.read() == pytest.approx(3.0 / BODY, rel=1e-4)


def test_joints_that_are_not_seen_do_not_count():
    meter = DifferenceMeter()
    score = np.full(33, 0.9, np.float32)
    score[10:] = 0.1
    shift = np.full(33, 1.0)
    shift[10:] = 80.0
    someone = person(shift)
    meter.add(0, replace(someone, scores={**someone.scores, "argmax": score}))
    assert meter.read() == pytest.approx(1.0 / BODY, rel=1e-4)
    meter.add(1, replace(someone, scores={**someone.scores, "argmax": score * 0}))
    assert meter.read() == pytest.approx(1.0 / BODY, rel=1e-4)


def test_the_window_forgets_and_an_infinite_one_does_not_grow():
    meter, whole = DifferenceMeter(2.0), DifferenceMeter(math.inf)
    for i in range(300):
        for each in (meter, whole):
            each.add(round(i * 1e9 / 30), person(1.0 if i < 150 else 5.0))
    assert meter.read() == pytest.approx(5.0 / BODY, rel=1e-4)
    assert whole.read() == pytest.approx(3.0 / BODY, rel=1e-4)
    assert (len(meter._entries), len(whole._entries)) == (61, 0)
    assert DifferenceMeter.pooled([meter, whole]).read() == pytest.approx((61 * 5 + 300 * 3) / 361 / BODY, rel=1e-4)
    meter.add(20_000_000_000, None)
    assert math.isnan(meter.read())


@pytest.mark.parametrize("everybody", [False, True])
def test_a_ghost_that_comes_and_goes_leaves_the_meters_of_the_decoders_alone(everybody):
    boards = MeterBoard(), MeterBoard()
    random = np.random.default_rng(2)
    for i in range(60):
        noise = random.normal(0, 0.4, (33, 2))
        for board, shift in zip(boards, (None, 3.0 if i % 3 else None), strict=True):
            board.add(result(i, person(shift, noise)))
    without, beside = (board.read(everybody=everybody) for board in boards)
    assert without.jitter.overall == beside.jitter.overall
    assert without.bias.overall == beside.bias.overall
    assert set(beside.jitter.overall) == set(builders.DECODERS)
    assert math.isnan(without.difference)
    assert beside.difference == pytest.approx(3.0 / BODY, rel=1e-2)


def test_mediapipe_alone_has_jitter_and_motion_but_no_bias():
    board = MeterBoard()
    random = np.random.default_rng(3)
    for i in range(60):
        board.add(result(i, by_mediapipe_alone(np.array((2.0 * i, 0)) + random.normal(0, 0.4, (33, 2)))))
    snapshot = board.read()
    assert snapshot.jitter.overall == {MEDIAPIPE: pytest.approx(0.4, rel=0.1)}
    assert math.isnan(snapshot.bias.overall[MEDIAPIPE])
    assert snapshot.motion.speed_px == pytest.approx(60.0, rel=0.05)
    assert snapshot.motion.speed_share == pytest.approx(60.0 / BODY, rel=0.05)
    assert board.readings().jitter_px[MEDIAPIPE] == snapshot.jitter.overall[MEDIAPIPE]


def test_holding_still_before_mediapipe_tells_its_jitter_and_that_it_has_no_bias():
    measurement = HoldStill("camera 0", countdown_s=0.0, measure_s=1.0)
    random = np.random.default_rng(4)
    for i in range(40):
        someone = by_mediapipe_alone(random.normal(0, 0.4, (33, 2)))
        measurement.add(replace(result(i, someone), decoder=MEDIAPIPE))
    card = measurement.card()
    (reading,) = card.readings
    assert reading.jitter_px == pytest.approx(0.4, rel=0.1)
    assert (card.steadiest(), card.furthest()) == ((), "")
    jitter = f"Jitter of MediaPipe (reference): {reading.jitter_px:.2f} px"
    assert card.verdict() == f"{jitter}. It gives no heatmaps, so that its bias is not known."
    assert "\nmediapipe,," in card.to_csv()
    assert "MediaPipe (reference)\t0." in card.to_text()

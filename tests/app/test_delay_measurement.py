"""The measurement from the first flip to the card, with cameras in a time of their own."""

from __future__ import annotations

import dataclasses
import random
import threading

import cv2
import numpy as np
import pytest

from app.frames import Frame, StageTimes
from app.meters.delay_measurement import CONFIRM, SHORTEST_INTERVAL_S, DelayMeasurement
from app.meters.glass_to_glass import Flip, Outcome
from tests.app import builders
from tests.app.screen_loop import MS, START_NS, Camera, in_a_room, run, whole_view

pytestmark = pytest.mark.thorough

S = 1000 * MS


def measured(camera: Camera, optics=whole_view, **options) -> DelayMeasurement:
    measurement = DelayMeasurement("a camera", 60.0)
    run(measurement, camera, optics, **options)
    return measurement


def drifting(screen, time_s, rng):
    """The camera's gain changes, and the room flickers like a lamp on 50 Hz that 60 Hz frames alias."""
    return (30 + 0.4 * in_a_room(screen, time_s, rng)) * (1 + 0.25 * np.sin(time_s / 2)) + 8 * np.sin(62 * time_s)


def half_covered(screen, time_s, rng):
    return np.where(np.arange(160) < 80, 15, 0.8 * screen) + rng.normal(0, 3, screen.shape)


def one_quarter(screen, time_s, rng):
    """The camera is close: half of two fields."""
    return cv2.resize(screen[10:60, 20:70], (160, 120)) * 0.7 + rng.normal(0, 3, (120, 160)).astype(np.float32)


@pytest.mark.parametrize(
    ("camera", "optics"),
    [
        (Camera(), whole_view),
        (Camera(fps=60, delay_ms=45, exposure=0.5), in_a_room),
        (Camera(fps=15, delay_ms=250, exposure=1), in_a_room),
        (Camera(fps=30, delay_ms=60, exposure=0.3, readout=0.9), whole_view),
        (Camera(fps=25, delay_ms=120), drifting),
        (Camera(fps=30, delay_ms=90), half_covered),
        (Camera(fps=50, delay_ms=30), one_quarter),
        (Camera(fps=10, delay_ms=300), whole_view),
    ],
    ids=["plain", "small, mirrored", "slow", "rolling shutter", "drifting", "half covered", "close", "ten a second"],
)
def test_the_median_agrees_with_the_injected_delay_within_half_a_frame(camera, optics):
    card = measured(camera, optics).card()
    assert card is not None
    assert card.delays.received.p50 == pytest.approx(camera.expected_ms, abs=camera.interval_ms / 2)
    assert card.delays.posescope.p50 == pytest.approx(camera.paint_ms, abs=1e-3)
    assert card.delays.painted.count >= 48


def test_jitter_and_drops_show_in_the_spread():
    camera = Camera(fps=60, delay_ms=45, jitter_ms=12, dropped=0.1)
    delays = measured(camera, in_a_room).card().delays
    assert delays.painted.count >= 45
    # A late frame may be the first that shows the flip or not; the mean of |N(0, 12)| is 9.6.
    assert camera.expected_ms < delays.received.p50 < camera.expected_ms + 12 + camera.interval_ms / 2
    assert delays.received.sd > 1.2 * camera.interval_ms / np.sqrt(12)
    assert delays.waiting.interval > delays.camera_interval > 0.8 * camera.interval_ms


def test_a_delay_longer_than_a_second_makes_the_intervals_longer():
    measurement, camera = DelayMeasurement("a stream", 60.0), Camera(delay_ms=1200, jitter_ms=5)
    took_s = run(measurement, camera, longest_s=200)
    card = measurement.card()
    assert card.delays.received.p50 == pytest.approx(camera.expected_ms + 4, abs=camera.interval_ms / 2)
    assert measurement.interval_s()[0] > 1.2 * camera.delay_ms / 1000
    assert took_s > 50 * 1.5


@pytest.mark.parametrize("lag_ms", [0, 100, 700])
@pytest.mark.parametrize("frame_ms", [8, 33, 100])
def test_flips_never_come_more_often_than_two_and_a_half_times_a_second(lag_ms, frame_ms):
    assert SHORTEST_INTERVAL_S > 1 / 2.5
    measurement = DelayMeasurement("a camera", 60.0)
    assert measurement.interval_s()[0] == SHORTEST_INTERVAL_S
    run(measurement, Camera(fps=1000 / frame_ms, delay_ms=lag_ms), longest_s=12)
    low, high = measurement.interval_s()
    assert low >= max(SHORTEST_INTERVAL_S, (lag_ms + 3 * frame_ms) / 1000)
    assert high >= low + 0.4


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_camera_that_looks_elsewhere_is_told_so_until_it_looks_here():
    said: list[str] = []
    measurement = DelayMeasurement("a camera", 60.0)

    def optics(screen, time_s, rng):
        seen = screen if time_s > 25 else np.full_like(screen, 90)
        return seen + rng.normal(0, 3, screen.shape)

    took_s = run(measurement, Camera(), optics, watch=lambda _: said.append(measurement.state().message))
    assert "The camera does not see this window: point it at this screen." in said
    assert (
        "The camera does not see this window: point it at this screen. (Delays of more than 1.5 s cannot be told.)"
        in said
    )
    assert measurement.state().phase == "done"
    assert took_s > 25 + 50 * 0.5


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("lamp", 0), *(("swing", seed) for seed in range(4))],
)
def test_what_flickers_by_itself_gives_no_figure(kind, seed):
    """At random moments, about as often as the pattern flips: a lamp, and something white that swings to and fro."""
    timer = random.Random(seed)
    state, next_s = 1, 0.0

    def optics(screen, time_s, rng):
        nonlocal state, next_s
        while time_s >= next_s:
            state, next_s = -state, next_s + timer.uniform(0.42, 0.87)
        picture = np.full((120, 160), 60, np.float32)
        if kind == "lamp":
            picture[20:80, 20:120] += 70 * (state + 1)
        else:
            picture[20:80, 20 if state > 0 else 90 :][:, :50] = 200
        return picture + rng.normal(0, 3, picture.shape)

    measurement = DelayMeasurement("a camera", 60.0)
    run(measurement, Camera(), optics, longest_s=20 if kind == "lamp" else 60, seed=seed)
    assert measurement.card() is None
    assert measurement.state().phase in (("looking",) if kind == "lamp" else ("looking", "measuring", "failed"))


@pytest.mark.parametrize(("after_flips", "figure"), [(10, False), (35, True)])
def test_a_camera_that_is_covered_in_between(after_flips, figure):
    measurement = DelayMeasurement("a camera", 60.0)
    said: list[str] = []

    def optics(screen, time_s, rng):
        covered = len(measurement.state().readings) >= after_flips
        return np.full_like(screen, 12) if covered else screen

    run(measurement, Camera(), optics, watch=lambda _: said.append(measurement.state().message))
    state, card = measurement.state(), measurement.card()
    assert "The camera does not see the pattern any more: point it at this window, and hold it still." in said
    unseen = [reading.outcome is not Outcome.SEEN for reading in state.readings]
    assert not any(unseen[:after_flips])
    assert all(unseen[after_flips + 1 :])
    if figure:
        assert card.delays.received.p50 == pytest.approx(Camera().expected_ms, abs=Camera().interval_ms / 2)
        assert "15 not seen" in card.flips_text() or "14 not seen" in card.flips_text()
    else:
        assert card is None
        assert state.phase == "failed"
        assert state.message.startswith(f"31 of {len(state.readings)} flips could not be used (31 not seen)")


def frame_at(time_ns: int, *, continues: bool = True, size: tuple[int, int] = (90, 160), loaded: bool = True):
    stages = StageTimes(0, 0, 0, 0, 0, time_ns + 9 * MS) if loaded else None
    frame = Frame(0, time_ns, time_ns, np.zeros((*size, 3), np.uint8), continues)
    return dataclasses.replace(builders.result(), frame=frame, stages=stages)


@pytest.mark.parametrize("change", [{"continues": False}, {"size": (120, 160)}])
def test_an_interruption_ends_it_while_flips_are_timed(change):
    measurement = DelayMeasurement("a camera", 60.0)
    interrupted = False

    def watch(time_s: float) -> None:
        nonlocal interrupted
        if len(measurement.state().readings) == 5 and not interrupted:
            interrupted = True
            measurement.add(frame_at(round(START_NS + time_s * 1e9), **change))

    run(measurement, Camera(), watch=watch)
    assert measurement.state().phase == "failed"
    assert measurement.state().message == "The camera was interrupted while its delay was measured."


def test_before_the_first_timed_flip_an_interruption_only_starts_the_search_anew():
    measurement = DelayMeasurement("a camera", 60.0)
    confirmed: list[int] = []

    def watch(time_s: float) -> None:
        confirmed.append(measurement.state().confirmed)
        if len(confirmed) == 6:
            measurement.add(frame_at(round(START_NS + time_s * 1e9), continues=False))

    run(measurement, Camera(), watch=watch)
    assert measurement.state().phase == "done"
    assert max(confirmed) == CONFIRM


def test_no_picture_and_no_network_are_told():
    measurement = DelayMeasurement("a camera", 60.0)
    measurement.add_flip(Flip(START_NS, 1))
    measurement.look(START_NS + 2 * S)
    assert measurement.state().message == "No picture comes from the camera."
    measurement.add(frame_at(START_NS + 2 * S, loaded=False))
    measurement.look(START_NS + 2 * S)
    assert measurement.state().message == "The network is being loaded …"
    measurement.add(frame_at(START_NS + 2 * S))
    measurement.look(START_NS + 2 * S + 100 * MS)
    assert measurement.state().message == "Looking for the pattern in the camera’s picture …"
    measurement.look(START_NS + 4 * S)
    assert measurement.state().message == "No picture comes from the camera."


def test_it_can_be_broken_off_once():
    measurement = DelayMeasurement("a camera", 60.0)
    measurement.fail("The camera is gone.")
    measurement.fail("Another reason.")
    state = measurement.state()
    assert (state.phase, state.message) == ("failed", "The camera is gone.")
    assert not measurement.before_flip(START_NS)


def test_frames_may_come_while_the_window_looks():
    measurement = DelayMeasurement("a camera", 60.0)
    measurement.add_flip(Flip(START_NS, 1))

    def deliver() -> None:
        for number in range(400):
            measurement.add(frame_at(START_NS + number * 10 * MS))

    thread = threading.Thread(target=deliver)
    thread.start()
    now_ns = START_NS
    while thread.is_alive():
        now_ns += 10 * MS
        measurement.look(now_ns)
        measurement.trace(now_ns - S)
        measurement.state()
    thread.join()
    measurement.look(START_NS + 4 * S)
    times, signal, flips = measurement.trace(START_NS + 3 * S)
    assert (len(times), len(signal)) == (0, 0)
    assert flips == [Flip(START_NS, 1)]


def test_the_trace_swings_from_one_to_the_other():
    measurement = DelayMeasurement("a camera", 60.0)
    end_s = run(measurement, Camera(), longest_s=12)
    times, signal, flips = measurement.trace(round(START_NS + (end_s - 3) * 1e9))
    assert len(times) == pytest.approx(90, abs=8)
    assert np.abs(np.abs(signal) - 1).max() < 0.05
    assert flips[0].shown_ns < START_NS + (end_s - 3) * 1e9 < flips[1].shown_ns

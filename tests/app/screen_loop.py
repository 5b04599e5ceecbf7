"""A screen, a camera that sees it and a pose network, all in a time of their own: what a measurement should find."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.frames import Frame, Image, PoseResult, StageTimes
from app.meters.delay_measurement import DelayMeasurement
from app.meters.glass_to_glass import FLIPS, Flip, Samples
from tests.app import builders

MS = 1_000_000
START_NS = 7_000 * MS
CHECKS = (2, 4)
SCREEN = (90, 160)  # (H, W)


def screen_picture(state: float | NDArray[np.float64], size: tuple[int, int] = SCREEN) -> NDArray[np.float32]:
    """(H, W) the pattern, 0 to 255; `state` -1 to 1, between them while it is exposed to both; or (H, 1), by row."""
    rows, columns = (np.arange(n) * checks // n for n, checks in zip(size, CHECKS, strict=True))
    signs = 1 - 2 * ((rows[:, None] + columns) % 2)
    return (127.5 + 127.5 * state * signs).astype(np.float32)


@dataclass(frozen=True)
class Camera:
    """delay_ms: from the end of an exposure to the host. exposure: share of the interval, 0 for a moment.

    readout: share of the interval by which the first row is exposed before the last (a rolling shutter; only in `run`).
    jitter_ms: standard deviation of a further delay. dropped: share of frames that never come.
    """

    fps: float = 30.0
    delay_ms: float = 80.0
    exposure: float = 0.0
    readout: float = 0.0
    jitter_ms: float = 0.0
    dropped: float = 0.0
    estimate_ms: float = 9.0
    paint_ms: float = 14.0

    @property
    def interval_ms(self) -> float:
        return 1000 / self.fps

    @property
    def expected_ms(self) -> float:
        """Mean delay until the host has the first frame that is at least half the new state."""
        # Half of an exposure that ended E / 2 after the flip shows it: the middle of exposure and readout counts.
        return self.delay_ms + self.interval_ms / 2 + (self.exposure + self.readout) * self.interval_ms / 2


def flips_at_random(
    rng: np.random.Generator, count: int = FLIPS, low_s: float = 0.42, high_s: float = 0.72
) -> list[Flip]:
    times = START_NS + np.cumsum(rng.uniform(low_s, high_s, count) * 1e9).astype(np.int64)
    return [Flip(int(time), 1 if number % 2 else -1) for number, time in enumerate(times)]


def exposed(flips: list[Flip], from_ns: NDArray[np.float64], to_ns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean state on the screen over each exposure: the integral of a square wave, in closed form."""
    times = np.array([flip.shown_ns for flip in flips], np.float64)
    states = np.array([flip.state for flip in flips], np.float64)

    def integral(until: NDArray[np.float64]) -> NDArray[np.float64]:
        # From the first flip on; before it the pattern had the other state.
        whole = np.concatenate([[0.0], np.cumsum(states[:-1] * np.diff(times))])
        place = np.clip(np.searchsorted(times, until, side="right") - 1, 0, None)
        inside = until >= times[0]
        return np.where(inside, whole[place] + states[place] * (until - times[place]), -states[0] * (until - times[0]))

    span = to_ns - from_ns
    at = states[np.clip(np.searchsorted(times, to_ns, side="right") - 1, 0, None)]
    at = np.where(to_ns >= times[0], at, -states[0])
    return np.where(span > 0, (integral(to_ns) - integral(from_ns)) / np.maximum(span, 1), at)


def samples_of(
    flips: list[Flip], camera: Camera, rng: np.random.Generator, *, noise: float = 0.0, scale: float = 1.0
) -> tuple[Samples, int]:
    """What is known of the frames, with a signal of ±`scale` and noise on it, and the end of the last interval."""
    end_ns = flips[-1].shown_ns + 600 * MS
    begin_ns = flips[0].shown_ns - 1000 * MS
    exposure_ends = np.arange(begin_ns + rng.uniform(0, camera.interval_ms) * MS, end_ns, camera.interval_ms * MS)
    index = np.arange(len(exposure_ends))
    state = exposed(flips, exposure_ends - camera.exposure * camera.interval_ms * MS, exposure_ends)
    late = np.abs(rng.normal(0, 1, len(index))) * camera.jitter_ms if camera.jitter_ms else np.zeros(len(index))
    captured = np.maximum.accumulate(exposure_ends + (camera.delay_ms + late) * MS)
    kept = rng.random(len(index)) >= camera.dropped
    captured_ns = captured[kept].astype(np.int64)
    return Samples(
        captured_ns=captured_ns,
        estimated_ns=captured_ns + round(camera.estimate_ms * MS),
        painted_ns=captured_ns + round(camera.paint_ms * MS),
        index=index[kept],
        signal=scale * state[kept] + rng.normal(0, 1, kept.sum()) * noise,
    ), end_ns


Optics = Callable[[NDArray[np.float32], float, np.random.Generator], NDArray[np.float32]]


def whole_view(screen: NDArray[np.float32], time_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    return screen


def in_a_room(screen: NDArray[np.float32], time_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """The screen small in the picture, mirrored, out of focus, paler, in a grey room, with noise."""
    picture = np.full((120, 160), 60.0, np.float32)
    picture[30:84, 20:100] = 40 + 0.5 * cv2.resize(screen[:, ::-1], (80, 54), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(picture, (0, 0), 2.5) + rng.normal(0, 6, picture.shape).astype(np.float32)


def image_of(picture: NDArray[np.float32]) -> Image:
    grey = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, 2)


def run(
    measurement: DelayMeasurement,
    camera: Camera,
    optics: Optics = whole_view,
    *,
    seed: int = 0,
    longest_s: float = 90.0,
    watch: Callable[[float], None] = lambda time_s: None,
) -> float:
    """Play the window's part until the measurement has ended, or for `longest_s`; returns how long it took, in s.

    optics: what the camera makes of the screen at that time, (H, W) -> (H, W). watch: called before each flip.
    """
    rng, timer = np.random.default_rng(seed), random.Random(seed)
    result = builders.result(0, 0)
    flips = [Flip(START_NS, 1)]
    measurement.add_flip(flips[0])
    next_flip_ns = START_NS + 500 * MS
    interval_ns = camera.interval_ms * MS
    exposure_end = START_NS - 20 * interval_ns
    number = 0
    waiting: list[tuple[int, int, Image]] = []
    now_ns = START_NS
    while now_ns < START_NS + longest_s * 1e9:
        exposure_end += interval_ns
        now_ns = round(exposure_end)
        while next_flip_ns <= now_ns:
            for frame in [one for one in waiting if one[0] <= next_flip_ns]:
                waiting.remove(frame)
                _deliver(measurement, result, camera, *frame)
            watch((next_flip_ns - START_NS) / 1e9)
            measurement.look(next_flip_ns)
            if not measurement.before_flip(next_flip_ns):
                return (next_flip_ns - START_NS) / 1e9
            flips.append(Flip(next_flip_ns, -flips[-1].state))
            measurement.add_flip(flips[-1])
            next_flip_ns += round(timer.uniform(*measurement.interval_s()) * 1e9)
        row_ends = exposure_end - np.linspace(camera.readout, 0.0, SCREEN[0]) * interval_ns
        state = exposed(flips, row_ends - camera.exposure * interval_ns, row_ends)[:, None]
        late = abs(rng.normal()) * camera.jitter_ms
        captured_ns = round(exposure_end + (camera.delay_ms + late) * MS)
        if waiting:
            captured_ns = max(captured_ns, waiting[-1][0] + 1)
        if rng.random() >= camera.dropped:
            picture = optics(screen_picture(state), (now_ns - START_NS) / 1e9, rng)
            waiting.append((captured_ns, number, image_of(picture)))
        number += 1
        while waiting and waiting[0][0] <= now_ns:
            _deliver(measurement, result, camera, *waiting.pop(0))
    return longest_s


def _deliver(
    measurement: DelayMeasurement, result: PoseResult, camera: Camera, captured_ns: int, number: int, image: Image
) -> None:
    done_ns = captured_ns + round(camera.estimate_ms * MS)
    stages = StageTimes(0, 0, 0, 0, 0, done_ns)
    frame = Frame(number, captured_ns, captured_ns, image)
    measurement.add(dataclasses.replace(result, frame=frame, stages=stages))
    measurement.add_paint(captured_ns, captured_ns + round(camera.paint_ms * MS))

"""Which part of a picture follows the pattern: against patterns, rooms and lamps that the test has drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.meters.glass_to_glass import Flip
from app.meters.screen_in_view import GRID, Sight, brightness, look_for_pattern
from tests.app.screen_loop import CHECKS, MS, START_NS, flips_at_random, image_of, screen_picture

pytestmark = pytest.mark.thorough

FRAME_NS = round(1e9 / 30)


@pytest.mark.parametrize("size", [(64, 96), (480, 640), (1080, 1920), (90, 160), (61, 97), (16, 24), (10, 13), (2, 3)])
def test_brightness_is_the_mean_of_each_cell(size: tuple[int, int]):
    rows, columns = np.mgrid[: size[0], : size[1]]
    # Rises along both axes, so that a mean tells where its cell lies.
    ramp = 200 * rows / size[0] + 50 * columns / size[1]
    image = np.stack([ramp - 4, ramp, ramp + 4], 2).clip(0, 255).astype(np.uint8)
    grid = brightness(image)
    assert grid.shape == GRID
    cells = np.add.outer(200 * (np.arange(16) + 0.5) / 16, 50 * (np.arange(24) + 0.5) / 24)
    # As far as one sample lies from the middle of its cell.
    step = max(200 / min(size[0], 64), 50 / min(size[1], 96))
    assert np.abs(grid - cells).max() <= 1.6 * step + 1
    assert brightness(np.full((*size, 3), 77, np.uint8)) == pytest.approx(np.full(GRID, 77))


class Scene:
    """Frames of some seconds, taken `lag_ms` earlier than they came, of what `look` makes of screen and time."""

    def __init__(self, look, *, lag_ms: float = 120.0, seconds: float = 5.0, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.flips = [Flip(START_NS, 1), *flips_at_random(rng, round(seconds / 0.5), high_s=0.87)]
        self.flips = [Flip(flip.shown_ns, 1 if number % 2 else -1) for number, flip in enumerate(self.flips)]
        self.times = np.arange(START_NS + FRAME_NS, START_NS + round(seconds * 1e9), FRAME_NS)
        grids = []
        for time_ns in self.times:
            seen = [flip.state for flip in self.flips if flip.shown_ns <= time_ns - lag_ms * MS]
            picture = look(screen_picture(seen[-1] if seen else 1), (time_ns - START_NS) / 1e9, rng)
            grids.append(brightness(image_of(picture)))
        self.grids = np.stack(grids)

    def sight(self) -> Sight:
        return look_for_pattern(self.flips, self.times, self.grids)


def noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float = 3.0) -> NDArray[np.float32]:
    return rng.normal(0, sigma, shape).astype(np.float32)


def test_lag_contrast_and_share_of_a_screen_that_fills_the_picture():
    sight = Scene(lambda screen, t, rng: 40 + 0.5 * screen + noise(rng, screen.shape)).sight()
    assert sight.found
    assert sight.lag_ms == pytest.approx(120, abs=FRAME_NS / MS)
    assert sight.contrast == pytest.approx(0.5 * 255, rel=0.05)
    assert sight.rise == pytest.approx(2 * 0.5 * 255, rel=0.05)
    assert sight.share > 0.9
    assert sight.message == f"The camera sees the pattern in {100 * sight.share:.0f} % of its picture. Hold both still."


def test_the_signal_rises_with_the_state_in_a_mirror_and_upside_down():
    for look in (lambda s: s, lambda s: s[:, ::-1], lambda s: s[::-1], lambda s: s.T):
        scene = Scene(lambda screen, t, rng, look=look: look(screen) + noise(rng, look(screen).shape))
        sight = scene.sight()
        signal = sight.signal(scene.grids)
        states = np.array(
            [[f.state for f in scene.flips if f.shown_ns <= t - 120 * MS][-1:] or [1] for t in scene.times]
        )
        high, low = signal[states[:, 0] > 0], signal[states[:, 0] < 0]
        assert low.max() < high.min()
        assert high.mean() - low.mean() == pytest.approx(sight.rise, rel=0.05)


def test_only_the_cells_that_show_the_screen_follow():
    def small(screen, t, rng):
        picture = np.full((160, 240), 70, np.float32)
        picture[20:120, 60:220] = np.kron(screen, np.ones((2, 1)))[:100, :160] * 0.4 + 30
        return picture + noise(rng, picture.shape)

    cells = Scene(small).sight().cells
    rows, columns = np.nonzero(cells)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 11, 6, 21)
    assert cells.mean() == pytest.approx(100 * 160 / (160 * 240), rel=0.15)


def test_brighter_room_and_exposure_do_not_move_the_signal():
    def pumped(screen, t, rng):
        return 60 + 0.3 * screen + 40 * np.sin(1.3 * t) + 15 * t + noise(rng, screen.shape)

    scene = Scene(pumped)
    sight = scene.sight()
    signal = sight.signal(scene.grids) / sight.rise
    assert sight.found
    # Two levels, half a rise to each side of one middle.
    assert np.abs(np.abs(signal - (signal.max() + signal.min()) / 2) - 0.5).max() < 0.06


def test_an_echo_of_the_picture_on_the_page_is_left_out():
    """The page shows the camera's picture darkened to less than half: the camera sees the pattern there too, later."""

    def with_echo(screen, t, rng):
        earlier = [flip.state for flip in scene_flips if flip.shown_ns <= START_NS + t * 1e9 - 240 * MS]
        picture = np.concatenate([screen, 0.41 * screen_picture(earlier[-1] if earlier else 1)])
        return picture + noise(rng, picture.shape)

    rng = np.random.default_rng(0)
    scene_flips = [Flip(START_NS, 1), *flips_at_random(rng, 10, high_s=0.87)]
    scene_flips = [Flip(flip.shown_ns, 1 if number % 2 else -1) for number, flip in enumerate(scene_flips)]
    sight = Scene(with_echo).sight()
    assert sight.found
    assert sight.cells[:8].any()
    assert not sight.cells[8:].any()
    assert sight.lag_ms == pytest.approx(120, abs=FRAME_NS / MS)


UNSEEN = {
    "The camera’s picture is black": lambda screen, t, rng: np.abs(noise(rng, screen.shape, 2)),
    "The camera’s picture is overexposed": lambda screen, t, rng: 250 + 0.02 * screen,
    "The camera does not see this window": lambda screen, t, rng: 90 + noise(rng, screen.shape),
    "The camera sees the pattern, but faintly": lambda screen, t, rng: 90 + 0.02 * screen + noise(rng, screen.shape),
    "The picture changes, but not with this window": lambda screen, t, rng: 90 + 60 * (int(2.2 * t) % 2) + 0 * screen,
}


@pytest.mark.parametrize(("begins", "look"), UNSEEN.items(), ids=["dark", "bright", "elsewhere", "faint", "flicker"])
def test_one_sentence_says_what_to_do(begins, look):
    sight = Scene(look).sight()
    assert not sight.found
    assert sight.message.startswith(begins)
    assert sight.message.count(". ") == 0


def test_a_small_corner_of_the_pattern_is_told_as_too_little():
    def far_away(screen, t, rng):
        picture = np.full((160, 240), 70, np.float32)
        picture[40:50, 60:80] = screen[40:50, 70:90]
        return picture + noise(rng, picture.shape)

    assert (
        Scene(far_away).sight().message == "The camera sees too little of the pattern: move it closer to this window."
    )


def test_a_lamp_that_blinks_in_step_with_the_pattern_is_not_taken_for_it():
    def lamp(screen, t, rng):
        return np.where(np.arange(160) < 80, screen[0, 0], 60) + noise(rng, screen.shape)

    sight = Scene(lamp).sight()
    assert not sight.found
    assert sight.message.startswith("The picture changes, but not with this window")


def test_few_flips_are_no_reason_to_say_anything():
    scene = Scene(lambda screen, t, rng: screen, seconds=1.2)
    assert Scene.sight(scene).message == "Looking for the pattern in the camera’s picture …"
    assert CHECKS == (2, 4)

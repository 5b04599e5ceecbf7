"""Crops of `posescope evaluate`: tiles, mirror images, shrunk pictures, the flip test; against drawn truth."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.bundled import model_file
from app.evaluation.crops import (
    ahead,
    cut_person,
    cut_shrunk,
    detector_square,
    from_detector_square,
    region_of_box,
    shrink_around,
    stacked,
)
from app.evaluation.flip import joined_maps, joined_points
from app.frames import Image
from models.decoders import get_decoder
from models.engines.choice import open_engine
from models.estimator import PoseEstimator
from models.regions import Region
from models.skeletons import BLAZEPOSE_33
from models.traits import BLAZEPOSE
from tests.app.evaluation_builders import person
from tests.models.clip import clip_frames

CROP_SIZE = 256
RANDOM = np.random.default_rng(5)


def _noise(height: int, width: int) -> Image:
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


def _ramp(height: int, width: int, step: int = 1) -> Image:
    """Blue is the column, green the row, each times `step`."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.uint8) * step
    return np.dstack((columns, rows, rows))


def test_tiles_are_read_bit_by_bit_and_never_touch_a_neighbour() -> None:
    crops = [_noise(CROP_SIZE, CROP_SIZE) for _ in range(33)]
    tall = stacked(crops)
    for region, crop in zip(BLAZEPOSE.tiles(33), crops, strict=True):
        assert (region.cut(tall, CROP_SIZE, extend=True) == crop).all()
        # As on a GPU: every sample lies on a pixel, of which the next has no weight.
        share = (np.arange(CROP_SIZE)[:, None] + 0.5) / CROP_SIZE
        places = region.to_image(np.hstack((share, share)))
        assert places == pytest.approx(np.round(places), abs=1e-9)
        assert tall[round(places[-1, 1]), -1].tolist() == crop[-1, -1].tolist()


def test_the_crop_of_a_box_is_around_its_middle() -> None:
    # Of pixels 10 to 29 the middle is 19.5; COCO's box starts at the corner of pixel 10.
    region = region_of_box(person(np.zeros((1, 2)), [1], box=(10.0, 40.0, 20.0, 60.0)), BLAZEPOSE)
    assert region == Region(19.5, 69.5, 75.0, 0.0)


@pytest.mark.parametrize("rotation", [pytest.param(0.0, marks=pytest.mark.thorough), 0.4])
def test_the_mirrored_crop_shows_one_minus_the_share(rotation: float) -> None:
    picture = _ramp(200, 250)
    region = Region(120.0, 100.0, 128.0, rotation)
    cut = cut_person(picture, region, BLAZEPOSE, flip=True)
    assert cut.mirrored is not None
    # The ramp's value is its place: column j of the mirrored crop has to show share 1 - (j + 0.5) / S.
    rows, columns = (np.mgrid[0:CROP_SIZE, 0:CROP_SIZE] + 0.5) / CROP_SIZE
    there = region.to_image(np.dstack((1 - columns, rows)))
    assert cut.mirrored[..., :2] == pytest.approx(there, abs=0.51)
    assert cut_person(picture, region, BLAZEPOSE, flip=False).mirrored is None


@pytest.mark.parametrize("scale", [0.5, 0.37, 0.81])
def test_a_shrunk_picture_shows_the_same_at_the_same_share(scale: float) -> None:
    # In steps of two, so that the mean of two pixels is a whole number.
    picture = _ramp(128, 128, 2)
    region = Region(65.3, 60.7, 80.0, 0.0)
    small, there = shrink_around(picture, region, scale)
    assert max(small.shape[:2]) < 128 * scale
    assert there.side == pytest.approx(80 * scale)
    # The ramp's value is its place, shrunk or not. Area weights of OpenCV are whole to a hundredth of a pixel.
    before, after = (part.astype(float)[..., :2] for part in (region.cut(picture, 64), there.cut(small, 64)))
    assert np.abs(before - after).max() <= 2
    assert np.abs((before - after).mean((0, 1))).max() < 0.2


def test_shrinking_by_nothing_changes_nothing() -> None:
    picture = _noise(200, 200)
    somebody = person(np.zeros((1, 2)), [1], box=(60.5, 20.5, 40.0, 128.0))
    whole, shrunk = (
        cut_person(picture, region_of_box(somebody, BLAZEPOSE), BLAZEPOSE, flip=True),
        cut_shrunk(picture, somebody, 128, BLAZEPOSE, flip=True),
    )
    assert shrunk.region == whole.region
    assert (shrunk.pixels == whole.pixels).all()
    assert whole.mirrored is not None
    assert shrunk.mirrored is not None
    assert (shrunk.mirrored == whole.mirrored).all()


def test_a_shrunk_person_has_lost_what_is_fine_and_kept_what_is_coarse() -> None:
    somebody = person(np.zeros((1, 2)), [1], box=(20.0, 20.0, 60.0, 160.0))
    rows, columns = np.mgrid[0:200, 0:200]
    chess = np.repeat((((rows + columns) % 2) * 255).astype(np.uint8)[..., None], 3, 2)
    halves = np.repeat(((columns >= 50) * 255).astype(np.uint8)[..., None], 3, 2)
    assert cut_shrunk(chess, somebody, 32, BLAZEPOSE, flip=False).pixels.std() < 16 < 60 < chess.std()
    pixels = cut_shrunk(halves, somebody, 32, BLAZEPOSE, flip=False).pixels
    # Columns 50 and up are white: the edge is at 49.5, the crop of 200 px starts at 49.5 - 100.
    row = pixels[128, :, 0].astype(float)
    assert np.interp(127.5, row[100:156], np.arange(100, 156)) == pytest.approx(128, abs=0.6)


def test_people_outside_of_the_picture_are_cut_from_its_border() -> None:
    picture = np.full((50, 50, 3), 77, np.uint8)
    for box in ((300.0, 300.0, 40.0, 200.0), (49.0, 49.0, 300.0, 400.0), (0.0, 0.0, 450.0, 500.0)):
        outside = person(np.zeros((1, 2)), [1], box=box)
        for target in (192, 32):
            assert (cut_shrunk(picture, outside, target, BLAZEPOSE, flip=False).pixels == 77).all()


def test_the_detector_sees_the_same_in_its_square_as_in_the_picture() -> None:
    path, sha256 = model_file("lite")
    estimator = PoseEstimator(open_engine(path, "cpu", sha256))
    picture = clip_frames()[20][:, 200:]
    (direct,) = estimator.detect(picture)
    (seen,) = estimator.detect(detector_square(picture))
    found = from_detector_square(seen, picture)
    assert (found.center_x, found.center_y, found.side, found.rotation) == pytest.approx(
        (direct.center_x, direct.center_y, direct.side, direct.rotation), abs=1e-6
    )


# The flip test


def _drawn(points: NDArray[np.float64], height: int = 48, width: int = 64) -> NDArray[np.float32]:
    """(1, 33, H, W): Gaussians two cells wide at points (33, 2) in shares of the crop; cell c is share c / W."""
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = points[:, 0, None, None] * width, points[:, 1, None, None] * height
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8).astype(np.float32)[None]


def test_maps_of_the_mirrored_crop_lie_exactly_on_the_others() -> None:
    points = RANDOM.uniform(0.3, 0.7, (33, 2))
    mirrored_points = points[list(BLAZEPOSE_33.mirrored)] * (-1, 1) + (1, 0)
    maps, of_mirrored = _drawn(points), _drawn(mirrored_points)
    joined = joined_maps(maps, of_mirrored)
    assert joined == pytest.approx(maps, abs=1e-6)
    # The naive way is half a cell off: the trap that this is about.
    naive = (maps + of_mirrored[:, list(BLAZEPOSE_33.mirrored), :, ::-1]) / 2
    ipr = get_decoder("debiased", beta=10.0)
    read = ipr(torch.from_numpy(joined)).points[0].numpy() / (64, 48)
    assert read == pytest.approx(points, abs=2e-3)
    off = ipr(torch.from_numpy(naive)).points[0].numpy()[:, 0] - points[:, 0] * 64
    assert off == pytest.approx(np.full(33, -0.5), abs=0.1)


def test_the_first_column_keeps_what_the_crop_says_and_nothing_is_changed_in_place() -> None:
    maps, of_mirrored = RANDOM.random((2, 1, 33, 8, 8)).astype(np.float32)
    before = maps.copy(), of_mirrored.copy()
    joined = joined_maps(maps, of_mirrored)
    assert (joined[..., 0] == maps[..., 0]).all()
    left, right = BLAZEPOSE_33.index["left_wrist"], BLAZEPOSE_33.index["right_wrist"]
    assert joined[0, left, 3, 7] == pytest.approx((maps[0, left, 3, 7] + of_mirrored[0, right, 3, 1]) / 2)
    assert (maps == before[0]).all()
    assert (of_mirrored == before[1]).all()


def test_regression_is_joined_with_the_sides_swapped() -> None:
    points = RANDOM.random((2, 33, 2))
    mirrored = points[:, list(BLAZEPOSE_33.mirrored)] * (-1, 1) + (1, 0)
    assert joined_points(points, mirrored) == pytest.approx(points)
    shifted = mirrored + np.array([0.02, 0.04])
    assert joined_points(points, shifted) == pytest.approx(points + np.array([-0.01, 0.02]))


# Reading ahead


def test_items_are_made_ahead_in_order_and_no_further_than_asked() -> None:
    made: list[int] = []

    def make(item: int) -> int:
        made.append(item)
        return item * item

    squares = ahead(make, range(10), workers=2, depth=3)
    assert next(squares) == 0
    time.sleep(0.05)
    assert sorted(made) == [0, 1, 2, 3]
    assert list(squares) == [i * i for i in range(1, 10)]
    assert list(ahead(make, [], workers=1, depth=2)) == []


def test_what_fails_is_raised_and_the_threads_end() -> None:
    def make(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    squares = ahead(make, range(100), workers=2, depth=4)
    with pytest.raises(ValueError, match="two"):
        list(squares)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("crops")]
    halfway = ahead(make, [0, 1], workers=2, depth=2)
    next(halfway)
    halfway.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("crops")]

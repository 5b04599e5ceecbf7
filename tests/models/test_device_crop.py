"""Crops cut on a device: against exact bilinear interpolation and against the CPU's own crop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.bundled import model_file
from models.bundle import open_bundle
from models.devices import Device
from models.engines.device_crop import FrameBuffer, Picture, drawn_person, rows_needed, sample
from models.engines.torch_engine import TorchEngine
from models.regions import Region, letterbox
from models.stage_clock import StageClock

CPU = torch.device("cpu")
NOISE = np.random.default_rng(0).integers(0, 256, (270, 481, 3), np.uint8)
REGIONS = {
    "inside": Region(240.3, 130.9, 120.0, 0.3),
    "over the border": Region(20.0, 250.0, 300.0, -1.0),
    "upside down": Region(240.0, 135.0, 200.0, math.pi),
    "larger than the picture": Region(240.5, 135.0, 900.0, 2.0),
    "outside": Region(-900.0, 700.0, 200.0, 0.2),
}


def crop(image: NDArray[np.uint8], regions: list[Region], size: int, *, extend: bool) -> NDArray[np.float32]:
    """(N, size, size, 3) BGR."""
    affines = torch.from_numpy(np.stack([region.crop_to_image() for region in regions]))
    crops = sample(torch.from_numpy(image), affines, size, extend=extend)
    assert crops.dtype == torch.float32
    assert crops.is_contiguous(memory_format=torch.channels_last)
    return crops.permute(0, 2, 3, 1).flip(-1).numpy()


def exact(image: NDArray[np.uint8], region: Region, size: int, *, extend: bool) -> NDArray[np.float64]:
    """Bilinear interpolation by its definition: each pixel weighs (1 - |dx|) (1 - |dy|)."""
    rows, columns = (np.mgrid[0:size, 0:size] + 0.5) / size
    x, y = np.moveaxis(region.to_image(np.stack((columns, rows), -1)), -1, 0)
    result = np.zeros((size, size, 3))
    height, width = image.shape[:2]
    for dx in (0, 1):
        for dy in (0, 1):
            column, row = np.floor(x).astype(int) + dx, np.floor(y).astype(int) + dy
            weight = (1 - np.abs(x - column)) * (1 - np.abs(y - row))
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            colour = image[row.clip(0, height - 1), column.clip(0, width - 1)].astype(np.float64)
            result += (weight * (inside | extend))[..., None] * colour
    return result


@pytest.mark.parametrize("extend", [True, False])
@pytest.mark.parametrize("name", REGIONS)
def test_it_is_bilinear_interpolation(name, extend):
    (got,) = crop(NOISE, [REGIONS[name]], 64, extend=extend)
    assert np.abs(got - exact(NOISE, REGIONS[name], 64, extend=extend)).max() < 1e-3


def test_far_from_the_origin_it_is_as_exact():
    image = np.zeros((16, 3840, 3), np.uint8)
    image[:, ::2] = 255
    region = Region(3800.123, 8.0, 10.0, 0.0)
    assert np.abs(crop(image, [region], 256, extend=True)[0] - exact(image, region, 256, extend=True)).max() < 1e-3


@pytest.mark.parametrize("extend", [True, False])
@pytest.mark.parametrize("name", REGIONS)
def test_rounded_it_is_what_the_cpu_cuts(name, extend):
    # OpenCV rounds once too, but computes positions in float32: measured, up to .002 of the values are one level off.
    # An OpenCV that interpolates in steps of 1/32 px would be off in half of this noise, by up to 6 levels.
    (got,) = crop(NOISE, [REGIONS[name]], 256, extend=extend)
    off = np.abs(got.round() - REGIONS[name].cut(NOISE, 256, extend=extend))
    assert off.max() <= 1
    assert off.mean() < 0.005


def test_several_crops_at_once_are_those_one_by_one():
    regions = list(REGIONS.values())
    together = crop(NOISE, regions, 32, extend=True)
    for i, region in enumerate(regions):
        assert np.array_equal(together[i], crop(NOISE, [region], 32, extend=True)[0])


def test_crops_of_a_whole_picture_are_the_picture():
    square = NOISE[:256, :256].copy()
    assert np.array_equal(crop(square, [letterbox(256, 256)], 256, extend=False)[0], square)


@settings(max_examples=60, deadline=None)
@given(st.floats(-300, 900), st.floats(-300, 900), st.floats(1, 900), st.floats(-math.pi, math.pi), st.integers(1, 270))
def test_rows_that_a_crop_needs_are_enough(x, y, side, rotation, height):
    region, image = Region(x, y, side, rotation), NOISE[:height, :40].copy()
    rows = rows_needed([region.crop_to_image()], height)
    assert 0 <= rows.start < rows.stop <= height
    # Rows that are not needed may hold anything.
    spoilt = np.zeros_like(image)
    spoilt[rows.start : rows.stop] = image[rows.start : rows.stop]
    whole, part = (crop(picture, [region], 24, extend=True) for picture in (image, spoilt))
    assert np.array_equal(whole, part)


def test_rows_that_crops_need_are_few():
    upright, turned = Region(200.0, 500.0, 100.0, 0.0), Region(200.0, 500.0, 100.0, math.pi / 4)
    assert rows_needed([upright.crop_to_image()], 1080) == range(450, 552)
    half = 100 * math.sqrt(0.5)
    assert rows_needed([turned.crop_to_image()], 1080) == range(math.floor(500 - half), math.floor(500 + half) + 2)
    both = [upright.crop_to_image(), Region(900.0, 200.0, 100.0, 0.0).crop_to_image()]
    assert rows_needed(both, 1080) == range(150, 552)


def pictures(count: int, height: int = 50, width: int = 30) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(1).integers(1, 256, (count, height, width, 3), np.uint8))


def test_only_rows_that_were_asked_for_are_copied():
    (image,) = pictures(1)
    buffer, picture = FrameBuffer(image.shape, CPU), Picture(image)
    for asked, held in (
        (range(20, 30), range(20, 30)),
        (range(22, 25), range(20, 30)),
        (range(28, 35), range(20, 35)),
    ):
        buffer.bring(picture, asked)
        assert np.array_equal(buffer.frame.numpy()[held.start : held.stop], image[held.start : held.stop])
        assert not buffer.frame.numpy()[: held.start].any()
        assert not buffer.frame.numpy()[held.stop :].any()
    for asked in (range(2, 5), range(45, 50), range(50)):
        buffer.bring(picture, asked)
        assert np.array_equal(buffer.frame.numpy()[asked.start : asked.stop], image[asked.start : asked.stop])


def test_pictures_in_turn_are_each_brought_anew():
    first, second = pictures(2)
    buffer, handles = FrameBuffer(first.shape, CPU), (Picture(first), Picture(second))
    for handle, image in zip(handles * 2, (first, second) * 2, strict=True):
        buffer.bring(handle, range(10, 40))
        assert np.array_equal(buffer.frame.numpy()[10:40], image[10:40])


def test_a_picture_larger_than_a_piece_comes_whole():
    (image,) = pictures(1, 1080, 1920)
    buffer = FrameBuffer(image.shape, CPU)
    buffer.bring(Picture(image), range(1080))
    assert np.array_equal(buffer.frame.numpy(), image)


def test_pictures_may_be_read_only_or_mirrored():
    (image,) = pictures(1)
    for view in (image, image[:, ::-1], image[::2], image[..., ::-1]):
        view.flags.writeable = False
        assert np.array_equal(Picture(view).pixels.numpy(), view)
    assert Picture(image).pixels.data_ptr() == image.ctypes.data


@pytest.mark.parametrize("model", ["lite", pytest.param("full", marks=pytest.mark.thorough)])
def test_the_drawn_person_is_a_person(model):
    engine = TorchEngine(open_bundle(model_file(model)[0]), Device("cpu", "cpu"))
    picture = drawn_person(256)
    assert len(engine.detect(picture, letterbox(256, 256), StageClock())) == 1
    read = engine.read(picture, [letterbox(256, 256)], 10.0, StageClock(), keep_heatmaps=False)
    assert read.presence[0] > 0.99
    assert read.scores[0, 0].min() > 0.6

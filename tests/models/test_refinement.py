"""MediaPipe's refinement of regressed points by their heatmaps, against closed forms."""

from __future__ import annotations

import pytest
import torch

from models.blazepose import ALIGNMENT, LANDMARK_COUNT, LandmarkOutput, refined_landmarks

SIZE = 64


def refined(x: float, y: float, cells: dict[tuple[int, int], float]) -> tuple[float, float]:
    """The refinement, in cells, of a point at (x, y) cells under a heatmap with these (column, row) cells."""
    maps = torch.zeros(1, LANDMARK_COUNT, SIZE, SIZE, dtype=torch.float64)
    for (column, row), value in cells.items():
        maps[0, ALIGNMENT.start, row, column] = value
    points = torch.zeros(1, LANDMARK_COUNT, 2, dtype=torch.float64)
    points[0, ALIGNMENT.start] = torch.tensor([x, y]) / SIZE
    output = LandmarkOutput(points, torch.zeros(1, LANDMARK_COUNT), torch.zeros(1), maps)
    in_cells = refined_landmarks(output, ALIGNMENT)[0, 0] * SIZE
    return in_cells[0].item(), in_cells[1].item()


def test_the_mean_position_under_the_heatmap():
    assert refined(30.4, 20.6, {(31, 20): 0.9}) == pytest.approx((31, 20))
    assert refined(30.4, 20.6, {(29, 20): 0.6, (32, 20): 0.3, (29, 23): 0.3}) == pytest.approx((29.75, 20.75))


def test_the_heatmap_counts_from_half_its_height():
    assert refined(30.4, 20.6, {(31, 20): 0.5}) == pytest.approx((31, 20))
    assert refined(30.4, 20.6, {(31, 20): 0.499}) == pytest.approx((30.4, 20.6))
    # The largest cell decides, not their sum.
    assert refined(30.4, 20.6, {(31, 20): 0.4, (30, 20): 0.4}) == pytest.approx((30.4, 20.6))


@pytest.mark.parametrize(("x", "centre"), [(30.0, 30), (30.4, 30), (30.99, 30), (31.0, 31)])
def test_the_window_is_seven_cells_around_the_cell_that_holds_the_point(x, centre):
    for column in range(centre - 3, centre + 4):
        assert refined(x, 20.2, {(column, 20): 0.9}) == pytest.approx((column, 20))
        assert refined(20.2, x, {(20, column): 0.9}) == pytest.approx((20, column))
    for column in (centre - 4, centre + 4):
        assert refined(x, 20.2, {(column, 20): 0.9}) == pytest.approx((x, 20.2))
        assert refined(20.2, x, {(20, column): 0.9}) == pytest.approx((20.2, x))


def test_the_window_ends_at_the_border():
    assert refined(0.5, 63.5, {(0, 63): 0.9, (3, 63): 0.3, (63, 0): 0.9}) == pytest.approx((0.75, 63))


@pytest.mark.parametrize(("x", "y"), [(-1.0, 20.0), (64.0, 20.0), (20.0, -5.0), (20.0, 70.0)])
def test_a_point_outside_of_the_map_stays(x, y):
    cells = {(column, row): 0.9 for column in range(SIZE) for row in range(SIZE)}
    assert refined(x, y, cells) == pytest.approx((x, y))


def test_each_map_is_read_for_its_own_point():
    output = LandmarkOutput(
        torch.full((2, LANDMARK_COUNT, 2), 0.5),
        torch.zeros(2, LANDMARK_COUNT),
        torch.zeros(2),
        torch.zeros(2, LANDMARK_COUNT, SIZE, SIZE),
    )
    output.heatmaps[1, 7, 33, 30] = 0.8
    points = refined_landmarks(output, slice(0, 33))
    assert points.shape == (2, 33, 2)
    assert points[1, 7].tolist() == pytest.approx([30 / SIZE, 33 / SIZE])
    unchanged = torch.ones(2, 33, dtype=torch.bool)
    unchanged[1, 7] = False
    assert (points[unchanged] == 0.5).all()

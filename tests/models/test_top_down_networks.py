"""SimpleBaseline and HRNet against the authors' code and MMPose's, which were run once with these same weights.

FIGURES are what microsoft/human-pose-estimation.pytorch (pose_resnet) and leoxiaobin/deep-high-resolution-net.pytorch
(pose_hrnet) gave in float32, built from their own configurations. MMPose v0.29.0 and v1.3.2 (backbones ResNet and
HRNet, TopdownHeatmapSimpleHead and HeatmapHead), with the same values under their names, gave the same to the last bit,
and so did the networks here.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch

from models.top_down.checkpoint import open_checkpoint
from tests.models.top_down_weights import in_mmpose_layout, save, state_of, uniform


class Figures(NamedTuple):
    """Mean, standard deviation and values at PLACES of the heatmaps (17, H, W), of a float64 copy."""

    mean: float
    deviation: float
    values: tuple[float, ...]


# Joint, row and column; from the end where negative. Row and column of the second last: an eighth of the input's.
PLACES = ((0, 0, 0), (16, -1, -1), (5, 7, 11), (9, None, None), (12, -2, 3))

FIGURES = {
    ("R50", "256x192"): Figures(0.0313273, 0.426046212, (-0.28061283, 0.11779211, -0.3873078, 0.015398026, -0.3318082)),
    ("R50", "384x288"): Figures(
        0.0321594982, 0.446800124, (-0.28167531, 0.10447634, -0.36624992, 0.30410865, -0.31160328)
    ),
    ("R101", "256x192"): Figures(0.057873844, 1.06471644, (-0.26415551, 0.13383122, -0.66403955, -0.6847654, -1.08056)),
    ("R101", "384x288"): Figures(
        0.0639557491, 1.13740252, (-0.28369474, 0.12480316, -0.63275015, 0.58660424, -0.91947997)
    ),
    ("R152", "256x192"): Figures(
        0.0784080933, 3.47722483, (-0.31723282, 0.083148479, -4.2833705, -0.97597545, -2.6205616)
    ),
    ("R152", "384x288"): Figures(
        0.0837795707, 3.77338602, (-0.3212598, 0.079438448, -4.1287985, 1.7204103, -2.6586192)
    ),
    ("W32", "256x192"): Figures(99.1296081, 735.806376, (-42.490166, -364.30438, 747.4223, -684.85699, 30.195261)),
    ("W32", "384x288"): Figures(110.2462, 802.102897, (-55.561733, -357.54874, 747.5791, -607.76099, 31.793797)),
    ("W48", "256x192"): Figures(16.8443692, 459.863691, (-87.62899, 190.4346, -42.114338, 538.56647, 347.86047)),
    ("W48", "384x288"): Figures(13.4730697, 484.442212, (-93.888039, 189.72563, -64.855644, 480.82782, 351.71005)),
}
# As published, in millions of parameters.
PUBLISHED = {"R50": 34.0, "R101": 53.0, "R152": 68.6, "W32": 28.5, "W48": 63.6}
TITLES = {"R50": "SimpleBaseline-R50", "R101": "SimpleBaseline-R101", "R152": "SimpleBaseline-R152", "W32": "HRNet-W32"}


def agree(name, size, tmp_path, head):
    state = state_of(name)
    content = {"state_dict": in_mmpose_layout(state, head), "meta": {"epoch": 210}} if head else state
    network = open_checkpoint(save(tmp_path / f"some_{size}.pth", content))
    height, width = network.input_size
    assert (network.title, size) == (TITLES.get(name, "HRNet-W48"), f"{height}x{width}")
    assert sum(parameter.numel() for parameter in network.parameters()) / 1e6 == pytest.approx(PUBLISHED[name], abs=0.1)
    with torch.inference_mode():
        maps = network.network(uniform("crop", (1, 3, height, width), -2.0, 2.0))[0].double()
    assert maps.shape == (17, height // 4, width // 4)
    places = [
        (joint, height // 8 if row is None else row, width // 8 if column is None else column)
        for joint, row, column in PLACES
    ]
    found = torch.tensor([maps.mean(), maps.std(), *(maps[place] for place in places)])
    expected = FIGURES[name, size]
    apart = (found - torch.tensor([expected.mean, expected.deviation, *expected.values])).abs().max()
    # Other processors add in another order.
    assert apart <= 1e-5 * maps.abs().max()


@pytest.mark.parametrize(("name", "head"), [("R50", ""), pytest.param("W32", "head", marks=pytest.mark.thorough)])
def test_the_heatmaps_are_those_of_the_reference(name, head, tmp_path):
    agree(name, "256x192", tmp_path, head)


@pytest.mark.thorough
@pytest.mark.parametrize("head", ["", "keypoint_head", "head"])
@pytest.mark.parametrize(("name", "size"), FIGURES)
def test_the_heatmaps_are_those_of_the_reference_for_every_network_and_layout(name, size, head, tmp_path):
    agree(name, size, tmp_path, head)

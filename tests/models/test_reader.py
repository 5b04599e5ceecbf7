"""All decoders as one module: the same as each of them alone, whatever the maps hold."""

from __future__ import annotations

import math

import pytest
import torch

from models.decoders import DECODERS, SubcellPeak, get_decoder, has_beta
from models.reader import DecoderReader
from models.readings import HEATMAP_DECODERS, PEAK, SHARED

HEIGHT, WIDTH, JOINTS = 64, 48, 7


def blobs(people: int = 2) -> torch.Tensor:
    """(N, K, H, W): a blob on each map, of another height and place each."""
    generator = torch.Generator().manual_seed(3)
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    place = torch.rand(people, JOINTS, 2, generator=generator) * torch.tensor([WIDTH - 1, HEIGHT - 1])
    squares = (x - place[..., 0, None, None]) ** 2 + (y - place[..., 1, None, None]) ** 2
    height = 0.2 + 0.8 * torch.rand(people, JOINTS, 1, 1, generator=generator)
    return height * torch.exp(-squares / 8) + 0.01 * torch.rand(people, JOINTS, HEIGHT, WIDTH, generator=generator)


def read(maps: torch.Tensor, beta: float | torch.Tensor = 10.0, **options):
    people = len(maps)
    landmarks, visibility = torch.full((people, JOINTS + 2, 2), 0.25), torch.full((people, JOINTS), 0.75)
    # The alignment points are slices 33 and 34 of the real network's landmarks.
    landmarks = torch.cat([landmarks, torch.full((people, 35 - JOINTS - 2, 2), 0.5)], 1)
    return DecoderReader()(maps, torch.zeros(people, 2, HEIGHT, WIDTH), landmarks, visibility, beta, **options)


@pytest.mark.parametrize("beta", [0.5, 10.0, 40.0, 41.0, 50.0, 500.0])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_each_decoder_reads_what_it_reads_alone(beta, as_tensor):
    maps = blobs()
    points, scores, _ = read(maps, torch.tensor(beta) if as_tensor else beta)
    size = torch.tensor([WIDTH, HEIGHT])
    for i, name in enumerate(HEATMAP_DECODERS):
        # In float64, and never as part of a graph.
        alone = get_decoder(name, beta=beta) if has_beta(name) else get_decoder(name)
        expected = alone(maps.double())
        # Measured: 3e-4 cells, plain ipr at β = 0.5; the others 2e-5.
        assert (points[:, i] * size - expected.points).abs().max() < 1e-3, name
        assert torch.allclose(scores[:, i].double(), expected.scores, atol=1e-6)
    assert (points[:, -2] == 0.25).all()
    assert (scores[:, -1] == 0.75).all()
    assert (points[:, -1] * size - SubcellPeak()(maps.double()).points).abs().max() < 1e-4


@pytest.mark.parametrize("beta", [10.0, torch.tensor(10.0)])
@pytest.mark.parametrize("value", [0.0, math.nan])
def test_a_map_without_a_peak_gives_its_middle_and_leaves_the_others_alone(beta, value):
    maps = blobs()
    good, _, _ = read(maps, beta)
    maps[0, 2] = value
    points, scores, _ = read(maps, beta)
    middle = torch.tensor([(WIDTH - 1) / 2 / WIDTH, (HEIGHT - 1) / 2 / HEIGHT])
    by_heatmap = [i for i in range(points.shape[1]) if i != len(DECODERS)]
    assert torch.allclose(points[0, by_heatmap, 2], middle.expand(len(by_heatmap), 2))
    assert (scores[0, : len(DECODERS), 2] == 0).all()
    assert torch.isfinite(points).all()
    others = [i for i in range(JOINTS) if i != 2]
    assert torch.equal(points[0][:, others], good[0][:, others])
    assert torch.equal(points[1], good[1])


def test_every_part_is_told_when_it_is_done():
    parts: list[str] = []
    read(blobs(1), lap=parts.append)
    assert parts == [SHARED, *HEATMAP_DECODERS, PEAK]

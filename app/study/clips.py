"""Variants of debiased IPR on the heatmaps of real clips."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from app.comparison.variants import Variant
from app.errors import UserError
from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter
from app.study.inputs import Footage, Network, Truth
from models.decoders import Decoder, prepare
from models.people import Person
from models.skeletons import COCO_FROM_BLAZEPOSE

MIN_PEAK = 0.3
# Cells further than this from a map's maximum are its background.
_BACKGROUND_FROM_CELLS = 10


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One variant on one clip, in px of the source.

    jitter_px, jitter_share: over the frames in which the person stands still (all, where that is not known), and as
        a share of the body. bias_px: root mean square distance to the sub-cell peak, over all frames.
    truth_median_px, truth_rms_px: distance to the true joints that can be seen, over all frames; NaN without truth.
    """

    clip: str
    variant: Variant
    frames: int
    jitter_px: float
    jitter_share: float
    bias_px: float
    truth_median_px: float
    truth_rms_px: float


@dataclass(frozen=True, slots=True)
class MapRow:
    """What the heatmaps of a clip look like, those with a peak of at least MIN_PEAK.

    background and noise: mean and standard deviation of the cells more than ten cells from the maximum.
    """

    clip: str
    maps: int
    peak_p5: float
    peak_p50: float
    peak_p95: float
    background_p50: float
    background_p95: float
    noise_p50: float
    noise_p95: float


def measure_clip(
    clip: Footage, network: Network, variants: list[Variant], most_frames: int, progress: Callable[[], object]
) -> tuple[list[ClipRow], MapRow]:
    """Follow the person through the clip and read each heatmap with every variant.

    `progress` is called after each frame. Raises SourceError, and UserError where nobody is seen.
    """
    estimator = network.follower()
    decoders = {str(i): variant.build() for i, variant in enumerate(variants)}
    jitter, bias = JitterMeter(math.inf), BiasMeter(math.inf)
    distances: list[NDArray[np.float64]] = []
    looks: list[NDArray[np.float64]] = []
    frames = 0
    for frame in clip.frames(most_frames):
        people = estimator.estimate(frame.image, keep_heatmaps=True).people
        progress()
        if not people:
            continue
        frames += 1
        person = _read(people[0], decoders)
        if clip.still is None or frame.index in clip.still:
            jitter.add(frame.time_ns, person)
        bias.add(frame.time_ns, person)
        looks.append(_looks(people[0]))
        if clip.truth is not None:
            distances.append(_distances(person, clip.truth, frame.index))
    if not frames:
        raise UserError(f"Nobody was seen in “{clip.name}”.")
    trembling, off = jitter.read(), bias.read()
    far = np.concatenate(distances, 1) if distances else np.full((len(variants), 1), math.nan)
    rows = [
        ClipRow(
            clip.name,
            variant,
            frames,
            trembling.overall.get(name, math.nan),
            trembling.body_share.get(name, math.nan),
            off.overall[name],
            float(np.median(far[i])),
            math.sqrt(float((far[i] ** 2).mean())),
        )
        for i, (name, variant) in enumerate(zip(decoders, variants, strict=True))
    ]
    return rows, _map_row(clip.name, np.concatenate(looks))


@torch.inference_mode()
def _read(person: Person, decoders: dict[str, Decoder]) -> Person:
    """The same person with the points of these decoders."""
    assert person.heatmaps is not None
    prepared = prepare(torch.from_numpy(person.heatmaps)[None])
    height, width = person.heatmaps.shape[-2:]
    points = {
        name: person.region.to_image(decoder.read(prepared).points[0].numpy() / (width, height)).astype(np.float32)
        for name, decoder in decoders.items()
    }
    return dataclasses.replace(person, points=points)


def _distances(person: Person, truth: Truth, index: int) -> NDArray[np.float64]:
    """(D, joints that can be seen): distance in px to the truth."""
    points = np.stack(list(person.points.values()))[:, list(COCO_FROM_BLAZEPOSE)]
    far: NDArray[np.float64] = np.linalg.norm(points - truth.joints[index], axis=-1)[:, truth.seen[index]]
    return far


def _looks(person: Person) -> NDArray[np.float64]:
    """(maps, 3): peak, mean and standard deviation of the background."""
    assert person.heatmaps is not None
    found = []
    for heatmap in person.heatmaps:
        peak = float(heatmap.max())
        if peak >= MIN_PEAK:
            row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
            rows, columns = np.ogrid[: heatmap.shape[0], : heatmap.shape[1]]
            background = heatmap[np.hypot(rows - row, columns - column) > _BACKGROUND_FROM_CELLS]
            found.append((peak, float(background.mean()), float(background.std())))
    return np.array(found).reshape(-1, 3)


def _map_row(clip: str, looks: NDArray[np.float64]) -> MapRow:
    if not len(looks):
        return MapRow(clip, 0, *[math.nan] * 7)
    peak, background, noise = looks.T
    return MapRow(
        clip,
        len(looks),
        *(float(np.quantile(peak, share)) for share in (0.05, 0.5, 0.95)),
        *(float(np.quantile(values, share)) for values in (background, noise) for share in (0.5, 0.95)),
    )

"""How the time per frame grows with the size of the frame, with the people, and with the decoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.bench.agreement import Followed, crowds
from app.bench.measure import TOTAL, Crops, Following, Spread, measure, spread
from app.frames import Image
from models.engines.engine import Engine
from models.estimator import PoseEstimator

SIZES = ((854, 480), (1280, 720), (1920, 1080), (3840, 2160))
PEOPLE = (1, 2, 4, 8)
# Of the clip: at 3840 × 2160 they fill 600 MB.
FRAMES = 24
# Engines that take the decoders apart only now and then do so at least every 32nd frame.
_MOST_FRAMES_FOR_PARTS = 384
_PARTS_WANTED = 12
# Without any until then, this engine does not tell them.
_TRIED_FOR_PARTS = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One row: time per frame at this size, and its growth since the row before (None in the first).

    label: for people. amount: pixels, or people.
    """

    label: str
    amount: int
    total: Spread
    time_ratio: float | None
    size_ratio: float | None

    @property
    def share_of_linear(self) -> float | None:
        """1 where the time grows as the size does, less where it grows more slowly."""
        if self.time_ratio is None or self.size_ratio is None:
            return None
        return self.time_ratio / self.size_ratio


@dataclass(frozen=True, slots=True)
class Part:
    """Median time of a part of the decoding, alone and with those before it, in ms."""

    name: str
    ms: float
    cumulative_ms: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """part_samples: frames in which the decoding was taken apart."""

    engine: str
    frames: int
    sizes: list[Step]
    people: list[Step]
    parts: list[Part]
    part_samples: int


def sweep(
    name: str,
    engine: Engine,
    frames: Sequence[Image],
    followed: Sequence[Followed | None],
    on_frame: Callable[[], object],
) -> Sweep:
    """Measure `engine` on FRAMES of `frames`, from the first in which the reference saw someone: `followed`."""
    first = next(i for i, one in enumerate(followed) if one is not None)
    frames, followed = frames[first : first + FRAMES], followed[first : first + FRAMES]
    parts, samples = _parts(engine, frames)
    return Sweep(
        name,
        len(frames),
        _sizes(engine, frames, on_frame),
        _people(engine, frames, followed, on_frame),
        parts,
        samples,
    )


def sweep_frames(count: int) -> int:
    """How often `on_frame` is called for a clip with so many frames."""
    return (len(SIZES) + len(PEOPLE)) * min(count, FRAMES)


def resized(image: Image, width: int, height: int) -> Image:
    """As many pixels as width × height, in the picture's own proportions."""
    scale = math.sqrt(width * height / (image.shape[0] * image.shape[1]))
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _sizes(engine: Engine, frames: Sequence[Image], on_frame: Callable[[], object]) -> list[Step]:
    scaled = [[resized(image, *size) for image in frames] for size in SIZES]
    cases = [Following(PoseEstimator(engine), images) for images in scaled]
    totals = [spread(samples.stage_ns(TOTAL)) for samples in measure(cases, on_frame)]
    shapes = [images[0].shape for images in scaled]
    return steps([(f"{width} × {height}", width * height) for height, width, _ in shapes], totals)


def _people(
    engine: Engine,
    frames: Sequence[Image],
    followed: Sequence[Followed | None],
    on_frame: Callable[[], object],
) -> list[Step]:
    cases = [Crops(PoseEstimator(engine), frames, crowds(followed, count)) for count in PEOPLE]
    totals = [spread(samples.stage_ns(TOTAL)) for samples in measure(cases, on_frame)]
    return steps([(str(count), count) for count in PEOPLE], totals)


def steps(sizes: Sequence[tuple[str, int]], totals: Sequence[Spread | None]) -> list[Step]:
    """Rows of (label, amount) and their times, each with its growth since the one before."""
    rows: list[Step] = []
    for (label, amount), total in zip(sizes, totals, strict=True):
        if total is None:
            continue
        before = rows[-1] if rows else None
        time_ratio = total.p50 / before.total.p50 if before else None
        rows.append(Step(label, amount, total, time_ratio, amount / before.amount if before else None))
    return rows


def _parts(engine: Engine, frames: Sequence[Image]) -> tuple[list[Part], int]:
    case = Following(PoseEstimator(engine), frames)
    samples: dict[str, list[int]] = {}
    taken = 0
    for i in range(_MOST_FRAMES_FOR_PARTS):
        parts = case.run(i % len(frames)).parts
        taken += bool(parts)
        for name, spent in parts.items():
            samples.setdefault(name, []).append(spent)
        if taken == _PARTS_WANTED or (not taken and i > _TRIED_FOR_PARTS):
            break
    medians = {name: float(np.median(spent)) / 1e6 for name, spent in samples.items()}
    sums = np.cumsum(list(medians.values()))
    return [Part(name, ms, float(until)) for (name, ms), until in zip(medians.items(), sums, strict=True)], taken

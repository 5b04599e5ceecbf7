"""Jitter and bias of every decoder on still pictures, with the crop following the person and with it held still."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from app.errors import UserError
from app.frames import Image
from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter
from app.study.inputs import FPS, SETTLING_FRAMES, Clip, Network
from models.decoders import DECODERS
from models.people import Person
from models.readings import DEFAULT_BETA

FOLLOWED, HELD = "followed", "held"
# “By far the largest bias”: so many times the next.
BY_FAR = 3.0


@dataclass(frozen=True, slots=True)
class StillRow:
    """One decoder on one case, in px of the source and as a share of the body.

    noise: standard deviation in grey levels of 255 that was added anew to each frame; 0 for a clip as it is.
    crop: `followed` or `held`. jitter_px and bias_px: root mean square over the joints; jitter_median_px: of the joint
        in the middle, which one joint that jumps between two places does not touch.
    """

    case: str
    noise: float
    crop: str
    decoder: str
    frames: int
    joints: int
    jitter_px: float
    jitter_share: float
    jitter_median_px: float
    bias_px: float
    bias_share: float


def still_frames(clip: Clip) -> Iterator[Image]:
    """The frames in which the person stands still, and those that the crop needs to settle before them."""
    assert clip.still is not None
    frames = clip.frames(clip.still.stop)
    for frame in islice(frames, clip.still.start - SETTLING_FRAMES, None):
        yield frame.image


def measure_still(
    case: str, noise: float, images: Iterator[Image], frames: int, network: Network, progress: Callable[[], object]
) -> list[StillRow]:
    """Read the same pictures twice: following the person as in normal use, and with the crop of the first frame.

    `progress` is called after each frame. Raises UserError where the person is not seen in each.
    """
    estimator = network.follower()
    meters = {crop: (JitterMeter(math.inf), BiasMeter(math.inf)) for crop in (FOLLOWED, HELD)}
    region, count = None, 0
    for i, image in enumerate(islice(images, SETTLING_FRAMES + frames)):
        people = estimator.estimate(image).people
        progress()
        if not people:
            raise UserError(f"Nobody was seen in “{case}”, frame {i}.")
        if i < SETTLING_FRAMES:
            continue
        region = region or people[0].region
        held = network.read_held(image, region, DEFAULT_BETA)
        time_ns = round(count * 1e9 / FPS)
        for crop, person in ((FOLLOWED, people[0]), (HELD, held)):
            _add(meters[crop], time_ns, person)
        count += 1
    return [row for crop in meters for row in _rows(case, noise, crop, count, meters[crop])]


def _add(meters: tuple[JitterMeter, BiasMeter], time_ns: int, person: Person) -> None:
    for meter in meters:
        meter.add(time_ns, person)


def _rows(case: str, noise: float, crop: str, frames: int, meters: tuple[JitterMeter, BiasMeter]) -> list[StillRow]:
    jitter, bias = meters[0].read(), meters[1].read()
    return [
        StillRow(
            case,
            noise,
            crop,
            decoder,
            frames,
            bias.joints,
            jitter.overall[decoder],
            jitter.body_share[decoder],
            float(np.nanmedian(jitter.per_joint[decoder])) if jitter.joints else math.nan,
            bias.overall[decoder],
            bias.body_share[decoder],
        )
        for decoder in bias.overall
    ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which heatmap decoder trembles least and which is furthest off in one case (regression reads no heatmap).

    as_expected: debiased IPR trembles least and IPR has by far (BY_FAR times the next) the largest bias.
    """

    case: str
    noise: float
    crop: str
    steadiest: str
    most_biased: str
    times_the_next: float
    jitter_px: dict[str, float]
    bias_px: dict[str, float]

    @property
    def debiased_to_steadiest(self) -> float:
        """Jitter of debiased IPR over the lowest, at least 1."""
        return self.jitter_px["debiased"] / self.jitter_px[self.steadiest]

    @property
    def as_expected(self) -> bool:
        return self.steadiest == "debiased" and self.ipr_by_far

    @property
    def ipr_by_far(self) -> bool:
        """Whether IPR has by far the largest bias."""
        return self.most_biased == "ipr" and self.times_the_next >= BY_FAR


def verdicts(rows: list[StillRow]) -> list[Verdict]:
    """One for each case, noise and crop, in the order of the rows."""
    groups: dict[tuple[str, float, str], list[StillRow]] = {}
    for row in rows:
        if row.decoder in DECODERS:
            groups.setdefault((row.case, row.noise, row.crop), []).append(row)
    found = []
    for (case, noise, crop), group in groups.items():
        jitter = {row.decoder: row.jitter_px for row in group}
        bias = {row.decoder: row.bias_px for row in group}
        most_biased = max(bias, key=bias.__getitem__)
        next_bias = max(px for decoder, px in bias.items() if decoder != most_biased)
        steadiest = min(jitter, key=jitter.__getitem__)
        found.append(Verdict(case, noise, crop, steadiest, most_biased, bias[most_biased] / next_bias, jitter, bias))
    return found

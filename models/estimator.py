"""Image in, people out: detect or follow -> crop -> network -> every decoder. Plain numpy around an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.engines.choice import open_engine
from models.engines.engine import Engine
from models.people import Person
from models.readings import DEFAULT_BETA, TO_IMAGE, checked_beta
from models.regions import Region, letterbox, region_from_alignment
from models.stage_clock import DECODE, StageClock

# A recorded network is optimised in its second run.
_WARM_UP_RUNS = 3


@dataclass(frozen=True, slots=True)
class EstimateTimes:
    """Nanoseconds spent on one image, by stage, the device's work included.

    decode: everything from the heatmaps to points in the image. decoders: the parts of it, each decoder by its name,
    or empty where this frame's were not taken apart;
    "shared" is what all of them need once (where each map's maximum is), "peak" the reference of the bias meter, and
    "to image" the transfer from the device and the way from the crop into the image.
    """

    preprocess: int = 0
    detect: int = 0
    network: int = 0
    decode: int = 0
    decoders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The people in one image and the time it took to find them."""

    people: tuple[Person, ...]
    times: EstimateTimes


class PoseEstimator:
    """Follows one person from image to image. Not thread-safe: one thread calls it.

    A new person is looked for by the detector. While the network says that its crop holds a person, the next crop
    comes from the network's own alignment points, so it does not depend on any decoder. It stays where it is as long
    as the person does (`Region.followed_to`).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._region: Region | None = None
        self._person_id = 0
        self.device_label = engine.label
        self.warning = engine.warning

    @classmethod
    def load(cls, bundle: Path, device: str = "auto", sha256: str | None = None, engine: str = "auto") -> PoseEstimator:
        """Open a .task bundle on a device and run it a few times, since first runs are slow.

        CUDA graphs are recorded anew for each size of picture: there the first frame takes longer all the same.

        device, engine: see `models.engines.choice.open_engine`. Raises BundleError or DeviceError with one sentence.
        """
        estimator = cls(open_engine(bundle, device, sha256, engine))
        blank = np.zeros((256, 256, 3), np.uint8)
        estimator.detect(blank)
        for _ in range(_WARM_UP_RUNS):
            estimator.read(blank, [letterbox(256, 256)])
        return estimator

    def reset(self) -> None:
        """Forget the person who is being followed; the next image starts with the detector."""
        self._region = None

    def estimate(
        self, image: NDArray[np.uint8], beta: float = DEFAULT_BETA, *, keep_heatmaps: bool = False
    ) -> Estimate:
        """People in `image` (H, W, 3) uint8 BGR, read by every decoder, ipr and debiased with this `beta`.

        keep_heatmaps: give each person their heatmaps too. On the CPU, where it costs nothing, they always are.
        """
        checked_beta(beta)
        clock = self._engine.clock()
        uploaded = self._engine.upload(image)
        person = None
        if self._region is not None:
            person = self._follow(uploaded, self._region, beta, clock, keep_heatmaps)
        if person is None:
            self._region = self._find_person(uploaded, image.shape[:2], clock)
            if self._region is not None:
                self._person_id += 1
                person = self._follow(uploaded, self._region, beta, clock, keep_heatmaps)
        return Estimate(() if person is None else (person,), _stage_times(clock))

    def detect(self, image: NDArray[np.uint8]) -> list[Region]:
        """The crop of every person whom the detector sees in `image` (H, W, 3) uint8 BGR, the best first."""
        return self._detected(self._engine.upload(image), image.shape[:2], self._engine.clock())

    def read(
        self,
        image: NDArray[np.uint8],
        regions: Sequence[Region],
        beta: float = DEFAULT_BETA,
        *,
        keep_heatmaps: bool = False,
    ) -> Estimate:
        """Whoever is in these crops of `image` (H, W, 3) uint8 BGR, one person for each; nobody is followed."""
        checked_beta(beta)
        if not regions:
            return Estimate((), EstimateTimes())
        clock = self._engine.clock()
        readings = self._engine.read(self._engine.upload(image), regions, beta, clock, keep_heatmaps=keep_heatmaps)
        people = tuple(readings.person(i, region, i) for i, region in enumerate(regions))
        clock.lap(TO_IMAGE)
        return Estimate(people, _stage_times(clock))

    def _detected(self, uploaded: object, size: Sequence[int], clock: StageClock) -> list[Region]:
        square = letterbox(*size)
        found = self._engine.detect(uploaded, clock)
        points = [square.to_image(detection.keypoints[:2]) for detection in found]
        return [region_from_alignment(center, scale) for center, scale in points]

    def _find_person(self, uploaded: object, size: Sequence[int], clock: StageClock) -> Region | None:
        regions = self._detected(uploaded, size, clock)
        return regions[0] if regions else None

    def _follow(
        self, uploaded: object, region: Region, beta: float, clock: StageClock, keep_heatmaps: bool
    ) -> Person | None:
        """The person in this region; sets the next one, or None where the person was lost."""
        readings = self._engine.read(uploaded, [region], beta, clock, keep_heatmaps=keep_heatmaps)
        if not readings.holds_person(0):
            self._region = None
            return None
        person = readings.person(0, region, self._person_id)
        self._region = readings.next_region(0, region)
        clock.lap(TO_IMAGE)
        return person


def _stage_times(clock: StageClock) -> EstimateTimes:
    """Sort the clock's laps: stages of the frame, and the parts of its decoding."""
    spent = dict(clock.times())
    stages = {stage: spent.pop(stage, 0) for stage in ("preprocess", "detect", "network")}
    decode = sum(spent.values())
    if DECODE in spent:
        spent = {**clock.parts, TO_IMAGE: spent[TO_IMAGE]} if clock.parts and TO_IMAGE in spent else {}
    return EstimateTimes(**stages, decode=decode, decoders=spent)

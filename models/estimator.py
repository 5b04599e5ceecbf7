"""Image in, people out: detect or follow -> crop -> network -> every decoder. Plain numpy around an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.engines.choice import BundleFile, open_engine
from models.engines.engine import Engine
from models.head_file import OWN, TrainedHead
from models.people import Person
from models.readings import DEFAULT_BETA, TO_IMAGE, checked_beta
from models.regions import Region, letterbox, search_squares
from models.stage_clock import DECODE, StageClock
from models.tracking import PeopleTracker

_IMAGE_NS = 33_333_333
# So many images after the one in which the detector looks aside, those it found are followed.
_SEARCH_IMAGES = 2
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
    """The people in one image and the time it took to find them.

    heads: for each decoder of heatmaps the head whose maps it read; empty where there are none but the shipped ones.
    """

    people: tuple[Person, ...]
    times: EstimateTimes
    heads: Mapping[str, str] = field(default_factory=dict)


class PoseEstimator:
    """Follows people from image to image, one unless `most_people` says more. Not thread-safe: one thread calls it.

    New people are looked for by the detector: in every image while there is nobody, else now and then
    (`models.tracking`). While the network says that its crop holds a person, the next crop comes from the network's own
    alignment points, so it does not depend on any decoder. It stays where it is as long as the person does
    (`Region.followed_to`).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tracker = PeopleTracker()
        self._images = 0
        self._is_first = True
        self._search: _Search | None = None
        self.head_choice = OWN
        self.traits = engine.traits
        self.decoders = engine.traits.decoders
        self.device_label = engine.label
        self.warning = engine.warning

    @classmethod
    def load(
        cls,
        bundle: Path,
        device: str = "auto",
        sha256: str | None = None,
        engine: str = "auto",
        detector: BundleFile | None = None,
        heads: Sequence[TrainedHead] = (),
    ) -> PoseEstimator:
        """Open a .task bundle or a checkpoint on a device and run it a few times, since first runs are slow.

        CUDA graphs are recorded anew for each size of picture: there the first frame takes longer all the same.

        device, engine, detector, heads: see `models.engines.choice.open_engine`. Raises BundleError, DeviceError or
        HeadError with one sentence.
        """
        estimator = cls(open_engine(bundle, device, sha256, engine, detector, heads))
        blank = np.zeros((256, 256, 3), np.uint8)
        estimator.detect(blank)
        for _ in range(_WARM_UP_RUNS):
            estimator.read(blank, [letterbox(256, 256)])
        return estimator

    @property
    def most_people(self) -> int:
        """How many are followed at most; may be changed between two images."""
        return self._tracker.most_people

    @most_people.setter
    def most_people(self, count: int) -> None:
        self._tracker.most_people = count

    def reset(self) -> None:
        """Forget the people who are being followed; the next image starts with the detector."""
        self.close()
        self._tracker.forget()
        self._is_first = True

    def close(self) -> None:
        """End the detector's thread; may be called again, and the next image may come all the same."""
        if self._search is not None:
            self._search.result()
        self._search = None

    def estimate(
        self,
        image: NDArray[np.uint8],
        beta: float = DEFAULT_BETA,
        *,
        time_ns: int | None = None,
        keep_heatmaps: bool = False,
    ) -> Estimate:
        """People in `image` (H, W, 3) uint8 BGR, read by every decoder, ipr and debiased with this `beta`; sorted by
        their numbers.

        time_ns: when it was taken, rising from image to image; without it, 30 images are a second.
        keep_heatmaps: give each person their heatmaps too. On the CPU, where it costs nothing, they always are.
        """
        checked_beta(beta)
        self._images += 1
        time_ns = self._images * _IMAGE_NS if time_ns is None else time_ns
        self._engine.heads.choice = self.head_choice
        clock = self._engine.clock()
        uploaded = self._engine.upload(image)
        self._take_in_newcomers(clock)
        people = self._follow(uploaded, beta, time_ns, clock, keep_heatmaps)
        squares = search_squares(*image.shape[:2]) if self.most_people > 1 else (letterbox(*image.shape[:2]),)
        if self._tracker.follows_nobody:
            # Everywhere in the first picture, which may be the only one; then in one more square each time.
            look = None if self._is_first else self._tracker.next_look(time_ns, squares)
            for square in squares if look is None else dict.fromkeys((squares[0], look)):
                self._tracker.add(self._detected(uploaded, square, clock), time_ns)
            people = self._follow(uploaded, beta, time_ns, clock, keep_heatmaps)
        elif self._search is None and (look := self._tracker.next_look(time_ns, squares)) is not None:
            self._search = _Search(lambda: self._detected(uploaded, look, self._engine.clock()), time_ns)
            if not self._engine.detects_aside:
                self._take_in_newcomers(clock)
        self._is_first = False
        return Estimate(people, _stage_times(clock), self._engine.heads.labels())

    def detect(self, image: NDArray[np.uint8]) -> list[Region]:
        """The crop of every person whom the detector sees in `image` (H, W, 3) uint8 BGR, the best first."""
        return self._detected(self._engine.upload(image), letterbox(*image.shape[:2]), self._engine.clock())

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
        self._engine.heads.choice = self.head_choice
        clock = self._engine.clock()
        readings = self._engine.read(self._engine.upload(image), regions, beta, clock, keep_heatmaps=keep_heatmaps)
        people = tuple(readings.person(i, region, i) for i, region in enumerate(regions))
        clock.lap(TO_IMAGE)
        return Estimate(people, _stage_times(clock), self._engine.heads.labels())

    def _take_in_newcomers(self, clock: StageClock) -> None:
        """Whoever the detector found aside, always as many images later: a clip is read alike each time."""
        search = self._search
        if search is None:
            return
        search.images += 1
        if search.images >= _SEARCH_IMAGES or not self._engine.detects_aside:
            self._search = None
            self._tracker.add(search.result(), search.time_ns)
            clock.lap("detect")

    def _detected(self, uploaded: object, square: Region, clock: StageClock) -> list[Region]:
        found = self._engine.detect(uploaded, square, clock)
        points = [square.to_image(detection.keypoints[:2]) for detection in found]
        return [self._engine.traits.region_of_detection(center, scale) for center, scale in points]

    def _follow(
        self, uploaded: object, beta: float, time_ns: int, clock: StageClock, keep_heatmaps: bool
    ) -> tuple[Person, ...]:
        """Whoever is in the crops of those who are followed."""
        regions = self._tracker.regions
        if not regions:
            return ()
        readings = self._engine.read(uploaded, regions, beta, clock, keep_heatmaps=keep_heatmaps)
        kept = self._tracker.update(readings, time_ns)
        people = tuple(readings.person(one.index, regions[one.index], one.person_id, one.slot) for one in kept)
        clock.lap(TO_IMAGE)
        return people


class _Search:
    """The detector at work in a thread of its own, while the network reads those who are known.

    time_ns: of the image in which it looks. images: how many came after that one.
    """

    def __init__(self, detect: Callable[[], list[Region]], time_ns: int) -> None:
        self.time_ns = time_ns
        self.images = 0
        self._found: list[Region] | BaseException = []
        self._thread = threading.Thread(target=self._run, args=(detect,), name="posescope-detect", daemon=True)
        self._thread.start()

    def _run(self, detect: Callable[[], list[Region]]) -> None:
        try:
            self._found = detect()
        except BaseException as error:
            self._found = error

    def result(self) -> list[Region]:
        """Waits for it. Raises whatever the detector raised."""
        self._thread.join()
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


def _stage_times(clock: StageClock) -> EstimateTimes:
    """Sort the clock's laps: stages of the frame, and the parts of its decoding."""
    spent = dict(clock.times())
    stages = {stage: spent.pop(stage, 0) for stage in ("preprocess", "detect", "network")}
    decode = sum(spent.values())
    if DECODE in spent:
        spent = {**clock.parts, TO_IMAGE: spent[TO_IMAGE]} if clock.parts and TO_IMAGE in spent else {}
    return EstimateTimes(**stages, decode=decode, decoders=spent)

"""Image in, people out: detect or follow -> crop -> network -> every decoder. The numpy boundary of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.blazepose import ALIGNMENT, JOINT_COUNT, PRESENCE_THRESHOLD, LandmarkOutput, refined_landmarks
from models.bundle import open_bundle
from models.decoders import DECODERS, DEFAULT_BETA, Decoder, SubcellPeak, get_decoder, has_beta, prepare
from models.devices import choose_device
from models.engines.torch_engine import TorchEngine
from models.people import Person
from models.regions import Region, letterbox, region_from_alignment
from models.stage_clock import StageClock

REGRESSION = "regression"
# A recorded network is optimised in its second run.
_WARM_UP_RUNS = 3
# Parts of the decoding that are no decoder.
SHARED, PEAK, TO_IMAGE = "shared", "peak", "to image"
DECODER_NAMES: tuple[str, ...] = (*DECODERS, REGRESSION)


@dataclass(frozen=True, slots=True)
class EstimateTimes:
    """Nanoseconds spent on one image, by stage, the device's work included.

    decode: everything from the heatmaps to points in the image. decoders: the parts of it, each decoder by its name;
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

    def __init__(self, engine: TorchEngine) -> None:
        self._engine = engine
        self._region: Region | None = None
        self._person_id = 0
        self._peak_finder = SubcellPeak()
        self._decoders: dict[str, Decoder] = {}
        self._beta = 0.0
        self.device_label = engine.device.label
        self.warning = engine.device.warning

    @classmethod
    def load(cls, bundle: Path, device: str = "auto", sha256: str | None = None) -> PoseEstimator:
        """Open a .task bundle on a device and run it once.

        Raises BundleError or DeviceError with one sentence.
        """
        engine = TorchEngine(open_bundle(bundle, sha256), choose_device(device))
        estimator = cls(engine)
        estimator._warm_up()
        return estimator

    @torch.inference_mode()
    def _warm_up(self) -> None:
        """Run everything once, so that the first frame is not slower than the others."""
        blank = np.zeros((self._engine.detector_size, self._engine.detector_size, 3), np.uint8)
        self._engine.detect(blank)
        for _ in range(_WARM_UP_RUNS):
            output = self._engine.landmarks(self._crop_batch(blank, letterbox(*blank.shape[:2])))
        self._decode(output, DEFAULT_BETA, StageClock(self._engine.device.torch_device))
        self._engine.synchronize()

    def reset(self) -> None:
        """Forget the person who is being followed; the next image starts with the detector."""
        self._region = None

    def estimate(
        self, image: NDArray[np.uint8], beta: float = DEFAULT_BETA, *, keep_heatmaps: bool = False
    ) -> Estimate:
        """People in `image` (H, W, 3) uint8 BGR, read by every decoder, ipr and debiased with this `beta`.

        keep_heatmaps: give each person their heatmaps too. On the CPU, where it costs nothing, they always are.
        """
        with torch.inference_mode():
            clock = StageClock(self._engine.device.torch_device)
            person = self._follow(image, beta, clock, keep_heatmaps) if self._region is not None else None
            if person is None:
                self._region = self._find_person(image, clock)
                if self._region is not None:
                    self._person_id += 1
                    person = self._follow(image, beta, clock, keep_heatmaps)
            return Estimate(() if person is None else (person,), _stage_times(clock.times()))

    def _find_person(self, image: NDArray[np.uint8], clock: StageClock) -> Region | None:
        square = letterbox(*image.shape[:2])
        pixels = square.cut(image, self._engine.detector_size)
        clock.lap("preprocess")
        detections = self._engine.detect(pixels)
        clock.lap("detect")
        if not detections:
            return None
        points = square.to_image(detections[0].keypoints[:2])
        return region_from_alignment(points[0], points[1])

    def _follow(self, image: NDArray[np.uint8], beta: float, clock: StageClock, keep_heatmaps: bool) -> Person | None:
        """The person in the current region; sets the next region, or None where the person was lost."""
        region = self._region
        assert region is not None
        crops = self._crop_batch(image, region)
        clock.lap("preprocess")
        output = self._engine.landmarks(crops)
        clock.lap("network")
        presence = float(output.presence[0])
        if not presence >= PRESENCE_THRESHOLD:
            self._region = None
            return None
        points, scores, alignment = self._decode(output, beta, clock)
        self._region = region.followed_to(region_from_alignment(*region.to_image(alignment)))
        in_image = region.to_image(points).astype(np.float32)
        keep_heatmaps = keep_heatmaps or self._engine.device.torch_device.type == "cpu"
        heatmaps = output.heatmaps[0, :JOINT_COUNT].cpu().numpy() if keep_heatmaps else None
        clock.lap(TO_IMAGE)
        return Person(
            id=self._person_id,
            region=region,
            presence=presence,
            points=dict(zip(DECODER_NAMES, in_image[:-1], strict=True)),
            scores=dict(zip(DECODER_NAMES, scores, strict=True)),
            peaks=in_image[-1],
            heatmaps=heatmaps,
        )

    def _crop_batch(self, image: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
        return region.cut(image, self._engine.landmark_size, extend=True)[None]

    def _decode(
        self, output: LandmarkOutput, beta: float, clock: StageClock
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Read one crop's heatmaps with every decoder, in one transfer from the device.

        Returns points (D + 1, K, 2) as shares of the crop, in the order of DECODER_NAMES with the sub-cell peak last;
        scores (D, K); alignment points (2, 2) as shares of the crop.
        """
        if beta != self._beta:
            self._decoders = {
                name: get_decoder(name, beta=beta) if has_beta(name) else get_decoder(name) for name in DECODERS
            }
            self._beta = beta
        maps = output.heatmaps[:, :JOINT_COUNT]
        prepared = prepare(maps)
        prepared.around(1)
        clock.lap(SHARED)
        decoded = []
        for name, decoder in (*self._decoders.items(), (PEAK, self._peak_finder)):
            decoded.append(decoder.read(prepared))
            clock.lap(name)
        # Cell c stands for c / size of the crop (not (c + 0.5) / size): the network's own refinement uses that.
        size = maps.new_tensor((maps.shape[-1], maps.shape[-2]))
        shares = [points[0] / size for points, _ in decoded]
        points = torch.stack([*shares[:-1], output.landmarks[0, :JOINT_COUNT], shares[-1]])
        scores = torch.stack([*(d.scores[0] for d in decoded[:-1]), output.visibility[0, :JOINT_COUNT]])
        packed = torch.cat((points.flatten(), scores.flatten(), refined_landmarks(output, ALIGNMENT)[0].flatten()))
        values = packed.cpu().numpy()
        split = np.split(values, [points.numel(), points.numel() + scores.numel()])
        return split[0].reshape(points.shape), split[1].reshape(scores.shape), split[2].reshape(2, 2)


def _stage_times(spent: Mapping[str, int]) -> EstimateTimes:
    """Sort the clock's laps: stages of the frame, and the parts of its decoding."""
    stages = {stage: spent.get(stage, 0) for stage in ("preprocess", "detect", "network")}
    decoders = {part: ns for part, ns in spent.items() if part not in stages}
    return EstimateTimes(**stages, decode=sum(decoders.values()), decoders=decoders)

"""Runs SimpleBaseline or HRNet on the crops of people whom BlazePose's detector finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.blazepose import PersonDetector
from models.bundle import Bundle
from models.detections import Detection, detections_from, detector_anchors
from models.devices import Device
from models.engines.device_clock import clock_for
from models.engines.torch_engine import cpu_threads
from models.head_file import LoadedHeads
from models.readings import TO_IMAGE, CropReadings
from models.regions import Region
from models.stage_clock import StageClock
from models.top_down.following import alignment_points, presence_of
from models.top_down.network import TopDownNetwork
from models.top_down.reading import read_maps
from models.traits import top_down_traits


class Networks(Protocol):
    """Detector and pose network on one device.

    name: torch or openvino. label: what the user is shown. device: where `maps` leaves the heatmaps.
    """

    name: str
    label: str
    device: torch.device
    detector_size: int

    def boxes(self, square: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A square (S, S, 3) uint8 BGR -> raw boxes (A, 12) and logits (A,) of the detector."""

    def maps(self, crops: NDArray[np.uint8]) -> Tensor:
        """Crops (N, H, W, 3) uint8 BGR -> heatmaps (N, 17, H / 4, W / 4) float32, as regressed."""


class TopDownEngine:
    """See `models.engines.engine.Engine`. Joints stand in the places of BLAZEPOSE_33; those that COCO does not have are
    NaN with the score 0, and their heatmaps are 0 everywhere.
    """

    def __init__(self, networks: Networks, input_size: tuple[int, int], warning: str | None = None) -> None:
        self.name, self.label, self.warning = networks.name, networks.label, warning
        self.traits = top_down_traits(input_size)
        self.heads = LoadedHeads()
        self.detects_aside = networks.device.type == "cpu"
        self._networks = networks
        self._anchors = detector_anchors(networks.detector_size)

    def clock(self) -> StageClock:
        return clock_for(self._networks.device)

    def upload(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image

    def detect(self, image: NDArray[np.uint8], square: Region, clock: StageClock) -> list[Detection]:
        size = self._networks.detector_size
        pixels = square.cut(image, size)
        clock.lap("preprocess")
        people = detections_from(*self._networks.boxes(pixels), self._anchors, size)
        clock.lap("detect")
        return people

    @torch.inference_mode()
    def read(
        self,
        image: NDArray[np.uint8],
        regions: Sequence[Region],
        beta: float,
        clock: StageClock,
        *,
        keep_heatmaps: bool,
    ) -> CropReadings:
        crops = np.stack([self.traits.cut(image, region) for region in regions])
        clock.lap("preprocess")
        maps = self._networks.maps(crops)
        clock.lap("network")
        read = read_maps(maps, beta, clock.lap)
        # One transfer from the device, not three.
        places = torch.cat((read.points, read.peaks[:, None]), 1)
        values = torch.cat((places, read.scores[:, None, :, None].expand(-1, places.shape[1], -1, 1)), -1).cpu().numpy()
        points, scores = values[..., :2], values[..., 0, :, 2]
        keep_heatmaps = keep_heatmaps or self._networks.device.type == "cpu"
        kept = self.traits.placed(read.maps.cpu().numpy(), 1, 0.0) if keep_heatmaps else None
        largest = float(max(image.shape[:2]))
        alignment = [alignment_points(*parts, largest) for parts in zip(points[:, -1], scores, regions, strict=True)]
        all_points = self.traits.placed(points, 2, np.nan)
        all_scores = self.traits.placed(scores, 1, 0.0)
        clock.lap(TO_IMAGE)
        return CropReadings(
            points=all_points[:, :-1],
            scores=np.repeat(all_scores[:, None], len(self.traits.decoders), 1),
            peaks=all_points[:, -1],
            alignment=np.stack(alignment),
            presence=presence_of(scores),
            heatmaps=kept,
            decoders=self.traits.decoders,
        )


class TorchNetworks:
    """Both in torch, in float32, several crops at once."""

    name = "torch"

    def __init__(self, network: TopDownNetwork, detector: Bundle, device: Device) -> None:
        self.device = device.torch_device
        self.label = f"{device.label} (torch)" if self.device.type == "cpu" else device.label
        if self.device.type == "cpu":
            torch.set_num_threads(cpu_threads())
        # By default torch rounds to tf32 in convolutions on a GPU.
        torch.backends.cudnn.allow_tf32 = False
        self._detector = PersonDetector(detector.detector)
        self._network = network
        for module in (self._detector, self._network):
            module.eval().requires_grad_(False).to(self.device)
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.detector_size = self._detector.input_size[0]

    @torch.inference_mode()
    def boxes(self, square: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        boxes, logits = self._detector(self._to_device(square[None]) / 127.5 - 1.0)
        return boxes[0].cpu().numpy(), logits[0].cpu().numpy()

    @torch.inference_mode()
    def maps(self, crops: NDArray[np.uint8]) -> Tensor:
        maps: Tensor = self._network(self._to_device(crops) / 255.0)
        return maps

    def _to_device(self, images: NDArray[np.uint8]) -> Tensor:
        """(N, H, W, 3) uint8 BGR -> (N, 3, H, W) float32 RGB on the device, channels last in memory."""
        return torch.from_numpy(images).to(self.device, torch.float32).flip(-1).permute(0, 3, 1, 2)

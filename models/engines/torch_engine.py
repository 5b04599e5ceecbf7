"""Runs the networks of a bundle in torch, layer by layer: the reference on the CPU, and the way on MPS."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.blazepose import ALIGNMENT, JOINT_COUNT, LandmarkNetwork, LandmarkOutput, PersonDetector
from models.bundle import Bundle
from models.detections import Detection, detections_from
from models.devices import Device
from models.engines.device_clock import clock_for
from models.head_file import LoadedHeads, TrainedHead
from models.heads import HeadedNetwork
from models.reader import DecoderReader
from models.readings import TO_IMAGE, CropReadings
from models.regions import Region
from models.stage_clock import StageClock
from models.traits import BLAZEPOSE

_MOST_CPU_THREADS = 4


def cpu_threads() -> int:
    """Threads for the network: one core is left to the window and the encoder, and layers this small share badly.

    Measured on two cores, a frame with the full network: one thread 22 ms, two that sleep while they wait 36 ms, two
    that spin 17 ms; beside one busy program 48, 60 and 786 ms.
    """
    return max(1, min(_MOST_CPU_THREADS, (os.cpu_count() or 1) - 1))


class TorchEngine:
    """Both networks on one device, in float32; crops are cut on the CPU. See `models.engines.engine.Engine`.

    heads: trained for this network. Raises HeadError for others.
    """

    name = "torch"
    traits = BLAZEPOSE

    def __init__(self, bundle: Bundle, device: Device, heads: Sequence[TrainedHead] = ()) -> None:
        self.device = device
        self.detects_aside = device.torch_device.type == "cpu"
        self.label = f"{device.label} (torch)" if device.torch_device.type == "cpu" else device.label
        self.warning = device.warning
        if device.torch_device.type == "cpu":
            torch.set_num_threads(cpu_threads())
        # By default torch rounds to tf32 in convolutions on a GPU: no reference.
        torch.backends.cudnn.allow_tf32 = False
        self.heads = LoadedHeads(heads)
        network = LandmarkNetwork(bundle.landmarks)
        self._landmarks: LandmarkNetwork | HeadedNetwork = HeadedNetwork(network, heads) if heads else network
        self._detector = PersonDetector(bundle.detector)
        modules: tuple[nn.Module, ...] = (self._landmarks, self._detector)
        for module in modules:
            module.eval().requires_grad_(False).to(device.torch_device)
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self._reader = DecoderReader()
        self.landmark_size = self._landmarks.input_size[0]
        self.detector_size = self._detector.input_size[0]
        self._one_crop = _in_one_call(self._landmarks) if device.torch_device.type == "cpu" else self._landmarks

    def clock(self) -> StageClock:
        return clock_for(self.device.torch_device)

    def upload(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image

    @torch.inference_mode()
    def detect(self, image: NDArray[np.uint8], square: Region, clock: StageClock) -> list[Detection]:
        pixels = square.cut(image, self.detector_size)
        clock.lap("preprocess")
        boxes, logits = self._detector(self._to_device(pixels[None]) / 127.5 - 1.0)
        people = detections_from(
            boxes[0].cpu().numpy(), logits[0].cpu().numpy(), self._detector.anchors, self.detector_size
        )
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
        crops = np.stack([region.cut(image, self.landmark_size, extend=True) for region in regions])
        clock.lap("preprocess")
        output, head_maps = self._run(crops)
        clock.lap("network")
        maps = [output.heatmaps[:, :JOINT_COUNT], *head_maps]
        read = self.heads.maps_read()
        kinds = tuple(maps[i] for i in (read if len(set(read)) > 1 else read[:1]))
        points, scores, alignment = self._reader(
            kinds if len(kinds) > 1 else kinds[0],
            output.heatmaps[:, ALIGNMENT],
            output.landmarks,
            output.visibility,
            beta,
            clock.lap,
        )
        parts = (points, scores, alignment, output.presence)
        # One transfer from the device, not four.
        values = torch.cat([part.flatten() for part in parts]).cpu().numpy()
        split = np.split(values, np.cumsum([part.numel() for part in parts])[:-1])
        shaped = [array.reshape(part.shape) for array, part in zip(split, parts, strict=True)]
        keep_heatmaps = keep_heatmaps or self.device.torch_device.type == "cpu"
        heatmaps = [kind.cpu().numpy() for kind in kinds] if keep_heatmaps else None
        clock.lap(TO_IMAGE)
        return CropReadings.of_parts(shaped[0], shaped[1], shaped[2], shaped[3], heatmaps)

    def landmarks(self, crops: NDArray[np.uint8]) -> LandmarkOutput:
        """The landmark network on crops (N, S, S, 3) uint8 BGR; the tensors stay on the device."""
        return self._run(crops)[0]

    def _run(self, crops: NDArray[np.uint8]) -> tuple[LandmarkOutput, Sequence[Tensor]]:
        network = self._one_crop if len(crops) == 1 else self._landmarks
        values = network(self._to_device(crops) / 255.0)
        count = len(LandmarkOutput._fields)
        return LandmarkOutput(*values[:count]), values[count:]

    def _to_device(self, images: NDArray[np.uint8]) -> Tensor:
        """(N, S, S, 3) uint8 BGR -> (N, 3, S, S) float32 RGB on the device, channels last in memory."""
        tensor = torch.from_numpy(images).to(self.device.torch_device, torch.float32)
        return tensor.flip(-1).permute(0, 3, 1, 2)


def _in_one_call(network: LandmarkNetwork | HeadedNetwork) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """The network for one crop, recorded as a single call that does not come back to Python between its layers.

    Between layers the window's thread would take the interpreter and keep it for up to 5 ms. Measured on two cores, the
    median of the lite network beside a thread that is busy half of the time: 22.5 ms layer by layer, 12.7 ms so.
    """
    example = torch.zeros(1, 3, *network.input_size).to(memory_format=torch.channels_last)
    with torch.no_grad(), warnings.catch_warnings():
        # Its successors need a C++ compiler on the user's computer, or run layer by layer.
        warnings.simplefilter("ignore", DeprecationWarning)
        # The sizes are the same in every run: as constants they are right.
        warnings.filterwarnings("ignore", category=torch.jit._trace.TracerWarning)
        try:
            recorded = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
            frozen: Callable[[Tensor], tuple[Tensor, ...]] = torch.jit.freeze(recorded)
        except Exception:
            # torch gives this up step by step, first on new versions of Python: then layer by layer.
            return network
    return frozen

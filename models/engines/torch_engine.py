"""Runs the networks of a bundle in torch, on the CPU, on CUDA or on MPS."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.blazepose import Detection, LandmarkNetwork, LandmarkOutput, PersonDetector
from models.bundle import Bundle
from models.devices import Device, synchronize

_MOST_CPU_THREADS = 4


def cpu_threads() -> int:
    """Threads for the network: one core is left to the window and the encoder, and layers this small share badly.

    Measured on two cores, a frame with the full network: one thread 22 ms, two that sleep while they wait 36 ms, two
    that spin 17 ms; beside one busy program 48, 60 and 786 ms.
    """
    return max(1, min(_MOST_CPU_THREADS, (os.cpu_count() or 1) - 1))


class TorchEngine:
    """Both networks on one device, in float32.

    Images are (S, S, 3) uint8 BGR with S = `landmark_size` or `detector_size`.
    """

    def __init__(self, bundle: Bundle, device: Device) -> None:
        self.device = device
        if device.torch_device.type == "cpu":
            torch.set_num_threads(cpu_threads())
        self._landmarks = LandmarkNetwork(bundle.landmarks)
        self._detector = PersonDetector(bundle.detector)
        for network in (self._landmarks, self._detector):
            network.eval().requires_grad_(False).to(device.torch_device)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.landmark_size = self._landmarks.input_size[0]
        self.detector_size = self._detector.input_size[0]
        self._one_crop = _in_one_call(self._landmarks) if device.torch_device.type == "cpu" else self._landmarks

    def synchronize(self) -> None:
        """Wait until the device has finished."""
        synchronize(self.device.torch_device)

    def detect(self, square: NDArray[np.uint8]) -> list[Detection]:
        """People in one square image, the best first, in shares of the square."""
        pixels = self._upload(square[None])
        boxes, logits = self._detector(pixels / 127.5 - 1.0)
        return self._detector.detections(boxes[0].cpu().numpy(), logits[0].cpu().numpy())

    def landmarks(self, crops: NDArray[np.uint8]) -> LandmarkOutput:
        """The landmark network on crops (N, S, S, 3); the tensors stay on the device."""
        network = self._one_crop if len(crops) == 1 else self._landmarks
        return LandmarkOutput(*network(self._upload(crops) / 255.0))

    def _upload(self, images: NDArray[np.uint8]) -> Tensor:
        """(N, S, S, 3) uint8 BGR -> (N, 3, S, S) float32 RGB on the device, channels last in memory."""
        tensor = torch.from_numpy(images).to(self.device.torch_device, torch.float32)
        return tensor.flip(-1).permute(0, 3, 1, 2)


def _in_one_call(network: LandmarkNetwork) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """The network for one crop, recorded as a single call that does not come back to Python between its layers.

    Between layers the window's thread would take the interpreter and keep it for up to 5 ms. Measured on two cores, the
    median of the lite network beside a thread that is busy half of the time: 22.5 ms layer by layer, 12.7 ms so.
    """
    example = torch.zeros(1, 3, *network.input_size).to(memory_format=torch.channels_last)
    with torch.no_grad(), warnings.catch_warnings():
        # Its successors need a C++ compiler on the user's computer, or run layer by layer.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            recorded = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
            frozen: Callable[[Tensor], tuple[Tensor, ...]] = torch.jit.freeze(recorded)
        except Exception:
            # torch gives this up step by step, first on new versions of Python: then layer by layer.
            return network
    return frozen

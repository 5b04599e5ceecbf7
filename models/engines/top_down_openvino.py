"""BlazePose's detector and a top-down network in OpenVINO on the CPU, converted from their torch modules."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.blazepose import PersonDetector
from models.bundle import Bundle
from models.engines.openvino_engine import CONFIG, cpu_threads
from models.engines.openvino_graphs import DetectorGraph, converted
from models.engines.openvino_runtime import openvino
from models.top_down.network import TopDownNetwork


class _Maps(nn.Module):
    """RGB (1, H, W, 3), 0 to 255 -> heatmaps (1, 17, H / 4, W / 4)."""

    def __init__(self, network: TopDownNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> Tensor:
        maps: Tensor = self.network(crops.permute(0, 3, 1, 2) / 255.0)
        return maps


class OpenVinoNetworks:
    """See `models.engines.top_down_engine.Networks`; float32, one crop after the other.

    The graphs are made anew each time: kept like BlazePose's they would fill hundreds of megabytes.
    """

    name = "openvino"
    label = "cpu (OpenVINO)"

    def __init__(self, network: TopDownNetwork, detector: Bundle) -> None:
        self.device = torch.device("cpu")
        finder = PersonDetector(detector.detector)
        self.detector_size = finder.input_size[0]
        self._detector = _request(DetectorGraph(finder), finder.input_size)
        self._network = _request(_Maps(network), network.input_size)

    def boxes(self, square: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        boxes, logits = _outputs(self._detector, square)
        return boxes[0], logits[0]

    def maps(self, crops: NDArray[np.uint8]) -> Tensor:
        # Copies: the next crop is written into the same buffer.
        return torch.from_numpy(np.concatenate([_outputs(self._network, crop)[0] for crop in crops]))


def _request(module: nn.Module, input_size: tuple[int, int]) -> openvino.InferRequest:
    config = {**CONFIG, "INFERENCE_NUM_THREADS": str(cpu_threads())}
    graph = converted(module, [torch.zeros(1, *input_size, 3)])
    return openvino.Core().compile_model(graph, "CPU", config).create_infer_request()


def _outputs(request: openvino.InferRequest, image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    np.copyto(request.get_input_tensor(0).data[0], rgb, casting="unsafe")
    request.infer(share_outputs=True)
    return [request.get_output_tensor(i).data.copy() for i in range(len(request.model_outputs))]

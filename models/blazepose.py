"""BlazePose: the landmark network and the person detector of a .task bundle.

Constants and conventions are those of MediaPipe's pose_detector and pose_landmarks_detector graphs (Apache-2.0).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.constants import constant
from models.detections import detector_anchors
from models.errors import BundleError
from models.tflite_graph import TFLiteGraph

JOINT_COUNT = 33
# Channels after the joints: the middle of the hips, and a point on the circle around the person.
ALIGNMENT = slice(33, 35)
LANDMARK_COUNT = 39
_REFINE_RADIUS = 3
_REFINE_MIN_CONFIDENCE = 0.5
# The official ones have 64.
_HEATMAP_SIDES = (8, 256)


class LandmarkOutput(NamedTuple):
    """What the landmark network says of N crops.

    landmarks: (N, 39, 2) x and y as shares of the crop (0 to 1): the network's own regression.
    visibility: (N, 39) probability that the joint is seen, 0 to 1.
    presence: (N,) probability that the crop holds a person, 0 to 1.
    heatmaps: (N, 39, 64, 64) in [0, 1]; cell c stands for c / 64 of the crop.
    """

    landmarks: Tensor
    visibility: Tensor
    presence: Tensor
    heatmaps: Tensor


class LandmarkNetwork(nn.Module):
    """RGB crops (N, 3, 256, 256) in [0, 1] -> LandmarkOutput. The mask and world branches are not built."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self.graph = TFLiteGraph(model, (0, 1, 3))
        self.input_size = self.graph.input_size
        self._check()

    def _check(self) -> None:
        landmarks, presence, heatmaps = self.graph.output_shapes
        if landmarks != (1, LANDMARK_COUNT * 5) or presence != (1, 1) or len(heatmaps) != 4:
            raise BundleError("The network in the bundle is not a pose landmark network with heatmaps.")
        if heatmaps[1] != LANDMARK_COUNT:
            raise BundleError(f"The network in the bundle has {heatmaps[1]} heatmaps instead of {LANDMARK_COUNT}.")
        if min(heatmaps[2:]) < _HEATMAP_SIDES[0] or max(heatmaps[2:]) > _HEATMAP_SIDES[1]:
            raise BundleError(
                f"The network in the bundle has heatmaps of {heatmaps[3]} × {heatmaps[2]}, which is not supported."
            )
        _check_square(self.input_size)
        self.graph.check()

    def logits(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As in the file: landmarks (N, 195), presence (N, 1), heatmap logits (N, 39, 64, 64)."""
        landmarks, presence, heatmaps = self.graph(crops)[:3]
        return landmarks, presence, heatmaps

    def forward(self, crops: Tensor) -> LandmarkOutput:
        return self.output(*self.logits(crops))

    def output(self, landmarks: Tensor, presence: Tensor, heatmap_logits: Tensor) -> LandmarkOutput:
        """What the `logits` say."""
        landmarks = landmarks.reshape(-1, LANDMARK_COUNT, 5)
        height, width = self.input_size
        size = constant((width, height), landmarks)
        return LandmarkOutput(
            landmarks=landmarks[..., :2] / size,
            visibility=torch.sigmoid(landmarks[..., 3]),
            presence=presence[:, 0],
            heatmaps=torch.sigmoid(heatmap_logits),
        )


def refined_landmarks(output: LandmarkOutput, channels: slice) -> Tensor:
    """(N, C, 2): the regressed points of these channels as shares of the crop, refined by their heatmaps."""
    return refine(output.landmarks[:, channels], output.heatmaps[:, channels])


def refine(points: Tensor, maps: Tensor) -> Tensor:
    """Regressed points (N, C, 2), shares of the crop, refined by their heatmaps (N, C, H, W).

    MediaPipe's RefineLandmarksFromHeatmapCalculator with a kernel of 7: the mean position under the heatmap in the
    7 × 7 cells around the regressed point, used where the largest of them is at least 0.5.
    """
    height, width = maps.shape[-2:]
    columns = torch.arange(width, device=maps.device, dtype=maps.dtype)
    rows = torch.arange(height, device=maps.device, dtype=maps.dtype)
    # Toward zero, as int() in C; torch.trunc is not known to OpenVINO.
    cells = points * constant((width, height), maps)
    centre_x, centre_y = (torch.sign(cells) * torch.floor(cells.abs())).unbind(-1)
    inside = (centre_x >= 0) & (centre_x < width) & (centre_y >= 0) & (centre_y < height)
    near_x = (columns - centre_x[..., None]).abs() <= _REFINE_RADIUS
    near_y = (rows - centre_y[..., None]).abs() <= _REFINE_RADIUS
    near = maps * (near_y[..., :, None] & near_x[..., None, :])
    total = near.sum((-2, -1)).clamp_min(torch.finfo(maps.dtype).tiny)
    refined = torch.stack(
        ((near.sum(-2) * columns).sum(-1) / total / width, (near.sum(-1) * rows).sum(-1) / total / height), -1
    )
    confident = inside & (near.amax((-2, -1)) >= _REFINE_MIN_CONFIDENCE)
    return torch.where(confident[..., None], refined, points)


class PersonDetector(nn.Module):
    """RGB squares (N, 3, 224, 224) in [-1, 1] -> raw boxes (N, 2254, 12) and logits (N, 2254)."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self.graph = TFLiteGraph(model, (0, 1))
        self.input_size = self.graph.input_size
        _check_square(self.input_size)
        self.anchors = detector_anchors(self.input_size[0])
        if self.graph.output_shapes != [(1, len(self.anchors), 12), (1, len(self.anchors), 1)]:
            raise BundleError("The detector in the bundle is not a pose detector.")
        self.graph.check()

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        boxes, logits = self.graph(squares)
        return boxes, logits[..., 0]


def _check_square(size: tuple[int, int]) -> None:
    if size[0] != size[1]:
        raise BundleError(f"The network in the bundle takes images of {size[1]} × {size[0]}, which are not square.")

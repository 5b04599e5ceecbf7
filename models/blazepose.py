"""BlazePose: the landmark network and the person detector of a .task bundle.

Constants and conventions are those of MediaPipe's pose_detector and pose_landmarks_detector graphs (Apache-2.0).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import BundleError
from models.tflite_graph import TFLiteGraph

JOINT_COUNT = 33
# Channels after the joints: the middle of the hips, and a point on the circle around the person.
ALIGNMENT = slice(33, 35)
LANDMARK_COUNT = 39
PRESENCE_THRESHOLD = 0.5
_REFINE_RADIUS = 3
_REFINE_MIN_CONFIDENCE = 0.5

_DETECTION_THRESHOLD = 0.5
_SUPPRESSION_OVERLAP = 0.5
_LARGEST_LOGIT = 100.0
_STRIDES_AND_ANCHORS = ((8, 2), (16, 2), (32, 6))


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
        with torch.inference_mode():
            landmarks, presence, heatmaps = self.graph(torch.zeros(1, 3, *self.input_size))
        if landmarks.shape != (1, LANDMARK_COUNT * 5) or presence.shape != (1, 1) or heatmaps.ndim != 4:
            raise BundleError("The network in the bundle is not a pose landmark network with heatmaps.")
        if heatmaps.shape[1] != LANDMARK_COUNT:
            raise BundleError(
                f"The network in the bundle has {heatmaps.shape[1]} heatmaps instead of {LANDMARK_COUNT}."
            )

    def logits(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As in the file: landmarks (N, 195), presence (N, 1), heatmap logits (N, 39, 64, 64)."""
        landmarks, presence, heatmaps = self.graph(crops)
        return landmarks, presence, heatmaps

    def forward(self, crops: Tensor) -> LandmarkOutput:
        landmarks, presence, heatmap_logits = self.logits(crops)
        landmarks = landmarks.reshape(-1, LANDMARK_COUNT, 5)
        height, width = self.input_size
        size = landmarks.new_tensor((width, height))
        return LandmarkOutput(
            landmarks=landmarks[..., :2] / size,
            visibility=torch.sigmoid(landmarks[..., 3]),
            presence=presence[:, 0],
            heatmaps=torch.sigmoid(heatmap_logits),
        )


def refined_landmarks(output: LandmarkOutput, channels: slice) -> Tensor:
    """(N, C, 2): the regressed points of these channels as shares of the crop, refined by their heatmaps.

    MediaPipe's RefineLandmarksFromHeatmapCalculator with a kernel of 7: the mean position under the heatmap in the
    7 × 7 cells around the regressed point, used where the largest of them is at least 0.5.
    """
    points = output.landmarks[:, channels]
    maps = output.heatmaps[:, channels]
    height, width = maps.shape[-2:]
    columns = torch.arange(width, device=maps.device, dtype=maps.dtype)
    rows = torch.arange(height, device=maps.device, dtype=maps.dtype)
    centre_x, centre_y = torch.trunc(points[..., 0] * width), torch.trunc(points[..., 1] * height)
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


class Detection(NamedTuple):
    """A person seen by the detector.

    score: 0 to 1. keypoints: (4, 2) x and y as shares of the square that was looked at; the first two are the
    alignment points. box: x0, y0, x1, y1 of the face, likewise.
    """

    score: float
    keypoints: NDArray[np.float64]
    box: NDArray[np.float64]


class PersonDetector(nn.Module):
    """RGB squares (N, 3, 224, 224) in [-1, 1] -> raw boxes (N, 2254, 12) and logits (N, 2254)."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self.graph = TFLiteGraph(model, (0, 1))
        self.input_size = self.graph.input_size
        self.anchors = detector_anchors(self.input_size[0])
        with torch.inference_mode():
            boxes, logits = self.graph(torch.zeros(1, 3, *self.input_size))
        if boxes.shape != (1, len(self.anchors), 12) or logits.shape != (1, len(self.anchors), 1):
            raise BundleError("The detector in the bundle is not a pose detector.")

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        boxes, logits = self.graph(squares)
        return boxes, logits[..., 0]

    def detections(self, boxes: NDArray[np.floating], logits: NDArray[np.floating]) -> list[Detection]:
        """People in one square, the best first, from raw `boxes` (2254, 12) and `logits` (2254,)."""
        scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -_LARGEST_LOGIT, _LARGEST_LOGIT)))
        kept = np.flatnonzero(scores >= _DETECTION_THRESHOLD)
        size = self.input_size[0]
        pairs = boxes[kept].astype(np.float64).reshape(-1, 6, 2) / size
        centre, extent = pairs[:, 0] + self.anchors[kept], pairs[:, 1]
        corners = np.concatenate((centre - extent / 2, centre + extent / 2), 1)
        keypoints = pairs[:, 2:] + self.anchors[kept][:, None]
        return _weighted_suppression(scores[kept], corners, keypoints)


def detector_anchors(input_size: int) -> NDArray[np.float64]:
    """(A, 2) x and y of the detector's anchor centres as shares of its input (MediaPipe's SsdAnchorsCalculator)."""
    layers = []
    for stride, per_cell in _STRIDES_AND_ANCHORS:
        cells = -(-input_size // stride)
        ticks = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
        layers.append(np.repeat(grid, per_cell, 0))
    return np.concatenate(layers)


def _weighted_suppression(
    scores: NDArray[np.float64], corners: NDArray[np.float64], keypoints: NDArray[np.float64]
) -> list[Detection]:
    """Detections that overlap the best one are averaged into it, weighted by score; then the rest likewise."""
    order = np.argsort(-scores, kind="stable")
    people = []
    while order.size:
        best = order[0]
        overlaps = _overlap(corners[best], corners[order]) > _SUPPRESSION_OVERLAP
        # A box without area overlaps nothing, not even itself.
        overlaps[0] = True
        group, order = order[overlaps], order[~overlaps]
        weights = scores[group] / scores[group].sum()
        people.append(
            Detection(
                float(scores[best]),
                np.tensordot(weights, keypoints[group], 1),
                np.tensordot(weights, corners[group], 1),
            )
        )
    return people


def _overlap(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box (4,) with many (M, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), 1)
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), 1)
    union = areas + np.prod(np.clip(box[2:] - box[:2], 0, None)) - shared
    overlap: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap

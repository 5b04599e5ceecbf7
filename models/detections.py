"""From the person detector's raw output to people. Plain numpy: importing this does not import torch.

Constants and conventions are those of MediaPipe's pose_detector graph (Apache-2.0).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_DETECTION_THRESHOLD = 0.5
_SUPPRESSION_OVERLAP = 0.5
_LARGEST_LOGIT = 100.0
_STRIDES_AND_ANCHORS = ((8, 2), (16, 2), (32, 6))


class Detection(NamedTuple):
    """A person seen by the detector.

    score: 0 to 1. keypoints: (4, 2) x and y as shares of the square that was looked at; the first two are the
    alignment points. box: x0, y0, x1, y1 of the face, likewise.
    """

    score: float
    keypoints: NDArray[np.float64]
    box: NDArray[np.float64]


def detections_from(
    boxes: NDArray[np.floating], logits: NDArray[np.floating], anchors: NDArray[np.floating], input_size: int
) -> list[Detection]:
    """People in one square of `input_size` px, the best first.

    boxes: (A, 12) and logits: (A,), raw from the network; anchors: (A, 2) from `detector_anchors`.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    kept = np.flatnonzero(scores >= _DETECTION_THRESHOLD)
    pairs = boxes[kept].astype(np.float64).reshape(-1, 6, 2) / input_size
    centre, extent = pairs[:, 0] + anchors[kept], pairs[:, 1]
    corners = np.concatenate((centre - extent / 2, centre + extent / 2), 1)
    keypoints = pairs[:, 2:] + anchors[kept][:, None]
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

"""The shipped clip and the truth about it."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.bundled import ASSETS, SAMPLE_CLIP
from app.frames import Image
from app.sources.video_file import VideoFileSource
from models.skeletons import COCO_FROM_BLAZEPOSE

FPS = 30


@cache
def clip_frames() -> tuple[Image, ...]:
    """All 300 pictures, BGR."""
    source = VideoFileSource(SAMPLE_CLIP)
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame.image)
    source.close()
    return tuple(frames)


@cache
def true_joints() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(300, 17, 2) in px, whole numbers at the centres of pixels, and (300, 17) whether the joint is seen; COCO-17."""
    frames = json.loads((ASSETS / "rendered_person_truth.json").read_text("utf-8"))["frames"]
    # In the file 0 is the left edge of the left column.
    joints = np.array([frame["kp"] for frame in frames]) - 0.5
    return joints, np.array([frame["vis"] for frame in frames]) == 2


def as_coco(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(33, ...) of BlazePose -> (17, ...)."""
    return points[list(COCO_FROM_BLAZEPOSE)]

"""People to train on in tests: frames of the shipped clip with their true joints, as a COCO file."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from models.skeletons import COCO_17
from tests.models.clip import clip_frames, true_joints


def clip_people(folder: Path, count: int) -> Path:
    """A COCO keypoint file of `count` frames of the clip, and their pictures beside it."""
    joints, seen = true_joints()
    frames = clip_frames()
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number, index in enumerate(np.linspace(0, len(frames) - 1, count).astype(int), 1):
        name = f"{index:03}.png"
        cv2.imwrite(str(folder / name), frames[index])
        height, width = frames[index].shape[:2]
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        low, high = joints[index].min(0) - 12, joints[index].max(0) + 12
        labels = np.where(seen[index], 2, 1)
        keypoints = np.column_stack((joints[index], labels)).ravel().tolist()
        box = [*map(float, low), *map(float, high - low)]
        annotations.append(
            {"id": number, "image_id": number, "category_id": 1, "bbox": box, "keypoints": keypoints, "iscrowd": 0}
        )
    path = folder / "people.json"
    category = {"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}), "utf-8")
    return path

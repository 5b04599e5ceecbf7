"""Annotated people, and small COCO data sets on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.evaluation.annotations import AnnotatedPerson
from app.frames import Image
from models.skeletons import COCO_17
from tests.models.clip import clip_frames, true_joints

CATEGORY = 1


def person(
    joints: NDArray[np.floating] | Sequence[Sequence[float]],
    labels: Sequence[int],
    *,
    annotation_id: int = 1,
    image_id: int = 1,
    box: tuple[float, float, float, float] = (10.0, 20.0, 100.0, 200.0),
    area: float = 10_000.0,
    image_size: tuple[int, int] = (640, 480),
) -> AnnotatedPerson:
    """Somebody with as many joints as are given."""
    return AnnotatedPerson(
        annotation_id=annotation_id,
        image_id=image_id,
        image=f"{image_id}.png",
        image_size=image_size,
        box=box,
        area=area,
        joints=np.array(joints, np.float64),
        labels=np.array(labels),
        crowd=False,
        scored=True,
    )


def coco_annotation(**changes: Any) -> dict[str, Any]:
    """A person with 17 labelled joints in image 1; a change to None takes a field away."""
    keypoints = [value for i in range(17) for value in (20 + i, 30 + 2 * i, 2)]
    entry = {
        "id": 1,
        "image_id": 1,
        "category_id": CATEGORY,
        "bbox": [10, 20, 40, 60],
        "area": 1000.0,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": 17,
        **changes,
    }
    return {name: value for name, value in entry.items() if value is not None}


def coco_image(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An image of 80 × 100 px."""
    return {"id": number, "file_name": f"{number}.png", "width": 80, "height": 100, **changes}


def write_set(
    folder: Path,
    annotations: Iterable[Any],
    images: Sequence[Any] | None = None,
    joints: Sequence[str] = COCO_17.joints,
    pictures: Sequence[str] = ("1.png",),
) -> tuple[Path, Path]:
    """The annotation file and the folder of grey pictures of 80 × 100 px."""
    file = {
        "images": [coco_image()] if images is None else list(images),
        "annotations": list(annotations),
        "categories": [{"id": CATEGORY, "name": "person", "keypoints": list(joints), "skeleton": []}],
    }
    path, image_folder = folder / "people.json", folder / "images"
    path.write_text(json.dumps(file), "utf-8")
    image_folder.mkdir(exist_ok=True)
    for name in pictures:
        write_png(image_folder / name, np.full((100, 80, 3), 128, np.uint8))
    return path, image_folder


def write_png(path: Path, picture: Image) -> None:
    """Whatever the path is made of."""
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def clip_set(folder: Path, frames: Sequence[int]) -> tuple[Path, Path]:
    """Frames of the shipped clip with the truth as annotations: boxes around the joints, a tenth larger."""
    joints, seen = true_joints()
    annotations, images = [], []
    folder.mkdir(exist_ok=True)
    (folder / "images").mkdir()
    for number, frame in enumerate(frames, 1):
        picture, points = clip_frames()[frame], joints[frame]
        height, width = picture.shape[:2]
        images.append(coco_image(number, file_name=f"frame {frame}.png", width=width, height=height))
        write_png(folder / "images" / f"frame {frame}.png", picture)
        rim = 0.1 * (points.max(0) - points.min(0))
        low, high = points.min(0) - rim + 0.5, points.max(0) + rim + 0.5
        labels = np.where(seen[frame], 2, 1)
        keypoints = np.column_stack((points, labels)).ravel().tolist()
        box = [*low, *(high - low)]
        annotations.append(
            coco_annotation(
                id=100 + number, image_id=number, bbox=box, area=0.53 * box[2] * box[3], keypoints=keypoints
            )
        )
    write_set(folder, annotations, images, pictures=())
    return folder / "people.json", folder / "images"

"""Scenes as files: PNG pictures, person_keypoints.json in COCO's form, and the truth of still sequences."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask  # type: ignore[import-untyped]

from app.rendered_people.parts import Draws, scene_seed
from app.rendered_people.random_scenes import Person, Scene, random_scene, usable
from app.rendered_people.renderer import Rendered, Renderer
from app.rendered_people.rotations import Array
from app.rendered_people.skeleton import BONES, COCO_NAMES
from app.rendered_people.truth import OUTSIDE, TrueJoints, box_and_area, header
from app.rendered_people.wishes import ANNOTATIONS_NAME, Tell, Wishes, description, keep_quiet

STILL_FPS = 30
_MOST_TRIES = 20
_EDGES = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11),
    (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip
CONVENTIONS = {
    "keypoints": "px, (0, 0) is the centre of the top left pixel; v: 0 outside the picture, 1 hidden, 2 visible, by "
    "what is drawn at the joint; COCO-17 by anny's regressor",
    "bones": "as keypoints, but the centres of the rig's joints, in the order of info.bone_names",
    "bbox": "x, y, width, height of what is seen of the person, from the corner of the top left pixel",
    "area": "pixels that are seen of the person",
    "segmentation": "those pixels, run-length encoded",
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """A scene with its picture without noise. random: the source of the noise."""

    number: int
    scene: Scene
    picture: Rendered
    random: np.random.Generator


@dataclass(frozen=True, eq=False)
class WrittenScene:
    """What the COCO file says of one scene, still without numbers. people: the same in each of its images."""

    images: list[dict[str, Any]]
    people: list[dict[str, Any]]


def drawn_scenes(count: int, seed: int, wishes: Wishes, done: Collection[int] = ()) -> Iterator[Drawn]:
    """The scenes 0 .. count - 1 but those that are done; each depends on the seed and its number alone.

    Raises UserError where there is no renderer.
    """
    with Renderer(*wishes.size) as renderer:
        for number in range(count):
            if number not in done:
                yield _drawn_scene(renderer, number, seed, wishes)


def _drawn_scene(renderer: Renderer, number: int, seed: int, wishes: Wishes) -> Drawn:
    for attempt in range(_MOST_TRIES):
        random = Draws(scene_seed(seed, number, attempt, wishes.part), wishes.part)
        scene = random_scene(random, wishes)
        actors = [person.actor for person in scene.people]
        picture = renderer.render(scene.camera, actors, scene.things, scene.light, scene.backdrop)
        if usable(scene, picture):
            return Drawn(number, scene, picture, random)
    raise RuntimeError(f"scene {number} shows nobody in {_MOST_TRIES} tries")


def make_scenes(folder: Path, count: int, seed: int, wishes: Wishes, tell: Tell = keep_quiet) -> None:
    """See README.md. With still_frames each scene is a folder of pictures with its own truth.json.

    tell: after each scene with how many are done, and `count`.

    Raises UserError where there is no renderer, OSError where a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[WrittenScene] = []
    for drawn in drawn_scenes(count, seed, wishes):
        written.append(write_scene(folder, drawn, seed, wishes))
        tell(len(written), count)
    text = json.dumps(coco_file(*numbered(written), seed, wishes))
    (folder / ANNOTATIONS_NAME).write_text(text, encoding="utf-8")


def write_scene(folder: Path, drawn: Drawn, seed: int, wishes: Wishes) -> WrittenScene:
    """The pictures of one scene, each whole or not at all, and the truth of a still sequence.

    Raises OSError where a file cannot be written.
    """
    truths = [_joints(drawn.scene, person) for person in drawn.scene.people]
    names = _picture_names(drawn.number, wishes.still_frames)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
        Image.fromarray(drawn.scene.sensor.picture(drawn.picture.light, drawn.random)).save(beside, "PNG")
        os.replace(beside, path)
    if wishes.still_frames > 1:
        text = json.dumps(_still_truth(drawn, truths, wishes.still_frames, seed))
        (folder / _scene_name(drawn.number) / "truth.json").write_text(text, encoding="utf-8")
    return WrittenScene(
        [_image(name, drawn) for name in names],
        [
            annotation(truth, drawn.picture, owner, person, drawn.scene)
            for owner, (truth, person) in enumerate(zip(truths, drawn.scene.people, strict=True), 1)
            if (drawn.picture.owner == owner).any()
        ],
    )


def numbered(scenes: Iterable[WrittenScene]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The images and the annotations of all these scenes, with their ids, from 1 on."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for scene in scenes:
        for image in scene.images:
            images.append({"id": len(images) + 1, **image})
            for entry in scene.people:
                annotations.append({"id": len(annotations) + 1, "image_id": len(images), **entry})
    return images, annotations


def coco_file(
    images: list[dict[str, Any]], annotations: list[dict[str, Any]], seed: int, wishes: Wishes
) -> dict[str, Any]:
    """images, annotations: as of `numbered`."""
    return {
        "info": {
            "description": "Rendered people with known joints",
            **description(seed, wishes),
            "conventions": CONVENTIONS,
            "bone_names": list(BONES),
        },
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [
            {
                "id": 1,
                "name": "person",
                "supercategory": "person",
                "keypoints": list(COCO_NAMES),
                "skeleton": [list(edge) for edge in _EDGES],
            }
        ],
    }


def annotation(truth: TrueJoints, picture: Rendered, owner: int, person: Person, scene: Scene) -> dict[str, Any]:
    """All of a COCO annotation but its ids."""
    mask = picture.owner == owner
    box, area = box_and_area(mask)
    keypoints = _keypoints(truth.coco, truth.coco_visibility(picture, owner))
    return {
        "category_id": 1,
        "iscrowd": 0,
        "bbox": box,
        "area": area,
        "segmentation": _run_lengths(mask),
        "num_keypoints": sum(value > 0 for value in keypoints[2::3]),
        "keypoints": keypoints,
        "bones": _keypoints(truth.bones, truth.bone_visibility(picture, owner)),
        "depth": np.round(truth.coco_depth, 4).tolist(),
        "pose": person.pose.kind,
        "person": owner,
        "phenotype": person.character.phenotype,
    }


def _keypoints(points: Array, visible: list[int]) -> list[float]:
    """x, y, v of each; COCO writes 0, 0, 0 for what is not labelled."""
    values: list[float] = []
    for (x, y), seen in zip(points, visible, strict=True):
        if seen == OUTSIDE:
            values += [0.0, 0.0, 0]
        else:
            values += [round(float(x) - 0.5, 4), round(float(y) - 0.5, 4), seen]
    return values


def _run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def _joints(scene: Scene, person: Person) -> TrueJoints:
    return TrueJoints(person.character.dressed.body, person.actor.transforms, scene.camera)


def _scene_name(number: int) -> str:
    return f"scene_{number:04d}"


def _picture_names(number: int, frames: int) -> list[str]:
    name = _scene_name(number)
    return [f"{name}.png"] if frames == 1 else [f"{name}/{frame:03d}.png" for frame in range(frames)]


def _image(name: str, drawn: Drawn) -> dict[str, Any]:
    scene = drawn.scene
    camera, sensor = scene.camera, scene.sensor
    return {
        "file_name": name,
        "width": camera.width,
        "height": camera.height,
        "place": scene.place.kind,
        "occluder": scene.occluded,
        "camera": {"f": camera.focal, "eye": list(camera.eye), "target": list(camera.target), "roll": camera.roll},
        "noise": {"gain": sensor.gain, "read": sensor.read, "exposure": sensor.exposure},
    }


def _still_truth(drawn: Drawn, truths: list[TrueJoints], frames: int, seed: int) -> dict[str, Any]:
    """The form of the shipped clip's truth, about the first person; the others follow under “others”."""
    scene = drawn.scene

    def sequence(truth: TrueJoints, owner: int) -> list[dict[str, Any]]:
        visible = truth.coco_visibility(drawn.picture, owner)
        return [truth.as_frame(frame, frame / STILL_FPS, visible) for frame in range(frames)]

    first, *others = (sequence(truth, owner) for owner, truth in enumerate(truths, 1))
    about = header(
        scene.camera,
        scene.sensor,
        fps=STILL_FPS,
        segments={"still": (0, frames)},
        seed=[seed, drawn.number],
        phenotype=scene.people[0].character.phenotype,
    )
    return {**about, "frames": first, "others": others}

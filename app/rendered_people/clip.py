"""The shipped clip, made again: `python -m app.rendered_people clip`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.rendered_people.body import Body
from app.rendered_people.camera import Camera
from app.rendered_people.clip_motion import FPS, FRAMES, SEGMENTS, clip_goals
from app.rendered_people.garments import dress
from app.rendered_people.posing import posed
from app.rendered_people.regions import Outfit
from app.rendered_people.renderer import Actor, Light, Rendered, Renderer
from app.rendered_people.rotations import Array
from app.rendered_people.scenery import clip_room
from app.rendered_people.sensor import Sensor
from app.rendered_people.truth import TrueJoints, header

SEED = 20261123
VIDEO_NAME = "rendered_person_960x540_30fps.mp4"
TRUTH_NAME = "rendered_person_truth.json"
PHENOTYPE = {"gender": 0.15, "age": 0.66, "muscle": 0.55, "weight": 0.5, "height": 0.38, "proportions": 0.7}
CAMERA = Camera(960, 540, focal=800.0, eye=(0.12, -3.75, 1.28), target=(0.12, 0, 1.03))
SENSOR = Sensor()
# As in the clip's first version, so that the file is about as large and as good.
_ENCODING = {"crf": "20", "preset": "slow", "tune": "grain"}


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """picture: (H, W, 3) RGB."""

    number: int
    picture: NDArray[np.uint8]
    truth: dict[str, Any]


def clip_frames(first: int = 0, end: int = FRAMES, seed: int = SEED) -> Iterator[ClipFrame]:
    """Frames first .. end - 1. The noise of each is the same whichever frames are made."""
    dressed = dress(Body(PHENOTYPE), Outfit())
    room = clip_room()
    random = np.random.default_rng(seed)
    nothing = np.zeros((CAMERA.height, CAMERA.width, 3), np.float32)
    shown: Array | None = None
    picture: Rendered | None = None
    with Renderer(CAMERA.width, CAMERA.height) as renderer:
        for number, goal in enumerate(clip_goals(dressed)):
            if number >= end:
                return
            if number < first:
                SENSOR.picture(nothing, random)  # draws as many numbers
                continue
            transforms = posed(dressed.body.skeleton, goal)
            if picture is None or shown is None or np.abs(transforms - shown).max() > 1e-12:
                picture = renderer.render(CAMERA, [Actor(dressed, transforms)], room, Light())
                shown = transforms
            joints = TrueJoints(dressed.body, transforms, CAMERA)
            truth = joints.as_frame(number, number / FPS, joints.coco_visibility(picture))
            yield ClipFrame(number, SENSOR.picture(picture.light, random), truth)


def clip_header(seed: int = SEED) -> dict[str, Any]:
    return header(CAMERA, SENSOR, fps=FPS, segments=SEGMENTS, seed=seed, phenotype=PHENOTYPE)


def make_clip(folder: Path, seed: int = SEED) -> None:
    """The whole clip as MP4, and its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    with av.open(str(folder / VIDEO_NAME), "w", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream("libx264", rate=FPS, options=_ENCODING)
        stream.width, stream.height, stream.pix_fmt = CAMERA.width, CAMERA.height, "yuv420p"
        for frame in clip_frames(seed=seed):
            picture = av.VideoFrame.from_ndarray(frame.picture, format="rgb24")
            picture.pts, picture.time_base = frame.number, Fraction(1, FPS)
            file.mux(stream.encode(picture))
            truth.append(frame.truth)
            if frame.number % FPS == 0:
                print(f"{frame.number} of {FRAMES} frames", flush=True)
        file.mux(stream.encode(None))
    _write_truth(folder, truth, seed)


def make_frames(folder: Path, first: int, last: int, seed: int = SEED) -> None:
    """Frames first .. last as lossless pictures, and their truth."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for frame in clip_frames(first, last + 1, seed):
        Image.fromarray(frame.picture).save(folder / f"frame_{frame.number:03d}.png")
        truth.append(frame.truth)
    _write_truth(folder, truth, seed)


def _write_truth(folder: Path, frames: list[dict[str, Any]], seed: int) -> None:
    text = json.dumps({**clip_header(seed), "frames": frames})
    (folder / TRUTH_NAME).write_text(text, encoding="utf-8")

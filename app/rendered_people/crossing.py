"""Two people who cross: one walks in front of the other. `python -m app.rendered_people crossing`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from app.rendered_people.camera import Camera
from app.rendered_people.casting import Character, random_character
from app.rendered_people.clip_motion import FPS, Motion, moving, walk
from app.rendered_people.parts import Draws
from app.rendered_people.posing import posed
from app.rendered_people.renderer import Actor, Light, Renderer
from app.rendered_people.scenery import clip_room
from app.rendered_people.sensor import Sensor
from app.rendered_people.truth import TrueJoints, header

VIDEO_NAME, TRUTH_NAME = "crossing_640x360_30fps.mp4", "crossing_truth.json"
SEED = 20261129
SECONDS = 5.0
CAMERA = Camera(640, 360, focal=430.0, eye=(0.0, -4.1, 1.35), target=(0.0, 0, 0.95))
SENSOR = Sensor()


@dataclass(frozen=True, eq=False)
class _Walker:
    character: Character
    motion: Motion


def _walkers() -> tuple[_Walker, _Walker]:
    """To the right in front, to the left behind."""
    one, other = (random_character(Draws([SEED, i])) for i in range(2))
    return (
        _Walker(one, walk((-1.35, -0.25), heading=78, steps=6, first=0.8, seconds=SECONDS)),
        _Walker(other, walk((1.35, 0.55), heading=-78, steps=6, first=0.8, seconds=SECONDS)),
    )


def make_crossing(folder: Path, seed: int = SEED) -> None:
    """The clip as MP4 and the joints of both, in the order in which they stand from left to right at first."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    room, light = clip_room(), Light()
    walkers = _walkers()
    ways = [moving(walker.character.dressed, walker.motion) for walker in walkers]
    people: list[list[dict[str, object]]] = [[], []]
    with Renderer(CAMERA.width, CAMERA.height) as renderer, av.open(str(folder / VIDEO_NAME), "w") as file:
        stream = file.add_stream("libx264", rate=FPS, options={"crf": "24", "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = CAMERA.width, CAMERA.height, "yuv420p"
        for number, goals in enumerate(zip(*ways, strict=True)):
            turned = [
                posed(walker.character.dressed.body.skeleton, goal) for walker, goal in zip(walkers, goals, strict=True)
            ]
            actors = [
                Actor(walker.character.dressed, transforms, walker.character.looks)
                for walker, transforms in zip(walkers, turned, strict=True)
            ]
            picture = renderer.render(CAMERA, actors, room, light)
            for owner, (walker, transforms) in enumerate(zip(walkers, turned, strict=True), 1):
                joints = TrueJoints(walker.character.dressed.body, transforms, CAMERA)
                frame = joints.as_frame(number, number / FPS, joints.coco_visibility(picture, owner))
                frame["kp"] = np.round(frame["kp"], 2).tolist()
                people[owner - 1].append({name: frame[name] for name in ("frame", "t", "kp", "vis")})
            shown = av.VideoFrame.from_ndarray(SENSOR.picture(picture.light, random), format="rgb24")
            shown.pts, shown.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(shown))
        file.mux(stream.encode(None))
    about = header(CAMERA, SENSOR, fps=FPS, segments={}, seed=seed, phenotype=walkers[0].character.phenotype)
    text = json.dumps({**about, "frames": people[0], "others": [people[1]]})
    (folder / TRUTH_NAME).write_text(text, encoding="utf-8")

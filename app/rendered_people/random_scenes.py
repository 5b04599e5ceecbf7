"""Scenes drawn at random: who, where, how they stand, what hides them, and the camera that looks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.rendered_people.camera import Camera, Triple
from app.rendered_people.casting import Character, random_character
from app.rendered_people.figure import people_collide
from app.rendered_people.parts import Draws
from app.rendered_people.random_poses import Pose, random_pose
from app.rendered_people.renderer import Actor, Light, Rendered
from app.rendered_people.rotations import Array, unit
from app.rendered_people.scenery import Thing, box, painted, post
from app.rendered_people.sensor import Sensor
from app.rendered_people.surroundings import GRAIN, PLAIN, Place, backdrop, random_color, random_place
from app.rendered_people.truth import OUTSIDE, VISIBLE, TrueJoints
from app.rendered_people.wishes import Wishes

_MOST_TRIES = 60
_FEWEST_PIXELS = 500  # of the first person's mask
_FEWEST_JOINTS = 5  # of the first person, seen


@dataclass(frozen=True, eq=False)
class Person:
    character: Character
    pose: Pose
    actor: Actor


@dataclass(frozen=True, eq=False)
class Scene:
    """people: the first is the one the camera looks at."""

    camera: Camera
    people: tuple[Person, ...]
    place: Place
    things: tuple[Thing, ...]
    light: Light
    backdrop: NDArray[np.float32]
    sensor: Sensor
    occluded: bool


def random_scene(random: Draws, wishes: Wishes) -> Scene:
    place = random_place(random)
    people = _people(random, int(random.integers(wishes.people[0], wishes.people[1] + 1)))
    camera = _camera(random, wishes.size, people[0], place)
    things = [*place.things, *_seats(people)]
    occluded = wishes.occluders and random.random() < 0.75
    if occluded:
        things += _occluders(random, camera, people)
    light = _light(random, place)
    iso = float(np.exp(random.uniform(np.log(100), np.log(3200))))
    sensor = Sensor.of_iso(round(iso), round(random.uniform(-1.0, 0.7), 2))
    sky = backdrop(camera, place.outdoors, random)
    return Scene(camera, people, place, tuple(things), light, sky, sensor, occluded)


def usable(scene: Scene, picture: Rendered) -> bool:
    """Whether the first person is seen well enough to ask for joints."""
    first = scene.people[0]
    joints = TrueJoints(first.character.dressed.body, first.actor.transforms, scene.camera)
    seen = joints.coco_visibility(picture, 1).count(VISIBLE)
    return seen >= _FEWEST_JOINTS and int((picture.owner == 1).sum()) >= _FEWEST_PIXELS


def cut_by_border(visible: list[int]) -> bool:
    return OUTSIDE in visible


# Who stands where


def _people(random: Draws, count: int) -> tuple[Person, ...]:
    """Nobody stands inside another; they may cover each other."""
    people: list[Person] = []
    while len(people) < count:
        character = random_character(random)
        for _ in range(_MOST_TRIES):
            person = _placed(random, character, first=not people)
            parts = character.figure.parts(person.pose.transforms)
            if not any(people_collide(parts, other.character.figure.parts(other.pose.transforms)) for other in people):
                people.append(person)
                break
    return tuple(people)


def _placed(random: Draws, character: Character, *, first: bool) -> Person:
    # Most people are seen from the front or a little from the side.
    heading = random.normal(0, 0.7) if random.random() < 0.7 else random.uniform(-np.pi, np.pi)
    place = (0.0, 0.0) if first else (random.uniform(-1.1, 1.1), random.uniform(-0.8, 1.0))
    pose = random_pose(character.figure, random).moved(character.figure, float(heading), place)
    return Person(character, pose, Actor(character.dressed, pose.transforms, character.looks))


def _seats(people: tuple[Person, ...]) -> list[Thing]:
    """A stool under everybody who sits."""
    seats = []
    for person in people:
        if person.pose.seat is not None:
            skeleton = person.character.figure.skeleton
            root = skeleton.posed_head(person.pose.transforms, "root")
            facing = person.pose.goal.turn @ [0, -1, 0]
            heading = float(np.arctan2(facing[0], -facing[1]))
            middle = np.array([root[0], root[1]]) - 0.04 * unit(facing[:2])
            low = [middle[0] - 0.21, middle[1] - 0.17, 0]
            high = [middle[0] + 0.21, middle[1] + 0.17, person.pose.seat]
            seats.append(box(low, high, paint=painted((0.25, 0.16, 0.09), GRAIN), turn=heading))
    return seats


# Camera and light


def _camera(random: Draws, size: tuple[int, int], first: Person, place: Place) -> Camera:
    """As near as the share of the picture says that the first person shall fill, and at times aimed beside it."""
    width, height = size
    angle = np.radians(random.uniform(38, 78))  # horizontal
    focal = max(size) / 2 / np.tan(angle / 2)
    skeleton = first.character.figure.skeleton
    heads = np.array([skeleton.posed_head(first.pose.transforms, name) for name in skeleton.names])
    low, high = heads.min(0), heads.max(0)
    high[2] += 0.1  # the skull over the eyes
    middle, tall = (low + high) / 2, max(high[2] - low[2], high[0] - low[0], 1.0)
    share = random.uniform(0.4, 0.92)
    aim = np.zeros(3)
    if random.random() < 0.22:
        # Cut by the border: nearer, or beside.
        share = random.uniform(0.9, 1.5)
        aim = np.array([random.uniform(-0.45, 0.45), 0, random.uniform(-0.1, 0.35)]) * tall
    else:
        aim = np.array([random.uniform(-0.3, 0.3), 0, random.uniform(-0.08, 0.08)]) * tall
    distance = float(np.clip(focal * tall / (share * min(height, width * 1.2)), 1.5, 9.0))
    around, eye_height = random.uniform(-0.5, 0.5), random.uniform(0.35, 2.3)
    rise = np.clip(eye_height - middle[2], -0.45 * distance, 0.6 * distance)
    flat = np.sqrt(distance**2 - rise**2)
    eye = middle + np.array([flat * np.sin(around), -flat * np.cos(around), rise])
    eye[2] = max(eye[2], 0.2)
    roll = random.normal(0, 0.02) if random.random() < 0.5 else 0.0
    return Camera(
        width,
        height,
        round(float(focal), 3),
        _rounded(eye),
        _rounded(middle + aim),
        round(float(roll), 4),
        near=0.15,
        far=150.0 if place.outdoors else 25.0,
    )


def _rounded(point: Array) -> Triple:
    x, y, z = (round(float(value), 4) for value in point)
    return x, y, z


def _triple(values: Array) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _light(random: Draws, place: Place) -> Light:
    warm = random.uniform(-1, 1)
    tint = np.array([1 + 0.12 * warm, 1, 1 - 0.16 * warm])
    color = tint * random.uniform(0.6, 1.3) * (1.2 if place.outdoors else 1.0)
    ambient = np.array([0.30, 0.315, 0.34]) * random.uniform(0.7, 1.4)
    direction = (random.uniform(-1, 1), random.uniform(-1.1, -0.1), random.uniform(0.6, 1.6))
    return Light(
        to_light=direction,
        color=_triple(color),
        ambient=_triple(ambient),
        reach=3.2,
        lit_outside=True,
    )


# What hides people


def _occluders(random: Draws, camera: Camera, people: tuple[Person, ...]) -> list[Thing]:
    """One or two things between the camera and somebody."""
    things: list[Thing] = []
    for _ in range(random.integers(1, 3)):
        person = people[random.integers(len(people))]
        skeleton = person.character.figure.skeleton
        heads = np.array([skeleton.posed_head(person.pose.transforms, name) for name in skeleton.names])
        eye = np.array(camera.eye)
        toward = unit(np.append((eye - heads.mean(0))[:2], 0))
        # In front of all that reaches out to the camera, but not in the camera.
        nearest = ((heads - heads.mean(0)) @ toward).max() + 0.18
        room = np.linalg.norm((eye - heads.mean(0))[:2]) - 0.5
        if nearest >= room:
            continue
        at = heads.mean(0) + toward * random.uniform(nearest, min(room, nearest + 0.6))
        aside = np.array([-toward[1], toward[0], 0])
        at = at + aside * random.uniform(-0.4, 0.4)
        turn = float(np.arctan2(aside[1], aside[0]))
        things += _OCCLUDERS[random.integers(len(_OCCLUDERS))](random, at[:2], turn)
    return [thing for thing in things if not _hits(thing, people)]


def _hits(thing: Thing, people: tuple[Person, ...]) -> bool:
    """Whether somebody's joint lies within 6 cm of the box around a thing."""
    low, high = thing.points.min(0) - 0.06, thing.points.max(0) + 0.06
    for person in people:
        for (start, end), _ in person.character.figure.parts(person.pose.transforms).values():
            points = start + (end - start) * np.linspace(0, 1, 7)[:, None]
            if ((points > low) & (points < high)).all(1).any():
                return True
    return False


def _standing_box(random: Draws, at: Array, turn: float) -> list[Thing]:
    half, height = random.uniform([0.12, 0.1], [0.4, 0.2]), random.uniform(0.4, 1.2)
    paint = painted(random_color(random), int(random.integers(7)))
    return [box([*(at - half), 0], [*(at + half), height], paint=paint, turn=turn)]


def _table(random: Draws, at: Array, turn: float) -> list[Thing]:
    half, height = random.uniform([0.4, 0.15], [0.8, 0.25]), random.uniform(0.65, 0.95)
    paint = painted(random_color(random), GRAIN)
    things = [box([*(at - half), height - 0.05], [*(at + half), height], paint=paint, turn=turn)]
    for x in (-1, 1):
        for y in (-1, 1):
            corner = at + half * [x * 0.92, y * 0.85]
            low, high = [*(corner - 0.025), 0], [*(corner + 0.025), height - 0.05]
            things.append(box(low, high, paint=paint, turn=turn, about_point=[*at, 0]))
    return things


def _panel(random: Draws, at: Array, turn: float) -> list[Thing]:
    """A board that hangs or stands, as wide as a part of the body."""
    half = np.array([random.uniform(0.1, 0.3), 0.015])
    bottom = random.choice([0.0, random.uniform(0.3, 1.1)])
    height = random.uniform(0.3, 0.9) if bottom else random.uniform(0.6, 2.0)
    paint = painted(random_color(random), int(random.integers(7)))
    return [box([*(at - half), bottom], [*(at + half), bottom + height], paint=paint, turn=turn)]


def _pole(random: Draws, at: Array, turn: float) -> list[Thing]:
    return [post([*at, 0], random.uniform(0.03, 0.12), 3.0, paint=painted(random_color(random), PLAIN))]


_OCCLUDERS = (_standing_box, _table, _panel, _pole)


def with_pose(person: Person, pose: Pose) -> Person:
    return replace(person, pose=pose, actor=replace(person.actor, transforms=pose.transforms))

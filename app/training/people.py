"""Who is trained on: people of annotation files and rendered people, and the joints that they have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError
from app.evaluation.annotations import AnnotatedImage, AnnotatedPerson, Annotations, Selection, read_annotations
from app.evaluation.outcome import Skipped
from app.rendered_people.kept import rendered_scenes
from app.rendered_people.wishes import Wishes

# A person of whom fewer joints are labelled teaches little, and their box says little about where they are.
MIN_KEYPOINTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPerson:
    """Somebody in a picture. points: (J, 2) px of the picture in the order of `TrainingPeople.joints`, (0, 0) = the
    centre of the top left pixel. labelled: (J,), whether the joint is known.
    """

    image: AnnotatedImage
    person: AnnotatedPerson
    points: NDArray[np.float64]
    labelled: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPeople:
    """joints: indices in BLAZEPOSE_33. skipped: what was left out, and why. digest: of all that was read."""

    joints: tuple[int, ...]
    people: tuple[TrainingPerson, ...]
    skipped: tuple[Skipped, ...]
    digest: str

    def with_joints(self, joints: tuple[int, ...]) -> TrainingPeople:
        """The same people with these joints, in this order; those that they lack are unknown. Raises UserError where
        they have none of them.
        """
        people = [_with_joints(person, self.joints, joints) for person in self.people]
        people = [person for person in people if person.labelled.any()]
        if not people:
            raise UserError("Nobody in the annotations has a joint that this network knows.")
        digest = hashlib.sha256(f"{self.digest}{joints}".encode()).hexdigest()
        return TrainingPeople(joints, tuple(people), self.skipped, digest)

    def split(self, validation: float, seed: int) -> tuple[list[int], list[int]]:
        """Numbers of those who are trained on, and of those who are held back: whole pictures, at least one of each."""
        pictures = list(dict.fromkeys(id(person.image) for person in self.people))
        if len(pictures) < 2:
            raise UserError(
                "At least two pictures with people are needed: one to train on, and one to try the head on."
            )
        held = min(max(1, round(validation * len(pictures))), len(pictures) - 1)
        order = np.random.default_rng((seed, len(pictures))).permutation(len(pictures))
        held_back = {pictures[i] for i in order[:held]}
        numbers = range(len(self.people))
        return (
            [i for i in numbers if id(self.people[i].image) not in held_back],
            [i for i in numbers if id(self.people[i].image) in held_back],
        )


def annotated_people(annotations: Path, images: Path, mapping: Path | None = None) -> TrainingPeople:
    """Everybody in a COCO file with at least MIN_KEYPOINTS labelled. Raises UserError where nobody can be used.

    A joint that is read as the mean of two of BlazePose's, such as LSP's neck, has no heatmap of its own, and is left
    out.
    """
    read = read_annotations(annotations, images, mapping, Selection(MIN_KEYPOINTS))
    digest = hashlib.sha256(annotations.read_bytes())
    if mapping is not None:
        digest.update(mapping.read_bytes())
    return _people_of(read, digest.hexdigest())


def rendered_people(folder: Path, count: int, seed: int, part: str, tell: Callable[[int, int], None]) -> TrainingPeople:
    """`count` rendered scenes with one to three people, kept in `folder` (`app.rendered_people`): rendered where they
    are not there yet. Raises UserError where they cannot be rendered here.
    """
    wishes = Wishes(people=(1, 3), occluders=True, part=part)
    path = rendered_scenes(folder, count, seed, wishes, tell)
    return annotated_people(path, path.parent)


def _people_of(read: Annotations, digest: str) -> TrainingPeople:
    joints: list[int] = []
    places: list[int] = []
    skipped = list(read.skipped)
    for place, (name, source) in enumerate(zip(read.joint_set.joints, read.joint_set.sources, strict=True)):
        if len(source) == 1 and source[0] not in joints:
            joints.append(source[0])
            places.append(place)
        else:
            skipped.append(Skipped(name, "It has no heatmap of its own: it is not trained."))
    if not joints:
        raise UserError("None of the joints of the annotations has a heatmap of its own.")
    people = [
        TrainingPerson(image, person, person.joints[places], person.labels[places] > 0)
        for image in read.images
        for person in image.people
        if person.scored and (person.labels[places] > 0).any()
    ]
    if not people:
        raise UserError("Nobody in the annotations has a joint that can be trained.")
    return TrainingPeople(tuple(joints), tuple(people), tuple(skipped), digest)


def together(parts: Sequence[TrainingPeople]) -> TrainingPeople:
    """All of them; a joint that some lack is unknown there."""
    joints = tuple(dict.fromkeys(joint for part in parts for joint in part.joints))
    digest = hashlib.sha256("".join(part.digest for part in parts).encode()).hexdigest()
    people = [_with_joints(person, part.joints, joints) for part in parts for person in part.people]
    return TrainingPeople(joints, tuple(people), tuple(one for part in parts for one in part.skipped), digest)


def _with_joints(person: TrainingPerson, has: Sequence[int], wanted: Sequence[int]) -> TrainingPerson:
    points, labelled = np.zeros((len(wanted), 2)), np.zeros(len(wanted), np.bool_)
    for place, joint in enumerate(has):
        if joint in wanted:
            points[wanted.index(joint)] = person.points[place]
            labelled[wanted.index(joint)] = person.labelled[place]
    return TrainingPerson(person.image, person.person, points, labelled)


def told(skipped: Iterable[Skipped], most: int = 5) -> list[str]:
    """A line for each of the first that were left out, and how many there were."""
    everything = list(skipped)
    lines = [f"left out: {one.what}: {one.why}" for one in everything[:most]]
    return lines + ([f"left out: {len(everything) - most} more"] if len(everything) > most else [])

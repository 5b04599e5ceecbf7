"""A COCO keypoint file and its folder of images, checked once: what is broken is named and left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeGuard

import cv2
import numpy as np
from numpy.typing import NDArray

from app.comparison.page import clean
from app.errors import SourceError, UserError
from app.evaluation.joint_sets import JointSet, built_in_set, mapped_set
from app.evaluation.outcome import Skipped
from app.frames import Image
from app.sources.opencv_log import quiet_opencv
from models.traits import BLAZEPOSE, NetworkTraits

# Of a person's box, the share that is the person: what MMPose and others take where a file has no areas.
AREA_OF_BOX = 0.53
_LARGEST_NUMBER = 1e12
# As a multiple of the picture's longer side.
_LARGEST_BOX = 10.0
_NEEDED = "a COCO keypoint file with images, annotations and categories is needed"


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedPerson:
    """One person as annotated. Points are in px of the picture, (0, 0) = the centre of the top left pixel.

    box: x, y, width and height, which COCO counts from the corner of the top left pixel.
    area: of the person in px²; AREA_OF_BOX of the box where the file does not say.
    joints: (J, 2) in the order of the joint set. labels: (J,), 0 not labelled, 1 occluded, 2 visible.
    crowd: a group in one box. scored: whether this person counts; the others only excuse detections of them.
    """

    annotation_id: int
    image_id: int
    image: str
    image_size: tuple[int, int]
    box: tuple[float, float, float, float]
    area: float
    joints: NDArray[np.float64]
    labels: NDArray[np.int64]
    crowd: bool
    scored: bool

    @property
    def labelled(self) -> int:
        return int(np.count_nonzero(self.labels))

    @property
    def occluded_share(self) -> float:
        """Of the labelled joints."""
        return float(np.count_nonzero(self.labels == 1)) / self.labelled

    @property
    def longer_side(self) -> float:
        """Of the box, in px."""
        return max(self.box[2:])

    @property
    def height(self) -> float:
        """Of the box, in px."""
        return self.box[3]

    def is_cut(self, margin: float) -> bool:
        """Whether the box comes as close as `margin` px to the picture's border."""
        x, y, width, height = self.box
        right, bottom = self.image_size[0] - x - width, self.image_size[1] - y - height
        return min(x, y, right, bottom) <= margin


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """An image and everybody in it, also those who are not scored.

    name: for people and files; without what cannot be printed. size: width and height as the file says.
    """

    id: int
    name: str
    path: Path
    size: tuple[int, int]
    people: tuple[AnnotatedPerson, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is scored.

    min_keypoints: labelled ones. min_area: of the box, in px². limit: so many images with somebody, None for all.
    """

    min_keypoints: int = 1
    min_area: float = 0.0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Annotations:
    """images: those with somebody who is scored. category_id: of the people. skipped: what was left out, and why."""

    joint_set: JointSet
    category_id: int
    images: tuple[AnnotatedImage, ...]
    skipped: tuple[Skipped, ...]


def read_annotations(
    path: Path,
    folder: Path,
    mapping: Path | None = None,
    selection: Selection | None = None,
    traits: NetworkTraits = BLAZEPOSE,
) -> Annotations:
    """Read the annotations at `path` of the images in `folder`.

    mapping: a user's joint set (`app.evaluation.joint_sets.mapped_set`). traits: of the network that will read them;
    joints that it does not have are left out.
    Crowds and people without a labelled keypoint are not scored. Areas that are missing are AREA_OF_BOX of the box.
    Raises UserError with one sentence where nothing can be evaluated.
    """
    file = _read(path)
    if not folder.is_dir():
        raise UserError(f"There is no folder of images at {folder}.")
    category = _category(file, path)
    names = [clean(name) for name in category["keypoints"]]
    joint_set = (mapped_set(mapping, names) if mapping else built_in_set(names)).known_to(traits.joints)
    if not joint_set.places:
        raise UserError(f"The network has none of the joints of “{path.name}”.")
    reader = _Reader(joint_set, selection or Selection())
    images = reader.images(file["images"], file["annotations"], category["id"], folder)
    if not images:
        if not reader.anybody:
            raise UserError(f"“{path.name}” holds no person with a labelled keypoint.")
        if reader.skipped:
            first = reader.skipped[0]
            raise UserError(f"Nobody in “{path.name}” can be scored. The first reason: {first.what}: {first.why}")
        raise UserError(f"“{path.name}” holds nobody with so many keypoints in so large a box.")
    why = "BlazePose has no such joint" if traits is BLAZEPOSE else "the network has no such joint"
    left_out = [Skipped(clean(name), f"{why}: it is not compared.") for name in joint_set.left_out]
    return Annotations(joint_set, category["id"], tuple(images), (*left_out, *reader.skipped))


def read_picture(image: AnnotatedImage) -> Image:
    """The pixels (H, W, 3) uint8 BGR as they lie in the file. Raises SourceError with the reason.

    COCO's annotations are for pictures that nobody has turned, so what EXIF says about that is not followed.
    """
    try:
        data = np.fromfile(image.path, np.uint8)
    except FileNotFoundError:
        raise SourceError("The file is missing.") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"The file cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    try:
        # Not cv2.imread: on Windows that knows only paths of the system's code page.
        with quiet_opencv():
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        picture = None
    if picture is None:
        raise SourceError("The file is not a picture that can be read.")
    height, width = picture.shape[:2]
    if (width, height) != image.size:
        raise SourceError(
            f"It has {width} × {height} pixels, but was annotated with {image.size[0]} × {image.size[1]}."
        )
    return np.asarray(picture, np.uint8)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(f"The annotations {path} cannot be read: {error.strerror}.") from None
    if not text.strip():
        raise UserError(f"“{path.name}” is empty: {_NEEDED}.")
    try:
        file = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UserError(f"“{path.name}” is not JSON: {_NEEDED}.") from None
    if isinstance(file, list):
        raise UserError(f"“{path.name}” is a list, perhaps of results: {_NEEDED}.")
    if not isinstance(file, dict) or not all(
        isinstance(file.get(key), list) for key in ("images", "annotations", "categories")
    ):
        raise UserError(f"“{path.name}” is another kind of JSON file: {_NEEDED}.")
    return file


def _category(file: dict[str, Any], path: Path) -> dict[str, Any]:
    """The one that is called person, or else the first, of those with keypoints."""
    usable = [
        category
        for category in file["categories"]
        if isinstance(category, dict)
        and _is_id(category.get("id"))
        and isinstance(category.get("keypoints"), list)
        and category["keypoints"]
        and all(isinstance(name, str) for name in category["keypoints"])
        and len(set(category["keypoints"])) == len(category["keypoints"])
    ]
    if not usable:
        raise UserError(f"No category of “{path.name}” has keypoints: {_NEEDED}.")
    return next((category for category in usable if category.get("name") == "person"), usable[0])


class _Problem(Exception):
    """Why an image or an annotation cannot be used, in one sentence."""


class _Reader:
    """Goes through a file's images and annotations. anybody: whether there is a person with a labelled keypoint."""

    def __init__(self, joint_set: JointSet, selection: Selection) -> None:
        self._joint_set = joint_set
        self._selection = selection
        self.skipped: list[Skipped] = []
        self.anybody = False

    def _skip(self, what: str, why: str) -> None:
        self.skipped.append(Skipped(clean(what), why))

    def images(
        self, images: Sequence[Any], annotations: Sequence[Any], category_id: int, folder: Path
    ) -> list[AnnotatedImage]:
        by_image: dict[int, list[dict[str, Any]]] = {}
        for i, annotation in enumerate(annotations):
            if not isinstance(annotation, dict) or not _is_id(annotation.get("image_id")):
                self._skip(f"annotation {i + 1} of the file", "It belongs to no image.")
            elif annotation.get("category_id") == category_id:
                by_image.setdefault(annotation["image_id"], []).append(annotation)
        found: list[AnnotatedImage] = []
        seen: set[int] = set()
        known: set[int] = set()
        limit = self._selection.limit
        for i, entry in enumerate(images):
            if isinstance(entry, dict) and _is_id(entry.get("id")):
                known.add(entry["id"])
            if limit is not None and len(found) == limit:
                continue
            try:
                image = self._image(entry, folder, by_image, seen)
            except _Problem as problem:
                self._skip(_image_name(entry, i), str(problem))
                continue
            if any(person.scored for person in image.people):
                found.append(image)
        for image_id in by_image.keys() - known:
            for annotation in by_image[image_id]:
                self._skip(_annotation_name(annotation), f"No image has the id {image_id}.")
        return found

    def _image(
        self, entry: Any, folder: Path, by_image: dict[int, list[dict[str, Any]]], seen: set[int]
    ) -> AnnotatedImage:
        if not isinstance(entry, dict) or not _is_id(entry.get("id")):
            raise _Problem("It has no id that is a whole number.")
        if entry["id"] in seen:
            raise _Problem(f"The id {entry['id']} is there twice.")
        seen.add(entry["id"])
        name = entry.get("file_name")
        if not isinstance(name, str) or not name:
            raise _Problem("It has no file_name.")
        if not _stays_inside(name):
            raise _Problem("Its file_name leads out of the folder of images.")
        width, height = entry.get("width"), entry.get("height")
        if not (_is_id(width) and _is_id(height) and min(width, height) > 0):
            raise _Problem("It has no width and height.")
        people = []
        for annotation in by_image.get(entry["id"], ()):
            try:
                people.append(self._person(annotation, entry))
            except _Problem as problem:
                self._skip(_annotation_name(annotation), str(problem))
        return AnnotatedImage(entry["id"], clean(name), folder / name, (width, height), tuple(people))

    def _person(self, annotation: dict[str, Any], entry: dict[str, Any]) -> AnnotatedPerson:
        if not _is_id(annotation.get("id")):
            raise _Problem("It has no id that is a whole number.")
        box = _numbers(annotation.get("bbox"))
        if box is None or len(box) != 4:
            raise _Problem("Its bbox is missing or is not four numbers.")
        if min(box[2:]) <= 0:
            raise _Problem("Its bbox has no width or no height.")
        if not _touches(box, entry["width"], entry["height"]):
            raise _Problem("Its bbox lies outside of the picture.")
        if max(box[2:]) > _LARGEST_BOX * max(entry["width"], entry["height"]):
            raise _Problem("Its bbox is far larger than the picture.")
        area = annotation.get("area")
        if area is None:
            area = AREA_OF_BOX * box[2] * box[3]
        elif _numbers([area]) is None or area <= 0:
            raise _Problem("Its area is not a number greater than 0.")
        joints, labels = self._keypoints(annotation)
        crowd = bool(annotation.get("iscrowd", 0))
        labelled = int(np.count_nonzero(labels))
        self.anybody |= labelled > 0 and not crowd
        chosen = labelled >= self._selection.min_keypoints and box[2] * box[3] >= self._selection.min_area
        return AnnotatedPerson(
            annotation_id=annotation["id"],
            image_id=entry["id"],
            image=clean(entry["file_name"]),
            image_size=(int(entry["width"]), int(entry["height"])),
            box=(box[0], box[1], box[2], box[3]),
            area=float(area),
            joints=joints,
            labels=labels,
            crowd=crowd,
            scored=labelled > 0 and not crowd and chosen,
        )

    def _keypoints(self, annotation: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        count = len(self._joint_set.all_names)
        written = annotation.get("keypoints")
        if written is None:
            # As in files where only some people have keypoints: a person with none labelled.
            written = [0] * (3 * count)
        values = _numbers(written)
        if values is None:
            raise _Problem("Its keypoints are not a list of numbers.")
        if len(values) != 3 * count:
            raise _Problem(f"Its keypoints are {len(values)} numbers where {3 * count} are needed.")
        table = np.array(values).reshape(count, 3)[list(self._joint_set.places)]
        if not np.isin(table[:, 2], (0, 1, 2)).all():
            raise _Problem("One of its keypoints has a visibility other than 0, 1 and 2.")
        return table[:, :2].copy(), table[:, 2].astype(np.int64)


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _numbers(values: object) -> list[float] | None:
    """A list of finite numbers of a sensible size, or None."""
    if not isinstance(values, list):
        return None
    for value in values:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return None
        # NaN and infinity are not.
        if not abs(value) <= _LARGEST_NUMBER:
            return None
    return [float(value) for value in values]


def _touches(box: Sequence[float], width: int, height: int) -> bool:
    return box[0] < width and box[1] < height and box[0] + box[2] > 0 and box[1] + box[3] > 0


def _stays_inside(name: str) -> bool:
    """Whether a relative path stays below where it starts, whichever system's way of writing it is."""
    return not any(
        path.is_absolute() or path.anchor or ".." in path.parts for path in (PurePosixPath(name), PureWindowsPath(name))
    )


def _image_name(entry: Any, place: int) -> str:
    name = entry.get("file_name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and name else f"image {place + 1} of the file"


def _annotation_name(annotation: dict[str, Any]) -> str:
    return f"annotation {annotation.get('id', 'without an id')} of image {annotation['image_id']}"

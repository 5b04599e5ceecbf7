"""People read from crops by every variant: at the annotated boxes, or where the detector sees somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from app.comparison.variants import Variant, read_variants
from app.errors import SourceError
from app.evaluation.annotations import AnnotatedImage, AnnotatedPerson, read_picture
from app.evaluation.crops import (
    SHRUNK_TO,
    Cut,
    ahead,
    cut_person,
    cut_shrunk,
    detector_square,
    from_detector_square,
    region_of_box,
    stacked,
)
from app.evaluation.flip import joined_maps, joined_points
from app.evaluation.joint_sets import JointSet
from app.evaluation.outcome import Skipped
from app.frames import Image
from models.estimator import PoseEstimator
from models.readings import PRESENCE_THRESHOLD, REGRESSION
from models.regions import Region
from models.traits import NetworkTraits

# Pictures are opened and crops cut by so many threads, at most so many pictures ahead.
_WORKERS = 2
_AHEAD = 6
AS_THEY_ARE = 0
# Which person at which size, or which picture and whom the detector saw there.
Key = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One crop, read. points: (V, J, 2) px of the picture. confidence: see `app.evaluation.average_precision.Found`."""

    points: NDArray[np.float64]
    confidence: float
    presence: float


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the network says of a batch: of its crops, of those that fill it, then of all of these mirrored.

    keys, regions: of the crops alone. maps: (N, 33, H, W). regression: (N, 33, 2) shares of the crop, NaN where the
    network has none. presences: (N,).
    """

    keys: list[Key]
    regions: list[Region]
    maps: NDArray[np.float32]
    regression: NDArray[np.float64]
    presences: NDArray[np.float64]


class CropReader:
    """Reads crops with one network and every variant.

    at_once: so many crops are given to the network at once, mirrored ones not counted. fill: give it always so many,
        since a GPU's way is recorded for each number anew.
    """

    def __init__(
        self,
        estimator: PoseEstimator,
        variants: Sequence[Variant],
        joint_set: JointSet,
        *,
        flip: bool,
        at_once: int,
        fill: bool,
    ) -> None:
        self.estimator = estimator
        self.traits = estimator.traits
        self.flip = flip
        self._variants = variants
        self._joint_set = joint_set
        self._at_once = at_once
        self._fill = fill

    def read_all(self, cuts: Iterable[tuple[Key, Cut]]) -> Iterator[tuple[Key, Reading]]:
        """Each with the key that it came with, in the same order.

        One batch is decoded in a thread of its own while the network looks at the next.
        """
        for keys, readings in ahead(self._decoded, self._seen(cuts), 1, 2):
            yield from zip(keys, readings, strict=True)

    def _seen(self, cuts: Iterable[tuple[Key, Cut]]) -> Iterator[_Seen]:
        rest = iter(cuts)
        while batch := list(islice(rest, self._at_once)):
            yield self._through_network([key for key, _ in batch], [cut for _, cut in batch])

    def _through_network(self, keys: list[Key], cuts: list[Cut]) -> _Seen:
        # What fills the batch is read and forgotten.
        filled = [*cuts, *[cuts[-1]] * (self._at_once - len(cuts) if self._fill else 0)]
        crops = [cut.pixels for cut in filled]
        if self.flip:
            crops += [cut.mirrored for cut in filled if cut.mirrored is not None]
        people = self.estimator.read(stacked(crops), self.traits.tiles(len(crops)), keep_heatmaps=True).people
        regressed = [person.points.get(REGRESSION, np.full((len(person.peaks), 2), np.nan)) for person in people]
        return _Seen(
            keys,
            [cut.region for cut in cuts],
            maps=np.array([person.heatmaps for person in people]),
            regression=np.array(
                [person.region.to_crop(points) for person, points in zip(people, regressed, strict=True)]
            ),
            presences=np.array([person.presence for person in people]),
        )

    def _decoded(self, seen: _Seen) -> tuple[list[Key], list[Reading]]:
        maps, regression, presences = seen.maps, seen.regression, seen.presences
        if self.flip:
            half = len(maps) // 2
            maps = joined_maps(maps[:half], maps[half:])
            regression = joined_points(regression[:half], regression[half:])
            presences = (presences[:half] + presences[half:]) / 2
        needed, count = list(self._joint_set.needed), len(seen.keys)
        shares, peaks = read_variants(
            maps[:count, needed], regression[:count, needed].astype(np.float32), self._variants
        )
        joints = self._joint_set.means(shares.astype(np.float64), axis=2)
        heights = self._joint_set.means(peaks.astype(np.float64), axis=1).mean(1)
        readings = [
            Reading(region.to_image(joints[i]), float(presences[i] * heights[i]), float(presences[i]))
            for i, region in enumerate(seen.regions)
        ]
        return seen.keys, readings


def read_at_boxes(
    images: Sequence[AnnotatedImage], reader: CropReader, on_person: Callable[[], object], skipped: list[Skipped]
) -> dict[int, list[tuple[AnnotatedPerson, Reading]]]:
    """Everybody who is scored, at their annotated box. Returns them for each size in `SHRUNK_TO`, and AS_THEY_ARE.

    Who is at least as high as the first of these sizes is read at all of them. on_person: called for each reading.
    skipped: pictures that cannot be read are added to it.
    """
    # What the first number of a key stands for.
    people: list[AnnotatedPerson] = []
    found: dict[int, list[tuple[AnnotatedPerson, Reading]]] = {AS_THEY_ARE: [], **{size: [] for size in SHRUNK_TO}}

    cuts_of = partial(_cuts, traits=reader.traits, flip=reader.flip)

    def keyed() -> Iterator[tuple[Key, Cut]]:
        for image, cuts in zip(images, ahead(cuts_of, images, _WORKERS, _AHEAD), strict=True):
            if isinstance(cuts, str):
                skipped.append(Skipped(image.name, cuts))
                continue
            for person, size, cut in cuts:
                people.append(person)
                yield (len(people) - 1, size), cut

    for (place, size), reading in reader.read_all(keyed()):
        found[size].append((people[place], reading))
        on_person()
    return found


def readings_expected(images: Sequence[AnnotatedImage]) -> int:
    """How many readings `read_at_boxes` makes if every picture can be read."""
    people = [person for image in images for person in image.people if person.scored]
    return len(people) + len(SHRUNK_TO) * sum(person.height >= SHRUNK_TO[0] for person in people)


def _cuts(image: AnnotatedImage, *, traits: NetworkTraits, flip: bool) -> list[tuple[AnnotatedPerson, int, Cut]] | str:
    """Each scored person with each size and the crop; or why the picture cannot be read."""
    try:
        picture = read_picture(image)
    except SourceError as error:
        return str(error)
    cuts: list[tuple[AnnotatedPerson, int, Cut]] = []
    for person in image.people:
        if not person.scored:
            continue
        cuts.append((person, AS_THEY_ARE, cut_person(picture, region_of_box(person, traits), traits, flip=flip)))
        if person.height >= SHRUNK_TO[0]:
            cuts += [(person, size, cut_shrunk(picture, person, size, traits, flip=flip)) for size in SHRUNK_TO]
    return cuts


def read_detected(
    images: Sequence[AnnotatedImage], reader: CropReader, on_image: Callable[[], object], skipped: list[Skipped]
) -> list[tuple[AnnotatedImage, list[Reading]]]:
    """Each picture that can be read, and everybody who is seen in it by the detector and by the network."""
    read: list[tuple[AnnotatedImage, list[Reading]]] = []

    def keyed() -> Iterator[tuple[Key, Cut]]:
        opened = ahead(_picture_and_square, images, _WORKERS, _AHEAD)
        for image, pictures in zip(images, opened, strict=True):
            on_image()
            if isinstance(pictures, str):
                skipped.append(Skipped(image.name, pictures))
                continue
            picture, square = pictures
            read.append((image, []))
            for i, seen in enumerate(reader.estimator.detect(square)):
                region = from_detector_square(seen, picture)
                yield (len(read) - 1, i), cut_person(picture, region, reader.traits, flip=reader.flip)

    for (place, _), reading in reader.read_all(keyed()):
        if reading.presence >= PRESENCE_THRESHOLD:
            read[place][1].append(reading)
    return read


def _picture_and_square(image: AnnotatedImage) -> tuple[Image, Image] | str:
    try:
        picture = read_picture(image)
    except SourceError as error:
        return str(error)
    return picture, detector_square(picture)

"""Crops read by a real network: in batches, filled up, and together with their mirror images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.bundled import model_file
from app.comparison.variants import parse_variants
from app.evaluation.annotations import AnnotatedImage, read_annotations
from app.evaluation.crops import SHRUNK_TO, Cut, cut_person
from app.evaluation.joint_sets import built_in_set
from app.evaluation.outcome import Skipped
from app.evaluation.reading import AS_THEY_ARE, CropReader, Reading, read_at_boxes, readings_expected
from models.engines.choice import open_engine
from models.estimator import PoseEstimator
from models.regions import Region
from models.skeletons import BLAZEPOSE_33, COCO_17
from models.traits import BLAZEPOSE
from tests.app.evaluation_builders import clip_set
from tests.models.clip import clip_frames

JOINTS = built_in_set(COCO_17.joints)
# Around the person, who stands in the middle; the last holds half of somebody, of whom the network is not sure.
REGIONS = [Region(450.0, 300.0, 420.0, 0.0), Region(470.0, 280.0, 500.0, 0.3), Region(540.0, 150.0, 250.0, 0.0)]


@pytest.fixture(scope="module")
def estimator() -> PoseEstimator:
    path, sha256 = model_file("lite")
    return PoseEstimator(open_engine(path, "cpu", sha256))


def _reader(estimator: PoseEstimator, *, flip: bool = False, at_once: int = 1, fill: bool = False) -> CropReader:
    return CropReader(
        estimator, parse_variants("argmax,dark,regression", [10.0]), JOINTS, flip=flip, at_once=at_once, fill=fill
    )


def _cuts(regions: Sequence[Region], *, flip: bool) -> Iterator[tuple[tuple[int, int], Cut]]:
    for i, region in enumerate(regions):
        yield (i, 7), cut_person(clip_frames()[0], region, BLAZEPOSE, flip=flip)


def _read(reader: CropReader, regions: Sequence[Region]) -> list[Reading]:
    found = list(reader.read_all(_cuts(regions, flip=reader.flip)))
    assert [key for key, _ in found] == [(i, 7) for i in range(len(regions))]
    return [reading for _, reading in found]


def test_a_crop_is_read_as_the_estimator_reads_it_from_the_picture(estimator: PoseEstimator) -> None:
    people = estimator.read(clip_frames()[0], REGIONS, keep_heatmaps=True).people
    coco = [BLAZEPOSE_33.index[joint] for joint in COCO_17.joints]
    for person, reading in zip(people, _read(_reader(estimator), REGIONS), strict=True):
        for i, decoder in enumerate(("argmax", "dark", "regression")):
            assert reading.points[i] == pytest.approx(person.points[decoder][coco], abs=2e-3)
        assert reading.presence == pytest.approx(person.presence, abs=1e-6)
        assert person.heatmaps is not None
        peaks = person.heatmaps[coco].max((1, 2))
        assert reading.confidence == pytest.approx(person.presence * peaks.mean(), rel=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_batches_and_what_fills_them_change_nothing(estimator: PoseEstimator, flip: bool) -> None:
    regions = REGIONS + REGIONS[:1]
    alone = _read(_reader(estimator, flip=flip), regions)
    for at_once, fill in ((3, False), (3, True), (8, True)):
        together = _read(_reader(estimator, flip=flip, at_once=at_once, fill=fill), regions)
        for one, other in zip(alone, together, strict=True):
            assert other.points == pytest.approx(one.points, abs=1e-3)
            assert (other.confidence, other.presence) == pytest.approx((one.confidence, one.presence), rel=1e-5)


def test_the_flip_test_takes_the_mean_of_both(estimator: PoseEstimator) -> None:
    plain, flipped = (_read(_reader(estimator, flip=flip), REGIONS) for flip in (False, True))
    swapped = [COCO_17.mirrored[i] for i in range(17)]
    for region, one, both in zip(REGIONS, plain, flipped, strict=True):
        cut = cut_person(clip_frames()[0], region, BLAZEPOSE, flip=True)
        assert cut.mirrored is not None
        unit = Region(0.5, 0.5, 1.0, 0.0)
        ((_, mirror),) = _reader(estimator).read_all([((0, 0), Cut(unit, cut.mirrored, None))])
        assert both.presence == pytest.approx((one.presence + mirror.presence) / 2, rel=1e-5)
        # Regression, as shares of the crop.
        turned = mirror.points[2][swapped] * (-1, 1) + (1, 0)
        mean = (region.to_crop(one.points[2]) + turned) / 2
        assert region.to_crop(both.points[2]) == pytest.approx(mean, abs=1e-5)
    # Else the mean would not be told from one of them.
    assert max(abs(one.presence - both.presence) for one, both in zip(plain, flipped, strict=True)) > 0.1


def test_people_are_read_at_every_size_and_broken_pictures_named(estimator: PoseEstimator, tmp_path: Path) -> None:
    images: tuple[AnnotatedImage, ...] = read_annotations(*clip_set(tmp_path / "set", (0, 40, 80))).images
    images[1].path.write_bytes(b"broken")
    skipped: list[Skipped] = []
    steps: list[None] = []
    found = read_at_boxes(images, _reader(estimator, at_once=4), lambda: steps.append(None), skipped)
    assert list(found) == [AS_THEY_ARE, *SHRUNK_TO]
    for readings in found.values():
        assert [person.image_id for person, _ in readings] == [1, 3]
        for person, reading in readings:
            errors = np.linalg.norm(reading.points[1] - person.joints, axis=1) / person.longer_side
            assert np.median(errors) < 0.06
    assert skipped == [Skipped("frame 40.png", "The file is not a picture that can be read.")]
    assert readings_expected(images) == 18
    assert len(steps) == 12

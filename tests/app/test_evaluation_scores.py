"""Scores of `posescope evaluate`: against pycocotools, hand-made cases and closed forms."""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO  # type: ignore[import-untyped]
from pycocotools.cocoeval import COCOeval, Params  # type: ignore[import-untyped]

from app.comparison.variants import Variant, parse_variants
from app.evaluation.annotations import AnnotatedImage, AnnotatedPerson
from app.evaluation.average_precision import Found, Matches, PrecisionMeter
from app.evaluation.compare import differences, disagreements, pairs, reference_variant, spreads
from app.evaluation.groups import Evaluated, group_scores, joint_scores
from app.evaluation.matching import match_people
from app.evaluation.reading import Reading
from app.evaluation.scores import score_people, similarity
from app.evaluation.splits import split_people
from models.skeletons import COCO_17
from tests.app.evaluation_builders import person, write_png

SIGMAS = tuple(map(float, Params("keypoints").kpt_oks_sigmas))
RANDOM = np.random.default_rng(3)
VARIANTS = (Variant("argmax"), Variant("debiased", 10.0))


def _quiet() -> contextlib.AbstractContextManager[Any]:
    return contextlib.redirect_stdout(io.StringIO())


def _people(count: int, per_image: int = 1) -> list[AnnotatedPerson]:
    people = []
    for i in range(count):
        labels = RANDOM.integers(0, 3, 17)
        labels[0] = 2
        joints = RANDOM.uniform(0, 300, (17, 2))
        area = float(RANDOM.uniform(2e3, 4e4))
        people.append(person(joints, labels, annotation_id=i + 1, image_id=i // per_image, area=area))
    return people


def _near(people: list[AnnotatedPerson], spread: float) -> NDArray[np.float64]:
    """(P, 1, 17, 2): each somewhere around the truth, some nearer than others."""
    far = RANDOM.uniform(0, 2 * spread, (len(people), 1, 1))
    joints = np.array([somebody.joints for somebody in people])
    return (joints + far * RANDOM.standard_normal((len(people), 17, 2)))[:, None]


def _independent(people: list[AnnotatedPerson], found: list[Found]) -> Any:
    """COCOeval with what `loadRes` makes of results, and all its own settings."""
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i} for i in dict.fromkeys(somebody.image_id for somebody in people)],
        "categories": [{"id": 7}],
        "annotations": [
            {
                "id": somebody.annotation_id,
                "image_id": somebody.image_id,
                "category_id": 7,
                "keypoints": np.column_stack((somebody.joints, somebody.labels)).ravel().tolist(),
                "num_keypoints": int((somebody.labels > 0).sum()),
                "area": somebody.area,
                "bbox": list(somebody.box),
                "iscrowd": 0,
            }
            for somebody in people
        ],
    }
    results = [
        {
            "image_id": one.image_id,
            "category_id": 7,
            "keypoints": np.insert(one.points[0], 2, 1, axis=1).ravel().tolist(),
            "score": one.confidence,
        }
        for one in found
    ]
    with _quiet():
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), "keypoints")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def test_oks_is_that_of_pycocotools() -> None:
    people = _people(20)
    points = _near(people, 20.0)
    run = _independent(people, [Found(one.image_id, points[i], 0.5) for i, one in enumerate(people)])
    for i, somebody in enumerate(people):
        (expected,) = run.computeOks(somebody.image_id, 7)[0]
        assert similarity(points[i], somebody, SIGMAS) == pytest.approx([expected], rel=1e-9)
    scored = score_people(people, points, np.ones(20), SIGMAS)
    assert scored.oks[:, 0] == pytest.approx([run.ious[one.image_id, 7][0, 0] for one in people], rel=1e-9)


def test_a_joint_at_the_distance_of_its_own_sigma() -> None:
    # One joint labelled, at the distance s · 2σ: exp(-1/2).
    labels = [0] * 16 + [1]
    somebody = person(np.zeros((17, 2)), labels, area=400.0)
    points = np.full((1, 17, 2), 1e3)
    points[0, 16] = (20 * 2 * SIGMAS[16], 0)
    assert similarity(points, somebody, SIGMAS) == pytest.approx([math.exp(-0.5)])


def test_errors_and_hits_are_shares_of_the_longer_side_and_labelled_joints_alone_count() -> None:
    joints = [[100.0, 100.0]] * 4
    somebody = person(joints, [2, 1, 0, 2], box=(0, 0, 50, 200))
    points = np.array(joints)[None, None] + [[[[8, 6], [0, 19.9], [0, 0], [20, 0]]]]
    scored = score_people([somebody], points, np.ones(1), (0.05,) * 4)
    assert scored.errors[0, 0, [0, 1, 3]] == pytest.approx([0.05, 0.0995, 0.1])
    assert math.isnan(scored.errors[0, 0, 2])
    # Closer than, not as close as.
    assert [scored.hits(0.05)[0, 0], scored.hits(0.0501)[0, 0], scored.hits(0.1)[0, 0]] == [0, 1, 2]
    assert scored.labelled.tolist() == [3]


@pytest.mark.parametrize("per_image", [1, 3])
def test_average_precision_is_that_of_pycocotools(per_image: int) -> None:
    people = _people(30, per_image)
    points = _near(people, 9.0)
    found = [Found(one.image_id, points[i], float(RANDOM.uniform())) for i, one in enumerate(people)]
    # Somebody whom nobody annotated.
    found.append(Found(people[0].image_id, RANDOM.uniform(0, 300, (1, 17, 2)), 0.9))
    precision = PrecisionMeter(people, [True] * 30, found, SIGMAS).measure(0)
    stats = _independent(people, found).stats
    assert 0.1 < stats[0] < 0.9
    assert (precision.ap.value, precision.ap50, precision.ap75, precision.ar) == pytest.approx(
        (stats[0], stats[1], stats[2], stats[5]), abs=1e-12
    )


def test_average_precision_of_hand_made_people() -> None:
    people = _people(2)
    perfect = [Found(one.image_id, one.joints[None], 0.5) for one in people]
    assert PrecisionMeter(people, [True, True], perfect, SIGMAS).measure(0).ap.value == pytest.approx(1.0)
    lost = Found(people[1].image_id, people[1].joints[None] + 1e3, 0.9)
    # The better half of the recalls has a precision of 1/2, since the mistake is the more confident: 51 of 101.
    half = PrecisionMeter(people, [True, True], [perfect[0], lost], SIGMAS).measure(0)
    assert half.ap.value == pytest.approx(51 / 101 / 2)
    assert half.ar == pytest.approx(0.5)
    # Who does not count excuses those who find them.
    excused = PrecisionMeter(people, [True, False], perfect, SIGMAS).measure(0)
    assert (excused.ap.value, excused.ar) == pytest.approx((1.0, 1.0))
    nobody = PrecisionMeter(people, [False, False], perfect, SIGMAS).measure(0, 5)
    assert math.isnan(nobody.ap.value)
    assert math.isnan(nobody.ar)
    assert PrecisionMeter(people, [True, True], [], SIGMAS).measure(0, 5).ap.value == 0


def test_pictures_drawn_again_are_counted_as_accumulate_counts_them() -> None:
    people = _people(40, 2)
    points = _near(people, 9.0)
    found = [Found(one.image_id, points[i], float(RANDOM.uniform())) for i, one in enumerate(people)]
    found += [Found(i, RANDOM.uniform(0, 300, (1, 17, 2)), float(RANDOM.uniform())) for i in range(6)]
    run = _independent(people, found)
    pictures = run.evalImgs[:20]  # of all areas
    matches = Matches(pictures)
    assert matches.average_precision(range(20)) == pytest.approx(run.stats[0], abs=1e-12)
    for seed in range(5):
        drawn = np.random.default_rng(seed).integers(20, size=20).tolist()
        run.params.areaRng = run._paramsEval.areaRng = run.params.areaRng[:1]
        run.evalImgs = [pictures[i] for i in drawn]
        with _quiet():
            run.accumulate()
        assert matches.average_precision(drawn) == pytest.approx(run.eval["precision"].mean(), abs=1e-12)


def test_whoever_is_excused_is_excused_in_every_drawing() -> None:
    people = _people(6, 2)
    found = [Found(one.image_id, one.joints[None], 0.5 + i / 10) for i, one in enumerate(people)]
    counts = [True, False] * 3
    ap = PrecisionMeter(people, counts, found, SIGMAS).measure(0, 20).ap
    assert (ap.value, ap.low, ap.high) == pytest.approx((1.0, 1.0, 1.0))
    # Those who count were not found; finding the others brings nothing.
    ap = PrecisionMeter(people, counts, found[1::2], SIGMAS).measure(0, 20).ap
    assert (ap.value, ap.low, ap.high) == (0.0, 0.0, 0.0)


def test_the_interval_of_average_precision_holds_the_value_and_is_the_same_again() -> None:
    people = _people(40)
    points = _near(people, 9.0)
    found = [Found(one.image_id, points[i], 0.5 + i / 100) for i, one in enumerate(people)]
    meter = PrecisionMeter(people, [True] * 40, found, SIGMAS)
    ap = meter.measure(0, 100).ap
    assert ap.low < ap.value < ap.high
    assert 0.05 < ap.high - ap.low < 0.5
    assert meter.measure(0, 100).ap == ap
    assert math.isnan(meter.measure(0).ap.low)


def _evaluated(people: list[AnnotatedPerson], points: NDArray[np.float64]) -> Evaluated:
    scored = score_people(people, points, np.full(len(people), 0.5), SIGMAS)
    return Evaluated(scored, VARIANTS, SIGMAS)


def test_a_group_has_the_scores_of_its_own_people() -> None:
    people = [person(np.full((17, 2), 50.0), [2] * 17, annotation_id=i, image_id=i) for i in range(4)]
    points = np.full((4, 2, 17, 2), 50.0)
    points[2:, 1, :, 0] += 15  # 7.5 % of 200 px
    evaluated = _evaluated(people, points)
    right, wrong = group_scores(evaluated, "x", "y", [0, 1]).scores
    assert right.mean_oks == wrong.mean_oks
    assert (right.people, right.joints, right.pck5.value, right.ap.value) == (2, 34, 1.0, pytest.approx(1.0))
    right, wrong = group_scores(evaluated, "x", "y", range(4), 20).scores
    assert (right.pck5.value, right.median_error.value) == (1.0, 0.0)
    assert (wrong.pck5.value, wrong.pck10.value) == (0.5, 1.0)
    # The median of half 0 and half .075.
    assert wrong.median_error.value == pytest.approx(0.0375)
    assert wrong.pck5.low < 0.5 < wrong.pck5.high
    assert wrong.mean_oks.value == pytest.approx((1 + evaluated.scored.oks[3, 1]) / 2)


def test_people_who_were_not_found_count_with_nothing() -> None:
    people = [person(np.full((17, 2), 50.0), [2] * 17, annotation_id=i, image_id=i) for i in range(2)]
    points = np.full((2, 2, 17, 2), 50.0)
    points[1] = np.nan
    evaluated = _evaluated(people, points)
    assert evaluated.scored.missed.tolist() == [False, True]
    scores = group_scores(evaluated, "x", "y", range(2)).scores[0]
    assert (scores.mean_oks.value, scores.pck10.value, scores.median_error.value) == (0.5, 0.5, 0.0)
    assert math.isnan(spreads(evaluated.scored)[1])
    joint = joint_scores(evaluated.scored, [f"j{i}" for i in range(17)], VARIANTS)[0]
    assert (joint.seen, joint.hidden, joint.pck5_seen, joint.median_error_seen) == (2, 0, 0.5, 0.0)
    assert math.isnan(joint.pck5_hidden)


def test_joints_are_scored_apart_where_they_are_seen_and_hidden() -> None:
    people = [
        person(np.zeros((2, 2)), labels, annotation_id=i, image_id=i, box=(0, 0, 100, 50))
        for i, labels in enumerate([[2, 1], [1, 2], [2, 0]])
    ]
    points = np.zeros((3, 1, 2, 2))
    points[:, 0, 0, 0] = [1, 30, 7]
    scored = score_people(people, points, np.ones(3), (0.1, 0.1))
    first, second = joint_scores(scored, ["a", "b"], [VARIANTS[0]])
    assert (first.joint, first.seen, first.hidden) == ("a", 2, 1)
    assert (first.pck5_seen, first.pck5_hidden) == (0.5, 0.0)
    assert (first.median_error_seen, first.median_error_hidden) == pytest.approx((0.04, 0.3))
    assert (second.seen, second.hidden) == (1, 1)


def test_differences_are_paired_and_small_parts_are_left_out() -> None:
    people = [person(np.full((17, 2), 50.0), [2] * 17, annotation_id=i, image_id=i) for i in range(12)]
    points = np.full((12, 2, 17, 2), 50.0)
    points[:9, 0] += 4.0  # argmax is worse for nine, and the same for three
    scored = score_people(people, points, np.ones(12), SIGMAS)
    parts = [("split", "big", range(10)), ("split", "small", range(9))]
    everybody, big = differences(scored, VARIANTS, parts)
    assert (everybody.group, big.group) == (("all people", ""), ("split", "big"))
    assert (everybody.first.decoder, everybody.second.decoder) == ("debiased", "argmax")
    assert everybody.mean_oks.value == pytest.approx((scored.oks[:, 1] - scored.oks[:, 0]).mean())
    assert everybody.better == pytest.approx((9 + 1.5) / 12)
    assert everybody.mean_oks.excludes_zero
    assert spreads(scored)[0] == pytest.approx(math.hypot(4, 4) / 200)


def test_whom_no_decoder_reads_is_not_drawn_however_far_apart_they_lie(tmp_path: Path) -> None:
    people = [person(np.full((17, 2), 50.0), [2] * 17, annotation_id=i, image_id=1) for i in range(3)]
    points = np.full((3, 2, 17, 2), 50.0)
    points[0] += [[[300.0]], [[-300.0]]]  # read by neither
    points[1, 0] += 30.0
    points[2, 0] += 60.0
    scored = score_people(people, points, np.ones(3), SIGMAS)
    write_png(tmp_path / "1.png", np.zeros((120, 100, 3), np.uint8))
    image = AnnotatedImage(1, "1.png", tmp_path / "1.png", (100, 120), tuple(people))
    drawn = disagreements(scored, VARIANTS, [image], COCO_17.joints)
    assert [one.annotation_id for one in drawn] == [2, 1]
    assert spreads(scored)[0] > drawn[0].spread > drawn[1].spread
    assert drawn[0].oks == tuple(scored.oks[2])


def test_the_default_is_compared_with_all_and_the_forms_of_the_paper_with_argmax() -> None:
    variants = parse_variants("argmax,dark,ipr,debiased-plain,debiased", [1.0, 10.0])
    place = {variant.key: i for i, variant in enumerate(variants)}
    reference = place["debiased:beta=10"]
    assert reference_variant(variants) == reference
    compared = pairs(variants)
    assert compared[: len(variants) - 1] == [(reference, i) for i in range(len(variants)) if i != reference]
    of_paper = [key for key in place if key.startswith("ipr") or "normalize=off" in key]
    assert compared[len(variants) - 1 :] == [(place[key], place["argmax"]) for key in of_paper]
    assert reference_variant(parse_variants("argmax,ipr", [10.0])) == 0
    assert pairs(parse_variants("ipr,argmax", [10.0])) == [(0, 1)]


def test_people_are_split_by_keypoints_occlusion_height_and_border() -> None:
    def somebody(labels: list[int], box: tuple[float, float, float, float]) -> AnnotatedPerson:
        return person(np.zeros((17, 2)), labels + [0] * (17 - len(labels)), box=box, image_size=(640, 480))

    inside = (100.0, 100.0, 50.0, 96.0)
    people = [
        somebody([2] * 5, inside),
        somebody([2] * 3 + [1], (100.0, 100.0, 50.0, 95.9)),
        somebody([2] * 10, (2.0, 100.0, 50.0, 192.0)),
        somebody([2] * 7 + [1] * 4, (100.0, 100.0, 50.0, 378.0)),
        somebody([1] * 17, (2.1, 2.1, 635.8, 475.8)),
    ]
    found = {(split, name): indices for split, name, indices in split_people(people)}
    assert found == {
        ("labelled keypoints", "1–5"): [0, 1],
        ("labelled keypoints", "6–10"): [2],
        ("labelled keypoints", "11 or more"): [3, 4],
        ("occluded keypoints", "none"): [0, 2],
        ("occluded keypoints", "up to a quarter"): [1],
        ("occluded keypoints", "more than a quarter"): [3, 4],
        ("height of the person", "under 96 px"): [1],
        ("height of the person", "96–192 px"): [0, 2],
        ("height of the person", "over 192 px"): [3, 4],
        ("cut by the picture’s border", "no"): [0, 1, 4],
        ("cut by the picture’s border", "yes"): [2, 3],
    }
    # Nobody is in most parts.
    assert len(split_people(people[:1])) == 4


def test_people_are_matched_one_to_one_the_most_similar_first() -> None:
    first, second, third = (person(np.full((17, 2), at), [2] * 17) for at in (50.0, 60.0, 400.0))

    def reading(at: float, other: float) -> Reading:
        return Reading(np.array([np.full((17, 2), at), np.full((17, 2), other)]), 0.5, 0.9)

    # Both are near the first two; a far one is nobody's.
    near_both, near_second, far = reading(54.0, 54.0), reading(60.0, 61.0), reading(600.0, 700.0)
    assert match_people([first, second, third], [near_both, far, near_second], SIGMAS) == [
        near_both,
        near_second,
        None,
    ]
    # Nobody is found twice: the second has nobody.
    assert match_people([second, first], [near_both], SIGMAS) == [None, near_both]
    # The mean over the variants decides, not one of them.
    steady, lucky = reading(50.5, 50.5), reading(50.0, 90.0)
    assert match_people([first], [lucky, steady], SIGMAS) == [steady]
    assert match_people([], [far], SIGMAS) == []
    assert match_people([first], [], SIGMAS) == [None]
    unlabelled = person(np.zeros((17, 2)), [0] * 17)
    assert match_people([unlabelled], [steady], SIGMAS) == [None]


def test_with_the_detector_people_of_other_parts_excuse_and_strangers_do_not() -> None:
    people = [person(np.full((17, 2), at), [2] * 17, annotation_id=i, image_id=9) for i, at in enumerate((50.0, 300.0))]
    bystander = person(np.full((17, 2), 600.0), [2] * 17, annotation_id=5, image_id=9)
    scored = score_people(people, np.array([[one.joints] for one in people]), np.ones(2), SIGMAS)

    def precision(*places: float) -> float:
        found = tuple(Found(9, np.full((1, 17, 2), at), 0.5 + at / 1e4) for at in places)
        evaluated = Evaluated(scored, VARIANTS[:1], SIGMAS, found, (bystander,))
        return evaluated.precision_meter([0]).measure(0).ap.value

    assert precision(50.0, 300.0, 600.0) == pytest.approx(1.0)
    # The stranger is the most confident of all.
    assert precision(50.0, 300.0, 900.0) == pytest.approx(0.5)

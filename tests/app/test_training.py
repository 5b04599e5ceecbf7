"""Training of heads: what the losses are, that the truth stays true in every view, and that a run can be broken off."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.bundled import model_file
from app.errors import UserError
from app.evaluation.annotations import AnnotatedImage, AnnotatedPerson
from app.training.features import FeatureStore, TrunkMaker, ViewPlan, feature_store
from app.training.loop import Schedule, Training
from app.training.losses import Objective, gaussians, jensen_shannon
from app.training.people import TrainingPeople, TrainingPerson, annotated_people, together
from app.training.views import disturbed_view, plain_view
from models.blazepose import LandmarkNetwork
from models.bundle import open_bundle
from models.heads import shipped_head
from models.skeletons import BLAZEPOSE_33, COCO_17
from models.traits import BLAZEPOSE
from tests.app.training_builders import clip_people

CPU = torch.device("cpu")
LITE = open_bundle(*model_file("lite")).landmarks


# --- losses -----------------------------------------------------------------------------------------------------------


def test_a_gaussian_is_one_at_its_point_and_falls_off_as_it_should() -> None:
    maps = gaussians(torch.tensor([[[3.0, 5.0], [2.5, 0.0]]]), 8, 6, sigma=2.0)
    assert maps.shape == (1, 2, 8, 6)
    assert maps[0, 0, 5, 3] == 1
    assert float(maps[0, 0, 7, 0]) == pytest.approx(math.exp(-(9 + 4) / 8))
    assert float(maps[0, 1, 0, 2]) == pytest.approx(math.exp(-0.25 / 8))


def test_the_jensen_shannon_divergence_is_that_of_scipy() -> None:
    from scipy.spatial.distance import jensenshannon

    random = np.random.default_rng(2)
    p, q = random.random((2, 3, 4, 5)), random.random((2, 3, 4, 5))
    p[0, 0, :2] = 0
    got = jensen_shannon(torch.from_numpy(p), torch.from_numpy(q)).numpy()
    for n in range(2):
        for k in range(3):
            assert got[n, k] == pytest.approx(jensenshannon(p[n, k].ravel(), q[n, k].ravel()) ** 2, abs=1e-12)
    apart = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    apart[0, 0, 0, 0] = 1
    assert float(jensen_shannon(apart, apart.flip(-1))) == pytest.approx(math.log(2))
    assert float(jensen_shannon(apart, 3 * apart)) == 0


@pytest.mark.parametrize("objective", [Objective("argmax"), Objective("debiased"), Objective("ipr", 50.0)])
def test_an_ideal_map_costs_nothing(objective: Objective) -> None:
    points = torch.tensor([[[20.0, 33.0], [40.0, 12.0]]])
    labelled = torch.tensor([[True, True]])
    loss = objective.loss(gaussians(points, 64, 64), points, labelled)
    assert float(loss) < 0.02  # at beta 50 the background is nothing to ipr either


def test_only_labelled_joints_count() -> None:
    points = torch.tensor([[[20.0, 33.0], [-4000.0, 1e6]]])
    maps = gaussians(torch.tensor([[[22.0, 33.0], [10.0, 10.0]]]), 64, 64).requires_grad_()
    for objective in (Objective("argmax"), Objective("ipr"), Objective("debiased", 10.0, 2.0)):
        maps.grad = None
        loss = objective.loss(maps, points, torch.tensor([[True, False]]))
        loss.backward()
        assert maps.grad is not None
        assert torch.isfinite(maps.grad).all()
        assert maps.grad[0, 1].abs().max() == 0
        assert maps.grad[0, 0].abs().max() > 0
    assert float(Objective("debiased").loss(maps, points, torch.tensor([[True, False]])).detach()) == pytest.approx(
        2, abs=0.01
    )
    assert float(Objective("ipr").loss(maps, points, torch.tensor([[False, False]])).detach()) == 0


# --- views ------------------------------------------------------------------------------------------------------------


def marked_person(joints: tuple[int, ...]) -> tuple[np.ndarray, TrainingPerson]:
    """A dark picture with a disc of its own brightness at each joint, and who it is."""
    picture = np.full((300, 400, 3), 20, np.uint8)
    random = np.random.default_rng(4)
    points = np.column_stack((random.uniform(120, 280, len(joints)), random.uniform(60, 240, len(joints))))
    for i, point in enumerate(points):
        level = int(80 + 170 * i / len(joints))
        cv2.circle(picture, np.rint(point * 16).astype(int).tolist(), 3 * 16, (level,) * 3, cv2.FILLED, cv2.LINE_8, 4)
    box = (100.0, 40.0, 200.0, 220.0)
    labels = np.full(len(joints), 2)
    person = AnnotatedPerson(1, 1, "x", (400, 300), box, 20000.0, points, labels, False, True)
    image = AnnotatedImage(1, "x", Path("x"), (400, 300), (person,))
    return picture, TrainingPerson(image, person, points, labels > 0)


@pytest.mark.parametrize("seed", range(12))
def test_in_every_view_the_joints_are_where_they_are_said_to_be(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import app.training.views as views

    # Neither covered nor recoloured, so that a disc can be told by its brightness.
    monkeypatch.setattr(views, "_occluded", lambda pixels, random: pixels)
    monkeypatch.setattr(views, "_recolored", lambda pixels, random: pixels)
    joints = tuple(BLAZEPOSE_33.index[name] for name in ("nose", "left_wrist", "right_wrist", "left_knee"))
    picture, person = marked_person(joints)
    view = disturbed_view(picture, person, BLAZEPOSE, joints, np.random.default_rng(seed))
    mirrored = not view.labelled[3]  # its counterpart is not trained
    seen = view.pixels[..., 0].astype(float)
    for i, joint in enumerate(joints[:3]):
        if not view.labelled[i]:
            continue
        # In a mirror image the left wrist is where the right one was.
        source = {1: 2, 2: 1}.get(i, i) if mirrored else i
        level = int(80 + 170 * source / len(joints))
        rows, columns = np.nonzero(np.abs(seen - level) <= 6)
        # Column j shows the share (j + 0.5) / 256.
        found = (np.array([np.median(columns), np.median(rows)]) + 0.5) / 256
        assert np.linalg.norm(found - view.points[i]) < 1.5 / 256, BLAZEPOSE_33.joints[joint]


def test_both_mirrored_and_straight_views_come() -> None:
    joints = (BLAZEPOSE_33.index["nose"], BLAZEPOSE_33.index["left_knee"])
    picture, person = marked_person(joints)
    straight = [
        disturbed_view(picture, person, BLAZEPOSE, joints, np.random.default_rng(seed)).labelled[1]
        for seed in range(40)
    ]
    assert 8 <= sum(straight) <= 32


def test_a_plain_view_is_the_crop_of_the_box_and_joints_outside_of_it_are_not_labelled() -> None:
    joints = (0, 11)
    picture, person = marked_person(joints)
    far = person.points.copy()
    far[1] = 390, 290
    person = TrainingPerson(person.image, person.person, far, person.labelled)
    view = plain_view(picture, person, BLAZEPOSE)
    # 1.25 times the longer side of the box, around its middle, which is half a pixel off its corners' mean.
    side = 1.25 * 220
    assert view.points[0] == pytest.approx((far[0] + 0.5 - (200, 150)) / side + 0.5)
    assert view.labelled.tolist() == [True, False]


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingPeople]:
    path = clip_people(tmp_path_factory.mktemp("people"), 6)
    return path, annotated_people(path, path.parent)


def test_people_have_the_joints_of_the_file_by_blazepose_s_numbers(people: tuple[Path, TrainingPeople]) -> None:
    _, found = people
    assert [BLAZEPOSE_33.joints[joint] for joint in found.joints] == list(COCO_17.joints)
    assert len(found.people) == 6
    assert found.people[0].labelled.all()


def test_sets_with_other_joints_are_trained_together(people: tuple[Path, TrainingPeople]) -> None:
    _, coco = people
    joints = (BLAZEPOSE_33.index["left_heel"], BLAZEPOSE_33.index["nose"])
    _, one = marked_person(joints)
    both = together([coco, TrainingPeople(joints, (one,), (), "x")])
    assert both.joints == (*coco.joints, BLAZEPOSE_33.index["left_heel"])
    assert both.people[0].labelled.tolist() == [True] * 17 + [False]
    assert both.people[6].labelled.tolist() == [True] + [False] * 16 + [True]
    assert both.people[6].points[0].tolist() == one.points[1].tolist()
    assert both.digest != coco.digest


def test_whole_pictures_are_held_back(people: tuple[Path, TrainingPeople]) -> None:
    _, found = people
    training, validation = found.split(0.3, seed=1)
    assert sorted([*training, *validation]) == list(range(6))
    assert len(validation) == 2
    assert found.split(0.3, seed=1) == (training, validation)
    assert found.split(0.3, seed=2) != (training, validation)
    one = TrainingPeople(found.joints, found.people[:1], (), "")
    with pytest.raises(UserError, match="At least two pictures"):
        one.split(0.3, 1)


# --- features and training --------------------------------------------------------------------------------------------


def store_of(people: TrainingPeople, cache: Path, disturbed: int = 1) -> FeatureStore:
    plan = ViewPlan(disturbed, seed=3)
    return feature_store(cache, TrunkMaker(LITE), people, plan, CPU, lambda sentence: None, lambda done, count: None)


@pytest.fixture(scope="module")
def store(people: tuple[Path, TrainingPeople], tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return store_of(people[1], tmp_path_factory.mktemp("cache"))


def test_features_are_those_of_the_network_and_found_again(
    people: tuple[Path, TrainingPeople], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    plan = ViewPlan(1, seed=3)
    first = feature_store(tmp_path, TrunkMaker(LITE), people[1], plan, CPU, told.append, lambda done, count: None)
    assert told[0].startswith("12 views of 6 people take 2.")
    rows = first.rows_of([2], plain_only=True)
    head = shipped_head(LandmarkNetwork(LITE), people[1].joints)
    picture = cv2.imread(str(people[1].people[2].image.path))
    view = plain_view(picture, people[1].people[2], BLAZEPOSE)
    crop = torch.from_numpy(view.pixels.copy()).flip(-1).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        expected = LandmarkNetwork(LITE)(crop).heatmaps[:, list(people[1].joints)]
        got = torch.sigmoid(head(first.features(rows, CPU)))
    assert (got - expected).abs().max() < 0.02  # kept in float16
    points, labelled = first.truth(rows, (64, 64), CPU)
    assert points[0].numpy() == pytest.approx(view.points * 64, abs=1e-4)
    assert labelled.all()
    monkeypatch.setattr("app.training.features._fill", None)
    again = feature_store(tmp_path, TrunkMaker(LITE), people[1], plan, CPU, told.append, lambda done, count: None)
    assert told[-1].startswith("The trunk features are there already")
    assert torch.equal(again.features(rows, CPU).fine, first.features(rows, CPU).fine)


def test_where_there_is_no_room_nothing_is_begun(
    people: tuple[Path, TrainingPeople], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.training.features.short_of_space", lambda paths, least: tmp_path if least > 2e6 else None)
    with pytest.raises(UserError, match=r"no room for 2\.\d+ MB of trunk features"):
        store_of(people[1], tmp_path)
    assert not list(tmp_path.iterdir())


def training(store: FeatureStore, joints: tuple[int, ...], objective: Objective, **wishes: object) -> Training:
    defaults = {
        "schedule": Schedule(epochs=3, batch=4, seed=5),
        "train_rows": store.rows_of(range(4)),
        "validation_rows": store.rows_of([4, 5], plain_only=True),
    }
    return Training(
        module=shipped_head(LandmarkNetwork(LITE), joints),
        store=store,
        objective=objective,
        device=CPU,
        settings={"objective": str(objective)},
        **{**defaults, **wishes},  # type: ignore[arg-type]
    )


class Broken(Exception):
    pass


@pytest.mark.parametrize(
    "objective", [pytest.param(Objective("argmax"), marks=pytest.mark.thorough), Objective("debiased", 10.0, 0.5)]
)
def test_a_run_that_was_broken_off_ends_as_one_that_was_not(
    store: FeatureStore, people: tuple[Path, TrainingPeople], tmp_path: Path, objective: Objective
) -> None:
    whole = training(store, people[1].joints, objective)
    whole.run()
    assert [epoch.epoch for epoch in whole.history] == [0, 1, 2, 3]
    checkpoint = tmp_path / "head.checkpoint"

    def kill(done: int, every: int, loss: float) -> None:
        if done == every * 2 // 3 + 1:  # in the middle of the third epoch
            raise Broken

    with pytest.raises(Broken):
        training(store, people[1].joints, objective, checkpoint=checkpoint).run(step=kill)
    resumed = training(store, people[1].joints, objective, checkpoint=checkpoint)
    steps: list[int] = []
    resumed.run(step=lambda done, every, loss: steps.append(done))
    assert len(steps) == steps[-1] // 3  # of three epochs one
    for name, values in whole.weights().items():
        assert np.array_equal(values, resumed.weights()[name]), name
    assert [epoch.loss for epoch in whole.history[1:]] == [epoch.loss for epoch in resumed.history[1:]]
    with pytest.raises(UserError, match="other settings"):
        training(store, people[1].joints, Objective("ipr"), checkpoint=checkpoint).run()
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(UserError, match="is damaged: delete it"):
        training(store, people[1].joints, objective, checkpoint=checkpoint).run()


def test_another_seed_is_another_head(store: FeatureStore, people: tuple[Path, TrainingPeople]) -> None:
    heads = []
    for seed in (5, 6):
        run = training(store, people[1].joints, Objective("ipr"), schedule=Schedule(epochs=1, batch=4, seed=seed))
        run.run()
        heads.append(run.weights()["last.weight"])
    assert not np.array_equal(*heads)


@pytest.mark.thorough
@pytest.mark.parametrize("decoder", ["ipr", "debiased"])
def test_sixteen_people_are_learned_by_heart(decoder: str, tmp_path: Path) -> None:
    path = clip_people(tmp_path / "people", 16)
    people = annotated_people(path, path.parent)
    store = store_of(people, tmp_path / "cache", disturbed=0)
    rows = store.rows_of(range(16))
    run = training(
        store,
        people.joints,
        Objective(decoder),
        schedule=Schedule(epochs=300, batch=16, rate=1e-2),
        train_rows=rows,
        validation_rows=rows,
    )
    history = run.run()
    print(decoder, history[0], history[-1])
    assert history[-1].mean_cells < history[0].mean_cells / 3
    assert history[-1].median_cells < history[0].median_cells / 5


def test_a_lost_picture_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clip_people(tmp_path / "people", 4)
    first = json.loads(path.read_text("utf-8"))["images"][0]["file_name"]
    (path.parent / first).unlink()
    people = annotated_people(path, path.parent)
    store = store_of(people, tmp_path / "cache")
    assert [one.what for one in store.skipped] == [first]
    assert store.usable.tolist() == [False, True, True, True]
    assert set(store.rows_of(range(4))) == set(range(2, 8))

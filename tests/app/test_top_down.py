"""Checkpoints of top-down networks in the app: run, evaluate and bench, with networks that cannot be wrong."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.bundled import SAMPLE_CLIP, model_file
from app.cli import run_command_line
from app.evaluation.joint_sets import LSP_JOINTS, built_in_set
from app.frames import Person, PoseResult, StageTimes
from app.gui.loupe.reading import read_joint
from app.meters.board import MeterBoard
from app.meters.jitter import FRAMES
from app.overlay import OverlayStyle, draw_overlay
from app.replay.live import compare_recent
from app.session import NetworkChoice
from models.bundle import open_bundle
from models.devices import choose_device
from models.engines.top_down_engine import TopDownEngine, TorchNetworks
from models.errors import UserError
from models.estimator import PoseEstimator
from models.people import MEDIAPIPE
from models.readings import DECODER_NAMES, HEATMAP_DECODERS
from models.skeletons import BLAZEPOSE_33, COCO_17, COCO_FROM_BLAZEPOSE
from models.top_down.network import TopDownNetwork
from models.traits import top_down_traits
from tests.app import builders
from tests.app.evaluation_builders import coco_annotation, coco_image, write_png, write_set
from tests.models.clip import clip_frames, true_joints
from tests.models.ideal_maps import IdealEngine

CLIP = str(SAMPLE_CLIP)
OTHERS = [i for i in range(33) if i not in COCO_FROM_BLAZEPOSE]
RUN_FRAMES = 10


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A file that nobody opens: the engine comes from the test."""
    path = tmp_path / "net_256x192.pth"
    path.write_bytes(b"")
    return path


def replace_engine(monkeypatch: pytest.MonkeyPatch, make: Callable[[], TopDownEngine], *places: str) -> None:
    for place in places:
        monkeypatch.setattr(f"{place}.open_engine", lambda *_, **__: make())


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


# --- run ----------------------------------------------------------------------------------------------------------


def test_run_writes_the_joints_of_coco_and_no_others(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_engine(monkeypatch, IdealEngine, "models.estimator")
    out = tmp_path / "out"
    arguments = ["run", CLIP, "--model", str(checkpoint), "--device", "cpu", "--max-frames", str(RUN_FRAMES)]
    files = ["--keypoints", f"{out}/a.csv", "--jsonl", f"{out}/a.jsonl", "--coco", f"{out}/a.json"]
    files += ["--openpose", f"{out}/poses", "--report", f"{out}/report.json", "--output", f"{out}/a.mp4"]
    assert run_command_line([*arguments, *files, "--ghosts", "all", "--smooth", "--decoder", "dark"]) == 0
    assert "net_256x192 on cpu (torch), dark: jitter" in capsys.readouterr().out
    joints, _ = true_joints()

    with open(out / "a.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["decoder"] for row in rows} == set(HEATMAP_DECODERS)
    assert {row["network"] for row in rows} == {"net_256x192"}
    known = {row["joint"] for row in rows if row["x"]}
    assert known == set(COCO_17.joints)
    assert {row["score"] for row in rows if not row["x"]} == {"0.0000"}

    (*_, last) = map(json.loads, (out / "a.jsonl").read_text("utf-8").splitlines())
    points = last["people"][0]["decoders"]["dark"]
    assert [joint[:2] for joint in points if joint[0] is None] == [[None, None]] * 16

    entries = read(out / "a.json")
    assert len(entries) == RUN_FRAMES
    for entry in entries:
        found = np.array(entry["keypoints"]).reshape(17, 3)
        assert np.abs(found[:, :2] - joints[entry["image_id"]]).max() < 0.3
        assert found[:, 2].min() > 0.3

    body = np.array(read(sorted((out / "poses").iterdir())[0])["people"][0]["pose_keypoints_2d"]).reshape(25, 3)
    # Neck and all of COCO's are there; feet are not.
    assert (body[:19, 2] > 0.3).all()
    assert not body[19:].any()

    report = read(out / "report.json")
    assert report["frames_with_person"] == RUN_FRAMES
    for kind in ("jitter", "bias", "smoothed_jitter"):
        assert set(report[kind]) == set(HEATMAP_DECODERS)
        for numbers in report[kind].values():
            assert (numbers["joints"], numbers["joints_left_out"]) == (17, 0)
            assert [joint for joint, px in numbers["per_joint_px"].items() if px is None] == [
                BLAZEPOSE_33.joints[i] for i in OTHERS
            ]
    assert report["bias"]["dark"]["rms_px"] < 0.2 < 2 < report["bias"]["ipr"]["rms_px"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--decoder", "regression"], "This network gives heatmaps alone: it regresses no points. Choose another"),
        (["--engine", "mediapipe"], "MediaPipe reads .task bundles only"),
        (["--model", "nothing.pth"], "No such model file: nothing.pth."),
        (["--model", "nothing.pth@384x288"], "No such model file: nothing.pth@384x288."),
        ([], "is not a checkpoint of torch, or it is damaged"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    options: list[str], sentence: str, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "mediapipe" in options:
        pytest.importorskip("mediapipe")
    arguments = ["run", CLIP, "--max-frames", "1", "--device", "cpu", "--model", str(checkpoint)]
    assert run_command_line([*arguments, *options]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1


def test_the_study_says_that_it_reads_bundles_only(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["--output", str(tmp_path / "out")]
    assert run_command_line(["study", *output, "--model", str(checkpoint), "--device", "cpu"]) == 2
    assert "a checkpoint of a top-down network, which is of no use here" in capsys.readouterr().err


def test_a_choice_tells_its_decoders_and_its_name(checkpoint: Path) -> None:
    choice = NetworkChoice(str(checkpoint), "cpu")
    assert (choice.label, choice.decoders) == ("net_256x192", HEATMAP_DECODERS)
    assert NetworkChoice(f"{checkpoint}@384x288", "cpu").label == "net_256x192"
    tar = checkpoint.with_name("pose_resnet_50_256x192.pth.tar")
    tar.write_bytes(b"")
    assert NetworkChoice(str(tar), "cpu").label == "pose_resnet_50_256x192"
    assert NetworkChoice("full", "cpu").decoders == DECODER_NAMES
    with pytest.raises(UserError, match="MediaPipe"):
        NetworkChoice(str(checkpoint), "cpu", MEDIAPIPE)


# --- what is drawn and measured -----------------------------------------------------------------------------------


def people_in_clip(count: int) -> list[Person]:
    estimator = PoseEstimator(IdealEngine())
    return [estimator.estimate(image, keep_heatmaps=True).people[0] for image in clip_frames()[:count]]


def test_the_loupe_knows_the_size_of_a_cell_and_joints_without_a_map() -> None:
    (person,) = people_in_clip(1)
    wrist, heel = (read_joint(person, BLAZEPOSE_33.index[joint], 10.0) for joint in ("left_wrist", "left_heel"))
    assert wrist.heatmap.shape == (64, 48)
    across, down = person.region.to_image(np.array([[1 / 48, 0], [0, 1 / 64]])) - person.region.to_image(np.zeros(2))
    assert wrist.cell_px == pytest.approx(np.linalg.norm(across)) == pytest.approx(np.linalg.norm(down))
    assert set(wrist.points) == set(HEATMAP_DECODERS)
    assert (heel.points, heel.peak) == ({}, 0.0)
    assert np.isnan(heel.distance("argmax"))


@pytest.mark.parametrize("mirror", [False, True])
def test_joints_that_the_network_does_not_have_are_not_drawn(mirror: bool) -> None:
    (person,) = people_in_clip(1)
    # The same with those joints at the nose, where nobody knows them either.
    at_nose = {name: np.where(np.isnan(points), points[0], points) for name, points in person.points.items()}
    known = Person(person.id, person.region, 1.0, at_nose, person.scores, person.peaks, person.heatmaps)
    frame = builders.frame(picture=clip_frames()[0].copy())
    style = OverlayStyle(mirror=mirror, ghosts=frozenset(HEATMAP_DECODERS), arrows=4, heatmap=-1)
    pictures = [draw_overlay(PoseResult(frame, (one,), "debiased", 10.0, None), style) for one in (person, known)]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != draw_overlay(PoseResult(frame, (), "debiased", 10.0, None), style)).any()


def test_joints_that_the_network_does_not_have_are_in_no_count() -> None:
    board = MeterBoard()
    for i, person in enumerate(people_in_clip(FRAMES + 2)):
        board.add(PoseResult(builders.frame(i), (person,), "debiased", 10.0, StageTimes(1, 1, 1, 1, 1, 10)))
    snapshot = board.read()
    for distances in (snapshot.jitter, snapshot.bias, snapshot.motion.speed, board.read(everybody=True).bias):
        assert (distances.joints, distances.left_out) == (17, 0)
        assert distances.unknown is not None
        assert np.flatnonzero(distances.unknown).tolist() == OTHERS
        assert np.isfinite(list(distances.overall.values())).all()
    # By DARK, since nothing was regressed.
    assert snapshot.motion.speed_px == snapshot.motion.speed.overall["dark"]


# --- evaluate -----------------------------------------------------------------------------------------------------

# A colour for each joint, all far apart: blue, green and red of 40, 140 or 240, but for black's neighbour.
COLORS = np.array([(b, g, r) for b in (40, 140, 240) for g in (40, 140, 240) for r in (40, 140, 240)][4:21], np.uint8)


class _Colors(nn.Module):
    """A network that knows each joint by its colour: the share of a Gaussian window around a cell that has it."""

    def __init__(self) -> None:
        super().__init__()
        # RGB, normalised as the network is given it.
        colors = torch.from_numpy(COLORS[:, ::-1].astype(np.float32)) / 255
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.colors = ((colors - mean) / deviation)[None, :, :, None, None]
        steps = torch.exp(-(torch.arange(-12.0, 13.0) ** 2) / (2 * 5.0**2))
        self.window = (steps / steps.sum()).expand(17, 1, -1)

    def forward(self, crops: Tensor) -> Tensor:
        near = torch.exp(-4 * ((crops[:, None] - self.colors) ** 2).sum(2))
        rows = nn.functional.conv2d(near, self.window[:, :, None], padding=(0, 12), groups=17)
        both = nn.functional.conv2d(rows, self.window[..., None], padding=(12, 0), groups=17)
        # Cell c stands for pixel 4 c: share c / W.
        return both[:, :, ::4, ::4]


def _color_engine(size: tuple[int, int]) -> TopDownEngine:
    network = TopDownNetwork(_Colors(), "colours", size)
    return TopDownEngine(TorchNetworks(network, open_bundle(*model_file("lite")), choose_device("cpu")), size)


def _dotted_set(folder: Path) -> tuple[Path, Path, NDArray[np.float64]]:
    """Pictures of people who are seventeen dots: tall, wide, at the border. Joints (3, 17, 2) px."""
    random = np.random.default_rng(4)
    annotations, images, joints = [], [], []
    (folder / "images").mkdir(parents=True)
    boxes = ((60, 30, 120, 280), (40, 120, 320, 150), (260, 20, 139, 290))
    for number, (left, top, width, height) in enumerate(boxes, 1):
        picture = np.zeros((330, 400, 3), np.uint8)
        cells = random.permutation(20)[:17]
        places = np.column_stack((cells % 4, cells // 4)) + random.uniform(0.35, 0.65, (17, 2))
        points = (left, top) + places * (width / 4, height / 5)
        rows, columns = np.mgrid[0:330, 0:400]
        for (x, y), color in zip(points, COLORS, strict=True):
            picture[(columns - x) ** 2 + (rows - y) ** 2 <= 9**2] = color
        write_png(folder / "images" / f"{number}.png", picture)
        images.append(coco_image(number, width=400, height=330))
        keypoints = np.column_stack((points, np.full(17, 2))).ravel().tolist()
        # The box counts from the corner of the first pixel.
        box = [left + 0.5, top + 0.5, width, height]
        person = {"id": number, "image_id": number, "bbox": box, "area": 0.5 * width * height}
        annotations.append(coco_annotation(**person, keypoints=keypoints))
        joints.append(points)
    write_set(folder, annotations, images, pictures=())
    return folder / "people.json", folder / "images", np.array(joints)


def _evaluated(
    size: tuple[int, int], checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str
) -> tuple[dict[str, NDArray[np.float64]], str]:
    """Points (3, 17, 2) px relative to the truth by variant, and what was printed."""
    replace_engine(monkeypatch, lambda: _color_engine(size), "app.evaluation.command")
    annotations, images, joints = _dotted_set(folder / "set")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        arguments = ["evaluate", str(annotations), str(images), "--model", f"{checkpoint}@{size[0]}x{size[1]}"]
        assert run_command_line([*arguments, "--device", "cpu", "--output", str(folder / "out"), *options]) == 0
    points: dict[str, list[NDArray[np.float64]]] = {}
    for entry in read(folder / "out" / "predictions.json"):
        keypoints = np.array(entry["keypoints"]).reshape(17, 3)[:, :2]
        points.setdefault(entry["variant"], []).append(keypoints - joints[entry["image_id"] - 1])
    return {variant: np.array(offsets) for variant, offsets in points.items()}, printed.getvalue()


@pytest.mark.thorough
@pytest.mark.parametrize("size", [(256, 192), (384, 288)])
def test_evaluate_brings_points_back_to_a_fraction_of_a_pixel(
    size: tuple[int, int], checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets, printed = _evaluated(size, checkpoint, tmp_path, monkeypatch)
    assert [variant.partition(":")[0] for variant in offsets] == [*HEATMAP_DECODERS, "debiased"]
    assert "3 people in 3 pictures, COCO-17, net_256x192" in printed
    for variant in ("dark", "debiased:beta=10"):
        # A cell is up to 8.3 px of the picture; half a pixel of a crop, which the cut could be off by, up to 1 px.
        assert np.abs(offsets[variant].mean((0, 1))).max() < 0.1
        assert np.abs(offsets[variant]).max() < 1.2


@pytest.mark.thorough
def test_the_flip_test_agrees_with_the_crop_itself(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets, _ = _evaluated((256, 192), checkpoint, tmp_path, monkeypatch, "--flip-test")
    # A colour is no side: of joints that have one the mirror image tells of another place.
    nose = offsets["debiased:beta=10"][:, COCO_17.index["nose"]]
    assert np.abs(nose).max() < 1


def test_joints_that_the_network_does_not_have_are_not_evaluated() -> None:
    joint_set = built_in_set(BLAZEPOSE_33.joints).known_to(top_down_traits((256, 192)).joints)
    assert set(joint_set.joints) == set(COCO_17.joints)
    assert len(joint_set.left_out) == 16
    assert [joint_set.all_names[place] for place in joint_set.places] == list(joint_set.joints)
    # A neck between the shoulders can be read, LSP's head top cannot.
    assert len(built_in_set(LSP_JOINTS).known_to(top_down_traits((256, 192)).joints).joints) == 13


def test_regression_cannot_be_evaluated_with_a_network_that_has_none(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations, images = write_set(tmp_path, [coco_annotation()])
    arguments = ["evaluate", str(annotations), str(images), "--model", str(checkpoint), "--device", "cpu"]
    assert run_command_line([*arguments, "--decoders", "argmax,regression", "--output", str(tmp_path / "out")]) == 2
    assert "it regresses no points. Leave regression out of --decoders." in capsys.readouterr().err


# --- replay -------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_replay_and_the_comparison_of_the_last_seconds_do_without_a_regression(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_engine(monkeypatch, IdealEngine, "models.estimator")
    arguments = ["replay", "sample", "--model", str(checkpoint), "--device", "cpu", "--max-frames", "75"]
    with contextlib.redirect_stdout(io.StringIO()):
        assert run_command_line([*arguments, "--decoders", "all", "--output", str(tmp_path / "out")]) == 0
    with open(tmp_path / "out" / "results.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not any("regression" in value for row in rows for value in row.values())
    results = [
        PoseResult(builders.frame(i, picture=clip_frames()[i].copy()), (person,), "dark", 10.0, None, "net")
        for i, person in enumerate(people_in_clip(75))
    ]
    made = compare_recent(results, results[-1], "clip", tmp_path / "last.html")
    assert made.frames == 75
    assert "DARK" in (tmp_path / "last.html").read_text("utf-8")


# --- bench --------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_bench_compares_the_decoders_that_the_network_has(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_engine(monkeypatch, IdealEngine, "app.bench.command", "app.bench.contenders")
    out = tmp_path / "out.json"
    arguments = ["bench", "--model", str(checkpoint), "--frames", "20", "--json", str(out)]
    assert run_command_line([*arguments, "--engines", "torch,mediapipe,cuda", "--sweep"]) == 0
    (engine,) = read(out)["engines"]
    assert set(engine["error_cells"]) == set(HEATMAP_DECODERS)
    assert engine["max_error_cells"] == 0.0
    assert engine["frames_with_person"] == 20
    reasons = {missing["name"]: missing["reason"] for missing in read(out)["not_measured"]}
    assert reasons["mediapipe"] == "it reads .task bundles only"
    assert "torch" in reasons["cuda"]
    assert "IPR" in capsys.readouterr().out

"""JSON lines, COCO results and OpenPose folders: their content by the formats' own rules, and that nothing is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import __version__
from app.errors import OutputError
from app.exporters import KEYPOINT_FORMATS, open_exporter
from app.frames import PoseResult, StageTimes
from app.recording_paths import KEYPOINT_SUFFIXES
from tests.app import builders

ROOT = Path(__file__).parents[2]
LONG = 60.0  # s; only a hang reaches it

# The orders of cocodataset.org (category “person”) and of OpenPose's own table (doc/02_output.md).
COCO_NAMES = re.findall(
    r"\w+",
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
)
BODY_25_NAMES = re.findall(
    r"\w+",
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee LAnkle REye LEye "
    "REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel",
)


def written(kind: str, folder: Path, *results: PoseResult) -> Path:
    exporter = open_exporter(kind, folder / f"take{KEYPOINT_FORMATS[kind].suffix}")
    for result in results:
        exporter.write(result)
    exporter.close()
    return exporter.path


def strict(text: str) -> object:
    """JSON as every reader takes it: Python's own would let NaN pass."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def lines(path: Path) -> list[dict]:
    return [strict(line) for line in path.read_bytes().decode("utf-8").splitlines()]


def people_with_unknowns() -> PoseResult:
    first, second = builders.person(id=2, step=1.25), builders.person(builders.standing_points(90.123), 0.5, id=7)
    first.points["debiased"][builders.JOINTS.index("left_hip")] = np.nan, np.inf
    first.scores["debiased"][builders.JOINTS.index("right_ear")] = np.nan
    return builders.result(4, 1_000_000_000, people=(first, second))


def test_the_kinds_and_their_names(tmp_path: Path) -> None:
    suffixes = {kind: known.suffix for kind, known in KEYPOINT_FORMATS.items()}
    assert suffixes == KEYPOINT_SUFFIXES
    with pytest.raises(OutputError, match="Did you mean “openpose”"):
        open_exporter("openpos", tmp_path / "x")


@pytest.mark.parametrize("kind", KEYPOINT_FORMATS)
def test_what_all_kinds_promise(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "テスト"
    exporter = open_exporter(kind, path)
    assert exporter.path == path
    exporter.check_still_there()
    exporter.write(builders.result(0))
    exporter.close()
    exporter.close()
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(OutputError, match=r"exists already|not empty"):
        open_exporter(kind, path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    open_exporter(kind, path, overwrite=True).discard()  # nothing was written: what was there is there again
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("kind", KEYPOINT_FORMATS)
def test_discard_leaves_nothing(kind: str, tmp_path: Path) -> None:
    exporter = open_exporter(kind, tmp_path / "x")
    for i in range(3):
        exporter.write(builders.result(i))
    exporter.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere what is open cannot be deleted")
@pytest.mark.parametrize("kind", KEYPOINT_FORMATS)
def test_deleted_while_it_is_written(kind: str, tmp_path: Path) -> None:
    exporter = open_exporter(kind, tmp_path / "x")
    exporter.write(builders.result(0))
    (tmp_path / "x").rename(tmp_path / "gone")
    with pytest.raises(OutputError, match="was deleted"):
        exporter.check_still_there()
    with pytest.raises(OutputError, match="was deleted"):
        exporter.write(builders.result(1))
    exporter.close()


def test_json_lines_tell_all_of_a_frame(tmp_path: Path) -> None:
    result = people_with_unknowns()
    stages = StageTimes(1_000_000, 2_000_000, 0, 3_500_000, 250_000, result.frame.captured_ns + 7_125_000)
    result = replace(result, stages=stages, network="my % net", device="cpu", decoder="ipr", beta=7.5)
    wound = replace(result.frame, time_ns=1_033_366_600, continues=False, position_ns=2_500_000_000, index=9)
    path = written(
        "jsonl", tmp_path, result, builders.result(5, 1_010_000_000, people=()), replace(result, frame=wound)
    )

    header, first, empty, last = lines(path)
    assert header["posescope"] == __version__
    assert tuple(header["joints"]) == builders.JOINTS
    people = first.pop("people")
    assert first == {
        "time_s": 0.0,
        "frame": 4,
        "position_s": None,
        "continues": True,
        "width": 320,
        "height": 240,
        "network": "my % net",
        "device": "cpu",
        "heads": {},
        "decoder": "ipr",
        "beta": 7.5,
        "latency_ms": 7.125,
        "stages_ms": {"capture_wait": 1.0, "preprocess": 2.0, "detect": 0.0, "network": 3.5, "decode": 0.25},
    }
    assert [(person["id"], person["presence"]) for person in people] == [(2, 0.98), (7, 0.98)]
    for person, wanted in zip(people, result.people, strict=True):
        assert tuple(person["decoders"]) == builders.DECODERS
        for decoder, points in person["decoders"].items():
            told = np.array(points, float)  # null becomes NaN
            xy = np.where(np.isfinite(wanted.points[decoder]), wanted.points[decoder], np.nan)
            np.testing.assert_allclose(told[:, :2], xy, atol=5.1e-4)
            np.testing.assert_allclose(told[:, 2], wanted.scores[decoder], atol=5.1e-5)
    assert (empty["people"], empty["stages_ms"], empty["latency_ms"]) == ([], None, None)
    assert (last["time_s"], last["position_s"], last["continues"], last["frame"]) == (0.033367, 2.5, False, 9)


def test_json_lines_are_utf_8_and_end_with_a_line_feed(tmp_path: Path) -> None:
    data = written("jsonl", tmp_path, builders.result(network="姿勢\u2028β")).read_bytes()
    assert "姿勢".encode() in data
    assert b"\r" not in data
    assert data.count(b"\n") == 2
    assert data.endswith(b"\n")


def test_coco_results(tmp_path: Path) -> None:
    result = people_with_unknowns()
    later = builders.result(8, 1_100_000_000, decoder="ipr", people=(builders.person(step=2.5),))
    path = written("coco", tmp_path, result, builders.result(5, people=()), later)
    entries = strict(path.read_text("utf-8"))
    assert [(e["image_id"], e["category_id"], e["decoder"], e["person"], e["time_s"]) for e in entries] == [
        (4, 1, "debiased", 2, 0.0),
        (4, 1, "debiased", 7, 0.0),
        (8, 1, "ipr", 0, 0.1),
    ]
    people = (*result.people, *later.people)
    for entry, person in zip(entries, people, strict=True):
        # What pycocotools tells kinds of results apart by: with a box they would be taken for boxes.
        assert not {"bbox", "caption", "segmentation"} & set(entry)
        assert len(entry["keypoints"]) == 51
        points, scores = person.points[entry["decoder"]], person.scores[entry["decoder"]]
        for i, name in enumerate(COCO_NAMES):
            k = builders.JOINTS.index(name)
            wanted = (*points[k], scores[k]) if np.isfinite((*points[k], scores[k])).all() else (0, 0, 0)
            assert entry["keypoints"][3 * i : 3 * i + 3] == pytest.approx(wanted, abs=5.1e-4)
        assert entry["score"] == pytest.approx(np.mean(entry["keypoints"][2::3]), abs=1e-4)
    assert entries[0]["score"] == pytest.approx(0.9 * 15 / 17, abs=1e-4)


def test_a_coco_file_is_whole_after_every_write(tmp_path: Path) -> None:
    exporter = open_exporter("coco", tmp_path / "x.json")
    assert strict(exporter.path.read_text()) == []
    for i in range(5):
        exporter.write(builders.result(i, people=() if i == 2 else None))
        assert [e["image_id"] for e in strict(exporter.path.read_text())] == [j for j in range(i + 1) if j != 2]
    exporter.close()


def test_openpose_names_and_joints(tmp_path: Path) -> None:
    result = people_with_unknowns()
    empty = builders.result(1_234_567, people=())
    shifted = builders.result(77, decoder="ipr", people=(builders.person(step=2.5),))
    folder = written("openpose", tmp_path, result, empty, shifted)
    assert sorted(path.name for path in folder.iterdir()) == [
        "take_000000000004_keypoints.json",
        "take_000000000077_keypoints.json",
        "take_000001234567_keypoints.json",
    ]
    assert strict((folder / "take_000001234567_keypoints.json").read_text()) == {"version": 1.3, "people": []}
    ipr = strict((folder / "take_000000000077_keypoints.json").read_text())["people"][0]["pose_keypoints_2d"]
    assert ipr[:2] == pytest.approx(shifted.people[0].points["ipr"][0], abs=1e-3)
    told = strict((folder / "take_000000000004_keypoints.json").read_text())
    assert told["version"] == 1.3
    assert [person["person_id"] for person in told["people"]] == [[2], [7]]
    for person, known in zip(told["people"], result.people, strict=True):
        assert all(person[key] == [] for key in person if key not in ("person_id", "pose_keypoints_2d"))
        numbers = np.reshape(person["pose_keypoints_2d"], (25, 3))
        for name, got in zip(BODY_25_NAMES, numbers, strict=True):
            assert got == pytest.approx(body_25(name, known), abs=1e-3), name


def body_25(name: str, person: builders.Person) -> np.ndarray:
    """What a joint of OpenPose is, said joint by joint in BlazePose's names."""
    side = {"L": "left_", "R": "right_"}.get(name[0], "")
    parts = {
        "Nose": ["nose"],
        "Neck": ["left_shoulder", "right_shoulder"],
        "MidHip": ["left_hip", "right_hip"],
        f"{name[0]}BigToe": [f"{side}foot_index"],
        f"{name[0]}SmallToe": [],
    }.get(name, [side + name[1:].lower()])
    known = np.array([(*person.points["debiased"][k], person.scores["debiased"][k]) for k in map(index, parts)])
    if len(known) == 0 or not np.isfinite(known).all():
        return np.zeros(3)
    return np.array([*known[:, :2].mean(0), known[:, 2].min()])


def index(joint: str) -> int:
    return builders.JOINTS.index(joint)


def test_neck_and_mid_hip_take_the_lower_score(tmp_path: Path) -> None:
    score = np.full(33, 0.9, np.float32)
    score[index("right_shoulder")], score[index("left_hip")] = 0.25, 0.5
    folder = written("openpose", tmp_path, builders.result(people=(builders.person(score=score),)))
    (path,) = folder.iterdir()
    numbers = strict(path.read_text())["people"][0]["pose_keypoints_2d"]
    assert (numbers[3 * 1 + 2], numbers[3 * 8 + 2]) == (0.25, 0.5)


def test_openpose_touches_nothing_but_its_own_files(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    foreign = {"notes.txt", "other_000000000000_keypoints.json", "clip_7_keypoints.json"}
    for name in foreign:
        (folder / name).write_text("precious")
    (folder / "clip_000000000099_keypoints.json").write_text("of the last run")
    with pytest.raises(OutputError, match="not empty"):
        open_exporter("openpose", folder)
    exporter = open_exporter("openpose", folder, overwrite=True)
    exporter.write(builders.result(1))
    assert {path.name for path in folder.iterdir()} == foreign | {"clip_000000000001_keypoints.json"}
    exporter.discard()
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(foreign, "precious")

    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(OutputError, match=r"not a folder|Not a directory|Cannot write"):
            open_exporter("openpose", path, overwrite=True)


def test_an_empty_folder_may_be_filled_and_stays(tmp_path: Path) -> None:
    exporter = open_exporter("openpose", tmp_path)
    exporter.write(builders.result(3))
    assert [path.name for path in tmp_path.iterdir()] == [f"{tmp_path.name}_000000000003_keypoints.json"]
    exporter.discard()
    assert list(tmp_path.iterdir()) == []


READ: dict[str, Callable[[Path], list[int]]] = {
    "csv": lambda path: [int(row.split(",")[1]) for row in path.read_text().split("\n")[1:-1:198]],
    # The kernel may end a write between two pages when the process is killed: such a line has no end.
    "jsonl": lambda path: [strict(line)["frame"] for line in path.read_text("utf-8").split("\n")[1:-1]],
    "coco": lambda path: [entry["image_id"] for entry in strict(path.read_text())],
    "openpose": lambda path: sorted(
        int(file.name.split("_")[1]) for file in path.glob("*.json") if strict(file.read_text())["people"]
    ),
}

ENDLESS = """
    import itertools, resource, signal, sys
    from pathlib import Path
    from app.errors import OutputError
    from app.exporters import open_exporter
    from tests.app import builders
    if sys.argv[3] == "small":  # no file may grow beyond this: a full disk
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_001, 100_001))
    file = open_exporter(sys.argv[1], Path(sys.argv[2]))
    result = builders.result(0)
    for i in itertools.count():
        try:
            file.write(builders.result(i))
        except OutputError as error:
            print(error)
            break
        print(i, flush=True)
"""


def endless(kind: str, path: Path, disk: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENDLESS), kind, str(path), disk],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="the child needs the module resource")
@pytest.mark.parametrize("kind", KEYPOINT_FORMATS)
def test_a_kill_costs_no_frame_that_was_written(kind: str, tmp_path: Path) -> None:
    process = endless(kind, tmp_path / "x")
    try:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(20)]
        time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        # Not by `communicate`, which misses what `readline` has taken in but not handed out.
        seen += [int(line) for line in process.stdout]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    frames = READ[kind](tmp_path / "x")
    assert frames[: len(seen)] == seen
    assert frames in (seen, [*seen, seen[-1] + 1])  # the last one may have been written and not yet told


@pytest.mark.skipif(os.name != "posix", reason="the child needs the module resource")
@pytest.mark.parametrize("kind", ["csv", "jsonl", "coco"])
def test_a_full_disk_leaves_whole_records(kind: str, tmp_path: Path) -> None:
    process = endless(kind, tmp_path / "x", "small")
    *seen, message = process.communicate(timeout=LONG)[0].splitlines()
    assert message == f"Cannot write {tmp_path / 'x'}: File too large."
    assert READ[kind](tmp_path / "x") == [int(line) for line in seen]
    assert len(seen) >= 3
    data = (tmp_path / "x").read_bytes()
    assert data.endswith(b"\n")
    assert 80_000 < len(data) <= 100_001

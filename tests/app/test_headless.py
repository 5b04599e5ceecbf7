"""The command line without a window: what it writes, and what it says about mistakes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import sys
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.__main__ import main
from app.bundled import SAMPLE_CLIP, model_file
from app.frames import Image
from app.meters.board import ESTIMATED
from app.overlay import draw_overlay
from models.bundle import DETECTOR_MEMBER
from models.readings import DECODER_NAMES, HEATMAP_DECODERS, PEAK, SHARED, TO_IMAGE
from models.skeletons import BLAZEPOSE_33
from tests.app.meter_motion import fits_of_seven
from tests.app.test_mp4_writer import read_back
from tests.app.test_virtual_camera import Collector, register_collector

CLIP = str(SAMPLE_CLIP)
FRAMES = 12
LITE = ("--model", "lite", "--device", "cpu")


def outputs(folder: Path) -> list[str]:
    return [
        *("--output", str(folder / "out.mp4")),
        *("--keypoints", str(folder / "out.csv")),
        *("--report", str(folder / "out.json")),
    ]


@dataclass
class Finished:
    """A run that has ended, and its folder."""

    folder: Path
    exit_code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict:
        return json.loads((self.folder / "out.json").read_text("utf-8"))

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.folder / "out.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("run")
    more = [
        *("--clean", str(folder / "clean.mp4")),
        *("--jsonl", str(folder / "out.jsonl")),
        *("--coco", str(folder / "coco.json")),
        *("--openpose", str(folder / "poses")),
    ]
    arguments = [CLIP, *LITE, "--max-frames", str(FRAMES), "--decoder", "ipr", *outputs(folder), *more]
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        exit_code = main(["run", *arguments])
    return Finished(folder, exit_code, stdout.getvalue(), stderr.getvalue())


@pytest.mark.thorough
def test_a_run_ends_well_and_names_its_files(finished: Finished) -> None:
    assert finished.exit_code == 0
    assert finished.stderr == ""
    *paths, closing_line = finished.stdout.splitlines()
    names = ("out.mp4", "clean.mp4", "out.csv", "out.jsonl", "coco.json", "poses", "out.json")
    assert paths == [str(finished.folder / name) for name in names]
    assert closing_line.startswith(f"{FRAMES} frames in ")
    assert f"a person in {FRAMES}; lite on cpu (OpenVINO), ipr: jitter " in closing_line


def test_the_video_holds_the_frames_and_their_times(finished: Finished) -> None:
    times, pictures = read_back(finished.folder / "out.mp4")
    assert times == pytest.approx([i / 30 for i in range(FRAMES)], abs=1e-4)
    assert {picture.shape for picture in pictures} == {(540, 960, 3)}


def test_the_keypoints_hold_every_frame_joint_and_decoder(finished: Finished) -> None:
    rows = finished.rows
    assert len(rows) == FRAMES * 33 * 6
    assert {(int(row["frame"]), row["joint"], row["decoder"]) for row in rows} == {
        (frame, joint, decoder) for frame in range(FRAMES) for joint in BLAZEPOSE_33.joints for decoder in DECODER_NAMES
    }
    assert {row["person"] for row in rows} == {"1"}
    for row in rows:
        assert float(row["time_s"]) == pytest.approx(int(row["frame"]) / 30, abs=1e-5)


def test_all_formats_tell_the_same(finished: Finished) -> None:
    rows = {(int(r["frame"]), r["joint"], r["decoder"]): (float(r["x"]), float(r["y"])) for r in finished.rows}
    assert {row["decoder"] for row in finished.rows if row["shown"] == "1"} == {"ipr"}
    assert {row["network"] for row in finished.rows} == {"lite"}

    header, *frames = map(json.loads, (finished.folder / "out.jsonl").read_text("utf-8").splitlines())
    coco = json.loads((finished.folder / "coco.json").read_text("utf-8"))
    openpose = sorted((finished.folder / "poses").iterdir())
    assert len(frames) == len(coco) == len(openpose) == FRAMES
    for i, (frame, entry, path) in enumerate(zip(frames, coco, openpose, strict=True)):
        assert (frame["frame"], frame["decoder"], frame["network"]) == (i, "ipr", "lite")
        assert (frame["width"], frame["height"]) == (960, 540)
        assert frame["position_s"] == pytest.approx(i / 30, abs=1e-4)
        assert frame["latency_ms"] >= frame["stages_ms"]["network"] > 0
        for decoder, points in frame["people"][0]["decoders"].items():
            for joint, (x, y, _) in zip(header["joints"], points, strict=True):
                assert (x, y) == rows[i, joint, decoder]
        assert (entry["image_id"], entry["decoder"]) == (i, "ipr")
        assert tuple(entry["keypoints"][3 * 16 : 3 * 16 + 2]) == rows[i, "right_ankle", "ipr"]
        assert path.name == f"poses_{i:012d}_keypoints.json"
        (person,) = json.loads(path.read_text("utf-8"))["people"]
        assert tuple(person["pose_keypoints_2d"][3 * 7 : 3 * 7 + 2]) == rows[i, "left_wrist", "ipr"]


def test_the_clean_video_is_the_source(finished: Finished) -> None:
    times, pictures = read_back(finished.folder / "clean.mp4")
    assert times == pytest.approx([i / 30 for i in range(FRAMES)], abs=1e-4)
    annotated = read_back(finished.folder / "out.mp4")[1]
    clip = cv2.VideoCapture(CLIP)
    for clean, drawn in zip(pictures, annotated, strict=True):
        source = clip.read()[1].astype(int)
        changed, drawn_on = (np.mean(np.abs(picture - source).max(axis=2) > 50) for picture in (clean, drawn))
        assert changed < 0.0005 < 0.02 < drawn_on
    clip.release()


def test_the_report_holds_every_stage_and_decoder(finished: Finished) -> None:
    report = finished.report
    assert (report["frames"], report["frames_with_person"], report["frames_dropped"]) == (FRAMES, FRAMES, 0)
    assert (report["source"], report["model"], report["device"]) == (SAMPLE_CLIP.name, "lite", "cpu (OpenVINO)")
    assert (report["decoder"], report["beta"]) == ("ipr", 10.0)
    assert report["wall_seconds"] > 0 < report["processing_fps"]
    assert set(report["stages_ms"]) == {"capture wait", "preprocess", "detect", "network", "decode", ESTIMATED}
    for spread in report["stages_ms"].values():
        assert 0 <= spread["p50"] <= spread["p95"] <= spread["p99"] <= spread["max"]
        assert spread["count"] == FRAMES - 3
    # The decoders one by one, of at least one frame also where the engine tells them now and then only.
    assert set(report["decode_parts_ms"]) == {SHARED, *HEATMAP_DECODERS, PEAK, TO_IMAGE}
    for kind in ("jitter", "bias"):
        assert set(report[kind]) == set(DECODER_NAMES)
        for reading in report[kind].values():
            assert set(reading["per_joint_px"]) == set(BLAZEPOSE_33.joints)
            assert 0 < reading["share_of_body"] < reading["rms_px"]
            assert 17 <= reading["joints"] <= 33
    assert report["bias"]["ipr"]["rms_px"] > 10 * report["bias"]["debiased"]["rms_px"]


def test_report_and_keypoints_tell_the_same(finished: Finished) -> None:
    nose = [row for row in finished.rows if row["joint"] == "nose" and row["decoder"] == "debiased"]
    track = np.array([[[float(row["x"]), float(row["y"])]] for row in nose])
    times = [round(float(row["time_s"]) * 1e9) for row in nose]
    r, weights = fits_of_seven(times, track)
    jitter = ((r**2).sum((1, 2)) / (2 * weights)).mean() ** 0.5
    # The table is rounded to a thousandth of a pixel.
    assert finished.report["jitter"]["debiased"]["per_joint_px"]["nose"] == pytest.approx(jitter, abs=2e-3)


def test_no_outputs_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", CLIP, *LITE, "--max-frames", "1"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]


@pytest.mark.thorough
def test_a_slow_writer_loses_nothing_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw_slowly(*arguments: object, **options: object) -> Image:
        time.sleep(0.1)
        return draw_overlay(*arguments, **options)

    monkeypatch.setattr("app.drawn_once.draw_overlay", draw_slowly)
    monkeypatch.setattr("app.recorder._MOST_WAITING_BYTES", 1)  # two frames may wait
    assert main(["run", CLIP, *LITE, "--max-frames", "8", *outputs(tmp_path)]) == 0
    assert len(read_back(tmp_path / "out.mp4")[0]) == 8


@pytest.mark.thorough
def test_a_whole_source_is_run_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    _, pictures = read_back(SAMPLE_CLIP)
    for i in range(4):
        cv2.imwrite(str(folder / f"{i}.png"), pictures[i])
    assert main(["run", str(folder), *LITE, *outputs(tmp_path)]) == 0
    assert Finished(tmp_path, 0, "", "").report["frames"] == 4
    assert len(read_back(tmp_path / "out.mp4")[0]) == 4


def test_overwrite_replaces_all_outputs(tmp_path: Path) -> None:
    for name in ("out.mp4", "out.csv", "out.json"):
        (tmp_path / name).write_text("old " * 100_000)
    assert main(["run", CLIP, *LITE, "--max-frames", "2", "--overwrite", *outputs(tmp_path)]) == 0
    done = Finished(tmp_path, 0, "", "")
    assert (len(read_back(tmp_path / "out.mp4")[0]), len(done.rows), done.report["frames"]) == (2, 2 * 33 * 6, 2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_told_and_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", CLIP, "--model", "lite", "--device", "cuda", "--max-frames", "1"]) == 0
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("posescope: Asked for cuda, but ")
    assert line.endswith(": computing on the CPU instead.")
    assert "lite on cpu (OpenVINO)" in told.out


def make_inputs(folder: Path) -> None:
    (folder / "text.txt").write_text("This is not a video.\n" * 50)
    (folder / "file").write_text("")
    (folder / "empty").mkdir()
    (folder / "old.mp4").write_text("old")
    shutil.copy(CLIP, folder / "clip.mp4")
    (folder / "half.task").write_bytes(model_file("lite")[0].read_bytes()[:-100_000])
    with zipfile.ZipFile(folder / "other.task", "w") as archive:
        archive.writestr("hand_landmarks_detector.tflite", b"x")
    with zipfile.ZipFile(folder / "garbage.task", "w") as archive:
        archive.writestr(DETECTOR_MEMBER, b"x" * 1000)
        archive.writestr("pose_landmarks_detector.tflite", b"x" * 1000)


BAD_INPUT = {
    "missing file": (["nowhere.mp4"], "No such file or folder: nowhere.mp4"),
    "empty name": ([""], "Name a source"),
    "name too long": (["x" * 300], "File name too long"),
    "like a home folder": (["~nobody-has-this-name/clip.mp4"], "No such file or folder"),
    "not a video": (["text.txt", *LITE], "video"),
    "no images": (["empty", *LITE], "holds no images"),
    "absent camera": (["camera:97", *LITE], "Camera 97 was not found"),
    "decoder": (["clip.mp4", "--decoder", "debaised"], "Did you mean “debiased”?"),
    "device": (["clip.mp4", "--model", "lite", "--device", "cudda"], "Did you mean “cuda”?"),
    "missing model": (["clip.mp4", "--model", "nowhere.task"], "No such model file: nowhere.task"),
    "misspelt model": (["clip.mp4", "--model", "ful"], "No such model file: ful"),
    "half a bundle": (["clip.mp4", "--model", "half.task"], "damaged or truncated"),
    "another bundle": (["clip.mp4", "--model", "other.task"], "is not a pose bundle"),
    "no networks": (["clip.mp4", "--model", "garbage.task"], ""),
    "beta 0": (["clip.mp4", "--beta", "0"], "beta must be from 0.01 to 10000, not 0."),
    "beta negative": (["clip.mp4", "--beta", "-2"], "not -2."),
    "beta nan": (["clip.mp4", "--beta", "nan"], "not nan."),
    "beta infinite": (["clip.mp4", "--beta", "inf"], "not inf."),
    "no frames": (["clip.mp4", "--max-frames", "0"], "--max-frames must be at least 1."),
    "output exists": (["clip.mp4", "--output", "old.mp4"], "old.mp4 exists already"),
    "report exists": (["clip.mp4", "--report", "old.mp4"], "old.mp4 exists already"),
    "output is a folder": (["clip.mp4", "--keypoints", "empty"], "empty is a folder"),
    "output in a file": (["clip.mp4", "--output", "file/out.mp4"], "is not a folder"),
    "report in a file": (["clip.mp4", "--report", "file/sub/out.json"], "is not a folder"),
    "output too long": (["clip.mp4", "--output", "x" * 300], "File name too long"),
    "openpose in a full folder": (["clip.mp4", "--openpose", "."], ". is not empty: choose another folder"),
    "openpose in a file": (["clip.mp4", "--openpose", "old.mp4"], "old.mp4 is a file, not a folder"),
    "openpose over the source": (["empty", "--openpose", "./empty", "--overwrite"], "empty is the source"),
    "openpose and a file": (["clip.mp4", "--openpose", "a", "--coco", "a"], "named for two outputs"),
    "coco exists": (["clip.mp4", "--coco", "old.mp4"], "old.mp4 exists already"),
    "clean over source": (["clip.mp4", "--clean", "clip.mp4", "--overwrite"], "clip.mp4 is the source"),
    "no number": (["clip.mp4", "--beta", "ten"], "Argument --beta: invalid float value: 'ten'."),
    "no source": ([], "The following arguments are required: SOURCE."),
    "unknown option": (["clip.mp4", "--keypionts", "x"], "Unknown option “--keypionts”. Did you mean “--keypoints”?"),
    "a word too many": (["clip.mp4", "old.mp4"], "“old.mp4” is one word too many. See `posescope run --help`."),
    "two outputs in one": (["clip.mp4", "--output", "a", "--keypoints", "./a"], "named for two outputs"),
    "not an mp4": (["clip.mp4", "--output", "out.xyz"], "let its name end in .mp4"),
    "output over source": (["clip.mp4", "--output", "./clip.mp4", "--overwrite"], "clip.mp4 is the source"),
}


@pytest.mark.parametrize(("arguments", "expected"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_one_line(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_inputs(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.chdir(tmp_path)
    assert main(["run", *arguments]) == 2
    told = capfd.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("posescope: ")
    assert expected in line
    assert told.out == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("source", ["text.txt", "camera:97"])
def test_outputs_of_a_run_that_saw_nothing_are_not_left(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.txt").write_text("no video\n" * 50)
    monkeypatch.chdir(tmp_path)
    more = ("--clean", "made/clean.mp4", "--jsonl", "made/x.jsonl", "--coco", "made/x.json", "--openpose", "poses")
    assert main(["run", source, *LITE, *outputs(Path("made")), *more]) == 2
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["text.txt"]
    assert not Path("poses").exists()


def test_a_run_that_fails_brings_back_what_it_would_have_replaced(tmp_path: Path) -> None:
    for path in (tmp_path / "out.mp4", tmp_path / "out.csv"):
        path.write_text("of yesterday")
    (tmp_path / "bad.task").write_bytes(b"no bundle")
    arguments = ["--model", str(tmp_path / "bad.task"), "--overwrite", *outputs(tmp_path)]
    assert main(["run", CLIP, *arguments]) == 2
    assert {p.name: p.read_text() for p in tmp_path.glob("out.*")} == dict.fromkeys(
        ("out.mp4", "out.csv"), "of yesterday"
    )


@pytest.mark.thorough
def test_the_virtual_camera_shows_a_file_at_its_own_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    register_collector(monkeypatch)
    started = time.monotonic()
    assert main(["run", CLIP, *LITE, "--max-frames", "12", "--virtual-camera"]) == 0
    assert time.monotonic() - started > 11 / 30
    last = Collector.opened[-1]
    assert last.size == (960, 540)
    assert 1 <= len(last.pictures) <= 12
    assert last.closed == 1


def test_without_a_virtual_camera_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    assert main(["run", CLIP, *LITE, "--virtual-camera", *outputs(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "posescope: The virtual camera needs the package pyvirtualcam: "
        "install it with “python -m pip install pyvirtualcam”.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.thorough
def test_several_people_have_rows_and_meters_of_their_own(tmp_path: Path) -> None:
    clip = Path(__file__).parents[1] / "data" / "crossing_640x360_30fps.mp4"
    arguments = [str(clip), *LITE, "--people", "3", "--max-frames", "30", *outputs(tmp_path)]
    assert main(["run", *arguments]) == 0
    ended = Finished(tmp_path, 0, "", "")
    rows = [row for row in ended.rows if row["decoder"] == "debiased" and row["joint"] == "nose"]
    assert {row["person"] for row in rows} == {"1", "2"}
    assert len(rows) == 2 * 30
    nose = {number: [float(row["x"]) for row in rows if row["person"] == number] for number in ("1", "2")}
    assert max(nose["1"]) < 230 < 400 < min(nose["2"])
    people = ended.report["people"]
    assert set(people) == {"1", "2"}
    for kind in ("jitter", "bias"):
        whole, parts = (
            ended.report[kind]["debiased"]["rms_px"],
            [one[kind]["debiased"]["rms_px"] for one in people.values()],
        )
        assert min(parts) < whole < max(parts)
    alone = tmp_path / "alone"
    alone.mkdir()
    assert main(["run", str(clip), *LITE, "--max-frames", "3", *outputs(alone)]) == 0
    assert "people" not in Finished(alone, 0, "", "").report
    assert main(["run", str(clip), *LITE, "--people", "0"]) == 2

"""`posescope bench` on the shipped clip: what it writes and refuses, and that it sees an error put in on purpose."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
import pytest
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode

from app.bench import contenders, sweep
from app.bench.agreement import cell_errors, follow
from app.bench.command import run_bench
from app.bench.contenders import open_contenders
from app.bench.inputs import load_frames
from app.bench.measure import Following, measure
from app.bench.memory import peak_mb
from app.bundled import SAMPLE_CLIP, model_file
from app.cli import run_command_line
from app.errors import OutputError, SourceError, UserError
from models.engines.choice import open_engine
from models.engines.engine import Engine
from models.engines.mediapipe_engine import MediaPipePeer
from models.errors import BundleError
from models.estimator import PoseEstimator
from models.readings import DECODER_NAMES, CropReadings
from models.regions import Region
from models.stage_clock import StageClock
from tests.app.source_builders import write_video
from tests.models.clip import as_coco, clip_frames, true_joints

pytestmark = pytest.mark.thorough  # a process and several engines

SMALL_SIZES = ((320, 180), (640, 360))
ROOT = Path(__file__).parents[2]
LITE, LITE_SHA256 = model_file("lite")


def options(**changed: Any) -> argparse.Namespace:
    usual: dict[str, Any] = {
        "source": None,
        "model": "lite",
        "engines": "torch",
        "people": 1,
        "frames": 20,
        "json": None,
        "sweep": False,
        "overwrite": False,
    }
    return argparse.Namespace(**usual | changed)


@pytest.fixture(scope="module")
def reference() -> Engine:
    return open_engine(LITE, "cpu", LITE_SHA256, "torch")


# The whole command


@dataclasses.dataclass
class Finished:
    text: str
    report: dict[str, Any]

    def engine(self, name: str) -> dict[str, Any]:
        (found,) = (engine for engine in self.report["engines"] if engine["name"] == name)
        return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    path = tmp_path_factory.mktemp("bench") / "new" / "bench.json"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert run_bench(options(engines="openvino,torch,mediapipe,torch-mps", frames=20, json=path)) == 0
    assert printed.getvalue().splitlines()[-1] == str(path)
    return Finished(printed.getvalue(), json.loads(path.read_text("utf-8")))


@pytest.mark.thorough
def test_the_file_says_what_was_measured(finished: Finished) -> None:
    report = finished.report
    assert (report["frames"], report["people"], report["model"]) == (20, 1, "lite")
    assert (report["source"], report["frame_size"]) == (SAMPLE_CLIP.name, [960, 540])
    assert report["machine"]["cores"] == os.cpu_count()
    assert "sweep" not in report
    names = [engine["name"] for engine in report["engines"]]
    missing = [engine["name"] for engine in report["not_measured"]]
    assert sorted(names + missing) == ["mediapipe", "openvino", "torch", "torch-mps"]
    assert all(name in finished.text for name in (*names, *missing))


@pytest.mark.parametrize("name", ["openvino", "torch"])
def test_stages_are_parts_of_the_whole(finished: Finished, name: str) -> None:
    engine = finished.engine(name)
    stages = engine["stages_ms"]
    for spread in stages.values():
        assert 0 < spread["p50"] <= spread["p95"] <= spread["p99"]
    for stage in ("preprocess", "network", "decode"):
        assert all(stages[stage][p] < stages["total"][p] for p in ("p50", "p95", "p99"))
    assert [stages[stage]["count"] for stage in ("preprocess", "network", "decode", "total")] == [20] * 4
    assert stages["detect"]["count"] == 5
    assert engine["frames_with_person"] == 20


def test_rates_and_ratios_follow_from_the_totals(finished: Finished) -> None:
    theirs = finished.engine("mediapipe")["stages_ms"]["total"]["p50"]
    for engine in finished.report["engines"]:
        total = engine["stages_ms"]["total"]["p50"]
        assert engine["fps"] == pytest.approx(1000 / total)
        assert engine["vs_mediapipe"] == pytest.approx(total / theirs)


def test_errors_and_memory_are_plausible(finished: Finished) -> None:
    torch, openvino, mediapipe = (finished.engine(name) for name in ("torch", "openvino", "mediapipe"))
    # The reference reads the same crops twice alike.
    assert torch["max_error_cells"] == 0
    assert 0 < openvino["error_cells"]["debiased"]["max"] < 0.01
    assert tuple(openvino["error_cells"]) == DECODER_NAMES
    assert openvino["max_error_cells"] == max(error["max"] for error in openvino["error_cells"].values())
    assert (mediapipe["max_error_cells"], mediapipe["error_cells"]) == (None, None)
    # tests/models/test_mediapipe.py: about .7 % on this clip.
    assert 0.001 < mediapipe["median_share_of_body"] < 0.015
    assert mediapipe["stages_ms"]["decode"] is None
    if sys.platform != "win32":
        # The models alone have some MB; Python with numpy, OpenCV and PyAV some 80.
        assert all(80 < engine["peak_memory_mb"] < 2000 for engine in finished.report["engines"])


@pytest.mark.thorough
def test_growth_and_several_people(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "SIZES", SMALL_SIZES)
    monkeypatch.setattr(sweep, "PEOPLE", (1, 2, 4))
    path = tmp_path / "bench.json"
    path.write_text("old")
    run_bench(options(engines="openvino", people=2, json=path, sweep=True, overwrite=True))
    report = json.loads(path.read_text("utf-8"))
    (engine,) = report["engines"]
    assert (engine["vs_mediapipe"], engine["stages_ms"]["detect"]) == (None, None)
    growth = report["sweep"]
    assert (growth["engine"], growth["frames"]) == ("openvino", 20)
    assert [row["pixels"] for row in growth["frame_sizes"]] == [width * height for width, height in SMALL_SIZES]
    assert [row["people"] for row in growth["people"]] == [1, 2, 4]
    one, _, four = (row["total_ms"]["p50"] for row in growth["people"])
    assert four > one
    parts = growth["decoders"]
    assert {"argmax", "dark", "ipr", "debiased"} < {part["name"] for part in parts}
    assert parts[-1]["cumulative_ms"] == pytest.approx(sum(part["ms"] for part in parts))
    assert growth["decoder_samples"] >= 3
    assert "20 frames, 2 people" in capsys.readouterr().out


# An error put in on purpose


class Shifted:
    """An engine whose points lie off by so many cells: in x for every second joint, nowhere else."""

    def __init__(self, engine: Engine, cells: float) -> None:
        self._engine = engine
        self._shift = np.zeros((33, 2), np.float32)
        self._shift[::2, 0] = cells / 64

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def read(self, image: Any, regions: Sequence[Region], *rest: Any, **more: Any) -> CropReadings:
        found = self._engine.read(image, regions, *rest, **more)
        points = found.points.copy()
        points[:, DECODER_NAMES.index("dark")] += self._shift
        return dataclasses.replace(found, points=points)


@pytest.mark.thorough
def test_a_shift_is_found_in_cells(reference: Engine) -> None:
    frames = clip_frames()[10:14]
    torch = PoseEstimator(reference)
    crops = [[one.region] for one in follow(torch, frames, "clip", lambda: None) if one]
    # A turned and enlarged crop as well: cells go with the crop. And one that holds half of the person.
    first = crops[0][0]
    crops.append([dataclasses.replace(first, rotation=0.4, side=1.3 * first.side)])
    crops.append([dataclasses.replace(first, center_y=first.center_y - first.side / 2)])
    frames += frames[:1] * 2
    errors = cell_errors(torch, PoseEstimator(Shifted(reference, 0.375)), frames, crops, lambda: None)
    assert errors is not None
    people = [torch.read(image, regions).people[0] for image, regions in zip(frames, crops, strict=True)]
    seen = np.array([person.scores["argmax"] >= 0.3 for person in people])
    assert errors["dark"].max == pytest.approx(0.375, abs=1e-4)
    assert errors["dark"].far_share == pytest.approx(seen[:, ::2].sum() / seen.sum())
    assert 0 < seen.sum() < seen.size
    assert all(errors[name].max == 0 for name in DECODER_NAMES if name != "dark")
    slight = cell_errors(torch, PoseEstimator(Shifted(reference, -0.05)), frames, crops, lambda: None)
    assert slight is not None
    assert (slight["dark"].max, slight["dark"].far_share) == (pytest.approx(0.05, abs=1e-4), 0)


def test_points_that_are_no_numbers_are_the_worst_there_are(reference: Engine) -> None:
    frames = clip_frames()[10:12]
    torch = PoseEstimator(reference)
    crops = [[one.region] for one in follow(torch, frames, "clip", lambda: None) if one]
    errors = cell_errors(torch, PoseEstimator(Shifted(reference, np.nan)), frames, crops, lambda: None)
    assert errors is not None
    assert errors["dark"].max == np.inf
    assert errors["dark"].far_share > 0.3
    assert errors["debiased"].max == 0


def test_following_is_timed_with_all_its_stages(reference: Engine) -> None:
    (samples,) = measure([Following(PoseEstimator(reference), clip_frames()[:12])], lambda: None)
    assert samples.frames_with_person == len(samples.frames) == 12
    # Each warm-up run looked for the person; the frames that count only followed.
    assert (len(samples.looks), len(samples.stage_ns("detect"))) == (5, 5)
    for reading in samples.frames:
        assert set(reading.stages) == {"preprocess", "network", "decode"}
        assert sum(reading.stages.values()) <= reading.total
    # Between the last lap and the end is next to nothing.
    assert np.median([sum(reading.stages.values()) / reading.total for reading in samples.frames]) > 0.9


# MediaPipe


def test_mediapipe_finds_the_person_where_they_are() -> None:
    peer = MediaPipePeer(LITE)
    clock = StageClock()
    # Twice: time stamps go on rising where the frames start again.
    for i in (20, 21, 22, 20, 21, 22):
        points = peer.process(clip_frames()[i], clock)
    assert points is not None
    assert points.shape == (33, 2)
    joints, seen = true_joints()
    offsets = (as_coco(points) - joints[22])[seen[22]]
    height = np.ptp(joints[22][:, 1])
    assert np.median(np.linalg.norm(offsets, axis=-1)) < 0.03 * height
    assert set(clock.times()) == {"preprocess", "network"}
    peer.close()
    peer.close()


def test_mediapipe_is_given_the_picture_in_its_own_colours_and_answers_in_pixels() -> None:
    image = clip_frames()[40]
    options = PoseLandmarkerOptions(BaseOptions(model_asset_path=str(LITE)), running_mode=RunningMode.VIDEO)
    with PoseLandmarker.create_from_options(options) as landmarker:
        rgb = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image[..., ::-1]))
        (joints,) = landmarker.detect_for_video(rgb, 33).pose_landmarks
    peer = MediaPipePeer(LITE)
    found = peer.process(image)
    peer.close()
    assert found == pytest.approx(np.array([(joint.x * 960, joint.y * 540) for joint in joints]), abs=1e-6)


def test_mediapipe_sees_nobody_in_black_and_refuses_what_is_no_bundle(tmp_path: Path) -> None:
    peer = MediaPipePeer(LITE)
    assert peer.process(np.zeros((90, 160, 3), np.uint8)) is None
    peer.close()
    (tmp_path / "x.task").write_bytes(b"no bundle at all")
    with pytest.raises(BundleError, match=r"x\.task is not a \.task bundle"):
        MediaPipePeer(tmp_path / "x.task")


# What is not here, and bad input


def test_engines_that_are_not_here_are_told_with_the_reason(monkeypatch: pytest.MonkeyPatch, reference: Engine) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setattr(contenders, "why_not", lambda kind: None if kind == "cpu" else f"no {kind} GPU here")
    names = ["cuda", "torch-cuda", "torch-mps", "torch", "mediapipe"]
    found, missing = open_contenders(names, LITE, LITE_SHA256, reference, people=1)
    assert [(one.name, one.runs) for one in found] == [("torch", reference)]
    assert {one.name: one.reason for one in missing} == {
        "cuda": "no cuda GPU here",
        "torch-cuda": "no cuda GPU here",
        "torch-mps": "no mps GPU here",
        "mediapipe": "not installed",
    }
    with pytest.raises(UserError, match=r"None of the engines .* \(mediapipe: not installed\)"):
        open_contenders(["mediapipe"], LITE, LITE_SHA256, reference, people=1)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"frames": 19}, "--frames must be at least 20, not 19."),
        ({"people": 0}, "--people must be from 1 to 16, not 0."),
        ({"people": 17}, "--people must be from 1 to 16, not 17."),
        ({"engines": "openvno"}, "Unknown engine “openvno”. Did you mean “openvino”?"),
        ({"source": "0"}, "“camera 0” is live: the bench needs a video file or a folder of images."),
        ({"source": "none.mp4"}, "No such file or folder: none.mp4."),
        ({"model": "none.task"}, "No such model file: none.task"),
        ({"engines": "mediapipe", "people": 2}, "None of the engines asked for can be measured here"),
        ({"engines": "mediapipe", "sweep": True}, "--sweep looks at an engine of PoseScope"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        run_bench(options(**changed))
    assert str(caught.value).startswith(sentence)


def test_sources_without_a_person_or_with_too_little_or_too_much(tmp_path: Path) -> None:
    black = write_video(tmp_path / "black.mp4", range(0, 880, 40), colour=(0, 0, 0))
    with pytest.raises(UserError, match=r"Nobody was found in 20 frames of “black\.mp4”"):
        run_bench(options(source=str(black)))
    short = write_video(tmp_path / "short.mp4", range(0, 200, 40))
    with pytest.raises(SourceError, match="has only 5 frames: the bench needs at least 20"):
        load_frames(str(short), 20, None)
    with pytest.raises(SourceError, match=r"300 frames of 960 × 540 need 0\.4 GB of memory"):
        load_frames(str(SAMPLE_CLIP), 300, 2**29)
    assert len(load_frames(str(SAMPLE_CLIP), 25, 2**40)) == 25


def test_files_that_exist_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists already: choose another name, or say --overwrite"):
        run_bench(options(json=path))
    assert path.read_text() == "mine"
    with pytest.raises(OutputError, match="is the source"):
        run_bench(options(json=path, source=str(path), overwrite=True))
    with pytest.raises(OutputError, match="is a folder"):
        run_bench(options(json=tmp_path, overwrite=True))
    with pytest.raises(OutputError, match="is not a folder"):
        run_bench(options(json=path / "below.json"))


def test_the_command_line_answers_mistakes_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["bench", "--people", "99"]) == 2
    assert capsys.readouterr().err == "posescope: --people must be from 1 to 16, not 99.\n"


# Processes of their own


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_help_and_loading_import_no_network() -> None:
    code = """if 1:
        import sys, contextlib
        from app.__main__ import main
        with contextlib.suppress(SystemExit):
            main(["bench", "--help"])
        print("|", *{"torch", "openvino", "mediapipe", "cv2", "av", "numpy"} & set(sys.modules))
        import app.bench.command
        print("|", *{"torch", "openvino", "mediapipe"} & set(sys.modules))
    """
    told, after_help, after_loading = python(code).split("|")
    assert "--engines NAMES" in told
    assert (after_help.split(), after_loading.split()) == ([], [])


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="not measured there")
def test_memory_is_that_of_the_process_alone() -> None:
    ballast = np.ones(40 * 2**20)  # 320 MB that a child must not be charged with
    code = "from app.bench.memory import peak_mb; {}; print(peak_mb())"
    alone = float(python(code.format("pass")))
    with_ballast = float(python(code.format("import numpy; held = numpy.ones(25 * 2**20)")))
    assert peak_mb() > ballast.nbytes / 2**20
    assert alone < 300
    assert with_ballast - alone == pytest.approx(200, abs=15)

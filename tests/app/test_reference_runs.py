"""The real MediaPipe as the engine of a run, and beside our own network: whatever it reads lands on its own frame."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.__main__ import main
from app.bundled import SAMPLE_CLIP, model_file
from app.frames import Frame, PoseResult
from app.session import NetworkChoice, Session
from app.sources.base import Source
from models.engines.mediapipe_engine import Landmarker
from models.people import MEDIAPIPE
from models.readings import DECODER_NAMES, REGRESSION
from models.skeletons import BLAZEPOSE_33
from models.stage_clock import StageClock
from tests.app.pipeline_parts import until
from tests.models.clip import clip_frames

LITE = ("--model", "lite", "--device", "cpu")
# Somebody who moves: each frame is told from the next by where the joints are.
MOVING = range(193, 205)


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("moving")
    for i in MOVING:
        cv2.imwrite(str(folder / f"{i}.png"), clip_frames()[i])
    return folder


@pytest.fixture(scope="module")
def expected() -> list[np.ndarray]:
    """(33, 2) px of each frame, as PoseLandmarker itself has them."""
    landmarker, clock = Landmarker(model_file("lite")[0]), StageClock()
    times_ms = [round(n * 1e9 / 30) // 1_000_000 for n in range(len(MOVING))]
    found = [landmarker.poses(clip_frames()[i], ms, clock)[0, :, :2] for i, ms in zip(MOVING, times_ms, strict=True)]
    landmarker.close()
    return found


def run(*arguments: object) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main(["run", *map(str, arguments)])
    return code, stdout.getvalue(), stderr.getvalue()


def points_of(table: Path, decoder: str) -> np.ndarray:
    """(frames, 33, 2) px: what a CSV file holds of the one person."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["decoder"] == decoder]
    assert [row["joint"] for row in rows] == list(BLAZEPOSE_33.joints) * (len(rows) // 33)
    return np.array([(float(row["x"]), float(row["y"])) for row in rows]).reshape(-1, 33, 2)


def check_own_frames(found: np.ndarray, expected: list[np.ndarray]) -> None:
    assert found == pytest.approx(np.array(expected), abs=1e-3)
    # Another frame's would be far off.
    steps = np.linalg.norm(np.diff(expected, axis=0), axis=-1).mean(-1)
    assert steps.min() > 1.0


@pytest.mark.thorough
def test_a_run_with_mediapipe_as_the_engine_writes_its_points(moving, expected, tmp_path):
    files = {kind: tmp_path / name for kind, name in (("csv", "k.csv"), ("jsonl", "k.jsonl"), ("coco", "k.json"))}
    code, stdout, stderr = run(
        moving, *LITE, "--engine", "mediapipe", "--keypoints", files["csv"], "--jsonl", files["jsonl"], "--coco",
        files["coco"], "--openpose", tmp_path / "poses", "--output", tmp_path / "out.mp4", "--report",
        tmp_path / "r.json", "--smooth",
    )  # fmt: skip
    assert (code, stderr) == (0, "")
    count = len(MOVING)
    assert f"a person in {count}; lite on cpu (MediaPipe), mediapipe: jitter " in stdout
    check_own_frames(points_of(files["csv"], MEDIAPIPE), expected)
    with files["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count * 33
    assert {(row["decoder"], row["beta"], row["shown"], row["network"]) for row in rows} == {
        ("mediapipe", "", "1", "lite")
    }

    _, *frames = map(json.loads, files["jsonl"].read_text("utf-8").splitlines())
    assert [(frame["decoder"], frame["device"], list(frame["people"][0]["decoders"])) for frame in frames] == [
        ("mediapipe", "cpu (MediaPipe)", ["mediapipe"])
    ] * count
    assert frames[0]["people"][0]["presence"] is None
    coco = json.loads(files["coco"].read_text("utf-8"))
    assert [entry["decoder"] for entry in coco] == ["mediapipe"] * count
    assert len(list((tmp_path / "poses").iterdir())) == count
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (report["decoder"], report["device"], list(report["jitter"])) == (
        "mediapipe",
        "cpu (MediaPipe)",
        ["mediapipe"],
    )
    assert report["jitter"]["mediapipe"]["rms_px"] > 0
    assert report["bias"]["mediapipe"]["rms_px"] is None
    assert report["speed_px_per_s"]["mediapipe"] > 10


@pytest.mark.thorough
def test_a_run_with_its_ghost_has_it_on_every_frame_and_on_its_own(moving, expected, tmp_path):
    table, report = tmp_path / "k.csv", tmp_path / "r.json"
    code, _, stderr = run(
        moving, *LITE, "--ghosts", "argmax,mediapipe", "--keypoints", table, "--output", tmp_path / "out.mp4",
        "--report", report,
    )  # fmt: skip
    assert (code, stderr) == (0, "")
    check_own_frames(points_of(table, MEDIAPIPE), expected)
    with table.open(encoding="utf-8", newline="") as file:
        assert {row["decoder"] for row in csv.DictReader(file)} == {*DECODER_NAMES, MEDIAPIPE}
    told = json.loads(report.read_text("utf-8"))
    assert (told["mediapipe"]["frames_compared"], told["mediapipe"]["frames_left_out"]) == (len(MOVING), 0)
    # tests/models/test_mediapipe.py: about .7 % while the person stands; MediaPipe's smoothing lags behind who moves.
    assert 0.002 < told["mediapipe"]["share_of_body"] < 0.03
    # The meters compare the decoders, as without it.
    assert set(told["jitter"]) == set(told["bias"]) == set(DECODER_NAMES)


class Treadmill(Source):
    """Live, 30 frames a second: a picture of the clip, moved by STEP px from frame to frame, there and back."""

    live = True
    STEP, TURN = 12, 20

    def __init__(self) -> None:
        super().__init__("treadmill")
        self._index = 0

    def open(self) -> None:
        pass

    def read(self) -> Frame | None:
        if self._stopped.wait(1 / 30):
            return None
        self._index += 1
        now_ns = time.perf_counter_ns()
        shift = self.STEP * abs((self._index + self.TURN) % (2 * self.TURN) - self.TURN)
        return Frame(self._index, now_ns, now_ns, np.roll(clip_frames()[0], shift, axis=1))

    def close(self) -> None:
        pass


@pytest.mark.thorough
def test_live_its_reading_lands_on_its_own_frame_and_nothing_is_lost_for_it():
    results: list[PoseResult] = []
    session = Session(Treadmill(), NetworkChoice("lite", "cpu"), wait_for_model=True, on_result=results.append)
    session.pipeline.most_people = 2  # so that MediaPipe does not smooth over time
    session.compare_with_reference(True)
    session.pipeline.reference.wait_until_ready()
    session.start()
    until(lambda: session.pipeline.reference.compared >= 40)
    session.stop()
    assert [result.frame.index for result in results] == sorted(result.frame.index for result in results)
    read = [result for result in results if result.people and MEDIAPIPE in result.people[0].points]
    assert len(read) >= 30
    for result in read:
        (person,) = result.people
        apart = person.points[MEDIAPIPE][:, 0] - person.points[REGRESSION][:, 0]
        assert abs(np.median(apart)) < Treadmill.STEP / 2
    assert session.pipeline.dropped + len(results) >= results[-1].frame.index - 1
    assert not [thread for thread in threading.enumerate() if thread.name == "posescope-reference"]


@pytest.mark.thorough
def test_a_session_switches_between_our_network_and_mediapipe(moving):
    session = Session(
        Treadmill(), NetworkChoice("lite", "cpu", "mediapipe"), wait_for_model=True, on_result=(results := []).append
    )
    session.compare_with_reference(True)  # there is nothing to compare with yet
    assert not session.pipeline.reference.is_on
    session.start()
    until(lambda: len(results) >= 2)
    assert (session.has_decoders, session.choice.name, session.device_label) == (False, "mediapipe", "cpu (MediaPipe)")
    assert {result.decoder for result in results} == {"mediapipe"}
    session.set_decoder("ipr")
    session.set_beta(3.0)
    session.use_network(NetworkChoice("lite", "cpu"))
    until(lambda: results[-1].decoder == "ipr" and results[-1].people and MEDIAPIPE in results[-1].people[0].points)
    assert (session.has_decoders, session.choice.name, session.choice.beta) == (True, "ipr", 3.0)
    session.use_network(NetworkChoice("lite", "cpu", "mediapipe"))
    until(lambda: results[-1].decoder == "mediapipe")
    assert not session.pipeline.reference.is_on
    session.stop()


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--engine", "mediapipe", "--decoder", "ipr"), "there is nothing for decoders to read. Leave --decoder out."),
        (("--engine", "mediapipe", "--ghosts", "ipr"), "there is nothing for decoders to read. Leave --ghosts out."),
        (("--engine", "mediapipe", "--device", "cuda"), "MediaPipe computes on the CPU here, not on cuda"),
        (("--ghosts", "mediapip"), "Unknown ghost “mediapip”. Did you mean “mediapipe”?"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(arguments, sentence):
    code, stdout, stderr = run(SAMPLE_CLIP, *arguments)
    assert (code, stdout) == (2, "")
    (line,) = stderr.splitlines()
    assert sentence in line


def test_evaluate_and_replay_say_that_there_are_no_heatmaps(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{}", "utf-8")
    for command in (["evaluate", str(tmp_path / "a.json"), str(tmp_path)], ["replay", "sample"]):
        assert main([*command, "--engine", "mediapipe", "--output", str(tmp_path / "out")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == (
            "posescope: MediaPipe gives points and no heatmaps: there is nothing for decoders to read. "
            "Choose another engine."
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "arguments",
    [["run", str(SAMPLE_CLIP), "--engine", "mediapipe"], ["run", str(SAMPLE_CLIP), "--ghosts", "mediapipe"],
     ["--engine", "mediapipe"]],
)  # fmt: skip
def test_without_mediapipe_one_sentence_says_how_to_install_it(arguments):
    code = """
        import sys
        sys.modules["mediapipe"] = None  # importing it raises ImportError
        from app.__main__ import main
        sys.exit(main(sys.argv[1:]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'posescope: MediaPipe is not installed here: python -m pip install "mediapipe>=1.2"\n'


@pytest.mark.thorough
def test_a_run_of_our_own_does_not_import_mediapipe():
    code = """
        import sys
        from app.__main__ import main
        main(sys.argv[1:])
        print("mediapipe" in sys.modules)
    """
    arguments = ["run", str(SAMPLE_CLIP), *LITE, "--max-frames", "2"]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "False", done.stderr

"""What is left of a recording after its process was killed: all but the last second, and rows that match."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import av
import pytest

from tests.app.test_mp4_writer import read_back

ROOT = Path(__file__).parents[2]
LONG = 60.0  # s; only a hang reaches it
FPS = 25.0

# Records in real time, and says with each frame how long the recording is.
RECORD = """
    import dataclasses, sys, time
    from pathlib import Path
    import numpy as np
    from app.frames import Frame
    from app.overlay import OverlayStyle
    from app.recorder import Recorder, RecordingAbout
    from app.recording_paths import RecordingPaths
    from tests.app import builders

    folder, ending, interval = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    paths = RecordingPaths(folder / "a.mp4", folder / "a.clean.mp4", {"csv": folder / "a.keypoints.csv"})
    about = RecordingAbout("camera 1", "lite", "debiased", lambda: 5)
    recorder = Recorder(paths, style=OverlayStyle(), about=about, live=True)
    recorder.start()
    noise = np.random.default_rng(0).integers(0, 256, (8, 240, 320, 3), np.uint8)
    begun, i = time.perf_counter(), 0
    while True:
        due = i * interval
        time.sleep(max(0.0, begun + due - time.perf_counter()))
        now = time.perf_counter_ns()
        frame = Frame(i, now, now, noise[i % 8].copy())
        recorder.offer(dataclasses.replace(builders.result(), frame=frame))
        print(time.perf_counter() - begun, flush=True)
        i += 1
        if ending == "close" and i == 40:
            print("closing", flush=True)
            recorder.stop()
"""


def record_and_kill(folder: Path, after_s: float, *, fps: float = FPS, ending: str = "kill") -> float:
    """Record for `after_s`, then kill; how long the recording was, in s."""
    script = [sys.executable, "-c", textwrap.dedent(RECORD), str(folder), ending, str(1 / fps)]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        told = []
        while process.stdout is not None:
            line = process.stdout.readline().strip()
            if line == "closing":
                time.sleep(after_s)
                break
            assert line, "the recording ended by itself"
            told.append(float(line))
            if ending == "kill" and told[-1] >= after_s:
                break
        process.kill()
        process.wait(LONG)
    return told[-1]


def check(folder: Path, recorded_s: float, fps: float = FPS) -> tuple[float, float]:
    """How many s are missing in the worse video, and in the rows."""
    with (folder / "a.keypoints.csv").open(encoding="utf-8", newline="") as file:
        text = file.read()
    table = list(csv.DictReader(text[: text.rindex("\n") + 1].splitlines()))
    rows_of = [float(row["time_s"]) for row in table[:: 33 * 6]]
    missing = []
    for name in ("a.mp4", "a.clean.mp4"):
        times, pictures = read_back(folder / name)
        assert {picture.shape for picture in pictures} == {(240, 320, 3)}
        both = min(len(times), len(rows_of))
        assert times[:both] == pytest.approx(rows_of[:both], abs=1e-4)
        assert abs(len(times) - len(rows_of)) <= fps + 1
        missing.append(recorded_s - times[-1])
        with av.open(str(folder / name)) as container:
            assert container.metadata["title"] == "camera 1"
            assert "frames dropped in the recording: " in container.metadata["comment"]
            assert container.metadata["comment"].endswith("before the network: 0")
    return max(missing), recorded_s - rows_of[-1]


@pytest.mark.parametrize("after_s", [1.3, pytest.param(2.7, marks=pytest.mark.thorough)])
def test_a_killed_recording_misses_at_most_its_last_second(tmp_path, after_s):
    recorded_s = record_and_kill(tmp_path, after_s)
    assert max(check(tmp_path, recorded_s)) <= 1.0


@pytest.mark.thorough
def test_a_recording_killed_while_it_is_finished_misses_nothing_but_that(tmp_path):
    recorded_s = record_and_kill(tmp_path, 0.02, ending="close")
    assert max(check(tmp_path, recorded_s)) <= 1.0


@pytest.mark.slow
def test_twenty_killed_recordings(tmp_path):
    dice = random.Random(5)
    for i in range(20):
        folder = tmp_path / str(i)
        folder.mkdir()
        after_s = dice.uniform(1.0, 8.0)
        recorded_s = record_and_kill(folder, after_s)
        video_s, rows_s = check(folder, recorded_s)
        print(f"killed after {recorded_s:.2f} s: {video_s:.2f} s of video, {rows_s:.2f} s of rows are missing")
        assert max(video_s, rows_s) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("fps", [0.4, 1.0, 120.0])
def test_killed_at_any_rate(tmp_path, fps):
    recorded_s = record_and_kill(tmp_path, 6.0, fps=fps)
    video_s, rows_s = check(tmp_path, recorded_s, fps)
    print(f"{fps} frames a second: {video_s:.2f} s of video, {rows_s:.2f} s of rows are missing")
    # The frame that was offered at the moment of the kill may be lost; the one before it not.
    assert max(video_s, rows_s) <= max(1.0, 1.0 / fps + 0.1)


@pytest.mark.slow
def test_killed_at_any_moment_of_finishing(tmp_path):
    dice = random.Random(6)
    for i in range(20):
        folder = tmp_path / str(i)
        folder.mkdir()
        recorded_s = record_and_kill(folder, dice.uniform(0.0, 0.15), ending="close")
        assert max(check(folder, recorded_s)) <= 1.0

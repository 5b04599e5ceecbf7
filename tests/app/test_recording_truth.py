"""Recordings of a whole session: their time is the source's, each row says what was on screen, none is missing."""

from __future__ import annotations

import csv
import gc
import random
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import av
import numpy as np
import pytest

from app.bundled import SAMPLE_CLIP
from app.frames import PoseResult
from app.recording_paths import RecordingPaths
from app.session import NetworkChoice, Session
from app.sources import make_source
from app.sources.video_file import VideoFileSource
from models.readings import DECODER_NAMES
from tests.app.clock_pictures import ClockSource, read_clock
from tests.app.pipeline_parts import FakeEstimator, until

LITE, FULL = NetworkChoice("lite", "cpu"), NetworkChoice("full", "cpu")


class NobodyEstimator(FakeEstimator):
    """Sees nobody, so that nothing is drawn over the clock."""

    def estimate(self, image, beta, *, time_ns=None, keep_heatmaps=False):
        from models.estimator import Estimate, EstimateTimes

        return Estimate((), EstimateTimes())


class NobodySession(Session):
    def _load_estimator(self, network):
        return NobodyEstimator()


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    """(s, BGR) of every picture of the file."""
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


@pytest.mark.thorough
def test_a_drawn_clock_and_the_files_time_agree(tmp_path: Path) -> None:
    dice = random.Random(5)
    # From 8 to 60 pictures a second, and a gap of a second and a half such as a lost camera leaves.
    intervals = [dice.uniform(1 / 60, 1 / 8) for _ in range(70)]
    intervals[40] = 1.5
    session = NobodySession(ClockSource(iter(intervals)), LITE, wait_for_model=True)
    paths = RecordingPaths(annotated=tmp_path / "a.mp4", clean=tmp_path / "a.clean.mp4")
    session.start_recording(paths)
    session.start()
    assert session.pipeline.finished.wait(60)
    summary = session.stop()
    assert summary is not None
    assert (summary.dropped, summary.error) == (0, None)
    for path in paths.all:
        shown = pictures(path)
        assert len(shown) == summary.frames
        clocks = [read_clock(picture) / 1e3 for _, picture in shown]
        times = [time_s for time_s, _ in shown]
        assert np.abs((np.array(times) - times[0]) - (np.array(clocks) - clocks[0])).max() < 0.002
        # At ten places: what a player shows at that moment is what the clock showed then, within one interval.
        for place in np.linspace(0, times[-1] - times[0], 10, endpoint=False):
            index = int(np.searchsorted(np.array(times) - times[0], place, side="right")) - 1
            following = times[index + 1] - times[index]
            assert 0 <= place - (clocks[index] - clocks[0]) <= following + 0.002
        with av.open(str(path)) as container:
            assert container.duration is not None
            assert container.duration / 1e6 == pytest.approx(summary.duration_s, abs=0.05)
        assert summary.duration_s == pytest.approx(clocks[-1] - clocks[0] + times[-1] - times[-2], abs=0.05)


def toggle_and_switch(folder: Path, toggles: int, switches: int) -> dict[str, object]:
    """Record the shipped clip as fast as possible while decoders and networks change; everything is checked."""
    shown: dict[int, tuple[str, str]] = {}
    newest = threading.Event()

    def note(result: PoseResult) -> None:
        shown[result.frame.index] = result.decoder, result.network
        newest.set()

    session = Session(VideoFileSource(SAMPLE_CLIP, loop=True), LITE, wait_for_model=True, on_result=note)
    paths = RecordingPaths(annotated=folder / "a.mp4", keypoints={"csv": folder / "a.keypoints.csv"})
    session.start_recording(paths, block=True)
    session.start()
    until(lambda: len(shown) > 3)
    dice = random.Random(1)
    switched: list[str] = []
    for number in range(toggles):
        name = DECODER_NAMES[number % len(DECODER_NAMES)]
        session.set_decoder(name)
        if number % max(1, toggles // switches) == 0 and len(switched) < switches:
            network = FULL if len(switched) % 2 == 0 else LITE
            switched.append(network.label)
            session.use_network(network)
            until(lambda network=network: session.pipeline.networks.loaded.name == network.label)
        if dice.random() < 0.1:
            time.sleep(0.01)  # several toggles within one frame, and frames between two toggles
        newest.clear()
        assert newest.wait(60)
    until(lambda: not session.pipeline.networks.pending)
    summary = session.stop()
    assert summary is not None
    assert (summary.error, summary.dropped) == (None, 0)
    assert session.pipeline.source_error is session.pipeline.model_error is None
    # No frame is missing: not in the pipeline, not in the video, not in the table.
    assert sorted(shown) == list(range(len(shown)))
    assert len(pictures_count(paths.annotated)) == summary.frames
    on_screen: dict[int, set[tuple[str, str]]] = defaultdict(set)
    with paths.keypoints["csv"].open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["shown"] == "1":
                on_screen[int(row["frame"])].add((row["decoder"], row["network"]))
    assert len(on_screen) > 0.95 * summary.frames  # a frame without a person has no rows
    for frame, seen in on_screen.items():
        assert seen == {shown[frame]}, frame
    assert {decoder for decoder, _ in shown.values()} == set(DECODER_NAMES)
    assert {network for _, network in shown.values()} == {"lite", "full"}
    return {"frames": summary.frames, "toggles": toggles, "switches": len(switched), "rows": len(on_screen)}


def pictures_count(path: Path | None) -> list[float]:
    assert path is not None
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


@pytest.mark.thorough
def test_toggles_and_switches_while_recording(tmp_path: Path) -> None:
    toggle_and_switch(tmp_path, toggles=40, switches=2)


@pytest.mark.slow
def test_a_thousand_toggles_and_fifty_switches_while_recording(tmp_path: Path) -> None:
    print(toggle_and_switch(tmp_path, toggles=1000, switches=50))


def resident_mb() -> float:
    """Memory of this process at this moment; on systems without /proc the most that it ever had."""
    import resource  # not on Windows

    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def record_synthetic(folder: Path, seconds: float, warm_up_s: float) -> dict[str, float]:
    """Record the moving figure at 720p30 in real time for so long; memory at the beginning and at the end."""
    session = Session(make_source("synthetic:figure,1280x720,30fps", realtime=True), LITE, wait_for_model=True)
    session.start()
    assert session.latest.take(60) is not None
    # As the window does: looking through all that the tests have loaded takes Python longer than a frame.
    gc.collect()
    gc.freeze()
    paths = RecordingPaths(annotated=folder / "a.mp4", keypoints={"csv": folder / "a.keypoints.csv"})
    before, left_out_before = session.pipeline.dropped, session.source.replaced
    session.start_recording(paths)
    recorder = session.recorder
    assert recorder is not None
    time.sleep(warm_up_s)
    memory = resident_mb()
    until_s = time.monotonic() + seconds + 60
    while recorder.elapsed_s < seconds:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    grown = resident_mb()
    dropped, left_out = session.pipeline.dropped - before, session.source.replaced - left_out_before
    summary = session.stop()
    gc.unfreeze()
    assert summary is not None
    assert summary.error is None
    times = pictures_count(paths.annotated)
    assert len(times) == summary.frames
    return {
        "frames": summary.frames,
        "dropped_before_the_network": dropped,
        "of_these_left_out_by_the_source": left_out,
        "dropped_in_the_recording": summary.dropped,
        "plays_s": times[-1] - times[0] + 1 / 30,
        "memory_mb": memory,
        "memory_at_the_end_mb": grown,
    }


@pytest.mark.thorough
def test_a_short_recording_of_720p30_drops_nothing(tmp_path: Path) -> None:
    figures = record_synthetic(tmp_path, seconds=6, warm_up_s=2)
    assert figures["dropped_in_the_recording"] == 0
    assert figures["plays_s"] == pytest.approx(6, abs=0.5)


@pytest.mark.slow
def test_an_hour_of_720p30_drops_nothing_and_does_not_grow(tmp_path: Path) -> None:
    figures = record_synthetic(tmp_path, seconds=3600, warm_up_s=60)
    print(figures)
    assert figures["dropped_before_the_network"] == figures["dropped_in_the_recording"] == 0
    assert figures["plays_s"] == pytest.approx(3600, abs=0.5)
    assert figures["memory_at_the_end_mb"] < 1.05 * figures["memory_mb"]

"""A recording goes on while its source is lost and comes back: one file, with gaps in its time."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest

from app.frames import PoseResult
from app.recording_paths import RecordingPaths
from app.session import NetworkChoice
from app.sources.stream import StreamSource
from tests.app.pipeline_parts import until
from tests.app.servers import LiveServer, MjpegServer, MpegTsServer
from tests.app.test_recording_truth import NobodySession

WITHIN_S = 2.0


def record_over_restarts(server: LiveServer, folder: Path, restarts: int) -> list[float]:
    """Seconds from each restart of the server to its next picture; the recording is checked."""
    server.start()
    results: list[PoseResult] = []
    session = NobodySession(
        StreamSource(server.url()), NetworkChoice("lite", "cpu"), wait_for_model=True, on_result=results.append
    )
    paths = RecordingPaths(annotated=folder / "a.mp4", keypoints={"csv": folder / "a.keypoints.csv"})
    took_s = []
    try:
        session.start()
        until(lambda: len(results) > 0)
        session.start_recording(paths)
        recorder = session.recorder
        assert recorder is not None
        until(lambda: recorder.frames > 10)
        for _ in range(restarts):
            server.stop()
            stopped_s = time.monotonic()
            until(lambda: session.source.trouble != "")
            time.sleep(max(0.0, stopped_s + 1.3 - time.monotonic()))
            begun = time.perf_counter_ns()
            before = len(results)
            server.start()
            until(lambda before=before: len(results) > before)
            frame = results[before].frame
            took_s.append((frame.captured_ns - begun) / 1e9)
            assert not frame.continues
            assert session.source.trouble == ""
            assert session.recorder is recorder
            frames = recorder.frames
            until(lambda frames=frames: recorder.frames > frames + 5)
        summary = session.stop()
    finally:
        session.stop()
        server.stop()
    assert summary is not None
    assert (summary.dropped, summary.error) == (0, None)
    assert [path.name for path in folder.glob("*.mp4")] == ["a.mp4"]
    with av.open(str(paths.annotated)) as container:
        times = np.array([frame.time for frame in container.decode(video=0)])
    assert len(times) == summary.frames
    # The time without a picture is in the file: one gap of more than a second for each loss.
    assert (np.diff(times) > 1.0).sum() == restarts
    return took_s


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [MjpegServer, MpegTsServer])
def test_a_recording_goes_on_over_a_restart_of_the_server(kind: type[LiveServer], tmp_path: Path) -> None:
    (took_s,) = record_over_restarts(kind(), tmp_path, restarts=1)
    assert took_s < WITHIN_S


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MjpegServer, MpegTsServer])
def test_a_recording_goes_on_over_twenty_restarts(kind: type[LiveServer], tmp_path: Path) -> None:
    took_s = record_over_restarts(kind(), tmp_path, restarts=20)
    print(kind.__name__, "s:", " ".join(f"{took:.2f}" for took in took_s))
    assert max(took_s) < WITHIN_S

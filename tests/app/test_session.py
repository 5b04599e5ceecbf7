"""The wiring: one source, the real network, meters, a recording that begins and ends on the way."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from app.bundled import SAMPLE_CLIP
from app.errors import OutputError, UserError
from app.exporters import KEYPOINT_FORMATS
from app.output_names import recording_paths, snapshot_path
from app.recording_paths import RecordingPaths, RecordingWish
from app.session import NetworkChoice, Session
from app.sources.synthetic import SyntheticSource
from app.sources.video_file import VideoFileSource
from tests.app.pipeline_parts import until
from tests.app.test_mp4_writer import read_back

LITE = NetworkChoice("lite", "cpu")


@pytest.fixture
def session() -> Iterator[Session]:
    running = Session(VideoFileSource(SAMPLE_CLIP, loop=True), LITE, wait_for_model=True)
    running.start()
    yield running
    running.stop()


def test_the_newest_result_is_there_to_be_pulled_and_the_meters_have_seen_it(session: Session) -> None:
    first = session.latest.take(60)
    until(lambda: session.board.read().jitter.joints > 17)
    later = session.latest.take(60)
    assert later.frame.index > first.frame.index
    assert (session.device_label, session.warning) == ("cpu (OpenVINO)", None)
    assert (later.network, later.device, later.decoder, later.beta) == (
        "lite",
        "cpu (OpenVINO)",
        "debiased",
        10.0,
    )


def test_a_recording_begins_and_ends_on_the_way(session: Session, tmp_path: Path) -> None:
    assert session.stop_recording() is None
    video, table = tmp_path / "a.mp4", tmp_path / "a.csv"
    session.latest.take(60)
    paths = RecordingPaths(video, keypoints={"csv": table})
    session.start_recording(paths)
    recorder = session.recorder
    until(lambda: recorder.frames >= 5)
    session.set_decoder("argmax")
    session.set_beta(4.0)
    until(lambda: recorder.frames >= 10)
    summary = session.stop_recording()
    assert session.recorder is None
    assert (summary.paths, summary.error) == ((video, table), None)
    assert len(read_back(video)[0]) == summary.frames >= 10
    with table.open(encoding="utf-8", newline="") as file:
        assert len({row["frame"] for row in csv.DictReader(file)}) == summary.frames
    with pytest.raises(OutputError, match="exists already"):
        session.start_recording(RecordingPaths(video))
    assert session.recorder is None


def test_stopping_finishes_the_recording(session: Session, tmp_path: Path) -> None:
    session.start_recording(RecordingPaths(tmp_path / "a.mp4"))
    recorder = session.recorder
    until(lambda: recorder.frames >= 2)
    summary = session.stop()
    assert len(read_back(tmp_path / "a.mp4")[0]) == summary.frames >= 2


def test_pausing_and_choosing(session: Session) -> None:
    session.latest.take(60)
    session.paused = True
    assert session.paused
    session.set_decoder("dark")
    session.paused = False
    until(lambda: (result := session.latest.take(1.0)) is not None and result.decoder == "dark")
    session.set_beta(3.5)
    until(lambda: (result := session.latest.take(1.0)) is not None and result.beta == 3.5)
    assert (session.choice.name, session.choice.beta) == ("dark", 3.5)


def test_a_bad_choice_is_told_and_changes_nothing() -> None:
    session = Session(SyntheticSource(frames=1), LITE)
    for name in ("debaised", "", "Argmax"):
        with pytest.raises(UserError, match="Unknown decoder"):
            session.set_decoder(name)
    for beta in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="beta must be from"):
            session.set_beta(beta)
    assert (session.choice.name, session.choice.beta) == ("debiased", 10.0)
    with pytest.raises(UserError, match="Did you mean “ipr”"):
        Session(SyntheticSource(frames=1), LITE, decoder="irp")
    with pytest.raises(UserError, match="beta"):
        Session(SyntheticSource(frames=1), LITE, beta=0)


def test_a_shipped_bundle_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "pose_landmarker_lite.task").write_bytes(b"PK" + bytes(1000))
    monkeypatch.setattr("app.bundled.ASSETS", tmp_path)
    session = Session(SyntheticSource(frames=3), LITE, wait_for_model=True)
    session.start()
    assert session.pipeline.finished.wait(60)
    session.stop()
    assert "its sha256 differs" in str(session.pipeline.model_error)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("camera 0", "camera-0"),
        ("a/b:c*?.mp4", "a-b-c-mp4"),
        ("Käse 漢字", "Käse-漢字"),
        ("///", "source"),
        ("x" * 99, "x" * 40),
    ],
)
def test_names_of_recordings(tmp_path: Path, source: str, shown: str) -> None:
    paths = recording_paths(tmp_path, source, "dark", RecordingWish(True, True, tuple(KEYPOINT_FORMATS)))
    video = paths.annotated
    assert {path.parent for path in paths.all} == {tmp_path}
    assert len({path.name.partition(" dark")[0] for path in paths.all}) == 1
    start, _, rest = video.name.partition(f" {shown} ")
    datetime.strptime(start, "posescope %Y-%m-%d %H-%M-%S")
    assert rest == "dark.mp4"
    assert paths.clean.name == video.name.removesuffix(".mp4") + ".clean.mp4"
    assert paths.keypoints["csv"].name == video.name.removesuffix(".mp4") + ".keypoints.csv"
    picture = snapshot_path(tmp_path, source, "dark")
    assert picture.suffix == ".png"
    picture.write_bytes(b"")
    assert not snapshot_path(tmp_path, source, "dark").exists()


@pytest.mark.thorough
def test_another_network_reads_on(session: Session, tmp_path: Path) -> None:
    first = session.latest.take(60)
    session.use_network(NetworkChoice("full", "cpu"))
    until(lambda: (result := session.latest.take(1.0)) is not None and result.network == "full")
    assert session.network == NetworkChoice("full", "cpu")
    # The jitter of one network says nothing about the other.
    until(lambda: session.board.read().jitter.joints > 17)
    broken = tmp_path / "broken.task"
    broken.write_bytes(b"PK" + bytes(1000))
    session.use_network(NetworkChoice(str(broken), "cpu"))
    until(lambda: session.pipeline.model_error is not None)
    later = session.latest.take(60)
    assert (first.network, later.network, session.network.label) == ("lite", "full", "full")


@pytest.mark.thorough
def test_what_came_before_is_kept(session: Session, tmp_path: Path) -> None:
    session.keep_last(1.0)
    until(lambda: session.preroll.seconds_held >= 1.0)
    summary = session.preroll.save(RecordingPaths(tmp_path / "a.mp4", keypoints={"csv": tmp_path / "a.csv"}))
    assert summary.error is None
    assert summary.duration_s >= 1.0
    assert len(read_back(tmp_path / "a.mp4")[0]) == summary.frames
    session.keep_last(0.0)
    assert session.preroll is None

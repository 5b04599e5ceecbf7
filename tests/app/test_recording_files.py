"""Several files in one recording: the same frames in each, what lies between the frames, and what the files say."""

from __future__ import annotations

import json
import re
import time

import av
import numpy as np
import pytest

from app import __version__
from app.exporters import KEYPOINT_FORMATS
from app.frames import PoseResult
from app.overlay import OverlayStyle
from app.recorder import Recorder, RecordingAbout, RecordingSummary
from app.recording_files import RecordingTags
from app.recording_paths import KEYPOINT_SUFFIXES, RecordingPaths
from tests.app import builders
from tests.app.test_mp4_muxer import on_disk
from tests.app.test_mp4_writer import duration, read_back
from tests.app.test_recorder import LONG, ROOT, Gate, make, paths_in, rows, small, until


def marked(index: int, time_ns: int, shape: tuple[int, int] = (48, 64)) -> PoseResult:
    """A picture whose brightness tells its number, and a person in it that is drawn only by the overlay."""
    person = builders.person(builders.standing_points(32, 4, 40), 1.0)
    return builders.result(index, time_ns, picture=builders.image(*shape, (index, index, index)), people=(person,))


def test_both_videos_and_every_format_show_the_same_frames(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    paths = RecordingPaths(
        tmp_path / "a.mp4",
        tmp_path / "a.clean.mp4",
        {kind: tmp_path / f"a{form.suffix}" for kind, form in KEYPOINT_FORMATS.items()},
    )
    recorder = Recorder(paths, style=OverlayStyle(), queue_size=5)
    recorder.start()
    dice = np.random.default_rng(2)
    times = (10**12 + np.cumsum(dice.uniform(4e6, 3e8, 40))).astype(int).tolist()
    # The annotated video is held up: the clean one has nothing to do then, and yet leaves out the same frames.
    written = []
    for i in range(20):
        written += [i] if recorder.offer(marked(i, times[i])) else []
        until(lambda: not recorder._lanes[1].waiting)
    gate.opened.set()
    for i in range(20, 40):
        until(lambda: not recorder._most_waiting())
        written += [i] if recorder.offer(marked(i, times[i])) else []
    summary = recorder.stop()
    assert 5 <= 40 - len(written) == summary.dropped == recorder.dropped
    assert (summary.frames, summary.error) == (len(written), None)
    assert summary.paths == paths.all
    wanted = [(times[i] - times[written[0]]) / 1e9 for i in written]
    (annotated, drawn), (clean, plain) = read_back(paths.annotated), read_back(paths.clean)
    assert annotated == clean == pytest.approx(wanted, abs=1e-4)
    assert duration(paths.annotated) == duration(paths.clean) == pytest.approx(summary.duration_s, abs=1e-4)
    for i, with_person, without in zip(written, drawn, plain, strict=True):
        assert np.abs(without.astype(int) - i).max() <= 6
        assert np.abs(with_person.astype(int) - i).max() > 60
    table = rows(paths.keypoints["csv"])
    assert [int(row["frame"]) for row in table[:: 33 * 6]] == written
    assert [float(row["time_s"]) for row in table[:: 33 * 6]] == pytest.approx(wanted, abs=1e-5)
    assert len(paths.keypoints["jsonl"].read_text("utf-8").splitlines()) >= len(written)
    assert len(list(paths.keypoints["openpose"].glob("*.json"))) == len(written)
    assert len(json.loads(paths.keypoints["coco"].read_text("utf-8"))) == len(written)


@pytest.mark.thorough
def test_a_picture_is_in_the_file_before_the_next_one_comes(tmp_path):
    recorder = make(tmp_path, live=True, block=True)
    recorder.start()
    for i in range(3):
        recorder.offer(small(i, time.perf_counter_ns()))
        until(lambda: on_disk(tmp_path / "a.mp4") == i + 1)  # noqa: B023
    until(lambda: duration(tmp_path / "a.mp4") > read_back(tmp_path / "a.mp4")[0][-1] + 1.5)
    assert recorder.stop().frames == 3


def test_clean_alone(tmp_path):
    recorder = Recorder(paths_in(tmp_path, video=False, clean=True, keypoints=False), style=OverlayStyle(), block=True)
    recorder.start()
    for i in range(4):
        recorder.offer(marked(40 * i, i * 10**8))
    assert recorder.stop().paths == (tmp_path / "a.clean.mp4",)
    for i, picture in enumerate(read_back(tmp_path / "a.clean.mp4")[1]):
        assert np.abs(picture.astype(int) - 40 * i).max() <= 3


def test_nothing_wanted_is_nothing_done(tmp_path):
    recorder = Recorder(RecordingPaths(), style=OverlayStyle())
    recorder.start()
    assert not recorder.offer(small(0))
    assert recorder.stop() == RecordingSummary((), 0, 0, 0.0, None)


def test_another_source_size_decoder_network_and_a_gap_in_one_file(tmp_path):
    recorder = Recorder(paths_in(tmp_path, clean=True), style=OverlayStyle(), block=True)
    recorder.start()
    s = 10**9
    recorder.offer(builders.result(0, s, picture=builders.image(48, 64, (200, 200, 200)), decoder="argmax"))
    recorder.offer(builders.result(1, 2 * s, picture=builders.image(96, 64, (200, 200, 200)), network="lite"))
    # The camera was lost for 7 s.
    recorder.offer(builders.result(2, 9 * s, picture=builders.image(48, 64, (200, 200, 200)), device="cuda"))
    recorder.offer(builders.result(3, 10 * s, picture=builders.image(48, 64, (200, 200, 200))))
    summary = recorder.stop()
    assert (summary.frames, summary.duration_s, summary.error) == (4, pytest.approx(10.0), None)
    for path in summary.paths[:2]:
        assert read_back(path)[0] == pytest.approx([0, 1, 8, 9], abs=1e-4)
        assert duration(path) == pytest.approx(10.0, abs=1e-4)
    tall = read_back(summary.paths[1])[1][1]
    assert tall[24, 32].min() > 180
    assert tall[24, 5].max() < 30
    assert sorted({float(row["time_s"]) for row in rows(summary.paths[-1])}) == [0, 1, 8, 9]


@pytest.mark.parametrize("seconds_lost", [0.0, pytest.param(1.6, marks=pytest.mark.thorough)])
def test_of_a_live_source_the_last_picture_is_shown_up_to_the_end(tmp_path, seconds_lost):
    recorder = make(tmp_path, live=True, block=True)
    recorder.start()
    begun = time.perf_counter_ns()
    for i in range(5):
        # The frames' times are another clock than the captures': here they are 5 s behind (builders.frame).
        recorder.offer(small(i, begun - (4 - i) * 50_000_000 - 5_000_000_000))
    until(lambda: recorder.frames == 5)
    time.sleep(seconds_lost)
    at_least = (time.perf_counter_ns() - begun) / 1e9
    summary = recorder.stop()
    at_most = (time.perf_counter_ns() - begun) / 1e9
    if seconds_lost:
        assert 0.2 + at_least <= summary.duration_s <= 0.2 + at_most
    else:
        assert 0.2 < summary.duration_s <= max(0.25, 0.2 + at_most)
    assert duration(summary.paths[0]) == pytest.approx(summary.duration_s, abs=1e-3)


def test_a_clock_that_is_set_back_and_forth_changes_nothing(tmp_path, monkeypatch):
    recorder = make(tmp_path, block=True, live=True)
    dice = iter(np.random.default_rng(0).uniform(0, 4e9, 100_000))
    monkeypatch.setattr(time, "time", lambda: next(dice))
    monkeypatch.setattr(time, "time_ns", lambda: int(next(dice) * 1e9))
    recorder.start()
    begun = time.perf_counter_ns()
    for i in range(40):
        # Captured within the last second; the frames' times are another clock (builders.frame).
        recorder.offer(small(i, begun - (40 - i) * 25_000_000 - 5_000_000_000))
    summary = recorder.stop()
    assert read_back(summary.paths[0])[0] == pytest.approx([i * 0.025 for i in range(40)], abs=1e-4)
    assert 1.0 <= summary.duration_s < 20.0
    assert (summary.frames, summary.dropped, summary.error) == (40, 0, None)


def test_the_wall_clock_is_read_for_names_and_for_the_date_in_the_file_alone():
    uses = {
        (path.name, found)
        for path in (ROOT / "app").glob("*.py")
        if re.match(r"record|preroll|mp4|video_encoder|output_|disk_space", path.name)
        for found in re.findall(r"time\.time(?:_ns)?\(|datetime\.\w+\(|localtime|strftime", path.read_text("utf-8"))
    }
    assert uses == {("mp4_writer.py", "time.time("), ("preroll.py", "time.time("), ("output_names.py", "datetime.now(")}


def test_the_files_say_where_they_come_from_and_what_was_dropped(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    before = 7
    about = RecordingAbout("Kamera “Büro” 1", "full on cpu", "debiased", lambda: before)
    recorder = Recorder(paths_in(tmp_path, clean=True), style=OverlayStyle(), about=about, queue_size=2)
    recorder.start()
    recorder.offer(small(0))
    assert gate.entered.wait(LONG)
    until(lambda: recorder._lanes[1].frames == 1)
    before = 10
    for i in range(1, 6):
        recorder.offer(small(i))
    gate.opened.set()
    until(lambda: recorder.frames == 3)
    assert recorder.stop().dropped == 3
    for name in ("a.mp4", "a.clean.mp4"):
        with av.open(str(tmp_path / name)) as container:
            assert container.metadata["title"] == "Kamera “Büro” 1"
            assert container.metadata["comment"] == (
                f"PoseScope {__version__}; network full on cpu; decoder debiased; "
                "frames dropped in the recording: 3; before the network: 3"
            )


def test_a_counter_that_begins_anew_is_counted_on():
    before = 7
    told = RecordingTags(RecordingAbout("camera", "full", "ipr", lambda: before), lambda: 1)
    for before, expected in ((7, 0), (10, 3), (4, 7), (4, 7), (5, 8)):  # noqa: B007
        assert told()["\xa9cmt"].endswith(f"recording: 1; before the network: {expected}")


def test_the_formats_are_called_as_the_exporters_call_them():
    assert dict(KEYPOINT_SUFFIXES) == {kind: form.suffix for kind, form in KEYPOINT_FORMATS.items()}

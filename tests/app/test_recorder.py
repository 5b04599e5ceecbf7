from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app import drawn_once
from app import recorder as recorder_module
from app.decoder_display import bgr
from app.drawn_once import DrawnOnce
from app.errors import OutputError
from app.overlay import SIDE_COLORS, OverlayStyle, draw_overlay
from app.recorder import Recorder, RecordingSummary
from app.recording_paths import RecordingPaths
from models.skeletons import BLAZEPOSE_33
from tests.app import builders
from tests.app.test_mp4_writer import duration, read_back

ROOT = Path(__file__).parents[2]
LONG = 60.0  # s; only a hang reaches it


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "recorder"]


def make(folder: Path, *, video: bool = True, keypoints: bool = True, **options: object) -> Recorder:
    options = {"style": OverlayStyle(), **options}
    return Recorder(paths_in(folder, video=video, keypoints=keypoints), **options)


def paths_in(folder: Path, *, video: bool = True, clean: bool = False, keypoints: bool = True) -> RecordingPaths:
    return RecordingPaths(
        folder / "a.mp4" if video else None,
        folder / "a.clean.mp4" if clean else None,
        {"csv": folder / "a.keypoints.csv"} if keypoints else {},
    )


def small(index: int, time_ns: int | None = None):
    return builders.result(index, time_ns, picture=builders.image(48, 64))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class Gate:
    """Stands in for drawing: holds the writer until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        monkeypatch.setattr(drawn_once, "draw_overlay", self)

    def __call__(self, *args, **options):
        self.entered.set()
        assert self.opened.wait(LONG)
        return draw_overlay(*args, **options)


def test_video_and_keypoints_of_the_same_frames(tmp_path):
    recorder = make(tmp_path, block=True, pictures=DrawnOnce(builders.readings))
    recorder.start()
    points = builders.standing_points(430, 30, 420)
    moved = [points + np.float32([i, 0]) for i in range(8)]
    times = [10**9, 1_020_000_000, 1_100_000_000, 1_133_000_000, 1_180_000_000, 1_200_000_000]
    times += [1_700_000_000, 1_750_000_000]
    for i, time_ns in enumerate(times):
        person = builders.person(moved[i], 1.0)
        picture = builders.image(480, 640)
        assert recorder.offer(builders.result(i, time_ns, picture=picture, people=(person,)))
    summary = recorder.stop()

    assert summary == RecordingSummary(paths_in(tmp_path).all, 8, 0, pytest.approx(0.8), None)
    assert recorder.frames == 8
    assert recorder.elapsed_s == pytest.approx(0.75)
    shown, pictures = read_back(summary.paths[0])
    assert shown == pytest.approx([(t - times[0]) / 1e9 for t in times], abs=1e-4)
    assert duration(summary.paths[0]) == pytest.approx(summary.duration_s, abs=1e-4)
    table = rows(summary.paths[-1])
    assert len(table) == 8 * 33 * 6
    for t, frame in zip(shown, range(8), strict=True):
        (time_s,) = {float(r["time_s"]) for r in table if r["frame"] == str(frame)}
        assert time_s == pytest.approx(t, abs=1e-4)
    for i, picture in enumerate(pictures):
        for joint in ("left_knee", "right_shoulder", "left_ankle", "right_hip"):
            x, y = np.rint(moved[i][BLAZEPOSE_33.index[joint]]).astype(int)
            wanted = np.array(bgr(SIDE_COLORS[joint.split("_")[0]]))
            assert np.abs(picture[y, x].astype(int) - wanted).max() < 50, (i, joint)


def test_mirrored_as_it_was_seen(tmp_path):
    recorder = make(tmp_path, block=True, keypoints=False, style=OverlayStyle(mirror=True))
    recorder.start()
    person = builders.person(builders.standing_points(430, 30, 420), 1.0)
    for i in range(3):
        recorder.offer(builders.result(i, picture=builders.image(480, 640), people=(person,)))
    summary = recorder.stop()
    x, y = np.rint(person.points["debiased"][BLAZEPOSE_33.index["left_knee"]]).astype(int)
    picture = read_back(summary.paths[0])[1][-1]
    assert np.abs(picture[y, 639 - x].astype(int) - bgr(SIDE_COLORS["left"])).max() < 50
    assert summary.paths == (tmp_path / "a.mp4",)


def test_keypoints_alone(tmp_path):
    recorder = make(tmp_path, video=False, block=True)
    recorder.start()
    for i in range(5):
        recorder.offer(small(i))
    summary = recorder.stop()
    assert summary.paths == (tmp_path / "a.keypoints.csv",)
    assert summary.duration_s == pytest.approx(5 / 30)
    assert len(rows(summary.paths[-1])) == 5 * 33 * 6
    assert list(tmp_path.iterdir()) == [summary.paths[-1]]


def test_a_full_queue_drops_counts_and_never_waits(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    recorder = make(tmp_path, queue_size=3)
    recorder.start()
    assert recorder.offer(small(0))
    assert gate.entered.wait(LONG)
    # The writer is held; were `offer` to wait, this would hang.
    taken = [recorder.offer(small(i)) for i in range(1, 11)]
    assert taken == [True] * 3 + [False] * 7
    assert recorder.dropped == 7
    gate.opened.set()
    summary = recorder.stop()
    assert (summary.frames, summary.dropped, summary.error) == (4, 7, None)
    assert [row["frame"] for row in rows(summary.paths[-1])[:: 33 * 6]] == ["0", "1", "2", "3"]
    assert len(read_back(summary.paths[0])[0]) == 4


def test_large_pictures_make_the_queue_shorter(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    monkeypatch.setattr(recorder_module, "_MOST_WAITING_BYTES", 5 * 48 * 64 * 3)
    recorder = make(tmp_path, queue_size=60)
    recorder.start()
    recorder.offer(small(0))
    assert gate.entered.wait(LONG)
    assert [recorder.offer(small(i)) for i in range(1, 8)] == [True] * 5 + [False] * 2
    gate.opened.set()
    assert recorder.stop().frames == 6


def test_blocking_drops_nothing(tmp_path):
    recorder = make(tmp_path, queue_size=2, block=True)
    recorder.start()
    assert all(recorder.offer(small(i)) for i in range(60))
    summary = recorder.stop()
    assert (summary.frames, summary.dropped) == (60, 0)
    assert len(read_back(summary.paths[0])[0]) == 60


def test_stop_while_the_queue_is_full_writes_all_of_it(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    recorder = make(tmp_path, queue_size=4)
    recorder.start()
    recorder.offer(small(0))
    assert gate.entered.wait(LONG)
    for i in range(1, 8):
        recorder.offer(small(i))
    opener = threading.Timer(0.3, gate.opened.set)
    opener.start()
    summary = recorder.stop()
    opener.join()
    assert (summary.frames, summary.dropped) == (5, 3)


def test_stop_ends_an_offer_that_waits(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    recorder = make(tmp_path, queue_size=1, block=True)
    recorder.start()
    recorder.offer(small(0))
    assert gate.entered.wait(LONG)
    recorder.offer(small(1))
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(recorder.offer(small(2))))
    waiting.start()
    stopping = threading.Thread(target=recorder.stop)
    stopping.start()
    waiting.join(LONG)
    assert answers == [False]
    gate.opened.set()
    stopping.join(LONG)
    assert recorder.stop().frames == 2


def test_stop_may_be_called_again_and_before_start(tmp_path):
    recorder = make(tmp_path)
    assert recorder.stop().frames == 0
    recorder = make(tmp_path, block=True)
    recorder.start()
    recorder.offer(small(0))
    first = recorder.stop()
    assert recorder.stop() == first
    assert not recorder.offer(small(1))
    assert recorder.stop() == first
    with pytest.raises(RuntimeError):
        recorder.start()


def test_a_recording_without_frames_leaves_no_file(tmp_path):
    recorder = make(tmp_path)
    recorder.start()
    assert recorder.stop() == RecordingSummary((), 0, 0, 0.0, None)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_name_is_refused_at_once(tmp_path):
    for name in ("a.mp4", "a.keypoints.csv"):
        (tmp_path / name).write_text("precious")
        with pytest.raises(OutputError, match="exists already"):
            make(tmp_path).start()
        assert [p.name for p in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "precious"
        (tmp_path / name).unlink()


def test_overwriting_has_to_be_asked_for(tmp_path):
    for name in ("a.mp4", "a.keypoints.csv"):
        (tmp_path / name).write_text("old")
    recorder = make(tmp_path, block=True, overwrite=True)
    recorder.start()
    recorder.offer(small(0))
    summary = recorder.stop()
    assert len(read_back(summary.paths[0])[0]) == 1
    assert len(rows(summary.paths[-1])) == 33 * 6


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="not a folder"):
        make(tmp_path / "file").start()


def test_a_writer_that_hangs_does_not_hang_stop(tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    monkeypatch.setattr(recorder_module, "_GIVE_UP_S", 0.3)
    recorder = make(tmp_path)
    recorder.start()
    recorder.offer(small(0))
    assert gate.entered.wait(LONG)
    assert "takes too long" in recorder.stop().error
    gate.opened.set()
    until(lambda: not any(thread.name == "recorder" for thread in threading.enumerate()))


def test_readings_are_asked_for_four_times_a_second_of_the_recording(tmp_path):
    asked: list[str] = []

    def readings():
        asked.append(threading.current_thread().name)
        return builders.readings()

    recorder = make(tmp_path, block=True, keypoints=False, pictures=DrawnOnce(readings))
    recorder.start()
    for i in range(60):
        recorder.offer(small(i))
    recorder.stop()
    assert set(asked) == {"recorder"}
    assert len(asked) == 8

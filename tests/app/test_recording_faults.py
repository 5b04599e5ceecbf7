"""What goes wrong around a recording: full disks, files and folders that vanish, files that fail alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app import recorder as recorder_module
from app.disk_space import short_of_space
from app.errors import OutputError
from app.exporters import KEYPOINT_FORMATS
from app.frames import PoseResult
from app.mp4_writer import Mp4Writer
from app.overlay import OverlayStyle
from app.recorder import Recorder, RecordingSummary
from app.recording_paths import RecordingPaths
from tests.app import builders
from tests.app.test_mp4_muxer import noise
from tests.app.test_mp4_writer import boxes, read_back
from tests.app.test_recorder import make, paths_in, rows, small, until

ROWS = 33 * 6
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not delete open files")


@pytest.fixture
def disk(tmp_path) -> Iterator[Callable[..., Path]]:
    """Makes small disks in memory."""
    mounted: list[Path] = []

    def mount(megabytes: int, options: str = "") -> Path:
        folder = tmp_path / f"disk {len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m{options}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except FileNotFoundError:
            pytest.skip("there is no mount here")
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True, timeout=60)


def noisy_results() -> Iterator[PoseResult]:
    """Some 100 kB of video each, every 40 ms."""
    for i, picture in enumerate(noise((240, 320, 3))):
        yield builders.result(i, i * 40_000_000, picture=picture)


@pytest.mark.thorough
def test_a_full_disk_ends_all_and_costs_at_most_a_second(disk):
    folder = disk(12)
    paths = paths_in(folder, clean=True)
    recorder = Recorder(paths, style=OverlayStyle(), block=True, least_free=0)
    recorder.start()
    offered = next(i for i, result in enumerate(noisy_results()) if not recorder.offer(result))
    assert offered > 40
    until(lambda: recorder.error is not None)
    summary = recorder.stop()
    assert "No space left" in summary.error
    assert summary.paths == paths.all
    shown = [read_back(path)[0] for path in (paths.annotated, paths.clean)]
    for path, times in zip(summary.paths, shown, strict=False):
        assert boxes(path)[0] == b"ftyp"  # and nothing half written behind the last
        assert times == pytest.approx([i * 0.04 for i in range(len(times))], abs=1e-4)
    table = rows(paths.keypoints["csv"])
    # Whole rows, no half one at the end.
    assert all(row["beta"] is not None and row["decoder"] in builders.DECODERS for row in table)
    kept = len(table) // ROWS
    assert kept > 20
    assert abs(kept - len(shown[0])) <= 25
    # One of them was full first; the other one was finished or lost its last second, too.
    assert max(map(len, shown)) >= summary.frames - 25


@pytest.mark.thorough
def test_the_recording_ends_while_there_is_room_to_finish_it(disk):
    folder = disk(24)
    paths = paths_in(folder, clean=True)
    recorder = Recorder(paths, style=OverlayStyle(), block=True, queue_size=4, least_free=14_000_000)
    recorder.start()
    assert recorder.error is None
    for result in noisy_results():
        if not recorder.offer(result):
            break
        time.sleep(0.04)
    summary = recorder.stop()
    assert summary.error == recorder.error
    assert summary.error == (
        f"The recording was stopped while there was still room to finish it: less than 14 MB are free on {folder}."
    )
    for path in paths.all[:2]:
        assert boxes(path) == [b"ftyp", b"mdat", b"moov"]
        assert len(read_back(path)[0]) == summary.frames
    assert len(rows(paths.all[2])) == summary.frames * ROWS
    assert shutil.disk_usage(folder).free > 1_000_000


def test_a_disk_with_too_little_room_is_refused_at_once(disk):
    folder = disk(4)
    recorder = Recorder(paths_in(folder / "new"), style=OverlayStyle())
    with pytest.raises(OutputError, match="less than 200 MB are free on"):
        recorder.start()
    assert list(folder.iterdir()) == []
    assert not recorder.offer(small(0))
    assert recorder.stop() == RecordingSummary((), 0, 0, 0.0, None)


def test_room_is_counted_where_it_matters(tmp_path, disk):
    folder = disk(4)
    assert short_of_space([tmp_path / "a"], 1) is None
    assert short_of_space([tmp_path / "a", folder / "b" / "c"], 5_000_000) == folder / "b"
    assert short_of_space([folder / "c"], 1_000_000) is None
    assert short_of_space([Path(os.devnull)], 1 << 60) is None


def test_a_disk_that_takes_nothing(disk):
    folder = disk(4, ",ro")
    for paths in (RecordingPaths(folder / "a.mp4"), RecordingPaths(keypoints={"openpose": folder / "a.openpose"})):
        with pytest.raises(OutputError, match="Read-only"):
            Recorder(paths, style=OverlayStyle(), least_free=0).start()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_disk_that_is_full_at_the_start(tmp_path):
    paths = RecordingPaths(tmp_path / "a.mp4", None, {"csv": Path("/dev/full")})
    with pytest.raises(OutputError, match="space"):
        Recorder(paths, style=OverlayStyle(), overwrite=True).start()
    assert Path("/dev/full").exists()
    assert list(tmp_path.iterdir()) == []


def all_paths(folder: Path) -> RecordingPaths:
    formats = {kind: folder / f"a{form.suffix}" for kind, form in KEYPOINT_FORMATS.items()}
    return RecordingPaths(folder / "a.mp4", folder / "a.clean.mp4", formats)


@posix
@pytest.mark.parametrize("gone", ["a.mp4", "a.clean.mp4", "a.keypoints.csv", "a.coco.json", "a.openpose"])
def test_a_file_that_is_deleted_costs_the_others_nothing(tmp_path, monkeypatch, gone):
    monkeypatch.setattr(recorder_module, "_LOOK_AT_FILES_EVERY_S", 0.0)
    paths = all_paths(tmp_path)
    recorder = Recorder(paths, style=OverlayStyle(), block=True)
    recorder.start()
    for i in range(5):
        recorder.offer(small(i))
    until(lambda: recorder.frames == 5)
    assert recorder.trouble == ""
    (shutil.rmtree if (tmp_path / gone).is_dir() else os.unlink)(tmp_path / gone)
    until(lambda: recorder.trouble != "")
    assert all(recorder.offer(small(i)) for i in range(5, 20))
    assert recorder.error is None
    summary = recorder.stop()
    assert str(tmp_path / gone) in summary.error
    assert summary.error.count(".") >= 1
    assert summary.frames == 20
    assert summary.paths == tuple(path for path in paths.all if path.name != gone)
    for path in summary.paths:
        if path.suffix == ".mp4":
            assert len(read_back(path)[0]) == 20
            assert boxes(path)[-1] == b"moov"
    if gone != "a.keypoints.csv":
        assert len(rows(paths.keypoints["csv"])) == 20 * ROWS
    if gone != "a.openpose":
        assert len(list(paths.keypoints["openpose"].iterdir())) == 20


@posix
@pytest.mark.parametrize("looks_every_s", [0.0, 1e9])
def test_a_folder_deleted_while_recording_is_noticed_at_the_latest_at_the_end(tmp_path, monkeypatch, looks_every_s):
    monkeypatch.setattr(recorder_module, "_LOOK_AT_FILES_EVERY_S", looks_every_s)
    recorder = make(tmp_path / "gone", block=True)
    recorder.start()
    for i in range(5):
        recorder.offer(small(i))
    until(lambda: recorder.frames == 5)
    shutil.rmtree(tmp_path / "gone")
    if looks_every_s == 0.0:
        until(lambda: recorder.error is not None)  # also without another frame
    for i in range(5, 10):
        recorder.offer(small(i))
    summary = recorder.stop()
    assert "a.mp4: it was deleted or moved." in summary.error
    assert "a.keypoints.csv: it was deleted or moved." in summary.error
    assert summary.paths == ()
    assert summary.frames == (5 if looks_every_s == 0.0 else 10)


@posix
def test_a_file_that_was_moved_away_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "_LOOK_AT_FILES_EVERY_S", 0.0)
    recorder = make(tmp_path / "before", block=True)
    recorder.start()
    for i in range(20):
        recorder.offer(small(i))
    until(lambda: recorder.frames == 20)
    (tmp_path / "before").rename(tmp_path / "after")
    until(lambda: recorder.error is not None)
    assert "deleted" in recorder.stop().error
    assert len(read_back(tmp_path / "after" / "a.mp4")[0]) == 20


def failing_writer(monkeypatch: pytest.MonkeyPatch, error: Exception, after: int) -> None:
    real = Mp4Writer.write

    def write(self: Mp4Writer, image, time_ns) -> None:
        if self.frames >= after and self.path.name == "a.mp4":
            raise error
        real(self, image, time_ns)

    monkeypatch.setattr(Mp4Writer, "write", write)


@pytest.mark.parametrize("keypoints", [False, True])
@pytest.mark.parametrize(
    ("error", "sentence"),
    [(OutputError("The encoder is gone."), "The encoder is gone."), (ZeroDivisionError("what"), "{}: what.")],
)
def test_a_video_that_fails_is_kept_up_to_there(tmp_path, monkeypatch, error, sentence, keypoints):
    failing_writer(monkeypatch, error, after=10)
    recorder = make(tmp_path, queue_size=2, block=True, keypoints=keypoints)
    recorder.start()
    # Waiting offers end although nobody may take from the queue any more.
    answers = [recorder.offer(small(i)) for i in range(40)]
    until(lambda: bool(recorder.error or recorder.trouble))
    wanted = sentence.format(f"Cannot go on writing {tmp_path / 'a.mp4'}")
    if keypoints:
        assert (recorder.error, recorder.trouble, all(answers)) == (None, wanted, True)
    else:
        assert (recorder.error, recorder.trouble, recorder.offer(small(40))) == (wanted, "", False)
        assert not recorder._most_waiting()  # their pictures are let go
    summary = recorder.stop()
    assert summary.error == wanted
    assert summary.frames == (40 if keypoints else 10)
    assert len(read_back(summary.paths[0])[0]) == 10
    if keypoints:
        assert len(rows(summary.paths[-1])) == 40 * ROWS


def test_what_waits_for_a_video_that_has_failed_holds_nobody_up(tmp_path, monkeypatch):
    gate = threading.Event()
    real = Mp4Writer.write

    def write(self: Mp4Writer, image, time_ns) -> None:
        if self.path.name == "a.clean.mp4":
            assert gate.wait(60)
            raise OutputError("The encoder is gone.")
        real(self, image, time_ns)

    monkeypatch.setattr(Mp4Writer, "write", write)
    recorder = Recorder(paths_in(tmp_path, clean=True), style=OverlayStyle(), queue_size=3)
    recorder.start()
    taken = [recorder.offer(small(i)) for i in range(10)]
    assert not all(taken)
    gate.set()
    until(lambda: recorder.trouble == "The encoder is gone.")
    until(lambda: not recorder._most_waiting())
    assert recorder.offer(small(10))
    summary = recorder.stop()
    assert (summary.frames, summary.dropped) == (sum(taken) + 1, 10 - sum(taken))
    assert [path.name for path in summary.paths] == ["a.mp4", "a.keypoints.csv"]
    assert not (tmp_path / "a.clean.mp4").exists()


def test_an_error_at_the_first_frame_leaves_no_file(tmp_path, monkeypatch):
    failing_writer(monkeypatch, OutputError("No encoder."), after=0)
    recorder = make(tmp_path, keypoints=False)
    recorder.start()
    recorder.offer(small(0))
    until(lambda: recorder.error is not None)
    assert recorder.stop() == RecordingSummary((), 0, 0, 0.0, "No encoder.")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_no_encoder_takes_costs_the_keypoints_nothing(tmp_path):
    recorder = make(tmp_path, block=True)
    recorder.start()
    thin = builders.image(1, 20_000)  # wider than H.264 goes
    for i in range(3):
        recorder.offer(builders.result(i, picture=np.ascontiguousarray(thin)))
    summary = recorder.stop()
    if summary.error is not None:  # the last resort, MPEG-4, may take it
        assert "no video encoder for a picture of 20000 x 2" in summary.error
        assert summary.paths == (tmp_path / "a.keypoints.csv",)
    assert len(rows(tmp_path / "a.keypoints.csv")) == 3 * ROWS


def test_folders_with_spaces_in_any_script(tmp_path):
    paths = all_paths(tmp_path / "Meine Übung β" / "日本 の 記録" / "עברית")
    recorder = Recorder(paths, style=OverlayStyle(), block=True)
    recorder.start()
    for i in range(5):
        recorder.offer(small(i))
    summary = recorder.stop()
    assert (summary.error, summary.paths) == (None, paths.all)
    assert len(read_back(paths.annotated)[0]) == len(read_back(paths.clean)[0]) == 5

"""The last seconds, saved although nobody had pressed record."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app import preroll, video_encoder
from app.decoder_display import bgr
from app.errors import OutputError
from app.exporters import KEYPOINT_FORMATS
from app.frames import Frame, PoseResult
from app.overlay import SIDE_COLORS, OverlayStyle
from app.preroll import PreRoll
from app.recording_files import RecordingAbout
from app.recording_paths import RecordingPaths
from models.skeletons import BLAZEPOSE_33
from tests.app import builders
from tests.app.test_mp4_muxer import noise, said
from tests.app.test_mp4_writer import boxes, duration, read_back
from tests.app.test_recorder import LONG, Gate

MS = 1_000_000


@pytest.fixture
def kept() -> Iterator[Callable[..., PreRoll]]:
    """Makes a running pre-roll."""
    running: list[PreRoll] = []

    def make(seconds: float) -> PreRoll:
        running.append(PreRoll(seconds, style=OverlayStyle()))
        running[-1].start()
        return running[-1]

    yield make
    for one in running:
        one.stop()
        one.stop()


def result(i: int, time_ns: int, picture: np.ndarray | None = None, *, continues: bool = True, people=()) -> PoseResult:
    picture = builders.image(48, 64, (i % 250,) * 3) if picture is None else picture
    return PoseResult(Frame(i, time_ns, time_ns, picture, continues), people, "debiased", 10.0, None, "full", "cpu")


def give(one: PreRoll, results: list[PoseResult]) -> None:
    """Hand over one after the other, so that none is dropped."""
    for each in results:
        one.offer(each)
        wait(lambda: not one._waiting)
    wait(lambda: (bool(one._groups) and one._groups[-1][-1].time_ns == results[-1].frame.time_ns) or one._error)


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def paths_in(folder: Path, name: str = "a", kinds: tuple[str, ...] = ("csv",)) -> RecordingPaths:
    keypoints = {kind: folder / f"{name}{KEYPOINT_FORMATS[kind].suffix}" for kind in kinds}
    return RecordingPaths(folder / f"{name}.mp4", None, keypoints)


def first_rows(path: Path) -> list[tuple[int, float]]:
    """(frame, time_s) of each frame."""
    table = csv.DictReader(path.read_text("utf-8").splitlines())
    return list(dict.fromkeys((int(row["frame"]), float(row["time_s"])) for row in table))


@pytest.mark.parametrize("seconds", [2.0, 10.0])
def test_the_last_seconds_at_an_irregular_rate(tmp_path, kept, seconds):
    one = kept(seconds)
    dice = np.random.default_rng(4)
    times = (10**9 + np.cumsum(dice.uniform(10 * MS, 200 * MS, 150))).astype(int).tolist()
    person = builders.person(builders.standing_points(32, 4, 40))
    give(one, [result(i, t, people=(person,)) for i, t in enumerate(times)])
    held = one.seconds_held
    summary = one.save(paths_in(tmp_path))
    # A keyframe comes with the first picture after a second: one and a picture's time more at most.
    assert seconds <= held <= seconds + 1.2
    first = 150 - summary.frames
    assert held == pytest.approx((times[-1] - times[first]) / 1e9)
    assert (summary.dropped, summary.error, summary.paths) == (0, None, paths_in(tmp_path).all)
    shown, pictures = read_back(tmp_path / "a.mp4")
    wanted = [(t - times[first]) / 1e9 for t in times[first:]]
    assert shown == pytest.approx(wanted, abs=1e-4)
    last = (times[-1] - times[-2]) / 1e9
    assert summary.duration_s == pytest.approx(wanted[-1] + last, abs=1e-3)
    assert duration(tmp_path / "a.mp4") == pytest.approx(summary.duration_s, abs=1e-3)
    assert boxes(tmp_path / "a.mp4") == [b"ftyp", b"mdat", b"moov"]
    # Each picture is the one that its row is about: the corner, where nothing is drawn, tells its number.
    rows = first_rows(tmp_path / "a.keypoints.csv")
    assert [frame for frame, _ in rows] == list(range(first, 150))
    assert [time_s for _, time_s in rows] == pytest.approx(wanted, abs=1e-5)
    for (frame, _), picture in zip(rows, pictures, strict=True):
        assert np.abs(picture[2:6, -6:-2].astype(int) - frame).max() <= 8


def test_less_than_is_asked_for_is_saved_whole(tmp_path, kept):
    one = kept(10.0)
    give(one, [result(i, i * 100 * MS) for i in range(15)])
    assert one.seconds_held == pytest.approx(1.4)
    summary = one.save(paths_in(tmp_path))
    assert (summary.frames, summary.duration_s) == (15, pytest.approx(1.5))
    assert len(read_back(tmp_path / "a.mp4")[0]) == 15


def test_nothing_kept_and_nothing_wanted(tmp_path, kept):
    one = kept(10.0)
    with pytest.raises(OutputError, match="nothing to save yet"):
        one.save(paths_in(tmp_path))
    give(one, [result(0, 0)])
    with pytest.raises(OutputError, match="nothing to save"):
        one.save(RecordingPaths(clean=tmp_path / "a.clean.mp4"))
    assert list(tmp_path.iterdir()) == []


def test_saving_twice_and_after_the_end(tmp_path, kept):
    one = kept(5.0)
    give(one, [result(i, i * 50 * MS) for i in range(40)])
    one.save(paths_in(tmp_path, "a"))
    give(one, [result(i, i * 50 * MS) for i in range(40, 60)])
    one.stop()
    one.offer(result(60, 3000 * MS))
    one.save(paths_in(tmp_path, "b"))
    a, b = (read_back(tmp_path / name) for name in ("a.mp4", "b.mp4"))
    assert (len(a[0]), len(b[0])) == (40, 60)
    assert all(np.array_equal(x, y) for x, y in zip(a[1], b[1], strict=False))
    with pytest.raises(OutputError, match="exists already"):
        one.save(paths_in(tmp_path, "a"))
    assert len(read_back(tmp_path / "a.mp4")[0]) == 40


@pytest.mark.thorough
def test_saving_while_pictures_come_loses_none_of_them(tmp_path, kept):
    one = kept(2.0)
    person = builders.person(builders.standing_points(32, 4, 40))
    give(one, [result(i, i * 20 * MS, people=(person,)) for i in range(100)])
    summaries = []
    saving = [
        threading.Thread(target=lambda n=n: summaries.append(one.save(paths_in(tmp_path, f"s{n}")))) for n in range(3)
    ]
    for thread in saving:
        thread.start()
    give(one, [result(i, i * 20 * MS, people=(person,)) for i in range(100, 300)])
    for thread in saving:
        thread.join(LONG)
    assert len(summaries) == 3
    for summary in summaries:
        times, _ = read_back(summary.paths[0])
        assert len(times) == summary.frames == len(first_rows(summary.paths[1]))
        assert np.diff(times) == pytest.approx(0.02, abs=1e-4)
    assert one.dropped == 0
    # And the ring has gone on without a gap.
    last = one.save(paths_in(tmp_path, "last"))
    assert [frame for frame, _ in first_rows(last.paths[1])] == list(range(300 - last.frames, 300))


def test_memory_does_not_grow_and_holds_no_pictures(kept):
    one = kept(1.0)
    heatmaps = np.zeros((33, 8, 8), np.float32)
    person = builders.person(builders.standing_points(32, 4, 40))
    person = type(person)(person.id, person.region, 1.0, person.points, person.scores, person.peaks, heatmaps)
    sizes = []
    for i, picture in zip(range(300), noise((48, 64, 3)), strict=False):
        give(one, [result(i, i * 40 * MS, picture, people=(person,))])
        sizes.append(one.bytes_held)
    assert max(sizes[100:]) <= 1.1 * max(sizes[:100])
    moments = [moment for group in one._groups for moment in group]
    assert len(moments) <= 25 * 2 + 2
    assert sizes[-1] == sum(len(moment.picture.data) for moment in moments)
    # Of the picture the size is kept, and nothing else: all its values are the same byte.
    assert {moment.result.frame.image.shape for moment in moments} == {(48, 64, 3)}
    assert {moment.result.frame.image.strides for moment in moments} == {(0, 0, 0)}
    assert {person.heatmaps is None for moment in moments for person in moment.result.people} == {True}


def test_ten_noisy_seconds_of_720p_take_about_ten_megabytes(kept):
    one = kept(10.0)
    pictures = [picture for picture, _ in zip(noise((720, 1280, 3)), range(4), strict=False)]
    give(one, [result(i, i * 100 * MS, pictures[i % 4]) for i in range(40)])
    # Noise is the worst; ten pictures a second for four seconds may take four tenths.
    assert one.bytes_held < 6_000_000


def test_the_most_that_is_kept_is_bounded(kept, monkeypatch):
    monkeypatch.setattr(preroll, "_MOST_BYTES", 60_000)
    one = kept(60.0)
    for i, picture in zip(range(200), noise((48, 64, 3)), strict=False):
        give(one, [result(i, i * 100 * MS, picture)])
        # One group of pictures more at most.
        assert one.bytes_held < 60_000 + 11 * 6_000
    assert 1 < one.seconds_held < 19


def test_another_size_begins_anew(tmp_path, kept):
    one = kept(10.0)
    give(one, [result(i, i * 100 * MS) for i in range(20)])
    give(one, [result(i, i * 100 * MS, builders.image(96, 80, (9, 9, 9))) for i in range(20, 25)])
    one.save(paths_in(tmp_path))
    times, pictures = read_back(tmp_path / "a.mp4")
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-4)
    assert pictures[0].shape == (96, 80, 3)


def test_of_a_camera_that_was_lost_the_time_without_pictures_is_let_go(tmp_path, kept):
    one = kept(3.0)
    give(one, [result(i, i * 100 * MS) for i in range(20)])
    # Lost for a minute: what is kept stays, until the last three seconds lie behind its return.
    back = [result(20 + i, (62_000 + i * 100) * MS, continues=i > 0) for i in range(40)]
    give(one, back[:1])
    assert one.seconds_held == 0.0
    give(one, back[1:])
    assert 3.0 <= one.seconds_held <= 4.1
    # A short loss within the last seconds stays a gap.
    give(one, [result(60 + i, (68_000 + i * 100) * MS, continues=i > 0) for i in range(5)])
    summary = one.save(paths_in(tmp_path))
    times, _ = read_back(tmp_path / "a.mp4")
    assert max(np.diff(times)) == pytest.approx(2.1, abs=1e-3)
    assert summary.duration_s <= 4.2


def test_a_slow_camera_keeps_as_much_as_is_asked_for(kept):
    one = kept(10.0)
    give(one, [result(i, i * 4000 * MS) for i in range(12)])
    assert 10.0 <= one.seconds_held <= 14.0


def test_a_busy_encoder_drops_counts_and_never_waits(tmp_path, kept, monkeypatch):
    gate = Gate(monkeypatch)
    one = kept(10.0)
    one.offer(result(0, 0))
    assert gate.entered.wait(LONG)
    for i in range(1, 21):
        one.offer(result(i, i * 50 * MS))  # were it to wait, this would hang
    assert one.dropped == 12
    gate.opened.set()
    wait(lambda: one.seconds_held >= 0.4)
    summary = one.save(paths_in(tmp_path), RecordingAbout("camera", "full", "debiased"))
    assert (summary.frames, summary.dropped) == (9, 12)
    assert said(tmp_path / "a.mp4")["title"] == "camera"
    assert said(tmp_path / "a.mp4")["comment"].endswith(
        "network full; decoder debiased; frames dropped in the recording: 12"
    )
    # Those that fall out of the last seconds are counted no longer.
    give(one, [result(100 + i, (20_000 + i * 1000) * MS) for i in range(14)])
    assert one.dropped == 0


def test_annotated_in_the_style_of_the_moment(tmp_path, kept):
    one = kept(10.0)
    points = builders.standing_points(160, 20, 200)
    person = builders.person(points, 1.0)
    x, y = np.rint(points[BLAZEPOSE_33.index["left_knee"]]).astype(int)
    for i, mirror in enumerate((False, True)):
        one.style = OverlayStyle(mirror=mirror)
        give(one, [result(i, i * 100 * MS, builders.image(), people=(person,))])
    one.save(paths_in(tmp_path))
    plain, mirrored = read_back(tmp_path / "a.mp4")[1]
    assert np.abs(plain[y, x].astype(int) - bgr(SIDE_COLORS["left"])).max() < 50
    assert np.abs(mirrored[y, 319 - x].astype(int) - bgr(SIDE_COLORS["left"])).max() < 50


def test_every_format(tmp_path, kept):
    one = kept(10.0)
    person = builders.person(builders.standing_points(32, 4, 40))
    give(one, [result(i, i * 100 * MS, people=(person,)) for i in range(5)])
    paths = paths_in(tmp_path, kinds=tuple(KEYPOINT_FORMATS))
    assert one.save(paths).paths == paths.all
    assert len(json.loads(paths.keypoints["coco"].read_text("utf-8"))) == 5
    assert len(list(paths.keypoints["openpose"].iterdir())) == 5
    alone = RecordingPaths(keypoints={"csv": tmp_path / "alone.csv"})
    assert one.save(alone).paths == alone.all


def test_what_cannot_be_saved_leaves_nothing_and_can_be_saved_elsewhere(tmp_path, kept):
    one = kept(10.0)
    give(one, [result(i, i * 100 * MS) for i in range(5)])
    (tmp_path / "b.keypoints.csv").write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        one.save(paths_in(tmp_path, "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["b.keypoints.csv"]
    with pytest.raises(OutputError, match="are free on"):
        one.save(paths_in(tmp_path, "c"), least_free=1 << 60)
    with pytest.raises(OutputError, match="not a folder"):
        one.save(paths_in(tmp_path / "b.keypoints.csv", "c"))
    assert one.save(paths_in(tmp_path / "new", "c")).frames == 5


def test_where_nothing_can_be_encoded_saving_says_so(tmp_path, kept, monkeypatch):
    monkeypatch.setattr(video_encoder, "_ENCODERS", ())
    one = kept(10.0)
    give(one, [result(0, 0)])
    with pytest.raises(OutputError, match="cannot be kept: This computer has no video encoder"):
        one.save(paths_in(tmp_path))
    # It tries again later, not with each picture.
    one.offer(result(1, 100 * MS))
    wait(lambda: not one._waiting)
    monkeypatch.undo()
    one._try_again_at = 0.0
    give(one, [result(2, 200 * MS)])
    wait(lambda: bool(one._groups))
    assert one.save(paths_in(tmp_path)).frames == 1


def test_it_can_be_started_once_and_stopped_before(kept):
    one = PreRoll(1.0, style=OverlayStyle())
    one.stop()
    one.offer(result(0, 0))
    with pytest.raises(RuntimeError):
        kept(1.0).start()

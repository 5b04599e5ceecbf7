from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app import video_encoder
from app.errors import OutputError
from app.frames import Image
from app.mp4_writer import Mp4Writer
from tests.app import builders

TICK = 1 / 90_000
ROOT = Path(__file__).parents[2]


def read_back(path: Path) -> tuple[list[float], list[Image]]:
    """Presentation times in s, and the pictures as BGR."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [float(frame.pts * frame.time_base) for frame in frames], [
        frame.to_ndarray(format="bgr24") for frame in frames
    ]


def duration(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


def write(path: Path, times_ns: list[int], shape: tuple[int, int] = (48, 64)) -> Mp4Writer:
    writer = Mp4Writer(path)
    for i, time_ns in enumerate(times_ns):
        writer.write(builders.image(*shape, (i % 256, 128, 255 - i % 256)), time_ns)
    writer.close()
    return writer


def steady(frames: int, fps: float = 30.0, start: int = 123_456_789_012) -> list[int]:
    return [start + round(i * 1e9 / fps) for i in range(frames)]


def check_times(path: Path, times_ns: list[int]) -> None:
    times, _ = read_back(path)
    assert times == pytest.approx([(t - times_ns[0]) / 1e9 for t in times_ns], abs=TICK)
    last = (times_ns[-1] - times_ns[-2]) / 1e9
    assert duration(path) == pytest.approx(times[-1] + last, abs=2 * TICK)


def test_ten_seconds_last_ten_seconds(tmp_path):
    path = tmp_path / "a.mp4"
    times = steady(300)
    writer = write(path, times)
    check_times(path, times)
    assert duration(path) == pytest.approx(10.0, abs=1 / 30)
    assert writer.duration_s == pytest.approx(10.0, abs=0.001)
    assert writer.frames == 300
    ffprobe = shutil.which("ffprobe")
    if ffprobe is not None:
        asked = [ffprobe, "-v", "error", "-of", "json", "-count_packets", "-show_entries"]
        asked += [
            "format=duration:stream=codec_name,pix_fmt,duration,nb_read_packets,has_b_frames",
            str(path),
        ]
        said = json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)
        stream = said["streams"][0]
        assert float(said["format"]["duration"]) == pytest.approx(10.0, abs=1 / 30)
        assert float(stream["duration"]) == pytest.approx(10.0, abs=1 / 30)
        assert stream["codec_name"] == "h264"
        assert stream["pix_fmt"] == "yuv420p"
        assert int(stream["nb_read_packets"]) == 300
        assert int(stream["has_b_frames"]) == 0


def test_irregular_times_are_kept(tmp_path):
    gaps = np.random.default_rng(5).uniform(4e6, 90e6, 149)
    gaps[40] = 2.7e9  # a pause
    times = [77, *(77 + np.cumsum(gaps)).astype(int).tolist()]
    write(tmp_path / "a.mp4", times)
    check_times(tmp_path / "a.mp4", times)


def test_dropped_frames_do_not_shorten_the_video(tmp_path):
    times = [t for i, t in enumerate(steady(300)) if i % 3 != 1 and not 100 < i < 150]
    write(tmp_path / "a.mp4", times)
    check_times(tmp_path / "a.mp4", times)
    assert duration(tmp_path / "a.mp4") == pytest.approx(10.0, abs=1.01 / 30)


@pytest.mark.parametrize("fps", [5.0, 59.94, 240.0])
def test_any_rate(tmp_path, fps):
    times = steady(40, fps)
    write(tmp_path / "a.mp4", times)
    check_times(tmp_path / "a.mp4", times)


def test_times_that_do_not_rise_are_made_to(tmp_path):
    write(tmp_path / "a.mp4", [0, 0, 0, 33_000_000, 20_000_000, 66_000_000])
    times, _ = read_back(tmp_path / "a.mp4")
    assert len(times) == 6
    assert all(b > a for a, b in itertools.pairwise(times))
    assert times[-1] == pytest.approx(0.066, abs=TICK)


def test_a_lone_picture_and_one_before_a_long_pause(tmp_path):
    write(tmp_path / "one.mp4", [5])
    assert len(read_back(tmp_path / "one.mp4")[0]) == 1
    assert duration(tmp_path / "one.mp4") == pytest.approx(1 / 30, abs=0.001)
    write(tmp_path / "two.mp4", [0, 60_000_000_000])
    assert duration(tmp_path / "two.mp4") == pytest.approx(61.0, abs=0.001)


def test_no_picture_waits_for_another_and_keyframes_come_each_second(tmp_path):
    write(tmp_path / "a.mp4", steady(200, 25.0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        packets = [p for p in container.demux(video=0) if p.pts is not None]
    assert all(p.pts == p.dts for p in packets)
    keys = [float(p.pts * p.time_base) for p in packets if p.is_keyframe]
    assert keys[0] == 0
    assert max(np.diff([*keys, 8.0])) <= 1.0 + TICK


def boxes(path: Path) -> list[bytes]:
    """Names of the file's outermost boxes."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
        names.append(name)
        at += size or len(data)
    assert at == len(data)
    return names


def test_a_finished_file_is_a_plain_mp4_and_one_in_the_making_is_fragmented(tmp_path):
    path = tmp_path / "a.mp4"
    writer = Mp4Writer(path)
    for i, time_ns in enumerate(steady(100)):
        writer.write(builders.image(48, 64, (i, i, i)), time_ns)
    half = tmp_path / "half.mp4"
    shutil.copy(path, half)
    writer.close()
    assert b"moof" in boxes(half)
    assert len(read_back(half)[0]) >= 100 - 30
    assert b"moof" not in boxes(path)
    assert b"moov" in boxes(path)
    assert len(read_back(path)[0]) == 100


def test_an_odd_size_is_padded_by_one_pixel(tmp_path):
    picture = builders.image(47, 63, (0, 0, 0))
    picture[:, 32:] = 255
    writer = Mp4Writer(tmp_path / "a.mp4")
    for time_ns in steady(5):
        writer.write(picture, time_ns)
    writer.close()
    _, pictures = read_back(tmp_path / "a.mp4")
    assert pictures[0].shape == (48, 64, 3)
    assert pictures[-1][:47, :30].max() < 16
    assert pictures[-1][:, 34:].min() > 238


def test_a_picture_of_another_size_is_fitted_into_the_first(tmp_path):
    writer = Mp4Writer(tmp_path / "a.mp4")
    shapes = [(48, 64), (48, 64), (96, 64), (24, 64), (200, 300)]
    for shape, time_ns in zip(shapes, steady(5), strict=True):
        writer.write(builders.image(*shape, (255, 255, 255)), time_ns)
    writer.close()
    _, pictures = read_back(tmp_path / "a.mp4")
    assert {p.shape for p in pictures} == {(48, 64, 3)}
    tall, wide, similar = pictures[2:]
    assert tall[:, 22:42].min() > 230
    assert tall[:, :10].max() < 25
    assert wide[16:32].min() > 230
    assert wide[:8].max() < 25
    assert similar[8:40, 4:60].min() > 230


def test_colours_survive(tmp_path):
    colors = [(30, 157, 255), (247, 180, 63), (200, 30, 60), (250, 250, 250), (5, 5, 5)]
    writer = Mp4Writer(tmp_path / "a.mp4")
    for color, time_ns in zip(colors, steady(5), strict=True):
        writer.write(builders.image(48, 64, color), time_ns)
    writer.close()
    for color, picture in zip(colors, read_back(tmp_path / "a.mp4")[1], strict=True):
        assert np.abs(picture[24, 32].astype(int) - color).max() <= 6


def test_pictures_in_any_memory_order(tmp_path):
    picture = builders.image(64, 48)
    picture[:32] = 255
    writer = Mp4Writer(tmp_path / "a.mp4")
    writer.write(picture.transpose(1, 0, 2), 0)
    writer.write(np.ascontiguousarray(picture.transpose(1, 0, 2))[:, ::-1], 33_000_000)
    writer.close()
    _, (one, other) = read_back(tmp_path / "a.mp4")
    assert one[:, :30].min() > 230 > 100 > one[:, 34:].max()
    assert other[:, 34:].min() > 230 > 100 > other[:, :30].max()


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        Mp4Writer(path)
    assert path.read_text() == "precious"
    Mp4Writer(path, overwrite=True).close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="not a folder"):
        Mp4Writer(tmp_path / "file" / "a.mp4")


def test_names_in_any_script(tmp_path):
    path = tmp_path / "Übung β 日本" / "a b.mp4"
    write(path, steady(3))
    assert len(read_back(path)[0]) == 3


def test_another_encoder_steps_in(tmp_path, monkeypatch):
    nowhere = video_encoder._Encoder("no_such_encoder", {})
    # Those of hardware are listed by FFmpeg, but do not work without it.
    others = [encoder for encoder in video_encoder._ENCODERS if encoder.name != "libx264"]
    monkeypatch.setattr(video_encoder, "_ENCODERS", (nowhere, *others))
    writer = Mp4Writer(tmp_path / "a.mp4")
    times = steady(60)
    for time_ns in times:
        writer.write(builders.image(48, 64, (200, 100, 50)), time_ns)
    assert writer.encoder not in ("", "libx264")
    writer.close()
    got, pictures = read_back(tmp_path / "a.mp4")
    assert got == pytest.approx([(t - times[0]) / 1e9 for t in times], abs=1 / 60_000)
    assert np.abs(pictures[-1][24, 32].astype(int) - (200, 100, 50)).max() <= 12


def test_an_encoder_that_wants_its_colours_in_another_order_gets_them(tmp_path, monkeypatch):
    # Intel's takes nothing but nv12; libx264 takes that too.
    x264 = next(encoder for encoder in video_encoder._ENCODERS if encoder.name == "libx264")
    monkeypatch.setattr(video_encoder, "_ENCODERS", (dataclasses.replace(x264, pixel_format="nv12"),))
    write(tmp_path / "a.mp4", steady(5))
    _, pictures = read_back(tmp_path / "a.mp4")
    assert np.abs(pictures[-1][24, 32].astype(int) - (4, 128, 251)).max() <= 12


def test_the_first_encoder_that_works_is_taken(monkeypatch):
    x264 = next(encoder for encoder in video_encoder._ENCODERS if encoder.name == "libx264")
    last = video_encoder._ENCODERS[-1]
    assert [e.name for e in video_encoder._ENCODERS].index("libx264") == 4  # after the four in hardware
    for order, expected in (((x264, last), "libx264"), ((last, x264), "mpeg4")):
        monkeypatch.setattr(video_encoder, "_ENCODERS", order)
        assert video_encoder.working_encoder() == expected


def test_an_encoder_that_fails_on_the_first_picture_is_passed_over(tmp_path, monkeypatch):
    x264 = next(encoder for encoder in video_encoder._ENCODERS if encoder.name == "libx264")
    monkeypatch.setattr(video_encoder, "_ENCODERS", (dataclasses.replace(x264, options={}), x264))
    opened = []

    def open_used_up(encoder, *args):
        context = real(encoder, *args)
        opened.append(encoder)
        if len(opened) == 2:  # the first was for the blank picture
            context.encode(None)
        return context

    real = video_encoder._opened
    monkeypatch.setattr(video_encoder, "_opened", open_used_up)
    write(tmp_path / "a.mp4", steady(5))
    assert [encoder.options for encoder in opened] == [{}, {}, x264.options, x264.options]
    check_times(tmp_path / "a.mp4", steady(5))


@pytest.mark.parametrize("name", [encoder.name for encoder in video_encoder._ENCODERS])
def test_every_encoder_there_is_writes_a_file_that_plays_before_and_after_its_end(tmp_path, monkeypatch, name):
    chosen = [encoder for encoder in video_encoder._ENCODERS if encoder.name == name]
    monkeypatch.setattr(video_encoder, "_ENCODERS", chosen)
    try:
        assert video_encoder.working_encoder(320, 240) == name
    except OutputError:
        pytest.skip(f"there is no {name} here")
    path, times = tmp_path / "a.mp4", steady(75)
    writer = Mp4Writer(path)
    for i, time_ns in enumerate(times):
        writer.write(builders.image(240, 320, (i, 128, 255 - i)), time_ns)
    shown, _ = read_back(path)
    assert len(shown) >= 60
    writer.close()
    shown, pictures = read_back(path)
    assert shown == pytest.approx([(t - times[0]) / 1e9 for t in times], abs=1 / 60_000)
    assert np.abs(pictures[-1][120, 160].astype(int) - (74, 128, 181)).max() <= 12
    with av.open(str(path)) as container:
        keys = [float(p.pts * p.time_base) for p in container.demux(video=0) if p.is_keyframe and p.pts is not None]
        assert {round(key, 3) for key in keys} >= {0.0, 1.0, 2.0}
        # A player that winds begins at a keyframe.
        container.seek(1_700_000)
        assert 1.0 <= next(container.decode(video=0)).time <= 1.7


def test_no_encoder_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(video_encoder, "_ENCODERS", ())
    writer = Mp4Writer(tmp_path / "a.mp4")
    with pytest.raises(OutputError, match="no video encoder"):
        writer.write(builders.image(), 0)
    writer.close()


def test_a_deleted_file_is_noticed(tmp_path):
    writer = Mp4Writer(tmp_path / "a.mp4")
    writer.write(builders.image(), 0)
    writer.check_still_there()
    try:
        (tmp_path / "a.mp4").unlink()
    except PermissionError:  # Windows protects a file that is being written
        writer.close()
        return
    with pytest.raises(OutputError, match="deleted"):
        writer.check_still_there()
    writer.close()


FULL_DISK = """
    import resource, sys
    import numpy as np
    from app.errors import OutputError
    from app.mp4_writer import Mp4Writer

    path, limit = sys.argv[1], int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    noise = np.random.default_rng(0)
    writer = Mp4Writer(path)
    try:
        for i in range(60):
            writer.write(noise.integers(0, 256, (96, 96, 3), dtype=np.uint8), i * 33_333_333)
    except OutputError as error:
        print("write", error)
    try:
        writer.close()
    except OutputError as error:
        print("close", error)
    writer.close()
"""


def fill_disk(path: Path, limit: int) -> str:
    """Record in a process that may write no file of more than `limit` bytes; what it said."""
    script = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(path), str(limit)]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="the limit of a file's size is a POSIX thing")
def test_what_was_written_before_the_disk_was_full_can_be_played(tmp_path):
    assert fill_disk(tmp_path / "whole.mp4", 0) == ""
    size = (tmp_path / "whole.mp4").stat().st_size
    full = tmp_path / "full.mp4"
    said = fill_disk(full, size * 3 // 4)
    assert said.startswith(f"write Cannot write {full}: ")
    times, _ = read_back(full)
    assert 15 <= len(times) < 60
    assert times == pytest.approx([i / 30 for i in range(len(times))], abs=0.001)
    # The last bytes are the index: without it the fragments must stay visible.
    at_the_end = tmp_path / "at_the_end.mp4"
    assert fill_disk(at_the_end, size - 100).startswith(f"close Cannot write {at_the_end}: ")
    assert len(read_back(at_the_end)[0]) == 60


def test_time_base_is_fine_enough(tmp_path):
    write(tmp_path / "a.mp4", steady(3))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].time_base <= Fraction(1, 90_000)

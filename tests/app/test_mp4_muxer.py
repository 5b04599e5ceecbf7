"""A file that is cut off at any moment of its life plays up to its last fragment; fragments are short at any rate."""

from __future__ import annotations

import json
import random
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from app import mp4_muxer, mp4_writer
from app.mp4_boxes import EncodedPicture, VideoTrack, avc_sample, nal_units
from app.mp4_muxer import Mp4Muxer
from app.mp4_writer import Mp4Writer, tags
from app.output_file import OutputFile
from tests.app import builders
from tests.app.test_mp4_writer import TICK, boxes, duration, read_back, steady


class Diary(OutputFile):
    """Notes every write: (place, data, whether it replaces what stands there)."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.writes: list[tuple[int, bytes, bool]] = []

    def write(self, data: bytes) -> int:
        self.writes.append((self.tell(), bytes(data), False))
        return super().write(data)

    def write_at(self, offset: int, data: bytes) -> None:
        self.writes.append((offset, bytes(data), True))
        super().write_at(offset, data)


def noise(shape: tuple[int, int, int] = (48, 64, 3)) -> Iterator[np.ndarray]:
    dice = np.random.default_rng(1)
    while True:
        yield dice.integers(0, 256, shape, dtype=np.uint8)


def diary_of(path: Path, times_ns: list[int], monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes, bool]]:
    """The writes of a recording from its first to its last."""
    with monkeypatch.context() as patch:
        patch.setattr(mp4_writer, "OutputFile", Diary)
        writer = Mp4Writer(path)
    for time_ns, picture in zip(times_ns, noise(), strict=False):
        writer.write(picture, time_ns)
    writer.close()
    diary = writer._file
    assert isinstance(diary, Diary)
    return diary.writes


def on_disk(path: Path) -> int:
    """Pictures in the fragments of a file that is being written, by their tables."""
    data = path.read_bytes()
    return sum(int.from_bytes(found[1], "big") for found in re.finditer(rb"trun\0\0\x07\x01(....)", data, re.DOTALL))


def as_left_by_a_crash(writes: list[tuple[int, bytes, bool]]) -> bytes:
    data = bytearray()
    for place, text, _ in writes:
        data[place : place + len(text)] = text
    return bytes(data)


@pytest.mark.thorough
@pytest.mark.parametrize("tail", [b"", bytes(4096)], ids=["cut", "zeros"])
def test_a_recording_that_ends_at_any_of_a_hundred_moments_plays_up_to_its_last_fragment(tmp_path, monkeypatch, tail):
    times = steady(45, 30.0)
    path = tmp_path / "a.mp4"
    writes = diary_of(path, times, monkeypatch)
    assert path.read_bytes() == as_left_by_a_crash(writes)
    dice = random.Random(3)
    most = 0
    for _ in range(100):
        # The moment: some writes are done, the next one may be in its middle. Few bytes within one block of the disk
        # are never half there, so those that replace something happen or do not.
        done = dice.randrange(1, len(writes) + 1)
        data = as_left_by_a_crash(writes[:done])
        if done < len(writes) and not writes[done][2]:
            data += writes[done][1][: dice.randrange(len(writes[done][1]))]
        fragments = sum(text == b"moof" for _, text, _ in writes[:done])
        (tmp_path / "left.mp4").write_bytes(data + tail)
        if fragments == 0:
            continue
        shown, _ = read_back(tmp_path / "left.mp4")
        assert len(shown) == min(45, 15 * fragments)
        assert shown == pytest.approx([i / 30 for i in range(len(shown))], abs=TICK)
        most = max(most, len(shown))
    assert most == 45


def test_a_power_cut_in_the_middle_of_the_end(tmp_path, monkeypatch):
    writes = diary_of(tmp_path / "a.mp4", steady(60), monkeypatch)
    index, curtain = writes[-2:]
    assert index[1][4:8] == b"moov"
    assert curtain[2]
    assert len(curtain[1]) <= 16
    for share in (0.01, 0.5, 0.99, 1.0):
        left = tmp_path / "left.mp4"
        left.write_bytes(as_left_by_a_crash(writes[:-2]) + index[1][: int(share * len(index[1]))])
        assert len(read_back(left)[0]) == 60


@pytest.mark.parametrize("fps", [0.2, 1.0, 7.5, 30.0, 240.0])
def test_nothing_waits_longer_than_a_second_by_the_pictures_time(tmp_path, fps):
    writer = Mp4Writer(tmp_path / "a.mp4")
    for i, time_ns in enumerate(steady(max(4, round(2 * fps)), fps)):
        writer.write(builders.image(48, 64), time_ns)
        assert i + 1 - on_disk(tmp_path / "a.mp4") <= 0.5 * fps + 1
        if i % 120 == 119:
            assert len(read_back(tmp_path / "a.mp4")[0]) == on_disk(tmp_path / "a.mp4")
    writer.close()


@pytest.mark.parametrize("fps", [0.2, 1.0, 240.0])
def test_nothing_waits_longer_than_a_second_by_the_clock(tmp_path, monkeypatch, fps):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    writer = Mp4Writer(tmp_path / "a.mp4")
    times = steady(4, fps)
    for i, time_ns in enumerate(times):
        writer.write(builders.image(48, 64), time_ns)
        now += 0.9
        writer.flush()
        assert len(read_back(tmp_path / "a.mp4")[0]) == i + 1
    # Each fragment lasts up to the next one, for players that add up the times of the pictures.
    beginnings, lengths = fragments_in(tmp_path / "a.mp4")
    assert len(beginnings) == 4
    assert beginnings == pytest.approx([(t - times[0]) * 90_000 / 1e9 for t in times], abs=1)
    assert [a + b for a, b in zip(beginnings, lengths, strict=True)][:-1] == beginnings[1:]
    writer.close()
    shown, _ = read_back(tmp_path / "a.mp4")
    assert shown == pytest.approx([(t - times[0]) / 1e9 for t in times], abs=TICK)


def fragments_in(path: Path) -> tuple[list[int], list[int]]:
    """When each fragment begins, and for how long its pictures are shown, in ticks."""
    data = path.read_bytes()
    beginnings, lengths = [], []
    for found in re.finditer(rb"tfdt\x01\0\0\0(.{8})....trun\0\0\x07\x01(....)", data, re.DOTALL):
        beginnings.append(int.from_bytes(found[1], "big"))
        rows = (found.end() + 4 + 12 * i for i in range(int.from_bytes(found[2], "big")))
        lengths.append(sum(int.from_bytes(data[row : row + 4], "big") for row in rows))
    return beginnings, lengths


def test_while_nothing_comes_the_file_says_how_long_the_last_picture_is_shown(tmp_path, monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    path, s = tmp_path / "a.mp4", 10**9
    writer = Mp4Writer(path)
    writer.write(builders.image(48, 64), 5 * s)
    writer.write(builders.image(48, 64), 6 * s)
    for waited in (3, 4, 7):  # the camera is lost
        now += 1.0
        writer.flush((6 + waited) * s)
        assert len(read_back(path)[0]) == 2
        assert duration(path) == pytest.approx(1 + waited, abs=0.01)
    writer.write(builders.image(48, 64), 16 * s)
    writer.write(builders.image(48, 64), 16 * s + s // 10)
    now += 1.0
    writer.flush()
    assert duration(path) == pytest.approx(11.2, abs=0.01)
    writer.close(until_ns=20 * s)
    shown, _ = read_back(path)
    assert shown == pytest.approx([0, 1, 11, 11.1], abs=TICK)
    assert duration(path) == pytest.approx(15, abs=0.001)
    assert writer.duration_s == pytest.approx(15, abs=0.001)


@pytest.mark.parametrize(("ended_s", "shown_s"), [(2.02, 2.02), (2.3, 2.1), (3.05, 2.1), (3.2, 3.2), (0.5, 2.0)])
def test_the_last_picture_is_shown_up_to_the_end_where_it_is_known(tmp_path, ended_s, shown_s):
    # Up to a second after the next picture was due it may only be late on its way.
    writer = Mp4Writer(tmp_path / "a.mp4")
    for i in range(21):
        writer.write(builders.image(48, 64), i * 10**8)
    writer.close(until_ns=round(ended_s * 1e9))
    assert duration(tmp_path / "a.mp4") == pytest.approx(shown_s, abs=0.001)


def test_tags_grow_and_are_there_after_the_end_and_after_a_crash(tmp_path):
    path, asked = tmp_path / "a.mp4", []

    def growing() -> dict[str, str]:
        asked.append(1)
        return tags("Kamera “Übung” 日本", f"dropped: {10 ** len(asked)}")

    writer = Mp4Writer(path, tags=growing)
    before = int(time.time())
    seen = []
    for time_ns in steady(70):
        writer.write(builders.image(48, 64), time_ns)
        seen.append(said(path))
    assert seen[0]["comment"] == "dropped: 10" or seen[0]["comment"] == "dropped: 100"
    assert len({entry["comment"] for entry in seen}) >= 4
    assert seen[-1]["comment"] == f"dropped: {10 ** len(asked)}"
    writer.close()
    assert said(path)["comment"] == f"dropped: {10 ** len(asked)}"
    assert said(path)["comment"] != seen[-1]["comment"]
    for entry in (seen[-1], said(path)):
        assert entry["title"] == "Kamera “Übung” 日本"
        made = time.strptime(entry["creation_time"][:19], "%Y-%m-%dT%H:%M:%S")
        assert abs(calendar_s(made) - before) <= 60
    ffprobe = shutil.which("ffprobe")
    if ffprobe is not None:
        asked_of = [ffprobe, "-v", "error", "-of", "json", "-show_format", str(path)]
        told = json.loads(subprocess.run(asked_of, capture_output=True, check=True, timeout=60).stdout)["format"][
            "tags"
        ]
        assert told.items() >= {k: v for k, v in said(path).items() if k != "major_brand"}.items()


def calendar_s(moment: time.struct_time) -> float:
    import calendar

    return calendar.timegm(moment)


def said(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


def test_tags_that_outgrow_their_room_keep_what_they_said(tmp_path):
    text = "short"
    writer = Mp4Writer(tmp_path / "a.mp4", tags=lambda: tags("", text))
    for i, time_ns in enumerate(steady(70)):
        writer.write(builders.image(48, 64), time_ns)
        text = "x" * 40 * i
    assert said(tmp_path / "a.mp4")["comment"] in ("short", "x" * 40)
    assert len(read_back(tmp_path / "a.mp4")[0]) >= 60
    writer.close()
    assert said(tmp_path / "a.mp4")["comment"] == text


def test_a_file_of_more_than_four_gigabytes_and_thirteen_hours(tmp_path, monkeypatch):
    # 2^32 ticks of 1/90000 s are 13 h; the data are a hole in the file.
    path, h = tmp_path / "a.mp4", 3600 * 10**9
    writer = Mp4Writer(path)
    times = [0, h, 14 * h, 14 * h + 10**8]
    for time_ns, picture in zip(times[:2], noise(), strict=False):
        writer.write(picture, time_ns)
    muxer = writer._muxer
    muxer._write_waiting(90_000 * 3601)
    end = 5 << 30
    hole = end - muxer._end
    # Another box in between, as large as it says.
    writer._file.write(struct.pack(">I4sQ", 1, b"free", hole))
    writer._file.seek(end)
    muxer._end = end
    for time_ns, picture in zip(times[2:], noise(), strict=False):
        writer.write(picture, time_ns)
    writer.close()
    assert path.stat().st_size > end
    assert read_back(path)[0] == pytest.approx([t / 1e9 for t in times], abs=TICK)
    assert duration(path) == pytest.approx(14 * 3600 + 0.2, abs=0.01)


def test_units_of_a_byte_stream():
    stream = b"\0\0\0\1\x67\1\2\0\0\1\x68\3\0\0\0\1\x09\xf0\0\0\1\x65\0\0\3\1\x80"
    assert nal_units(stream) == [b"\x67\1\2", b"\x68\3", b"\x09\xf0", b"\x65\0\0\3\1\x80"]
    # In the file only the picture itself, behind its length.
    assert avc_sample(stream) == b"\0\0\0\6\x65\0\0\3\1\x80"


def test_the_finished_file_has_one_index_and_its_fragments_are_hidden(tmp_path):
    writer = Mp4Writer(tmp_path / "a.mp4")
    for time_ns in steady(40):
        writer.write(builders.image(48, 64), time_ns)
    writer.close()
    assert boxes(tmp_path / "a.mp4") == [b"ftyp", b"mdat", b"moov"]


def test_a_fragment_is_one_write(tmp_path, monkeypatch):
    file = Diary(tmp_path / "a.mp4")
    muxer = Mp4Muxer(file, VideoTrack("avc1", 64, 48, 90_000, b""), dict, 0)
    beginning = len(file.writes)
    for i in range(46):
        muxer.add(EncodedPicture(b"data", i * 3000, i % 30 == 0))
    assert not any(b"moof" in text for _, text, replaces in file.writes[beginning:] if not replaces)
    appended = [text for _, text, replaces in file.writes[beginning:] if not replaces]
    assert [text.count(b"data") for text in appended] == [15, 15, 15]
    assert mp4_muxer.FRAGMENT_S == 0.5
    file.close()

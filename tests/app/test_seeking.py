"""Files and folders can be wound: to the exact picture, at any time, from any thread, with times that go on rising."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.frames import Frame
from app.sources import Source
from app.sources.image_folder import ImageFolderSource
from app.sources.pacing import PacedSource
from app.sources.video_file import VideoFileSource
from tests.app.servers import picture
from tests.app.source_builders import (
    IRREGULAR_MS,
    grainy_pictures,
    no_thread_stays_behind,  # noqa: F401
    read_all,
    write_images,
    write_movie,
    write_video,
)

SECOND = 1_000_000_000
MS = 1_000_000
LONG_S = 30.0  # only a hang reaches it

B_FRAMES = {"bf": "2", "g": "12", "b-adapt": "0"}
OPEN_GROUPS = {"bf": "3", "g": "10", "x264-params": "open-gop=1:scenecut=0:log-level=none"}
IRREGULAR_STAMPS = [500 + stamp for stamp in np.cumsum([(1, 7, 33, 40, 200)[3 * i % 5] for i in range(45)]).tolist()]
IRREGULAR: dict[str, Any] = {"stamps": IRREGULAR_STAMPS, "time_base": Fraction(1, 1000), "options": B_FRAMES}

# Name of the file -> how it is written; 45 pictures each.
MOVIES: dict[str, dict[str, Any]] = {
    "b_frames.mp4": {"options": B_FRAMES},
    "one_group.mp4": {"options": {"bf": "3", "g": "250"}},
    "open_groups.mkv": {"options": OPEN_GROUPS},
    "open_groups.ts": {"options": OPEN_GROUPS},
    "hevc.ts": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=12:open-gop=1"}},
    "refresh.mkv": {"options": {"x264-params": "intra-refresh=1:keyint=10:log-level=none"}},
    "irregular.mkv": IRREGULAR,
    "irregular.mp4": IRREGULAR,
    "odd_time_base.mov": {"time_base": Fraction(1001, 30000), "options": B_FRAMES},
    "fragments.mp4": {"options": B_FRAMES, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "negative.mp4": {"stamps": list(range(-10, 35)), "options": B_FRAMES},
    "reordered.avi": {"options": B_FRAMES},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2", "g": "12"}},
    "mjpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "12", "deadline": "realtime", "cpu-used": "8"}},
    "program_stream.mpg": {"codec": "mpeg2video", "options": {"bf": "2", "g": "12"}},
    "no_stamps.h264": {"options": B_FRAMES},
    "differences.gif": {"codec": "gif", "pixels": "rgb8"},
    "differences.apng": {"codec": "apng", "pixels": "rgb24"},
    "ten_bits.mkv": {"pixels": "yuv420p10le", "options": B_FRAMES},
    "lossless.mkv": {"codec": "ffv1", "pixels": "bgr0", "options": {"g": "12"}},
}


@contextmanager
def opened(source: VideoFileSource | ImageFolderSource) -> Iterator[PacedSource]:
    with closing(source):
        source.open()
        yield source


def plain_pass(source: VideoFileSource | ImageFolderSource) -> list[Frame]:
    with opened(source) as running:
        return read_all(running)


def random_places(frames: list[Frame], count: int) -> Iterator[tuple[int, bool, int]]:
    """A place, whether the picture in front of it is wanted, and the number of the picture that is right."""
    chance = random.Random(7)
    for _ in range(count):
        number = chance.randrange(len(frames))
        begins = frames[number].position_ns or 0
        is_last = number == len(frames) - 1
        ends = begins + 9 * SECOND if is_last else frames[number + 1].position_ns or 0
        before = chance.random() < 0.4
        yield chance.choice((begins, begins, chance.randrange(begins, ends), ends - 1)), before, max(0, number - before)


@pytest.mark.parametrize("name", MOVIES)
def test_a_video_is_wound_to_the_exact_picture(name: str, tmp_path: Path) -> None:
    path = write_movie(tmp_path / name, grainy_pictures(45), **MOVIES[name])
    frames = plain_pass(VideoFileSource(path))
    assert len({frame.image.tobytes() for frame in frames}) == len(frames) == (35 if name == "negative.mp4" else 45)
    assert np.all(np.diff([frame.position_ns for frame in frames]) > 0)
    with opened(VideoFileSource(path)) as source:
        for at_ns, before, right in random_places(frames, 25):
            source.seek(at_ns, before=before)
            for number, frame in enumerate(read_all(source, at_most=3), start=right):
                assert frame.position_ns == frames[number].position_ns, (at_ns, before, right)
                assert np.array_equal(frame.image, frames[number].image), (at_ns, before, right)
                assert frame.continues == (number > right)


def test_an_irregular_video_is_wound_by_its_stamps(tmp_path: Path) -> None:
    with opened(VideoFileSource(write_video(tmp_path / "clip.mkv", IRREGULAR_MS, b_frames=2))) as source:
        shown_at_ms = {}
        for at_ms in (1000, 0, 39, 40, 49, 50, 199, 200, 99_999, 999, 1):
            source.seek(at_ms * MS)
            frame = source.read()
            assert frame is not None
            shown_at_ms[at_ms] = (frame.position_ns or 0) // MS
        assert shown_at_ms == {
            1000: 1000, 0: 0, 39: 0, 40: 40, 49: 40, 50: 50, 199: 50, 200: 200, 99_999: 1000, 999: 233, 1: 0,
        }  # fmt: skip


def test_steps_go_back_one_picture_at_a_time_from_the_end_to_the_beginning(tmp_path: Path) -> None:
    # More pictures than are kept at hand.
    path = write_movie(tmp_path / "clip.mp4", grainy_pictures(90), options={"bf": "2", "g": "40"})
    frames = plain_pass(VideoFileSource(path))
    with opened(VideoFileSource(path)) as source:
        source.seek(99 * SECOND)
        for right in [*range(89, -1, -1), 0]:
            frame = source.read()
            assert frame is not None
            assert frame.position_ns == frames[right].position_ns
            assert np.array_equal(frame.image, frames[right].image)
            source.seek(frame.position_ns or 0, before=True)


def test_a_folder_is_wound_to_the_exact_picture_also_around_unreadable_ones(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [f"img{i}.png" for i in range(1, 6)])
    for damaged in ("img0.png", "img2a.png", "img9.png"):
        (folder / damaged).write_bytes(b"no image")
    # 0 damaged, 1, 2, 2a damaged, 3, 4, 5, 9 damaged
    frames = plain_pass(ImageFolderSource(folder, fps=10))
    assert [(frame.position_ns or 0) // MS for frame in frames] == [100, 200, 400, 500, 600]
    assert [frame.time_ns // MS for frame in frames] == [0, 100, 300, 400, 500]
    with opened(ImageFolderSource(folder, fps=10)) as source:
        for at_ms, before, right in (
            (0, False, 0), (0, True, 0), (199, False, 0), (200, True, 0), (350, False, 1), (350, True, 0),
            (400, True, 1), (620, False, 4), (9999, False, 4), (9999, True, 3),
        ):  # fmt: skip
            source.seek(at_ms * MS, before=before)
            frame = source.read()
            assert frame is not None
            assert frame.position_ns == frames[right].position_ns, (at_ms, before)
            assert np.array_equal(frame.image, frames[right].image)
        assert source.duration_ns == 800 * MS


def test_images_may_come_and_go_while_their_folder_is_read(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", ("img1.png", "img2.png", "img3.png"))
    with opened(ImageFolderSource(folder, fps=10, loop=True)) as source:
        levels = [round(float(frame.image.mean())) for frame in read_all(source, at_most=1)]
        (folder / "img2.png").unlink()
        write_images(folder, ("img0.png", "img00.png"))
        (folder / "img0.png").unlink()
        levels += [round(float(frame.image.mean())) for frame in read_all(source, at_most=4)]
        assert levels == [50, 150, 100, 50, 150]  # 1, 3; then anew: 00, 1, 3
        assert source.frame_count == 3


def test_times_rise_over_windings_and_loops_and_the_last_frame_keeps_its_duration(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.mkv", [picture(9)] * 10, codec="ffv1", pixels="gray", rate=10)
    with opened(VideoFileSource(path)) as source:
        frames = read_all(source, at_most=3)
        source.seek(700 * MS)
        frames += read_all(source, at_most=2)
        source.seek(0)
        frames += read_all(source, at_most=2)
        source.seek(900 * MS)
        source.loop = True
        frames += read_all(source, at_most=3)
    assert [(frame.position_ns or 0) // MS for frame in frames] == [0, 100, 200, 700, 800, 0, 100, 900, 0, 100]
    assert [frame.time_ns // MS for frame in frames] == [100 * i for i in range(10)]
    assert [i for i, frame in enumerate(frames) if not frame.continues] == [3, 5, 7, 8]
    assert [frame.index for frame in frames] == list(range(10))


class Reader:
    """Reads on a thread of its own, as the pipeline does."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.frames: list[Frame] = []
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while (frame := self.source.read()) is not None:
            self.frames.append(frame)
        self.ended.set()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONG_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def positions_ms(self) -> list[int]:
        return [(frame.position_ns or 0) // MS for frame in self.frames]

    def stop(self) -> None:
        self.source.stop()
        self._thread.join(LONG_S)
        assert not self._thread.is_alive()


@contextmanager
def reading(source: VideoFileSource | ImageFolderSource) -> Iterator[tuple[PacedSource, Reader]]:
    with opened(source) as running:
        reader = Reader(running)
        try:
            yield running, reader
        finally:
            reader.stop()


def slow_clip(folder: Path) -> VideoFileSource:
    """A picture for 100 s, four quick ones, and another slow one."""
    stamps = (0, 100_000, 100_001, 100_002, 100_003, 200_000)
    return VideoFileSource(write_video(folder / "slow.mkv", stamps), realtime=True)


def test_winding_interrupts_a_reader_that_waits_for_a_frame_to_be_due(tmp_path: Path) -> None:
    with reading(slow_clip(tmp_path)) as (source, reader):
        reader.wait_for(lambda: len(reader.frames) == 1)
        time.sleep(0.05)
        source.seek(100_002 * MS)  # due at once, although the first picture's 100 s are not over
        reader.wait_for(lambda: len(reader.frames) == 3)
        assert reader.positions_ms() == [0, 100_002, 100_003]


def test_the_time_of_the_picture_that_was_left_is_not_waited_for(tmp_path: Path) -> None:
    with reading(ImageFolderSource(write_images(tmp_path / "images"), fps=0.01, realtime=True)) as (source, reader):
        source.hold_at_end = True
        reader.wait_for(lambda: len(reader.frames) == 1)
        for number in (1, 2, 0, 2):
            seen = len(reader.frames)
            source.seek(100 * SECOND * number)
            reader.wait_for(lambda seen=seen: len(reader.frames) > seen)  # type: ignore[misc]
        assert reader.positions_ms()[-4:] == [100_000, 200_000, 0, 200_000]


def test_real_speed_begins_with_the_next_frame_whatever_was_skipped(tmp_path: Path) -> None:
    with opened(slow_clip(tmp_path)) as source:
        read_all(source, at_most=1)
        source.realtime = False
        assert len(read_all(source, at_most=4)) == 4
        source.realtime = True
        started = time.monotonic()
        assert len(read_all(source)) == 1  # 100 s behind the one before it
        assert time.monotonic() - started < LONG_S


def test_of_several_windings_the_last_counts(tmp_path: Path) -> None:
    with opened(VideoFileSource(write_video(tmp_path / "clip.mp4", range(0, 1000, 40)))) as source:
        threads = [threading.Thread(target=source.seek, args=(at_ms * MS,)) for at_ms in range(0, 1000, 10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        source.seek(400 * MS)
        source.seek(200 * MS)
        assert [(frame.position_ns or 0) // MS for frame in read_all(source, at_most=2)] == [200, 240]


def test_speed_can_be_switched_while_a_frame_is_waited_for(tmp_path: Path) -> None:
    with reading(slow_clip(tmp_path)) as (source, reader):
        reader.wait_for(lambda: len(reader.frames) == 1)
        assert source.realtime
        assert source.paced
        source.realtime = False
        assert reader.ended.wait(LONG_S)
        assert not source.paced
        assert len(reader.frames) == 6
        assert reader.frames[-1].time_ns == 200 * SECOND


def test_a_source_held_at_its_end_waits_there_until_it_is_wound_looped_or_let_go(tmp_path: Path) -> None:
    source = VideoFileSource(write_video(tmp_path / "clip.mp4", (0, 40, 80)))
    source.hold_at_end = True
    with reading(source) as (_, reader):
        reader.wait_for(lambda: source.at_end)
        assert reader.positions_ms() == [0, 40, 80]
        source.seek(80 * MS, before=True)
        reader.wait_for(lambda: len(reader.frames) == 5 and source.at_end)
        source.loop = True
        reader.wait_for(lambda: len(reader.frames) > 12)
        assert not source.at_end
        source.loop = False
        reader.wait_for(lambda: source.at_end)
        assert reader.positions_ms()[:8] == [0, 40, 80, 40, 80, 0, 40, 80]
        assert np.all(np.diff([frame.time_ns for frame in reader.frames]) > 0)
        source.hold_at_end = False
        assert reader.ended.wait(LONG_S)
        assert not source.at_end


def test_stop_ends_a_reader_that_is_held_at_the_end(tmp_path: Path) -> None:
    source = ImageFolderSource(write_images(tmp_path / "images"))
    source.hold_at_end = True
    with reading(source) as (_, reader):
        reader.wait_for(lambda: source.at_end)
    assert reader.ended.is_set()
    assert len(reader.frames) == 3

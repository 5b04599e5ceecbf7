"""Every source keeps one contract, and `make_source` finds the one that is meant."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.sources import Source, make_source
from app.sources.camera import CameraSource
from app.sources.image_folder import ImageFolderSource
from app.sources.stream import StreamSource
from app.sources.synthetic import SyntheticSource
from app.sources.video_file import VideoFileSource
from tests.app.servers import VideoServer, picture
from tests.app.source_builders import (
    IRREGULAR_MS,
    FakeCamera,
    no_thread_stays_behind,  # noqa: F401
    read_all,
    running_server,  # noqa: F401
    stalled_camera,
    write_images,
    write_video,
)

ABSENT_CAMERA = 97

Factory = Callable[[Path, VideoServer], Source]

SOURCES: dict[str, Factory] = {
    "camera": lambda folder, server: FakeCamera(),
    "video": lambda folder, server: VideoFileSource(write_video(folder / "clip.mp4", IRREGULAR_MS)),
    "video loop": lambda folder, server: VideoFileSource(
        write_video(folder / "clip.mkv", (0, 30, 90)), loop=True, realtime=True
    ),
    "folder": lambda folder, server: ImageFolderSource(write_images(folder / "images"), loop=True),
    "synthetic": lambda folder, server: SyntheticSource(width=64, height=48, noise=2.0, frames=9),
    "synthetic live": lambda folder, server: SyntheticSource(width=64, height=48, fps=100, realtime=True),
    "stream": lambda folder, server: StreamSource(server.url("endless")),
}

# Each delivers some frames and then keeps its reader waiting for longer than this test file may take.
WAITING: dict[str, Factory] = {
    "camera": lambda folder, server: stalled_camera(),
    "video": lambda folder, server: VideoFileSource(write_video(folder / "v.mp4", (0, 9_999)), realtime=True),
    "folder": lambda folder, server: ImageFolderSource(write_images(folder / "i"), fps=0.01, realtime=True),
    "synthetic": lambda folder, server: SyntheticSource(fps=0.01, realtime=True),
    "stream": lambda folder, server: StreamSource(server.url("stalling")),
}


def broken_sources(folder: Path, server: VideoServer) -> Iterator[Source]:
    (folder / "empty").mkdir()
    (folder / "text.txt").write_text("no video\n" * 50)
    (folder / "noise.mp4").write_bytes(bytes(range(256)) * 50)
    (folder / "unreadable").mkdir()
    (folder / "unreadable" / "a.png").write_bytes(cv2.imencode(".png", picture(9))[1].tobytes()[:60])
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))
    yield CameraSource(ABSENT_CAMERA)
    yield VideoFileSource(folder / "missing.mp4")
    yield from map(VideoFileSource, (folder, folder / "text.txt", folder / "noise.mp4", folder / "sound.wav"))
    yield from map(ImageFolderSource, (folder / "missing", folder / "empty", folder / "unreadable"))
    yield StreamSource(server.url("text"))
    yield StreamSource(server.url("private"))
    yield StreamSource("tcp://127.0.0.1:9")


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_keeps_the_contract(name: str, tmp_path: Path, server: VideoServer) -> None:
    source = SOURCES[name](tmp_path, server)
    assert source.read() is None  # not open yet
    source.open()
    frames = read_all(source, at_most=5)

    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    times, captured = ([getattr(f, clock) for f in frames] for clock in ("time_ns", "captured_ns"))
    assert np.all(np.diff(times) > 0)
    assert np.all(np.diff(captured) >= 0)
    assert captured[-1] <= time.perf_counter_ns()
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.ndim == 3
        assert frame.image.shape[2] == 3
        assert frame.image.flags.c_contiguous
        assert not frame.image.flags.writeable
    assert source.live == (name in ("camera", "stream", "synthetic live"))
    assert source.fps >= 0
    assert "/" not in source.name

    source.stop()
    assert source.read() is None
    assert source.read() is None
    source.close()
    source.close()
    assert source.read() is None


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_was_never_open_can_be_closed(name: str, tmp_path: Path, server: VideoServer) -> None:
    SOURCES[name](tmp_path, server).close()


@pytest.mark.parametrize("name", WAITING)
def test_stop_ends_a_waiting_read(name: str, tmp_path: Path, server: VideoServer) -> None:
    source = WAITING[name](tmp_path, server)
    if name != "camera":
        source.open()
    started = time.monotonic()
    source_stopper = threading.Timer(0.3, source.stop)
    source_stopper.start()
    frames = read_all(source)
    waited = time.monotonic() - started
    source.close()
    source_stopper.join()

    assert 1 <= len(frames) <= 5
    assert 0.3 <= waited < 3.0
    server.closing.set()  # the network thread of a stalled stream ends when its server does


def test_what_cannot_be_opened_says_so_in_one_sentence(
    tmp_path: Path, server: VideoServer, capfd: pytest.CaptureFixture[str]
) -> None:
    messages = []
    for source in broken_sources(tmp_path, server):
        with pytest.raises(SourceError) as error:
            source.open()
        source.close()
        assert source.read() is None
        messages.append(str(error.value))
    assert all(message.endswith(".") and "\n" not in message for message in messages), messages
    assert len(set(messages)) == len(messages)
    assert capfd.readouterr() == ("", "")  # neither OpenCV nor FFmpeg talks to the terminal


def test_the_end_of_a_file_stays_the_end(tmp_path: Path) -> None:
    for source in (
        VideoFileSource(write_video(tmp_path / "clip.mp4", IRREGULAR_MS)),
        ImageFolderSource(write_images(tmp_path / "images")),
        SyntheticSource(width=32, height=32, frames=4),
    ):
        source.open()
        assert len(read_all(source)) == source.frame_count
        assert source.read() is None
        assert source.read() is None
        source.close()


def test_make_source_finds_the_source_that_is_meant(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", (0, 40))
    for text, kind in {
        "0": CameraSource,
        "camera:2": CameraSource,
        "synthetic": SyntheticSource,
        "rtsp://camera.local/door": StreamSource,
        "HTTP://camera.local/": StreamSource,
        "udp://@:1234": StreamSource,
        str(tmp_path): ImageFolderSource,
        str(clip): VideoFileSource,
    }.items():
        assert type(make_source(text, loop=True, realtime=True)) is kind, text
    for text in (str(tmp_path / "missing.mp4"), "camera:front", "ftp://somewhere/clip.mp4", ""):
        with pytest.raises(SourceError, match=r"\.$"):
            make_source(text)
    with pytest.raises(SourceError, match=r"^No such file or folder: .*missing\.mp4\.$"):
        make_source(str(tmp_path / "missing.mp4"))


def test_importing_the_package_loads_no_source_yet() -> None:
    code = "import sys, app.sources; print(*[m for m in sys.modules if m == 'av' or 'app.sources.' in m])"
    root = Path(__file__).parents[2]
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True)
    assert loaded.split() == ["app.sources.base"]

"""Every source keeps one contract, and `make_source` finds the one that is meant."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.sources import SOURCE_KINDS, Source, make_source
from app.sources.camera import CameraSource
from app.sources.image_folder import ImageFolderSource
from app.sources.rendered_person import RenderedPersonSource
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
LONG_S = 30.0  # only a hang reaches it

Factory = Callable[[Path, VideoServer], Source]


def fake_camera(**device: object) -> FakeCamera:
    """What the device is, or whether it is (for its events)."""
    camera = FakeCamera()
    for name, value in device.items():
        if value is True:
            getattr(camera.device, name).set()
        else:
            setattr(camera.device, name, value)
    return camera


SOURCES: dict[str, Factory] = {
    "camera": lambda folder, server: FakeCamera(),
    "camera, slow": lambda folder, server: fake_camera(picture_s=0.1),
    "camera, lies about its rate": lambda folder, server: fake_camera(claimed_fps=-1e9),
    "camera, repeats itself": lambda folder, server: fake_camera(repeating=True),
    "video": lambda folder, server: VideoFileSource(write_video(folder / "clip.mp4", IRREGULAR_MS)),
    "video loop": lambda folder, server: VideoFileSource(
        write_video(folder / "clip.mkv", (0, 30, 90)), loop=True, realtime=True
    ),
    "folder": lambda folder, server: ImageFolderSource(write_images(folder / "images"), loop=True),
    "synthetic": lambda folder, server: SyntheticSource(width=64, height=48, noise=2.0, frames=9),
    "person": lambda folder, server: RenderedPersonSource(width=64, height=36, noise=2.0, frames=9),
    "person live": lambda folder, server: RenderedPersonSource(width=64, height=36, fps=100, realtime=True),
    "synthetic late": lambda folder, server: SyntheticSource(width=64, height=48, fps=99, delay_ms=30, realtime=True),
    "synthetic live": lambda folder, server: SyntheticSource(width=64, height=48, fps=100, realtime=True),
    "stream": lambda folder, server: StreamSource(server.url("endless")),
}

# Each delivers some frames and then keeps its reader waiting for longer than this test file may take.
WAITING: dict[str, Factory] = {
    "camera": lambda folder, server: stalled_camera(),
    "video": lambda folder, server: VideoFileSource(write_video(folder / "v.mp4", (0, 9_999)), realtime=True),
    "folder": lambda folder, server: ImageFolderSource(write_images(folder / "i"), fps=0.01, realtime=True),
    "synthetic": lambda folder, server: SyntheticSource(fps=0.01, realtime=True),
    "person": lambda folder, server: RenderedPersonSource(fps=0.01, realtime=True),
    "at the end": lambda folder, server: held_at_end(ImageFolderSource(write_images(folder / "h"))),
    "stream": lambda folder, server: StreamSource(server.url("stalling")),
}


def held_at_end(source: Source) -> Source:
    source.hold_at_end = True
    return source


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
    assert source.live == name.startswith(("camera", "stream", "synthetic la", "synthetic li", "person li"))
    assert source.from_camera == name.startswith(("camera", "stream"))
    assert source.fps >= 0
    assert "/" not in source.name
    assert source.trouble == ""
    assert not source.at_end
    assert math.isnan(source.measured_fps) or source.measured_fps > 0
    assert 0 <= source.repeated_share <= 1
    assert bool(source.reopen_text) == name.startswith("camera")
    assert source.seekable == (not source.live)
    positions = [frame.position_ns for frame in frames]
    if source.seekable:
        assert positions[0] == 0
        assert all(position is not None and position >= 0 for position in positions)
        assert source.duration_ns is None or source.duration_ns > max(position or 0 for position in positions)
    else:
        assert set(positions) == {None}
        assert source.duration_ns is None
        source.seek(0)  # does nothing
        assert len(read_all(source, at_most=2)) == 2

    source.stop()
    assert source.read() is None
    assert source.read() is None
    source.close()
    source.close()
    assert source.read() is None


@pytest.mark.parametrize("name", ["video", "video loop", "folder", "synthetic", "person"])
def test_what_can_be_wound_shows_the_very_picture(name: str, tmp_path: Path, server: VideoServer) -> None:
    source = SOURCES[name](tmp_path, server)
    source.loop = source.realtime = False
    with closing(source):
        source.open()
        plain = read_all(source)
        assert source.duration_ns is not None
        chance = random.Random(3)
        for _ in range(12):
            wanted, before = chance.randrange(len(plain)), chance.random() < 0.5
            source.seek(plain[wanted].position_ns or 0, before=before)
            frame = source.read()
            right = plain[max(0, wanted - before)]
            assert frame is not None
            assert frame.position_ns == right.position_ns
            assert not frame.continues
            assert np.array_equal(frame.image, right.image)
        source.seek(source.duration_ns + 10**12)
        (last,) = read_all(source)
        assert last.position_ns == plain[-1].position_ns


def test_a_camera_is_measured_whatever_it_claims() -> None:
    camera = fake_camera(claimed_fps=1000.0, picture_s=0.02, repeating=True)
    with closing(camera):
        camera.open()
        assert len(read_all(camera, at_most=20)) == 20
        assert 1 < camera.measured_fps < 51
        assert camera.repeated_share > 0.8


def test_a_camera_that_is_unplugged_comes_back_by_itself() -> None:
    camera = FakeCamera(lost_after_s=0.3)
    with closing(camera):
        camera.open()
        frames = read_all(camera, at_most=3)
        camera.device.size = (60, 80)
        while frames[-1].image.shape != (60, 80, 3):  # changes in mid-stream
            frames += read_all(camera, at_most=1)
            assert len(frames) < 1000
        assert not frames[-1].continues
        frames += read_all(camera, at_most=2)
        assert frames[-1].continues
        troubles = []
        camera.device.unplug()

        def replug_when_missed() -> None:
            deadline = time.monotonic() + LONG_S
            while not camera.trouble and time.monotonic() < deadline:
                time.sleep(0.01)
            troubles.append(camera.trouble)
            camera.device.replug(index=3)

        helper = threading.Thread(target=replug_when_missed)
        helper.start()
        while frames[-1].continues:
            frames += read_all(camera, at_most=1)
            assert len(frames) < 1000
        helper.join()
        frames += read_all(camera, at_most=3)
        assert troubles[0].endswith(".")
        assert camera.trouble == ""
        assert np.all(np.diff([frame.time_ns for frame in frames]) > 0)
        assert [frame.index for frame in frames] == list(range(len(frames)))
        assert [frame.continues for frame in frames[-4:]] == [False, True, True, True]


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_was_never_open_can_be_closed(name: str, tmp_path: Path, server: VideoServer) -> None:
    SOURCES[name](tmp_path, server).close()


@pytest.mark.thorough
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


def test_make_source_finds_the_source_that_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_video(tmp_path / "clip.mp4", (0, 40))
    for name in ("0", "synthetic", "camera:0", "C:\\clip.mp4", "пробный клип.mp4", "a:b.mp4"):
        (tmp_path / name).write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    for text, kind in {
        "0": CameraSource,
        "camera:2": CameraSource,
        "camera:Logitech,1280x720,30fps,MJPG": CameraSource,
        "synthetic": SyntheticSource,
        "synthetic:figure": SyntheticSource,
        "synthetic:person,noise=4": RenderedPersonSource,
        "rtsp://camera.local/door": StreamSource,
        "HTTP://camera.local/": StreamSource,
        "udp://@:1234": StreamSource,
        str(tmp_path): ImageFolderSource,
        ".": ImageFolderSource,
        str(clip): VideoFileSource,
        "./0": VideoFileSource,
        "./synthetic": VideoFileSource,
        str(tmp_path / "camera:0"): VideoFileSource,
        "C:\\clip.mp4": VideoFileSource,
        "пробный клип.mp4": VideoFileSource,
        "a:b.mp4": VideoFileSource,
    }.items():
        source = make_source(text, loop=True, realtime=True)
        assert type(source) is kind, text
        if kind is VideoFileSource:
            with closing(source):
                source.open()
                assert source.loop
                assert source.realtime


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/no/where/missing.mp4", r"^No such file or folder: .*missing\.mp4\.$"),
        ("syntetic", r"^No such file or folder: syntetic\. Did you mean “synthetic”\?$"),
        ("D://clips/missing.mp4", r"^No such file or folder: D:/.*missing\.mp4\.$"),
        ("ftp://somewhere/clip.mp4", r"^Addresses with “ftp://” are not supported, only http, .*"),
        ("rtp://somewhere/clip.mp4", r"^Addresses with “rtp://” .*\. Did you mean “rtsp://”\?$"),
        ("", r"^Name a source: .*\.$"),
        ("x" * 5000, r"^Cannot look for .*: File name too long\.$"),
    ],
)
def test_what_nobody_can_mean_is_explained(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        make_source(text)


def test_every_kind_of_source_says_how_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "clip.mp4", (0, 40))
    (tmp_path / "frames").mkdir()
    for kind in SOURCE_KINDS:
        first = next(candidate for candidate in SOURCE_KINDS if candidate.means(kind.example))
        assert first is kind
        assert isinstance(make_source(kind.example), Source)


def test_importing_the_package_loads_no_source_yet() -> None:
    code = "import sys, app.sources; print(*[m for m in sys.modules if m == 'av' or 'app.sources.' in m])"
    root = Path(__file__).parents[2]
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True)
    assert loaded.split() == ["app.sources.base"]

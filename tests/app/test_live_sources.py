"""Sources that wait for their pictures: cameras and streams."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.sources.camera import list_cameras
from app.sources.stream import StreamSource
from tests.app.servers import PASSWORD, PICTURE_COUNT, USER, VideoServer
from tests.app.source_builders import (
    FakeCamera,
    no_thread_stays_behind,  # noqa: F401
    read_all,
    running_server,  # noqa: F401
    write_video,
)


def test_camera_reads_the_clock_between_grabbing_and_decoding() -> None:
    camera = FakeCamera(width=1280, height=720)
    camera.open()
    frame = camera.read()
    assert frame is not None
    assert camera.fps == 100.0
    camera.close()
    assert camera.device.released.is_set()
    settings = camera.device.settings
    assert settings.index(cv2.CAP_PROP_FOURCC) < settings.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert cv2.CAP_PROP_FPS not in settings  # not asked for
    assert camera.device.grabbed_ns[0] <= frame.captured_ns <= camera.device.decoding_ns[0]


@pytest.mark.parametrize("how", ["unplugged", "stalled"])
def test_a_camera_that_delivers_nothing_any_more_is_lost(how: str) -> None:
    camera = FakeCamera(lost_after_s=0.3)
    camera.open()
    assert camera.read() is not None
    getattr(camera.device, how).set()
    with pytest.raises(SourceError, match=r"Camera 0 was lost: .*check its cable.*\.$"):
        read_all(camera)
    assert camera.read() is None
    camera.close()


def test_cameras_are_listed_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    indices = [camera.index for camera in list_cameras()]
    assert indices == sorted(indices)
    assert capfd.readouterr() == ("", "")


def test_a_stream_delivers_what_its_server_sends_and_says_when_it_breaks_off(server: VideoServer) -> None:
    source = StreamSource(server.url("short"))
    source.open()
    levels = []

    def read_levels() -> None:
        while (frame := source.read()) is not None:
            levels.append(round(float(frame.image.mean())))

    with pytest.raises(SourceError, match=r"broke off.*\.$"):
        read_levels()
    assert source.read() is None
    source.close()
    assert levels == sorted(levels)
    assert PICTURE_COUNT - 2 <= len(levels) <= PICTURE_COUNT


def test_stop_ends_the_wait_for_a_server_that_does_not_answer(server: VideoServer) -> None:
    source = StreamSource(server.url("silent"))
    started = time.monotonic()
    stopper = threading.Timer(0.2, source.stop)
    stopper.start()
    source.open()
    assert time.monotonic() - started < 3.0
    assert source.read() is None
    server.closing.set()
    source.close()
    stopper.join()


def test_an_mpeg_ts_stream_ends_where_the_server_ends_it(tmp_path: Path, server: VideoServer) -> None:
    server.clip = write_video(tmp_path / "clip.ts", range(0, 1200, 40), b_frames=2).read_bytes()
    source = StreamSource(server.url("clip.ts"))
    source.open()
    frames = read_all(source)
    assert source.read() is None
    source.close()
    assert len(frames) == 30
    assert np.all(np.diff([frame.image.mean() for frame in frames]) > 0)  # in the order of showing them
    assert np.all(np.diff([frame.captured_ns for frame in frames]) >= 0)
    assert np.all(np.diff([frame.time_ns for frame in frames]) > 0)


def test_a_password_opens_a_stream_but_is_never_shown(server: VideoServer) -> None:
    source = StreamSource(server.url("private?token=t0ken", credentials=f"{USER}:{PASSWORD}@"))
    source.open()
    assert source.read() is not None
    source.close()
    shown = [source.name]
    for address in ("private", "text"):
        refused = StreamSource(server.url(f"{address}?token=t0ken", credentials=f"{USER}:wr0ng@"))
        with pytest.raises(SourceError, match="cannot be opened") as error:
            refused.open()
        refused.close()
        assert error.value.__cause__ is None
        assert error.value.__context__ is None  # it would quote the address
        shown += [refused.name, str(error.value)]
    shown.append(StreamSource("rtsp://anna:s3c@r/et?#@camera.local:8554/door").name)
    for secret in (USER, PASSWORD, "wr0ng", "t0ken", "s3c"):
        assert not any(secret in text for text in shown), shown
    assert shown[-1] == "camera.local-8554-door"

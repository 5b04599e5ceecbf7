"""Sources that wait for their pictures: streams."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.errors import SourceError
from app.sources.stream import StreamSource
from tests.app.servers import PASSWORD, PICTURE_COUNT, USER, VideoServer
from tests.app.source_builders import (
    no_thread_stays_behind,  # noqa: F401
    read_all,
    running_server,  # noqa: F401
    write_video,
)


def test_a_stream_that_its_server_breaks_off_is_lost_and_connected_to_again(server: VideoServer) -> None:
    source = StreamSource(server.url("short"))
    source.open()
    frames = []
    troubles: set[str] = set()
    enough = threading.Event()

    def watch() -> None:
        while not enough.wait(0.005):
            troubles.add(source.trouble)

    watcher = threading.Thread(target=watch)
    watcher.start()
    while len(frames) < 2 * PICTURE_COUNT:
        frame = source.read()
        assert frame is not None
        assert source.trouble == ""
        frames.append(frame)
    enough.set()
    watcher.join()
    source.close()
    assert any(re.fullmatch(r"The stream \S+ broke off: .*; trying again\.", trouble) for trouble in troubles)
    returns = [number for number, frame in enumerate(frames) if not frame.continues]
    assert 1 <= len(returns) <= 3
    levels = [round(float(frame.image.mean())) for frame in frames]
    assert levels[: returns[0]] == sorted(levels[: returns[0]])
    assert PICTURE_COUNT - 2 <= returns[0] <= PICTURE_COUNT
    assert levels[returns[0]] < levels[returns[0] - 1]  # from the beginning again


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


@pytest.mark.thorough
def test_a_file_from_a_web_server_is_shown_at_its_own_speed_and_ends(tmp_path: Path, server: VideoServer) -> None:
    server.clip = write_video(tmp_path / "clip.ts", range(0, 1200, 40), b_frames=2).read_bytes()
    last_level = 20 + 5 * 29  # of the last picture that `write_video` makes
    source = StreamSource(server.url("clip.ts"))
    source.open()
    frames = read_all(source)
    assert source.read() is None
    assert source.trouble == ""
    source.close()
    assert 25 <= len(frames) <= 30  # a busy machine may skip one
    assert frames[-1].image.mean() == pytest.approx(last_level, abs=3)  # but not the last
    assert np.all(np.diff([frame.image.mean() for frame in frames]) > 0)  # in the order of showing them
    assert np.all(np.diff([frame.time_ns for frame in frames]) > 0)
    assert frames[-1].captured_ns - frames[0].captured_ns == pytest.approx(29 * 40e6, rel=0.25)


def test_a_file_whose_server_breaks_off_in_the_middle_is_lost(tmp_path: Path, server: VideoServer) -> None:
    server.clip = write_video(tmp_path / "clip.ts", range(0, 1200, 40)).read_bytes()
    source = StreamSource(server.url("half.ts"))
    source.open()
    frames = []
    while not frames or frames[-1].continues:
        frame = source.read()
        assert frame is not None
        frames.append(frame)
    source.close()
    assert 8 <= len(frames) <= 20
    assert frames[-1].image.mean() < frames[-2].image.mean()


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

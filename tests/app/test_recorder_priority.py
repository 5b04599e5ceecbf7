"""Who computes first while a recording is made."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from app import drawn_once, recording_files
from app.overlay import OverlayStyle, draw_overlay
from app.recorder import Recorder
from app.recording_paths import RecordingPaths
from tests.app import builders


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of single threads are set on Linux only")
@pytest.mark.parametrize("live", [True, False])
def test_a_live_recording_lets_the_others_compute_first(tmp_path, monkeypatch, live):
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    seen = []

    def draw(*args, **options):
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return draw_overlay(*args, **options)

    monkeypatch.setattr(drawn_once, "draw_overlay", draw)
    recorder = Recorder(RecordingPaths(tmp_path / "a.mp4"), style=OverlayStyle(), block=not live)
    recorder.start()
    recorder.offer(builders.result(0, picture=builders.image(48, 64)))
    recorder.stop()
    assert seen == [min(19, own + recording_files._NICENESS) if live else own]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own

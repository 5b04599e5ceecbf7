"""The source in the window: its loss and return, its rate, winding a file, another network, what is remembered."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QSlider, QToolButton

from app.bundled import SAMPLE_CLIP
from app.frames import Frame
from app.gui.source_control import rate_text
from app.recording_paths import RecordingWish
from app.session import NetworkChoice
from app.settings import Settings
from app.sources import make_source
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubSession, named

FRAME_NS = round(1e9 / 30)


class LosableCamera(SplitSource):
    """Live; while `gone` is set no picture comes, as a camera without its cable."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = threading.Event()
        self.reopen_text = "camera:id=usb-one,320x240,30fps,MJPG"
        self.claimed, self.measured, self.repeated = 60.0, math.nan, 0.0

    def read(self) -> Frame | None:
        while self.gone.is_set() and not self._stopped.is_set():
            self.trouble = "“split” was lost: check its cable; trying again."
            time.sleep(0.01)
        self.trouble = ""
        return super().read()

    @property
    def measured_fps(self) -> float:
        return self.measured

    @property
    def repeated_share(self) -> float:
        return self.repeated


def status(desk: Desk) -> str:
    return next(label.text() for label in desk.window.findChildren(QLabel) if label.objectName() == "status")


@pytest.mark.thorough
def test_a_lost_camera_is_told_and_the_recording_goes_on(open_window: OpenWindow) -> None:
    camera = LosableCamera()
    desk = open_window(StubSession(camera))
    desk.wait_for_picture()
    desk.press("R")
    desk.record_for(0.3)
    recorder = desk.session.recorder
    camera.gone.set()
    desk.wait(lambda: desk.view.badge == "Lost: trying again …")
    assert (desk.message, desk.message_kind) == (camera.trouble, "warning")
    camera.gone.clear()
    desk.wait(lambda: desk.message == "“split” is back.")
    desk.wait(lambda: desk.view.badge == "")
    assert desk.session.recorder is recorder
    frames = recorder.frames
    desk.wait(lambda: recorder.frames > frames + 3)
    desk.press("R")
    assert len(desk.files("*.mp4")) == 1


def test_the_measured_rate_stands_beside_the_claimed_one(open_window: OpenWindow) -> None:
    camera = LosableCamera()
    camera.details = "MJPG"
    desk = open_window(StubSession(camera))
    desk.wait_for_picture()
    camera.fps, camera.measured, camera.repeated = 60.0, 29.94, 0.5
    desk.wait(lambda: "29.9 fps (claims 60), 50 % of them repeated" in status(desk))
    assert "320 × 240 MJPG" in status(desk)
    camera.fps, camera.repeated = 30.0, 0.0
    desk.wait(lambda: "29.9 fps" in status(desk) and "claims" not in status(desk))
    assert rate_text(SplitSource()) == ""


@pytest.fixture
def clip_desk(open_window: OpenWindow) -> Desk:
    """The shipped clip, held after its first pictures."""
    settings = Settings(preroll_s=0.0, loop=False)
    desk = open_window(StubSession(make_source(str(SAMPLE_CLIP), realtime=True)), settings=settings)
    desk.wait_for_picture()
    assert desk.window.transport.isVisible()
    desk.press(" ")
    desk.wait_until_still()
    return desk


def position(desk: Desk) -> int:
    """Number of the picture that is shown."""
    assert desk.view.result is not None
    return round((desk.view.result.frame.position_ns or 0) / FRAME_NS)


def test_a_clip_is_stepped_through_by_keys_and_buttons(clip_desk: Desk) -> None:
    desk = clip_desk
    begin = position(desk)
    for presses, key in ((3, "."), (2, ",")):
        before = position(desk)
        for number in range(1, presses + 1):
            desk.press(key)
            wanted = before + (number if key == "." else -number)
            desk.wait(lambda wanted=wanted: position(desk) == wanted)
    assert position(desk) == begin + 1
    assert desk.view.badge == "Paused"
    named(desk.window, QToolButton, "Step forward").click()
    desk.wait(lambda: position(desk) == begin + 2)
    # Several at once are all gone through.
    for _ in range(4):
        desk.press(",")
    desk.wait(lambda: position(desk) == max(0, begin - 2))


@pytest.mark.thorough
def test_a_place_of_the_clip_is_shown_at_once_also_where_it_is_held(clip_desk: Desk) -> None:
    desk = clip_desk
    for place in (200, 12, 290):
        desk.window.source.seek(place * FRAME_NS + FRAME_NS // 2)
        desk.wait(lambda place=place: position(desk) == place)
        assert desk.session.paused
    desk.wait(lambda: named(desk.window, QSlider, "Position").value() > 9000)  # ms
    # From the end a step leads back.
    desk.press(" ")
    desk.wait(lambda: desk.view.badge == "The clip has ended")
    last = position(desk)
    assert last == 299
    desk.press(",")
    desk.wait(lambda: position(desk) == last - 1)


@pytest.mark.thorough
def test_a_recording_ends_with_the_clip(clip_desk: Desk) -> None:
    desk = clip_desk
    desk.press("R")
    desk.window.source.seek(290 * FRAME_NS)
    desk.press(" ")
    desk.wait(lambda: desk.session.recorder is None)
    assert desk.message.startswith("Saved ")
    assert desk.view.badge == "The clip has ended"


def test_loop_and_speed_are_set_in_mid_clip(clip_desk: Desk) -> None:
    desk = clip_desk
    source = desk.session.source
    desk.button("Loop").click()
    assert source.loop
    desk.button("Max").click()
    assert not source.paced
    desk.window.source.seek(280 * FRAME_NS)
    desk.press(" ")
    desk.wait(lambda: position(desk) < 270)  # it began again
    desk.button("1×").click()
    assert source.paced


def test_a_camera_cannot_be_wound(desk: Desk) -> None:
    assert not desk.window.transport.isVisible()
    desk.press(".")
    assert not desk.session.paused


def test_another_network_is_chosen_while_it_runs(open_window: OpenWindow) -> None:
    asked: list[NetworkChoice] = []

    class Asked(StubSession):
        def _load_estimator(self, network: NetworkChoice):
            asked.append(network)
            self._network = network
            return super()._load_estimator(network)

    desk = open_window(Asked(SplitSource()))
    desk.wait_for_picture()
    desk.press("R")
    desk.window.panel.network.network_chosen.emit("heavy")
    desk.wait(lambda: desk.view.result.network == "heavy")
    desk.wait(lambda: desk.button("heavy").text() == "heavy · stub ▾")
    desk.window.panel.network.device_chosen.emit("cpu")
    desk.wait(lambda: len(asked) == 3)
    assert asked[1:] == [NetworkChoice("heavy", "cpu"), NetworkChoice("heavy", "cpu")]
    assert desk.session.recorder is not None


@pytest.mark.thorough
def test_the_last_seconds_are_saved_at_a_key(open_window: OpenWindow) -> None:
    desk = open_window(settings=Settings(preroll_s=2.0))
    desk.wait_for_picture()
    desk.wait(lambda: desk.session.preroll.seconds_held >= 2.0)
    desk.press("B")
    desk.wait(lambda: desk.message.startswith("Saved "))
    assert len(desk.files("*.mp4")) == len(desk.files("*.csv")) == 1
    assert desk.session.recorder is None


def test_without_them_the_key_says_so(desk: Desk) -> None:
    desk.press("B")
    desk.wait(lambda: "switches that off" in desk.message)
    assert desk.files() == []


def test_what_is_recorded_is_what_was_chosen(open_window: OpenWindow, tmp_path: Path) -> None:
    wish = RecordingWish(annotated=False, clean=True, keypoints=("jsonl", "coco"))
    desk = open_window(settings=Settings(preroll_s=0.0, wish=wish, mirror=True))
    desk.wait_for_picture()
    assert desk.button("Mirror").isChecked()
    desk.press("R")
    desk.record_for(0.3)
    desk.press("R")
    assert sorted(path.name.split(".", 1)[1] for path in desk.files()) == ["clean.mp4", "coco.json", "keypoints.jsonl"]


def test_the_virtual_camera_and_loop_stay_with_another_source(open_window: OpenWindow, tmp_path: Path) -> None:
    desk = open_window(settings=Settings(preroll_s=0.0, loop=False))
    desk.wait_for_picture()
    asked: list[object] = []
    desk.session.set_virtual_camera = asked.append  # no driver here
    desk.window.recording.set_virtual_camera(True)
    assert len(asked) == 1
    desk.window.open_source(str(SAMPLE_CLIP))
    desk.wait_for_picture()
    # It was tried again for the new source, where nothing is installed: the user is told.
    desk.wait(lambda: "virtual camera" in desk.message.lower() or desk.session.virtual_camera is not None)
    assert not desk.session.source.loop
    assert not desk.window.settings_now.loop
    desk.button("Loop").click()
    assert desk.window.settings_now.loop


@pytest.mark.thorough
def test_from_the_end_playing_begins_anew(clip_desk: Desk) -> None:
    desk = clip_desk
    desk.window.source.seek(296 * FRAME_NS)
    desk.press(" ")
    desk.wait(lambda: desk.view.badge == "The clip has ended")
    # A recording may be begun there, and waits for what comes.
    desk.press("R")
    desk.qtbot.wait(400)
    assert desk.session.recorder is not None
    desk.press(" ")
    desk.wait(lambda: desk.view.badge == "" and position(desk) < 100)
    desk.press("R")
    assert desk.message.startswith("Saved ")


def test_device_and_network_are_chosen_one_after_the_other_while_one_loads(open_window: OpenWindow) -> None:
    go_on = threading.Event()
    go_on.set()
    asked: list[NetworkChoice] = []

    class Slow(StubSession):
        def _load_estimator(self, network: NetworkChoice):
            asked.append(network)
            go_on.wait(20)
            self._network = network
            return super()._load_estimator(network)

    desk = open_window(Slow(SplitSource()))
    desk.wait_for_picture()
    go_on.clear()
    desk.window.panel.network.device_chosen.emit("auto")
    desk.wait(lambda: len(asked) == 2)
    desk.window.panel.network.network_chosen.emit("heavy")
    assert desk.button("heavy").text() == "heavy · loading … ▾"
    go_on.set()
    desk.wait(lambda: desk.session.network == NetworkChoice("heavy", "auto"))
    desk.wait(lambda: desk.button("heavy").text() == "heavy · stub ▾")


def test_settings_are_what_was_last_chosen(open_window: OpenWindow) -> None:
    camera = LosableCamera()
    desk = open_window(StubSession(camera))
    desk.press("M")
    settings = desk.window.settings_now
    assert (settings.camera, settings.mirror, settings.preroll_s) == (camera.reopen_text, True, 0.0)

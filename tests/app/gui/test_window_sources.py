from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.bundled import SAMPLE_CLIP
from app.meters.board import ESTIMATED, PAINTED
from app.session import NetworkChoice, Session
from app.settings import Settings
from app.sources import make_source
from models.estimator import PoseEstimator
from models.readings import DECODER_NAMES
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import (
    LONG_MS,
    LOST,
    AbsentSource,
    Desk,
    SplitSource,
    StubSession,
)
from tests.app.source_builders import write_images

# --- other sources ------------------------------------------------------------------------------------------------


def test_a_missing_file_leaves_the_source_as_it_is(desk: Desk, tmp_path: Path) -> None:
    session = desk.session
    desk.window.open_source(str(tmp_path / "missing.mp4"))
    assert desk.message == f"No such file or folder: {tmp_path / 'missing.mp4'}."
    assert desk.message_kind == "error"
    assert desk.session is session
    assert desk.results_from_now()
    assert desk.shown_from_now()


def test_another_file_keeps_decoder_and_beta(desk: Desk) -> None:
    old = desk.session
    desk.press("2")
    desk.slider.setValue(0)
    desk.press(Qt.Key.Key_Space)
    desk.window.open_source(str(SAMPLE_CLIP))
    assert old.pipeline.join(0)
    assert not desk.button("Pause").isChecked()
    desk.wait(lambda: desk.view.result is not None and desk.view.result.frame.image.shape == (540, 960, 3))
    result = desk.shown_from_now()
    assert (result.decoder, result.beta) == ("ipr", 0.5)
    assert desk.chosen_on_switch() == ["ipr"]
    assert desk.slider.value() == 0
    assert SAMPLE_CLIP.name in desk.window.windowTitle()
    assert desk.message == ""


def test_the_old_picture_is_not_shown_as_the_new_source(desk: Desk) -> None:
    desk.wait_for_picture()
    desk.window.open_source(str(SAMPLE_CLIP))
    assert desk.view.result is None or desk.view.result.frame.image.shape == (540, 960, 3)


def test_a_file_that_is_no_video_leaves_a_window_that_can_be_used(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    desk.press("M")
    desk.window.open_source(str(tmp_path / "notes.mp4"))
    desk.wait(lambda: "notes.mp4" in desk.message)
    assert desk.message == "The file “notes.mp4” cannot be opened: it is not a video, or it is damaged."
    assert desk.message_kind == "error"
    # The source that was there stays.
    assert desk.shown_from_now()
    assert desk.window.windowTitle() != "notes.mp4 — PoseScope"
    desk.window.open_source(str(write_images(tmp_path / "images")))
    assert desk.shown_from_now()
    assert desk.message == ""
    desk.wait(lambda: desk.view.badge == "")


def test_a_source_that_ends_leaves_its_last_picture(open_window: OpenWindow, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images")
    settings = Settings(preroll_s=0.0, loop=False)
    desk = open_window(StubSession(make_source(str(folder), realtime=True)), settings=settings)
    desk.wait(lambda: desk.view.badge == "The clip has ended")
    assert desk.view.result.frame.index == 2
    # It can be wound, and goes on from there.
    desk.press(",")
    desk.wait(lambda: desk.view.result.frame.position_ns == round(1e9 / 30))
    desk.press(Qt.Key.Key_Space)
    desk.wait(lambda: desk.view.badge == "The clip has ended")


def test_a_lost_source_is_told_at_once_while_the_network_still_loads(open_window: OpenWindow) -> None:
    loading, may_end, loaded = threading.Event(), threading.Event(), threading.Event()

    class SlowSession(StubSession):
        def _load_estimator(self, network: NetworkChoice) -> PoseEstimator:
            loading.set()
            may_end.wait(LONG_MS / 1000)
            loaded.set()
            return super()._load_estimator(network)

    desk = open_window(SlowSession(AbsentSource()))
    try:
        desk.wait(loading.is_set)
        desk.wait(lambda: desk.view.empty.isVisible())
        assert desk.message == LOST
        assert not loaded.is_set()
    finally:
        may_end.set()


def test_no_frame_waits_for_the_network(open_window: OpenWindow) -> None:
    may_end = threading.Event()

    class SlowSession(StubSession):
        def _load_estimator(self, network: NetworkChoice) -> PoseEstimator:
            may_end.wait(LONG_MS / 1000)
            return super()._load_estimator(network)

    desk = open_window(SlowSession(SplitSource()))
    try:
        desk.wait(lambda: desk.view.result is not None)
        assert desk.view.result.stages is None
        desk.wait(lambda: desk.view.badge == "Loading the network …")
    finally:
        may_end.set()
    desk.wait_for_picture()
    desk.wait(lambda: desk.view.badge == "")


# --- networks and devices -----------------------------------------------------------------------------------------


def test_a_damaged_bundle_is_told_and_the_picture_goes_on(open_window: OpenWindow, tmp_path: Path) -> None:
    bundle = tmp_path / "damaged.task"
    bundle.write_bytes(b"PK\x03\x04 this is no zip")
    desk = open_window(Session(SplitSource(), NetworkChoice(str(bundle), "cpu")))
    desk.wait(lambda: desk.message)
    assert desk.message == f"{bundle} is not a .task bundle, or it is damaged or truncated."
    assert desk.message_kind == "error"
    result = desk.shown_from_now()
    assert result.people == ()
    assert desk.view.badge == ""


@pytest.fixture(scope="module")
def lite() -> PoseEstimator:
    """The smallest network, asked for on a GPU."""
    choice = NetworkChoice("lite", "cuda")
    return Session(SplitSource(), choice)._load_estimator(choice)


def test_a_gpu_that_is_not_there_is_told(open_window: OpenWindow, lite: PoseEstimator) -> None:
    if not lite.device_label.startswith("cpu"):
        pytest.skip("this machine has a GPU")
    desk = open_window(StubSession(SplitSource(), lite))
    desk.wait(lambda: desk.message)
    assert desk.message.startswith("Asked for cuda, but ")
    assert desk.message.endswith("computing on the CPU instead.")
    assert desk.message_kind == "warning"
    assert desk.window.messages.isVisible()
    desk.wait_for_picture()


def test_the_shipped_clip_is_followed_by_every_decoder(open_window: OpenWindow, lite: PoseEstimator) -> None:
    lite.reset()
    desk = open_window(StubSession(make_source(str(SAMPLE_CLIP), loop=True, realtime=True), lite))
    desk.wait(lambda: desk.view.result is not None and desk.view.result.people)
    assert tuple(desk.view.result.people[0].points) == DECODER_NAMES
    desk.wait(lambda: set(desk.session.board.read().jitter.overall) == set(DECODER_NAMES))
    desk.wait(lambda: PAINTED in desk.session.board.read().latency)
    snapshot = desk.session.board.read()
    assert snapshot.latency[PAINTED].p50 > 0
    assert snapshot.latency[ESTIMATED].p50 > 0


# --- the clock of the paint ---------------------------------------------------------------------------------------


def test_each_result_is_reported_as_painted_once(desk: Desk) -> None:
    desk.wait(lambda: len(desk.painted) > 5)
    desk.view.repaint()
    desk.press("M")
    desk.press(Qt.Key.Key_Space)
    desk.wait_until_still()
    for _ in range(2):  # what is shown again is not new
        desk.press("M")
        desk.view.repaint()
    indices = [paint.result.frame.index for paint in desk.painted]
    assert indices == sorted(set(indices))
    assert indices[-1] == desk.view.result.frame.index
    for paint in desk.painted:
        assert paint.overlay_ns > 0
        assert paint.paint_ns > 0
        if paint.result.stages is not None:
            started_ns = paint.ended_ns - paint.paint_ns - paint.overlay_ns
            assert started_ns >= paint.result.stages.done_ns >= paint.result.frame.captured_ns


def test_the_board_counts_every_paint_but_those_of_the_warm_up(desk: Desk) -> None:
    desk.wait(lambda: len(desk.painted) >= 10)
    desk.press(Qt.Key.Key_Space)
    shown = desk.wait_until_still()
    spread = desk.session.board.read().latency[PAINTED]
    painted_ms = [
        (paint.ended_ns - paint.result.frame.captured_ns) / 1e6
        for paint in desk.painted
        if paint.result.stages is not None
    ]
    assert len(painted_ms) - spread.count >= 3
    counted = painted_ms[-spread.count :]
    assert min(counted) >= 0
    assert spread.now == pytest.approx(counted[-1])
    assert spread.max == pytest.approx(max(counted))
    assert spread.p50 == pytest.approx(float(np.median(counted)))
    assert spread.now >= (shown.stages.done_ns - shown.frame.captured_ns) / 1e6  # it was estimated before


@pytest.mark.thorough
def test_a_picture_of_the_old_source_is_not_counted_for_the_new_one(desk: Desk) -> None:
    old = desk.session.source
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    desk.press(Qt.Key.Key_Space)
    desk.wait(lambda: desk.session.results[-1] is not held)
    desk.window._pull()  # now a paint is due
    desk.window.open_source(str(SAMPLE_CLIP))
    desk.painted.clear()
    desk.wait(lambda: len(desk.painted) > 3)
    assert old is not desk.session.source
    assert {paint.result.frame.image.shape for paint in desk.painted} == {(540, 960, 3)}

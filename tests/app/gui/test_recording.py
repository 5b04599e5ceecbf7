from __future__ import annotations

import csv
import itertools
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.decoder_display import DISPLAY_NAMES
from app.gui import theme
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import (
    LEFT,
    LOST,
    PERSON_X,
    RIGHT,
    Desk,
    PaintCounter,
    SplitSource,
    StubSession,
    pixels,
    rgb,
    share_of,
)
from tests.app.source_builders import write_images


def read_video(path: Path) -> list[np.ndarray]:
    """Every picture of the file, (H, W, 3) BGR."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def recorded(desk: Desk) -> tuple[list[np.ndarray], list[dict[str, str]]]:
    """Pictures and keypoints of the only recording; the message bar names both files."""
    (video,), (keypoints,) = desk.files("*.mp4"), desk.files("*.csv")
    assert str(video) in desk.message
    assert keypoints.name in desk.message
    return read_video(video), read_rows(keypoints)


def test_r_starts_and_finishes_a_recording(desk: Desk) -> None:
    button = desk.button("Record")
    assert not button.isChecked()
    assert share_of(pixels(desk.view.grab()), rgb(theme.RECORD)) == 0
    desk.press("R")
    assert button.isChecked()
    assert "Finish" in button.text()
    desk.wait(lambda: desk.view.recording_text == "00:00")
    desk.wait(lambda: desk.view.recording_text == "00:01")
    picture = pixels(desk.view.grab())
    corner = picture[:60, picture.shape[1] // 2 :]
    assert share_of(corner, rgb(theme.RECORD)) > 0

    desk.press("R")
    assert not button.isChecked()
    assert "Record" in button.text()
    assert desk.view.recording_text == ""
    assert share_of(pixels(desk.view.grab()), rgb(theme.RECORD)) == 0
    assert desk.message.startswith("Saved ")
    assert desk.message_kind == "info"
    pictures, rows = recorded(desk)
    assert len(pictures) > 5
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    assert len(rows) == len(pictures) * len(DISPLAY_NAMES) * len(BLAZEPOSE_33.joints)
    assert not [thread.name for thread in threading.enumerate() if thread.name == "recorder"]


def test_the_record_button_does_the_same(desk: Desk) -> None:
    for running in (True, False):
        desk.qtbot.mouseClick(desk.button("cord"), Qt.MouseButton.LeftButton)
        assert (desk.session.recorder is not None) is running
        assert desk.button("cord").isChecked() is running
        if running:
            desk.record_for(0.1)
    recorded(desk)


def test_two_recordings_do_not_share_files(desk: Desk) -> None:
    for _ in range(2):
        desk.press("R")
        desk.record_for(0.1)
        desk.press("R")
    assert len(desk.files("*.mp4")) == len(desk.files("*.csv")) == 2


def test_every_decoder_is_recorded_whichever_is_shown(desk: Desk) -> None:
    desk.press("R")
    shown = set()
    for key, decoder in (("1", "argmax"), ("2", "ipr"), ("3", "debiased")):
        desk.press(key)
        shown |= {result.decoder for result in desk.results_from_now()}
        assert decoder in shown
    desk.press("R")
    assert desk.message_kind == "info"
    pictures, rows = recorded(desk)
    frames = {row["frame"] for row in rows}
    assert len(frames) == len(pictures) >= 9
    for frame in frames:
        of_frame = [row for row in rows if row["frame"] == frame]
        assert {row["decoder"] for row in of_frame} == set(DISPLAY_NAMES)
    noses = {row["decoder"]: float(row["x"]) for row in rows if row["joint"] == "nose"}
    for number, decoder in enumerate(DISPLAY_NAMES):  # as StubEstimator places them
        assert noses[decoder] == pytest.approx(PERSON_X + 2 * number, abs=0.51)


def test_the_mirror_is_not_recorded(desk: Desk) -> None:
    desk.press("M")
    desk.press("R")
    desk.record_for(0.2)
    assert tuple(desk.view.image[-1, 0]) == RIGHT
    desk.press("R")
    pictures, rows = recorded(desk)
    for picture in pictures:
        np.testing.assert_allclose(picture[-20:, :20].mean((0, 1)), LEFT, atol=12)
        np.testing.assert_allclose(picture[-20:, -20:].mean((0, 1)), RIGHT, atol=12)
    noses = [float(row["x"]) for row in rows if row["joint"] == "nose" and row["decoder"] == "argmax"]
    np.testing.assert_allclose(noses, PERSON_X, atol=0.51)


def test_a_pause_is_a_gap_in_the_recording(desk: Desk) -> None:
    desk.press("R")
    desk.record_for(0.1)
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    assert desk.session.recorder is not None
    desk.wait(lambda: desk.session.source.delivered > held.frame.index + 6)
    desk.press(Qt.Key.Key_Space)
    desk.wait(lambda: desk.view.result.frame.index > held.frame.index + 3)
    desk.press("R")
    pictures, rows = recorded(desk)
    frames = sorted({int(row["frame"]) for row in rows})
    assert len(frames) == len(pictures)
    assert held.frame.index in frames
    assert max(b - a for a, b in itertools.pairwise(frames)) > 5


def test_recording_can_begin_in_a_pause(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Space)
    held = desk.wait_until_still()
    desk.press("R")
    assert desk.button("Finish").isChecked()
    desk.press(Qt.Key.Key_Space)
    desk.record_for(0.1)
    desk.press("R")
    pictures, rows = recorded(desk)
    assert pictures
    assert min(int(row["frame"]) for row in rows) > held.frame.index


def test_a_recording_of_nothing_says_so_and_leaves_nothing(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Space)
    desk.wait_until_still()
    desk.press("R")
    desk.press("R")
    assert desk.message == "Nothing was recorded: no frame came."
    assert desk.files() == []


def test_the_red_dot_comes_and_goes_in_a_held_picture(desk: Desk) -> None:
    desk.press(Qt.Key.Key_Space)
    desk.wait_until_still()
    for _ in range(2):
        paints = PaintCounter(desk.view)
        desk.press("R")
        desk.wait(lambda paints=paints: paints.count)


def test_a_folder_that_cannot_be_made_is_told(open_window: OpenWindow, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = open_window(recordings=tmp_path / "file" / "recordings")
    desk.wait_for_picture()
    desk.press("R")
    assert desk.message.startswith("Cannot write ")
    assert desk.message_kind == "error"
    assert desk.session.recorder is None
    assert not desk.button("Record").isChecked()
    assert desk.view.recording_text == ""
    assert desk.shown_from_now()


@pytest.mark.thorough
def test_a_recording_that_fails_is_told_and_the_picture_goes_on(desk: Desk) -> None:
    desk.press("R")
    desk.record_for(0.2)
    for path in desk.files():
        path.unlink()
    desk.wait(lambda: desk.session.recorder is None)
    assert "it was deleted" in desk.message
    assert desk.message_kind == "error"
    assert not desk.button("Record").isChecked()
    assert desk.shown_from_now()


def test_a_lost_source_finishes_the_recording(desk: Desk, tmp_path: Path) -> None:
    desk.press("R")
    desk.record_for(0.3)
    desk.session.source.lost.set()
    desk.wait(lambda: desk.view.badge == "Source lost")
    assert desk.message.startswith(LOST)
    assert desk.message_kind == "error"
    pictures, rows = recorded(desk)
    assert len(pictures) > 5
    assert rows
    assert not desk.button("Record").isChecked()
    assert desk.view.recording_text == ""
    assert desk.view.image is not None  # the last picture stays

    desk.press("1")
    desk.press("M")
    desk.window.open_source(str(write_images(tmp_path / "images")))
    assert desk.shown_from_now().decoder == "argmax"
    assert desk.message == ""
    assert desk.view.badge == ""
    desk.press("R")
    desk.record_for(0.1)
    desk.press("R")
    assert len(desk.files("*.mp4")) == 2


def test_another_source_finishes_the_recording(desk: Desk, tmp_path: Path) -> None:
    desk.press("R")
    desk.record_for(0.2)
    desk.window.open_source(str(write_images(tmp_path / "images")))
    pictures, _ = recorded(desk)
    assert pictures
    desk.wait(lambda: not desk.button("Record").isChecked())
    assert desk.shown_from_now()
    assert desk.session.recorder is None
    assert desk.view.recording_text == ""


def test_a_source_that_cannot_be_opened_leaves_the_recording_running(desk: Desk, tmp_path: Path) -> None:
    desk.press("R")
    desk.window.open_source(str(tmp_path / "missing.mp4"))
    assert desk.session.recorder is not None
    desk.record_for(0.1)
    desk.press("R")
    recorded(desk)


def test_closing_finishes_the_recording(open_window: OpenWindow, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    desk = open_window(StubSession(SplitSource()))
    desk.press("R")
    desk.record_for(0.3)
    desk.window.close()
    assert set(threading.enumerate()) == before
    (video,), (keypoints,) = desk.files("*.mp4"), desk.files("*.csv")
    assert len(read_video(video)) > 5
    assert read_rows(keypoints)[-1]["joint"] == BLAZEPOSE_33.joints[-1]
    said = capsys.readouterr().out
    assert str(video) in said
    assert keypoints.name in said

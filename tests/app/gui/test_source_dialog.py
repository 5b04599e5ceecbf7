from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.errors import SourceError
from app.gui.actions import ACTIONS
from app.gui.source_dialog import LOOKING, NO_CAMERA, CameraChoice, SourceDialog
from app.gui.source_pages import mode_text, mode_title
from app.sources import make_source
from tests.app.gui.desk import LONG_MS, named, top_levels

LEFT = Qt.MouseButton.LeftButton
BRIO = CameraChoice(
    "Logitech BRIO",
    "camera:id=usb#brio",
    [(640, 480, 30.0, "YUYV"), (1280, 720, 30.0, "MJPG"), (1280, 720, 59.94, "MJPG"), (1920, 1080, 7.5, "")],
    r"\\?\usb#vid_046d&pid_085e&mi_00#7&2f3a1b2c&0&0000#{65e8773d-8f56-11d0-a3b9-00a0c9223196}\global",
)
BUILT_IN = CameraChoice("Integrated camera", "camera:id=usb#built-in")


class DialogOnDesk:
    def __init__(self, qtbot: QtBot, cameras: Callable[[], Sequence[CameraChoice]], parent: QWidget | None) -> None:
        self.qtbot = qtbot
        self.dialog = SourceDialog(cameras, parent)
        self.chosen: list[str] = []
        self.dialog.source_chosen.connect(self.chosen.append)
        self.list = named(self.dialog, QListWidget, "Sources")
        self.dialog.open()
        self.dialog.activateWindow()
        qtbot.waitUntil(self.dialog.isActiveWindow, timeout=LONG_MS)

    @property
    def entries(self) -> list[str]:
        return [self.list.item(row).text() for row in range(self.list.count())]

    @property
    def selected(self) -> list[str]:
        return [item.text() for item in self.list.selectedItems()]

    def at(self, title: str) -> QPoint:
        item = self.list.item(self.entries.index(title))
        self.list.scrollToItem(item)
        return self.list.visualItemRect(item).center()

    def choose(self, title: str) -> None:
        self.qtbot.mouseClick(self.list.viewport(), LEFT, pos=self.at(title))

    def button(self, text: str) -> QPushButton:
        (found,) = [b for b in self.dialog.findChildren(QPushButton) if b.text() == text and b.isVisible()]
        return found

    def click(self, text: str) -> None:
        self.qtbot.mouseClick(self.button(text), LEFT)

    @property
    def may_open(self) -> bool:
        return self.button("Open").isEnabled()

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=LONG_MS)

    def wait_until_gone(self) -> None:
        self.wait(lambda: not top_levels(SourceDialog))

    def number(self, name: str) -> QSpinBox:
        (box,) = [b for b in self.dialog.findChildren(QSpinBox) if b.accessibleName() == name and b.isVisible()]
        return box

    @property
    def modes(self) -> QComboBox:
        return named(self.dialog, QComboBox, "Size, rate and pixel format")


Open = Callable[..., DialogOnDesk]


@pytest.fixture
def open_dialog(qtbot: QtBot) -> Iterator[Open]:
    def open_it(
        cameras: Callable[[], Sequence[CameraChoice]] = lambda: [BRIO, BUILT_IN], parent: QWidget | None = None
    ) -> DialogOnDesk:
        on_desk = DialogOnDesk(qtbot, cameras, parent)
        on_desk.wait(lambda: on_desk.entries[0] != LOOKING)
        return on_desk

    yield open_it
    for dialog in top_levels(SourceDialog):
        dialog.close()


# --- cameras ------------------------------------------------------------------------------------------------------


def test_cameras_come_first_and_the_first_is_chosen(open_dialog: Open) -> None:
    on_desk = open_dialog()
    assert on_desk.entries[:2] == ["Logitech BRIO", "Integrated camera"]
    assert [e for e in on_desk.entries[2:] if e != e.upper()] == [
        "Video file …", "Image folder …", "Network stream", "Rendered person", "Moving figure",
    ]  # fmt: skip
    assert on_desk.selected == ["Logitech BRIO"]
    on_desk.click("Open")
    assert on_desk.chosen == ["camera:id=usb#brio"]


def test_modes_are_named_and_put_into_the_text(open_dialog: Open) -> None:
    on_desk = open_dialog()
    titles = [on_desk.modes.itemText(row) for row in range(on_desk.modes.count())]
    assert titles == [
        "Automatic",
        "1920 × 1080, 7.5 fps",
        "1280 × 720, 59.94 fps, MJPG",
        "1280 × 720, 30 fps, MJPG",
        "640 × 480, 30 fps, YUYV",
    ]
    on_desk.modes.setCurrentIndex(2)
    on_desk.click("Open")
    assert on_desk.chosen == ["camera:id=usb#brio,1280x720,59.94fps,MJPG"]


@pytest.mark.parametrize(
    ("mode", "title", "text"),
    [
        ((1280, 720, 30.0, "MJPG"), "1280 × 720, 30 fps, MJPG", ",1280x720,30fps,MJPG"),
        ((640, 480, 29.97002997, "YUYV"), "640 × 480, 29.97 fps, YUYV", ",640x480,29.97fps,YUYV"),
        ((640, 480, 0.0, ""), "640 × 480", ",640x480"),
        ((640, 480, float("nan"), "MJPG"), "640 × 480, MJPG", ",640x480,MJPG"),
    ],
)
def test_what_a_camera_does_not_tell_is_left_out(mode: tuple[int, int, float, str], title: str, text: str) -> None:
    assert mode_title(mode) == title
    assert mode_text(mode) == text


def test_another_camera_starts_with_automatic_and_shows_its_identity(open_dialog: Open) -> None:
    on_desk = open_dialog()
    identity = named(on_desk.dialog, QLabel, "Identity of the camera")
    assert identity.text().replace("\u200b", "") == BRIO.identity
    assert identity.width() <= on_desk.dialog.width() / 1.5
    on_desk.modes.setCurrentIndex(3)
    on_desk.choose("Integrated camera")
    assert on_desk.modes.count() == 1
    assert identity.text() == ""
    on_desk.click("Open")
    assert on_desk.chosen == ["camera:id=usb#built-in"]


def test_a_double_click_opens_a_camera(open_dialog: Open) -> None:
    on_desk = open_dialog()
    place = on_desk.at("Integrated camera")
    on_desk.choose("Integrated camera")
    on_desk.qtbot.mouseDClick(on_desk.list.viewport(), LEFT, pos=place)
    on_desk.wait_until_gone()
    assert on_desk.chosen == ["camera:id=usb#built-in"]


def test_enter_opens_once(open_dialog: Open) -> None:
    on_desk = open_dialog()
    on_desk.qtbot.keyClick(on_desk.list, Qt.Key.Key_Down)
    on_desk.qtbot.keyClick(on_desk.list, Qt.Key.Key_Return)
    on_desk.wait_until_gone()
    assert on_desk.chosen == ["camera:id=usb#built-in"]


def test_the_dialog_has_closed_when_the_source_is_told(open_dialog: Open) -> None:
    on_desk = open_dialog()
    visible = []
    on_desk.dialog.source_chosen.connect(lambda _: visible.append(on_desk.dialog.isVisible()))
    on_desk.click("Open")
    assert visible == [False]


def test_enter_presses_the_button_that_has_the_focus(open_dialog: Open) -> None:
    looks: list[int] = []
    on_desk = open_dialog(lambda: looks.append(1) or [BRIO])
    on_desk.button("Refresh").setFocus()
    on_desk.qtbot.keyClick(on_desk.button("Refresh"), Qt.Key.Key_Return)
    on_desk.wait(lambda: len(looks) == 2 and on_desk.button("Refresh").isEnabled())
    assert on_desk.chosen == []


@pytest.mark.parametrize("how", ["Cancel", "Esc", "close"])
def test_nothing_is_chosen_by_leaving(open_dialog: Open, how: str) -> None:
    on_desk = open_dialog()
    if how == "Cancel":
        on_desk.click("Cancel")
    elif how == "Esc":
        on_desk.qtbot.keyClick(on_desk.dialog, Qt.Key.Key_Escape)
    else:
        on_desk.dialog.close()
    on_desk.wait_until_gone()
    assert on_desk.chosen == []


def test_no_camera_is_said_and_looked_for_again(open_dialog: Open) -> None:
    answers: list[Sequence[CameraChoice]] = [[], [BUILT_IN], [BRIO, BUILT_IN], [BRIO]]
    on_desk = open_dialog(lambda: answers.pop(0))
    assert on_desk.entries[0] == NO_CAMERA
    assert not on_desk.list.item(0).flags() & Qt.ItemFlag.ItemIsEnabled
    assert on_desk.selected == ["Video file …"]
    assert not on_desk.may_open
    on_desk.click("Refresh")
    on_desk.wait(lambda: on_desk.entries[0] == "Integrated camera")
    assert on_desk.selected == ["Video file …"]  # the choice stays the user's
    on_desk.choose("Integrated camera")
    on_desk.click("Refresh")
    on_desk.wait(lambda: on_desk.entries[1] == "Integrated camera")
    assert on_desk.selected == ["Integrated camera"]
    on_desk.click("Refresh")
    on_desk.wait(lambda: on_desk.entries[:2] != ["Logitech BRIO", "Integrated camera"])
    assert on_desk.selected == []  # the other camera is not the one that was chosen
    assert not on_desk.may_open


def test_the_chosen_mode_outlives_another_look(open_dialog: Open) -> None:
    looks: list[int] = []
    on_desk = open_dialog(lambda: looks.append(1) or [BRIO])
    on_desk.modes.setCurrentIndex(3)
    on_desk.click("Refresh")
    on_desk.wait(lambda: len(looks) == 2 and on_desk.button("Refresh").isEnabled())
    on_desk.click("Open")
    assert on_desk.chosen == ["camera:id=usb#brio,1280x720,30fps,MJPG"]


def test_an_error_is_told_in_the_place_of_the_cameras(open_dialog: Open) -> None:
    def fail() -> Sequence[CameraChoice]:
        raise SourceError("The camera service does not answer.")

    on_desk = open_dialog(fail)
    assert on_desk.entries[0] == "Cameras cannot be listed: The camera service does not answer."
    assert on_desk.button("Refresh").isEnabled()


def test_the_window_never_waits_for_the_cameras(qtbot: QtBot) -> None:
    asked, may_answer = threading.Event(), threading.Event()
    askers: list[threading.Thread] = []

    def slow() -> Sequence[CameraChoice]:
        askers.append(threading.current_thread())
        asked.set()
        may_answer.wait(LONG_MS / 1000)
        return [BRIO]

    on_desk = DialogOnDesk(qtbot, slow, None)
    try:
        on_desk.wait(asked.is_set)
        assert on_desk.entries[0] == LOOKING
        assert not on_desk.button("Refresh").isEnabled()
        on_desk.choose("Moving figure")
        assert on_desk.may_open
        # Closed and deleted while the driver still thinks.
        on_desk.click("Open")
        on_desk.wait_until_gone()
        assert askers[0].is_alive()
        assert askers[0] is not threading.main_thread()
    finally:
        may_answer.set()
        askers[0].join(LONG_MS / 1000)
    assert on_desk.chosen == ["synthetic:figure,1280x720,30fps"]


# --- files, streams, synthetic sources ----------------------------------------------------------------------------


def pick(on_desk: DialogOnDesk, path: Path) -> None:
    on_desk.wait(lambda: bool(on_desk.dialog.findChildren(QFileDialog)))
    (dialog,) = on_desk.dialog.findChildren(QFileDialog)
    dialog.selectFile(str(path))
    dialog.accept()
    on_desk.wait(lambda: not on_desk.dialog.findChildren(QFileDialog))


def test_a_video_file(open_dialog: Open, tmp_path: Path) -> None:
    video = tmp_path / "a clip, 30fps.mp4"
    video.write_bytes(b"")
    on_desk = open_dialog()
    on_desk.choose("Video file …")
    assert not on_desk.may_open
    on_desk.click("&Choose …")
    pick(on_desk, video)
    assert named(on_desk.dialog, QLineEdit, "Path of the video file").text() == str(video)
    on_desk.click("Open")
    assert on_desk.chosen == [str(video)]


def test_a_folder_by_a_double_click(open_dialog: Open, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    on_desk = open_dialog()
    on_desk.choose("Image folder …")
    on_desk.qtbot.mouseDClick(on_desk.list.viewport(), LEFT, pos=on_desk.at("Image folder …"))
    pick(on_desk, folder)
    assert on_desk.chosen == []
    on_desk.click("Open")
    assert on_desk.chosen == [str(folder)]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("rtsp://anna:secret@10.0.0.7:554/live", "rtsp://anna:secret@10.0.0.7:554/live"),
        ("  http://10.0.0.7/video.mjpg ", "http://10.0.0.7/video.mjpg"),
        ("rtsp://", None),
        ("10.0.0.7/video.mjpg", None),
        ("", None),
    ],
)
def test_a_stream(open_dialog: Open, typed: str, text: str | None) -> None:
    on_desk = open_dialog()
    on_desk.choose("Network stream")
    address = named(on_desk.dialog, QLineEdit, "Address")
    on_desk.qtbot.keyClicks(address, typed)
    assert on_desk.may_open == (text is not None)
    on_desk.qtbot.keyClick(address, Qt.Key.Key_Return)
    assert on_desk.chosen == ([] if text is None else [text])
    assert on_desk.dialog.isVisible() == (text is None)


@pytest.mark.parametrize(("title", "kind"), [("Rendered person", "person"), ("Moving figure", "figure")])
def test_synthetic_sources_to_order(open_dialog: Open, title: str, kind: str) -> None:
    on_desk = open_dialog()
    on_desk.choose(title)
    for name, value in {"Width": 1920, "Height": 1080, "Rate": 60, "Noise": 4, "Delay": 30}.items():
        on_desk.number(name).setValue(value)
    on_desk.click("Open")
    assert on_desk.chosen == [f"synthetic:{kind},1920x1080,60fps,noise=4,delay=30"]


def test_what_is_not_asked_for_is_not_in_the_text(open_dialog: Open) -> None:
    on_desk = open_dialog()
    on_desk.choose("Rendered person")
    on_desk.click("Open")
    assert on_desk.chosen == ["synthetic:person,960x540,30fps"]


# --- keys ---------------------------------------------------------------------------------------------------------


def test_typing_triggers_no_key_of_the_window(open_dialog: Open, qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    triggered: list[str] = []
    for info in ACTIONS.values():
        for key in info.keys:
            QShortcut(QKeySequence(key), window, activated=lambda key=key: triggered.append(key))
    window.show()
    on_desk = open_dialog(parent=window)
    on_desk.choose("Network stream")
    address = named(on_desk.dialog, QLineEdit, "Address")
    keys = [key for info in ACTIONS.values() for key in info.keys if len(key) == 1]
    qtbot.keyClicks(address, "".join(keys).lower() + " ")
    assert address.text() == "".join(keys).lower() + " "
    on_desk.choose("Moving figure")
    noise = on_desk.number("Noise")
    noise.selectAll()
    qtbot.keyClicks(noise, "12")
    assert noise.value() == 12
    qtbot.keyClicks(on_desk.list, "rsgahotlmfb,. ")
    assert triggered == []
    # They are keys of the window all the same.
    on_desk.dialog.close()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=LONG_MS)
    qtbot.keyClick(window, "r")
    assert triggered == ["R"]


def test_what_the_dialog_says_is_what_a_source_is_made_of(open_dialog: Open) -> None:
    on_desk = open_dialog()
    on_desk.choose("Moving figure")
    on_desk.number("Noise").setValue(4)
    on_desk.click("Open")
    make_source(on_desk.chosen[0]).close()

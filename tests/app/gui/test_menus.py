"""The menu beside Record, and the one of networks and devices."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QToolButton, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from app.bundled import MODELS
from app.exporters import KEYPOINT_FORMATS
from app.gui.actions import ACTIONS
from app.gui.network_menu import NetworkMenu
from app.gui.record_menu import LAST_ONE, RecordMenu
from app.recording_paths import RecordingWish
from tests.app.gui.desk import LONG_MS, top_levels

LEFT = Qt.MouseButton.LeftButton


def entry(menu: QMenu, title: str) -> QAction:
    """The entry whose text, before the tab, begins so."""
    (found,) = [action for action in menu.actions() if action.text().partition("\t")[0].startswith(title)]
    return found


class MenuOnDesk:
    """A menu that is open in a window which has all keys of the app."""

    def __init__(self, qtbot: QtBot, menu: QMenu, button: QToolButton) -> None:
        self.qtbot, self.menu = qtbot, menu
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.window.setCentralWidget(button)
        self.triggered: list[str] = []
        for info in ACTIONS.values():
            for key in info.keys:
                QShortcut(QKeySequence(key), self.window, activated=lambda key=key: self.triggered.append(key))
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow, timeout=LONG_MS)

    def open(self) -> None:
        self.menu.popup(self.window.mapToGlobal(QPoint(5, 5)))
        self.qtbot.waitUntil(self.menu.isVisible, timeout=LONG_MS)

    def click(self, title: str) -> None:
        place = self.menu.actionGeometry(entry(self.menu, title)).center()
        self.qtbot.mouseClick(self.menu, LEFT, pos=place)

    def checked(self) -> list[str]:
        return [action.text().partition("\t")[0] for action in self.menu.actions() if action.isChecked()]


# --- the menu beside Record ---------------------------------------------------------------------------------------


class RecordOnDesk(MenuOnDesk):
    def __init__(self, qtbot: QtBot) -> None:
        self.record = RecordMenu()
        button = QToolButton()
        button.setMenu(self.record)
        super().__init__(qtbot, self.record, button)
        self.emitted: list[tuple[str, object]] = []
        self.record.wish_changed.connect(lambda wish: self.emitted.append(("wish", wish)))
        self.record.save_last_asked.connect(lambda: self.emitted.append(("save last", None)))
        self.record.virtual_camera_toggled.connect(lambda on: self.emitted.append(("virtual camera", on)))


@pytest.fixture
def record(qtbot: QtBot) -> Iterator[RecordOnDesk]:
    on_desk = RecordOnDesk(qtbot)
    on_desk.record.show_preroll(10.0)
    on_desk.open()
    yield on_desk
    on_desk.menu.close()
    on_desk.menu.deleteLater()
    QToolTip.hideText()
    tips = [widget for widget in top_levels(QWidget) if widget.metaObject().className() == "QTipLabel"]
    qtbot.waitUntil(lambda: not any(tip.isVisible() for tip in tips), timeout=LONG_MS)


def test_every_format_of_keypoints_can_be_chosen(record: RecordOnDesk) -> None:
    titles = [action.text() for action in record.menu.actions() if action.isCheckable()]
    formats = [f"Keypoints as {form.title}" for form in KEYPOINT_FORMATS.values()]
    assert titles == ["Annotated video", "Clean video", *formats, "Virtual camera"]


def test_a_wish_that_is_shown_emits_nothing_and_comes_back(record: RecordOnDesk) -> None:
    kinds = tuple(KEYPOINT_FORMATS)
    for annotated, clean, count in itertools.product((True, False), (True, False), range(len(kinds) + 1)):
        wish = RecordingWish(annotated, clean, kinds[len(kinds) - count :])
        record.record.show_wish(wish)
        record.record.show_virtual_camera(clean)
        assert record.record.wish == wish
        assert len(record.checked()) == annotated + clean + count + clean
    assert record.emitted == []


def test_several_are_chosen_while_it_stays_open(record: RecordOnDesk) -> None:
    for title in ("Clean video", "Keypoints as JSON", "Keypoints as OpenPose", "Annotated video"):
        record.click(title)
        assert record.menu.isVisible()
    assert [wish for _, wish in record.emitted] == [
        RecordingWish(True, True, ("csv",)),
        RecordingWish(True, True, ("csv", "jsonl")),
        RecordingWish(True, True, ("csv", "jsonl", "openpose")),
        RecordingWish(False, True, ("csv", "jsonl", "openpose")),
    ]


def test_keys_choose_too_while_it_stays_open(record: RecordOnDesk) -> None:
    record.menu.setActiveAction(entry(record.menu, "Clean video"))
    record.qtbot.keyClick(record.menu, Qt.Key.Key_Space)
    record.qtbot.keyClick(record.menu, Qt.Key.Key_Down)
    record.qtbot.keyClick(record.menu, Qt.Key.Key_Return)
    assert record.menu.isVisible()
    assert [wish for _, wish in record.emitted] == [RecordingWish(True, True, ("csv",)), RecordingWish(True, True, ())]
    record.qtbot.keyClick(record.menu, Qt.Key.Key_Escape)
    assert not record.menu.isVisible()


@pytest.mark.parametrize(
    ("wish", "last"),
    [
        (RecordingWish(True, False, ()), "Annotated video"),
        (RecordingWish(False, True, ()), "Clean video"),
        (RecordingWish(False, False, ("coco",)), "Keypoints as COCO"),
    ],
)
def test_the_last_file_cannot_be_given_up(record: RecordOnDesk, wish: RecordingWish, last: str) -> None:
    record.record.show_wish(wish)
    record.record.show_virtual_camera(True)  # that is no file
    record.click(last)
    assert record.record.wish == wish
    assert record.emitted == []
    assert QToolTip.text() == LAST_ONE


def test_the_last_seconds_are_saved_and_the_menu_closes(record: RecordOnDesk) -> None:
    assert entry(record.menu, "Save the last 10 s").text() == "Save the last 10 s\tB"
    record.click("Save the last")
    assert record.emitted == [("save last", None)]
    assert not record.menu.isVisible()


def test_nothing_kept_nothing_saved(record: RecordOnDesk) -> None:
    record.record.show_preroll(0.0)
    record.click("Save the last")
    assert record.emitted == []
    record.record.show_preroll(7.5)
    assert entry(record.menu, "Save the last 7.5 s").isEnabled()


def test_the_virtual_camera(record: RecordOnDesk) -> None:
    record.click("Virtual camera")
    record.record.show_virtual_camera(False)  # it could not be had
    record.click("Virtual camera")
    record.click("Virtual camera")
    assert record.emitted == [("virtual camera", on) for on in (True, True, False)]


def test_the_keys_of_the_window_rest_while_the_menu_is_open(record: RecordOnDesk) -> None:
    for key in ("r", "s", "b", "1", " "):
        record.qtbot.keyClick(record.menu, key)
    assert record.triggered == []
    assert all(not action.shortcuts() for action in record.menu.actions())


# --- networks and devices -----------------------------------------------------------------------------------------


class NetworkOnDesk(MenuOnDesk):
    def __init__(self, qtbot: QtBot, gpu: Callable[[], bool] = lambda: False) -> None:
        self.network = NetworkMenu(gpu)
        menu = self.network.menu()
        assert menu is not None
        super().__init__(qtbot, menu, self.network)
        self.networks: list[str] = []
        self.devices: list[str] = []
        self.engines: list[str] = []
        self.network.network_chosen.connect(self.networks.append)
        self.network.device_chosen.connect(self.devices.append)
        self.network.engine_chosen.connect(self.engines.append)

    def choose(self, title: str) -> None:
        self.open()
        self.click(title)
        assert not self.menu.isVisible()


@pytest.fixture
def network(qtbot: QtBot) -> NetworkOnDesk:
    on_desk = NetworkOnDesk(qtbot)
    on_desk.network.show_network("full", "cpu (OpenVINO)", "auto", False)
    return on_desk


def test_the_button_says_what_runs(network: NetworkOnDesk) -> None:
    assert network.network.text() == "full · cpu, OpenVINO ▾"
    assert network.network.accessibleName() == "Network and device: full · cpu, OpenVINO"
    network.network.show_network("heavy", "", "cpu", True)
    assert network.network.text() == "heavy · loading … ▾"
    network.network.show_network("/nets/mine.task", "cuda (NVIDIA H200)", "cuda:1", False)
    assert network.network.text() == "mine · cuda, NVIDIA H200 ▾"
    assert network.networks == network.devices == []


def test_a_long_name_is_shortened_and_told_in_full(network: NetworkOnDesk) -> None:
    stem = "the network of the laboratory for & about movement, second try"
    network.network.show_network(f"/nets/{stem}.task", "cuda (NVIDIA RTX PRO 6000 Blackwell)", "cuda", False)
    assert network.network.sizeHint().width() <= 280
    assert "…" in network.network.text()
    assert f"{stem} · cuda, NVIDIA RTX PRO 6000 Blackwell" in network.network.toolTip()


def test_networks_are_chosen_by_name(network: NetworkOnDesk) -> None:
    for name in MODELS:
        network.choose(name)
    assert network.networks == ["lite", "heavy"]  # full runs already
    # What is marked is what runs, not what was asked for.
    assert network.checked() == ["full", "PoseScope", "Automatic"]
    network.network.show_network("heavy", "cpu (OpenVINO)", "auto", True)
    assert network.checked() == ["heavy", "PoseScope", "Automatic"]


def test_devices(network: NetworkOnDesk) -> None:
    network.choose("CPU")
    network.choose("Automatic")
    assert network.devices == ["cpu"]
    assert network.checked() == ["full", "PoseScope", "Automatic"]
    network.network.show_network("full", "cpu (OpenVINO)", "cpu", False)
    assert network.checked() == ["full", "PoseScope", "CPU"]
    network.network.show_network("full", "cpu (OpenVINO)", "cuda", False)  # asked for in the command line, not here
    assert network.checked() == ["full", "PoseScope"]


def test_mediapipe_can_take_the_place_of_our_engine_and_gives_it_back(network: NetworkOnDesk) -> None:
    network.network.show_network("full", "cpu (torch)", "cpu", False, "torch")
    network.choose("PoseScope")
    network.choose("MediaPipe (reference)")
    assert network.engines == ["mediapipe"]
    assert network.checked() == ["full", "PoseScope", "CPU"]  # until it is so
    network.network.show_network("full", "cpu (MediaPipe)", "auto", False, "mediapipe")
    assert network.checked() == ["full", "MediaPipe (reference)", "Automatic"]
    network.choose("MediaPipe (reference)")
    network.choose("PoseScope")
    assert network.engines == ["mediapipe", "torch"]


@pytest.mark.parametrize("found", [True, False])
def test_a_gpu_is_offered_where_there_may_be_one(qtbot: QtBot, found: bool) -> None:
    asked: list[int] = []
    on_desk = NetworkOnDesk(qtbot, lambda: asked.append(1) or found)
    kind, title = ("mps", "GPU (Apple, MPS)") if sys.platform == "darwin" else ("cuda", "GPU (CUDA)")
    on_desk.network.show_network("full", "", "cuda:1" if kind == "cuda" else kind, False)
    assert asked == []  # not before the menu is opened
    on_desk.open()
    titles = [action.text() for action in on_desk.menu.actions()]
    assert (title in titles) == found
    assert on_desk.checked() == (["full", "PoseScope", title] if found else ["full", "PoseScope"])
    on_desk.menu.close()
    if found:
        on_desk.network.show_network("full", "", "auto", False)
        on_desk.choose(title)
        assert on_desk.devices == [kind]
    on_desk.open()
    assert asked == [1]
    assert len(on_desk.menu.actions()) == len(titles)
    on_desk.menu.close()


def test_a_bundle_is_asked_for(network: NetworkOnDesk, tmp_path: Path) -> None:
    bundle = tmp_path / "mine & yours.task"
    bundle.write_bytes(b"")
    for answer in ("reject", "accept"):
        network.choose("Bundle …")
        (dialog,) = network.network.findChildren(QFileDialog)
        assert dialog.nameFilters()[0] == "Networks (*.task *.pth *.pt *.tar)"
        assert network.checked() == ["full", "PoseScope", "Automatic"]
        dialog.selectFile(str(bundle))
        getattr(dialog, answer)()
        network.qtbot.waitUntil(lambda: not network.network.findChildren(QFileDialog), timeout=LONG_MS)
    assert network.networks == [str(bundle)]
    network.network.show_network(str(bundle), "cpu (OpenVINO)", "auto", False)
    assert network.checked() == ["Bundle …", "PoseScope", "Automatic"]
    assert entry(network.menu, "Bundle …").text() == "Bundle …\tmine && yours"
    assert network.network.text() == "mine && yours · cpu, OpenVINO ▾"


def test_return_opens_the_menu(network: NetworkOnDesk) -> None:
    network.network.setFocus()
    shown: list[bool] = []

    def look() -> None:
        shown.append(network.menu.isVisible())
        network.menu.close()

    network.menu.aboutToShow.connect(look, Qt.ConnectionType.QueuedConnection)
    network.qtbot.keyClick(network.network, Qt.Key.Key_Return)
    assert shown == [True]

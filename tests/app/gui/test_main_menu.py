"""The menus, what was opened last, what is dropped onto the window, numbers to copy, and what is kept."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMenu

from app.bundled import SAMPLE_CLIP, model_file
from app.gui.actions import ACTIONS, ActionKey
from app.gui.dropping import dropped_text
from app.gui.recent_sources import RecentSources
from app.settings import MOST_RECENT, Settings
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk
from tests.app.source_builders import write_images

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="the menus are the system's there")


def entries(menu: QMenu) -> list[QAction]:
    """Of a menu and all that open from it."""
    found = []
    for action in menu.actions():
        submenu = action.menu()
        found += entries(submenu) if submenu is not None else [action]
    return found


def menu(desk: Desk, title: str) -> QMenu:
    (found,) = [a.menu() for a in desk.window.menu.actions() if a.text().replace("&", "") == title]
    assert isinstance(found, QMenu)
    return found


def test_everything_that_has_a_key_is_in_a_menu_and_says_so(desk: Desk) -> None:
    listed = [action for title in ("File", "View", "Decoder", "Help") for action in entries(menu(desk, title))]
    for key, action in desk.window._actions.items():
        assert action in listed, key
        shortcuts = {shortcut.toString() for shortcut in action.shortcuts()}
        assert shortcuts == set(ACTIONS[key].keys)
    keys = [key for info in ACTIONS.values() for key in info.keys]
    assert len(keys) == len(set(keys))
    assert set(desk.window._actions) == set(ActionKey)


def test_a_menu_does_what_its_key_does_and_shows_what_is_in_use(desk: Desk) -> None:
    actions = desk.window._actions
    for key, name in ((ActionKey.DARK, "dark"), (ActionKey.REGRESSION, "regression"), (ActionKey.IPR, "ipr")):
        actions[key].trigger()
        assert desk.session.choice.name == name
        checked = [one for one in (ActionKey.DARK, ActionKey.REGRESSION, ActionKey.IPR) if actions[one].isChecked()]
        assert checked == [key]
    actions[ActionKey.MIRROR].trigger()
    assert desk.window.mirrored
    assert actions[ActionKey.MIRROR].isChecked()
    desk.press("G")
    assert actions[ActionKey.GHOSTS].isChecked()
    desk.press("4")
    assert desk.session.choice.name == "argmax-quarter"


def test_what_was_opened_is_in_the_menu_and_opens_again(desk: Desk, tmp_path: Path) -> None:
    recent = menu(desk, "File").actions()[1].menu()
    assert isinstance(recent, QMenu)
    assert not recent.menuAction().isEnabled()
    clip = tmp_path / "a & b.mp4"
    shutil.copy(SAMPLE_CLIP, clip)
    desk.window.open_source(str(clip))
    desk.window.open_source("synthetic:figure,64x48")
    menu(desk, "File").aboutToShow.emit()
    (entry,) = recent.actions()
    assert entry.text() == "a && b.mp4"
    assert recent.menuAction().isEnabled()
    entry.trigger()
    assert desk.session.source.name == "a & b.mp4"
    assert desk.window.settings_now.recent == (str(clip),)


def test_only_what_can_be_opened_again_without_a_password_is_remembered(tmp_path: Path) -> None:
    recents = RecentSources(())
    for text in ("camera:0", "synthetic", "missing.mp4", "rtsp://user:secret@host/s", "http://host/s?token=1"):
        recents.add(text)
    assert recents.sources == ()
    recents.add("rtsp://host/stream")
    files = [tmp_path / f"{i}.mp4" for i in range(MOST_RECENT + 2)]
    for path in files:
        path.touch()
        recents.add(str(path))
    assert recents.sources == tuple(map(str, files[:1:-1]))
    recents.add(str(files[5]))
    assert recents.sources[0] == str(files[5])
    assert len(set(recents.sources)) == MOST_RECENT


def dropped(*paths: Path | str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) if isinstance(path, Path) else QUrl(path) for path in paths])
    return data


def drop(desk: Desk, data: QMimeData) -> bool:
    """Whether the window takes it."""
    action, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(100, 100), action, data, buttons, keys)
    enter.ignore()
    QApplication.sendEvent(desk.window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(desk.window, QDropEvent(QPointF(100, 100), action, data, buttons, keys))
    return enter.isAccepted()


def test_a_video_or_a_folder_that_is_dropped_is_opened(desk: Desk, tmp_path: Path) -> None:
    assert drop(desk, dropped(SAMPLE_CLIP))
    assert desk.session.source.name == SAMPLE_CLIP.name
    write_images(tmp_path / "images", ["1.png", "2.png"])
    assert drop(desk, dropped(tmp_path / "images"))
    assert desk.session.source.name == "images"
    assert not drop(desk, dropped(SAMPLE_CLIP, tmp_path / "images"))
    assert desk.session.source.name == "images"


def test_a_network_that_is_dropped_reads_from_then_on(desk: Desk) -> None:
    source = desk.session.source
    path = model_file("heavy")[0]
    assert drop(desk, dropped(path))
    assert desk.session.source is source
    assert desk.session._wanted.model == str(path)


def test_what_cannot_be_opened_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    source = desk.session.source
    assert drop(desk, dropped(tmp_path / "notes.txt"))
    assert desk.message_kind == "error"
    assert desk.session.source is source


@pytest.mark.parametrize(
    ("text", "expected"),
    [("rtsp://host/stream", "rtsp://host/stream"), ("just words", ""), ("see http://host for more", ""), ("", "")],
)
def test_an_address_may_be_dropped_as_text(text: str, expected: str) -> None:
    data = QMimeData()
    data.setText(text)
    assert dropped_text(data) == expected


def test_numbers_are_copied_as_a_table(desk: Desk) -> None:
    desk.wait(lambda: desk.session.board.read().jitter.joints)
    desk.window._actions[ActionKey.COPY].trigger()
    lines = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert lines[1][:3] == ["decoder", "β", "jitter px"]
    table = {line[0]: line for line in lines[2:8]}
    assert list(table) == ["Argmax", "Argmax ¼", "DARK", "IPR", "Debiased IPR", "Regression"]
    assert [name for name, line in table.items() if line[-1] == "yes"] == ["Debiased IPR"]
    assert table["IPR"][1] == table["Debiased IPR"][1] == "10"
    # Each decoder of the stub lies two pixels further right than the one before; its peaks where argmax lies.
    assert [float(line[4]) for line in table.values()] == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.01)
    assert lines[8][0] == "latency ms"
    assert {"network", "painted"} <= {line[0] for line in lines[9:]}


@pytest.mark.thorough
def test_place_panel_and_choices_are_kept(open_window: OpenWindow) -> None:
    desk = open_window()
    desk.wait_for_picture()
    desk.window.resize(1100, 700)
    desk.window.panel.show_named_tab("view")
    desk.window.appearance.set_theme("light")
    desk.window.appearance.set_language("zh_CN")
    kept = desk.window.settings_now
    assert (kept.tab, kept.theme, kept.language) == ("view", "light", "zh_CN")
    desk.window.close()
    again = open_window(settings=dataclasses.replace(kept, preroll_s=0.0))
    # The screen of these tests is narrower.
    assert again.window.height() == 700
    assert again.window.panel.tab_name == "view"
    assert (again.window.settings_now.theme, again.window.settings_now.language) == ("light", "zh_CN")
    again.window.appearance.set_theme("dark")  # for the other tests


def test_a_place_that_makes_no_sense_is_not_used(open_window: OpenWindow) -> None:
    desk = open_window(settings=Settings(preroll_s=0.0, window="AAAA", tab="nonsense"))
    assert (desk.window.width(), desk.window.height()) == (1280, 720)
    assert desk.window.panel.tab_name == "meters"

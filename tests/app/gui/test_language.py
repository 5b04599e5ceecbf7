"""The window in Chinese: every text has its translation, nothing is left in English, and what decides the language."""

from __future__ import annotations

import ast
import html
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QBuffer, Qt, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabBar,
    QTableWidget,
    QWidget,
)

from app.bundled import TRANSLATIONS
from app.checkup.examination import Check
from app.decoder_display import PAPER_FORM, READING_NAMES, display_title
from app.exporters import KEYPOINT_FORMATS
from app.gui.checkup_dialog import CheckupDialog
from app.gui.delay_card import DelayDialog
from app.gui.glass_to_glass import DelayPage
from app.gui.help_dialog import HelpDialog
from app.gui.hold_still_card import HoldStillDialog
from app.gui.language import install_language, language_for, tr
from app.gui.side_panel import TAB_NAMES
from app.gui.source_dialog import CameraChoice, SourceDialog
from app.lab.readings import lab_title
from app.meters.board import STAGES
from app.meters.delay_measurement import DelayMeasurement
from app.meters.glass_to_glass import Outcome
from app.settings import LANGUAGES, Settings
from models.engines.choice import NO_HEATMAPS
from models.skeletons import BLAZEPOSE_33
from tests.app import test_delay_card
from tests.app.gui import test_hold_still_card
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubSession
from tests.app.gui.test_checkup_dialog import WELL, checks
from tests.app.gui.test_inspection import MapEstimator

ROOT = Path(__file__).parents[3]
# What stays as it is in Chinese: terms of the field, names of programs, formats, units, keys and options.
_LATIN = """
argmax Argmax IPR DARK softmax soft CVPR ICCV MediaPipe PoseLandmarker PoseScope lite full heavy task pth tar cpu CPU
CUDA CSV PNG JSON Lines COCO OpenPose OBS FFmpeg MOV MKV AVI WebM rtsp RTSP HTTP MJPEG MPEG HLS UDP udp live user
password glass fps Ctrl Shift Esc Space Page Down Home End English Language GPU SimpleBaseline HRNet
"""
LATIN = frozenset(_LATIN.split())


# --- the file of translations ---------------------------------------------------------------------------------------


@cache
def used() -> frozenset[str]:
    """Every text under app/ that is given to `tr` or `mark`."""
    texts: set[str] = set()
    for path in (ROOT / "app").rglob("*.py"):
        source = path.read_text("utf-8")
        if "tr(" not in source and "mark(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("tr", "_tr", "mark"):
                (text,) = node.args
                assert not isinstance(text, ast.JoinedStr | ast.BinOp), f"{path}:{node.lineno}: values come afterwards"
                assert name != "mark" or isinstance(text, ast.Constant), f"{path}:{node.lineno}: no text to be found"
                if isinstance(text, ast.Constant):
                    texts.add(text.value)
    return frozenset(texts)


@cache
def translations() -> dict[str, str]:
    """English -> Chinese; only what is finished."""
    (context,) = ElementTree.parse(TRANSLATIONS / "posescope_zh_CN.ts").getroot().findall("context")
    assert context.findtext("name") == "PoseScope"
    pairs = [(message.findtext("source") or "", message.find("translation")) for message in context.findall("message")]
    assert len(dict(pairs)) == len(pairs), "a text is there twice"
    return {source: str(found.text) for source, found in pairs if found is not None and not found.get("type")}


def places(text: str) -> list[str]:
    """`{values}`, <tags> and the key of a menu or button, none of which may be lost."""
    return sorted(re.findall(r"\{[^{}]*\}|</?\w+>|&(?=\w)", text))


def test_every_text_has_a_translation_and_no_translation_is_left_over() -> None:
    assert used() - translations().keys() == set(), "add them to posescope_zh_CN.ts and run pyside6-lrelease"
    assert translations().keys() - used() == set(), "take them out of posescope_zh_CN.ts"


def test_values_tags_and_keys_are_the_same_in_both_languages() -> None:
    assert {text: said for text, said in translations().items() if places(text) != places(said)} == {}


def test_the_compiled_file_says_the_same() -> None:
    translator = QTranslator()
    assert translator.load(str(TRANSLATIONS / "posescope_zh_CN.qm"))
    compiled = {text: translator.translate("PoseScope", text) for text in used()}
    assert compiled == {text: translations()[text] for text in used()}, "run pyside6-lrelease"


def test_what_other_parts_of_the_app_name_is_translated() -> None:
    named = {*READING_NAMES.values(), *map(display_title, READING_NAMES), lab_title(PAPER_FORM), *STAGES, NO_HEATMAPS}
    named |= {joint.replace("_", " ") for joint in BLAZEPOSE_33.joints}
    named |= {form.title for form in KEYPOINT_FORMATS.values()}
    named |= {outcome.value for outcome in Outcome if outcome is not Outcome.SEEN}
    named |= StubSession(SplitSource()).dropped.keys()
    assert named - translations().keys() == set()


# --- what is on the screen ------------------------------------------------------------------------------------------


@pytest.fixture
def chinese(qapp: QApplication) -> Iterator[None]:
    install_language(qapp, "zh_CN")
    yield
    install_language(qapp, "en")


def written(widget: QWidget) -> Iterator[str]:
    """All that one widget says: what is written on it, its tooltips, and what a screen reader reads."""
    yield from (widget.toolTip(), widget.statusTip(), widget.accessibleName(), widget.accessibleDescription())
    for action in widget.actions():
        yield from (action.text(), action.toolTip(), action.statusTip())
    if widget.isWindow():
        yield widget.windowTitle()
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        yield widget.text()
    if isinstance(widget, QComboBox | QLineEdit):
        yield widget.placeholderText()
    if isinstance(widget, QMenu):
        yield widget.title()
    if isinstance(widget, QSpinBox):
        yield widget.suffix()
    if isinstance(widget, QTabBar):
        yield from (text(i) for text in (widget.tabText, widget.tabToolTip) for i in range(widget.count()))
    if isinstance(widget, QTableWidget):
        yield from (widget.horizontalHeaderItem(column).text() for column in range(widget.columnCount()))
    if isinstance(widget, QComboBox | QAbstractItemView) and widget.model() is not None:
        model = widget.model()
        for row in range(model.rowCount()):
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                yield str(model.index(row, 0).data(role) or "")


def painted(widget: QWidget) -> Iterator[str]:
    """What is on the screen, also where a widget paints its own texts: a vector picture keeps them as texts."""
    buffer, picture = QBuffer(), QSvgGenerator()
    picture.setOutputDevice(buffer)
    picture.setSize(widget.size())
    widget.render(picture)
    for element in ElementTree.fromstring(buffer.data().data()).iter("{http://www.w3.org/2000/svg}text"):
        yield "".join(element.itertext())


def english_in(texts: Iterable[str], names: Iterable[str] = ()) -> dict[str, set[str]]:
    """Texts with words that are not Chinese. names: of sources, folders and the like, which may have any."""
    found = {}
    for text in texts:
        rest = html.unescape(re.sub(r"<[^>]+>", " ", text))
        for name in sorted(names, key=len, reverse=True):  # the name of a file may hold that of a source
            rest = rest.replace(name, " ")
        if words := set(re.findall("[A-Za-z]{3,}", rest)) - LATIN:
            found[text] = words
    return found


def check(window: QWidget, *names: str) -> None:
    texts = [text for part in (window, *window.findChildren(QWidget)) for text in written(part)]
    shown = list(painted(window))
    assert english_in((*texts, *shown), names) == {}
    assert re.search("[\u4e00-\u9fff]", "".join(shown)), "nothing to be read"


NAMES = ("split", "stub", "synthetic")


@pytest.fixture
def chinese_desk(chinese: None, open_window: OpenWindow) -> Desk:
    session = StubSession(SplitSource(), MapEstimator())
    desk = open_window(session, settings=Settings(preroll_s=0.0, language="zh_CN"))
    desk.wait_for_picture()
    desk.wait(lambda: desk.session.board.read().jitter.joints)
    return desk


@pytest.mark.usefixtures("chinese")
def test_english_is_found_where_it_is_painted_or_said(qtbot) -> None:
    label = QLabel("抖动 jitter")
    label.setToolTip("热力图 heatmap")
    qtbot.addWidget(label)
    assert list(english_in(painted(label)).values()) == [{"jitter"}]
    assert english_in(written(label)) == {"抖动 jitter": {"jitter"}, "热力图 heatmap": {"heatmap"}}


def test_nothing_of_the_window_is_left_in_english(chinese_desk: Desk) -> None:
    desk, panel = chinese_desk, chinese_desk.window.panel
    for key in "DGAHO":
        desk.press(key)
    for tab in TAB_NAMES:
        panel.show_named_tab(tab)
        panel.meters.refresh_numbers()
        desk.shown_from_now()
        assert english_in(painted(desk.window), NAMES) == {}, tab
    check(desk.window, *NAMES)
    messages = []
    for key in "TTRRS ":
        desk.press(key)
        messages.append(desk.message)
    names = (*NAMES, str(desk.recordings), *(path.name for path in desk.files()))
    assert english_in(messages, names) == {}
    assert len(set(messages)) > 3
    desk.window.messages.clear()
    desk.press("L")
    check(desk.window, *names)
    desk.press("L")
    desk.press("F")
    desk.wait(lambda: desk.window.isFullScreen())
    check(desk.window, *names)


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.thorough), "zh_CN"])
def test_no_panel_has_to_scroll_in_a_small_window(qapp: QApplication, open_window: OpenWindow, language: str) -> None:
    install_language(qapp, language)
    desk = open_window()
    install_language(qapp, "en")
    desk.window.resize(1280, 720)
    desk.press("O")
    desk.wait(lambda: not desk.window.panel.meters._smoothing_text.isHidden())
    for tab in TAB_NAMES:
        desk.window.panel.show_named_tab(tab)
        (area,) = [area for area in desk.window.panel.findChildren(QScrollArea) if area.isVisible()]
        QApplication.processEvents()
        assert area.widget().minimumSizeHint().height() <= area.viewport().height(), tab


def test_nothing_of_the_tour_is_left_in_english(chinese_desk: Desk) -> None:
    desk, seen = chinese_desk, set()
    desk.window.tour.start()
    card = next(frame for frame in desk.view.findChildren(QWidget) if frame.objectName() == "tour")
    while desk.window.tour.is_running:
        texts = [text for part in card.findChildren(QWidget) for text in written(part)]
        assert english_in(texts) == {}
        seen.add("".join(texts))
        next(button for button in card.findChildren(QPushButton) if button.objectName() == "primary").click()
    assert len(seen) == 5


def dialogs(desk: Desk) -> Iterator[QDialog]:
    """Every dialog of the window, one after the other."""
    parent, folder = desk.window, desk.recordings
    yield HelpDialog(parent, QAction(tr("Is everything all right?"), parent))
    webcam = CameraChoice("Webcam", "camera:0", [(1280, 720, 30.0, "MJPG")], "usb-1")
    yield SourceDialog(lambda: [webcam], parent)
    yield CheckupDialog(checks(WELL), parent)
    yield CheckupDialog((Check("Python", list),), parent)
    yield HoldStillDialog(test_hold_still_card.card_of(joints_left_out=("nose",)), folder, parent)
    yield DelayDialog(test_delay_card.card_of(missed=4), folder, parent)
    yield DelayDialog(test_delay_card.card_of(refresh_hz=0.0, every=3), folder, parent)
    page = DelayPage(parent)
    yield page
    page.show_pattern()
    page.show_state(DelayMeasurement("Webcam", 60.0, tr=tr).state(), 50, 3.0)
    yield page
    page.show_failure(DelayMeasurement("Webcam", 60.0, tr=tr).state().message)
    yield page


def test_nothing_of_the_dialogs_is_left_in_english(chinese_desk: Desk) -> None:
    # Findings and facts about the computer are English: they are sent to whoever helps.
    names = (*NAMES, "http://192.168.1.20:8080/video.mjpg", "Webcam", "MJPG", "usb-1", "walk.mp4", "Python", WELL.told)
    names += ("nose",)  # among what is left out, as in the files
    for dialog in dialogs(chinese_desk):
        dialog.show()
        if isinstance(dialog, CheckupDialog):
            chinese_desk.wait(lambda dialog=dialog: not dialog.examining)
            assert isinstance(dialog, CheckupDialog)
            facts = [label.text() for label in dialog.findChildren(QLabel) if label.text().startswith("PoseScope ")]
            check(dialog, *names, *facts)
        else:
            check(dialog, *names)
        if not isinstance(dialog, DelayPage):
            dialog.close()


# --- what decides ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (["zh-Hans-CN", "zh-CN", "zh"], "zh_CN"), (["zh_CN"], "zh_CN"), (["zh_SG"], "zh_CN"), (["zh"], "zh_CN"),
        (["zh-Hant-TW", "zh-TW"], "en"), (["zh_HK"], "en"), (["ja_JP", "zh_CN"], "en"), (["de-DE"], "en"),
        (["C"], "en"), ([], "en"),
    ],
)  # fmt: skip
def test_the_first_language_of_the_system_decides(asked: list[str], language: str) -> None:
    assert language_for("system", asked) == language
    assert [language_for(choice, asked) for choice in LANGUAGES[1:]] == ["en", "zh_CN"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the environment decides on Linux only")
@pytest.mark.parametrize(("locale", "language"), [("zh_CN.UTF-8", "zh_CN"), ("zh_TW.UTF-8", "en")])
def test_the_system_is_asked(locale: str, language: str) -> None:
    code = "from app.gui.language import language_for; print(language_for('system'))"
    environment = {name: value for name, value in os.environ.items() if name != "LANGUAGE"} | {"LC_ALL": locale}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == language, done.stderr


def language_menu(desk: Desk) -> dict[str, QAction]:
    (menu,) = [menu for menu in desk.window.menu.findChildren(QMenu) if menu.title() == "Language"]
    return {action.text(): action for action in menu.actions()}


@pytest.mark.skipif(sys.platform == "darwin", reason="the menus are the system's there")
def test_the_menu_keeps_the_choice_and_says_when_it_counts_in_the_language_chosen(desk: Desk) -> None:
    menu = language_menu(desk)
    assert [name for name, action in menu.items() if action.isChecked()] == ["As the system"]
    menu["English"].trigger()  # which it is already
    assert (desk.message, desk.window.settings_now.language) == ("", "en")
    menu["简体中文"].trigger()
    assert desk.message == translations()["The language changes when PoseScope is started the next time."]
    assert desk.window.settings_now.language == "zh_CN"
    assert desk.button("Snapshot").text() == "Snapshot"  # until then

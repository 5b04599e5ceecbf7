"""The application that all tests of the window share, windows for single tests, and a look at what they leave."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.gui.qt_environment import prepare_qt_environment

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
prepare_qt_environment()  # before anything of Qt is imported

from PySide6.QtCore import QCoreApplication, QEvent, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication, QDialog, QWidget  # noqa: E402
from pytestqt.qtbot import QtBot  # noqa: E402

from app.gui.garbage import GarbageOnQtThread  # noqa: E402
from app.gui.main_window import MainWindow  # noqa: E402
from app.gui.theme import apply_theme, styled_at_the_end  # noqa: E402
from app.session import Session  # noqa: E402
from app.settings import Settings  # noqa: E402
from tests.app.gui.desk import LONG_MS, MISSING_OFFSCREEN, Desk, SplitSource, StubSession, stub_session  # noqa: E402

OpenWindow = Callable[..., Desk]


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    apply_theme(qapp)
    return qapp


@pytest.fixture(scope="package")
def garbage(qapp: QApplication) -> Iterator[GarbageOnQtThread]:
    """The collector as in the application, for all tests of the window; those after them have Python's own."""
    garbage = GarbageOnQtThread(qapp)
    yield garbage
    garbage.give_back()


def _delete_what_is_due() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QCoreApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _running_timers(owner: QWidget | QApplication) -> list[QTimer]:
    return [timer for timer in owner.findChildren(QTimer) if timer.isActive()]


@pytest.fixture(autouse=True)
def nothing_is_left_on_the_desktop(qapp: QApplication, garbage: GarbageOnQtThread, qtlog) -> Iterator[None]:
    """Fails a test that leaves a window, a dialog or a running timer, or that makes Qt complain."""
    yield
    # Qt's platform without a screen would delete what is in its clipboard after Python has ended, and crash.
    QApplication.clipboard().clear()
    _delete_what_is_due()
    widgets = QApplication.topLevelWidgets()
    left = [widget for widget in widgets if widget.isVisible() or isinstance(widget, QDialog)]
    timers = [timer for owner in (*widgets, qapp) for timer in _running_timers(owner) if timer.parent() is not garbage]
    # So that the next tests do not fail of it too.
    for widget in left:
        widget.close()
        widget.deleteLater()
    for timer in timers:
        timer.stop()
    _delete_what_is_due()
    assert not left, f"left open: {left}"
    assert not timers, f"left running: {[timer.parent() for timer in timers]}"
    complaints = [record.message for record in qtlog.records if record.matches_level("WARNING")]
    assert [text for text in complaints if not text.startswith(MISSING_OFFSCREEN)] == []


@pytest.fixture
def open_window(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[OpenWindow]:
    """Opens a window: by default on SplitSource and a stub of the network, recording into a folder of the test."""
    windows: list[MainWindow] = []

    def open_it(
        session: Session | None = None, recordings: Path | None = None, settings: Settings | None = None
    ) -> Desk:
        folder = recordings or tmp_path / "recordings"
        # Without the last seconds, which cost an encoder in each test.
        settings = settings or Settings(preroll_s=0.0)
        with styled_at_the_end(qapp):
            window = MainWindow(session or StubSession(SplitSource()), stub_session, folder, settings)
        windows.append(window)
        desk = Desk(qtbot, window, folder)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(lambda: window.isActiveWindow(), timeout=LONG_MS)
        return desk

    yield open_it
    running, alive = [], []
    for window in windows:
        window.close()
        if not window.session.pipeline.join(0):
            alive.append(window.session.source.name)
            window.session.stop()  # its threads would keep pytest from ending
        running += _running_timers(window)
        window.deleteLater()
    assert not alive, f"the threads of a closed window still run: {alive}"
    assert not running, f"still running in a closed window: {[timer.parent() for timer in running]}"


@pytest.fixture
def desk(open_window: OpenWindow) -> Desk:
    """A window with a picture and a person in it."""
    desk = open_window()
    desk.wait_for_picture()
    return desk

"""Widgets in a reference cycle are destroyed on Qt's thread, whatever thread allocates what."""

from __future__ import annotations

import gc
import threading

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.gui.garbage import GarbageOnQtThread


class Noted(QWidget):
    """In a cycle with itself, with a running timer that no other thread may stop."""

    destroyed_on: list[threading.Thread]

    def __init__(self, destroyed_on: list[threading.Thread]) -> None:
        super().__init__()
        self.itself = self
        self.destroyed_on = destroyed_on
        QTimer(self, interval=1000).start()

    def __del__(self) -> None:
        self.destroyed_on.append(threading.current_thread())


def allocate(cycles: int) -> None:
    for _ in range(cycles):
        cycle: list[object] = []
        cycle.append(cycle)


def test_what_another_thread_allocates_destroys_no_widget(qtbot: QtBot, garbage: GarbageOnQtThread) -> None:
    destroyed_on: list[threading.Thread] = []
    Noted(destroyed_on)
    worker = threading.Thread(target=allocate, args=(200_000,))
    worker.start()
    worker.join()
    assert destroyed_on == []
    assert sum(gc.get_count()) > 100_000  # it was due long ago
    qtbot.waitUntil(lambda: bool(destroyed_on))
    assert destroyed_on == [threading.main_thread()]


def test_the_oldest_generation_has_its_turn_too(qapp: QApplication, garbage: GarbageOnQtThread) -> None:
    destroyed_on: list[threading.Thread] = []
    widget = Noted(destroyed_on)
    gc.collect(0)
    gc.collect(1)
    del widget
    gc.collect(1)
    assert destroyed_on == []
    for _ in range(150):  # over ten times ten collections of the youngest
        allocate(1000)
        garbage.collect()
    assert destroyed_on


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was_found(qapp: QApplication, garbage: GarbageOnQtThread, enabled: bool) -> None:
    if enabled:
        gc.enable()
    try:
        another = GarbageOnQtThread(qapp)
        assert not gc.isenabled()
        another.give_back()
        assert gc.isenabled() == enabled
        another.deleteLater()
    finally:
        gc.disable()

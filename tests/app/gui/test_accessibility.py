"""Everything can be reached by the Tab key and has a name for screen readers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from app.gui.actions import ActionKey
from app.gui.help_dialog import HelpDialog
from app.gui.side_panel import TAB_NAMES
from app.gui.source_dialog import SourceDialog
from tests.app.gui.desk import Desk, top_levels

CONTROLS = (QAbstractButton, QComboBox, QAbstractSlider, QTabBar, QLineEdit)


def name_of(widget: QWidget) -> str:
    """What a screen reader says. (Not asked of Qt's QAccessible, whose objects crash now and then under Python.)"""
    return widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")


def controls(window: QWidget) -> list[QWidget]:
    """Those that a user could click at this moment."""
    found = []
    for kind in CONTROLS:
        for widget in window.findChildren(kind):
            part = isinstance(widget.parent(), (QTabBar, QComboBox, QAbstractItemView)) or isinstance(
                widget, QScrollBar
            )
            if widget.isVisible() and widget.isEnabled() and not part:
                found.append(widget)
    return found


def chain(window: QWidget) -> set[QWidget]:
    """The widgets of the focus chain that Tab stops at."""
    found, widget = set(), window.nextInFocusChain()
    while widget is not window:
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.add(widget)
        widget = widget.nextInFocusChain()
    return found


def check(window: QWidget) -> None:
    stops = chain(window)
    for stop in stops:
        assert name_of(stop).strip(), f"no name: {stop} in {stop.parent()} of {stop.parent().parent()}"
    for control in controls(window):
        name = name_of(control)
        assert name.strip(), f"no name: {control} {control.toolTip()}"
        reachable = control in stops or control.focusProxy() in stops
        # A group of exclusive buttons is one stop, its others are reached by the arrow keys.
        group = control.group() if isinstance(control, QAbstractButton) else None
        if group is not None and group.exclusive():
            reachable = any(button in stops for button in group.buttons())
        assert reachable, f"not reached by Tab: {control} “{name}”"


@pytest.mark.parametrize("tab", TAB_NAMES)
def test_every_control_of_the_window_has_a_name_and_is_reached_by_tab(desk: Desk, tab: str) -> None:
    desk.window.panel.show_named_tab(tab)
    check(desk.window)


def test_every_control_of_the_laboratory_too(desk: Desk) -> None:
    desk.press("L")
    check(desk.window)


def test_every_control_of_the_dialogs_too(desk: Desk) -> None:
    for key, kind in ((ActionKey.HELP, HelpDialog), (ActionKey.OPEN, SourceDialog)):
        desk.window._actions[key].trigger()
        (dialog,) = top_levels(kind)
        check(dialog)
        dialog.close()


def test_every_control_of_the_transport_bar_and_the_tour_too(desk: Desk) -> None:
    desk.window.tour.start()
    desk.wait_for_picture()
    assert desk.window.transport.isVisible()
    check(desk.window)
    desk.window.tour.end()

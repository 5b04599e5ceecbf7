"""The window's actions: what is done where a key is pressed or a menu's entry chosen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence

from app.gui.actions import ACTIONS, ActionKey
from app.gui.checkup_dialog import open_checkup
from app.gui.help_dialog import HelpDialog
from app.gui.language import tr

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

_DECODERS = (
    ActionKey.ARGMAX, ActionKey.IPR, ActionKey.DEBIASED, ActionKey.QUARTER, ActionKey.DARK, ActionKey.REGRESSION,
)  # fmt: skip
_CHECKABLE = frozenset(
    (
        *_DECODERS,
        ActionKey.RECORD,
        ActionKey.PAUSE,
        ActionKey.MIRROR,
        ActionKey.GHOSTS,
        ActionKey.SPLIT,
        ActionKey.SMOOTHING,
    )
)
_REPEATED = (ActionKey.STEP_BACK, ActionKey.STEP_FORWARD)


def make_actions(window: MainWindow) -> dict[ActionKey, QAction]:
    """An action for each key of ACTIONS, with its shortcuts, added to the window."""
    actions: dict[ActionKey, QAction] = {}
    for key, handler in _handlers(window, actions).items():
        info = ACTIONS[key]
        action = QAction(tr(info.title), window)
        action.setShortcuts([QKeySequence(text) for text in info.keys])
        action.setAutoRepeat(key in _REPEATED)
        action.setCheckable(key in _CHECKABLE)
        action.setStatusTip(tr(info.explained))
        # Whether it is checked is told by what is in use, not by the click.
        action.triggered.connect(
            lambda _checked=False, key=key, handler=handler: window.reference.allows(key) and handler()
        )
        action.triggered.connect(window.show_checks)
        window.addAction(action)
        actions[key] = action
    actions[ActionKey.QUIT].setMenuRole(QAction.MenuRole.QuitRole)  # macOS knows it by its English name only
    leave = QAction(window)
    leave.setShortcut(QKeySequence(Qt.Key.Key_Escape))
    leave.triggered.connect(window.leave)
    window.addAction(leave)
    return actions


def _handlers(window: MainWindow, actions: dict[ActionKey, QAction]) -> dict[ActionKey, Callable[[], object]]:
    panel = window.panel
    return {
        **{key: partial(window.choose_decoder, key.value) for key in _DECODERS},
        ActionKey.RECORD: window.recording.toggle,
        ActionKey.SAVE_LAST: window.recording.save_last,
        ActionKey.COMPARE_LAST: window.comparison.compare,
        ActionKey.PAUSE: window.toggle_pause,
        ActionKey.STEP_BACK: lambda: window.step(-1),
        ActionKey.STEP_FORWARD: lambda: window.step(1),
        ActionKey.MIRROR: window.toggle_mirror,
        ActionKey.SNAPSHOT: window.recording.save_snapshot,
        ActionKey.FULL_SCREEN: window.toggle_full_screen,
        ActionKey.OPEN: window.source.choose,
        ActionKey.FOLDER: window.recording.show_folder,
        ActionKey.GHOSTS: panel.looks.toggle_ghosts,
        ActionKey.ARROWS: panel.looks.next_arrows,
        ActionKey.HEATMAP: panel.looks.next_heatmap,
        ActionKey.SPLIT: lambda: panel.looks.toggle_split(beside=window.session.choice.name),
        ActionKey.SMOOTHING: lambda: panel.looks.set_smoothing(not panel.looks.smoothing_on),
        ActionKey.HOLD_STILL: window.inspection.hold_still,
        ActionKey.DELAY: window.delay.measure,
        ActionKey.COPY: window.inspection.copy_numbers,
        ActionKey.LABORATORY: window.toggle_laboratory,
        ActionKey.TOUR: lambda: window.tour.start(),
        ActionKey.CHECKUP: lambda: open_checkup(window, window.recordings, window.session.device_label),
        ActionKey.HELP: lambda: HelpDialog(window, actions[ActionKey.CHECKUP]).open(),
        ActionKey.QUIT: window.close,
    }


def show_checks(window: MainWindow, actions: dict[ActionKey, QAction]) -> None:
    """Check those actions that are in use."""
    looks = window.panel.looks
    in_use = {
        ActionKey.RECORD: window.session.recorder is not None,
        ActionKey.PAUSE: window.session.paused,
        ActionKey.MIRROR: window.mirrored,
        ActionKey.GHOSTS: bool(looks.ghosts),
        ActionKey.SPLIT: bool(looks.split),
        ActionKey.SMOOTHING: looks.smoothing_on,
        **{key: window.session.choice.name == key.value for key in _DECODERS},
    }
    for key, checked in in_use.items():
        actions[key].setChecked(checked)

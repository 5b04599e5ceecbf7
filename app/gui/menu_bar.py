"""File, View, Decoder, Help: everything that the window can do, with its keys."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from app.gui.actions import ActionKey
from app.gui.appearance import THEME_NAMES, Appearance
from app.gui.language import LANGUAGE_NAMES, tr
from app.gui.network_menu import NetworkMenu
from app.gui.pages import Pages
from app.gui.record_menu import RecordMenu

_K = ActionKey
# None is a line between two groups.
_FILE_1 = (_K.OPEN,)
_FILE_2 = (None, _K.RECORD, _K.SNAPSHOT, _K.SAVE_LAST, _K.COMPARE_LAST)
_FILE_3 = (_K.FOLDER, None, _K.QUIT)
_VIEW = (
    _K.MIRROR, _K.FULL_SCREEN, _K.LABORATORY, None, _K.SPLIT, _K.GHOSTS, _K.ARROWS, _K.HEATMAP, _K.SMOOTHING, None,
    _K.PAUSE, _K.STEP_BACK, _K.STEP_FORWARD, None, _K.COPY, None,
)  # fmt: skip
_DECODERS = (_K.ARGMAX, _K.IPR, _K.DEBIASED, _K.QUARTER, _K.DARK, _K.REGRESSION, None, _K.HOLD_STILL, None)
_HELP = (_K.TOUR, _K.HELP, None, _K.DELAY, _K.CHECKUP)


class MainMenu(QMenuBar):
    """The menus. On macOS they are at the top of the screen, elsewhere in the bar of the pages.

    recents: gives the sources that were opened last. open_source: is given the one that was chosen.
    """

    def __init__(
        self,
        actions: dict[ActionKey, QAction],
        record_menu: RecordMenu,
        network: NetworkMenu,
        appearance: Appearance,
        recents: Callable[[], Sequence[str]],
        open_source: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._actions = actions
        self._recents, self._open_source = recents, open_source
        file = self.addMenu(tr("&File"))
        self._add(file, _FILE_1)
        self._recent = file.addMenu(tr("Open recent"))
        # Not its own signal, which does not come while it is greyed out.
        file.aboutToShow.connect(self._list_recent)
        self._list_recent()
        self._add(file, _FILE_2)
        record_menu.setTitle(tr("What is recorded"))
        file.addMenu(record_menu)
        self._add(file, _FILE_3)
        view = self.addMenu(tr("&View"))
        self._add(view, _VIEW)
        self._add_choice(view, tr("Theme"), THEME_NAMES, appearance.theme, appearance.set_theme)
        self._add_choice(view, tr("Language"), LANGUAGE_NAMES, appearance.language, appearance.set_language)
        decoder = self.addMenu(tr("&Decoder"))
        self._add(decoder, _DECODERS)
        network_menu = network.menu()
        network_menu.setTitle(tr("Network and device"))
        decoder.addMenu(network_menu)
        self._add(self.addMenu(tr("&Help")), _HELP)

    def place(self, window: QMainWindow, pages: Pages) -> None:
        """Put it where the system's users look for it."""
        if sys.platform == "darwin":
            window.setMenuBar(self)
        else:
            self.setNativeMenuBar(False)
            pages.add_menu(self)

    def _add(self, menu: QMenu, keys: Sequence[ActionKey | None]) -> None:
        for key in keys:
            if key is None:
                menu.addSeparator()
            else:
                menu.addAction(self._actions[key])

    def _add_choice(
        self, menu: QMenu, title: str, names: dict[str, str], chosen: str, choose: Callable[[str], None]
    ) -> None:
        submenu = menu.addMenu(title)
        group = QActionGroup(self)
        for value, name in names.items():
            action = submenu.addAction(tr(name))
            action.setCheckable(True)
            action.setChecked(value == chosen)
            group.addAction(action)
            action.triggered.connect(lambda _=False, value=value: choose(value))

    def _list_recent(self) -> None:
        self._recent.clear()
        sources = self._recents()
        for source in sources:
            name = source if "://" in source else Path(source).name
            action = self._recent.addAction(name.replace("&", "&&"))
            action.setToolTip(source)
            action.triggered.connect(lambda _=False, source=source: self._open_source(source))
        self._recent.setToolTipsVisible(True)
        self._recent.menuAction().setEnabled(bool(sources))

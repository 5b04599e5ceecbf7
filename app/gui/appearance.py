"""Theme and language: chosen by the user, or as the system has them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.gui.language import in_language, language_for, mark
from app.gui.theme import apply_theme

THEME_NAMES = {"system": mark("As the system"), "light": mark("Light"), "dark": mark("Dark")}
_NEXT_TIME = mark("The language changes when PoseScope is started the next time.")


class Appearance(QObject):
    """theme, language: what was chosen; see `app.settings.Settings`. tell: says something to the user."""

    def __init__(self, parent: QObject, theme: str, language: str, tell: Callable[[str], None]) -> None:
        super().__init__(parent)
        self.theme, self.language = theme, language
        self._in_use = language_for(language)
        self._tell = tell
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def set_theme(self, theme: str) -> None:
        """system, light or dark: at once."""
        self.theme = theme
        self._apply()

    def set_language(self, choice: str) -> None:
        """system, en or zh_CN: from the next start on, since every text of the window is made with it."""
        self.language = choice
        wanted = language_for(choice)
        if wanted != self._in_use:
            self._tell(in_language(wanted, _NEXT_TIME))

    def _system_changed(self) -> None:
        if self.theme == "system":
            self._apply()

    def _apply(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, self.theme)

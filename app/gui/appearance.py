"""The theme: chosen by the user, or as the system has it."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.gui.theme import apply_theme

THEME_NAMES = {"system": "As the system", "light": "Light", "dark": "Dark"}


class Appearance(QObject):
    """theme: what was chosen; see `app.settings.Settings`."""

    def __init__(self, parent: QObject, theme: str) -> None:
        super().__init__(parent)
        self.theme = theme
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def set_theme(self, theme: str) -> None:
        """system, light or dark: at once."""
        self.theme = theme
        self._apply()

    def _system_changed(self) -> None:
        if self.theme == "system":
            self._apply()

    def _apply(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, self.theme)

"""What the window keeps from one launch to the next."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray

from app.settings import Settings

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

_SIZE = (1280, 720)


def restore_place(window: MainWindow, settings: Settings) -> None:
    """Where the window was, and which panel was in front."""
    window.resize(*_SIZE)
    window.restoreGeometry(QByteArray.fromBase64(settings.window.encode()))
    window.panel.show_named_tab(settings.tab)


def settings_of(window: MainWindow, before: Settings) -> Settings:
    """What is chosen at this moment, to be loaded at the next start; the rest as before."""
    return dataclasses.replace(
        before,
        camera=window.session.source.reopen_text or before.camera,
        wish=window.recording.wish,
        mirror=window.mirrored,
        loop=window.source.loop,
        people=window.session.most_people,
        theme=window.appearance.theme,
        language=window.appearance.language,
        recent=window.recents.sources,
        window=bytes(window.saveGeometry().toBase64().data()).decode(),
        tab=window.panel.tab_name,
    )

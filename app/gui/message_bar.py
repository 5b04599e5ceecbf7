"""One line above the picture that tells the user what happened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.gui.language import tr
from app.gui.widgets import tool_button

_INFO_SHOWN_MS = 8000


class MessageBar(QWidget):
    """Shows one message at a time, some with a button beside it. Infos go away by themselves, warnings and errors when
    they are closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setMinimumWidth(1)  # a long path must not widen the window
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._act: Callable[[], object] | None = None
        self._button = tool_button("")
        self._button.clicked.connect(self._clicked)
        self._button.hide()
        close = tool_button("✕")
        close.setAccessibleName(tr("Close the message"))
        close.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 6, 8, 6)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=_INFO_SHOWN_MS)
        self._timer.timeout.connect(self.clear)
        self.hide()

    @property
    def text(self) -> str:
        """The message that is shown, empty where none is."""
        return self._label.text() if not self.isHidden() else ""

    def show_message(self, text: str, kind: str = "info") -> None:
        """kind: info, warning or error. Whatever was offered before is so no longer."""
        self._button.hide()
        self._act = None
        self._label.setText(text)
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()
        if kind == "info":
            self._timer.start()
        else:
            self._timer.stop()

    def offer(self, text: str, title: str, act: Callable[[], object], kind: str = "info") -> None:
        """Show a message, and a button with this title that does `act`."""
        self.show_message(text, kind)
        self._act = act
        self._button.setText(title)
        self._button.setAccessibleName(title)
        self._button.show()

    def _clicked(self) -> None:
        if self._act is not None:
            self._act()

    def clear(self) -> None:
        """Take the message away."""
        self._timer.stop()
        self.hide()

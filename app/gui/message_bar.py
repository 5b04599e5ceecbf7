"""One line above the picture that tells the user what happened."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.gui.language import tr
from app.gui.widgets import tool_button

_INFO_SHOWN_MS = 8000


class MessageBar(QWidget):
    """Shows one message at a time. Infos go away by themselves, warnings and errors when they are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setMinimumWidth(1)  # a long path must not widen the window
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = tool_button("✕")
        close.setAccessibleName(tr("Close the message"))
        close.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 6, 8, 6)
        layout.addWidget(self._label, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=_INFO_SHOWN_MS)
        self._timer.timeout.connect(self.clear)
        self.hide()

    @property
    def text(self) -> str:
        """The message that is shown, empty where none is."""
        return self._label.text() if not self.isHidden() else ""

    def show_message(self, text: str, kind: str = "info") -> None:
        """kind: info, warning or error."""
        self._label.setText(text)
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()
        if kind == "info":
            self._timer.start()
        else:
            self._timer.stop()

    def clear(self) -> None:
        """Take the message away."""
        self._timer.stop()
        self.hide()

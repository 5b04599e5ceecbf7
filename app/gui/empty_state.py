"""What stands where the picture would be: why there is none, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.language import tr
from app.gui.widgets import named_label

_ICON = QSize(84, 64)


class EmptyState(QWidget):
    """open_asked, clip_asked: the user wants another source, or the shipped clip."""

    open_asked = Signal()
    clip_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = named_label("title")
        self._text = QLabel()
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setObjectName("hint")
        open_another, clip = QPushButton(tr("Open another source …")), QPushButton(tr("Watch the shipped clip"))
        open_another.setObjectName("primary")
        open_another.clicked.connect(self.open_asked)
        clip.clicked.connect(self.clip_asked)
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 8, 0, 0)
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(open_another)
        row.addWidget(clip)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch(1)
        layout.addWidget(_CameraIcon(), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._title)
        layout.addWidget(self._text)
        layout.addWidget(self._buttons)
        layout.addStretch(1)
        self.hide()

    def show_state(self, title: str, text: str, *, can_open: bool) -> None:
        """can_open: offer other sources."""
        self._title.setText(title)
        self._text.setText(text)
        self._buttons.setVisible(can_open)
        self.show()


class _CameraIcon(QWidget):
    """A camera, crossed out."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_ICON)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(theme.MUTED), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(8, 16, 48, 36), 7, 7)
        painter.drawPolyline([QPointF(56, 29), QPointF(74, 20), QPointF(74, 48), QPointF(56, 39)])
        painter.setPen(QPen(QColor(theme.WINDOW), 9))
        painter.drawLine(QPointF(16, 58), QPointF(66, 8))
        painter.setPen(pen)
        painter.drawLine(QPointF(16, 58), QPointF(66, 8))
        painter.end()

"""Small widgets that several panels use, and makers of those that the style sheet knows by name."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPolygon
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QStyledItemDelegate, QToolButton

from app.gui import theme
from app.gui.language import tr


def named_label(name: str, text: str = "") -> QLabel:
    """A label of one of the style sheet's kinds: heading, hint, big or status."""
    label = QLabel(text)
    label.setObjectName(name)
    return label


def keep_lines(label: QLabel, count: int) -> None:
    """Give it the height of so many lines: a text that changes must not lay out the panel anew.

    Lines of a Chinese font are higher by a quarter. The first one may reach over the label's edge: there is no ink.
    """
    label.ensurePolished()
    label.setText("\n".join([tr("jitter")] * (count - 1)))
    further = label.sizeHint().height() if count > 1 else 0
    label.clear()
    label.setFixedHeight(label.fontMetrics().lineSpacing() + further)


def tool_button(text: str, *, checkable: bool = False) -> QToolButton:
    """A flat button with a text."""
    button = QToolButton()
    button.setText(text)
    button.setCheckable(checkable)
    return button


class ListBox(QComboBox):
    """A combo box that shows that it is one: the style sheet's has no arrow."""

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(QStyledItemDelegate(self))  # its own one takes no padding from the style sheet

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.MUTED))
        tip = QPoint(self.width() - 14, self.height() // 2 + 3)
        painter.drawPolygon(QPolygon([tip, tip + QPoint(-5, -6), tip + QPoint(5, -6)]))
        painter.end()


class JumpSlider(QSlider):
    """Goes to where it is clicked instead of a page toward it."""

    double_clicked = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self.double_clicked.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            margin = 8  # half the handle's width
            share = (event.position().x() - margin) / max(1, self.width() - 2 * margin)
            self.setValue(round(self.minimum() + min(max(share, 0.0), 1.0) * (self.maximum() - self.minimum())))
        super().mousePressEvent(event)

"""The joints as rows, the largest jitter or bias first, each with a bar and both numbers."""

from __future__ import annotations

import math

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.decoder_display import px_share
from app.gui import theme
from app.gui.joints.scale import BIAS, JITTER, JOINT_COUNT, JointValues, number_text, px_color, unit_text
from app.gui.language import tr
from app.gui.names import joint_name

_ROW_HEIGHT = 20
_NAME_WIDTH, _NUMBER_WIDTH = 106, 52

_Index = QModelIndex | QPersistentModelIndex


class JointModel(QAbstractListModel):
    """One row for each joint; what a screen reader says is the row's text, the joint its user data."""

    def __init__(self) -> None:
        super().__init__()
        self.order: tuple[int, ...] = tuple(range(JOINT_COUNT))
        self.values = JointValues.nothing()
        self.kind = JITTER
        self.percent_per_px: float | None = None

    def rowCount(self, parent: _Index | None = None) -> int:
        return JOINT_COUNT

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        joint = self.order[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return joint
        if role == Qt.ItemDataRole.DisplayRole:
            jitter, bias = self.numbers(joint)
            row = tr("{joint}, jitter {jitter} {unit}, bias {bias} {unit}")
            unit = unit_text(self.percent_per_px)
            return row.format(joint=joint_name(joint), jitter=jitter, bias=bias, unit=unit)
        return None

    def numbers(self, joint: int) -> tuple[str, str]:
        """Jitter and bias as text."""
        both = (self.values.jitter_px[joint], self.values.bias_px[joint])
        jitter, bias = (number_text(float(px), self.percent_per_px) for px in both)
        return jitter, bias

    def show_values(self, values: JointValues, kind: str, percent_per_px: float | None) -> None:
        """New numbers in the rows where they are."""
        self.values, self.kind, self.percent_per_px = values, kind, percent_per_px
        self.dataChanged.emit(self.index(0), self.index(JOINT_COUNT - 1))

    def sort_by(self, order: tuple[int, ...]) -> None:
        """Bring the joints into this order; the current row stays with its joint."""
        if order == self.order:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        after = [self.index(order.index(self.order[index.row()])) for index in before]
        self.order = order
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()


class _JointRow(QStyledItemDelegate):
    def __init__(self, model: JointModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(_NAME_WIDTH + 2 * _NUMBER_WIDTH, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        joint = self._model.order[index.row()]
        row, state = QRectF(option.rect), option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(_small(painter.font(), 12))
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QColor(theme.ACCENT) if state & QStyle.StateFlag.State_HasFocus else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED))
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED).darker(115))
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        px = float(self._model.values.px(self._model.kind)[joint])
        painter.setPen(QColor(theme.MUTED if math.isnan(px) else theme.TEXT))
        name = QRectF(row.left() + 6, row.top(), _NAME_WIDTH, row.height())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, joint_name(joint))
        _paint_bar(painter, row, px)
        for kind, cell, text in zip((JITTER, BIAS), number_cells(row), self._model.numbers(joint), strict=True):
            painter.setPen(QColor(theme.TEXT if kind == self._model.kind else theme.MUTED))
            painter.drawText(cell, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


def number_cells(row: QRectF) -> tuple[QRectF, QRectF]:
    """Where jitter and bias stand in a row."""
    right = row.right() - 6
    jitter = QRectF(right - 2 * _NUMBER_WIDTH, row.top(), _NUMBER_WIDTH, row.height())
    return jitter, jitter.translated(_NUMBER_WIDTH, 0)


def _paint_bar(painter: QPainter, row: QRectF, px: float) -> None:
    left = row.left() + _NAME_WIDTH + 6
    track = QRectF(left, row.center().y() - 3, number_cells(row)[0].left() - left, 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.LINE))
    painter.drawRoundedRect(track, 3, 3)
    share = px_share(px)
    if share > 0:
        painter.setBrush(px_color(px))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(6.0, track.width() * share), 6), 3, 3)


class _JointView(QListView):
    """Chooses by click, by Enter and with the arrow keys."""

    picked = Signal(int)

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(_JointRow(model, self))
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(tr("Joints by jitter or bias"))
        self.clicked.connect(self._pick)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.currentIndex().row()
        super().keyPressEvent(event)
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self.currentIndex().isValid() and (entered or self.currentIndex().row() != before):
            self._pick(self.currentIndex())

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(index.data(Qt.ItemDataRole.UserRole))


class JointList(QWidget):
    """The rows under their headings."""

    joint_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.model = JointModel()
        self.view = _JointView(self.model)
        self.view.picked.connect(self.joint_chosen)
        self._headings = _Headings(self.view, self.model)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._headings)
        layout.addWidget(self.view, 1)
        self.setMinimumHeight(_ROW_HEIGHT * 5)

    def show_values(self, values: JointValues, kind: str, percent_per_px: float | None) -> None:
        """kind: what the bars show. percent_per_px: None for px."""
        self.model.show_values(values, kind, percent_per_px)
        self._headings.update()

    def choose(self, joint: int) -> None:
        """Mark a joint and bring it into sight, without emitting anything."""
        self.view.setCurrentIndex(self.model.index(self.model.order.index(joint)))


class _Headings(QWidget):
    def __init__(self, view: QListView, model: JointModel) -> None:
        super().__init__()
        self._view, self._model = view, model
        self.setFixedHeight(16)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(_small(painter.font(), 11))
        row = QRectF(QRect(0, 0, self._view.viewport().width(), self.height()))
        unit = unit_text(self._model.percent_per_px)
        for kind, cell in zip((JITTER, BIAS), number_cells(row), strict=True):
            painter.setPen(QColor(theme.TEXT if kind == self._model.kind else theme.MUTED))
            painter.drawText(cell, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tr(kind)} {unit}")
        painter.end()


def _small(font: QFont, pixels: int) -> QFont:
    small = QFont(font)
    small.setPixelSize(pixels)
    return small

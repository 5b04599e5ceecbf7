"""A standing person whose joints are coloured by jitter or bias; a click chooses a joint."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QHelpEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.gui import theme
from app.gui.joints.scale import (
    BIAS,
    JITTER,
    JOINT_COUNT,
    MIN_SCORE,
    JointValues,
    number_text,
    px_color,
    scale_color,
    scale_ticks,
    unit_text,
)
from app.gui.language import tr
from app.gui.names import joint_name
from models.skeletons import BLAZEPOSE_33

# The person's left half, seen from the front: x from the midline, y down, the whole figure 100 high. Head, hands and
# feet are larger than life, so that their joints stand apart.
_HALF = {
    "eye_inner": (4.5, 9.5),
    "eye": (9.5, 8.5),
    "eye_outer": (14.5, 9.5),
    "ear": (20.5, 14.0),
    "mouth": (5.5, 22.0),
    "shoulder": (19.0, 36.0),
    "elbow": (33.0, 46.0),
    "wrist": (46.0, 56.0),
    "pinky": (57.5, 58.5),
    "index": (55.0, 65.5),
    "thumb": (47.5, 66.0),
    "hip": (10.5, 62.0),
    "knee": (13.0, 78.0),
    "ankle": (14.5, 92.0),
    "heel": (10.5, 98.5),
    "foot_index": (23.5, 99.0),
}
_NOSE = (0.0, 15.0)
_HEAD = QRectF(-18.5, 0, 37, 29)
_HALF_WIDTH, _TOP, _BOTTOM = 60.0, -1.0, 102.0
_FLESH = ("shoulder", "elbow", "wrist", "index"), ("hip", "knee", "ankle", "foot_index")
_SMALL_JOINTS = ("eye", "ear", "mouth", "nose", "pinky", "index", "thumb", "heel")
_SCALE_WIDTH = 46
_REACH_PX = 12.0
_LARGEST_HEIGHT = 260


def _place(joint: str) -> tuple[float, float]:
    side, _, part = joint.partition("_")
    x, y = _HALF.get(part, _NOSE)
    return (x if side == "left" else -x, y)


PLACES: tuple[tuple[float, float], ...] = tuple(_place(joint) for joint in BLAZEPOSE_33.joints)


class JointFigure(QWidget):
    """The figure with its colour scale. The person's left is at the right, as in a picture of them."""

    joint_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._values = JointValues.nothing()
        self._kind = JITTER
        self._percent_per_px: float | None = None
        self._chosen = -1
        self._hovered = -1
        self.setMinimumSize(240, 150)
        self.setMaximumHeight(_LARGEST_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Figure of the joints, coloured by jitter or bias"))

    def sizeHint(self) -> QSize:
        return QSize(330, 250)

    def show_values(self, values: JointValues, kind: str, percent_per_px: float | None) -> None:
        """kind: what colours the joints. percent_per_px: None for px."""
        self._values, self._kind, self._percent_per_px = values, kind, percent_per_px
        self.update()

    def choose(self, joint: int) -> None:
        """Mark a joint; -1 for none."""
        self._chosen = joint
        self.update()

    def place(self, joint: int) -> QPointF:
        """Where the joint's disc is drawn."""
        return self._to_widget(*PLACES[joint])

    def joint_at(self, position: QPointF) -> int:
        """The joint nearest to a place of the widget, -1 where none is near."""
        distances = [QLineF(self.place(joint), position).length() for joint in range(JOINT_COUNT)]
        nearest = min(range(JOINT_COUNT), key=distances.__getitem__)
        return nearest if distances[nearest] <= _REACH_PX else -1

    def joint_text(self, joint: int) -> str:
        """The joint's name and numbers."""
        jitter, bias = float(self._values.jitter_px[joint]), float(self._values.bias_px[joint])
        if math.isnan(jitter) and math.isnan(bias):
            return f"{joint_name(joint)}\n{tr('left out: score under {score:g}').format(score=MIN_SCORE)}"
        unit = unit_text(self._percent_per_px)
        pairs = ((JITTER, jitter), (BIAS, bias))
        numbers = (f"{tr(name)} {number_text(px, self._percent_per_px)} {unit}" for name, px in pairs)
        return f"{joint_name(joint)}\n{' · '.join(numbers)}"

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            joint = self.joint_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.joint_text(joint) if joint >= 0 else "", self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.joint_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        joint = self.joint_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and joint >= 0:
            self.joint_chosen.emit(joint)

    def _hover(self, joint: int) -> None:
        if joint != self._hovered:
            self._hovered = joint
            self.setCursor(Qt.CursorShape.PointingHandCursor if joint >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def _scale(self) -> float:
        room = (self.width() - _SCALE_WIDTH - 8) / (2 * _HALF_WIDTH)
        return min(room, self.height() / (_BOTTOM - _TOP))

    def _to_widget(self, x: float, y: float) -> QPointF:
        scale = self._scale()
        return QPointF((self.width() - _SCALE_WIDTH) / 2 + x * scale, (y - _TOP) * scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(painter.font())
        font.setPixelSize(11)
        painter.setFont(font)
        self._paint_body(painter)
        for joint in range(JOINT_COUNT):
            self._paint_joint(painter, joint)
        self._paint_scale(painter)
        painter.end()

    def _paint_body(self, painter: QPainter) -> None:
        scale = self._scale()
        color = _between(theme.PANEL, theme.LINE, 0.6)
        flesh = QPen(color, 7 * scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        flesh.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(flesh)
        for side in (1, -1):
            for chain in _FLESH:
                painter.drawPolyline(QPolygonF([self._to_widget(side * _HALF[p][0], _HALF[p][1]) for p in chain]))
        painter.setBrush(color)
        corners = ((1, "shoulder"), (1, "hip"), (-1, "hip"), (-1, "shoulder"))
        painter.drawPolygon(QPolygonF([self._to_widget(side * _HALF[p][0], _HALF[p][1]) for side, p in corners]))
        painter.drawLine(self._to_widget(0, 26), self._to_widget(0, 36))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QRectF(self._to_widget(_HEAD.left(), _HEAD.top()), _HEAD.size() * scale))
        painter.setPen(QPen(_between(theme.LINE, theme.MUTED, 0.2), 1.5))
        for first, second in BLAZEPOSE_33.limb_indices:
            painter.drawLine(self.place(first), self.place(second))
        painter.setPen(QColor(theme.MUTED))
        for side, text in ((-1, tr("right")), (1, tr("left"))):
            middle = self._to_widget(side * 40, 82)
            box = QRectF(middle.x() - 30, middle.y() - 8, 60, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_joint(self, painter: QPainter, joint: int) -> None:
        at, px = self.place(joint), float(self._values.px(self._kind)[joint])
        part = BLAZEPOSE_33.joints[joint].split("_", 1)[-1]
        small = part.startswith(_SMALL_JOINTS)
        radius = min(max(self._scale() * (1.8 if small else 2.5), 3.4 if small else 4.6), 6.5)
        if joint in (self._chosen, self._hovered):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.TEXT if joint == self._chosen else theme.MUTED), 2))
            painter.drawEllipse(at, radius + 3, radius + 3)
        if math.isnan(px):
            painter.setBrush(QColor(theme.PANEL))
            painter.setPen(QPen(QColor(theme.MUTED), 1.4))
        else:
            painter.setBrush(px_color(px))
            painter.setPen(QPen(QColor(theme.WINDOW), 1))
        painter.drawEllipse(at, radius, radius)

    def _paint_scale(self, painter: QPainter) -> None:
        bar = QRectF(self.width() - _SCALE_WIDTH, 26, 10, self.height() - 36)
        gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        for step in range(17):
            gradient.setColorAt(step / 16, scale_color(step / 16))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(gradient))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setPen(QColor(theme.MUTED))
        title = QRectF(bar.left() - 24, 0, self.width() - bar.left() + 24, 16)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        unit = "px" if self._percent_per_px is None else tr("% of body")
        painter.drawText(title, flags, unit)
        for share, text in scale_ticks(self._percent_per_px):
            y = bar.bottom() - share * bar.height()
            painter.drawLine(QPointF(bar.right() + 1, y), QPointF(bar.right() + 4, y))
            cell = QRectF(bar.right() + 7, y - 8, self.width() - bar.right() - 7, 16)
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, text)


def _between(first: str, second: str, share: float) -> QColor:
    """That share of the way from the first colour to the second."""
    a, b = QColor(first), QColor(second)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return QColor(*(round(one + share * (other - one)) for one, other in parts))

"""How the loupe draws: cells as flat squares, points at their sub-cell places, arrows to points out of sight."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QPolygonF

from app.gui import theme
from app.gui.loupe.reading import Cell, CellWindow

HALO = QColor(8, 10, 14, 230)
_PLATE = QColor(12, 15, 20, 215)
_GRID = QColor(255, 255, 255, 26)
_SMALLEST_GRID_CELL = 8
_ARROW = 12.0


@cache
def color_table() -> NDArray[np.uint32]:
    """256 colours 0xffRRGGBB from black over violet to cream, evenly bright from step to step."""
    # Here, and not at the top: OpenCV changes Qt's environment when it is imported, see qt_environment.
    import cv2

    colors = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_MAGMA)[:, 0].astype(np.uint32)
    return np.asarray(0xFF000000 | colors[:, 2] << 16 | colors[:, 1] << 8 | colors[:, 0], np.uint32)


@dataclass(frozen=True, slots=True)
class CellFrame:
    """Where a map, or a window of it, lies in the widget: `rect` in px, its first column and row, px of a cell."""

    rect: QRectF
    column: int
    row: int
    cell: float

    @classmethod
    def fit(cls, left: float, top: float, side: float, window: CellWindow) -> CellFrame:
        """The window as large as fits into the square, with cells of whole pixels where they are large enough."""
        cell = side / max(window.columns, window.rows)
        cell = math.floor(cell) if cell >= 4 else cell
        width, height = cell * window.columns, cell * window.rows
        origin = QPointF(math.floor(left + (side - width) / 2), math.floor(top + (side - height) / 2))
        return cls(QRectF(origin.x(), origin.y(), width, height), window.column, window.row, cell)

    def place(self, point: Cell) -> QPointF:
        """Where a point in cells is drawn: a cell's centre, half a cell from its edges, has integer coordinates."""
        return QPointF(
            self.rect.left() + (point[0] - self.column + 0.5) * self.cell,
            self.rect.top() + (point[1] - self.row + 0.5) * self.cell,
        )

    def draw_cells(self, painter: QPainter, values: NDArray[np.floating]) -> None:
        """values: the whole map (H, W), 0 dark to 1 light."""
        columns, rows = round(self.rect.width() / self.cell), round(self.rect.height() / self.cell)
        seen = values[self.row : self.row + rows, self.column : self.column + columns]
        colors = color_table()[(np.clip(seen, 0, 1) * 255 + 0.5).astype(np.uint8)]
        picture = QImage(colors.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawImage(self.rect, picture)
        if self.cell >= _SMALLEST_GRID_CELL:
            for column in range(1, columns):
                x = self.rect.left() + column * self.cell
                painter.fillRect(QRectF(x, self.rect.top(), 1, self.rect.height()), _GRID)
            for row in range(1, rows):
                y = self.rect.top() + row * self.cell
                painter.fillRect(QRectF(self.rect.left(), y, self.rect.width(), 1), _GRID)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def draw_disc(painter: QPainter, at: QPointF, radius: float, color: QColor) -> None:
    """A solid disc that stands out on dark and on light cells."""
    painter.setPen(QPen(HALO, 2))
    painter.setBrush(color)
    painter.drawEllipse(at, radius, radius)


def draw_ring(painter: QPainter, at: QPointF, radius: float, color: QColor) -> None:
    """A ring that stands out on dark and on light cells."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(HALO, 4.2), QPen(color, 2.2)):
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)


def draw_cross(painter: QPainter, at: QPointF, arm: float, color: QColor) -> None:
    """An upright cross."""
    for ink, reach, half in ((HALO, arm + 1, 1.7), (color, arm, 0.7)):
        painter.fillRect(QRectF(at.x() - reach, at.y() - half, 2 * reach, 2 * half), ink)
        painter.fillRect(QRectF(at.x() - half, at.y() - reach, 2 * half, 2 * reach), ink)


def edge_point(rect: QRectF, start: QPointF, goal: QPointF) -> QPointF:
    """Where the way from `start` inside of the rectangle to `goal` outside of it leaves the rectangle."""
    way = goal - start
    shares = [1.0]
    for step, begin, low, high in (
        (way.x(), start.x(), rect.left(), rect.right()),
        (way.y(), start.y(), rect.top(), rect.bottom()),
    ):
        if step:
            shares.append(((high if step > 0 else low) - begin) / step)
    return start + way * max(0.0, min(shares))


@dataclass(frozen=True, slots=True)
class Pointer:
    """An arrow at the edge of a map to a point out of sight; `text` may be empty."""

    goal: QPointF
    color: QColor
    text: str


def draw_pointers(painter: QPainter, rect: QRectF, start: QPointF, pointers: Iterable[Pointer]) -> None:
    """Arrows where the ways from `start` to the points leave the rectangle; their texts do not cover each other."""
    taken: list[QRectF] = []
    for pointer in pointers:
        tip = edge_point(rect, start, pointer.goal)
        angle = math.degrees(math.atan2(pointer.goal.y() - start.y(), pointer.goal.x() - start.x()))
        painter.setPen(QPen(pointer.color, 1.2, Qt.PenStyle.DotLine))
        painter.drawLine(start, tip)
        painter.save()
        painter.translate(tip)
        painter.rotate(angle)
        painter.setPen(QPen(HALO, 1.5))
        painter.setBrush(QBrush(pointer.color))
        painter.drawPolygon(QPolygonF([QPointF(-1, 0), QPointF(-_ARROW - 1, -7), QPointF(-_ARROW - 1, 7)]))
        painter.restore()
        if pointer.text:
            taken.append(_draw_plate(painter, rect, tip, pointer, taken))


def _draw_plate(painter: QPainter, rect: QRectF, tip: QPointF, pointer: Pointer, taken: list[QRectF]) -> QRectF:
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(pointer.text) + 10, metrics.height() + 2
    inner = rect.adjusted(3, 3, -3, -3)
    # Beside the arrow, on the side that lies further inside.
    to_middle = rect.center() - tip
    x = tip.x() + math.copysign(width / 2 + 17, to_middle.x()) if abs(to_middle.x()) > width / 2 else tip.x()
    y = tip.y() if x != tip.x() else tip.y() + math.copysign(height / 2 + 17, to_middle.y())
    plate = QRectF(x - width / 2, y - height / 2, width, height)
    plate.moveLeft(min(max(plate.left(), inner.left()), inner.right() - width))
    plate.moveTop(min(max(plate.top(), inner.top()), inner.bottom() - height))
    step = height + 2 if plate.center().y() < rect.center().y() else -height - 2
    while any(plate.intersects(other) for other in taken) and inner.contains(plate.translated(0, step)):
        plate.translate(0, step)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(pointer.color)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, pointer.text)
    return plate


def draw_note(painter: QPainter, corner: QPointF, text: str) -> None:
    """A small text on a dark plate whose bottom left corner is given."""
    metrics = painter.fontMetrics()
    plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height() + 2)
    plate.moveBottomLeft(corner)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(QColor(theme.MUTED))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

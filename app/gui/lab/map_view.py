"""The synthetic heatmap that can be dragged, and the small maps of the decoders' weights."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.language import tr
from app.gui.theme import DARK  # of the map, whatever the theme
from app.lab.readings import LAB_DECODERS, Floats, Point, Readings, lab_color

_COLOR_MAP = "magma"
_GRID_FROM_PX = 8.0
_PULL_FROM = 0.05  # cells; less is the rounding toward the peak's cell, no pull
_ARROW_FROM_PX = 26.0
_INSET_CELLS = 5.0
_INSET_SHARE = 0.33
_IPR_RADIUS = 9.0
_KEY_STEPS = {
    Qt.Key.Key_Left: (-0.5, 0.0),
    Qt.Key.Key_Right: (0.5, 0.0),
    Qt.Key.Key_Up: (0.0, -0.5),
    Qt.Key.Key_Down: (0.0, 0.5),
}


class MapView(QWidget):
    """A heatmap with square cells, as large as fits; points are in cells, the first cell's centre is (0, 0)."""

    def __init__(self) -> None:
        super().__init__()
        colors = pg.colormap.get(_COLOR_MAP).getLookupTable(0.0, 1.0, 256)
        self._table = [QColor(*(int(part) for part in color[:3])).rgb() for color in colors]
        self._cells = np.zeros((64, 64), dtype=np.uint8)
        self.readings: Readings | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_values(self, shades: Floats, readings: Readings) -> None:
        """Shades (H, W), 0 to 1, and the readings whose points are marked."""
        self._cells = np.ascontiguousarray((shades.clip(0, 1) * 255).round().astype(np.uint8))
        self.readings = readings
        self.update()

    def map_rect(self) -> QRectF:
        """Where the cells are painted."""
        rows, columns = self._cells.shape
        cell = min((self.width() - 2) / columns, (self.height() - 2) / rows)
        width, height = cell * columns, cell * rows
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def to_widget(self, point: Point) -> QPointF:
        """A point in cells -> in this widget's pixels."""
        rect, cell = self.map_rect(), self._cell()
        return QPointF(rect.x() + (point[0] + 0.5) * cell, rect.y() + (point[1] + 0.5) * cell)

    def to_cells(self, place: QPointF) -> Point:
        """A place in this widget -> in cells, moved onto the map where it lies outside."""
        rect, cell = self.map_rect(), self._cell()
        rows, columns = self._cells.shape
        x, y = (place.x() - rect.x()) / cell - 0.5, (place.y() - rect.y()) / cell - 0.5
        return min(max(x, 0.0), columns - 1.0), min(max(y, 0.0), rows - 1.0)

    def _cell(self) -> float:
        return self.map_rect().width() / int(self._cells.shape[1])

    def _scale(self) -> float:
        """By how much marks are larger than on a small window."""
        return min(max(self.map_rect().width() / 400, 1.0), 1.6)

    def _image(self) -> QImage:
        rows, columns = self._cells.shape
        image = QImage(self._cells.data, columns, rows, self._cells.strides[0], QImage.Format.Format_Indexed8)
        image.setColorTable(self._table)
        return image

    def _paint_map(self, painter: QPainter) -> None:
        rect = self.map_rect()
        painter.drawImage(rect, self._image())
        painter.setPen(QPen(QColor(DARK.line), 1))
        painter.drawRect(rect)

    def _paint_ring(self, painter: QPainter, place: QPointF, radius: float, color: str, width: float = 2.4) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(DARK.window), width + 2.2), QPen(QColor(color), width)):
            painter.setPen(pen)
            painter.drawEllipse(place, radius, radius)

    def _paint_cross(self, painter: QPainter, place: QPointF, arm: float) -> None:
        for pen in (QPen(QColor(DARK.window), 4), QPen(QColor("#ffffff"), 1.8)):
            painter.setPen(pen)
            painter.drawLine(place - QPointF(arm, 0), place + QPointF(arm, 0))
            painter.drawLine(place - QPointF(0, arm), place + QPointF(0, arm))


class WeightsView(MapView):
    """The weight of each cell for one decoder, on a logarithmic scale, with their mean and the truth."""

    def __init__(self, decoder: str) -> None:
        super().__init__()
        self._decoder = decoder

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_map(painter)
        if self.readings is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(self.map_rect())
            truth = (self.readings.synthetic.x, self.readings.synthetic.y)
            self._paint_ring(painter, self.to_widget(self.readings.points[self._decoder]), 7, lab_color(self._decoder))
            self._paint_cross(painter, self.to_widget(truth), 5)
        painter.end()


class HeatmapView(MapView):
    """The heatmap with every decoder's point, the truth, the pull to the centre and a magnifier.

    dragged: x and y in cells, where the blob was dragged, clicked or moved by an arrow key to.
    """

    dragged = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._grid = QPixmap()
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Synthetic heatmap"))
        self.setToolTip(tr("Click or drag to move the blob; the arrow keys move it by half a cell"))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.dragged.emit(*self.to_cells(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(*self.to_cells(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _KEY_STEPS.get(Qt.Key(event.key()))
        if step is None or self.readings is None:
            super().keyPressEvent(event)
            return
        here = self.to_widget((self.readings.synthetic.x + step[0], self.readings.synthetic.y + step[1]))
        self.dragged.emit(*self.to_cells(here))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_map(painter)
        self._paint_grid(painter)
        if self.readings is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(self.map_rect())
            self._paint_centre(painter, self.readings)
            self._paint_pull(painter, self.readings)
            truth = (self.readings.synthetic.x, self.readings.synthetic.y)
            for ring, decoder in enumerate(LAB_DECODERS):
                place = self.to_widget(self.readings.points[decoder])
                radius = _IPR_RADIUS if decoder == "ipr" else 15 - 2.3 * ring
                self._paint_ring(painter, place, radius * self._scale(), lab_color(decoder), 2 * self._scale())
            self._paint_cross(painter, self.to_widget(truth), 6 * self._scale())
            self._paint_label(painter, self.readings)
            self._paint_magnifier(painter, self.readings)
        painter.end()

    def _paint_grid(self, painter: QPainter) -> None:
        if self._cell() < _GRID_FROM_PX:
            return
        # Over a hundred translucent lines take longer than all the rest: they are drawn once for each size.
        scale = self.devicePixelRatioF()
        size = self.size() * scale
        if self._grid.size() != size:
            self._grid = QPixmap(size)
            self._grid.setDevicePixelRatio(scale)
            self._grid.fill(Qt.GlobalColor.transparent)
            self._draw_grid(QPainter(self._grid))
        painter.drawPixmap(0, 0, self._grid)

    def _draw_grid(self, painter: QPainter) -> None:
        rect, cell = self.map_rect(), self._cell()
        rows, columns = self._cells.shape
        upright = [rect.x() + column * cell for column in range(1, columns)]
        level = [rect.y() + row * cell for row in range(1, rows)]
        painter.setPen(QPen(QColor(255, 255, 255, 18), 1))
        painter.drawLines([QLineF(x, rect.top(), x, rect.bottom()) for x in upright])
        painter.drawLines([QLineF(rect.left(), y, rect.right(), y) for y in level])
        painter.end()

    def _paint_centre(self, painter: QPainter, readings: Readings) -> None:
        rect, middle = self.map_rect(), self.to_widget(readings.synthetic.centre)
        painter.setPen(QPen(QColor(DARK.muted), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(middle.x(), rect.top()), QPointF(middle.x(), rect.bottom()))
        painter.drawLine(QPointF(rect.left(), middle.y()), QPointF(rect.right(), middle.y()))
        painter.setPen(QColor(DARK.muted))
        # On the half of the line where neither the blob nor the magnifier is.
        left = readings.synthetic.x < readings.synthetic.centre[0]
        top = readings.synthetic.y < readings.synthetic.centre[1]
        text = tr("centre of the map")
        metrics = QFontMetricsF(self.font())
        width = metrics.horizontalAdvance(text)
        x = rect.right() - width - 8 if left else rect.left() + 8
        painter.drawText(QPointF(x, middle.y() - 6 if top else middle.y() + metrics.ascent() + 4), text)

    def _paint_pull(self, painter: QPainter, readings: Readings) -> None:
        start = self.to_widget((readings.synthetic.x, readings.synthetic.y))
        end = self.to_widget(readings.points["ipr"])
        length = math.hypot(end.x() - start.x(), end.y() - start.y())
        if length < _ARROW_FROM_PX or readings.pull < _PULL_FROM:
            return
        along = (end - start) / length
        across = QPointF(-along.y(), along.x())
        end = end - along * (_IPR_RADIUS + 1) * self._scale()  # up to the ring
        head = end - along * 11
        for pen, color in ((6.0, DARK.window), (3.0, DARK.text)):
            painter.setPen(QPen(QColor(color), pen))
            painter.drawLine(start, head)
        painter.setPen(QPen(QColor(DARK.window), 1))
        painter.setBrush(QColor(DARK.text))
        painter.drawPolygon(QPolygonF([end, head + across * 6, head - across * 6]))

    def _paint_label(self, painter: QPainter, readings: Readings) -> None:
        font = self.font()
        font.setPixelSize(max(15, round(self.map_rect().height() / 30)))
        font.setBold(True)
        painter.setFont(font)
        text, metrics = self.pull_text(), QFontMetricsF(font)
        rect, end = self.map_rect(), self.to_widget(readings.points["ipr"])
        width, height = metrics.horizontalAdvance(text) + 16, metrics.height() + 6
        below = readings.synthetic.y < readings.synthetic.centre[1]
        x = min(max(end.x() - width / 2, rect.left() + 4), rect.right() - width - 4)
        box = QRectF(x, end.y() + (18 if below else -18 - height), width, height)
        painter.setPen(QPen(QColor(lab_color("ipr")), 1.5))
        painter.setBrush(QColor(DARK.window))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QColor(DARK.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def pull_text(self) -> str:
        """`pull 9.2 cells`: how far IPR's point is from the truth toward the centre."""
        if self.readings is None:
            return ""
        pull = self.readings.pull
        return tr("pull {n} cells").format(n=f"{pull:.1f}" if pull >= 0.95 else f"{pull:.2f}")

    def _paint_magnifier(self, painter: QPainter, readings: Readings) -> None:
        """The cells around the truth in the corner farthest from it, where the decoders' points can be told apart."""
        rect, synthetic = self.map_rect(), readings.synthetic
        side = _INSET_SHARE * rect.width()
        left = rect.right() - side - 6 if synthetic.x < synthetic.centre[0] else rect.left() + 6
        top = rect.bottom() - side - 6 if synthetic.y < synthetic.centre[1] else rect.top() + 6
        inset = QRectF(left, top, side, side)
        scale = side / _INSET_CELLS
        first_x, first_y = synthetic.x - _INSET_CELLS / 2, synthetic.y - _INSET_CELLS / 2

        def place(point: Point) -> QPointF:
            return QPointF(left + (point[0] - first_x) * scale, top + (point[1] - first_y) * scale)

        painter.save()
        painter.setClipRect(inset)
        painter.fillRect(inset, QColor(DARK.panel))
        corner = place((-0.5, -0.5))
        rows, columns = self._cells.shape
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(corner.x(), corner.y(), columns * scale, rows * scale), self._image())
        painter.setPen(QPen(QColor(DARK.text), 2.5 * self._scale()))
        painter.drawLine(place((synthetic.x, synthetic.y)), place(readings.points["ipr"]))
        for ring, decoder in enumerate(LAB_DECODERS):
            radius = (12 - 1.8 * ring) * self._scale()
            self._paint_ring(painter, place(readings.points[decoder]), radius, lab_color(decoder), 2 * self._scale())
        self._paint_cross(painter, place((synthetic.x, synthetic.y)), 5 * self._scale())
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(DARK.muted), 1))
        painter.drawRect(inset)
        painter.setFont(self.font())
        text = f"× {scale / self._cell():.0f}"
        metrics = QFontMetricsF(self.font())
        plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height() + 2)
        plate.moveTopRight(inset.topRight())
        painter.fillRect(plate, QColor(DARK.window))
        painter.setPen(QColor(DARK.text))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

"""The loupe's pictures: one joint's heatmap enlarged, and the weights of IPR and debiased IPR side by side."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.decoder_display import DISPLAY_NAMES, decoder_color
from app.gui import theme
from app.gui.language import mark, tr
from app.gui.loupe.paint import HALO, CellFrame, Pointer, draw_cross, draw_disc, draw_note, draw_pointers, draw_ring
from app.gui.loupe.reading import CellWindow, JointReading, percent_text
from app.gui.names import decoder_name

_PEAK_NAME = mark("sub-cell peak")
_LARGEST_MAP = 340
_LEGEND_BENEATH = 52
_LEGEND_BESIDE = 130
_LEGEND_ROW = 17
# Widths of the three columns beneath the map: the longest names stand in the second.
_LEGEND_COLUMNS, _LEGEND_GAP = (94, 122, 108), 8
# Weights are drawn by their logarithm, so that cells that weigh little but are many can be seen.
_DECADES = 6
_NEEDED_TITLE, _NEEDED_NUMBER = 34, 36
_CROSS = "#a3adba"  # on maps, which are dark in every theme


class HeatmapView(QWidget):
    """The cells around a heatmap's maximum with the point of every decoder; wheel, + and − zoom."""

    def __init__(self) -> None:
        super().__init__()
        self.window_of_cells = CellWindow()
        self.placeholder = ""
        self._reading: JointReading | None = None
        self._numbers: JointReading | None = None
        self._chosen = ""
        self.setMinimumSize(200, 160)
        self.setMaximumHeight(_LARGEST_MAP + _LEGEND_BENEATH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Heatmap of the joint"))
        self.setToolTip(
            tr(
                "The heatmap around its maximum: one square is one cell of the network's output, dark 0 to light 1.\n"
                "Every decoder reads this map; the numbers are distances to the sub-cell peak, in cells.\n"
                "Turn the wheel or press + and − to zoom."
            )
        )

    def sizeHint(self) -> QSize:
        return QSize(330, 330 + _LEGEND_BENEATH)

    def show_reading(self, reading: JointReading | None, numbers: JointReading | None, chosen: str) -> None:
        """Show a joint; `numbers` is the reading whose distances are written. None: the placeholder."""
        if numbers is not self._numbers:
            self.setAccessibleDescription(_in_words(numbers))
        self._reading, self._numbers, self._chosen = reading, numbers, chosen
        if reading is None:
            self.window_of_cells.forget()
        else:
            self.window_of_cells.follow(reading.cell, reading.heatmap.shape)
        self.update()

    def zoom(self, steps: int) -> None:
        """Show fewer cells (positive) or more cells (negative)."""
        self.window_of_cells.zoom(steps)
        self.show_reading(self._reading, self._numbers, self._chosen)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        if turned:
            self.zoom(1 if turned > 0 else -1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
        else:
            self.zoom(steps)

    def frame(self) -> CellFrame:
        """Where the cells are drawn."""
        beneath = min(self.width(), self.height() - _LEGEND_BENEATH)
        beside = min(self.width() - _LEGEND_BESIDE, self.height())
        if beside > beneath:
            return CellFrame.fit(0, (self.height() - beside) / 2, beside, self.window_of_cells)
        return CellFrame.fit((self.width() - beneath) / 2, 0, beneath, self.window_of_cells)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(_small(painter.font()))
        if self._reading is None:
            self._paint_placeholder(painter)
        else:
            frame = self.frame()
            frame.draw_cells(painter, self._reading.heatmap)
            self._paint_points(painter, frame, self._reading)
            self._paint_legend(painter, frame)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.ACCENT), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(frame.rect.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _paint_placeholder(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.LINE), 1, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        font = QFont(painter.font())
        font.setPixelSize(13)
        painter.setFont(font)
        painter.setPen(QColor(theme.MUTED))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(30, 10, -30, -10), int(flags), self.placeholder)

    def _paint_points(self, painter: QPainter, frame: CellFrame, reading: JointReading) -> None:
        painter.save()
        painter.setClipRect(frame.rect)
        # The chosen decoder's disc beneath the others' rings: what lies on one place stays visible.
        order = sorted(reading.points, key=lambda name: name != self._chosen)
        peak = frame.place(reading.subcell_peak)
        radius = min(max(frame.cell * 0.2, 5.0), 7.0)
        outside = []
        for name in order:
            at, color = frame.place(reading.points[name]), QColor(decoder_color(name))
            if not frame.rect.contains(at):
                text = tr("{decoder} {n} cells")
                text = text.format(decoder=decoder_name(name), n=_cells_text(self._distance(name), 1))
                outside.append(Pointer(at, color, text))
            elif name == self._chosen:
                draw_disc(painter, at, radius * 1.6, color)
            else:
                draw_ring(painter, at, radius, color)
        draw_cross(painter, peak, radius * 0.7, QColor("white"))
        inside = peak if frame.rect.contains(peak) else frame.rect.center()
        draw_pointers(painter, frame.rect, inside, outside)
        text = tr("{columns} × {rows} cells")
        text = text.format(columns=self.window_of_cells.columns, rows=self.window_of_cells.rows)
        draw_note(painter, frame.rect.bottomLeft() + QPointF(4, -4), text)
        painter.restore()

    def _paint_legend(self, painter: QPainter, frame: CellFrame) -> None:
        names = [*(name for name in DISPLAY_NAMES if name in self._points()), _PEAK_NAME]
        if frame.rect.right() < self.width() - _LEGEND_BESIDE + 12:
            left, width = frame.rect.right() + 12, self.width() - frame.rect.right() - 12
            heading = QRectF(left, frame.rect.top(), width, _LEGEND_ROW)
            cells = [
                QRectF(left, heading.bottom() + 2 + i * _LEGEND_ROW, width, _LEGEND_ROW) for i in range(len(names))
            ]
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(heading, Qt.AlignmentFlag.AlignVCenter, tr("cells from the peak"))
        else:
            top, lefts = frame.rect.bottom() + 3, [0, *accumulate(width + _LEGEND_GAP for width in _LEGEND_COLUMNS)]
            left = (self.width() - sum(_LEGEND_COLUMNS) - 2 * _LEGEND_GAP) / 2
            cells = [
                QRectF(left + lefts[i % 3], top + i // 3 * 16, _LEGEND_COLUMNS[i % 3], 16) for i in range(len(names))
            ]
            painter.setPen(QColor(theme.MUTED))
            note = QRectF(left, cells[-1].top(), self.width() - 2 * left, 16)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(note, flags, tr("numbers: cells from the peak"))
        for name, cell in zip(names, cells, strict=True):
            self._paint_legend_entry(painter, name, cell)

    def _paint_legend_entry(self, painter: QPainter, name: str, cell: QRectF) -> None:
        at = QPointF(cell.left() + 6, cell.center().y())
        if name == _PEAK_NAME:
            draw_cross(painter, at, 4, QColor("white"))
        elif name == self._chosen:
            draw_disc(painter, at, 5, QColor(theme.decoder_color(name)))
        else:
            draw_ring(painter, at, 3.6, QColor(theme.decoder_color(name)))
        painter.setPen(QColor(theme.TEXT if name == self._chosen else theme.MUTED))
        text = cell.adjusted(16, 0, 0, 0)
        if name == _PEAK_NAME:
            painter.drawText(text.adjusted(0, 0, 60, 0), Qt.AlignmentFlag.AlignVCenter, tr(name))
            return
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, decoder_name(name))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(text, flags, _cells_text(self._distance(name)))

    def _points(self) -> set[str]:
        return set(self._reading.points) if self._reading else set()

    def _distance(self, decoder: str) -> float:
        return self._numbers.distance(decoder) if self._numbers else math.nan


def _in_words(reading: JointReading | None) -> str:
    """The numbers for a screen reader."""
    if reading is None:
        return ""
    parts = (f"{decoder_name(name)} {_cells_text(reading.distance(name))}" for name in reading.points)
    return tr("Cells from the peak: {parts}.").format(parts=", ".join(parts))


class WeightView(QWidget):
    """The weights under which IPR and debiased IPR take their means, over the whole map."""

    _TITLES = (("ipr", mark("IPR: softmax, e^(βh)")), ("debiased", mark("debiased: e^(βh′) − 1")))

    def __init__(self) -> None:
        super().__init__()
        self._reading: JointReading | None = None
        self._numbers: JointReading | None = None
        self._window = CellWindow()
        self.setMinimumSize(200, 80 + _NEEDED_TITLE + _NEEDED_NUMBER)
        self.setMaximumHeight(_LARGEST_MAP // 2 + _NEEDED_TITLE + _NEEDED_NUMBER)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Weights of IPR and of debiased IPR"))
        self.setToolTip(
            tr(
                "Both decoders take the mean of all cells' places, each under its own weights.\n"
                "Brightness is the logarithm of the weight, from the largest down to a millionth of it.\n"
                "The softmax of IPR leaves every background cell a weight, which pulls the mean from the peak\n"
                "(white cross) to the middle of the map (grey cross); the weights e^(βh′) − 1 leave an empty cell "
                "none;\nh′ is the map divided by its peak, with its foot cut off.\n"
                "Background: cells below a tenth of the peak. Debiased IPR cuts away all below a fifth."
            )
        )

    def sizeHint(self) -> QSize:
        return QSize(330, 160 + _NEEDED_TITLE + _NEEDED_NUMBER)

    def show_reading(self, reading: JointReading | None, numbers: JointReading | None, window: CellWindow) -> None:
        """Show a joint's weights; the window is outlined; `numbers` is the reading whose shares are written."""
        self._reading, self._numbers, self._window = reading, numbers, window
        self.update()

    def frame(self, decoder: str) -> CellFrame:
        """Where the weights of ipr or debiased are drawn."""
        whole = CellWindow()
        whole.rows, whole.columns = self._reading.heatmap.shape if self._reading else (64, 64)
        width = (self.width() - 10) / 2
        side = min(width, self.height() - _NEEDED_TITLE - _NEEDED_NUMBER)
        left = 0.0 if decoder == "ipr" else width + 10
        # Not CellFrame.fit: two thirds of the place would be lost to whole pixels.
        cell = side / max(whole.columns, whole.rows)
        rect = QRectF(left, _NEEDED_TITLE, math.floor(cell * whole.columns), math.floor(cell * whole.rows))
        return CellFrame(rect, 0, 0, rect.width() / whole.columns)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._reading is None:
            return
        painter = QPainter(self)
        painter.setFont(_small(painter.font()))
        painter.setPen(QColor(theme.MUTED))
        heading = QRectF(0, 0, self.width(), 16)
        title = tr("Weights over the whole map, log scale 10⁻⁶ to 1")
        painter.drawText(heading, Qt.AlignmentFlag.AlignVCenter, title)
        for decoder, title in self._TITLES:
            frame = self.frame(decoder)
            left = frame.rect.left()
            draw_disc(painter, QPointF(left + 5, 24), 4, QColor(theme.decoder_color(decoder)))
            painter.setPen(QColor(theme.TEXT))
            cell = QRectF(left + 14, 16, (self.width() - 10) / 2 - 14, 16)
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, tr(title))
            self._paint_weights(painter, frame, decoder, self._reading)
            self._paint_share(painter, frame, decoder)
        painter.end()

    def _paint_weights(self, painter: QPainter, frame: CellFrame, decoder: str, reading: JointReading) -> None:
        weight_map = reading.weight_maps[decoder]
        frame.draw_cells(painter, log_brightness(weight_map.weights))
        painter.save()
        painter.setClipRect(frame.rect)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(255, 255, 255, 120), 1))
        window = self._window
        corner = frame.place((window.column - 0.5, window.row - 0.5))
        outline = QRectF(corner.x(), corner.y(), window.columns * frame.cell, window.rows * frame.cell)
        painter.drawRect(outline.adjusted(0.5, 0.5, -0.5, -0.5))
        height, width = reading.heatmap.shape
        draw_cross(painter, frame.place(((width - 1) / 2, (height - 1) / 2)), 4, QColor(_CROSS))
        peak, mean = frame.place(reading.subcell_peak), frame.place(weight_map.mean)
        color = QColor(decoder_color(decoder))
        for pen in (QPen(HALO, 3), QPen(color, 1.5)):
            painter.setPen(pen)
            painter.drawLine(peak, mean)
        draw_disc(painter, mean, 4.5, color)
        draw_cross(painter, peak, 3, QColor("white"))
        painter.restore()

    def _paint_share(self, painter: QPainter, frame: CellFrame, decoder: str) -> None:
        share = self._numbers.weight_maps[decoder].background if self._numbers else math.nan
        cell = QRectF(frame.rect.left(), frame.rect.bottom() + 4, (self.width() - 10) / 2, _NEEDED_NUMBER - 4)
        small = QFont(painter.font())
        large = QFont(small)
        large.setPixelSize(18)
        large.setBold(True)
        painter.setFont(large)
        painter.setPen(QColor(theme.TEXT))
        text = percent_text(share)
        painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, text)
        width = painter.fontMetrics().horizontalAdvance(text) + 8
        painter.setFont(small)
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(cell.adjusted(width, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, tr("weight on\nbackground"))


def log_brightness(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weights (H, W) -> 1 for the largest down to 0 for a millionth of it and less; all 0 stays all 0."""
    largest = float(weights.max())
    if not largest > 0:
        return np.zeros(weights.shape)
    shares = np.maximum(weights / largest, 10.0**-_DECADES)
    return np.asarray(1 + np.log10(shares, dtype=np.float64) / _DECADES)


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPixelSize(11)
    return small


def _cells_text(cells: float, decimals: int = 2) -> str:
    if math.isnan(cells):
        return "–"
    return f"{cells:.{decimals}f}" if cells < 10 else f"{cells:.1f}"

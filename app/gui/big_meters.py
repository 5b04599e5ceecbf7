"""The chosen decoder's numbers, large enough for the last row of a lecture hall."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from app.decoder_display import decoder_color, three_digits
from app.gui.language import tr
from app.gui.names import decoder_title
from app.meters.board import PAINTED, MeterSnapshot

_TEXT, _MUTED = QColor("#e8eaed"), QColor("#a3adba")


class BigMeters:
    """Decoder, latency, jitter and bias along the bottom of the picture. decoder: the chosen one."""

    def __init__(self) -> None:
        self._decoder = ""
        self._numbers: tuple[tuple[str, str, str], ...] = ()

    def show_snapshot(self, snapshot: MeterSnapshot, decoder: str) -> None:
        """Four times a second."""
        latency = snapshot.latency.get(PAINTED)
        jitter, bias = (three_digits(kind.overall.get(decoder, math.nan)) for kind in (snapshot.jitter, snapshot.bias))
        self._decoder = decoder
        self._numbers = (
            (tr("latency"), f"{latency.p50:.0f}" if latency is not None else "–", "ms"),
            (tr("jitter"), jitter, "px"),
            (tr("bias"), bias, "px"),
        )

    @staticmethod
    def top(area: QRectF) -> float:
        """Where in the widget's `area` they begin."""
        return area.bottom() - 2.1 * _size(area)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Into the widget's `area`."""
        if not self._numbers:
            return
        size = _size(area)
        plate = QRectF(area.left(), self.top(area), area.width(), 2.1 * size)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(plate, QColor(20, 23, 28, 205))
        columns = 5.4
        name = QRectF(plate.left() + size, plate.top(), 2.2 * plate.width() / columns, plate.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(decoder_color(self._decoder)))
        painter.drawEllipse(QRectF(name.left(), name.center().y() - 0.25 * size, 0.5 * size, 0.5 * size))
        self._write(painter, name.adjusted(size, 0, 0, 0), decoder_title(self._decoder), size, _TEXT, bold=True)
        width = plate.width() / columns
        for place, (title, number, unit) in enumerate(self._numbers):
            cell = QRectF(plate.left() + (2.3 + place) * width, plate.top(), width, plate.height())
            top = cell.adjusted(0, 0.22 * size, 0, -1.3 * size)
            self._write(painter, top, title, 0.5 * size, _MUTED)
            bottom = cell.adjusted(0, 0.75 * size, 0, -0.2 * size)
            advance = self._write(painter, bottom, number, 1.05 * size, _TEXT, bold=True)
            self._write(painter, bottom.adjusted(advance + 0.25 * size, 0.2 * size, 0, 0), unit, 0.5 * size, _MUTED)

    @staticmethod
    def _write(painter: QPainter, place: QRectF, text: str, size: float, color: QColor, *, bold: bool = False) -> float:
        """Returns the width of the text, px."""
        font = QFont(painter.font())
        font.setPixelSize(max(9, round(size)))
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        return float(painter.fontMetrics().horizontalAdvance(text))


def _size(area: QRectF) -> float:
    return max(20.0, 0.055 * area.height())

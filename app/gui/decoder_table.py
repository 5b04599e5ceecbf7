"""Jitter and bias of every decoder: fast bars, slow numbers; a click chooses the decoder."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.decoder_display import DISPLAY_NAMES, WITHOUT_BIAS, px_share, three_digits
from app.gui import theme
from app.gui.language import tr
from app.gui.names import decoder_title

_ROW_HEIGHT = 23
_HEADER_HEIGHT = 20
_NUMBER_WIDTH = 44


class DecoderTable(QWidget):
    """One row for each decoder: colour, name, jitter and bias as a logarithmic bar and a number in px."""

    decoder_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._names = tuple(DISPLAY_NAMES)
        self._chosen = ""
        self._bars: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self._smoothed: dict[str, float] = {}
        self._unit = "px"
        self._numbers: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Jitter and bias of every decoder"))
        self.setToolTip(
            tr(
                "Jitter: how much the joints tremble, steady motion left out. "
                "Bias: distance to the peak of the heatmap.\n"
                "Both are root mean squares over the visible joints; bars are logarithmic, in pixels of the source.\n"
                "A thin bar beneath is the jitter after smoothing.\n"
                "Click a row, or press up and down, to choose the decoder."
            )
        )

    def sizeHint(self) -> QSize:
        return QSize(330, _HEADER_HEIGHT + _ROW_HEIGHT * len(self._names))

    def show_readings(self, names: Sequence[str]) -> None:
        """Which rows there are."""
        self._names = tuple(names)
        self.updateGeometry()
        self.update()

    def choose(self, decoder: str) -> None:
        """Mark the decoder in use."""
        self._chosen = decoder
        self.update()

    def show_bars(
        self, jitter: dict[str, float], bias: dict[str, float], smoothed_jitter: dict[str, float] | None = None
    ) -> None:
        """Move the bars; px, by decoder."""
        self._bars = (jitter, bias)
        self._smoothed = smoothed_jitter or {}
        self.update()

    def show_numbers(self, jitter: dict[str, float], bias: dict[str, float]) -> None:
        """Change the numbers; by decoder, in the unit that is shown."""
        if (jitter, bias) != self._numbers:
            self._numbers = (jitter, bias)
            self.setAccessibleDescription(self._in_words())
            self.update()

    def show_unit(self, unit: str) -> None:
        """Name the unit of the numbers in the header."""
        self._unit = unit
        self.update()

    def _in_words(self) -> str:
        """The table for a screen reader."""
        jitter, bias = ({name: three_digits(value) for name, value in kind.items()} for kind in self._numbers)
        row = tr("{decoder}: jitter {jitter}, bias {bias}.")
        rows = (
            row.format(decoder=decoder_title(name), jitter=jitter[name], bias=bias.get(name, "–"))
            for name in self._names
            if name in jitter
        )
        return tr("In {unit}. {rows}").format(unit=self._unit, rows=" ".join(rows))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None or self._chosen not in self._names:
            super().keyPressEvent(event)
        else:
            self.decoder_chosen.emit(self._names[(self._names.index(self._chosen) + step) % len(self._names)])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int((event.position().y() - _HEADER_HEIGHT) // _ROW_HEIGHT)
        if 0 <= row < len(self._names):
            self.decoder_chosen.emit(self._names[row])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = painter.fontMetrics()
        name_width = max(112, *(27 + metrics.horizontalAdvance(decoder_title(name)) for name in self._names))
        column_width = (self.width() - name_width) / 2
        columns = [QRectF(name_width + i * column_width, 0, column_width, _HEADER_HEIGHT) for i in range(2)]
        painter.setPen(QColor(theme.MUTED))
        for column, title in zip(columns, (tr("jitter"), tr("bias")), strict=True):
            text = f"{title} {self._unit}"
            painter.drawText(column, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        for row, name in enumerate(self._names):
            top = _HEADER_HEIGHT + row * _ROW_HEIGHT
            self._paint_name(painter, name, QRectF(0, top, name_width, _ROW_HEIGHT))
            for column, bars, numbers in zip(columns, self._bars, self._numbers, strict=True):
                cell = QRectF(column.left(), top, column.width(), _ROW_HEIGHT)
                if bars is self._bars[1] and name in WITHOUT_BIAS:
                    painter.setPen(QColor(theme.MUTED))
                    painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, tr("no heatmaps"))
                    continue
                _paint_meter(
                    painter, cell, theme.decoder_color(name), bars.get(name, math.nan), numbers.get(name, math.nan)
                )
            _paint_smoothed(painter, columns[0], top, self._smoothed.get(name, math.nan))
        painter.end()

    def _paint_name(self, painter: QPainter, name: str, cell: QRectF) -> None:
        if name == self._chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED))
            row = QRectF(0, cell.top(), self.width(), cell.height())
            painter.drawRoundedRect(row, 4, 4)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.ACCENT), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.decoder_color(name)))
        painter.drawEllipse(QRectF(5, cell.center().y() - 4, 8, 8))
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(cell.adjusted(19, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, decoder_title(name))


def _paint_meter(painter: QPainter, cell: QRectF, color: str, bar: float, number: float) -> None:
    track = _track_of(cell)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.LINE))
    painter.drawRoundedRect(track, 3, 3)
    share = px_share(bar)
    if share > 0:
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(6.0, track.width() * share), 6), 3, 3)
    painter.setPen(QColor(theme.TEXT))
    text = cell.adjusted(0, 0, -6, 0)
    painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, three_digits(number))


def _paint_smoothed(painter: QPainter, column: QRectF, top: float, px: float) -> None:
    track = _track_of(QRectF(column.left(), top, column.width(), _ROW_HEIGHT))
    share = px_share(px)
    if share > 0:
        painter.fillRect(QRectF(track.left(), track.bottom() + 2, track.width() * share, 2), QColor(theme.TEXT))


def _track_of(cell: QRectF) -> QRectF:
    return QRectF(cell.left(), cell.center().y() - 3, cell.width() - _NUMBER_WIDTH - 6, 6)

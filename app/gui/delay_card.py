"""Shows the result of a glass-to-glass measurement as a card that can be copied and saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.gui import theme
from app.gui.cards import LEFT, RIGHT, CardDialog, CardView, fill, font_of, write
from app.gui.language import tr
from app.meters.delay_card import DelayCard
from app.output_names import snapshot_path

_WIDTH, _HEIGHT = 800, 622
_MARGIN = 28.0
_INNER = _WIDTH - 2 * _MARGIN
_BAR = QRectF(_MARGIN, 172, _INNER, 30)
_DOTS = QRectF(_MARGIN, 262, _INNER, 52)
_TABLE_TOP = 360.0
_ROW_HEIGHT = 21.0
_COLUMNS = ("p5", "p50", "p95", "σ")
_NUMBER_WIDTH = 88.0
_VERDICT = QRectF(_MARGIN - 8, 480, _INNER + 16, 88)
_LEAST_SEGMENT = 3.0
_FURTHEST = 0.75  # beyond where 90 % of the flips lie, as a share of that

DISPLAY, CAMERA, POSESCOPE = "#8d8f98", "#e0a458", theme.ACCENT


class DelayCardView(CardView):
    """The card itself."""

    def __init__(self, card: DelayCard) -> None:
        super().__init__(tr("Result of the delay measurement"), card.to_text(tr))
        self._card = card
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.WINDOW))
        self._paint_head(painter)
        self._paint_figure(painter)
        self._paint_shares(painter)
        readings = self._card.delays.readings
        paint_dots(painter, _DOTS, [reading.painted for reading in readings], self._card.delays.outliers)
        self._paint_table(painter)
        self._paint_verdict(painter)
        painter.end()

    def _paint_head(self, painter: QPainter) -> None:
        conditions = self._card.conditions(tr)
        line = QRectF(_MARGIN, 22, _INNER, 30)
        write(painter, line, tr("My camera’s delay, glass to glass"), theme.TEXT, 21, bold=True)
        write(painter, line, "PoseScope", theme.MUTED, 13, align=RIGHT)
        rest = f"  ·  {conditions['Picture']}  ·  {conditions['Camera']}  ·  {conditions['Network']}"
        metrics = QFontMetricsF(font_of(painter, 13))
        room = _INNER - metrics.horizontalAdvance(rest)
        source = metrics.elidedText(self._card.source, Qt.TextElideMode.ElideMiddle, room)
        write(painter, QRectF(_MARGIN, 56, _INNER, 20), source + rest, theme.TEXT, 13)
        text = tr("{flips}  ·  display {display}  ·  pattern in {pattern}").format(
            flips=conditions["Flips"], display=conditions["Display"], pattern=conditions["Pattern"]
        )
        write(painter, QRectF(_MARGIN, 77, _INNER, 18), text, theme.MUTED, 12)

    def _paint_figure(self, painter: QPainter) -> None:
        whole = self._card.delays.painted
        number = f"{whole.p50:.0f} ms"
        write(painter, QRectF(_MARGIN, 106, 300, 56), number, theme.TEXT, 48, bold=True)
        left = _MARGIN + QFontMetricsF(font_of(painter, 48, bold=True)).horizontalAdvance(number) + 18
        first = tr("median, from a change in front of the camera to its picture in this window")
        write(painter, QRectF(left, 112, _WIDTH - left, 20), first, theme.TEXT, 13)
        second = tr("90 % between {p5:.0f} and {p95:.0f} ms  ·  σ {sd:.1f} ms")
        second = second.format(p5=whole.p5, p95=whole.p95, sd=whole.sd)
        write(painter, QRectF(left, 133, _WIDTH - left, 20), second, theme.MUTED, 13)

    def _paint_shares(self, painter: QPainter) -> None:
        shares = self._card.shares()
        parts = [(tr("Camera"), shares.camera, CAMERA, "≈ "), ("PoseScope", shares.posescope, POSESCOPE, "")]
        if shares.split:
            parts.insert(0, (tr("Display"), shares.display, DISPLAY, "≈ "))
        else:
            parts[0] = (tr("Camera and display"), shares.camera, CAMERA, "")
        x, label_x = _BAR.left(), _BAR.left()
        for title, ms, color, about in parts:
            segment = QRectF(x, _BAR.top(), max(_LEAST_SEGMENT, _BAR.width() * ms / shares.whole - 2), _BAR.height())
            fill(painter, segment, color, 4)
            if about:  # an estimate, not a measurement
                hatch = QBrush(QColor(0, 0, 0, 60), Qt.BrushStyle.BDiagPattern)
                painter.setBrush(hatch)
                painter.drawRoundedRect(segment, 4, 4)
            if color == CAMERA:
                self._paint_waiting(painter, segment, shares.waiting / ms)
            x += _BAR.width() * ms / shares.whole
            fill(painter, QRectF(label_x, _BAR.bottom() + 12, 10, 10), color, 3)
            text = f"{title} {about}{ms:.0f} ms, {100 * ms / shares.whole:.0f} %"
            write(painter, QRectF(label_x + 16, _BAR.bottom() + 7, 400, 20), text, theme.TEXT, 13)
            label_x += QFontMetricsF(font_of(painter, 13)).horizontalAdvance(text) + 40
        note = tr("Behind the mark: the wait for the camera’s next picture, {ms:.0f} ms.").format(ms=shares.waiting)
        if shares.split:
            note += tr(" Hatched: estimated from the refresh rate.")
        write(painter, QRectF(_MARGIN, _BAR.bottom() + 29, _INNER, 16), note, theme.MUTED, 11)

    def _paint_waiting(self, painter: QPainter, segment: QRectF, share: float) -> None:
        """The end of the camera's segment that is the wait for its next picture."""
        width = segment.width() * min(1.0, share)
        painter.setPen(QPen(QColor(theme.WINDOW), 1.5))
        painter.drawLine(
            QPointF(segment.right() - width, segment.top() + 4), QPointF(segment.right() - width, segment.bottom() - 4)
        )

    def _paint_table(self, painter: QPainter) -> None:
        for column, title in enumerate(_COLUMNS):
            write(painter, self._cell(-1, column), title, theme.MUTED, 12, align=RIGHT)
        write(painter, QRectF(_MARGIN, self._cell(-1, 0).top(), 200, _ROW_HEIGHT), "ms", theme.MUTED, 12)
        for row, (name, spread) in enumerate(self._card.rows(tr)):
            part = name.startswith("…")
            color = theme.MUTED if part else theme.TEXT
            left = _MARGIN + (14 if part else 0)
            cell = QRectF(left, self._cell(row, 0).top(), 320, _ROW_HEIGHT)
            write(painter, cell, name.removeprefix("… "), color, 13, bold=row == 0)
            for column, value in enumerate((spread.p5, spread.p50, spread.p95, spread.sd)):
                bold = row == 0 and column == 1
                write(painter, self._cell(row, column), f"{value:.1f}", color, 13, bold=bold, align=RIGHT)

    def _cell(self, row: int, column: int) -> QRectF:
        left = _WIDTH - _MARGIN - _NUMBER_WIDTH * (len(_COLUMNS) - column)
        return QRectF(left, _TABLE_TOP + row * _ROW_HEIGHT, _NUMBER_WIDTH, _ROW_HEIGHT)

    def _paint_verdict(self, painter: QPainter) -> None:
        fill(painter, _VERDICT, theme.PANEL, 8)
        fill(painter, QRectF(_VERDICT.left(), _VERDICT.top() + 8, 4, _VERDICT.height() - 16), theme.ACCENT, 2)
        painter.setFont(font_of(painter, 14))
        painter.setPen(QColor(theme.TEXT))
        wrapped = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(_VERDICT.adjusted(20, 4, -16, -4), wrapped, self._card.verdict(tr))
        waiting = self._card.delays.waiting
        whole = self._card.delays.painted
        median = tr(
            "The median lies between {low:.0f} and {high:.0f} ms (95 %). Pictures that come only every "
            "{interval:.1f} ms make σ {sd:.1f} ms by themselves."
        )
        notes = (
            median.format(low=whole.low, high=whole.high, interval=waiting.interval, sd=waiting.sd),
            tr(
                "Counted from the end of one paint to the end of another: "
                "the way from a paint to the light is in it once."
            ),
        )
        for line, note in enumerate(notes):
            write(painter, QRectF(_MARGIN, _VERDICT.bottom() + 6 + 17 * line, _INNER, 16), note, theme.MUTED, 11)


class DelayDialog(CardDialog):
    """The card, with buttons that copy and save it; recordings is the folder for these files."""

    def __init__(self, card: DelayCard, recordings: Path, parent: QWidget | None = None) -> None:
        path = snapshot_path(recordings, card.source, "glass to glass")
        super().__init__(tr("My camera’s delay"), card, DelayCardView(card), path, parent)


def paint_dots(painter: QPainter, area: QRectF, values: Sequence[float], outliers: Sequence[int] = ()) -> None:
    """Each flip's delay as a dot over an axis in ms, with the median and where 90 % of them lie.

    values: in the order of the flips, NaN where not seen; the axis lies below `area`. outliers: places in `values`.
    """
    known = np.array([value for value in values if not math.isnan(value)])
    painter.setPen(QColor(theme.LINE))
    painter.drawLine(area.bottomLeft(), area.bottomRight())
    if not len(known):
        return
    p5, p50, p95 = np.percentile(known, (5, 50, 95)).tolist()
    # One that is far away must not squeeze the others together: it stands at the edge.
    reach = _FURTHEST * max(p95 - p5, 5.0)
    low, high, step = nice_axis(max(float(known.min()), p5 - reach), min(float(known.max()), p95 + reach))

    def x_of(ms: float) -> float:
        return area.left() + area.width() * min(max((ms - low) / (high - low), 0.0), 1.0)

    for tick in np.arange(low, high + step / 2, step):
        x = x_of(tick)
        painter.setPen(QColor(theme.LINE))
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
        label = QRectF(x - 30, area.bottom() + 5, 60, 14)
        align = Qt.AlignmentFlag.AlignCenter
        if x < area.left() + 1:
            label.moveLeft(x)
            align = LEFT
        elif x > area.right() - 1:
            label.moveRight(x)
            align = RIGHT
        write(painter, label, f"{tick:.0f}" + (" ms" if tick > high - step / 2 else ""), theme.MUTED, 10, align=align)
    band = QRectF(QPointF(x_of(p5), area.top()), QPointF(max(x_of(p95), x_of(p5) + 1), area.bottom()))
    painter.fillRect(band, QColor(86, 180, 233, 34))
    painter.setPen(Qt.PenStyle.NoPen)
    for number, value in enumerate(values):
        if not math.isnan(value):
            # In the order of the flips from top to bottom, so that a drift can be seen.
            y = area.top() + 5 + (area.height() - 10) * (number + 0.5) / len(values)
            color = QColor(theme.WARNING if number in outliers else theme.ACCENT)
            color.setAlpha(230)
            painter.setBrush(color)
            if low <= value <= high:
                painter.drawEllipse(QPointF(x_of(value), y), 3.2, 3.2)
            else:
                x, tip = x_of(value), -7.0 if value < low else 7.0
                painter.drawPolygon([QPointF(x, y - 4), QPointF(x, y + 4), QPointF(x + tip, y)])
    painter.setPen(QPen(QColor(theme.TEXT), 1.5))
    painter.drawLine(QPointF(x_of(p50), area.top()), QPointF(x_of(p50), area.bottom()))


def nice_axis(low: float, high: float) -> tuple[float, float, float]:
    """Ends that hold both values, and a step between ticks, all multiples of 1, 2 or 5 times a power of ten."""
    least = max(high - low, 10.0) / 8
    power = 10 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    first = math.floor((low - step / 4) / step) * step
    last = math.ceil((high + step / 4) / step) * step
    return max(0.0, first), last, step

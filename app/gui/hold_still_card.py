"""Shows the result of a hold-still measurement as a card that can be copied and saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.decoder_display import px_share, three_digits
from app.gui import theme
from app.gui.cards import RIGHT, CardDialog, CardView, fill, font_of, write
from app.gui.language import tr
from app.gui.names import decoder_title
from app.meters.hold_still import DecoderReading, HoldStillCard
from app.output_names import snapshot_path

_MARGIN = 28.0
_WIDTH = 800.0
_TABLE_TOP = 132.0
_ROW_HEIGHT = 32.0
_NAME_WIDTH = 168.0
_NUMBER_WIDTH = 58.0
_PERCENT_WIDTH = 70.0
_SMOOTHED_WIDTH = 104.0
_COLUMN_GAP = 20.0
_VERDICT_HEIGHT = 58.0
_TICKS_PX = (0.1, 1.0, 10.0)


class HoldStillCardView(CardView):
    """The card itself."""

    def __init__(self, card: HoldStillCard) -> None:
        super().__init__(tr("Result of the hold-still measurement"), card.to_text(tr))
        self._card = card
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(int(_WIDTH), int(self._table_bottom() + 14 + _VERDICT_HEIGHT + 46))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.WINDOW))
        self._paint_head(painter)
        self._paint_table(painter)
        self._paint_verdict(painter)
        painter.end()

    def _table_bottom(self) -> float:
        return _TABLE_TOP + _ROW_HEIGHT * len(self._card.readings)

    def _paint_head(self, painter: QPainter) -> None:
        card, conditions = self._card, self._card.conditions(tr)
        width = _WIDTH - 2 * _MARGIN
        line = QRectF(_MARGIN, 22, width, 30)
        write(painter, line, tr("Jitter and bias while holding still"), theme.TEXT, 21, bold=True)
        write(painter, line, "PoseScope", theme.MUTED, 13, align=RIGHT)
        rest = f"  ·  {conditions['Picture']}  ·  {conditions['Network']}  ·  β {conditions['β']}"
        font = font_of(painter, 13)
        room = width - QFontMetricsF(font).horizontalAdvance(rest)
        source = QFontMetricsF(font).elidedText(card.source, Qt.TextElideMode.ElideMiddle, room)
        write(painter, QRectF(_MARGIN, 56, width, 20), source + rest, theme.TEXT, 13)
        frames = tr("{n} frames in {seconds:.1f} s ({fps:.1f} a second)")
        frames = frames.format(n=card.frames, seconds=card.seconds, fps=card.fps)
        joints = tr("{n_of_all} joints").format(n_of_all=conditions["Joints"])
        if card.joints_left_out:
            joints += tr(" (the others were not seen well)")
        write(painter, QRectF(_MARGIN, 77, width, 18), f"{frames}  ·  {joints}", theme.MUTED, 12)

    def _paint_table(self, painter: QPainter) -> None:
        card = self._card
        head = QRectF(0, _TABLE_TOP - 24, _WIDTH, 22)
        columns = self._columns()
        for (left, bar_width), title in zip(columns, (tr("jitter"), tr("bias")), strict=True):
            self._paint_scale(painter, left, bar_width)
            write(painter, QRectF(left, head.top() - 2, 50, 22), title, theme.MUTED, 12)
            number = QRectF(left + bar_width, head.top() - 2, _NUMBER_WIDTH, 22)
            write(painter, number, "px", theme.MUTED, 12, align=RIGHT)
            percent = QRectF(number.right(), head.top() - 2, _PERCENT_WIDTH, 22)
            write(painter, percent, tr("% of body"), theme.MUTED, 12, align=RIGHT)
        smoothed = QRectF(_WIDTH - _MARGIN - _SMOOTHED_WIDTH - 8, head.top() - 2, _SMOOTHED_WIDTH, 22)
        if card.is_smoothed:
            write(painter, smoothed, tr("smoothed jitter"), theme.MUTED, 12, align=RIGHT)
        steadiest, furthest = card.steadiest(), card.furthest()
        for i, reading in enumerate(card.readings):
            row = QRectF(_MARGIN - 8, _TABLE_TOP + i * _ROW_HEIGHT, _WIDTH - 2 * _MARGIN + 16, _ROW_HEIGHT)
            is_steadiest = reading.decoder in steadiest
            if is_steadiest:
                fill(painter, row.adjusted(0, 1, 0, -1), theme.RAISED, 6)
            self._paint_row(painter, row, reading, (is_steadiest, reading.decoder == furthest))
            if card.is_smoothed:
                cell = QRectF(smoothed.left(), row.top(), smoothed.width(), row.height())
                write(painter, cell, three_digits(reading.smoothed_jitter_px), theme.TEXT, 13, align=RIGHT)

    def _columns(self) -> list[tuple[float, float]]:
        """Left edge and width of the bar, of jitter and bias."""
        smoothed = _SMOOTHED_WIDTH + 8 if self._card.is_smoothed else 8
        width = (_WIDTH - 2 * _MARGIN - _NAME_WIDTH - smoothed - _COLUMN_GAP) / 2
        bar_width = width - _NUMBER_WIDTH - _PERCENT_WIDTH
        left = _MARGIN + _NAME_WIDTH
        return [(left, bar_width), (left + width + _COLUMN_GAP, bar_width)]

    def _paint_scale(self, painter: QPainter, left: float, bar_width: float) -> None:
        for tick in _TICKS_PX:
            x = left + bar_width * px_share(tick)
            painter.setPen(QColor(theme.LINE))
            painter.drawLine(QPointF(x, _TABLE_TOP), QPointF(x, self._table_bottom()))
            label = QRectF(x - 20, self._table_bottom(), 40, 14)
            write(painter, label, f"{tick:g}", theme.MUTED, 10, align=Qt.AlignmentFlag.AlignCenter)

    def _paint_row(self, painter: QPainter, row: QRectF, reading: DecoderReading, marked: tuple[bool, bool]) -> None:
        color = theme.decoder_color(reading.decoder)
        fill(painter, QRectF(_MARGIN, row.center().y() - 5, 10, 10), color, 5)
        name = QRectF(_MARGIN + 20, row.top(), _NAME_WIDTH - 20, row.height())
        write(painter, name, decoder_title(reading.decoder), theme.TEXT, 13, bold=marked[0])
        values = ((reading.jitter_px, reading.jitter_share), (reading.bias_px, reading.bias_share))
        colors = (theme.TEXT, theme.WARNING if marked[1] else theme.TEXT)
        for (left, bar_width), (px, share), bold, ink in zip(self._columns(), values, marked, colors, strict=True):
            fill(painter, QRectF(left, row.center().y() - 4, bar_width, 8), theme.LINE, 4)
            filled = max(8.0, bar_width * px_share(px)) if px_share(px) > 0 else 0.0
            fill(painter, QRectF(left, row.center().y() - 4, filled, 8), color, 4)
            number = QRectF(left + bar_width, row.top(), _NUMBER_WIDTH, row.height())
            write(painter, number, three_digits(px), ink, 14, bold=bold, align=RIGHT)
            percent = QRectF(number.right(), row.top(), _PERCENT_WIDTH, row.height())
            write(painter, percent, f"{three_digits(share * 100)} %", theme.MUTED, 12, align=RIGHT)

    def _paint_verdict(self, painter: QPainter) -> None:
        top = self._table_bottom() + 22
        box = QRectF(_MARGIN - 8, top, _WIDTH - 2 * _MARGIN + 16, _VERDICT_HEIGHT)
        fill(painter, box, theme.PANEL, 8)
        fill(painter, QRectF(box.left(), box.top() + 8, 4, box.height() - 16), theme.ACCENT, 2)
        painter.setFont(font_of(painter, 15, bold=True))
        painter.setPen(QColor(theme.TEXT))
        wrapped = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        two_lines = self._card.verdict(tr).replace(" px. ", " px.\n").replace(" px, ", " px,\n")
        painter.drawText(box.adjusted(20, 4, -16, -4), wrapped, two_lines)
        note = tr(
            "Root mean square over the joints. Jitter: noise of a joint held still. "
            "Bias: distance to the peak of its heatmap. Bars are logarithmic."
        )
        write(painter, QRectF(_MARGIN, box.bottom() + 6, _WIDTH - 2 * _MARGIN, 18), note, theme.MUTED, 11)


class HoldStillDialog(CardDialog):
    """The card, with buttons that copy and save it; recordings is the folder for these files."""

    def __init__(self, card: HoldStillCard, recordings: Path, parent: QWidget | None = None) -> None:
        path = snapshot_path(recordings, card.source, "hold still")
        super().__init__(tr("Hold-still measurement"), card, HoldStillCardView(card), path, parent)

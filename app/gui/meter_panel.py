"""The meters: latency of each stage, jitter and bias of every decoder. Bars move fast, numbers can be read."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.decoder_display import DECODER_COLORS, PX_RANGE
from app.gui import theme
from app.gui.decoder_table import DecoderTable
from app.gui.strip_chart import StripChart
from app.gui.widgets import named_label
from app.meters.board import ESTIMATED, PAINTED, STAGES, MeterBoard, MeterSnapshot

_TICK_MS = 80
_TICKS_PER_NUMBER = 3

_LATENCY_TEXT = "median of 10 s"
_STAGE_COLORS = ("#6b7787", "#8fb8de", "#c9a0dc", "#56b4e9", "#f0c24b", "#7fc8a9", "#e89f7d")
_LATENCY_COLORS = {PAINTED: theme.TEXT, "network": "#56b4e9"}


class MeterPanel(QWidget):
    """Reads the board several times a second while it is in sight."""

    def __init__(self) -> None:
        super().__init__()
        self._board: MeterBoard | None = None
        self._dropped = 0
        self._tick = 0
        self._latency_number = named_label("big", "–")
        self._latency_text = named_label("hint", _LATENCY_TEXT)
        self._latency_text.setToolTip(
            "From the moment this computer received the frame to the end of the paint that first shows its skeleton.\n"
            "The camera's own delay and the screen's are not included."
        )
        self._bar = StageBar()
        self._latency_chart = StripChart("ms", _LATENCY_COLORS)
        self.table = DecoderTable()
        self._jitter_chart = StripChart("px", DECODER_COLORS, log_range=PX_RANGE)
        self._jitter_chart.setToolTip("Jitter of every decoder over the last 20 seconds, logarithmic")
        self._latency_chart.setToolTip("Capture to paint (white) and network (blue) over the last 20 seconds")
        for chart in (self._latency_chart, self._jitter_chart):
            chart.setMinimumHeight(64)

        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._latency_number)
        head.addWidget(self._latency_text, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(named_label("heading", "LATENCY, CAPTURE → PAINT"))
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._latency_chart, 2)
        layout.addWidget(named_label("heading", "JITTER AND BIAS OF EVERY DECODER"))
        layout.addWidget(self.table)
        layout.addWidget(self._jitter_chart, 3)
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self.refresh)

    def watch(self, board: MeterBoard) -> None:
        """Show the numbers of this board from now on."""
        self._board = board
        self._timer.start()

    def stop(self) -> None:
        """Freeze the numbers."""
        self._timer.stop()

    def choose(self, decoder: str) -> None:
        """Mark the decoder in use."""
        self.table.choose(decoder)
        self._jitter_chart.emphasize(decoder)

    def show_dropped(self, dropped: int) -> None:
        """Frames that a live source delivered faster than they could be looked at."""
        self._dropped = dropped

    def refresh(self) -> None:
        """Read the board and show it."""
        if self._board is None:
            return
        snapshot = self._board.read()
        now_s = time.monotonic()
        now_ms = {stage: spread.now for stage, spread in snapshot.latency.items()}
        self._latency_chart.add(now_s, now_ms)
        self._jitter_chart.add(now_s, snapshot.jitter.overall)
        if not self.isVisible():
            return
        self.table.show_bars(snapshot.jitter.overall, snapshot.bias.overall)
        self._latency_chart.redraw()
        self._jitter_chart.redraw()
        if self._tick % _TICKS_PER_NUMBER == 0:
            self._show_numbers(snapshot)
        self._tick += 1

    def _show_numbers(self, snapshot: MeterSnapshot) -> None:
        self.table.show_numbers(snapshot.jitter.overall, snapshot.bias.overall)
        self._bar.show_stages({stage: snapshot.latency[stage].p50 for stage in STAGES if stage in snapshot.latency})
        latency = snapshot.latency.get(PAINTED) or snapshot.latency.get(ESTIMATED)
        if latency is None:
            self._latency_number.setText("–")
            self._latency_text.setText(_LATENCY_TEXT)
            return
        self._latency_number.setText(f"{latency.p50:.0f} ms")
        fps = "–" if math.isnan(snapshot.fps) else f"{snapshot.fps:.1f}"
        dropped = f" · {self._dropped} dropped" if self._dropped else ""
        # Lines any longer are cut off beside a latency of four digits.
        self._latency_text.setText(
            f"{_LATENCY_TEXT}{dropped}\np95 {latency.p95:.0f} · p99 {latency.p99:.0f} · {fps} fps"
        )


class StageBar(QWidget):
    """Median time of each stage, stacked in one bar, with a legend beneath."""

    def __init__(self) -> None:
        super().__init__()
        self._stages: dict[str, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Median time of each stage")

    def sizeHint(self) -> QSize:
        return QSize(330, 48)

    def show_stages(self, medians_ms: dict[str, float]) -> None:
        """medians_ms: stage -> ms; stages that take no time are left out."""
        self._stages = {stage: ms for stage, ms in medians_ms.items() if ms >= 0.005}
        self.setToolTip("\n".join(f"{stage}: {ms:.2f} ms" for stage, ms in medians_ms.items()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        total = sum(self._stages.values())
        x, legend_x, legend_y = 0.0, 0.0, 14.0
        for stage, color in zip(STAGES, _STAGE_COLORS, strict=True):
            ms = self._stages.get(stage)
            if ms is None:
                continue
            width = self.width() * ms / total
            painter.fillRect(QRectF(x, 0, max(width - 1, 0.5), 8), QColor(color))
            x += width
            text = f"{stage} {ms:.1f}"
            text_width = painter.fontMetrics().horizontalAdvance(text) + 22
            if legend_x + text_width > self.width() and legend_x > 0:
                legend_x, legend_y = 0.0, legend_y + 16
            painter.fillRect(QRectF(legend_x, legend_y + 4, 8, 8), QColor(color))
            painter.setPen(QColor(theme.MUTED))
            cell = QRectF(legend_x + 12, legend_y, text_width, 16)
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, text)
            legend_x += text_width
        painter.end()

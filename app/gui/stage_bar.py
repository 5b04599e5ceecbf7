"""Median time of each stage as one bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui import theme
from app.gui.language import tr
from app.meters.board import STAGES


def stage_colors() -> dict[str, str]:
    """Each stage's colour in the theme in use."""
    return dict(zip(STAGES, theme.STAGES, strict=True))


class StageBar(QWidget):
    """Median time of each stage, stacked in one bar, with a legend beneath."""

    def __init__(self) -> None:
        super().__init__()
        self._stages: dict[str, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Median time of each stage"))

    def sizeHint(self) -> QSize:
        return QSize(330, 64)  # three rows of the legend: all stages

    def show_stages(self, medians_ms: dict[str, float]) -> None:
        """medians_ms: stage -> ms; stages that take no time are left out."""
        self._stages = {stage: ms for stage, ms in medians_ms.items() if ms >= 0.005}
        self.setToolTip("\n".join(f"{tr(stage)}: {ms:.2f} ms" for stage, ms in medians_ms.items()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        total = sum(self._stages.values())
        x, legend_x, legend_y = 0.0, 0.0, 14.0
        for stage, color in stage_colors().items():
            ms = self._stages.get(stage)
            if ms is None:
                continue
            width = self.width() * ms / total
            painter.fillRect(QRectF(x, 0, max(width - 1, 0.5), 8), QColor(color))
            x += width
            text = f"{tr(stage)} {ms:.1f}"
            text_width = painter.fontMetrics().horizontalAdvance(text) + 22
            if legend_x + text_width > self.width() and legend_x > 0:
                legend_x, legend_y = 0.0, legend_y + 16
            painter.fillRect(QRectF(legend_x, legend_y + 4, 8, 8), QColor(color))
            painter.setPen(QColor(theme.MUTED))
            cell = QRectF(legend_x + 12, legend_y, text_width, 16)
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, text)
            legend_x += text_width
        painter.end()

"""Median time of each stage as one bar."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui import theme
from app.gui.language import tr
from app.meters.board import STAGES

_WIDTH = 340


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
        last = self._places((f"{tr(stage)} 88.8" for stage in STAGES), _WIDTH)[-1]
        return QSize(_WIDTH, last.y() + 18)

    def show_stages(self, medians_ms: dict[str, float]) -> None:
        """medians_ms: stage -> ms; stages that take no time are left out."""
        self._stages = {stage: ms for stage, ms in medians_ms.items() if ms >= 0.005}
        self.setToolTip("\n".join(f"{tr(stage)}: {ms:.2f} ms" for stage, ms in medians_ms.items()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        total, x = sum(self._stages.values()), 0.0
        shown = {stage: color for stage, color in stage_colors().items() if stage in self._stages}
        texts = [f"{tr(stage)} {self._stages[stage]:.1f}" for stage in shown]
        for (stage, color), text, place in zip(shown.items(), texts, self._places(texts, self.width()), strict=True):
            width = self.width() * self._stages[stage] / total
            painter.fillRect(QRectF(x, 0, max(width - 1, 0.5), 8), QColor(color))
            x += width
            painter.fillRect(QRectF(place.x(), place.y() + 4, 8, 8), QColor(color))
            painter.setPen(QColor(theme.MUTED))
            cell = QRectF(place.x() + 12, place.y(), self.width(), 16)
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(11)
        return font

    def _places(self, texts: Iterable[str], room: int) -> list[QPoint]:
        """Where the entries of the legend begin, in as many rows as they need. room: for a row, px."""
        metrics, x, y, places = QFontMetrics(self._font()), 0, 14, []
        for text in texts:
            width = metrics.horizontalAdvance(text) + 22
            if x and x + width > room:
                x, y = 0, y + 16
            places.append(QPoint(x, y))
            x += width
        return places

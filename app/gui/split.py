"""Two decoders on one picture, with a divider between them that can be dragged."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from app.decoder_display import decoder_color
from app.frames import Image, PoseResult
from app.gui.names import decoder_title
from app.overlay import OverlayStyle, draw_overlay

_REACH_PX = 9.0
_HANDLE_PX = 13.0
_NEAREST = 0.03  # share of the picture that each decoder keeps


class Split:
    """What the view shows on the right of the divider.

    decoder: whose skeleton is there; empty where the picture is not split. place: of the divider, a share of the width.
    """

    def __init__(self) -> None:
        self.decoder = ""
        self.place = 0.5
        self.image: Image | None = None
        self._left = ""

    @property
    def is_on(self) -> bool:
        return bool(self.decoder)

    def draw(self, result: PoseResult, style: OverlayStyle) -> None:
        """Draw the other decoder's picture of the same frame."""
        self._left = result.decoder
        # Without a plate, which would lie beneath the one on the left.
        other = dataclasses.replace(style, show_caption=False)
        # Where MediaPipe reads there are no decoders to compare: both sides are the same.
        readable = all(person.has_decoders for person in result.people)
        shown = dataclasses.replace(result, decoder=self.decoder) if readable else result
        self.image = draw_overlay(shown, other) if self.is_on else None

    def line(self, target: QRectF) -> float:
        """Where the divider is in the widget, px."""
        return target.left() + self.place * target.width()

    def is_near(self, target: QRectF, place: QPointF) -> bool:
        """Whether that place of the widget takes hold of the divider."""
        return self.is_on and target.contains(place) and abs(place.x() - self.line(target)) <= _REACH_PX

    def drag(self, target: QRectF, x: float) -> None:
        """Move the divider to that place of the widget."""
        self.move((x - target.left()) / max(1.0, target.width()))

    def move(self, place: float) -> None:
        """Move the divider to that share of the width."""
        self.place = min(max(place, _NEAREST), 1 - _NEAREST)

    def paint(self, painter: QPainter, target: QRectF, bottom: float) -> None:
        """The divider, its handle, and the names of both decoders beside it, down to `bottom`."""
        x = self.line(target)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for color, width in ((QColor(18, 18, 18, 150), 4.0), (QColor(255, 255, 255), 2.0)):
            painter.setPen(QPen(color, width))
            painter.drawLine(QPointF(x, target.top()), QPointF(x, target.bottom()))
        middle = QPointF(x, target.center().y())
        painter.setPen(QPen(QColor(18, 18, 18, 150), 1.5))
        painter.setBrush(QColor(255, 255, 255))
        painter.drawEllipse(middle, _HANDLE_PX, _HANDLE_PX)
        painter.setPen(QPen(QColor(40, 44, 50), 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for side in (-1, 1):
            tip = middle + QPointF(7.5 * side, 0)
            for up in (-1, 1):
                painter.drawLine(tip, tip + QPointF(-3.5 * side, 3.5 * up))
        free = QRectF(target.topLeft(), QPointF(target.right(), bottom))
        self._paint_name(painter, free, x, self._left, left=True)
        self._paint_name(painter, free, x, self.decoder, left=False)

    @staticmethod
    def _paint_name(painter: QPainter, target: QRectF, x: float, decoder: str, *, left: bool) -> None:
        font = QFont(painter.font())
        font.setPixelSize(max(13, round(0.03 * target.height())))
        font.setBold(True)
        painter.setFont(font)
        title = decoder_title(decoder)
        metrics = painter.fontMetrics()
        plate = QRectF(0, 0, metrics.horizontalAdvance(title) + 42, metrics.height() + 10)
        plate.moveBottom(target.bottom() - 10)  # at the top it could meet the plate of the meters
        if left:
            plate.moveRight(x - 14)
        else:
            plate.moveLeft(x + 14)
        painter.save()
        # Where the divider stands at the border there is no room for both.
        painter.setClipRect(
            QRectF(target.left(), target.top(), x - target.left(), target.height())
            if left
            else QRectF(x, target.top(), target.right() - x, target.height())
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 23, 28, 215))
        painter.drawRoundedRect(plate, 8, 8)
        painter.setBrush(QColor(decoder_color(decoder)))
        painter.drawEllipse(QPointF(plate.left() + 17, plate.center().y()), 5.5, 5.5)
        painter.setPen(QColor("#e8eaed"))
        painter.drawText(plate.adjusted(30, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, title)
        painter.restore()

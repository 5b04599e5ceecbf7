"""The pattern that the camera is to see, and pictures of how it sees it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.gui import theme
from app.gui.cards import LEFT, RIGHT, write
from app.gui.delay_card import CAMERA, POSESCOPE
from app.gui.language import tr
from app.gui.video_view import VideoView
from app.meters.glass_to_glass import Flip, Times

# Few and large, so that a camera out of focus, or close, still tells them apart.
_ROWS, _COLUMNS = 2, 4
_SHADE = QColor(9, 11, 14, 160)
TRACE_S = 3.5


class ScreenPattern(QWidget):
    """Black and white fields that swap: half of the screen is white in both states.

    So the camera keeps its exposure, the room its light, and any part of the screen will do, also in a mirror.

    shown: the paint that first showed a state ended: the state, +1 or -1, and the host clock in ns.
    """

    shown = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Pattern for the camera"))
        self._state = 1
        self._unseen = True

    def flip(self) -> None:
        """Swap black and white with the next paint."""
        self._state, self._unseen = -self._state, True
        self.update()

    def start(self) -> None:
        """Say `shown` of the next paint, although the state stays."""
        self._unseen = True
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for row in range(_ROWS):
            for column in range(_COLUMNS):
                left, right = (self.width() * place // _COLUMNS for place in (column, column + 1))
                top, bottom = (self.height() * place // _ROWS for place in (row, row + 1))
                white = (row + column) % 2 == (self._state > 0)
                color = Qt.GlobalColor.white if white else Qt.GlobalColor.black
                painter.fillRect(left, top, right - left, bottom - top, color)
        painter.end()
        if self._unseen:
            self._unseen = False
            self.shown.emit(self._state, time.perf_counter_ns())


class CameraPreview(QWidget):
    """What the camera sees, darkened so that it does not take its own picture for the pattern, and what follows it.

    view: shows the results, and times their paints.
    """

    def __init__(self) -> None:
        super().__init__()
        self.view = VideoView()
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.empty.show_state(tr("No picture yet"), "", can_open=False)
        self._shade = _Shade(self.view)
        self.setFixedSize(self.view.minimumSize())
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view, 0, 0)
        layout.addWidget(self._shade, 0, 0)

    def show_cells(self, cells: NDArray[np.bool_]) -> None:
        """cells: (rows, columns), which parts of the picture follow the pattern."""
        self._shade.cells = cells
        self._shade.update()


class _Shade(QWidget):
    def __init__(self, view: VideoView) -> None:
        super().__init__()
        self._view = view
        self.cells: NDArray[np.bool_] = np.zeros((1, 1), np.bool_)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), _SHADE)
        image = self._view.image
        if image is not None and self.cells.any():
            scale = min(self.width() / image.shape[1], self.height() / image.shape[0])
            picture = QRectF(0, 0, image.shape[1] * scale, image.shape[0] * scale)
            picture.moveCenter(QRectF(self.rect()).center())
            cells = self.cells[:, ::-1] if self._view.mirrored else self.cells
            color = QColor(theme.ACCENT)
            color.setAlpha(70)
            rows, columns = cells.shape
            width, height = picture.width() / columns, picture.height() / rows
            for row, column in np.argwhere(cells).tolist():
                left, top = picture.left() + column * width, picture.top() + row * height
                painter.fillRect(QRectF(left + 0.5, top + 0.5, width - 1, height - 1), color)
        painter.end()


class SignalTrace(QWidget):
    """The pattern on the screen and what the camera sees of it, over the last TRACE_S seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(240, 84)
        self.setAccessibleName(tr("What the screen shows and what the camera sees"))
        self._times: Times = np.zeros(0, np.int64)
        self._signal: NDArray[np.float64] = np.zeros(0)
        self._flips: list[Flip] = []
        self._now_ns = 0

    def sizeHint(self) -> QSize:
        return QSize(320, 84)

    def show_signal(self, now_ns: int, times: Times, signal: NDArray[np.float64], flips: list[Flip]) -> None:
        """See `DelayMeasurement.trace`."""
        self._now_ns, self._times, self._signal, self._flips = now_ns, times, signal, flips
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line, (text, color) in enumerate(((tr("screen"), theme.MUTED), (tr("camera"), theme.ACCENT))):
            write(painter, QRectF(0, self.height() * (0.25 + 0.5 * line) - 8, 50, 16), text, color, 11)
        painter.setClipRect(QRectF(54, 0, self.width() - 54, self.height()))
        painter.setPen(QPen(QColor(theme.MUTED), 1.5))
        painter.drawPolyline(self._wave())
        if len(self._times):
            painter.setPen(QPen(QColor(theme.ACCENT), 2))
            painter.drawPolyline(
                QPolygonF(
                    [
                        self._point(when, value, 0.75)
                        for when, value in zip(self._times.tolist(), self._signal.tolist(), strict=True)
                    ]
                )
            )
        else:
            painter.setPen(QPen(QColor(theme.LINE), 1.5))
            painter.drawLine(QPointF(54, 0.75 * self.height()), QPointF(self.width(), 0.75 * self.height()))
        painter.end()

    def _wave(self) -> QPolygonF:
        """The state of the pattern, from flip to flip."""
        points = []
        for place, flip in enumerate(self._flips):
            end_ns = self._flips[place + 1].shown_ns if place + 1 < len(self._flips) else self._now_ns
            points += [self._point(flip.shown_ns, flip.state, 0.25), self._point(end_ns, flip.state, 0.25)]
        return QPolygonF(points)

    def _point(self, when_ns: int, value: float, middle: float) -> QPointF:
        share = 1 - (self._now_ns - when_ns) / (TRACE_S * 1e9)
        value = min(max(value, -1.3), 1.3)
        return QPointF(54 + (self.width() - 54) * share, self.height() * (middle - 0.17 * value))


class FlipLamps(QWidget):
    """A lamp for each flip: seen, not seen, still to come."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(12)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._seen: tuple[bool, ...] = ()
        self._count = 1

    def show_flips(self, seen: Sequence[bool], count: int) -> None:
        """seen: of the flips so far; count: how many there will be."""
        if (tuple(seen), count) != (self._seen, self._count):
            self._seen, self._count = tuple(seen), count
            self.setAccessibleName(tr("{n} of {count} flips seen").format(n=sum(seen), count=count))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        step = min(self.width() / self._count, 34.0)
        for place in range(self._count):
            color = theme.LINE
            if place < len(self._seen):
                color = theme.ACCENT if self._seen[place] else theme.WARNING
            painter.setBrush(QColor(color))
            painter.drawRoundedRect(QRectF(place * step, 2, max(1.0, step - 3), 8), 2, 2)
        painter.end()


class LoopPicture(QWidget):
    """What is timed: from the screen through the camera and PoseScope back onto the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(96)
        self.setAccessibleName(tr("From the screen through the camera and PoseScope back onto the screen"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stops = (("", theme.TEXT), (tr("Camera"), CAMERA), ("PoseScope", POSESCOPE), ("", theme.TEXT))
        gap = 64.0
        width = (self.width() - gap * (len(stops) - 1) - 2) / len(stops)
        for place, (title, color) in enumerate(stops):
            box = QRectF(1 + place * (width + gap), 14, width, 56)
            painter.setBrush(QColor(theme.PANEL))
            painter.setPen(QPen(QColor(color), 1.5))
            painter.drawRoundedRect(box, 8, 8)
            if title:
                write(painter, box, title, color, 15, bold=True, align=Qt.AlignmentFlag.AlignCenter)
            else:  # a screen
                self._paint_fields(painter, box.adjusted(10, 10, -10, -10), swapped=place > 0)
            if place:
                self._paint_arrow(painter, QPointF(box.left() - gap + 8, box.center().y()), gap - 16)
        for text, align in ((tr("a swap is painted"), LEFT), (tr("its picture is painted"), RIGHT)):
            write(painter, QRectF(0, 74, self.width(), 18), text, theme.MUTED, 12, align=align)
        painter.end()

    def _paint_fields(self, painter: QPainter, area: QRectF, *, swapped: bool) -> None:
        for row in range(_ROWS):
            for column in range(_COLUMNS):
                width, height = area.width() / _COLUMNS, area.height() / _ROWS
                field = QRectF(area.left() + column * width, area.top() + row * height, width, height)
                painter.fillRect(field, QColor("#d8dbe0" if ((row + column) % 2 == 1) != swapped else "#07090c"))

    def _paint_arrow(self, painter: QPainter, start: QPointF, length: float) -> None:
        end = start + QPointF(length, 0)
        painter.setPen(QPen(QColor(theme.MUTED), 1.5))
        painter.drawLine(start, end)
        painter.drawPolyline([end + QPointF(-7, -5), end, end + QPointF(-7, 5)])

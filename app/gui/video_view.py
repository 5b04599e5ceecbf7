"""Shows the annotated picture, as large as fits, and tells when each result was first painted."""

from __future__ import annotations

import time

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.frames import Image, PoseResult
from app.gui import theme
from app.gui.big_meters import BigMeters
from app.gui.empty_state import EmptyState
from app.gui.language import mark, tr
from app.gui.split import Split

_MARKER_RADIUS = 15.0
_SPLIT_STEP = 0.02
OPENING = mark("Opening the source …")


class VideoView(QWidget):
    """The picture.

    first_painted: emitted once for each result, at the end of the paint that first showed it, with the result, the
        time its overlay took, the time the paint took, and the moment (host clock), all in ns.
    clicked: a place in the picture, in its pixels as they are shown, and whether they are shown mirrored.
    split: the other decoder on the right of a divider. big_meters: large numbers over the picture, or None.
    marker: a place, likewise, around which a ring is drawn; not part of what is recorded. mirrored: set by the owner.
    """

    first_painted = Signal(object, object, object, object)
    clicked = Signal(QPointF, bool)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 180)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Picture"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)  # the cursor tells where the divider of a split picture is
        self._image: Image | None = None
        self._result: PoseResult | None = None
        self._scaled_from: Image | None = None
        self._scaled = np.zeros((1, 1, 4), np.uint8)
        self._overlay_ns = 0
        self._unseen = False
        self.empty = EmptyState(self)
        self.badge = ""
        self.big_badge = ""
        self.marker: tuple[float, float] | None = None
        self.mirrored = False
        self.recording_text = ""
        self.split = Split()
        self.big_meters: BigMeters | None = None
        self._dragging = False
        self._right_from: Image | None = None
        self._right = self._scaled

    @property
    def image(self) -> Image | None:
        """The annotated picture on screen, (H, W, 3) BGR."""
        return self._image

    @property
    def result(self) -> PoseResult | None:
        """The result on screen."""
        return self._result

    @property
    def waiting(self) -> bool:
        """Whether the result on hand was not painted yet."""
        return self._unseen

    def show_result(self, result: PoseResult, image: Image, overlay_ns: int, *, again: bool = False) -> None:
        """Paint `image` (H, W, 3) BGR, the annotated picture of `result`, soon.

        again: the frame was on screen before and is only drawn anew, so it is not painted for the first time.
        """
        self._unseen = self._unseen or not again
        self._result, self._overlay_ns = result, overlay_ns
        self._image = image
        self.empty.hide()
        self.update()

    def clear(self) -> None:
        """Show no picture until another result comes."""
        self._result = self._image = self._scaled_from = self._right_from = self.split.image = None
        self._unseen = False
        self.empty.hide()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._unseen = False  # how long a picture waited out of sight is no latency

    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.empty.setGeometry(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        started_ns = time.perf_counter_ns()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000" if self._image is not None else theme.WINDOW))
        if self._image is None:
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "" if self.empty.isVisible() else tr(OPENING))
        else:
            self._paint_picture(painter, self._image)
        if self.big_meters is not None:
            self.big_meters.paint(painter, QRectF(self.rect()))
        if self.badge:
            self._paint_badge(painter)
        if self.big_badge:
            self._paint_big_badge(painter)
        if self.recording_text:
            self._paint_recording(painter)
        painter.end()
        if self._unseen and self._result is not None:
            self._unseen = False
            ended_ns = time.perf_counter_ns()
            self.first_painted.emit(self._result, self._overlay_ns, ended_ns - started_ns, ended_ns)

    def _paint_picture(self, painter: QPainter, image: Image) -> None:
        target, scale = self._target(image)
        painter.drawImage(target.topLeft(), self._on_screen(image, target))
        if self.split.image is not None:
            self._paint_split(painter, target, self.split.image)
        if self.marker is not None and np.isfinite(self.marker).all():
            # The centre of the top left pixel is (0, 0).
            centre = target.topLeft() + QPointF(self.marker[0] + 0.5, self.marker[1] + 0.5) * scale
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for color, width_px in ((QColor(18, 18, 18), 4.0), (QColor(theme.TEXT), 2.0)):
                painter.setPen(QPen(color, width_px))
                painter.drawEllipse(centre, _MARKER_RADIUS, _MARKER_RADIUS)

    def _paint_split(self, painter: QPainter, target: QRectF, image: Image) -> None:
        size = self._size_on_screen(target)
        if self._right_from is not image or self._right.shape[1::-1] != size:
            self._right_from, self._right = image, _scaled(image, size)
        line = self.split.line(target)
        painter.save()
        painter.setClipRect(QRectF(line, target.top(), target.right() - line, target.height()))
        painter.drawImage(target.topLeft(), self._as_picture(self._right))
        painter.restore()
        area = QRectF(self.rect())
        free_to = self.big_meters.top(area) if self.big_meters is not None else area.bottom()
        self.split.paint(painter, target, min(target.bottom(), free_to))

    def _on_screen(self, image: Image, target: QRectF) -> QImage:
        """`image` as large as `target`; a repaint without a new picture takes the one that is there."""
        size = self._size_on_screen(target)
        if self._scaled_from is not image or self._scaled.shape[1::-1] != size:
            self._scaled_from, self._scaled = image, _scaled(image, size)
        return self._as_picture(self._scaled)

    def _size_on_screen(self, target: QRectF) -> tuple[int, int]:
        """Width and height in the screen's own pixels."""
        ratio = self.devicePixelRatioF()
        return max(1, round(target.width() * ratio)), max(1, round(target.height() * ratio))

    def _as_picture(self, scaled: NDArray[np.uint8]) -> QImage:
        # Over the array, not a copy: the stride is passed, and whoever owns the array keeps it alive.
        height, width = scaled.shape[:2]
        picture = QImage(scaled.data, width, height, scaled.strides[0], QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        return picture

    def _target(self, image: Image) -> tuple[QRectF, float]:
        """Where the picture lies in the widget, and how much it is magnified."""
        height, width = image.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        target = QRectF(0, 0, width * scale, height * scale)
        target.moveCenter(QRectF(self.rect()).center())
        # On whole pixels: between them the picture would be scaled a second time.
        target.moveTopLeft(QPointF(target.topLeft().toPoint()))
        return target, scale

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._image is not None:
            target, scale = self._target(self._image)
            if self.split.is_near(target, event.position()):
                self._dragging = True
            elif target.contains(event.position()):
                place = (event.position() - target.topLeft()) / scale - QPointF(0.5, 0.5)
                self.clicked.emit(place, self.mirrored)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if self._image is None:
            return
        target, _ = self._target(self._image)
        if self._dragging:
            self.split.drag(target, event.position().x())
            self.update()
        near = self._dragging or self.split.is_near(target, event.position())
        self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._dragging = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -_SPLIT_STEP, Qt.Key.Key_Right: _SPLIT_STEP}.get(Qt.Key(event.key()))
        if step is not None and self.split.is_on:
            self.split.move(self.split.place + step)
            self.update()
        else:
            super().keyPressEvent(event)

    def _paint_big_badge(self, painter: QPainter) -> None:
        font = QFont(self.font())
        font.setBold(True)
        font.setPixelSize(max(36, round(0.09 * self.height())))
        painter.setFont(font)
        size = painter.fontMetrics().boundingRect(self.big_badge)
        plate = QRectF(0, 0, size.width() + 72, size.height() + 28)
        plate.moveCenter(QRectF(self.rect()).center())
        plate.moveTop(0.62 * self.height())
        self._fill_plate(painter, plate)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, self.big_badge)

    def _paint_badge(self, painter: QPainter) -> None:
        plate = self._plate_for(painter, self.badge, 18)
        plate.moveCenter(QRectF(self.rect()).center())
        plate.moveBottom(self.height() - 24)
        self._fill_plate(painter, plate)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, self.badge)

    def _paint_recording(self, painter: QPainter) -> None:
        plate = self._plate_for(painter, self.recording_text, 26)
        plate.moveTopRight(QPointF(self.width() - 14, 14))
        self._fill_plate(painter, plate)
        painter.drawText(plate.adjusted(16, 0, 0, 0), Qt.AlignmentFlag.AlignCenter, self.recording_text)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.RECORD))
        painter.drawEllipse(QPointF(plate.left() + 19, plate.center().y()), 6, 6)

    def _plate_for(self, painter: QPainter, text: str, side: int) -> QRectF:
        font = QFont(self.font())
        font.setPixelSize(15)
        painter.setFont(font)
        size = painter.fontMetrics().boundingRect(text)
        return QRectF(0, 0, size.width() + 2 * side, size.height() + 16)

    def _fill_plate(self, painter: QPainter, plate: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 23, 28, 215))
        radius = min(plate.height() / 2, 26.0)
        painter.drawRoundedRect(plate, radius, radius)
        painter.setPen(QColor(theme.TEXT))


def _scaled(image: Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """`image` (H, W, 3) BGR as (height, width, 4) in the screen's layout; size: width and height.

    OpenCV scales and converts in a quarter of the time that Qt takes for both.
    """
    if image.shape[1::-1] != size:
        # From half the size on, a mean of four pixels leaves some out: that flickers.
        how = cv2.INTER_AREA if size[0] < image.shape[1] / 2 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), np.uint8)

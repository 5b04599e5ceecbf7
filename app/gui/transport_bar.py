"""Beneath a file or a folder: play and pause, steps, the place in it, loop, speed."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QKeyEvent, QPainter, QPixmap, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.gui import theme
from app.gui.language import tr
from app.gui.view_panel import Segments
from app.gui.widgets import JumpSlider, named_label, tool_button

_HEIGHT, _BUTTON_HEIGHT, _ICON = 36, 26, 16
_NS_PER_MS = 1_000_000
_UNKNOWN = "–"
_LONGEST_STEP_MS = 5_000
# Pictures from before a jump arrive for a while after it; they must not pull the handle back.
_LATE_S = 1.0
_NEAR_NS = 500_000_000


class TransportBar(QWidget):
    """Emits what the user wants and shows what the owner says; `show_...` emits nothing.

    pause_toggled: hold or go on. stepped: -1 or +1 picture. sought: to this position, int ns from the beginning (more
    than Qt's own int holds). loop_toggled: start again at the end, or not. realtime_toggled: True at real speed,
    False as fast as possible.

    pause_key, back_key, forward_key: the window's keys, for the tooltips; empty where there are none.
    """

    pause_toggled = Signal()
    stepped = Signal(int)
    sought = Signal(object)
    loop_toggled = Signal(bool)
    realtime_toggled = Signal(bool)

    def __init__(self, *, pause_key: str = "", back_key: str = "", forward_key: str = "") -> None:
        super().__init__()
        self.setObjectName("transport")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Transport"))
        self.setFixedHeight(_HEIGHT)
        self._pause_key = pause_key
        self._duration_ns: int | None = None
        self._reported_ns = 0
        self._awaited: tuple[int, int, float] | None = None  # sought, reported before, until when
        self._realtime = True
        self._play_icon, self._pause_icon = _icon(_paint_play), _icon(_paint_pause)

        back, forward = _with_key(tr("One picture back"), back_key), _with_key(tr("One picture forward"), forward_key)
        self._back = self._icon_button(_icon(_paint_back), tr("Step back"), back)
        self._play = self._icon_button(self._pause_icon, tr("Pause"), "")
        self._forward = self._icon_button(_icon(_paint_forward), tr("Step forward"), forward)
        self._play.clicked.connect(self.pause_toggled)
        for button, step in ((self._back, -1), (self._forward, 1)):
            button.setAutoRepeat(True)
            button.clicked.connect(lambda _=False, step=step: self.stepped.emit(step))
        self._slider = JumpSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName(tr("Position"))
        self._slider.setToolTip(tr("Click or drag to go there. Arrow keys, Page up and down, Home and End."))
        self._slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._slider.setMinimumWidth(60)
        self._slider.valueChanged.connect(self._slider_moved)
        self._slider.sliderReleased.connect(self._slider_released)
        self._time = named_label("time")
        self._time.setAccessibleName(tr("Time"))
        self._time.setAlignment(Qt.AlignmentFlag.AlignCenter)
        font = self._time.font()
        font.setFeature(QFont.Tag("tnum"), 1)  # the digits of some platforms' fonts differ in width
        self._time.setFont(font)
        self._loop = self._flat(tool_button(tr("Loop"), checkable=True))
        self._loop.setAccessibleName(tr("Loop"))
        self._loop.setToolTip(tr("Start again at the end"))
        self._loop.clicked.connect(self.loop_toggled)
        self._speed = Segments({True: "1×", False: tr("Max")}, tr("Speed"))
        self._speed.setToolTip(tr("1×: at real speed. Max: as fast as this computer can look at every picture."))
        self._speed.chosen.connect(self._speed_chosen)
        for button in self._speed.findChildren(QToolButton):
            self._flat(button)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 10, 0)
        layout.setSpacing(4)
        for widget in (self._back, self._play, self._forward):
            layout.addWidget(widget)
        layout.addSpacing(6)
        layout.addWidget(self._slider, 1)
        layout.addSpacing(6)
        layout.addWidget(self._time)
        layout.addSpacing(6)
        layout.addWidget(self._loop)
        layout.addSpacing(6)
        layout.addWidget(self._speed)
        self.show_paused(False)
        self._slider.setRange(0, 0)
        self._slider.setEnabled(False)
        self._show_time(None)

    def _flat(self, button: QToolButton) -> QToolButton:
        button.setFixedHeight(_BUTTON_HEIGHT)
        return button

    def _icon_button(self, icon: QIcon, name: str, tip: str) -> QToolButton:
        button = self._flat(tool_button(""))
        button.setIcon(icon)
        button.setIconSize(QSize(_ICON, _ICON))
        button.setFixedWidth(36)
        button.setAccessibleName(name)
        button.setToolTip(tip)
        return button

    def show_source(self, duration_ns: int | None, loop: bool, realtime: bool) -> None:
        """How long the source is, and how it plays. May be called again and again, also while the user drags.

        Where the length is unknown it cannot be wound. Between two sources show None once: that goes to the beginning.
        """
        self._realtime = realtime
        self._loop.setChecked(loop)
        self._speed.show_choice(realtime)
        if duration_ns == self._duration_ns:
            return
        self._duration_ns = duration_ns
        known_ms = 0 if duration_ns is None else duration_ns // _NS_PER_MS
        self._slider.blockSignals(True)
        self._slider.setRange(0, known_ms)
        self._slider.setSingleStep(max(1, min(known_ms // 20, _LONGEST_STEP_MS)))
        self._slider.setPageStep(max(1, known_ms // 10))
        self._slider.blockSignals(False)
        self._slider.setEnabled(known_ms > 0)
        self._time.setMinimumWidth(0)
        self._show_time(duration_ns)  # the widest that will come
        if duration_ns is None:
            self._awaited, self._reported_ns = None, 0
            self._show_time(None)
        else:
            self._show_time(self._reported_ns)

    def show_position(self, position_ns: int | None) -> None:
        """Where the picture on screen lies, ns from the beginning. While the user drags, the handle stays theirs."""
        if position_ns is not None:
            self._reported_ns = position_ns
        if self._slider.isSliderDown() or (position_ns is not None and self._comes_late(position_ns)):
            return
        self._slider.blockSignals(True)
        self._slider.setValue(0 if position_ns is None else position_ns // _NS_PER_MS)
        self._slider.blockSignals(False)
        self._show_time(position_ns)

    def show_paused(self, paused: bool) -> None:
        """Whether the picture is held."""
        self._play.setIcon(self._play_icon if paused else self._pause_icon)
        self._play.setAccessibleName(tr("Play") if paused else tr("Pause"))
        self._play.setToolTip(_with_key(tr("Go on") if paused else tr("Hold the picture"), self._pause_key))

    def _comes_late(self, position_ns: int) -> bool:
        """Whether that picture is still one from before the jump."""
        if self._awaited is None:
            return False
        sought_ns, before_ns, until = self._awaited
        distance = abs(position_ns - sought_ns)
        if distance > _NEAR_NS and abs(position_ns - before_ns) <= distance and time.monotonic() < until:
            return True
        self._awaited = None
        return False

    def _slider_moved(self, value_ms: int) -> None:
        assert self._duration_ns is not None
        # The last ms is the very end, though a length is seldom a whole number of them.
        position_ns = self._duration_ns if value_ms == self._slider.maximum() else value_ms * _NS_PER_MS
        self._awaited = (position_ns, self._reported_ns, time.monotonic() + _LATE_S)
        self._show_time(position_ns)
        self.sought.emit(position_ns)

    def _slider_released(self) -> None:
        if self._awaited is not None:  # a long hold must not use up the time
            self._awaited = (*self._awaited[:2], time.monotonic() + _LATE_S)

    def _speed_chosen(self, realtime: bool) -> None:
        if realtime != self._realtime:
            self._realtime = realtime
            self.realtime_toggled.emit(realtime)

    def _show_time(self, position_ns: int | None) -> None:
        hours = (self._duration_ns or 0) >= 3_600_000_000_000
        self._time.setText(f"{time_text(position_ns, hours=hours)} / {time_text(self._duration_ns)}")
        # Only ever wider, so that nothing beside it trembles.
        self._time.ensurePolished()
        self._time.setMinimumWidth(max(self._time.minimumWidth(), self._time.sizeHint().width()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The window keeps the space bar for itself, the other key that would press a button.
        button = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(button, QToolButton):
            button.click()
        else:
            super().keyPressEvent(event)


def time_text(position_ns: int | None, *, hours: bool = False) -> str:
    """`0:03.28` or, from an hour on or with `hours`, `1:02:03.28`; cut off, not rounded; `–` where unknown."""
    if position_ns is None:
        return _UNKNOWN
    minutes, centiseconds = divmod(max(0, position_ns) // 10_000_000, 6000)
    seconds = f"{centiseconds // 100:02d}.{centiseconds % 100:02d}"
    if hours or minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds}"
    return f"{minutes}:{seconds}"


def _with_key(tip: str, key: str) -> str:
    return tr("{tip}. Key {key}").format(tip=tip, key=key) if key else tip


def _icon(paint: Callable[[QPainter], None]) -> QIcon:
    """Drawn rather than written: fonts differ in these signs, and some platforms show them as coloured emoji."""
    icon = QIcon()
    for ratio in (1, 2, 3):
        pixmap = QPixmap(_ICON * ratio, _ICON * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.TEXT))
        paint(painter)
        painter.end()
        icon.addPixmap(pixmap)
    return icon


def _paint_play(painter: QPainter) -> None:
    painter.drawPolygon(QPolygonF([QPointF(4, 2), QPointF(14, 8), QPointF(4, 14)]))


def _paint_pause(painter: QPainter) -> None:
    for left in (3, 9):
        painter.drawRoundedRect(QRectF(left, 2, 4, 12), 1, 1)


def _paint_forward(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(2, 3, 3, 10), 1, 1)
    painter.drawPolygon(QPolygonF([QPointF(7, 3), QPointF(14, 8), QPointF(7, 13)]))


def _paint_back(painter: QPainter) -> None:
    painter.drawPolygon(QPolygonF([QPointF(9, 3), QPointF(2, 8), QPointF(9, 13)]))
    painter.drawRoundedRect(QRectF(11, 3, 3, 10), 1, 1)

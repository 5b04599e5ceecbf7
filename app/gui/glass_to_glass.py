"""“Measure my camera’s delay”: a page whose pattern the camera sees, from the warning to the result."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.frames import PoseResult
from app.gui.delay_card import DelayDialog, paint_dots
from app.gui.language import mark, tr
from app.gui.message_bar import MessageBar
from app.gui.screen_pattern import TRACE_S, CameraPreview, FlipLamps, LoopPicture, ScreenPattern, SignalTrace
from app.gui.video_view import VideoView
from app.gui.widgets import named_label
from app.meters.delay_measurement import CONFIRM, DelayMeasurement, DelayState
from app.meters.glass_to_glass import FLIPS, Flip, Outcome
from app.session import Session

_REFRESH_MS = 66
_LOOK_EVERY = 4  # refreshes
_WARNING, _PATTERN, _FAILED = range(3)

_WHAT = mark(
    "Point the camera at this window, so that the window fills as much of its picture as it can. Black and white "
    "fields will swap here, and PoseScope times how long each swap takes through screen, camera and pose network until "
    "this window shows it. That takes less than a minute; a recording goes on meanwhile."
)
_FLASHES = mark(
    "⚠  Flashing light: large fields swap about twice a second, never more than 2.5 times. "
    "Do not start if you, or anybody who sees this screen, may be sensitive to it."
)


class DelayPage(QDialog):
    """A dialog as large as its window: a warning, then the pattern, and a reason where there is no figure.

    started: the user agrees to flashes. flipped: see `ScreenPattern.shown`.
    """

    started = Signal()
    flipped = Signal(int, object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Measure my camera’s delay"))
        self.pattern = ScreenPattern()
        self.pattern.shown.connect(self.flipped)
        self.preview = CameraPreview()
        self.trace = SignalTrace()
        self._lamps, self._dots = FlipLamps(), _Dots()
        self._heading, self._message = named_label("heading"), _wrapped(22)
        self._message.setAccessibleName(tr("What to do"))
        self._count, self._reason = _wrapped(15), _wrapped(18)
        self._stack = QStackedWidget()
        for page in (self._make_warning(), self._make_measuring(), self._make_failure()):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        full_screen = QShortcut(QKeySequence("F"), self)
        full_screen.activated.connect(lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen))
        self.setGeometry(window.geometry())
        self.setWindowState(window.windowState() & (Qt.WindowState.WindowFullScreen | Qt.WindowState.WindowMaximized))

    def _make_warning(self) -> QWidget:
        warning = QWidget()
        warning.setObjectName("message")
        warning.setProperty("kind", "warning")
        warning.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        text = _wrapped(16, tr(_FLASHES))
        text.setAccessibleName(tr("Warning"))
        inside = QVBoxLayout(warning)
        inside.setContentsMargins(18, 14, 18, 14)
        inside.addWidget(text)
        title, start = named_label("big", tr("Measure my camera’s delay")), self._buttons(tr("&Start"))
        return _centred(title, LoopPicture(), _wrapped(16, tr(_WHAT)), warning, start)

    def _make_failure(self) -> QWidget:
        title = named_label("big", tr("No figure this time"))
        self._reason.setAccessibleName(tr("Why there is no figure"))
        self._again = self._buttons(tr("&Try again"))
        return _centred(title, self._reason, self._again)

    def _buttons(self, title: str) -> QWidget:
        """A row of two, to start and to leave; it has the focus of the first."""
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 8, 0, 0)
        go, leave = QPushButton(title), QPushButton(tr("Leave (Esc)"))
        go.setObjectName("primary")
        row.setFocusProxy(go)
        go.clicked.connect(self.started)
        leave.setAutoDefault(False)
        leave.clicked.connect(self.reject)
        layout.addWidget(go)
        layout.addWidget(leave)
        layout.addStretch(1)
        return row

    def _make_measuring(self) -> QWidget:
        texts = QVBoxLayout()
        texts.setSpacing(8)
        texts.addWidget(self._heading)
        texts.addWidget(self._message, 1, Qt.AlignmentFlag.AlignTop)
        texts.addWidget(self._count)
        texts.addWidget(self._lamps)
        texts.addWidget(named_label("hint", tr("Esc leaves  ·  F full screen")))
        charts = QVBoxLayout()
        charts.setSpacing(10)
        charts.addWidget(self.trace, 1)
        charts.addWidget(self._dots, 1)
        strip = QWidget()
        strip.setObjectName("panel")
        strip.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(strip)
        row.setContentsMargins(14, 14, 20, 14)
        row.setSpacing(20)
        row.addWidget(self.preview)
        row.addLayout(texts, 3)
        row.addLayout(charts, 2)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.pattern, 1)
        layout.addWidget(strip)
        return page

    @property
    def shows_pattern(self) -> bool:
        """Whether the camera has something to look at."""
        return self._stack.currentIndex() == _PATTERN and self.isVisible()

    def show_pattern(self) -> None:
        """Let the pattern appear."""
        self._stack.setCurrentIndex(_PATTERN)
        self.pattern.start()

    def show_failure(self, reason: str) -> None:
        """Say why there is no figure."""
        self._reason.setText(reason)
        self._stack.setCurrentIndex(_FAILED)
        self._again.setFocus()

    def show_state(self, state: DelayState, flips: int, seconds_left: float) -> None:
        """Say where the measurement is. flips: how many are wanted; seconds_left: that the rest of them will take."""
        self._message.setText(state.message)
        self.preview.show_cells(state.sight.cells)
        delays = [reading.painted for reading in state.readings]
        self._dots.show_delays(delays)
        self._dots.setVisible(state.phase != "looking")
        if state.phase == "looking":
            self._heading.setText(tr("LOOKING FOR THE PATTERN"))
            in_a_row = tr("{n} of {count} flips seen in a row").format(n=state.confirmed, count=CONFIRM)
            contrast = tr(", contrast {contrast:.0f} of 255").format(contrast=state.sight.contrast)
            self._count.setText(in_a_row + (contrast if state.sight.found else ""))
            self._lamps.show_flips([True] * state.confirmed, CONFIRM)
            return
        self._heading.setText(tr("MEASURING"))
        known = [reading.painted for reading in state.readings if reading.outcome is Outcome.SEEN]
        so_far = tr("  ·  median so far {ms:.0f} ms").format(ms=np.median(known)) if known else ""
        left = tr("  ·  {seconds:.0f} s left").format(seconds=seconds_left) if seconds_left > 0.5 else ""
        text = tr("{n} of {count} flips, {seen} seen").format(n=len(state.readings), count=flips, seen=len(known))
        self._count.setText(text + so_far + left)
        self._lamps.show_flips([reading.outcome is Outcome.SEEN for reading in state.readings], flips)


class DelayControl(QObject):
    """Runs the measurement beside a window: its page, its timers, its card.

    view: of the window. recordings: folder for cards that are saved. flips: how many are timed.
    first_painted: by the view on the page, see `VideoView`.
    """

    first_painted = Signal(object, object, object, object)

    def __init__(self, window: QWidget, view: VideoView, messages: MessageBar, recordings: Path) -> None:
        super().__init__(window)
        self._window, self._view, self._messages, self._recordings = window, view, messages, recordings
        self.flips = FLIPS
        self._session: Session | None = None
        self._page: DelayPage | None = None
        self._measurement: DelayMeasurement | None = None
        self._random = random.Random()
        self._refreshes = 0
        self._flip_timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._flip_timer.timeout.connect(self._flip)
        self._refresh_timer = QTimer(self, interval=_REFRESH_MS)
        self._refresh_timer.timeout.connect(self._refresh)

    def adopt(self, session: Session) -> None:
        """Measure in another session from now on."""
        self.leave()
        self._session = session

    @property
    def view_in_front(self) -> VideoView:
        """Where pictures are to be shown: in the window, but on the page while the camera sees the pattern."""
        page = self._page
        return page.preview.view if page is not None and page.shows_pattern else self._view

    def measure(self) -> None:
        """Open the page, or say why the delay cannot be measured here."""
        session = self._session
        if session is None or self._page is not None:
            return
        if not session.source.from_camera:
            need = tr("The delay can only be measured with a camera that sees this screen: open one with Ctrl+O.")
            self._messages.show_message(need, "warning")
        elif session.pipeline.finished.is_set() or session.paused:
            self._messages.show_message(tr("There is no moving picture to measure the delay in."), "warning")
        elif session.hold_still is not None:
            self._messages.show_message(tr("The hold-still measurement is still running."), "warning")
        else:
            page = self._page = DelayPage(self._window)
            page.started.connect(self._start)
            page.flipped.connect(self._flipped)
            page.preview.view.first_painted.connect(self._painted)
            page.preview.view.first_painted.connect(self.first_painted)
            page.finished.connect(self.leave)
            # Not `open`, which macOS makes a sheet of, as small as it likes.
            page.setModal(True)
            page.show()

    def leave(self) -> None:
        """Close the page and forget what was measured; what runs besides goes on."""
        self._stop()
        page, self._page = self._page, None
        if page is not None:
            page.close()

    def _stop(self) -> None:
        self._flip_timer.stop()
        self._refresh_timer.stop()
        self._measurement = None
        if self._session is not None:
            self._session.glass_to_glass = None

    def _start(self) -> None:
        page, session = self._page, self._session
        if page is None or session is None:
            return
        refresh_hz = page.screen().refreshRate()
        self._measurement = DelayMeasurement(session.source.name, refresh_hz, flips=self.flips, tr=tr)
        session.glass_to_glass = self._measurement
        self._show_state()
        page.show_pattern()
        self._refresh_timer.start()

    def _flip(self) -> None:
        if self._page is None or self._measurement is None:
            return
        if self._measurement.before_flip(time.perf_counter_ns()):
            self._page.pattern.flip()
        else:
            self._ended()

    def _flipped(self, state: int, shown_ns: int) -> None:
        if self._measurement is not None:
            self._measurement.add_flip(Flip(shown_ns, state))
            self._flip_timer.start(round(1000 * self._random.uniform(*self._measurement.interval_s())))

    def _painted(self, result: PoseResult, _overlay_ns: int, _paint_ns: int, painted_ns: int) -> None:
        if self._measurement is not None:
            self._measurement.add_paint(result.frame.captured_ns, painted_ns)

    def _refresh(self) -> None:
        measurement, page, session = self._measurement, self._page, self._session
        if measurement is None or page is None or session is None:
            return
        if session.pipeline.finished.is_set():
            measurement.fail(tr("The measurement stopped: the camera delivers no more pictures."))
        now_ns = time.perf_counter_ns()
        self._refreshes += 1
        if self._refreshes % _LOOK_EVERY == 0:
            measurement.look(now_ns)
            self._show_state()
        page.trace.show_signal(now_ns, *measurement.trace(round(now_ns - TRACE_S * 1e9)))
        if measurement.state().phase in ("done", "failed"):
            self._ended()

    def _show_state(self) -> None:
        if self._measurement is not None and self._page is not None:
            state = self._measurement.state()
            left_s = (self.flips - len(state.readings)) * sum(self._measurement.interval_s()) / 2
            self._page.show_state(state, self.flips, left_s)

    def _ended(self) -> None:
        """Show the card, or why there is none."""
        measurement, page = self._measurement, self._page
        if measurement is None or page is None:
            return
        card, reason = measurement.card(), measurement.state().message
        self._stop()
        if card is None:
            page.show_failure(reason)
            return
        self.leave()
        DelayDialog(card, self._recordings, self._window).open()


class _Dots(QWidget):
    """The delays so far."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(60)
        self.setAccessibleName(tr("Delays so far"))
        self._delays: list[float] = []

    def show_delays(self, delays: list[float]) -> None:
        if len(delays) != len(self._delays):
            self._delays = delays
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_dots(painter, QRectF(self.rect()).adjusted(4, 2, -4, -20), self._delays)
        painter.end()


def _wrapped(pixels: int, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setStyleSheet(f"font-size: {pixels}px;")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
    return label


def _centred(*widgets: QWidget) -> QWidget:
    """A column of text in the middle of a page."""
    column = QWidget()
    column.setFixedWidth(680)
    inside = QVBoxLayout(column)
    inside.setSpacing(18)
    for widget in widgets:
        inside.addWidget(widget)
    page = QWidget()
    layout = QHBoxLayout(page)
    layout.addStretch(1)
    layout.addWidget(column, 0, Qt.AlignmentFlag.AlignVCenter)
    layout.addStretch(1)
    return page

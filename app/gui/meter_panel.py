"""The meters: latency at a glance, jitter and bias of every decoder. Bars move fast, numbers can be read."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.decoder_display import DISPLAY_NAMES, PX_RANGE
from app.gui import theme
from app.gui.decoder_table import DecoderTable
from app.gui.language import tr
from app.gui.people_row import PeopleRow
from app.gui.stage_bar import StageBar
from app.gui.strip_chart import StripChart
from app.gui.widgets import ListBox, keep_lines, named_label, tool_button
from app.meters.board import JITTER_WINDOW_S, PAINTED, STAGES, MeterBoard, MeterSnapshot
from app.meters.jitter import STILL_BODY_SHARE
from app.meters.rolling import JointDistances
from models.people import MEDIAPIPE

_TICK_MS = 80
_TICKS_PER_NUMBER = 3
JITTER_WINDOWS_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class MeterPanel(QWidget):
    """Reads the board several times a second, shows the main numbers while it is in sight and hands on what it read.

    snapshot_read: the snapshot, and whether it is time to change numbers too (bars move more often).
    window_chosen: another length of the window of jitter and bias, in seconds. hold_still_asked: the button.
    """

    snapshot_read = Signal(object, bool)
    window_chosen = Signal(float)
    hold_still_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._board: MeterBoard | None = None
        self._dropped = 0
        self._tick = 0
        self._chosen = ""
        self._latency_number = named_label("big", "–")
        self._latency_text = named_label("hint")
        self._latency_text.setToolTip(
            tr(
                "From the moment this computer received the frame to the end of the paint that first shows its "
                "skeleton.\nThe camera's own delay and the screen's are not included."
            )
        )
        self._bar = StageBar()
        self.people = PeopleRow()
        self._table_heading = named_label("heading")
        self.table = DecoderTable()
        self._reference_text = named_label(
            "hint",
            tr(
                "MediaPipe itself smooths the points of one person:\n"
                "compare with our own while smoothing is on (key O)."
            ),
        )
        self.show_decoders(tuple(DISPLAY_NAMES))
        self._jitter_chart = StripChart("px", theme.reading_colors, log_range=PX_RANGE)
        self._jitter_chart.setToolTip(tr("Jitter of every decoder over the last 20 seconds, logarithmic"))
        self._jitter_chart.setMinimumHeight(64)
        self._jitter_chart.setAccessibleName(tr("Jitter of every decoder over the last 20 seconds"))
        self._joints_text = named_label("hint")
        self._motion_text = named_label("hint")
        self._motion_text.setToolTip(
            tr(
                "How fast the joints move. Speed and acceleration are taken out of the jitter,\n"
                "but fast and uneven motion leaves a rest: hold still to compare decoders."
            )
        )
        self._smoothing_text = named_label("hint")
        self._smoothing_text.setToolTip(
            tr(
                "Jitter of the chosen decoder before and after the smoothing (the thin bars: of every decoder),\n"
                "and by how much it delays the points: the lag that best aligns smoothed to raw.\n"
                "That can only be told while the person moves."
            )
        )
        self._smoothing_text.hide()

        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._latency_number)
        head.addWidget(self._latency_text, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(named_label("heading", tr("LATENCY, CAPTURE → PAINT")))
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._table_heading)
        layout.addWidget(self.people)
        layout.addWidget(self.table)
        layout.addWidget(self._reference_text)
        for label in (self._smoothing_text, self._joints_text, self._motion_text):
            keep_lines(label, 1)
            layout.addWidget(label)
        layout.addWidget(self._jitter_chart, 1)
        layout.addLayout(self._make_foot())
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self.refresh)

    def _make_foot(self) -> QHBoxLayout:
        self._window = ListBox()
        self._window.setAccessibleName(tr("Length of the jitter window"))
        self._window.setToolTip(tr("Over which time jitter and bias are taken"))
        for seconds in JITTER_WINDOWS_S:
            self._window.addItem(tr("last {seconds:g} s").format(seconds=seconds), seconds)
        self._window.setCurrentIndex(self._window.findData(JITTER_WINDOW_S))
        self._window.activated.connect(lambda row: self.window_chosen.emit(self._window.itemData(row)))
        self._unit = tool_button(tr("% of body"), checkable=True)
        self._unit.setToolTip(tr("Jitter and bias as a share of the body's size instead of pixels"))
        self._unit.clicked.connect(self._unit_clicked)
        hold = tool_button(tr("Hold still …"))
        hold.setToolTip(tr("3-2-1, five seconds, then a card with jitter and bias of every decoder. Key T."))
        hold.clicked.connect(self.hold_still_asked)
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self._window)
        foot.addWidget(self._unit)
        foot.addStretch(1)
        foot.addWidget(hold)
        return foot

    def watch(self, board: MeterBoard) -> None:
        """Show the numbers of this board from now on."""
        self._board = board
        board.set_jitter_window(self._window.currentData())
        self._timer.start()

    def stop(self) -> None:
        """Freeze the numbers."""
        self._timer.stop()

    @property
    def live(self) -> bool:
        """Whether the numbers go on; frozen ones may be looked at, but do not move on in the charts."""
        return self._timer.isActive()

    def choose(self, decoder: str) -> None:
        """Mark the decoder in use."""
        self._chosen = decoder
        self.table.choose(decoder)
        self._jitter_chart.emphasize(decoder)

    def show_decoders(self, names: Sequence[str]) -> None:
        """Which decoders are measured; without any, MediaPipe alone."""
        heading = tr("JITTER AND BIAS OF EVERY DECODER") if names else tr("JITTER OF THE REFERENCE")
        self._table_heading.setText(heading)
        self.table.show_readings(names or (MEDIAPIPE,))
        self._reference_text.setHidden(bool(names))

    def show_dropped(self, dropped: int) -> None:
        """Frames that a live source delivered faster than they could be looked at."""
        self._dropped = dropped

    @property
    def as_body_share(self) -> bool:
        """Whether jitter and bias are shown as a share of the body's size."""
        return self._unit.isChecked()

    def refresh(self) -> None:
        """Read the board and show it."""
        if self._board is None:
            return
        snapshot = self._board.read()
        numbers = self._tick % _TICKS_PER_NUMBER == 0
        self._tick += 1
        if self.live:
            self._jitter_chart.add(time.monotonic(), snapshot.jitter.overall)
        if self.isVisible():
            self.table.show_bars(snapshot.jitter.overall, snapshot.bias.overall, snapshot.smoothed_jitter.overall)
            self._jitter_chart.redraw()
            if numbers:
                self._show_numbers(snapshot)
        self.snapshot_read.emit(snapshot, numbers)

    def refresh_numbers(self) -> None:
        """Read the board and show all of it now."""
        self._tick = 0
        self.refresh()

    def _unit_clicked(self) -> None:
        self.table.show_unit("%" if self.as_body_share else "px")
        self.refresh_numbers()

    def _in_unit(self, distances: JointDistances) -> dict[str, float]:
        if not self.as_body_share:
            return distances.overall
        return {name: 100 * share for name, share in distances.body_share.items()}

    def _show_numbers(self, snapshot: MeterSnapshot) -> None:
        self.table.show_numbers(self._in_unit(snapshot.jitter), self._in_unit(snapshot.bias))
        self._bar.show_stages({stage: snapshot.latency[stage].p50 for stage in STAGES if stage in snapshot.latency})
        self.people.show_people(snapshot.people, snapshot.person)
        anew = snapshot.bias.joints and not snapshot.jitter.joints  # after a cut, for seven frames
        self._joints_text.setText(tr("Starting anew …") if anew else joints_text(snapshot.jitter))
        self._motion_text.setText(self._motion(snapshot))
        smoothed = snapshot.smoothed_jitter.overall.get(self._chosen, math.nan)
        self._smoothing_text.setVisible(math.isfinite(smoothed))
        if math.isfinite(smoothed):
            self._smoothing_text.setText(self._smoothing(snapshot.jitter.overall.get(self._chosen, math.nan), smoothed))
        self._show_latency(snapshot)

    def _show_latency(self, snapshot: MeterSnapshot) -> None:
        assert self._board is not None
        window_text = tr("median of {seconds:g} s").format(seconds=self._board.latency_window_s)
        latency = snapshot.latency.get(PAINTED)
        if latency is None:
            self._latency_number.setText("–")
            self._latency_text.setText(window_text)
            return
        self._latency_number.setText(f"{latency.p50:.0f} ms")
        fps = "–" if math.isnan(snapshot.fps) else f"{snapshot.fps:.1f}"
        dropped = tr(" · {n} dropped").format(n=self._dropped) if self._dropped else ""
        # Lines any longer are cut off beside a latency of four digits.
        self._latency_text.setText(f"{window_text}{dropped}\np95 {latency.p95:.0f} · p99 {latency.p99:.0f} · {fps} fps")

    def _motion(self, snapshot: MeterSnapshot) -> str:
        speed, share = snapshot.motion.speed_px, snapshot.motion.speed_share
        if math.isnan(speed):
            return tr("Motion –")
        state = tr("Moving") if share > STILL_BODY_SHARE else tr("Still")
        text = tr("{state}: {px:.0f} px/s, {percent:.0f} % of the body a second")
        return text.format(state=state, px=speed, percent=100 * share)

    def _smoothing(self, raw: float, smoothed: float) -> str:
        assert self._board is not None
        lag = self._board.read_lag()
        lag_text = tr("lag – (move)") if lag is None else tr("lag {ms:.0f} ms").format(ms=lag)
        return tr("Smoothed: {raw:.2f} → {smoothed:.2f} px, {lag}").format(raw=raw, smoothed=smoothed, lag=lag_text)


def joints_text(distances: JointDistances) -> str:
    """How many joints are in the numbers, and why the others are not."""
    if not distances.joints:
        return tr("No joint seen")
    joints = tr("{n} joints").format(n=distances.joints)
    return joints + (tr(" · {n} left out (score under 0.3)").format(n=distances.left_out) if distances.left_out else "")

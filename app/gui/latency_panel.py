"""The latency ledger: every stage now, over the window, and stacked over time."""

from __future__ import annotations

import json
import time
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.decoder_display import DISPLAY_NAMES, three_digits
from app.errors import OutputError
from app.gui import theme
from app.gui.language import mark, tr
from app.gui.names import decoder_title
from app.gui.stage_bar import stage_colors
from app.gui.strip_chart import StackedChart
from app.gui.widgets import ListBox, named_label, tool_button
from app.ledger import latency_ledger
from app.meters.board import PAINTED, STAGES, MeterSnapshot
from app.meters.latency import Spread
from app.output_file import OutputFile
from app.output_names import ledger_path
from app.session import Session

WINDOWS_S = (2.0, 5.0, 10.0, 30.0, 60.0)
_COLUMNS = ("ms", mark("now"), "p50", "p95", "p99", mark("max"))
_ROW_HEIGHT = 19
_INTERVAL = mark("frame interval")
_WHOLE = mark("capture → paint")
_PARTS = {"shared": mark("shared by all"), "peak": mark("bias reference"), "to image": mark("into the image")}
_NO_DROPS = mark("No frame dropped")
_PART = Qt.ItemDataRole.UserRole


class LatencyPanel(QWidget):
    """Stages, the decoders one by one, drops.

    window_chosen: another length of the window, in seconds. save_asked: the user wants the ledger as JSON.
    delay_asked: the user wants to know the camera's own delay too.
    """

    window_chosen = Signal(float)
    save_asked = Signal()
    delay_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._chart = StackedChart("ms", stage_colors)
        self._chart.setMinimumHeight(96)
        self._chart.setToolTip(
            tr(
                "The age of the picture, made up of its stages, 12 times a second over the last 20 seconds.\n"
                "The dashed line is the time between two frames of the source. Stages from preprocess to decode share "
                "one\nthread: where they alone reach above the line, not every frame can be looked at."
            )
        )
        self._chart.setAccessibleName(tr("Latency of every stage over the last 20 seconds"))
        self._rows = [_WHOLE, *STAGES, _INTERVAL]
        self._parts: list[str] = []
        self._table = QTableWidget(0, len(_COLUMNS))
        self._cells: list[list[QTableWidgetItem]] = []
        self._set_up_table()
        self._drops = named_label("hint", tr(_NO_DROPS))
        self._window = ListBox()
        self._window.setAccessibleName(tr("Length of the latency window"))
        for seconds in WINDOWS_S:
            self._window.addItem(tr("last {seconds:g} s").format(seconds=seconds), seconds)
        self._window.activated.connect(lambda row: self.window_chosen.emit(self._window.itemData(row)))
        save = tool_button(tr("Save JSON"))
        save.setToolTip(tr("Save these numbers beside the recordings"))
        save.clicked.connect(self.save_asked)
        delay = tool_button(tr("Delay …"))
        delay.setToolTip(tr("Measure my camera’s delay: the whole way, glass to glass. Ctrl+D."))
        delay.clicked.connect(self.delay_asked)
        foot = QHBoxLayout()
        foot.addWidget(self._window)
        foot.addStretch(1)
        foot.addWidget(delay)
        foot.addWidget(save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._chart, 2)
        layout.addWidget(self._table, 3)
        layout.addWidget(self._drops)
        layout.addLayout(foot)

    def _set_up_table(self) -> None:
        table = self._table
        table.setAccessibleName(tr("Latency by stage"))
        for column, title in enumerate(_COLUMNS):
            item = QTableWidgetItem(tr(title))
            side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            table.setHorizontalHeaderItem(column, item)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        table.verticalHeader().setMinimumSectionSize(_ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setFixedHeight(_ROW_HEIGHT + 2)
        header.setSectionsClickable(False)
        table.setShowGrid(False)
        table.setIconSize(QSize(9, 9))
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for name in self._rows:
            self._append_row(tr(name), name, bold=name == _WHOLE)
        self._cells[0][0].setToolTip(tr("From the moment this computer received the frame to the end of its paint"))
        self._color()
        theme.broadcast.changed.connect(self._color)

    def _append_row(self, title: str, part: str | None, *, bold: bool = False) -> None:
        """part: the stage or the decoder whose colour stands beside the title, if it has one."""
        row = self._table.rowCount()
        self._table.insertRow(row)
        self._cells.append([])
        for column in range(len(_COLUMNS)):
            item = QTableWidgetItem(title if column == 0 else "–")
            item.setData(_PART, part)
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if bold:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            self._table.setItem(row, column, item)
            self._cells[row].append(item)

    def show_window(self, seconds: float) -> None:
        """Which length of the window is in use."""
        self._window.setCurrentIndex(self._window.findData(seconds))

    def add(self, snapshot: MeterSnapshot) -> None:
        """One more moment for the chart; to be called also while the panel is out of sight."""
        now = {stage: spread.now for stage, spread in snapshot.latency.items() if stage in STAGES}
        self._chart.add(time.monotonic(), now)
        self._chart.show_reference(snapshot.frame_interval.p50 if snapshot.frame_interval else None)
        self._chart.redraw()

    def show_numbers(self, snapshot: MeterSnapshot, session: Session) -> None:
        """Change the numbers."""
        self._show_row(0, snapshot.latency.get(PAINTED))
        for row, stage in enumerate(STAGES, 1):
            self._show_row(row, snapshot.latency.get(stage))
        self._show_row(len(STAGES) + 1, snapshot.frame_interval)
        if list(snapshot.decoders) != self._parts:
            self._show_parts(list(snapshot.decoders))
        for row, part in enumerate(self._parts, len(self._rows) + 1):
            self._show_row(row, snapshot.decoders[part])
        self._drops.setText(_drops_text(session))

    def _show_parts(self, parts: list[str]) -> None:
        """One row for each part of the decoding, below a heading."""
        self._parts = parts
        self._table.setRowCount(len(self._rows))
        del self._cells[len(self._rows) :]
        if parts:
            self._append_row(tr("Decoding, one by one"), None)
            self._table.setSpan(len(self._rows), 0, 1, len(_COLUMNS))
        for part in parts:
            known = part in DISPLAY_NAMES
            self._append_row(decoder_title(part) if known else tr(_PARTS.get(part, part)), part)
        self._color()

    def _color(self) -> None:
        """Everything in the colours of the theme in use."""
        colors = {**dict.fromkeys(_PARTS, theme.UNKNOWN), **theme.DECODERS, **stage_colors()}
        for cells in self._cells:
            first, *_ = cells
            color = colors.get(first.data(_PART) or "")
            if color is not None:
                chip = QPixmap(9, 9)
                chip.fill(QColor(color))
                first.setIcon(chip)
            for column, item in enumerate(cells):
                strong = column in (0, 2) and first.data(_PART) is not None
                item.setForeground(QColor(theme.TEXT if strong or first.font().bold() else theme.MUTED))

    def _show_row(self, row: int, spread: Spread | None) -> None:
        values = (spread.now, spread.p50, spread.p95, spread.p99, spread.max) if spread else (None,) * 5
        for column, value in enumerate(values, 1):
            self._cells[row][column].setText("–" if value is None else three_digits(value))


def save_ledger(session: Session, folder: Path) -> Path:
    """Write the ledger of the session's window as JSON into `folder`. Raises OutputError."""
    path = ledger_path(folder, session.source.name)
    ledger = latency_ledger(session, session.board.read(), window_s=session.board.latency_window_s)
    file = OutputFile(path)
    try:
        file.write((json.dumps(ledger, indent=2, ensure_ascii=False) + "\n").encode())
        file.close()
    except OutputError:
        file.discard()
        raise
    return path


def _drops_text(session: Session) -> str:
    each = tr("{n} {where}")
    parts = [each.format(n=count, where=tr(where)) for where, count in session.dropped.items() if count]
    # A wrapped label would make the whole panel's height depend on its width.
    return tr("Frames dropped: {parts}").format(parts=",\n".join(parts)) if parts else tr(_NO_DROPS)

"""Jitter and bias of every joint of the decoder in use: a figure that shows where, and a list that shows how much."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.decoder_display import WITHOUT_BIAS
from app.gui.joints.figure import JointFigure
from app.gui.joints.list_view import JointList
from app.gui.joints.scale import BIAS, JITTER, JointValues, count_text, joint_order
from app.gui.language import tr
from app.gui.names import decoder_title
from app.gui.widgets import named_label, tool_button
from app.meters.rolling import JointDistances

_SORT_EVERY_S = 1.0


class JointPanel(QWidget):
    """joint_chosen: the user chose a joint, an index into BLAZEPOSE_33."""

    joint_chosen = Signal(int)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._distances: tuple[JointDistances, JointDistances] | None = None
        self._decoder = ""
        self._kind = JITTER
        self._as_body_share = False
        self._sorted_for: tuple[object, ...] = ()
        self._sorted_at = -math.inf
        self._switch = QButtonGroup(self)
        self._heading = named_label("hint")
        self._heading.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._count = named_label("hint", tr("No joint is measured yet."))
        self.figure = JointFigure()
        self.list = JointList()
        for part in (self.figure, self.list):
            part.joint_chosen.connect(self._picked)
        head = QHBoxLayout()
        head.setSpacing(4)
        for kind, tip in (
            (JITTER, tr("Sort and colour the joints by how much they tremble")),
            (BIAS, tr("Sort and colour the joints by the distance to the peak of their heatmap")),
        ):
            head.addWidget(self._kind_button(kind, tip))
        head.addWidget(self._heading, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._count)
        layout.addWidget(self.figure, 1)
        layout.addWidget(self.list, 1)
        self.setAccessibleName(tr("Jitter and bias of every joint"))

    def sizeHint(self) -> QSize:
        return QSize(340, 640)

    @property
    def as_body_share(self) -> bool:
        """Whether numbers are in percent of the body's size instead of px of the source."""
        return self._as_body_share

    @as_body_share.setter
    def as_body_share(self, on: bool) -> None:
        self._as_body_share = on
        self._refresh()

    def show_distances(self, jitter: JointDistances, bias: JointDistances, decoder: str) -> None:
        """Show this decoder's numbers of every joint; cheap while hidden."""
        self._distances, self._decoder = (jitter, bias), decoder
        self._refresh()

    def choose_joint(self, index: int) -> None:
        """Mark a joint, without emitting anything."""
        self.figure.choose(index)
        self.list.choose(index)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _kind_button(self, kind: str, tip: str) -> QToolButton:
        button = tool_button(tr(kind), checkable=True)
        button.setChecked(kind == self._kind)
        button.setToolTip(tip)
        button.setAccessibleName(tr("Joints by {what}").format(what=tr(kind)))
        button.setMinimumWidth(72)
        button.clicked.connect(lambda: self._choose_kind(kind))
        self._switch.addButton(button)
        return button

    def _choose_kind(self, kind: str) -> None:
        self._kind = kind
        self._refresh()

    def _picked(self, joint: int) -> None:
        self.choose_joint(joint)
        self.joint_chosen.emit(joint)

    def _refresh(self) -> None:
        if self._distances is None or not self.isVisible():
            return
        values = JointValues.of(*self._distances, self._decoder)
        factor = values.percent_per_px if self._as_body_share else None
        shown = values.px(self._kind)
        self._heading.setText(decoder_title(self._decoder))
        no_bias = self._kind == BIAS and self._decoder in WITHOUT_BIAS
        self._count.setText(tr("No bias: MediaPipe gives no heatmaps.") if no_bias else count_text(shown, values.count))
        # Numbers may change four times a second, places only once, or nobody could point at a row.
        now, sorted_for = self._clock(), (self._kind, self._decoder, bool((shown >= 0).any()))
        if sorted_for != self._sorted_for or now - self._sorted_at >= _SORT_EVERY_S:
            if sorted_for[::2] != self._sorted_for[::2]:
                self.list.view.scrollToTop()
            self._sorted_for, self._sorted_at = sorted_for, now
            self.list.model.sort_by(joint_order(shown))
        self.figure.show_values(values, self._kind, factor)
        self.list.show_values(values, self._kind, factor)

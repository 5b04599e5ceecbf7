"""A magnifying glass on one joint's heatmap: what every decoder makes of the same cells, and why."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.gui.language import mark, tr
from app.gui.loupe.reading import JointReading, read_joint
from app.gui.loupe.view import HeatmapView, WeightView
from app.gui.names import decoder_name, joint_name
from app.gui.widgets import ListBox, keep_lines, named_label
from models.people import Person
from models.skeletons import BLAZEPOSE_33

_NUMBERS_EVERY_S = 0.25
_NOBODY = mark("Nobody to look at yet.\nThe loupe shows the heatmap of a joint as soon as somebody is in the picture.")
_REFERENCE = mark("MediaPipe gives points and no heatmaps:\nthere is nothing to look into.")
_NO_HEATMAPS = mark("The heatmaps of this picture were not kept.\nThe next picture brings them.")


class Loupe(QWidget):
    """One joint's heatmap, its weights and numbers. Pictures follow every call, numbers four times a second.

    joint_chosen: the user chose another joint, an index into BLAZEPOSE_33.
    """

    joint_chosen = Signal(int)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._person: Person | None = None
        self._decoder = ""
        self._beta = math.nan
        self._numbers: JointReading | None = None
        self._numbers_of: tuple[object, ...] = ()
        self._numbers_at = -math.inf
        self.joint = BLAZEPOSE_33.index["left_wrist"]
        self._combo = _joint_combo()
        self._combo.setCurrentIndex(self.joint)
        self._combo.activated.connect(self._activated)
        self.heatmap_view = HeatmapView()
        self.weight_view = WeightView()
        self._text = named_label("hint")
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        keep_lines(self._text, 2)
        self._text.setAccessibleName(tr("Numbers of the joint"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._combo)
        layout.addWidget(self.heatmap_view, 2)
        layout.addWidget(self.weight_view, 1)
        layout.addWidget(self._text)
        layout.addStretch()
        self.setAccessibleName(tr("Loupe"))
        self._show_placeholder(_NOBODY)

    def sizeHint(self) -> QSize:
        return QSize(340, 700)

    def choose_joint(self, index: int) -> None:
        """Look at another joint, without emitting anything."""
        if index != self.joint:
            self.joint = index
            self._combo.setCurrentIndex(index)
            self.heatmap_view.window_of_cells.forget()
            self._refresh()

    def show_person(self, person: Person | None, chosen_decoder: str, beta: float) -> None:
        """Show the joint of this person, read with this beta; cheap while hidden.

        Showing the same person again brings the numbers up to date at once.
        """
        again = person is self._person
        self._person, self._decoder, self._beta = person, chosen_decoder, beta
        if again:
            self._numbers_at = -math.inf
        self._refresh()

    def clear(self) -> None:
        """Forget the person."""
        self._person = None
        self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._numbers_at = -math.inf
        self._refresh()

    def _activated(self, index: int) -> None:
        if index != self.joint:
            self.choose_joint(index)
            self.joint_chosen.emit(index)

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        if self._person is None or self._person.heatmaps is None:
            self._show_placeholder(_why_not(self._person))
            return
        reading = read_joint(self._person.as_read_by(self._decoder), self.joint, self._beta)
        numbers_of = (self._person.id, self.joint, self._decoder, self._beta)
        now = self._clock()
        if numbers_of != self._numbers_of or now - self._numbers_at >= _NUMBERS_EVERY_S:
            self._numbers, self._numbers_of, self._numbers_at = reading, numbers_of, now
            self._text.setText(numbers_text(reading, self._decoder, self._beta))
        self.heatmap_view.show_reading(reading, self._numbers, self._decoder)
        self.weight_view.show_reading(reading, self._numbers, self.heatmap_view.window_of_cells)

    def _show_placeholder(self, sentence: str) -> None:
        self._numbers, self._numbers_of = None, ()
        self._text.clear()
        self.heatmap_view.placeholder = tr(sentence)
        self.heatmap_view.show_reading(None, None, self._decoder)
        self.weight_view.show_reading(None, None, self.heatmap_view.window_of_cells)


def _why_not(person: Person | None) -> str:
    if person is None:
        return _NOBODY
    return _NO_HEATMAPS if person.has_decoders else _REFERENCE


def numbers_text(reading: JointReading, decoder: str, beta: float) -> str:
    """Two lines: the map, then the chosen decoder's distance to its peak."""
    column, row = reading.cell
    cells = reading.distance(decoder)
    first = tr("peak {peak:.2f} at ({column}, {row}) · mean {mean:.3f} · β {beta:g}")
    first = first.format(peak=reading.peak, column=column, row=row, mean=reading.mean, beta=beta)
    second = tr("1 cell = {px:.1f} px").format(px=reading.cell_px)
    if not math.isnan(cells):
        distance = tr("{decoder} {px:.1f} px from the peak · ")
        second = distance.format(decoder=decoder_name(decoder), px=cells * reading.cell_px) + second
    return f"{first}\n{second}"


def _joint_combo() -> ListBox:
    combo = ListBox()
    combo.addItems([joint_name(joint) for joint in range(len(BLAZEPOSE_33.joints))])
    combo.setMaxVisibleItems(16)
    combo.setAccessibleName(tr("Joint under the loupe"))
    combo.setToolTip(tr("The joint whose heatmap is shown"))
    return combo

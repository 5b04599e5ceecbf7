"""Whom the meters look at, where several people are in the picture."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.decoder_display import person_color
from app.gui.language import tr
from app.gui.widgets import named_label

_STYLE = """\
QToolButton {{ background: {color}; color: #14171c; border: 2px solid transparent; border-radius: 5px; padding: 1px 7px;
    font-weight: 600; }}
QToolButton:checked {{ border-color: palette(text); background: {color}; color: #14171c; }}
QToolButton:focus {{ border-color: palette(highlight); }}
"""


class PeopleRow(QWidget):
    """A button for each person, in the colour of the number in the picture; hidden while there is one at most.

    person_chosen: the number of the one who was clicked.
    """

    person_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[int, int] = {}
        self._buttons: dict[int, QToolButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(named_label("hint", tr("Person")))
        self._row.addStretch(1)
        self.hide()

    def show_people(self, people: Mapping[int, int], chosen: int | None) -> None:
        """people: number -> slot (`models.people.Person`). chosen: whom the meters show."""
        several = dict(people) if len(people) > 1 else {}
        if several != self._people:
            self._people = several
            self._rebuild()
        for number, button in self._buttons.items():
            button.setChecked(number == chosen)
        self.setVisible(bool(several))

    def _rebuild(self) -> None:
        for button in self._buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = {}
        for place, (number, slot) in enumerate(self._people.items(), 1):
            button = QToolButton()
            button.setText(str(number))
            button.setCheckable(True)
            button.setAccessibleName(tr("Meters of person {n}").format(n=number))
            tip = tr("Show the meters of person {n}. A click on them in the picture does the same.")
            button.setToolTip(tip.format(n=number))
            button.setStyleSheet(_STYLE.format(color=person_color(slot)))
            button.clicked.connect(lambda _, number=number: self.person_chosen.emit(number))
            self._buttons[number] = button
            self._row.insertWidget(place, button)

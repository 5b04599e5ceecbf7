"""The pages of the window: the live picture, and the β laboratory, which is built when it is first wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMenuBar, QStackedWidget, QVBoxLayout, QWidget

from app.gui.language import tr
from app.gui.widgets import tool_button

if TYPE_CHECKING:
    from app.gui.lab.page import LabPage

LIVE, LABORATORY = 0, 1


class Pages(QWidget):
    """laboratory_built: the laboratory was opened for the first time. laboratory_shown: it is in front."""

    laboratory_built = Signal()
    laboratory_shown = Signal()

    def __init__(self, live: QWidget) -> None:
        super().__init__()
        self.live = live
        self.laboratory: LabPage | None = None
        self._stack = QStackedWidget()
        self._stack.addWidget(live)
        self.bar = QWidget()
        self.bar.setObjectName("pages")
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for index, (title, tip) in enumerate(
            (
                (tr("Live"), tr("The picture and its meters. Key L.")),
                (tr("β laboratory"), tr("Why IPR is biased. Key L.")),
            )
        ):
            button = tool_button(title, checkable=True)
            button.setToolTip(tip)
            button.clicked.connect(lambda _, index=index: self._show(index))
            self._group.addButton(button, index)
            row.addWidget(button)
        row.addStretch(1)
        self._row = row
        self._group.button(LIVE).setChecked(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)

    def add_menu(self, menu: QMenuBar) -> None:
        """Put the menus at the beginning of the bar."""
        self._row.insertWidget(0, menu)
        self._row.insertSpacing(1, 18)

    def show_live(self) -> None:
        """Bring the live picture to the front."""
        self._show(LIVE)

    def show_beta(self, beta: float) -> None:
        """Let the laboratory begin with the β of the live picture."""
        if self.laboratory is not None:
            self.laboratory.set_beta(beta)

    def toggle(self) -> None:
        """The other page."""
        self._show(LIVE if self._stack.currentIndex() == LABORATORY else LABORATORY)

    def _show(self, page: int) -> None:
        if page == LABORATORY and self.laboratory is None:
            # Here, and not at the top: it needs torch, which takes seconds to import.
            from app.gui.lab.page import LabPage

            self.laboratory = LabPage()
            self._stack.addWidget(self.laboratory)
            self.laboratory_built.emit()
        self._group.button(page).setChecked(True)
        self._stack.setCurrentIndex(page)
        if page == LABORATORY:
            self.laboratory_shown.emit()

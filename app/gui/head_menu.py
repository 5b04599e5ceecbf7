"""The menu that says whose heatmaps the decoders read: each decoder its own head's, or all of them the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.gui.language import tr
from app.gui.names import decoder_title
from app.heads_offered import OfferedHead
from models.head_file import OWN, SHIPPED, SUFFIX


class HeadMenu(QMenu):
    """chosen: OWN, SHIPPED or the label of a head. opened: the path of a file that the user wants to use."""

    chosen = Signal(str)
    opened = Signal(str)

    def __init__(self, parent: QWidget, looked_for: Callable[[], Sequence[OfferedHead]]) -> None:
        super().__init__(tr("Heads"), parent)
        self._looked_for = looked_for
        self._choice = SHIPPED
        self._group = QActionGroup(self)
        self._own: QAction | None = None
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)
        self._fill()

    def show_choice(self, choice: str, loaded: bool) -> None:
        """What is read now. loaded: whether there are heads at all beside the network's own."""
        self._choice = choice if loaded else SHIPPED
        names = {OWN: tr("Heads: each decoder its own"), SHIPPED: tr("Heads: as shipped")}
        title = names.get(self._choice) or tr("Heads: {name} for all").format(name=self._choice.replace("&", "&&"))
        if self.title() != title:
            self.setTitle(title)

    def _fill(self) -> None:
        self.clear()
        heads = self._looked_for()
        own = self._add(OWN, tr("Each decoder its own"))
        own.setToolTip(tr("Each decoder reads the head that was trained for it, where there is one"))
        own.setEnabled(bool(heads))
        self._add(SHIPPED, tr("As shipped, for all decoders"))
        for head in heads:
            name = head.label.replace("&", "&&")
            action = self._add(
                head.label, f"{tr('{name}, for all decoders').format(name=name)}\t{decoder_title(head.decoder)}"
            )
            action.setToolTip(str(head.path))
        self.addSeparator()
        self.addAction(tr("Open a head …")).triggered.connect(self._ask)

    def _add(self, choice: str, text: str) -> QAction:
        action = self.addAction(text)
        action.setCheckable(True)
        action.setChecked(choice == self._choice)
        self._group.addAction(action)
        action.triggered.connect(partial(self._choose, choice))
        return action

    def _choose(self, choice: str, _: bool = False) -> None:
        self.chosen.emit(choice)

    def _ask(self) -> None:
        dialog = QFileDialog(self.parentWidget(), tr("Open a head"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Heads (*{suffix})").format(suffix=SUFFIX), tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.opened.emit(str(Path(path))))
        dialog.open()

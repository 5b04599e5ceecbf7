"""The decoder switch and beta."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import theme
from app.gui.language import mark, tr
from app.gui.names import decoder_name, decoder_title
from app.gui.widgets import JumpSlider, ListBox, named_label, tool_button
from models.people import MEDIAPIPE
from models.readings import BETA_RANGE, DEFAULT_BETA
from models.top_down.files import NO_REGRESSION

# The decoders that the app is about stand on the switch, the others in the list beside it.
SWITCH_DECODERS = ("argmax", "ipr", "debiased")
LIST_DECODERS = ("argmax-quarter", "dark", "regression")
_SLIDER_STEPS = 400

_EXPLAINED = {
    "argmax": mark("The cell of the heatmap's maximum: at most half a cell off, but it jumps from cell to cell."),
    "argmax-quarter": mark("The maximum, a quarter of a cell toward the higher neighbour."),
    "dark": mark("A Taylor step on the logarithm of the smoothed heatmap (DARK, CVPR 2020)."),
    "ipr": mark("Integral pose regression (soft-argmax): smooth, but pulled to the middle of the crop."),
    "debiased": mark("Integral pose regression with the pull of the background removed (ICCV 2021)."),
    "regression": mark("The network's own regression, which reads no heatmap."),
}


class DecoderPanel(QWidget):
    """A segmented switch for the three main decoders, a list for the others, a logarithmic slider for beta."""

    decoder_chosen = Signal(str)
    beta_chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._buttons = QButtonGroup(self)
        switch = QHBoxLayout()
        switch.setSpacing(4)
        self._button_of: dict[str, QToolButton] = {}
        for key, name in enumerate(SWITCH_DECODERS, 1):
            button = tool_button(decoder_title(name), checkable=True)
            button.setToolTip(tr("{explained} Key {key}.").format(explained=tr(_EXPLAINED[name]), key=key))
            button.setAccessibleName(tr("Decoder {name}").format(name=decoder_name(name)))
            button.setMinimumHeight(36)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, name=name: self.decoder_chosen.emit(name))
            self._buttons.addButton(button)
            self._button_of[name] = button
            switch.addWidget(button)

        self._list = ListBox()
        self._list.setAccessibleName(tr("Other decoders"))
        self._list.setToolTip(tr("Other ways to read the same heatmap"))
        self._list.setFixedWidth(118)
        self._list.setPlaceholderText(tr("Others"))
        for name in LIST_DECODERS:
            self._list.addItem(decoder_title(name), name)
            self._list.setItemData(self._list.count() - 1, tr(_EXPLAINED[name]), Qt.ItemDataRole.ToolTipRole)
        self._list.activated.connect(self._list_activated)

        self._slider = JumpSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _SLIDER_STEPS)
        self._slider.setAccessibleName(tr("beta"))
        self._slider.setToolTip(
            tr(
                "β of IPR and debiased IPR: how sharply the softmax picks the peak.\n"
                "Small: a mean over the whole map, pulled to its middle. Large: nearly the maximum itself.\n"
                "A double click brings it back to 10."
            )
        )
        self._slider.valueChanged.connect(self._slider_moved)
        self._slider.double_clicked.connect(lambda: self.beta_chosen.emit(DEFAULT_BETA))
        self._beta_label = QLabel()
        self._beta_label.setMinimumWidth(34)
        self._beta_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

        choices = QWidget()
        layout = QGridLayout(choices)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(8)
        layout.addLayout(switch, 0, 0, 1, 4)
        layout.addWidget(self._list, 1, 0)
        layout.addWidget(QLabel("β"), 1, 1)
        layout.addWidget(self._slider, 1, 2)
        layout.addWidget(self._beta_label, 1, 3)
        layout.setColumnStretch(2, 1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(choices)
        self._pages.addWidget(_ReferenceNote())

    def show_decoders(self, names: Sequence[str]) -> None:
        """Which decoders there are to choose from; without any, what there is instead of them."""
        self._pages.setCurrentIndex(not names)
        model = self._list.model()
        assert isinstance(model, QStandardItemModel)
        for row, name in enumerate(LIST_DECODERS):
            is_there = name in names
            model.item(row).setEnabled(is_there)
            self._list.setItemData(
                row, tr(_EXPLAINED[name] if is_there else NO_REGRESSION), Qt.ItemDataRole.ToolTipRole
            )

    def show_choice(self, decoder: str, beta: float) -> None:
        """Show what is in use, without emitting anything."""
        self._buttons.setExclusive(False)
        for name, button in self._button_of.items():
            button.setChecked(name == decoder)
        self._buttons.setExclusive(decoder in self._button_of)
        self._list.setCurrentIndex(self._list.findData(decoder))
        self._slider.blockSignals(True)
        self._slider.setValue(_slider_position(beta))
        self._slider.blockSignals(False)
        self._beta_label.setText(_beta_text(beta))

    def _list_activated(self, row: int) -> None:
        self.decoder_chosen.emit(self._list.itemData(row))

    def _slider_moved(self, position: int) -> None:
        low, high = BETA_RANGE
        beta = low * (high / low) ** (position / _SLIDER_STEPS)
        beta = float(f"{beta:.3g}")
        self._beta_label.setText(_beta_text(beta))
        self.beta_chosen.emit(beta)


class _ReferenceNote(QWidget):
    """What there is instead of decoders where MediaPipe reads."""

    def __init__(self) -> None:
        super().__init__()
        self._title = QLabel()
        self._color()
        theme.broadcast.changed.connect(self._color)
        # Not wrapped by itself: that would make the panel's height depend on its width.
        note = named_label(
            "hint",
            tr(
                "MediaPipe’s own detector, tracking and smoothing on\n"
                "the same networks, from picture to points. It gives\n"
                "no heatmaps, so there is nothing to decode."
            ),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._title)
        layout.addWidget(note)
        layout.addStretch(1)

    def _color(self) -> None:
        self._title.setText(f'<span style="color: {theme.REFERENCE}">●</span> <b>{decoder_title(MEDIAPIPE)}</b>')


def _slider_position(beta: float) -> int:
    low, high = BETA_RANGE
    return round(_SLIDER_STEPS * math.log(min(max(beta, low), high) / low) / math.log(high / low))


def _beta_text(beta: float) -> str:
    return f"{beta:.3g}"

"""The sliders of the β laboratory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.gui.language import mark, tr
from app.gui.widgets import JumpSlider, named_label, tool_button
from models.readings import BETA_RANGE

_STEPS = 400


@dataclass(frozen=True)
class Quantity:
    """What a slider sets: its range, how its value is written and what it means. (Label and meaning are marked.)"""

    label: str
    low: float
    high: float
    text: Callable[[float], str]
    explained: str
    logarithmic: bool = False

    def position(self, value: float) -> int:
        """The slider's step nearest to the value."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return round(_STEPS * math.log(value / self.low) / math.log(self.high / self.low))
        return round(_STEPS * (value - self.low) / (self.high - self.low))

    def value(self, position: int) -> float:
        """The value at a step, with three digits."""
        share = position / _STEPS
        if self.logarithmic:
            return float(f"{self.low * (self.high / self.low) ** share:.3g}")
        return float(f"{self.low + (self.high - self.low) * share:.4g}")


QUANTITIES: dict[str, Quantity] = {
    mark("beta"): Quantity(
        "β",
        *BETA_RANGE,
        lambda value: f"{value:.3g}",
        mark(
            "How sharply the softmax picks the peak. Small: a mean over the whole map. "
            "Large: nearly the maximum itself."
        ),
        logarithmic=True,
    ),
    mark("sigma"): Quantity(
        "σ", 0.8, 4.0, lambda value: tr("{n:.2f} cells").format(n=value), mark("The width of the blob.")
    ),
    mark("peak"): Quantity(
        mark("peak"), 0.1, 1.0, lambda value: f"{value:.2f}", mark("The height of the blob: how sure the network is.")
    ),
    mark("background"): Quantity(
        mark("background"),
        0.0,
        0.05,
        lambda value: f"{value:.3f}",
        mark("The height of the map where there is nothing."),
    ),
    mark("noise"): Quantity(
        mark("noise"),
        0.0,
        0.1,
        lambda value: f"{value:.3f}",
        mark("The standard deviation of the noise of each cell."),
    ),
}


class LabControls(QWidget):
    """A slider for β, σ, peak, background and noise, each with its value, and a button that resets all."""

    changed = Signal(str, float)
    reset = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.sliders: dict[str, JumpSlider] = {}
        self._texts: dict[str, QLabel] = {}
        self.reset_button = tool_button(tr("Reset"))
        self.reset_button.setToolTip(tr("Back to the values and the place at the start"))
        self.reset_button.setAccessibleName(tr("Reset the synthetic heatmap"))
        self.reset_button.clicked.connect(self.reset)
        layout = self._grid = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(10)
        layout.setColumnStretch(1, 1)
        layout.addWidget(named_label("heading", tr("SYNTHETIC HEATMAP, DRAG THE BLOB")), 0, 0, 1, 2)
        layout.addWidget(self.reset_button, 0, 2, Qt.AlignmentFlag.AlignRight)
        for row, (name, quantity) in enumerate(QUANTITIES.items(), 1):
            slider = JumpSlider(Qt.Orientation.Horizontal)
            slider.setRange(0, _STEPS)
            slider.setAccessibleName(tr(name))
            slider.setToolTip(tr(quantity.explained))
            slider.valueChanged.connect(lambda position, name=name: self._moved(name, position))
            text = QLabel()
            text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            layout.addWidget(QLabel(tr(quantity.label)), row, 0)
            layout.addWidget(slider, row, 1)
            layout.addWidget(text, row, 2)
            self.sliders[name], self._texts[name] = slider, text

    def show_value(self, name: str, value: float) -> None:
        """Show what is in use, without emitting anything."""
        quantity, slider = QUANTITIES[name], self.sliders[name]
        slider.blockSignals(True)
        slider.setValue(quantity.position(value))
        slider.blockSignals(False)
        self._texts[name].setText(quantity.text(value))

    def set_text_size(self, pixels: int) -> None:
        """Make room for values of this size of text, so that the sliders keep their length."""
        self._grid.setVerticalSpacing(max(0, round(1.3 * (pixels - 13))))
        for text in self._texts.values():
            text.setMinimumWidth(6 * pixels)

    def _moved(self, name: str, position: int) -> None:
        quantity = QUANTITIES[name]
        value = quantity.value(position)
        self._texts[name].setText(quantity.text(value))
        self.changed.emit(name, value)

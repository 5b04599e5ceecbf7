"""The β laboratory as a page of the window: drag a synthetic blob and see what each decoder makes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.gui import theme
from app.gui.lab.controls import QUANTITIES, LabControls
from app.gui.lab.formula import FormulaView
from app.gui.lab.map_view import HeatmapView, WeightsView
from app.gui.lab.plots import SweepPlot
from app.gui.language import tr
from app.gui.widgets import named_label
from app.lab.readings import (
    DEFAULT_PLACE,
    LAB_DECODERS,
    PEAK_RANGE,
    Floats,
    Readings,
    SyntheticMap,
    explanation,
    lab_title,
)
from app.lab.sweeps import bias_against_beta, bias_against_peak, bias_against_position
from models.readings import BETA_RANGE, DEFAULT_BETA

_SWEEP_DELAY_MS = 40
_BETAS = 45
_MARGIN, _GAP = 12, 10
_LEAST_PLOTS, _PLOTS_SHARE = 190, 0.3
_TEXT_RANGE = (13, 20)  # px
_WEIGHT_RANGE = (1e-7, 0.1)  # shares of the sum of all weights


class LabPage(QWidget):
    """A synthetic heatmap with every decoder's point, its weights, the formula, and the bias of all in three charts.

    beta_chosen: the user set β here. Nothing is computed while the page is hidden.
    """

    beta_chosen = Signal(float)

    def __init__(self, beta: float = DEFAULT_BETA) -> None:
        super().__init__()
        self._start_beta = self._beta = _within_beta_range(beta)
        self._map = SyntheticMap(*DEFAULT_PLACE)
        self.heatmap = HeatmapView()
        self.heatmap.dragged.connect(self._blob_dragged)
        self.weights = {name: WeightsView(name) for name in ("ipr", "debiased")}
        captions = {"ipr": "IPR: softmax(βh)", "debiased": tr("Debiased: e<sup>βh′</sup> − 1")}
        self._text_size = 0
        self._captions = {name: _caption(text, name) for name, text in captions.items()}
        self.controls = LabControls()
        self.controls.changed.connect(self._slider_moved)
        self.controls.reset.connect(self._reset)
        self.formula = FormulaView()
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(self.controls)
        side.addWidget(self.formula, 1)
        side.addWidget(self.sentence)
        self.legend = _Legend()
        columns, rows = self._map.width, self._map.height
        assert columns == rows  # the layout below makes room for a square
        self.plots = {
            "position": SweepPlot(tr("true x (cells)"), tr("error of x (cells)"), (0, columns - 1), signed=True),
            "beta": SweepPlot("β", tr("bias (cells)"), BETA_RANGE, x_ticks=(0.5, 1, 2, 5, 10, 20, 50)),
            "peak": SweepPlot(tr("peak height"), tr("bias (cells)"), PEAK_RANGE),
        }
        self.plots["position"].picked.connect(lambda x: self._change(x=x))
        self.plots["beta"].picked.connect(self._choose_beta)
        self.plots["peak"].picked.connect(lambda peak: self._change(peak=peak))
        parts: list[QWidget] = [self.heatmap, self._side, self.legend]
        parts += [*self.weights.values(), *self._captions.values(), *self.plots.values()]
        for part in parts:
            part.setParent(self)
        self._sweep_timer = QTimer(self)
        self._sweep_timer.setSingleShot(True)
        self._sweep_timer.setInterval(_SWEEP_DELAY_MS)
        self._sweep_timer.timeout.connect(self._show_sweeps)
        self.setMinimumSize(960, 560)
        self._show_values()
        self._color()
        theme.broadcast.changed.connect(self._color)

    def _color(self) -> None:
        """Captions in the colours of the theme in use."""
        for caption in self._captions.values():
            text, decoder = caption.property("caption")
            caption.setText(f'<span style="color: {theme.lab_color(decoder)}">●</span>&nbsp; {text}')
        self._refresh()

    @property
    def beta(self) -> float:
        """The β in use."""
        return self._beta

    @property
    def synthetic_map(self) -> SyntheticMap:
        """The heatmap in use."""
        return self._map

    def set_beta(self, beta: float) -> None:
        """Use this β, as chosen elsewhere in the window, held to the range of the slider. Emits nothing."""
        self._beta = _within_beta_range(beta)
        self._refresh()

    def sizeHint(self) -> QSize:
        return QSize(1280, 680)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        self._sweep_timer.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
        cells = self._map.width
        # A whole number of pixels for each cell; what is left over goes to the charts.
        plots = max(_LEAST_PLOTS, round(_PLOTS_SHARE * height))
        room = min(height - plots - 2 * _TEXT_RANGE[0] - 2 * _GAP, round(0.46 * width))
        side = max(room, cells) // cells * cells + 2
        self._set_text_size(min(max(min(side // 27, width // 85), _TEXT_RANGE[0]), _TEXT_RANGE[1]))
        line = self._text_size + 8
        small = (side - _GAP) // 2 - line
        self.heatmap.setGeometry(_MARGIN, _MARGIN, side, side)
        left = _MARGIN + side + _GAP
        for index, name in enumerate(self.weights):
            top = _MARGIN + index * (small + line + _GAP)
            self._captions[name].setGeometry(left, top, small, line)
            self.weights[name].setGeometry(left, top + line, small, small)
        left += small + 2 * _GAP
        self._side.setGeometry(left, _MARGIN, self.width() - _MARGIN - left, side)
        top = _MARGIN + side + _GAP
        self.legend.setGeometry(_MARGIN, top, width, line + 4)
        top += line + 4 + _GAP // 2
        each = (width - 2 * _GAP) // 3
        for index, plot in enumerate(self.plots.values()):
            plot.setGeometry(QRect(_MARGIN + index * (each + _GAP), top, each, self.height() - _MARGIN // 2 - top))

    def _set_text_size(self, pixels: int) -> None:
        if pixels == self._text_size:
            return
        self._text_size = pixels
        self.setStyleSheet(
            f"QWidget {{ font-size: {pixels}px; }} QLabel#heading {{ font-size: {pixels - 2}px; }}"
            f"QLabel#hint {{ font-size: {pixels - 1}px; }} QToolButton {{ padding: 2px 10px; }}"
        )
        self.controls.set_text_size(pixels)
        self.sentence.setMinimumHeight(round(3 * 1.3 * pixels))  # three lines, so that nothing moves while dragging
        for plot in self.plots.values():
            plot.set_text_size(pixels)

    def _blob_dragged(self, x: float, y: float) -> None:
        self._change(x=x, y=y)

    def _slider_moved(self, name: str, value: float) -> None:
        if name == "beta":
            self._choose_beta(value)
        else:
            self._change(**{name: value})

    def _choose_beta(self, beta: float) -> None:
        self._beta = float(f"{beta:.3g}")
        self._refresh()
        self.beta_chosen.emit(self._beta)

    def _change(self, **values: Any) -> None:
        self._map = replace(self._map, **values)
        self._refresh()

    def _reset(self) -> None:
        self._map = SyntheticMap(*DEFAULT_PLACE)
        self._choose_beta(self._start_beta)

    def _refresh(self) -> None:
        self._show_values()
        if not self.isVisible():
            return
        readings = Readings(self._map, self._beta)
        self.heatmap.show_values(readings.heatmap, readings)
        self.weights["ipr"].show_values(_shades(readings.softmax_weights), readings)
        self.weights["debiased"].show_values(_shades(readings.expm1_weights), readings)
        self.formula.show_numbers(readings.formula)
        self.sentence.setText(explanation(readings, tr))
        self.legend.show_readings(readings)
        self.plots["position"].show_present(self._map.x)
        self.plots["beta"].show_present(self._beta)
        self.plots["peak"].show_present(self._map.peak)
        self._sweep_timer.start()

    def _show_values(self) -> None:
        self.controls.show_value("beta", self._beta)
        for name in QUANTITIES.keys() - {"beta"}:
            self.controls.show_value(name, getattr(self._map, name))

    def _show_sweeps(self) -> None:
        position = bias_against_position(self._map, self._beta)
        assert position.error_x is not None
        self.plots["position"].show_lines(position.values, position.error_x)
        for sweep in (bias_against_beta(self._map, count=_BETAS), bias_against_peak(self._map, self._beta)):
            self.plots[sweep.name].show_lines(sweep.values, sweep.bias)


class _Legend(QWidget):
    """One entry for each decoder: its colour, its name and its bias on the map that is shown."""

    def __init__(self) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 0, 2, 0)
        layout.setSpacing(4)
        self._entries = {name: QLabel() for name in LAB_DECODERS}
        for entry in self._entries.values():
            entry.setTextFormat(Qt.TextFormat.RichText)
            layout.addWidget(entry)
            layout.addStretch(1)
        layout.addWidget(named_label("hint", tr("cells   ✛ truth")))

    def show_readings(self, readings: Readings) -> None:
        """The biases on this map."""
        for name, entry in self._entries.items():
            ring = f'<span style="color: {theme.lab_color(name)}; font-weight: 900">◯</span>'
            entry.setText(f"{ring}&nbsp;&nbsp;{tr(lab_title(name))}&nbsp;&nbsp;<b>{readings.bias(name):.2f}</b>")

    def text(self) -> str:
        """All entries, as they are written."""
        return " ".join(entry.text() for entry in self._entries.values())


def _within_beta_range(beta: float) -> float:
    return min(max(beta, BETA_RANGE[0]), BETA_RANGE[1])


def _caption(text: str, decoder: str) -> QLabel:
    label = named_label("hint")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setProperty("caption", (text, decoder))
    return label


def _shades(shares: Floats) -> Floats:
    """Shares of the weight -> 0 to 1 on a logarithmic scale."""
    low, high = (math.log10(value) for value in _WEIGHT_RANGE)
    return (np.log10(np.maximum(shares, _WEIGHT_RANGE[0])) - low) / (high - low)

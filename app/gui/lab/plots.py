"""A chart of every decoder's bias against one quantity, with a marker that can be dragged."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont

from app.decoder_display import PAPER_FORM
from app.gui import theme
from app.lab.readings import LAB_DECODERS, Floats, Point

_LOG_RANGE = (1e-4, 50.0)  # cells
_TICKS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
_THICK = ("ipr", "debiased")
_PADDING = 0.045  # room for the first and the last label, which pyqtgraph leaves out where they would hang over


class SweepPlot(pg.PlotWidget):  # type: ignore[misc]
    """Lines of all decoders in their colours; a dotted line marks the present value and can be dragged.

    y is signed and linear, or the bias on a logarithmic scale where `signed` is false. x_ticks: where given, x is
    logarithmic and has these ticks.
    picked: the value that the marker was dragged to.
    """

    picked = Signal(float)

    def __init__(
        self, x_label: str, y_label: str, x_range: Point, *, signed: bool = False, x_ticks: tuple[float, ...] = ()
    ):
        super().__init__(background=None)
        self._signed, self._log_x, self._range = signed, bool(x_ticks), x_range
        self._labels = {"left": y_label, "bottom": x_label}
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.setLogMode(x=self._log_x, y=not signed)
        plot.layout.setContentsMargins(0, 4, 4, 0)
        plot.showGrid(x=True, y=True, alpha=0.16)
        for side in self._labels:
            axis = plot.getAxis(side)
            axis.setStyle(tickTextOffset=4, tickLength=-3)
            axis.enableAutoSIPrefix(False)
        plot.setXRange(self._x(x_range[0]), self._x(x_range[1]), padding=_PADDING)
        if x_ticks:
            plot.getAxis("bottom").setTicks([[(math.log10(tick), f"{tick:g}") for tick in x_ticks]])
        if not signed:
            plot.setYRange(*(math.log10(value) for value in _LOG_RANGE), padding=_PADDING)
            plot.getAxis("left").setTicks([[(math.log10(tick), f"{tick:g}") for tick in _TICKS]])
        self._lines = {name: plot.plot(antialias=True) for name in LAB_DECODERS}
        self.marker = pg.InfiniteLine(
            angle=90,
            movable=True,
            bounds=(self._x(x_range[0]), self._x(x_range[1])),
        )
        self.marker.sigDragged.connect(self._marker_dragged)
        plot.addItem(self.marker)
        for widget in (self, self.viewport()):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to be done at a key
        self._pixels = 13
        self._color()
        theme.broadcast.changed.connect(self._color)

    def set_text_size(self, pixels: int) -> None:
        """The size of the labels; the numbers at the ticks are a little smaller."""
        self._pixels = pixels
        font = QFont(self.font())
        font.setPixelSize(pixels - 1)
        for side, label in self._labels.items():
            axis = self.getPlotItem().getAxis(side)
            axis.setStyle(tickFont=font)
            axis.setLabel(label, color=theme.TEXT, **{"font-size": f"{pixels}px"})
        self.getPlotItem().getAxis("left").setWidth(5 * pixels)
        self.getPlotItem().getAxis("bottom").setHeight(3 * pixels + 2)

    def show_lines(self, values: Floats, lines: dict[str, Floats]) -> None:
        """Values of x (N,) and each decoder's y values (N,), in cells."""
        for name, line in self._lines.items():
            line.setData(values, lines[name] if self._signed else np.maximum(lines[name], _LOG_RANGE[0]))
        if self._signed:
            top = 1.08 * max(1.0, *(float(np.abs(line).max()) for line in lines.values()))
            self.getPlotItem().setYRange(-top, top, padding=0)

    def show_present(self, value: float) -> None:
        """Where the marker stands. Emits nothing."""
        self.marker.blockSignals(True)
        self.marker.setValue(self._x(value))
        self.marker.blockSignals(False)

    def _color(self) -> None:
        """Everything in the colours of the theme in use."""
        for side in self._labels:
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(theme.LINE)
            axis.setTextPen(theme.MUTED)
        for depth, (name, line) in enumerate(self._lines.items(), 1):
            style = Qt.PenStyle.DashLine if name == PAPER_FORM else Qt.PenStyle.SolidLine
            line.setPen(pg.mkPen(theme.lab_color(name), width=3 if name in _THICK else 2, style=style))
            line.setZValue(depth)
        self.marker.setPen(pg.mkPen(theme.TEXT, width=1.5, style=Qt.PenStyle.DashLine))
        self.marker.setHoverPen(pg.mkPen(theme.TEXT, width=3))
        self.set_text_size(self._pixels)

    def _marker_dragged(self) -> None:
        position = float(self.marker.value())
        low, high = self._range
        self.picked.emit(min(max(10**position if self._log_x else position, low), high))

    def _x(self, value: float) -> float:
        return math.log10(value) if self._log_x else value

"""A chart that scrolls: the last seconds of a few quantities."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from app.gui import theme
from app.gui.language import tr

_SHOWN_S = 20.0


class StripChart(pg.PlotWidget):  # type: ignore[misc]
    """Lines over the last 20 seconds, newest at the right.

    log_range: where given, y is logarithmic and shows this range, with a tick at each power of ten inside; otherwise
        y goes from 0 to a round number above the values.
    colors: gives each line's colour in the theme in use.
    """

    def __init__(
        self, unit: str, colors: Callable[[], Mapping[str, str]], *, log_range: tuple[float, float] | None = None
    ) -> None:
        super().__init__(background=None)
        self._colors = colors
        self._emphasized = ""
        self._floor = log_range[0] if log_range else 0.0
        self._times: deque[float] = deque()
        self._values: dict[str, deque[float]] = {name: deque() for name in colors()}
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.setLogMode(y=log_range is not None)
        plot.showGrid(y=True, alpha=0.15)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setStyle(tickTextOffset=4, tickLength=-3)
            axis.enableAutoSIPrefix(False)
        self._y_axis = plot.getAxis("left")
        self._y_axis.setWidth(38)
        self._y_axis.setStyle(hideOverlappingLabels=False)  # else the lowest and the highest are left out
        plot.getAxis("bottom").setHeight(18)
        plot.getAxis("bottom").setTicks([[(-15, tr("15 s ago")), (-10, tr("10 s")), (-5, tr("5 s"))]])
        plot.setXRange(-_SHOWN_S, 0, padding=0)
        plot.setLabel("left", unit)
        self._top = 0.0
        if log_range is None:
            self._show_up_to(1.0)
        else:
            low, high = (math.log10(value) for value in log_range)
            plot.setYRange(low, high, padding=0)
            powers = range(math.ceil(low), math.floor(high) + 1)
            self._y_axis.setTicks([[(power, f"{10**power:g}") for power in powers]])
        self._lines = {name: plot.plot(connect="finite") for name in self._values}
        for widget in (self, self.viewport()):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to be done at a key
        self._color()
        theme.broadcast.changed.connect(self._color)

    def _color(self) -> None:
        """Everything in the colours of the theme in use."""
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(theme.LINE)
            axis.setTextPen(theme.MUTED)
        self._color_lines()

    def _color_lines(self) -> None:
        for name, color in self._colors().items():
            chosen = name == self._emphasized
            width = 2.0 if not self._emphasized else 3.0 if chosen else 1.2
            self._lines[name].setPen(pg.mkPen(color, width=width))
            self._lines[name].setZValue(1 if chosen else 0)

    def add(self, time_s: float, values: dict[str, float]) -> None:
        """One value of each line; a missing or NaN value leaves a gap."""
        self._times.append(time_s)
        for name, kept in self._values.items():
            kept.append(values.get(name, float("nan")))
        while time_s - self._times[0] > _SHOWN_S:
            self._times.popleft()
            for kept in self._values.values():
                kept.popleft()

    def emphasize(self, name: str) -> None:
        """Draw this line thick and above the others."""
        self._emphasized = name
        self._color_lines()

    def redraw(self) -> None:
        """Draw what was added. Does nothing while the chart is out of sight."""
        if not self._times or not self.isVisible():
            return
        seconds = np.array(self._times) - self._times[-1]
        curves = self._curves()
        if not self._floor:
            self._show_up_to(_round_above(self._largest(curves)))
        for name, line in self._lines.items():
            line.setData(seconds, np.maximum(curves[name], self._floor) if self._floor else curves[name])

    def _curves(self) -> dict[str, NDArray[np.float64]]:
        """What to draw, for each line."""
        return {name: np.array(kept) for name, kept in self._values.items()}

    def _largest(self, curves: dict[str, NDArray[np.float64]]) -> float:
        """The largest value that has to be inside the chart."""
        known = np.concatenate(list(curves.values()))
        return float(known.max(where=np.isfinite(known), initial=0.0))

    def _show_up_to(self, top: float) -> None:
        if top != self._top:
            self._top = top
            self.getPlotItem().setYRange(0, top, padding=0.16)
            self._y_axis.setTicks([[(0, "0"), (top / 2, f"{top / 2:g}"), (top, f"{top:g}")]])


class StackedChart(StripChart):
    """Areas that lie on one another, the first at the bottom, and a dashed line to compare their sum with."""

    def __init__(self, unit: str, colors: Callable[[], Mapping[str, str]]) -> None:
        self._reference = pg.InfiniteLine(
            angle=0,
            label=tr("frame interval {value:.1f} ms"),
            labelOpts={"position": 0.02, "anchors": [(0, 1), (0, 1)]},
        )
        super().__init__(unit, colors)
        for line in self._lines.values():
            line.setFillLevel(0)
        self._reference.setZValue(1)
        self._reference.hide()
        self.addItem(self._reference)

    def _color_lines(self) -> None:
        for depth, (name, color) in enumerate(self._colors().items()):
            self._lines[name].setPen(None)
            self._lines[name].setBrush(pg.mkBrush(color))
            self._lines[name].setZValue(-depth)  # each hides the lower part of the next, the sum up to itself
        self._reference.setPen(pg.mkPen(theme.TEXT, width=1, style=Qt.PenStyle.DashLine))
        self._reference.label.setColor(theme.TEXT)
        plate = QColor(theme.PANEL)
        plate.setAlpha(210)
        self._reference.label.fill = pg.mkBrush(plate)

    def show_reference(self, value: float | None) -> None:
        """Where the dashed line is; None hides it."""
        self._reference.setVisible(value is not None)
        if value is not None:
            self._reference.setValue(value)

    def _curves(self) -> dict[str, NDArray[np.float64]]:
        values = np.array([list(kept) for kept in self._values.values()])
        unknown = np.isnan(values).all(0)
        sums = np.cumsum(np.nan_to_num(values), 0)
        sums[:, unknown] = np.nan
        return dict(zip(self._values, sums, strict=True))

    def _largest(self, curves: dict[str, NDArray[np.float64]]) -> float:
        # One slow frame may reach out of the chart: for its sake the others are not pressed flat.
        sums = list(curves.values())[-1]
        known = sums[np.isfinite(sums)]
        usual = float(np.percentile(known, 97)) if known.size else 0.0
        # With room for the line's label above it.
        reference = self._reference.value() * 1.2 if self._reference.isVisible() else 0.0
        return max(usual, reference)


def _round_above(value: float) -> float:
    """The smallest of 1, 2, 4, 6, 10, 20, 40, 60, 100 … that is not below `value`."""
    power = 10.0 ** math.floor(math.log10(max(value, 1.0)))
    return next(step * power for step in (1, 2, 4, 6, 10) if step * power >= value)

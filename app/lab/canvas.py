"""What the laboratory's figures are drawn on: dark like the window, with text that can be read on a projector."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from app.decoder_display import DARK_SURFACE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, LINE, TEXT, MUTED = "#1b1f26", "#343c47", "#e8eaed", "#a3adba"
COLOR_MAP = "magma"
_DPI = 100


def new_figure(width: int, height: int) -> Figure:
    """An empty figure of that many pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=DARK_SURFACE)
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=_DPI, facecolor=figure.get_facecolor())
    return data.getvalue()


def style_axes(axes: Axes, font: int) -> None:
    """The colours of the axes, and the size of their text in points."""
    axes.set_facecolor(PANEL)
    axes.tick_params(colors=MUTED, labelsize=font)
    for spine in axes.spines.values():
        spine.set_color(LINE)
    axes.xaxis.label.set(color=TEXT, fontsize=font)
    axes.yaxis.label.set(color=TEXT, fontsize=font)

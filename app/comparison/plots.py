"""Plots of a report as SVG, dark like the window; the page makes them dark on white on paper."""

from __future__ import annotations

import io
import math
import re
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from app.comparison.page import clean
from app.comparison.page_colors import LINE, MUTED, RAISED, SURFACE, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_PX, _HEIGHT_PX = 1000, 340
_ROW_PX = 30
_POINTS_PER_INCH = 72  # of an SVG: one point is one pixel
_TEXT_PX, _SMALL_PX = 13, 12
_LEGEND_PX = 64.0  # of an entry without its text
_CHARACTER_PX = 7.5
_BAR_PX = 46.0  # at most
_FAR = 5.0  # times
_FEW_BANDS = 3  # more of them on top of each other are paler
_MARKERS = "osD^vPX*"


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a plot. values: NaN where not known. lows, highs: ends of the interval around each value."""

    title: str
    color: str
    values: Sequence[float]
    lows: Sequence[float] | None = None
    highs: Sequence[float] | None = None
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Whisker:
    """One row of `whiskers`: a value and its interval.

    text: what is written behind, for example the numbers. doubtful: hollow even where the interval leaves 0 out.
    """

    title: str
    color: str
    value: float
    low: float
    high: float
    text: str = ""
    doubtful: bool = False


def bars(groups: Sequence[str], series: Sequence[Series], *, y: str, title: str = "", logarithmic: bool = False) -> str:
    """A bar for each series in each group, with its interval as a whisker. `series[i].values` has a value per group."""
    figure, axes = _axes(y)
    width = min(0.82 / max(1, len(series)), _BAR_PX * len(groups) / _WIDTH_PX)
    gap = 0.1 * width
    places = np.arange(len(groups))
    for i, one in enumerate(series):
        middle = places + (i - (len(series) - 1) / 2) * width
        values, lows, highs = _arrays(one, logarithmic)
        axes.bar(
            middle,
            np.nan_to_num(values),
            width - gap,
            color=one.color,
            label=_label(one.title),
            hatch="//" if one.dashed else None,
            edgecolor=SURFACE,
            linewidth=0,
        )
        axes.vlines(middle, lows, highs, color=SURFACE, linewidth=4.5)
        axes.vlines(middle, lows, highs, color=TEXT, linewidth=1.4)
    room = max(6, int(_WIDTH_PX / max(1, len(groups)) / _CHARACTER_PX))
    axes.set_xticks(places, [_wrapped(group, room) for group in groups])
    axes.set_xlim(-0.5, len(groups) - 0.5)
    axes.tick_params(axis="x", length=0, labelcolor=TEXT, labelsize=_TEXT_PX)
    if logarithmic:
        axes.set_yscale("log")
        _decimal(axes, "y")
    axes.grid(visible=False, axis="x")
    _legend(figure, axes, series, title)
    return _svg(figure)


def lines(
    x: Sequence[float] | Sequence[str],
    series: Sequence[Series],
    *,
    x_title: str,
    y: str,
    title: str = "",
    logarithmic: bool = False,
    x_log2: bool = False,
    x_names: Sequence[str] | None = None,
) -> str:
    """A line for each series with its interval as a band. Texts in `x` stand in equal steps.

    x_log2: every doubling of x is one step, and every x has a tick. x_names: what the ticks say, one for each x.
    """
    figure, axes = _axes(y)
    named = [value for value in x if isinstance(value, str)]
    places = np.arange(len(x)) if named else np.array([float(value) for value in x])
    shade = 0.13 if len(series) <= _FEW_BANDS else 0.05
    for i, one in enumerate(series):
        values, lows, highs = _arrays(one, logarithmic)
        axes.fill_between(places, lows, highs, color=one.color, alpha=shade, linewidth=0)
        axes.plot(
            places,
            values,
            "--" if one.dashed else "-",
            color=one.color,
            linewidth=2,
            marker=_MARKERS[i % len(_MARKERS)],
            markersize=6.5,
            markeredgecolor=SURFACE,
            label=_label(one.title),
        )
    if x_log2:
        axes.set_xscale("log", base=2)
    if x_names is not None or named:
        room = max(6, int(_WIDTH_PX / max(1, len(x)) / _CHARACTER_PX))
        axes.set_xticks(places, [_wrapped(name, room) for name in x_names or named])
    elif x_log2:
        axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel(_label(x_title), color=MUTED, fontsize=_SMALL_PX)
    if logarithmic:
        axes.set_yscale("log")
        _decimal(axes, "y")
    _legend(figure, axes, series, title)
    return _svg(figure)


def tracks(
    times_s: Sequence[float],
    series: Sequence[Series],
    *,
    y: str,
    title: str = "",
    spans: Sequence[tuple[float, float, str]] = (),
) -> str:
    """Every series over time, broken where it is NaN. spans: from, to (s) and a name, shaded behind the lines."""
    figure, axes = _axes(y)
    for start, end, name in spans:
        axes.axvspan(start, end, color=RAISED, linewidth=0, zorder=0)
        axes.text(
            (start + end) / 2,
            1.02,
            _label(name),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            color=MUTED,
            fontsize=_SMALL_PX,
        )
    for one in series:
        values, lows, highs = _arrays(one, logarithmic=False)
        if np.isfinite(lows).any():
            axes.fill_between(times_s, lows, highs, color=one.color, alpha=0.13, linewidth=0)
        axes.plot(times_s, values, "--" if one.dashed else "-", color=one.color, linewidth=1.4, label=_label(one.title))
    axes.set_xlabel("time, s", color=MUTED, fontsize=_SMALL_PX)
    axes.margins(x=0.01)
    _legend(figure, axes, series, title)
    return _svg(figure)


def whiskers(rows: Sequence[Whisker], *, x: str, title: str = "") -> str:
    """A dot with its interval for each row around a line at 0, for differences; hollow where the interval holds 0.

    Where some rows are many times as far from 0 as the others, a second panel shows the others close up.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    close_up = _close_up(rows)
    height = 78 + _ROW_PX * len(rows) + (30 if title else 0)
    figure = Figure(
        _inches(height), dpi=_POINTS_PER_INCH, facecolor=SURFACE, layout=ConstrainedLayoutEngine(wspace=0.08)
    )
    panels = figure.subplots(1, 2 if close_up else 1, sharey=True, squeeze=False)[0]
    for axes in panels:
        _style(axes, "")
        axes.axvline(0, color=MUTED, linewidth=1.2)
        for place, row in enumerate(rows):
            _whisker(axes, place, row)
        axes.set_yticks(range(len(rows)), [_label(row.title) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0, labelcolor=TEXT, labelsize=_TEXT_PX)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.06)
        axes.locator_params(axis="x", nbins=4 if close_up else 6)
    for place, row in enumerate(rows):
        panels[-1].annotate(
            _label(row.text),
            (1, place),
            (12, 0),
            xycoords=panels[-1].get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            color=MUTED,
            fontsize=_SMALL_PX,
            annotation_clip=False,
        )
    if close_up:
        panels[0].axvspan(-close_up, close_up, color=RAISED, linewidth=0, zorder=0)
        panels[1].set_facecolor(RAISED)
        panels[1].set_xlim(-close_up, close_up)
        panels[1].set_title("close up", color=MUTED, fontsize=_SMALL_PX)
        panels[0].set_title("all", color=MUTED, fontsize=_SMALL_PX)
    if title:
        figure.suptitle(_label(title), color=TEXT, fontsize=_TEXT_PX, fontweight="bold")
    figure.supxlabel(_label(x), color=MUTED, fontsize=_SMALL_PX)
    return _svg(figure)


def _whisker(axes: Axes, place: int, row: Whisker) -> None:
    told = (row.low > 0 or row.high < 0) and not row.doubtful
    axes.hlines(place, row.low, row.high, color=row.color, linewidth=2.2)
    axes.plot(
        [row.value],
        [place],
        "o",
        color=row.color if told else SURFACE,
        markeredgecolor=row.color,
        markeredgewidth=2,
        markersize=8.5,
    )


def _close_up(rows: Sequence[Whisker]) -> float | None:
    """How far from 0 a panel has to reach that leaves out the rows far away; None where all are of one order."""
    reaches = sorted(max(abs(row.low), abs(row.high), abs(row.value)) for row in rows if math.isfinite(row.value))
    steps = [(far / near, near) for near, far in pairwise(reaches) if near > 0]
    ratio, near = max(steps, default=(1.0, 0.0))
    return 1.25 * near if ratio >= _FAR else None


def _inches(height_px: float = _HEIGHT_PX) -> tuple[float, float]:
    return _WIDTH_PX / _POINTS_PER_INCH, height_px / _POINTS_PER_INCH


def _axes(y: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(_inches(), dpi=_POINTS_PER_INCH, facecolor=SURFACE, layout="constrained")
    axes = figure.add_subplot()
    _style(axes, y)
    return figure, axes


def _style(axes: Axes, y: str) -> None:
    axes.set_facecolor(SURFACE)
    axes.set_ylabel(_label(y), color=MUTED, fontsize=_SMALL_PX)
    axes.tick_params(colors=MUTED, which="both", labelsize=_SMALL_PX, length=0, pad=6)
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_color(LINE)
        spine.set_visible(name == "bottom")


def _arrays(series: Series, logarithmic: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and the ends of the intervals; NaN where there is none, and on a logarithmic axis where not positive."""
    count = len(series.values)
    found = np.array([series.values, series.lows or [math.nan] * count, series.highs or [math.nan] * count], float)
    if logarithmic:
        found[found <= 0] = math.nan
    return found[0], found[1], found[2]


def _label(text: str) -> str:
    """Plain text: dollar signs begin no formula, and no name is left out of a legend for its underscore."""
    plain = clean(text).replace("$", r"\$")
    return " " + plain if plain.startswith("_") else plain


def _wrapped(text: str, characters: int) -> str:
    """At most four lines; line ends in `text` stay."""
    return "\n".join([part for line in text.split("\n") for part in textwrap.wrap(_label(line), characters)][:4])


def _legend(figure: Figure, axes: Axes, series: Sequence[Series], title: str) -> None:
    """Above the axes, with the title of the plot on top."""
    if not series:
        return
    legend = figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper left",
        ncols=_legend_columns([one.title for one in series]),
        frameon=False,
        labelcolor=TEXT,
        fontsize=_SMALL_PX,
        handlelength=2.6,
        handleheight=0.8,
        columnspacing=1.8,
        title=_label(title) or None,
        alignment="left",
        title_fontproperties={"weight": "bold", "size": _TEXT_PX},
    )
    legend.get_title().set_color(TEXT)


def _legend_columns(titles: Sequence[str]) -> int:
    """As many as fit: entries are filled in column by column, and each column is as wide as its widest."""
    widths = [len(title) * _CHARACTER_PX + _LEGEND_PX for title in titles]
    for columns in range(len(titles), 1, -1):
        if sum(part.max() for part in np.array_split(widths, columns)) <= _WIDTH_PX:
            rows = math.ceil(len(titles) / columns)
            return math.ceil(len(titles) / rows)
    return 1


def _decimal(axes: Axes, which: str) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axes.get_ylim() if which == "y" else axes.get_xlim()
    steps = (1.0,) if high / low > 1000 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _svg(figure: Figure) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    data = io.StringIO()
    FigureCanvasSVG(figure)
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "posescope", "font.family": ["DejaVu Sans"]}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The browser has the characters that the font used for measuring lacks.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(data, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = data.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # A style element would hold for the whole page.
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: sans-serif", svg)
    return svg[svg.index("<svg") :]

"""The study's figures as PNG, in the app's colours."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from app.decoder_display import DARK_SURFACE, decoder_color, display_title
from app.study.clips import ClipRow
from app.study.criteria import PLAIN, SHIPPED, Form, beta_of, rms_by_condition
from app.study.still import FOLLOWED, HELD, StillRow
from app.study.synthetic import Condition, Grid, Measurement
from app.study.tables import form_name
from models.decoders import DECODERS
from models.readings import DEFAULT_BETA

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TEXT, _FAINT = "#e6e6e6", "#3a4049"
_PLAIN_COLOR, _NORMALIZED_COLOR = "#f0e442", "#009e73"
_WIDTH_IN, _DPI = 9.6, 110
# Smaller errors are drawn here, so that exact points do not stretch the axes.
LEAST_CELLS = 1e-3


def _figure(height_in: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure((_WIDTH_IN, height_in), dpi=_DPI, facecolor=DARK_SURFACE, layout="constrained")


def _style(axes: Axes, title: str = "", x: str = "", y: str = "") -> None:
    axes.set_facecolor(DARK_SURFACE)
    axes.set_title(title, color=_TEXT, fontsize=9)
    axes.set_xlabel(x, color=_TEXT, fontsize=9)
    axes.set_ylabel(y, color=_TEXT, fontsize=9)
    axes.tick_params(colors=_TEXT, which="both", labelsize=8)
    axes.grid(color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(_FAINT)


def _legend(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        labelcolor=_TEXT,
        fontsize=9,
    )


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    data = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(data, format="png")
    return data.getvalue()


def _middle(values: Sequence[float]) -> float:
    return values[len(values) // 2]


def _title(condition: Condition) -> str:
    return f"peak {condition.peak:g}, background {condition.background:g}, noise {condition.noise:g}"


def _examples(grid: Grid) -> list[Condition]:
    """Strong and weak peaks with neither, with background, and with noise; sigma in the middle of the grid."""
    sigma = _middle(grid.sigmas)
    background, noise = _middle(grid.backgrounds), _middle(grid.noises)
    disturbances = ((grid.backgrounds[0], grid.noises[0]), (background, grid.noises[0]), (background, noise))
    return [Condition(peak, *d, sigma) for peak, d in product((grid.peaks[-1], grid.peaks[0]), disturbances)]


def floor_figure(rows: list[Measurement], grid: Grid) -> bytes:
    """Error against the floor, with and without `normalize`, for six conditions."""
    figure = _figure(5.6)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, condition in zip(panels.flat, _examples(grid), strict=True):
        here = [row for row in rows if row.condition == condition]
        for normalize, color in ((False, _PLAIN_COLOR), (True, _NORMALIZED_COLOR)):
            curve = sorted(
                (row.variant.floor or 0.0, row.errors.rms)
                for row in here
                if row.variant.normalize is normalize and row.variant.beta == DEFAULT_BETA
            )
            floors, rms = np.array(curve).T
            label = "normalize" if normalize else "as it is"
            axes.semilogy(floors, np.maximum(rms, LEAST_CELLS), "o-", color=color, markersize=4, label=label)
        for name in ("argmax", "dark"):
            (rms_here,) = (row.errors.rms for row in here if row.variant.decoder == name)
            axes.axhline(
                max(rms_here, LEAST_CELLS), color=decoder_color(name), linestyle="--", label=display_title(name)
            )
        _style(axes, _title(condition))
    _label_outside(panels, "floor (share of the peak)", "rms error, cells")
    _legend(figure, panels.flat[0], 4)
    return _png(figure)


def _label_outside(panels: np.ndarray, x: str, y: str) -> None:
    for axes in panels[-1]:
        axes.set_xlabel(x, color=_TEXT, fontsize=9)
    for axes in panels[:, 0]:
        axes.set_ylabel(y, color=_TEXT, fontsize=9)
        _decimal_ticks(axes, "y", (1.0,))


def _line_name(form: Form) -> str:
    special = {PLAIN: "Debiased, plain", ("debiased", True, 0.0): "Debiased, normalize", SHIPPED: "Debiased, shipped"}
    return special.get(form, display_title(form[0]))


def beta_figure(rows: list[Measurement], grid: Grid) -> bytes:
    """Error against beta: plain, normalised, shipped, IPR and DARK."""
    figure = _figure(5.6)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    lines: dict[Form, tuple[str, str]] = {
        ("ipr", None, None): (decoder_color("ipr"), "o-"),
        PLAIN: (_PLAIN_COLOR, "o-"),
        ("debiased", True, 0.0): (_NORMALIZED_COLOR, "o-"),
        SHIPPED: (decoder_color("debiased"), "o-"),
        ("dark", None, None): (decoder_color("dark"), "--"),
    }
    for axes, condition in zip(panels.flat, _examples(grid), strict=True):
        here = [row for row in rows if row.condition == condition]
        for form, (color, style) in lines.items():
            curve = sorted(
                (row.variant.beta or beta, row.errors.rms)
                for row in here
                if row.variant.form == form
                for beta in (grid.betas if row.variant.beta is None else (0.0,))
            )
            betas, rms = np.array(curve).T
            axes.loglog(betas, np.maximum(rms, LEAST_CELLS), style, color=color, markersize=4, label=_line_name(form))
        _style(axes, _title(condition))
        axes.set_xticks(grid.betas, [f"{beta:g}" for beta in grid.betas])
        axes.minorticks_off()
    _label_outside(panels, "β", "rms error, cells")
    _legend(figure, panels.flat[0], 5)
    return _png(figure)


def disturbance_figure(rows: list[Measurement], grid: Grid, best: Form) -> bytes:
    """Median error over peaks and sigmas against background and noise: plain, shipped and, where it differs, best."""
    from matplotlib.colors import LogNorm

    forms = list(dict.fromkeys((PLAIN, SHIPPED, best)))
    names = {PLAIN: "the paper's plain form", best: "best by the criterion", SHIPPED: "as shipped"}
    figure = _figure(3.6)
    panels = figure.subplots(1, len(forms), sharey=True, squeeze=False)
    tables = {form: _medians(rows, grid, form) for form in forms}
    least = max(LEAST_CELLS, min(float(table.min()) for table in tables.values()))
    most = max(float(table.max()) for table in tables.values())
    scale = LogNorm(least, max(most, 2 * least))
    for axes, form in zip(panels.flat, forms, strict=True):
        image = axes.imshow(np.maximum(tables[form], least), norm=scale, cmap="viridis", origin="lower", aspect="auto")
        for (i, j), value in np.ndenumerate(tables[form]):
            color = "#000000" if scale(max(value, least)) > 0.6 else "#ffffff"
            axes.text(j, i, f"{value:.2g}", ha="center", va="center", fontsize=8, color=color)
        _style(axes, f"{names[form]}\n({form_name(form)})", "noise")
        axes.grid(False)
        axes.set_xticks(range(len(grid.noises)), [f"{noise:g}" for noise in grid.noises])
        axes.set_yticks(range(len(grid.backgrounds)), [f"{background:g}" for background in grid.backgrounds])
    panels.flat[0].set_ylabel("background", color=_TEXT, fontsize=9)
    bar = figure.colorbar(image, ax=list(panels.flat))
    bar.set_label("median rms error, cells", color=_TEXT, fontsize=9)
    bar.ax.tick_params(colors=_TEXT, which="both", labelsize=8)
    return _png(figure)


def _medians(rows: list[Measurement], grid: Grid, form: Form) -> np.ndarray:
    found = rms_by_condition(rows, form, beta_of(form))
    return np.array(
        [
            [
                np.median([rms for c, rms in found.items() if (c.background, c.noise) == (background, noise)])
                for noise in grid.noises
            ]
            for background in grid.backgrounds
        ]
    )


def clip_figure(rows: list[ClipRow], clip: str) -> bytes:
    """Jitter, distance to the sub-cell peak and to the truth (where there is one) against the floor, on one clip."""
    kinds = [("jitter_px", "jitter"), ("bias_px", "distance to the sub-cell peak")]
    here = [row for row in rows if row.clip == clip]
    if not math.isnan(here[0].truth_median_px):
        kinds.append(("truth_median_px", "median distance to the truth"))
    betas = sorted({row.variant.beta for row in here if row.variant.beta is not None})
    shades = dict(zip(betas, ("#56b4e9", "#f0e442", "#d55e00", "#cc79a7", "#009e73", "#e69f00"), strict=False))
    figure = _figure(3.6)
    panels = figure.subplots(1, len(kinds))
    for axes, (field, title) in zip(panels, kinds, strict=True):
        for beta, normalize in product(shades, (False, True)):
            curve = sorted(
                (row.variant.floor or 0.0, float(getattr(row, field)))
                for row in here
                if row.variant.beta == beta and row.variant.normalize is normalize
            )
            floors, values = np.array(curve).T
            label = f"β {beta:g}, {'normalize' if normalize else 'as it is'}"
            axes.semilogy(floors, values, "o-" if normalize else "o--", color=shades[beta], markersize=4, label=label)
        _style(axes, title, "floor (share of the peak)")
        # At least a factor of two is shown, so that small differences look small.
        low, high = axes.get_ylim()
        spare = max(1.0, 2 * low / high) ** 0.5
        axes.set_ylim(low / spare, high * spare)
        _decimal_ticks(axes, "y", (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0))
    panels[0].set_ylabel("px", color=_TEXT, fontsize=9)
    _legend(figure, panels[0], 4)
    return _png(figure)


def still_figure(rows: list[StillRow]) -> bytes:
    """Jitter and bias of every decoder in every case, the crop following and held still."""
    cases = list(dict.fromkeys((row.case, row.noise) for row in rows))
    figure = _figure(2.6 + 0.5 * len(cases))
    panels = figure.subplots(2, 2, sharey=True, sharex="row")
    kinds = [("jitter_px", "jitter"), ("bias_px", "bias")]
    for axes, ((field, title), crop) in zip(panels.flat, product(kinds, (FOLLOWED, HELD)), strict=True):
        for decoder in dict.fromkeys(row.decoder for row in rows):
            chosen = [row for row in rows if row.decoder == decoder and row.crop == crop]
            places = [-cases.index((row.case, row.noise)) for row in chosen]
            marker = "o" if decoder in DECODERS else "s"
            values = [getattr(row, field) for row in chosen]
            axes.semilogx(values, places, marker, color=decoder_color(decoder), label=display_title(decoder))
        _style(axes, f"{title}, crop {crop}", "px")
        _decimal_ticks(axes, "x", (1.0, 2.0, 5.0))
        axes.set_ylim(0.4 - len(cases), 0.6)
        axes.set_yticks([-i for i in range(len(cases))], [case_name(*case) for case in cases])
    _legend(figure, panels.flat[0], 6)
    return _png(figure)


def case_name(case: str, noise: float) -> str:
    """`photo, noise 4`."""
    return f"{case}, noise {noise:g}" if noise else case


def _decimal_ticks(axes: Axes, which: str, steps: tuple[float, ...]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())

"""Figures of the β laboratory as PNG files: dark like the window, with text that can be read on a projector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.decoder_display import DARK_SURFACE, PAPER_FORM
from app.lab.canvas import COLOR_MAP, LINE, MUTED, TEXT, new_figure, png, style_axes
from app.lab.gradient_figure import gradient_figure
from app.lab.readings import LAB_DECODERS, Floats, Readings, explanation, lab_color, lab_title
from app.lab.sweeps import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BIAS_RANGE = (1e-4, 50.0)  # cells; what is less is drawn at the lower end
_WEIGHT_RANGE = (1e-7, 0.1)  # shares of the sum of all weights
_PULL_SHOWN_FROM = 3.0  # cells: a shorter arrow would only hide the points, the magnifier shows it


def map_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1200 × 1200: the heatmap, every decoder's point, the truth and the arrow of the pull."""
    figure = new_figure(1200, 1200)
    axes = figure.add_axes((0.07, 0.15, 0.86, 0.79))
    _draw_map(axes, readings, 18)
    legend = figure.legend(loc="lower center", ncols=3, fontsize=17, **_LEGEND)
    for handle in legend.legend_handles:
        handle.set(markersize=13)  # type: ignore[union-attr]
    figure.text(
        0.5, 0.965, f"{_conditions(readings)}; bias in cells", ha="center", va="center", fontsize=19, color=TEXT
    )
    return png(figure)


def weights_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1600 × 900: the weights of IPR and of debiased IPR side by side, each with its mean."""
    figure = new_figure(1600, 900)
    for left, decoder in ((0.05, "ipr"), (0.5, "debiased")):
        axes = figure.add_axes((left, 0.12, 0.4, 0.71))
        image = _draw_weights(axes, readings, decoder, 20)
    scale = figure.colorbar(image, cax=figure.add_axes((0.915, 0.12, 0.016, 0.71)))
    scale.set_label("share of all weight", fontsize=16, color=MUTED)
    scale.ax.tick_params(colors=MUTED, labelsize=14)
    scale.outline.set_edgecolor(LINE)
    figure.text(0.48, 0.945, _conditions(readings), ha="center", va="center", fontsize=21, color=TEXT)
    return png(figure)


def position_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1600 × 900: the signed error of x against the true x, whole and close up."""
    figure = new_figure(1600, 900)
    sweep = _sweep(sweeps, "position")
    _draw_signed(figure.add_axes((0.08, 0.6, 0.89, 0.315)), sweep, readings.synthetic.x, 16)
    axes = figure.add_axes((0.08, 0.165, 0.89, 0.315))
    _draw_signed(axes, sweep, readings.synthetic.x, 16)
    axes.set_ylim(-0.75, 0.75)
    axes.set_ylabel("the same, close up")
    _entitle(figure, axes, "Bias against position", _conditions(readings))
    return png(figure)


def beta_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1600 × 900: the bias against β."""
    return _bias_figure(readings, _sweep(sweeps, "beta"), readings.beta, "Bias against β")


def peak_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1600 × 900: the bias against the height of the peak."""
    return _bias_figure(readings, _sweep(sweeps, "peak"), readings.synthetic.peak, "Bias against peak height")


def overview_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1920 × 1080, for a slide: the map, the weights, the formula with its numbers and the three sweeps."""
    figure = new_figure(1920, 1080)
    figure.text(0.026, 0.952, "Where does the bias of integral pose regression come from?", fontsize=24, color=TEXT)
    figure.text(0.974, 0.954, _conditions(readings), fontsize=15, color=MUTED, ha="right")
    # A square of 0.5 of the height is 0.28125 of the width.
    _draw_map(figure.add_axes((0.026, 0.425, 0.28125, 0.5)), readings, 14)
    for bottom, decoder in ((0.69, "ipr"), (0.425, "debiased")):
        _draw_weights(figure.add_axes((0.335, bottom, 0.1153, 0.205)), readings, decoder, 14)
    _write_formula(figure, readings, 0.478, 0.9)
    for left, name, present in (
        (0.048, "position", readings.synthetic.x),
        (0.382, "beta", readings.beta),
        (0.716, "peak", readings.synthetic.peak),
    ):
        axes = figure.add_axes((left, 0.115, 0.258, 0.25))
        if name == "position":
            _draw_signed(axes, _sweep(sweeps, name), present, 14)
        else:
            _draw_bias(axes, _sweep(sweeps, name), present, 14)
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", ncols=6, fontsize=15, **_LEGEND)
    return png(figure)


FIGURES: dict[str, Callable[[Readings, Sequence[Sweep]], bytes]] = {
    "lab_overview.png": overview_figure,
    "lab_map.png": map_figure,
    "lab_weights.png": weights_figure,
    "lab_bias_position.png": position_figure,
    "lab_bias_beta.png": beta_figure,
    "lab_bias_peak.png": peak_figure,
    "lab_gradient.png": gradient_figure,
}

_LEGEND: dict[str, Any] = {"frameon": False, "labelcolor": TEXT, "handlelength": 1.6, "columnspacing": 1.8}


def _draw_map(axes: Axes, readings: Readings, font: int) -> None:
    synthetic = readings.synthetic
    axes.imshow(readings.heatmap, cmap=COLOR_MAP, vmin=0, vmax=1, interpolation="nearest")
    style_axes(axes, font)
    middle_x, middle_y = synthetic.centre
    axes.axvline(middle_x, color=MUTED, linewidth=0.8, alpha=0.5)
    axes.axhline(middle_y, color=MUTED, linewidth=0.8, alpha=0.5)
    pull = readings.pull
    if pull >= _PULL_SHOWN_FROM:
        arrow = {
            "arrowstyle": "-|>",
            "color": TEXT,
            "linewidth": 2.5,
            "shrinkA": 0,
            "shrinkB": 0.65 * font,
            "mutation_scale": 24,
        }
        axes.annotate("", readings.points["ipr"], (synthetic.x, synthetic.y), arrowprops=arrow)
    below = synthetic.y < middle_y  # so that the words stand away from the arrow, toward the map's middle
    axes.annotate(
        f"pull {pull:.1f} cells" if pull >= 0.05 else f"pull {pull:.2f} cells",
        readings.points["ipr"],
        (0, -2 * font if below else 2 * font),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=font + 3,
        color=TEXT,
        bbox={"boxstyle": "round,pad=0.3", "facecolor": DARK_SURFACE, "edgecolor": lab_color("ipr"), "alpha": 0.9},
    )
    for ring, decoder in enumerate(LAB_DECODERS):
        x, y = readings.points[decoder]
        size = font * (1.2 if decoder == "ipr" else 2.0 - 0.27 * ring)
        style: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "markersize": size, "linestyle": "none"}
        axes.plot(x, y, markeredgecolor=DARK_SURFACE, markeredgewidth=4.5, **style)
        axes.plot(
            x, y, markeredgecolor=lab_color(decoder), markeredgewidth=2.4, label=_with_bias(readings, decoder), **style
        )
    axes.plot(synthetic.x, synthetic.y, "+", color="#ffffff", markersize=font, markeredgewidth=2, label="truth")
    axes.set(xlim=(-0.5, synthetic.width - 0.5), ylim=(synthetic.height - 0.5, -0.5))
    _draw_magnifier(axes, readings, font)


def _draw_magnifier(axes: Axes, readings: Readings, font: int) -> None:
    """Five by five cells around the truth, in the corner farthest from it."""
    synthetic = readings.synthetic
    left = 0.66 if synthetic.x < synthetic.centre[0] else 0.015
    bottom = 0.66 if synthetic.y > synthetic.centre[1] else 0.015
    inset = axes.inset_axes((left, bottom, 0.325, 0.325))
    inset.imshow(readings.heatmap, cmap=COLOR_MAP, vmin=0, vmax=1, interpolation="nearest")
    style_axes(inset, font)
    inset.set(xticks=[], yticks=[])
    inset.spines[:].set_color(MUTED)
    pulled_x, pulled_y = readings.points["ipr"]
    inset.plot([synthetic.x, pulled_x], [synthetic.y, pulled_y], color=TEXT, linewidth=2.5)
    for ring, decoder in enumerate(LAB_DECODERS):
        size = font * (1.5 - 0.2 * ring)
        for color, width in ((DARK_SURFACE, 4.5), (lab_color(decoder), 2.2)):
            inset.plot(*readings.points[decoder], "o", mfc="none", mec=color, markersize=size, markeredgewidth=width)
    inset.plot(synthetic.x, synthetic.y, "+", color="#ffffff", markersize=0.6 * font, markeredgewidth=1.5)
    inset.set(xlim=(synthetic.x - 2.5, synthetic.x + 2.5), ylim=(synthetic.y + 2.5, synthetic.y - 2.5))


def _draw_weights(axes: Axes, readings: Readings, decoder: str, font: int) -> Any:
    from matplotlib.colors import LogNorm

    shares = readings.softmax_weights if decoder == "ipr" else readings.expm1_weights
    image = axes.imshow(
        np.maximum(shares, _WEIGHT_RANGE[0]), cmap=COLOR_MAP, norm=LogNorm(*_WEIGHT_RANGE), interpolation="nearest"
    )
    style_axes(axes, font)
    axes.set_xticks([])
    axes.set_yticks([])
    color = lab_color(decoder)
    x, y = readings.points[decoder]
    axes.plot(x, y, "o", markerfacecolor="none", markeredgecolor=DARK_SURFACE, markersize=font, markeredgewidth=5)
    axes.plot(x, y, "o", markerfacecolor="none", markeredgecolor=color, markersize=font, markeredgewidth=2.5)
    axes.plot(
        readings.synthetic.x, readings.synthetic.y, "+", color="#ffffff", markersize=font * 0.7, markeredgewidth=1.5
    )
    formula = "softmax(βh)" if decoder == "ipr" else "$e^{βh'} - 1$"
    axes.set_title(f"{lab_title(decoder)}: {formula}", color=color, fontsize=font, pad=6)
    return image


def _draw_bias(axes: Axes, sweep: Sweep, present: float, font: int) -> None:
    style_axes(axes, font)
    axes.set_yscale("log")
    axes.set_ylim(0.7 * _BIAS_RANGE[0], 1.3 * _BIAS_RANGE[1])
    axes.set_yticks(ticks := [10.0**power for power in range(-4, 2)], [f"{tick:g}" for tick in ticks])
    _draw_lines(axes, sweep, sweep.bias, present)
    if sweep.name == "beta":
        from matplotlib.ticker import NullLocator

        axes.set_xscale("log")
        ticks = [value for value in (0.5, 1, 2, 5, 10, 20, 50) if sweep.values[0] <= value <= sweep.values[-1]]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(sweep.label)
    axes.set_ylabel("bias (cells)")


def _draw_signed(axes: Axes, sweep: Sweep, present: float, font: int) -> None:
    assert sweep.error_x is not None
    style_axes(axes, font)
    _draw_lines(axes, sweep, sweep.error_x, present)
    axes.set_xlabel(sweep.label)
    axes.set_ylabel("error of x (cells)")


def _draw_lines(axes: Axes, sweep: Sweep, lines: dict[str, Floats], present: float) -> None:
    axes.grid(color=LINE, linewidth=0.8, alpha=0.7)
    axes.axvline(present, color=TEXT, linewidth=1.2, linestyle=":")
    for decoder, values in lines.items():
        dashed = decoder == PAPER_FORM
        shown = np.clip(values, _BIAS_RANGE[0], None) if axes.get_yscale() == "log" else values
        axes.plot(
            sweep.values,
            shown,
            color=lab_color(decoder),
            linewidth=3.2 if decoder in ("ipr", "debiased") else 1.9,
            linestyle="--" if dashed else "-",
            label=lab_title(decoder),
            zorder=3 if decoder in ("ipr", "debiased", PAPER_FORM) else 2,
        )
    axes.set_xlim(sweep.values[0], sweep.values[-1] if sweep.values[-1] > sweep.values[0] else sweep.values[0] + 1)


def _bias_figure(readings: Readings, sweep: Sweep, present: float, title: str) -> bytes:
    figure = new_figure(1600, 900)
    axes = figure.add_axes((0.095, 0.17, 0.875, 0.735))
    _draw_bias(axes, sweep, present, 18)
    _entitle(figure, axes, title, _conditions(readings, but=sweep.name))
    return png(figure)


def _entitle(figure: Figure, axes: Axes, title: str, conditions: str) -> None:
    figure.text(axes.get_position().x0, 0.94, title, fontsize=22, color=TEXT)
    figure.text(0.97, 0.94, conditions, ha="right", fontsize=18, color=MUTED)
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", ncols=6, fontsize=16, **_LEGEND)


def _write_formula(figure: Figure, readings: Readings, left: float, top: float) -> None:
    numbers = readings.formula
    total = math_number(numbers.C)
    figure.text(
        left,
        top,
        r"$J=\dfrac{\Sigma\,p\,e^{\beta h}}{C}$      $\hat p=\dfrac{C\,J-\Sigma p}{C-HW}$      $C=\Sigma\,e^{\beta h}$",
        fontsize=29,
        color=TEXT,
        va="top",
    )
    figure.text(left, top - 0.125, f"$C={total}$,  $HW={numbers.HW}$", fontsize=19, color=MUTED, va="top")
    for row, axis in enumerate("xy"):
        pulled, sum_p, corrected = numbers.J[row], numbers.sum_p[row], numbers.corrected[row]
        height = top - 0.18 - 0.1 * row
        figure.text(
            left,
            height,
            rf"$J_{axis}={pulled:.2f}$      $\hat {axis}=\dfrac{{{total}\cdot {pulled:.2f}-{math_number(sum_p)}}}"
            rf"{{{total}-{numbers.HW}}}={corrected:.2f}$",
            fontsize=21,
            color=TEXT,
            va="top",
        )
        truth = (readings.synthetic.x, readings.synthetic.y)[row]
        figure.text(0.974, height - 0.014, f"truth {truth:.2f}", fontsize=18, color=MUTED, va="top", ha="right")
    words = explanation(readings).split(". ")
    lines = [word if word.endswith(".") else f"{word}." for word in words]
    figure.text(left, top - 0.4, "\n".join(_wrap(lines)), fontsize=17, color=TEXT, va="top", linespacing=1.35)


def _wrap(sentences: Sequence[str], width: int = 72) -> list[str]:
    import textwrap

    return [line for sentence in sentences for line in textwrap.wrap(sentence, width)]


def math_number(value: float) -> str:
    r"""`66545` or `5.3\times 10^{21}`, for a formula."""
    if value < 1e7:
        return f"{value:.0f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return rf"{mantissa}\times 10^{{{int(exponent)}}}"


def _conditions(readings: Readings, but: str = "") -> str:
    """What was held, without the quantity `but`."""
    synthetic = readings.synthetic
    parts = [] if but == "beta" else [f"β = {readings.beta:g}"]
    parts += [f"σ = {synthetic.sigma:g} cells"]
    parts += [] if but == "peak" else [f"peak {synthetic.peak:g}"]
    parts += [f"background {synthetic.background:g}"] if synthetic.background else []
    parts += [f"noise {synthetic.noise:g}"] if synthetic.noise else []
    return ", ".join(parts)


def _with_bias(readings: Readings, decoder: str) -> str:
    return f"{lab_title(decoder)}  {readings.bias(decoder):.2f}"


def _sweep(sweeps: Sequence[Sweep], name: str) -> Sweep:
    return next(sweep for sweep in sweeps if sweep.name == name)

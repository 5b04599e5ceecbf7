"""The figure of what training through IPR and through debiased IPR does to an ideal map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.decoder_display import DARK_SURFACE, PAPER_FORM
from app.lab.canvas import COLOR_MAP, LINE, MUTED, PANEL, TEXT, new_figure, png, style_axes
from app.lab.gradients import TrainingGradient, descent, training_gradient
from app.lab.readings import Floats, Point, Readings, SyntheticMap, lab_color, lab_title
from app.lab.sweeps import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The softmax of Sun et al. has no β, which is β = 1.
PLAIN_BETA = 1.0
_SHOWN = ("ipr", "debiased")
_RAISED, _LOWERED = "#f2d13c", "#d966c3"
_CHART_BETAS = (0.5, 20.0)  # above, what is left is that the blob is sampled in cells
_CHART_RANGE = (1e-3, 2e4)  # cells; what is less is drawn at the lower end
_LEAST_STEP = 1e-6  # cells² for a height of 1: what is less is rounding and is not stretched to the full colours
_FONT = 17


def gradient_figure(readings: Readings, sweeps: Sequence[Sweep]) -> bytes:
    """1600 × 900: each cell's step and the ways of blobs at β = 1, for IPR and debiased IPR; numbers, also against β.

    The maps are ideal: of the readings' map only the place, σ and the size are used.
    """
    ideal, beta = readings.synthetic, readings.beta
    figure = new_figure(1600, 900)
    _write_titles(figure, ideal)
    gradients = {name: training_gradient(ideal, name, PLAIN_BETA) for name in _SHOWN}
    ways = {name: descent(ideal, name, PLAIN_BETA, _starts(ideal)) for name in _SHOWN}
    scale = max(_LEAST_STEP, *(float(np.abs(gradient.step).max()) for gradient in gradients.values()))
    for left, name in zip((0.026, 0.252), _SHOWN, strict=True):
        title = f"{lab_title(name)}, β = {PLAIN_BETA:g}"
        figure.text(left + 0.104, 0.877, title, fontsize=20, color=lab_color(name), ha="center")
        _draw_step(figure.add_axes((left, 0.457, 0.208, 0.37)), ideal, name, gradients[name], scale)
        _draw_ways(figure.add_axes((left, 0.03, 0.208, 0.37)), ideal, name, ways[name])
    _draw_chart(figure.add_axes((0.562, 0.457, 0.412, 0.37)), ideal, beta)
    _write_numbers(figure, ideal, beta, gradients, {name: way[-1, 0] for name, way in ways.items()})
    return png(figure)


def _starts(ideal: SyntheticMap) -> list[Point]:
    """The true point, then nine places spread over the map."""
    shares = (0.15, 0.5, 0.85)
    grid = [(x * (ideal.width - 1), y * (ideal.height - 1)) for x in shares for y in shares]
    return [(ideal.x, ideal.y), *grid]


def _write_titles(figure: Figure, ideal: SyntheticMap) -> None:
    figure.text(0.026, 0.94, "Training through the decoder: what becomes of an ideal map?", fontsize=24, color=TEXT)
    conditions = f"σ = {ideal.sigma:g} cells, peak 1, background 0, {ideal.width} × {ideal.height} cells"
    figure.text(0.974, 0.882, conditions, fontsize=15, color=MUTED, ha="right")
    figure.text(0.026, 0.84, "One step of descent on each cell", fontsize=_FONT, color=TEXT)
    figure.text(0.296, 0.84, "■ raised", fontsize=_FONT, color=_RAISED)
    figure.text(0.372, 0.84, "■ lowered", fontsize=_FONT, color=_LOWERED)
    figure.text(0.026, 0.413, "Ways of the blob under descent, white: from the truth", fontsize=_FONT, color=TEXT)
    figure.text(0.505, 0.84, "How many cells beyond the truth the loss is 0", fontsize=_FONT, color=TEXT)


def _draw_step(axes: Axes, ideal: SyntheticMap, name: str, gradient: TrainingGradient, scale: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("step", (_LOWERED, PANEL, _RAISED))
    axes.imshow(gradient.step / scale, cmap=colors, vmin=-1, vmax=1, interpolation="nearest")
    _finish_map(axes, ideal)
    place = np.array([ideal.x, ideal.y]) + gradient.error
    _draw_ring(axes, place, name)
    x, y = place.tolist()
    aside = -20 if x > 0.9 * ideal.width else 20  # so that the letter stays on the map
    axes.annotate(
        "J",
        (x, y),
        (aside, 8),
        textcoords="offset points",
        fontsize=20,
        color=lab_color(name),
        ha="center",
        va="center",
    )


def _draw_ways(axes: Axes, ideal: SyntheticMap, name: str, ways: Floats) -> None:
    rows, columns = np.indices((ideal.height, ideal.width))
    blob = np.exp(-((columns - ideal.x) ** 2 + (rows - ideal.y) ** 2) / (2 * ideal.sigma**2))
    axes.imshow(blob, cmap=COLOR_MAP, vmin=0, vmax=1, interpolation="nearest")
    for way in ways[:, 1:].swapaxes(0, 1):
        axes.plot(*way.T, color=lab_color(name), linewidth=1.8, alpha=0.8)
        axes.plot(*way[0], "o", color=lab_color(name), markersize=6)
    axes.plot(*ways[:, 0].T, color=TEXT, linewidth=3.2)
    _finish_map(axes, ideal)
    _draw_ring(axes, ways[-1, 0], name)


def _draw_ring(axes: Axes, place: Floats, name: str) -> None:
    for color, width in ((DARK_SURFACE, 6), (lab_color(name), 3)):
        axes.plot(*place, "o", mfc="none", mec=color, markersize=18, markeredgewidth=width)


def _finish_map(axes: Axes, ideal: SyntheticMap) -> None:
    style_axes(axes, _FONT)
    middle_x, middle_y = ideal.centre
    axes.axvline(middle_x, color=MUTED, linewidth=0.8, alpha=0.4)
    axes.axhline(middle_y, color=MUTED, linewidth=0.8, alpha=0.4)
    axes.plot(ideal.x, ideal.y, "+", color="#ffffff", markersize=14, markeredgewidth=2)
    axes.set(xticks=[], yticks=[], xlim=(-0.5, ideal.width - 0.5), ylim=(ideal.height - 0.5, -0.5))


def _draw_chart(axes: Axes, ideal: SyntheticMap, beta: float) -> None:
    style_axes(axes, 15)
    betas = np.geomspace(*_CHART_BETAS, 33)
    axes.grid(color=LINE, linewidth=0.8, alpha=0.7)
    for name, dashes in (("ipr", "-"), ("debiased", "-"), (PAPER_FORM, "--")):
        distances = [_length(training_gradient(ideal, name, float(value)).missing) for value in betas]
        shown = np.clip(distances, *_CHART_RANGE)
        axes.plot(betas, shown, dashes, color=lab_color(name), linewidth=3.2, label=lab_title(name))
    axes.set(xscale="log", yscale="log", xlim=_CHART_BETAS, ylim=(0.7 * _CHART_RANGE[0], _CHART_RANGE[1]))
    axes.set_xticks(ticks := (0.5, 1, 2, 5, 10, 20), [f"{tick:g}" for tick in ticks])
    powers = [10.0**power for power in range(-3, 5)]
    axes.set_yticks(powers, [f"{power:,g}" for power in powers])
    axes.minorticks_off()
    edge = _way_to_the_edge(ideal)
    if math.isfinite(edge):
        axes.axhline(edge, color=MUTED, linewidth=1.4, linestyle=":")
        axes.text(0.53, edge * 0.8, "edge of the map", fontsize=14, color=MUTED, va="top")
    axes.axvline(beta, color=TEXT, linewidth=1.2, linestyle=":")
    for value in {PLAIN_BETA, beta}:
        distance = _length(training_gradient(ideal, "ipr", value).missing)
        if _CHART_BETAS[0] <= value <= _CHART_BETAS[1] and 0.1 <= distance <= _CHART_RANGE[1]:
            axes.plot(value, distance, "o", color=lab_color("ipr"), markersize=11)
            number = f"{distance:,.0f}" if distance >= 100 else f"{distance:.2g}"
            axes.annotate(
                number, (value, distance), (9, 9), textcoords="offset points", fontsize=_FONT, color=lab_color("ipr")
            )
    axes.set_xlabel("β", labelpad=0)
    axes.legend(loc="lower left", fontsize=14, frameon=False, labelcolor=TEXT, handlelength=1.6)


def _write_numbers(
    figure: Figure, ideal: SyntheticMap, beta: float, plain: dict[str, TrainingGradient], plain_ends: dict[str, Floats]
) -> None:
    """A table: for IPR and debiased IPR, at β = 1 and at the laboratory's β."""
    columns: list[tuple[str, float, TrainingGradient, Floats]] = []
    for name in _SHOWN:
        columns.append((name, PLAIN_BETA, plain[name], plain_ends[name]))
        if beta != PLAIN_BETA:
            end = descent(ideal, name, beta, [(ideal.x, ideal.y)])[-1, 0]
            columns.append((name, beta, training_gradient(ideal, name, beta), end))
    heights = (0.205, 0.13, 0.055)
    words = ("J is off the truth by", "a cell of the blob moves J by", "descent ends off the truth by")
    figure.text(0.505, 0.27, "In cells", fontsize=_FONT, color=MUTED)
    for height, word in zip(heights, words, strict=True):
        figure.text(0.505, height, word, fontsize=_FONT, color=TEXT)
    apart = 0.256 / len(columns)
    rights = [0.974 - apart * (len(columns) - 1 - index) for index in range(len(columns))]
    for right, (name, value, gradient, end) in zip(rights, columns, strict=True):
        style: dict[str, Any] = {"color": lab_color(name), "ha": "right"}
        figure.text(right, 0.27, f"β = {value:g}", fontsize=15, **style)
        off = _length(end - np.array([ideal.x, ideal.y]))
        for height, number in zip(heights, (_length(gradient.error), _mean_follow(gradient), off), strict=True):
            figure.text(right, height, f"{number:.3f}" if 0 < number < 0.1 else f"{number:.2f}", fontsize=19, **style)
    for name in _SHOWN:
        right = max(right for right, column in zip(rights, columns, strict=True) if column[0] == name)
        figure.text(right, 0.33, lab_title(name), fontsize=_FONT, color=lab_color(name), ha="right")


def _mean_follow(gradient: TrainingGradient) -> float:
    return float(np.trace(gradient.follows)) / 2


def _way_to_the_edge(ideal: SyntheticMap) -> float:
    """From the truth straight away from the centre to the edge of the map, in cells; infinite from the centre."""
    ways = []
    for place, middle, size in zip((ideal.x, ideal.y), ideal.centre, (ideal.width, ideal.height), strict=True):
        away = place - middle
        if away:
            ways.append(((size - 1 if away > 0 else 0) - place) / away)
    return min(ways, default=math.inf) * math.dist((ideal.x, ideal.y), ideal.centre) if ways else math.inf


def _length(vector: Floats) -> float:
    return float(np.hypot(*vector))

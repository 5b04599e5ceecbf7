"""How a training went: as a table, and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from app.decoder_display import decoder_color
from app.lab.canvas import MUTED, TEXT, new_figure, png, style_axes
from app.training.loop import Epoch


def curves_csv(history: Sequence[Epoch]) -> bytes:
    """Columns as in `app.training.loop.Epoch`; epoch 0 is the head with the shipped weights."""
    names = [field.name for field in fields(Epoch)]
    rows = [",".join(names), *(",".join(f"{getattr(epoch, name):.6g}" for name in names) for epoch in history)]
    return ("\n".join(rows) + "\n").encode()


def curves_png(history: Sequence[Epoch], decoder: str, title: str) -> bytes:
    """1200 × 675: the loss, and the error of those who are held back, against the steps."""
    figure = new_figure(1200, 675)
    figure.text(0.08, 0.93, title, fontsize=19, color=TEXT, va="center")
    steps, color = [epoch.steps for epoch in history], decoder_color(decoder)
    for left, lines, label in (
        (0.08, ((("loss",), "loss"),), "loss, mean of the epoch"),
        (0.57, ((("mean_cells",), "mean"), (("median_cells",), "median")), "error in cells, held back"),
    ):
        axes = figure.add_axes((left, 0.14, 0.4, 0.68))
        for (names, name), style in zip(lines, ("-", "--"), strict=False):
            values = [getattr(epoch, names[0]) for epoch in history]
            axes.plot(steps, values, style, color=color, linewidth=2.5, marker="o", markersize=5, label=name)
        style_axes(axes, 14)
        highest = np.nanmax([getattr(epoch, names[0]) for epoch in history for names, _ in lines])
        axes.set_ylim(0, 1.08 * highest)
        axes.set_xlabel("steps")
        axes.set_title(label, color=MUTED, fontsize=15, loc="left")
        if len(lines) > 1:
            axes.legend(frameon=False, labelcolor=TEXT, fontsize=14)
    return png(figure)

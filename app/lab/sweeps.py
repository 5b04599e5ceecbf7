"""How the bias of every decoder changes with the place, the β and the height of the blob."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.decoder_display import PAPER_FORM
from app.lab.readings import (
    LAB_DECODERS,
    PEAK_RANGE,
    Floats,
    Point,
    SyntheticMap,
    as_floats,
    check_beta,
    lab_decoder,
    point_of,
    stacked,
)
from models.decoders import has_beta, prepare
from models.readings import BETA_RANGE


@dataclass(frozen=True)
class Sweep:
    """The bias of every decoder while one quantity changes.

    name: position, beta or peak. label: of the quantity, with its unit. values: (N,). bias: decoder -> (N,), in cells.
    error_x: decoder -> (N,), the signed error of x in cells; only where the position changes.
    """

    name: str
    label: str
    values: Floats
    bias: dict[str, Floats]
    error_x: dict[str, Floats] | None = None


def bias_against_position(synthetic: SyntheticMap, beta: float, steps: int = 4) -> Sweep:
    """The blob wanders from the left edge of the map to the right one, at its own y; `steps` places in each cell.

    The places lie alike on both sides of the middle between two cells, and none on it: argmax would have to choose.
    """
    return bias_at_places(synthetic, beta, (np.arange((synthetic.width - 1) * steps) + 0.5) / steps)


def bias_at_places(synthetic: SyntheticMap, beta: float, xs: Floats) -> Sweep:
    """The blob at each of `xs` (N,), in cells, at its own y."""
    errors = _errors([replace(synthetic, x=float(x)) for x in xs], beta)
    signed = {name: error[:, 0] for name, error in errors.items()}
    return Sweep("position", "true x (cells)", xs, _distances(errors), signed)


def bias_against_beta(synthetic: SyntheticMap, beta_range: Point = BETA_RANGE, count: int = 61) -> Sweep:
    """The same map at many β, evenly spread on a logarithmic scale."""
    betas = np.geomspace(*beta_range, count)
    maps = prepare(synthetic.heatmap())
    truth = np.array([synthetic.x, synthetic.y])
    errors = {}
    for name in LAB_DECODERS:
        # A decoder without β reads the same point at each of them.
        used = betas if name == PAPER_FORM or has_beta(name) else betas[:1]
        points = np.array([point_of(lab_decoder(name, check_beta(float(beta))), maps) for beta in used])
        errors[name] = np.broadcast_to(points - truth, (count, 2))
    return Sweep("beta", "β", betas, _distances(errors))


def bias_against_peak(synthetic: SyntheticMap, beta: float, count: int = 46) -> Sweep:
    """The blob's height from 0.1, or a little above the background where that is higher, to 1."""
    peaks = np.linspace(max(PEAK_RANGE[0], min(1.0, 1.05 * synthetic.background)), PEAK_RANGE[1], count)
    errors = _errors([replace(synthetic, peak=float(peak)) for peak in peaks], beta)
    return Sweep("peak", "peak height", peaks, _distances(errors))


def all_sweeps(synthetic: SyntheticMap, beta: float) -> list[Sweep]:
    """Bias against position, against β and against peak height."""
    return [
        bias_against_position(synthetic, beta),
        bias_against_beta(synthetic),
        bias_against_peak(synthetic, beta),
    ]


def sweeps_csv(sweeps: Sequence[Sweep]) -> str:
    """One row for each sweep, value and decoder; the signed error of x only where the position changes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sweep", "x", "decoder", "bias_cells", "error_x_cells"])
    for sweep in sweeps:
        for index, value in enumerate(sweep.values):
            for decoder, bias in sweep.bias.items():
                signed = f"{sweep.error_x[decoder][index]:.6g}" if sweep.error_x else ""
                writer.writerow([sweep.name, f"{value:.6g}", decoder, f"{bias[index]:.6g}", signed])
    return text.getvalue()


def _errors(maps: Sequence[SyntheticMap], beta: float) -> dict[str, Floats]:
    """For each decoder (N, 2): its point minus the truth."""
    check_beta(beta)
    prepared = prepare(stacked(maps))
    truth = np.array([(one.x, one.y) for one in maps])
    return {name: as_floats(lab_decoder(name, beta).read(prepared).points[:, 0]) - truth for name in LAB_DECODERS}


def _distances(errors: dict[str, Floats]) -> dict[str, Floats]:
    return {name: np.hypot(error[:, 0], error[:, 1]) for name, error in errors.items()}

"""`posescope lab`: figures and data of one synthetic map."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from app.errors import OutputError
from app.lab.figures import FIGURES
from app.lab.readings import DEFAULT_PLACE, Readings, SyntheticMap, check_beta
from app.lab.sweeps import all_sweeps, sweeps_csv
from app.output_file import write_file


def run_lab(options: argparse.Namespace) -> int:
    """`posescope lab`: figures and data of one synthetic map, into a folder.

    options: output (Path), beta, sigma, peak, background, noise (float), overwrite (bool); x and y (float), the true
    centre, may be given too. Prints the paths. Raises UserError for a value out of its range, OutputError where a file
    cannot be written, or exists and overwrite is false; nothing has been computed or written then.
    """
    synthetic = SyntheticMap(
        x=getattr(options, "x", DEFAULT_PLACE[0]),
        y=getattr(options, "y", DEFAULT_PLACE[1]),
        sigma=options.sigma,
        peak=options.peak,
        background=options.background,
        noise=options.noise,
    )
    beta = check_beta(options.beta)
    paths = [options.output / name for name in ("lab_bias.csv", *FIGURES)]
    _check_free(paths, options.overwrite)
    readings, sweeps = Readings(synthetic, beta), all_sweeps(synthetic, beta)
    contents = [sweeps_csv(sweeps).encode(), *(figure(readings, sweeps) for figure in FIGURES.values())]
    for path, content in zip(paths, contents, strict=True):
        write_file(path, content, overwrite=options.overwrite)
        print(path)
    return 0


def _check_free(paths: Sequence[Path], overwrite: bool) -> None:
    folder = paths[0].parent
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot write into {folder}: it is not a folder.")
    taken = [path for path in paths if path.exists()]
    if taken and not overwrite:
        raise OutputError(f"{taken[0]} exists already; give --overwrite to replace it.")

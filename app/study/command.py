"""`posescope study`: measure, draw, write."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from app.errors import OutputError
from app.study import criteria, figures, still
from app.study.clips import ClipRow, MapRow, measure_clip
from app.study.inputs import (
    SETTLING_FRAMES,
    Clip,
    Footage,
    Network,
    NoisyPhotograph,
    Photograph,
    open_still,
    sample_clip,
    sample_photograph,
)
from app.study.report import Findings, page
from app.study.synthetic import Grid, Measurement, measure, variants
from app.study.tables import csv_text
from models.readings import DEFAULT_BETA

FIGURES = ("floor.png", "beta.png", "background_noise.png", "clips.png", "stills.png")
TABLES = ("synthetic.csv", "criteria.csv", "best_floor.csv", "groups.csv", "clips.csv", "maps.csv", "stills.csv")
PAGE = "study.md"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. clip_frames: of each clip; noises: grey levels; still_frames: of each still picture."""

    grid: Grid
    clip_betas: tuple[float, ...]
    clip_frames: int
    photo_clip_noise: float
    noises: tuple[float, ...]
    still_frames: int


FULL = Size(Grid(), (1.0, 5.0, 10.0, 20.0), 300, 4.0, (2.0, 4.0, 8.0), 150)
QUICK = Size(
    Grid(
        peaks=(0.2, 0.6, 1.0),
        backgrounds=(0.0, 0.005, 0.02),
        noises=(0.0, 0.01, 0.05),
        sigmas=(2.0,),
        betas=(2.0, 10.0, 50.0),
    ),
    (10.0,),
    60,
    4.0,
    (4.0,),
    40,
)


def run_study(options: argparse.Namespace, size: Size | None = None) -> int:
    """Measure and write the figures, the tables and the page into `options.output`. Returns the exit code 0.

    options: output (Path), still (list of Path, or None), model (str), quick, overwrite (bool); device (str) if there.
    Raises UserError for bad input, OutputError where a file exists or cannot be written.
    """
    size = size or (QUICK if options.quick else FULL)
    folder = Path(options.output)
    _check_folder(folder, overwrite=options.overwrite)
    stills = [open_still(Path(path)) for path in options.still or ()]
    network = Network(options.model, getattr(options, "device", "auto"))
    if network.warning:
        print(f"posescope: {network.warning}", file=sys.stderr)
    # tqdm would start a thread that looks for bars that stand still.
    tqdm.monitor_interval = 0
    with tqdm(unit=" steps", disable=not sys.stderr.isatty(), leave=False) as bar:
        contents = _contents(_Work(size, stills, network, bar), options)
    _write(folder, contents, overwrite=options.overwrite)
    return 0


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Before the work, so that it is not in vain."""
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"Cannot write into {folder}: it is not a folder.")
        taken = [name for name in (PAGE, *FIGURES, *TABLES) if (folder / name).exists()]
    except OSError as error:
        raise OutputError(f"Cannot write into {folder}: {error.strerror}.") from None
    if taken and not overwrite:
        raise OutputError(f"{folder / taken[0]} exists already: choose another folder, or say --overwrite.")


class _Work:
    """The three parts, one after the other."""

    def __init__(self, size: Size, stills: list[Clip | Photograph], network: Network, bar: tqdm) -> None:
        self.size = size
        self.network = network
        self._clips = [sample_clip(), *(still for still in stills if isinstance(still, Clip))]
        self._photographs = [sample_photograph(), *(still for still in stills if isinstance(still, Photograph))]
        self._bar = bar

    def stills(self) -> list[still.StillRow]:
        """The shipped clip as it is, and each photograph with each noise."""
        count = self.size.still_frames
        clip = self._clips[0]
        assert clip.still is not None
        rows = still.measure_still(
            clip.name, 0.0, still.still_frames(clip), min(count, len(clip.still)), self.network, self._bar.update
        )
        for picture in self._photographs:
            for noise in self.size.noises:
                images = picture.noisy(noise)
                rows += still.measure_still(picture.name, noise, images, count, self.network, self._bar.update)
        return rows

    def clips(self) -> tuple[list[ClipRow], list[MapRow]]:
        """Every variant on every clip, and on every photograph with noise."""
        size = self.size
        noisy = [
            NoisyPhotograph(picture, size.photo_clip_noise, SETTLING_FRAMES + size.still_frames)
            for picture in self._photographs
        ]
        footage: list[Footage] = [*self._clips, *noisy]
        forms = variants(size.clip_betas, size.grid.floors)
        found = [measure_clip(one, self.network, forms, size.clip_frames, self._bar.update) for one in footage]
        return [row for rows, _ in found for row in rows], [maps for _, maps in found]

    def synthetic(self) -> list[Measurement]:
        """Every variant under every condition."""
        return measure(self.size.grid, self._bar.update)


def _contents(work: _Work, options: argparse.Namespace) -> dict[str, bytes]:
    """File name -> content."""
    # People may be missing in the user's pictures: that is said before the long part.
    stills = work.stills()
    clips, maps = work.clips()
    rows, grid = work.synthetic(), work.size.grid
    at_default = criteria.scores(rows, DEFAULT_BETA)
    pooled = criteria.scores(rows, None)
    by_beta = [score for beta in grid.betas for score in criteria.scores(rows, beta)]
    best = criteria.best_form(at_default)
    forms = [criteria.PLAIN, ("debiased", True, 0.0), criteria.SHIPPED, best]
    forms += [(name, None, None) for name in ("ipr", "argmax", "argmax-quarter", "dark")]
    found = Findings(
        grid=grid,
        conditions=grid.conditions(),
        lost=criteria.lost_conditions(rows),
        at_default=at_default,
        pooled=pooled,
        floors=criteria.best_floors(rows),
        groups=criteria.by_group(rows, list(dict.fromkeys(forms))),
        plain=criteria.plain_form(rows),
        shipped_off=criteria.more_than_a_cell_off(rows, criteria.SHIPPED),
        clips=clips,
        maps=maps,
        stills=stills,
        verdicts=still.verdicts(stills),
        network=Path(options.model).stem,
        device=work.network.device_label,
        quick=options.quick,
    )
    texts = {
        PAGE: page(found),
        "synthetic.csv": csv_text(rows),
        "criteria.csv": csv_text([*by_beta, *pooled]),
        "best_floor.csv": csv_text(found.floors),
        "groups.csv": csv_text(found.groups),
        "clips.csv": csv_text(clips),
        "maps.csv": csv_text(maps),
        "stills.csv": csv_text(stills),
    }
    return {name: text.encode("utf-8") for name, text in texts.items()} | {
        "floor.png": figures.floor_figure(rows, grid),
        "beta.png": figures.beta_figure(rows, grid),
        "background_noise.png": figures.disturbance_figure(rows, grid, best),
        "clips.png": figures.clip_figure(clips, clips[0].clip),
        "stills.png": figures.still_figure(stills),
    }


def _write(folder: Path, contents: dict[str, bytes], *, overwrite: bool) -> None:
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            path = folder / name
            with open(path, "wb" if overwrite else "xb") as file:
                file.write(data)
            print(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None

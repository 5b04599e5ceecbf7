"""`posescope bench`: load, measure, print."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tqdm import tqdm

from app.bench.agreement import CellErrors, Followed, cell_errors, crowds, follow, median_share_of_body
from app.bench.contenders import MEDIAPIPE, Contender, chosen_names, open_contenders
from app.bench.inputs import LEAST_FRAMES, load_frames
from app.bench.machine import this_machine
from app.bench.measure import STAGES, TOTAL, Case, Crops, Following, Peer, Samples, measure, spread
from app.bench.memory import FRAMES as MEMORY_FRAMES
from app.bench.memory import Alone
from app.bench.report import as_text
from app.bench.results import Bench, EngineResult, as_json
from app.bench.sweep import sweep, sweep_frames
from app.bundled import DETECTOR, SAMPLE_CLIP, model_file
from app.errors import OutputError, UserError
from app.frames import Image
from app.output_file import check_outputs
from models.engines.choice import open_engine
from models.engines.engine import Engine
from models.estimator import PoseEstimator

if TYPE_CHECKING:
    from models.engines.mediapipe_engine import MediaPipePeer

MOST_PEOPLE = 16


def run_bench(options: argparse.Namespace) -> int:
    """Measure and print the tables. Returns the exit code 0.

    options: source (str, or None for the shipped clip), model (str), engines (str: "all" or names with commas),
    people, frames (int), json (Path or None), sweep, overwrite (bool).
    Raises UserError for bad input, OutputError where the JSON file exists or cannot be written.
    """
    names = _checked(options)
    source = options.source or str(SAMPLE_CLIP)
    machine = this_machine()
    path, sha256 = model_file(options.model)
    frames = load_frames(source, options.frames, machine.memory_bytes)
    reference = open_engine(path, "cpu", sha256, "torch", DETECTOR)
    # tqdm would start a thread that looks for bars that stand still.
    tqdm.monitor_interval = 0
    contenders, missing = open_contenders(names, path, sha256, reference, people=options.people)
    try:
        fastest = _own(contenders) if options.sweep else None
        steps = len(frames) * (1 + 2 * len(contenders)) + MEMORY_FRAMES * len(contenders)
        steps += sweep_frames(len(frames)) if fastest else 0
        with tqdm(unit=" frames", total=steps, disable=not sys.stderr.isatty(), leave=False) as bar:
            followed = follow(PoseEstimator(reference), frames, _name(source), bar.update)
            work = _Work(frames, followed, options.people, reference, bar.update)
            engines = work.compare(contenders, options.model, source)
            growth = None
            if fastest:
                growth = sweep(fastest.name, _engine(fastest), frames, followed, bar.update)
    finally:
        for contender in contenders:
            if contender.name == MEDIAPIPE:
                _peer(contender).close()
    height, width = frames[0].shape[:2]
    bench = Bench(
        machine, options.model, _name(source), (width, height), len(frames), options.people, engines, missing, growth
    )
    print(as_text(bench))
    if options.json is not None:
        _write(options.json, bench, overwrite=options.overwrite)
        print(f"\n{options.json}")
    return 0


def _checked(options: argparse.Namespace) -> list[str]:
    """The names of the engines. Before the work, so that it is not in vain."""
    if options.frames < LEAST_FRAMES:
        raise UserError(f"--frames must be at least {LEAST_FRAMES}, not {options.frames}.")
    if not 1 <= options.people <= MOST_PEOPLE:
        raise UserError(f"--people must be from 1 to {MOST_PEOPLE}, not {options.people}.")
    names = chosen_names(options.engines)
    if options.json is not None:
        check_outputs([options.json], options.source or str(SAMPLE_CLIP), overwrite=options.overwrite)
    return names


def _write(path: Path, bench: Bench, *, overwrite: bool) -> None:
    text = json.dumps(as_json(bench), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None


def _name(source: str) -> str:
    return Path(source).name or source


def _own(contenders: Sequence[Contender]) -> Contender:
    """The first that is PoseScope's own, which is the fastest that is here."""
    for contender in contenders:
        if contender.name != MEDIAPIPE:
            return contender
    raise UserError("--sweep looks at an engine of PoseScope: name one of them too.")


def _engine(contender: Contender) -> Engine:
    return cast("Engine", contender.runs)


def _peer(contender: Contender) -> MediaPipePeer:
    return cast("MediaPipePeer", contender.runs)


class _Work:
    """The frames, and what the reference saw in them. on_step: called for each frame of the progress bar."""

    def __init__(
        self,
        frames: Sequence[Image],
        followed: Sequence[Followed | None],
        people: int,
        reference: Engine,
        on_step: Callable[[int], object],
    ) -> None:
        self._frames = frames
        self._followed = followed
        self._people = people
        self._reference = reference
        self._crops = crowds(followed, people)
        self._on_step = on_step

    def compare(self, contenders: Sequence[Contender], model: str, source: str) -> list[EngineResult]:
        """Time all of them in turn, then look at their points, and at each alone."""
        measured = measure([self._case(contender) for contender in contenders], self._step)
        with contextlib.ExitStack() as running:
            # Side by side: nothing is timed any more.
            alone = [running.enter_context(Alone(contender.name, model, source)) for contender in contenders]
            return self._results(contenders, measured, alone)

    def _results(
        self, contenders: Sequence[Contender], measured: Sequence[Samples], alone: Sequence[Alone]
    ) -> list[EngineResult]:
        results = []
        for contender, samples, process in zip(contenders, measured, alone, strict=True):
            is_peer = contender.name == MEDIAPIPE
            points = [reading.points for reading in samples.frames]
            results.append(
                EngineResult(
                    name=contender.name,
                    device=contender.device,
                    stages={stage: spread(samples.stage_ns(stage)) for stage in (*STAGES, TOTAL)},
                    frames_with_person=samples.frames_with_person,
                    errors=None if is_peer else self._errors(_engine(contender)),
                    share_of_body=median_share_of_body(self._followed, points) if is_peer else None,
                    peak_mb=process.peak_mb(),
                )
            )
            self._on_step(MEMORY_FRAMES + (len(self._frames) if is_peer else 0))
        return results

    def _case(self, contender: Contender) -> Case:
        if contender.name == MEDIAPIPE:
            return Peer(_peer(contender), self._frames)
        estimator = PoseEstimator(_engine(contender))
        if self._people == 1:
            return Following(estimator, self._frames)
        return Crops(estimator, self._frames, self._crops)

    def _errors(self, engine: Engine) -> dict[str, CellErrors] | None:
        return cell_errors(PoseEstimator(self._reference), PoseEstimator(engine), self._frames, self._crops, self._step)

    def _step(self) -> None:
        self._on_step(1)

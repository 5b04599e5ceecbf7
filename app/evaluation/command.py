"""`posescope evaluate`: read, score, compare, write."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from app.bundled import DETECTOR, check_model, model_file, model_label
from app.comparison.page import clean
from app.comparison.variants import Variant, parse_variants, readable_variants
from app.errors import OutputError, UserError
from app.evaluation.annotations import AnnotatedPerson, Annotations, Selection, read_annotations
from app.evaluation.average_precision import RESAMPLES, Found
from app.evaluation.compare import differences, disagreements
from app.evaluation.groups import ALL_PEOPLE, Evaluated, group_scores, joint_scores
from app.evaluation.matching import match_people
from app.evaluation.outcome import Group, Outcome
from app.evaluation.reading import (
    AS_THEY_ARE,
    CropReader,
    Reading,
    read_at_boxes,
    read_detected,
    readings_expected,
)
from app.evaluation.results import predictions_json, results_csv, results_json
from app.evaluation.scores import score_people
from app.evaluation.splits import split_people
from app.output_file import check_outputs
from models.devices import choose_device
from models.engines.choice import check_names, open_engine
from models.errors import unknown_name
from models.estimator import PoseEstimator
from models.head_file import OWN, read_head
from models.top_down.files import checkpoint_place, is_checkpoint
from models.traits import BLAZEPOSE, NetworkTraits, top_down_traits

REPORT, RESULTS, TABLE, PREDICTIONS = "report.html", "results.json", "results.csv", "predictions.json"
FILES = (REPORT, RESULTS, TABLE, PREDICTIONS)
BOXES = ("truth", "detector")
SHRUNK = "person shrunk to"
# A GPU is quicker with many crops at once; on a CPU this only saves the decoders some calls.
_AT_ONCE_ON_GPU, _AT_ONCE_ON_CPU = 24, 8


def run_evaluate(options: argparse.Namespace) -> int:
    """Evaluate, print a table and write FILES into `options.output`. Returns the exit code 0.

    options: annotations, images (Path), decoders, beta (str, numbers with commas), model, device, engine, boxes (str),
    head (Path or None),
    flip_test (bool), mapping (Path or None), limit (int or None), min_keypoints (int), min_area (float), output
    (Path), overwrite (bool).
    Raises UserError for bad input, OutputError where a file exists or cannot be written.
    """
    from app.evaluation.report import report_html

    variants, selection = _checked(options)
    annotations = read_annotations(
        options.annotations, options.images, options.mapping, selection, _traits(options.model)
    )
    work = _Work(options, variants, annotations)
    outcome, evaluated = work.outcome()
    print(_as_text(outcome))
    contents = {
        REPORT: report_html(outcome),
        RESULTS: results_json(outcome, _told(options)),
        TABLE: results_csv(evaluated),
        PREDICTIONS: predictions_json(evaluated, annotations.joint_set, annotations.category_id),
    }
    _write(options.output, contents, overwrite=options.overwrite)
    return 0


def _checked(options: argparse.Namespace) -> tuple[tuple[Variant, ...], Selection]:
    """The variants and who is scored; before the work, so that it is not in vain."""
    variants = parse_variants(options.decoders, _betas(options.beta))
    variants = readable_variants(variants, options.decoders, options.model)
    if options.boxes not in BOXES:
        raise UserError(unknown_name("kind of boxes", options.boxes, BOXES))
    for name, value, least in (("--limit", options.limit, 1), ("--min-keypoints", options.min_keypoints, 1)):
        if value is not None and value < least:
            raise UserError(f"{name} must be at least {least}, not {value}.")
    if not (math.isfinite(options.min_area) and options.min_area >= 0):
        raise UserError(f"--min-area must be at least 0, not {options.min_area:g}.")
    check_model(options.model)
    check_names(options.device, options.engine, needs_heatmaps=True)
    check_outputs([options.output / name for name in FILES], str(options.annotations), overwrite=options.overwrite)
    return variants, Selection(options.min_keypoints, options.min_area, options.limit)


def _traits(model: str) -> NetworkTraits:
    """Of a network that is not open yet."""
    return top_down_traits(checkpoint_place(Path(model))[1]) if is_checkpoint(model) else BLAZEPOSE


def _betas(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--beta takes numbers with commas between them, for example 1,10, not “{text}”.") from None


def _told(options: argparse.Namespace) -> dict[str, object]:
    """For results.json: without the paths of the user's computer."""
    names = (
        "decoders",
        "beta",
        "model",
        "device",
        "engine",
        "boxes",
        "flip_test",
        "limit",
        "min_keypoints",
        "min_area",
    )
    told = {name: getattr(options, name) for name in names}
    told["model"] = options.model if options.model in ("lite", "full", "heavy") else clean(Path(options.model).name)
    told["head"] = clean(options.head.stem) if options.head else None
    return {**told, "mapping": clean(options.mapping.name) if options.mapping else None}


@dataclass(frozen=True, slots=True)
class _Effort:
    """What the reading took. readings: people, at all sizes."""

    readings: int
    seconds: float
    processor_seconds: float


class _Work:
    """One evaluation."""

    def __init__(self, options: argparse.Namespace, variants: tuple[Variant, ...], annotations: Annotations) -> None:
        self._options = options
        self._variants = variants
        self._annotations = annotations
        self._sigmas = annotations.joint_set.sigmas
        self._skipped = list(annotations.skipped)
        path, sha256 = model_file(options.model)
        heads = [read_head(options.head)] if options.head else []
        self._engine = open_engine(path, options.device, sha256, options.engine, DETECTOR, heads)
        if self._engine.warning:
            print(f"posescope: {self._engine.warning}", file=sys.stderr)
        on_cpu = options.engine == "openvino" or choose_device(options.device).kind == "cpu"
        estimator = PoseEstimator(self._engine)
        estimator.head_choice = heads[0].label if heads else OWN
        self._reader = CropReader(
            estimator,
            variants,
            annotations.joint_set,
            flip=options.flip_test,
            at_once=_AT_ONCE_ON_CPU if on_cpu else _AT_ONCE_ON_GPU,
            fill=not on_cpu,
        )

    def outcome(self) -> tuple[Outcome, Evaluated]:
        """Read and score everybody."""
        started = time.perf_counter()
        # tqdm would start a thread that looks for bars that stand still.
        tqdm.monitor_interval = 0
        read = self._at_boxes if self._options.boxes == "truth" else self._detected
        evaluated, shrunk, effort = read()
        scored = evaluated.scored
        everybody = range(len(scored.people))
        parts = split_people(scored.people)
        options, images = self._options, {person.image_id for person in scored.people}
        outcome = Outcome(
            annotations=clean(options.annotations.name),
            images=clean(options.images.resolve().name),
            joint_set=self._annotations.joint_set.name,
            network=clean(model_label(options.model)) + (f", head {clean(options.head.stem)}" if options.head else ""),
            device=self._engine.label,
            boxes=options.boxes,
            flip_test=options.flip_test,
            variants=self._variants,
            pictures=len(images),
            people=len(scored.people),
            missed=int(scored.missed.sum()),
            overall=group_scores(evaluated, ALL_PEOPLE, "", everybody, RESAMPLES),
            splits=tuple(group_scores(evaluated, *part) for part in parts),
            shrunk=shrunk,
            differences=differences(scored, self._variants, parts),
            joints=joint_scores(scored, self._annotations.joint_set.joints, self._variants),
            disagreements=disagreements(
                scored, self._variants, self._annotations.images, self._annotations.joint_set.joints
            ),
            skipped=tuple(self._skipped),
            seconds=time.perf_counter() - started,
            people_per_second=effort.readings / effort.seconds,
            cores_busy=effort.processor_seconds / effort.seconds,
        )
        return outcome, evaluated

    def _at_boxes(self) -> tuple[Evaluated, tuple[Group, ...], _Effort]:
        """Everybody at their annotated box, and the groups of those who were shrunk."""
        images = self._annotations.images
        with _Clock(readings_expected(images), " people") as clock:
            found = read_at_boxes(images, self._reader, clock.step, self._skipped)
        self._check_somebody(bool(found[AS_THEY_ARE]))
        evaluated = self._evaluated(found[AS_THEY_ARE])
        effort = clock.effort(sum(map(len, found.values())))
        return evaluated, self._shrunk(evaluated, found), effort

    def _shrunk(
        self, evaluated: Evaluated, found: dict[int, list[tuple[AnnotatedPerson, Reading]]]
    ) -> tuple[Group, ...]:
        sizes = [size for size in found if size != AS_THEY_ARE and found[size]]
        if not sizes:
            return ()
        same = {person for person, _ in found[sizes[0]]}
        before = [i for i, person in enumerate(evaluated.scored.people) if person in same]
        groups = [group_scores(evaluated, SHRUNK, "as they are", before)]
        for size in sizes:
            smaller = self._evaluated(found[size])
            groups.append(group_scores(smaller, SHRUNK, f"{size} px", range(len(smaller.scored.people))))
        return tuple(groups)

    def _evaluated(self, found: Sequence[tuple[AnnotatedPerson, Reading]]) -> Evaluated:
        scored = score_people(
            [person for person, _ in found],
            np.array([reading.points for _, reading in found]),
            np.array([reading.confidence for _, reading in found]),
            self._sigmas,
        )
        return Evaluated(scored, self._variants, self._sigmas)

    def _detected(self) -> tuple[Evaluated, tuple[Group, ...], _Effort]:
        """Everybody as far as the detector found them."""
        images = self._annotations.images
        with _Clock(len(images), " pictures") as clock:
            read = read_detected(images, self._reader, clock.step, self._skipped)
        self._check_somebody(bool(read))
        people: list[AnnotatedPerson] = []
        bystanders: list[AnnotatedPerson] = []
        readings: list[Reading | None] = []
        for image, found in read:
            for person, reading in zip(image.people, match_people(image.people, found, self._sigmas), strict=True):
                if person.scored:
                    people.append(person)
                    readings.append(reading)
                else:
                    bystanders.append(person)
        unknown = np.full((len(self._variants), len(self._sigmas), 2), np.nan)
        scored = score_people(
            people,
            np.array([unknown if reading is None else reading.points for reading in readings]),
            np.array([0.0 if reading is None else reading.confidence for reading in readings]),
            self._sigmas,
        )
        everybody = tuple(
            Found(image.id, reading.points, reading.confidence) for image, found in read for reading in found
        )
        evaluated = Evaluated(scored, self._variants, self._sigmas, everybody, tuple(bystanders))
        return evaluated, (), clock.effort(len(everybody))

    def _check_somebody(self, somebody: bool) -> None:
        if not somebody:
            first = self._skipped[-1]
            raise UserError(f"None of the pictures can be used. The last reason: {first.what}: {first.why}")


class _Clock:
    """A progress bar that also measures time."""

    def __init__(self, total: int, unit: str) -> None:
        self._bar = tqdm(total=total, unit=unit, disable=not sys.stderr.isatty(), leave=False)

    def __enter__(self) -> _Clock:
        self._started, self._processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.perf_counter() - self._started
        self._processor_seconds = time.process_time() - self._processor
        self._bar.close()

    def step(self) -> None:
        self._bar.update()

    def effort(self, readings: int) -> _Effort:
        return _Effort(readings, self._seconds, self._processor_seconds)


def _as_text(outcome: Outcome) -> str:
    """A compact table of the variants, and what was measured."""
    rows: list[tuple[str, ...]] = [("", "AP", "mean OKS", "PCK@10", "median error")]
    for scores in outcome.overall.scores:
        values = (scores.ap.value, scores.mean_oks.value, scores.pck10.value, scores.median_error.value)
        rows.append((scores.variant.title, *(_number(value) for value in values)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    people = f"{outcome.people} people in {outcome.pictures} pictures, {outcome.joint_set}, {outcome.network}"
    if outcome.boxes == "detector":
        people += f", {outcome.missed} not found by the detector"
    lines.append(f"{people}; {outcome.people_per_second:.0f} readings a second on {outcome.device}")
    if outcome.skipped:
        first = outcome.skipped[0]
        lines.append(f"{len(outcome.skipped)} left out, for example {first.what}: {first.why}")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _write(folder: Path, contents: dict[str, str], *, overwrite: bool) -> None:
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            path = folder / name
            with open(path, "wb" if overwrite else "xb") as file:
                file.write(text.encode("utf-8"))
            print(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None

"""`posescope train`: from annotated or rendered people to a head, or a network, in a file."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import platformdirs
import torch
from tqdm import tqdm

from app import __version__
from app.bundled import check_model, model_label
from app.errors import UserError
from app.evaluation.outcome import Skipped
from app.output_file import check_outputs, write_file
from app.training.curves import curves_csv, curves_png
from app.training.features import ViewPlan, feature_store
from app.training.loop import Epoch, Schedule, Training
from app.training.losses import Objective
from app.training.people import TrainingPeople, annotated_people, rendered_people, together, told
from app.training.subjects import check_suffix, subject
from models.devices import choose_device
from models.errors import unknown_name
from models.readings import HEADS_FOR, checked_beta


def run_train(options: argparse.Namespace) -> int:
    """Train one head; print what is skipped and the error after each epoch. Returns the exit code 0.

    options: see `app.training.options`. Writes the head, and beside it its curves as CSV and PNG. While it trains, a
    checkpoint lies there, from which the same command goes on.
    Raises UserError for bad input, OutputError where a file exists or cannot be written.
    """
    objective = checked_objective(options)
    check_model(options.model)
    device = choose_device(options.device).torch_device
    files = output_files(options.output)
    check_outputs(files, str(options.annotations or ""), overwrite=options.overwrite)
    checkpoint = options.output.with_suffix(".checkpoint")
    if options.overwrite:
        checkpoint.unlink(missing_ok=True)
    # The last cores are for it alone, unlike in the window.
    tqdm.monitor_interval = 0
    people = gathered_people(options)
    trained = subject(options.model, people, objective)
    people = trained.people
    plan = ViewPlan(options.views, options.seed)
    cache = options.cache or user_cache()
    store = feature_store(cache, trained.maker, people, plan, device, say, Bar(trained.maker.title, "person"))
    tell_skipped([*people.skipped, *store.skipped])
    training, validation = people.split(options.validation, options.seed)
    run = Training(
        module=trained.module,
        store=store,
        objective=objective,
        schedule=Schedule(options.epochs, options.batch, options.rate, options.seed),
        train_rows=store.rows_of(training),
        validation_rows=store.rows_of(validation, plain_only=True),
        device=device,
        as_maps=trained.as_maps,
        checkpoint=checkpoint,
    )
    if not len(run.train_rows):
        raise UserError("No joint of those who are trained on lies within their crop.")
    recipe = recipe_of(options, objective, run, people)
    run.settings.update(recipe, data=people.digest, network=trained.key)
    history = run.run(_tell_epoch, StepBar())
    write_file(options.output, trained.content(recipe), overwrite=options.overwrite)
    write_curves(options.output, history, objective, overwrite=options.overwrite)
    checkpoint.unlink(missing_ok=True)
    for file in files:
        print(file)
    before, after = history[0], history[-1]
    say(
        f"Held back, before and after: {before.mean_cells:.3f} and {after.mean_cells:.3f} cells mean, "
        f"{before.median_cells:.3f} and {after.median_cells:.3f} median."
    )
    model = "" if options.model == "full" else f"--model {options.model} "
    say(
        f"To see it: posescope {model}--head {options.output}"
        if trained.is_head
        else f"To see it: posescope --model {options.output}"
    )
    return 0


def checked_objective(options: argparse.Namespace) -> Objective:
    """Raises UserError for what cannot be trained, before any work."""
    if options.head not in HEADS_FOR:
        raise UserError(unknown_name("head", options.head, HEADS_FOR))
    for name, value, least in (
        ("--epochs", options.epochs, 1),
        ("--views", options.views, 0),
        ("--batch", options.batch, 1),
        ("--rendered", options.rendered, 0),
        ("--seed", options.seed, 0),
    ):
        if value < least:
            raise UserError(f"{name} must be at least {least}, not {value}.")
    if not (math.isfinite(options.rate) and options.rate > 0):
        raise UserError(f"--rate must be greater than 0, not {options.rate:g}.")
    if not 0 < options.validation < 1:
        raise UserError(f"--validation must lie between 0 and 1, not {options.validation:g}.")
    if not (math.isfinite(options.shape_weight) and options.shape_weight >= 0):
        raise UserError(f"--shape-weight must be at least 0, not {options.shape_weight:g}.")
    if options.shape_weight and options.head == "argmax":
        raise UserError("--shape-weight is for ipr and debiased: an argmax head is trained on whole maps anyway.")
    check_suffix(options.model, options.output)
    if (options.annotations is None) != (options.images is None):
        raise UserError("--annotations and --images belong together: the file, and the folder of its pictures.")
    if options.annotations is None and not options.rendered:
        raise UserError("Nothing to train on: give --annotations with --images, or --rendered N, or both.")
    return Objective(options.head, checked_beta(options.beta), options.shape_weight)


def gathered_people(options: argparse.Namespace) -> TrainingPeople:
    """Annotated people, rendered people, or both."""
    parts = []
    if options.annotations is not None:
        parts.append(annotated_people(options.annotations, options.images, options.mapping))
    if options.rendered:
        folder = (options.cache or user_cache()) / "rendered"
        bar = Bar("rendering", "scene")
        parts.append(rendered_people(folder, options.rendered, options.seed, "all", bar))
    return parts[0] if len(parts) == 1 else together(parts)


def user_cache() -> Path:
    """Where trunk features and rendered people are kept."""
    return Path(platformdirs.user_cache_dir("posescope", appauthor=False)) / "training"


def output_files(output: Path) -> list[Path]:
    """The head or network, and its curves as CSV and as PNG."""
    return [output, output.with_suffix(".curves.csv"), output.with_suffix(".curves.png")]


def recipe_of(
    options: argparse.Namespace, objective: Objective, run: Training, people: TrainingPeople
) -> dict[str, object]:
    """What is written into the head: how it came about, without the paths of the user's computer."""
    return {
        "posescope": __version__,
        "torch": str(torch.__version__).partition("+")[0],
        "model": model_label(options.model),
        **{f"objective_{name}": value for name, value in asdict(objective).items()},
        **asdict(run.schedule),
        "views": options.views,
        "people": len(people.people),
        "train_views": len(run.train_rows),
        "validation_views": len(run.validation_rows),
        "annotations": options.annotations.name if options.annotations else "",
        "rendered": options.rendered,
        "validation": options.validation,
    }


def write_curves(path: Path, history: list[Epoch], objective: Objective, *, overwrite: bool) -> None:
    """Raises OutputError."""
    _, table, picture = output_files(path)
    write_file(table, curves_csv(history), overwrite=overwrite)
    title = f"{path.stem}: trained for {objective.decoder}"
    write_file(picture, curves_png(history, objective.decoder, title), overwrite=overwrite)


def say(sentence: str) -> None:
    """To the standard error, where progress goes."""
    print(sentence, file=sys.stderr)


def tell_skipped(skipped: Iterable[Skipped]) -> None:
    """What was left out, in a few lines."""
    for line in told(skipped):
        say(line)


def _tell_epoch(epoch: Epoch) -> None:
    loss = "as shipped" if epoch.epoch == 0 else f"loss {epoch.loss:.4g}"
    tqdm.write(
        f"epoch {epoch.epoch}: {loss}, held back {epoch.mean_cells:.3f} cells mean, {epoch.median_cells:.3f} median",
        file=sys.stderr,
    )


class Bar:
    """A progress bar that is told how many of how many are done; it shows itself when there is something to do."""

    def __init__(self, title: str, unit: str) -> None:
        self._title, self._unit = title, unit
        self._bar: tqdm | None = None

    def __call__(self, done: int, count: int) -> None:
        if self._bar is None:
            self._bar = tqdm(total=count, desc=self._title, unit=self._unit, file=sys.stderr)
        self._bar.update(done - self._bar.n)
        if done == count:
            self._bar.close()


class StepBar:
    """The same for steps of a training, with their loss."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, done: int, count: int, loss: float) -> None:
        if self._bar is None:
            self._bar = tqdm(total=count, initial=done - 1, desc="training", unit="step", file=sys.stderr)
        self._bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        self._bar.update()
        if done == count:
            self._bar.close()

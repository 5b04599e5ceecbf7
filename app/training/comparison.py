"""`posescope compare-heads`: does training through debiased IPR beat training through IPR, and either of them maps?"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
from tqdm import tqdm

from app.bundled import check_model, model_file
from app.errors import UserError
from app.output_file import check_outputs, write_file
from app.training.command import Bar, StepBar, say, tell_skipped, user_cache
from app.training.features import FeatureStore, TrunkMaker, ViewPlan, feature_store
from app.training.head_report import Compared, report_html, table_csv, text_table
from app.training.head_scores import HeadScores, TestPeople, scores
from app.training.kinds import SHIPPED_HEAD, Kind, compared_kinds
from app.training.loop import Epoch, Schedule, Training
from app.training.people import TrainingPeople, annotated_people, rendered_people
from models.blazepose import LandmarkNetwork
from models.bundle import Bundle, open_bundle
from models.devices import choose_device
from models.head_file import HeadAbout, head_bytes, read_head
from models.heads import Head, built_head, shipped_head
from models.readings import checked_beta

REPORT, TABLE, HISTORY = "report.html", "scores.csv", "history.json"
# Another seed than that of any training: its scenes are those of the test part, and no others.
_TEST_SEED = 1000


def run_compare_heads(options: argparse.Namespace) -> int:
    """Train every kind of head with every seed, read each with every decoder, and write a report. Returns 0.

    options: see `app.training.options`. Heads that are in the output folder already are not trained again.
    """
    seeds = _checked(options)
    comparison = _Comparison(options, seeds)
    compared = comparison.run()
    print(text_table(compared))
    for name, content in ((REPORT, report_html(compared)), (TABLE, table_csv(compared))):
        write_file(options.output / name, content.encode(), overwrite=options.overwrite)
        print(options.output / name)
    return 0


def _checked(options: argparse.Namespace) -> list[int]:
    check_model(options.model)
    checked_beta(options.beta)
    for name, value, least in (
        ("--epochs", options.epochs, 1),
        ("--views", options.views, 0),
        ("--rendered", options.rendered, 2),
        ("--test-rendered", options.test_rendered, 1),
    ):
        if value < least:
            raise UserError(f"{name} must be at least {least}, not {value}.")
    if not 0 <= options.few < 1:
        raise UserError(f"--few must be at least 0 and less than 1, not {options.few:g}.")
    if not (math.isfinite(options.shape_weight) and options.shape_weight >= 0):
        raise UserError(f"--shape-weight must be at least 0, not {options.shape_weight:g}.")
    if (options.annotations is None) != (options.images is None):
        raise UserError("--annotations and --images belong together: the file, and the folder of its pictures.")
    check_outputs([options.output / REPORT, options.output / TABLE], "", overwrite=options.overwrite)
    try:
        seeds = [int(part) for part in options.seeds.split(",")]
    except ValueError:
        seeds = []
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise UserError(f"--seeds takes different whole numbers with commas between them, not “{options.seeds}”.")
    return seeds


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """What is trained on."""

    people: TrainingPeople
    store: FeatureStore
    validation: list[int]
    training: list[int]


class _Comparison:
    def __init__(self, options: argparse.Namespace, seeds: list[int]) -> None:
        self._options, self._seeds = options, seeds
        self._device = choose_device(options.device).torch_device
        self._bundle: Bundle = open_bundle(*model_file(options.model))
        self._maker = TrunkMaker(self._bundle.landmarks)
        self._cache = options.cache or user_cache()
        self._kinds = compared_kinds(options.beta, options.shape_weight, options.few > 0)
        tqdm.monitor_interval = 0

    def run(self) -> Compared:
        started = time.perf_counter()
        data = self._training_data()
        tests = self._tests(data.people)
        network = LandmarkNetwork(self._bundle.landmarks)
        read: dict[tuple[str, int], list[HeadScores]] = {}
        histories: dict[tuple[str, int], list[Epoch]] = {}
        shipped = shipped_head(network, data.people.joints)
        read[SHIPPED_HEAD, 0] = [scores(shipped, test, self._options.beta, self._device) for test in tests]
        for seed in self._seeds:
            for kind in self._kinds:
                head, histories[kind.name, seed] = self._trained(kind, seed, data, network)
                read[kind.name, seed] = [scores(head, test, self._options.beta, self._device) for test in tests]
        return Compared(
            model=self._options.model,
            kinds=self._kinds,
            seeds=self._seeds,
            tests=tests,
            read=read,
            histories=histories,
            epochs=self._options.epochs,
            views=len(data.store.rows_of(data.training)),
            people=len(data.training),
            few=self._options.few,
            beta=self._options.beta,
            device=str(self._device),
            seconds=time.perf_counter() - started,
        )

    def _training_data(self) -> _Data:
        options = self._options
        folder = self._cache / "rendered"
        people = rendered_people(folder, options.rendered, 0, "train", Bar("training people", "scene"))
        tell_skipped(people.skipped)
        store = self._features(people, ViewPlan(options.views, 0))
        training, validation = people.split(options.validation, 0)
        return _Data(people, store, validation, training)

    def _tests(self, trained_on: TrainingPeople) -> list[TestPeople]:
        options = self._options
        folder = self._cache / "rendered"
        rendered = rendered_people(folder, options.test_rendered, _TEST_SEED, "test", Bar("test people", "scene"))
        sets = [("rendered people", rendered)]
        if options.annotations is not None:
            sets.append((f"real people ({options.annotations.parent.name})", self._real(trained_on)))
        tests = []
        for name, people in sets:
            store = self._features(people, ViewPlan(0, 0))
            tests.append(TestPeople(name, people, store, store.rows_of(range(len(people.people)), plain_only=True)))
        return tests

    def _real(self, trained_on: TrainingPeople) -> TrainingPeople:
        """Annotated people with the joints of the heads, in their order."""
        people = annotated_people(self._options.annotations, self._options.images, self._options.mapping)
        if set(people.joints) != set(trained_on.joints):
            raise UserError("The real people need the joints that the rendered ones have: COCO-17.")
        order = [people.joints.index(joint) for joint in trained_on.joints]
        persons = [replace(one, points=one.points[order], labelled=one.labelled[order]) for one in people.people]
        return replace(people, joints=trained_on.joints, people=tuple(persons))

    def _features(self, people: TrainingPeople, plan: ViewPlan) -> FeatureStore:
        return feature_store(self._cache, self._maker, people, plan, self._device, say, Bar("features", "person"))

    def _trained(self, kind: Kind, seed: int, data: _Data, network: LandmarkNetwork) -> tuple[Head, list[Epoch]]:
        options = self._options
        folder = options.output / "heads"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{kind.name}-seed{seed}.safetensors"
        training, epochs = data.training, options.epochs
        if kind.few:
            # As many steps on a part of the people.
            order = np.random.default_rng((seed, len(training))).permutation(training)
            training = sorted(order[: max(1, round(options.few * len(training)))].tolist())
            epochs = round(epochs * len(data.training) / len(training))
        rows = data.store.rows_of(training)
        settings = {
            "model": options.model,
            "network": self._bundle.landmarks_sha256,
            "data": data.people.digest,
            "views": options.views,
            "validation": options.validation,
            "few": options.few if kind.few else 0,
            **{f"objective_{name}": value for name, value in asdict(kind.objective).items()},
            **asdict(Schedule(epochs, options.batch, options.rate, seed)),
        }
        kept = path.with_suffix(".json")
        if path.exists() and kept.exists():
            written = json.loads(kept.read_text("utf-8"))
            if written["settings"] == settings:
                return built_head(network, read_head(path)), [Epoch(**epoch) for epoch in written["history"]]
        say(f"{kind.title}, seed {seed}: {len(rows):,} views, {epochs} epochs")
        head = shipped_head(network, data.people.joints)
        run = Training(
            module=head,
            store=data.store,
            objective=kind.objective,
            schedule=Schedule(epochs, options.batch, options.rate, seed),
            train_rows=rows,
            validation_rows=data.store.rows_of(data.validation, plain_only=True),
            device=self._device,
            checkpoint=path.with_suffix(".checkpoint"),
            settings=settings,
        )
        history = run.run(step=StepBar())
        about = HeadAbout(kind.objective.decoder, data.people.joints, self._bundle.landmarks_sha256, settings)
        write_file(path, head_bytes(run.weights(), about), overwrite=True)
        text = json.dumps({"settings": settings, "history": [asdict(epoch) for epoch in history]})
        write_file(kept, text.encode(), overwrite=True)
        path.with_suffix(".checkpoint").unlink(missing_ok=True)
        return head, history

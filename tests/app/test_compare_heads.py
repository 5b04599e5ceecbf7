"""The comparison of heads: its intervals and tables on made-up scores, its scores against pycocotools, all once."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.bundled import model_file
from app.cli import run_command_line
from app.training.features import TrunkMaker, ViewPlan, feature_store
from app.training.head_report import Compared, difference, pairs, report_html, spread, table_csv, text_table
from app.training.head_scores import HeadScores, TestPeople, scores
from app.training.kinds import READERS, SHIPPED_HEAD, compared_kinds
from app.training.loop import Epoch
from app.training.people import annotated_people
from models.blazepose import LandmarkNetwork
from models.bundle import open_bundle
from models.heads import shipped_head
from models.traits import BLAZEPOSE
from tests.app.training_builders import clip_people

CPU = torch.device("cpu")
LITE = open_bundle(*model_file("lite")).landmarks


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> TestPeople:
    folder = tmp_path_factory.mktemp("clip")
    path = clip_people(folder, 5)
    people = annotated_people(path, folder)
    store = feature_store(
        folder, TrunkMaker(LITE), people, ViewPlan(0, 0), CPU, lambda text: None, lambda done, count: None
    )
    return TestPeople("the clip", people, store, store.rows_of(range(5), plain_only=True))


def test_the_oks_of_a_head_is_that_of_pycocotools(clip: TestPeople, tmp_path: Path) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    from app.evaluation.crops import region_of_box

    found = scores(shipped_head(LandmarkNetwork(LITE), clip.people.joints), clip, 10.0, CPU)
    assert found.oks.shape == (5, len(READERS))
    reader = READERS.index("debiased")
    # The same errors, but all to the right, so that nothing but their lengths counts.
    results = []
    for person, cells in zip(clip.persons, found.cells[:, reader], strict=True):
        far = cells * region_of_box(person, BLAZEPOSE).side / 64
        points = np.column_stack((person.joints[:, 0] + far, person.joints[:, 1], np.ones(len(far))))
        results.append(
            {"image_id": person.image_id, "category_id": 1, "keypoints": points.ravel().tolist(), "score": 1.0}
        )
    path = clip.people.people[0].image.path.parent / "people.json"
    written = json.loads(path.read_text("utf-8"))
    for annotation, person in zip(written["annotations"], clip.persons, strict=True):
        annotation.update(area=person.area, num_keypoints=17)
    (tmp_path / "truth.json").write_text(json.dumps({"info": {}, **written}), "utf-8")
    truth = COCO(str(tmp_path / "truth.json"))
    judge = COCOeval(truth, truth.loadRes(results), "keypoints")
    judge.evaluate()
    expected = [float(judge.computeOks(person.image_id, 1)[0, 0]) for person in clip.persons]
    assert found.oks[:, reader].tolist() == pytest.approx(expected, abs=1e-6)
    assert found.mean_cells()[:, READERS.index("ipr")].mean() > 2 * found.mean_cells()[:, reader].mean()


def made_up(clip: TestPeople, few: bool = True) -> Compared:
    """Debiased is better than ipr by .1 for everybody, by less in the first seed than in the second."""
    kinds = compared_kinds(10.0, 1.0, few)
    random = np.random.default_rng(3)
    people = len(clip.rows)
    base = random.uniform(0.3, 0.6, people)
    level = {"argmax": 0.0, "ipr": 0.05, "debiased": 0.15}
    read: dict[tuple[str, int], list[HeadScores]] = {}
    for kind in [*kinds, None]:
        for seed in (4, 7) if kind else (0,):
            gain = level[kind.objective.decoder] if kind else 0.02
            gain += 0.02 * (seed == 7) * (kind is not None and kind.objective.decoder == "debiased")
            oks = np.repeat((base + gain)[:, None], len(READERS), 1)
            cells = np.full((people, len(READERS), 17), 1.0 - gain)
            read[kind.name if kind else SHIPPED_HEAD, seed] = [HeadScores(oks, cells)]
    histories = {
        (kind.name, seed): [Epoch(i, 10 * i, 1.0, 2.0 / (i + 1), 1.0, 1.0) for i in range(4)]
        for kind in kinds
        for seed in (4, 7)
    }
    return Compared("lite", kinds, [4, 7], [clip], read, histories, 3, 100, 20, 0.1, 10.0, "cpu", 60.0)


def test_differences_are_paired_and_averaged_over_seeds(clip: TestPeople) -> None:
    compared = made_up(clip)
    everybody = np.ones(5, np.bool_)
    first = pairs(compared)[0]
    assert (first.first, first.second) == (("debiased", "debiased"), ("ipr", "ipr"))
    found = difference(compared, first, 0, everybody)
    assert (found.value, found.low, found.high) == pytest.approx((0.11, 0.11, 0.11))
    assert spread(compared, first, 0) == pytest.approx((0.10, 0.12))
    assert not any("few" in pair.title for pair in pairs(made_up(clip, few=False)))


@pytest.mark.thorough
def test_tables_tell_what_was_measured(clip: TestPeople) -> None:
    compared = made_up(clip)
    text = text_table(compared)
    assert "the clip: debiased over IPR, each trained and read so: +.110 (.110–.110)" in text
    rows = list(csv.DictReader(table_csv(compared).splitlines()))
    groups = len(clip.groups())
    assert len(rows) == groups * len(READERS) * (1 + 2 * len(compared.kinds))
    mine = [row for row in rows if (row["group"], row["head"], row["seed"]) == ("all", "debiased", "7")]
    expected = compared.read["debiased", 7][0].oks.mean()
    assert [float(row["mean_oks"]) for row in mine] == pytest.approx([expected] * 3, abs=1e-5)
    page = report_html(compared)
    assert "against one through IPR, on the clip better (+.110 OKS, .110–.110)" in page
    assert "trained through Debiased IPR and shape" in page
    assert report_html(replace(compared, kinds=compared_kinds(10.0, 0.0, False))).count("<svg") < page.count("<svg")


def test_groups_hold_everybody_once(clip: TestPeople) -> None:
    groups = clip.groups()
    names = list(groups)
    assert groups["all"].all()
    for one, other in ((1, 2), (3, 4)):
        assert (groups[names[one]] ^ groups[names[other]]).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seeds", "1,1"], "--seeds takes different whole numbers"),
        (["--seeds", "a"], "--seeds takes different whole numbers"),
        (["--few", "1"], "--few must be at least 0 and less than 1"),
        (["--annotations", "x.json"], "--annotations and --images belong together"),
        (["--rendered", "1"], "--rendered must be at least 2"),
    ],
)
def test_mistakes_are_told_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert run_command_line(["compare-heads", "--output", str(tmp_path / "out"), *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore")  # of anny and what it imports
def test_the_whole_comparison_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("anny")
    real = clip_people(tmp_path / "real", 3)
    output = tmp_path / "out"
    arguments = ["compare-heads", "--output", str(output), "--model", "lite", "--rendered", "3", "--test-rendered", "2"]
    arguments += ["--annotations", str(real), "--images", str(real.parent), "--seeds", "0,1", "--epochs", "1"]
    arguments += ["--views", "1", "--few", "0.5", "--validation", "0.3", "--cache", str(tmp_path / "cache")]
    assert run_command_line([*arguments, "--device", "cpu"]) == 0
    out, _ = capsys.readouterr()
    assert "real people (real): 3 people, mean OKS" in out
    assert len(list((output / "heads").glob("*.safetensors"))) == 2 * 8
    table = (output / "scores.csv").read_bytes()
    # What is there already is not trained again, and gives the same.
    made = {path: path.stat().st_mtime_ns for path in (output / "heads").iterdir()}
    assert run_command_line([*arguments, "--device", "cpu", "--overwrite"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (output / "heads").iterdir()} == made
    assert (output / "scores.csv").read_bytes() == table

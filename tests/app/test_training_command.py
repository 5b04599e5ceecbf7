"""`posescope train`: what it writes, that the same gives the same, and one sentence for each mistake."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from app.cli import run_command_line
from models.head_file import read_head
from models.skeletons import BLAZEPOSE_33, COCO_17
from tests.app.training_builders import clip_people


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COCO file of six pictures, which lie beside it."""
    return clip_people(tmp_path_factory.mktemp("people"), 6)


@pytest.mark.thorough
def test_the_command_makes_a_head_that_can_be_read(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = people
    output = tmp_path / "mine.safetensors"
    arguments = ["train", "--annotations", str(path), "--images", str(path.parent), "--head", "debiased"]
    arguments += ["--model", "lite", "--views", "1", "--epochs", "2", "--batch", "8", "--device", "cpu"]
    arguments += ["--cache", str(tmp_path / "cache"), "--output", str(output)]
    assert run_command_line(arguments) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(output.with_suffix(end)) for end in (".safetensors", ".curves.csv", ".curves.png")]
    assert "epoch 0: as shipped" in err
    head = read_head(output)
    assert head.about.decoder == "debiased"
    assert [BLAZEPOSE_33.joints[joint] for joint in head.about.joints] == list(COCO_17.joints)
    assert head.about.recipe["annotations"] == "people.json"
    assert str(tmp_path) not in json.dumps(dict(head.about.recipe))
    rows = list(csv.DictReader(output.with_suffix(".curves.csv").read_text("utf-8").splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert not list(tmp_path.glob("*.checkpoint"))
    assert run_command_line(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    assert run_command_line([*arguments, "--overwrite"]) == 0
    assert read_head(output).sha256 == head.sha256
    capsys.readouterr()
    report = tmp_path / "report.json"
    run = ["run", "synthetic:person,frames=4", "--model", "lite", "--head", str(output), "--decoder", "debiased"]
    assert run_command_line([*run, "--report", str(report)]) == 0
    assert "debiased with the head mine: jitter" in capsys.readouterr().out
    heads = json.loads(report.read_text("utf-8"))["heads"]
    assert (heads["debiased"], heads["ipr"]) == ("mine", "shipped")


@pytest.mark.thorough
def test_all_layers_of_a_checkpoint_are_trained(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from models.top_down.checkpoint import open_checkpoint
    from models.top_down.simple_baseline import SimpleBaseline

    torch.manual_seed(3)
    start = tmp_path / "start.pth"
    before = SimpleBaseline((3, 4, 6, 3), 17).state_dict()
    torch.save(before, start)
    path = people
    output = tmp_path / "mine.pth"
    arguments = ["train", "--annotations", str(path), "--images", str(path.parent), "--head", "argmax"]
    arguments += ["--model", str(start), "--views", "0", "--epochs", "2", "--batch", "3", "--device", "cpu"]
    arguments += ["--cache", str(tmp_path / "cache"), "--output", str(output)]
    assert run_command_line(arguments) == 0
    assert capsys.readouterr().out.splitlines()[0] == str(output)
    after = open_checkpoint(output).network.state_dict()
    unchanged = [name for name, values in after.items() if torch.equal(values, before[name])]
    assert [name for name in unchanged if not name.endswith("num_batches_tracked")] == []
    rows = list(csv.DictReader(output.with_suffix(".curves.csv").read_text("utf-8").splitlines()))
    assert float(rows[2]["loss"]) < float(rows[1]["loss"])
    assert run_command_line([*arguments[:-1], str(tmp_path / "mine.safetensors")]) == 2
    assert "--output of a network must end in .pth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"--head": "irp"}, "Did you mean “ipr”"),
        ({"--annotations": None}, "--annotations and --images belong together"),
        (
            {"--annotations": None, "--images": None},
            "Nothing to train on: give --annotations with --images, or --rendered N",
        ),
        ({"--output": "x.pth"}, "--output of a head must end in .safetensors"),
        ({"--head": "argmax", "--shape-weight": "1"}, "--shape-weight is for ipr and debiased"),
        ({"--epochs": "0"}, "--epochs must be at least 1, not 0."),
        ({"--beta": "0"}, "beta must be from"),
        ({"--validation": "1"}, "--validation must lie between 0 and 1"),
        ({"--model": "ful"}, "Did you mean “full”"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    wishes: dict[str, str | None],
    sentence: str,
) -> None:
    path = people
    options: dict[str, str | None] = {
        "--annotations": str(path),
        "--images": str(path.parent),
        "--head": "ipr",
        "--output": str(tmp_path / "x.safetensors"),
        "--cache": str(tmp_path / "cache"),
        **wishes,
    }
    arguments = [word for name, value in options.items() if value is not None for word in (name, value)]
    assert run_command_line(["train", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()

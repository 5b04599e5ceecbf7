"""`posescope evaluate` from the command line to its files: the shipped clip with its known joints as a data set."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO  # type: ignore[import-untyped]
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]

from app.cli import run_command_line
from app.evaluation.command import FILES
from app.evaluation.results import COLUMNS
from tests.app.evaluation_builders import clip_set, coco_annotation, write_set

FRAMES = (0, 110, 185, 250)
DECODERS = ("argmax", "ipr:beta=10", "debiased:beta=10", "regression", "debiased:beta=10:normalize=off:floor=0")


def _run(*arguments: object) -> int:
    return run_command_line(["evaluate", *map(str, arguments), "--model", "lite", "--device", "cpu"])


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return clip_set(tmp_path_factory.mktemp("clip") / "set", FRAMES)


@pytest.fixture(scope="module")
def evaluated(data_set: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the files, and what was printed."""
    folder = tmp_path_factory.mktemp("evaluated") / "new"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        decoders = "argmax,ipr,debiased,regression,debiased-plain"
        assert _run(*data_set, "--decoders", decoders, "--output", folder) == 0
    return folder, printed.getvalue()


def _results(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return results


def _rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _coco_scores(annotations: Path, predictions: Sequence[dict[str, Any]]) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        run = COCOeval(truth, truth.loadRes(list(predictions)), "keypoints")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def test_every_file_is_written_and_the_table_printed(evaluated: tuple[Path, str]) -> None:
    folder, printed = evaluated
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    lines = printed.splitlines()
    assert lines[0].split() == ["AP", "mean", "OKS", "PCK@10", "median", "error"]
    for title in ("Argmax", "IPR, β 10", "Debiased IPR, β 10", "Regression", "Debiased IPR, paper’s form, β 10"):
        assert any(line.startswith(title + "  ") for line in lines)
    assert "4 people in 4 pictures, COCO-17, lite" in printed
    assert [str(folder / name) in printed for name in FILES] == [True] * 4
    assert (folder / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_people_are_read_where_they_are(evaluated: tuple[Path, str]) -> None:
    scores = dict(zip(DECODERS, _results(evaluated[0])["overall"]["scores"], strict=True))
    for decoder in ("argmax", "debiased:beta=10", "regression"):
        assert scores[decoder]["mean_oks"]["value"] > 0.8, decoder
        assert scores[decoder]["pck10"]["value"] > 0.9, decoder
    ipr = scores["ipr:beta=10"]
    assert ipr["mean_oks"]["value"] < 0.6
    # The pull to the middle, as a share of the person.
    assert ipr["median_error"]["value"] > 4 * scores["debiased:beta=10"]["median_error"]["value"]
    assert {score["variant"] for score in scores.values()} == set(DECODERS)
    assert [(score["people"], score["joints"]) for score in scores.values()] == [(4, 68)] * 5


def test_pycocotools_loads_the_predictions_and_says_the_same(
    data_set: tuple[Path, Path], evaluated: tuple[Path, str]
) -> None:
    predictions = json.loads((evaluated[0] / "predictions.json").read_text("utf-8"))
    assert len(predictions) == 4 * len(DECODERS)
    scores = {one["variant"]: one for one in _results(evaluated[0])["overall"]["scores"]}
    rows = _rows(evaluated[0])
    confidences = set()
    for decoder in DECODERS:
        chosen = [one for one in predictions if one["variant"] == decoder]
        confidences.add(tuple(one["score"] for one in chosen))
        run = _coco_scores(data_set[0], chosen)
        found = scores[decoder]
        assert [found["ap"]["value"], found["ap50"], found["ap75"], found["ar"]] == pytest.approx(
            [run.stats[i] for i in (0, 1, 2, 5)], abs=1e-6
        )
        oks = [float(row["oks"]) for row in rows if row["variant"] == decoder]
        assert oks == pytest.approx([run.ious[i, 1][0, 0] for i in range(1, 5)], abs=1e-4)
        assert found["mean_oks"]["value"] == pytest.approx(np.mean(oks), abs=1e-5)
    # The same for all variants, so that precision compares points.
    assert len(confidences) == 1
    assert all(0 < score <= 1 for score in confidences.pop())


def test_the_table_has_a_row_for_each_person_and_variant(
    data_set: tuple[Path, Path], evaluated: tuple[Path, str]
) -> None:
    rows = _rows(evaluated[0])
    truth = json.loads(data_set[0].read_text("utf-8"))["annotations"]
    predictions = json.loads((evaluated[0] / "predictions.json").read_text("utf-8"))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["annotation_id"], row["variant"]) for row in rows] == [
        (str(one["id"]), decoder) for one in truth for decoder in DECODERS
    ]
    predicted = {(one["annotation_id"], one["variant"]): one for one in predictions}
    people = {one["id"]: one for one in truth}
    for row in rows:
        person = people[int(row["annotation_id"])]
        read = predicted[person["id"], row["variant"]]
        places = [np.array(one["keypoints"]).reshape(17, 3)[:, :2] for one in (person, read)]
        errors = np.linalg.norm(places[0] - places[1], axis=1) / max(person["bbox"][2:])
        assert float(row["median_error"]) == pytest.approx(np.median(errors), abs=1e-5)
        assert float(row["pck5"]) == pytest.approx(np.mean(errors < 0.05), abs=1e-6)
        assert float(row["pck10"]) == pytest.approx(np.mean(errors < 0.10), abs=1e-6)
    assert any(row["pck5"] != row["pck10"] for row in rows)
    row, person = rows[5], truth[1]
    assert (row["image"], row["labelled_keypoints"], row["missed"], row["cut"]) == ("frame 110.png", "17", "0", "0")
    assert float(row["height_px"]) == pytest.approx(person["bbox"][3], abs=1e-3)
    occluded = np.mean(np.array(person["keypoints"])[2::3] == 1)
    assert float(row["occluded_share"]) == pytest.approx(occluded, abs=1e-6)


def test_the_same_people_get_worse_as_they_shrink(evaluated: tuple[Path, str]) -> None:
    results = _results(evaluated[0])
    shrunk = results["shrunk"]
    assert [group["name"] for group in shrunk] == ["as they are", "192 px", "128 px", "96 px", "64 px", "32 px"]
    assert [group["people"] for group in shrunk] == [4] * 6
    place = DECODERS.index("debiased:beta=10")
    errors = [group["scores"][place]["median_error"]["value"] for group in shrunk]
    assert errors[0] == results["overall"]["scores"][place]["median_error"]["value"]
    # In px of the picture as it is: nearly the same at 192 px, and still on the person at 32.
    assert errors[1] < 1.6 * errors[0]
    assert 1.2 * errors[0] < errors[5] < 0.1


def test_results_tell_what_was_asked_for_and_found(evaluated: tuple[Path, str]) -> None:
    results = _results(evaluated[0])
    assert results["options"]["model"] == "lite"
    assert (results["network"], results["boxes"], results["flip_test"]) == ("lite", "truth", False)
    assert (results["annotations"], results["images"]) == ("people.json", "images")
    assert (results["people"], results["pictures"], results["missed"], results["skipped"]) == (4, 4, 0, [])
    assert results["people_per_second"] > 1
    assert results["cores_busy"] > 0
    first = results["differences"][0]
    assert (first["first"], first["second"], first["group"]) == ("debiased:beta=10", "argmax", ["all people", ""])
    gains = [
        float(row["oks"]) - float(other["oks"])
        for row, other in zip(_rows(evaluated[0])[2::5], _rows(evaluated[0])[0::5], strict=True)
    ]
    assert first["mean_oks"]["value"] == pytest.approx(np.mean(gains), abs=1e-5)
    assert len(results["joints"]) == 17 * len(DECODERS)
    drawn = results["disagreements"]
    assert [len(one["oks"]) for one in drawn] == [5] * 4
    assert [one["spread"] for one in drawn] == sorted((one["spread"] for one in drawn), reverse=True)
    assert all("picture" not in one for one in drawn)
    assert str(Path.cwd()) not in json.dumps(results)


@pytest.mark.thorough
def test_the_flip_test_takes_the_sideways_bias_away(data_set: tuple[Path, Path], tmp_path: Path) -> None:
    """Whatever shifts all joints of a crop to one side, the mirrored crop shifts to the other."""
    shifts = []
    truth = json.loads(data_set[0].read_text("utf-8"))["annotations"]
    for i, options in enumerate(([], ["--flip-test"])):
        folder = tmp_path / str(i)
        # The two frames seen from the front.
        assert _run(*data_set, "--decoders", "debiased", "--limit", 2, "--output", folder, *options) == 0
        predictions = json.loads((folder / "predictions.json").read_text("utf-8"))
        apart = [
            (np.array(read["keypoints"])[0::3] - np.array(person["keypoints"])[0::3]) / max(person["bbox"][2:])
            for read, person in zip(predictions, truth, strict=False)
        ]
        shifts.append(float(np.mean(apart)))
        assert np.abs(np.median(apart)) < 0.02
    # A map that is put back a cell off moves this by .0049 · 1.25, half of it in the mean.
    assert abs(shifts[1]) < 0.0015


@pytest.mark.thorough
def test_only_who_is_high_enough_is_shrunk_and_compared_with_himself(
    data_set: tuple[Path, Path], tmp_path: Path
) -> None:
    file = json.loads(data_set[0].read_text("utf-8"))
    x, y, width, _ = file["annotations"][0]["bbox"]
    file["annotations"][0]["bbox"] = [x, y, width, 191.9]
    shorter = tmp_path / "shorter.json"
    shorter.write_text(json.dumps(file), "utf-8")
    assert _run(shorter, data_set[1], "--decoders", "argmax", "--limit", 2, "--output", tmp_path / "out") == 0
    results = _results(tmp_path / "out")
    assert results["people"] == 2
    assert [group["people"] for group in results["shrunk"]] == [1] * 6
    of_the_other = float(_rows(tmp_path / "out")[1]["oks"])
    assert results["shrunk"][0]["scores"][0]["mean_oks"]["value"] == pytest.approx(of_the_other, abs=1e-6)


@pytest.mark.thorough
def test_with_the_detector_the_person_is_found(
    data_set: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*data_set, "--decoders", "argmax,debiased", "--boxes", "detector", "--output", tmp_path) == 0
    results = _results(tmp_path)
    predictions = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    missed = [row["missed"] for row in _rows(tmp_path)]
    assert results["missed"] == missed.count("1") / 2 <= 1
    assert results["shrunk"] == []
    assert results["overall"]["scores"][1]["mean_oks"]["value"] > 0.65
    chosen = [one for one in predictions if one["variant"] == "debiased:beta=10"]
    run = _coco_scores(data_set[0], chosen)
    assert results["overall"]["scores"][1]["ap"]["value"] == pytest.approx(run.stats[0], abs=1e-6)
    assert f"{results['missed']} not found by the detector" in capsys.readouterr().out


@pytest.mark.thorough
def test_where_nobody_is_found_everybody_is_missed(
    data_set: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No network is so sure.
    monkeypatch.setattr("app.evaluation.reading.PRESENCE_THRESHOLD", 1.1)
    assert _run(*data_set, "--decoders", "argmax,debiased", "--boxes", "detector", "--output", tmp_path) == 0
    results = _results(tmp_path)
    assert (results["people"], results["missed"], results["disagreements"]) == (4, 4, [])
    scores = results["overall"]["scores"][0]
    assert (scores["mean_oks"]["value"], scores["pck10"]["value"], scores["ap"]["value"]) == (0, 0, 0)
    assert scores["median_error"]["value"] is None
    assert json.loads((tmp_path / "predictions.json").read_text("utf-8")) == []
    assert {row["median_error"] for row in _rows(tmp_path)} == {""}


@pytest.mark.thorough
def test_what_is_broken_is_named_and_the_rest_evaluated(
    data_set: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = json.loads(data_set[0].read_text("utf-8"))
    file["images"][0]["file_name"] = "gone.png"
    file["images"][2]["file_name"] = "../escape.png"
    file["annotations"][1]["bbox"] = [1, 2]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(file), "utf-8")
    assert _run(broken, data_set[1], "--decoders", "argmax", "--output", tmp_path / "out") == 0
    results = _results(tmp_path / "out")
    assert {one["what"]: one["why"] for one in results["skipped"]} == {
        "../escape.png": "Its file_name leads out of the folder of images.",
        "annotation 102 of image 2": "Its bbox is missing or is not four numbers.",
        "gone.png": "The file is missing.",
    }
    assert (results["people"], results["differences"]) == (1, [])
    # One person in one picture: nothing to resample, and JSON has no NaN.
    assert "3 left out, for example" in capsys.readouterr().out


MISTAKES: list[tuple[Sequence[str], str]] = [
    (["--decoders", "argmx"], "Unknown decoder “argmx”. Did you mean “argmax”?"),
    (["--beta", "ten"], "--beta takes numbers with commas between them, for example 1,10, not “ten”."),
    (["--beta", "0"], "beta must be from 0.01 to 10000, not 0."),
    (["--boxes", "true"], "Unknown kind of boxes “true”. Did you mean “truth”?"),
    (["--limit", "0"], "--limit must be at least 1, not 0."),
    (["--min-keypoints", "0"], "--min-keypoints must be at least 1, not 0."),
    (["--min-area", "nan"], "--min-area must be at least 0, not nan."),
    (["--engine", "onnx"], "Unknown engine “onnx”."),
    (["--model", "huge"], "No such model file: huge."),
    (["--mapping", "nowhere.json"], "The mapping nowhere.json cannot be read: "),
]


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_mistakes_are_answered_with_one_sentence(
    arguments: Sequence[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, folder = write_set(tmp_path, [coco_annotation()])
    words = ["evaluate", str(path), str(folder), "--output", str(tmp_path / "out"), *arguments]
    assert run_command_line(words) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"posescope: {sentence}")
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_files_that_exist_are_kept_and_pictures_that_are_all_broken_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, folder = write_set(tmp_path, [coco_annotation()], pictures=())
    out = tmp_path / "out"
    assert _run(path, folder, "--output", out) == 2
    assert "None of the pictures can be used. The last reason: 1.png: The file is missing." in capsys.readouterr().err
    out.mkdir()
    (out / "results.csv").write_text("mine")
    assert _run(path, folder, "--output", out) == 2
    assert "results.csv exists already" in capsys.readouterr().err
    assert (out / "results.csv").read_text() == "mine"
    assert [path.name for path in out.iterdir()] == ["results.csv"]

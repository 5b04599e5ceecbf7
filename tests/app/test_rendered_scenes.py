"""The generator with its body and its renderer: against the shipped clip, masks, and the commands that use it."""

from __future__ import annotations

import csv
import json
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from app.bundled import ASSETS, SAMPLE_CLIP
from app.cli import run_command_line
from app.rendered_people.__main__ import main as generate
from app.rendered_people.casting import outfit_cell
from app.rendered_people.kept import rendered_scenes
from app.rendered_people.parts import Cell, Draws, body_cell, color_cell, scene_seed
from app.rendered_people.random_scenes import random_scene
from app.rendered_people.wishes import Wishes
from tests.app.test_rendered_parts import cells_of_paints

pytest.importorskip("anny", reason="needs the extra rendered-people")
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.filterwarnings("ignore"),  # of anny and what it imports
]


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _scenes(folder: Path, count: int, *options: str) -> tuple[Path, Any]:
    generate(["scenes", "--output", str(folder), "--count", str(count), "--size", "480x360", *options])
    path = folder / "person_keypoints.json"
    return path, _read(path)


def _soft_grey(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Without colours, of which H.264 keeps less, and without noise."""
    blurred = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 3)
    return np.asarray(blurred, np.float64)


def test_the_shipped_clip_is_made_again(tmp_path: Path) -> None:
    generate(["clip", "--output", str(tmp_path), "--frames", "100-101"])
    made, shipped = (_read(folder / "rendered_person_truth.json") for folder in (tmp_path, ASSETS))
    for name in ("names", "segments", "camera", "convention", "phenotype", "width", "height", "fps"):
        assert made[name] == shipped[name], name
    for mine, theirs in zip(made["frames"], shipped["frames"][100:102], strict=True):
        assert mine["vis"] == theirs["vis"]
        assert np.array(mine["kp"]) == pytest.approx(np.array(theirs["kp"]), abs=1e-3)
        assert np.array(mine["bone"]) == pytest.approx(np.array(theirs["bone"]), abs=1e-3)
    with av.open(str(SAMPLE_CLIP)) as container:
        shown = next(islice(container.decode(video=0), 100, None)).to_ndarray(format="bgr24")
    picture = cv2.imread(str(tmp_path / "frame_100.png"))
    difference = np.abs(_soft_grey(picture) - _soft_grey(shown))
    # Measured: .7 and 7 grey levels. Somebody who stood a few pixels aside would show by 30 and more at the edges.
    assert difference.mean() < 2
    assert difference.max() < 15


def test_joints_that_are_seen_lie_on_their_person_and_the_seed_decides(tmp_path: Path) -> None:
    _, file = _scenes(tmp_path / "a", 3, "--seed", "4", "--people", "2", "--occluders")
    _, again = _scenes(tmp_path / "b", 1, "--seed", "4", "--people", "2", "--occluders")
    first = [one for one in file["annotations"] if one["image_id"] == 1]
    assert again["annotations"] == first
    assert (tmp_path / "a" / "scene_0000.png").read_bytes() == (tmp_path / "b" / "scene_0000.png").read_bytes()
    assert {one["image_id"] for one in file["annotations"]} == {1, 2, 3}
    for one in file["annotations"]:
        mask = coco_mask.decode(one["segmentation"])
        assert int(mask.sum()) == one["area"]
        left, top, width, height = one["bbox"]
        rows, columns = np.nonzero(mask)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (left, top, left + width, top + height)
        for x, y, seen in np.array(one["keypoints"]).reshape(-1, 3):
            if seen == 2:
                assert mask[round(y), round(x)] == 1


def test_a_kept_set_is_the_set_that_the_command_makes_wherever_it_was_stopped(tmp_path: Path) -> None:
    wishes = Wishes(size=(160, 120), people=(1, 2), occluders=True, part="test")
    arguments = ["--size", "160x120", "--people", "1-2", "--occluders", "--part", "test"]
    generate(["scenes", "--output", str(tmp_path / "made"), "--count", "3", "--seed", "4", *arguments])

    def stop(done: int, count: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendered_scenes(tmp_path / "kept", 3, 4, wishes, stop)
    path = rendered_scenes(tmp_path / "kept", 3, 4, wishes)
    made, kept = (
        {one.name: one.read_bytes() for one in folder.iterdir()} for folder in (tmp_path / "made", path.parent)
    )
    assert made == kept


def test_scenes_to_train_with_share_nothing_with_those_to_test_on() -> None:
    bodies: list[set[Cell]] = []
    clothes: list[set[Cell]] = []
    colors: list[set[Cell]] = []
    for part in ("train", "test"):
        wishes = Wishes(size=(160, 120), people=(2, 2), occluders=True, part=part)
        scenes = [random_scene(Draws(scene_seed(3, number, 0, part), part), wishes) for number in range(6)]
        people = [person.character for scene in scenes for person in scene.people]
        bodies.append({body_cell(person.phenotype) for person in people})
        clothes.append({outfit_cell(person.dressed.outfit) for person in people})
        shirts = {color_cell(person.looks.shirt) for person in people}
        colors.append({cell for scene in scenes for cell in cells_of_paints(scene.things)} | shirts)
    for first, second in (bodies, clothes, colors):
        assert len(first) > 3
        assert not first & second


def test_rendered_people_can_be_evaluated(tmp_path: Path) -> None:
    path, file = _scenes(tmp_path / "scenes", 6, "--seed", "11")
    arguments = ["--model", "lite", "--decoders", "argmax,ipr,debiased", "--output", str(tmp_path / "out")]
    assert run_command_line(["evaluate", str(path), str(path.parent), *arguments]) == 0
    results = _read(tmp_path / "out" / "results.json")
    assert (results["people"], results["skipped"]) == (len(file["annotations"]), [])
    argmax, ipr, debiased = (scores["mean_oks"]["value"] for scores in results["overall"]["scores"])
    # Whatever is read at all: mirrored or shifted joints would read next to nothing.
    assert min(argmax, debiased) > 0.4
    assert ipr < debiased - 0.1


def test_a_still_sequence_can_be_replayed(tmp_path: Path) -> None:
    _scenes(tmp_path / "scenes", 1, "--seed", "11", "--still-frames", "45")
    folder = tmp_path / "scenes" / "scene_0000"
    arguments = ["--truth", str(folder / "truth.json"), "--model", "lite", "--filters", "none"]
    assert run_command_line(["replay", str(folder), *arguments, "--output", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8") as file:
        values = {
            (row["variant"], row["segment"], row["measure"]): float(row["value"])
            for row in csv.DictReader(file)
            if row["joint"] == "all"
        }
    # Somebody who stands still, seen by a noisy sensor: debiased IPR trembles by less than argmax jumps.
    assert 0 < values["debiased:beta=10", "still", "jitter_px"] < values["argmax", "still", "jitter_px"]
    assert values["debiased:beta=10", "all", "error_median_px"] < values["ipr:beta=10", "all", "error_median_px"] / 2

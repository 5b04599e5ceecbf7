"""Heads learn sixteen rendered people by heart: as far as their decoder lets them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.bundled import model_file
from app.rendered_people.kept import rendered_scenes
from app.rendered_people.wishes import Wishes
from app.training.features import TrunkMaker, ViewPlan, feature_store
from app.training.loop import Schedule, Training
from app.training.losses import Objective
from app.training.people import annotated_people
from models.blazepose import LandmarkNetwork
from models.bundle import open_bundle
from models.heads import shipped_head

pytest.importorskip("anny", reason="needs the extra rendered-people")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of anny and what it imports
]
CPU = torch.device("cpu")


@pytest.mark.parametrize(("decoder", "rate"), [("debiased", 8e-3), ("ipr", 1e-2)])
def test_sixteen_rendered_people_are_read_within_a_twentieth_of_a_cell(
    decoder: str, rate: float, tmp_path: Path
) -> None:
    scenes = rendered_scenes(tmp_path / "scenes", 16, 5, Wishes(part="train"))
    people = annotated_people(scenes, scenes.parent)
    landmarks = open_bundle(*model_file("full")).landmarks
    store = feature_store(
        tmp_path / "cache",
        TrunkMaker(landmarks),
        people,
        ViewPlan(disturbed=0, seed=0),
        CPU,
        lambda sentence: None,
        lambda done, count: None,
    )
    rows = store.rows_of(range(16))
    assert len(rows) == 16
    run = Training(
        module=shipped_head(LandmarkNetwork(landmarks), people.joints),
        store=store,
        objective=Objective(decoder),
        schedule=Schedule(epochs=4500, batch=16, rate=rate),
        train_rows=rows,
        validation_rows=rows[:1],
        device=CPU,
    )

    def let_the_shape_go(done: int, every: int, loss: float) -> None:
        # Coordinates alone leave the maps of a few joints flat, where they do not move any more.
        run.objective = Objective(decoder, shape_weight=max(0.0, 1 - 2 * done / every))

    run.objective = Objective(decoder, shape_weight=1.0)
    run.run(step=let_the_shape_go)
    run.validation_rows = rows
    mean, median = run.validate()
    print(f"{decoder}: mean {mean:.4f}, median {median:.6f} cells")
    assert mean < 0.05
    assert median < 0.01

"""A network that regresses nothing, in the window: five decoders to choose from, and the sixth says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox

from app.bundled import SAMPLE_CLIP
from app.decoder_display import DISPLAY_NAMES
from app.gui.side_panel import TAB_NAMES
from app.session import NetworkChoice, Session
from app.sources.video_file import VideoFileSource
from models.estimator import PoseEstimator
from models.readings import HEATMAP_DECODERS
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, StubEstimator, named
from tests.app.gui.test_main_menu import drop, dropped
from tests.models.ideal_maps import IdealEngine

pytestmark = pytest.mark.thorough

NO_REGRESSION = "This network gives heatmaps alone: it regresses no points."


class _Session(Session):
    """The shipped clip, read by a perfect network in the place of a checkpoint; a bundle is read by the stub."""

    def __init__(self, checkpoint: Path) -> None:
        source = VideoFileSource(SAMPLE_CLIP, loop=True, realtime=True)
        super().__init__(source, NetworkChoice(str(checkpoint), "cpu"), decoder="regression")

    def _load_estimator(self, network: NetworkChoice) -> PoseEstimator:
        self._network = network
        if network.model.endswith(".pth"):
            return PoseEstimator(IdealEngine())
        return StubEstimator()  # type: ignore[return-value]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "hrnet_w32.pth"
    path.write_bytes(b"")
    return path


@pytest.fixture
def top_down(checkpoint: Path, open_window: OpenWindow) -> Desk:
    desk = open_window(_Session(checkpoint))
    desk.wait(lambda: desk.wait_for_picture().people)
    desk.wait(lambda: desk.window.meters.table._names == HEATMAP_DECODERS)
    return desk


def test_the_window_shows_the_five_decoders_that_there_are(top_down: Desk) -> None:
    # The regression was asked for; what is shown, and marked, is the first that there is.
    assert top_down.view.result.decoder == top_down.session.choice.name == "argmax"
    items = top_down.decoder_list
    states = {items.itemData(row): bool(items.model().item(row).isEnabled()) for row in range(items.count())}
    assert states == {"argmax-quarter": True, "dark": True, "regression": False}
    assert items.itemData(items.findData("regression"), Qt.ItemDataRole.ToolTipRole) == NO_REGRESSION
    assert not named(top_down.window, QCheckBox, "Ghost of Regression").isEnabled()
    top_down.press("6")
    top_down.wait(lambda: top_down.message == NO_REGRESSION)
    top_down.press("3")
    top_down.wait(lambda: top_down.view.result.decoder == "debiased")


def test_every_tab_and_view_copes(top_down: Desk) -> None:
    window = top_down.window
    for tab in TAB_NAMES:
        window.panel.show_named_tab(tab)
        shown = len(top_down.painted)
        top_down.wait(lambda shown=shown: len(top_down.painted) > shown + 2)
    window.panel.looks.set_ghosts(frozenset(DISPLAY_NAMES))
    window.panel.looks.set_split("regression")
    window.panel.looks.set_heatmap("all")
    for joint in ("left_wrist", "left_heel", "left_thumb"):
        window.inspection.choose_joint(BLAZEPOSE_33.index[joint])
        shown = len(top_down.painted)
        top_down.wait(lambda shown=shown: len(top_down.painted) > shown + 2)
    person = top_down.view.result.people[0]
    assert np.isnan(person.points["debiased"][BLAZEPOSE_33.index["left_heel"]]).all()


def test_with_a_bundle_the_regression_is_back(top_down: Desk) -> None:
    top_down.window.network.use(model="lite")
    top_down.wait(lambda: top_down.window.meters.table._names == tuple(DISPLAY_NAMES))
    items = top_down.decoder_list
    assert items.model().item(items.findData("regression")).isEnabled()
    # What was asked for in the beginning.
    top_down.wait(lambda: top_down.view.result.decoder == "regression")


def test_a_checkpoint_can_be_dropped(top_down: Desk, checkpoint: Path) -> None:
    other = checkpoint.with_name("pose_resnet_50.pth.tar")
    other.write_bytes(b"")
    assert drop(top_down, dropped(other))
    assert top_down.session.wanted_network.model == str(other)

"""The Latency tab against the times that the stub's stages and the paints really had, and its chart."""

from __future__ import annotations

import itertools
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QListView, QTableWidget
from pytestqt.qtbot import QtBot

from app import __version__
from app.frames import PoseResult, StageTimes
from app.gui.stage_bar import stage_colors
from app.gui.strip_chart import StackedChart
from app.meters.board import STAGES, MeterBoard
from models.estimator import Estimate, EstimateTimes
from tests.app import builders
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubEstimator, StubSession, labels, named, pixels, rgb

LEFT_BUTTON = Qt.MouseButton.LeftButton
MS = 1_000_000
COLUMNS = ("ms", "now", "p50", "p95", "p99", "max")
PARTS = {"shared": "shared by all", "argmax": "Argmax", "ipr": "IPR", "peak": "bias reference"}


class TimedEstimator(StubEstimator):
    """Says that it took another time for each frame."""

    def __init__(self, takes_s: float = 0.0) -> None:
        super().__init__()
        self._takes_s = takes_s
        self._frames = itertools.count()

    def estimate(
        self, image: NDArray[np.uint8], beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        time.sleep(self._takes_s)
        n = next(self._frames) * 7 % 31
        parts = {part: (i + 1) * 100_000 + n * 10_000 for i, part in enumerate(PARTS)}
        times = EstimateTimes(preprocess=2 * MS, network=(30 + n) * MS, decode=sum(parts.values()), decoders=parts)
        return Estimate(super().estimate(image, beta).people, times)


@pytest.fixture
def desk(open_window: OpenWindow) -> Desk:
    desk = open_window(StubSession(SplitSource(), TimedEstimator()))
    desk.wait_for_picture()
    return desk


def ledger(desk: Desk) -> dict[str, list[str]]:
    """Title of each row -> its numbers."""
    table = named(desk.window, QTableWidget, "Latency by stage")
    assert tuple(table.horizontalHeaderItem(i).text() for i in range(len(COLUMNS))) == COLUMNS
    rows = [[table.item(row, column).text() for column in range(len(COLUMNS))] for row in range(table.rowCount())]
    return {row[0]: row[1:] for row in rows}


def hold(desk: Desk) -> None:
    """Hold the picture until the numbers have come to rest too."""
    desk.press(Qt.Key.Key_Space)
    desk.wait_until_still(0.2)
    numbers: list[bool] = []
    desk.window.meters.snapshot_read.connect(lambda _, due: numbers.append(due))
    desk.wait(lambda: sum(numbers) >= 1)


def texts(values: list[float]) -> list[str]:
    """Now, p50, p95, p99 and max with three digits."""
    spread = [values[-1], *np.percentile(values, (50, 95, 99)), max(values)]
    return [f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}" for value in spread]


# --- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_every_row_is_what_the_frames_took(desk: Desk) -> None:
    desk.open_tab("Latency")
    desk.results_from_now(25)
    hold(desk)
    rows = ledger(desk)
    results = [result for result in desk.session.results if result.stages is not None]
    stages = [result.stages for result in results][3:]  # the first three hold one-off costs
    for title in ("preprocess", "network", "decode", "detect"):
        assert rows[title] == texts([getattr(stage, title) / MS for stage in stages])
    assert rows["capture wait"] == texts([stage.capture_wait / MS for stage in stages])
    painted = [paint for paint in desk.painted if paint.result.stages is not None][3:]
    assert rows["capture → paint"] == texts([(p.ended_ns - p.result.frame.captured_ns) / MS for p in painted])
    assert rows["overlay"] == texts([paint.overlay_ns / MS for paint in painted])
    assert rows["paint"] == texts([paint.paint_ns / MS for paint in painted])
    passed = [
        (after.frame.time_ns - before.frame.time_ns) / (after.frame.index - before.frame.index) / MS
        for before, after in itertools.pairwise(results)
    ]
    assert rows["frame interval"] == texts(passed)
    for part, title in PARTS.items():
        assert rows[title] == texts([result.stages.decoders[part] / MS for result in results])
    whole = ["capture → paint", *STAGES, "frame interval", "Decoding, one by one"]
    assert list(rows)[: len(whole)] == whole
    assert len(rows) == len(whole) + len(PARTS)


def test_nothing_dropped_is_said_too(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(fps=2.0)))  # so slow that a busy machine drops nothing either
    desk.wait_for_picture()
    desk.open_tab("Latency")
    assert "No frame dropped" in labels(desk.window.panel.latency)


@pytest.mark.thorough
def test_frames_that_a_slow_network_lost_are_counted(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(), TimedEstimator(0.1)))
    desk.open_tab("Latency")
    desk.wait(lambda: desk.session.pipeline.dropped > 5)
    hold(desk)
    (text,) = [text for text in labels(desk.window.panel.latency) if text.startswith("Frames dropped: ")]
    counts = text.removeprefix("Frames dropped: ").split(",\n")
    assert f"{desk.session.pipeline.dropped} before the network" in counts


def test_the_window_is_chosen_in_a_list_and_named_beside_the_median(desk: Desk) -> None:
    window = named(desk.window, QComboBox, "Length of the latency window")
    assert (window.currentText(), desk.session.board.latency_window_s) == ("last 10 s", 10.0)
    desk.qtbot.keyClick(window, Qt.Key.Key_Up)
    assert (window.currentText(), desk.session.board.latency_window_s) == ("last 5 s", 5.0)
    desk.wait(lambda: any(text.startswith("median of 5 s") for text in labels(desk.window.meters)))
    desk.qtbot.keyClick(window, Qt.Key.Key_End)
    assert (window.currentText(), desk.session.board.latency_window_s) == ("last 60 s", 60.0)
    assert desk.session.board.jitter_window_s == 2.0


@pytest.mark.thorough
def test_numbers_in_tabs_out_of_sight_are_left_alone(desk: Desk) -> None:
    numbers: list[bool] = []
    desk.window.meters.snapshot_read.connect(lambda _, due: numbers.append(due))
    joints = named(desk.window, QListView, "Joints by jitter or bias").model()

    def joint_texts() -> list[str]:
        return [joints.index(row, 0).data().split(",", 1)[1] for row in range(joints.rowCount())]

    def known(shown: list[str]) -> bool:
        return any(digit in text for digit in "0123456789" for text in shown)

    desk.wait(lambda: desk.session.board.read().jitter.joints and sum(numbers) >= 3)
    assert not known(joint_texts())
    assert not known(ledger(desk)["network"])
    desk.open_tab("Latency")
    desk.wait(lambda: known(ledger(desk)["network"]))
    assert not known(joint_texts())
    desk.open_tab("Joints")
    desk.wait(lambda: known(joint_texts()))
    before, kept = sum(numbers), ledger(desk)
    desk.wait(lambda: sum(numbers) >= before + 3)
    assert ledger(desk) == kept


def test_the_numbers_can_still_be_looked_up_when_the_source_has_ended(desk: Desk) -> None:
    desk.results_from_now(8)
    desk.session.source.lost.set()
    desk.wait(lambda: desk.view.badge == "Source lost")
    desk.open_tab("Latency")
    desk.qtbot.wait(300)
    assert "–" not in ledger(desk)["network"]


# --- the file -----------------------------------------------------------------------------------------------------


def test_the_saved_ledger_is_what_the_board_says(desk: Desk) -> None:
    desk.open_tab("Latency")
    desk.results_from_now(12)
    hold(desk)
    desk.qtbot.mouseClick(desk.button("Save JSON"), LEFT_BUTTON)
    (path,) = desk.files()
    assert path.suffix == ".json"
    assert desk.message == f"Saved {path}"
    saved = json.loads(path.read_text(encoding="utf-8"))
    snapshot = desk.session.board.read()
    assert set(saved["stages_ms"]) == set(snapshot.latency) >= {*STAGES, "painted", "estimated"}
    for stage, spread in snapshot.latency.items():
        assert saved["stages_ms"][stage] == {
            name: getattr(spread, name) for name in ("now", "p50", "p95", "p99", "max", "count")
        }
    assert {part: numbers["now"] for part, numbers in saved["decode_parts_ms"].items()} == {
        part: spread.now for part, spread in snapshot.decoders.items()
    }
    assert set(saved["decode_parts_ms"]) == set(PARTS)
    assert saved["frame_interval_ms"]["p50"] == snapshot.frame_interval.p50
    assert saved["processing_fps"] == pytest.approx(snapshot.fps, abs=1e-6)
    assert saved["dropped_since_start"] == {
        "before_the_network": desk.session.pipeline.dropped,
        "before_the_paint": desk.session.latest.replaced + desk.session.not_painted,
        "in_the_recording": 0,
    }
    told = {name: saved[name] for name in ("posescope", "source", "model", "device", "decoder", "beta", "window_s")}
    assert told == {
        "posescope": __version__,
        "source": "split",
        "model": "lite",
        "device": "stub",
        "decoder": "debiased",
        "beta": 10.0,
        "window_s": 10.0,
    }


def test_a_saved_ledger_never_replaces_another(desk: Desk) -> None:
    desk.open_tab("Latency")
    for count in (1, 2, 3):
        desk.qtbot.mouseClick(desk.button("Save JSON"), LEFT_BUTTON)
        assert len(desk.files("*.json")) == count
    assert desk.message_kind == "info"


def test_a_folder_that_cannot_be_written_is_one_sentence(open_window: OpenWindow, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = open_window(recordings=tmp_path / "file" / "ledgers")
    desk.open_tab("Latency")
    desk.qtbot.mouseClick(desk.button("Save JSON"), LEFT_BUTTON)
    assert desk.message.startswith(f"Cannot write {tmp_path}")
    assert desk.message.endswith(".")
    assert desk.message_kind == "error"
    assert desk.results_from_now()


# --- the chart ----------------------------------------------------------------------------------------------------


def reference(chart: StackedChart) -> pg.InfiniteLine:
    (line,) = [item for item in chart.getPlotItem().items if isinstance(item, pg.InfiniteLine)]
    return line


def test_the_chart_stacks_the_stages_and_shows_the_frame_interval(desk: Desk) -> None:
    chart = desk.window.panel.latency.findChild(StackedChart)
    desk.open_tab("Latency")
    desk.press(Qt.Key.Key_Space)
    desk.wait_until_still(0.2)
    board = MeterBoard()
    for index in range(6):
        captured_ns = 10**12 + index * 40 * MS
        frame = replace(builders.frame(index, index * 40 * MS), captured_ns=captured_ns)
        stages = StageTimes(1 * MS, 2 * MS, 0, 30 * MS, 7 * MS, captured_ns + 40 * MS)
        result = PoseResult(frame, (), "debiased", 10.0, stages)
        board.add(result)
        board.add_paint(result, 3 * MS, 4 * MS, captured_ns + 55 * MS)
    desk.window.meters.stop()
    desk.window.panel.latency.add(board.read())
    tops = [line.getOriginalDataset()[1][-1] for line in chart.getPlotItem().listDataItems()]
    assert tops == pytest.approx([1, 3, 3, 33, 40, 48, 51, 55])  # up to capture → paint
    assert reference(chart).isVisible()
    assert reference(chart).value() == pytest.approx(40)
    assert reference(chart).pen.style() == Qt.PenStyle.DashLine
    desk.window.panel.latency.add(MeterBoard().read())
    assert not reference(chart).isVisible()
    assert all(math.isnan(line.getOriginalDataset()[1][-1]) for line in chart.getPlotItem().listDataItems())


def test_each_stage_has_its_colour_and_its_share_of_the_height(qtbot: QtBot) -> None:
    chart = StackedChart("ms", stage_colors)
    qtbot.addWidget(chart)
    chart.resize(330, 300)
    chart.show()
    values = dict(zip(STAGES, (10.0, 20.0, 0.0, 30.0, 10.0, 5.0, 20.0, 10.0), strict=True))
    for second in range(21):
        chart.add(float(second), values)
    chart.redraw()
    qtbot.wait(20)
    column = pixels(chart.grab())[:, 180].astype(int)
    # The grid shines through a little.
    heights = {stage: int((np.abs(column - rgb(color)).max(-1) < 24).sum()) for stage, color in stage_colors().items()}
    one_ms = sum(heights.values()) / 105
    assert heights == pytest.approx({stage: value * one_ms for stage, value in values.items()}, abs=4)
    firsts = [np.argmax(np.abs(column - rgb(stage_colors()[stage])).max(-1) < 24) for stage in STAGES if values[stage]]
    assert firsts == sorted(firsts, reverse=True)  # the first at the bottom
    assert chart.getPlotItem().viewRange()[1][1] >= 100


def test_a_frame_interval_above_all_stages_is_inside_the_chart(qtbot: QtBot) -> None:
    chart = StackedChart("ms", stage_colors)
    qtbot.addWidget(chart)
    chart.resize(330, 200)
    chart.show()
    chart.show_reference(333.0)
    chart.add(0.0, {})
    chart.add(0.1, {"network": 3.0})
    chart.redraw()
    chart.grab()
    low, high = chart.getPlotItem().viewRange()[1]
    assert low <= 0 < 333 < high < 1000


def test_one_slow_frame_does_not_press_the_others_flat(qtbot: QtBot) -> None:
    chart = StackedChart("ms", stage_colors)
    qtbot.addWidget(chart)
    chart.show()
    for tick in range(100):
        chart.add(tick / 10, {"network": 3000.0 if tick == 50 else 30.0, "decode": 5.0})
    chart.redraw()
    assert 35 < chart.getPlotItem().viewRange()[1][1] < 70

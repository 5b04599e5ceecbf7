from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QListView, QToolButton, QToolTip
from pytestqt.qtbot import QtBot

from app.gui import theme
from app.gui.joints.panel import JointPanel
from app.gui.joints.scale import JointValues, count_text, joint_order, number_text, scale_color, scale_ticks
from app.meters.rolling import JointDistances
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.desk import LONG_MS, PaintCounter, labels, named, pixels, rgb

JOINTS = BLAZEPOSE_33.joints
NOSE, WRIST, KNEE, HEEL = (BLAZEPOSE_33.index[name] for name in ("nose", "left_wrist", "right_knee", "left_heel"))
BODY_PX = 500.0


def distances(base: float = 0.2, body_px: float = BODY_PX, **values: float) -> JointDistances:
    """Of IPR and DARK: `base` px for each joint of IPR apart from the values given by name, twice of it for DARK."""
    ipr = np.full(len(JOINTS), base)
    for name, value in values.items():
        ipr[BLAZEPOSE_33.index[name]] = value
    per_joint = {"ipr": ipr, "dark": 2 * ipr}
    overall = {name: float(np.sqrt(np.nanmean(joints**2))) for name, joints in per_joint.items()}
    share = {name: value / body_px for name, value in overall.items()}
    return JointDistances(per_joint, overall, share, int(np.isfinite(ipr).sum()))


NOTHING = JointDistances({}, {"ipr": math.nan}, {"ipr": math.nan}, 0)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panel(qtbot: QtBot, clock: Clock) -> Iterator[JointPanel]:
    panel = JointPanel(clock)
    qtbot.addWidget(panel)
    panel.resize(340, 800)
    panel.show()
    QApplication.processEvents()
    yield panel
    panel.hide()


@pytest.fixture
def chosen(panel: JointPanel) -> list[int]:
    chosen: list[int] = []
    panel.joint_chosen.connect(chosen.append)
    return chosen


def rows(panel: JointPanel) -> list[str]:
    model = panel.list.view.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def figure(panel: JointPanel) -> NDArray[np.int64]:
    return pixels(panel.figure.grab()).astype(np.int64)


def at(picture: NDArray[np.int64], place: QPointF) -> tuple[int, ...]:
    return tuple(picture[int(place.y()), int(place.x())])


# --- values -------------------------------------------------------------------------------------------------------


def test_joints_are_ordered_by_value_with_the_left_out_ones_last() -> None:
    order = joint_order(np.array([0.5, math.nan, 3.0, 0.5, 0.0, math.nan, 7.0]))
    assert order == (6, 2, 0, 3, 4, 1, 5)


@pytest.mark.parametrize(
    ("px", "percent_per_px", "text"),
    [
        *((0.4321, None, "0.43"), (9.999, None, "10.0"), (43.21, None, "43.2"), (99.96, None, "100")),
        *((0.5, 0.2, "0.100"), (4.999, 0.2, "1.00"), (60.0, 0.2, "12.0")),
        *((math.nan, None, "–"), (1.0, math.nan, "–")),
    ],
)
def test_numbers_have_three_digits(px: float, percent_per_px: float | None, text: str) -> None:
    assert number_text(px, percent_per_px) == text


def test_the_body_size_comes_from_the_meter_that_knows_it() -> None:
    bias = distances(base=2.0, body_px=400.0)
    assert JointValues.of(distances(), bias, "dark").percent_per_px == pytest.approx(100 / BODY_PX)
    assert JointValues.of(NOTHING, bias, "ipr").percent_per_px == pytest.approx(100 / 400)
    still = distances(base=0.0)  # 0 px of any body are 0 %
    assert JointValues.of(still, bias, "ipr").percent_per_px == pytest.approx(100 / 400)
    assert math.isnan(JointValues.of(NOTHING, NOTHING, "ipr").percent_per_px)
    assert math.isnan(JointValues.of(distances(), bias, "another").percent_per_px)


def test_ticks_stand_at_their_logarithm() -> None:
    assert [text for _, text in scale_ticks()] == ["0.05", "0.1", "1", "10", "50"]
    decade = 1 / 3  # the scale spans three decades
    shares = [share for share, _ in scale_ticks()]
    assert shares == pytest.approx([0, math.log10(2) * decade, math.log10(20) * decade, math.log10(200) * decade, 1])
    # At 0.2 % of the body for each px the scale goes from 0.01 % to 10 %.
    assert [text for _, text in scale_ticks(0.2 * 1.0001)] == ["0.1", "1", "10"]
    assert [share for share, _ in scale_ticks(0.2 * 1.0001)] == pytest.approx([decade, 2 * decade, 1], abs=1e-4)
    assert scale_ticks(math.nan) == ()


def test_the_scale_grows_lighter_from_end_to_end() -> None:
    """Its order is then seen with any colour vision."""
    colors = np.array([scale_color(share).getRgb()[:3] for share in np.linspace(0, 1, 33)]) / 255
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luminance) > 0).all()


# --- list ---------------------------------------------------------------------------------------------------------


def test_the_list_holds_every_joint_with_its_numbers(panel: JointPanel) -> None:
    jitter = distances(left_wrist=4.3, right_knee=12.0, nose=math.nan)
    bias = distances(base=1.5, left_wrist=0.6, nose=math.nan)
    panel.show_distances(jitter, bias, "ipr")
    shown = rows(panel)
    assert len(shown) == 33
    assert shown[0] == "right knee, jitter 12.0 px, bias 1.50 px"
    assert shown[1] == "left wrist, jitter 4.30 px, bias 0.60 px"
    assert shown[-1] == "nose, jitter – px, bias – px"
    assert "32 of 33 joints · 1 left out (score under 0.3)" in labels(panel)
    assert "IPR" in labels(panel)
    panel.show_distances(jitter, bias, "dark")
    assert rows(panel)[0] == "right knee, jitter 24.0 px, bias 3.00 px"
    assert count_text(np.zeros(33)) == "33 of 33 joints"


def test_numbers_in_percent_of_the_body(panel: JointPanel) -> None:
    panel.show_distances(distances(left_wrist=5.0), distances(base=100.0), "ipr")
    assert panel.as_body_share is False
    panel.as_body_share = True
    assert panel.as_body_share
    assert rows(panel)[0] == "left wrist, jitter 1.00 %, bias 20.0 %"
    panel.as_body_share = False
    assert rows(panel)[0] == "left wrist, jitter 5.00 px, bias 100 px"


def test_the_switch_sorts_and_colours_by_bias(panel: JointPanel, qtbot: QtBot) -> None:
    panel.show_distances(distances(left_wrist=9.0), distances(right_knee=30.0), "ipr")
    assert rows(panel)[0].startswith("left wrist")
    before = figure(panel)
    qtbot.mouseClick(named(panel, QToolButton, "Joints by bias"), Qt.MouseButton.LeftButton)
    assert rows(panel)[0].startswith("right knee")
    for joint in (WRIST, KNEE):
        assert at(before, panel.figure.place(joint)) != at(figure(panel), panel.figure.place(joint))
    qtbot.mouseClick(named(panel, QToolButton, "Joints by jitter"), Qt.MouseButton.LeftButton)
    assert rows(panel)[0].startswith("left wrist")


def test_rows_change_places_at_most_once_a_second(panel: JointPanel, clock: Clock) -> None:
    bias = distances()
    panel.show_distances(distances(left_wrist=4.0), bias, "ipr")
    clock.now += 0.5
    panel.show_distances(distances(left_wrist=3.0, nose=8.0), bias, "ipr")
    assert rows(panel)[0].startswith("left wrist, jitter 3.00 px")
    assert "nose, jitter 8.00 px, bias 0.20 px" in rows(panel)[1:]
    clock.now += 0.49
    panel.show_distances(distances(left_wrist=3.0, nose=8.0), bias, "ipr")
    assert rows(panel)[0].startswith("left wrist")
    clock.now += 0.02
    panel.show_distances(distances(left_wrist=3.0, nose=8.0), bias, "ipr")
    assert rows(panel)[0].startswith("nose, jitter 8.00 px")
    panel.show_distances(distances(left_heel=9.0), bias, "dark")  # another decoder is sorted at once
    assert rows(panel)[0].startswith("left heel")


def test_the_chosen_row_goes_with_its_joint(panel: JointPanel, clock: Clock, chosen: list[int]) -> None:
    bias = distances()
    panel.show_distances(distances(left_wrist=4.0, right_knee=2.0), bias, "ipr")
    panel.choose_joint(KNEE)
    assert panel.list.view.currentIndex().row() == 1
    clock.now += 2
    panel.show_distances(distances(left_wrist=4.0, right_knee=0.01), bias, "ipr")
    assert panel.list.view.currentIndex().row() == 32
    assert [index.data().split(",")[0] for index in panel.list.view.selectedIndexes()] == ["right knee"]
    assert chosen == []


def test_a_click_on_a_row_chooses_its_joint(panel: JointPanel, qtbot: QtBot, chosen: list[int]) -> None:
    panel.show_distances(distances(left_wrist=4.0, right_knee=2.0), distances(), "ipr")
    view = panel.list.view
    for row in (1, 0, 0):
        place = view.visualRect(view.model().index(row, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen == [KNEE, WRIST, WRIST]
    assert view.currentIndex().row() == 0


def test_keys_choose_joints(panel: JointPanel, qtbot: QtBot, chosen: list[int]) -> None:
    panel.show_distances(distances(left_wrist=4.0, right_knee=2.0, left_heel=1.0), distances(), "ipr")
    panel.choose_joint(WRIST)
    view = named(panel, QListView, "Joints by jitter or bias")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Shift):
        qtbot.keyClick(view, key)
    assert chosen == [KNEE, HEEL, KNEE, KNEE]


# --- figure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("height", [430, 600, 800])
def test_every_joint_can_be_pointed_at(panel: JointPanel, qtbot: QtBot, chosen: list[int], height: int) -> None:
    panel.resize(340, height)
    QApplication.processEvents()
    places = [panel.figure.place(joint) for joint in range(33)]
    for place in places:
        assert panel.figure.rect().toRectF().adjusted(6, 4, -6, -4).contains(place)
        qtbot.mouseClick(panel.figure, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert chosen == list(range(33))
    apart = [math.dist(a.toTuple(), b.toTuple()) for i, a in enumerate(places) for b in places[:i]]
    assert min(apart) > 6
    qtbot.mouseClick(panel.figure, Qt.MouseButton.LeftButton, pos=QPoint(20, 5))
    assert len(chosen) == 33


def test_left_is_at_the_right_as_in_a_picture_of_a_person(panel: JointPanel) -> None:
    middle = panel.figure.place(NOSE).x()
    for joint, other in enumerate(BLAZEPOSE_33.mirrored):
        a, b = panel.figure.place(joint), panel.figure.place(other)
        assert a.x() + b.x() == pytest.approx(2 * middle)
        assert a.y() == b.y()
        assert (a.x() > middle) == JOINTS[joint].startswith("left_")
    order = [panel.figure.place(BLAZEPOSE_33.index[f"left_{part}"]).y() for part in ("eye", "shoulder", "hip", "ankle")]
    assert order == sorted(order)


@pytest.mark.parametrize("px", [0.05, 0.3, 2.0, 49.0])
def test_a_disc_has_the_colour_of_its_place_on_the_scale(panel: JointPanel, px: float) -> None:
    panel.show_distances(distances(left_wrist=px), distances(), "ipr")
    picture = figure(panel)
    disc = at(picture, panel.figure.place(WRIST))
    bar = picture[:, 340 - 46 + 5]
    colored = np.nonzero((bar.max(-1) - bar.min(-1)) > 40)[0]
    top, bottom = colored.min(), colored.max() + 1
    place = bottom - math.log10(px / 0.05) / 3 * (bottom - top)
    assert bar[min(max(int(place), top + 1), bottom - 2)] == pytest.approx(disc, abs=6)


def test_ticks_are_drawn_beside_the_bar_from_small_to_large(panel: JointPanel) -> None:
    picture = figure(panel)
    bar = picture[:, 340 - 46 + 5]
    colored = np.nonzero((bar.max(-1) - bar.min(-1)) > 40)[0]
    marked = np.nonzero((picture[:, 340 - 46 + 12] - rgb(theme.PANEL)).max(-1) > 40)[0]
    top, bottom = colored.min(), colored.max() + 1
    for px in (0.05, 0.1, 1.0, 10.0, 50.0):
        place = bottom - math.log10(px / 0.05) / 3 * (bottom - top)
        assert np.abs(marked - place).min() <= 1.5, px


def test_joints_that_are_left_out_are_hollow(panel: JointPanel) -> None:
    panel.show_distances(distances(left_wrist=math.nan), distances(), "ipr")
    picture = figure(panel)
    place = panel.figure.place(WRIST)
    assert at(picture, place) == rgb(theme.PANEL)
    around = picture[int(place.y()) - 7 : int(place.y()) + 8, int(place.x()) - 7 : int(place.x()) + 8]
    assert (np.abs(around - rgb(theme.MUTED)).max(-1) < 25).sum() > 8
    assert at(picture, panel.figure.place(KNEE)) != rgb(theme.PANEL)


def test_the_chosen_joint_has_a_ring(panel: JointPanel) -> None:
    panel.show_distances(distances(), distances(), "ipr")
    before = figure(panel)
    panel.choose_joint(WRIST)
    changed = np.argwhere((figure(panel) != before).any(-1))
    place = panel.figure.place(WRIST)
    assert len(changed) > 20
    assert np.abs(changed - (place.y(), place.x())).max() < 13


def test_pointing_at_a_joint_tells_its_name_and_numbers(panel: JointPanel, qtbot: QtBot) -> None:
    panel.show_distances(distances(left_wrist=4.3, nose=math.nan), distances(base=1.5, nose=math.nan), "ipr")
    assert panel.figure.joint_text(NOSE) == "nose\nleft out: score under 0.3"
    place = panel.figure.place(WRIST).toPoint()
    QApplication.sendEvent(panel.figure, QHelpEvent(QEvent.Type.ToolTip, place, panel.figure.mapToGlobal(place)))
    assert QToolTip.text() == "left wrist\njitter 4.30 px · bias 1.50 px"
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible(), timeout=LONG_MS)


# --- out of sight -------------------------------------------------------------------------------------------------


def test_a_hidden_panel_does_no_work(panel: JointPanel) -> None:
    panel.show_distances(distances(left_wrist=4.0), distances(), "ipr")
    QApplication.processEvents()
    before = rows(panel)
    panel.hide()
    paints = [PaintCounter(panel.figure), PaintCounter(panel.list.view.viewport())]
    panel.show_distances(distances(right_knee=7.0), distances(), "dark")
    panel.as_body_share = True
    QApplication.processEvents()
    assert rows(panel) == before
    assert [counter.count for counter in paints] == [0, 0]
    panel.show()
    assert rows(panel)[0] == "right knee, jitter 2.80 %, bias 0.080 %"


def test_nothing_measured_yet(panel: JointPanel) -> None:
    assert "No joint is measured yet." in labels(panel)
    panel.show_distances(NOTHING, NOTHING, "ipr")
    panel.as_body_share = True
    assert "0 of 33 joints · 33 left out (score under 0.3)" in labels(panel)
    assert rows(panel)[0] == "nose, jitter – %, bias – %"
    panel.grab()


@pytest.mark.parametrize("height", [430, 600, 800])
def test_everything_has_its_place(panel: JointPanel, height: int) -> None:
    panel.resize(340, height)
    QApplication.processEvents()
    assert panel.minimumSizeHint().height() <= 430
    assert panel.minimumSizeHint().width() <= 340
    assert panel.figure.geometry().bottom() < panel.list.geometry().top()
    assert panel.list.geometry().bottom() < height
    assert panel.list.view.viewport().height() >= 5 * 20

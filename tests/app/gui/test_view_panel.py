"""What lies over the picture, by key and by the View tab: ghosts, arrows, heatmaps; and the smoothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QSlider, QToolButton

from app.decoder_display import DISPLAY_NAMES, bgr, decoder_color, display_title
from app.frames import Image
from app.overlay import ALL_JOINTS, OverlayStyle
from app.smoothing import OneEuroSettings
from models.estimator import Estimate
from models.people import Person
from models.skeletons import BLAZEPOSE_33
from tests.app import builders
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubEstimator, StubSession, named

LEFT_BUTTON = Qt.MouseButton.LeftButton
ALL = frozenset(DISPLAY_NAMES)
GHOSTS = ALL - {"debiased"}  # the chosen one is no ghost of itself
GREY = 64
HIP, KNEE, ANKLE = (BLAZEPOSE_33.index[joint] for joint in ("right_hip", "right_knee", "right_ankle"))
WRIST = BLAZEPOSE_33.index["left_wrist"]  # what the loupe looks at in the beginning
ARROWS = {"Off": 0, "× 1": 1, "× 4": 4, "× 16": 16}
HEATMAPS = {"Off": None, "One joint": WRIST, "All joints": ALL_JOINTS}


class GreySource(SplitSource):
    """A grey picture, so that colours can be told."""

    def __init__(self) -> None:
        super().__init__()
        self._picture[:] = GREY


class HeatmapEstimator(StubEstimator):
    """Each decoder 12 px right of the one before; a blob at each joint's peak where heatmaps are asked for."""

    def estimate(
        self, image: NDArray[np.uint8], beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        estimate = super().estimate(image, beta)
        points = estimate.people[0].points["argmax"] + np.float32([100, 0])
        person = builders.person(points, step=12.0)
        return replace(estimate, people=(replace(person, heatmaps=blobs(person)) if keep_heatmaps else person,))


def blobs(person: Person, size: int = 64) -> NDArray[np.float32]:
    region = person.region
    cells = (person.peaks - (region.center_x, region.center_y)) / region.side * size + size / 2
    rows, columns = np.mgrid[:size, :size]
    squares = (columns - cells[:, 0, None, None]) ** 2 + (rows - cells[:, 1, None, None]) ** 2
    return np.exp(-squares / (2 * 1.5**2)).astype(np.float32)


@pytest.fixture
def desk(open_window: OpenWindow) -> Desk:
    desk = open_window(StubSession(GreySource(), HeatmapEstimator()))
    desk.wait_for_picture()
    return desk


@pytest.fixture
def hold(desk: Desk) -> Callable[[], Person]:
    """Holds the picture and gives the person in it."""

    def hold_it() -> Person:
        desk.press(Qt.Key.Key_Space)
        return desk.wait_until_still(0.2).people[0]

    return hold_it


def click(desk: Desk, accessible_name: str) -> None:
    desk.qtbot.mouseClick(named(desk.window, QToolButton, accessible_name), LEFT_BUTTON)


def box(desk: Desk, accessible_name: str) -> QCheckBox:
    return named(desk.window, QCheckBox, accessible_name)


def tick(desk: Desk, accessible_name: str) -> None:
    """Click the box itself: beside its text there is nothing to click."""
    target = box(desk, accessible_name)
    desk.qtbot.mouseClick(target, LEFT_BUTTON, pos=QPoint(10, target.height() // 2))


def ghosts_ticked(desk: Desk) -> set[str]:
    return {name for name in DISPLAY_NAMES if box(desk, f"Ghost of {display_title(name)}").isChecked()}


def pressed_in(desk: Desk, heading: str) -> list[str]:
    """Texts of the buttons of that row that are down."""
    names = [f"{heading} {text}" for text in (ARROWS if heading == "Arrows" else HEATMAPS)]
    buttons = [named(desk.window, QToolButton, name) for name in names]
    return [button.text() for button in buttons if button.isChecked()]


def shin(person: Person, decoder: str) -> NDArray[np.float64]:
    """The middle of the right shin, where no other limb is."""
    return person.points[decoder][[KNEE, ANKLE]].astype(np.float64).mean(0)


def has_color(image: Image, place: NDArray[np.float64], color: str) -> bool:
    """Whether a pixel at the place is at least 40 % of that colour, the rest being the grey of the source."""
    x, y = np.rint(place).astype(int)
    change = image[y - 1 : y + 2, x - 1 : x + 2].astype(float) - GREY
    wanted = np.array(bgr(color), float) - GREY
    share = change @ wanted / (wanted @ wanted)
    other = np.abs(change - share[..., None] * wanted).max(-1)
    return bool(((share > 0.4) & (other < 12)).any())


def ghosts_seen(image: Image, person: Person) -> set[str]:
    """Whose colour is on the shin that this decoder reads."""
    return {name for name in GHOSTS if has_color(image, shin(person, name), decoder_color(name))}


# --- ghosts -------------------------------------------------------------------------------------------------------


def test_g_draws_the_other_decoders_into_a_held_picture_at_once_and_takes_them_away(
    desk: Desk, hold: Callable[[], Person]
) -> None:
    person = hold()
    before, painted = desk.view.image.copy(), len(desk.painted)
    assert ghosts_seen(before, person) == set()
    desk.press("G")
    assert ghosts_ticked(desk) == ALL
    assert ghosts_seen(desk.view.image, person) == GHOSTS
    assert desk.view.result.people[0] is person
    desk.view.grab()
    desk.press("G")
    assert ghosts_ticked(desk) == set()
    np.testing.assert_array_equal(desk.view.image, before)
    desk.view.grab()
    assert len(desk.painted) == painted


def test_ghosts_are_in_the_next_picture_while_it_runs(desk: Desk) -> None:
    desk.press("G")
    shown = desk.shown_from_now()
    assert ghosts_seen(desk.view.image, shown.people[0]) == GHOSTS


def test_a_box_draws_one_ghost_and_g_brings_back_the_last_set(desk: Desk, hold: Callable[[], Person]) -> None:
    person = hold()
    desk.press("3")
    desk.open_tab("View")
    tick(desk, "Ghost of DARK")
    assert ghosts_seen(desk.view.image, person) == {"dark"}
    tick(desk, "Ghost of Argmax")
    assert ghosts_seen(desk.view.image, person) == {"argmax", "dark"}
    desk.press("G")
    assert ghosts_seen(desk.view.image, person) == set()
    assert ghosts_ticked(desk) == set()
    desk.press("G")
    assert ghosts_seen(desk.view.image, person) == {"argmax", "dark"}
    assert ghosts_ticked(desk) == {"argmax", "dark"}
    for name in ("Argmax", "DARK"):
        tick(desk, f"Ghost of {name}")
    assert ghosts_seen(desk.view.image, person) == set()
    desk.press("G")
    assert ghosts_ticked(desk) == {"dark"}  # the last that was not empty


# --- arrows -------------------------------------------------------------------------------------------------------


def tails_at(desk: Desk, person: Person, ghost: str, magnification: int) -> bool:
    """Whether the arrow of the hip begins at `magnification` times the ghost's distance."""
    chosen = person.points[desk.session.choice.name][HIP].astype(np.float64)
    tail = chosen + magnification * (person.points[ghost][HIP] - chosen)
    return has_color(desk.view.image, tail, decoder_color(ghost))


def test_a_magnifies_the_arrows_and_switches_the_ghosts_on(desk: Desk, hold: Callable[[], Person]) -> None:
    person = hold()
    before = desk.view.image.copy()
    assert pressed_in(desk, "Arrows") == ["Off"]
    # argmax is 48 px left of debiased IPR, IPR 12: 16 times as far is out of the picture or where 4 times 48 px are.
    for text, tail in (("× 1", ("argmax", 1)), ("× 4", ("argmax", 4)), ("× 16", ("ipr", 16))):
        desk.press("A")
        assert pressed_in(desk, "Arrows") == [text]
        assert ghosts_ticked(desk) == ALL
        tails = [("argmax", 1), ("argmax", 4), ("ipr", 16)]
        assert [t for t in tails if tails_at(desk, person, *t)] == [tail]
    desk.press("A")
    assert pressed_in(desk, "Arrows") == ["Off"]
    assert ghosts_seen(desk.view.image, person) == GHOSTS  # without arrows the skeletons are there
    desk.press("G")
    np.testing.assert_array_equal(desk.view.image, before)


def test_arrows_bring_back_the_last_ghosts_not_all(desk: Desk, hold: Callable[[], Person]) -> None:
    person = hold()
    tick(desk, "Ghost of IPR")
    desk.press("G")
    desk.open_tab("View")
    click(desk, "Arrows × 16")
    assert ghosts_ticked(desk) == {"ipr"}
    assert tails_at(desk, person, "ipr", 16)
    assert not tails_at(desk, person, "dark", 4)


def test_the_arrow_buttons_do_what_the_key_does(desk: Desk, hold: Callable[[], Person]) -> None:
    hold()
    desk.open_tab("View")
    for text in ("× 1", "× 4", "× 16", "Off"):
        desk.press("A")
        by_key = desk.view.image.copy()
        click(desk, "Arrows × 1" if text != "× 1" else "Arrows Off")
        assert (desk.view.image != by_key).any()
        click(desk, f"Arrows {text}")
        np.testing.assert_array_equal(desk.view.image, by_key)
        assert pressed_in(desk, "Arrows") == [text]


# --- heatmaps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["key", "button"])
def test_the_heatmap_lies_over_the_picture(desk: Desk, by: str) -> None:
    desk.open_tab("View")
    plain = desk.shown_from_now()
    assert plain.people[0].heatmaps is None

    def glows(joint: int) -> bool:
        """Whether the yellow of a peak is there; the skeleton, 48 px to the right, has blue and white there."""
        x, y = np.rint(shown.people[0].peaks[joint]).astype(int)
        blue, green, red = np.moveaxis(desk.view.image[y - 4 : y + 5, x - 4 : x + 5], -1, 0)
        return bool(((red > 180) & (green > 140) & (blue < 120)).any())

    for text, wrist, hip in (("One joint", True, False), ("All joints", True, True), ("Off", False, False)):
        if by == "key":
            desk.press("H")
        else:
            click(desk, f"Heatmap {text}")
        assert pressed_in(desk, "Heatmap") == [text]
        assert desk.session.pipeline.keep_heatmaps is (text != "Off")
        desk.results_from_now(2)
        shown = desk.shown_from_now()
        assert (shown.people[0].heatmaps is not None) is (text != "Off")
        assert (glows(WRIST), glows(HIP)) == (wrist, hip)


def test_heatmaps_are_kept_only_while_somebody_looks_at_them(desk: Desk) -> None:
    pipeline = desk.session.pipeline
    assert not pipeline.keep_heatmaps
    desk.open_tab("Loupe")
    assert pipeline.keep_heatmaps
    desk.open_tab("Joints")
    assert not pipeline.keep_heatmaps
    desk.open_tab("Loupe")
    desk.press("H")
    desk.open_tab("Meters")
    assert pipeline.keep_heatmaps
    desk.press("H")
    desk.press("H")
    assert not pipeline.keep_heatmaps


# --- recordings and snapshots -------------------------------------------------------------------------------------


def test_a_recording_looks_like_the_picture_but_for_the_mirror(desk: Desk) -> None:
    for key in "MGAH":
        desk.press(key)
    desk.press("R")
    style = OverlayStyle(ghosts=ALL, arrows=1, heatmap=WRIST)
    assert desk.session.recorder.style == style
    # What is changed while it records is in the recording too.
    desk.press("A")
    assert desk.session.recorder.style == replace(style, arrows=4)
    desk.press("H")
    assert desk.session.recorder.style == replace(style, arrows=4, heatmap=ALL_JOINTS)
    desk.press("G")
    assert desk.session.recorder.style == OverlayStyle(arrows=4, heatmap=ALL_JOINTS)
    desk.press("M")
    assert not desk.session.recorder.style.mirror
    desk.press("R")


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_snapshot_has_the_ghosts_and_is_not_mirrored(desk: Desk, hold: Callable[[], Person], mirrored: bool) -> None:
    if mirrored:
        desk.press("M")
    person = hold()
    desk.press("G")
    desk.press("S")
    (path,) = desk.files("*.png")
    assert ghosts_seen(cv2.imread(str(path)), person) == GHOSTS


# --- smoothing ----------------------------------------------------------------------------------------------------


def test_o_smooths_what_is_shown_and_recorded_and_says_by_how_much(desk: Desk) -> None:
    assert desk.results_from_now(1)[0].smoothed == ()
    desk.press("O")
    smoothing = box(desk, "Smoothing")
    assert smoothing.isChecked()
    assert desk.session.pipeline.smoothing == OneEuroSettings()
    raw, smooth = [], []
    for result in desk.results_from_now(12)[2:]:
        assert result.shown == result.smoothed != ()
        raw.append(result.people[0].points["debiased"][KNEE, 0])
        smooth.append(result.smoothed[0].points["debiased"][KNEE, 0])
    assert np.std(smooth) < 0.6 * np.std(raw)

    desk.press("O")
    assert not smoothing.isChecked()
    assert desk.session.pipeline.smoothing is None
    desk.results_from_now(1)
    assert desk.results_from_now(1)[0].smoothed == ()


def test_the_box_does_the_same(desk: Desk) -> None:
    desk.open_tab("View")
    for on in (True, False):
        tick(desk, "Smoothing")
        assert (desk.session.pipeline.smoothing is not None) is on


@pytest.mark.parametrize(
    ("title", "field", "low", "high"),
    [
        ("Min. cutoff", "min_cutoff", 0.1, 10.0),
        ("Speed gain", "beta", 0.1, 100.0),
        ("Speed cutoff", "derivative_cutoff", 0.1, 10.0),
    ],
)
def test_a_slider_changes_its_setting_alone(desk: Desk, title: str, field: str, low: float, high: float) -> None:
    slider = named(desk.window, QSlider, f"Smoothing: {title}")
    desk.open_tab("View")
    desk.press("O")
    for key, value in ((Qt.Key.Key_Home, low), (Qt.Key.Key_End, high)):
        desk.qtbot.keyClick(slider, key)
        assert desk.session.pipeline.smoothing == replace(OneEuroSettings(), **{field: value})
    desk.qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert low < getattr(desk.session.pipeline.smoothing, field) < high


def test_a_slider_that_is_moved_while_smoothing_is_off_counts_when_it_is_on(desk: Desk) -> None:
    desk.qtbot.keyClick(named(desk.window, QSlider, "Smoothing: Min. cutoff"), Qt.Key.Key_Home)
    assert desk.session.pipeline.smoothing is None
    desk.press("O")
    assert desk.session.pipeline.smoothing == OneEuroSettings(min_cutoff=0.1)

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.frames import Image
from app.gui import theme
from app.gui.video_view import VideoView
from tests.app import builders
from tests.app.gui.desk import labels, pixels, rgb, share_of

WIDTH, HEIGHT = 400, 300
Show = Callable[[Image], NDArray[np.uint8]]


@pytest.fixture
def view(qtbot: QtBot) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(WIDTH, HEIGHT)
    return view


@pytest.fixture
def show(view: VideoView) -> Show:
    """Shows a picture and returns what is then on the screen, (HEIGHT, WIDTH, 3) RGB."""

    def show_it(image: Image) -> NDArray[np.uint8]:
        view.show_result(builders.result(picture=image), image, 0)
        return pixels(view.grab())

    return show_it


def white(height: int, width: int) -> Image:
    return builders.image(height, width, (255, 255, 255))


@pytest.mark.parametrize(
    ("height", "width", "shown_height", "shown_width"),
    [
        (90, 160, 225, 400),  # landscape: bars above and below
        (160, 90, 300, 169),  # portrait: bars at the sides
        (75, 100, 300, 400),
        (50, 101, 198, 400),
        (1080, 1920, 225, 400),
        (4, 4, 300, 300),
    ],
)
def test_the_picture_fills_the_view_as_far_as_its_shape_allows(
    show: Show, height: int, width: int, shown_height: int, shown_width: int
) -> None:
    shown = show(white(height, width)).astype(int).sum(axis=2)
    covered = shown / 765  # its border may be blended with the bars
    assert covered[HEIGHT // 2].sum() == pytest.approx(shown_width, abs=1.5)
    assert covered[:, WIDTH // 2].sum() == pytest.approx(shown_height, abs=1.5)
    # Centred, and nothing but black around it.
    for bar, side in (
        (covered[:, WIDTH // 2], (HEIGHT - shown_height) / 2),
        (covered[HEIGHT // 2], (WIDTH - shown_width) / 2),
    ):
        edge = int(side) - 1
        if edge > 0:
            assert not bar[:edge].any()
            assert not bar[-edge:].any()
    if shown_height < HEIGHT - 4:
        assert not covered[0].any()
        assert not covered[-1].any()
    if shown_width < WIDTH - 4:
        assert not covered[:, 0].any()
        assert not covered[:, -1].any()


@pytest.mark.parametrize("width", [99, 100, 101, 102, 103])
def test_rows_are_not_sheared_whatever_the_width(show: Show, width: int) -> None:
    """A picture's rows lie 3 × width bytes apart, which is rarely what Qt expects."""
    image = builders.image(75, width, (0, 0, 0))
    image[:, width // 2] = 255
    brightness = show(image).astype(float).sum(axis=2)
    rows = brightness[brightness.sum(axis=1) > 100]
    assert len(rows) > 250
    centres = rows @ np.arange(WIDTH) / rows.sum(axis=1)
    expected = (width // 2 + 0.5) * min(WIDTH / width, HEIGHT / 75) + (WIDTH - width * min(WIDTH / width, 4)) / 2 - 0.5
    np.testing.assert_allclose(centres, expected, atol=1.0)


def test_colours_and_sides_are_those_of_the_picture(show: Show) -> None:
    image = builders.image(75, 100, (10, 20, 200))  # red in BGR
    image[:, 50:] = (200, 20, 10)
    shown = show(image)
    assert tuple(shown[150, 50]) == (200, 20, 10)
    assert tuple(shown[150, 350]) == (10, 20, 200)


def test_a_picture_that_is_part_of_a_larger_array_is_shown_as_it_is(show: Show) -> None:
    large = builders.image(75, 200, (0, 0, 0))
    large[:, :100] = 255
    assert share_of(show(large[:, :100]), (255, 255, 255)) == 1.0


def test_an_empty_view_says_why(view: VideoView, show: Show) -> None:
    empty = pixels(view.grab())
    assert share_of(empty, rgb(theme.WINDOW)) > 0.9
    assert share_of(empty[140:160], rgb(theme.WINDOW)) < 1  # a text in the middle
    asked: list[str] = []
    view.empty.open_asked.connect(lambda: asked.append("open"))
    view.empty.clip_asked.connect(lambda: asked.append("clip"))
    view.empty.show_state("No picture", "Choose another one.", can_open=True)
    assert {"No picture", "Choose another one."} <= set(labels(view))
    assert (pixels(view.grab())[140:160] != empty[140:160]).any()
    for button in view.findChildren(QPushButton):
        button.click()
    assert asked == ["open", "clip"]
    assert share_of(show(white(75, 100)), (255, 255, 255)) == 1
    assert not view.empty.isVisible()
    view.clear()
    assert view.image is None
    assert view.result is None
    np.testing.assert_array_equal(pixels(view.grab()), empty)


def test_badge_and_recording_lie_on_the_picture(view: VideoView, show: Show) -> None:
    plain = show(white(75, 100))
    view.badge = "Paused"
    badge = pixels(view.grab())
    changed = np.argwhere((badge != plain).any(axis=2))
    assert changed[:, 0].min() > HEIGHT * 0.7  # below the person
    assert abs(changed[:, 1].mean() - WIDTH / 2) < 3

    view.badge, view.recording_text = "", "00:07"
    recording = pixels(view.grab())
    changed = np.argwhere((recording != plain).any(axis=2))
    assert changed[:, 0].max() < HEIGHT * 0.3
    assert changed[:, 1].min() > WIDTH / 2  # the caption is at the left
    assert share_of(recording, rgb(theme.RECORD)) > 0

    view.recording_text = ""
    np.testing.assert_array_equal(pixels(view.grab()), plain)


def test_the_first_paint_of_each_result_is_told(view: VideoView) -> None:
    told: list[tuple] = []
    view.first_painted.connect(lambda *arguments: told.append(arguments))
    first, second = builders.result(0), builders.result(1)
    view.grab()
    assert not told
    view.show_result(first, first.frame.image, 5)
    view.show_result(first, first.frame.image, 7, again=True)  # drawn anew before it was painted
    view.grab()
    view.grab()
    view.show_result(first, first.frame.image, 9, again=True)
    view.grab()
    view.show_result(second, second.frame.image, 11)
    view.grab()
    assert [(result.frame.index, overlay_ns) for result, overlay_ns, *_ in told] == [(0, 7), (1, 11)]
    for _, _, paint_ns, painted_ns in told:
        assert 0 < paint_ns < painted_ns


def test_the_big_badge_is_larger_and_lies_over_the_legs(view: VideoView, show: Show) -> None:
    plain = show(white(75, 100))
    view.badge = "3"
    small = (pixels(view.grab()) != plain).any(axis=2)
    view.badge, view.big_badge = "", "3"
    large = (pixels(view.grab()) != plain).any(axis=2)
    assert large.sum() > 2 * small.sum()
    rows, columns = np.nonzero(large)
    assert rows.min() > 0.55 * HEIGHT
    assert rows.max() < HEIGHT - 1
    assert abs((columns.min() + columns.max() + 1) / 2 - WIDTH / 2) <= 1
    view.big_badge = "hold still 5 s"
    rows, columns = np.nonzero((pixels(view.grab()) != plain).any(axis=2))
    assert 0 < columns.min() < columns.max() < WIDTH - 1
    view.big_badge = ""
    np.testing.assert_array_equal(pixels(view.grab()), plain)


# Pictures whose place in the view is known: (height, width), scale, left, top.
PLACES = [((150, 400), 1.0, 0.0, 75.0), ((60, 50), 5.0, 75.0, 0.0), ((600, 800), 0.5, 0.0, 0.0)]


@pytest.mark.parametrize(("shape", "scale", "left", "top"), PLACES)
def test_the_marker_is_a_ring_around_its_place(
    view: VideoView, show: Show, shape: tuple[int, int], scale: float, left: float, top: float
) -> None:
    image = white(*shape)
    plain = show(image)
    x, y = shape[1] * 0.5, shape[0] * 0.4
    view.marker = (x, y)
    rows, columns = np.nonzero((pixels(view.grab()) != plain).any(axis=2))
    # (0, 0) is the centre of the top left pixel, half a pixel from the corner of the picture.
    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(left + (x + 0.5) * scale, abs=0.8)
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(top + (y + 0.5) * scale, abs=0.8)
    # As large whatever the picture's size, and with a hole.
    assert 30 <= np.ptp(columns) <= 38
    assert np.hypot(columns - columns.mean(), rows - rows.mean()).min() > 8
    assert (view.image == 255).all()
    view.marker = (np.nan, y)
    np.testing.assert_array_equal(pixels(view.grab()), plain)


@pytest.mark.parametrize(("shape", "scale", "left", "top"), PLACES)
def test_a_click_is_told_in_pixels_of_the_picture(
    view: VideoView, show: Show, qtbot: QtBot, shape: tuple[int, int], scale: float, left: float, top: float
) -> None:
    told: list[tuple[float, float, bool]] = []
    view.clicked.connect(lambda place, mirrored: told.append((place.x(), place.y(), mirrored)))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert told == []  # there is no picture yet
    show(white(*shape))
    for mirrored in (False, True):
        view.mirrored = mirrored
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(180, 100))
    x, y = (180 - left) / scale - 0.5, (100 - top) / scale - 0.5
    assert told == [(pytest.approx(x), pytest.approx(y), False), (pytest.approx(x), pytest.approx(y), True)]

    told.clear()
    qtbot.mouseClick(view, Qt.MouseButton.RightButton, pos=QPoint(180, 100))
    if left or top:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(left) // 2, round(top) // 2))
    assert told == []


def test_the_picture_is_scaled_once_however_often_it_is_painted(
    view: VideoView, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []

    def resize(image: Image, size: tuple[int, int], **options: int) -> Image:
        sizes.append(size)
        return resized(image, size, **options)

    resized = cv2.resize
    monkeypatch.setattr("app.gui.video_view.cv2.resize", resize)
    show(builders.image(90, 160))
    for badge in ("one", "two"):
        view.badge = badge
        view.grab()
    assert sizes == [(WIDTH, 225)]
    view.resize(320, HEIGHT)
    view.grab()
    assert sizes == [(WIDTH, 225), (320, 180)]
    # As large as it is shown: not scaled at all.
    show(builders.image(180, 320))
    assert len(sizes) == 2


@pytest.mark.parametrize(("height", "width"), [(600, 800), (1200, 1600), (150, 200)])
def test_a_scaled_picture_shows_what_is_in_it(show: Show, height: int, width: int) -> None:
    # A slope in each colour, which any way of scaling keeps.
    down, across = np.meshgrid(np.linspace(0, 250, height), np.linspace(0, 250, width), indexing="ij")
    picture = np.stack((across, down, 250 - across), -1).astype(np.uint8)
    shown = show(picture).astype(int)
    expected_down, expected_across = np.meshgrid(np.linspace(0, 250, HEIGHT), np.linspace(0, 250, WIDTH), indexing="ij")
    expected = np.stack((250 - expected_across, expected_down, expected_across), -1)
    assert np.abs(shown - expected).max() <= 3


def test_fine_lines_do_not_flicker_away_in_a_picture_much_larger_than_the_view(show: Show) -> None:
    # Every fourth column is white: at a quarter of the size all of the picture is grey, and no column is left out.
    picture = np.zeros((4 * HEIGHT, 4 * WIDTH, 3), np.uint8)
    picture[:, ::4] = 255
    shown = show(picture).astype(int)
    assert np.abs(shown - 64).max() <= 2

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QSlider, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.transport_bar import TransportBar, time_text
from tests.app.gui.desk import LONG_MS, named, pixels

S = 1_000_000_000
LEFT = Qt.MouseButton.LeftButton
HALF_HANDLE = 8


class BarOnDesk:
    def __init__(self, qtbot: QtBot, duration_ns: int | None = 10 * S, width: int = 720) -> None:
        self.qtbot = qtbot
        self.bar = TransportBar(pause_key="Space", back_key=",", forward_key=".")
        qtbot.addWidget(self.bar)
        self.bar.resize(width, self.bar.height())
        self.bar.show_source(duration_ns, True, True)
        self.bar.show()
        self.bar.activateWindow()
        qtbot.waitUntil(self.bar.isActiveWindow, timeout=LONG_MS)
        self.emitted: list[tuple[str, object]] = []
        self.bar.pause_toggled.connect(lambda: self.emitted.append(("pause", None)))
        for name in ("stepped", "sought", "loop_toggled", "realtime_toggled"):
            getattr(self.bar, name).connect(lambda value, name=name: self.emitted.append((name, value)))
        self.slider = named(self.bar, QSlider, "Position")

    @property
    def time(self) -> str:
        return named(self.bar, QLabel, "Time").text()

    def button(self, name: str) -> QToolButton:
        return named(self.bar, QToolButton, name)

    def click(self, name: str) -> None:
        self.qtbot.mouseClick(self.button(name), LEFT)

    def at(self, share: float) -> QPoint:
        """The point of the slider that stands for this share of the whole."""
        inside = self.slider.width() - 2 * HALF_HANDLE
        return QPoint(HALF_HANDLE + round(share * inside), self.slider.height() // 2)

    @property
    def sought(self) -> list[int]:
        return [value for name, value in self.emitted if name == "sought"]


@pytest.fixture
def on_desk(qtbot: QtBot) -> BarOnDesk:
    return BarOnDesk(qtbot)


@pytest.mark.parametrize(
    ("position_ns", "hours", "text"),
    [
        (0, False, "0:00.00"),
        (3_280_000_000, False, "0:03.28"),
        (9_999_999_999, False, "0:09.99"),  # ten seconds are not over yet
        (59_999_000_000, False, "0:59.99"),
        (60 * S, False, "1:00.00"),
        (3_599 * S, False, "59:59.00"),
        (3_600 * S, False, "1:00:00.00"),
        (3_723_280_000_000, False, "1:02:03.28"),
        (3_280_000_000, True, "0:00:03.28"),
        (-5, False, "0:00.00"),
        (None, True, "–"),
    ],
)
def test_times(position_ns: int | None, hours: bool, text: str) -> None:
    assert time_text(position_ns, hours=hours) == text


def test_what_the_owner_says_is_shown_and_emits_nothing(on_desk: BarOnDesk) -> None:
    bar = on_desk.bar
    for duration, loop, realtime, position in itertools.product(
        (10 * S, 5400 * S), (True, False), (True, False), (0, 3_280_000_000, 9 * S)
    ):
        bar.show_source(duration, loop, realtime)
        bar.show_position(position)
        bar.show_paused(loop)
        assert on_desk.slider.value() / on_desk.slider.maximum() == pytest.approx(position / duration, abs=1e-6)
        assert on_desk.button("Loop").isChecked() == loop
        assert on_desk.button("Speed 1×").isChecked() == realtime
        assert on_desk.button("Speed Max").isChecked() == (not realtime)
        assert on_desk.time.endswith(" / 0:10.00" if duration == 10 * S else " / 1:30:00.00")
    assert on_desk.time == "0:00:09.00 / 1:30:00.00"
    assert on_desk.emitted == []


def test_a_position_past_the_end_stays_on_the_slider(on_desk: BarOnDesk) -> None:
    on_desk.bar.show_position(11 * S)
    assert on_desk.slider.value() == on_desk.slider.maximum()


@pytest.mark.parametrize("duration_ns", [10 * S, 5400 * S])
def test_a_click_goes_to_its_place(qtbot: QtBot, duration_ns: int) -> None:
    on_desk = BarOnDesk(qtbot, duration_ns)
    for share in (0.25, 1.0, 0.7, 0.0):
        on_desk.emitted.clear()
        qtbot.mouseClick(on_desk.slider, LEFT, pos=on_desk.at(share))
        (position,) = on_desk.sought
        assert type(position) is int
        assert position == pytest.approx(share * duration_ns, abs=0.01 * duration_ns)
        assert on_desk.time.startswith(time_text(position, hours=duration_ns > 3600 * S))


def test_the_handle_is_the_users_while_they_drag(on_desk: BarOnDesk) -> None:
    bar, slider, qtbot = on_desk.bar, on_desk.slider, on_desk.qtbot
    qtbot.mousePress(slider, LEFT, pos=on_desk.at(0.2))
    for share in (0.3, 0.5, 0.8):
        qtbot.mouseMove(slider, on_desk.at(share))
        before = slider.value(), on_desk.time
        for position in (1 * S, on_desk.sought[-1] + S // 3):
            bar.show_position(position)
        bar.show_source(10 * S, True, True)  # the owner says that again and again
        assert (slider.value(), on_desk.time) == before
        assert slider.isSliderDown()
    assert on_desk.sought == pytest.approx([2 * S, 3 * S, 5 * S, 8 * S], abs=0.1 * S)
    qtbot.mouseRelease(slider, LEFT, pos=on_desk.at(0.8))
    assert len(on_desk.sought) == 4
    bar.show_position(on_desk.sought[-1] + S // 30)
    assert slider.value() == pytest.approx(8033, abs=100)


def test_pictures_from_before_a_jump_do_not_pull_the_handle_back(on_desk: BarOnDesk) -> None:
    bar, slider, qtbot = on_desk.bar, on_desk.slider, on_desk.qtbot
    bar.show_position(1 * S)
    qtbot.mouseClick(slider, LEFT, pos=on_desk.at(0.8))
    bar.show_position(1 * S + S // 30)
    assert slider.value() == pytest.approx(8000, abs=100)
    assert on_desk.time.startswith("0:0")
    assert not on_desk.time.startswith("0:01")
    # What the jump brought; from then on everything counts, also what lies at the old place.
    bar.show_position(8 * S)
    assert slider.value() == 8000
    bar.show_position(1 * S)
    assert slider.value() == 1000


@pytest.mark.thorough
def test_a_source_that_does_not_follow_is_told_all_the_same(on_desk: BarOnDesk) -> None:
    on_desk.bar.show_position(1 * S)
    on_desk.qtbot.mouseClick(on_desk.slider, LEFT, pos=on_desk.at(0.8))

    def told() -> bool:
        on_desk.bar.show_position(1 * S)
        return on_desk.slider.value() == 1000

    on_desk.qtbot.waitUntil(told, timeout=LONG_MS)


def test_a_coarse_source_may_land_before_the_place(on_desk: BarOnDesk) -> None:
    # One picture every two seconds: the one shown at 7.9 s lies at 6 s.
    on_desk.bar.show_position(2 * S)
    on_desk.qtbot.mouseClick(on_desk.slider, LEFT, pos=on_desk.at(0.79))
    on_desk.bar.show_position(6 * S)
    assert on_desk.slider.value() == 6000


def test_keys_wind(qtbot: QtBot) -> None:
    duration = 10 * S + 123_456  # no whole number of ms
    on_desk = BarOnDesk(qtbot, duration)
    on_desk.slider.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Home):
        qtbot.keyClick(on_desk.slider, key)
    right, page, end, left, home = on_desk.sought
    assert 0 < right < page < left < end
    assert end == duration
    assert home == 0


def test_without_a_length_there_is_nothing_to_wind(qtbot: QtBot) -> None:
    on_desk = BarOnDesk(qtbot, None)
    assert on_desk.time == "– / –"
    on_desk.bar.show_position(65 * S)
    assert on_desk.time == "1:05.00 / –"
    assert not on_desk.slider.isEnabled()
    qtbot.mouseClick(on_desk.slider, LEFT, pos=on_desk.at(0.5))
    assert on_desk.emitted == []
    on_desk.click("Step forward")
    assert on_desk.emitted == [("stepped", 1)]


def test_another_source_begins_at_its_beginning(on_desk: BarOnDesk) -> None:
    bar, slider = on_desk.bar, on_desk.slider
    bar.show_position(9 * S)
    on_desk.qtbot.mousePress(slider, LEFT, pos=on_desk.at(0.5))
    bar.show_source(None, True, True)
    assert (slider.value(), on_desk.time) == (0, "– / –")
    bar.show_source(20 * S, True, True)
    assert (slider.value(), on_desk.time) == (0, "0:00.00 / 0:20.00")
    # The button that was down belongs to the past.
    bar.show_position(4 * S)
    assert slider.value() == 4000
    on_desk.qtbot.mouseRelease(slider, LEFT, pos=on_desk.at(0.5))


def test_buttons_say_what_is_wanted(on_desk: BarOnDesk) -> None:
    for name in ("Step back", "Pause", "Step forward", "Loop", "Loop", "Speed Max", "Speed Max", "Speed 1×"):
        on_desk.click(name)
    assert on_desk.emitted == [
        ("stepped", -1),
        ("pause", None),
        ("stepped", 1),
        ("loop_toggled", False),
        ("loop_toggled", True),
        ("realtime_toggled", False),
        ("realtime_toggled", True),
    ]


def test_return_presses_the_button_in_focus(on_desk: BarOnDesk) -> None:
    for name in ("Step back", "Pause", "Loop", "Speed Max"):
        button = on_desk.button(name)
        button.setFocus()
        on_desk.qtbot.keyClick(button, Qt.Key.Key_Return)
    assert [name for name, _ in on_desk.emitted] == ["stepped", "pause", "loop_toggled", "realtime_toggled"]
    on_desk.slider.setFocus()
    on_desk.qtbot.keyClick(on_desk.slider, Qt.Key.Key_Return)
    assert len(on_desk.emitted) == 4


def test_pause_becomes_play(on_desk: BarOnDesk) -> None:
    pictures = [pixels(on_desk.button("Pause").grab())]
    assert on_desk.button("Pause").toolTip() == "Hold the picture. Key Space"
    on_desk.bar.show_paused(True)
    pictures.append(pixels(on_desk.button("Play").grab()))
    assert on_desk.button("Play").toolTip() == "Go on. Key Space"
    pictures.append(pixels(on_desk.button("Step forward").grab()))
    pictures.append(pixels(on_desk.button("Step back").grab()))
    for one, other in itertools.combinations(pictures, 2):
        assert (one != other).any()
    # Each sign is there: bright on the button's ground.
    assert all((picture > 200).all(axis=-1).sum() > 20 for picture in pictures)


def test_tab_goes_from_left_to_right(on_desk: BarOnDesk) -> None:
    names = ["Step back", "Pause", "Step forward", "Position", "Loop", "Speed 1×"]  # of a switch the chosen one
    on_desk.button("Step back").setFocus()
    seen = []
    for _ in names:
        widget = on_desk.bar.focusWidget()
        seen.append(widget.accessibleName())
        on_desk.qtbot.keyClick(widget, Qt.Key.Key_Tab)
    assert seen == names


@pytest.mark.parametrize("duration_ns", [10 * S, 5400 * S, None])
def test_nothing_is_clipped_in_a_narrow_window(qtbot: QtBot, duration_ns: int | None) -> None:
    on_desk = BarOnDesk(qtbot, duration_ns, width=560)
    on_desk.bar.show_position(5_399_990_000_000 if duration_ns == 5400 * S else 9_990_000_000)
    on_desk.bar.layout().activate()
    assert on_desk.bar.minimumSizeHint().width() <= 560
    assert on_desk.bar.width() == 560
    children = [w for w in on_desk.bar.findChildren(QWidget) if isinstance(w, QToolButton | QSlider | QLabel)]
    places = [(w.mapTo(on_desk.bar, QPoint(0, 0)).x(), w) for w in children]
    right = 0
    for left, widget in sorted(places, key=lambda place: place[0]):
        assert left >= right
        right = left + widget.width()
        if not isinstance(widget, QSlider) and widget.text():
            assert widget.width() >= widget.minimumSizeHint().width()
        assert widget.height() <= on_desk.bar.height()
    assert right <= 560


def test_the_time_does_not_tremble(on_desk: BarOnDesk) -> None:
    label = named(on_desk.bar, QLabel, "Time")
    widths = set()
    for position in range(0, 10 * S, 170_000_000):
        on_desk.bar.show_position(position)
        on_desk.bar.layout().activate()
        widths.add((label.x(), label.width(), on_desk.slider.width()))
    assert len(widths) == 1
    on_desk.bar.show_source(None, True, True)
    widths.clear()
    for position in (3_700 * S, 1 * S):
        on_desk.bar.show_position(position)
        on_desk.bar.layout().activate()
        widths.add((label.x(), label.width()))
    assert len(widths) == 1

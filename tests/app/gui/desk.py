"""A window on a table: sources and an estimator that do what the test says, and hands to work the window with."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QSlider, QTabBar, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import SourceError
from app.frames import PoseResult
from app.gui.main_window import MainWindow
from app.session import NetworkChoice, Session
from app.sources import Source, make_source
from app.sources.pacing import PacedSource, Picture
from models.estimator import Estimate, EstimateTimes, PoseEstimator
from models.readings import DECODER_NAMES
from tests.app import builders

MISSING_OFFSCREEN = "This plugin does not support"  # how Qt's platform without a screen complains
LONG_MS = 20_000  # only a hang, or a machine on its knees, reaches it
LEFT, RIGHT = (0, 0, 200), (200, 0, 0)  # the halves of SplitSource: red, blue; in BGR
# No bundle: for where the network does not matter.
NO_NETWORK = ("--model", str(Path(__file__).parents[3] / "README.md"))
LOST = "The test camera was lost: check its cable."
PERSON_X = 100.0  # the person of StubEstimator stands left of the middle

W = TypeVar("W", bound=QObject)


class SplitSource(PacedSource):
    """Live like a camera, 30 frames a second: the left half of each picture is red, the right half blue."""

    def __init__(self, width: int = 320, height: int = 240, *, fps: float = 30.0) -> None:
        super().__init__("split", realtime=True)
        self.live = True
        self.lost = threading.Event()
        self.delivered = 0
        self._frame_ns = 1e9 / fps
        self._picture = np.full((height, width, 3), RIGHT, np.uint8)
        self._picture[:, : width // 2] = LEFT

    def _pictures(self, from_ns: int, before: bool) -> Generator[Picture, None, None]:
        for tick in itertools.count():
            if self.lost.is_set():
                raise SourceError(LOST)
            self.delivered = tick
            yield Picture(round(tick * self._frame_ns), round(self._frame_ns), self._picture.copy())


class AbsentSource(SplitSource):
    """Cannot be opened."""

    def open(self) -> None:
        raise SourceError(LOST)


class StubEstimator:
    """Always the same person, who trembles; each decoder puts the joints two pixels further right."""

    decoders = DECODER_NAMES
    device_label = "stub"

    def __init__(self, *, anybody: bool = True, warning: str | None = None) -> None:
        self.warning = warning
        self._anybody = anybody
        self._ticks = itertools.count()

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass

    def estimate(
        self, image: NDArray[np.uint8], beta: float, *, time_ns: int | None = None, keep_heatmaps: bool = False
    ) -> Estimate:
        people = ()
        if self._anybody:
            points = builders.standing_points(PERSON_X + 0.5 * (next(self._ticks) % 2))
            people = (builders.person(points, step=2.0),)
        return Estimate(people, EstimateTimes(preprocess=100_000, network=200_000, decode=50_000))


class StubSession(Session):
    """A session whose network is there at once; keeps every result."""

    def __init__(self, source: Source, estimator: object | None = None, **options: object) -> None:
        self.results: list[PoseResult] = []
        self._stub = estimator or StubEstimator()
        super().__init__(source, NetworkChoice("lite", "cpu"), on_result=self.results.append, **options)

    def _load_estimator(self, network: NetworkChoice) -> PoseEstimator:
        return self._stub  # type: ignore[return-value]


def stub_session(text: str, network: NetworkChoice) -> Session:
    """What a window under test opens for the user's text."""
    return StubSession(make_source(text, loop=True, realtime=True))


class Paint(NamedTuple):
    """What VideoView.first_painted says."""

    result: PoseResult
    overlay_ns: int
    paint_ns: int
    ended_ns: int


class Desk:
    """A window, from before it is shown, and what a user does with it."""

    def __init__(self, qtbot: QtBot, window: MainWindow, recordings: Path) -> None:
        self.qtbot = qtbot
        self.window = window
        self.view = window.view
        self.recordings = recordings
        self.painted: list[Paint] = []
        self.view.first_painted.connect(lambda *arguments: self.painted.append(Paint(*arguments)))

    @property
    def session(self) -> Session:
        return self.window.session

    @property
    def message(self) -> str:
        return self.window.messages.text

    @property
    def message_kind(self) -> str:
        return str(self.window.messages.property("kind"))

    def wait(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=LONG_MS)

    def press(self, key: str | Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.window, key, modifier)

    def wait_for_picture(self) -> PoseResult:
        """The first result on screen that the network has seen."""
        self.wait(lambda: self.view.result is not None and self.view.result.stages is not None)
        assert self.view.result is not None
        return self.view.result

    def results_from_now(self, count: int = 3) -> list[PoseResult]:
        """Results of frames that were captured after this call, without a gap before them."""
        assert isinstance(self.session, StubSession)
        results, now_ns = self.session.results, time.perf_counter_ns()

        def later() -> list[PoseResult]:
            return [result for result in results if result.frame.captured_ns > now_ns]

        self.wait(lambda: len(later()) >= count)
        return later()

    def shown_from_now(self) -> PoseResult:
        """A result on screen whose frame was captured after this call."""
        now_ns = time.perf_counter_ns()
        self.wait(lambda: self.view.result is not None and self.view.result.frame.captured_ns > now_ns)
        assert self.view.result is not None
        return self.view.result

    def wait_until_still(self, still_s: float = 0.4) -> PoseResult:
        """Wait until the picture has not changed for that long."""
        since, seen = time.monotonic(), self.view.result

        def still() -> bool:
            nonlocal since, seen
            if self.view.result is not seen:
                since, seen = time.monotonic(), self.view.result
            return time.monotonic() - since > still_s

        self.wait(still)
        assert seen is not None
        return seen

    def record_for(self, seconds: float) -> None:
        """Wait until the running recording is that long."""
        self.wait(lambda: self.session.recorder is not None and self.session.recorder.elapsed_s >= seconds)

    def button(self, title: str) -> QToolButton:
        """The button whose text begins or ends with `title`."""
        found = [b for b in self.window.findChildren(QToolButton) if title in b.text()]
        assert len(found) == 1
        return found[0]

    def chosen_on_switch(self) -> list[str]:
        return [name for name in ("argmax", "ipr", "debiased") if self._switch_button(name).isChecked()]

    def _switch_button(self, decoder: str) -> QToolButton:
        names = {"argmax": "Decoder argmax", "ipr": "Decoder IPR", "debiased": "Decoder debiased IPR"}
        return named(self.window, QToolButton, names[decoder])

    @property
    def decoder_list(self) -> QComboBox:
        return named(self.window, QComboBox, "Other decoders")

    @property
    def slider(self) -> QSlider:
        return named(self.window, QSlider, "beta")

    def open_tab(self, title: str) -> None:
        """Click one of the tabs beside the picture."""
        tabs = named(self.window, QTabBar, "Panels")
        index = [tabs.tabText(i) for i in range(tabs.count())].index(title)
        self.qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(index).center())

    def files(self, pattern: str = "*") -> list[Path]:
        return sorted(self.recordings.glob(pattern)) if self.recordings.is_dir() else []


class PaintCounter(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def named(parent: QWidget, kind: type[W], accessible_name: str) -> W:
    """The one child of that kind that a screen reader calls so."""
    found = [child for child in parent.findChildren(kind) if child.accessibleName() == accessible_name]
    assert len(found) == 1, f"{len(found)} × {accessible_name}"
    return found[0]


def top_levels(kind: type[W]) -> list[W]:
    """Windows and dialogs of that kind that exist, visible or not."""
    return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind)]


def labels(parent: QWidget) -> list[str]:
    """The texts of all labels."""
    return [label.text() for label in parent.findChildren(QLabel)]


def pixels(picture: QPixmap) -> NDArray[np.uint8]:
    """A grabbed widget as (H, W, 3) RGB."""
    image = picture.toImage().convertToFormat(picture.toImage().Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def rgb(color: str) -> tuple[int, int, int]:
    """`#rrggbb` as numbers."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def share_of(picture: NDArray[np.uint8], color: tuple[int, int, int]) -> float:
    """Share of the pixels that have exactly this colour, in the picture's own order of channels."""
    return float((picture == np.array(color, np.uint8)).all(axis=-1).mean())

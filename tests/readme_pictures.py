"""Makes the README's pictures of the window again: `python -m tests.readme_pictures FOLDER` (without a screen: under
`xvfb-run --server-args='-screen 0 1280x800x24'`). They show the shipped clip, in real time, as a user sees it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from app.bundled import SAMPLE_CLIP
from app.gui.qt_environment import prepare_qt_environment

prepare_qt_environment()

from PySide6.QtGui import QImage  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.gui.main_window import MainWindow  # noqa: E402
from app.gui.saving import save_screenshot  # noqa: E402
from app.gui.theme import apply_theme  # noqa: E402
from app.session import NetworkChoice, Session  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.sources import make_source  # noqa: E402
from models.skeletons import BLAZEPOSE_33  # noqa: E402

_LONG_S = 60.0
_FRAME_S = 0.1  # of the animated picture
_ANIMATED_SIZE = (960, 540)
# Seconds in the clip at which the animated picture switches, and where it ends.
_TOGGLES = ((3.4, "argmax"), (4.8, "ipr"), (6.6, "debiased"))
_ANIMATED_UNTIL_S = 8.4


class _Stage:
    """A window on the shipped clip, and an event loop that runs until something is seen."""

    def __init__(self, application: QApplication) -> None:
        def make_session(source: str, network: NetworkChoice) -> Session:
            return Session(make_source(source, loop=True, realtime=True), network)

        clip = str(SAMPLE_CLIP)
        self._application = application
        session = make_session(clip, NetworkChoice("full", "cpu"))
        self.window = MainWindow(session, make_session, Path.cwd(), Settings(theme="dark"), clip)
        self.window.show()
        self.run_until(lambda: self.window.view.result is not None and bool(self.window.view.result.people))

    def run_until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + _LONG_S
        while not condition():
            assert time.monotonic() < give_up, "the window does not show what is waited for"
            self._application.processEvents()
            time.sleep(0.002)

    def run_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.run_until(lambda: time.monotonic() >= end)

    @property
    def position_s(self) -> float:
        """Where in the clip the picture on screen lies."""
        result = self.window.view.result
        assert result is not None
        assert result.frame.position_ns is not None
        return result.frame.position_ns / 1e9

    def run_to(self, position_s: float) -> None:
        """Until the clip is there, from its beginning if it has passed it."""
        self.run_until(lambda: self.position_s < position_s)
        self.run_until(lambda: self.position_s >= position_s)


def _animation(stage: _Stage) -> Iterator[Image.Image]:
    """The window, ten times a second, while the decoder is switched."""
    stage.window.panel.show_named_tab("meters")
    for position_s, decoder in _TOGGLES:
        stage.run_to(position_s)
        stage.window.choose_decoder(decoder)
        following = [start for start, _ in _TOGGLES if start > position_s]
        while stage.position_s < (following[0] if following else _ANIMATED_UNTIL_S) - _FRAME_S:
            stage.run_for(_FRAME_S)
            yield _picture(stage.window.grab().toImage())


def _picture(image: QImage) -> Image.Image:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return Image.fromarray(cv2.resize(pixels, _ANIMATED_SIZE, interpolation=cv2.INTER_AREA))


def make_pictures(folder: Path) -> None:
    """window.png, compare.png, toggle.webp, laboratory.png."""
    application = QApplication.instance() or QApplication(["posescope"])
    assert isinstance(application, QApplication)
    apply_theme(application, "dark")
    stage = _Stage(application)
    window = stage.window
    stage.run_to(2.9)  # whoever stands still shows what the meters are for
    stage.run_to(2.9)
    save_screenshot(window, folder / "window.png")

    looks = window.panel.looks
    looks.set_ghosts(frozenset({"argmax", "dark", "regression"}))
    looks.set_arrows(4)
    window.panel.show_named_tab("loupe")
    window.inspection.choose_joint(BLAZEPOSE_33.index["left_wrist"])
    stage.run_to(4.35)
    save_screenshot(window, folder / "compare.png")
    looks.set_arrows(0)
    looks.set_ghosts(frozenset())

    first, *others = _animation(stage)
    first.save(
        folder / "toggle.webp", save_all=True, append_images=others, duration=round(1000 * _FRAME_S), loop=0, quality=70
    )

    window.toggle_laboratory()
    laboratory = window.pages.laboratory
    assert laboratory is not None
    laboratory.set_beta(7.0)
    laboratory.heatmap.dragged.emit(14.3, 44.6)
    stage.run_for(2.0)  # the curves follow a little later
    save_screenshot(window, folder / "laboratory.png")
    window.close()


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]))

"""Opens the window for the command line's options."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from app import __version__
from app.bundled import SAMPLE_CLIP
from app.errors import OutputError, UserError
from app.gui.qt_environment import display_found, prepare_qt_environment

prepare_qt_environment()  # before anything of Qt is imported

from PySide6.QtCore import QStandardPaths, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.gui.main_window import MainWindow  # noqa: E402
from app.gui.theme import apply_theme  # noqa: E402
from app.session import NetworkChoice, Session  # noqa: E402
from app.sources import make_source  # noqa: E402

_HEARTBEAT_MS = 200


def run_window(options: argparse.Namespace) -> int:
    """Show the window until it is closed. Raises UserError for options that cannot work at all."""
    if not display_found():
        raise UserError(
            "The window needs a display, and there is none (DISPLAY and WAYLAND_DISPLAY are not set). "
            "`posescope run` works without one."
        )
    application = QApplication.instance() or QApplication(["posescope"])
    assert isinstance(application, QApplication)
    application.setApplicationName("PoseScope")
    application.setApplicationVersion(__version__)
    apply_theme(application)

    def make_session(source: str) -> Session:
        return Session(
            make_source(source, loop=True, realtime=True),
            NetworkChoice(options.model, options.device, options.engine),
            decoder=options.decoder,
            beta=options.beta,
        )

    source, explanation = _first_source(options.source)
    window = MainWindow(make_session(source), make_session, options.recordings or _default_folder())
    window.screenshot_path = options.screenshot
    # Python sees Ctrl-C only while it runs, and the window's own timers stop when the source has ended.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    heartbeat = QTimer(application, interval=_HEARTBEAT_MS)
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start()
    if explanation:
        window.messages.show_message(explanation)
    window.show()
    if options.record:
        window.toggle_recording()
    if options.quit_after is not None:
        QTimer.singleShot(round(options.quit_after * 1000), window.close)
    code = application.exec()
    heartbeat.stop()
    if window.screenshot_error:
        raise OutputError(window.screenshot_error)
    return int(code)


def _first_source(wanted: str | None) -> tuple[str, str]:
    """The source to open, and what to tell the user about it."""
    if wanted is not None:
        return wanted, ""
    from app.sources.camera import list_cameras

    cameras = list_cameras()
    if cameras:
        return f"camera:{cameras[0].index}", ""
    return str(SAMPLE_CLIP), (
        "No camera was found, so this is the shipped clip of a rendered person. "
        "Press Ctrl+O to open a video of your own."
    )


def _default_folder() -> Path:
    movies = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    return Path(movies or Path.home()) / "PoseScope"

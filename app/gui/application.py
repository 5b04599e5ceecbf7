"""Opens the window for the command line's options."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import signal

from app import __version__
from app.bundled import ICON_SIZES, SAMPLE_CLIP, icon_file
from app.desktop_entry import DESKTOP_ID
from app.errors import OutputError, SourceError, UserError
from app.gui.qt_environment import display_found, prepare_qt_environment

prepare_qt_environment()  # before anything of Qt is imported

from PySide6.QtCore import QSize, QTimer  # noqa: E402
from PySide6.QtGui import QIcon  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.gui.garbage import GarbageOnQtThread  # noqa: E402
from app.gui.language import install_language, language_for, prefer_chinese_fonts, tr  # noqa: E402
from app.gui.main_window import MainWindow  # noqa: E402
from app.gui.theme import apply_theme, styled_at_the_end  # noqa: E402
from app.session import NetworkChoice, Session, checked_people, chosen_decoder  # noqa: E402
from app.settings import Settings, load_settings, put_aside, recordings_folder, save_settings  # noqa: E402
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
    application.setDesktopFileName(DESKTOP_ID)
    application.setWindowIcon(_icon())
    aside = put_aside() if options.reset_settings else None
    stored, complaints = load_settings(set_aside=True)
    settings = _with_options(stored, options)
    apply_theme(application, settings.theme)
    install_language(application, settings.language)
    if language_for(settings.language) == "zh_CN":
        prefer_chinese_fonts(application)

    decoder = chosen_decoder(options.decoder, options.engine, options.model)

    def make_session(source: str, network: NetworkChoice) -> Session:
        return Session(
            make_source(source, loop=settings.loop, realtime=True),
            network,
            decoder=decoder,
            beta=options.beta,
            most_people=settings.people,
        )

    source, explanation = _first_source(options.source, settings.camera)
    # On the shipped clip; what would have been opened comes afterwards. Whoever gives a head came to see it.
    tour = not (settings.toured or options.source or options.head or options.record) and options.quit_after is None
    begin_with = str(SAMPLE_CLIP) if tour else source
    network = NetworkChoice(options.model, options.device, options.engine, tuple(options.head))
    folder = options.recordings or recordings_folder(settings)
    with styled_at_the_end(application):
        window = MainWindow(make_session(begin_with, network), make_session, folder, settings, begin_with)
    window.screenshot_path = options.screenshot
    # Python sees Ctrl-C only while it runs, and the window's own timers stop when the source has ended.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    heartbeat = QTimer(application, interval=_HEARTBEAT_MS)
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start()
    if explanation:
        window.messages.show_message(explanation)
    if aside is not None:
        window.messages.show_message(tr("The settings so far are kept as {path}").format(path=aside))
    if complaints:
        window.messages.show_message(" ".join(complaints), "warning")
    window.show()
    if options.virtual_camera:
        window.recording.set_virtual_camera(True)
    if options.record:
        window.recording.toggle()
    if tour:
        window.tour.start_when_seen(afterwards=source)
    if options.quit_after is not None:
        QTimer.singleShot(round(options.quit_after * 1000), window.close)
    garbage = GarbageOnQtThread(application)
    code = application.exec()
    garbage.give_back()
    heartbeat.stop()
    _remember(stored, settings, window.settings_now, stays=source if explanation else "")
    if window.screenshot_error:
        raise OutputError(window.screenshot_error)
    return int(code)


def _icon() -> QIcon:
    icon = QIcon()
    for size in ICON_SIZES:
        icon.addFile(str(icon_file(size)), QSize(size, size))
    return icon


def _with_options(settings: Settings, options: argparse.Namespace) -> Settings:
    """The settings with what the command line says in their place. It counts for this time only."""
    wish = settings.wish
    if options.export is not None:
        wish = dataclasses.replace(wish, keypoints=options.export)
    if options.clean:
        wish = dataclasses.replace(wish, clean=True)
    preroll_s = settings.preroll_s if options.preroll is None else options.preroll
    people = settings.people if options.people is None else checked_people(options.people)
    return dataclasses.replace(settings, wish=wish, preroll_s=preroll_s, people=people)


def _remember(stored: Settings, begun_with: Settings, now: Settings, *, stays: str) -> None:
    """Keep what was chosen in the window, but nothing that only the command line said.

    stays: the source that stood in for the remembered camera, which therefore stays remembered; or empty.
    """
    wish = stored.wish if now.wish == begun_with.wish else now.wish
    camera = stored.camera if stays and now.camera.startswith(stays) else now.camera
    people = stored.people if now.people == begun_with.people else now.people
    now = dataclasses.replace(now, wish=wish, preroll_s=stored.preroll_s, camera=camera, people=people)
    if now != stored:
        # A folder that cannot be written to is no reason to complain at the end.
        with contextlib.suppress(OutputError):
            save_settings(now)


def _first_source(wanted: str | None, remembered: str) -> tuple[str, str]:
    """The source to open, and what to tell the user about it."""
    if wanted is not None:
        return wanted, ""
    from app.sources.camera_list import list_cameras, parse_camera_text

    cameras = list_cameras()
    identity = ""
    with contextlib.suppress(SourceError):
        identity = parse_camera_text(remembered).identity
    if identity and any(camera.identity == identity for camera in cameras):
        return remembered, ""
    if cameras:
        first = cameras[0]
        explanation = tr("The camera of last time is not connected; this is “{name}”.").format(name=first.name)
        return f"camera:id={first.identity}", explanation if identity else ""
    return str(SAMPLE_CLIP), tr(
        "No camera was found, so this is the shipped clip of a rendered person. Press Ctrl+O to open another source."
    )

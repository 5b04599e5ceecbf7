"""Where the picture comes from: choosing, winding, loss and return, and the line that describes it."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.bundled import SAMPLE_CLIP
from app.gui.language import tr
from app.gui.message_bar import MessageBar
from app.gui.source_dialog import CameraChoice, SourceDialog
from app.gui.transport_bar import TransportBar
from app.gui.video_view import VideoView
from app.session import Session
from app.sources.base import Source

_SLOW_PACE = 0.93
# A camera's rate that differs less from what it claims is told as one number.
_SAME_RATE = 0.05
_REPEATS_WORTH_TELLING = 0.05
_PLACE_EVERY_S = 0.1


class SourceControl(QObject):
    """Steers the source of the session in use.

    open_source: called with the text that a user chose. loop: whether files start again at their end.
    """

    def __init__(
        self,
        window: QWidget,
        view: VideoView,
        messages: MessageBar,
        transport: TransportBar,
        open_source: Callable[[str], None],
        *,
        loop: bool,
    ) -> None:
        super().__init__(window)
        self._window, self._view, self._messages, self._transport = window, view, messages, transport
        self._open_source = open_source
        self.loop = loop
        self._session: Session | None = None
        self._shown_times: deque[tuple[int, int]] = deque(maxlen=12)
        self._told_trouble = ""
        self._place_shown_at = 0.0
        view.empty.open_asked.connect(self.choose)
        view.empty.clip_asked.connect(lambda: open_source(str(SAMPLE_CLIP)))
        transport.stepped.connect(self.step)
        transport.sought.connect(self.seek)
        transport.loop_toggled.connect(self.set_loop)
        transport.realtime_toggled.connect(self.set_realtime)

    @property
    def _source(self) -> Source:
        assert self._session is not None
        return self._session.source

    def adopt(self, session: Session) -> None:
        """Steer another session."""
        self._session = session
        self._shown_times.clear()
        self._told_trouble = ""
        session.source.hold_at_end = session.source.seekable
        session.source.loop = session.source.seekable and self.loop
        self.show_or_hide()
        self._transport.show_source(None, session.source.loop, session.source.paced)
        self._transport.show_paused(False)

    def show_or_hide(self) -> None:
        """The transport bar belongs to files, and not into the full screen."""
        self._transport.setVisible(self._source.seekable and not self._window.isFullScreen())

    def choose(self) -> None:
        """Ask the user for another source."""
        dialog = SourceDialog(_cameras, self._window)
        dialog.source_chosen.connect(self._open_source)
        dialog.open()

    # --- winding ----------------------------------------------------------------------------------------------

    def step(self, count: int) -> None:
        """Hold the picture and go to the next one, or back."""
        if self._session is not None and self._source.seekable:
            self._session.pipeline.step(count)

    def seek(self, position_ns: int) -> None:
        """Go to that place."""
        if self._session is not None:
            self._session.pipeline.seek(position_ns)

    def set_loop(self, loop: bool) -> None:
        """Start again at the end, or stop there; also the files that are opened later."""
        self.loop = self._source.loop = loop

    def set_realtime(self, realtime: bool) -> None:
        """Play at real speed, or as fast as possible."""
        self._shown_times.clear()
        self._source.realtime = realtime

    def paused(self, paused: bool) -> None:
        """The picture is held, or goes on."""
        self._shown_times.clear()
        self._transport.show_paused(paused)

    def show_place(self) -> None:
        """Show where in its file the picture lies; ten times a second at most."""
        now, result = time.monotonic(), self._view.result
        if result is not None and self._transport.isVisible() and now - self._place_shown_at >= _PLACE_EVERY_S:
            self._place_shown_at = now
            self._transport.show_position(result.frame.position_ns)

    # --- what is told about it --------------------------------------------------------------------------------

    def update(self) -> None:
        """Four times a second."""
        source = self._source
        if source.seekable:
            self._transport.show_source(source.duration_ns, source.loop, source.paced)
            self.show_place()
        if source.trouble != self._told_trouble:
            if source.trouble:
                self._messages.show_message(source.trouble, "warning")
            else:
                self._messages.show_message(tr("“{name}” is back.").format(name=source.name))
            self._told_trouble = source.trouble

    def badge(self) -> str:
        """What the picture says about its source; empty where all is well."""
        if self._source.trouble:
            return tr("Lost: trying again …")
        return tr("The clip has ended") if self._source.at_end else ""

    def description(self) -> list[str]:
        """Name, size and rate, for the line beneath the picture."""
        source, result = self._source, self._view.result
        size = f"{result.frame.image.shape[1]} × {result.frame.image.shape[0]}" if result else tr("no picture yet")
        return [source.name, f"{size} {source.details}".strip(), rate_text(source), self._pace()]

    def _pace(self) -> str:
        """How fast a file plays where this computer is too slow for it; empty otherwise."""
        result, session = self._view.result, self._session
        source = self._source
        if result is None or session is None or session.paused or source.live or not source.paced or source.at_end:
            self._shown_times.clear()
            return ""
        if self._shown_times and not self._shown_times[-1][1] <= result.frame.time_ns:
            self._shown_times.clear()
        self._shown_times.append((result.frame.captured_ns, result.frame.time_ns))
        (host_0, file_0), (host_1, file_1) = self._shown_times[0], self._shown_times[-1]
        pace = (file_1 - file_0) / (host_1 - host_0) if host_1 > host_0 else 1.0
        return tr("every frame is looked at, at {pace:.1f} × speed").format(pace=pace) if pace < _SLOW_PACE else ""


def rate_text(source: Source) -> str:
    """The rate that a source really delivers, and what it claims where that is another; empty where unknown."""
    measured = source.measured_fps
    if math.isnan(measured):
        return ""
    rate = f"{measured:.1f} fps"
    if source.fps > 0 and abs(measured - source.fps) > _SAME_RATE * source.fps:
        rate += tr(" (claims {fps:.4g})").format(fps=source.fps)
    if source.repeated_share > _REPEATS_WORTH_TELLING:
        rate += tr(", {percent:.0f} % of them repeated").format(percent=100 * source.repeated_share)
    return rate


def _cameras() -> Sequence[CameraChoice]:
    """Runs on a thread of the dialog. An error of the system's listing is told there."""
    from app.sources.camera_list import list_cameras
    from app.sources.camera_modes import offered_modes

    return [
        CameraChoice(
            name=camera.name,
            text=f"camera:id={camera.identity}",
            modes=[(mode.width, mode.height, mode.fps, mode.pixel_format) for mode in offered_modes(camera)],
            identity=camera.identity,
        )
        for camera in list_cameras()
    ]

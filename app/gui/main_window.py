"""The window: picture first, decoder switch second, meters third."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.errors import OutputError, UserError
from app.frames import PoseResult
from app.gui.actions import ACTIONS, ActionKey
from app.gui.appearance import Appearance
from app.gui.commands import make_actions, show_checks
from app.gui.compare_control import CompareControl
from app.gui.dropping import DropTarget
from app.gui.glass_to_glass import DelayControl
from app.gui.inspection import Inspection
from app.gui.kept import restore_place, settings_of
from app.gui.language import mark, tr
from app.gui.menu_bar import MainMenu
from app.gui.message_bar import MessageBar
from app.gui.network_control import NetworkControl
from app.gui.pages import Pages
from app.gui.recent_sources import RecentSources
from app.gui.recording_control import RecordingControl, RecordingParts
from app.gui.reference_control import ReferenceControl
from app.gui.saving import recording_message, save_screenshot
from app.gui.side_panel import SidePanel
from app.gui.source_control import SourceControl
from app.gui.tour import Tour
from app.gui.transport_bar import TransportBar
from app.gui.video_view import VideoView
from app.gui.widgets import named_label
from app.session import NetworkChoice, Session
from app.settings import Settings

NOBODY = mark("Nobody in view: step back until head and hips are in the picture")
_NO_PICTURE = mark("Choose another camera, file, folder or stream, or drop a video here.")
_VIEW_TICK_MS = 5
_STATUS_TICK_MS = 250


class MainWindow(QMainWindow):
    """Shows one session and lets the user steer it.

    make_session: makes a session of another source, given as text, and of a network; raises UserError.
    recordings: folder of recordings and snapshots; made when it is first needed.
    settings: what was chosen before; `settings_now` is what is chosen at this moment. source_text: what the session's
        source was opened with.
    screenshot_path: where a picture of the window is saved when it closes; what went wrong with it is then in
        `screenshot_error`.
    """

    def __init__(
        self,
        session: Session,
        make_session: Callable[[str, NetworkChoice], Session],
        recordings: Path,
        settings: Settings | None = None,
        source_text: str = "",
    ) -> None:
        super().__init__()
        self.session = session
        self.source_text = source_text
        self._make_session = make_session
        self.recordings = recordings
        self._settings = settings or Settings()
        self.mirrored = self._settings.mirror
        self.screenshot_path: Path | None = None
        self.screenshot_error = ""
        self._reported: set[str] = set()
        self._behind: PoseResult | None = None
        self._at_end = False
        self.view = VideoView()
        self.view.first_painted.connect(self._painted)
        self.messages = MessageBar()
        self.panel = SidePanel()
        self.decoders, self.meters = self.panel.decoders, self.panel.meters
        self.decoders.decoder_chosen.connect(self.choose_decoder)
        self.decoders.beta_chosen.connect(self.choose_beta)
        self.meters.table.decoder_chosen.connect(self.choose_decoder)
        self.inspection = Inspection(self, self.panel, self.view, self.messages, recordings)
        self.inspection.style_changed.connect(self._show_again)
        self.reference = ReferenceControl(self, self.panel, self.messages)
        self.reference.engine_changed.connect(self._show_choice)
        self.transport = TransportBar(
            pause_key=ACTIONS[ActionKey.PAUSE].keys[0],
            back_key=ACTIONS[ActionKey.STEP_BACK].keys[0],
            forward_key=ACTIONS[ActionKey.STEP_FORWARD].keys[0],
        )
        self.source = SourceControl(
            self, self.view, self.messages, self.transport, self.open_source, loop=self._settings.loop
        )
        self.transport.pause_toggled.connect(self.toggle_pause)
        self.recording = RecordingControl(
            self,
            RecordingParts(self.view, self.messages, self.panel.buttons[ActionKey.RECORD], self.panel.record_menu),
            recordings,
            lambda: self.inspection.style(mirror=False),
            wish=self._settings.wish,
            preroll_s=self._settings.preroll_s,
        )
        self.comparison = CompareControl(
            self, self.messages, self.panel.record_menu, recordings, self._settings.preroll_s
        )
        self.delay = DelayControl(self, self.view, self.messages, recordings)
        self.delay.first_painted.connect(self._painted)
        self.panel.latency.delay_asked.connect(self.delay.measure)
        self.network = NetworkControl(self, self.panel.network, self.messages, self._network_asked)
        self._status = named_label("status")
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        self._status.setMinimumWidth(1)  # a long name must not widen the window
        self.tour = Tour(self, self._toured)
        self._actions = make_actions(self)
        self.panel.connect_buttons(self._actions)
        self._buttons = self.panel.buttons
        self._buttons[ActionKey.MIRROR].setChecked(self.mirrored)
        self.pages = Pages(self._make_live_page())
        self.pages.laboratory_built.connect(self._join_laboratory)
        self.pages.laboratory_shown.connect(lambda: self.pages.show_beta(self.session.choice.beta))
        self.appearance = Appearance(self, self._settings.theme, self._settings.language, self.messages.show_message)
        self.recents = RecentSources(self._settings.recent)
        self.menu = MainMenu(
            self._actions,
            self.panel.record_menu,
            self.panel.network,
            self.appearance,
            lambda: self.recents.sources,
            self.open_source,
        )
        self.menu.place(self, self.pages)
        self.setCentralWidget(self.pages)
        self._drops = DropTarget(
            self, self.open_source, lambda path: self.network.use(model=path), lambda path: self.network.open_head(path)
        )
        self.view.setFocus()  # not a button, whose focus ring would look like a choice
        restore_place(self, self._settings)
        self._view_timer = QTimer(self, interval=_VIEW_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._view_timer.timeout.connect(self._pull)
        self._status_timer = QTimer(self, interval=_STATUS_TICK_MS)
        self._status_timer.timeout.connect(self._update_status)
        self._adopt(session)

    # --- building ---------------------------------------------------------------------------------------------

    def _make_live_page(self) -> QWidget:
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.messages)
        left.addWidget(self.view, 1)
        left.addWidget(self.transport)
        left.addWidget(self._status)
        page = QWidget()
        layout = QHBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(left, 1)
        layout.addWidget(self.panel)
        return page

    # --- the session ------------------------------------------------------------------------------------------

    def _adopt(self, session: Session) -> None:
        self.session = session
        self._reported.clear()
        self._behind = None
        self.view.clear()
        self.meters.watch(session.board)
        self.source.adopt(session)
        self.network.adopt(session)
        self.inspection.adopt(session)
        self.recording.adopt(session)
        self.comparison.adopt(session)
        self.delay.adopt(session)
        self.reference.adopt(session)
        self._show_choice()
        session.start()
        self._view_timer.start()
        self._status_timer.start()
        self._update_status()

    def open_source(self, text: str) -> None:
        """Leave the present source (a recording is finished first) and show another one."""
        try:
            session = self._make_session(text, self.session.wanted_network)
            if not session.source.live:
                # A file that cannot be read is found out now, before the present source is left.
                session.source.open()
                session.source.close()
        except UserError as error:
            self.messages.show_message(str(error), "error")
            return
        self.messages.clear()
        self.recents.add(text)
        self.source_text = text
        self.recording.tell(self.session.stop())
        session.pipeline.choice = self.session.pipeline.choice
        self._set_pause_button(False)
        self._adopt(session)

    @property
    def settings_now(self) -> Settings:
        """To be loaded at the next start."""
        return settings_of(self, self._settings)

    def _toured(self) -> None:
        self._settings = dataclasses.replace(self._settings, toured=True)

    def _network_asked(self) -> None:
        self._reported.clear()
        self._update_status()

    def _pull(self) -> None:
        result, view = self.session.latest.take(0) or self._behind, self.delay.view_in_front
        # Behind the laboratory nothing is drawn; the newest picture waits.
        self._behind = None if view.isVisible() else result
        if result is not None and self._behind is None:
            self.session.not_painted += view.waiting
            self._show(result)

    def _show(self, result: PoseResult, *, again: bool = False) -> None:
        started_ns, view = time.perf_counter_ns(), self.delay.view_in_front
        view.mirrored = self.mirrored
        self.inspection.show(result, mirror=self.mirrored)
        style = self.inspection.style(mirror=self.mirrored)
        image = self.session.pictures.draw(result, style)
        view.split.draw(result, style)
        view.show_result(result, image, time.perf_counter_ns() - started_ns, again=again)
        self.source.show_place()

    def _show_again(self) -> None:
        """The picture is to be drawn otherwise: where it is held, at once."""
        if self._held and self.view.result is not None:
            result = self.view.result
            if self.session.pipeline.smoothing is None:
                result = dataclasses.replace(result, smoothed=())  # the raw points are there still
            self._show(result, again=True)

    @property
    def _held(self) -> bool:
        return self.session.paused or self.session.pipeline.finished.is_set()

    def _painted(self, result: PoseResult, overlay_ns: int, paint_ns: int, painted_ns: int) -> None:
        self.session.board.add_paint(result, overlay_ns, paint_ns, painted_ns)
        self.session.pictures.painted(result)

    def _update_status(self) -> None:
        session, pipeline = self.session, self.session.pipeline
        self.source.update()
        self.reference.update()
        self.setWindowTitle(f"{session.source.name} — PoseScope")  # a camera's name is known when it is open
        self.view.badge = self._badge()
        self.view.big_badge = self.inspection.hold_still_badge()
        self.network.update()
        self._status.setText("   ·   ".join(part for part in self.source.description() if part))
        self.meters.show_dropped(pipeline.dropped)
        troubles = (session.warning, "warning"), (pipeline.model_error, "error"), (pipeline.source_error, "error")
        for trouble, kind in troubles:  # the worst last, for it stays on the screen
            if trouble is not None and str(trouble) not in self._reported:
                self._reported.add(str(trouble))
                self.messages.show_message(str(trouble), kind)
        if pipeline.finished.is_set():
            self._source_ended()
        elif pipeline.at_end and not self._at_end:
            self.recording.finish()
        self._at_end = pipeline.at_end
        self.recording.update()

    def _badge(self) -> str:
        """What the picture says about itself."""
        pipeline, result = self.session.pipeline, self.view.result
        if trouble := self.source.badge():
            return trouble
        if self.session.paused:
            return tr("Paused")
        if pipeline.estimator is None and pipeline.model_error is None:
            return tr("Loading the network …")
        nobody = result is not None and result.stages is not None and not result.people
        return tr(NOBODY) if nobody else ""

    def _source_ended(self) -> None:
        """The source failed or came to its end: what was recorded is finished, the last picture stays."""
        self._status_timer.stop()
        self._pull()
        self._view_timer.stop()
        self.meters.stop()
        error = self.session.pipeline.source_error
        ended = tr("Source lost") if error is not None else tr("The source has ended")
        self.view.badge = ended if self.view.result else ""
        if self.view.result is None:
            self.view.empty.show_state(tr("No picture"), tr(_NO_PICTURE), can_open=True)
        self.view.big_badge = self.inspection.hold_still_badge()
        self.view.update()
        # Not the whole session, which would wait for a network that is still being loaded.
        self.recording.finish(str(error or ""))

    # --- what the user can do ---------------------------------------------------------------------------------

    def choose_decoder(self, name: str) -> None:
        """Show this decoder from the next frame on; in a picture that is held, at once."""
        self.session.set_decoder(name)
        self._show_choice()
        if self._held and self.view.result is not None:
            # Every decoder has read this frame already.
            self._show(dataclasses.replace(self.view.result, decoder=name), again=True)

    def choose_beta(self, beta: float) -> None:
        """Use this β in IPR and debiased IPR from the next frame on."""
        self.session.set_beta(beta)
        self._show_choice()

    def _show_choice(self) -> None:
        choice = self.session.choice
        self.decoders.show_choice(choice.name, choice.beta)
        self.meters.choose(choice.name)
        self.show_checks()

    def show_checks(self, *_: object) -> None:
        """Check what is in use in the menus."""
        show_checks(self, self._actions)

    def toggle_pause(self) -> None:
        """Hold the picture, or go on; from the end of a file to its beginning."""
        if self.session.pipeline.at_end:
            self.session.pipeline.seek(0)
            self.session.paused = True
        self.session.paused = not self.session.paused
        self._set_pause_button(self.session.paused)
        self._update_status()
        self.view.update()

    def step(self, count: int) -> None:
        self.source.step(count)
        self._set_pause_button(self.session.paused)

    def _set_pause_button(self, paused: bool) -> None:
        self._buttons[ActionKey.PAUSE].setChecked(paused)
        self.source.paused(paused)

    def toggle_mirror(self) -> None:
        """Show the picture as in a looking glass; data and recordings stay as they are."""
        self.mirrored = not self.mirrored
        self._buttons[ActionKey.MIRROR].setChecked(self.mirrored)
        if self.view.result is not None:
            self._show(self.view.result, again=True)

    def toggle_full_screen(self) -> None:
        """Picture only, on the whole screen, or the window again."""
        self.pages.show_live()
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)  # stays maximized beneath

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:  # the desktop has its own ways into the full screen
            for part in (self.pages.bar, self.panel, self._status):
                part.setVisible(not self.isFullScreen())
            self.view.big_meters = self.inspection.big_meters if self.isFullScreen() else None
            self.source.show_or_hide()

    def _join_laboratory(self) -> None:
        assert self.pages.laboratory is not None
        self.pages.laboratory.beta_chosen.connect(self.choose_beta)

    def toggle_laboratory(self) -> None:
        """The page with the synthetic heatmap, or the live picture again. The session runs on meanwhile."""
        if not self.isFullScreen():
            self.pages.toggle()

    def leave(self) -> None:
        """What Esc does: end the tour, or the full screen."""
        if self.tour.is_running:
            self.tour.end()
        elif self.isFullScreen():
            self.toggle_full_screen()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.screenshot_path is not None and self.isVisible():
            try:
                save_screenshot(self, self.screenshot_path)
            except OutputError as error:
                self.screenshot_error = str(error)
        for timer in (self._view_timer, self._status_timer):
            timer.stop()
        self.meters.stop()
        self.messages.clear()
        for dialog in self.findChildren(QDialog):
            dialog.close()
        self.recording.close()
        self.comparison.close()
        summary = self.session.stop()
        if summary is not None:
            print(recording_message(summary))
        event.accept()

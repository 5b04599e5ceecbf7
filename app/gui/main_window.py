"""The window: picture first, decoder switch second, meters third."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.errors import OutputError, UserError
from app.frames import Image, PoseResult
from app.gui.actions import ACTIONS, ActionKey, HelpDialog
from app.gui.inspection import Inspection
from app.gui.message_bar import MessageBar
from app.gui.pages import Pages
from app.gui.saving import ask_for_video, recording_message, save_png, save_screenshot
from app.gui.side_panel import SidePanel
from app.gui.video_view import VideoView
from app.gui.widgets import named_label
from app.output_names import recording_paths, snapshot_path
from app.overlay import OverlayStyle
from app.recorder import RecordingSummary
from app.session import Session

_VIEW_TICK_MS = 5
_STATUS_TICK_MS = 250
_SLOW_PACE = 0.93


class MainWindow(QMainWindow):
    """Shows one session and lets the user steer it.

    make_session: opens another source given as text, with the settings of the command line; raises UserError.
    recordings: folder of recordings and snapshots; made when it is first needed.
    screenshot_path: where a picture of the window is saved when it closes; what went wrong with it is then in
        `screenshot_error`.
    """

    def __init__(self, session: Session, make_session: Callable[[str], Session], recordings: Path) -> None:
        super().__init__()
        self.session = session
        self._make_session = make_session
        self._recordings = recordings
        self._mirror = False
        self.screenshot_path: Path | None = None
        self.screenshot_error = ""
        self._reported: set[str] = set()
        self._behind: PoseResult | None = None
        self._shown_times: deque[tuple[int, int]] = deque(maxlen=12)
        self.view = VideoView()
        self.view.first_painted.connect(self._painted)
        self.messages = MessageBar()
        self.panel = SidePanel()
        self.decoders, self.meters = self.panel.decoders, self.panel.meters
        self.decoders.decoder_chosen.connect(self.choose_decoder)
        self.decoders.beta_chosen.connect(self._choose_beta)
        self.meters.table.decoder_chosen.connect(self.choose_decoder)
        self.inspection = Inspection(self, self.panel, self.view, self.messages, recordings)
        self.inspection.style_changed.connect(self._show_again)
        self._status = named_label("status")
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        self._status.setMinimumWidth(1)  # a long name must not widen the window
        self._actions = self._make_actions()
        self.panel.connect_buttons(self._actions)
        self._buttons = self.panel.buttons
        self.pages = Pages(self._make_live_page())
        self.pages.laboratory_built.connect(self._join_laboratory)
        self.pages.laboratory_shown.connect(lambda: self.pages.show_beta(self.session.choice.beta))
        self.setCentralWidget(self.pages)
        self.view.setFocus()  # not a button, whose focus ring would look like a choice
        self.resize(1280, 720)
        self._view_timer = QTimer(self, interval=_VIEW_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._view_timer.timeout.connect(self._pull)
        self._status_timer = QTimer(self, interval=_STATUS_TICK_MS)
        self._status_timer.timeout.connect(self._update_status)
        self._adopt(session)

    # --- building ---------------------------------------------------------------------------------------------

    def _make_actions(self) -> dict[ActionKey, QAction]:
        handlers: dict[ActionKey, Callable[[], object]] = {
            ActionKey.ARGMAX: lambda: self.choose_decoder("argmax"),
            ActionKey.IPR: lambda: self.choose_decoder("ipr"),
            ActionKey.DEBIASED: lambda: self.choose_decoder("debiased"),
            ActionKey.RECORD: self.toggle_recording,
            ActionKey.PAUSE: self.toggle_pause,
            ActionKey.MIRROR: self.toggle_mirror,
            ActionKey.SNAPSHOT: self.save_snapshot,
            ActionKey.FULL_SCREEN: self.toggle_full_screen,
            ActionKey.OPEN: self._choose_file,
            ActionKey.GHOSTS: self.panel.looks.toggle_ghosts,
            ActionKey.ARROWS: self.panel.looks.next_arrows,
            ActionKey.HEATMAP: self.panel.looks.next_heatmap,
            ActionKey.SMOOTHING: lambda: self.panel.looks.set_smoothing(not self.panel.looks.smoothing_on),
            ActionKey.HOLD_STILL: self.inspection.hold_still,
            ActionKey.LABORATORY: self.toggle_laboratory,
            ActionKey.HELP: lambda: HelpDialog(self).open(),
            ActionKey.QUIT: self.close,
        }
        actions = {}
        for key, info in ACTIONS.items():
            action = QAction(info.title, self)
            action.setShortcuts([QKeySequence(text) for text in info.keys])
            action.setAutoRepeat(False)
            action.triggered.connect(lambda _checked=False, handler=handlers[key]: handler())
            self.addAction(action)
            actions[key] = action
        leave = QAction(self)
        leave.setShortcut(QKeySequence(Qt.Key.Key_Escape))
        leave.triggered.connect(self._leave_full_screen)
        self.addAction(leave)
        return actions

    def _make_live_page(self) -> QWidget:
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.messages)
        left.addWidget(self.view, 1)
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
        self._shown_times.clear()
        self.view.clear()
        self.setWindowTitle(f"{session.source.name} — PoseScope")
        self.meters.watch(session.board)
        self.inspection.adopt(session)
        self._show_choice()
        session.start()
        self._view_timer.start()
        self._status_timer.start()
        self._update_status()

    def open_source(self, text: str) -> None:
        """Leave the present source (a recording is finished first) and show another one."""
        try:
            session = self._make_session(text)
            if not session.source.live:
                # A file that cannot be read is found out now, before the present source is left.
                session.source.open()
                session.source.close()
        except UserError as error:
            self.messages.show_message(str(error), "error")
            return
        self.messages.clear()
        self._tell_recording(self.session.stop())
        session.set_decoder(self.session.choice.name)
        session.set_beta(self.session.choice.beta)
        self._set_pause_button(False)
        self._adopt(session)

    def _pull(self) -> None:
        result = self.session.latest.take(0) or self._behind
        # Behind the laboratory nothing is drawn; the newest picture waits.
        self._behind = None if self.view.isVisible() else result
        if result is not None and self._behind is None:
            self.session.not_painted += self.view.waiting
            self._show(result)

    def _show(self, result: PoseResult, *, again: bool = False) -> None:
        started_ns = time.perf_counter_ns()
        self.view.mirrored = self._mirror
        self.inspection.show(result, mirror=self._mirror)
        image = self._draw(result, self.inspection.style(mirror=self._mirror))
        self.view.show_result(result, image, time.perf_counter_ns() - started_ns, again=again)

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

    def _draw(self, result: PoseResult, style: OverlayStyle) -> Image:
        return self.session.pictures.draw(result, style)

    def _painted(self, result: PoseResult, overlay_ns: int, paint_ns: int, painted_ns: int) -> None:
        self.session.board.add_paint(result, overlay_ns, paint_ns, painted_ns)
        self.session.pictures.painted(result)

    def _update_status(self) -> None:
        session, pipeline = self.session, self.session.pipeline
        loading = pipeline.estimator is None and pipeline.model_error is None
        self.view.badge = "Loading the network …" if loading else ""
        if session.paused:
            self.view.badge = "Paused"
        result = self.view.result
        size = f"{result.frame.image.shape[1]} × {result.frame.image.shape[0]}" if result else "no picture yet"
        if not self.view.badge and result is not None and result.stages is not None and not result.people:
            self.view.badge = "Nobody in view"
        self.view.big_badge = self.inspection.hold_still_badge()
        parts = [session.source.name, size, f"{session.network.label} on {session.device_label or '…'}", self._pace()]
        self._status.setText("   ·   ".join(part for part in parts if part))
        self.meters.show_dropped(pipeline.dropped)
        for trouble, kind in (  # the worst last, for it stays on the screen
            (session.warning, "warning"),
            (pipeline.model_error, "error"),
            (pipeline.source_error, "error"),
        ):
            if trouble is not None and str(trouble) not in self._reported:
                self._reported.add(str(trouble))
                self.messages.show_message(str(trouble), kind)
        if pipeline.finished.is_set():
            self._source_ended()
        self._update_recording()

    def _pace(self) -> str:
        """How fast a file plays where this computer is too slow for it; empty otherwise."""
        result = self.view.result
        if result is None or not self.session.source.paced:
            return ""
        self._shown_times.append((result.frame.captured_ns, result.frame.time_ns))
        (host_0, file_0), (host_1, file_1) = self._shown_times[0], self._shown_times[-1]
        pace = (file_1 - file_0) / (host_1 - host_0) if host_1 > host_0 else 1.0
        slow = pace < _SLOW_PACE and not self.session.paused
        return f"every frame is looked at, at {pace:.1f} × speed" if slow else ""

    def _source_ended(self) -> None:
        """The source failed or came to its end: what was recorded is finished, the last picture stays."""
        self._status_timer.stop()
        self._pull()
        self._view_timer.stop()
        self.meters.stop()
        lost = self.session.pipeline.source_error is not None
        lost_badge = "Source lost" if self.view.result is not None else "Not opened"
        self.view.badge = lost_badge if lost else "The source has ended"
        if lost:
            self.view.empty_text = "No picture. Open another source with Ctrl+O."
        self.view.big_badge = self.inspection.hold_still_badge()
        self.view.update()
        # Not the whole session, which would wait for a network that is still being loaded.
        summary = self.session.stop_recording()
        if summary is not None:
            self._update_recording()
            text = recording_message(summary)
            if lost:
                text = f"{self.session.pipeline.source_error} {text}"
            self.messages.show_message(text, "error" if lost or summary.error else "info")

    # --- what the user can do ---------------------------------------------------------------------------------

    def choose_decoder(self, name: str) -> None:
        """Show this decoder from the next frame on; in a picture that is held, at once."""
        self.session.set_decoder(name)
        self._show_choice()
        if self._held and self.view.result is not None:
            # Every decoder has read this frame already.
            self._show(dataclasses.replace(self.view.result, decoder=name), again=True)

    def _choose_beta(self, beta: float) -> None:
        self.session.set_beta(beta)
        self._show_choice()

    def _show_choice(self) -> None:
        choice = self.session.choice
        self.decoders.show_choice(choice.name, choice.beta)
        self.meters.choose(choice.name)

    def toggle_recording(self) -> None:
        """Start a recording beside the others, or finish the running one and say where it is."""
        if self.session.recorder is not None:
            self._tell_recording(self.session.stop_recording())
        elif self.session.pipeline.finished.is_set():
            self.messages.show_message("There is no picture to record.", "warning")
        else:
            video, keypoints = recording_paths(self._recordings, self.session.source.name, self.session.choice.name)
            try:
                self.session.start_recording(video, keypoints, self.inspection.style(mirror=False))
            except OutputError as error:
                self.messages.show_message(str(error), "error")
        self._update_recording()

    def _tell_recording(self, summary: RecordingSummary | None) -> None:
        if summary is not None:
            self.messages.show_message(recording_message(summary), "error" if summary.error else "info")

    def _update_recording(self) -> None:
        recorder = self.session.recorder
        button = self._buttons[ActionKey.RECORD]
        button.setChecked(recorder is not None)
        self.view.update()  # a held picture is not painted otherwise
        if recorder is None:
            button.setText("●  Record")
            self.view.recording_text = ""
            return
        seconds = int(recorder.elapsed_s)
        elapsed = f"{seconds // 60:02d}:{seconds % 60:02d}"
        dropped = f"  ({recorder.dropped} dropped)" if recorder.dropped else ""
        button.setText(f"■  Finish recording{dropped}")
        self.view.recording_text = elapsed + dropped
        if recorder.error is not None:
            self._tell_recording(self.session.stop_recording())
            self._update_recording()

    def toggle_pause(self) -> None:
        """Hold the picture, or go on."""
        self.session.paused = not self.session.paused
        self._set_pause_button(self.session.paused)
        self._shown_times.clear()
        self._update_status()
        self.view.update()

    def _set_pause_button(self, paused: bool) -> None:
        self._buttons[ActionKey.PAUSE].setChecked(paused)

    def toggle_mirror(self) -> None:
        """Show the picture as in a looking glass; data and recordings stay as they are."""
        self._mirror = not self._mirror
        self._buttons[ActionKey.MIRROR].setChecked(self._mirror)
        if self.view.result is not None:
            self._show(self.view.result, again=True)

    def save_snapshot(self) -> None:
        """Save the annotated picture as PNG, in the size of the source, and say where it is."""
        if self.view.image is None:
            self.messages.show_message("There is no picture to save yet.", "warning")
            return
        path = snapshot_path(self._recordings, self.session.source.name, self.session.choice.name)
        result = self.view.result
        # Not as in a looking glass: what is saved shows the person as the camera saw them.
        picture = (
            self._draw(result, self.inspection.style(mirror=False))
            if self._mirror and result is not None
            else self.view.image
        )
        try:
            save_png(picture, path)
        except OutputError as error:
            self.messages.show_message(str(error), "error")
            return
        self.messages.show_message(f"Saved {path}")

    def toggle_full_screen(self) -> None:
        """Picture only, on the whole screen, or the window again."""
        self.pages.show_live()
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)  # stays maximized beneath

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:  # the desktop has its own ways into the full screen
            for part in (self.pages.bar, self.panel, self._status):
                part.setVisible(not self.isFullScreen())

    def _join_laboratory(self) -> None:
        assert self.pages.laboratory is not None
        self.pages.laboratory.beta_chosen.connect(self._choose_beta)

    def toggle_laboratory(self) -> None:
        """The page with the synthetic heatmap, or the live picture again. The session runs on meanwhile."""
        if not self.isFullScreen():
            self.pages.toggle()

    def _leave_full_screen(self) -> None:
        if self.isFullScreen():
            self.toggle_full_screen()

    def _choose_file(self) -> None:
        ask_for_video(self, self.open_source)

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
        summary = self.session.stop()
        if summary is not None:
            print(recording_message(summary))
        event.accept()

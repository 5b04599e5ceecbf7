"""Recording from the window: start and finish, the last seconds, what is written, the virtual camera."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QToolButton

from app.errors import OutputError
from app.gui.language import tr
from app.gui.message_bar import MessageBar
from app.gui.record_menu import RecordMenu
from app.gui.saving import recording_message, save_png
from app.gui.video_view import VideoView
from app.output_names import recording_paths, snapshot_path
from app.overlay import OverlayStyle
from app.recorder import RecordingSummary
from app.recording_paths import RecordingPaths, RecordingWish
from app.session import Session

_LOOK_FOR_SAVED_MS = 100


@dataclass(frozen=True, slots=True)
class RecordingParts:
    """Where a recording is seen and steered."""

    view: VideoView
    messages: MessageBar
    button: QToolButton
    menu: RecordMenu


class RecordingControl(QObject):
    """folder: of the recordings; made when it is first needed. style: how the picture is annotated now.

    wish: what is written. preroll_s: how much is kept for “save the last seconds”, 0 for nothing.
    """

    def __init__(
        self,
        parent: QObject,
        parts: RecordingParts,
        folder: Path,
        style: Callable[[], OverlayStyle],
        *,
        wish: RecordingWish,
        preroll_s: float,
    ) -> None:
        super().__init__(parent)
        self.folder = folder
        self.wish = wish
        self.preroll_s = preroll_s
        self._view, self._messages, self._button, self._menu = parts.view, parts.messages, parts.button, parts.menu
        self._style = style
        self._session: Session | None = None
        self._saving: threading.Thread | None = None
        self._told = ""
        self._camera_wanted = False
        # The window's own timers stop when the source has ended.
        self._saving_timer = QTimer(self, interval=_LOOK_FOR_SAVED_MS)
        self._saving_timer.timeout.connect(self._tell_saved)
        self._saved: list[RecordingSummary | str] = []  # or why nothing was saved
        self._menu.show_wish(wish)
        self._menu.show_preroll(preroll_s)
        self._menu.wish_changed.connect(self._choose_wish)
        self._menu.save_last_asked.connect(self.save_last)
        self._menu.virtual_camera_toggled.connect(self.set_virtual_camera)

    def adopt(self, session: Session) -> None:
        """Record another session from now on; the one before has ended."""
        self._session = session
        session.keep_last(self.preroll_s, self._style())
        if self._camera_wanted:
            self.set_virtual_camera(True)

    def _choose_wish(self, wish: RecordingWish) -> None:
        self.wish = wish
        if self._session is not None and self._session.recorder is not None:
            self._messages.show_message(tr("The choice of files counts from the next recording on."))

    def toggle(self) -> None:
        """Start a recording beside the others, or finish the running one and say where it is."""
        session = self._session
        assert session is not None
        if session.recorder is not None:
            self.tell(session.stop_recording())
        elif session.pipeline.finished.is_set():
            self._messages.show_message(tr("There is no picture to record."), "warning")
        else:
            try:
                paths = recording_paths(self.folder, session.source.name, session.choice.name, self.wish)
                # A file can wait for the writer; a camera cannot.
                session.start_recording(paths, self._style(), block=not session.source.live)
            except OutputError as error:
                self._messages.show_message(str(error), "error")
        self.update()

    def show_folder(self) -> None:
        """Open the folder of the recordings in the system's own way."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            cannot = tr("Cannot make {folder}: {error}.").format(folder=self.folder, error=error.strerror)
            self._messages.show_message(cannot, "error")
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder.absolute()))):
            nobody = tr("No program opens folders here. The recordings are in {folder}")
            self._messages.show_message(nobody.format(folder=self.folder))

    def finish(self, reason: str = "") -> None:
        """End the running recording, if any, and say so after `reason`, which is an error where it is given."""
        assert self._session is not None
        summary = self._session.stop_recording()
        if summary is not None:
            self.update()
            text = f"{reason} {recording_message(summary, tr)}".strip()
            self._say(text, summary, failed=bool(reason))

    def tell(self, summary: RecordingSummary | None) -> None:
        """Say what became of a recording."""
        if summary is not None:
            self._say(recording_message(summary, tr), summary)

    def _say(self, text: str, summary: RecordingSummary, *, failed: bool = False) -> None:
        self._messages.offer(
            text, tr("Show the folder"), self.show_folder, "error" if failed or summary.error else "info"
        )

    def update(self) -> None:
        """Show how far the recording is; four times a second."""
        session = self._session
        assert session is not None
        camera = session.virtual_camera
        if camera is not None and camera.error is not None:
            self._messages.show_message(camera.error, "error")
            self.set_virtual_camera(False)
        recorder = session.recorder
        self._button.setChecked(recorder is not None)
        self._view.update()  # a held picture is not painted otherwise
        if recorder is None:
            self._button.setText(f"●  {tr('Record')}")
            self._view.recording_text = ""
            return
        seconds = int(recorder.elapsed_s)
        elapsed = f"{seconds // 60:02d}:{seconds % 60:02d}"
        dropped = tr("  ({n} dropped)").format(n=recorder.dropped) if recorder.dropped else ""
        self._button.setText(f"■  {tr('Finish recording')}{dropped}")
        self._view.recording_text = elapsed + dropped
        if recorder.trouble and recorder.trouble != self._told:
            self._told = recorder.trouble
            self._messages.show_message(f"{recorder.trouble} {tr('The other files go on.')}", "warning")
        if recorder.error is not None:
            self.tell(session.stop_recording())
            self.update()

    def save_snapshot(self) -> None:
        """Save the annotated picture as PNG, in the size of the source, and say where it is."""
        result, session, picture = self._view.result, self._session, self._view.image
        if result is None or session is None or picture is None:
            self._messages.show_message(tr("There is no picture to save yet."), "warning")
            return
        if self._view.mirrored:
            # Not as in a looking glass: what is saved shows the person as the camera saw them.
            picture = session.pictures.draw(result, self._style())
        path = snapshot_path(self.folder, session.source.name, session.choice.name)
        try:
            save_png(picture, path)
        except OutputError as error:
            self._messages.show_message(str(error), "error")
            return
        self._messages.show_message(tr("Saved {path}").format(path=path))

    # --- the last seconds -------------------------------------------------------------------------------------

    def save_last(self) -> None:
        """Save the last seconds, which nobody asked to record, beside the recordings."""
        session = self._session
        if session is None:
            return
        if self._saving_timer.isActive():
            self._messages.show_message(tr("The last seconds are still being saved."))
            return
        # There is no clean picture of what was not recorded.
        wish = dataclasses.replace(self.wish, annotated=True, clean=False)
        paths = recording_paths(self.folder, session.source.name, session.choice.name, wish)
        # On a thread of its own: the keypoints of ten seconds take a while to write.
        self._saving = threading.Thread(target=self._save, args=(session, paths), name="save-last")
        self._saving.start()
        self._saving_timer.start()

    def _save(self, session: Session, paths: RecordingPaths) -> None:
        try:
            self._saved.append(session.save_last(paths))
        except OutputError as error:
            self._saved.append(str(error))
        except Exception as error:
            self._saved.append(tr("The last seconds could not be saved: {error}.").format(error=error))

    def _tell_saved(self) -> None:
        if not self._saved:
            return
        self._saving_timer.stop()
        saved = self._saved.pop(0)
        if isinstance(saved, str):
            self._messages.show_message(saved, "error")
        else:
            self.tell(saved)

    # --- the virtual camera -----------------------------------------------------------------------------------

    def set_virtual_camera(self, on: bool) -> None:
        """Offer the annotated picture to other programs as a camera, or end that."""
        session = self._session
        assert session is not None
        self._camera_wanted = on
        try:
            session.set_virtual_camera(self._style() if on else None)
        except OutputError as error:
            self._camera_wanted = False
            self._messages.show_message(str(error), "error")
        self._menu.show_virtual_camera(session.virtual_camera is not None)
        if on and session.virtual_camera is not None:
            self._messages.show_message(tr("Other programs can choose the annotated picture as a camera now."))

    def close(self) -> None:
        """Wait for what is being saved."""
        self._saving_timer.stop()
        if self._saving is not None:
            self._saving.join()
        for saved in self._saved:
            print(saved if isinstance(saved, str) else recording_message(saved))

"""The menu beside Record: which files are written, the last seconds, the virtual camera."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QToolTip

from app.exporters import KEYPOINT_FORMATS
from app.gui.actions import ACTIONS, ActionKey
from app.gui.language import mark, tr
from app.recording_paths import RecordingWish

LAST_ONE = mark("A recording needs at least one file: choose another one first.")
_TIP_HEIGHT = 46  # with the distance that Qt keeps to the mouse
_EXPLAINED = {
    "csv": mark("A table with one row for each person, joint and decoder"),
    "jsonl": mark("One line of JSON for each picture"),
    "coco": mark("The results format of COCO, 17 joints"),
    "openpose": mark("A folder with one JSON file for each picture"),
}


class StayingMenu(QMenu):
    """Stays open while its check marks are set, so that several can be changed at once."""

    def __init__(self) -> None:
        super().__init__()
        self._pressed: QAction | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self.actionAt(event.position().toPoint())
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is not None and pressed is self.actionAt(event.position().toPoint()) and self._toggle(pressed):
            return
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Select)
        if event.key() not in keys or not self._toggle(self.activeAction()):
            super().keyPressEvent(event)

    def _toggle(self, action: QAction | None) -> bool:
        if action is None or not action.isCheckable() or not action.isEnabled():
            return False
        action.trigger()
        return True


class RecordMenu(StayingMenu):
    """Emits what the user wants and shows what the owner says; `show_...` emits nothing.

    wish_changed: other files are to be written. save_last_asked: the last seconds are to be saved.
    compare_last_asked: every decoder is to be compared on the last seconds.
    virtual_camera_toggled: the annotated picture is to be a camera for other programs, or no longer.
    """

    wish_changed = Signal(RecordingWish)
    save_last_asked = Signal()
    compare_last_asked = Signal()
    virtual_camera_toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("What is recorded"))
        self.setToolTipsVisible(True)
        self._annotated = self._file(tr("Annotated video"), tr("The picture with skeleton and plate, as it is seen"))
        self._clean = self._file(tr("Clean video"), tr("The picture as it came from the source"))
        self.addSeparator()
        keypoints = tr("Keypoints as {format}")
        self._keypoints = {
            kind: self._file(keypoints.format(format=tr(form.title)), tr(_EXPLAINED.get(kind, form.title)))
            for kind, form in KEYPOINT_FORMATS.items()
        }
        self.addSeparator()
        self._save_last = self.addAction("")
        self._save_last.triggered.connect(lambda _=False: self.save_last_asked.emit())
        self._compare_last = self.addAction("")
        self._compare_last.setToolTip(
            tr("A report with jitter, bias and the filter’s lag of every decoder, as a page to open")
        )
        self._compare_last.triggered.connect(lambda _=False: self.compare_last_asked.emit())
        self._virtual_camera = self.addAction(tr("Virtual camera"))
        self._virtual_camera.setCheckable(True)
        self._virtual_camera.setToolTip(tr("The annotated picture as a camera for meetings and OBS"))
        self._virtual_camera.triggered.connect(self.virtual_camera_toggled)
        self.show_wish(RecordingWish())
        self.show_preroll(0.0)
        self.show_compared(10.0)

    def _file(self, title: str, tip: str) -> QAction:
        action = self.addAction(title)
        action.setCheckable(True)
        action.setToolTip(tip)
        action.triggered.connect(lambda _=False: self._file_clicked(action))
        return action

    def _file_clicked(self, action: QAction) -> None:
        files = (self._annotated, self._clean, *self._keypoints.values())
        if not any(file.isChecked() for file in files):
            action.setChecked(True)
            # Above the menu, where it covers none of the others.
            QToolTip.showText(self.mapToGlobal(QPoint(0, -_TIP_HEIGHT)), tr(LAST_ONE), self)
            return
        self.wish_changed.emit(self.wish)

    @property
    def wish(self) -> RecordingWish:
        """What is chosen."""
        keypoints = tuple(kind for kind, action in self._keypoints.items() if action.isChecked())
        return RecordingWish(self._annotated.isChecked(), self._clean.isChecked(), keypoints)

    def show_wish(self, wish: RecordingWish) -> None:
        """Which files a recording writes."""
        self._annotated.setChecked(wish.annotated)
        self._clean.setChecked(wish.clean)
        for kind, action in self._keypoints.items():
            action.setChecked(kind in wish.keypoints)

    def show_preroll(self, seconds: float) -> None:
        """How much of the past can be saved; 0 where nothing is kept."""
        what = tr("Save the last {seconds:.2g} s") if seconds > 0 else tr("Save the last seconds")
        # After the tab stands the key; a shortcut of its own would dispute it with the window's.
        self._save_last.setText(f"{what.format(seconds=seconds)}\t{ACTIONS[ActionKey.SAVE_LAST].keys[0]}")
        self._save_last.setEnabled(seconds > 0)
        self._save_last.setToolTip(
            tr("Annotated video and keypoints of what has just been, though nobody pressed Record")
            if seconds > 0
            else tr("Keeping the last seconds is switched off")
        )

    def show_compared(self, seconds: float) -> None:
        """How much of the past a comparison looks at."""
        key = ACTIONS[ActionKey.COMPARE_LAST].keys[0]
        self._compare_last.setText(f"{tr('Compare on the last {seconds:.2g} seconds').format(seconds=seconds)}\t{key}")

    def show_virtual_camera(self, on: bool) -> None:
        """Whether the annotated picture is a camera for other programs."""
        self._virtual_camera.setChecked(on)

"""“Open a source”: a camera and its mode, a file, a folder, a stream, or one of the synthetic sources."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.gui.language import mark, tr
from app.gui.source_pages import CameraChoice, CameraPage, Page, PathPage, StreamPage, SyntheticPage
from app.gui.widgets import named_label

__all__ = ["CameraChoice", "SourceDialog"]

NO_CAMERA = mark("No camera is connected.")
LOOKING = mark("Looking for cameras …")
_POLL_MS = 50
_ENTRY = Qt.ItemDataRole.UserRole


class SourceDialog(QDialog):
    """source_chosen: the text for `make_source`; emitted once, when the dialog has closed.

    cameras: lists the cameras; called on a thread of its own, for that may take a second.
    """

    source_chosen = Signal(str)

    def __init__(self, cameras: Callable[[], Sequence[CameraChoice]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Open a source"))
        self.setObjectName("source")
        self._list_cameras = cameras
        self._found: queue.SimpleQueue[Sequence[CameraChoice] | str] | None = None
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._take_cameras)
        self._camera_rows = 0

        self._list = QListWidget()
        self._list.setAccessibleName(tr("Sources"))
        self._list.setMinimumWidth(220)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._refresh = QPushButton(tr("Refresh"))
        self._refresh.setToolTip(tr("Look for cameras again"))
        self._refresh.setMinimumWidth(84)
        self._refresh.clicked.connect(self._look_for_cameras)
        self._camera = CameraPage()
        video = PathPage(
            tr("Video file"), tr("A video that FFmpeg can read: MP4, MOV, MKV, AVI, WebM and others."), folder=False
        )
        in_order = tr("The pictures of a folder, in the natural order of their names.")
        folder = PathPage(tr("Image folder"), in_order, folder=True)
        self._pages = QStackedWidget()
        pages: list[Page] = [Page("", tr("Choose a source on the left.")), self._camera]
        for page in pages:
            self._pages.addWidget(page)
        groups: tuple[tuple[str, dict[str, Page]], ...] = (
            (
                tr("FILES AND STREAMS"),
                {tr("Video file …"): video, tr("Image folder …"): folder, tr("Network stream"): StreamPage()},
            ),
            (
                tr("WITH KNOWN JOINTS"),
                {tr("Rendered person"): SyntheticPage("person"), tr("Moving figure"): SyntheticPage("figure")},
            ),
        )
        for heading, entries in groups:
            self._list.addItem(_heading(heading))
            for title, page in entries.items():
                item = QListWidgetItem(title)
                item.setData(_ENTRY, self._pages.addWidget(page))
                pages.append(page)
                self._list.addItem(item)
        self._open = QPushButton(tr("Open"))
        self._open.setObjectName("primary")
        self._open.setDefault(True)
        self._open.clicked.connect(self._choose)
        self._lay_out()
        for page in pages:
            page.changed.connect(self._update_open)
        self._list.itemSelectionChanged.connect(self._show_entry)
        self._list.itemDoubleClicked.connect(self._double_clicked)
        self._set_cameras(tr(LOOKING))

    def _lay_out(self) -> None:
        cancel = QPushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        head = QHBoxLayout()
        head.addWidget(named_label("heading", tr("CAMERAS")), 1)
        head.addWidget(self._refresh)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addLayout(head)
        left.addWidget(self._list, 1)
        middle = QHBoxLayout()
        middle.setSpacing(20)
        middle.addLayout(left, 2)
        middle.addWidget(self._pages, 3)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (cancel, self._open):
            button.setMinimumWidth(96)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 16)
        layout.setSpacing(14)
        layout.addLayout(middle, 1)
        layout.addLayout(buttons)
        self.resize(700, 440)

    # --- cameras ----------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._list.setFocus()
        if self._camera_rows and self._list.item(0).text() == tr(LOOKING):
            self._look_for_cameras()

    def _look_for_cameras(self) -> None:
        if self._found is not None:
            return
        self._refresh.setEnabled(False)
        self._found = queue.SimpleQueue()
        # The thread does not know the dialog, which may be closed and deleted before the driver has answered.
        threading.Thread(
            target=_list_into, args=(self._list_cameras, self._found), name="posescope-cameras", daemon=True
        ).start()
        self._poll.start()

    def _take_cameras(self) -> None:
        if self._found is None or self._found.empty():
            return
        self._poll.stop()
        self._set_cameras(self._found.get())
        self._found = None
        self._refresh.setEnabled(True)

    def _set_cameras(self, found: Sequence[CameraChoice] | str) -> None:
        """Replace the entries of the cameras by these, or by a sentence; what is chosen stays so if it is there."""
        before = self._entry()
        self._list.blockSignals(True)
        for _ in range(self._camera_rows):
            self._list.takeItem(0)
        items = [_note(found)] if isinstance(found, str) else [_camera_item(camera) for camera in found]
        items = items or [_note(tr(NO_CAMERA))]
        for row, item in enumerate(items):
            self._list.insertItem(row, item)
        self._camera_rows = len(items)
        texts = [] if isinstance(found, str) else [camera.text for camera in found]
        if isinstance(before, CameraChoice):
            # None instead of another: that would not be the one which the user chose.
            self._list.selectionModel().clear()
            if before.text in texts:
                self._list.setCurrentRow(texts.index(before.text))
        elif before == 0 and found != tr(LOOKING):
            self._list.setCurrentRow(0 if texts else len(items) + 1)
        self._list.blockSignals(False)
        self._show_entry()

    # --- choosing ---------------------------------------------------------------------------------------------

    def _entry(self) -> CameraChoice | int:
        """The camera or the number of the page that is chosen; 0 for nothing."""
        items = self._list.selectedItems()
        entry: CameraChoice | int = items[0].data(_ENTRY) if items else 0
        return entry

    def _page(self) -> Page:
        page = self._pages.currentWidget()
        assert isinstance(page, Page)
        return page

    def _show_entry(self) -> None:
        entry = self._entry()
        if isinstance(entry, CameraChoice):
            self._camera.show_camera(entry)
            self._pages.setCurrentWidget(self._camera)
        else:
            self._pages.setCurrentIndex(entry)
        self._update_open()

    def _update_open(self) -> None:
        self._open.setEnabled(bool(self._page().source()))

    def _double_clicked(self) -> None:
        if self._page().source():
            self._choose()
        else:
            self._page().begin()

    def _choose(self) -> None:
        text = self._page().source()
        if text:
            self.accept()
            self.source_chosen.emit(text)


def _list_into(
    cameras: Callable[[], Sequence[CameraChoice]], found: queue.SimpleQueue[Sequence[CameraChoice] | str]
) -> None:
    try:
        found.put(tuple(cameras()))
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        found.put(tr("Cameras cannot be listed: {reason}").format(reason=reason))


def _camera_item(camera: CameraChoice) -> QListWidgetItem:
    item = QListWidgetItem(camera.name)
    item.setToolTip(camera.name)
    item.setData(_ENTRY, camera)
    return item


def _note(text: str) -> QListWidgetItem:
    item = QListWidgetItem(text)
    item.setToolTip(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item


def _heading(text: str) -> QListWidgetItem:
    item = _note(text)
    font = item.font()
    font.setPixelSize(11)
    font.setWeight(font.Weight.DemiBold)
    item.setFont(font)
    item.setSizeHint(QSize(0, 34))
    item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
    return item

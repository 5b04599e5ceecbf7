"""Videos, folders, addresses and networks that are dropped onto the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

from models.head_file import SUFFIX
from models.top_down.files import is_checkpoint

NETWORK_SUFFIX = ".task"


class DropTarget(QObject):
    """Lets things be dropped onto `window`: a .task bundle or a checkpoint is a network, a .safetensors file a head,
    everything else a source.
    """

    def __init__(
        self,
        window: QWidget,
        open_source: Callable[[str], None],
        use_network: Callable[[str], None],
        open_head: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._open_source, self._use_network, self._open_head = open_source, use_network, open_head
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            return False
        assert isinstance(event, QDropEvent)  # entering is one, too
        text = dropped_text(event.mimeData())
        if text:
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                is_network = text.lower().endswith(NETWORK_SUFFIX) or is_checkpoint(text)
                is_head = text.lower().endswith(SUFFIX)
                (self._use_network if is_network else self._open_head if is_head else self._open_source)(text)
        return bool(text)


def dropped_text(data: QMimeData) -> str:
    """The path or address of the one thing that is dropped; empty where it is none, or several."""
    urls = data.urls()
    if len(urls) == 1:
        return urls[0].toLocalFile() or urls[0].toString()
    text = data.text().strip()
    return text if not urls and "://" in text and len(text.split()) == 1 else ""

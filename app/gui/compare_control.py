"""“Compare on the last seconds”: the report of a replay from what was seen live, and the way to open it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices

from app.errors import UserError
from app.frames import PoseResult
from app.gui.language import tr
from app.gui.message_bar import MessageBar
from app.gui.record_menu import RecordMenu
from app.output_file import free_path
from app.output_names import snapshot_path
from app.replay.recent import RecentResults
from app.session import Session

if TYPE_CHECKING:
    from app.replay.live import Compared

SHORTEST_KEPT_S = 10.0
_LOOK_FOR_REPORT_MS = 100


class CompareControl(QObject):
    """folder: of the recordings, where reports go too; made when it is first needed.

    preroll_s: so much is kept for “save the last seconds”; comparisons look as far back, and at least 10 s.
    """

    def __init__(self, parent: QObject, messages: MessageBar, menu: RecordMenu, folder: Path, preroll_s: float) -> None:
        super().__init__(parent)
        self.seconds = max(SHORTEST_KEPT_S, preroll_s)
        self._messages = messages
        self._folder = folder
        self._session: Session | None = None
        self._recent = RecentResults(self.seconds)
        self._thread: threading.Thread | None = None
        self._made: list[Compared | str] = []  # or why there is no report
        # The window's own timers stop when the source has ended.
        self._timer = QTimer(self, interval=_LOOK_FOR_REPORT_MS)
        self._timer.timeout.connect(self._tell)
        menu.show_compared(self.seconds)
        menu.compare_last_asked.connect(self.compare)

    def adopt(self, session: Session) -> None:
        """Compare on another session from now on: what the one before has seen is forgotten."""
        self._session = session
        self._recent = RecentResults(self.seconds)
        session.listener = self._recent.add

    def compare(self) -> None:
        """Write the report beside the recordings, on a thread of its own, and offer to open it."""
        if self._session is None:
            return
        if self._timer.isActive():
            self._messages.show_message(tr("The comparison is still being made."))
            return
        results, newest = self._recent.read()
        if not results:
            self._messages.show_message(tr("There is nothing to compare yet: no picture has been read."), "warning")
            return
        source = self._session.source.name
        self._thread = threading.Thread(target=self._compare, args=(results, newest, source), name="compare-last")
        self._thread.start()
        self._timer.start()
        comparing = tr("Comparing every decoder on the last {seconds:.2g} seconds …")
        self._messages.show_message(comparing.format(seconds=self.seconds))

    def _compare(self, results: list[PoseResult], newest: PoseResult | None, source: str) -> None:
        try:
            # Here, on this thread, and not at the top: torch and matplotlib take seconds to import.
            from app.replay.live import compare_recent

            name = snapshot_path(self._folder, source, "compare").stem
            made = compare_recent(results, newest, source, free_path(self._folder, name, ".html"))
        except UserError as error:
            self._made.append(str(error))
        except Exception as error:
            self._made.append(tr("The comparison could not be made: {error}.").format(error=error))
        else:
            self._made.append(made)

    def _tell(self) -> None:
        if not self._made:
            return
        self._timer.stop()
        made = self._made.pop(0)
        if isinstance(made, str):
            self._messages.show_message(made, "warning")
            return
        url = QUrl.fromLocalFile(str(made.path.absolute()))
        self._messages.offer(_said(made, tr), tr("Open the report"), lambda: self._open(url))

    def _open(self, url: QUrl) -> None:
        if not QDesktopServices.openUrl(url):
            nobody = tr("No program opens pages here. The report is {path}")
            self._messages.show_message(nobody.format(path=url.toLocalFile()), "warning")

    def close(self) -> None:
        """Wait for the report that is being made."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        for made in self._made:
            print(made if isinstance(made, str) else _said(made))


def _said(made: Compared, tr: Callable[[str], str] = str) -> str:
    """tr: translates."""
    since = tr(", since {what} was changed").format(what=tr(made.since)) if made.since else ""
    said = tr("Compared on {seconds:.1f} s ({frames} frames{since}): {path}")
    return said.format(seconds=made.seconds, frames=made.frames, since=since, path=made.path)

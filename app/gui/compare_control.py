"""“Compare on the last seconds”: the report of a replay from what was seen live, and the way to open it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout

from app.errors import UserError
from app.frames import PoseResult
from app.gui.message_bar import MessageBar
from app.gui.record_menu import RecordMenu
from app.gui.widgets import tool_button
from app.output_file import free_path
from app.output_names import snapshot_path
from app.replay.recent import RecentResults
from app.session import Session

SHORTEST_KEPT_S = 10.0
_LOOK_FOR_REPORT_MS = 100


class OfferingMessageBar(MessageBar):
    """A message bar with a button beside a message that offers something."""

    def __init__(self) -> None:
        super().__init__()
        self._act: Callable[[], object] | None = None
        self._button = tool_button("")
        self._button.clicked.connect(self._clicked)
        self._button.hide()
        layout = self.layout()
        assert isinstance(layout, QHBoxLayout)
        layout.insertWidget(1, self._button, 0, Qt.AlignmentFlag.AlignTop)

    def show_message(self, text: str, kind: str = "info") -> None:
        """kind: info, warning or error. Whatever was offered before is so no longer."""
        self._button.hide()
        self._act = None
        super().show_message(text, kind)

    def offer(self, text: str, title: str, act: Callable[[], object]) -> None:
        """Show a message, and a button with this title that does `act`."""
        self.show_message(text)
        self._act = act
        self._button.setText(title)
        self._button.setAccessibleName(title)
        self._button.show()

    def _clicked(self) -> None:
        if self._act is not None:
            self._act()


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of a comparison. report: None where there is none."""

    text: str
    report: Path | None = None


class CompareControl(QObject):
    """folder: of the recordings, where reports go too; made when it is first needed.

    preroll_s: so much is kept for “save the last seconds”; comparisons look as far back, and at least 10 s.
    """

    def __init__(
        self, parent: QObject, messages: OfferingMessageBar, menu: RecordMenu, folder: Path, preroll_s: float
    ) -> None:
        super().__init__(parent)
        self.seconds = max(SHORTEST_KEPT_S, preroll_s)
        self._messages = messages
        self._folder = folder
        self._session: Session | None = None
        self._recent = RecentResults(self.seconds)
        self._thread: threading.Thread | None = None
        self._said: list[_Said] = []
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
            self._messages.show_message("The comparison is still being made.")
            return
        results, newest = self._recent.read()
        if not results:
            self._messages.show_message("There is nothing to compare yet: no picture has been read.", "warning")
            return
        source = self._session.source.name
        self._thread = threading.Thread(target=self._compare, args=(results, newest, source), name="compare-last")
        self._thread.start()
        self._timer.start()
        self._messages.show_message(f"Comparing every decoder on the last {self.seconds:.2g} seconds …")

    def _compare(self, results: list[PoseResult], newest: PoseResult | None, source: str) -> None:
        try:
            # Here, on this thread, and not at the top: torch and matplotlib take seconds to import.
            from app.replay.live import compare_recent

            name = snapshot_path(self._folder, source, "compare").stem
            made = compare_recent(results, newest, source, free_path(self._folder, name, ".html"))
        except UserError as error:
            self._said.append(_Said(str(error)))
        except Exception as error:
            self._said.append(_Said(f"The comparison could not be made: {error}."))
        else:
            since = f", since {made.since} was changed" if made.since else ""
            text = f"Compared on {made.seconds:.1f} s ({made.frames} frames{since}): {made.path}"
            self._said.append(_Said(text, made.path))

    def _tell(self) -> None:
        if not self._said:
            return
        self._timer.stop()
        said = self._said.pop(0)
        if said.report is None:
            self._messages.show_message(said.text, "warning")
            return
        url = QUrl.fromLocalFile(str(said.report.absolute()))
        self._messages.offer(said.text, "Open the report", lambda: self._open(url))

    def _open(self, url: QUrl) -> None:
        if not QDesktopServices.openUrl(url):
            self._messages.show_message(f"No program opens pages here. The report is {url.toLocalFile()}", "warning")

    def close(self) -> None:
        """Wait for the report that is being made."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        for said in self._said:
            print(said.text)

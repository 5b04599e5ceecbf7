"""When Python's collector of reference cycles may run: only between two events of Qt, on Qt's own thread.

A window and what belongs to it refer to each other, so it is the collector that destroys them in the end. Left to
itself it runs wherever Python happens to allocate: on the pipeline's threads, where a widget must not be destroyed, or
in the middle of Qt destroying the very widget. Both crash, rarely, which is the worst kind.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 500


class GarbageOnQtThread(QObject):
    """Takes the collector over from Python, by generations and thresholds as Python would, until `give_back`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        # What is loaded by now, all of torch with it, stays to the end and need not be looked through again and again.
        gc.freeze()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Collect the oldest generation that is due, if any is."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [n for n in range(3) if counts[n] > thresholds[n]]
        if due:
            gc.collect(due[-1])

    def give_back(self) -> None:
        """Leave the collector as it was found. For when the windows are gone."""
        self._timer.stop()
        gc.collect()
        if self._was_enabled:
            gc.unfreeze()
            gc.enable()

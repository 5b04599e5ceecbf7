"""A one-item mailbox in which a new item replaces the old one."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds at most one item. `put` never blocks; an item that was never taken is replaced and counted."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self.replaced = 0

    def put(self, item: T) -> None:
        with self._condition:
            if self._item is not None:
                self.replaced += 1
            self._item = item
            self._condition.notify()

    def take(self, timeout: float) -> T | None:
        """The item, or None if none came within `timeout` seconds (0 asks without waiting)."""
        with self._condition:
            if self._item is None and timeout > 0:
                self._condition.wait(timeout)
            item, self._item = self._item, None
            return item

"""A mailbox for the newest item, in which a new one replaces those that nobody took."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds the newest item. `put` never blocks; an item that was never taken is replaced and counted.

    patience: how many items may wait instead, oldest first, while the taker is held up for a moment; 1 is none. May be
        changed at any time; what was replaced before is forgiven then. Where more come than may wait, the taker is too
        slow and not just held up: only the newest is kept then, and only one at a time until the taker has caught up
        and had to wait for an item. So no item grows old where every other one is replaced anyway.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._items: deque[T] = deque()
        self._caught_up = True
        self._waits = True
        self._patience = 1
        self.replaced = 0

    @property
    def patience(self) -> int:
        return self._patience

    @patience.setter
    def patience(self, items: int) -> None:
        with self._condition:
            self._patience = items
            self._caught_up = True

    def put(self, item: T) -> None:
        with self._condition:
            if len(self._items) >= (self._patience if self._caught_up else 1):
                self.replaced += len(self._items)
                self._caught_up = False
                self._items.clear()
            self._items.append(item)
            self._condition.notify()

    def take(self, timeout: float) -> T | None:
        """The oldest that waits, or None if none came within `timeout` seconds (0 asks without waiting)."""
        with self._condition:
            if not self._items:
                self._caught_up = True
                if timeout > 0 and self._waits:
                    self._condition.wait(timeout)
            return self._items.popleft() if self._items else None

    def let_go(self) -> None:
        """Let nobody wait for an item any more, neither who does now nor later."""
        with self._condition:
            self._waits = False
            self._condition.notify_all()

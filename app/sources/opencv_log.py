"""Keeps OpenCV's own warnings off the terminal: the app says in its own words what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_lock = threading.Lock()
_users = 0
_level_before = 0


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's log inside the block; blocks may overlap and lie inside each other.

    The level is one for the whole process: the first block to begin sets it, the last to end restores it.
    """
    global _users, _level_before
    with _lock:
        if _users == 0:
            _level_before = cv2.utils.logging.getLogLevel()
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                cv2.utils.logging.setLogLevel(_level_before)

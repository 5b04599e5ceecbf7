"""Keeps OpenCV's own warnings off the terminal: the app says in its own words what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_lock = threading.Lock()


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's log inside the block. The log level is one for the whole process, hence the lock."""
    with _lock:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            cv2.utils.logging.setLogLevel(level)

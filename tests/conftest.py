"""What holds for every test: no window on the desktop, no thread left behind."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator

# Before anything imports Qt; subprocesses inherit it. Who wants to see the windows sets it to xcb, cocoa or windows.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The window of the tests is English, whatever the system speaks.
os.environ["LANGUAGE"] = "en"
# As in models/__init__.py, for the tests that import torch before it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

# Settings of the tests, not the user's own.
_CONFIG = tempfile.TemporaryDirectory()
os.environ["XDG_CONFIG_HOME"] = _CONFIG.name
_GRACE_S = 3.0


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """Fails a test whose threads still run a little after its end, daemons included."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _GRACE_S
    while left := [thread for thread in threading.enumerate() if thread not in before]:
        if time.monotonic() > deadline:
            pytest.fail(f"left running: {', '.join(thread.name for thread in left)}")
        time.sleep(0.01)


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """pytest-qt makes its application of this class: the moment before is the last to mend Qt's environment."""
    from app.gui.qt_environment import prepare_qt_environment

    prepare_qt_environment()
    from PySide6.QtWidgets import QApplication

    return QApplication

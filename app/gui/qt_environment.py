"""What has to be settled before QApplication exists."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# cv2's Linux wheels point Qt at plug-ins and fonts of their own when they are imported, which breaks PySide6.
_SET_BY_CV2 = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def prepare_qt_environment() -> None:
    """Import cv2 now, then take back what it did to Qt's environment. Call before QApplication is made."""
    before = {name: os.environ.get(name) for name in _SET_BY_CV2}
    import cv2  # noqa: F401  (imported for its side effect, so that it cannot come later)

    for name in _SET_BY_CV2:
        # What the user set stays; where cv2 was imported earlier, its own folder is recognised by its name.
        value = before[name]
        if value is None or "cv2" in value:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def display_found() -> bool:
    """Whether Qt has something to open a window on, as far as the environment tells."""
    if "QT_QPA_PLATFORM" in os.environ or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def describe_platform() -> Iterator[str]:
    """For the doctor: which Qt platform would be used, and what is missing for it."""
    prepare_qt_environment()
    import PySide6
    from PySide6.QtCore import qVersion
    from PySide6.QtGui import QGuiApplication

    yield f"Qt {qVersion()}, PySide6 {PySide6.__version__}"
    if not display_found():
        yield "! No display found (neither DISPLAY nor WAYLAND_DISPLAY is set): the window cannot open here."
    elif QGuiApplication.instance() is None:
        application = QGuiApplication(["posescope-doctor"])
        yield f"Qt platform: {application.platformName()}"
        application.shutdown()

"""Saves pictures, and says in words what was saved."""

from __future__ import annotations

from pathlib import Path

import cv2
from PySide6.QtWidgets import QWidget

from app.errors import OutputError
from app.frames import Image
from app.recorder import RecordingSummary


def save_png(picture: Image, path: Path) -> None:
    """Write a BGR picture; a missing folder is made. Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    except OSError as error:
        raise OutputError(f"Cannot save the picture in {path.parent}: {error.strerror}.") from None


def save_screenshot(window: QWidget, path: Path) -> None:
    """Write a picture of the window itself; a missing folder is made. Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write the screenshot {path}: {error.strerror}.") from None
    if not window.grab().save(str(path)):
        raise OutputError(f"Cannot write the screenshot {path}: is it a .png or .jpg in a writable folder?")


def recording_message(summary: RecordingSummary) -> str:
    """One or two sentences: how much was recorded, where it is, and why it stopped where it failed."""
    if not summary.frames or not summary.paths:
        return summary.error or "Nothing was recorded: no frame came."
    dropped = f", {summary.dropped} frames dropped" if summary.dropped else ""
    first, *others = summary.paths
    names = f"{first}"
    if others:
        names += f" and {others[0].name}" if len(others) == 1 else f" and {len(others)} files beside it"
    saved = f"Saved {summary.duration_s:.1f} s ({summary.frames} frames{dropped}) in {names}"
    return f"The recording stopped: {summary.error} {saved}" if summary.error is not None else saved

"""Saves pictures, and says in words what was saved."""

from __future__ import annotations

from collections.abc import Callable
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


def recording_message(summary: RecordingSummary, tr: Callable[[str], str] = str) -> str:
    """One or two sentences: how much was recorded, where it is, and why it stopped where it failed. tr: translates."""
    if not summary.frames or not summary.paths:
        return summary.error or tr("Nothing was recorded: no frame came.")
    dropped = tr(", {n} frames dropped").format(n=summary.dropped) if summary.dropped else ""
    first, *others = summary.paths
    names = f"{first}"
    if len(others) == 1:
        names += tr(" and {name}").format(name=others[0].name)
    elif others:
        names += tr(" and {n} files beside it").format(n=len(others))
    saved = tr("Saved {seconds:.1f} s ({frames} frames{dropped}) in {names}")
    saved = saved.format(seconds=summary.duration_s, frames=summary.frames, dropped=dropped, names=names)
    if summary.error is None:
        return saved
    return tr("The recording stopped: {error} {saved}").format(error=summary.error, saved=saved)

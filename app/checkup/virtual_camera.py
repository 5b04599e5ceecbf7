"""Whether other programs can be offered the annotated picture as a camera. That is optional, so never a problem."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterator
from pathlib import Path

from app.checkup.findings import Finding, fine, note
from app.checkup.remedies import pip_line
from app.virtual_camera import INSTALL_BACK_END, INSTALL_ON_DEBIAN, LOAD_ON_LINUX

_SUBJECT = "Virtual camera"


def check_virtual_camera(
    has_package: bool | None = None,
    devices: Path = Path("/sys/devices/virtual/video4linux"),
    system: str | None = None,
) -> Iterator[Finding]:
    """has_package: whether pyvirtualcam is installed. devices: where Linux lists cameras that are made by software."""
    system = system or platform.system()
    if has_package is None:
        has_package = importlib.util.find_spec("pyvirtualcam") is not None
    if not has_package:
        yield note(
            _SUBJECT,
            "The package pyvirtualcam is not installed, which offers the picture to meetings and OBS.",
            "If you want that:",
            pip_line("install pyvirtualcam"),
        )
    elif system == "Linux" and not any(devices.glob("video*")):
        yield note(
            _SUBJECT,
            "There is no v4l2loopback device to send pictures to.",
            "If you want that, install it (this is for Debian and Ubuntu) and load it:",
            INSTALL_ON_DEBIAN,
            LOAD_ON_LINUX,
        )
    elif system == "Linux":
        yield fine(_SUBJECT, "pyvirtualcam and a device to send pictures to are there.")
    else:
        # Whether OBS is there is seen only when its camera is opened, and opening it would be seen by others.
        how = INSTALL_BACK_END.get(system, "see the manual of pyvirtualcam for what it needs here")
        yield note(_SUBJECT, "pyvirtualcam is there; it sends pictures through OBS.", f"If that fails: {how}.")

"""Every check, in order, and what comes of them."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from app.checkup.findings import Finding, problem

# Subject, module, function. Imported when it is their turn, for what they import may be what is broken.
_CHECKS = (
    # Before anything imports cv2, which changes what is looked at here.
    ("Qt’s plug-ins", "qt", "check_qt_environment"),
    ("Python", "packages", "check_python"),
    ("Packages", "packages", "check_packages"),
    ("OpenCV", "packages", "check_opencv"),
    ("Networks", "files", "check_bundles"),
    ("OpenVINO", "engine", "check_openvino"),
    ("Graphics card", "gpu", "check_gpu"),
    ("Compiled networks", "files", "check_graph_cache"),
    ("Camera", "cameras", "check_cameras"),
    ("Video encoder", "recording", "check_encoders"),
    ("Recordings", "recording", "check_recordings_folder"),
    ("Virtual camera", "virtual_camera", "check_virtual_camera"),
    ("Settings", "files", "check_settings"),
    ("Qt’s libraries", "qt", "check_qt_libraries"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """subject: what is looked at, in a word or two. examine: does so, and may fail in any way."""

    subject: str
    examine: Callable[[], Iterable[Finding]]


def all_checks(recordings: Path) -> tuple[Check, ...]:
    """recordings: the folder for them, which need not exist."""
    arguments = {"check_recordings_folder": (recordings,)}
    return tuple(
        Check(subject, _imported_later(module, function, *arguments.get(function, ())))
        for subject, module, function in _CHECKS
    )


def _imported_later(module: str, function: str, *arguments: Path) -> Callable[[], Iterable[Finding]]:
    def examine() -> Iterable[Finding]:
        check = getattr(importlib.import_module(f"app.checkup.{module}"), function)
        return cast(Iterable[Finding], check(*arguments))

    return examine


def examine(checks: Sequence[Check], stopped: threading.Event | None = None) -> Iterator[Finding]:
    """The findings of each check, as they come. One that fails becomes a finding. Ends early where `stopped` is set."""
    for check in checks:
        if stopped is not None and stopped.is_set():
            return
        try:
            yield from check.examine()
        except Exception as error:
            yield _failed(check.subject, error)


def _failed(subject: str, error: Exception) -> Finding:
    reason = f"{type(error).__name__}: {error}".split("\n")[0].rstrip(": .")
    # A package that is not there or damaged.
    remedy = "See “Packages”." if isinstance(error, ImportError) else "Please report it, with all of these lines."
    return problem(subject, f"This could not be examined ({reason}).", remedy)

"""`posescope doctor`: what is wrong and how to mend it, and then the facts."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator

from app.checkup.child import Tried, try_python
from app.checkup.examination import Check, all_checks, examine
from app.checkup.facts import all_facts
from app.checkup.findings import Finding, Severity, as_text, fine, note, problem
from app.checkup.qt import qt_is_installed
from app.settings import load_settings, recordings_folder

EXIT_PROBLEM = 1
_DESCRIBE_QT = "from app.gui.qt_environment import describe_platform; print(*describe_platform(), sep='\\n')"
_NO_DISPLAY = "!"  # how its lines about what is missing begin
_NARROWEST = 40


def report() -> int:
    """Print findings and facts. Returns the exit code: 1 where something is a problem, else 0."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names of cameras and folders may hold what this terminal cannot show
    folder = recordings_folder(load_settings()[0])
    qt = try_python(_DESCRIBE_QT) if qt_is_installed() else None
    findings = list(examine((*all_checks(folder), Check("Window", lambda: _window(qt)))))
    _print(as_text(findings, _width()), "", *all_facts(), *_qt_facts(qt))
    return EXIT_PROBLEM if any(finding.severity is Severity.PROBLEM for finding in findings) else 0


def _print(*lines: str) -> None:
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:  # as of “doctor | head”; Python itself would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _qt_facts(qt: Tried | None) -> list[str]:
    """What Qt says of itself, without what is missing, which is a finding."""
    told = [] if qt is None or qt.reason else qt.output.splitlines()
    return [line for line in told if not line.startswith(_NO_DISPLAY)]


def _width() -> int | None:
    """Of the terminal; None where what is printed goes into a file or another program."""
    return max(_NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def _window(qt: Tried | None) -> Iterator[Finding]:
    """Whether Qt can open a window: tried in a process of its own, for where it cannot it ends the program."""
    if qt is None:
        yield note("Window", "Qt is not installed: the window cannot open, `posescope run` works without it.")
    elif qt.reason:
        yield problem("Window", f"Qt cannot open a window: {qt.reason}.", "See “Packages” and “Qt’s libraries”.")
    elif missing := [line for line in qt.output.splitlines() if line.startswith(_NO_DISPLAY)]:
        yield note("Window", missing[0].removeprefix(_NO_DISPLAY).strip(), "`posescope run` works without one.")
    else:
        yield fine("Window", "Qt can open a window.")

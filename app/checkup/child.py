"""Tries a piece of Python in a process of its own, where it may crash and load what it likes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import app

_ROOT = Path(app.__file__).parents[1]
_TIMEOUT_S = 90.0  # importing torch from a cold disk takes half of it


@dataclass(frozen=True, slots=True)
class Tried:
    """output: what was printed. reason: why it failed, as a part of a sentence; empty where it did not."""

    output: str
    reason: str


def try_python(code: str, environment: Mapping[str, str] | None = None, timeout_s: float = _TIMEOUT_S) -> Tried:
    """Run `code` with this Python; it may import what this program may. Never raises.

    environment: None for this program's.
    """
    environment = dict(os.environ if environment is None else environment)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (environment.get("PYTHONPATH"), str(_ROOT))))
    environment["PYTHONIOENCODING"] = "utf-8"
    try:
        done = subprocess.run(
            # -P: not what lies in the present folder and is called as one of our packages.
            [sys.executable, "-P", "-c", code],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        return Tried("", f"no answer has come within {timeout_s:.0f} s")
    except OSError as error:
        return Tried("", f"Python cannot be started: {error.strerror or error}")
    return Tried(done.stdout, _reason(done.returncode, done.stderr))


def _reason(code: int, stderr: str) -> str:
    if code == 0:
        return ""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if code > 0 and lines:
        return lines[-1].rstrip(".")  # of a traceback this is the error itself
    said = f" ({lines[0].rstrip('.')})" if lines else ""
    return f"it ended with {_ending(code)}{said}"


def _ending(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"

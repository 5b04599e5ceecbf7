"""Peak memory of one engine, alone in a process of its own: `python -m app.bench.memory ENGINE MODEL SOURCE`."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

from app.bench.contenders import MEDIAPIPE, open_named
from app.bench.inputs import pictures
from app.bundled import model_file

FRAMES = 30
MB = 2**20
# Loading may take a minute where a disk is slow and graphs are made anew.
_LONGEST_S = 300.0


class Alone:
    """A process that loads the engine `name` and runs FRAMES frames of `source`, from now on. Use it in a `with`."""

    def __init__(self, name: str, model: str, source: str) -> None:
        command = [sys.executable, "-m", "app.bench.memory", name, model, source]
        told = platform.system() != "Windows"
        self._process = (
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) if told else None
        )

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with self._process:
                self._process.kill()

    def peak_mb(self) -> float | None:
        """MB (2²⁰ bytes) that the process needed at most, Python and the video's decoder included. Waits for it.

        None where the system does not tell it, or the process failed.
        """
        if self._process is None:
            return None
        try:
            told, _ = self._process.communicate(timeout=_LONGEST_S)
            return float(told.split()[-1]) if self._process.returncode == 0 else None
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            return None


def peak_mb() -> float:
    """Peak resident memory of this process so far in MB. Not on Windows."""
    if platform.system() == "Linux":
        # Not getrusage: there a process that was just started inherits the peak of the one that started it.
        kilobytes = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
        if kilobytes is not None:
            return int(kilobytes[1]) * 1024 / MB
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MB if platform.system() == "Darwin" else peak * 1024 / MB


def _run(name: str, model: str, source: str) -> None:
    path, sha256 = model_file(model)
    runs = open_named(name, path, sha256)
    images = (frame.image for frame in islice(pictures(source), FRAMES))
    if name == MEDIAPIPE:
        for image in images:
            runs.process(image)  # type: ignore[union-attr]  # by its name
        return
    from models.estimator import PoseEstimator

    estimator = PoseEstimator(runs)  # type: ignore[arg-type]
    for image in images:
        estimator.estimate(image)


if __name__ == "__main__":
    _run(*sys.argv[1:4])
    print(f"{peak_mb():.1f}")

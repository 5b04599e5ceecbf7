"""Has many damaged inputs tried in worker processes, and tells what became of them."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_CPU_S = 10.0
# An input may wait for a core on a busy machine, but not for ever.
LONGEST_WALL_S = 90.0
MOST_MEMORY_MB = 2048
_STARTING_S = 300.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one input. failure: a traceback, a signal, a hang. sentence: empty where it was accepted.

    cpu_s, wall_s: what it took. peak_mb: most memory that the process held meanwhile.
    """

    seed: int
    failure: str = ""
    sentence: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_mb: float = 0.0

    @property
    def kind(self) -> str:
        """The sentence without what is particular to this input."""
        plain = re.sub(r"\S*[/\\]\S+", "PATH", self.sentence)
        return re.sub(r"\d+", "N", re.sub(r"“[^”]*”", "“…”", plain)) or "accepted"


@dataclass(slots=True)
class Campaign:
    """All answers, in the order in which they came."""

    answers: list[Answer] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def failures(self) -> list[str]:
        """One text for each input that crashed, hung, raised something else, or took too much time or memory."""
        return [
            f"seed {answer.seed}: {answer.failure or f'{answer.cpu_s:.1f} s, {answer.peak_mb:.0f} MB'}"
            for answer in self.answers
            if answer.failure or answer.cpu_s > LONGEST_CPU_S or answer.peak_mb > MOST_MEMORY_MB
        ]

    def count(self, *, accepted: bool) -> int:
        return sum((not answer.sentence) is accepted for answer in self.answers if not answer.failure)

    def summary(self) -> str:
        slowest = max(self.answers, key=lambda answer: answer.cpu_s)
        largest = max(self.answers, key=lambda answer: answer.peak_mb)
        kinds = Counter(answer.kind for answer in self.answers if not answer.failure)
        return "\n".join(
            (
                f"{len(self.answers)} inputs in {self.wall_s:.0f} s: {self.count(accepted=True)} accepted, "
                f"{self.count(accepted=False)} refused, {len(self.failures)} failed",
                f"slowest: seed {slowest.seed}, {slowest.cpu_s:.2f} s of computing, {slowest.wall_s:.2f} s in all",
                f"most memory: seed {largest.seed}, {largest.peak_mb:.0f} MB",
                *(f"{count:6d}  {kind}" for kind, count in kinds.most_common()),
                *self.failures,
            )
        )


def run(kind: str, seeds: Iterable[int], folder: Path, workers: int = 1) -> Campaign:
    """Try the inputs of these seeds. kind: a key of `tests.fuzz.worker.TRIALS`. folder: for the files."""
    campaign, waiting, lock = Campaign(), queue.SimpleQueue(), threading.Lock()
    for seed in seeds:
        waiting.put(seed)

    def work(number: int) -> None:
        worker = _Worker(kind, folder / f"{kind}-{number}")
        try:
            while True:
                try:
                    seed = waiting.get_nowait()
                except queue.Empty:
                    return
                answer = worker.attempt(seed)
                with lock:
                    campaign.answers.append(answer)
        finally:
            worker.end()

    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, number) for number in range(workers)]:
            done.result()
    campaign.wall_s = time.perf_counter() - start
    return campaign


class _Worker:
    """A process that is started again whenever it is gone."""

    def __init__(self, kind: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._command = [sys.executable, "-m", "tests.fuzz.worker", kind, str(folder)]
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None

    def attempt(self, seed: int) -> Answer:
        process = self._process or self._start()
        start = time.perf_counter()
        cpu_before = _cpu_s(process.pid)
        try:
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
        except BrokenPipeError:
            return Answer(seed, self._gone())
        while True:
            try:
                line = self._lines.get(timeout=0.5)
                return Answer(**json.loads(line)) if line else Answer(seed, self._gone())
            except queue.Empty:
                wall = time.perf_counter() - start
                cpu = _cpu_s(process.pid) - cpu_before
                if cpu > LONGEST_CPU_S or wall > LONGEST_WALL_S:
                    self.end(kill=True)
                    return Answer(seed, f"hung: {cpu:.1f} s of computing, {wall:.1f} s in all", "", cpu, wall)

    def end(self, kill: bool = False) -> None:
        if self._process is not None:
            if kill:
                self._process.kill()
            self._process.stdin.close()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        self._process = process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=_ROOT,
        )
        self._lines = lines = queue.SimpleQueue()

        def read() -> None:
            for line in process.stdout:
                lines.put(line)
            lines.put("")

        self._reader = threading.Thread(target=read)
        self._reader.start()
        if lines.get(timeout=_STARTING_S) != "ready\n":
            raise RuntimeError(f"The worker does not start: {' '.join(self._command)}")
        return process

    def _gone(self) -> str:
        process = self._process
        self.end()
        code = process.returncode
        return f"crashed: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"


def _cpu_s(pid: int) -> float:
    """Processor time that a process has taken; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return 0.0

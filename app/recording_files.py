"""The files of one recording behind one shape, and what is said about a recording: in its tags, and when it is over."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app import __version__
from app.errors import UserError
from app.exporters import KeypointExporter, open_exporter
from app.frames import Image, PoseResult
from app.mp4_writer import Mp4Writer, Tags, tags

# A third of the others' share where all cores are busy: with less a queue of two seconds does not last.
_NICENESS = 5


@dataclass(frozen=True, slots=True)
class RecordingAbout:
    """What the video's tags say of where it comes from.

    source: its name, which holds no credentials. dropped_before: counts the frames that never reached the network,
        since whenever; those that come to it during the recording are told.
    """

    source: str
    network: str
    decoder: str
    dropped_before: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class RecordingSummary:
    """What became of a recording.

    paths: the files that hold something, the annotated video first.
    frames: written. dropped: left out because the queue was full. duration_s: how long the video plays, or
        would play.
    error: one or more sentences where the recording ended early, or one of its files did; what was written until then
        can be played.
    """

    paths: tuple[Path, ...]
    frames: int
    dropped: int
    duration_s: float
    error: str | None


class RecordingTags:
    """The tags of a recording, with counts that grow while it is made. Thread-safe.

    dropped: frames left out of the recording so far.
    """

    def __init__(self, about: RecordingAbout | None, dropped: Callable[[], int]) -> None:
        self._about = about
        self._dropped = dropped
        self._lock = threading.Lock()
        self._before = 0
        self._counted = self._count()

    def __call__(self) -> dict[str, str]:
        """The tags as of now."""
        about = self._about
        facts = [f"PoseScope {__version__}"]
        if about is not None:
            facts += [f"network {about.network}", f"decoder {about.decoder}"]
        facts.append(f"frames dropped in the recording: {self._dropped()}")
        if about is not None and about.dropped_before is not None:
            with self._lock:
                count = self._count()
                # A counter that has begun anew counts from 0.
                self._before += count - self._counted if count >= self._counted else count
                self._counted = count
            facts.append(f"before the network: {self._before}")
        return tags(about.source if about is not None else "", "; ".join(facts))

    def _count(self) -> int:
        before = self._about.dropped_before if self._about is not None else None
        return before() if before is not None else 0


class RecordingFile(Protocol):
    """One file of a recording, written by one thread."""

    frames: int

    @property
    def path(self) -> Path: ...

    def write(self, result: PoseResult) -> None: ...

    def flush(self, until_ns: int | None) -> None: ...

    def check_still_there(self) -> None: ...

    def close(self, until_ns: int | None) -> None: ...

    def discard(self) -> None: ...


class VideoFile:
    """A video. picture: what to show of a result, (H, W, 3) uint8 BGR."""

    def __init__(self, path: Path, picture: Callable[[PoseResult], Image], tags: Tags, *, overwrite: bool) -> None:
        self.writer = Mp4Writer(path, overwrite=overwrite, tags=tags)
        self.path = path
        self.frames = 0
        self._picture = picture

    def write(self, result: PoseResult) -> None:
        self.writer.write(self._picture(result), result.frame.time_ns)
        self.frames += 1

    def flush(self, until_ns: int | None) -> None:
        self.writer.flush(until_ns)

    def check_still_there(self) -> None:
        self.writer.check_still_there()

    def close(self, until_ns: int | None) -> None:
        self.writer.close(until_ns)

    def discard(self) -> None:
        self.writer.discard()


class KeypointsFile:
    """Keypoints in one of the formats of `app.exporters`."""

    def __init__(self, kind: str, path: Path, *, overwrite: bool) -> None:
        self.exporter: KeypointExporter = open_exporter(kind, path, overwrite=overwrite)
        self.path = path
        self.frames = 0

    def write(self, result: PoseResult) -> None:
        self.exporter.write(result)
        self.frames += 1

    def flush(self, until_ns: int | None) -> None:
        """Nothing waits."""

    def check_still_there(self) -> None:
        self.exporter.check_still_there()

    def close(self, until_ns: int | None) -> None:
        self.exporter.close()

    def discard(self) -> None:
        self.exporter.discard()


def discard_all(files: list[RecordingFile]) -> None:
    """Close and delete files, whatever state they are in."""
    for file in files:
        with contextlib.suppress(Exception):
            file.discard()


def in_words(error: Exception, path: Path) -> str:
    """One sentence about a file that failed."""
    return str(error) if isinstance(error, UserError) else f"Cannot go on writing {path}: {error}."


def let_others_go_first() -> None:
    """Let this thread, and those that the encoder starts from it, compute when the network and the window need not.

    A queue waits for seconds, a camera's frame does not. Done on Linux only.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS))

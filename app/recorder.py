"""Records what is seen: bounded queues, and threads that draw, encode and write the keypoints."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from app.disk_space import LEAST_FREE_BYTES, says_full, short_of_space, size_text, write_through
from app.drawn_once import DrawnOnce
from app.errors import OutputError
from app.frames import Image, PoseResult
from app.free_memory import give_back_free_memory
from app.overlay import OverlayStyle
from app.recording_files import (
    KeypointsFile,
    RecordingAbout,
    RecordingFile,
    RecordingSummary,
    RecordingTags,
    VideoFile,
    discard_all,
    in_words,
    let_others_go_first,
)
from app.recording_paths import RecordingPaths

# Each wait ends by itself after this time and looks again, so that no lost wake-up can hang a thread.
_WAKE_S = 0.2
# Waiting frames hold their pictures: 60 frames in 4K would be 1.5 GB.
_MOST_WAITING_BYTES = 512 << 20
# A writer that makes no progress for so long (a network drive that is gone) is given up.
_GIVE_UP_S = 20.0
_LOOK_AT_FILES_EVERY_S = 1.0
_GIVE_BACK_MEMORY_EVERY_S = 20.0
_WATCH_DISK_EVERY_S = 0.5


@dataclass(slots=True)
class _Lane:
    """A thread, the files that it writes, and the results that wait for it."""

    name: str
    files: list[RecordingFile]
    waiting: deque[PoseResult] = field(default_factory=deque)
    frames: int = 0
    first_ns: int = 0
    last_ns: int = 0
    interval_ns: int = 0
    clock_shift_ns: int = 0  # from the host's clock to that of the frames' times
    looked_at: float = 0.0


class Recorder:
    """Writes results to videos and keypoint files, each video on a thread of its own.

    All files get the same results. A file that fails ends alone (`trouble`); the recording ends (`error`) with the
    last one, or where the disk is full or nearly so.

    about: for the tags of the videos. pictures: where the annotated pictures come from, so that none is drawn both
        here and for the screen.
    block: `offer` waits for room instead of dropping, for sources that can wait.
    live: the frames' times go with the host's clock, so that it is known how long the last one was shown.
    yields: the network and the screen, which show the same pictures, go first; by default where it does not block.
    overwrite: replace files that exist; otherwise `start` raises.
    least_free: the recording ends while so many bytes are free on the disk.

    Nothing but `start` raises.
    """

    def __init__(
        self,
        paths: RecordingPaths,
        *,
        style: OverlayStyle,
        about: RecordingAbout | None = None,
        pictures: DrawnOnce | None = None,
        queue_size: int = 60,
        block: bool = False,
        live: bool = False,
        yields: bool | None = None,
        overwrite: bool = False,
        least_free: int = LEAST_FREE_BYTES,
    ) -> None:
        self.paths = paths
        self.style = style
        self._about = about
        self._pictures = pictures or DrawnOnce(None)
        self._queue_size = queue_size
        self._block = block
        self._live = live
        self._yields = not block if yields is None else yields
        self._overwrite = overwrite
        self._least_free = least_free

        self._changed = threading.Condition()
        self._lanes: list[_Lane] = []
        self._files: list[RecordingFile] = []
        self._threads: list[threading.Thread] = []
        self._finished = threading.Event()  # all lanes
        self._accepting = False
        self._stopped_ns: int | None = None
        self._dropped = 0
        self._error: str | None = None
        self._failures: list[str] = []

    @property
    def frames(self) -> int:
        """Frames written."""
        return max((lane.frames for lane in self._lanes), default=0)

    @property
    def dropped(self) -> int:
        """Frames left out because the queue was full."""
        return self._dropped

    @property
    def elapsed_s(self) -> float:
        """Length of the recording so far in s, by the frames' own time."""
        return max(((lane.last_ns - lane.first_ns) / 1e9 for lane in self._lanes), default=0.0)

    @property
    def error(self) -> str | None:
        """One sentence where the recording has ended by itself, else None."""
        return self._error

    @property
    def trouble(self) -> str:
        """A sentence for each file that has failed while others go on; empty where all is well."""
        return " ".join(self._failures)

    def start(self) -> None:
        """Make the files and start the writers. OutputError where a file cannot be made; none is left then."""
        if self._threads:
            raise RuntimeError("a recorder can be started once")
        short = short_of_space(self.paths.all, self._least_free)
        if short is not None:
            raise OutputError(f"Cannot record: less than {size_text(self._least_free)} are free on {short}.")
        try:
            self._open()
        except Exception:
            discard_all(self._files)
            raise
        self._accepting = bool(self._lanes)
        for lane in self._lanes:
            self._threads.append(threading.Thread(target=self._run, args=(lane,), name=lane.name, daemon=True))
        if self._lanes:
            self._threads.append(threading.Thread(target=self._watch_disk, name="recorder-disk", daemon=True))
        for thread in self._threads:
            thread.start()

    def _open(self) -> None:
        tags = RecordingTags(self._about, lambda: self._dropped)
        videos = ((self.paths.annotated, self._draw), (self.paths.clean, _without_anything))
        for path, picture in videos:
            if path is not None:
                self._files.append(VideoFile(path, picture, tags, overwrite=self._overwrite))
        self._lanes = [_Lane("recorder" if i == 0 else "recorder-clean", [f]) for i, f in enumerate(self._files)]
        for kind, path in self.paths.keypoints.items():
            self._files.append(KeypointsFile(kind, path, overwrite=self._overwrite))
            if not self._lanes:
                self._lanes.append(_Lane("recorder", []))
            self._lanes[0].files.append(self._files[-1])

    def _draw(self, result: PoseResult) -> Image:
        draw = self._pictures.draw_after_screen if self._yields else self._pictures.draw
        return draw(result, self.style)

    def offer(self, result: PoseResult) -> bool:
        """Hand over a result; true where it will be written. Never raises; waits only with `block`."""
        with self._changed:
            room = min(self._queue_size, max(2, _MOST_WAITING_BYTES // max(1, result.frame.image.nbytes)))
            while self._block and self._accepting and self._most_waiting() >= room:
                self._changed.wait(_WAKE_S)
            if not self._accepting:
                return False
            if self._most_waiting() >= room:
                # Left out of every file, so that all of them show the same.
                self._dropped += 1
                return False
            for lane in self._lanes:
                if lane.files:
                    lane.waiting.append(result)
            self._changed.notify_all()
            return True

    def _most_waiting(self) -> int:
        return max(len(lane.waiting) for lane in self._lanes)

    def stop(self) -> RecordingSummary:
        """Write what still waits, close the files and end the threads. May be called again."""
        with self._changed:
            if self._accepting and self._live:
                self._stopped_ns = time.perf_counter_ns()
            self._accepting = False
            self._changed.notify_all()
        self._join()
        sentences = [*self._failures, *([self._error] if self._error else [])]
        return RecordingSummary(
            paths=tuple(file.path for file in self._files if file.frames and file.path.exists()),
            frames=self.frames,
            dropped=self._dropped,
            duration_s=self._duration_s(),
            error=" ".join(dict.fromkeys(sentences)) or None,
        )

    def _duration_s(self) -> float:
        videos = [file.writer.duration_s for file in self._files if isinstance(file, VideoFile)]
        if any(videos):
            return max(videos)
        return max(((lane.last_ns - lane.first_ns + lane.interval_ns) / 1e9 for lane in self._lanes), default=0.0)

    def _join(self) -> None:
        progress, since = -1, time.monotonic()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(_WAKE_S)
                written = sum(lane.frames for lane in self._lanes)
                if written != progress:
                    progress, since = written, time.monotonic()
                elif time.monotonic() - since > _GIVE_UP_S:
                    self._error = self._error or "The recording could not be finished: writing takes too long."
                    return

    # --- a lane's thread --------------------------------------------------------------------------------------

    def _run(self, lane: _Lane) -> None:
        if self._yields:
            let_others_go_first()
        try:
            while lane.files and self._wait(lane):
                if (result := self._take(lane)) is not None:
                    self._write(lane, result)
                self._tend(lane)
        finally:
            self._close(lane)

    def _wait(self, lane: _Lane) -> bool:
        """Wait for a result, but not for ever; False when the recording was stopped and nothing waits any more."""
        with self._changed:
            if not lane.waiting and self._accepting:
                self._changed.wait(_WAKE_S)
            return bool(lane.waiting) or self._accepting

    def _take(self, lane: _Lane) -> PoseResult | None:
        with self._changed:
            if not lane.waiting:
                return None
            result = lane.waiting.popleft()
            self._changed.notify_all()
            return result

    def _write(self, lane: _Lane, result: PoseResult) -> None:
        for file in tuple(lane.files):
            try:
                file.write(result)
            except Exception as error:
                self._give_up(lane, file, error)
        if not lane.files:
            return
        time_ns = result.frame.time_ns
        if lane.frames == 0:
            lane.first_ns = time_ns
        else:
            lane.interval_ns = time_ns - lane.last_ns
        lane.last_ns = time_ns
        lane.clock_shift_ns = time_ns - result.frame.captured_ns
        lane.frames += 1

    def _tend(self, lane: _Lane) -> None:
        """Write what waits for long, also while no frame comes, and look after the files."""
        look = time.monotonic() - lane.looked_at > _LOOK_AT_FILES_EVERY_S
        if look:
            lane.looked_at = time.monotonic()
        until_ns = time.perf_counter_ns() + lane.clock_shift_ns if self._live and not lane.waiting else None
        for file in tuple(lane.files):
            try:
                if look:
                    file.check_still_there()
                file.flush(until_ns)
            except Exception as error:
                self._give_up(lane, file, error)

    def _give_up(self, lane: _Lane, file: RecordingFile, error: Exception) -> None:
        """Go on without this file, if there is anything to go on with."""
        sentence = in_words(error, file.path)
        lane.files.remove(file)
        if file.frames:
            with contextlib.suppress(Exception):
                file.close(None)
        else:
            file.discard()
        with self._changed:
            if not lane.files:
                lane.waiting.clear()
            if says_full(error) or not any(other.files for other in self._lanes):
                self._end(sentence)
                for other in self._lanes:
                    other.waiting.clear()
            else:
                self._failures.append(sentence)
            self._changed.notify_all()

    def _close(self, lane: _Lane) -> None:
        for file in lane.files:
            try:
                if file.frames == 0:
                    file.discard()
                    continue
                try:
                    file.check_still_there()
                finally:
                    file.close(self._stopped_ns + lane.clock_shift_ns if self._stopped_ns is not None else None)
            except Exception as error:
                with self._changed:
                    self._failures.append(in_words(error, file.path))
        with self._changed:
            lane.files = []
            if not any(other.files for other in self._lanes):
                self._end(None)
                self._finished.set()

    # --- the disk ---------------------------------------------------------------------------------------------

    def _watch_disk(self) -> None:
        """On a thread of its own: a disk may take its time for an answer."""
        memory_looked_at = time.monotonic()
        while not self._finished.wait(_WATCH_DISK_EVERY_S):
            short = short_of_space(self.paths.all, self._least_free)
            if short is not None and self._accepting:
                with self._changed:
                    self._end(
                        "The recording was stopped while there was still room to finish it: "
                        f"less than {size_text(self._least_free)} are free on {short}."
                    )
            write_through(self.paths.all)
            if time.monotonic() - memory_looked_at > _GIVE_BACK_MEMORY_EVERY_S:
                give_back_free_memory()
                memory_looked_at = time.monotonic()

    def _end(self, sentence: str | None) -> None:
        """Take no more frames; what waits is still written."""
        self._error = self._error or sentence
        self._accepting = False
        self._changed.notify_all()


def _without_anything(result: PoseResult) -> Image:
    return result.frame.image


__all__ = ["Recorder", "RecordingAbout", "RecordingSummary"]

"""Records what is seen: a bounded queue, and a thread that draws, encodes and writes the keypoints."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from app.drawn_once import DrawnOnce
from app.errors import UserError
from app.exporters import KeypointsCsv
from app.frames import PoseResult
from app.mp4_writer import Mp4Writer
from app.output_file import free_path, keypoints_path_for
from app.overlay import OverlayStyle

# Each wait ends by itself after this time and looks again, so that no lost wake-up can hang a thread.
_WAKE_S = 0.2
# Waiting frames hold their pictures: 60 frames in 4K would be 1.5 GB.
_MOST_WAITING_BYTES = 512 << 20
_NICENESS = 10
# A writer that makes no progress for so long (a network drive that is gone) is given up.
_GIVE_UP_S = 20.0
_LOOK_AT_FILES_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class RecordingSummary:
    """What became of a recording.

    video_path, keypoints_path: the files, or None where none was asked for or nothing was recorded.
    frames: written. dropped: left out because the queue was full. duration_s: how long the video plays, or
        would play.
    error: one sentence where the recording ended early; what was written until then can be played.
    """

    video_path: Path | None
    keypoints_path: Path | None
    frames: int
    dropped: int
    duration_s: float
    error: str | None


class Recorder:
    """Writes results to a video, a keypoints file, or both, on a thread of its own.

    pictures: where the annotated pictures come from, so that none is drawn both here and for the screen.
    block: `offer` waits for room instead of dropping, for sources that can wait.
    overwrite: replace files that exist; otherwise `start` raises.

    Nothing but `start` raises: an error of the writer is kept in `error`.
    """

    def __init__(
        self,
        video_path: Path | str | None,
        keypoints_path: Path | str | None,
        *,
        style: OverlayStyle,
        pictures: DrawnOnce | None = None,
        queue_size: int = 60,
        block: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.video_path = Path(video_path) if video_path is not None else None
        self.keypoints_path = Path(keypoints_path) if keypoints_path is not None else None
        self.style = style
        self._pictures = pictures or DrawnOnce(None)
        self._queue_size = queue_size
        self._block = block
        self._overwrite = overwrite

        self._changed = threading.Condition()
        self._waiting: deque[PoseResult] = deque()
        self._accepting = False
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._frames = 0
        self._error: str | None = None

        self._video: Mp4Writer | None = None
        self._keypoints: KeypointsCsv | None = None
        self._first_ns = 0
        self._last_ns = 0
        self._interval_ns = 0
        self._looked_at = 0.0

    @property
    def frames(self) -> int:
        """Frames written."""
        return self._frames

    @property
    def dropped(self) -> int:
        """Frames left out because the queue was full."""
        return self._dropped

    @property
    def elapsed_s(self) -> float:
        """Length of the recording so far in s, by the frames' own time."""
        return (self._last_ns - self._first_ns) / 1e9

    @property
    def error(self) -> str | None:
        """One sentence where the writer has failed and the recording has ended, else None."""
        return self._error

    def start(self) -> None:
        """Make the files and start the writer. OutputError where a file cannot be made; none is left then."""
        if self._thread is not None:
            raise RuntimeError("a recorder can be started once")
        if self.video_path is not None:
            self._video = Mp4Writer(self.video_path, overwrite=self._overwrite)
        try:
            if self.keypoints_path is not None:
                self._keypoints = KeypointsCsv(self.keypoints_path, overwrite=self._overwrite)
        except Exception:
            if self._video is not None:
                self._video.discard()
            raise
        self._accepting = True
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def offer(self, result: PoseResult) -> bool:
        """Hand over a result; true where it will be written. Never raises; waits only with `block`."""
        with self._changed:
            room = min(self._queue_size, max(2, _MOST_WAITING_BYTES // max(1, result.frame.image.nbytes)))
            while self._block and self._accepting and len(self._waiting) >= room:
                self._changed.wait(_WAKE_S)
            if not self._accepting:
                return False
            if len(self._waiting) >= room:
                self._dropped += 1
                return False
            self._waiting.append(result)
            self._changed.notify_all()
            return True

    def stop(self) -> RecordingSummary:
        """Write what still waits, close the files and end the thread. May be called again."""
        with self._changed:
            self._accepting = False
            self._changed.notify_all()
        self._join()
        return RecordingSummary(
            video_path=self.video_path if self._frames else None,
            keypoints_path=self.keypoints_path if self._frames else None,
            frames=self._frames,
            dropped=self._dropped,
            duration_s=self._duration_s(),
            error=self._error,
        )

    def _duration_s(self) -> float:
        return self._video.duration_s if self._video else self.elapsed_s + self._interval_ns / 1e9

    def _join(self) -> None:
        thread = self._thread
        if thread is None:
            return
        progress, since = self._frames, time.monotonic()
        while thread.is_alive():
            thread.join(_WAKE_S)
            if self._frames != progress:
                progress, since = self._frames, time.monotonic()
            elif time.monotonic() - since > _GIVE_UP_S:
                self._error = self._error or "The recording could not be finished: writing takes too long."
                return

    def _run(self) -> None:
        if not self._block:
            _let_others_go_first()
        try:
            while (result := self._next()) is not None:
                self._write(result)
        except Exception as error:
            self._fail(error)
        self._close()

    def _next(self) -> PoseResult | None:
        """The next result; None when the recording has been stopped and nothing waits any more."""
        with self._changed:
            while not self._waiting:
                if not self._accepting:
                    return None
                self._changed.wait(_WAKE_S)
            result = self._waiting.popleft()
            self._changed.notify_all()
            return result

    def _write(self, result: PoseResult) -> None:
        now = time.monotonic()
        if now - self._looked_at > _LOOK_AT_FILES_EVERY_S:
            self._looked_at = now
            self._check_files()
        time_ns = result.frame.time_ns
        if self._video is not None:
            draw = self._pictures.draw if self._block else self._pictures.draw_after_screen
            self._video.write(draw(result, self.style), time_ns)
        if self._keypoints is not None:
            self._keypoints.write(result)
        if self._frames == 0:
            self._first_ns = time_ns
        else:
            self._interval_ns = time_ns - self._last_ns
        self._last_ns = time_ns
        self._frames += 1

    def _check_files(self) -> None:
        for file in (self._video, self._keypoints):
            if file is not None:
                file.check_still_there()

    def _fail(self, error: Exception) -> None:
        sentence = str(error) if isinstance(error, UserError) else f"The recording ended early: {error}."
        with self._changed:
            self._error = self._error or sentence
            self._accepting = False
            self._waiting.clear()
            self._changed.notify_all()

    def _close(self) -> None:
        for file in (self._video, self._keypoints):
            if file is None:
                continue
            try:
                if self._frames == 0:
                    file.discard()
                    continue
                try:
                    file.check_still_there()
                finally:
                    file.close()
            except Exception as error:
                self._fail(error)


def _let_others_go_first() -> None:
    """Let this thread, and those that the encoder starts from it, compute when the network and the window need not.

    The queue waits for seconds, a camera's frame does not. Done on Linux only.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


__all__ = ["Recorder", "RecordingSummary", "free_path", "keypoints_path_for"]

"""The grid of all variants as a video with the clip's own time stamps, written on a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path

from app.comparison.variants import Variant
from app.errors import UserError
from app.frames import Frame
from app.mp4_writer import Mp4Writer
from app.replay.grid import Grid
from app.replay.tracks import Seen

_WAITING = 8
_POLL_S = 0.1


class GridVideo:
    """Draws and encodes what is added; the first frame decides the size. Raises OutputError where it cannot be made."""

    def __init__(self, path: Path, variants: Sequence[Variant], fps: float, *, overwrite: bool) -> None:
        self._variants = variants
        self._writer = Mp4Writer(path, fps or 30.0, overwrite=overwrite)
        self._waiting: queue.Queue[tuple[Frame, Seen] | None] = queue.Queue(_WAITING)
        self._error: UserError | None = None
        self._thread = threading.Thread(target=self._run, name="replay-video", daemon=True)
        self._thread.start()

    def add(self, frame: Frame, seen: Seen) -> None:
        """Show this frame next; waits for the encoder. Raises OutputError where the file cannot be written."""
        self._put((frame, seen))

    def close(self) -> None:
        """Write the rest. Raises OutputError."""
        try:
            self._put(None)
        finally:
            self._thread.join()
        if self._error is not None:
            raise self._error
        self._writer.close()

    def discard(self) -> None:
        """End, and delete the file."""
        self._error = self._error or UserError("discarded")
        self._thread.join()
        self._writer.discard()

    def _put(self, item: tuple[Frame, Seen] | None) -> None:
        while True:
            if self._error is not None:
                raise self._error
            try:
                self._waiting.put(item, timeout=_POLL_S)
                return
            except queue.Full:
                continue

    def _run(self) -> None:
        grid: Grid | None = None
        try:
            while self._error is None:
                try:
                    item = self._waiting.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if item is None:
                    return
                frame, seen = item
                height, width = frame.image.shape[:2]
                grid = grid or Grid(self._variants, width, height)
                self._writer.write(grid.draw(frame.image, seen.person, seen.points), frame.time_ns)
        except UserError as error:
            self._error = error
        except Exception as error:
            self._error = UserError(f"The video could not be made: {type(error).__name__}: {error}")
            raise

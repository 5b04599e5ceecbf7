"""What the exporters that write one file have in common."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import OutputError
from app.frames import Person, PoseResult
from app.output_file import OutputFile
from models.skeletons import BLAZEPOSE_33


class FileExporter:
    """A text file (UTF-8, lines end with a line feed) that grows by whole records and is valid after each of them.

    beginning: what the file starts with. closing: what stands behind the last record; the next record replaces it, in
        the same system call that writes itself and the closing anew.

    Nothing waits in memory: a record is with the system before `_append` returns. After a failed write (disk full) the
    file is brought back to its last whole record.

    Raises OutputError where the file cannot be made (its folder is made if missing), or exists and `overwrite` is
    false.
    """

    def __init__(self, path: Path | str, beginning: str, closing: str = "", *, overwrite: bool = False) -> None:
        self._file = OutputFile(path, overwrite=overwrite)
        self._closing = closing.encode()
        self._start_ns: int | None = None
        data = beginning.encode() + self._closing
        self._size = len(data)
        try:
            self._file.write(data)
        except Exception:
            self._file.discard()
            raise

    @property
    def path(self) -> Path:
        return self._file.path

    def check_still_there(self) -> None:
        """OutputError where the file was deleted while it is written."""
        self._file.check_still_there()

    def close(self) -> None:
        """Close the file; may be called again."""
        self._file.close()

    def discard(self) -> None:
        """Close and delete the file."""
        self._file.discard()

    def _append(self, text: str) -> None:
        """Add `text` before the closing. OutputError where the file takes no more."""
        data = text.encode(errors="replace")  # the name of a file need not be UTF-8
        try:
            if self._closing:
                self._file.seek(self._size - len(self._closing))
            self._file.write(data + self._closing)
        except OutputError:
            self._bring_back()
            raise
        except OSError as error:
            raise OutputError(f"Cannot write {self.path}: {error.strerror}.") from None
        self._size += len(data)

    def _bring_back(self) -> None:
        self._file.cut(self._size)
        if self._closing:
            # Its place is on the disk already: this needs no room.
            with contextlib.suppress(OSError), self.path.open("r+b", buffering=0) as file:
                file.seek(self._size - len(self._closing))
                file.write(self._closing)

    def _time_s(self, result: PoseResult) -> float:
        """When the picture was taken, in s since the first frame written (`Frame.time_ns`)."""
        if self._start_ns is None:
            self._start_ns = result.frame.time_ns
        return (result.frame.time_ns - self._start_ns) / 1e9


def keypoint_table(person: Person, decoders: tuple[str, ...]) -> NDArray[np.float64]:
    """(decoders, 33, 3): x and y in px of the source image, score; NaN where a number is not known."""
    table = np.empty((len(decoders), len(BLAZEPOSE_33.joints), 3), np.float64)
    for i, decoder in enumerate(decoders):
        table[i, :, :2] = person.points[decoder]
        table[i, :, 2] = person.scores[decoder]
    if not np.isfinite(table).all():
        table[~np.isfinite(table)] = np.nan
    return table

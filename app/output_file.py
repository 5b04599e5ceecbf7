"""A file that is being written: made at once, each write handed to the system, the first failure final."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from app.errors import OutputError
from app.recording_paths import ALL_SUFFIXES, KEYPOINT_SUFFIXES

_KEYPOINTS_SUFFIX = KEYPOINT_SUFFIXES["csv"]


def keypoints_path_for(video_path: Path | str) -> Path:
    """`NAME.keypoints.csv` beside `NAME.mp4`."""
    return Path(video_path).with_suffix(_KEYPOINTS_SUFFIX)


def free_path(folder: Path | str, stem: str, suffix: str) -> Path:
    """`folder/stem + suffix`, or `stem-2`, `stem-3` ... where that name is taken: see `free_stem`."""
    return Path(folder) / (free_stem(folder, stem, suffix) + suffix)


def free_stem(folder: Path | str, stem: str, suffix: str = "") -> str:
    """`stem`, or `stem-2`, `stem-3` ... where that name is taken.

    A name is taken when the file with this suffix, or any file of a recording of that name, exists.
    """
    suffixes = dict.fromkeys((*ALL_SUFFIXES, *([suffix] if suffix else [])))
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not any(os.path.lexists(Path(folder) / (name + end)) for end in suffixes))


class OutputFile:
    """A binary file for writing, with a reason in each error, in the shape that PyAV wants of a file.

    Nothing is held back in a buffer: after a crash the file holds all that was written. After a write has
    failed the file takes no more, so that nothing written on top of a half-written end can spoil it.

    overwrite: a file that exists is set aside, and comes back when this one is discarded; it goes when this one is
        closed.

    Raises OutputError where the file cannot be made (a missing folder is made first), or exists and
    `overwrite` is false.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._failure = ""  # in words: an error that is kept keeps the frames it came through
        self._gone = ""
        self._set_aside: Path | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise OutputError(f"Cannot write {self.path}: its folder is not a folder.") from None
        except OSError as error:
            raise self._error(error) from error
        try:
            if overwrite and self.path.is_file():
                aside = free_path(self.path.parent, self.path.name, ".replaced")
                self._set_aside = self.path.rename(aside)
            self._file: IO[bytes] = open(self.path, "wb" if overwrite else "xb", buffering=0)  # noqa: SIM115
        except FileExistsError:
            raise OutputError(f"Cannot write {self.path}: the file exists already.") from None
        except OSError as error:
            self._bring_back()
            raise self._error(error) from error

    def write(self, data: bytes) -> int:
        """Write all of `data`; OutputError (disk full, device gone) where that is not possible."""
        self._check()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._error(error) from error
        return len(data)

    def write_at(self, offset: int, data: bytes) -> None:
        """Replace what stands at `offset`; what is written next goes to the end as before. OutputError as `write`."""
        self._check()
        try:
            end = self._file.tell()
            self._file.seek(offset)
            self._file.write(data)
            self._file.seek(end)
        except OSError as error:
            raise self._error(error) from error

    def sync(self) -> None:
        """Wait until the disk itself has what was written; where it cannot say so, nothing happens."""
        with contextlib.suppress(OSError, ValueError):
            os.fsync(self._file.fileno())

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    @property
    def closed(self) -> bool:
        """True also after a failure: PyAV then leaves out the trailer, which would spoil what was written."""
        return bool(self._failure) or self._file.closed

    def check_still_there(self) -> None:
        """OutputError where the file or its folder was deleted or moved, which a write alone does not notice."""
        if not self._failure and not self._file.closed and not self.path.exists():
            self._gone = f"Cannot go on writing {self.path}: it was deleted or moved."
            raise OutputError(self._gone)

    def write_although_gone(self) -> None:
        """Take what is written again: a file that was only moved is to be finished."""
        self._gone = ""

    def cut(self, size: int) -> None:
        """Shorten to `size` bytes, to take away what a failed write left half written."""
        with contextlib.suppress(OSError, ValueError):
            self._file.truncate(size)

    def close(self) -> None:
        """Close; may be called again. OutputError where the system reports only now that a write failed."""
        try:
            self._file.close()
        except OSError as error:
            raise self._error(error) from error
        if self._set_aside is not None:
            with contextlib.suppress(OSError):
                self._set_aside.unlink()
            self._set_aside = None

    def discard(self) -> None:
        """Close and delete, whatever state the file is in. A device, such as /dev/null, stays."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            if self.path.is_file():
                self.path.unlink()
        self._bring_back()

    def _check(self) -> None:
        if self._failure or self._gone:
            raise OutputError(self._failure or self._gone)

    def _bring_back(self) -> None:
        aside, self._set_aside = self._set_aside, None
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.rename(self.path)

    def _error(self, error: OSError) -> OutputError:
        self._failure = f"Cannot write {self.path}: {error.strerror or error}."
        return OutputError(self._failure)


def write_file(path: Path, content: bytes, *, overwrite: bool) -> None:
    """A file, whole or not at all. Raises OutputError as `OutputFile`."""
    file = OutputFile(path, overwrite=overwrite)
    try:
        file.write(content)
        file.close()
    except BaseException:
        file.discard()
        raise


def check_outputs(paths: Sequence[Path], source: str, *, overwrite: bool) -> None:
    """Whether all of these files can be made, before the work, so that it is not in vain. Raises OutputError.

    source: what is read, which no output may replace.
    """
    for i, path in enumerate(paths):
        try:
            folder = next(parent for parent in path.absolute().parents if parent.exists())
            exists, is_folder = path.exists(), path.is_dir()
            is_source = exists and Path(source).exists() and path.samefile(source)
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error.strerror}.") from None
        if not folder.is_dir():
            raise OutputError(f"Cannot write {path}: {folder} is not a folder.")
        if is_folder:
            raise OutputError(f"{path} is a folder, not a file to write to.")
        if path.resolve() in [other.resolve() for other in paths[:i]]:
            raise OutputError(f"{path} is named for two outputs.")
        if is_source:
            raise OutputError(f"{path} is the source: choose another name for the output.")
        if exists and not overwrite:
            raise OutputError(f"{path} exists already: choose another name, or say --overwrite.")

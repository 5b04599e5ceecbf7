"""Room on the disk, and whether what was written has reached it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

# A recording ends while so much is free: enough to finish every file, and for the system to go on.
LEAST_FREE_BYTES = 200_000_000

_FULL = (errno.ENOSPC, errno.EDQUOT)


def short_of_space(paths: Iterable[Path], least_free: int) -> Path | None:
    """The first folder among those of `paths` whose disk has less than `least_free` bytes; None where none is short.

    Devices, such as /dev/null, and disks that do not tell how large they are have room for ever.
    """
    folders = dict.fromkeys(path.parent for path in paths if not _is_device(path))
    for folder in folders:
        free = _free_bytes(folder)
        if free is not None and free < least_free:
            return folder
    return None


def _is_device(path: Path) -> bool:
    try:
        return path.exists() and not (path.is_file() or path.is_dir())
    except OSError:  # a folder that may not be entered; whoever opens the file says so
        return False


def _free_bytes(folder: Path) -> int | None:
    for existing in (folder, *folder.absolute().parents):
        try:
            usage = shutil.disk_usage(existing)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return usage.free if usage.total else None
    return None


def size_text(size: int) -> str:
    """For example “200 MB”, of a million bytes each."""
    return f"{size / 1e6:.3g} MB"


def says_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that the disk or the user's share of it is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def write_through(paths: Iterable[Path]) -> None:
    """Wait until what was written to these files is on the disk itself, so that a power cut leaves it there."""
    for path in paths:
        # By a descriptor of its own: the file may be closed at any moment by the thread that writes it.
        with contextlib.suppress(OSError):
            if not path.is_file():
                continue
            descriptor = os.open(path, os.O_RDWR)
            try:
                getattr(os, "fdatasync", os.fsync)(descriptor)
            finally:
                os.close(descriptor)

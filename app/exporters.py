"""Keypoints as a table: one row for each person, joint and decoder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from app.decoder_display import WITH_BETA
from app.frames import Person, PoseResult
from app.output_file import OutputFile
from models.skeletons import BLAZEPOSE_33

COLUMNS = ("time_s", "frame", "person", "joint", "x", "y", "score", "decoder", "beta")

# Stands for time, frame and person until they are filled in: no name and no number contains it.
_HEAD = "\0"


class KeypointsCsv:
    """Writes results to a CSV file (UTF-8, lines end with a line feed) as they come.

    time_s: when the picture was taken, in s since the first frame written (`Frame.time_ns`), 6 decimals.
    frame: the frame's index in its source. person: the person's id, the same while the person is followed.
    x, y: pixels of the source image, (0, 0) is the centre of the top left pixel. score: 0 to 1.
    beta: that of ipr and debiased on this frame, empty for the other decoders.
    A number that is not known is left empty. A frame without people has no row.

    Each frame's rows reach the system before `write` returns. Raises OutputError where the file cannot be
    made (its folder is made if missing), or exists and `overwrite` is false.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self._file = OutputFile(path, overwrite=overwrite)
        self._start_ns: int | None = None
        try:
            self._file.write((",".join(COLUMNS) + "\n").encode())
        except Exception:
            self._file.discard()
            raise

    @property
    def path(self) -> Path:
        return self._file.path

    def write(self, result: PoseResult) -> None:
        """Append the rows of every person and decoder. OutputError where the file takes no more."""
        if self._start_ns is None:
            self._start_ns = result.frame.time_ns
        time_s = (result.frame.time_ns - self._start_ns) / 1e9
        rows = [
            _rows(person, result.beta).replace(_HEAD, f"{time_s:.6f},{result.frame.index},{person.id},")
            for person in result.people
        ]
        if rows:
            self._file.write("".join(rows).encode())

    def check_still_there(self) -> None:
        """OutputError where the file was deleted while it is written."""
        self._file.check_still_there()

    def close(self) -> None:
        """Close the file; may be called again."""
        self._file.close()

    def discard(self) -> None:
        """Close and delete the file."""
        self._file.discard()


def _rows(person: Person, beta: float) -> str:
    decoders = tuple(person.points)
    table = np.empty((len(decoders), len(BLAZEPOSE_33.joints), 3), np.float64)
    for i, decoder in enumerate(decoders):
        table[i, :, :2] = person.points[decoder]
        table[i, :, 2] = person.scores[decoder]
    unknown = not np.isfinite(table).all()
    if unknown:
        table[~np.isfinite(table)] = np.nan
    rows = _template(decoders, beta) % tuple(table.ravel().tolist())
    return rows.replace(",nan", ",") if unknown else rows


@lru_cache(maxsize=8)
def _template(decoders: Sequence[str], beta: float) -> str:
    """All rows of a person with gaps for the numbers: filling them in at once is ten times as fast as csv."""
    return "".join(
        f"{_HEAD}{joint},%.3f,%.3f,%.4f,{decoder},{f'{beta:g}' if decoder in WITH_BETA else ''}\n"
        for decoder in decoders
        for joint in BLAZEPOSE_33.joints
    )

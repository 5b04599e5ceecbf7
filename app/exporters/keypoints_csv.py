"""Keypoints as a table: one row for each person, joint and decoder."""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path

from app.decoder_display import WITH_BETA
from app.exporters.file_exporter import FileExporter, keypoint_table
from app.frames import Person, PoseResult
from models.skeletons import BLAZEPOSE_33

COLUMNS = ("time_s", "frame", "person", "joint", "x", "y", "score", "decoder", "beta", "shown", "network", "head")

# Stand where a row begins, and by its decoder where it ends, until beginnings and ends are filled in: no name has them.
_BEGIN, _ENDS = "\0", "\1\2\3\4\5\6\7\b"
_MARKS = str.maketrans("", "", _BEGIN + _ENDS)


class KeypointsCsv(FileExporter):
    """Writes results to a CSV file as they come, with these columns:

    time_s: when the picture was taken, in s since the first frame written (`Frame.time_ns`), 6 decimals.
    frame: the frame's index in its source. person: the person's id, the same while the person is followed.
    joint: as in BLAZEPOSE_33; left and right are the person's own.
    x, y: pixels of the source image, (0, 0) is the centre of the top left pixel; as read, never smoothed.
    score: 0 to 1. decoder: what read this point.
    beta: that of ipr and debiased on this frame, empty for the other decoders.
    shown: 1 where this decoder was the chosen one in this frame, else 0.
    network: what the decoder's heatmap came from: lite, full, heavy or the name of a bundle; quoted where it holds a
        comma, a quote or a line break.
    head: whose maps this decoder read: shipped, or the name of a head; empty where no head was loaded.
    A number that is not known is left empty. A frame without people has no row.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        super().__init__(path, ",".join(COLUMNS) + "\n", overwrite=overwrite)

    def write(self, result: PoseResult) -> None:
        """Append the rows of every person and decoder. OutputError where the file takes no more."""
        moment = f"{self._time_s(result):.6f},{result.frame.index},"
        rows = [_rows(person, result).replace(_BEGIN, f"{moment}{person.id},") for person in result.people]
        if rows:
            self._append("".join(rows))


def _rows(person: Person, result: PoseResult) -> str:
    decoders = tuple(person.points)
    numbers = keypoint_table(person, decoders)
    rows = _template(decoders, result.decoder, result.beta) % tuple(numbers.ravel().tolist())
    rows = rows.replace(",nan", ",")
    for decoder, end in zip(decoders, _ENDS, strict=False):
        rows = rows.replace(end, f"{_quoted(result.network)},{_quoted(result.heads.get(decoder, ''))}\n")
    return rows


@lru_cache(maxsize=16)
def _template(decoders: tuple[str, ...], chosen: str, beta: float) -> str:
    """All rows of a person with gaps for the numbers: filling them in at once is ten times as fast as csv."""
    return "".join(
        f"{_BEGIN}{joint},%.3f,%.3f,%.4f,"
        f"{decoder},{f'{beta:g}' if decoder in WITH_BETA else ''},{int(decoder == chosen)},{end}"
        for decoder, end in zip(decoders, _ENDS, strict=False)
        for joint in BLAZEPOSE_33.joints
    )


@lru_cache(maxsize=16)
def _quoted(name: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([name.translate(_MARKS), ""])
    return text.getvalue().removesuffix(",\r\n")

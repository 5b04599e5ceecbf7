"""Encoded pictures -> an MP4 file that can be played at any moment while it grows, and a plain one at the end."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping

from app.errors import OutputError
from app.mp4_boxes import (
    LAST_DURATION_FROM_DATA,
    EncodedPicture,
    SampleTable,
    VideoTrack,
    box,
    file_type,
    fragment,
    movie,
)
from app.output_file import OutputFile

# What a crash may lose: pictures wait so long at most, by their own time and by the clock.
FRAGMENT_S = 0.5
# For numbers in the tags that grow.
_ROOM_IN_HEAD = 64
_NAME_AT = 4  # in a box, behind its size
_U32_MAX = 0xFFFF_FFFF


class Mp4Muxer:
    """Writes pictures to a file as fragments, each of which appears to players at once and as a whole.

    The head in front of them, with the tags and the length so far, is written anew with each fragment. `finish` adds
    an index of the whole and then, by one small write, hides head and fragments in what is data to a player: before
    that write the file is a fragmented MP4, after it a plain one, at no moment neither.

    tags: names of tags (`app.mp4_boxes.movie`) and their texts, asked for anew at each fragment. created_s: Unix time.

    Raises OutputError where the file takes no more; it stays playable up to its last fragment.
    """

    def __init__(
        self, file: OutputFile, track: VideoTrack, tags: Callable[[], Mapping[str, str]], created_s: int
    ) -> None:
        self._file = file
        self._track = track
        self._tags = tags
        self._created_s = created_s
        self._table = SampleTable()
        self._waiting: list[EncodedPicture] = []
        self._waiting_since = 0.0
        self._fragments = 0
        self._shown_until = 0
        self._duration_at: int | None = None  # where in the file the duration of the last written picture stands
        # Sixteen bytes that say nothing, for the head of the data.
        self._curtain_at = len(file_type())
        self._head_at = self._curtain_at + 16
        self._head_size = 0
        self._head_size = len(self._head(None, 0)) + _ROOM_IN_HEAD
        beginning = file_type() + box("free", bytes(8)) + self._head(None, 0)
        self._end = 0
        self._append(beginning)

    def add(self, picture: EncodedPicture) -> None:
        """Take a picture that is shown after all others."""
        if self._waiting:
            age = picture.pts - self._waiting[0].pts
            if picture.key or age >= FRAGMENT_S * self._track.ticks:
                self._write_waiting(picture.pts)
        if not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting.append(picture)

    def flush(self, until_pts: int) -> None:
        """Write what waits longer than FRAGMENT_S; the last picture is shown until then, for all that is known."""
        if self._waiting:
            if time.monotonic() - self._waiting_since >= FRAGMENT_S:
                self._write_waiting(max(until_pts, self._waiting[-1].pts + 1))
        elif until_pts - self._shown_until >= FRAGMENT_S * self._track.ticks:
            self._show_last_until(until_pts)
            self._write_head()

    def finish(self, end_pts: int) -> None:
        """Write the rest and the index; the last picture is shown until `end_pts`. The file is not closed."""
        if self._waiting:
            self._write_waiting(end_pts)
        elif self._table.pts:
            self._show_last_until(end_pts)
        fragments_end = self._end
        self._append(self._head(self._table, self._shown_until))
        # Else a power cut could leave the next write without this one.
        self._file.sync()
        hidden = struct.pack(">I4sQ", 1, b"mdat", fragments_end - self._curtain_at)
        self._file.write_at(self._curtain_at, hidden)

    def _write_waiting(self, until_pts: int) -> None:
        pictures, self._waiting = self._waiting, []
        self._show_last_until(pictures[0].pts)
        self._fragments += 1
        data = fragment(self._fragments, pictures, until_pts)
        # A kill in the middle of a write leaves a part of it: until all is there it bears a name that players skip.
        place = self._end + _NAME_AT
        self._append(data[:_NAME_AT] + b"free" + data[_NAME_AT + 4 :])
        self._file.write_at(place, data[_NAME_AT : _NAME_AT + 4])
        place = self._end - sum(len(picture.data) for picture in pictures)
        self._table.add(pictures, place)
        self._duration_at = place - LAST_DURATION_FROM_DATA
        self._shown_until = until_pts
        self._write_head()

    def _show_last_until(self, pts: int) -> None:
        """Correct how long the last written picture is shown."""
        if self._duration_at is not None and pts != self._shown_until:
            duration = min(max(1, pts - self._table.pts[-1]), _U32_MAX)
            self._file.write_at(self._duration_at, struct.pack(">I", duration))
            self._shown_until = pts

    def _write_head(self) -> None:
        head = self._head(None, self._shown_until)
        if len(head) == self._head_size:  # tags that have grown beyond all measure stay as they were
            self._file.write_at(self._head_at, head)

    def _head(self, table: SampleTable | None, duration: int) -> bytes:
        size = self._head_size if table is None else 0
        return movie(self._track, table, duration, created_s=self._created_s, tags=self._tags(), size=size)

    def _append(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OutputError:
            self._file.cut(self._end)  # what was left half written needs room in vain
            raise
        self._end += len(data)

"""Pictures with times of their own -> an H.264 MP4 file that stays playable when the program dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app import __version__
from app.frames import Image
from app.mp4_boxes import EncodedPicture
from app.mp4_muxer import Mp4Muxer
from app.output_file import OutputFile
from app.video_encoder import VideoEncoder, working_encoder

# What a pause of the source adds at most to the time that the last picture is shown.
LONGEST_LAST_PICTURE_S = 1.0

Tags = Callable[[], Mapping[str, str]]


def no_tags() -> Mapping[str, str]:
    """Nothing but the program's name."""
    return tags("", "")


def tags(title: str, comment: str) -> dict[str, str]:
    """The tags of an MP4 file as players show them, by their names in the file; those without text are left out."""
    texts = {"\xa9nam": title, "\xa9cmt": comment, "\xa9too": f"PoseScope {__version__}"}
    return {name: text for name, text in texts.items() if text}


class Mp4Writer:
    """Writes (H, W, 3) uint8 BGR pictures, each with its time in ns, to an MP4 file.

    Presentation times are the given ones, to a tick of 1/90000 s; no constant rate is assumed. Sizes: see
    `app.video_encoder.VideoEncoder`. Files: see `app.mp4_muxer.Mp4Muxer`.

    tags: asked for about twice a second while the file grows, and at the end.
    fps_hint: gives the length of a lone picture and the encoder's first guess, nothing else.

    Raises OutputError where the file cannot be made, or exists and `overwrite` is false.
    """

    def __init__(
        self, path: Path | str, fps_hint: float = 30.0, *, overwrite: bool = False, tags: Tags = no_tags
    ) -> None:
        self._file = OutputFile(path, overwrite=overwrite)
        self._fps = fps_hint
        self._tags = tags
        self._created_s = int(time.time())
        self._encoder = VideoEncoder(fps_hint)
        self._muxer: Mp4Muxer | None = None
        self._duration = 0  # of the last picture, in ticks
        self.frames = 0

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def duration_s(self) -> float:
        """How long the video plays: up to the last picture, and that one as long as the one before it."""
        return (self._encoder.last_pts + self._duration) / self._encoder.ticks if self.frames else 0.0

    @property
    def encoder(self) -> str:
        """Name of the encoder in use, empty before the first picture."""
        return self._encoder.name

    def write(self, image: Image, time_ns: int) -> None:
        """Append a picture taken at `time_ns`. OutputError where it cannot be encoded or written."""
        before = self._encoder.last_pts
        self._mux(self._encoder.encode(image, time_ns))
        ticks = self._encoder.ticks
        if self.frames:
            self._duration = min(self._encoder.last_pts - before, round(LONGEST_LAST_PICTURE_S * ticks))
        else:
            self._duration = max(1, round(ticks / self._fps))
        self.frames += 1

    def flush(self, until_ns: int | None = None) -> None:
        """Write what waits for company for long. To be called now and then, also while no picture comes.

        until_ns: so long the last picture has been shown, by the pictures' clock, where that is known.
        """
        if self._muxer is not None:
            self._muxer.flush(self._end_pts(until_ns))

    def check_still_there(self) -> None:
        """OutputError where the file was deleted while it is written."""
        self._file.check_still_there()

    def close(self, until_ns: int | None = None) -> None:
        """Write the rest and the index, and close; may be called again.

        until_ns: when the recording ended, by the pictures' clock, where that is known.

        After a failed write only the file is closed: it plays up to its last whole fragment. OutputError
        where the end cannot be written; then, too, the file is closed and can be played.
        """
        self._file.write_although_gone()
        try:
            if not self._file.closed:
                self._mux(self._encoder.finish())
            if self._muxer is not None and not self._file.closed:
                end = self._end_pts(until_ns)
                self._duration = end - self._encoder.last_pts
                self._muxer.finish(end)
        finally:
            self._muxer = None
            self._file.close()

    def discard(self) -> None:
        """Close and delete the file."""
        self._muxer = None
        self._file.discard()

    def _mux(self, pictures: list[EncodedPicture]) -> None:
        if self._muxer is None and self._encoder.track is not None:
            self._muxer = Mp4Muxer(self._file, self._encoder.track, self._tags, self._created_s)
        for picture in pictures:
            assert self._muxer is not None
            self._muxer.add(picture)

    def _end_pts(self, until_ns: int | None) -> int:
        """When the last picture stops being shown, as far as is known."""
        last, ticks = self._encoder.last_pts, self._encoder.ticks
        if until_ns is None:
            return last + self._duration
        since = max(1, self._encoder.pts_at(until_ns) - last)
        # Up to then a picture is on its way that was taken before: nothing is known to be missing.
        if since <= self._duration + LONGEST_LAST_PICTURE_S * ticks:
            since = min(since, self._duration)
        return last + since


__all__ = ["LONGEST_LAST_PICTURE_S", "Mp4Writer", "Tags", "no_tags", "tags", "working_encoder"]

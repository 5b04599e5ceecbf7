"""Keeps the last seconds, encoded, so that they can be saved although nobody had pressed record."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from app.disk_space import LEAST_FREE_BYTES, short_of_space, size_text
from app.drawn_once import DrawnOnce
from app.errors import OutputError
from app.exporters import KeypointExporter, open_exporter
from app.frames import PoseResult
from app.mp4_boxes import EncodedPicture, VideoTrack
from app.mp4_muxer import Mp4Muxer
from app.mp4_writer import LONGEST_LAST_PICTURE_S
from app.output_file import OutputFile
from app.overlay import OverlayStyle
from app.recording_files import RecordingAbout, RecordingSummary, RecordingTags, let_others_go_first
from app.recording_paths import RecordingPaths
from app.video_encoder import VideoEncoder

_WAKE_S = 0.2
_QUEUE_SIZE = 8
# 8 Mbit/s for a picture of 1280 x 720, in proportion for others: ten seconds take ten megabytes at most.
_BITS_PER_S_AND_PIXEL = 8e6 / (1280 * 720)
_LEAST_BITS_PER_S = 1_000_000
_MOST_BYTES = 256 << 20
_TRY_AGAIN_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """One moment: the encoded picture, and what was found in it, without the picture itself."""

    picture: EncodedPicture
    result: PoseResult

    @property
    def time_ns(self) -> int:
        return self.result.frame.time_ns


class PreRoll:
    """Encodes every result that is offered and keeps the last `seconds` of them, from a keyframe on.

    pictures: where the annotated pictures come from, so that none is drawn both here and for the screen.
    style: may be set at any time.

    Kept is what came since the picture's size changed last, and at most 256 MB. Frames that come while the encoder is
    busy are left out and counted. `offer` never waits; nothing but `save` raises.
    """

    def __init__(self, seconds: float, *, style: OverlayStyle, pictures: DrawnOnce | None = None) -> None:
        self.seconds = seconds
        self.style = style
        self._pictures = pictures or DrawnOnce(None)
        self._changed = threading.Condition()
        self._waiting: deque[PoseResult] = deque()
        self._accepting = False
        self._thread: threading.Thread | None = None
        self._dropped_at: deque[int] = deque()

        self._encoder: VideoEncoder | None = None
        self._size = (0, 0)
        self._inside: deque[PoseResult] = deque()  # in the encoder
        self._track: VideoTrack | None = None
        self._groups: deque[list[_Kept]] = deque()  # each begins with a keyframe
        self._bytes = 0
        self._error = ""
        self._try_again_at = 0.0

    @property
    def seconds_held(self) -> float:
        """From the first picture that is kept to the last, in s."""
        with self._changed:
            return (self._groups[-1][-1].time_ns - self._groups[0][0].time_ns) / 1e9 if self._groups else 0.0

    @property
    def bytes_held(self) -> int:
        """What the encoded pictures take."""
        return self._bytes

    @property
    def dropped(self) -> int:
        """Frames left out, because the encoder was busy, of those that would be kept now."""
        with self._changed:
            return len(self._dropped_at)

    def start(self) -> None:
        """Begin to keep what is offered."""
        if self._thread is not None:
            raise RuntimeError("a pre-roll can be started once")
        self._accepting = True
        self._thread = threading.Thread(target=self._run, name="pre-roll", daemon=True)
        self._thread.start()

    def offer(self, result: PoseResult) -> None:
        """Hand over a result. Never waits, never raises."""
        with self._changed:
            if not self._accepting:
                return
            if len(self._waiting) >= _QUEUE_SIZE:
                self._dropped_at.append(result.frame.time_ns)
                return
            self._waiting.append(result)
            self._changed.notify_all()

    def stop(self) -> None:
        """End the thread; what is kept can still be saved. May be called again."""
        with self._changed:
            self._accepting = False
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # --- saving -----------------------------------------------------------------------------------------------

    def save(
        self, paths: RecordingPaths, about: RecordingAbout | None = None, *, least_free: int = LEAST_FREE_BYTES
    ) -> RecordingSummary:
        """Write the last seconds to the annotated video and the keypoint files of `paths`, on the caller's thread.

        All begin with the same frame, at time 0: the last keyframe that leaves at least `seconds`. Meanwhile the
        keeping goes on. Raises OutputError where nothing is kept, or a file cannot be written: then none is left.
        """
        with self._changed:
            kept = [moment for group in self._groups for moment in group]
            track, dropped, error = self._track, len(self._dropped_at), self._error
        if not kept or track is None:
            raise OutputError(error or "There is nothing to save yet: no picture has come.")
        if paths.annotated is None and not paths.keypoints:
            raise OutputError("There is nothing to save: neither the annotated video nor keypoints are wanted.")
        short = short_of_space(paths.all, least_free)
        if short is not None:
            raise OutputError(f"Cannot save: less than {size_text(least_free)} are free on {short}.")
        written: list[OutputFile | KeypointExporter] = []
        try:
            if paths.annotated is not None:
                video = OutputFile(paths.annotated)
                written.append(video)
                last = kept[-1].result
                about = about or RecordingAbout("", last.network, last.decoder)
                _mux(video, track, kept, RecordingTags(about, lambda: dropped))
            for kind, path in paths.keypoints.items():
                exporter = open_exporter(kind, path)
                written.append(exporter)
                for moment in kept:
                    exporter.write(moment.result)
            for file in written:
                file.check_still_there()
                file.close()
        except Exception as failure:
            for file in written:
                file.discard()
            if isinstance(failure, OutputError):
                raise
            raise OutputError(f"Cannot save the last seconds: {failure}.") from failure
        return RecordingSummary(
            paths=tuple(file.path for file in written),
            frames=len(kept),
            dropped=dropped,
            duration_s=(_end_pts(kept, track) - kept[0].picture.pts) / track.ticks,
            error=None,
        )

    # --- keeping ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        let_others_go_first()
        while True:
            with self._changed:
                if not self._waiting:
                    if not self._accepting:
                        return
                    self._changed.wait(_WAKE_S)
                    continue
                result = self._waiting.popleft()
            if time.monotonic() < self._try_again_at:
                continue
            try:
                self._encode(result)
            except Exception as error:
                self._error = f"The last seconds cannot be kept: {error}"
                self._try_again_at = time.monotonic() + _TRY_AGAIN_AFTER_S
                self._forget()

    def _encode(self, result: PoseResult) -> None:
        rows, columns = result.frame.image.shape[:2]
        if self._encoder is None or self._size != (columns, rows):
            self._forget()
            self._size = (columns, rows)
            self._encoder = VideoEncoder(
                bits_per_s=max(_LEAST_BITS_PER_S, round(rows * columns * _BITS_PER_S_AND_PIXEL))
            )
        image = self._pictures.draw_after_screen(result, self.style)
        # Of the result only what the keypoint files hold: no picture, no heatmaps.
        people, smoothed = (
            tuple(replace(person, heatmaps=None) for person in group) for group in (result.people, result.smoothed)
        )
        # As large as it was, for that is in the files too, but of a single byte.
        frame = replace(result.frame, image=np.broadcast_to(_NO_PICTURE, result.frame.image.shape))
        self._inside.append(replace(result, frame=frame, people=people, smoothed=smoothed))
        for picture in self._encoder.encode(image, result.frame.time_ns):
            self._keep(_Kept(picture, self._inside.popleft()), self._encoder.track)
        self._error = ""

    def _keep(self, moment: _Kept, track: VideoTrack | None) -> None:
        with self._changed:
            self._track = track
            if moment.picture.key or not self._groups:
                self._groups.append([])
            self._groups[-1].append(moment)
            self._bytes += len(moment.picture.data)
            while len(self._groups) > 1 and self._superfluous(self._groups[0], self._groups[1][0], moment.time_ns):
                self._bytes -= sum(len(old.picture.data) for old in self._groups.popleft())
            while self._dropped_at and self._dropped_at[0] < self._groups[0][0].time_ns:
                self._dropped_at.popleft()

    def _superfluous(self, oldest: list[_Kept], following: _Kept, now_ns: int) -> bool:
        begin_ns = now_ns - round(self.seconds * 1e9)
        # Of a camera that was lost and came back, the time without a picture need not be kept.
        lost_since = not following.result.frame.continues and oldest[-1].time_ns < begin_ns
        return following.time_ns <= begin_ns or lost_since or self._bytes > _MOST_BYTES

    def _forget(self) -> None:
        self._encoder = None
        self._inside.clear()
        with self._changed:
            self._groups.clear()
            self._dropped_at.clear()
            self._bytes = 0
            self._track = None


_NO_PICTURE = np.zeros((1, 1, 1), np.uint8)


def _mux(file: OutputFile, track: VideoTrack, kept: list[_Kept], tags: RecordingTags) -> None:
    muxer = Mp4Muxer(file, track, tags, int(time.time()))
    first = kept[0].picture.pts
    for moment in kept:
        muxer.add(replace(moment.picture, pts=moment.picture.pts - first))
    muxer.finish(_end_pts(kept, track) - first)


def _end_pts(kept: list[_Kept], track: VideoTrack) -> int:
    """When the last picture stops being shown: after as long as the one before it."""
    intervals = [b.picture.pts - a.picture.pts for a, b in pairwise(kept[-2:])] or [track.ticks // 30]
    return kept[-1].picture.pts + min(intervals[0], round(LONGEST_LAST_PICTURE_S * track.ticks))

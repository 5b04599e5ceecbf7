"""The rendered person of the shipped clip as a source of any size, rate and length, with the true joints."""

from __future__ import annotations

import json
from functools import cached_property

import cv2
import numpy as np

from app.bundled import ASSETS, SAMPLE_CLIP
from app.errors import SourceError
from app.frames import Image
from app.sources.synthetic import Points, TrueJointsSource
from app.sources.video_file import VideoFileSource

_CLIP_SIZE = (960, 540)
_CLIP_FPS = 30
_FAR = 15  # frames of the clip: nearer ones are reached by decoding, without a search


class RenderedPersonSource(TrueJointsSource):
    """The rendered person, over and over again; `continues` is False wherever the clip starts anew.

    A frame is the clip's nearest in time, scaled as a whole; where the size has other proportions black bars fill up.
    """

    NAME = "rendered person"
    SIZE = _CLIP_SIZE

    _clip: VideoFileSource | None = None
    _clip_number = -1  # of the last frame that was read from the clip
    _fitted: Image | None = None  # that frame in the size that was asked for

    def true_points(self, time_s: float) -> Points:
        """See `TrueJointsSource`: the joints of the frame that is shown at that moment."""
        left, top, width, height = self._box
        joints: Points = self._truth[self._nearest(time_s) % len(self._truth)]
        # In the file 0 is the left edge of the left column, here the centre of that column.
        return joints * (width / _CLIP_SIZE[0], height / _CLIP_SIZE[1]) + (left - 0.5, top - 0.5)

    @cached_property
    def _truth(self) -> Points:
        """(T, 17, 2) in the clip's pixels, from its upper left corner."""
        frames = json.loads((ASSETS / "rendered_person_truth.json").read_text("utf-8"))["frames"]
        return np.array([frame["kp"] for frame in frames])

    @property
    def _box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the clip inside the picture."""
        scale = min(self.width / _CLIP_SIZE[0], self.height / _CLIP_SIZE[1])
        width, height = (max(1, round(side * scale)) for side in _CLIP_SIZE)
        return (self.width - width) // 2, (self.height - height) // 2, width, height

    def _nearest(self, time_s: float) -> int:
        """The frame of an endless clip."""
        return round(time_s * _CLIP_FPS)

    def _drawn(self, time_s: float) -> tuple[Image, bool]:
        length = len(self._truth)
        start, number = divmod(self._nearest(time_s), length)
        if self._fitted is None or number != self._clip_number:
            self._fitted = self._fit(self._read(number))
        start_before = self._nearest(max(0.0, time_s - 1 / self.fps)) // length
        return self._fitted.copy(), start == start_before

    def _fit(self, image: Image) -> Image:
        left, top, width, height = self._box
        smaller = width < image.shape[1]
        scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        fitted = np.zeros((self.height, self.width, 3), np.uint8)
        fitted[top : top + height, left : left + width] = scaled
        return fitted

    def _read(self, number: int) -> Image:
        """That frame of the clip. Raises SourceError."""
        if self._clip is None:
            self._clip = VideoFileSource(SAMPLE_CLIP)
            self._clip.open()
        if not 0 < number - self._clip_number <= _FAR:
            self._clip.seek(round(number * 1e9 / _CLIP_FPS))
        while (frame := self._clip.read()) is not None:
            self._clip_number = round((frame.position_ns or 0) * _CLIP_FPS / 1e9)
            if self._clip_number == number:
                return frame.image
        raise SourceError(f"The shipped clip {SAMPLE_CLIP.name} is damaged; install PoseScope again.")

    def _release(self) -> None:
        if self._clip is not None:
            self._clip.close()
        self._clip, self._clip_number, self._fitted = None, -1, None

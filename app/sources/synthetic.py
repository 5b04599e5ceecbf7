"""Pictures whose joints are known exactly, for tests, demonstrations and meters without a camera; a drawn figure."""

from __future__ import annotations

import dataclasses
import math
import time
from abc import abstractmethod
from collections.abc import Generator, Sequence
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from app.frames import Image
from app.sources.options import SyntheticOptions
from app.sources.pacing import PacedSource, Pacer, Picture
from models.skeletons import COCO_17

Points = NDArray[np.float64]
Colour = tuple[int, int, int]

JOINT_COLOUR: Colour = (40, 255, 40)  # BGR, as all colours here; nothing else in the picture has it
_SKIN: Colour = (140, 170, 215)
_SHIRT: Colour = (150, 80, 40)
_TROUSERS: Colour = (70, 60, 60)

# COCO-17: nose 0, eyes 1 2, ears 3 4, shoulders 5 6, elbows 7 8, wrists 9 10, hips 11 12, knees 13 14,
# ankles 15 16; the left one of a pair comes first.
_ARMS = ((5, 7, 9), (6, 8, 10))
_LEGS = ((11, 13, 15), (12, 14, 16))
_TORSO = (5, 6, 12, 11)
_SUBPIXEL_BITS = 4

# How late a picture may be: as long as the pacer keeps its schedule, or as many as a driver of a camera holds.
_MAY_BE_LATE_S = Pacer.SLACK_NS / 1e9
_MAY_BE_LATE_FRAMES = 4


class TrueJointsSource(PacedSource):
    """Pictures of a person whose joints are known exactly; the k-th is taken at k / fps seconds.

    width, height in pixels, None for the figure's own size. frames: how many there are, None for no end.
    noise: standard deviation of the sensor noise, in levels of 0..255; frame k of a seed has always the same.
    realtime: paced, and `live` like a camera, which leaves out what it has no time for. Each frame is handed over
        `delay_ms` after `captured_ns`.
    loop: start again after the last of `frames`; only where not live.

    `true_points(k / fps)` are the joints in frame k. That time is `frame.position_ns` where the source can be wound,
    and `frame.time_ns` where it is live.
    """

    NAME = "synthetic"
    SIZE = (640, 480)  # width, height
    joint_names: tuple[str, ...] = COCO_17.joints

    def __init__(
        self,
        *,
        width: int | None = None,
        height: int | None = None,
        fps: float = 30.0,
        frames: int | None = None,
        realtime: bool = False,
        loop: bool = False,
        noise: float = 0.0,
        delay_ms: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(self.NAME, realtime=realtime, loop=loop and not realtime, delay_ns=round(delay_ms * 1e6))
        self.live = realtime
        self.seekable = not realtime
        self.fps = fps
        self.frame_count = frames
        self.duration_ns = None if frames is None else self._position_ns(frames)
        self.width = width or self.SIZE[0]
        self.height = height or self.SIZE[1]
        self._skipped = 0
        self._noise = noise
        self._seed = seed

    @classmethod
    def from_options(cls, options: SyntheticOptions, *, realtime: bool = False, loop: bool = False) -> Self:
        """Whatever `options.figure` says."""
        wishes = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
        wishes.pop("figure")
        return cls(**wishes, realtime=realtime, loop=loop)

    @abstractmethod
    def true_points(self, time_s: float) -> Points:
        """The joints at that moment: (17, 2), x and y in pixels of the delivered picture, COCO-17.

        Whole numbers are pixel centres. The person's left is on the right of the picture while they face the camera.
        """

    @abstractmethod
    def _drawn(self, time_s: float) -> tuple[Image, bool]:
        """A new picture (height, width, 3) of that moment, and whether it continues from the one before it."""

    def _pictures(self, from_ns: int, before: bool) -> Generator[Picture, None, None]:
        number = max(0, self._frame_at(from_ns) - before)
        begun_s = time.perf_counter() - number / self.fps
        while self.frame_count is None or number < self.frame_count:
            position_ns = self._position_ns(number)
            image, continues = self._drawn(position_ns / 1e9)
            if self._noise > 0:
                image = _add_noise(image, self._noise, np.random.default_rng((self._seed, number)))
            yield Picture(position_ns, self._position_ns(number + 1) - position_ns, image, continues)
            number += 1
            if self.live:
                # Like a camera: what could not be drawn in time is left out, instead of time going slower.
                now_s = time.perf_counter() - begun_s - self._delay_ns / 1e9
                if now_s - number / self.fps > max(_MAY_BE_LATE_S, _MAY_BE_LATE_FRAMES / self.fps):
                    due = int(now_s * self.fps)
                    self._skipped += due - number
                    number = due

    @property
    def replaced(self) -> int:
        return self._skipped

    def _position_ns(self, number: int) -> int:
        return round(number * 1e9 / self.fps)

    def _frame_at(self, position_ns: int) -> int:
        number = round(position_ns * self.fps / 1e9)
        if self._position_ns(number) > position_ns:
            number -= 1
        return number if self.frame_count is None else min(number, self.frame_count - 1)


class SyntheticSource(TrueJointsSource):
    """A figure that faces the camera, sways and waves, in front of a gentle gradient."""

    @cached_property
    def _body(self) -> float:
        """Height of the figure in pixels; the arms need the width."""
        return min(0.8 * self.height, 0.95 * self.width)

    @cached_property
    def _background(self) -> Image:
        return _gradient(self.width, self.height)

    def true_points(self, time_s: float) -> Points:
        def swing(hertz: float, phase: float = 0.0) -> float:
            return math.sin(2 * math.pi * (hertz * time_s + phase))

        # In body heights: x to the right, y up, the origin between the feet.
        points = np.zeros((17, 2))
        points[0] = 0.0, 0.91
        for joint, x, y in ((1, 0.022, 0.935), (3, 0.05, 0.925), (5, 0.115, 0.80), (11, 0.075, 0.50)):
            points[joint] = x, y
            points[joint + 1] = -x, y
        for side, (shoulder, elbow, wrist) in zip((1, -1), _ARMS, strict=True):
            upper = 0.9 + 0.55 * swing(0.4, phase=0.25 * side)  # radians away from hanging straight down
            lower = upper + 0.7 + 0.5 * swing(0.7)
            points[elbow] = points[shoulder] + 0.17 * np.array([side * math.sin(upper), -math.cos(upper)])
            points[wrist] = points[elbow] + 0.15 * np.array([side * math.sin(lower), -math.cos(lower)])
        points[:13] += 0.03 * swing(0.25), 0.008 * swing(0.5)
        for side, (hip, knee, ankle) in zip((1, -1), _LEGS, strict=True):
            points[ankle] = side * 0.085, 0.03
            points[knee] = (points[hip] + points[ankle]) / 2 + (side * 0.015, 0.0)

        feet = np.array([(self.width - 1) / 2, (self.height - 1 + self._body) / 2])
        return feet + self._body * points * (1.0, -1.0)

    def _drawn(self, time_s: float) -> tuple[Image, bool]:
        image = self._background.copy()
        _draw_figure(image, self.true_points(time_s), self._body)
        return image, True


def _gradient(width: int, height: int) -> Image:
    down = np.linspace(0.0, 1.0, height)[:, None, None]
    across = np.linspace(0.0, 1.0, width)[None, :, None]
    colour = np.array([215.0, 205.0, 195.0]) - 55.0 * down - 25.0 * across
    return colour.astype(np.uint8)


def _add_noise(image: Image, sigma: float, generator: np.random.Generator) -> Image:
    noise = generator.standard_normal(image.shape, dtype=np.float32)
    noise *= sigma
    noise += image
    return np.rint(noise, out=noise).clip(0, 255, out=noise).astype(np.uint8)


def _draw_figure(image: Image, points: Points, body: float) -> None:
    for leg in _LEGS:
        _line(image, points[list(leg)], 0.075 * body, _TROUSERS)
    cv2.fillConvexPoly(image, _fixed(points[list(_TORSO)]), _SHIRT, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    _line(image, points[[*_TORSO, _TORSO[0]]], 0.05 * body, _SHIRT)
    neck = points[[5, 6]].mean(axis=0)
    _line(image, np.stack([neck, points[0]]), 0.05 * body, _SKIN)
    _dot(image, points[0], 0.065 * body, _SKIN)
    for arm in _ARMS:
        _line(image, points[list(arm)], 0.05 * body, _SKIN)
    for point in points:
        _dot(image, point, max(1.5, 0.01 * body), JOINT_COLOUR)


def _line(image: Image, points: Points, thickness: float, colour: Colour) -> None:
    thickness_px = max(1, round(thickness))
    cv2.polylines(image, [_fixed(points)], False, colour, thickness_px, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)


def _dot(image: Image, point: Sequence[float] | Points, radius: float, colour: Colour) -> None:
    x, y = _fixed(np.asarray(point)).tolist()
    radius_fixed = round(radius * 2**_SUBPIXEL_BITS)
    cv2.circle(image, (x, y), radius_fixed, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fixed(points: Points) -> NDArray[np.int32]:
    """OpenCV's fixed-point coordinates."""
    fixed: NDArray[np.int32] = np.rint(points * 2**_SUBPIXEL_BITS).astype(np.int32)
    return fixed

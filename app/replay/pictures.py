"""Pictures of a person with the skeleton of one variant."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from app.decoder_display import DARK_SURFACE, bgr
from app.frames import Frame, Image, Person, PoseResult
from app.overlay import OverlayStyle, draw_overlay
from app.replay.tracks import Points

CLOSE_UP_PX = 480
_JPEG_QUALITY = 88
_DRAWN = "drawn"


def close_ups(image: Image, person: Person, points: Points) -> list[bytes]:
    """For each variant a JPEG of the person as it read them; points (V, K, 2) px of `image`."""
    around = person.own_points.astype(np.float64)
    found = []
    for one in points:
        picture = close_up(image, person, one, around)
        found.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())
    return found


def close_up(image: Image, person: Person, points: Points, around: Points) -> Image:
    """A square of CLOSE_UP_PX around the person with the skeleton at `points` (K, 2) px of the source.

    around: (N, 2) px, what has to be seen; the same for all variants, so that their squares show the same.
    """
    height, width = image.shape[:2]
    known = around[np.isfinite(around).all(-1)]
    low, high = known.min(0), known.max(0)
    side = float(min(max(1.25 * (high - low).max(), 16.0), 2.0 * max(width, height)))
    x, y = (low + high) / 2 - side / 2
    scale = CLOSE_UP_PX / side
    to_square = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    square = cv2.warpAffine(
        image, to_square, (CLOSE_UP_PX, CLOSE_UP_PX), flags=cv2.INTER_AREA, borderValue=bgr(DARK_SURFACE)
    )
    return annotated(np.asarray(square, np.uint8), person, (points - (x, y)) * scale, scale)


def annotated(image: Image, person: Person, points: Points, scale: float) -> Image:
    """The app's own skeleton at `points`; scale: of the picture against the source."""
    # The plate that the app draws into a corner falls into rows that are cut away: each picture has its own label.
    plate = math.ceil(0.2 * image.shape[0])
    taller = cv2.copyMakeBorder(image, plate, 0, 0, 0, cv2.BORDER_CONSTANT)
    drawn = dataclasses.replace(
        person,
        points={_DRAWN: (points + np.array([0, plate])).astype(np.float32)},
        scores={_DRAWN: person.scores["argmax"]},
        region=dataclasses.replace(person.region, side=person.region.side * scale),
    )
    result = PoseResult(Frame(0, 0, 0, np.asarray(taller, np.uint8)), (drawn,), _DRAWN, 0.0, None)
    return draw_overlay(result, OverlayStyle())[plate:]

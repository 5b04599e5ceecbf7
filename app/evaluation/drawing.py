"""A person with the truth and every variant's joints, as a JPEG."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.comparison.variants import Variant
from app.evaluation.annotations import AnnotatedPerson
from app.frames import Image
from models.skeletons import COCO_17

HEIGHT = 480
_AROUND = 0.12
_DIMMED = 0.62
_WHITE, _DARK = (255, 255, 255), (24, 18, 14)
_RING, _DOT = 8, 4
# OpenCV takes positions in sixteenths of a pixel.
_SHIFT = 4
_QUALITY = 88


def draw_person(
    picture: Image,
    person: AnnotatedPerson,
    points: NDArray[np.float64],
    variants: Sequence[Variant],
    joints: Sequence[str],
) -> bytes:
    """JPEG, about HEIGHT px high: the annotated joints as white rings, points (V, J, 2) px in the variants' colours.

    A variant that is not the first of its decoder is drawn as a diamond instead of a dot. Only labelled joints are
    drawn. joints: their names.
    """
    labelled = person.labels > 0
    near, left, top = _neighbourhood(
        picture, person, np.vstack((points[:, labelled].reshape(-1, 2), person.joints[labelled]))
    )
    scale = HEIGHT / near.shape[0]
    canvas = cv2.resize(near, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    # Dimmed, so that light colours can be seen.
    drawn = np.asarray(canvas * _DIMMED, np.uint8)
    shifted = np.array([left, top]) - 0.5
    truth = (person.joints - shifted) * scale - 0.5
    read = (points - shifted) * scale - 0.5
    _limbs(drawn, truth, labelled, joints)
    for j in np.flatnonzero(labelled):
        for i, variant in enumerate(variants):
            _line(drawn, truth[j], read[i, j], variant.color)
    for j in np.flatnonzero(labelled):
        cv2.circle(drawn, _fixed(truth[j]), _RING << _SHIFT, _DARK, 4, cv2.LINE_AA, _SHIFT)
        cv2.circle(drawn, _fixed(truth[j]), _RING << _SHIFT, _WHITE, 2, cv2.LINE_AA, _SHIFT)
    # Who is named first lies on top.
    for i in reversed(range(len(variants))):
        first = all(variant.decoder != variants[i].decoder for variant in variants[:i])
        for j in np.flatnonzero(labelled):
            (_dot if first else _diamond)(drawn, read[i, j], variants[i].color)
    encoded, data = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert encoded
    return data.tobytes()


def _neighbourhood(picture: Image, person: AnnotatedPerson, points: NDArray[np.float64]) -> tuple[Image, int, int]:
    """The part of the picture with the box and these points (N, 2) px, and where its left top corner is."""
    x, y, width, height = person.box
    rim = _AROUND * person.longer_side
    low = np.minimum((x, y), points.min(0)) - rim
    high = np.maximum((x + width, y + height), points.max(0)) + rim
    size = np.array(picture.shape[1::-1])
    left, top = (int(value) for value in np.clip(low, 0, size - 1))
    right, bottom = (int(value) + 1 for value in np.clip(high, 0, size - 1))
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)], left, top


def _limbs(drawn: Image, truth: NDArray[np.float64], labelled: NDArray[np.bool_], joints: Sequence[str]) -> None:
    place = {name: i for i, name in enumerate(joints)}
    for first, second in COCO_17.limbs:
        if first in place and second in place and labelled[place[first]] and labelled[place[second]]:
            ends = _fixed(truth[place[first]]), _fixed(truth[place[second]])
            cv2.line(drawn, *ends, (150, 150, 150), 1, cv2.LINE_AA, _SHIFT)


def _line(drawn: Image, start: NDArray[np.float64], end: NDArray[np.float64], color: str) -> None:
    cv2.line(drawn, _fixed(start), _fixed(end), _bgr(color), 1, cv2.LINE_AA, _SHIFT)


def _dot(drawn: Image, point: NDArray[np.float64], color: str) -> None:
    cv2.circle(drawn, _fixed(point), (_DOT + 1) << _SHIFT, _DARK, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(drawn, _fixed(point), _DOT << _SHIFT, _bgr(color), -1, cv2.LINE_AA, _SHIFT)


def _diamond(drawn: Image, point: NDArray[np.float64], color: str) -> None:
    for reach, paint in ((_DOT + 3, _DARK), (_DOT + 1, _bgr(color))):
        corners = [(point[0] + dx * reach, point[1] + dy * reach) for dx, dy in ((0, -1), (1, 0), (0, 1), (-1, 0))]
        fixed = np.array([_fixed(np.array(corner)) for corner in corners], np.int32)
        cv2.fillConvexPoly(drawn, fixed, paint, cv2.LINE_AA, _SHIFT)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    x, y = np.rint(np.asarray(point) * (1 << _SHIFT)).astype(int)
    return int(x), int(y)


def _bgr(color: str) -> tuple[int, int, int]:
    return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)

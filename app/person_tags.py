"""Who is who among several people: a number in each person's colour above the head."""

from __future__ import annotations

import cv2
import numpy as np

from app.caption import picture_font, text_width
from app.decoder_display import bgr, person_color
from app.frames import Image, PoseResult

_TEXT = (18, 18, 18)
_CHOSEN_RIM = (255, 255, 255)
_BOLD = 700
# As shares of the size of the text.
_HEIGHT, _PAD, _GAP = 1.45, 0.45, 0.9


def draw_tags(picture: Image, result: PoseResult, *, mirror: bool) -> None:
    """Draw the numbers of `result.shown` into `picture` (H, W, 3); whom the meters look at has a white rim.

    mirror: the picture was flipped left to right.
    """
    height, width = picture.shape[:2]
    size = max(10, round(0.035 * min(height, width)))
    chosen = result.person
    for person in result.shown:
        points = person.points.get(result.decoder)
        if points is None or not (known := np.isfinite(points).all(-1)).any():
            continue
        x, y = points[known][:, 0].mean(), points[known][:, 1].min()
        text = str(person.id)
        wide, high = text_width(text, size, _BOLD) + round(2 * _PAD * size), round(_HEIGHT * size)
        left = round((width - 1 - x if mirror else x) - wide / 2)
        top = round(y - _GAP * size - high)
        # Whoever is cut by the border keeps the number.
        left, top = min(max(left, 2), width - wide - 2), min(max(top, 2), height - high - 2)
        corner = left + wide, top + high
        if chosen is not None and person.id == chosen.id:
            cv2.rectangle(picture, (left - 2, top - 2), (corner[0] + 2, corner[1] + 2), _CHOSEN_RIM, -1, cv2.LINE_AA)
        cv2.rectangle(picture, (left, top), corner, bgr(person_color(person.slot)), -1, cv2.LINE_AA)
        at = left + round(_PAD * size), top + round(0.5 * high + 0.36 * size)
        cv2.putText(picture, text, at, _TEXT, picture_font(), size, _BOLD)

"""One pane for each variant: the same frame with the skeleton that the variant read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.comparison.page_colors import looks
from app.comparison.variants import Variant
from app.decoder_display import DARK_SURFACE, bgr
from app.errors import UserError
from app.frames import Image, Person
from app.replay.pictures import annotated
from app.replay.tracks import Points

MOST_PANES = 9
LARGEST_WIDTH, LARGEST_HEIGHT = 1920, 1080
_GAP_PX = 4
_LARGEST_TEXT_PX, _SMALLEST_TEXT_PX = 22, 9
_TEXT = (237, 234, 232)
_BACKGROUND = bgr(DARK_SURFACE)


@dataclass(frozen=True, slots=True)
class Layout:
    """columns × rows of panes; pane_width, pane_height: of the picture in each, px; label: height of the text above it.

    Panes are as large as the whole allows, and never larger than the source.
    """

    columns: int
    rows: int
    pane_width: int
    pane_height: int
    label: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole, both even."""
        width = self.columns * (self.pane_width + _GAP_PX) + _GAP_PX
        height = self.rows * (self.pane_height + self.label + _GAP_PX) + _GAP_PX
        return width + width % 2, height + height % 2

    def corner(self, pane: int) -> tuple[int, int]:
        """Top left pixel of a pane's label, x and y; its picture lies below."""
        row, column = divmod(pane, self.columns)
        return (
            _GAP_PX + column * (self.pane_width + _GAP_PX),
            _GAP_PX + row * (self.pane_height + self.label + _GAP_PX),
        )


def layout(panes: int, width: int, height: int) -> Layout:
    """The arrangement with the largest panes for so many pictures of this size. Raises UserError beyond MOST_PANES."""
    if panes > MOST_PANES:
        raise UserError(f"The video shows at most {MOST_PANES} decoders side by side, not {panes}.")
    return max(
        (_arranged(panes, columns, width, height) for columns in range(1, panes + 1)), key=lambda a: a.pane_width
    )


def _arranged(panes: int, columns: int, width: int, height: int) -> Layout:
    rows = math.ceil(panes / columns)
    room_x = (LARGEST_WIDTH - 2 - _GAP_PX) / columns - _GAP_PX
    room_y = (LARGEST_HEIGHT - 2 - _GAP_PX) / rows - _GAP_PX
    label = min(2 * _LARGEST_TEXT_PX, max(2 * _SMALLEST_TEXT_PX, round(0.09 * room_y)))
    scale = min(1.0, room_x / width, (room_y - label) / height)
    return Layout(columns, rows, max(1, int(width * scale)), max(1, int(height * scale)), label)


class Grid:
    """Draws grids of one layout. width, height: of the source, px. Raises UserError for too many variants."""

    def __init__(self, variants: Sequence[Variant], width: int, height: int) -> None:
        self.layout = layout(len(variants), width, height)
        self._scale = self.layout.pane_width / width, self.layout.pane_height / height
        columns, rows = self.layout.size
        self._empty = np.full((rows, columns, 3), _BACKGROUND, np.uint8)
        colors = [bgr(look.color) for look in looks(variants)]
        for i, (variant, color) in enumerate(zip(variants, colors, strict=True)):
            self._label(i, variant.title, color)

    def draw(self, image: Image, person: Person | None, points: Points | None) -> Image:
        """The grid (rows, columns, 3) for one frame; points (V, K, 2) px of the source, None where nobody was seen."""
        size = self.layout.pane_width, self.layout.pane_height
        smaller = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        picture = self._empty.copy()
        for pane in range(self.layout.columns * self.layout.rows):
            if points is not None and pane < len(points):
                assert person is not None
                self._place(
                    picture, pane, annotated(smaller, person, _scaled(points[pane], self._scale), self._scale[0])
                )
            elif points is None:
                self._place(picture, pane, smaller)
        return picture

    def _place(self, picture: Image, pane: int, image: Image) -> None:
        x, y = self.layout.corner(pane)
        y += self.layout.label
        picture[y : y + image.shape[0], x : x + image.shape[1]] = image

    def _label(self, pane: int, title: str, color: tuple[int, int, int]) -> None:
        x, y = self.layout.corner(pane)
        height = self.layout.label
        swatch = round(0.5 * height)
        cv2.rectangle(
            self._empty, (x, y + (height - swatch) // 2), (x + swatch - 1, y + (height + swatch) // 2 - 1), color, -1
        )
        font = cv2.FontFace("sans")
        left, room = x + swatch + round(0.25 * height), self.layout.pane_width - swatch - round(0.3 * height)
        text_px = round(0.5 * height)
        while text_px > _SMALLEST_TEXT_PX and _width(title, font, text_px) > room:
            text_px -= 1
        cv2.putText(self._empty, title, (left, y + round(0.5 * height + 0.36 * text_px)), _TEXT, font, text_px, 500)


def _scaled(points: Points, scale: tuple[float, float]) -> Points:
    """Whole numbers are centres of pixels: the corner of the picture stays where it is."""
    moved: Points = (points + 0.5) * scale - 0.5
    return moved


def _width(text: str, font: cv2.FontFace, text_px: int) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), font, text_px, 500)[2])

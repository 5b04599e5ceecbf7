"""Ghosts: what the other decoders, and MediaPipe, say about the same frame, thin and in the colour of each, beside the
chosen one.

Coordinates are pixels of the picture, as in `app.overlay`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.caption import draw_legend
from app.decoder_display import READING_NAMES, bgr, decoder_color, display_title
from app.frames import Image
from models.skeletons import BLAZEPOSE_33, COCO_FROM_BLAZEPOSE

_LIMBS = np.array(BLAZEPOSE_33.limb_indices)
_MAIN = np.isin(np.arange(len(BLAZEPOSE_33.joints)), COCO_FROM_BLAZEPOSE)
_DARK = (18, 18, 18)
_SHIFT = 4
_ONE = 1 << _SHIFT
_TURN = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_ROUND = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
# An arrow shorter than this, in px, is a dot.
_SHORTEST_ARROW = 2.0
_FARTHEST = 1e6


def ghost_decoders(ghosts: frozenset[str], chosen: str) -> list[str]:
    """The ghosts in the order of the decoders; the chosen decoder is no ghost of itself."""
    return [name for name in READING_NAMES if name in ghosts and name != chosen]


def draw_ghosts(
    picture: Image,
    points: Mapping[str, NDArray[np.floating]],
    ghosts: Sequence[str],
    known: NDArray[np.bool_],
    line: float,
) -> None:
    """Draw a thin skeleton for each ghost into `picture` (H, W, 3).

    points: decoder -> (K, 2) px. known: (K,) which joints to draw. line: the width of a limb of the chosen decoder.
    """
    thickness = max(1, round(0.28 * line))
    both, joints = known[_LIMBS].all(1), known & _MAIN
    for name in ghosts:
        places = np.asarray(points[name], np.float64)
        rings = places[joints, None] + 0.42 * line * _ROUND
        color = bgr(decoder_color(name))
        _lines(picture, places[_LIMBS[both]], color, thickness)
        _lines(picture, rings, color, thickness, closed=True)


def draw_arrows(
    picture: Image,
    points: Mapping[str, NDArray[np.floating]],
    ghosts: Sequence[str],
    chosen: str,
    known: NDArray[np.bool_],
    line: float,
    magnification: float,
) -> None:
    """Draw an arrow from each ghost's joint to the chosen decoder's, `magnification` times as long as the distance.

    The arrow ends at the chosen decoder's joint; its other end is a dot in the ghost's colour. Only the joints of COCO
    have arrows: those of BlazePose lie so close in face and hands that nothing could be told apart.
    """
    target = np.asarray(points[chosen], np.float64)
    thickness = max(1, round(0.22 * line))
    for name in ghosts:
        color = bgr(decoder_color(name))
        shift = (np.asarray(points[name], np.float64) - target) * magnification
        drawn = np.flatnonzero(known & _MAIN & (np.abs(shift).max(1) < _FARTHEST))
        heads, tails = target[drawn], (target + shift)[drawn]
        length = np.hypot(*shift[drawn].T)[:, None]
        back = shift[drawn] / np.maximum(length, 1e-9)
        across = np.stack((-back[:, 1], back[:, 0]), 1)
        size = np.minimum(2.2 * line, 0.4 * length)
        # Each arrow in one stroke: from the dot to the point, and both barbs.
        strokes = (tails, heads, heads + (back + 0.5 * across) * size, heads, heads + (back - 0.5 * across) * size)
        _lines(picture, np.stack(strokes, 1)[length[:, 0] >= _SHORTEST_ARROW], color, thickness)
        for radius, ink in ((0.42 * line + 0.8, _DARK), (0.42 * line, color)):
            for dot in _fixed_point(tails[:, None] + max(radius, 1.0) * _ROUND):
                cv2.fillConvexPoly(picture, dot, ink, cv2.LINE_AA, _SHIFT)


def draw_ghost_legend(picture: Image, chosen: str, ghosts: Sequence[str], magnification: float) -> None:
    """Say at the lower left which colour is which decoder, and how much the arrows are magnified."""
    rows: list[tuple[str, tuple[int, int, int] | None]]
    rows = [(display_title(name), bgr(decoder_color(name))) for name in (chosen, *ghosts)]
    if magnification:
        rows.append((f"distances × {magnification:g}", None))
    draw_legend(picture, rows)


def _lines(
    picture: Image,
    places: NDArray[np.float64],
    color: tuple[int, int, int],
    thickness: int,
    *,
    closed: bool = False,
) -> None:
    """Draw M lines through the points of `places` (M, P, 2), in one call: hundreds would hold up the other threads."""
    if len(places):
        cv2.polylines(picture, list(_fixed_point(places)), closed, color, thickness, cv2.LINE_AA, _SHIFT)


def _fixed_point(places: NDArray[np.floating]) -> NDArray[np.int32]:
    bounded = np.nan_to_num(np.clip(places, -_FARTHEST, _FARTHEST))
    fixed: NDArray[np.int32] = np.rint(bounded * _ONE).astype(np.int32)
    return fixed

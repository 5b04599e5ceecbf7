"""PoseResult -> annotated picture: the same drawing on screen and in the recording.

Coordinates are pixels of the frame: (0, 0) is the centre of the top left pixel. All is drawn with fixed-point
coordinates, so that a joint is shown where the decoder puts it and not at the nearest pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.caption import draw_caption
from app.decoder_display import bgr, decoder_color, person_color
from app.frames import Image, Person, PoseResult, Readings
from app.ghosts import draw_arrows, draw_ghost_legend, draw_ghosts, ghost_decoders
from app.heatmap_blend import blend_heatmap
from app.person_tags import draw_tags
from models.skeletons import BLAZEPOSE_33, side_of

# Left and right by colours that any colour vision tells apart; left and right are the person's own.
SIDE_COLORS: dict[str, str] = {"left": "#ff9d1e", "right": "#3fb4f7", "middle": "#f6f4ee"}

# As a choice of heatmap: the highest of all joints' maps at each place.
ALL_JOINTS = -1

_OUTLINE = (18, 18, 18)
_RIM = (255, 255, 255)
# Share of the outline and of uncertain joints in the blend with the picture beneath.
_SOFT_OPACITY = 0.6
# Joints with less than this share of `min_score` are not drawn at all.
_LEFT_OUT_BELOW = 1 / 3
# A joint further out than this many pixels is nonsense, and would overflow the fixed-point numbers.
_FARTHEST = 1e6

_SHIFT = 4
_ONE = 1 << _SHIFT
# A dot of a smaller radius, in px, has no room for a rim.
_SMALLEST_RIM = 2.8
# OpenCV's anti-aliased edge spreads this far, in px, beyond the shape (measured). It is taken off each size.
_EDGE_SPREAD = 0.6
_TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_ROUND = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """How the picture is annotated.

    mirror: flip the picture left to right, as in a looking glass. Text stays readable, and left and right
        keep their colours, since they are the person's own.
    show_readings: draw the meters, where readings are given. show_caption: draw the plate that they stand on.
    min_score: a limb or joint with a lower score is faint, one with a far lower score is left out.
    ghosts: decoders that are drawn thinly beside the chosen one, with a legend; the chosen one then has its own
        decoder's colour too, instead of those of left and right.
    arrows: 0, or how many times magnified the ghosts' distances to the chosen decoder are drawn; instead of skeletons.
    heatmap: the joint whose heatmap lies over the picture, ALL_JOINTS, or None. Needs people with their heatmaps.
    """

    mirror: bool = False
    show_readings: bool = True
    show_caption: bool = True
    min_score: float = 0.3
    ghosts: frozenset[str] = frozenset()
    arrows: float = 0
    heatmap: int | None = None


class _Limb(NamedTuple):
    start: int
    end: int
    side: str
    weight: float


def _detail(joint: str) -> float:
    """Size of a joint against those of the body: BlazePose packs many into face, hands and feet."""
    part = joint.split("_", 1)[-1]
    if joint == "nose" or part.startswith(("eye", "ear", "mouth")):
        return 0.4
    return 0.55 if part in ("pinky", "index", "thumb", "heel", "foot_index") else 1.0


def _limb_side(a: str, b: str) -> str:
    sides = {side_of(a), side_of(b)} - {"middle"}
    return sides.pop() if len(sides) == 1 else "middle"


_JOINT_SIDES = tuple(side_of(joint) for joint in BLAZEPOSE_33.joints)
_JOINT_DETAIL = np.array([_detail(joint) for joint in BLAZEPOSE_33.joints])
_LIMBS = tuple(
    _Limb(BLAZEPOSE_33.index[a], BLAZEPOSE_33.index[b], _limb_side(a, b), min(_detail(a), _detail(b)))
    for a, b in BLAZEPOSE_33.limbs
)
_STARTS = np.array([limb.start for limb in _LIMBS])
_ENDS = np.array([limb.end for limb in _LIMBS])
_WEIGHTS = np.array([limb.weight for limb in _LIMBS])
_BGR = {side: bgr(color) for side, color in SIDE_COLORS.items()}


def draw_overlay(result: PoseResult, style: OverlayStyle, *, readings: Readings | None = None) -> Image:
    """Return a new (H, W, 3) uint8 BGR picture: the frame, the points of `result.decoder`, and a caption.

    The frame itself is never written to. Joints that are NaN are skipped, and so are people without points
    of that decoder.
    """
    picture = result.frame.image.copy()
    if style.heatmap is not None:
        for person in result.people:
            blend_heatmap(
                picture, person.as_read_by(result.decoder), None if style.heatmap == ALL_JOINTS else style.heatmap
            )
    if style.mirror:
        cv2.flip(picture, 1, dst=picture)
    several = len(result.shown) > 1
    for person in result.shown:
        _draw_person(picture, person, result.decoder, style, several=several)
    if several:
        draw_tags(picture, result, mirror=style.mirror)
    if (ghosts := ghost_decoders(style.ghosts, result.decoder)) and result.people:
        draw_ghost_legend(picture, result.decoder, ghosts, style.arrows)
    if style.show_caption:
        draw_caption(picture, result, readings if style.show_readings else None)
    return picture


def limb_width(body_size: float, height: int, width: int) -> float:
    """Width in px of a body limb: a share of the person, within bounds that suit the picture."""
    short = min(height, width)
    return float(np.clip(0.0125 * body_size, max(2.0, 0.002 * short), max(2.5, 0.0125 * short)))


def _draw_person(picture: Image, person: Person, decoder: str, style: OverlayStyle, *, several: bool) -> None:
    if decoder not in person.points:
        return
    height, width = picture.shape[:2]
    points = np.asarray(person.points[decoder], np.float64)
    scores = np.asarray(person.scores[decoder], np.float64)
    with np.errstate(invalid="ignore"):
        known = (np.abs(points) < _FARTHEST).all(axis=1) & (scores >= style.min_score * _LEFT_OUT_BELOW)
        sure = known & (scores >= style.min_score)
    if not known.any():
        return
    points = np.where(known[:, None], points, 0.0)
    if style.mirror:
        points[:, 0] = width - 1 - points[:, 0]

    line = limb_width(person.region.body_size, height, width)
    outline = max(1.0, 0.3 * line)
    radii = line * (0.62 + 0.5 * np.clip(scores, 0, 1)) * _JOINT_DETAIL
    ghosts = ghost_decoders(style.ghosts, decoder)
    color = bgr(decoder_color(decoder)) if ghosts else None
    rim = bgr(person_color(person.slot)) if several else _OUTLINE
    sketch = _Sketch(points, radii, line * 0.5 * _WEIGHTS, known, sure, color, rim)

    # Only the part of the picture around the person is blended: the cost follows the person's size.
    margin = 2 * line + outline + 2
    left, top = np.clip(points[known].min(axis=0) - margin, 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(points[known].max(axis=0) + margin + 1, 0, (width, height)).astype(int).tolist()
    part = picture[top:bottom, left:right]
    if part.size == 0:
        return
    sketch.move(-left, -top)
    soft = part.copy()
    sketch.draw_soft(soft, outline)
    cv2.addWeighted(soft, _SOFT_OPACITY, part, 1 - _SOFT_OPACITY, 0, dst=part)
    sketch.draw_sure(part)
    if ghosts:
        _draw_ghosts(picture, person, decoder, ghosts, sure, line, style)


def _draw_ghosts(
    picture: Image,
    person: Person,
    chosen: str,
    ghosts: list[str],
    sure: NDArray[np.bool_],
    line: float,
    style: OverlayStyle,
) -> None:
    points = {
        name: np.asarray(person.points[name], np.float64).copy() for name in (chosen, *ghosts) if name in person.points
    }
    if style.mirror:
        for places in points.values():
            places[:, 0] = picture.shape[1] - 1 - places[:, 0]
    drawn = [name for name in ghosts if name in points]
    if style.arrows:
        draw_arrows(picture, points, drawn, chosen, sure, line, style.arrows)
    else:
        draw_ghosts(picture, points, drawn, sure, line)


class _Sketch:
    """One person's shapes in px: points (K, 2), radii (K,), half_widths (L,), known and sure (K,) bool; one colour, or
    None for those of left and right; the colour of the rim around them.
    """

    def __init__(
        self,
        points: NDArray[np.float64],
        radii: NDArray[np.float64],
        half_widths: NDArray[np.float64],
        known: NDArray[np.bool_],
        sure: NDArray[np.bool_],
        color: tuple[int, int, int] | None,
        rim: tuple[int, int, int],
    ) -> None:
        self._rim = rim
        self.points = points
        self._colors = dict.fromkeys(_BGR, color) if color else _BGR
        self.radii = radii
        self.half_widths = half_widths
        self.sure_joints = np.flatnonzero(sure).tolist()
        self.faint_joints = np.flatnonzero(known & ~sure).tolist()
        drawn = known[_STARTS] & known[_ENDS]
        certain = sure[_STARTS] & sure[_ENDS]
        self.sure_limbs = np.flatnonzero(certain).tolist()
        self.faint_limbs = np.flatnonzero(drawn & ~certain).tolist()

    def move(self, dx: float, dy: float) -> None:
        self.points = self.points + np.array([dx, dy])

    def draw_soft(self, canvas: Image, outline: float) -> None:
        """What is blended into the picture: the dark outline of the sure shapes, and the uncertain ones."""
        bars, dots = self._bars(outline * _WEIGHTS), self._dots(outline * _JOINT_DETAIL)
        for i in self.sure_limbs:
            _fill(canvas, bars[i], self._rim)
        for i in self.sure_joints:
            _fill(canvas, dots[i], self._rim)
        if self.faint_joints:
            bars, dots = self._bars(0.0, thinner=0.5), self._dots(0.0)
            for i in self.faint_limbs:
                _fill(canvas, bars[i], self._colors[_LIMBS[i].side])
            for i in self.faint_joints:
                _fill(canvas, dots[i], self._colors[_JOINT_SIDES[i]])

    def draw_sure(self, canvas: Image) -> None:
        """What hides the picture beneath: limbs, and on top of them the joints."""
        bars, dots, cores = self._bars(0.0), self._dots(0.0), self._dots(0.0, smaller=0.7)
        for i in self.sure_limbs:
            _fill(canvas, bars[i], self._colors[_LIMBS[i].side])
        for i in self.sure_joints:
            color = self._colors[_JOINT_SIDES[i]]
            if _JOINT_DETAIL[i] < 1 or self.radii[i] < _SMALLEST_RIM:
                _fill(canvas, dots[i], color)
            else:
                _fill(canvas, dots[i], _RIM)
                _fill(canvas, cores[i], color)

    def _bars(self, wider: NDArray[np.float64] | float, thinner: float = 1.0) -> NDArray[np.int32]:
        """(L, 4, 2) corners of each limb's bar, fixed point."""
        start, end = self.points[_STARTS], self.points[_ENDS]
        along = end - start
        length = np.hypot(along[:, 0], along[:, 1])[:, None]
        across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(length, 1e-9)
        across *= np.maximum(self.half_widths * thinner + wider - _EDGE_SPREAD, 0.05)[:, None]
        corners = np.stack([start + across, end + across, end - across, start - across], axis=1)
        return _fixed_point(corners)

    def _dots(self, wider: NDArray[np.float64] | float, smaller: float = 1.0) -> NDArray[np.int32]:
        """(K, 24, 2) corners of each joint's dot, fixed point. OpenCV's own small circles are diamonds."""
        radii = np.maximum(self.radii * smaller + wider - _EDGE_SPREAD, 0.3)
        corners = self.points[:, None, :] + radii[:, None, None] * _ROUND
        return _fixed_point(corners)


def _fixed_point(corners: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.rint(corners * _ONE).astype(np.int32)


def _fill(canvas: Image, corners: NDArray[np.int32], color: tuple[int, int, int]) -> None:
    cv2.fillConvexPoly(canvas, corners, color, cv2.LINE_AA, _SHIFT)


__all__ = ["ALL_JOINTS", "SIDE_COLORS", "OverlayStyle", "draw_overlay", "limb_width"]

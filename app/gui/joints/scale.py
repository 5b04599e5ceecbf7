"""Jitter and bias of every joint of one decoder: values, units, order and colours. Nothing here paints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from app.decoder_display import PX_RANGE, px_share
from app.gui.language import mark, tr
from app.meters.rolling import JointDistances
from models.skeletons import BLAZEPOSE_33

JOINT_COUNT = len(BLAZEPOSE_33.joints)
JITTER, BIAS = mark("jitter"), mark("bias")
MIN_SCORE = 0.3  # of the meters; joints below it are left out
_DARKEST = 64  # of 255: anything darker is lost on the panel
_UNKNOWN = np.full(JOINT_COUNT, np.nan)


@dataclass(frozen=True)
class JointValues:
    """jitter_px, bias_px: (33,), NaN for a joint that is left out. percent_per_px: NaN where it is not known.
    count: how many joints the network has.
    """

    jitter_px: NDArray[np.float64]
    bias_px: NDArray[np.float64]
    percent_per_px: float = math.nan
    count: int = JOINT_COUNT

    @classmethod
    def nothing(cls) -> JointValues:
        """No joint is known."""
        return cls(_UNKNOWN, _UNKNOWN)

    @classmethod
    def of(cls, jitter: JointDistances, bias: JointDistances, decoder: str) -> JointValues:
        """One decoder's values; a decoder that the meters do not know has none."""
        per_px = (_percent_per_px(distances, decoder) for distances in (jitter, bias))
        return cls(
            jitter.per_joint.get(decoder, _UNKNOWN),
            bias.per_joint.get(decoder, _UNKNOWN),
            next((value for value in per_px if not math.isnan(value)), math.nan),
            JOINT_COUNT if bias.unknown is None else JOINT_COUNT - int(np.count_nonzero(bias.unknown)),
        )

    def px(self, kind: str) -> NDArray[np.float64]:
        """(33,) of `jitter` or `bias`."""
        return self.jitter_px if kind == JITTER else self.bias_px


def _percent_per_px(distances: JointDistances, decoder: str) -> float:
    """The body's size is not handed on by itself, but as the ratio of these two. NaN where it is not known."""
    overall = distances.overall.get(decoder, math.nan)
    return 100 * distances.body_share.get(decoder, math.nan) / overall if overall > 0 else math.nan


def joint_order(values_px: NDArray[np.float64]) -> tuple[int, ...]:
    """Joints with the largest value first; those without a value last; equal ones in the skeleton's order."""
    return tuple(int(joint) for joint in np.argsort(-np.nan_to_num(values_px, nan=-math.inf), kind="stable"))


def count_text(values_px: NDArray[np.float64], count: int = JOINT_COUNT) -> str:
    """`21 of 33 joints · 12 left out (score under 0.3)`."""
    seen = int(np.isfinite(values_px).sum())
    left_out = count - seen
    text = tr("{n} of {count} joints").format(n=seen, count=count)
    rest = tr(" · {n} left out (score under {score:g})").format(n=left_out, score=MIN_SCORE)
    return text + (rest if left_out else "")


def number_text(px: float, percent_per_px: float | None = None) -> str:
    """Three digits, in px or with a factor in percent of the body: `0.43`, `43.0`, `430`; a dash for NaN."""
    value = px if percent_per_px is None else px * percent_per_px
    if math.isnan(value):
        return "–"
    if percent_per_px is not None and value < 0.9995:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def unit_text(percent_per_px: float | None) -> str:
    """`px` or `%`."""
    return "px" if percent_per_px is None else "%"


@cache
def _scale_colors() -> tuple[QColor, ...]:
    """256 colours from blue over green to yellow: their order is seen with any colour vision."""
    # Here, and not at the top: OpenCV changes Qt's environment when it is imported, see qt_environment.
    import cv2

    colors = cv2.applyColorMap(np.linspace(_DARKEST, 255, 256).astype(np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0]
    return tuple(QColor(int(red), int(green), int(blue)) for blue, green, red in colors)


def scale_color(share: float) -> QColor:
    """The colour at this place of the scale, 0 (small) to 1 (large)."""
    return _scale_colors()[round(255 * min(max(share, 0.0), 1.0))]


def px_color(px: float) -> QColor:
    """The colour of a jitter or bias; logarithmic over PX_RANGE."""
    return scale_color(px_share(px))


def scale_ticks(percent_per_px: float | None = None) -> tuple[tuple[float, str], ...]:
    """Places on the scale, 0 to 1, with their texts: in px, or with a factor in percent of the body."""
    low, high = PX_RANGE
    factor = 1.0 if percent_per_px is None else percent_per_px
    if math.isnan(factor):
        return ()
    decades = range(math.ceil(math.log10(low * factor)), math.floor(math.log10(high * factor)) + 1)
    values = [10.0**decade for decade in decades]
    if percent_per_px is None:
        values = [low, *values, high]
    return tuple((math.log(value / factor / low) / math.log(high / low), f"{value:g}") for value in values)

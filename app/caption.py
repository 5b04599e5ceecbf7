"""The plate in the picture's corner: which decoder, network and device, and three small meters."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from app.decoder_display import DARK_SURFACE, WITHOUT_BIAS, beta_text, bgr, decoder_color, display_title, px_share
from app.frames import Image, PoseResult, Readings

_Color = tuple[int, int, int]

_UNKNOWN = "–"

_WHITE = (255, 255, 255)
_DIM = (205, 200, 196)
_TRACK = (104, 98, 94)
_LATENCY_COLOR = (235, 230, 226)
_PLATE_OPACITY = 0.82

_REGULAR, _BOLD = 400, 700

_FULL_LATENCY_MS = 100.0

_per_thread = threading.local()


def picture_font() -> cv2.FontFace:
    """OpenCV does not say that a FontFace may be used by two threads at a time."""
    font: cv2.FontFace | None = getattr(_per_thread, "font", None)
    if font is None:
        font = _per_thread.font = cv2.FontFace("sans")
    return font


def text_width(text: str, size: int, weight: int = _REGULAR) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), picture_font(), size, weight)[2])


def _write(picture: Image, text: str, at: tuple[int, int], size: int, color: _Color, weight: int = _REGULAR) -> None:
    """`at` is where the text's baseline begins, `size` the font's size, both in px."""
    cv2.putText(picture, text, at, color, picture_font(), size, weight)


@dataclass(frozen=True, slots=True)
class _Meter:
    label: str
    share: float
    text: str
    color: _Color


def draw_caption(picture: Image, result: PoseResult, readings: Readings | None) -> None:
    """Draw the plate into `picture` (H, W, 3), scaled to its size; without `readings` there are no meters."""
    height, width = picture.shape[:2]
    size = max(9, round(min(0.031 * height, 0.034 * width)))
    small = max(8, round(0.82 * size))
    pad, gap = round(0.75 * size), round(0.5 * size)

    title = _without_brackets(display_title(result.decoder))
    beta = beta_text(result.decoder, result.beta)
    smoothed = "smoothed" if result.smoothed else ""
    device = _without_brackets(result.device)
    head = f"head {result.head}" if result.head else ""
    subtitle = " · ".join(part for part in (result.network, head, device, smoothed, _fps_text(readings)) if part)
    subtitle = _shortened(subtitle, small, width - 4 * pad)
    meters = _meters(result.decoder, readings, smoothed=bool(result.smoothed))

    chip = max(2, round(0.3 * size))
    title_x = 2 * chip + gap
    label_column = max((text_width(m.label, small) for m in meters), default=0)
    value_column = text_width("000.00 px", small) if meters else 0
    beta_x = title_x + text_width(title, size, _BOLD) + gap
    beside_bar = label_column + value_column + 2 * gap
    inner = max(
        beta_x + text_width(beta, size),
        text_width(subtitle, small) if subtitle else 0,
        beside_bar + 5 * size if meters else 0,
    )
    bar = inner - beside_bar
    line, small_line = round(1.3 * size), round(1.5 * small)
    inner_height = line + (small_line if subtitle else 0) + len(meters) * small_line
    x, y = pad, pad
    _plate(picture, x, y, inner + 2 * pad, inner_height + round(1.2 * pad), round(0.6 * size))

    x, y = x + pad, y + round(0.6 * pad)
    baseline = y + size
    cv2.circle(
        picture,
        ((x + chip) * 16, round((baseline - 0.36 * size) * 16)),
        chip * 16,
        bgr(decoder_color(result.decoder)),
        cv2.FILLED,
        cv2.LINE_AA,
        4,
    )
    _write(picture, title, (x + title_x, baseline), size, _WHITE, _BOLD)
    _write(picture, beta, (x + beta_x, baseline), size, _WHITE)
    y += line
    if subtitle:
        _write(picture, subtitle, (x, y + small), small, _DIM)
        y += small_line
    for meter in meters:
        baseline = y + small
        _write(picture, meter.label, (x, baseline), small, _DIM)
        bar_y = baseline - round(0.62 * small)
        _bar(picture, meter, x + label_column + gap, bar_y, bar, max(2, round(0.45 * small)))
        right = x + inner - text_width(meter.text, small)
        _write(picture, meter.text, (right, baseline), small, _WHITE)
        y += small_line


def draw_legend(picture: Image, rows: Sequence[tuple[str, _Color | None]]) -> None:
    """Draw a plate at the lower left with a line of text for each row, behind a dot of its colour where it has one."""
    height, width = picture.shape[:2]
    size = max(8, round(0.82 * min(0.031 * height, 0.034 * width)))
    pad, line, chip = round(0.9 * size), round(1.5 * size), max(2, round(0.34 * size))
    text_x = 2 * chip + round(0.7 * size)
    rows = [(_without_brackets(text), color) for text, color in rows]
    inner = text_x + max(text_width(text, size) for text, _ in rows)
    plate_height = len(rows) * line + round(1.1 * pad)
    top = height - pad - plate_height
    _plate(picture, pad, top, inner + 2 * pad, plate_height, round(0.7 * size))
    for row, (text, color) in enumerate(rows):
        baseline = top + round(0.55 * pad) + row * line + round(1.1 * size)
        if color is not None:
            center = ((2 * pad + chip) * 16, round((baseline - 0.36 * size) * 16))
            cv2.circle(picture, center, chip * 16, color, cv2.FILLED, cv2.LINE_AA, 4)
        _write(picture, text, (2 * pad + text_x, baseline), size, _WHITE)


def _without_brackets(text: str) -> str:
    """`cpu (OpenVINO)` -> `cpu, OpenVINO`: the picture's font has no brackets of its own."""
    return text.replace(" (", ", ").removesuffix(")")


def _shortened(text: str, size: int, room: int) -> str:
    """`text`, its end left out where it is wider than `room` px."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _fps_text(readings: Readings | None) -> str:
    return f"{readings.fps:.0f} fps" if readings is not None and math.isfinite(readings.fps) else ""


def _meters(decoder: str, readings: Readings | None, *, smoothed: bool) -> list[_Meter]:
    if readings is None:
        return []
    latency = readings.latency_ms
    jitter, bias = readings.jitter_px.get(decoder, math.nan), readings.bias_px.get(decoder, math.nan)
    color = bgr(decoder_color(decoder))
    meters = [
        _Meter("latency", latency / _FULL_LATENCY_MS, _number(latency, "ms", 0), _LATENCY_COLOR),
        _Meter("raw jitter" if smoothed else "jitter", px_share(jitter), _number(jitter, "px", 2), color),
        _Meter("bias", px_share(bias), _number(bias, "px", 2), color),
    ]
    return meters[:-1] if decoder in WITHOUT_BIAS else meters


def _number(value: float, unit: str, decimals: int) -> str:
    return f"{value:.{decimals}f} {unit}" if math.isfinite(value) else f"{_UNKNOWN} {unit}"


def _bar(picture: Image, meter: _Meter, x: int, y: int, width: int, thickness: int) -> None:
    cv2.rectangle(picture, (x, y), (x + width - 1, y + thickness - 1), _TRACK, cv2.FILLED)
    share = meter.share if math.isfinite(meter.share) else 0.0
    filled = round(width * min(max(share, 0.0), 1.0))
    if filled:
        cv2.rectangle(picture, (x, y), (x + filled - 1, y + thickness - 1), meter.color, cv2.FILLED)


def _plate(picture: Image, x: int, y: int, width: int, height: int, radius: int) -> None:
    """Darken a rectangle with round corners, cut at the picture's border."""
    part = picture[y : y + height, x : x + width]
    if part.size == 0:
        return
    dark = part.copy()
    color = bgr(DARK_SURFACE)
    cv2.rectangle(dark, (radius, 0), (width - 1 - radius, height - 1), color, cv2.FILLED)
    cv2.rectangle(dark, (0, radius), (width - 1, height - 1 - radius), color, cv2.FILLED)
    for cx in (radius, width - 1 - radius):
        for cy in (radius, height - 1 - radius):
            cv2.circle(dark, (cx, cy), radius, color, cv2.FILLED, cv2.LINE_AA)
    cv2.addWeighted(dark, _PLATE_OPACITY, part, 1 - _PLATE_OPACITY, 0, dst=part)

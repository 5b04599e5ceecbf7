"""Colours of a report: dark like the window on a screen, dark on white on paper."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.decoder_display import DARK_SURFACE

if TYPE_CHECKING:
    from app.comparison.variants import Variant

SURFACE, PANEL, RAISED, LINE = DARK_SURFACE, "#1b1f26", "#262c35", "#343c47"
TEXT, MUTED, ACCENT = "#e8eaed", "#a3adba", "#56b4e9"
_PAPER = {
    SURFACE: "#ffffff",
    PANEL: "#ffffff",
    RAISED: "#f2f4f6",
    LINE: "#cfd4da",
    TEXT: "#16181c",
    MUTED: "#5a626c",
}
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_LEAST_CONTRAST = 3.0  # of a shape beside its ground: WCAG 2.2, 1.4.11


@dataclass(frozen=True, slots=True)
class Look:
    """How a variant is drawn everywhere in a report: `#rrggbb`, and whether its line is dashed (its bar hatched)."""

    color: str
    dashed: bool


def looks(variants: Sequence[Variant]) -> tuple[Look, ...]:
    """One look for each variant: its decoder's colour; further variants of one decoder are lighter, every other dashed.

    With many variants of one decoder they go from the decoder's colour to nearly white in equal steps.
    """
    found = []
    for i, variant in enumerate(variants):
        alike = [j for j, other in enumerate(variants) if other.decoder == variant.decoder]
        place = alike.index(i)
        lighter = min(0.45 * place, 0.75 * place / max(1, len(alike) - 1))
        found.append(Look(_toward_white(variant.color, lighter), place % 2 == 1))
    return tuple(found)


def themed(text: str) -> str:
    """Every `#rrggbb` becomes a CSS variable whose fallback it is, so that paper can have another."""
    return _HEX.sub(lambda match: f"var(--c{match[0][1:].lower()}, {match[0]})", text)


def paper_colors(page: str) -> str:
    """CSS declarations of the colours on paper for all variables that `themed` left in `page`."""
    used = sorted(set(re.findall(r"var\(--c([0-9a-f]{6})", page)))
    return "".join(f"--c{color}:{paper_color('#' + color)};" for color in used)


def paper_color(color: str) -> str:
    """The colour that does on white what `color` does on the dark surface; hue kept, contrast at least 3 : 1."""
    if color in _PAPER:
        return _PAPER[color]
    on_dark = (_luminance(color) + 0.05) / (_luminance(SURFACE) + 0.05)
    wanted = _LEAST_CONTRAST + max(0.0, on_dark - _LEAST_CONTRAST) / 4
    hue, lightness, saturation = colorsys.rgb_to_hls(*_shares(color))
    while lightness > 0 and 1.05 / (_luminance(_hex(colorsys.hls_to_rgb(hue, lightness, saturation))) + 0.05) < wanted:
        lightness -= 0.01
    return _hex(colorsys.hls_to_rgb(hue, max(0.0, lightness), saturation))


def _toward_white(color: str, share: float) -> str:
    return _hex([part + (1 - part) * share for part in _shares(color)])


def _shares(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _hex(shares: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * share):02x}" for share in shares)


def _luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in _shares(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

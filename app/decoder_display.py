"""How each decoder, and MediaPipe, is named and coloured, the same in the picture, in the charts and in the panels."""

from __future__ import annotations

import math

from models.people import MEDIAPIPE

DISPLAY_NAMES: dict[str, str] = {
    "argmax": "argmax",
    "argmax-quarter": "argmax ¼",
    "dark": "DARK",
    "ipr": "IPR",
    "debiased": "debiased IPR",
    "regression": "regression",
}

# The palette of Okabe and Ito: told apart with any colour vision. Its blue and black are too dark for the
# app's dark surfaces and are not used; each of these has a contrast of at least 4.5 : 1 on DARK_SURFACE.
DECODER_COLORS: dict[str, str] = {
    "argmax": "#e69f00",
    "argmax-quarter": "#f0e442",
    "dark": "#cc79a7",
    "ipr": "#d55e00",
    "debiased": "#56b4e9",
    "regression": "#009e73",
}
# The paper's form of debiasing, in the laboratory.
PAPER_FORM = "debiased-paper"
# What can be drawn beside the decoders: MediaPipe's own points, which no decoder of ours has read. Of all colours light
# enough its own was searched for as far from the six as can be under any colour vision (CIEDE2000 over Machado et al.,
# IEEE TVCG 2009): 21 away, where the two nearest of the six are 11 apart.
REFERENCE_NAME = "MediaPipe (reference)"
REFERENCE_COLOR = "#d9ffe5"

READING_NAMES = {**DISPLAY_NAMES, MEDIAPIPE: REFERENCE_NAME}
READING_COLORS = {**DECODER_COLORS, MEDIAPIPE: REFERENCE_COLOR}
UNKNOWN_COLOR = "#c8c8c8"
DARK_SURFACE = "#14171c"

# One for each slot of `models.people.Person`: P. Tol's light colours, on which dark numbers can be read.
PERSON_COLORS = ("#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#44bb99", "#99ddff", "#bbcc33", "#dddddd")

# Decoders whose result depends on beta.
WITH_BETA = frozenset({"ipr", "debiased"})

# Comes without heatmaps, so that nobody knows their peaks: it has no bias.
WITHOUT_BIAS = frozenset({MEDIAPIPE})

# Bars and charts of jitter and bias are logarithmic between these, in px: a tenth of a pixel and a collapsed decoder
# both have to be seen.
PX_RANGE = (0.05, 50.0)


def display_name(decoder: str) -> str:
    """The name of a decoder, or of MediaPipe, for people; one unknown here is shown by its own name."""
    return READING_NAMES.get(decoder, decoder)


def display_title(decoder: str) -> str:
    """The name as a title: `Debiased IPR`."""
    name = display_name(decoder)
    return name[:1].upper() + name[1:]


def beta_text(decoder: str, beta: float) -> str:
    """`β 10` for a decoder that has a beta, empty for the others."""
    return f"β {beta:g}" if decoder in WITH_BETA else ""


def decoder_color(decoder: str) -> str:
    """The decoder's colour as `#rrggbb`."""
    return READING_COLORS.get(decoder, UNKNOWN_COLOR)


def person_color(slot: int) -> str:
    """The colour of a person among several as `#rrggbb`."""
    return PERSON_COLORS[slot % len(PERSON_COLORS)]


def px_share(px: float) -> float:
    """How much of a jitter or bias bar `px` fills, 0 to 1."""
    low, high = PX_RANGE
    return min(1.0, math.log(px / low) / math.log(high / low)) if px > low else 0.0


def three_digits(value: float) -> str:
    """A number that can be read at a glance: `0.19`, `27.3`, `127`; `–` where it is not known."""
    if math.isnan(value):
        return "–"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def bgr(color: str) -> tuple[int, int, int]:
    """`#rrggbb` -> (blue, green, red), 0 to 255, as OpenCV draws."""
    return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)

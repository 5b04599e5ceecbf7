"""Numbers and lists of names as a report writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.comparison.resampling import Interval

UNKNOWN_TEXT = "–"
FEW = 30  # fewer people or pictures than this are too few to tell variants apart
_MINUS = "\u2212"


def share(value: float, digits: int = 3) -> str:
    """A share as statistics are printed: `.719`, `1.000`, `−.042`; `–` where not known."""
    if math.isnan(value):
        return UNKNOWN_TEXT
    text = f"{abs(value):.{digits}f}"
    sign = _MINUS if value < 0 and float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def signed_share(value: float, digits: int = 3) -> str:
    """A difference: `+.042`, `−.042`, `.000`."""
    text = share(value, digits)
    return f"+{text}" if value > 0 and any(digit in "123456789" for digit in text) else text


def percent(value: float, digits: int = 1) -> str:
    """A share as a percentage without its sign: `81.2`; `–` where not known."""
    return UNKNOWN_TEXT if math.isnan(value) else f"{100 * value:.{digits}f}"


def share_span(interval: Interval, digits: int = 3) -> str:
    """The ends of an interval: `.684–.752`; empty where not known. Between negative ends stands “to”."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    low, high = (_end(end, digits) for end in (interval.low, interval.high))
    return f"{low} to {high}" if interval.low < 0 else f"{low}–{high}"


def _end(value: float, digits: int) -> str:
    """As `share`, but what is hardly below 0 is `−.000`: an interval with that end leaves 0 out."""
    text = share(value, digits)
    return text if value >= 0 or text.startswith(_MINUS) else _MINUS + text


def percent_span(interval: Interval, digits: int = 1) -> str:
    """The ends of an interval as percentages: `78.1–84.0`; empty where not known."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    return f"{percent(interval.low, digits)}–{percent(interval.high, digits)}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 person`, `1,234 people`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """`a, b and c`; with more than `most` names: `a, b, c and 2 more`."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

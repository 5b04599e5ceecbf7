"""Rows as CSV and as Markdown. Both show the same numbers: the page rounds what the CSV holds."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from app.decoder_display import display_title
from app.study.criteria import Form


def csv_text(rows: Sequence[Any]) -> str:
    """Dataclasses of one kind, one line each; fields that are dataclasses are laid flat.

    Numbers have six significant digits; nothing stands where a value is unknown or does not exist.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in _flat(rows[0])])
    writer.writerows([_cell(value) for _, value in _flat(row)] for row in rows)
    return text.getvalue()


def _flat(row: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(row):
        value = getattr(row, field.name)
        if is_dataclass(value):
            yield from _flat(value)
        elif field.name == "form":
            yield from zip(("decoder", "normalize", "floor"), value, strict=True)
        else:
            yield field.name, value


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column is text, the others are numbers and stand to the right."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def rounded(value: float, digits: int) -> str:
    """`value` with so many digits after the point, by way of the six digits in the CSV; – where it is unknown."""
    return "–" if math.isnan(value) else f"{float(f'{value:.6g}'):.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage."""
    return "–" if math.isnan(share) else rounded(100 * float(f"{share:.6g}"), digits) + " %"


def form_name(form: Form) -> str:
    """`normalize, floor 0.1`, `as it is, floor 0`, or the decoder's name where it has neither option."""
    decoder, normalize, floor = form
    if normalize is None:
        return display_title(decoder)
    return f"{'normalize' if normalize else 'as it is'}, floor {floor:g}"

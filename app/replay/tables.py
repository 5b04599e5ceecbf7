"""Findings as results.csv, as results.json and as a table for the terminal."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from app import __version__
from app.comparison.resampling import Interval
from app.decoder_display import three_digits
from app.replay.measures import (
    ALL,
    BIAS,
    ERROR,
    ERROR_P95,
    JITTER,
    LAG_FILTER,
    LAG_TRUTH,
    Findings,
    Place,
)
from app.replay.tracks import spans

CSV_COLUMNS = ("variant", "filter", "segment", "joint", "measure", "value", "low", "high")


def results_csv(found: Findings) -> str:
    """A row for each value: variant and filter as on the command line, segment, joint, measure, value and the ends of
    its 95 % interval where it has one.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for place, interval in found.values.items():
        numbers = [_digits(number) for number in (interval.value, interval.low, interval.high)]
        writer.writerow([*_names(found, place), *numbers])
    return file.getvalue()


def results_json(found: Findings, about: dict[str, Any]) -> str:
    """`about`, what was looked at, and the rows of the CSV as `columns` names them; null where not known."""
    tracks = found.tracks
    content = {
        "posescope": __version__,
        **about,
        "width": tracks.width,
        "height": tracks.height,
        "frames": len(tracks),
        "frames_with_person": int(tracks.somebody.sum()),
        "seconds": _rounded(float(tracks.seconds[-1])),
        "still": found.stillness.origin,
        "segments": {
            name: [[int(tracks.indices[s.start]), int(tracks.indices[s.stop - 1])] for s in spans(mask)]
            for name, mask in found.segments.items()
        },
        "variants": [variant.key for variant in tracks.variants],
        "filters": [one.key for one in found.filters],
        "columns": CSV_COLUMNS,
    }
    rows = [
        [*_names(found, place), *map(_rounded, (interval.value, interval.low, interval.high))]
        for place, interval in found.values.items()
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    head = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    return f'{head},\n "values": [\n{lines}\n ]\n}}\n'


def results_text(found: Findings) -> str:
    """The table for the terminal."""
    jitter_at = found.jitter_segment
    heads = ["decoder", "filter", f"jitter{' still' if jitter_at != ALL else ''}, px", "bias, px"]
    with_truth = found.truth is not None
    heads += ["error, px (95 %)", "p95, px", "lag behind truth, ms"] if with_truth else []
    heads += ["lag of filter, ms"]
    rows = []
    for v, variant in enumerate(found.tracks.variants):
        for f, one in enumerate(found.filters):
            row = [
                variant.title,
                one.title,
                three_digits(found.value(JITTER, v, f, jitter_at)),
                three_digits(found.value(BIAS, v, f)),
            ]
            if with_truth:
                row += [
                    interval_text(found.interval(ERROR, v, f)),
                    three_digits(found.value(ERROR_P95, v, f)),
                    ms_text(found.value(LAG_TRUTH, v, f)),
                ]
            rows.append([*row, ms_text(found.value(LAG_FILTER, v, f))])
    return _aligned([heads, *rows])


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.ljust(width) if i < 2 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def interval_text(interval: Interval) -> str:
    """`2.68 (2.59–2.80)`, without the ends where they are not known."""
    ends = span_text(interval)
    return three_digits(interval.value) + (f" ({ends})" if ends else "")


def span_text(interval: Interval) -> str:
    """`2.59–2.80`; empty where not known."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    return f"{three_digits(interval.low)}–{three_digits(interval.high)}"


def ms_text(value: float) -> str:
    """Whole milliseconds with a real minus; `–` where not known."""
    if math.isnan(value):
        return "–"
    number = round(value)
    return f"\u2212{-number}" if number < 0 else f"{number}"


def _names(found: Findings, place: Place) -> list[str]:
    variant, one = found.tracks.variants[place.variant], found.filters[place.filter]
    return [variant.key, one.key, place.segment, place.joint, place.measure]


def _digits(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None

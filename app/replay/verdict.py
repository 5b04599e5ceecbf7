"""The sentences in front of a report; every number in them comes from the findings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from app.comparison.page_numbers import listed
from app.decoder_display import three_digits
from app.replay.measures import BIAS, ERROR, ERROR_SHARE, JITTER, LAG_FILTER, Findings
from app.replay.stillness import STILL
from app.replay.tables import ms_text, span_text


def verdict(found: Findings) -> str:
    """Where the truth is known, who is nearest to it; who trembles most and least; what a filter brings and costs."""
    sentences = [_nearest(found) if found.truth is not None else _furthest_from_peak(found)]
    sentences += [_steadiest(found), _filters(found)]
    return " ".join(sentence for sentence in sentences if sentence)


def nearest(found: Findings) -> tuple[int, ...]:
    """The variants that no other beats by more than noise in median error, unfiltered, the nearest first."""
    errors = {v: found.value(ERROR, v) for v in range(len(found.tracks.variants))}
    known = sorted((v for v in errors if math.isfinite(errors[v])), key=errors.__getitem__)
    if not known:
        return ()
    best = found.errors(known[0])
    return tuple(
        v for v in known if v == known[0] or not found.blocks.difference_interval(found.errors(v), best).low > 0
    )


def _nearest(found: Findings) -> str:
    first = nearest(found)
    if not first:
        return "None of the joints in the truth can be seen while the person is."
    best = found.interval(ERROR, first[0])
    ends = span_text(best)
    percent = three_digits(100 * found.value(ERROR_SHARE, first[0]))
    error = f"{three_digits(best.value)} px{f' ({ends})' if ends else ''}, {percent} % of the body"
    if len(first) == 1:
        said = f"Nearest to the truth is {_title(found, first[0])}, with a median error of {error}."
    else:
        said = (
            f"Nearest to the truth are {_titles(found, first)}, which cannot be told apart: a median error of {error}."
        )
    furthest = max(range(len(found.tracks.variants)), key=lambda v: np.nan_to_num(found.value(ERROR, v)))
    if furthest in first:
        return said
    return f"{said[:-1]}; furthest is {_title(found, furthest)}, with {three_digits(found.value(ERROR, furthest))} px."


def _furthest_from_peak(found: Findings) -> str:
    biases = {v: found.value(BIAS, v) for v, variant in enumerate(found.tracks.variants) if variant.reads_heatmaps}
    known = sorted((v for v in biases if math.isfinite(biases[v])), key=biases.__getitem__)
    if len(known) < 2:
        return ""
    return (
        f"Nearest to the peak of its heatmap is {_title(found, known[0])}, {three_digits(biases[known[0]])} px away; "
        f"furthest {_title(found, known[-1])}, {three_digits(biases[known[-1]])} px."
    )


def _steadiest(found: Findings) -> str:
    segment = found.jitter_segment
    jitters = {v: found.value(JITTER, v, 0, segment) for v in range(len(found.tracks.variants))}
    known = sorted((v for v in jitters if math.isfinite(jitters[v])), key=jitters.__getitem__)
    if len(known) < 2:
        return ""
    lowest = [v for v in known if three_digits(jitters[v]) == three_digits(jitters[known[0]])]
    when = (
        "While the person stands still" if segment == STILL else "Nowhere does the person stand still; over all frames"
    )
    tremble = "trembles" if len(lowest) == 1 else "tremble"
    said = f"{when} {_titles(found, lowest)} {tremble} least, by {three_digits(jitters[known[0]])} px"
    if known[-1] in lowest:
        return said + "."
    return f"{said}, and {_title(found, known[-1])} most, by {three_digits(jitters[known[-1]])} px."


def _filters(found: Findings) -> str:
    """What each filter makes of the variant that matters most: the nearest, or debiased IPR."""
    variants = found.tracks.variants
    usual = next((v for v, variant in enumerate(variants) if variant.decoder == "debiased"), 0)
    told = next(iter(nearest(found)), usual) if found.truth is not None else usual
    parts = []
    for f, one in enumerate(found.filters[1:], 1):
        before, after = (found.value(JITTER, told, g, found.jitter_segment) for g in (0, f))
        lag = found.value(LAG_FILTER, told, f)
        if after > 0 and before > 0:
            delay = f" and delays it by {ms_text(lag)} ms" if math.isfinite(lag) else ""
            parts.append(f"the {one.title} filter divides its jitter by {before / after:.2g}{delay}")
    if not parts:
        return ""
    return f"Behind {_title(found, told)}, {'; '.join(parts)}."


def _title(found: Findings, variant: int) -> str:
    title = found.tracks.variants[variant].title
    # In the middle of a sentence; DARK and IPR stay as they are.
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _titles(found: Findings, variants: Sequence[int]) -> str:
    titles = [_title(found, v) for v in variants]
    return listed([f"“{title}”" if "," in title else title for title in titles]) if len(titles) > 1 else titles[0]

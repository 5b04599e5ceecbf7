"""The page: tables, figures and what they say. Every number in a sentence comes from the tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from app import __version__
from app.decoder_display import display_name
from app.study.clips import MIN_PEAK, ClipRow, MapRow
from app.study.criteria import (
    EXACT_CELLS,
    PLAIN,
    SHIPPED,
    BestFloor,
    Form,
    GroupRow,
    PlainForm,
    Score,
    best_form,
)
from app.study.figures import LEAST_CELLS, case_name
from app.study.still import BY_FAR, StillRow, Verdict
from app.study.synthetic import LOST_CELLS, MAP_CELLS, Condition, Grid
from app.study.tables import form_name, markdown, percent, rounded
from models.readings import DECODER_NAMES, DEFAULT_BETA

_GROUP_NAMES = {
    "neither": "neither background nor noise",
    "background": "background only",
    "noise": "noise only",
    "both": "background and noise",
}


@dataclass(frozen=True)
class Findings:
    """All that was measured."""

    grid: Grid
    conditions: list[Condition]
    lost: set[Condition]
    at_default: list[Score]
    pooled: list[Score]
    floors: list[BestFloor]
    groups: list[GroupRow]
    plain: PlainForm
    shipped_off: list[Condition]
    clips: list[ClipRow]
    maps: list[MapRow]
    stills: list[StillRow]
    verdicts: list[Verdict]
    network: str
    device: str
    quick: bool


def page(found: Findings) -> str:
    """study.md."""
    return "\n".join(part for section in (_head, _synthetic, _clips, _stills, _files) for part in section(found))


def _head(found: Findings) -> Iterable[str]:
    yield "# How robust debiased IPR is, and how the decoders compare on still pictures\n"
    short = " with `--quick`: fewer conditions and frames, for a first look" if found.quick else ""
    yield f"Made by `posescope study`{short}. PoseScope {__version__}, network {found.network} on {found.device}.\n"
    best = best_form(found.at_default)
    steadiest = sum(verdict.steadiest == "debiased" for verdict in found.verdicts)
    by_far = sum(verdict.ipr_by_far for verdict in found.verdicts)
    most = max(verdict.debiased_to_steadiest for verdict in found.verdicts)
    shipped, leader, plain = (_score(found.at_default, form) for form in (SHIPPED, best, PLAIN))
    yield (
        f"- On drawn heatmaps the most robust form of debiased IPR at β = {DEFAULT_BETA:g} is {form_name(best)} "
        f"(criterion {rounded(leader.criterion, 2)}; shipped, {form_name(SHIPPED)}: {rounded(shipped.criterion, 2)}; "
        f"the paper's plain form: {rounded(plain.criterion, 2)}).\n"
        f"- The plain form is more than a cell off in {len(found.plain.off)} of {found.plain.readable} conditions, the "
        f"shipped one in {len(found.shipped_off)}.\n"
        f"- On still pictures debiased IPR trembles least of the decoders that read a heatmap in {steadiest} of "
        f"{len(found.verdicts)} cases and at most {rounded(most, 2)} times as much as the steadiest in the others. "
        f"IPR has by far the largest bias in {by_far}.\n"
    )


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _synthetic(found: Findings) -> Iterable[str]:
    grid = found.grid
    yield "## 1. Drawn heatmaps\n"
    yield (
        f"Gaussians whose centre is known, in maps of {MAP_CELLS} × {MAP_CELLS} cells: peak {_list(grid.peaks)}; "
        f"background {_list(grid.backgrounds)}; noise in each cell {_list(grid.noises)}, the map then cut to [0, 1]; "
        f"σ {_list(grid.sigmas)} cells. Each of these {len(found.conditions)} conditions has {grid.centres} centres "
        f"(every fourth 3 to 6 cells from a border) and, where there is noise, {grid.draws} draws of it. In "
        f"{len(found.lost)} of the conditions the noise hides the peak (argmax is more than {LOST_CELLS:g} cells off "
        "in more than 5 % of the maps); they are in `synthetic.csv` but count in nothing below.\n"
    )
    yield (
        "**The criterion** is √(geometric mean · worst) of the rms error over the conditions: the usual error and the "
        f"worst one count alike. In the geometric mean errors under {EXACT_CELLS:g} cells count as {EXACT_CELLS:g}, so "
        f"that nothing wins by a thousandth of a cell. All in cells, at β = {DEFAULT_BETA:g}; the last column over all "
        f"β of {_list(grid.betas)}.\n"
    )
    yield _criteria(found)
    yield from _criteria_words(found)
    yield f"In the figures errors under {LEAST_CELLS:g} cells are drawn at {LEAST_CELLS:g}.\n"
    yield "![Error against the floor](floor.png)\n"
    yield from _floor_words(found)
    yield from _plain_words(found)
    yield "![Error against background and noise](background_noise.png)\n"
    yield "![Error against β](beta.png)\n"


def _score(found: list[Score], form: Form) -> Score:
    return next(score for score in found if score.form == form)


def _criteria(found: Findings) -> str:
    pooled = {score.form: score for score in found.pooled}
    columns = (
        "variant,criterion,geometric mean,median,p95,worst,better than argmax,more than a cell off,criterion over all β"
    )
    rows = []
    for score in found.at_default:
        numbers = (score.criterion, score.geometric_mean, score.median, score.p95, score.worst)
        rows.append(
            [
                form_name(score.form),
                *(rounded(value, 3) for value in numbers),
                percent(score.better_than_argmax),
                percent(score.more_than_a_cell_off, 1),
                rounded(pooled[score.form].criterion, 3),
            ]
        )
    return markdown(columns.split(","), rows)


def _in_words(score: Score) -> str:
    return (
        f"{rounded(score.criterion, 3)}, geometric mean {rounded(score.geometric_mean, 3)}, worst "
        f"{rounded(score.worst, 2)}"
    )


def _criteria_words(found: Findings) -> Iterable[str]:
    best, over_all = best_form(found.at_default), best_form(found.pooled)
    words = {form: _in_words(_score(found.at_default, form)) for form in (best, SHIPPED, PLAIN)}
    debiased = [score for score in found.at_default if score.form[0] == "debiased"]
    yield (
        f"At β = {DEFAULT_BETA:g} **{form_name(best)}** is the best form of debiased IPR (criterion {words[best]}). "
        f"The shipped default is {form_name(SHIPPED)} ({words[SHIPPED]}), the paper's plain form {form_name(PLAIN)} "
        f"({words[PLAIN]}). Taken alone, {_lowest(debiased, 'geometric_mean', 'geometric mean')}, "
        f"{_lowest(debiased, 'median', 'median')}, {_lowest(debiased, 'p95', 'p95')}, and "
        f"{_lowest(debiased, 'worst', 'worst case')}. Over all β the best is {form_name(over_all)} (criterion "
        f"{_in_words(_score(found.pooled, over_all))})."
    )
    dark = _score(found.at_default, ("dark", None, None))
    yield f"DARK, whose model of a peak is the very shape drawn here: criterion {_in_words(dark)}.\n"


def _lowest(scores: list[Score], field: str, name: str) -> str:
    lowest = min(scores, key=lambda score: float(getattr(score, field)))
    return f"the lowest {name} has {form_name(lowest.form)} ({rounded(getattr(lowest, field), 3)})"


def _floor_words(found: Findings) -> Iterable[str]:
    peaks = sorted({row.peak for row in found.floors})
    rows = []
    for noise in sorted({row.noise for row in found.floors}):
        by_peak = {row.peak: row for row in found.floors if row.noise == noise}
        cells = (
            f"{by_peak[p].floor:g} ({rounded(by_peak[p].rms, 3)}; {rounded(by_peak[p].rms_shipped, 3)})" for p in peaks
        )
        rows.append([f"noise {noise:g}", *cells])
    yield (
        f"The best floor with `normalize` at β = {DEFAULT_BETA:g}, and in brackets its median rms error in cells; "
        f"that of the shipped floor {SHIPPED[2]:g}. A small floor lets the noise of {MAP_CELLS**2} cells pull to the "
        "middle, a large one throws signal away: what is best goes with noise over peak.\n"
    )
    yield markdown(["", *(f"peak {peak:g}" for peak in peaks)], rows)


def _plain_words(found: Findings) -> Iterable[str]:
    plain = found.plain
    yield (
        f"**The plain form** (`normalize=False, floor=0`, β = {DEFAULT_BETA:g}) is the best of all forms of "
        f"debiased IPR in {len(plain.best)} of {plain.readable} readable conditions{_where(plain.best)}, and more "
        f"than a cell off in {len(plain.off)}{_where(plain.off)}. Median and worst rms error in cells:\n"
    )
    forms = list(dict.fromkeys(row.form for row in found.groups))
    rows = []
    for group, name in _GROUP_NAMES.items():
        here = {row.form: row for row in found.groups if row.group == group}
        if here:
            conditions = next(iter(here.values())).conditions
            numbers = (f"{rounded(here[f].median, 3)}; {rounded(here[f].worst, 2)}" for f in forms)
            rows.append([f"{name} ({conditions})", *numbers])
    yield markdown(["the map has (conditions)", *(form_name(form) for form in forms)], rows)


def _where(conditions: list[Condition]) -> str:
    """The span of each property over these conditions."""
    if not conditions:
        return ""
    spans = []
    for name in ("peak", "background", "noise", "sigma"):
        values = [getattr(condition, name) for condition in conditions]
        low, high = min(values), max(values)
        spans.append(f"{name} {low:g}" if low == high else f"{name} {low:g} to {high:g}")
    return f" ({', '.join(spans)})"


def _clips(found: Findings) -> Iterable[str]:
    yield "## 2. Real heatmaps\n"
    yield (
        "The network's own heatmaps, the crop following the person, each map read by every variant. Background and "
        f"noise are the mean and the standard deviation of the cells more than ten cells from the maximum of maps with "
        f"a peak of at least {MIN_PEAK:g}: compare with the conditions above.\n"
    )
    columns = ["", "maps", "peak p5", "p50", "p95", "background p50", "p95", "noise p50", "p95"]
    rows = [
        [m.clip, str(m.maps), *(rounded(v, 2) for v in (m.peak_p5, m.peak_p50, m.peak_p95))]
        + [rounded(v, 5) for v in (m.background_p50, m.background_p95, m.noise_p50, m.noise_p95)]
        for m in found.maps
    ]
    yield markdown(columns, rows)
    clips = {row.clip: [one for one in found.clips if one.clip == row.clip] for row in found.clips}
    at_default = {clip: [r for r in here if r.variant.beta in (None, DEFAULT_BETA)] for clip, here in clips.items()}
    yield (
        f"Jitter / distance to the sub-cell peak in px at β = {DEFAULT_BETA:g}; where there is truth, the median / "
        "root mean square distance to it too:\n"
    )
    yield _variants(at_default)
    for clip, here in clips.items():
        yield _clip_words(clip, here, at_default[clip])
    yield "\n![Variants on the shipped clip](clips.png)\n"


def _variants(clips: dict[str, list[ClipRow]]) -> str:
    columns = ["variant"]
    lines = [[form_name(row.variant.form)] for row in next(iter(clips.values()))]
    for clip, rows in clips.items():
        with_truth = not math.isnan(rows[0].truth_median_px)
        columns += [clip, "to the truth"] if with_truth else [clip]
        for line, row in zip(lines, rows, strict=True):
            line.append(f"{rounded(row.jitter_px, 3)} / {rounded(row.bias_px, 2)}")
            if with_truth:
                line.append(f"{rounded(row.truth_median_px, 2)} / {rounded(row.truth_rms_px, 2)}")
    return markdown(columns, lines)


def _clip_words(clip: str, rows: list[ClipRow], at_default: list[ClipRow]) -> str:
    debiased = [row for row in at_default if row.variant.decoder == "debiased"]
    (dark,) = (row for row in rows if row.variant.decoder == "dark")
    steadiest = min((row for row in rows if row.variant.decoder == "debiased"), key=lambda row: row.jitter_px)
    words = (
        f"- {clip}, {rows[0].frames} frames: at β = {DEFAULT_BETA:g} the forms of debiased IPR have a jitter of "
        f"{_span(debiased, 'jitter_px', 3)} px and a distance to the sub-cell peak of {_span(debiased, 'bias_px', 2)} "
        "px"
    )
    if not math.isnan(dark.truth_median_px):
        words += f"; to the truth {_span(debiased, 'truth_median_px', 2)} px (median)"
    return words + (
        f". The steadiest at any β is {form_name(steadiest.variant.form)} at β = {steadiest.variant.beta:g}: "
        f"{rounded(steadiest.jitter_px, 3)} px; DARK has {rounded(dark.jitter_px, 3)} px."
    )


def _span(rows: list[ClipRow], field: str, digits: int) -> str:
    low, high = (choose(rows, key=lambda row: float(getattr(row, field))) for choose in (min, max))
    return (
        f"{rounded(getattr(low, field), digits)} ({form_name(low.variant.form)}) to "
        f"{rounded(getattr(high, field), digits)} ({form_name(high.variant.form)})"
    )


def _stills(found: Findings) -> Iterable[str]:
    yield "## 3. Still pictures with sensor noise\n"
    yield (
        f"Jitter / bias, β = {DEFAULT_BETA:g}, root mean square over the joints. A photograph gets new Gaussian noise "
        "in each frame, in grey levels of 255. “followed”: the crop follows the person, as in normal use; “held”: the "
        "crop of the first frame for all frames.\n"
    )
    cases: dict[tuple[str, float, str], dict[str, StillRow]] = {}
    for row in found.stills:
        cases.setdefault((row.case, row.noise, row.crop), {})[row.decoder] = row
    columns = ["", "crop", *(display_name(decoder) for decoder in DECODER_NAMES)]
    yield "In px:\n"
    pixels = [
        [case_name(case, noise), crop]
        + [f"{rounded(here[d].jitter_px, 2)} / {rounded(here[d].bias_px, 2)}" for d in DECODER_NAMES]
        for (case, noise, crop), here in cases.items()
    ]
    yield markdown(columns, pixels)
    yield "In % of the body's size:\n"
    shares = [
        [case_name(case, noise), crop]
        + [
            f"{percent(here[d].jitter_share, 3)} / {percent(here[d].bias_share, 2)}".replace(" %", "")
            for d in DECODER_NAMES
        ]
        for (case, noise, crop), here in cases.items()
    ]
    yield markdown(columns, shares)
    yield (
        "The jitter of the joint in the middle, in px. One joint that jumps between two places does not touch it; of "
        "argmax it says little, which sits in its cell until it jumps:\n"
    )
    yield markdown(
        columns,
        [
            [case_name(case, noise), crop, *(rounded(here[d].jitter_median_px, 3) for d in DECODER_NAMES)]
            for (case, noise, crop), here in cases.items()
        ],
    )
    yield "![Jitter and bias on still pictures](stills.png)\n"
    yield "Among the decoders that read a heatmap:\n"
    for verdict in found.verdicts:
        yield (
            f"- {case_name(verdict.case, verdict.noise)}, {verdict.crop}: lowest jitter "
            f"{display_name(verdict.steadiest)} ({rounded(verdict.jitter_px[verdict.steadiest], 2)} px), largest bias "
            f"{display_name(verdict.most_biased)} ({rounded(verdict.bias_px[verdict.most_biased], 2)} px, "
            f"{rounded(verdict.times_the_next, 1)} times the next)."
        )
    yield from _otherwise(found.verdicts)


def _otherwise(verdicts: list[Verdict]) -> Iterable[str]:
    other = [verdict for verdict in verdicts if not verdict.as_expected]
    yield (
        f"\n**Comes out otherwise**: one would expect debiased IPR to tremble least and IPR to have by far (at least "
        f"{BY_FAR:g} times the next) the largest bias. In {len(other)} of {len(verdicts)} cases that is not so:\n"
    )
    for verdict in other:
        reasons = []
        if verdict.steadiest != "debiased":
            reasons.append(
                f"{display_name(verdict.steadiest)} {rounded(verdict.jitter_px[verdict.steadiest], 3)} px trembles "
                f"less than debiased IPR {rounded(verdict.jitter_px['debiased'], 3)} px "
                f"({rounded(verdict.debiased_to_steadiest, 2)} times as much)"
            )
        if not verdict.ipr_by_far:
            reasons.append(
                f"the largest bias is {display_name(verdict.most_biased)}'s "
                f"{rounded(verdict.bias_px[verdict.most_biased], 2)} px, {rounded(verdict.times_the_next, 1)} times "
                "the next"
            )
        yield f"- {case_name(verdict.case, verdict.noise)}, {verdict.crop}: {'; '.join(reasons)}."
    if not other:
        yield "- none."
    if any(verdict.steadiest == "dark" for verdict in other):
        yield (
            "\nDARK smooths the map by a Gaussian of one cell before its Taylor step, so it averages the noise of "
            "about as many cells as debiased IPR does; argmax and argmax ¼ look at one to five."
        )


def _files(found: Findings) -> Iterable[str]:
    yield "\n## The numbers\n"
    yield (
        "`synthetic.csv` (every variant under every condition), `criteria.csv`, `best_floor.csv`, `groups.csv`, "
        "`clips.csv` (every variant and β), `maps.csv`, `stills.csv`. Here they are rounded.\n"
    )

"""What the measurements on drawn maps say: one score for each variant, the best floor, where the plain form fails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from app.comparison.variants import Variant
from app.study.synthetic import LOST_CELLS, Condition, Measurement
from models.decoders import Debiased
from models.readings import DEFAULT_BETA

Form = tuple[str, bool | None, float | None]
PLAIN: Form = ("debiased", False, 0.0)
SHIPPED: Form = ("debiased", Debiased.normalize, Debiased.floor)
# Closer than this to the truth is as good as exact, so that no variant wins by a thousandth of a cell.
EXACT_CELLS = 0.05


@dataclass(frozen=True, slots=True)
class Score:
    """A variant over all readable conditions: rms errors in cells.

    beta: None where it is pooled over all betas of the grid.
    criterion: sqrt(geometric_mean · worst): the usual error and the worst one count alike.
    geometric_mean: of the rms error, errors under EXACT_CELLS counted as EXACT_CELLS; a factor counts the same wherever
        it happens.
    better_than_argmax, more_than_a_cell_off: share of the conditions, 0 to 1.
    """

    form: Form
    beta: float | None
    criterion: float
    geometric_mean: float
    median: float
    p95: float
    worst: float
    better_than_argmax: float
    more_than_a_cell_off: float


def lost_conditions(rows: Iterable[Measurement]) -> set[Condition]:
    """Where the noise is higher than the peak: argmax is more than LOST_CELLS off in more than 5 % of the maps."""
    return {row.condition for row in rows if row.variant.decoder == "argmax" and row.errors.p95 > LOST_CELLS}


def scores(rows: list[Measurement], beta: float | None) -> list[Score]:
    """One for each form, over the readable conditions, at this beta or pooled over all."""
    lost = lost_conditions(rows)
    argmax = {row.condition: row.errors.rms for row in rows if row.variant.decoder == "argmax"}
    found: dict[Form, list[tuple[float, float]]] = {}
    for row in rows:
        if row.condition not in lost and (beta is None or row.variant.beta in (None, beta)):
            found.setdefault(row.variant.form, []).append((row.errors.rms, argmax[row.condition]))
    results = []
    for form, pairs in found.items():
        rms, of_argmax = np.array(pairs).T
        usual, worst = math.exp(float(np.log(np.maximum(rms, EXACT_CELLS)).mean())), float(rms.max())
        results.append(
            Score(
                form,
                beta,
                criterion=math.sqrt(usual * worst),
                geometric_mean=usual,
                median=float(np.median(rms)),
                p95=float(np.quantile(rms, 0.95)),
                worst=worst,
                better_than_argmax=float((rms < of_argmax).mean()),
                more_than_a_cell_off=float((rms > 1).mean()),
            )
        )
    return results


def best_form(found: list[Score]) -> Form:
    """The form of debiased IPR with the lowest criterion."""
    return min((score for score in found if score.form[0] == "debiased"), key=lambda s: s.criterion).form


def rms_by_condition(rows: Iterable[Measurement], form: Form, beta: float | None) -> dict[Condition, float]:
    """Condition -> rms error in cells of one variant."""
    variant = Variant(form[0], beta, form[1], form[2])
    return {row.condition: row.errors.rms for row in rows if row.variant == variant}


def beta_of(form: Form) -> float | None:
    """The default beta for a decoder that has one."""
    return DEFAULT_BETA if form[0] in ("ipr", "debiased") else None


@dataclass(frozen=True, slots=True)
class BestFloor:
    """The best floor with `normalize` at the default beta, by the median rms error over backgrounds and sigmas."""

    noise: float
    peak: float
    floor: float
    rms: float
    rms_shipped: float


def best_floors(rows: list[Measurement]) -> list[BestFloor]:
    """One for each noise and peak."""
    found: dict[tuple[float, float], dict[float, list[float]]] = {}
    for row in rows:
        if row.variant.beta == DEFAULT_BETA and row.variant.normalize and row.variant.floor is not None:
            by_floor = found.setdefault((row.condition.noise, row.condition.peak), {})
            by_floor.setdefault(row.variant.floor, []).append(row.errors.rms)
    results = []
    for (noise, peak), by_floor in found.items():
        medians = {floor: float(np.median(values)) for floor, values in by_floor.items()}
        best = min(medians, key=medians.__getitem__)
        results.append(BestFloor(noise, peak, best, medians[best], medians[Debiased.floor]))
    return results


GROUPS = ("neither", "background", "noise", "both")


def group_of(condition: Condition) -> str:
    """Whether a map has background, noise, both or neither."""
    return GROUPS[bool(condition.background) + 2 * bool(condition.noise)]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Median and worst rms error in cells of one variant over the readable conditions of one group."""

    group: str
    form: Form
    conditions: int
    median: float
    worst: float


def by_group(rows: list[Measurement], forms: list[Form]) -> list[GroupRow]:
    """The given forms, at the default beta, for maps with and without background and noise."""
    lost = lost_conditions(rows)
    results = []
    for group in GROUPS:
        for form in forms:
            found = rms_by_condition(rows, form, beta_of(form))
            values = [rms for condition, rms in found.items() if condition not in lost and group_of(condition) == group]
            if values:
                results.append(GroupRow(group, form, len(values), float(np.median(values)), max(values)))
    return results


@dataclass(frozen=True, slots=True)
class PlainForm:
    """How the paper's plain form fares at the default beta among all forms of debiased IPR.

    best: readable conditions in which no form is better. off: those in which it is more than a cell off.
    """

    readable: int
    best: list[Condition]
    off: list[Condition]


def plain_form(rows: list[Measurement]) -> PlainForm:
    """Where it is the best and where it fails."""
    lost = lost_conditions(rows)
    lowest: dict[Condition, float] = {}
    for row in rows:
        if row.variant.decoder == "debiased" and row.variant.beta == DEFAULT_BETA and row.condition not in lost:
            lowest[row.condition] = min(row.errors.rms, lowest.get(row.condition, math.inf))
    plain = rms_by_condition(rows, PLAIN, DEFAULT_BETA)
    return PlainForm(
        len(lowest),
        [condition for condition, rms in lowest.items() if plain[condition] <= rms],
        more_than_a_cell_off(rows, PLAIN),
    )


def more_than_a_cell_off(rows: list[Measurement], form: Form) -> list[Condition]:
    """The readable conditions in which a form with the default beta has an rms error of more than a cell."""
    lost = lost_conditions(rows)
    found = rms_by_condition(rows, form, DEFAULT_BETA)
    return [condition for condition, rms in found.items() if rms > 1 and condition not in lost]

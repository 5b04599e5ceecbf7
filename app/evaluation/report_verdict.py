"""What an evaluation found, in words: who reads best, and whether that is more than noise."""

from __future__ import annotations

import math
from itertools import combinations

from app.comparison.page_numbers import FEW, listed, share, share_span
from app.comparison.resampling import Interval
from app.comparison.variants import Variant
from app.decoder_display import display_name
from app.evaluation.outcome import Difference, Group, Outcome, VariantScores

NO_BREAK = "\u00a0"
ALL_PEOPLE = ("all people", "")


def verdict(outcome: Outcome) -> str:
    """The sentence in front: who reads best and by how much, or that it cannot be told."""
    ranked = ranking(outcome.overall)
    if not ranked:
        return "Nobody could be evaluated."
    best, *others = ranked
    people = outcome.overall.people
    first = f"{in_words(best.variant)}: mean OKS {_lead_share(best.mean_oks)}"
    if people < FEW:
        these = "This one person is" if people == 1 else f"These {people:,} people are"
        return f"{these} too few to tell decoders apart. Ahead on them, perhaps by chance, is {first}."
    if not others:
        return f"On these {people:,} people {in_words(best.variant)} has a mean OKS of {_lead_share(best.mean_oks)}."
    leads = [(scores, difference(outcome, best.variant, scores.variant)) for scores in others]
    measured = [(scores, lead.mean_oks) for scores, lead in leads if lead is not None]
    if len(measured) < len(others):
        return _around_anchor(outcome, best)
    level = [scores for scores, lead in measured if not lead.low > 0]
    told = [(scores, lead.value) for scores, lead in measured if lead.low > 0]
    if level:
        names = listed([in_words(scores.variant) for scores in (best, *level)])
        least = min(scores.mean_oks.value for scores in level)
        sentence = (
            f"On these {people:,} people no difference can be told between {names}: "
            f"mean OKS {share(least)} to {_lead_share(best.mean_oks)}"
        )
    else:
        name = in_words(best.variant)
        sentence = f"On these {people:,} people {name} reads best: mean OKS {_lead_share(best.mean_oks)}"
    if not told:
        return sentence + "."
    furthest = _behind(*told[-1])
    if level or len(told) == 1:
        return f"{sentence}; {furthest} behind."
    return f"{sentence}; {_behind(*told[0])} behind, {furthest}."


def _around_anchor(outcome: Outcome, best: VariantScores) -> str:
    """What can be said where not every variant was compared with the best: how they stand to the anchor."""
    first = f"On these {outcome.overall.people:,} people {in_words(best.variant)} has the highest mean OKS"
    anchor = anchor_of(outcome)
    measured = [
        (scores, lead.mean_oks)
        for scores in ranking(outcome.overall)
        if (lead := difference(outcome, scores.variant, anchor)) is not None
    ]
    ahead = [in_words(scores.variant) for scores, lead in measured if lead.low > 0]
    behind = [(scores, -lead.value) for scores, lead in measured if lead.high < 0]
    level = [in_words(scores.variant) for scores, lead in measured if not lead.excludes_zero]
    said = [
        f"{listed(ahead)} {'is' if len(ahead) == 1 else 'are'} ahead" if ahead else "",
        f"no difference can be told for {listed(level)}" if level else "",
        f"{_behind(*behind[-1])} behind" if behind else "",
    ]
    compared = "; ".join(part for part in said if part)
    against = f" Compared with {in_words(anchor)}: {compared}." if compared else ""
    return f"{first}: {_lead_share(best.mean_oks)}.{against}"


def ranking(group: Group) -> list[VariantScores]:
    """Those whose mean OKS is known, the best first."""
    known = [scores for scores in group.scores if not math.isnan(scores.mean_oks.value)]
    return sorted(known, key=lambda scores: -scores.mean_oks.value)


def difference(
    outcome: Outcome, first: Variant, second: Variant, group: tuple[str, str] = ALL_PEOPLE
) -> Difference | None:
    """`first` minus `second`, whichever way it was measured; None where it was not."""
    for found in outcome.differences:
        if found.group == group and (found.first, found.second) == (first, second):
            return found
        if found.group == group and (found.first, found.second) == (second, first):
            turned = Interval(-found.mean_oks.value, -found.mean_oks.high, -found.mean_oks.low)
            return Difference(group, first, second, found.people, turned, 1 - found.better)
    return None


def measured_pairs(outcome: Outcome) -> list[Difference]:
    """Over all people, each turned so that `first` is ranked higher, in the order of the ranks."""
    ranked = [scores.variant for scores in ranking(outcome.overall)]
    found = (difference(outcome, *pair) for pair in combinations(ranked, 2))
    return [one for one in found if one is not None]


def anchor_of(outcome: Outcome) -> Variant:
    """The variant that was compared with the most others; of several the best."""
    pairs = measured_pairs(outcome)
    ranked = [scores.variant for scores in ranking(outcome.overall)]
    return max(ranked, key=lambda variant: sum(variant in (pair.first, pair.second) for pair in pairs))


def clear_best(outcome: Outcome, group: Group, name: str) -> VariantScores | None:
    """Whose `name` is the best by more than noise; None where that cannot be told.

    For mean OKS the paired difference tells it; for the others, and where that is missing, intervals that do not touch.
    """
    falling = name == "median_error"

    def value(scores: VariantScores) -> Interval:
        found: Interval = getattr(scores, name)
        return found

    known = [scores for scores in group.scores if not math.isnan(value(scores).value)]
    ranked = sorted(known, key=lambda scores: value(scores).value * (1 if falling else -1))
    if len(ranked) < 2 or group.people < FEW:
        return None
    first, second = ranked[:2]
    key = ALL_PEOPLE if group is outcome.overall else (group.split, group.name)
    lead = difference(outcome, first.variant, second.variant, key) if name == "mean_oks" else None
    if lead is not None:
        return first if lead.mean_oks.excludes_zero else None
    apart = value(first).high < value(second).low if falling else value(first).low > value(second).high
    return first if apart else None


def title_of(variant: Variant) -> str:
    """The variant's title, which is never broken before a number."""
    return variant.title.replace("β ", f"β{NO_BREAK}").replace(" ¼", f"{NO_BREAK}¼")


def in_words(variant: Variant) -> str:
    """A variant inside a sentence: `debiased IPR (paper’s form) at β 10`."""
    _, *options = title_of(variant).split(", ")
    beta = [f" at {option}" for option in options if option.startswith("β")]
    others = [option for option in options if not option.startswith("β")]
    name = display_name(variant.decoder).replace(" ¼", f"{NO_BREAK}¼")
    return name + (f" ({', '.join(others)})" if others else "") + "".join(beta)


def _lead_share(interval: Interval) -> str:
    span = share_span(interval, 2)
    return share(interval.value) + (f" ({span})" if span else "")


def _behind(scores: VariantScores, lead: float) -> str:
    return f"{in_words(scores.variant)} is {share(lead, 2 if lead >= 0.095 else 3)}"

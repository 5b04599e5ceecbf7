"""report.html of an evaluation. Every number in a sentence comes from the outcome."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from app.comparison.page import (
    Cell,
    Column,
    Folded,
    Heading,
    Legend,
    Mark,
    Part,
    Picture,
    Pictures,
    Plot,
    Section,
    Table,
    Terms,
    Text,
    page_html,
)
from app.comparison.page_colors import looks
from app.comparison.page_numbers import (
    FEW,
    UNKNOWN_TEXT,
    counted,
    listed,
    percent,
    percent_span,
    share,
    share_span,
    signed_share,
)
from app.comparison.plots import Series, Whisker, bars, lines, whiskers
from app.comparison.resampling import UNKNOWN, Interval
from app.comparison.variants import Variant
from app.evaluation.outcome import READ_WITH_OKS, Difference, Group, JointScores, Outcome
from app.evaluation.report_method import facts, method
from app.evaluation.report_verdict import (
    NO_BREAK,
    anchor_of,
    clear_best,
    difference,
    in_words,
    measured_pairs,
    ranking,
    title_of,
    verdict,
)

_FOLDED_FROM = 9  # rows
_FEW_NOTE = "too few"


def report_html(outcome: Outcome) -> str:
    """The page; the same outcome gives the same text."""
    return _Report(outcome).html()


class _Report:
    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._marks = {
            variant: Mark(look.color, look.dashed)
            for variant, look in zip(outcome.variants, looks(outcome.variants), strict=True)
        }

    def html(self) -> str:
        found = self._outcome
        sections = [
            Section("Overall", list(self._overall())),
            Section("Paired differences", list(self._differences())),
            Section("Kinds of people", list(self._splits())),
            Section("People shrunk", list(self._shrunk())),
            Section("Joints", list(self._joints())),
            Section("Where they disagree most", list(self._disagreements())),
            Section("What was left out", list(self._skipped())),
            Section("How it was measured", list(self._method())),
        ]
        title = f"Pose decoders on {PurePath(found.annotations).name or found.annotations}"
        return page_html(title, verdict(found), facts(found), [section for section in sections if section.parts])

    def _overall(self) -> Iterator[Part]:
        group = self._outcome.overall
        yield Legend([(title_of(variant), mark) for variant, mark in self._marks.items()])
        if group.people < FEW:
            yield Text([f"{_people(group.people)}: fewer than {FEW} are too few to tell."])
        best = {
            name: clear_best(self._outcome, group, name) for name in ("ap", "mean_oks", "pck5", "pck10", "median_error")
        }
        rows = [
            [
                self._name(scores.variant),
                _share_cell(scores.ap, scores is best["ap"]),
                Cell(share(scores.ap50), scores.ap50),
                Cell(share(scores.ap75), scores.ap75),
                Cell(share(scores.ar), scores.ar),
                _share_cell(scores.mean_oks, scores is best["mean_oks"]),
                _percent_cell(scores.pck5, scores is best["pck5"]),
                _percent_cell(scores.pck10, scores is best["pck10"]),
                _percent_cell(scores.median_error, scores is best["median_error"], digits=2),
            ]
            for scores in group.scores
        ]
        columns = [
            Column("decoder", numeric=False),
            Column("AP", tip="Average precision over OKS thresholds .50 to .95"),
            Column("AP50", tip="Average precision at OKS .50"),
            Column("AP75", tip="Average precision at OKS .75"),
            Column("AR", tip="Average recall over OKS thresholds .50 to .95"),
            Column("mean OKS", tip="Object keypoint similarity, 0 to 1, mean over people"),
            Column("PCK@5, %", tip="Joints closer than 5 % of the longer side of the person’s box"),
            Column("PCK@10, %", tip="Joints closer than 10 % of the longer side of the person’s box"),
            Column("median error, %", tip="Of the longer side of the person’s box; less is better"),
        ]
        yield Table(
            columns,
            rows,
            "Behind each number its 95 % interval. Bold: the best of its column by more than noise. "
            "A click on a heading sorts.",
        )

    def _name(self, variant: Variant) -> Cell:
        return Cell(title_of(variant), mark=self._marks[variant])

    def _differences(self) -> Iterator[Part]:
        every = measured_pairs(self._outcome)
        if not every:
            return
        yield Text(
            [
                "The same people, read by two decoders: what is common to both, such as hard pictures, cancels. "
                "A difference whose interval holds 0 cannot be told from chance."
            ]
        )
        anchor = anchor_of(self._outcome)
        yield self._anchor_plot(anchor)
        table = self._difference_table(every, "Difference of mean OKS, all people, with its 95 % interval.")
        yield table if len(every) < _FOLDED_FROM else Folded(f"All {len(every)} pairs", [table])
        parts = [
            found
            for group in self._outcome.splits
            for other in self._marks
            if (found := difference(self._outcome, anchor, other, (group.split, group.name)))
        ]
        if parts:
            caption = f"Mean OKS of {in_words(anchor)} minus that of the others, with its 95 % interval."
            title = f"{title_of(anchor)} against the others in each kind of people"
            yield Folded(title, [self._difference_table(parts, caption, parted=True)])

    def _anchor_plot(self, anchor: Variant) -> Plot:
        others = [scores.variant for scores in ranking(self._outcome.overall) if scores.variant != anchor]
        found = [(other, difference(self._outcome, anchor, other)) for other in others]
        few = self._outcome.overall.people < FEW
        rows = [
            Whisker(
                title_of(other),
                self._marks[other].color,
                *_ends(lead.mean_oks),
                text=_signed_span(lead.mean_oks),
                doubtful=few,
            )
            for other, lead in found
            if lead is not None
        ]
        said = [f"{row.title}: {row.text}" for row in rows]
        return Plot(
            whiskers(rows, x=f"mean OKS of {in_words(anchor)} minus that of the other"),
            f"How far {in_words(anchor)} is ahead of each other decoder (left of 0: behind) in mean OKS of the same "
            "people, with 95 % intervals. Hollow: no difference can be told.",
            f"Mean OKS of {title_of(anchor)} minus that of {'; '.join(said)}.",
        )

    def _difference_table(self, differences: Sequence[Difference], caption: str, *, parted: bool = False) -> Table:
        columns = [
            Column("first", numeric=False),
            Column("second", numeric=False),
            Column("first − second"),
            Column("better, % of people", tip="Share of the people whom the first reads with the higher OKS"),
            Column("what can be told", numeric=False),
        ]
        rows = []
        for found in differences:
            row = [
                self._name(found.first),
                self._name(found.second),
                Cell(signed_share(found.mean_oks.value), found.mean_oks.value, share_span(found.mean_oks)),
                Cell(percent(found.better, 0), found.better),
                Cell(_told(found)),
            ]
            group = [Cell(f"{found.group[0]}: {found.group[1]}"), _people_cell(found.people)]
            rows.append([*group, *row[1:]] if parted else row)
        if parted:
            columns = [
                Column("people", numeric=False),
                Column("how many"),
                Column("against", numeric=False),
                Column("difference"),
                *columns[3:],
            ]
        return Table(columns, rows, caption)

    def _splits(self) -> Iterator[Part]:
        for split in dict.fromkeys(group.split for group in self._outcome.splits):
            groups = [group for group in self._outcome.splits if group.split == split]
            yield Heading(_titled(split))
            names = [f"{group.name}\n{_people(group.people)}" for group in groups]
            yield Plot(
                bars(names, self._series(groups), y="mean OKS"),
                f"{_titled(split)}: mean OKS with 95 % intervals." + _few_words(groups),
                f"{_titled(split)}: bars of mean OKS; the numbers are in the table below.",
            )
            yield self._group_table(
                groups, f"{_titled(split)}: the same in numbers. Bold: the best of its column by more than noise."
            )

    def _series(self, groups: Sequence[Group]) -> list[Series]:
        found = []
        for variant, mark in self._marks.items():
            intervals = [_mean_oks(group, variant) for group in groups]
            values, lows, highs = ([getattr(one, end) for one in intervals] for end in ("value", "low", "high"))
            found.append(Series(title_of(variant), mark.color, values, lows, highs, mark.dashed))
        return found

    def _group_table(self, groups: Sequence[Group], caption: str) -> Table:
        best = [clear_best(self._outcome, group, "mean_oks") for group in groups]
        rows = []
        for variant in self._marks:
            cells = [
                _share_cell(_mean_oks(group, variant), clear is not None and clear.variant == variant)
                for group, clear in zip(groups, best, strict=True)
            ]
            rows.append([self._name(variant), *cells])
        heads = [
            Column(f"{group.name} (too{NO_BREAK}few)" if group.people < FEW else group.name, tip=_people(group.people))
            for group in groups
        ]
        return Table([Column("decoder", numeric=False), *heads], rows, caption)

    def _shrunk(self) -> Iterator[Part]:
        groups = self._outcome.shrunk
        if len(groups) < 2:
            return
        sizes = [_pixels(group.name) for group in groups]
        largest = max((size for size in sizes if size is not None), default=1.0)
        # The pictures as they are stand one step before the largest size.
        places = [2 * largest if size is None else size for size in sizes]
        yield Text(["The same people, read from pictures made so small that their boxes are as high as the axis says."])
        yield Plot(
            lines(
                places,
                self._series(groups),
                x_title="height of the person’s box, px",
                y="mean OKS",
                x_log2=True,
                x_names=[
                    group.name if size is None else f"{size:g}" for group, size in zip(groups, sizes, strict=True)
                ],
            ),
            "Mean OKS of the same people from smaller and smaller pictures, with 95 % intervals." + _few_words(groups),
            "Lines of mean OKS over the size of the person; the numbers are in the table below.",
        )
        yield self._group_table(groups, "The same in numbers. Bold: the best of its column by more than noise.")

    def _joints(self) -> Iterator[Part]:
        if not self._outcome.joints:
            return
        yield Text(
            [
                "Share of the joints closer to the truth than 5 % of the longer side of the person’s box (PCK@5, "
                "in %), and behind it the median distance, in % of that side. There are no intervals here: take "
                "small differences as chance."
            ]
        )
        for hidden in (False, True):
            kind = "occluded" if hidden else "visible"
            rows = self._joint_rows(hidden=hidden)
            if rows:
                heads = [Column("joint", numeric=False), Column(kind, tip=f"How many are annotated as {kind}")]
                columns = [*heads, *(Column(title_of(variant), mark=mark) for variant, mark in self._marks.items())]
                yield Table(columns, rows, f"{kind.capitalize()} joints: PCK@5 in %, behind it the median error in %.")

    def _joint_rows(self, *, hidden: bool) -> list[list[Cell]]:
        by_joint: dict[str, dict[Variant, JointScores]] = {}
        for scores in self._outcome.joints:
            by_joint.setdefault(scores.joint, {})[scores.variant] = scores
        rows = []
        for joint, found in by_joint.items():
            counts = [scores.hidden if hidden else scores.seen for scores in found.values()]
            if counts[0]:
                cells = [_joint_cell(found.get(variant), hidden=hidden) for variant in self._marks]
                rows.append([Cell(joint.replace("_", " ")), _people_cell(counts[0]), *cells])
        return rows

    def _disagreements(self) -> Iterator[Part]:
        found = self._outcome.disagreements
        if not found:
            return
        yield Text(
            [
                f"The {_people(len(found))} on whom the decoders lie furthest apart, of those whom one at least reads "
                f"with an OKS of {share(READ_WITH_OKS)}. White rings are the truth. A click makes a picture larger. "
                "Apart: the median over the joints of the largest distance between two decoders, in % of the longer "
                "side of the box. Beneath, the OKS of each."
            ]
        )
        items = []
        for i, person in enumerate(found, 1):
            values = [
                (title_of(variant), share(oks), mark)
                for (variant, mark), oks in zip(self._marks.items(), person.oks, strict=True)
            ]
            said = ", ".join(f"{name} {value}" for name, value, _ in values)
            caption = f"{i}. {person.image}, annotation {person.annotation_id}: {percent(person.spread, 0)} % apart"
            items.append(
                Picture(person.picture, caption, f"A person with every decoder’s joints. OKS: {said}.", values)
            )
        yield Pictures(items)

    def _skipped(self) -> Iterator[Part]:
        skipped = self._outcome.skipped
        if not skipped:
            yield Text(["Nothing: no picture and no annotation had to be skipped."])
            return
        columns = [Column("what", numeric=False), Column("why", numeric=False)]
        table = Table(columns, [[Cell(one.what), Cell(one.why)] for one in skipped], "What was left out, and why.")
        yield table if len(skipped) < _FOLDED_FROM else Folded(f"All {len(skipped):,} that were left out", [table])

    def _method(self) -> Iterator[Part]:
        yield Terms(method(self._outcome))


def _titled(split: str) -> str:
    return split[:1].upper() + split[1:]


def _people(number: int) -> str:
    return counted(number, "person", "people")


def _share_cell(interval: Interval, strong: bool = False) -> Cell:
    return Cell(share(interval.value), interval.value, share_span(interval), strong)


def _percent_cell(interval: Interval, strong: bool = False, digits: int = 1) -> Cell:
    return Cell(percent(interval.value, digits), interval.value, percent_span(interval, digits), strong)


def _people_cell(count: int) -> Cell:
    return Cell(f"{count:,}", float(count), _FEW_NOTE if count < FEW else "")


def _joint_cell(scores: JointScores | None, *, hidden: bool) -> Cell:
    if scores is None:
        return Cell(UNKNOWN_TEXT, math.nan)
    pck = scores.pck5_hidden if hidden else scores.pck5_seen
    error = scores.median_error_hidden if hidden else scores.median_error_seen
    return Cell(percent(pck), pck, percent(error) if not math.isnan(error) else "")


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _signed_span(interval: Interval) -> str:
    span = share_span(interval)
    return signed_share(interval.value) + (f" ({span})" if span else "")


def _mean_oks(group: Group, variant: Variant) -> Interval:
    return next((scores.mean_oks for scores in group.scores if scores.variant == variant), UNKNOWN)


def _told(found: Difference) -> str:
    if found.people < FEW:
        return "too few people to tell"
    if not found.mean_oks.excludes_zero:
        return "no difference can be told"
    return "ahead" if found.mean_oks.value > 0 else "behind"


def _few_words(groups: Sequence[Group]) -> str:
    few = [group.name for group in groups if group.people < FEW]
    return f" Fewer than {FEW} people, too few to tell: {listed(few)}." if few else ""


def _pixels(name: str) -> float | None:
    """The number at the start of `64 px`; None for the pictures as they are."""
    found = re.match(r"\s*([\d.]+)\s*px", name)
    return float(found[1]) if found else None

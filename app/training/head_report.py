"""The comparison's report: who reads what how well, what of it is noise, and how the trainings went."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.comparison.page import Cell, Column, Mark, Part, Plot, Section, Table, Text, page_html
from app.comparison.page_numbers import counted, share, share_span, signed_share
from app.comparison.plots import Series, Whisker, lines, whiskers
from app.comparison.resampling import Interval, mean_interval, resampled_counts
from app.decoder_display import decoder_color, display_title
from app.training.head_scores import HeadScores, TestPeople
from app.training.kinds import READERS, SHIPPED_HEAD, Kind
from app.training.loop import Epoch

_SHIPPED_TITLE = "as shipped"
_MOST_POINTS = 16  # of a curve
LEAST_PEOPLE = 10  # fewer say nothing about a difference


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """All that was measured. read, histories: by kind and seed; the shipped head under SHIPPED_HEAD and 0. read: one
    for each of `tests`. views, people: trained on. few: share of the people of those with few.
    """

    model: str
    kinds: Sequence[Kind]
    seeds: Sequence[int]
    tests: Sequence[TestPeople]
    read: Mapping[tuple[str, int], Sequence[HeadScores]]
    histories: Mapping[tuple[str, int], Sequence[Epoch]]
    epochs: int
    views: int
    people: int
    few: float
    beta: float
    device: str
    seconds: float

    def of(self, kind: str, test: int) -> list[HeadScores]:
        """Of every seed; of the shipped head the one that there is."""
        seeds = [0] if kind == SHIPPED_HEAD else self.seeds
        return [self.read[kind, seed][test] for seed in seeds]

    def oks(self, kind: str, test: int, reader: str) -> NDArray[np.float64]:
        """(S, P): of every seed and person."""
        return np.array([scores.oks[:, READERS.index(reader)] for scores in self.of(kind, test)])

    def cells(self, kind: str, test: int, reader: str) -> NDArray[np.float64]:
        """(S, P): mean distance over a person's joints, in cells."""
        return np.array([scores.mean_cells()[:, READERS.index(reader)] for scores in self.of(kind, test)])

    @property
    def names(self) -> list[tuple[str, str]]:
        """Name and title of every head, the shipped one first."""
        return [(SHIPPED_HEAD, _SHIPPED_TITLE), *((kind.name, kind.title) for kind in self.kinds)]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question: is the first (head, reader) better than the second? title: in words."""

    title: str
    first: tuple[str, str]
    second: tuple[str, str]


def pairs(compared: Compared) -> list[Pair]:
    """What the comparison is made for, each head read by its own decoder."""
    names = [kind.name for kind in compared.kinds]
    asked = [
        Pair("debiased over IPR, each trained and read so", ("debiased", "debiased"), ("ipr", "ipr")),
        Pair("the same with shape", ("debiased-shape", "debiased"), ("ipr-shape", "ipr")),
        Pair("debiased over maps (argmax)", ("debiased", "debiased"), ("argmax", "argmax")),
        Pair("IPR over maps (argmax)", ("ipr", "ipr"), ("argmax", "argmax")),
        Pair("debiased over maps read by debiased", ("debiased", "debiased"), ("argmax", "debiased")),
        Pair("debiased with shape over without", ("debiased-shape", "debiased"), ("debiased", "debiased")),
        Pair("IPR with shape over without", ("ipr-shape", "ipr"), ("ipr", "ipr")),
        Pair("debiased over the shipped head, read by debiased", ("debiased", "debiased"), (SHIPPED_HEAD, "debiased")),
        Pair("IPR over the shipped head, read by IPR", ("ipr", "ipr"), (SHIPPED_HEAD, "ipr")),
        Pair("IPR over the shipped head, read by debiased", ("ipr", "ipr"), (SHIPPED_HEAD, "debiased")),
        Pair("maps over the shipped head, read by argmax", ("argmax", "argmax"), (SHIPPED_HEAD, "argmax")),
        Pair("few pictures: debiased over IPR", ("debiased-few", "debiased"), ("ipr-few", "ipr")),
        Pair("few pictures: debiased over maps (argmax)", ("debiased-few", "debiased"), ("argmax-few", "argmax")),
    ]
    known = {SHIPPED_HEAD, *names}
    return [pair for pair in asked if pair.first[0] in known and pair.second[0] in known]


def difference(compared: Compared, pair: Pair, test: int, chosen: NDArray[np.bool_]) -> Interval:
    """In mean OKS, the mean over the seeds, on the same people; pictures are resampled."""
    gain = compared.oks(pair.first[0], test, pair.first[1]).mean(0) - compared.oks(
        pair.second[0], test, pair.second[1]
    ).mean(0)
    pictures = [picture for picture, keep in zip(compared.tests[test].pictures, chosen, strict=True) if keep]
    return mean_interval(gain[chosen], resampled_counts(pictures))


def spread(compared: Compared, pair: Pair, test: int) -> tuple[float, float]:
    """The smallest and the largest difference of any one seed."""
    first, second = (compared.oks(name, test, reader).mean(1) for name, reader in (pair.first, pair.second))
    gains = first - second
    return float(gains.min()), float(gains.max())


def text_table(compared: Compared) -> str:
    """For the terminal: mean OKS of every head (rows) read by every decoder (columns)."""
    width = max(len(title) for _, title in compared.names)
    rows = []
    for i, test in enumerate(compared.tests):
        rows.append(f"{test.name}: {counted(len(test.rows), 'person', 'people')}, mean OKS")
        rows.append(" " * width + "".join(f"{display_title(reader):>16}" for reader in READERS))
        for name, title in compared.names:
            values = "".join(f"{share(float(compared.oks(name, i, reader).mean())):>16}" for reader in READERS)
            rows.append(f"{title:<{width}}{values}")
        rows.append("")
    for i, test in enumerate(compared.tests):
        everybody = np.ones(len(test.rows), np.bool_)
        for pair in pairs(compared):
            found = difference(compared, pair, i, everybody)
            rows.append(f"{test.name}: {pair.title}: {signed_share(found.value)} ({share_span(found)})")
    return "\n".join(rows)


def table_csv(compared: Compared) -> str:
    """A row for each test set, group, head, seed and reader: people, mean OKS, mean error in cells."""
    rows = ["test,group,head,seed,reader,people,mean_oks,mean_cells"]
    for i, test in enumerate(compared.tests):
        for group, chosen in test.groups().items():
            for name, _ in compared.names:
                seeds = [0] if name == SHIPPED_HEAD else compared.seeds
                for seed, scores in zip(seeds, compared.of(name, i), strict=True):
                    for r, reader in enumerate(READERS):
                        oks, cells = scores.oks[chosen, r], scores.mean_cells()[chosen, r]
                        values = f"{oks.mean():.5f},{cells.mean():.5f}" if len(oks) else ","
                        rows.append(f"{test.name},{group},{name},{seed},{reader},{len(oks)},{values}")
    return "\n".join(rows) + "\n"


def report_html(compared: Compared) -> str:
    """The whole page."""
    sections = [
        Section("Who reads what how well", list(_tables(compared))),
        Section("What of it is more than noise", list(_differences(compared))),
        Section("Small people, occluded people", list(_groups(compared))),
        Section("How the trainings went", list(_curves(compared))),
        Section("What this does not show", [Text(_limits(compared))]),
    ]
    facts = [
        ("network", compared.model),
        ("trained on", f"{counted(compared.people, 'rendered person', 'rendered people')}, {compared.views:,} views"),
        ("epochs", str(compared.epochs)),
        ("seeds", ", ".join(map(str, compared.seeds))),
        ("β", f"{compared.beta:g}"),
        ("tested on", "; ".join(f"{len(test.rows)} {test.name}" for test in compared.tests)),
        ("device", compared.device),
        ("time", f"{compared.seconds / 60:.0f} minutes, without what was there already"),
    ]
    return page_html("Heads that were trained through their decoders", _lead(compared), facts, sections)


def _lead(compared: Compared) -> str:
    """The answer to the question, in one sentence."""
    pair = pairs(compared)[0]
    answers = []
    for i, test in enumerate(compared.tests):
        found = difference(compared, pair, i, np.ones(len(test.rows), np.bool_))
        verdict = "better" if found.low > 0 else "worse" if found.high < 0 else "neither better nor worse beyond noise"
        answers.append(f"on {test.name} {verdict} ({signed_share(found.value)} OKS, {share_span(found)})")
    return f"A head that is trained and read through debiased IPR is, against one through IPR, {'; '.join(answers)}."


def _tables(compared: Compared) -> Iterator[Part]:
    yield Text(
        [
            "Each row is a head, each column what reads it: mean OKS over the people and seeds, behind it the smallest "
            "and the largest of any seed. The best of each column is bold. Beneath it the same as mean distance from "
            "the truth in cells of the heatmap, of which there are 64 across the crop."
        ]
    )
    for i, test in enumerate(compared.tests):
        for what, values in (("mean OKS", compared.oks), ("mean error in cells", compared.cells)):
            means = {
                (name, reader): values(name, i, reader).mean(1) for name, _ in compared.names for reader in READERS
            }
            best = {
                reader: (max if what == "mean OKS" else min)(
                    float(means[name, reader].mean()) for name, _ in compared.names
                )
                for reader in READERS
            }
            columns = [Column("head", numeric=False)] + [
                Column(f"read by {display_title(reader)}", mark=Mark(decoder_color(reader))) for reader in READERS
            ]
            rows = []
            for name, title in compared.names:
                row = [Cell(title)]
                for reader in READERS:
                    of_seeds = means[name, reader]
                    value = float(of_seeds.mean())
                    text = share(value) if what == "mean OKS" else f"{value:.3f}"
                    ends = (of_seeds.min(), of_seeds.max())
                    note = "–".join(share(float(end)) if what == "mean OKS" else f"{end:.3f}" for end in ends)
                    row.append(Cell(text, value, note if len(of_seeds) > 1 else "", strong=value == best[reader]))
                rows.append(row)
            yield Table(columns, rows, f"{test.name}, {counted(len(test.rows), 'person', 'people')}: {what}.")


def _differences(compared: Compared) -> Iterator[Part]:
    yield Text(
        [
            "Differences in mean OKS on the same people, the mean over the seeds, with 95 % intervals from resampling "
            "the pictures; the last numbers are the smallest and the largest difference of any one seed. A hollow dot: "
            "the interval holds 0, or the seeds do not agree in its sign."
        ]
    )
    for i, test in enumerate(compared.tests):
        rows = []
        for pair in pairs(compared):
            found = difference(compared, pair, i, np.ones(len(test.rows), np.bool_))
            low, high = spread(compared, pair, i)
            text = (
                f"{signed_share(found.value)} ({share_span(found)}); seeds {signed_share(low)} to {signed_share(high)}"
            )
            rows.append(
                Whisker(
                    pair.title, decoder_color(pair.first[1]), found.value, found.low, found.high, text, low * high < 0
                )
            )
        yield Plot(
            whiskers(rows, x="difference in mean OKS", title=test.name),
            f"{test.name}: to the right of 0 the first is better.",
            "; ".join(f"{row.title}: {row.text}" for row in rows),
        )


def _groups(compared: Compared) -> Iterator[Part]:
    asked = [pair for pair in pairs(compared) if SHIPPED_HEAD not in (pair.first[0], pair.second[0])][:4]
    for i, test in enumerate(compared.tests):
        groups = test.groups()
        columns = [Column("people", numeric=False), Column("number"), *(Column(pair.title) for pair in asked)]
        rows = []
        for group, chosen in groups.items():
            row = [Cell(group), Cell(str(int(chosen.sum())), float(chosen.sum()))]
            for pair in asked:
                if chosen.sum() < LEAST_PEOPLE:
                    row.append(Cell("too few", math.nan))
                    continue
                found = difference(compared, pair, i, chosen)
                text = signed_share(found.value)
                row.append(Cell(text, found.value, share_span(found), strong=found.excludes_zero))
            rows.append(row)
        yield Table(columns, rows, f"{test.name}: differences in mean OKS; bold where the interval leaves 0 out.")


def _curves(compared: Compared) -> Iterator[Part]:
    yield Text(
        [
            "The error of people of the training part who were held back, each head read by its own decoder, the mean "
            "over the seeds; step 0 is the shipped head."
        ]
    )
    for few in (False, True):
        kinds = [kind for kind in compared.kinds if kind.few is few]
        if not kinds:
            continue
        # With few pictures there are many more epochs of fewer steps: not all of them are drawn.
        every = [epoch.steps for epoch in compared.histories[kinds[0].name, compared.seeds[0]]]
        shown = sorted(set(np.linspace(0, len(every) - 1, _MOST_POINTS).round().astype(int).tolist()))
        steps = [every[i] for i in shown]
        series = []
        for kind in kinds:
            runs = [compared.histories[kind.name, seed] for seed in compared.seeds]
            values = np.array([[run[i].mean_cells for i in shown] for run in runs])
            series.append(
                Series(
                    kind.title,
                    kind.color,
                    values.mean(0).tolist(),
                    values.min(0).tolist(),
                    values.max(0).tolist(),
                    dashed=kind.dashed,
                )
            )
        yield Plot(
            lines(
                [float(step) for step in steps],
                series,
                x_title="steps",
                y="mean error in cells",
                title="few pictures" if few else "all pictures",
                logarithmic=True,
            ),
            "Error in cells against training steps; the band is the range of the seeds.",
            "; ".join(f"{one.title}: {one.values[0]:.3f} at first, {one.values[-1]:.3f} in the end" for one in series),
        )


def _limits(compared: Compared) -> list[str]:
    return [
        "Only the last layers were trained, on a trunk that was made for the shipped head: what a whole network would "
        "learn through either decoder is not shown.",
        "The rendered people's joints are defined by a body model, those of real people by who annotated them: a head "
        "that learns the first is measured against the second. Differences between heads on the same people hold all "
        "the same; that one is better than the shipped head on rendered people may be the definition alone.",
        "The training and test parts of the rendered people share no body, clothes or room, but poses, cameras and "
        "light are drawn from the same ranges.",
        f"{counted(len(compared.seeds), 'seed')}: an effect smaller than the seeds' own spread is not resolved.",
    ]

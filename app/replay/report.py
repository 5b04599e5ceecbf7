"""report.html of a replay, or of the last seconds in the window. Every number comes from the findings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.comparison.page import (
    Cell,
    Column,
    Folded,
    Heading,
    Mark,
    Part,
    Picture,
    Pictures,
    Plot,
    Section,
    Table,
    Text,
    page_html,
)
from app.comparison.page_colors import looks
from app.comparison.page_numbers import counted
from app.comparison.plots import Series, bars, tracks
from app.decoder_display import three_digits
from app.replay.measures import (
    ALL,
    BIAS,
    ERROR,
    ERROR_P95,
    ERROR_RMS,
    ERROR_SHARE,
    JITTER,
    LAG_FILTER,
    LAG_TRUTH,
    MOVING,
    Findings,
)
from app.replay.report_method import method
from app.replay.stillness import STILL
from app.replay.tables import ms_text, span_text
from app.replay.tracks import Points, spans, spans_text
from app.replay.verdict import verdict
from models.skeletons import BLAZEPOSE_33

# A plot over time has at most so many places: more would not be told apart, and make the page heavy.
_MOST_PLACES = 500
_JOINTS_OVER_TIME = ("nose", "left_wrist", "right_wrist", "left_hip", "left_ankle")


@dataclass(frozen=True, slots=True)
class About:
    """What the report is about. source: the clip's or the camera's name. notes: what the reader should know first."""

    source: str
    network: str
    device: str
    truth: str = ""
    notes: tuple[str, ...] = ()
    live: bool = False


def report_html(found: Findings, about: About, pictures: Sequence[bytes] = ()) -> str:
    """The page; the same arguments give the same text. pictures: for each variant a JPEG of one frame as it read it."""
    return _Report(found, about, pictures).html()


class _Report:
    def __init__(self, found: Findings, about: About, pictures: Sequence[bytes]) -> None:
        self._found = found
        self._about = about
        self._pictures = pictures
        self._variants = range(len(found.tracks.variants))
        self._filters = range(len(found.filters))
        self._titles = [variant.title for variant in found.tracks.variants]
        self._marks = [Mark(look.color, look.dashed) for look in looks(found.tracks.variants)]

    def html(self) -> str:
        sections = [
            Section("Result", list(self._result())),
            Section("What the filters bring and cost", list(self._bars())),
            Section("Over time", list(self._over_time())),
            Section("By segment", list(self._segments())),
            Section("By joint", list(self._joints())),
            Section("How it was measured", list(method(self._found))),
        ]
        title = f"Pose decoders on {self._about.source}"
        shown = [section for section in sections if section.parts]
        return page_html(title, verdict(self._found), self._facts(), shown)

    def _facts(self) -> list[tuple[str, str]]:
        found, tracks, about = self._found, self._found.tracks, self._about
        seen = int(tracks.somebody.sum())
        still = found.segments.get(STILL)
        return [
            ("source", about.source),
            ("picture", f"{tracks.width} × {tracks.height}, {tracks.fps:.3g} frames a second"),
            ("frames", f"{len(tracks):,} in {tracks.seconds[-1]:.1f} s, a person in {seen:,}"),
            ("body", f"{np.nanmedian(tracks.bodies):.0f} px (median)"),
            ("stands still", f"{spans_text(still, tracks.indices)}" if still is not None else "nowhere for a second"),
            ("truth", about.truth or "not known"),
            ("network", f"{about.network} on {about.device}"),
        ]

    # --- result -------------------------------------------------------------------------------------------------------

    def _result(self) -> Iterator[Part]:
        if self._about.notes:
            yield Text(self._about.notes)
        yield Table(self._columns(), [self._row(v, f) for v in self._variants for f in self._filters], self._caption())
        if self._pictures:
            yield Text(["The last frame with a person, as every decoder read it, unfiltered:"])
            yield Pictures([self._picture(v, jpeg) for v, jpeg in enumerate(self._pictures)])

    def _picture(self, v: int, jpeg: bytes) -> Picture:
        found, mark = self._found, self._marks[v]
        measures = [("jitter", JITTER, found.jitter_segment), ("bias", BIAS, ALL)]
        measures += [("error", ERROR, ALL)] if found.truth is not None else []
        values = [(name, f"{three_digits(found.value(what, v, 0, where))} px", mark) for name, what, where in measures]
        return Picture(jpeg, self._titles[v], f"The person with the skeleton that {self._titles[v]} read", values)

    def _columns(self) -> list[Column]:
        where = " still" if self._found.jitter_segment == STILL else ""
        columns = [
            Column("decoder", numeric=False),
            Column("filter", numeric=False),
            Column(f"jitter{where}, px", tip="Standard deviation of the position noise on each axis"),
            Column("bias, px", tip="Distance from the point to the sub-cell peak of the same heatmap, unfiltered"),
        ]
        if self._found.truth is not None:
            columns += [
                Column("error, px", tip="Median distance to the truth, joints that can be seen"),
                Column("% of body", tip="The median as a share of the body’s size"),
                Column("rms, px", tip="Root mean square distance to the truth"),
                Column("p95, px", tip="One in twenty joints is further off than this"),
                Column("late, ms", tip="By how much moving joints come after the truth; negative: ahead of it"),
            ]
        if len(self._filters) > 1:
            columns.append(Column("filter lag, ms", tip="By how much the filter delays the points of this decoder"))
        return columns

    def _row(self, v: int, f: int) -> list[Cell]:
        found = self._found
        row = [
            self._name(v),
            Cell(found.filters[f].title),
            self._px(JITTER, v, f, found.jitter_segment),
            self._px(BIAS, v, f),
        ]
        if found.truth is not None:
            row += [
                self._px(ERROR, v, f, note=span_text(found.interval(ERROR, v, f))),
                Cell(three_digits(100 * found.value(ERROR_SHARE, v, f)), found.value(ERROR_SHARE, v, f)),
                self._px(ERROR_RMS, v, f),
                self._px(ERROR_P95, v, f),
                _ms(found.value(LAG_TRUTH, v, f)),
            ]
        if len(self._filters) > 1:
            row.append(_ms(found.value(LAG_FILTER, v, f)))
        return row

    def _caption(self) -> str:
        behind = "Small, behind the error, its 95 % interval. " if self._found.truth is not None else ""
        return f"{behind}Bold: the lowest of its column. A click on a heading sorts."

    def _name(self, v: int) -> Cell:
        return Cell(self._titles[v], mark=self._marks[v])

    def _px(self, measure: str, v: int, f: int, segment: str = ALL, *, note: str = "") -> Cell:
        found = self._found
        value = found.value(measure, v, f, segment)
        values = [found.value(measure, w, g, segment) for w in self._variants for g in self._filters]
        lowest = min((other for other in values if math.isfinite(other)), default=math.nan)
        best = math.isfinite(value) and three_digits(value) == three_digits(lowest)
        return Cell(three_digits(value), value, note, strong=best)

    # --- bars ---------------------------------------------------------------------------------------------------------

    def _bars(self) -> Iterator[Part]:
        found = self._found
        where = " while the person stands still" if found.jitter_segment == STILL else ""
        yield self._bar_plot(JITTER, found.jitter_segment, "jitter, px", f"Jitter{where}")
        if len(self._filters) > 1:
            yield self._bar_plot(LAG_FILTER, ALL, "lag, ms", "What each filter delays", filters=self._filters[1:])
        if found.truth is not None:
            yield self._bar_plot(ERROR, ALL, "median error, px", "Error against the truth")

    def _bar_plot(
        self,
        measure: str,
        segment: str,
        y: str,
        title: str,
        *,
        filters: Sequence[int] | None = None,
    ) -> Part:
        shown = self._filters if filters is None else filters
        series = []
        for v in self._variants:
            intervals = [self._found.interval(measure, v, f, segment) for f in shown]
            series.append(
                Series(
                    self._titles[v],
                    self._marks[v].color,
                    [one.value for one in intervals],
                    [one.low for one in intervals],
                    [one.high for one in intervals],
                    self._marks[v].dashed,
                )
            )
        if not any(math.isfinite(value) for one in series for value in one.values):
            return Text([f"{title}: cannot be told here. {self._why_unknown(measure)}"])
        groups = [self._found.filters[f].title for f in shown]
        told = "; ".join(f"{one.title} {', '.join(map(three_digits, one.values))}" for one in series)
        return Plot(bars(groups, series, y=y, title=title), "", f"{title}, {y}: {told}")

    def _why_unknown(self, measure: str) -> str:
        return (
            "A lag can be told only where joints move clearly for some seconds."
            if measure in (LAG_FILTER, LAG_TRUTH)
            else "Too few frames show the same person in a row."
        )

    # --- over time ----------------------------------------------------------------------------------------------------

    def _over_time(self) -> Iterator[Part]:
        found = self._found
        if len(found.tracks) < 3:
            return
        against = "the truth" if found.truth is not None else "the peak of the heatmap"
        distances = [self._distances(v) for v in self._variants]
        known = np.any([np.isfinite(far).any(0) for far in distances], axis=0)
        shown = [joint for joint in _JOINTS_OVER_TIME if known[BLAZEPOSE_33.index[joint]]]
        yield Text(
            [
                f"Distance to {against}, unfiltered, in px. A line is broken where nobody was seen, or not the joint."
                + (" Shaded: the truth’s segments." if found.truth and found.truth.segments else "")
            ]
        )
        yield self._track_plot("Median over the joints", [_median_over_joints(far) for far in distances], against)
        plots = [
            self._track_plot(
                joint.replace("_", " ").capitalize(), [far[:, BLAZEPOSE_33.index[joint]] for far in distances], against
            )
            for joint in shown
        ]
        yield from plots[:2]
        if plots[2:]:
            yield Folded(f"{counted(len(plots[2:]), 'more joint')}", plots[2:])

    def _distances(self, v: int) -> Points:
        """(T, K) px to the truth, or to the peaks where that is not known."""
        found, tracks_ = self._found, self._found.tracks
        if found.truth is not None:
            return found.errors(v)
        far: Points = np.linalg.norm(tracks_.points[:, v] - tracks_.peaks, axis=-1)
        far[tracks_.scores < 0.3] = np.nan
        return far

    def _track_plot(self, title: str, values: Sequence[Points], against: str) -> Plot:
        found = self._found
        seconds, indices = found.tracks.seconds, found.tracks.indices
        group = -(-len(seconds) // _MOST_PLACES)
        series = [
            Series(self._titles[v], self._marks[v].color, _thinned(values[v], group).tolist(), None, None,
                   self._marks[v].dashed)
            for v in self._variants
        ]  # fmt: skip
        shaded = []
        named = found.truth.segments if found.truth is not None else {}
        for name, frames in named.items():
            inside = np.flatnonzero((indices >= frames.start) & (indices < frames.stop))
            if len(inside):
                shaded.append((float(seconds[inside[0]]), float(seconds[inside[-1]]), name.replace("_", " ")))
        if not named and STILL in found.segments:
            for span in spans(found.segments[STILL]):
                shaded.append((float(seconds[span.start]), float(seconds[span.stop - 1]), STILL))
        svg = tracks(_thinned(seconds, group).tolist(), series, y="px", title=title, spans=shaded[:8])
        return Plot(svg, "", f"{title}: distance to {against} over time, for every decoder")

    # --- by segment and by joint --------------------------------------------------------------------------------------

    def _segments(self) -> Iterator[Part]:
        found = self._found
        names = list(found.segments)
        if len(names) < 2:
            return
        columns = [Column("decoder", numeric=False), Column("filter", numeric=False)]
        frames = {name: int(mask.sum()) for name, mask in found.segments.items()}
        columns += [Column(name.replace("_", " "), tip=counted(frames[name], "frame")) for name in names]
        tables = [("Jitter, px", JITTER), ("Bias, px", BIAS)]
        if found.truth is not None:
            tables.insert(0, ("Median error, px", ERROR))
        for i, (title, measure) in enumerate(tables):
            table = self._segment_table(columns, measure, names)
            yield from _open_or_folded(title, table, is_open=i == 0)
        if found.truth is not None:
            timed = [name for name in names if name not in (STILL, MOVING)]
            heads = [*columns[:2], *(column for column, name in zip(columns[2:], names, strict=True) if name in timed)]
            rows = [
                [self._name(v), Cell(found.filters[f].title), *(_ms(found.value(LAG_TRUTH, v, f, s)) for s in timed)]
                for v in self._variants
                for f in self._filters
            ]
            yield Folded("Lag behind the truth, ms", [Table(heads, rows, "Moving joints; negative: ahead")])

    def _segment_table(self, columns: Sequence[Column], measure: str, names: Sequence[str]) -> Table:
        shown = self._filters[:1] if measure == BIAS else self._filters
        rows = [
            [self._name(v), Cell(self._found.filters[f].title), *(self._px(measure, v, f, name) for name in names)]
            for v in self._variants
            for f in shown
        ]
        return Table(columns, rows, "The pointer on a heading tells how many frames it has. Bold: the lowest.")

    def _joints(self) -> Iterator[Part]:
        found = self._found
        heads = [Column("joint", numeric=False)]
        heads += [Column(title, mark=mark) for title, mark in zip(self._titles, self._marks, strict=True)]
        tables = [("Jitter", JITTER, found.jitter_segment), ("Bias", BIAS, ALL)]
        if found.truth is not None:
            tables.insert(0, ("Median error", ERROR, ALL))
        for title, measure, segment in tables:
            rows = [row for joint in BLAZEPOSE_33.joints if (row := self._joint_row(joint, measure, segment))]
            if rows:
                where = " while the person stands still" if segment == STILL else ""
                table = Table(heads, rows, f"{title}{where}, px, unfiltered. Bold: the lowest of its row.")
                yield from _open_or_folded(f"{title}, px", table, is_open=measure == tables[0][1])

    def _joint_row(self, joint: str, measure: str, segment: str) -> list[Cell]:
        values = [self._found.value(measure, v, 0, segment, joint) for v in self._variants]
        known = [three_digits(value) for value in values if math.isfinite(value)]
        if not known:
            return []
        lowest = min(known, key=float)
        cells = [Cell(three_digits(value), value, strong=three_digits(value) == lowest) for value in values]
        return [Cell(joint.replace("_", " ")), *cells]


def _open_or_folded(title: str, table: Table, *, is_open: bool) -> list[Part]:
    return [Heading(title), table] if is_open else [Folded(title, [table])]


def _median_over_joints(far: Points) -> Points:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # frames in which nothing is known
        median: Points = np.nanmedian(far, axis=1)
    return median


def _thinned(values: Points, group: int) -> Points:
    """The mean of each `group` neighbours; NaN where one of them is."""
    if group == 1:
        return values
    starts = np.arange(0, len(values), group)
    found: Points = np.add.reduceat(values, starts) / np.diff([*starts, len(values)])
    return found


def _ms(value: float) -> Cell:
    return Cell(ms_text(value), value)

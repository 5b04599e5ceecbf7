"""A report as one HTML file: it asks for nothing from anywhere, and everything in it from outside is escaped."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from app.comparison.page_assets import SCRIPT, STYLE
from app.comparison.page_colors import paper_colors, themed

# Marks that turn the direction of the text that follows: a file name with one would turn the whole line.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WIDE_FROM = 6  # columns: such a table takes the width of the page


@dataclass(frozen=True, slots=True)
class Mark:
    """How something is drawn in the plots, as a swatch in front of its name: `#rrggbb`, dashed or not."""

    color: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of a table.

    value: what the column is sorted by; the text where None; NaN is always last. note: small and grey behind the text,
    for example `.69–.74`. strong: the best of its column. mark: a swatch in front.
    """

    text: str
    value: float | str | None = None
    note: str = ""
    strong: bool = False
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; a click sorts by it. tip: what the title means, in a few words. mark: a swatch in front."""

    title: str
    numeric: bool = True
    tip: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows have a cell for each column; the first cell of a row is its head."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """svg: from `app.comparison.plots`. description: what the plot shows, for those who cannot see it."""

    svg: str
    caption: str
    description: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG. description: what is to be seen, for those who cannot see it.

    values: what was measured in it, each with its name and how that is drawn.
    """

    jpeg: bytes
    caption: str
    description: str
    values: Sequence[tuple[str, str, Mark]] = ()


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures side by side, as many as fit; a click makes one large."""

    items: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain paragraphs."""

    paragraphs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms and what they mean."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Legend:
    """What is drawn how."""

    items: Sequence[tuple[str, Mark]]


@dataclass(frozen=True, slots=True)
class Heading:
    """A smaller heading inside a section."""

    title: str


@dataclass(frozen=True, slots=True)
class Folded:
    """Parts that are shown when their title is clicked; on paper they stay folded."""

    title: str
    parts: Sequence[Part]


Part = Table | Plot | Pictures | Text | Terms | Legend | Heading | Folded


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading of its own, named in the contents."""

    title: str
    parts: Sequence[Part]


def page_html(title: str, lead: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    """The whole page.

    lead: the one sentence that matters. facts: names and values, shown as a list beneath it.
    The same arguments give the same text.
    """
    body = _Writer().page(title, lead, facts, sections)
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    style = themed(STYLE)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="dark">\n'
        f"<title>{_safe(title)}</title>\n"
        f"<style>\n{style}@media print{{:root{{{paper_colors(style + body)}}}}}\n</style>\n</head>\n"
        f"<body>\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def clean(text: str) -> str:
    """Text that can stand in a page, a plot and a file.

    Control characters, lone surrogates and marks that turn the direction become U+FFFD, line ends and tabs spaces.
    """
    return "".join(_clean_character(character) for character in text)


def _clean_character(character: str) -> str:
    if character in "\n\r\t":
        return " "
    bad = character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    return "\ufffd" if bad else character


def _safe(text: str) -> str:
    return escape(clean(text), quote=True)


def _breakable(text: str) -> str:
    """Escaped, with places where a long path may be broken."""
    return re.sub(r"([/\\_])", r"\1<wbr>", _safe(text))


class _Writer:
    """Writes the parts and counts them, since every id on the page has to be another."""

    def __init__(self) -> None:
        self._plots = 0
        self._captions = 0

    def page(self, title: str, lead: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
        named = "".join(f"<div><dt>{_safe(name)}</dt><dd>{_breakable(value)}</dd></div>" for name, value in facts)
        contents = "".join(
            f'<li><a href="#section-{i}">{_safe(section.title)}</a></li>' for i, section in enumerate(sections, 1)
        )
        written = "".join(self._section(i, section) for i, section in enumerate(sections, 1))
        return (
            '<a class="skip" href="#section-1">Skip to the results</a>\n'
            f'<header>\n<p class="made">PoseScope</p>\n<h1>{_safe(title)}</h1>\n<p class="lead">{_safe(lead)}</p>\n'
            f'<dl class="facts">{named}</dl>\n</header>\n'
            f'<nav aria-label="Contents"><ol>{contents}</ol></nav>\n<main>\n{written}</main>\n'
        )

    def _section(self, number: int, section: Section) -> str:
        parts = "".join(self._part(part) for part in section.parts)
        return (
            f'<section id="section-{number}" aria-labelledby="heading-{number}">\n'
            f'<h2 id="heading-{number}">{_safe(section.title)}</h2>\n{parts}</section>\n'
        )

    def _part(self, part: Part) -> str:
        match part:
            case Table():
                return self._table(part)
            case Plot():
                return self._plot(part)
            case Pictures():
                return _pictures(part)
            case Text():
                return "".join(f"<p>{_safe(paragraph)}</p>\n" for paragraph in part.paragraphs)
            case Terms():
                items = "".join(f"<dt>{_safe(term)}</dt><dd>{_safe(meaning)}</dd>\n" for term, meaning in part.items)
                return f'<dl class="terms">\n{items}</dl>\n'
            case Legend():
                items = "".join(f"<li>{_mark(mark)}{_safe(name)}</li>" for name, mark in part.items)
                return f'<ul class="legend" aria-label="Legend">{items}</ul>\n'
            case Heading():
                return f"<h3>{_safe(part.title)}</h3>\n"
            case Folded():
                inside = "".join(self._part(inner) for inner in part.parts)
                return f"<details><summary>{_safe(part.title)}</summary>\n{inside}</details>\n"

    def _table(self, table: Table) -> str:
        self._captions += 1
        caption_id = f"table-{self._captions}"
        heads = "".join(_head(column) for column in table.columns)
        widths = [max((len(clean(row[i].note)) for row in table.rows), default=0) for i in range(len(table.columns))]
        rows = "".join(f"<tr>{_row(row, table.columns, widths)}</tr>\n" for row in table.rows)
        wide = ' class="wide"' if len(table.columns) >= _WIDE_FROM else ""
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{caption_id}">\n<table{wide}>\n'
            f'<caption id="{caption_id}"><span>{_safe(table.caption or "Table")}</span></caption>\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        )

    def _plot(self, plot: Plot) -> str:
        self._plots += 1
        caption = f"<figcaption>{_safe(plot.caption)}</figcaption>" if plot.caption else ""
        label = _safe(plot.description)
        svg = inline_svg(plot.svg, f"plot{self._plots}-", label)
        return f'<figure class="plot">\n<div class="scroll" tabindex="0">\n{svg}</div>\n{caption}</figure>\n'


def inline_svg(svg: str, prefix: str, label: str) -> str:
    """An SVG file as an element of a page: `prefix` before all its ids, its colours as variables, no width of its own.

    label: for screen readers, escaped already.
    """
    body = svg[svg.index("<svg") :]
    head, rest = body.split(">", 1)
    head = re.sub(r'\s(width|height|role|aria-label|style)="[^"]*"', "", head)
    head = f'{head} role="img" aria-label="{label}">'
    return head + re.sub("<[^>]*>", lambda tag: _own_tag(tag[0], prefix), rest)


def _own_tag(tag: str, prefix: str) -> str:
    tag = re.sub(r'\bid="', f'id="{prefix}', tag)
    tag = re.sub(r"url\(#", f"url(#{prefix}", tag)
    tag = re.sub(r'\b((?:xlink:)?href)="#', rf'\1="#{prefix}', tag)
    return themed(tag)


def _head(column: Column) -> str:
    kind = "number" if column.numeric else "text"
    tip = f' title="{_safe(column.tip)}"' if column.tip else ""
    mark = _mark(column.mark) if column.mark else ""
    button = f'<button type="button"{tip}>{mark}{_safe(column.title)}</button>'
    return f'<th scope="col" class="{kind}" aria-sort="none">{button}</th>'


def _row(row: Sequence[Cell], columns: Sequence[Column], notes: Iterable[int]) -> str:
    return "".join(
        _cell(cell, column, note, head=i == 0)
        for i, (cell, column, note) in enumerate(zip(row, columns, notes, strict=True))
    )


def _cell(cell: Cell, column: Column, note_width: int, *, head: bool) -> str:
    classes = ("number" if column.numeric else "text") + (" best" if cell.strong else "")
    text = f"<strong>{_safe(cell.text)}</strong>" if cell.strong else f"<span>{_safe(cell.text)}</span>"
    # Cells without a note keep its room, so that the numbers of a column stand beneath each other.
    note = f'<small style="min-width:{note_width}ch">{_safe(cell.note)}</small>' if note_width else ""
    name, scope = ("th", ' scope="row"') if head else ("td", "")
    mark = _mark(cell.mark) if cell.mark else ""
    return f'<{name}{scope} class="{classes}" data-sort="{_sort_value(cell, column)}">{mark}{text}{note}</{name}>'


def _sort_value(cell: Cell, column: Column) -> str:
    """What the script sorts by; empty is last."""
    value = cell.text if cell.value is None else cell.value
    if isinstance(value, str) and not column.numeric:
        return _safe(value)
    try:
        number = float(value)
    except ValueError:
        return ""
    return repr(number) if math.isfinite(number) else ""


def _mark(mark: Mark) -> str:
    kind = "mark dashed" if mark.dashed else "mark"
    return f'<i class="{kind}" style="--mark:{themed(_safe(mark.color))}" aria-hidden="true"></i>'


def _pictures(pictures: Pictures) -> str:
    return f'<div class="pictures">\n{"".join(_picture(picture) for picture in pictures.items)}</div>\n'


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.jpeg).decode()
    values = "".join(
        f"<div><dt>{_mark(mark)}{_safe(name)}</dt><dd>{_safe(value)}</dd></div>" for name, value, mark in picture.values
    )
    measured = f"<dl>{values}</dl>" if values else ""
    return (
        '<figure>\n<button type="button" aria-pressed="false" title="Larger">'
        f'<img src="data:image/jpeg;base64,{data}" alt="{_safe(picture.description)}"></button>\n'
        f"<figcaption>{_safe(picture.caption)}{measured}</figcaption>\n</figure>\n"
    )

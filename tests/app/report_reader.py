"""Reads a report's HTML strictly: every element is closed where it has to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "img", "br", "wbr", "link", "hr", "input"})


@dataclass
class Element:
    """tag, attributes, and all text inside it, also inside of its children."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Every element inside with this tag, in the order of the file."""
        found = []
        for child in self.children:
            found += ([child] if child.tag == tag else []) + child.all(tag)
        return found

    def get(self, name: str) -> str:
        """An attribute; empty where it is not there."""
        return self.attributes.get(name) or ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Element] = [Element("", {})]
        self.everything: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        self.everything.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


@dataclass
class ReadReport:
    """The root element and every element in the order of the file."""

    root: Element
    everything: list[Element]

    def table(self, caption_part: str) -> tuple[list[str], list[list[Element]]]:
        """Titles and rows of cells of the one table whose caption holds `caption_part`."""
        (table,) = [one for one in self.root.all("table") if caption_part in one.all("caption")[0].text]
        head, *rows = table.all("tr")
        return [cell.text for cell in head.all("th")], [row.children for row in rows]


def read_report(html: str) -> ReadReport:
    """Fails where an element is closed by another one's end, or not at all."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"never closed: {[element.tag for element in reader.open[1:]]}"
    return ReadReport(reader.open[0], reader.everything)


# Attributes that browsers only show.
_WORDS = frozenset({"alt", "title", "aria-label", "data-sort"})


def assert_asks_for_nothing(report: ReadReport) -> None:
    """No address but `data:` and places in the page itself, no handler, and no style that loads something."""
    for element in report.everything:
        assert element.tag not in {"link", "iframe", "object", "embed", "base", "form"}
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"<{element.tag} {name}>"
            if name in {"src", "srcset", "data", "poster"}:
                assert (value or "").startswith("data:"), value
            if name in {"href", "xlink:href"}:
                assert (value or "").startswith("#"), value
            if name not in _WORDS:
                assert all(part.startswith("#") for part in (value or "").split("url(")[1:]), value
        if element.tag == "style":
            assert "url(" not in element.text
            assert "@import" not in element.text

import base64
import hashlib
import math
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

import matplotlib
import numpy as np
import pytest

from app.comparison.page import (
    Cell,
    Column,
    Folded,
    Heading,
    Legend,
    Mark,
    Picture,
    Pictures,
    Plot,
    Section,
    Table,
    Terms,
    Text,
    page_html,
)
from app.comparison.page_assets import SCRIPT
from app.comparison.page_colors import TEXT, looks, paper_color
from app.comparison.page_numbers import counted, listed, percent, share, share_span, signed_share
from app.comparison.plots import Series, Whisker, bars, lines, tracks, whiskers
from app.comparison.resampling import Interval
from app.comparison.variants import parse_variants
from app.decoder_display import DARK_SURFACE, DECODER_COLORS
from tests.app.report_reader import assert_asks_for_nothing, read_report

HOSTILE = "</title></style><script>alert(1)</script>\"'><img src=x onerror=alert(2)> & url(http://x) #56b4e9"
BLUE, ORANGE = "#56b4e9", "#d55e00"
SVG = "{http://www.w3.org/2000/svg}"
NAN = math.nan


def page(*parts, title="A title", lead="A sentence.", facts=()):
    return page_html(title, lead, facts, [Section("First", parts)])


def simple_bars(names=("a", "b")):
    return bars(names, [Series("IPR", ORANGE, [0.2, 0.4]), Series("DARK", BLUE, [0.8, NAN], dashed=True)], y="OKS")


def everything(text, jpeg=b"\xff\xd8 not really"):
    plot = Plot(bars([text, text], [Series(text, BLUE, [1.0, 2.0])], y=text, title=text), text, text)
    table = Table(
        [Column(text, False, text), Column(text)], [[Cell(text, note=text, mark=Mark(BLUE)), Cell(text)]], text
    )
    inside = [Text([text]), Terms([(text, text)]), Legend([(text, Mark(BLUE, True))]), Heading(text)]
    pictures = Pictures([Picture(jpeg, text, text, [(text, text, Mark(BLUE))])])
    return page_html(text, text, [(text, text)], [Section(text, [plot, plot, table, Folded(text, inside), pictures])])


def test_hostile_text_stays_text_everywhere():
    harmless, report = read_report(everything("harmless")), read_report(everything(HOSTILE))
    # Long texts may be broken into lines: <wbr>, and more <text> in a plot.
    tags, expected = (Counter(element.tag for element in one.everything) for one in (report, harmless))
    assert set(tags) - {"wbr"} == set(expected)
    assert all(tags[tag] == expected[tag] for tag in ("script", "style", "img", "title", "button", "p", "div"))
    assert_asks_for_nothing(report)
    assert report.root.all("h1")[0].text == HOSTILE
    assert report.root.all("img")[0].get("alt") == HOSTILE
    assert report.root.all("caption")[0].text == HOSTILE
    assert report.root.all("svg")[0].get("aria-label") == HOSTILE
    assert len([text for text in report.root.all("svg")[0].all("text") if text.text.strip() == HOSTILE]) == 3


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\nb\tc", "a b c"),
        ("a\x00\x1bb", "a\ufffd\ufffdb"),
        ("x\u202egpj.exe", "x\ufffdgpj.exe"),
        ("\udcff", "\ufffd"),
    ],
)
def test_characters_that_break_or_mislead_are_replaced(raw, shown):
    html = everything(raw)
    html.encode()
    assert read_report(html).root.all("h1")[0].text == shown


def test_ids_are_unique_and_every_reference_leads_somewhere():
    report = read_report(everything("text"))
    ids = [element.get("id") for element in report.everything if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    wanted = []
    for element in report.everything:
        wanted += element.get("aria-labelledby").split()
        for value in element.attributes.values():
            wanted += re.findall(r"url\(#([^)]*)\)", value or "")
        for name in ("href", "xlink:href"):
            wanted += [element.get(name)[1:]] if element.get(name) else []
    assert len(wanted) > 10
    assert set(wanted) <= set(ids)


def test_the_policy_lets_the_pages_own_script_run_and_nothing_else():
    html = page(Text(["x"]))
    report = read_report(html)
    (script,) = report.root.all("script")
    policy = next(meta for meta in report.root.all("meta") if meta.get("http-equiv")).get("content")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    # A policy holds from where it stands.
    assert html.index("Content-Security-Policy") < min(
        html.index("<style"), html.index("<script"), html.index("<title")
    )


def test_a_table_names_its_heads_and_says_what_it_is_sorted_by():
    columns = [Column("name", numeric=False), Column("OKS", tip="similarity")]
    rows = [
        [Cell("b10"), Cell(".719", 0.71875, ".68–.75", strong=True)],
        [Cell("a"), Cell("–", NAN)],
        [Cell("c", "sorted as this"), Cell("12")],
        [Cell("d"), Cell("many")],
    ]
    report = read_report(page(Table(columns, rows, "A caption")))
    heads, cells = report.table("A caption")
    assert heads == ["name", "OKS"]
    assert [row[0].tag for row in cells] == ["th"] * 4
    assert cells[0][0].get("scope") == "row"
    assert [row[0].get("data-sort") for row in cells] == ["b10", "a", "sorted as this", "d"]
    assert [row[1].get("data-sort") for row in cells] == ["0.71875", "", "12.0", ""]
    assert [len(row[1].all("strong")) for row in cells] == [1, 0, 0, 0]
    assert cells[0][1].all("small")[0].text == ".68–.75"
    for head in report.root.all("thead")[0].all("th"):
        assert head.get("aria-sort") == "none"
        assert head.get("scope") == "col"
        assert head.all("button")[0].get("type") == "button"


@pytest.mark.parametrize(
    ("sign", "expected"), [(1, ["-2.0", "-0.5", "9.0", "10.0", "", ""]), (-1, ["10.0", "9.0", "-0.5", "-2.0", "", ""])]
)
def test_the_script_sorts_numbers_as_numbers_and_what_is_not_known_last(qapp, sign, expected):
    from PySide6.QtQml import QJSEngine

    engine = QJSEngine()
    # What browsers have and this engine lacks; texts were sorted in a browser.
    engine.evaluate("var Intl = {Collator: function () {}}; var document = {addEventListener: function () {}};")
    assert not engine.evaluate(SCRIPT.replace("const collator", "var collator")).isError()
    values = '["9.0", "", "-2.0", "10.0", "", "-0.5"]'
    found = engine.evaluate(f"{values}.sort((a, b) => compared(a, b, true, {sign}))")
    assert found.toVariant() == expected


def test_a_picture_is_inside_the_page():
    report = read_report(page(Pictures([Picture(b"\xff\xd8\x00", "caption", "what is seen")])))
    source = report.root.all("img")[0].get("src")
    assert base64.b64decode(source.removeprefix("data:image/jpeg;base64,")) == b"\xff\xd8\x00"


def test_the_same_arguments_give_the_same_page():
    assert everything("text") == everything("text")
    assert simple_bars() == simple_bars()


def contrast(first, second):
    """WCAG 2.2, from its text."""

    def luminance(color):
        parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colors_can_be_told_from_the_dark_screen_and_from_white_paper():
    variants = parse_variants("all", [1, 2, 5, 10, 20, 50])
    for look in looks(variants):
        assert contrast(look.color, DARK_SURFACE) >= 4.5
        assert contrast(paper_color(look.color), "#ffffff") >= 3.0
    assert contrast(paper_color(TEXT), "#ffffff") >= 12


def test_paper_has_a_color_for_every_color_of_the_page():
    html = everything("text")
    used = set(re.findall(r"var\(--(c[0-9a-f]{6}),", html))
    assert {f"c{BLUE[1:]}", f"c{DARK_SURFACE[1:]}"} <= used
    paper = html[html.index("@media print{:root") :]
    assert all(f"--{name}:#" in paper for name in used)


def test_variants_of_a_decoder_keep_its_color_and_differ():
    found = looks(parse_variants("ipr,dark,debiased:beta=5,debiased:beta=10,debiased-plain", [1, 10]))
    assert found[0].color == DECODER_COLORS["ipr"]
    assert not found[0].dashed
    assert found[2].color == DECODER_COLORS["dark"]
    assert len({(look.color, look.dashed) for look in found}) == len(found)
    assert found[1].dashed
    assert found[1].color != found[0].color


def shapes(svg, color):
    """Points of every path of a colour, filled or drawn, in SVG pixels."""
    found = []
    for path in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        if re.search(rf"(fill|stroke): {color}", path.get("style", "")):
            numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", path.get("d", ""))]
            found.append(np.array(numbers).reshape(-1, 2))
    return found


def drawn_line(svg, color, points):
    """The one line with so many points; the line of the legend is level."""
    (line,) = [shape for shape in shapes(svg, color) if len(shape) == points and np.ptp(shape[:, 1]) > 0]
    return line


def texts(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_bars_are_as_high_as_their_values_and_whiskers_as_long_as_their_intervals():
    series = [Series("one", ORANGE, [0.2, 0.4, NAN], [0.1, 0.3, NAN], [0.25, 0.6, NAN])]
    svg = bars(["a", "b", "c"], series, y="OKS")
    heights = sorted(np.ptp(points[:, 1]) for points in shapes(svg, ORANGE))
    # The square of the legend is the small one; the bar that is not known has no height.
    assert heights[-1] / heights[-2] == pytest.approx(2, rel=1e-4)
    per_unit = heights[-1] / 0.4
    drawn = sorted(np.ptp(p[:, 1]) for p in shapes(svg, TEXT) if len(p) == 2 and np.ptp(p[:, 0]) == 0)
    assert drawn == pytest.approx([0.15 * per_unit, 0.3 * per_unit], rel=1e-3)
    assert {"a", "b", "c", "OKS", "one"} <= set(texts(svg))


def test_lines_step_once_for_every_doubling():
    svg = lines([32, 64, 256], [Series("one", BLUE, [0.1, 0.2, 0.3])], x_title="px", y="OKS", x_log2=True)
    line = drawn_line(svg, BLUE, 3)
    steps = np.diff(line[:, 0])
    assert steps[1] / steps[0] == pytest.approx(2, rel=1e-4)
    assert np.diff(line[:, 1])[0] == pytest.approx(np.diff(line[:, 1])[1], rel=1e-4)
    assert {"32", "64", "256"} <= set(texts(svg))


def test_a_logarithmic_axis_makes_equal_steps_of_equal_ratios_and_leaves_out_zero():
    svg = lines(["a", "b", "c", "d"], [Series("one", BLUE, [1, 10, 100, 0])], x_title="", y="px", logarithmic=True)
    line = drawn_line(svg, BLUE, 3)
    assert np.ptp(np.diff(line[:, 1])) == pytest.approx(0, abs=1e-3)


def test_tracks_are_broken_where_nothing_is_known_and_spans_are_named():
    svg = tracks([0, 1, 2, 3, 4], [Series("one", BLUE, [1, 2, NAN, 2, 1])], y="px", spans=[(1, 3, "still_1")])
    root = ElementTree.fromstring(svg)
    (path,) = [p.get("d", "") for p in root.iter(f"{SVG}path") if BLUE in p.get("style", "") and len(p.get("d")) > 60]
    assert path.count("M") == 2
    assert {"still_1", "time, s"} <= set(texts(svg))


def test_whiskers_are_hollow_where_nothing_can_be_told():
    rows = [Whisker("clear", BLUE, 0.02, 0.01, 0.03), Whisker("level", ORANGE, 0.01, -0.01, 0.03)]
    few = [Whisker("few", BLUE, 0.02, 0.01, 0.03, doubtful=True)]
    assert f"fill: {BLUE}" in whiskers(rows, x="OKS")
    assert f"fill: {ORANGE}" not in whiskers(rows, x="OKS")
    assert f"fill: {BLUE}" not in whiskers(few, x="OKS")


def test_only_differences_of_another_order_get_a_close_up():
    near = [Whisker("a", BLUE, 0.02, 0.01, 0.03), Whisker("b", BLUE, 0.04, 0.03, 0.05)]
    assert "close up" not in texts(whiskers(near, x="OKS"))
    assert "close up" in texts(whiskers([*near, Whisker("c", ORANGE, -0.4, -0.45, -0.35)], x="OKS"))


def test_every_text_of_a_plot_can_be_read_on_the_dark_surface():
    one = [Series("one", BLUE, [1.0, 2.0])]
    plots = [
        bars(["a", "b"], one, y="px", title="title", logarithmic=True),
        lines([1, 2], one, x_title="x", y="px", title="title"),
        tracks([0, 1], one, y="px", title="title", spans=[(0, 1, "still")]),
        whiskers([Whisker("a", BLUE, 0.1, 0, 0.2, "text"), Whisker("b", BLUE, 9, 8, 10)], x="px", title="title"),
    ]
    for svg in plots:
        assert "title" in [text.strip() for text in texts(svg)]
        for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
            (color,) = re.findall(r"fill: (#[0-9a-f]{6})", text.get("style", ""))
            assert contrast(color, DARK_SURFACE) >= 4.5


def test_names_are_no_formulas_and_none_is_lost():
    names = ["$x_1$ and $y$", "_hidden", "naïve 北 π", "a < b & c"]
    svg = bars(["a"], [Series(name, BLUE, [1.0]) for name in names], y="px")
    assert set(names) <= {text.strip() for text in texts(svg)}


def test_drawing_leaves_the_settings_of_matplotlib_alone():
    before = dict(matplotlib.rcParams)
    simple_bars()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("value", "expected"), [(0.7194, ".719"), (1.0, "1.000"), (-0.042, "−.042"), (-0.0001, ".000"), (NAN, "–")]
)
def test_shares_are_written_as_statistics_are(value, expected):
    assert share(value) == expected


def test_other_numbers():
    assert (signed_share(0.0421), signed_share(-0.0421), signed_share(0.0001)) == ("+.042", "−.042", ".000")
    assert share_span(Interval(0.7, 0.684, 0.752), 2) == ".68–.75"
    assert share_span(Interval(0.0, -0.001, 0.002)) == "−.001 to .002"
    # Hardly below 0, but below: such an interval leaves 0 out.
    assert share_span(Interval(-0.005, -0.01, -0.0003)) == "−.010 to −.000"
    assert share_span(Interval(0.7, NAN, NAN)) == ""
    assert (percent(0.8125), percent(NAN)) == ("81.2", "–")
    assert (counted(1, "person", "people"), counted(1234, "person", "people")) == ("1 person", "1,234 people")
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdef")) == "a, b, c and 3 more"

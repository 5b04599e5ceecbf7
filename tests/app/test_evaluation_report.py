import math
from dataclasses import replace
from itertools import combinations

import pytest

from app.comparison.resampling import UNKNOWN, Interval
from app.comparison.variants import Variant
from app.evaluation.outcome import Difference, Disagreement, Group, JointScores, Outcome, Skipped, VariantScores
from app.evaluation.report import report_html
from app.evaluation.report_verdict import clear_best, difference, in_words, verdict
from tests.app.report_reader import assert_asks_for_nothing, read_report

NAN = math.nan
DEBIASED, IPR, DARK, ARGMAX = Variant("debiased", 10.0), Variant("ipr", 10.0), Variant("dark"), Variant("argmax")
PLAIN = Variant("debiased", 10.0, False, 0.0)
TITLES = {DEBIASED: "Debiased IPR, β\u00a010", IPR: "IPR, β\u00a010", DARK: "DARK", ARGMAX: "Argmax"}
HOSTILE = "<img src=x onerror=alert(1)>\"'&.jpg"


def around(value, half=0.03):
    return Interval(value, value - half, value + half)


def scores(variant, oks, people=62, **others):
    found = VariantScores(
        variant, people, 800, around(0.5), 0.9, 0.6, 0.55, around(oks), around(0.8), around(0.9), around(0.02)
    )
    return replace(found, **others)


def compared(means, unsure=(), half=0.002, group=("all people", ""), people=62):
    """Every pair of `means` {variant: mean OKS}; the pairs in `unsure` have an interval that holds 0."""
    found = []
    for first, second in combinations(means, 2):
        gain = means[first] - means[second]
        width = abs(gain) + 0.001 if {first, second} in unsure else half
        found.append(Difference(group, first, second, people, around(gain, width), 0.7))
    return tuple(found)


def outcome(means, unsure=(), people=62, **others):
    found = Outcome(
        annotations="people.json",
        images="pictures",
        joint_set="COCO-17",
        network="full",
        device="cpu (OpenVINO)",
        boxes="truth",
        flip_test=False,
        variants=tuple(means),
        pictures=50,
        people=people,
        missed=0,
        overall=Group("all people", "", people, tuple(scores(v, oks, people) for v, oks in means.items())),
        splits=(),
        shrunk=(),
        differences=compared(means, unsure, people=people),
        joints=(),
        disagreements=(),
        skipped=(),
        seconds=83.0,
        people_per_second=12.3,
        cores_busy=1.8,
    )
    return replace(found, **others)


def words(text):
    return text.replace("\u00a0", " ")


CLEAR = {IPR: 0.299, DEBIASED: 0.719, DARK: 0.712}


def test_a_clear_best_is_named_with_who_follows_and_who_is_last():
    assert words(verdict(outcome(CLEAR))) == (
        "On these 62 people debiased IPR at β 10 reads best: mean OKS .719 (.69–.75); "
        "DARK is .007 behind, IPR at β 10 is .42."
    )
    assert words(verdict(outcome({IPR: 0.299, DEBIASED: 0.719}))) == (
        "On these 62 people debiased IPR at β 10 reads best: mean OKS .719 (.69–.75); IPR at β 10 is .42 behind."
    )


def test_where_the_interval_of_the_difference_holds_0_nobody_is_best():
    told = words(verdict(outcome(CLEAR, unsure=[{DEBIASED, DARK}])))
    assert told == (
        "On these 62 people no difference can be told between debiased IPR at β 10 and DARK: "
        "mean OKS .712 to .719 (.69–.75); IPR at β 10 is .42 behind."
    )
    all_level = words(verdict(outcome({DEBIASED: 0.7, DARK: 0.699}, unsure=[{DEBIASED, DARK}])))
    assert all_level.endswith("between debiased IPR at β 10 and DARK: mean OKS .699 to .700 (.67–.73).")


def test_an_interval_that_touches_0_tells_nothing():
    touching = Difference(("all people", ""), DEBIASED, DARK, 62, Interval(0.01, 0.0, 0.02), 0.6)
    found = outcome({DEBIASED: 0.71, DARK: 0.7}, differences=(touching,))
    assert "no difference can be told" in verdict(found)
    assert clear_best(found, found.overall, "mean_oks") is None


def test_the_order_in_which_a_pair_was_measured_does_not_matter():
    turned = []
    for one in outcome(CLEAR).differences:
        gain = Interval(-one.mean_oks.value, -one.mean_oks.high, -one.mean_oks.low)
        turned.append(replace(one, first=one.second, second=one.first, mean_oks=gain))
    assert verdict(outcome(CLEAR, differences=tuple(turned))) == verdict(outcome(CLEAR))
    found = difference(outcome(CLEAR), DARK, DEBIASED)
    assert (found.mean_oks.value, found.mean_oks.low, found.mean_oks.high) == pytest.approx((-0.007, -0.009, -0.005))
    assert found.better == pytest.approx(0.3)


def test_few_people_tell_nothing_however_clear_they_look():
    assert words(verdict(outcome(CLEAR, people=29))) == (
        "These 29 people are too few to tell decoders apart. Ahead on them, perhaps by chance, is "
        "debiased IPR at β 10: mean OKS .719 (.69–.75)."
    )
    assert verdict(outcome(CLEAR, people=1)).startswith("This one person is too few")
    assert "reads best" in verdict(outcome(CLEAR, people=30))
    few = outcome(CLEAR, people=29)
    assert clear_best(few, few.overall, "mean_oks") is None
    html = report_html(few)
    assert "29 people: fewer than 30 are too few to tell." in read_report(html).root.text
    assert "<strong>" not in html


def test_pairs_that_were_not_measured_are_not_called_level():
    means = {DARK: 0.426, ARGMAX: 0.421, DEBIASED: 0.422, IPR: 0.161}
    only = tuple(d for d in compared(means) if DEBIASED in (d.first, d.second))
    told = words(verdict(outcome(means, differences=only)))
    assert told == (
        "On these 62 people DARK has the highest mean OKS: .426 (.40–.46). "
        "Compared with debiased IPR at β 10: DARK is ahead; no difference can be told for argmax; IPR at β 10 is .26 "
        "behind."
    )


def test_one_variant_and_nobody():
    assert verdict(outcome({DARK: 0.7})) == "On these 62 people DARK has a mean OKS of .700 (.67–.73)."
    nobody = outcome({DARK: NAN}, people=0)
    assert verdict(nobody) == "Nobody could be evaluated."
    read_report(report_html(nobody))


def test_a_variant_in_words():
    assert words(in_words(PLAIN)) == "debiased IPR (paper’s form) at β 10"
    assert words(in_words(Variant("argmax-quarter"))) == "argmax ¼"


def strong(report, caption):
    """{first cell of the row: titles of the columns whose cell is strong}."""
    heads, rows = report.table(caption)
    return {row[0].text: [heads[i] for i, cell in enumerate(row) if cell.all("strong")] for row in rows}


@pytest.mark.thorough
def test_only_what_is_best_by_more_than_noise_is_strong():
    clear = read_report(report_html(outcome(CLEAR)))
    marked = strong(clear, "95 % interval. Bold")
    assert marked == {TITLES[IPR]: [], TITLES[DEBIASED]: ["mean OKS"], TITLES[DARK]: []}
    level = read_report(report_html(outcome(CLEAR, unsure=[{DEBIASED, DARK}])))
    assert not any(strong(level, "95 % interval. Bold").values())


def test_a_small_error_is_the_best_one_where_the_intervals_do_not_touch():
    found = [scores(DARK, 0.7, median_error=around(0.02, 0.004)), scores(IPR, 0.5, median_error=around(0.03, 0.005))]
    apart = Group("all people", "", 62, tuple(found))
    assert clear_best(outcome(CLEAR), apart, "median_error").variant == DARK
    found[1] = scores(IPR, 0.5, median_error=around(0.03, 0.007))
    assert clear_best(outcome(CLEAR), Group("all people", "", 62, tuple(found)), "median_error") is None


def test_the_numbers_of_the_overall_table():
    group = Group("all people", "", 62, (scores(DARK, 0.71875), scores(IPR, NAN, mean_oks=UNKNOWN, ap=UNKNOWN)))
    report = read_report(report_html(outcome({DARK: 0.7, IPR: 0.5}, overall=group)))
    heads, rows = report.table("95 % interval. Bold")
    dark, unknown = (dict(zip(heads, row, strict=True)) for row in rows)
    assert dark["mean OKS"].all("span")[0].text == ".719"
    assert dark["mean OKS"].all("small")[0].text == ".689–.749"
    assert dark["mean OKS"].get("data-sort") == "0.71875"
    assert dark["PCK@5, %"].all("span")[0].text == "80.0"
    assert dark["median error, %"].all("span")[0].text == "2.00"
    assert dark["AP50"].text == ".900"
    assert unknown["mean OKS"].text == "–"
    assert unknown["mean OKS"].get("data-sort") == ""


def splits_of(people):
    parts = {"small": 0.4, "large": 0.6}
    return tuple(
        Group("height", name, people, tuple(scores(v, base + oks / 10) for v, oks in CLEAR.items()))
        for name, base in parts.items()
    )


def test_splits_have_a_plot_and_a_table_and_say_where_there_are_too_few():
    report = read_report(report_html(outcome(CLEAR, splits=(*splits_of(40)[:1], *splits_of(12)[1:]))))
    heads, rows = report.table("Height: the same in numbers")
    assert [words(head) for head in heads] == ["decoder", "small", "large (too few)"]
    # .719 / 10 added to .4, and to .6
    assert [cell.all("span")[0].text for cell in rows[1][1:]] == [".472", ".672"]
    assert "Height: mean OKS with 95 % intervals. Fewer than 30 people, too few to tell: large." in report.root.text
    labels = [text.text for svg in report.root.all("svg") for text in svg.all("text")]
    assert {"small", "40 people", "large", "12 people"} <= set(labels)


def test_pairs_are_told_in_words():
    means = {DEBIASED: 0.719, DARK: 0.712, IPR: 0.299}
    parts = compared({DEBIASED: 0.5, DARK: 0.4}, group=("height", "small"), people=12)
    found = outcome(means, unsure=[{DEBIASED, DARK}], splits=splits_of(12))
    report = read_report(report_html(replace(found, differences=(*found.differences, *parts))))
    _, rows = report.table("Difference of mean OKS, all people")
    assert [[cell.text for cell in row] for row in rows] == [
        [TITLES[DEBIASED], "DARK", "+.007−.001 to .015", "70", "no difference can be told"],
        [TITLES[DEBIASED], TITLES[IPR], "+.420.418–.422", "70", "ahead"],
        ["DARK", TITLES[IPR], "+.413.411–.415", "70", "ahead"],
    ]
    _, rows = report.table("minus that of the others")
    assert [cell.text for cell in rows[0]] == [
        "height: small", "12too few", "DARK", "+.100.098–.102", "70", "too few people to tell"
    ]  # fmt: skip


def test_shrunk_people_stand_by_their_size():
    names = ("as they are", "128 px", "64 px")
    groups = tuple(Group("person shrunk to", name, 62, (scores(DARK, 0.7), scores(IPR, 0.3))) for name in names)
    report = read_report(report_html(outcome({DARK: 0.7, IPR: 0.3}, shrunk=groups)))
    (section,) = [one for one in report.root.all("section") if one.all("h2")[0].text == "People shrunk"]
    places = {text.text: float(text.get("x")) for text in section.all("text") if text.text in {*names, "64", "128"}}
    # Every doubling is one step; the pictures as they are stand one step further.
    assert places["128"] - places["64"] == pytest.approx(places["as they are"] - places["128"], abs=0.01)
    assert places["64"] < places["128"]


def joint(name, variant, seen, hidden, **others):
    found = JointScores(name, variant, seen, hidden, 0.8125, NAN, 0.0213, NAN)
    return replace(found, **others)


def test_joints_are_told_apart_as_visible_and_occluded():
    hidden = {"pck5_hidden": 0.25, "median_error_hidden": 0.1}
    joints = (joint("left_hip", DARK, 100, 40, **hidden), joint("nose", DARK, 50, 0), joint(HOSTILE, DARK, 3, 0))
    report = read_report(report_html(outcome({DARK: 0.7}, joints=joints)))
    _, visible = report.table("Visible joints")
    assert [[cell.text for cell in row] for row in visible] == [
        ["left hip", "100", "81.22.1"],
        ["nose", "50", "81.22.1"],
        [HOSTILE, "3too few", "81.22.1"],
    ]
    _, occluded = report.table("Occluded joints")
    assert [[cell.text for cell in row] for row in occluded] == [["left hip", "40", "25.010.0"]]


def test_pictures_of_disagreements_tell_file_and_oks_of_each():
    people = (Disagreement(HOSTILE, 7, b"\xff\xd8", 0.333, (0.9, NAN)),)
    report = read_report(report_html(outcome({DARK: 0.7, IPR: 0.3}, disagreements=people)))
    assert_asks_for_nothing(report)
    (image,) = report.root.all("img")
    assert image.get("alt") == "A person with every decoder’s joints. OKS: DARK .900, IPR, β\u00a010 –."
    (figure,) = [one for one in report.root.all("figure") if one.all("img")]
    assert f"1. {HOSTILE}, annotation 7: 33 % apart" in figure.text
    assert [value.text for value in figure.all("dd")] == [".900", "–"]


@pytest.mark.parametrize(("count", "folded"), [(3, False), (30, True)])
def test_everything_left_out_is_named_long_lists_folded(count, folded):
    skipped = tuple(Skipped(f"{HOSTILE} {i}", "It has no joints.") for i in range(count))
    report = read_report(report_html(outcome(CLEAR, skipped=skipped)))
    _, rows = report.table("What was left out, and why")
    assert [row[0].text for row in rows] == [one.what for one in skipped]
    assert any("What was left out, and why" in one.text for one in report.root.all("details")) is folded


def test_facts_and_method_say_how_it_was_done():
    found = outcome(CLEAR, boxes="detector", missed=4, flip_test=True, skipped=(Skipped("a", "b"),))
    report = read_report(report_html(found))
    (facts, *_), method = report.root.all("dl"), report.root.all("dl")[-1].text
    named = {one.all("dt")[0].text: one.all("dd")[0].text for one in facts.all("div")}
    assert named["boxes"] == "detected; 4 missed"
    assert named["flip test"] == "on"
    assert named["people"] == "62"
    assert named["joints"] == "800 annotated, COCO-17"
    assert named["time"] == "1 min 23 s"
    assert named["left out"] == "1"
    assert "Whoever it missed counts with an OKS of 0" in method
    assert "mirror image" in method
    assert "Regression" not in method
    with_regression = report_html(outcome({DARK: 0.7, Variant("regression"): 0.6}))
    assert "Regression is the network’s own output" in read_report(with_regression).root.all("dl")[-1].text


def test_the_same_outcome_gives_the_same_report_in_which_every_id_is_another():
    html = report_html(outcome(CLEAR, splits=splits_of(40)))
    assert html == report_html(outcome(CLEAR, splits=splits_of(40)))
    report = read_report(html)
    assert_asks_for_nothing(report)
    ids = [element.get("id") for element in report.everything if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    contents = report.root.all("nav")[0].all("a")
    assert [link.get("href")[1:] for link in contents] == [one.get("id") for one in report.root.all("section")]

"""The arithmetic of the bench: percentiles, ratios, growth and tables against values worked out by hand."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from app.bench.agreement import CellErrors, Followed, crowd, crowds, median_share_of_body
from app.bench.contenders import NAMES, Missing, chosen_names
from app.bench.machine import Machine, this_machine
from app.bench.measure import BLOCK, UNCOUNTED, WARM_UP, Reading, Samples, Spread, measure, spread
from app.bench.report import WIDTH, as_text, table
from app.bench.results import Bench, EngineResult, as_json
from app.bench.sweep import Part, Sweep, resized, steps
from app.errors import UserError
from models.readings import DECODER_NAMES
from models.regions import Region

MS = 1_000_000


# Timing


def test_percentiles_lie_on_the_line_between_two_values() -> None:
    # 1 to 101 ms in a mixed order: the p-th percentile is p + 1.
    times = [ms * MS for ms in (*range(51, 102), *range(1, 51))]
    assert spread(times) == Spread(51.0, 96.0, 100.0, 101)
    assert spread([2 * MS, 4 * MS]) == Spread(3.0, 3.9, 3.98, 2)
    assert spread([]) is None


@dataclass
class Diary:
    """A case that writes down what is asked of it."""

    name: str
    length: int
    told: list[tuple[str, int]]
    looks: list[int] = field(default_factory=lambda: [900, 5, 7, 6, 8, 4])
    lost_at: int = -1
    restarts: int = 0

    def restart(self) -> None:
        self.restarts += 1

    def run(self, index: int) -> Reading:
        self.told.append((self.name, index))
        look = self.looks.pop(0) if self.looks else 50 if index == self.lost_at else 0
        stages = {"network": 100 + index} | ({"detect": look} if look else {})
        return Reading(stages, 1000 + index, None if index == 3 else np.zeros((33, 2)))


def test_engines_take_turns_and_only_frames_of_their_turn_count() -> None:
    told: list[tuple[str, int]] = []
    cases = [Diary("a", 23, told), Diary("b", 23, told, lost_at=12)]
    calls: list[int] = []
    a, b = measure(cases, lambda: calls.append(1))
    warm_up, turns = told[: 2 * WARM_UP], told[2 * WARM_UP :]
    assert warm_up == [("a", 0)] * WARM_UP + [("b", 0)] * WARM_UP
    expected = []
    for start, end in ((0, BLOCK), (BLOCK, 2 * BLOCK), (2 * BLOCK, 23)):
        for name in "ab":
            expected += [(name, max(0, start - 1))] * UNCOUNTED + [(name, i) for i in range(start, end)]
    assert turns == expected
    assert [reading.total for reading in a.frames] == [reading.total for reading in b.frames] == list(range(1000, 1023))
    assert len(calls) == 46
    assert (cases[0].restarts, a.frames_with_person) == (WARM_UP, 22)
    # Detection: the cold one does not count, one in the middle does, at b only.
    assert a.stage_ns("detect") == [5, 7, 6, 8, 4]
    assert b.stage_ns("detect") == [5, 7, 6, 8, 4, 50]
    assert a.stage_ns("network") == list(range(100, 123))
    assert a.stage_ns("decode") == []
    assert a.stage_ns("total") == list(range(1000, 1023))


def test_a_stage_counts_only_where_it_ran() -> None:
    samples = Samples([Reading({"network": 4}, 9, None), Reading({}, 3, None), Reading({"network": 6}, 9, None)])
    assert samples.stage_ns("network") == [4, 6]
    assert samples.stage_ns("total") == [9, 3, 9]


# Growth


def test_growth_is_the_time_ratio_over_the_size_ratio() -> None:
    totals = [Spread(ms, ms, ms, 9) for ms in (10.0, 15.0, 45.0)]
    first, second, third = steps([("small", 100), ("middle", 200), ("large", 400)], totals)
    assert (first.time_ratio, first.size_ratio, first.share_of_linear) == (None, None, None)
    assert (second.time_ratio, second.size_ratio, second.share_of_linear) == (1.5, 2.0, 0.75)
    assert (third.time_ratio, third.size_ratio, third.share_of_linear) == (3.0, 2.0, 1.5)


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((540, 960, 3), (3840, 2160), (2160, 3840, 3)),
        ((540, 960, 3), (854, 480), (480, 854, 3)),
        ((960, 540, 3), (1280, 720), (1280, 720, 3)),
        ((480, 480, 3), (1920, 1080), (1440, 1440, 3)),
    ],
)
def test_a_resized_frame_keeps_its_proportions(
    shape: tuple[int, ...], size: tuple[int, int], expected: tuple[int, ...]
) -> None:
    assert resized(np.zeros(shape, np.uint8), *size).shape == expected


# Crops and peers


def test_a_crowd_begins_with_the_followed_crop_and_stays_around_it() -> None:
    region = Region(400.0, 300.0, 200.0, 0.3)
    assert crowd(region, 1) == [region]
    people = crowd(region, 16)
    assert (len(people), people[0], len(set(people))) == (16, region, 16)
    assert people[:4] == crowd(region, 4)
    for other in people[1:]:
        offset = (other.center_x - 400, other.center_y - 300)
        assert np.hypot(*offset) == pytest.approx(0.05 * 200)
        assert 0.94 * 200 <= other.side <= 1.06 * 200
        assert other.rotation == 0.3


def test_where_nobody_was_seen_the_nearest_crop_before_serves() -> None:
    a, b = (Followed(Region(x, 0.0, 10.0, 0.0), np.zeros((33, 2))) for x in (1.0, 2.0))
    crops = crowds([None, a, None, b, None], 1)
    assert [regions[0].center_x for regions in crops] == [1, 1, 1, 2, 2]


def test_the_share_of_the_body_is_a_median_over_joints_and_frames() -> None:
    # The body is 1 / 1.25 of the crop: 100 px. Distances of 3-4-5 triangles: 5 px for 2 of 3 frames, then 50 px.
    followed = Followed(Region(0.0, 0.0, 125.0, 0.0), np.full((33, 2), 7.0))
    near, far = (followed.points + np.array(offset) for offset in ((3, 4), (30, 40)))
    share = median_share_of_body([followed] * 4 + [None], [near, far, None, near, far])
    assert share == pytest.approx(0.05)
    assert median_share_of_body([None, followed], [near, None]) is None


# The report

MACHINE = Machine("A Long CPU Name @ 3.0 GHz", 2, 16 * 2**30, "Linux 6.1 x86_64", None, "3.11.7", {"mediapipe": None})


def engine(name: str, total: float, error: float | None = None, peak: float | None = 250.4) -> EngineResult:
    errors = None if error is None else {n: CellErrors(0.0, error / 2, error, 0.25) for n in DECODER_NAMES}
    detect = None if name == "mediapipe" else Spread(9.0, 9.5, 9.9, 5)
    stages = {
        "preprocess": Spread(0.5, 0.6, 0.7, 40),
        "detect": detect,
        "network": Spread(total - 1, total, total, 40),
        "decode": None if error is None else Spread(0.25, 0.3, 0.4, 40),
        "total": Spread(total, total + 1, total + 2, 40),
    }
    return EngineResult(name, "cpu", stages, 39, errors, 0.0069 if error is None else None, peak)


def bench(*engines: EngineResult, sweep: Sweep | None = None, people: int = 1) -> Bench:
    missing = [Missing("cuda", "no GPU here"), Missing("torch-cuda", "no GPU here")]
    return Bench(MACHINE, "lite", "clip.mp4", (960, 540), 40, people, list(engines), missing, sweep)


GROWTH = Sweep(
    "openvino",
    24,
    steps([("854 × 480", 409920), ("1280 × 720", 921600)], [Spread(4.0, 5.0, 6.0, 24), Spread(6.0, 7.0, 8.0, 24)]),
    steps([("1", 1), ("2", 2)], [Spread(4.0, 5.0, 6.0, 24), Spread(10.0, 11.0, 12.0, 24)]),
    [Part("shared", 0.2, 0.2), Part("debiased", 0.15, 0.35)],
    12,
)


def test_json_holds_rates_and_ratios_that_follow_from_the_totals() -> None:
    whole = bench(engine("openvino", 4.0, 0.5), engine("mediapipe", 16.0, None, None), sweep=GROWTH)
    report = json.loads(json.dumps(as_json(whole), allow_nan=False))
    ours, peer = report["engines"]
    assert (ours["fps"], peer["fps"]) == (250.0, 62.5)
    assert (ours["vs_mediapipe"], peer["vs_mediapipe"]) == (0.25, 1.0)
    assert (ours["max_error_cells"], peer["max_error_cells"], peer["error_cells"]) == (0.5, None, None)
    assert ours["error_cells"]["ipr"] == {"p50": 0.0, "p95": 0.25, "max": 0.5, "above_0.1": 0.25}
    assert ours["stages_ms"]["detect"] == {"p50": 9.0, "p95": 9.5, "p99": 9.9, "count": 5}
    assert (peer["stages_ms"]["detect"], peer["stages_ms"]["decode"]) == (None, None)
    assert (ours["peak_memory_mb"], peer["peak_memory_mb"]) == (250.4, None)
    assert report["not_measured"][0] == {"name": "cuda", "reason": "no GPU here"}
    growth = report["sweep"]["people"][1]
    assert (growth["time_ratio"], growth["share_of_linear"], growth["no_worse_than_linear"]) == (2.5, 1.25, False)
    assert report["sweep"]["frame_sizes"][1]["no_worse_than_linear"] is True
    assert "sweep" not in as_json(bench(engine("torch", 4.0, 0.5)))
    assert as_json(bench(engine("torch", 4.0, 0.5)))["engines"][0]["vs_mediapipe"] is None


def test_the_largest_error_is_that_of_the_worst_decoder() -> None:
    errors = {name: CellErrors(0.0, 0.0, 0.125 * i, 0.0) for i, name in enumerate(DECODER_NAMES)}
    one = EngineResult("x", "cpu", engine("x", 4.0).stages, 40, errors, None, None)
    assert as_json(bench(one))["engines"][0]["max_error_cells"] == 0.125 * 5


def test_the_text_shows_the_numbers_within_100_columns() -> None:
    whole = bench(engine("openvino", 4.0, 0.5), engine("mediapipe", 16.0), engine("torch", 123.4, 0.0), sweep=GROWTH)
    text = as_text(whole)
    lines = text.splitlines()
    assert lines[0] == "A Long CPU Name @ 3.0 GHz, 2 cores, 16 GB memory, Linux 6.1 x86_64, no GPU"
    assert lines[2] == "Model lite, “clip.mp4” (960 × 540), 40 frames, 1 person"
    assert max(map(len, lines)) <= WIDTH
    rows = {line.split()[0]: line.split()[1:] for line in lines[5:9]}
    assert rows["openvino"] == ["0.50", "9.00", "3.00", "0.25", "4.00", "5.00", "6.00", "250", "0.25", "250"]
    assert rows["mediapipe"] == ["0.50", "–", "15.0", "–", "16.0", "17.0", "18.0", "62.5", "1.00", "250"]
    assert "1280 × 720 6.00 7.00 8.00 × 2.25 × 1.50 0.67" in [" ".join(line.split()) for line in lines]
    assert "25.00 %" in text
    joined = " ".join(line.strip() for line in lines)
    assert "Its points lie 0.69 % of the body's size (median)" in joined
    assert "Not measured: cuda, torch-cuda: no GPU here." in joined
    assert "(openvino 5, torch 5 times)" in joined


def test_an_error_without_end_is_no_number_in_json() -> None:
    (found,) = as_json(bench(engine("openvino", 6.0, error=math.inf)))["engines"]
    assert found["max_error_cells"] is None
    json.dumps(found, allow_nan=False)


def test_an_engine_that_does_not_take_its_decoders_apart_says_so() -> None:
    told = as_text(bench(engine("cuda", 1.0), sweep=dataclasses.replace(GROWTH, parts=[], part_samples=0)))
    assert "does not take the decoders apart" in " ".join(told.split())
    assert "medians of" not in told.partition("Growth: time")[2]


def test_several_people_and_a_peak_that_is_not_known_are_told() -> None:
    text = " ".join(as_text(bench(engine("torch", 4.0, 0.5, None), people=3)).split())
    assert "40 frames, 3 people" in text
    assert "for 3 crops" in text
    assert "Peak memory: not measured on this system." in text
    assert "detect: median" not in text


def test_tables_are_aligned() -> None:
    assert table(["a", "long"], [["bbb", "1"], ["c", "22"]]) == ["a    long", "bbb     1", "c      22"]


# Names and the machine


def test_names_are_checked() -> None:
    assert chosen_names("all") == list(NAMES)
    assert chosen_names("torch, openvino,torch") == ["torch", "openvino"]
    with pytest.raises(UserError, match=r"Unknown engine “openvno”\. Did you mean “openvino”"):
        chosen_names("torch,openvno")


def test_the_machine_is_told_in_words() -> None:
    machine = this_machine()
    assert machine.cpu
    assert machine.memory_bytes is None or machine.memory_bytes > 2**28
    assert f"{machine.cores} core" in machine.describe()
    assert {"PoseScope", "torch", "openvino", "mediapipe", "opencv"} == set(machine.versions)
    assert "mediapipe (not installed)" in MACHINE.describe_versions()

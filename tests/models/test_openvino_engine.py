"""OpenVINO against torch in float32, on the same crops of real pictures."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.bundled import model_file
from models.bundle import Bundle, open_bundle
from models.devices import Device, choose_device
from models.engines import choice, openvino_graphs
from models.engines.graph_cache import GraphCache
from models.engines.openvino_engine import OpenVinoEngine
from models.engines.torch_engine import TorchEngine
from models.errors import DeviceError, UserError
from models.estimator import PoseEstimator
from models.people import Person
from models.readings import DECODER_NAMES, HEATMAP_DECODERS, PEAK, SHARED, TO_IMAGE
from models.regions import Region, letterbox
from tests.models.clip import clip_frames

ROOT = Path(__file__).parents[2]
CELLS = 64
# The person of the clip, upright and turned, and a crop that is mostly outside of the picture.
REGIONS = (
    Region(454.0, 311.0, 494.0, 0.0),
    Region(440.0, 320.0, 600.0, 0.3),
    Region(900.0, 60.0, 500.0, -0.2),
)


def bundle_of(model: str) -> Bundle:
    return open_bundle(*model_file(model))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> GraphCache:
    return GraphCache(tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def lite(kept: GraphCache) -> PoseEstimator:
    return PoseEstimator(OpenVinoEngine(bundle_of("lite"), choose_device("cpu"), kept))


@pytest.fixture(scope="module")
def reference() -> PoseEstimator:
    return PoseEstimator(TorchEngine(bundle_of("lite"), choose_device("cpu")))


def furthest(ours: Person, theirs: Person) -> dict[str, float]:
    """By decoder: the largest distance in cells over all joints."""
    cell = theirs.region.side / CELLS
    return {
        name: float(np.linalg.norm(ours.points[name] - theirs.points[name], axis=-1).max()) / cell
        for name in DECODER_NAMES
    }


def assert_same(ours: Person, theirs: Person) -> None:
    # Measured: 2e-4 cells with a person in the crop; 4e-3 without, where the maps hold next to nothing.
    assert max(furthest(ours, theirs).values()) < 0.01
    assert np.abs(ours.peaks - theirs.peaks).max() < 0.01 * theirs.region.side / CELLS
    assert ours.heatmaps is not None
    assert theirs.heatmaps is not None
    assert np.abs(ours.heatmaps - theirs.heatmaps).max() < 1e-4
    assert ours.presence == pytest.approx(theirs.presence, abs=1e-4)
    for name in DECODER_NAMES:
        assert ours.scores[name] == pytest.approx(theirs.scores[name], abs=1e-4)


@pytest.mark.parametrize(
    "model", ["lite", *(pytest.param(model, marks=pytest.mark.thorough) for model in ("full", "heavy"))]
)
def test_the_keypoints_are_those_of_torch(model, kept):
    ours = PoseEstimator(OpenVinoEngine(bundle_of(model), choose_device("cpu"), kept))
    theirs = PoseEstimator(TorchEngine(bundle_of(model), choose_device("cpu")))
    for index in (0, 150):
        image = clip_frames()[index]
        for one, other in zip(ours.read(image, REGIONS).people, theirs.read(image, REGIONS).people, strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("beta", [0.01, 0.5, 3.0, 40.0, 50.0, 120.0, 10_000.0])
def test_every_beta_is_read_as_torch_reads_it(lite, reference, beta):
    image = clip_frames()[40]
    (one,), (other,) = (estimator.read(image, REGIONS[:1], beta).people for estimator in (lite, reference))
    assert_same(one, other)


def test_the_same_people_are_detected(lite, reference):
    for image in (clip_frames()[0], clip_frames()[200], np.zeros((90, 1000, 3), np.uint8)):
        ours, theirs = lite.detect(image), reference.detect(image)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert (one.center_x, one.center_y, one.side) == pytest.approx(
                (other.center_x, other.center_y, other.side), abs=0.01
            )
            assert one.rotation == pytest.approx(other.rotation, abs=1e-4)


def test_a_picture_without_anything_gives_finite_points(lite):
    person = lite.read(np.zeros((400, 400, 3), np.uint8), [letterbox(400, 400)]).people[0]
    for name in DECODER_NAMES:
        assert np.isfinite(person.points[name]).all()


def test_people_are_read_one_by_one_or_together(lite):
    image = clip_frames()[10]
    together = lite.read(image, REGIONS).people
    for i, region in enumerate(REGIONS):
        (alone,) = lite.read(image, [region]).people
        assert together[i].region == region
        assert max(furthest(together[i], alone).values()) == 0
        assert np.array_equal(together[i].heatmaps, alone.heatmaps)


def test_what_was_read_stays_when_the_next_frame_is_read(lite):
    (first,) = lite.read(clip_frames()[0], REGIONS[:1]).people
    points, heatmaps = first.points["debiased"].copy(), first.heatmaps.copy()
    lite.read(clip_frames()[200], REGIONS[1:2])
    assert np.array_equal(first.points["debiased"], points)
    assert np.array_equal(first.heatmaps, heatmaps)


def test_now_and_then_the_decoders_are_timed_one_by_one(lite):
    times = [lite.read(clip_frames()[0], REGIONS[:1]).times for _ in range(80)]
    taken_apart = [t for t in times if t.decoders]
    assert 2 <= len(taken_apart) <= 3
    for t in taken_apart:
        assert set(t.decoders) == {SHARED, *HEATMAP_DECODERS, PEAK, TO_IMAGE}
        assert all(ns > 0 for part, ns in t.decoders.items() if part in (SHARED, "ipr", "debiased", "dark"))
        # Its counters run on while a thread waits for its core, which on a busy machine can be both at once.
        assert sum(t.decoders.values()) <= 2 * t.decode
    assert all(t.decode > 0 < t.network for t in times)


def run_python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "CI": ""}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )


LOAD = """
import sys, threading
from pathlib import Path
from app.bundled import model_file
from models.bundle import open_bundle
from models.devices import Device, choose_device
from models.engines.graph_cache import GraphCache
from models.engines.openvino_engine import OpenVinoEngine
OpenVinoEngine(open_bundle(*model_file("lite")), choose_device("cpu"), GraphCache(Path({folder!r})))
print("torch" in sys.modules, [t.name for t in threading.enumerate()])
"""


@pytest.mark.thorough
def test_the_second_launch_needs_no_torch_and_nothing_is_reported_to_anyone(tmp_path):
    code = LOAD.format(folder=str(tmp_path / "graphs"))
    assert run_python(code, tmp_path).stdout.strip() == "True ['MainThread']"
    assert run_python(code, tmp_path).stdout.strip() == "False ['MainThread']"
    # Where openvino_telemetry is loaded it keeps its files here, and a thread that sends.
    assert [entry.name for entry in tmp_path.iterdir() if entry.name not in ("graphs", "cache")] == []


@pytest.mark.thorough
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_damaged_graphs_are_made_anew(tmp_path, lite, damage, monkeypatch):
    folder = tmp_path / "graphs"
    OpenVinoEngine(bundle_of("lite"), choose_device("cpu"), GraphCache(folder))
    (kept,) = folder.iterdir()
    graph = kept / "landmarks"
    whole = graph.read_bytes()
    if damage == "cut":
        graph.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        graph.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    else:
        graph.unlink()
    (expected,) = lite.read(clip_frames()[0], REGIONS[:1]).people

    def read_anew():
        engine = OpenVinoEngine(bundle_of("lite"), choose_device("cpu"), GraphCache(folder))
        (person,) = PoseEstimator(engine).read(clip_frames()[0], REGIONS[:1]).people
        return person

    assert max(furthest(read_anew(), expected).values()) == 0
    # Not of the same length to the byte: OpenVINO numbers its nodes on. But whole, so that nothing is made once more.
    monkeypatch.delattr(openvino_graphs, "make_graphs")
    assert max(furthest(read_anew(), expected).values()) == 0


@pytest.mark.thorough
def test_without_a_place_for_the_graphs_it_works_too(tmp_path, lite):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    engine = OpenVinoEngine(bundle_of("lite"), choose_device("cpu"), GraphCache(blocked / "graphs"))
    (one,), (other,) = (e.read(clip_frames()[0], REGIONS[:1]).people for e in (PoseEstimator(engine), lite))
    assert max(furthest(one, other).values()) == 0


def test_graphs_of_other_networks_and_makers_are_told_apart(tmp_path):
    cache = GraphCache(tmp_path)
    cache.write(["one"], {"a": b"1", "b": b"2"})
    assert cache.read(["one"], ["a", "b"]) == {"a": b"1", "b": b"2"}
    assert cache.read(["two"], ["a", "b"]) is None
    assert cache.read(["one"], ["a", "c"]) is None
    # ["on", "e"] is another key than ["one"].
    assert cache.read(["on", "e"], ["a", "b"]) is None


def test_only_the_graphs_used_last_are_kept(tmp_path):
    cache = GraphCache(tmp_path)
    for number in range(9):
        cache.write([str(number)], {"a": b"1"})
        os.utime(max(tmp_path.iterdir(), key=lambda entry: entry.stat().st_mtime), (number, number))
    kept = [cache.read([str(number)], ["a"]) is not None for number in range(9)]
    assert kept == [False] * 3 + [True] * 6


def test_two_who_keep_the_same_graphs_leave_nothing_behind(tmp_path, monkeypatch):
    cache = GraphCache(tmp_path)
    rename = Path.rename

    def late(self, target):
        # The other one was faster.
        if not target.exists():
            target.mkdir()
            (target / "a").write_bytes(b"1")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    for _ in range(3):
        cache.write(["one"], {"a": b"1"})
    assert len(list(tmp_path.iterdir())) == 1


def test_graphs_of_someone_else_can_be_read(tmp_path, monkeypatch):
    cache = GraphCache(tmp_path)
    cache.write(["one"], {"a": b"1"})

    def refused(*args, **options):
        raise PermissionError

    monkeypatch.setattr(os, "utime", refused)
    assert cache.read(["one"], ["a"]) == {"a": b"1"}


def broken(*args: object, **options: object) -> OpenVinoEngine:
    raise RuntimeError("No conversion rule found.\nMore lines.")


def test_where_openvino_cannot_take_over_torch_computes(monkeypatch):
    monkeypatch.setattr("models.engines.openvino_engine.OpenVinoEngine", broken)
    engine = choice.open_engine(model_file("lite")[0], "cpu")
    assert engine.name == "torch"
    assert engine.warning.startswith("OpenVINO cannot be used here (No conversion rule found.): computing in torch")
    with pytest.raises(DeviceError, match=r"OpenVINO cannot be used here \(No conversion rule found\.\)\.$"):
        choice.open_engine(model_file("lite")[0], "cpu", engine="openvino")


def test_openvino_is_not_asked_for_on_a_gpu(monkeypatch):
    monkeypatch.setattr(choice, "choose_device", lambda name: Device("cuda:0", "cuda (Make)"))
    with pytest.raises(DeviceError, match="OpenVINO computes on the CPU here, not on cuda"):
        choice.open_engine(model_file("lite")[0], "cuda", engine="openvino")


@pytest.mark.parametrize("beta", [0.0, 0.0099, 10_001.0, -1.0, math.nan, math.inf])
def test_a_beta_that_a_graph_cannot_read_is_refused(lite, beta):
    for read in (lite.estimate, lambda image, beta: lite.read(image, REGIONS[:1], beta)):
        with pytest.raises(UserError, match="beta must be from"):
            read(clip_frames()[0], beta)


def test_nobody_is_read_from_no_crops(lite):
    assert lite.read(clip_frames()[0], []).people == ()


def test_an_engine_that_does_not_exist_is_told():
    with pytest.raises(DeviceError, match=r"Unknown engine “openvno”\. Did you mean “openvino”"):
        choice.open_engine(model_file("lite")[0], "cpu", engine="openvno")

"""The CUDA graph engine: on the CPU all but the graphs, step by step against the torch engine; on a GPU all of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from app.bundled import model_file
from app.frames import Image
from models.blazepose import LandmarkNetwork
from models.bundle import Bundle, open_bundle
from models.devices import Device, choose_device
from models.engines import choice
from models.engines.cuda_engine import PRECISIONS, CudaEngine, disagreement
from models.engines.device_crop import drawn_person
from models.engines.engine import Engine
from models.engines.torch_engine import TorchEngine
from models.errors import DeviceError
from models.estimator import PoseEstimator
from models.readings import DECODER_NAMES, CropReadings
from models.regions import Region, letterbox
from models.stage_clock import StageClock
from tests.models.clip import clip_frames

ROOT = Path(__file__).parents[2]
CPU = Device("cpu", "cpu")
# Of the rendered person in these frames of the clip.
FRAMES = (0, 60, 130, 190, 250)


@pytest.fixture(scope="module")
def lite() -> Bundle:
    return open_bundle(model_file("lite")[0])


@pytest.fixture(scope="module")
def reference(lite: Bundle) -> TorchEngine:
    return TorchEngine(lite, CPU)


@pytest.fixture(
    scope="module",
    params=[
        "cpu",
        pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")),
    ],
)
def engine(request: pytest.FixtureRequest, lite: Bundle) -> CudaEngine:
    return CudaEngine(lite, choose_device(request.param))


def read(
    engine: Engine, image: Image, regions: list[Region], beta: float = 10.0, heatmaps: bool = True
) -> CropReadings:
    return engine.read(engine.upload(image), regions, beta, engine.clock(), keep_heatmaps=heatmaps)


def regions_in(reference: TorchEngine, image: Image) -> list[Region]:
    return PoseEstimator(reference).detect(image)


def assert_same(got: CropReadings, expected: CropReadings, cells: float = 0.1) -> None:
    """All that is read, up to what a grey level here and there does to it. Measured on the CPU: .01 cells."""
    for name in ("points", "scores", "peaks", "alignment", "presence"):
        mine, theirs = getattr(got, name), getattr(expected, name)
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
    seen = expected.scores[:, 0] > 0.5
    assert seen.sum() > 15 * len(seen)
    off = np.linalg.norm(got.points - expected.points, axis=-1) * 64
    for index, name in enumerate(DECODER_NAMES):
        assert np.quantile(off[:, index][seen], 0.97) < cells, name
    assert np.quantile(np.linalg.norm(got.peaks - expected.peaks, axis=-1)[seen], 0.97) < cells / 64
    assert got.alignment == pytest.approx(expected.alignment, abs=cells / 64)
    assert got.scores == pytest.approx(expected.scores, abs=0.02)
    assert got.presence == pytest.approx(expected.presence, abs=0.01)


def test_it_reads_what_the_torch_engine_reads(engine, reference):
    for frame in FRAMES:
        image = clip_frames()[frame]
        regions = regions_in(reference, image)
        assert_same(read(engine, image, regions), read(reference, image, regions))


@pytest.mark.thorough
def test_heatmaps_come_where_they_are_wanted(engine, reference):
    image = clip_frames()[0]
    regions = regions_in(reference, image)
    maps = read(engine, image, regions).heatmaps
    assert (maps.shape, maps.dtype) == ((1, 33, 64, 64), np.float32)
    kept = maps.copy()
    assert kept == pytest.approx(read(reference, image, regions).heatmaps, abs=0.02)
    # The next picture does not write into what was given away.
    before = read(engine, image, regions)
    points = before.points.copy()
    assert read(engine, clip_frames()[200], regions, heatmaps=False).heatmaps is None
    assert np.array_equal(maps, kept)
    assert np.array_equal(before.points, points)


@pytest.mark.thorough
def test_several_people_are_read_at_once(engine, reference):
    image = clip_frames()[130]
    (region,) = regions_in(reference, image)
    regions = [
        Region(region.center_x + dx, region.center_y, region.side * scale, region.rotation + turn)
        for dx, scale, turn in ((0, 1, 0), (30, 1.1, 0.2), (-30, 0.95, -0.2), (10, 1.2, 0))
    ]
    together = read(engine, image, regions)
    assert_same(together, read(reference, image, regions))
    for i, one in enumerate(regions):
        assert (
            disagreement(
                read(engine, image, [one]),
                CropReadings(
                    *(
                        getattr(together, name)[i : i + 1]
                        for name in ("points", "scores", "peaks", "alignment", "presence")
                    ),
                    together.heatmaps[i : i + 1],
                ),
            )
            < 0.05
        )


def test_beta_is_that_of_each_call(engine, reference):
    image = clip_frames()[60]
    regions = regions_in(reference, image)
    seen = {beta: read(engine, image, regions, beta) for beta in (2.0, 30.0, 10.0, 2.0)}
    for beta, got in seen.items():
        assert_same(got, read(reference, image, regions, beta))
    moved = np.abs(seen[2.0].points - seen[30.0].points).max((0, 2, 3))
    assert dict(zip(DECODER_NAMES, moved > 0, strict=True)) == {
        name: name in ("ipr", "debiased") for name in DECODER_NAMES
    }


@pytest.mark.thorough
def test_pictures_of_several_sizes_in_turn(engine, reference):
    large = clip_frames()[0]
    small, narrow = np.ascontiguousarray(large[::2, ::2]), large[:, 200:700]
    for image in (large, small, narrow, small, large):
        regions = regions_in(reference, image)
        assert len(regions) == 1
        assert_same(read(engine, image, regions), read(reference, image, regions))


@pytest.mark.thorough
def test_more_sizes_than_are_kept(engine, reference):
    frame = clip_frames()[0]
    first = frame[:, 200:700]
    regions = regions_in(reference, first)
    expected = read(engine, first, regions)
    plan = engine._plans[first.shape, 1]
    read(engine, first, regions)
    assert engine._plans[first.shape, 1] is plan
    for cut in range(10):
        read(engine, frame[:, 200 : 690 - cut], regions, heatmaps=False)
    assert len(engine._plans) < 10
    assert disagreement(read(engine, first, regions), expected) < 0.01


@pytest.mark.thorough
def test_people_are_detected_where_the_torch_engine_sees_them(engine, reference):
    for frame in FRAMES:
        image = clip_frames()[frame]
        for square in (letterbox(*image.shape[:2]), Region(450.0, 280.0, 500.0, 0.0)):
            (mine,), (theirs,) = (one.detect(one.upload(image), square, one.clock()) for one in (engine, reference))
            assert mine.score == pytest.approx(theirs.score, abs=0.01)
            assert mine.keypoints == pytest.approx(theirs.keypoints, abs=0.002)
            assert mine.box == pytest.approx(theirs.box, abs=0.002)
    nobody = np.zeros((540, 960, 3), np.uint8)
    assert engine.detect(engine.upload(nobody), letterbox(*nobody.shape[:2]), engine.clock()) == []


def test_one_upload_serves_crop_and_detector(engine, reference):
    image = clip_frames()[0]
    (region,) = regions_in(reference, image)
    engine.detect(engine.upload(np.zeros_like(image)), letterbox(*image.shape[:2]), engine.clock())
    uploaded = engine.upload(image)
    # Fewer rows first, then all of them.
    top = Region(region.center_x, region.center_y - region.side / 4, region.side / 2, 0.0)
    for regions in ([top], [region]):
        got = engine.read(uploaded, regions, 10.0, engine.clock(), keep_heatmaps=False)
        assert disagreement(got, read(reference, image, regions)) < 0.1
        assert len(engine.detect(uploaded, letterbox(*image.shape[:2]), engine.clock())) == 1


def test_stages_are_timed(engine, reference):
    image = clip_frames()[0]
    uploaded, regions = engine.upload(image), regions_in(reference, image)
    clock = engine.clock()
    engine.detect(uploaded, letterbox(*image.shape[:2]), clock)
    engine.read(uploaded, regions, 10.0, clock, keep_heatmaps=False)
    clock.lap("to image")
    times = clock.times()
    assert list(times) == ["preprocess", "detect", "network", "decode", "to image"]
    assert min(times.values()) >= 0
    assert min(times[stage] for stage in ("preprocess", "detect", "network", "decode")) > 0


def test_another_thread_than_the_one_that_made_it(engine, reference):
    image = clip_frames()[190]
    regions, got = regions_in(reference, image), []
    worker = threading.Thread(target=lambda: got.append(read(engine, image, regions)))
    worker.start()
    worker.join(60)
    assert_same(got[0], read(reference, image, regions))


def test_the_estimator_follows_a_person_with_it(engine, reference):
    mine, theirs = PoseEstimator(engine), PoseEstimator(reference)
    for image in clip_frames()[100:106]:
        (here,), (there,) = (estimator.estimate(image).people for estimator in (mine, theirs))
        assert here.id == there.id == 1
        cell = there.region.side / 64
        assert here.region.center_x == pytest.approx(there.region.center_x, abs=0.2 * cell)
        seen = there.scores["argmax"] > 0.5
        off = np.linalg.norm(here.points["debiased"] - there.points["debiased"], axis=-1)[seen]
        assert np.quantile(off, 0.95) < 0.2 * cell


@pytest.mark.thorough
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_is_near(precision, lite, reference):
    device = choose_device("auto")
    engine = CudaEngine(lite, device, precision)
    assert (engine.precision, engine.warning) == (precision, None)
    image = clip_frames()[0]
    regions = regions_in(reference, image)
    got = read(engine, image, regions)
    if precision == "float16" or (precision == "tf32" and device.kind != "cpu"):
        assert np.abs(got.points - read(CudaEngine(lite, device), image, regions).points).max() > 0
    # Measured with float16: .06 cells at p95.
    assert disagreement(got, read(reference, image, regions)) < 0.12


@pytest.mark.thorough
def test_a_precision_that_does_not_agree_becomes_float32(lite, monkeypatch):
    # As a GPU would whose float16 were broken.
    monkeypatch.setattr(torch.Tensor, "half", lambda self: torch.Tensor.to(self * 1.5, torch.float16))
    engine = CudaEngine(lite, CPU, "float16")
    assert engine.precision == "float32"
    assert engine.warning.startswith("float16 cannot be used on this GPU (keypoints are ")
    assert engine.warning.endswith(" cells off those of the CPU): computing in float32.")


def test_an_unknown_precision_is_refused(lite):
    with pytest.raises(DeviceError, match="Did you mean “float16”"):
        CudaEngine(lite, CPU, "float61")


@pytest.mark.thorough
def test_arithmetic_of_the_process_is_left_as_it_was(lite):
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn

    def arithmetic() -> tuple[bool, ...]:
        return matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction, cudnn.allow_tf32, cudnn.benchmark

    before = arithmetic()
    matmul.allow_tf32 = matmul.allow_fp16_reduced_precision_reduction = True
    try:
        unusual = arithmetic()
        for precision in ("float32", "tf32"):
            CudaEngine(lite, CPU, precision)
            assert arithmetic() == unusual
    finally:
        matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction = before[:2]


def matrix_products(network: LandmarkNetwork) -> int:
    return sum(type(layer).__name__ == "Pointwise" for layer in network.graph.layers)


@pytest.mark.thorough
def test_networks_compute_the_same_with_channels_first_or_last(engine, lite):
    network = LandmarkNetwork(lite.landmarks).eval().requires_grad_(False)
    crops = torch.from_numpy(drawn_person(256)).flip(-1).permute(2, 0, 1)[None] / 255.0
    with torch.inference_mode():
        expected = network(crops)
        for channels_last in (True, False):
            prepared = engine._on_device(network, channels_last)
            maps: list[torch.Tensor] = []
            prepared.graph.layers[0].register_forward_hook(
                lambda module, inputs, output, seen=maps: seen.append(output)
            )
            device = next(prepared.parameters()).device
            got = prepared(crops.to(device, memory_format=torch.channels_last))
            for mine, theirs in zip(got, expected, strict=True):
                assert mine.cpu().numpy() == pytest.approx(theirs.numpy(), abs=1e-3)
            assert maps[0].is_contiguous(memory_format=torch.channels_last) == channels_last
            # The 1 × 1 convolutions of the network, 40 % of its layers.
            assert (matrix_products(prepared) > 40) == channels_last
    # What was prepared is a copy.
    assert matrix_products(network) == 0


class Asked(TorchDispatchMode):
    """Collects what a CUDA graph cannot hold: constants from the host, and results that the host waits for."""

    forbidden = ("lift_fresh", "_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "equal.")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += 1
        self.found += [str(func) for word in self.forbidden if f".{word}" in str(func)]
        return func(*args, **(kwargs or {}))


def steps_of(engine: CudaEngine) -> Iterator[Callable[[], None]]:
    for plan in engine._plans.values():
        yield from (getattr(plan, name) for name in ("_cut", "_compute", "_decode") if hasattr(plan, name))


def test_nothing_is_asked_of_the_device_within_a_step(lite):
    engine = CudaEngine(lite, CPU)
    asked = Asked()
    # Not in inference mode, where operations are not taken apart.
    for plan in engine._plans.values():
        for name, value in vars(plan).items():
            if isinstance(value, torch.Tensor):
                setattr(plan, name, value.clone())
    with torch.no_grad(), asked:
        for step in steps_of(engine):
            step()
    assert asked.operations > 500
    assert asked.found == []


@pytest.mark.thorough
def test_it_needs_neither_opencv_nor_openvino():
    code = f"""
import sys
for name in ("cv2", "openvino", "platformdirs", "mediapipe", "PySide6", "av"):
    sys.modules[name] = None
from pathlib import Path
import models.estimator
from models.blazepose import LandmarkNetwork
from models.bundle import open_bundle
from models.devices import Device
from models.engines.choice import _cuda_engine
engine = _cuda_engine(open_bundle(Path({str(model_file("lite")[0])!r})), Device("cpu", "cpu"))
assert (engine.name, engine.warning) == ("cuda graph", None), engine.warning
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=120).returncode == 0


@pytest.mark.thorough
def test_where_graphs_cannot_be_recorded_torch_computes(lite, monkeypatch):
    def no_graphs(*args: object, **options: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr("models.engines.cuda_engine._Queue.recorded", no_graphs)
    engine = choice._cuda_engine(lite, CPU)
    assert engine.name == "torch"
    assert engine.warning == (
        "CUDA graphs cannot be used here (operation not permitted when stream is capturing): "
        "computing layer by layer instead, which takes longer."
    )
    assert engine.read(clip_frames()[0], [letterbox(540, 960)], 10.0, StageClock(), keep_heatmaps=False).points.any()

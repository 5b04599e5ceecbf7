"""The way from a picture to people with a top-down network: decoders on maps that are not square, and following."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from app.bundled import model_file
from models.bundle import open_bundle
from models.devices import choose_device
from models.engines.choice import open_engine
from models.engines.top_down_engine import TopDownEngine, TorchNetworks
from models.errors import BundleError, DeviceError
from models.estimator import PoseEstimator
from models.readings import DEFAULT_BETA, DEFAULT_FLOOR, HEATMAP_DECODERS
from models.regions import Region
from models.skeletons import BLAZEPOSE_33, COCO_17, COCO_FROM_BLAZEPOSE
from models.top_down.following import alignment_points, presence_of
from models.top_down.network import TopDownNetwork
from models.top_down.reading import read_maps
from tests.models.clip import as_coco, clip_frames, true_joints
from tests.models.ideal_maps import SEEN, IdealEngine, ideal_maps
from tests.models.top_down_weights import in_mmpose_layout, save, state_of, uniform

SIZES = [(256, 192), (384, 288)]
SMALL_FIRST = [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.thorough)]
OTHERS = [i for i in range(len(BLAZEPOSE_33.joints)) if i not in COCO_FROM_BLAZEPOSE]


def expected_points(heatmap: np.ndarray, beta: float) -> dict[str, np.ndarray]:
    """Decoders once more, as plainly as they can be written, on one map (H, W): x and y in cells."""
    height, width = heatmap.shape
    row, column = (int(part) for part in np.unravel_index(heatmap.argmax(), heatmap.shape))
    peak = np.array([column, row], float)
    shift = [
        np.sign(heatmap[row, column + 1] - heatmap[row, column - 1]),
        np.sign(heatmap[row + 1, column] - heatmap[row - 1, column]),
    ]

    def mean(weights: np.ndarray) -> np.ndarray:
        return np.array([(weights * np.arange(width)).sum(), (weights.T * np.arange(height)).sum()]) / weights.sum()

    cut = np.maximum(heatmap / heatmap.max() - DEFAULT_FLOOR, 0) / (1 - DEFAULT_FLOOR)
    return {
        "argmax": peak,
        "argmax-quarter": peak + 0.25 * np.array(shift),
        "ipr": mean(np.exp(beta * heatmap)),
        "debiased": mean(np.expm1(beta * cut)),
    }


@pytest.mark.parametrize(("height", "width"), [(64, 48), (96, 72)])
def test_every_decoder_reads_maps_that_are_not_square(height, width):
    random = np.random.default_rng(8)
    centers = random.uniform((8, 8), (width - 9, height - 9), (17, 2))
    rows, columns = np.mgrid[0:height, 0:width]
    squares = (columns - centers[:, 0, None, None]) ** 2 + (rows - centers[:, 1, None, None]) ** 2
    maps = 0.8 * np.exp(-squares / (2 * 2.0**2))
    laps: list[str] = []
    read = read_maps(torch.from_numpy(maps.astype(np.float32))[None], DEFAULT_BETA, laps.append)
    assert laps == ["shared", *HEATMAP_DECODERS, "peak"]
    assert read.points.shape == (1, 5, 17, 2)
    found = {name: read.points[0, i].numpy() * (width, height) for i, name in enumerate(HEATMAP_DECODERS)}
    for joint in range(17):
        for name, point in expected_points(maps[joint], DEFAULT_BETA).items():
            assert found[name][joint] == pytest.approx(point, abs=2e-3), name
    # What is exact for a Gaussian, and what is not.
    assert np.abs(found["dark"] - centers).max() < 0.01
    assert np.abs(found["debiased"] - centers).max() < 0.1
    assert np.abs(read.peaks[0].numpy() * (width, height) - centers).max() < 1e-3
    assert np.abs(found["ipr"] - centers).max() > 3
    assert read.scores[0].numpy() == pytest.approx(maps.max((1, 2)), abs=1e-6)


def test_what_a_network_may_also_give_is_read_without_a_word():
    maps = torch.full((1, 17, 64, 48), -0.3)
    maps[0, 0] = float("nan")
    maps[0, 1, 20, 30] = float("inf")
    maps[0, 2, 10, 20], maps[0, 2, 40, 5] = 1.07, -9.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_maps(maps, DEFAULT_BETA, lambda part: None)
    assert torch.isfinite(read.points).all()
    # Over 1 is sure; below 0, and what is no number, is no joint.
    assert read.scores[0].tolist() == [0.0, 0.0, 1.0, *[0.0] * 14]
    cells = {name: read.points[0, i, 2].numpy() * (48, 64) for i, name in enumerate(HEATMAP_DECODERS)}
    # IPR goes its own way; the rest see one cell above a background of nothing.
    assert all(cells[name] == pytest.approx([20, 10], abs=0.01) for name in cells if name != "ipr")


@pytest.fixture(scope="module")
def lite():
    return open_bundle(*model_file("lite"))


@pytest.fixture(scope="module")
def networks(lite):
    """By engine and size. Made once: the first conversion starts a thread that stays."""
    kinds = ("torch", "openvino") if importlib.util.find_spec("openvino") else ("torch",)
    return {
        (kind, size): networks_of(kind, TopDownNetwork(_Channels(), "means", size), lite)
        for kind in kinds
        for size in SIZES
    }


class _Channels(nn.Module):
    """Instead of a pose network: joint j is the mean of channel j % 3 of the network's input, in cells of 4 px."""

    def forward(self, x):
        return nn.functional.avg_pool2d(x, 4).repeat(1, 6, 1, 1)[:, :17]


def networks_of(kind, network, lite):
    if kind == "torch":
        return TorchNetworks(network, lite, choose_device("cpu"))
    from models.engines.top_down_openvino import OpenVinoNetworks

    return OpenVinoNetworks(network, lite)


@pytest.mark.parametrize("kind", ["torch", "openvino"])
@pytest.mark.parametrize("size", SIZES)
def test_the_network_is_given_normalised_rgb(kind, size, networks):
    if (kind, size) not in networks:
        pytest.skip("OpenVINO is not installed")
    crops = np.random.default_rng(2).integers(0, 256, (2, *size, 3), np.uint8)
    maps = networks[kind, size].maps(crops)
    assert maps.shape == (2, 17, size[0] // 4, size[1] // 4)
    # ImageNet's mean and deviation of red, green and blue; the crops are blue, green, red.
    for joint, (channel, mean, deviation) in enumerate(((2, 0.485, 0.229), (1, 0.456, 0.224), (0, 0.406, 0.225))):
        plane = (crops[..., channel] / 255.0 - mean) / deviation
        expected = plane.reshape(2, size[0] // 4, 4, size[1] // 4, 4).mean((2, 4))
        assert np.abs(maps[:, joint].numpy() - expected).max() < 1e-5


def test_the_detector_is_blazeposes_on_every_engine(networks):
    image = clip_frames()[40]
    blazepose = PoseEstimator(open_engine(*model_file("lite")[:1], "cpu", engine="torch"))
    (square,) = blazepose.detect(image)
    for (_, size), both in networks.items():
        (region,) = PoseEstimator(TopDownEngine(both, size)).detect(image)
        assert (region.center_x, region.center_y) == pytest.approx((square.center_x, square.center_y), abs=0.05)
        assert (region.rotation, region.aspect) == (0.0, 0.75)
        assert square.side <= region.side <= 1.2 * square.side


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "size"), [("R50", "256x192"), ("W32", "384x288")])
def test_openvino_and_torch_agree_from_file_to_heatmap(name, size, tmp_path, networks):
    pytest.importorskip("openvino")
    path = save(tmp_path / f"net_{size}.pth", {"state_dict": in_mmpose_layout(state_of(name), "head")})
    crops = (uniform("picture", (2, *map(int, size.split("x")), 3), 0, 256).numpy()).astype(np.uint8)
    engines = [open_engine(path, "cpu", engine=engine, detector=model_file("lite")) for engine in ("torch", "auto")]
    assert [engine.label for engine in engines] == ["cpu (torch)", "cpu (OpenVINO)"]
    first, second = (engine._networks.maps(crops) for engine in engines)
    assert float((first - second).abs().max()) <= 1e-4 * float(first.abs().max())


def test_a_checkpoint_needs_a_detector_and_a_device_that_is_there(tmp_path):
    with pytest.raises(BundleError, match="which is of no use here"):
        open_engine(tmp_path / "a.pth")
    with pytest.raises(BundleError, match="No such model file"):
        open_engine(tmp_path / "a.pth", "cpu", detector=model_file("lite"))
    if torch.cuda.is_available():
        with pytest.raises(DeviceError, match="OpenVINO computes on the CPU"):
            open_engine(tmp_path / "a.pth", "cuda", engine="openvino", detector=model_file("lite"))


def test_joints_that_coco_does_not_have_are_nothing():
    estimator = PoseEstimator(IdealEngine())
    assert estimator.decoders == HEATMAP_DECODERS
    (person,) = estimator.estimate(clip_frames()[20]).people
    assert tuple(person.points) == tuple(person.scores) == person.measured == HEATMAP_DECODERS
    for name in HEATMAP_DECODERS:
        assert person.points[name].shape == (33, 2)
        assert np.isnan(person.points[name][OTHERS]).all()
        assert np.isfinite(as_coco(person.points[name])).all()
        assert (person.scores[name][OTHERS] == 0).all()
    assert np.isnan(person.peaks[OTHERS]).all()
    assert person.heatmaps.shape == (33, 64, 48)
    assert not person.heatmaps[OTHERS].any()
    # The other maps stand at their joints.
    assert person.heatmaps[BLAZEPOSE_33.index["right_wrist"]].max() == pytest.approx(
        person.scores["argmax"][BLAZEPOSE_33.index["right_wrist"]]
    )


@pytest.mark.parametrize("size", SMALL_FIRST)
def test_a_perfect_network_is_followed_through_the_clip(size):
    engine = IdealEngine(*size)
    estimator = PoseEstimator(engine)
    joints, _ = true_joints()
    detections = 0
    for i, image in enumerate(clip_frames()[::3]):
        estimate = estimator.estimate(image, time_ns=i * 100_000_000)
        detections += estimate.times.detect > 0
        (person,) = estimate.people
        assert person.id == 1
        assert person.presence == pytest.approx(SEEN, abs=0.02)
        # Everybody's every joint is inside, and the crop is no larger than it has to be.
        shares = person.region.to_crop(joints[3 * i])
        assert shares.min() > 0.03
        assert shares.max() < 0.97
        assert np.ptp(shares, axis=0).max() > 0.5
        cell = person.region.side / (size[0] // 4)
        assert np.abs(as_coco(person.points["dark"]) - joints[3 * i]).max() < 0.03 * cell
        assert np.abs(as_coco(person.points["argmax"]) - joints[3 * i]).max() < 0.51 * cell
    # The detector looked once; after that the heatmaps told where the person is.
    assert detections == 1


def test_somebody_who_is_gone_is_lost_and_found_again():
    estimator = PoseEstimator(IdealEngine())
    assert len(estimator.estimate(clip_frames()[0]).people) == 1
    # No truth is known of this picture: the network sees nobody.
    assert estimator.estimate(255 - clip_frames()[0]).people == ()
    assert estimator.estimate(np.zeros_like(clip_frames()[0])).people == ()
    assert [person.id for person in estimator.estimate(clip_frames()[4]).people] == [1]


def test_two_people_are_two():
    left, right = clip_frames()[30][:, 240:720], clip_frames()[150][:, 240:720]
    both = np.ascontiguousarray(np.concatenate((left, right), 1))
    joints = true_joints()[0][[30, 150]] + np.array([(-240, 0), (240, 0)])[:, None]

    class Both(IdealEngine):
        """On the left one picture's person, on the right another's."""

        def _maps_of(self, image, region):
            return ideal_maps((joints[int(region.center_x > 480)], np.full(17, SEEN)), region, 64, 48)

    estimator = PoseEstimator(Both())
    estimator.most_people = 2
    for _ in range(8):
        people = estimator.estimate(both).people
    estimator.close()
    found = sorted(people, key=lambda person: person.region.center_x)
    assert len(found) == 2
    for person, truth in zip(found, joints, strict=True):
        assert np.abs(as_coco(person.points["dark"]) - truth).max() < 1


# --- where the next crop is ---------------------------------------------------------------------------------------

REGION = Region(200.0, 150.0, 250.0, 0.0, 0.75)
# A standing body 200 px high, by the proportions of Drillis and Contini: the soles at 250, the middle at 200.
HEIGHTS = {"nose": 0.936, "eye": 0.936, "ear": 0.936, "shoulder": 0.818, "elbow": 0.63, "wrist": 0.485, "hip": 0.53}
ACROSS = {"shoulder": 0.129, "elbow": 0.15, "wrist": 0.16, "hip": 0.095, "knee": 0.09, "ankle": 0.08}


def standing() -> np.ndarray:
    heights = {**HEIGHTS, "knee": 0.285, "ankle": 0.039}
    points = []
    for joint in COCO_17.joints:
        part = joint.split("_")[-1]
        side = 1 if joint.startswith("left") else -1
        points.append((200 + side * 200 * ACROSS.get(part, 0.02 if part != "nose" else 0), 250 - 200 * heights[part]))
    return np.array(points)


def next_region(points: np.ndarray, scores: np.ndarray, region: Region = REGION) -> Region:
    center, scale = region.to_image(alignment_points(region.to_crop(points), scores, region, 1000.0))
    assert center[0] == pytest.approx(scale[0], abs=1e-3)
    return Region(center[0], center[1], 2.5 * (center[1] - scale[1]), 0.0, 0.75)


def only(*parts: str) -> np.ndarray:
    return np.array([0.9 if joint.split("_")[-1] in parts else 0.1 for joint in COCO_17.joints])


def test_a_standing_body_fills_its_crop():
    region = next_region(standing(), np.ones(17))
    assert (region.center_x, region.center_y) == pytest.approx((200, 250 - 0.53 * 200), abs=0.1)
    # Twice the way from the hips to the soles, and a quarter of that more.
    assert region.side == pytest.approx(2.5 * 0.53 * 200, rel=0.01)


@pytest.mark.parametrize(
    "parts",
    [
        ("nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip"),
        ("nose", "eye", "ear", "shoulder"),
        ("shoulder", "hip"),
        ("nose", "eye", "shoulder", "elbow"),
    ],
)
def test_the_crop_keeps_room_for_what_is_out_of_sight(parts):
    region = next_region(standing(), only(*parts))
    assert region.center_y == pytest.approx(250 - 0.53 * 200, abs=3)
    assert region.side == pytest.approx(2.5 * 0.53 * 200, rel=0.02)


def test_without_hips_and_shoulders_the_crop_stays():
    region = next_region(standing(), only("nose", "knee"))
    assert (region.center_x, region.center_y) == pytest.approx((200, 150), abs=1e-3)
    assert region.side >= REGION.side - 1e-3


def test_arms_stretched_out_widen_the_crop():
    points = standing()
    for side, sign in (("left", 1), ("right", -1)):
        points[COCO_17.index[f"{side}_wrist"]] = (200 + sign * 90, 250 - 0.8 * 200)
    region = next_region(points, np.ones(17))
    half_width = region.side * region.aspect / 2
    assert half_width == pytest.approx(90 * 1.25 * 0.53 / 0.491, rel=0.01)


@pytest.mark.thorough
@pytest.mark.parametrize("everything", ["somewhere", "in one place"])
def test_a_network_that_sees_nonsense_does_no_harm(everything):
    random = np.random.default_rng(6)

    class Nonsense(IdealEngine):
        def _maps_of(self, image, region):
            maps = torch.zeros(17, 64, 48)
            for heatmap in maps:
                row, column = random.integers((0, 0), (64, 48)) if everything == "somewhere" else (5, 40)
                heatmap[row, column] = 9.0
            return maps

    estimator = PoseEstimator(Nonsense())
    image = clip_frames()[0]
    for _ in range(60):
        for person in estimator.estimate(image).people:
            assert 9 < person.region.side <= 2.5 * image.shape[1] + 1
            assert np.isfinite(as_coco(person.points["debiased"])).all()


def test_presence_is_the_mean_of_the_six_surest():
    scores = np.zeros((3, 17), np.float32)
    scores[0, 3:9] = 0.8
    scores[1, :3] = 1.0
    scores[2] = 0.45
    assert presence_of(scores) == pytest.approx([0.8, 0.5, 0.45])

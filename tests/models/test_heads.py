"""Heads on the trunk of the shipped networks: as modules, as files, and in every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from app.bundled import ASSETS, model_file
from models.blazepose import JOINT_COUNT, LandmarkNetwork
from models.bundle import Bundle, open_bundle
from models.decoders import get_decoder
from models.devices import choose_device
from models.engines.cuda_engine import CudaEngine
from models.engines.graph_cache import GraphCache
from models.engines.openvino_engine import OpenVinoEngine
from models.engines.torch_engine import TorchEngine
from models.errors import BundleError
from models.estimator import PoseEstimator
from models.head_file import OWN, SHIPPED, HeadAbout, HeadError, LoadedHeads, TrainedHead, head_bytes, read_head
from models.heads import Head, HeadedNetwork, Trunk, built_head, shipped_head
from models.readings import DECODER_NAMES, HEADS_FOR
from models.regions import Region
from models.skeletons import BLAZEPOSE_33, COCO_17
from tests.models.clip import as_coco, clip_frames, true_joints

CPU = choose_device("cpu")
COCO = tuple(BLAZEPOSE_33.index[name] for name in COCO_17.joints)


def bundle_of(model: str) -> Bundle:
    return open_bundle(*model_file(model))


@pytest.fixture(scope="module")
def lite() -> Bundle:
    return bundle_of("lite")


def frame_and_regions(bundle: Bundle) -> tuple[np.ndarray, list[Region]]:
    image = clip_frames()[60]
    return image, PoseEstimator(TorchEngine(bundle, CPU)).detect(image)


def weights_of(head: Head) -> dict[str, np.ndarray]:
    return {name: values.numpy().copy() for name, values in head.state_dict().items()}


def trained(bundle: Bundle, folder: Path, decoder: str, seed: int | None, name: str = "") -> TrainedHead:
    """A head whose weights are the shipped ones, or off them by a tenth where there is a seed."""
    weights = weights_of(shipped_head(LandmarkNetwork(bundle.landmarks), COCO))
    if seed is not None:
        random = np.random.default_rng(seed)
        weights = {
            key: (values * (1 + 0.1 * random.standard_normal(values.shape))).astype(np.float32)
            for key, values in weights.items()
        }
    path = folder / f"{name or decoder}.safetensors"
    path.write_bytes(head_bytes(weights, HeadAbout(decoder, COCO, bundle.landmarks_sha256, {"model": "lite"})))
    return read_head(path)


@pytest.fixture(scope="module")
def heads(lite: Bundle, tmp_path_factory: pytest.TempPathFactory) -> list[TrainedHead]:
    folder = tmp_path_factory.mktemp("heads")
    return [trained(lite, folder, "ipr", 1), trained(lite, folder, "debiased", 2)]


@pytest.mark.parametrize(
    "model",
    ["lite", pytest.param("full", marks=pytest.mark.thorough), pytest.param("heavy", marks=pytest.mark.thorough)],
)
def test_a_head_with_the_shipped_weights_gives_the_shipped_maps(model: str) -> None:
    content = bundle_of(model).landmarks
    network, trunk = LandmarkNetwork(content), Trunk(content)
    crops = torch.rand(2, 3, *network.input_size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        logits = network.logits(crops)[2]
        features = trunk(crops)
        got = shipped_head(network, range(logits.shape[1]))(features)
        some = shipped_head(network, (4, 0, 30))(features)
    assert features.coarse.shape[-2:] == (16, 16)
    # Channels 0 to 32 are the joints; the logits reach 90.
    torch.testing.assert_close(got, logits, atol=2e-4, rtol=1e-5)
    torch.testing.assert_close(some, logits[:, [4, 0, 30]], atol=2e-4, rtol=1e-5)


def test_the_trunk_is_most_of_the_network_and_no_more_than_heads_need(lite: Bundle) -> None:
    whole, trunk = LandmarkNetwork(lite.landmarks).graph, Trunk(lite.landmarks).graph
    assert len(trunk.layers) < len(whole.layers)
    assert len(trunk.steps) == len(trunk.layers)


def test_a_network_that_ends_otherwise_has_no_heads(lite: Bundle) -> None:
    network = LandmarkNetwork(lite.landmarks)
    graph = network.graph
    # What the maps are made of is taken for the maps.
    (total,) = graph.steps[graph.layer_of_output(2)][0]
    graph.output_tensors[2] = total
    with pytest.raises(BundleError, match="does not end as BlazePose's do"):
        shipped_head(network, COCO)


def test_a_file_gives_back_what_was_saved(lite: Bundle, tmp_path: Path) -> None:
    head = shipped_head(LandmarkNetwork(lite.landmarks), COCO)
    about = HeadAbout("debiased", COCO, lite.landmarks_sha256, {"model": "lite", "seed": 3})
    path = tmp_path / "my head.safetensors"
    path.write_bytes(head_bytes(weights_of(head), about))
    again = read_head(path)
    assert (again.about, again.label) == (about, "my head")
    assert {name: values.tobytes() for name, values in again.weights.items()} == {
        name: values.tobytes() for name, values in weights_of(head).items()
    }
    assert head_bytes(again.weights, again.about) == path.read_bytes()


@pytest.mark.parametrize("cut", [0, 7, 40, 2000, -1])
def test_a_truncated_file_is_refused(lite: Bundle, tmp_path: Path, cut: int) -> None:
    whole = trained(lite, tmp_path, "ipr", None)
    path = tmp_path / f"{whole.label}.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(HeadError, match=r"damaged or truncated|no head of PoseScope"):
        read_head(path)


def test_what_is_no_head_is_refused_in_one_sentence(lite: Bundle, tmp_path: Path) -> None:
    from safetensors.numpy import save

    def refusal(content: bytes) -> str:
        path = tmp_path / "x.safetensors"
        path.write_bytes(content)
        with pytest.raises(HeadError) as refused:
            read_head(path)
        return str(refused.value)

    head = shipped_head(LandmarkNetwork(lite.landmarks), COCO)
    weights, about = weights_of(head), HeadAbout("ipr", COCO, "0" * 64, {"model": "full"})
    assert refusal(save(weights)) == "“x.safetensors” is no head of PoseScope: `posescope train` makes them."
    assert "Did you mean “ipr”" in refusal(head_bytes(weights, HeadAbout("irp", COCO, "", {})))
    doubled = {**weights, "last.bias": weights["last.bias"].astype(np.float64)}
    assert "last.bias does not hold numbers in float32" in refusal(head_bytes(doubled, about))
    unknown = {**weights, "last.bias": np.full_like(weights["last.bias"], np.nan)}
    assert "damaged" in refusal(head_bytes(unknown, about))
    (tmp_path / "own.safetensors").write_bytes(head_bytes(weights, about))
    with pytest.raises(HeadError, match="A head cannot be called “own”"):
        read_head(tmp_path / "own.safetensors")
    with pytest.raises(HeadError, match="No such head"):
        read_head(tmp_path / "none.safetensors")
    (tmp_path / "x.safetensors").write_bytes(head_bytes(weights, about))
    with pytest.raises(HeadError, match=r"“x” was trained for full, not for this network\."):
        read_head(tmp_path / "x.safetensors").check_network(lite.landmarks_sha256)
    with pytest.raises(HeadError, match="not for this network"):
        PoseEstimator.load(*model_file("lite")[:1], heads=[read_head(tmp_path / "x.safetensors")])


def test_weights_of_another_shape_are_named(lite: Bundle, heads: list[TrainedHead]) -> None:
    whole = heads[0]
    cut = {name: values[:, :1] if name == "last.weight" else values for name, values in whole.weights.items()}
    with pytest.raises(HeadError, match=r"does not fit this network: see its weights “last\.weight”"):
        built_head(LandmarkNetwork(lite.landmarks), TrainedHead(whole.about, cut, "cut", ""))
    missing = {name: values for name, values in whole.weights.items() if name != "middle.bias"}
    with pytest.raises(HeadError, match=r"middle\.bias"):
        built_head(LandmarkNetwork(lite.landmarks), TrainedHead(whole.about, missing, "cut", ""))


def test_each_decoder_reads_its_own_head_or_all_the_same(heads: list[TrainedHead]) -> None:
    loaded = LoadedHeads(heads)
    assert loaded.maps_read() == (0, 1, 2)
    assert loaded.labels() == {
        "argmax": SHIPPED,
        "argmax-quarter": SHIPPED,
        "dark": SHIPPED,
        "ipr": "ipr",
        "debiased": "debiased",
    }
    loaded.choice = SHIPPED
    assert loaded.maps_read() == (0, 0, 0)
    loaded.choice = "debiased"
    assert loaded.maps_read() == (2, 2, 2)
    assert set(loaded.labels().values()) == {"debiased"}
    loaded.choice = "gone"
    assert loaded.maps_read() == (0, 0, 0)
    assert LoadedHeads().labels() == {}
    assert LoadedHeads().maps_read() == (0, 0, 0)


ENGINES = {
    "torch": lambda bundle, heads, folder: TorchEngine(bundle, CPU, heads),
    "openvino": lambda bundle, heads, folder: OpenVinoEngine(bundle, CPU, GraphCache(folder), heads),
    "cuda": lambda bundle, heads, folder: CudaEngine(bundle, CPU, heads=heads),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["torch", "openvino", "cuda"])
def test_every_engine_reads_each_head_s_maps(name: str, lite: Bundle, heads: list[TrainedHead], tmp_path: Path) -> None:
    image, regions = frame_and_regions(lite)
    crop = regions[0].cut(image, 256, extend=True)
    tensor = torch.from_numpy(crop).flip(-1).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        values = HeadedNetwork(LandmarkNetwork(lite.landmarks), heads)(tensor)
    maps = {"argmax": values[3][:, :JOINT_COUNT], "ipr": values[4], "debiased": values[5]}
    assert (maps["ipr"] - maps["debiased"])[:, list(COCO)].abs().max() > 0.1
    others = [joint for joint in range(JOINT_COUNT) if joint not in COCO]
    assert torch.equal(maps["ipr"][:, others], maps["argmax"][:, others])
    estimator = PoseEstimator(ENGINES[name](lite, heads, tmp_path))
    for choice in (OWN, SHIPPED, "debiased", OWN):
        estimator.head_choice = choice
        estimate = estimator.read(image, regions[:1], 10.0, keep_heatmaps=True)
        (person,) = estimate.people
        assert set(estimate.heads) == set(DECODER_NAMES) - {"regression"}
        for decoder in DECODER_NAMES[:-1]:
            slot = decoder if decoder in HEADS_FOR else "argmax"
            read = maps[{OWN: slot, SHIPPED: "argmax"}.get(choice, choice)]
            options = {"beta": 10.0} if decoder in ("ipr", "debiased") else {}
            expected = get_decoder(decoder, **options)(read)
            got = person.region.to_crop(person.points[decoder]) * 64
            far = np.linalg.norm(got - expected.points[0].numpy(), axis=-1)
            # The maximum of a broad map may be in another cell by a rounding; crops of the third are its own.
            assert np.quantile(far, 0.9) < 0.1, (name, choice, decoder)
            assert np.median(np.abs(person.scores[decoder] - expected.scores[0].numpy())) < 0.02
            seen = person.as_read_by(decoder)
            assert seen.heatmaps is not None
            assert np.median(np.abs(seen.heatmaps - read[0].numpy())) < 1e-3, (name, choice, decoder)
            peaks = person.region.to_crop(person.peaks_of(decoder)) * 64
            assert np.quantile(np.linalg.norm(peaks - expected_peaks(read), axis=-1), 0.9) < 0.1


def expected_peaks(maps: torch.Tensor) -> np.ndarray:
    from models.decoders import SubcellPeak

    return SubcellPeak()(maps).points[0].numpy()


@pytest.mark.thorough
def test_a_head_with_the_shipped_weights_changes_nothing(lite: Bundle, tmp_path: Path) -> None:
    image, regions = frame_and_regions(lite)
    same = [trained(lite, tmp_path, "debiased", None)]
    plain = PoseEstimator(OpenVinoEngine(lite, CPU, GraphCache(tmp_path))).read(image, regions).people[0]
    for make in ENGINES.values():
        person = PoseEstimator(make(lite, same, tmp_path)).read(image, regions[:1]).people[0]
        assert np.linalg.norm(person.points["debiased"] - plain.points["debiased"], axis=-1).max() < 0.2


@pytest.mark.thorough
def test_graphs_of_heads_are_kept_apart_and_found_again(
    lite: Bundle, heads: list[TrainedHead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, regions = frame_and_regions(lite)
    cache = GraphCache(tmp_path)
    first = PoseEstimator(OpenVinoEngine(lite, CPU, cache, heads)).read(image, regions).people[0]
    other = PoseEstimator(OpenVinoEngine(lite, CPU, cache, heads[:1])).read(image, regions).people[0]
    assert np.abs(first.points["debiased"] - other.points["debiased"]).max() > 0.1
    import models.engines.openvino_graphs as graphs

    monkeypatch.delattr(graphs, "make_graphs")
    again = PoseEstimator(OpenVinoEngine(lite, CPU, cache, heads)).read(image, regions).people[0]
    assert np.array_equal(first.points["debiased"], again.points["debiased"])


@pytest.mark.thorough
def test_people_are_followed_alike_whatever_head_is_read(
    lite: Bundle, heads: list[TrainedHead], tmp_path: Path
) -> None:
    image, _ = frame_and_regions(lite)
    plain = PoseEstimator(OpenVinoEngine(lite, CPU, GraphCache(tmp_path)))
    headed = PoseEstimator(OpenVinoEngine(lite, CPU, GraphCache(tmp_path), heads))
    for choice in (OWN, "ipr", SHIPPED, OWN):
        headed.head_choice = choice
        ours, theirs = headed.estimate(image).people, plain.estimate(image).people
        assert len(ours) == len(theirs) == 1
        assert abs(ours[0].region.center_x - theirs[0].region.center_x) < 0.05
        assert abs(ours[0].region.side - theirs[0].region.side) < 0.1


def test_with_the_shipped_head_ipr_is_not_pulled_to_the_middle(tmp_path: Path) -> None:
    """Against the clip's truth, of which nothing was trained on."""
    full = bundle_of("full")
    head = read_head(ASSETS / "heads" / "through-ipr.safetensors")
    estimator = PoseEstimator(OpenVinoEngine(full, CPU, GraphCache(tmp_path), [head]))
    joints, seen = true_joints()
    off: dict[str, list[float]] = {SHIPPED: [], OWN: []}
    for frame in (15, 135, 270):
        for choice, distances in off.items():
            estimator.head_choice = choice
            (person,) = estimator.estimate(clip_frames()[frame]).people
            distances += np.linalg.norm(as_coco(person.points["ipr"]) - joints[frame], axis=-1)[seen[frame]].tolist()
    assert np.mean(off[OWN]) < 0.5 * np.mean(off[SHIPPED])

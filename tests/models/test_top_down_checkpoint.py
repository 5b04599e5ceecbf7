"""Files of weights: the authors' names and MMPose's, what is refused and why, and what a file's name tells."""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.errors import BundleError
from models.top_down.checkpoint import LARGEST_CHECKPOINT_BYTES, authors_layout, open_checkpoint
from models.top_down.files import checkpoint_place, is_checkpoint
from tests.models.top_down_weights import NETWORKS, in_mmpose_layout, save


def shapes_of(name: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in NETWORKS[name]().state_dict().items()}


def light(name: str) -> dict[str, Tensor]:
    """Every parameter .5 and a file of some kilobytes: a tensor that is one number seen many times."""
    return {
        key: torch.tensor(0.5 if shape else 0).expand(shape) if shape else torch.tensor(7)
        for key, shape in shapes_of(name).items()
    }


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        open_checkpoint(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence.replace(str(path), "FILE")


# By hand, from the authors' and MMPose's code: one of each kind of parameter.
NAMES = {
    "backbone.conv1.weight": "conv1.weight",
    "backbone.layer3.22.bn3.running_var": "layer3.22.bn3.running_var",
    "backbone.layer1.0.downsample.1.bias": "layer1.0.downsample.1.bias",
    "backbone.stage4.2.fuse_layers.0.3.1.weight": "stage4.2.fuse_layers.0.3.1.weight",
    "backbone.transition1.1.0.0.weight": "transition1.1.0.0.weight",
    "keypoint_head.deconv_layers.7.weight": "deconv_layers.7.weight",
    "head.final_layer.bias": "final_layer.bias",
}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_names_of_mmpose_become_those_of_the_authors(prefix):
    values = {prefix + name: torch.full((1,), float(i)) for i, name in enumerate(NAMES)}
    found = authors_layout({**values, f"{prefix}backbone.bn1.num_batches_tracked": torch.tensor(1)})
    assert list(found) == list(NAMES.values())
    assert [int(value) for value in found.values()] == list(range(len(NAMES)))
    assert list(authors_layout({prefix + name: torch.zeros(1) for name in NAMES.values()})) == list(NAMES.values())


def test_names_and_shapes_are_the_authors():
    # By hand, from their code.
    for name, expected in {
        "R50": {"layer4.2.conv3.weight": (2048, 512, 1, 1), "deconv_layers.0.weight": (2048, 256, 4, 4)},
        "R152": {"layer2.7.bn1.bias": (128,), "layer3.35.conv2.weight": (256, 256, 3, 3)},
        "W48": {
            "stage3.3.fuse_layers.2.0.1.0.weight": (192, 48, 3, 3),
            "stage3.3.fuse_layers.2.0.0.1.running_mean": (48,),
            "stage4.2.branches.3.3.conv2.weight": (384, 384, 3, 3),
            "transition3.3.0.0.weight": (384, 192, 3, 3),
            "final_layer.weight": (17, 48, 1, 1),
        },
    }.items():
        assert expected.items() <= shapes_of(name).items()
    assert "stage4.2.fuse_layers.1.0.0.0.weight" not in shapes_of("W48")


@pytest.mark.parametrize(
    "kind",
    [
        "bare",
        "mmpose 1.x",
        *(
            pytest.param(kind, marks=pytest.mark.thorough)
            for kind in ("state_dict", "module", "mmpose 0.x", "without counts", "half", "old format")
        ),
    ],
)
def test_every_kind_of_file_is_opened(kind, tmp_path):
    state, path = light("R50"), tmp_path / "weights.pth"
    if kind == "without counts":
        state = {name: value for name, value in state.items() if "num_batches" not in name}
    if kind == "half":
        state = {name: value.half() if value.ndim else value for name, value in state.items()}
    content: object = state
    if kind == "state_dict":
        content = {"epoch": 140, "state_dict": state, "perf": 0.7}
    if kind == "module":
        content = {f"module.{name}": value for name, value in state.items()}
    if kind.startswith("mmpose"):
        head = "head" if kind.endswith("1.x") else "keypoint_head"
        content = {"meta": {"CLASSES": None}, "state_dict": in_mmpose_layout(state, head)}
    if kind == "old format":
        torch.save(content, path, _use_new_zipfile_serialization=False)
    network = open_checkpoint(path if kind == "old format" else save(path, content))
    assert (network.title, network.input_size, network.training) == ("SimpleBaseline-R50", (256, 192), False)
    assert all(float(value.min()) == float(value.max()) == 0.5 for value in network.network.parameters())
    assert {value.dtype for value in network.network.parameters()} == {torch.float32}


@pytest.mark.thorough
def test_what_is_missing_and_what_is_not_its_own_is_named(tmp_path):
    state = light("W32")
    for name in ("layer1.1.bn2.bias", "stage4.0.branches.1.1.conv1.weight"):
        del state[name]
    state |= {"incre_modules.0.0.conv1.weight": torch.zeros(1), "downsamp_modules.0.0.bias": torch.zeros(1)}
    assert refused(save(tmp_path / "a.pth", state)) == (
        "FILE holds no whole HRNet-W32: 2 parameters are missing, the first is “layer1.1.bn2.bias”, and 2 are not its "
        "own, the first is “incre_modules.0.0.conv1.weight”."
    )


@pytest.mark.thorough
def test_a_network_that_classifies_pictures_is_refused(tmp_path):
    # HRNet's weights from ImageNet: a head of its own instead of heatmaps.
    state = light("W48")
    del state["final_layer.weight"], state["final_layer.bias"]
    state |= {"final_layer.0.weight": torch.zeros(2048, 1, 1, 1), "classifier.weight": torch.zeros(1000, 1)}
    sentence = refused(save(tmp_path / "a.pth", state))
    assert "the first is “final_layer.weight”" in sentence
    assert "the first is “final_layer.0.weight”" in sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"final_layer.weight": torch.zeros(16, 256, 1, 1)},
            "FILE gives 16 heatmaps instead of one for each of COCO's 17.",
        ),
        (
            {"layer1.0.conv1.weight": torch.zeros(64, 64, 3, 3)},
            "“layer1.0.conv1.weight” is 64 × 64 × 3 × 3 instead of 64 × 64 × 1 × 1.",
        ),
        ({"bn1.bias": torch.zeros(64, dtype=torch.int64)}, "its “bn1.bias” is torch.int64 instead of fractions."),
        ({"bn1.bias": "text"}, "its “bn1.bias” is no tensor."),
        ({3: torch.zeros(1)}, "its “3” is no tensor."),
    ],
)
def test_wrong_parameters_are_named(change, sentence, tmp_path):
    assert refused(save(tmp_path / "a.pth", {**light("R50"), **change})).endswith(sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"layer3.0.conv1.weight": torch.zeros(1)}, "FILE holds neither a SimpleBaseline nor an HRNet: its first"),
        ({"cls_token": torch.zeros(1)}, "its first parameter is “cls_token”."),
        ({"stage2.0.branches.0.0.conv1.weight": torch.zeros(18, 18, 3, 3)}, "FILE holds an HRNet-W18: only W32 and"),
        ({}, "FILE holds no parameters of a network."),
        ({"state_dict": {}}, "FILE holds no parameters of a network."),
        ([torch.zeros(1)], "FILE holds no parameters of a network."),
        (torch.zeros(1), "FILE holds no parameters of a network."),
    ],
)
def test_other_networks_are_refused(content, sentence, tmp_path):
    assert sentence in refused(save(tmp_path / "a.pth", content))


class _Evil:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-checkpoint",)


def test_nothing_of_a_file_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pth"
    for write in (lambda: save(path, {"state_dict": _Evil()}), lambda: path.write_bytes(pickle.dumps(_Evil()))):
        write()
        assert "holds more than tensors" in refused(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pth"]


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    whole = save(path, light("R50")).read_bytes()
    for damaged in (b"", b"\x80\x02", b"PK\x03\x04", whole[:1000], whole[: len(whole) // 2], whole[:-30], b"\0" * 999):
        path.write_bytes(damaged)
        assert refused(path).startswith("FILE is not a checkpoint of torch, or it is damaged")
    assert refused(tmp_path / "nothing.pth") == "No such model file: FILE"
    assert refused(tmp_path) == "Cannot read the model file FILE: it is not a file."


def test_a_file_may_not_be_larger_than_any_of_its_kind_or_claim_so(tmp_path):
    path = tmp_path / "a.pth"
    with path.open("wb") as file:
        file.truncate(LARGEST_CHECKPOINT_BYTES + 1)
    assert refused(path) == "FILE is too large for a checkpoint: more than 1024 MB."
    # A gigabyte of zeros packs into one megabyte; here the directory only claims it.
    save(path, light("R50"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more", b"x" * 1000)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (LARGEST_CHECKPOINT_BYTES + 1).to_bytes(4, "little")
    path.write_bytes(content)
    assert refused(path) == "FILE is too large for a checkpoint: more than 1024 MB."


@pytest.mark.parametrize("name", ["pose_resnet_50_256x192_caffe.pth.tar", "hrnet_w32_coco_256x192_udp-aba0be42.pth"])
def test_networks_that_compute_otherwise_are_refused_by_their_name(name, tmp_path):
    assert re.fullmatch(r"FILE cannot be used: by its name it \w+ .+\.", refused(save(tmp_path / name, light("R50"))))


@pytest.mark.parametrize(
    ("name", "file", "size"),
    [
        ("pose_resnet_50_256x192.pth.tar", None, (256, 192)),
        ("pose_hrnet_w32_384x288.pth", None, (384, 288)),
        ("hrnet_w48_coco_384x288-314c8528_20200708.pth", None, (384, 288)),
        ("td-hm_res50_8xb64-210e_coco-256x192-04af38ce_20220923.pth", None, (256, 192)),
        ("mine.pt", None, (256, 192)),
        ("mine.pt@384x288", "mine.pt", (384, 288)),
        ("pose_hrnet_w32_384x288.pth@256x192", "pose_hrnet_w32_384x288.pth", (256, 192)),
    ],
)
def test_the_name_tells_the_size_of_the_crops(name, file, size):
    folder = Path("some folder")
    assert checkpoint_place(folder / name) == (folder / (file or name), size)
    assert is_checkpoint(folder / name)


@pytest.mark.parametrize("name", ["pose.task", "full", "mine.pth.task", "weights.pt@512x512", "@384x288", "pth"])
def test_other_files_are_no_checkpoints(name):
    assert not is_checkpoint(name)


def test_the_size_that_was_asked_for_is_used(tmp_path):
    path = save(tmp_path / "mine.pth", light("R50"))
    assert open_checkpoint(Path(f"{path}@384x288")).input_size == (384, 288)

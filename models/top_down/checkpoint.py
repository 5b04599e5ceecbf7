"""Opens checkpoints of SimpleBaseline and HRNet: the authors' files, and those of MMPose 0.x and 1.x.

Which network a file holds is told by the names and shapes of its parameters; no configuration is needed. Only tensors
and plain values are read (`weights_only`): nothing of a file is ever run.
"""

from __future__ import annotations

import re
import stat
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import BundleError
from models.top_down.files import checkpoint_place
from models.top_down.hrnet import HRNet
from models.top_down.network import JOINT_COUNT, TopDownNetwork
from models.top_down.simple_baseline import SimpleBaseline

# The largest published file, ResNet-152 with its optimizer's state, has less.
LARGEST_CHECKPOINT_BYTES = 2**30

# Depth of the ResNet by the number of blocks in its third stage, and the blocks of all stages.
_RESNETS = {6: ("50", (3, 4, 6, 3)), 23: ("101", (3, 4, 23, 3)), 36: ("152", (3, 8, 36, 3))}
_HRNET_WIDTHS = (32, 48)

_HRNET_WIDTH_OF = "stage2.0.branches.0.0.conv1.weight"
_RESNET_BLOCK = re.compile(r"layer3\.(\d+)\.conv1\.weight")
_HEATMAPS = "final_layer.weight"
# Batch normalisation counts its batches while it learns; files from before torch 0.4.1 do not have the count.
_COUNT = ".num_batches_tracked"

# Networks with the same parameters that compute or see something else, told by the name alone.
_OTHERWISE = {
    "caffe": "has its strides in other places (Caffe's ResNet)",
    "udp": "was trained on crops that are cut otherwise (UDP)",
}


def open_checkpoint(path: Path) -> TopDownNetwork:
    """The network in a checkpoint file, on the CPU, ready to infer.

    path: its name may end in @256x192 or @384x288, the height and width of the crops, which no checkpoint tells;
        without that, 384x288 where the name of the file holds that, else 256x192.
    Raises BundleError with one sentence where the file is missing, damaged, too large, or holds no such network.
    """
    file, input_size = checkpoint_place(path)
    for word, difference in _OTHERWISE.items():
        if word in re.split(r"[^a-z]+", file.name.lower()):
            raise BundleError(f"{file} cannot be used: by its name it {difference}.")
    state = authors_layout(_parameters(_content(file), file))
    title, make = _recognised(state, file)
    with torch.device("meta"):
        network = make()
    _fill(network, state, title, file)
    return TopDownNetwork(network, title, input_size).eval().requires_grad_(False)


def authors_layout(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of MMPose under the names that the authors gave; theirs as it is. Counts of batches are left out.

    MMPose puts the backbone's parameters under `backbone.` and those of the deconvolutions and the last layer under
    `keypoint_head.` (0.x) or `head.` (1.x); after that the names are the same. `module.` in front of all of them comes
    from training on several GPUs.
    """
    names = {name: name for name in state if not name.endswith(_COUNT)}
    if all(name.startswith("module.") for name in names):
        names = {name: name.removeprefix("module.") for name in names}
    if any(plain.startswith("backbone.") for plain in names.values()):
        names = {name: re.sub(r"^(backbone|keypoint_head|head)\.", "", plain) for name, plain in names.items()}
    return {plain: state[name] for name, plain in names.items()}


def _content(file: Path) -> Any:
    _check_file(file)
    try:
        if zipfile.is_zipfile(file):
            # An archive may claim more than it has.
            with zipfile.ZipFile(file) as archive:
                _check_size(file, sum(member.file_size for member in archive.infolist()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except BundleError:
        raise
    except Exception:
        # Of damaged files come UnpicklingError, RuntimeError, EOFError, OSError, BadZipFile, and what else may be.
        raise BundleError(
            f"{file} is not a checkpoint of torch, or it is damaged, or holds more than tensors and plain values."
        ) from None


def _check_file(file: Path) -> None:
    try:
        about = file.stat()
        # Reading a pipe would wait for ever, and a device may have no end.
        if not stat.S_ISREG(about.st_mode):
            raise BundleError(f"Cannot read the model file {file}: it is not a file.")
        with file.open("rb"):
            _check_size(file, about.st_size)
    except FileNotFoundError:
        raise BundleError(f"No such model file: {file}") from None
    except OSError as error:
        raise BundleError(f"Cannot read the model file {file}: {error.strerror}.") from None


def _check_size(file: Path, size: int) -> None:
    if size > LARGEST_CHECKPOINT_BYTES:
        raise BundleError(f"{file} is too large for a checkpoint: more than {LARGEST_CHECKPOINT_BYTES >> 20} MB.")


def _parameters(content: Any, file: Path) -> dict[str, Tensor]:
    """The state dict, bare or under “state_dict”."""
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not state:
        raise BundleError(f"{file} holds no parameters of a network.")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise BundleError(f"{file} is no checkpoint of a network: its “{name}” is no tensor.")
    return dict(state)


def _recognised(state: Mapping[str, Tensor], file: Path) -> tuple[str, Callable[[], nn.Module]]:
    """Name and maker of the network that has these parameters."""
    heatmaps = state.get(_HEATMAPS)
    if heatmaps is not None and heatmaps.ndim and len(heatmaps) != JOINT_COUNT:
        raise BundleError(f"The network in {file} gives {len(heatmaps)} heatmaps instead of one for each of COCO's 17.")
    branch = state.get(_HRNET_WIDTH_OF)
    if branch is not None and branch.ndim:
        width = len(branch)
        if width not in _HRNET_WIDTHS:
            raise BundleError(f"{file} holds an HRNet-W{width}: only W32 and W48 are supported.")
        return f"HRNet-W{width}", lambda: HRNet(width, JOINT_COUNT)
    blocks = len({found[1] for name in state if (found := _RESNET_BLOCK.fullmatch(name))})
    if blocks in _RESNETS:
        depth, stages = _RESNETS[blocks]
        return f"SimpleBaseline-R{depth}", lambda: SimpleBaseline(stages, JOINT_COUNT)
    first = next(iter(state))
    raise BundleError(f"{file} holds neither a SimpleBaseline nor an HRNet: its first parameter is “{first}”.")


def _fill(network: nn.Module, state: Mapping[str, Tensor], title: str, file: Path) -> None:
    """Give the network, which is on the device meta, these parameters: all of its own, and no others."""
    own = network.state_dict()
    expected = [name for name in own if not name.endswith(_COUNT)]
    missing = [name for name in expected if name not in state]
    unexpected = [name for name in state if name not in own]
    wrong = [
        *([f"{len(missing)} parameters are missing, the first is “{missing[0]}”"] if missing else []),
        *([f"{len(unexpected)} are not its own, the first is “{unexpected[0]}”"] if unexpected else []),
    ]
    if wrong:
        raise BundleError(f"{file} holds no whole {title}: {', and '.join(wrong)}.")
    for name in expected:
        found, needed = tuple(state[name].shape), tuple(own[name].shape)
        if found != needed:
            raise BundleError(f"{file} holds no {title}: its “{name}” is {_shape(found)} instead of {_shape(needed)}.")
        if not state[name].is_floating_point():
            raise BundleError(f"{file} holds no {title}: its “{name}” is {state[name].dtype} instead of fractions.")
    filled = {name: state[name].to(torch.float32).contiguous() for name in expected}
    counts = {name: torch.zeros((), dtype=torch.int64) for name in own if name.endswith(_COUNT)}
    network.load_state_dict({**filled, **counts}, assign=True)


def _shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes)) or "a number"

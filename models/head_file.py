"""Heads as files: `.safetensors` with the weights of `models.heads.Head` and what it was trained for. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import UserError, unknown_name
from models.readings import HEADS_FOR, HEATMAP_DECODERS, head_slot
from models.skeletons import BLAZEPOSE_33

SUFFIX = ".safetensors"
# Whose maps the decoders read: each its own head's, or all of them those of the network as shipped, or of one head.
OWN, SHIPPED = "own", "shipped"
FORMAT = "head-1"
_ENTRY = "posescope"
# A head of the heavy network has 33 kB.
_LARGEST_BYTES = 16 << 20


class HeadError(UserError):
    """A file that is no head, or a head of another network."""


@dataclass(frozen=True, slots=True)
class HeadAbout:
    """What a head is for.

    decoder: one of HEADS_FOR, through which it was trained. joints: indices in BLAZEPOSE_33 that it was trained on; of
    the others the shipped maps are read. network: sha256 of the landmark network whose trunk it needs. recipe: how it
    was trained, for people.
    """

    decoder: str
    joints: tuple[int, ...]
    network: str
    recipe: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHead:
    """A head as it lies in a file. label: the file's name without its suffix. sha256: of the whole file."""

    about: HeadAbout
    weights: Mapping[str, NDArray[np.float32]]
    label: str
    sha256: str

    def check_network(self, network: str) -> None:
        """Raises HeadError where it was trained for another network than the one of this digest."""
        if self.about.network != network:
            name = self.about.recipe.get("model", "another network")
            raise HeadError(f"The head “{self.label}” was trained for {name}, not for this network.")


def save_head(path: Path, weights: Mapping[str, NDArray[np.float32]], about: HeadAbout) -> None:
    """Raises OSError where the file cannot be written."""
    path.write_bytes(head_bytes(weights, about))


def head_bytes(weights: Mapping[str, NDArray[np.float32]], about: HeadAbout) -> bytes:
    """What `read_head` takes: the same for the same weights and the same recipe."""
    from safetensors.numpy import save

    facts = {
        "format": FORMAT,
        "decoder": about.decoder,
        "joints": [BLAZEPOSE_33.joints[joint] for joint in about.joints],
        "network": about.network,
        "recipe": dict(about.recipe),
    }
    # In one entry: several would be written in another order each time.
    metadata = {_ENTRY: json.dumps(facts, sort_keys=True)}
    return save({name: np.ascontiguousarray(weights[name]) for name in sorted(weights)}, metadata)


def read_head(path: Path) -> TrainedHead:
    """Raises HeadError with one sentence for whatever is no head."""
    from safetensors import SafetensorError, safe_open

    if path.stem in (OWN, SHIPPED):
        raise HeadError(f"A head cannot be called “{path.stem}”, which means something else here: rename the file.")
    try:
        if not path.is_file():
            raise HeadError(f"No such head: {path}")
        if path.stat().st_size > _LARGEST_BYTES:
            raise HeadError(f"“{path.name}” is no head: it has more than {_LARGEST_BYTES >> 20} MB.")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="numpy") as file:
            about = _about((file.metadata() or {}).get(_ENTRY), path)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    except OSError as error:
        raise HeadError(f"The head {path} cannot be read: {error.strerror or error}.") from None
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise HeadError(f"“{path.name}” is not a .safetensors file, or it is damaged or truncated.") from None
    for name, values in weights.items():
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise HeadError(f"“{path.name}” is damaged: its {name} does not hold numbers in float32.")
    return TrainedHead(about, weights, path.stem, digest)


def _about(entry: str | None, path: Path) -> HeadAbout:
    facts = json.loads(entry) if entry else {}
    if facts.get("format") != FORMAT:
        raise HeadError(f"“{path.name}” is no head of PoseScope: `posescope train` makes them.")
    decoder, joints, network, recipe = (facts[name] for name in ("decoder", "joints", "network", "recipe"))
    if decoder not in HEADS_FOR:
        raise HeadError(f"“{path.name}”: {unknown_name('decoder', str(decoder), HEADS_FOR)}")
    known = BLAZEPOSE_33.index
    if not isinstance(joints, list) or not joints or len(set(joints)) < len(joints) or not known.keys() >= set(joints):
        raise ValueError
    if not isinstance(recipe, dict) or not isinstance(network, str):
        raise ValueError
    return HeadAbout(decoder, tuple(known[name] for name in joints), network, recipe)


class LoadedHeads:
    """The heads beside a network, and whose maps the decoders read.

    choice: OWN, SHIPPED, or the label of a head; may be changed at any time, and counts from the next image on.
    """

    def __init__(self, trained: Sequence[TrainedHead] = ()) -> None:
        self.trained = tuple(trained)
        self.choice = OWN

    def maps_read(self) -> tuple[int, ...]:
        """For each of HEADS_FOR whose maps it reads: 0 the shipped ones, i + 1 those of head i."""
        if self.choice == OWN:
            trained_for = [head.about.decoder for head in self.trained]
            return tuple(trained_for.index(name) + 1 if name in trained_for else 0 for name in HEADS_FOR)
        labels = [SHIPPED, *(head.label for head in self.trained)]
        return (labels.index(self.choice) if self.choice in labels else 0,) * len(HEADS_FOR)

    def labels(self) -> dict[str, str]:
        """For each decoder of heatmaps whose maps it reads; empty where there are no heads."""
        if not self.trained:
            return {}
        labels, read = [SHIPPED, *(head.label for head in self.trained)], self.maps_read()
        return {name: labels[read[head_slot(name)]] for name in HEATMAP_DECODERS}

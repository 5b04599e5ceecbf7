"""What is trained: the head of a BlazePose network, or all layers of SimpleBaseline or HRNet."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from app.bundled import model_file
from app.errors import UserError
from app.training.features import CropMaker, Maker, TrunkMaker
from app.training.losses import Objective
from app.training.people import TrainingPeople
from models.blazepose import LandmarkNetwork
from models.bundle import open_bundle
from models.head_file import SUFFIX, HeadAbout, head_bytes
from models.heads import shipped_head
from models.top_down.checkpoint import open_checkpoint
from models.top_down.files import checkpoint_place, is_checkpoint
from models.traits import top_down_traits

CHECKPOINT_SUFFIX = ".pth"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """module: what is trained, from the weights that it has. people: with the joints of its outputs, in their order.
    maker: what it takes of the views. as_maps: makes heatmaps of its outputs. key: of the weights it starts from.
    content: of the file in which it ends, from how it was trained. is_head: whether that is a head.
    """

    module: nn.Module
    people: TrainingPeople
    maker: Maker
    as_maps: Callable[[Tensor], Tensor]
    key: str
    content: Callable[[Mapping[str, object]], bytes]
    is_head: bool


def check_suffix(model: str, output: Path) -> None:
    """Raises UserError unless the output's name says what it will be."""
    wanted = CHECKPOINT_SUFFIX if is_checkpoint(model) else SUFFIX
    if output.suffix != wanted:
        what = "a network" if is_checkpoint(model) else "a head"
        raise UserError(f"--output of {what} must end in {wanted}, not in “{output.suffix}”.")


def subject(model: str, people: TrainingPeople, objective: Objective) -> Subject:
    """The head of lite, full, heavy or a bundle; or the whole of a checkpoint, to become one of the authors' layout.

    Raises BundleError where there is no such network, or it has no head that can be trained.
    """
    return _network(model, people, objective) if is_checkpoint(model) else _head(model, people, objective)


def _head(model: str, people: TrainingPeople, objective: Objective) -> Subject:
    bundle = open_bundle(*model_file(model))
    head = shipped_head(LandmarkNetwork(bundle.landmarks), people.joints)

    def content(recipe: Mapping[str, object]) -> bytes:
        about = HeadAbout(objective.decoder, people.joints, bundle.landmarks_sha256, recipe)
        weights = {name: values.detach().cpu().numpy() for name, values in head.state_dict().items()}
        return head_bytes(weights, about)

    return Subject(head, people, TrunkMaker(bundle.landmarks), torch.sigmoid, bundle.landmarks_sha256, content, True)


def _network(model: str, people: TrainingPeople, objective: Objective) -> Subject:
    path, input_size = checkpoint_place(Path(model))
    network = open_checkpoint(Path(model)).requires_grad_(True)
    traits = top_down_traits(input_size)
    # Its maps are regressed, not squeezed into [0, 1]; a decoder reads what lies below 0 as 0. As a target of a mean
    # squared error they are taken as they are, so that what lies below learns too.
    as_maps = _as_they_are if objective.decoder == "argmax" else _not_below_zero

    def content(recipe: Mapping[str, object]) -> bytes:
        data = io.BytesIO()
        torch.save({name: values.cpu() for name, values in network.network.state_dict().items()}, data)
        return data.getvalue()

    key = hashlib.sha256(path.read_bytes()).hexdigest()
    return Subject(network, people.with_joints(traits.joints), CropMaker(traits), as_maps, key, content, False)


def _as_they_are(maps: Tensor) -> Tensor:
    return maps


def _not_below_zero(maps: Tensor) -> Tensor:
    return maps.clamp_min(0.0)

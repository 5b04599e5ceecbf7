"""Which heads there are for a network: those that lie beside its bundle, those of the user, and the shipped ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from app.bundled import ASSETS, MODELS, model_file
from app.errors import UserError
from models.bundle import open_bundle
from models.head_file import SUFFIX, HeadError, read_head
from models.top_down.files import is_checkpoint


@dataclass(frozen=True, slots=True)
class OfferedHead:
    """A head that fits a network. decoder: through which it was trained. label: the file's name without its suffix."""

    path: Path
    label: str
    decoder: str


def user_heads_folder() -> Path:
    """Where a user's heads for the shipped networks are looked for. Need not exist."""
    return Path(platformdirs.user_data_dir("PoseScope", appauthor=False)) / "heads"


def offered_heads(model: str, more: Iterable[str] = ()) -> list[OfferedHead]:
    """The heads for `lite`, `full`, `heavy` or the bundle at that path: first those at the paths `more`, which somebody
    asked for, then the others by their names.

    A file that is no head, or one of another network, is passed over; of two with the same name the first counts.
    """
    folders = [user_heads_folder(), ASSETS / "heads"]
    if model not in MODELS:
        folders.insert(0, Path(model).parent)
    found: dict[str, OfferedHead] = {}
    try:
        network = _network_digest(model)
        files = [path for folder in folders if folder.is_dir() for path in folder.glob(f"*{SUFFIX}")]
    except (OSError, UserError):
        return []
    # The order of the folders stays among files of one name.
    for path in (*map(Path, more), *sorted(files, key=lambda path: path.name)):
        try:
            head = read_head(path)
            head.check_network(network)
        except UserError:
            continue
        found.setdefault(head.label, OfferedHead(path, head.label, head.about.decoder))
    return list(found.values())


def check_heads(model: str, heads: Iterable[str]) -> None:
    """Raises HeadError with one sentence where one of these files is no head of this network."""
    for path in heads:
        head = read_head(Path(path))
        if is_checkpoint(model):
            raise HeadError(f"The head “{head.label}” is for a network of BlazePose, not for a checkpoint.")
        head.check_network(_network_digest(model))


@lru_cache(maxsize=8)
def _network_digest(model: str) -> str:
    path, sha256 = model_file(model)
    return open_bundle(path, sha256).landmarks_sha256

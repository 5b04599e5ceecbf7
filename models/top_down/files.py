"""Which files are checkpoints of top-down networks, and what their names tell. Imports nothing heavy."""

from __future__ import annotations

import re
from pathlib import Path

NO_REGRESSION = "This network gives heatmaps alone: it regresses no points."

_SUFFIXES = (".pth", ".pt", ".pth.tar", ".pt.tar", ".tar")
# As everybody writes it: height × width of the crops.
INPUT_SIZES: dict[str, tuple[int, int]] = {"256x192": (256, 192), "384x288": (384, 288)}
_ASKED = re.compile(rf"(.+)@({'|'.join(INPUT_SIZES)})", re.DOTALL)


def is_checkpoint(path: Path | str) -> bool:
    """Whether this is the name of a checkpoint of torch, as `checkpoint_place` takes it, and not of a .task bundle."""
    return checkpoint_place(Path(path))[0].name.lower().endswith(_SUFFIXES)


def checkpoint_place(path: Path) -> tuple[Path, tuple[int, int]]:
    """The file, and height and width of the network's crops in px.

    Weights do not tell what size of crops they were trained on. So PATH@384x288 says it, or else the name of the file,
    or else it is 256 × 192.
    """
    asked = _ASKED.fullmatch(str(path))
    if asked:
        return Path(asked[1]), INPUT_SIZES[asked[2]]
    size = "384x288" if "384x288" in path.name else "256x192"
    return path, INPUT_SIZES[size]

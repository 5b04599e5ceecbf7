"""The engines that can be compared, and which of them are here."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.bundled import DETECTOR
from app.errors import UserError
from models.devices import why_not
from models.engines.choice import open_engine
from models.engines.engine import Engine
from models.errors import unknown_name
from models.top_down.files import is_checkpoint

if TYPE_CHECKING:
    from models.engines.mediapipe_engine import MediaPipePeer

MEDIAPIPE = "mediapipe"
REFERENCE = "torch"
# Name -> device and engine, as `models.engines.choice.open_engine` takes them; in the order of the tables.
ENGINES: dict[str, tuple[str, str]] = {
    "cuda": ("cuda", "auto"),
    "torch-cuda": ("cuda", "torch"),
    "torch-mps": ("mps", "torch"),
    "openvino": ("cpu", "openvino"),
    REFERENCE: ("cpu", "torch"),
}
NAMES = (*ENGINES, MEDIAPIPE)


@dataclass(frozen=True, slots=True)
class Contender:
    """An engine that is here: its name, and what runs."""

    name: str
    runs: Engine | MediaPipePeer

    @property
    def device(self) -> str:
        """What the user is shown, for example "cpu (OpenVINO)"."""
        return self.runs.label


@dataclass(frozen=True, slots=True)
class Missing:
    """An engine that is not measured, and why."""

    name: str
    reason: str


def chosen_names(text: str) -> list[str]:
    """All of NAMES for "all", else those named with commas between them. Raises UserError for an unknown one."""
    if text == "all":
        return list(NAMES)
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in NAMES:
            raise UserError(unknown_name("engine", name, ("all", *NAMES)))
    return names


def open_contenders(
    names: Sequence[str], bundle: Path, sha256: str | None, reference: Engine, *, people: int
) -> tuple[list[Contender], list[Missing]]:
    """Open those of `names` that are here. reference: torch on the CPU, which is open already.

    Raises UserError where none is left.
    """
    found: list[Contender] = []
    missing: list[Missing] = []
    for name in names:
        reason = _why_missing(name, people, bundle)
        if reason is not None:
            missing.append(Missing(name, reason))
            continue
        try:
            engine = reference if name == REFERENCE else open_named(name, bundle, sha256)
        except (UserError, ImportError) as error:
            missing.append(Missing(name, str(error).rstrip(".")))
            continue
        if name == "cuda" and engine.name == "torch":
            warning = cast("Engine", engine).warning
            missing.append(Missing(name, (warning or "CUDA graphs cannot be used here").rstrip(".")))
            continue
        found.append(Contender(name, engine))
    if not found:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in missing)
        raise UserError(f"None of the engines asked for can be measured here ({reasons}).")
    return found, missing


def open_named(name: str, bundle: Path, sha256: str | None) -> Engine | MediaPipePeer:
    """One of NAMES. Raises BundleError, DeviceError or ImportError."""
    if name == MEDIAPIPE:
        from models.engines.mediapipe_engine import MediaPipePeer

        return MediaPipePeer(bundle)
    device, engine = ENGINES[name]
    return open_engine(bundle, device, sha256, engine, DETECTOR)


def _why_missing(name: str, people: int, bundle: Path) -> str | None:
    """None where the engine can be opened."""
    if name == MEDIAPIPE and is_checkpoint(bundle):
        return "it reads .task bundles only"
    if name == "cuda" and is_checkpoint(bundle):
        return "CUDA graphs are for BlazePose; this network runs in torch there"
    if name == MEDIAPIPE and people > 1:
        return "it looks for several people on its own, which cannot be compared"
    if name in (MEDIAPIPE, "openvino"):
        return None if importlib.util.find_spec(name) is not None else "not installed"
    return why_not(ENGINES[name][0])

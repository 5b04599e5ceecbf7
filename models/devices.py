"""Which device to compute on. torch is imported only where it may know of a GPU: that takes seconds."""

from __future__ import annotations

import ctypes
import importlib.util
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import DeviceError, unknown_name

if TYPE_CHECKING:
    import torch

DEVICE_NAMES = ("auto", "cuda", "mps", "cpu")


@dataclass(frozen=True, slots=True)
class Device:
    """A device to compute on.

    kind: as torch spells it, for example "cuda:0".
    label: what the user is shown, for example "cuda (NVIDIA H200)".
    warning: why it is not the device that was asked for, or None.
    """

    kind: str
    label: str
    warning: str | None = None

    @property
    def torch_device(self) -> torch.device:
        import torch

        return torch.device(self.kind)


def choose_device(name: str) -> Device:
    """`auto` takes CUDA, then MPS, then the CPU. A named device that is absent gives the CPU and a warning.

    Raises DeviceError for a name that is not a device at all.
    """
    kind, number = named_device(name)
    if kind == "cpu" or (kind == "auto" and not may_have_gpu()):
        return Device("cpu", "cpu")
    import torch

    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    reason = why_not(kind, int(number or 0))
    if reason is not None:
        return Device("cpu", "cpu", f"Asked for {name}, but {reason}: computing on the CPU instead.")
    if kind == "cuda":
        kind = f"cuda:{int(number or 0)}"
        return Device(kind, f"cuda ({torch.cuda.get_device_name(torch.device(kind))})")
    return Device(kind, kind)


def named_device(name: str) -> tuple[str, str]:
    """Kind and number ("" without one) of a device, whether it is here or not. Raises DeviceError for another name."""
    kind, colon, number = name.partition(":")
    if kind not in DEVICE_NAMES or (colon and not (kind == "cuda" and number.isdecimal())):
        raise DeviceError(unknown_name("device", name, DEVICE_NAMES))
    return kind, number


def torch_build() -> dict[str, object] | None:
    """What torch says of its own build, without importing it: `__version__`, and `cuda`, `hip` and `xpu`, each a
    version or None. None where torch is not installed, or does not say so.
    """
    try:
        spec = importlib.util.find_spec("torch")
        return runpy.run_path(str(Path(str(spec and spec.origin)).with_name("version.py")))
    except Exception:
        return None


def may_have_gpu() -> bool:
    """False where torch surely finds no GPU here: its build has no support for any, there is no driver, or no torch."""
    if importlib.util.find_spec("torch") is None:
        return False
    if sys.platform == "darwin":
        return True
    facts = torch_build()
    if facts is None:
        return True
    if facts.get("hip") or facts.get("xpu"):
        return True
    if not facts.get("cuda"):
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def why_not(kind: str, number: int = 0) -> str | None:
    """Why torch cannot compute on `cuda` (GPU `number`) or `mps` here; None where it can."""
    import torch

    if kind == "mps" and not torch.backends.mps.is_available():
        return "this torch has no MPS device (it needs an Apple GPU)"
    if kind != "cuda":
        return None
    if torch.version.cuda is None and torch.version.hip is None:
        return "the installed torch was built without GPU support"
    if not torch.cuda.is_available():
        return "torch found no usable GPU or driver"
    if number >= torch.cuda.device_count():
        return f"there are only {torch.cuda.device_count()} GPUs, counted from 0"
    return None

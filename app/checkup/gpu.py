"""An NVIDIA card, and a torch that can compute on it. torch is not imported here: that takes seconds."""

from __future__ import annotations

import ctypes
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.checkup.child import Tried, try_python
from app.checkup.findings import Finding, fine, note, problem
from app.checkup.remedies import pip_line, run_briefly
from models.devices import torch_build

_SUBJECT = "Graphics card"
_NVIDIA, _DISPLAY_CLASS = "0x10de", "0x03"
# PyTorch's own index of builds for CUDA 13, from Turing on; for older cards there is one for CUDA 12.6.
_CUDA_INDEX = "https://download.pytorch.org/whl/cu130"
_OLDER_INDEX = "https://download.pytorch.org/whl/cu126"
_ASK_TORCH = """
import torch
torch.zeros(1, device="cuda").add_(1).item()
print(torch.cuda.get_device_name(0))
"""


@dataclass(frozen=True, slots=True)
class NvidiaCard:
    """name: as the driver calls it, or “NVIDIA card”. has_driver: whether programs can compute on it."""

    name: str
    has_driver: bool


def find_nvidia_card(
    find_program: Callable[[str], str | None] = shutil.which,
    proc: Path = Path("/proc/driver/nvidia"),
    pci: Path = Path("/sys/bus/pci/devices"),
    count_devices: Callable[[], int] | None = None,
) -> NvidiaCard | None:
    """The first NVIDIA card of this computer, however it shows itself: by its tool, its driver, or on the bus.

    count_devices: how many the driver's library tells; None asks it.
    """
    tool = find_program("nvidia-smi")
    told = run_briefly([tool, "--query-gpu=name", "--format=csv,noheader"]) if tool else None
    if told and told.strip():
        return NvidiaCard(told.strip().splitlines()[0].strip(), has_driver=True)
    for about in sorted(proc.glob("gpus/*/information")):
        model = re.search(r"^Model:\s*(.+)$", about.read_text("utf-8", "replace"), re.MULTILINE)
        return NvidiaCard(model[1].strip() if model else "NVIDIA card", has_driver=True)
    if (count_devices or _devices_of_driver)():
        return NvidiaCard("NVIDIA card", has_driver=True)
    for device in sorted(pci.glob("*")):
        if _line(device / "vendor") == _NVIDIA and _line(device / "class").startswith(_DISPLAY_CLASS):
            return NvidiaCard("NVIDIA card", has_driver=False)
    return None


def _devices_of_driver() -> int:
    """What cuInit and cuDeviceGetCount of the CUDA driver API tell; 0 without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""


def check_gpu(
    find_card: Callable[[], NvidiaCard | None] = find_nvidia_card,
    build: Callable[[], Mapping[str, object] | None] = torch_build,
    ask_torch: Callable[[], Tried] = lambda: try_python(_ASK_TORCH),
    system: str | None = None,
    machine: str | None = None,
) -> Iterator[Finding]:
    """Whether torch can compute on the NVIDIA card, where there is one.

    build: what torch's file version.py says; None without torch. ask_torch: computes on the card, in a process of its
    own. system, machine: as `platform` tells them; None for this computer's.
    """
    card, facts = find_card(), build()
    if card is None:
        yield fine(_SUBJECT, "No NVIDIA card was found; networks run on the processor, or on an Apple GPU.")
    elif not card.has_driver:
        yield note(
            _SUBJECT,
            "There is an NVIDIA card, but no driver for it is loaded.",
            "To compute on it, install NVIDIA’s driver from this system’s packages or from nvidia.com, then restart.",
        )
    elif facts is None:
        yield note(_SUBJECT, f"There is an NVIDIA card ({card.name}), but torch is not installed.", "See “Packages”.")
    elif not (facts.get("cuda") or facts.get("hip") or facts.get("xpu")):
        yield problem(
            _SUBJECT,
            f"There is an NVIDIA card ({card.name}), but the installed torch {facts.get('__version__')} was built "
            "for the processor alone.",
            f"Put the build with CUDA in its place (cards before the GTX 16 and RTX 20 series need {_OLDER_INDEX}):",
            *torch_with_cuda(system, machine),
        )
    elif (tried := ask_torch()).reason:
        yield problem(
            _SUBJECT,
            f"There is an NVIDIA card ({card.name}), but torch {facts.get('__version__')} cannot compute on it: "
            f"{tried.reason}.",
            "Update NVIDIA’s driver, then restart; if that does not help, install torch again:",
            *torch_with_cuda(system, machine),
        )
    else:
        yield fine(_SUBJECT, f"torch {facts.get('__version__')} computes on {tried.output.strip() or card.name}.")


def torch_with_cuda(system: str | None = None, machine: str | None = None) -> tuple[str, ...]:
    """The lines that put a torch with CUDA in the place of the present one.

    For Linux on x86-64 the torch of PyPI has CUDA; elsewhere it is PyTorch's index that has.
    """
    system, machine = system or platform.system(), machine or platform.machine()
    plain = system == "Linux" and machine.lower() in ("x86_64", "amd64")
    index = "" if plain else f" --index-url {_CUDA_INDEX}"
    return pip_line("uninstall -y torch"), pip_line(f"install torch{index}")

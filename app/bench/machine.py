"""What the numbers were measured on."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from app import __version__
from models.devices import choose_device

_PACKAGES = ("torch", "openvino", "mediapipe")
_NO_GPU = "no GPU"


@dataclass(frozen=True, slots=True)
class Machine:
    """cores: logical ones. memory_bytes: None where it is not known. versions: None for what is not installed."""

    cpu: str
    cores: int
    memory_bytes: int | None
    system: str
    gpu: str | None
    python: str
    versions: dict[str, str | None]

    def describe(self) -> str:
        """One line for people."""
        memory = [] if self.memory_bytes is None else [f"{self.memory_bytes / 2**30:.0f} GB memory"]
        cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
        return ", ".join([self.cpu, cores, *memory, self.system, self.gpu or _NO_GPU])

    def describe_versions(self) -> str:
        """One line for people."""
        named = [f"{name} {version or '(not installed)'}" for name, version in self.versions.items()]
        return ", ".join([*named, f"Python {self.python}"])


def this_machine() -> Machine:
    """Looks at this computer."""
    device = choose_device("auto")
    return Machine(
        cpu=_cpu_name(),
        cores=os.cpu_count() or 1,
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        gpu=None if device.kind == "cpu" else device.label,
        python=platform.python_version(),
        versions={
            "PoseScope": __version__,
            **{name: _version(name) for name in _PACKAGES},
            "opencv": cv2.__version__,
        },
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        match platform.system():
            case "Linux":
                facts = Path("/proc/cpuinfo").read_text("utf-8")
                named = re.search(r"^model name\s*:\s*(.+)$", facts, re.MULTILINE)
                name = named[1] if named else ""
            case "Darwin":
                asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
                name = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout
            case "Windows":
                winreg = importlib.import_module("winreg")
                key = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as processor:
                    name = str(winreg.QueryValueEx(processor, "ProcessorNameString")[0])
            case _:
                name = ""
    except (OSError, subprocess.SubprocessError):
        name = ""
    return name.strip() or platform.processor() or platform.machine() or "unknown CPU"


def _memory_bytes() -> int | None:
    if platform.system() == "Windows":
        return _windows_memory_bytes()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _windows_memory_bytes() -> int | None:
    kilobytes = ctypes.c_ulonglong(0)
    kernel: Any = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009  # missing in the stubs of other systems
    told = kernel.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024 if told else None

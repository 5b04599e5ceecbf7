"""Which device torch computes on."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.errors import DeviceError, unknown_name

DEVICE_NAMES = ("auto", "cuda", "mps", "cpu")


@dataclass(frozen=True, slots=True)
class Device:
    """A device to compute on.

    label: what the user is shown, for example "cuda (NVIDIA H200)".
    warning: why it is not the device that was asked for, or None.
    """

    torch_device: torch.device
    label: str
    warning: str | None = None


def choose_device(name: str) -> Device:
    """`auto` takes CUDA, then MPS, then the CPU. A named device that is absent gives the CPU and a warning.

    Raises DeviceError for a name that is not a device at all.
    """
    kind, colon, number = name.partition(":")
    if kind not in DEVICE_NAMES or (colon and not (kind == "cuda" and number.isdecimal())):
        raise DeviceError(unknown_name("device", name, DEVICE_NAMES))
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    reason = why_not(kind, int(number or 0))
    if reason is not None:
        return Device(torch.device("cpu"), "cpu", f"Asked for {name}, but {reason}: computing on the CPU instead.")
    if kind == "cuda":
        device = torch.device("cuda", int(number or 0))
        return Device(device, f"cuda ({torch.cuda.get_device_name(device)})")
    return Device(torch.device(kind), kind)


def why_not(kind: str, number: int = 0) -> str | None:
    """Why torch cannot compute on `cuda` (GPU `number`) or `mps` here; None where it can."""
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


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished, so that a clock read next to it tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

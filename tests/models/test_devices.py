"""Which device is taken, on machines with and without a GPU."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.devices import DEVICE_NAMES, choose_device, may_have_gpu, torch_build
from models.errors import DeviceError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.devices.may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Make {device.index}")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("name", ["cpu", "auto"])
@pytest.mark.usefixtures("no_gpu")
def test_the_cpu_needs_no_excuse(name):
    device = choose_device(name)
    assert (device.torch_device, device.label, device.warning) == (torch.device("cpu"), "cpu", None)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:99", "mps"])
@pytest.mark.usefixtures("no_gpu")
def test_a_device_that_is_not_there_becomes_the_cpu_with_a_reason(name):
    device = choose_device(name)
    assert (device.torch_device, device.label) == (torch.device("cpu"), "cpu")
    assert device.warning.startswith(f"Asked for {name}, but ")
    assert device.warning.endswith(": computing on the CPU instead.")


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.usefixtures("no_gpu")
def test_the_reason_tells_a_missing_driver_from_a_torch_without_gpu(built, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0" if built else None)
    monkeypatch.setattr(torch.version, "hip", None)
    expected = "no usable GPU or driver" if built else "built without GPU support"
    assert expected in choose_device("cuda").warning


@pytest.mark.parametrize(("name", "number"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
@pytest.mark.usefixtures("two_gpus")
def test_gpus_are_taken_by_their_number(name, number):
    device = choose_device(name)
    assert device.torch_device == torch.device("cuda", number)
    assert (device.label, device.warning) == (f"cuda (Make {number})", None)


@pytest.mark.parametrize("name", ["cuda:2", "cuda:99"])
@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_beyond_the_last_becomes_the_cpu(name):
    device = choose_device(name)
    assert device.torch_device == torch.device("cpu")
    assert "there are only 2 GPUs, counted from 0" in device.warning


def test_auto_takes_mps_where_there_is_no_cuda(monkeypatch):
    monkeypatch.setattr("models.devices.may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    for name in ("auto", "mps"):
        device = choose_device(name)
        assert (device.torch_device, device.label, device.warning) == (torch.device("mps"), "mps", None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gpu",
        "CUDA",
        "cuda:one",
        "cuda:-1",
        "cuda:1.5",
        "cuda:0:0",
        "cuda:",
        "cpu:",
        "auto:",
        "cpu:0",
        "mps:1",
        "auto:0",
        "tpu",
        "\n",
    ],
)
def test_what_is_no_device_is_told_with_all_that_are(name):
    with pytest.raises(DeviceError) as error:
        choose_device(name)
    assert str(error.value).startswith(f"Unknown device “{name}”.")
    assert str(error.value).endswith(f"Known: {', '.join(DEVICE_NAMES)}.")


def test_the_nearest_device_is_named():
    with pytest.raises(DeviceError, match="Did you mean “cuda”"):
        choose_device("cudda")


def test_a_chosen_device_computes():
    for name in DEVICE_NAMES:
        device = choose_device(name).torch_device
        assert torch.ones(3, device=device).sum().item() == 3


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here")
def test_without_any_gpu_torch_is_not_even_imported():
    code = (
        "import sys; from models.devices import choose_device; choose_device('auto'); sys.exit('torch' in sys.modules)"
    )
    built_without = torch.version.cuda is None and torch.version.hip is None and sys.platform != "darwin"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=120).returncode
    assert may_have_gpu() == bool(loaded)
    assert not (built_without and loaded)


def test_without_torch_there_is_the_cpu(monkeypatch):
    """OpenVINO needs torch only to make its graphs, which are kept."""
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it raises ImportError
    assert not may_have_gpu()
    assert choose_device("auto").kind == "cpu"
    assert torch_build() is None


@pytest.mark.thorough
def test_the_build_of_torch_is_told_without_importing_it():
    code = """
import sys
from models.devices import torch_build
facts = torch_build()
assert "torch" not in sys.modules
import torch
assert (facts["__version__"], facts["cuda"], facts["hip"]) == (torch.__version__, torch.version.cuda, torch.version.hip)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)

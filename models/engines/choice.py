"""Which engine runs a bundle."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from models.bundle import Bundle, open_bundle
from models.devices import Device, choose_device, named_device
from models.engines.engine import Engine
from models.errors import DeviceError, UserError, unknown_name
from models.head_file import HeadError, TrainedHead
from models.people import MEDIAPIPE
from models.top_down.files import is_checkpoint

# Path, and the sha256 that the file must have, or None.
BundleFile = tuple[Path, str | None]

ENGINE_NAMES = ("auto", "openvino", "torch", MEDIAPIPE)
NO_HEATMAPS = "MediaPipe gives points and no heatmaps: there is nothing for decoders to read."


def open_engine(
    path: Path,
    device: str = "auto",
    sha256: str | None = None,
    engine: str = "auto",
    detector: BundleFile | None = None,
    heads: Sequence[TrainedHead] = (),
) -> Engine:
    """Run the .task bundle, or the checkpoint of a top-down network, at `path` on a device, as fast as can be done.

    device: auto, cuda, cuda:N, mps or cpu. engine: auto takes OpenVINO on the CPU, CUDA graphs on CUDA and torch
    elsewhere, and torch wherever the faster one cannot be used; mediapipe is none of these, see
    `models.estimators.load_estimator`. detector: path and sha256 of the bundle whose person detector looks for people
    where the file is a checkpoint, which has none; see `models.top_down.checkpoint`. heads: trained for this bundle's
    network. Raises BundleError, DeviceError or HeadError with one sentence.
    """
    check_names(device, engine, needs_heatmaps=True)
    if is_checkpoint(path):
        from models.engines.top_down_choice import open_top_down

        if heads:
            raise HeadError(f"The head “{heads[0].label}” is for a network of BlazePose, not for a checkpoint.")
        return open_top_down(path, device, engine, detector)
    bundle = open_bundle(path, sha256)
    for head in heads:
        head.check_network(bundle.landmarks_sha256)
    chosen = choose_device("cpu" if engine == "openvino" and device == "auto" else device)
    if engine == "openvino" and chosen.kind != "cpu":
        raise DeviceError(f"OpenVINO computes on the CPU here, not on {device}: leave --device or --engine out.")
    if chosen.kind.startswith("cuda") and engine == "auto":
        return _cuda_engine(bundle, chosen, heads)
    if chosen.kind != "cpu" or engine == "torch":
        return _torch_engine(bundle, chosen, heads)
    try:
        from models.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(bundle, chosen, heads=heads)
    except UserError:
        raise
    except Exception as error:
        # Not installed, or too new or too old for this network or this torch: torch computes the same, slower.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if engine == "openvino":
        raise DeviceError(f"OpenVINO cannot be used here ({reason}).")
    slower = f"OpenVINO cannot be used here ({reason}): computing in torch instead, which is slower."
    return _torch_engine(bundle, dataclasses.replace(chosen, warning=chosen.warning or slower), heads)


def check_names(device: str, engine: str, *, needs_heatmaps: bool = False) -> None:
    """Raises DeviceError with one sentence for what is no device or no engine, wherever it is, and for MediaPipe where
    it is not installed or cannot do what is asked for.
    """
    named_device(device)
    if engine not in ENGINE_NAMES:
        raise DeviceError(unknown_name("engine", engine, ENGINE_NAMES))
    if engine != MEDIAPIPE:
        return
    if needs_heatmaps:
        raise DeviceError(f"{NO_HEATMAPS} Choose another engine.")
    if device not in ("auto", "cpu"):
        raise DeviceError(f"MediaPipe computes on the CPU here, not on {device}: choose another device or engine.")
    check_mediapipe()


def check_mediapipe() -> None:
    """Raises DeviceError with one sentence where MediaPipe is not installed; does not import it."""
    if importlib.util.find_spec("mediapipe") is None:
        raise DeviceError('MediaPipe is not installed here: python -m pip install "mediapipe>=1.2"')


def _torch_engine(bundle: Bundle, device: Device, heads: Sequence[TrainedHead]) -> Engine:
    from models.engines.torch_engine import TorchEngine

    return TorchEngine(bundle, device, heads)


def _cuda_engine(bundle: Bundle, device: Device, heads: Sequence[TrainedHead] = ()) -> Engine:
    try:
        from models.engines.cuda_engine import CudaEngine

        return CudaEngine(bundle, device, heads=heads)
    except UserError:
        raise
    except Exception as error:
        # A GPU, driver or torch that cannot record graphs: torch computes the same there, layer by layer.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    slower = f"CUDA graphs cannot be used here ({reason}): computing layer by layer instead, which takes longer."
    return _torch_engine(bundle, dataclasses.replace(device, warning=device.warning or slower), heads)

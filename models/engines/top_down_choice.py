"""Which engine runs a checkpoint of a top-down network."""

from __future__ import annotations

from pathlib import Path

from models.bundle import open_bundle
from models.devices import choose_device
from models.engines.top_down_engine import Networks, TopDownEngine, TorchNetworks
from models.errors import BundleError, DeviceError
from models.top_down.checkpoint import open_checkpoint


def open_top_down(path: Path, device: str, engine: str, detector: tuple[Path, str | None] | None) -> TopDownEngine:
    """As `models.engines.choice.open_engine`, which has checked the names: auto takes OpenVINO on the CPU where that
    can be used, else torch.
    """
    if detector is None:
        raise BundleError(
            f"{path} is a checkpoint of a top-down network, which is of no use here: take a .task bundle."
        )
    chosen = choose_device("cpu" if engine == "openvino" and device == "auto" else device)
    if engine == "openvino" and chosen.kind != "cpu":
        raise DeviceError(f"OpenVINO computes on the CPU here, not on {device}: leave --device or --engine out.")
    bundle = open_bundle(*detector)
    network = open_checkpoint(path)
    warning = chosen.warning
    networks: Networks | None = None
    if chosen.kind == "cpu" and engine != "torch":
        try:
            from models.engines.top_down_openvino import OpenVinoNetworks

            networks = OpenVinoNetworks(network, bundle)
        except Exception as error:
            # Not installed, or too new or too old for this network or this torch: torch computes the same, slower.
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            if engine == "openvino":
                raise DeviceError(f"OpenVINO cannot be used here ({reason}).") from None
            slower = f"OpenVINO cannot be used here ({reason}): computing in torch instead, which is slower."
            warning = warning or slower
    return TopDownEngine(networks or TorchNetworks(network, bundle, chosen), network.input_size, warning)

"""OpenVINO, which runs the networks on a processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.checkup.child import Tried, try_python
from app.checkup.findings import Finding, fine, problem
from app.checkup.remedies import pip_line

_SUBJECT = "OpenVINO"
_IMPORT = """
from models.engines.openvino_runtime import openvino
if "CPU" not in openvino.Core().available_devices:
    raise SystemExit("it finds no processor that it can compute on")
print(openvino.get_version().partition("-")[0])
"""


def check_openvino(ask: Callable[[], Tried] = lambda: try_python(_IMPORT)) -> Iterator[Finding]:
    """Whether it can be imported and finds the processor. ask: tries that in a process of its own."""
    tried = ask()
    if tried.reason:
        yield problem(
            _SUBJECT,
            f"It cannot be used ({tried.reason}): on a processor torch computes instead, which takes three times as "
            "long.",
            "Install it again:",
            pip_line("install --upgrade --force-reinstall --no-deps openvino"),
        )
    else:
        yield fine(_SUBJECT, f"Version {tried.output.strip()} runs the networks on the processor.")

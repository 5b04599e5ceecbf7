"""The one way to import OpenVINO here: `from models.engines.openvino_runtime import openvino`.

Merely importing it reports that to its maker over the network, unless the user has forbidden it in a file of theirs or
the package `openvino_telemetry` cannot be imported. PoseScope sends nothing, so here it cannot be.
"""

from __future__ import annotations

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # the documented way to make an import fail

import openvino  # noqa: E402

__all__ = ["openvino"]

"""The latency ledger as plain data: what `posescope run` reports and what the window exports."""

from __future__ import annotations

import math
from typing import Any

from app import __version__
from app.meters.board import PAINTED, MeterSnapshot
from app.session import Session


def latency_ledger(session: Session, snapshot: MeterSnapshot, *, window_s: float) -> dict[str, Any]:
    """For JSON: where and how this was measured, ms by stage, frames dropped and where.

    window_s: over which time `snapshot` was taken; infinite for a whole run, which is None in the result.
    """
    dropped = session.dropped
    if PAINTED not in snapshot.latency:
        del dropped["before the paint"]  # without a window nothing is to be painted
    return {
        "posescope": __version__,
        "source": session.source.name,
        "model": session.network.label,
        "device": session.device_label,
        "decoder": session.choice.name,
        "beta": session.choice.beta,
        "window_s": window_s if math.isfinite(window_s) else None,
        "processing_fps": round(snapshot.fps, 6) if math.isfinite(snapshot.fps) else None,
        "stages_ms": {stage: spread.as_dict() for stage, spread in snapshot.latency.items()},
        "decode_parts_ms": {part: spread.as_dict() for part, spread in snapshot.decoders.items()},
        "frame_interval_ms": snapshot.frame_interval.as_dict() if snapshot.frame_interval else None,
        "dropped_since_start": {where.replace(" ", "_"): count for where, count in dropped.items()},
    }

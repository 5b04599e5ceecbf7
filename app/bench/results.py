"""What was measured, and as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bench.agreement import CellErrors
from app.bench.contenders import MEDIAPIPE, Missing
from app.bench.machine import Machine
from app.bench.measure import STAGES, TOTAL, Spread
from app.bench.sweep import Step, Sweep


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine. stages: by STAGES and TOTAL, None for what it does not tell or what never ran.

    errors: by decoder, None for MediaPipe. share_of_body: median distance of MediaPipe's points from the reference's
    regression, None for the others. peak_mb: None where it could not be measured.
    """

    name: str
    device: str
    stages: Mapping[str, Spread | None]
    frames_with_person: int
    errors: Mapping[str, CellErrors] | None
    share_of_body: float | None
    peak_mb: float | None

    @property
    def total_ms(self) -> float:
        """Median of the whole frame; NaN without frames."""
        total = self.stages[TOTAL]
        return math.nan if total is None else total.p50

    @property
    def fps(self) -> float:
        """Frames a second, one after the other, at the median time."""
        return 1000 / self.total_ms


@dataclass(frozen=True, slots=True)
class Bench:
    """size: width and height of the first frame in px."""

    machine: Machine
    model: str
    source: str
    size: tuple[int, int]
    frames: int
    people: int
    engines: list[EngineResult]
    missing: list[Missing]
    sweep: Sweep | None

    def vs_mediapipe(self, engine: EngineResult) -> float | None:
        """The engine's time as a multiple of MediaPipe's in this run: below 1 it is faster. None without MediaPipe."""
        for other in self.engines:
            if other.name == MEDIAPIPE:
                return engine.total_ms / other.total_ms
        return None


def as_json(bench: Bench) -> dict[str, Any]:
    """Plain values. Times in ms, memory in MB (2²⁰ bytes), errors in cells of the heatmap."""
    report: dict[str, Any] = {
        "frames": bench.frames,
        "people": bench.people,
        "model": bench.model,
        "source": bench.source,
        "frame_size": list(bench.size),
        "machine": dataclasses.asdict(bench.machine),
        "engines": [_engine(bench, engine) for engine in bench.engines],
        "not_measured": [dataclasses.asdict(missing) for missing in bench.missing],
    }
    if bench.sweep is not None:
        report["sweep"] = _sweep(bench.sweep)
    return report


def _engine(bench: Bench, engine: EngineResult) -> dict[str, Any]:
    errors = engine.errors
    return {
        "name": engine.name,
        "device": engine.device,
        "stages_ms": {stage: _spread(engine.stages[stage]) for stage in (*STAGES, TOTAL)},
        "fps": engine.fps,
        "frames_with_person": engine.frames_with_person,
        "max_error_cells": None if errors is None else _finite(max(error.max for error in errors.values())),
        "error_cells": None
        if errors is None
        else {
            decoder: {
                "p50": _finite(error.p50),
                "p95": _finite(error.p95),
                "max": _finite(error.max),
                "above_0.1": error.far_share,
            }
            for decoder, error in errors.items()
        },
        "median_share_of_body": engine.share_of_body,
        "peak_memory_mb": engine.peak_mb,
        "vs_mediapipe": bench.vs_mediapipe(engine),
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity; a point that is no number is that far off."""
    return value if math.isfinite(value) else None


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    return None if spread is None else dataclasses.asdict(spread)


def _sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "engine": sweep.engine,
        "frames": sweep.frames,
        "frame_sizes": [{"size": step.label, "pixels": step.amount, **_growth(step)} for step in sweep.sizes],
        "people": [{"people": step.amount, **_growth(step)} for step in sweep.people],
        "decoders": [dataclasses.asdict(part) for part in sweep.parts],
        "decoder_samples": sweep.part_samples,
    }


def _growth(step: Step) -> dict[str, Any]:
    share = step.share_of_linear
    return {
        "total_ms": _spread(step.total),
        "time_ratio": step.time_ratio,
        "size_ratio": step.size_ratio,
        "share_of_linear": share,
        "no_worse_than_linear": None if share is None else share <= 1,
    }

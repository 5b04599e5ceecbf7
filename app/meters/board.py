"""All meters together, fed from the pipeline's threads and read by the window, the overlay and the report."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from app.frames import PoseResult, Readings
from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter
from app.meters.latency import LatencyMeter, Spread
from app.meters.rolling import JointDistances

# Stages in the order in which a frame passes them. "estimated" ends when the people are known, "painted" when the
# picture that shows them is on screen; both count from the moment the host received the frame.
ESTIMATED = "estimated"
PAINTED = "painted"
STAGES = ("capture wait", "preprocess", "detect", "network", "decode", "overlay", "paint")


@dataclass(frozen=True, slots=True)
class MeterSnapshot:
    """What all meters show at one moment."""

    latency: dict[str, Spread]
    fps: float
    jitter: JointDistances
    bias: JointDistances


class MeterBoard:
    """Thread-safe: results come from the inference thread, paint times from the window, readers from anywhere."""

    def __init__(self, *, latency_window_s: float = 10.0, jitter_window_s: float = 2.0) -> None:
        self._lock = threading.Lock()
        self._latency = LatencyMeter(latency_window_s)
        self._jitter = JitterMeter(jitter_window_s)
        self._bias = BiasMeter(jitter_window_s)
        self._beta = math.nan

    def add(self, result: PoseResult) -> None:
        """One estimated frame."""
        stages = result.stages
        if stages is None:
            return
        person = result.people[0] if result.people else None
        with self._lock:
            durations = (stages.capture_wait, stages.preprocess, stages.detect, stages.network, stages.decode)
            for stage, duration in zip(STAGES, durations, strict=False):
                self._latency.add(stage, stages.done_ns, duration)
            self._latency.add(ESTIMATED, stages.done_ns, stages.done_ns - result.frame.captured_ns)
            if result.beta != self._beta:
                # What was read with another beta says nothing about this one.
                self._beta = result.beta
                self._jitter.clear()
                self._bias.clear()
            self._jitter.add(result.frame.time_ns, person, continues=result.frame.continues)
            self._bias.add(result.frame.time_ns, person)

    def add_paint(self, result: PoseResult, overlay_ns: int, paint_ns: int, painted_ns: int) -> None:
        """The first paint of a result ended at `painted_ns` of the host clock."""
        if result.stages is None:
            return
        with self._lock:
            self._latency.add("overlay", painted_ns, overlay_ns)
            self._latency.add("paint", painted_ns, paint_ns)
            self._latency.add(PAINTED, painted_ns, painted_ns - result.frame.captured_ns)

    def read(self) -> MeterSnapshot:
        """All meters at this moment."""
        with self._lock:
            return MeterSnapshot(
                self._latency.read_all(), self._latency.rate(ESTIMATED), self._jitter.read(), self._bias.read()
            )

    def readings(self) -> Readings:
        """The few numbers that are drawn into the picture: capture to paint, or to estimate where none is painted."""
        snapshot = self.read()
        latency = snapshot.latency.get(PAINTED) or snapshot.latency.get(ESTIMATED)
        return Readings(
            latency_ms=latency.p50 if latency else float("nan"),
            fps=snapshot.fps,
            jitter_px=snapshot.jitter.overall,
            bias_px=snapshot.bias.overall,
        )

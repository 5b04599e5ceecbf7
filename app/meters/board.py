"""All meters of a session, and what they show at one moment."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from app.frames import PoseResult, Readings
from app.meters.bias import BiasMeter
from app.meters.jitter import JitterMeter, Motion
from app.meters.lag import LagMeter
from app.meters.latency import LatencyMeter, Spread
from app.meters.rolling import JointDistances

# Stages in the order in which a frame passes them. "estimated" ends when the people are known, "painted" when the
# picture that shows them is on screen; both count from the moment the host received the frame. "hand-over" is the rest:
# from the estimate until the window looks, and between its drawing and its paint.
ESTIMATED = "estimated"
PAINTED = "painted"
STAGES = ("capture wait", "preprocess", "detect", "network", "decode", "hand-over", "overlay", "paint")
LATENCY_WINDOW_S = 10.0
JITTER_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class MeterSnapshot:
    """What all meters show at one moment.

    latency: by stage; decoders: the parts of "decode" (see `models.estimator.EstimateTimes`).
    frame_interval: between the pictures of the source, dropped ones counted; None before the second picture.
    smoothed_jitter: of the smoothed points; empty where smoothing is off.
    """

    latency: dict[str, Spread]
    decoders: dict[str, Spread]
    frame_interval: Spread | None
    fps: float
    jitter: JointDistances
    bias: JointDistances
    motion: Motion
    smoothed_jitter: JointDistances


class MeterBoard:
    """Thread-safe: results come from the inference thread, paint times from the window, readers from anywhere."""

    def __init__(self, *, latency_window_s: float = LATENCY_WINDOW_S, jitter_window_s: float = JITTER_WINDOW_S) -> None:
        self._lock = threading.Lock()
        self._latency = LatencyMeter(latency_window_s)
        # Some engines take the decoders apart only now and then: none of those few is left out.
        self._decoders = LatencyMeter(latency_window_s, warm_up=0)
        self._interval = LatencyMeter(latency_window_s, warm_up=0)
        self._jitter = JitterMeter(jitter_window_s)
        self._bias = BiasMeter(jitter_window_s)
        self._smoothed_jitter = JitterMeter(jitter_window_s)
        self._lag = LagMeter()
        self._read_by: tuple[str, str, float] | None = None
        self._last: PoseResult | None = None
        self.latency_window_s = latency_window_s
        self.jitter_window_s = jitter_window_s

    def set_latency_window(self, seconds: float) -> None:
        """How far back the latency meters look."""
        with self._lock:
            self.latency_window_s = seconds
            for meter in (self._latency, self._decoders, self._interval):
                meter.set_window(seconds)

    def set_jitter_window(self, seconds: float) -> None:
        """How far back jitter, bias and motion look."""
        with self._lock:
            self.jitter_window_s = seconds
            for meter in (self._jitter, self._bias, self._smoothed_jitter):
                meter.set_window(seconds)

    def forget_smoothing(self) -> None:
        """The smoothing was changed: what was read before says nothing about it."""
        self._lag.clear()
        with self._lock:
            self._smoothed_jitter.clear()

    def add(self, result: PoseResult) -> None:
        """One estimated frame."""
        if result.stages is None:
            return
        with self._lock:
            read_by = result.network, result.device, result.beta
            if self._read_by is not None and read_by[:2] != self._read_by[:2]:
                for times in (self._latency, self._decoders):
                    times.clear()
            if read_by != self._read_by:
                # What another network, or another beta, has read says nothing about this one.
                self._read_by = read_by
                for meter in (self._jitter, self._bias, self._smoothed_jitter):
                    meter.clear()
            self._add_times(result)
            self._add_people(result)
            self._last = result

    def _add_times(self, result: PoseResult) -> None:
        stages, frame = result.stages, result.frame
        assert stages is not None
        durations = (stages.capture_wait, stages.preprocess, stages.detect, stages.network, stages.decode)
        for stage, duration in zip(STAGES, durations, strict=False):
            self._latency.add(stage, stages.done_ns, duration)
        self._latency.add(ESTIMATED, stages.done_ns, stages.done_ns - frame.captured_ns)
        for part, duration in stages.decoders.items():
            self._decoders.add(part, stages.done_ns, duration)
        if self._last is not None and frame.continues and frame.index > self._last.frame.index:
            passed = (frame.time_ns - self._last.frame.time_ns) / (frame.index - self._last.frame.index)
            self._interval.add("frame", stages.done_ns, passed)

    def _add_people(self, result: PoseResult) -> None:
        time_ns, continues = result.frame.time_ns, result.frame.continues
        person = result.people[0] if result.people else None
        smoothed = result.smoothed[0] if result.smoothed else None
        self._jitter.add(time_ns, person, continues=continues)
        self._bias.add(time_ns, person)
        self._smoothed_jitter.add(time_ns, smoothed, continues=continues)
        self._lag.add(time_ns, person, smoothed, result.decoder, continues=continues)

    def add_paint(self, result: PoseResult, overlay_ns: int, paint_ns: int, painted_ns: int) -> None:
        """The first paint of a result ended at `painted_ns` of the host clock."""
        if result.stages is None:
            return
        with self._lock:
            estimation_ns = result.stages.done_ns - result.frame.captured_ns
            rest_ns = painted_ns - result.stages.done_ns - overlay_ns - paint_ns
            stages = result.stages
            booked_ns = stages.capture_wait + stages.preprocess + stages.detect + stages.network + stages.decode
            self._latency.add("hand-over", painted_ns, max(0, rest_ns + estimation_ns - booked_ns))
            self._latency.add("overlay", painted_ns, overlay_ns)
            self._latency.add("paint", painted_ns, paint_ns)
            self._latency.add(PAINTED, painted_ns, painted_ns - result.frame.captured_ns)

    def read(self) -> MeterSnapshot:
        """All meters at this moment."""
        with self._lock:
            jitter = self._jitter.read()
            return MeterSnapshot(
                latency=self._latency.read_all(),
                decoders=self._decoders.read_all(),
                frame_interval=self._interval.read("frame"),
                fps=self._latency.rate(ESTIMATED),
                jitter=jitter,
                bias=self._bias.read(jitter.seen),
                motion=self._jitter.motion(),
                smoothed_jitter=self._smoothed_jitter.read(),
            )

    def read_lag(self) -> float | None:
        """How many ms the smoothed points of the chosen decoder lag behind; None where it cannot be told."""
        return self._lag.read()  # has a lock of its own, and takes its time

    def readings(self) -> Readings:
        """The few numbers that are drawn into the picture: capture to paint, or to estimate where none is painted."""
        with self._lock:
            latency_ms = self._latency.median(PAINTED)
            jitter = self._jitter.read()
            return Readings(
                latency_ms=self._latency.median(ESTIMATED) if math.isnan(latency_ms) else latency_ms,
                fps=self._latency.rate(ESTIMATED),
                jitter_px=jitter.overall,
                bias_px=self._bias.read(jitter.seen).overall,
            )

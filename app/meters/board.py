"""All meters of a session, and what they show at one moment."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from app.frames import PoseResult, Readings
from app.meters.bias import BiasMeter
from app.meters.difference import DifferenceMeter
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
    jitter, bias, motion: of one person, `person`; None before anybody was seen.
    smoothed_jitter: of the smoothed points; empty where smoothing is off.
    difference: of MediaPipe's points from ours, a share of the body; NaN where they are not compared.
    people: who is known, by their numbers, with their slots (`models.people.Person`).
    """

    latency: dict[str, Spread]
    decoders: dict[str, Spread]
    frame_interval: Spread | None
    fps: float
    jitter: JointDistances
    bias: JointDistances
    motion: Motion
    smoothed_jitter: JointDistances
    difference: float
    person: int | None
    people: dict[int, int]


class _PersonMeters:
    """The meters of one person. Another who comes, goes or crosses does not change them."""

    def __init__(self, window_s: float) -> None:
        self.slot = 0
        self.seen_ns = 0
        self.jitter = JitterMeter(window_s)
        self.bias = BiasMeter(window_s)
        self.smoothed_jitter = JitterMeter(window_s)
        self.difference = DifferenceMeter(window_s)

    @property
    def all(self) -> tuple[JitterMeter, BiasMeter, JitterMeter, DifferenceMeter]:
        return self.jitter, self.bias, self.smoothed_jitter, self.difference

    def add(self, result: PoseResult, person_id: int) -> None:
        time_ns, continues = result.frame.time_ns, result.frame.continues
        person = result.with_number(person_id)
        self.jitter.add(time_ns, person, continues=continues)
        self.bias.add(time_ns, person)
        self.smoothed_jitter.add(time_ns, result.with_number(person_id, smoothed=True), continues=continues)
        self.difference.add(time_ns, person)
        if person is not None:
            self.slot, self.seen_ns = person.slot, time_ns


class MeterBoard:
    """Thread-safe: results come from the inference thread, paint times from the window, readers from anywhere."""

    def __init__(self, *, latency_window_s: float = LATENCY_WINDOW_S, jitter_window_s: float = JITTER_WINDOW_S) -> None:
        self._lock = threading.Lock()
        self._latency = LatencyMeter(latency_window_s)
        # Some engines take the decoders apart only now and then: none of those few is left out.
        self._decoders = LatencyMeter(latency_window_s, warm_up=0)
        self._interval = LatencyMeter(latency_window_s, warm_up=0)
        self._people: dict[int, _PersonMeters] = {}
        self._nobody = _PersonMeters(jitter_window_s)
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
            for person in (self._nobody, *self._people.values()):
                for meter in person.all:
                    meter.set_window(seconds)

    def forget_smoothing(self) -> None:
        """The smoothing was changed: what was read before says nothing about it."""
        self._lag.clear()
        with self._lock:
            for person in self._people.values():
                person.smoothed_jitter.clear()

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
                self._people.clear()
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
        for person in result.people:
            self._people.setdefault(person.id, _PersonMeters(self.jitter_window_s))
        # Who is out of view may come back under their number, but not over a cut: all are numbered anew after it.
        window_ns = self.jitter_window_s * 1e9
        remembered_ns = window_ns if result.frame.continues or math.isinf(window_ns) else 0
        for number, meters in list(self._people.items()):
            meters.add(result, number)
            if result.frame.time_ns - meters.seen_ns > remembered_ns:
                del self._people[number]
        self._lag.add(
            result.frame.time_ns,
            result.person,
            result.smoothed_person,
            result.decoder,
            continues=result.frame.continues,
        )

    def _focused(self) -> tuple[int | None, _PersonMeters]:
        """Whom the meters show: who was asked for, or else the first of those in sight, or else of those who were."""
        focus = self._last.focus if self._last is not None else None
        if focus in self._people:
            return focus, self._people[focus]
        in_sight = (person.id for person in self._last.people) if self._last is not None else ()
        number = next((one for one in (*in_sight, *self._people) if one in self._people), None)
        return number, self._people[number] if number is not None else self._nobody

    def _pooled(self) -> tuple[None, _PersonMeters]:
        whole, parts = _PersonMeters(self.jitter_window_s), list(self._people.values())
        whole.jitter = JitterMeter.pooled([part.jitter for part in parts])
        whole.bias = BiasMeter.pooled([part.bias for part in parts])
        whole.smoothed_jitter = JitterMeter.pooled([part.smoothed_jitter for part in parts])
        whole.difference = DifferenceMeter.pooled([part.difference for part in parts])
        return None, whole

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

    def read(self, *, everybody: bool = False) -> MeterSnapshot:
        """All meters at this moment. everybody: of all people together, instead of one."""
        with self._lock:
            number, meters = self._pooled() if everybody and self._people else self._focused()
            jitter = meters.jitter.read()
            return MeterSnapshot(
                latency=self._latency.read_all(),
                decoders=self._decoders.read_all(),
                frame_interval=self._interval.read("frame"),
                fps=self._latency.rate(ESTIMATED),
                jitter=jitter,
                bias=meters.bias.read(jitter.seen),
                motion=meters.jitter.motion(),
                smoothed_jitter=meters.smoothed_jitter.read(),
                difference=meters.difference.read(),
                person=number,
                people={one: known.slot for one, known in sorted(self._people.items())},
            )

    def read_people(self) -> dict[int, tuple[JointDistances, JointDistances]]:
        """Jitter and bias of everybody who is known, by their numbers."""
        with self._lock:
            found = {}
            for number, meters in sorted(self._people.items()):
                jitter = meters.jitter.read()
                found[number] = jitter, meters.bias.read(jitter.seen)
            return found

    def read_lag(self) -> float | None:
        """How many ms the smoothed points of the chosen decoder lag behind; None where it cannot be told."""
        return self._lag.read()  # has a lock of its own, and takes its time

    def readings(self) -> Readings:
        """The few numbers that are drawn into the picture: capture to paint, or to estimate where none is painted."""
        with self._lock:
            latency_ms = self._latency.median(PAINTED)
            _, meters = self._focused()
            jitter = meters.jitter.read()
            return Readings(
                latency_ms=self._latency.median(ESTIMATED) if math.isnan(latency_ms) else latency_ms,
                fps=self._latency.rate(ESTIMATED),
                jitter_px=jitter.overall,
                bias_px=meters.bias.read(jitter.seen).overall,
            )

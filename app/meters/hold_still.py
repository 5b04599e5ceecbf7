"""The hold-still measurement: a countdown, five seconds of jitter and bias of every decoder, a card with the result."""

from __future__ import annotations

import csv
import io
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.decoder_display import WITH_BETA, display_name, three_digits
from app.frames import PoseResult
from app.meters.jitter import STILL_BODY_SHARE
from app.meters.stillness import Seen, StillStretches, StretchReading, seconds
from models.people import MEDIAPIPE
from models.skeletons import BLAZEPOSE_33

Phase = Literal["countdown", "measuring", "done", "failed"]

COUNTDOWN_S = 3.0
MEASURE_S = 5.0
# Where the person moves, it goes on to look for a stretch in which they do not: at least so long, and until then.
SHORTEST_STILL_S = 2.0
LOOK_FOR_S = 15.0
# Longer without anybody, or without a picture, and what is left is too little to speak for the whole time.
_LONGEST_ABSENCE_NS = 1_000_000_000

# Texts are English; where they are shown, it translates.
Translate = Callable[[str], str]

# Reads no heatmap, so it takes no part in the comparison of the heatmap decoders.
_NO_HEATMAP = frozenset({"regression", MEDIAPIPE})

CSV_COLUMNS = (
    "decoder", "beta", "jitter_px", "jitter_percent_of_body", "bias_px", "bias_percent_of_body", "smoothed_jitter_px",
    "speed_px_per_s", "joints", "joints_left_out", "frames", "seconds", "fps", "source", "width", "height", "network",
    "device",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HoldStillState:
    """Where a measurement is.

    seconds_left: of the phase, on the time line of the frames; 0 at the end.
    message: one sentence for the user: what to do, the verdict, or why it failed.
    """

    phase: Phase
    seconds_left: float
    message: str


@dataclass(frozen=True, slots=True)
class DecoderReading:
    """Root mean squares over the joints that were seen, in px of the source and as shares of the body's size.

    smoothed_jitter_px: jitter of the smoothed points; NaN where smoothing was not on all the time.
    """

    decoder: str
    jitter_px: float
    jitter_share: float
    bias_px: float
    bias_share: float
    smoothed_jitter_px: float


@dataclass(frozen=True, slots=True)
class HoldStillCard:
    """The result of a measurement, and the conditions that it holds for.

    beta: of ipr and debiased. width, height: of the picture, px. frames: measured, with or without a person;
    seconds: from the first to the last of them. speed_px, speed_share: how fast the joints moved, px/s and share of the
    body a second. joints_left_out: names of those whose heatmap's peak was too low.
    """

    readings: tuple[DecoderReading, ...]
    source: str
    width: int
    height: int
    network: str
    device: str
    beta: float
    frames: int
    seconds: float
    joints: int
    joints_left_out: tuple[str, ...]
    speed_px: float
    speed_share: float

    @property
    def moved(self) -> bool:
        """Whether the person moved too much for a figure of holding still."""
        return self.speed_share > STILL_BODY_SHARE

    @property
    def fps(self) -> float:
        """Frames per second."""
        return (self.frames - 1) / self.seconds

    @property
    def is_smoothed(self) -> bool:
        """Whether there is a smoothed jitter."""
        return any(not math.isnan(reading.smoothed_jitter_px) for reading in self.readings)

    def steadiest(self) -> tuple[str, ...]:
        """The heatmap decoders with the lowest jitter: more than one where the numbers shown do not differ; none where
        MediaPipe has read, or where the person moved.
        """
        heatmap_readings = self._heatmap_readings()
        if self.moved or not heatmap_readings:
            return ()
        lowest = three_digits(min(reading.jitter_px for reading in heatmap_readings))
        return tuple(reading.decoder for reading in heatmap_readings if three_digits(reading.jitter_px) == lowest)

    def furthest(self) -> str:
        """The heatmap decoder with the largest bias; empty where `steadiest` is."""
        return max(self._heatmap_readings(), key=lambda reading: reading.bias_px).decoder if self.steadiest() else ""

    def verdict(self, tr: Translate = str) -> str:
        """One or two sentences: the lowest jitter and the largest bias of the heatmap decoders."""
        by_name = {reading.decoder: reading for reading in self.readings}
        steadiest, furthest = self.steadiest(), self.furthest()
        if self.moved:
            moved = tr(
                "The person moved, by {percent:.0f} % of the body a second: this is no measurement of holding still."
            )
            return moved.format(percent=100 * self.speed_share)
        if not steadiest:
            only = self.readings[0]
            alone = tr("Jitter of {name}: {jitter} px. It gives no heatmaps, so that its bias is not known.")
            return alone.format(name=tr(display_name(only.decoder)), jitter=three_digits(only.jitter_px))
        names = tr(" and ").join(tr(display_name(name)) for name in steadiest)
        jitter, bias = three_digits(by_name[steadiest[0]].jitter_px), three_digits(by_name[furthest].bias_px)
        if furthest not in steadiest:
            apart = tr("Lowest jitter of the heatmap decoders: {names}, {jitter} px. Largest bias: {worst}, {bias} px.")
            return apart.format(names=names, jitter=jitter, worst=tr(display_name(furthest)), bias=bias)
        # A decoder that collapsed to the middle hardly trembles: its jitter must not stand alone.
        who = tr("it") if len(steadiest) == 1 else tr(display_name(furthest))
        both = tr(
            "Lowest jitter of the heatmap decoders: {names}, {jitter} px, "
            "but {who} has the largest bias too: {bias} px."
        )
        return both.format(names=names, jitter=jitter, who=who, bias=bias)

    def _heatmap_readings(self) -> list[DecoderReading]:
        return [reading for reading in self.readings if reading.decoder not in _NO_HEATMAP]

    def conditions(self, tr: Translate = str) -> dict[str, str]:
        """What the numbers hold for, for people: label -> text. (The labels stay English.)"""
        total = self.joints + len(self.joints_left_out)
        return {
            "Source": self.source,
            "Picture": f"{self.width} × {self.height}",
            "Network": tr("{network} on {device}").format(network=self.network, device=self.device),
            "β": f"{self.beta:g}",
            "Frames": tr("{n} in {seconds:.1f} s ({fps:.1f} a second)").format(
                n=self.frames, seconds=self.seconds, fps=self.fps
            ),
            "Joints": tr("{n} of {count}").format(n=self.joints, count=total),
        }

    def to_csv(self) -> str:
        """A table with one row for each decoder, see CSV_COLUMNS; lines end with a line feed.

        What is not known is left empty, and beta where a decoder has none. joints_left_out is separated by spaces.
        """
        file = io.StringIO()
        writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for reading in self.readings:
            writer.writerow(
                {
                    "decoder": reading.decoder,
                    "beta": f"{self.beta:g}" if reading.decoder in WITH_BETA else "",
                    "jitter_px": _decimals(reading.jitter_px),
                    "jitter_percent_of_body": _decimals(reading.jitter_share * 100),
                    "bias_px": _decimals(reading.bias_px),
                    "bias_percent_of_body": _decimals(reading.bias_share * 100),
                    "smoothed_jitter_px": _decimals(reading.smoothed_jitter_px),
                    "speed_px_per_s": _decimals(self.speed_px),
                    "joints": self.joints,
                    "joints_left_out": " ".join(self.joints_left_out),
                    "frames": self.frames,
                    "seconds": f"{self.seconds:.3f}",
                    "fps": f"{self.fps:.2f}",
                    "source": self.source,
                    "width": self.width,
                    "height": self.height,
                    "network": self.network,
                    "device": self.device,
                }
            )
        return file.getvalue()

    def to_text(self, tr: Translate = str) -> str:
        """For the clipboard: the table, the verdict and the conditions, columns separated by tabs."""
        head = [tr("Decoder"), tr("Jitter px"), tr("Jitter % of body"), tr("Bias px"), tr("Bias % of body")]
        rows = [head + [tr("Smoothed jitter px")] * self.is_smoothed]
        for reading in self.readings:
            shares = (reading.jitter_share * 100, reading.bias_share * 100)
            values = [reading.jitter_px, shares[0], reading.bias_px, shares[1]]
            values += [reading.smoothed_jitter_px] * self.is_smoothed
            rows.append([tr(display_name(reading.decoder)), *map(_decimals, values)])
        rows += [[], [self.verdict(tr)]]
        rows += [[tr(label), " ".join(text.split())] for label, text in self.conditions(tr).items()]
        if self.joints_left_out:
            rows.append([tr("Joints left out"), ", ".join(self.joints_left_out)])
        return "\n".join("\t".join(row) for row in rows) + "\n"


class HoldStill:
    """Counts down, then measures every decoder while a person holds still. Thread-safe.

    Both run on the frames' own time line, from the first frame that comes, so a file that plays slowly is measured
    over the same pictures. Jitter and bias are those of JitterMeter and BiasMeter over the whole time. A file that
    starts again in between adds no jitter.

    Where the person moves, the longest stretch in which they do not counts alone, if it has SHORTEST_STILL_S; it is
    waited for until LOOK_FOR_S are over. Without one the card is that of the whole time, and says that they moved.

    It fails where nobody is seen, or no picture comes, for more than 1 s while it measures, and where β, the network,
    its device, the picture's size or the source changes.

    source: the source's name, for the card.
    """

    def __init__(self, source: str, *, countdown_s: float = COUNTDOWN_S, measure_s: float = MEASURE_S) -> None:
        self._lock = threading.Lock()
        self._source = source
        self._countdown_s = countdown_s
        self._measure_s = measure_s
        self._state = HoldStillState("countdown", countdown_s, "Get ready to hold still.")
        self._card: HoldStillCard | None = None
        self._start_ns = self._last_ns = self._seen_ns = 0
        self._first: PoseResult | None = None
        self._person_id: int | None = None
        self._moved = False
        self._frames: list[Seen] = []
        self._stretches = StillStretches()

    def state(self) -> HoldStillState:
        """Where the measurement is now."""
        with self._lock:
            return self._state

    def card(self) -> HoldStillCard | None:
        """The result; None until the measurement is done."""
        with self._lock:
            return self._card

    def add(self, result: PoseResult) -> None:
        """The next result. After the end nothing is taken any more."""
        with self._lock:
            if self._state.phase == "countdown":
                self._count_down(result)
            if self._state.phase == "measuring":
                self._measure(result)

    def _count_down(self, result: PoseResult) -> None:
        now_ns = result.frame.time_ns
        if self._first is None or now_ns <= self._last_ns:
            self._start_ns = now_ns
        self._first, self._last_ns = result, now_ns
        left = self._countdown_s - (now_ns - self._start_ns) / 1e9
        if left > 0:
            self._state = HoldStillState("countdown", left, "Get ready to hold still.")
            return
        self._state = HoldStillState("measuring", self._measure_s, "Hold still.")
        self._start_ns = self._last_ns = self._seen_ns = now_ns

    def _measure(self, result: PoseResult) -> None:
        now_ns = result.frame.time_ns
        if not result.frame.continues:
            self._person_id = None  # over a cut all are numbered anew
        if self._person_id is None and result.person is not None:
            self._person_id = result.person.id
        person = result.with_number(self._person_id)
        reason = self._reason_to_fail(result)
        if reason:
            self._state = HoldStillState("failed", 0.0, f"The measurement stopped: {reason}.")
            return
        passed_s = (now_ns - self._start_ns) / 1e9
        seen = Seen(
            now_ns,
            result.frame.continues,
            person,
            result.with_number(self._person_id, smoothed=True),
            bool(result.smoothed),
        )
        if passed_s <= self._measure_s or self._moved:
            self._take(seen)
        if passed_s < self._measure_s:
            self._state = HoldStillState("measuring", self._measure_s - passed_s, "Hold still.")
        elif not self._moved:
            whole = StretchReading(self._frames)
            self._moved = whole.moved
            if not whole.moved:
                self._finish(result, whole)
        if self._moved:
            self._look_for_stillness(result, passed_s)

    def _take(self, seen: Seen) -> None:
        self._last_ns = seen.time_ns
        if seen.person is not None:
            self._seen_ns = seen.time_ns
        self._frames.append(seen)
        self._stretches.add(seen)

    def _look_for_stillness(self, result: PoseResult, passed_s: float) -> None:
        ended, going_on = self._stretches.longest, self._stretches.going_on
        best = max(ended, going_on, key=seconds)
        if seconds(ended) >= SHORTEST_STILL_S or seconds(going_on) >= self._measure_s:
            self._finish(result, StretchReading(best))
        elif passed_s >= LOOK_FOR_S:
            self._finish(result, StretchReading(best if seconds(best) >= SHORTEST_STILL_S else self._frames))
        else:
            left = self._measure_s - seconds(going_on)
            self._state = HoldStillState("measuring", left, "Hold still: so far there is too much motion.")

    def _reason_to_fail(self, result: PoseResult) -> str:
        first, now_ns = self._first, result.frame.time_ns
        assert first is not None
        if self._frames and now_ns <= self._last_ns:
            return "the source was changed"
        if now_ns - self._last_ns > _LONGEST_ABSENCE_NS:
            return "no picture came for more than a second"
        for what, before, now in (
            ("β", first.beta, result.beta),
            ("the network", first.network, result.network),
            ("the device", first.device, result.device),
            ("the person to look at", first.focus, result.focus),
            ("the size of the picture", first.frame.image.shape, result.frame.image.shape),
        ):
            if before != now:
                return f"{what} was changed"
        if now_ns - self._seen_ns > _LONGEST_ABSENCE_NS:
            return "nobody was seen for more than a second"
        return ""

    def _finish(self, result: PoseResult, read: StretchReading) -> None:
        jitter, smoothed, bias = read.jitter, read.smoothed, read.bias
        if not jitter.joints:
            reason = "no joint was seen clearly enough for long enough"
            self._state = HoldStillState("failed", 0.0, f"The measurement stopped: {reason}.")
            return
        readings = tuple(
            DecoderReading(
                decoder=name,
                jitter_px=jitter.overall[name],
                jitter_share=jitter.body_share[name],
                bias_px=bias.overall[name],
                bias_share=bias.body_share[name],
                smoothed_jitter_px=smoothed.overall.get(name, math.nan) if read.always_smoothed else math.nan,
            )
            for name in jitter.overall
        )
        unseen = np.isnan(next(iter(jitter.per_joint.values())))
        if jitter.unknown is not None:
            unseen &= ~jitter.unknown
        height, width = result.frame.image.shape[:2]
        self._card = HoldStillCard(
            readings=readings,
            source=self._source,
            width=width,
            height=height,
            network=result.network,
            device=result.device,
            beta=result.beta,
            frames=read.frames,
            seconds=read.seconds,
            speed_px=read.motion.speed_px,
            speed_share=read.motion.speed_share,
            joints=jitter.joints,
            joints_left_out=tuple(
                joint for joint, left_out in zip(BLAZEPOSE_33.joints, unseen, strict=True) if left_out
            ),
        )
        self._state = HoldStillState("done", 0.0, self._card.verdict())


def badge_text(state: HoldStillState, tr: Translate = str) -> str:
    """What the picture shows meanwhile: `3`, `2`, `1`, then `hold still 5 s` down to `hold still 1 s`; empty after."""
    seconds = math.ceil(state.seconds_left)
    if state.phase == "countdown":
        return str(seconds)
    return tr("hold still {n} s").format(n=seconds) if state.phase == "measuring" else ""


def _decimals(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"

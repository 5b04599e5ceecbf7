"""The result of a glass-to-glass measurement in words, as a table, and the conditions that it holds for."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

from app.meters.glass_to_glass import Delays, DelaySpread, FlipReading, Translate, unused_text

# What a screen reports outside of these is no refresh rate, but a sign that the platform does not know it.
_REFRESH_HZ = (20.0, 1000.0)
# Looked at that much more rarely than the camera delivers is worth telling.
_LOOKED_AT_RARELY = 1.3

CSV_COLUMNS = (
    "flip", "time_s", "state", "outcome", "changed_ms", "received_ms", "estimated_ms", "painted_ms", "outlier",
    "frame_interval_ms", "camera_interval_ms", "refresh_hz", "contrast", "picture_share", "source", "width", "height",
    "network", "device",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shares:
    """Medians of the parts in ms. display: an estimate, one refresh interval; NaN where it cannot be told, and then
    `camera` is camera and display together. waiting: what of `camera` is waiting for its next picture.
    """

    display: float
    camera: float
    waiting: float
    posescope: float

    @property
    def split(self) -> bool:
        """Whether camera and display are told apart, by estimate."""
        return not math.isnan(self.display)

    @property
    def whole(self) -> float:
        """Sum of the parts. The median of the whole may be another, for medians do not add up."""
        return (self.display if self.split else 0.0) + self.camera + self.posescope


@dataclass(frozen=True, slots=True)
class DelayCard:
    """delays: what was measured. refresh_hz: what the screen reports. contrast: of the pattern in the camera's picture,
    in grey levels; picture_share: how much of that picture follows the pattern. width, height: of it, px.
    """

    delays: Delays
    source: str
    width: int
    height: int
    network: str
    device: str
    refresh_hz: float
    contrast: float
    picture_share: float

    def shares(self) -> Shares:
        """The parts.

        After a paint the display waits for its next refresh, half an interval on average, and needs about another
        half until it has drawn the middle of the screen: one interval. What its panel and the desktop's compositor add
        is not known, and stays with the camera.
        """
        received = self.delays.received.p50
        waiting = received - self.delays.changed.p50
        display = 1000 / self.refresh_hz if self._refresh_text() else math.nan
        if not received - display > waiting:
            return Shares(math.nan, received, waiting, self.delays.posescope.p50)
        return Shares(display, received - display, waiting, self.delays.posescope.p50)

    def title(self, tr: Translate = str) -> str:
        """The figure itself."""
        return tr("Glass to glass: {ms:.0f} ms").format(ms=self.delays.painted.p50)

    def verdict(self, tr: Translate = str) -> str:
        """What the figure means and who has which part of it, for people; a few sentences."""
        shares, delays = self.shares(), self.delays
        text = tr(
            "What the camera sees is shown in this window {painted:.0f} ms later. "
            "PoseScope takes {posescope:.0f} ms of that, camera and display {received:.0f} ms. "
        ).format(painted=delays.painted.p50, posescope=shares.posescope, received=delays.received.p50)
        if shares.split:
            text += tr(
                "Those two cannot be told apart from inside the computer: at {rate} the display takes about "
                "{display:.0f} ms, which leaves about {camera:.0f} ms for the camera, {waiting:.0f} of them waiting "
                "for its next picture."
            ).format(rate=self._refresh_text(), display=shares.display, camera=shares.camera, waiting=shares.waiting)
        elif self._refresh_text():
            text += tr(
                "How much of these is whose cannot be told: waiting for the next picture and one refresh at {rate} may "
                "take as long by themselves."
            ).format(rate=self._refresh_text())
        else:
            text += tr("How much of these is whose cannot be told: the screen does not tell its refresh rate.")
        return text + self._rarely_text(tr)

    def _rarely_text(self, tr: Translate) -> str:
        """Where PoseScope itself makes the wait longer."""
        camera, looked_at = self.delays.camera_interval, self.delays.waiting.interval
        if looked_at <= _LOOKED_AT_RARELY * camera:
            return ""
        text = tr(" Only {few:.0f} of the camera’s {all:.0f} pictures a second could be looked at.")
        return text.format(few=1000 / looked_at, all=1000 / camera)

    def spread_text(self, tr: Translate = str) -> str:
        """How much the flips differ, and how much of that the frame interval alone explains."""
        whole, waiting = self.delays.painted, self.delays.waiting
        text = tr(
            "90 % of the flips lie between {p5:.0f} and {p95:.0f} ms (σ {sd:.1f} ms); a picture every {interval:.1f} "
            "ms alone makes σ {alone:.1f} ms. The median lies between {low:.0f} and {high:.0f} ms (95 %)."
        )
        return text.format(
            p5=whole.p5,
            p95=whole.p95,
            sd=whole.sd,
            low=whole.low,
            high=whole.high,
            interval=waiting.interval,
            alone=waiting.sd,
        )

    def flips_text(self, tr: Translate = str) -> str:
        """How many flips count."""
        readings, outliers = self.delays.readings, len(self.delays.outliers)
        used = tr("{n} of {count} flips{unused}").format(
            n=self.delays.painted.count, count=len(readings), unused=unused_text(readings, tr)
        )
        return used + (tr(", {n} far from the others and kept").format(n=outliers) if outliers else "")

    def rows(self, tr: Translate = str) -> list[tuple[str, DelaySpread]]:
        """What the table on the card holds; “…” stands before what is a part of the row above."""
        delays = self.delays
        return [
            (tr("Glass to glass"), delays.painted),
            (tr("Camera and display"), delays.received),
            (tr("… before the wait for its next picture"), delays.changed),
            ("PoseScope", delays.posescope),
            (tr("… until the pose is known"), delays.estimated),
        ]

    def _refresh_text(self) -> str:
        known = _REFRESH_HZ[0] <= self.refresh_hz <= _REFRESH_HZ[1]
        return f"{self.refresh_hz:.0f} Hz" if known else ""

    def rate_text(self, tr: Translate = str) -> str:
        """How many pictures the camera delivers, and how many were looked at where that is fewer."""
        camera, looked_at = self.delays.camera_interval, self.delays.waiting.interval
        text = tr("{rate:.1f} pictures a second").format(rate=1000 / camera)
        if looked_at > _LOOKED_AT_RARELY * camera:
            text += tr(", {rate:.1f} looked at").format(rate=1000 / looked_at)
        return text

    def conditions(self, tr: Translate = str) -> dict[str, str]:
        """What the numbers hold for, for people: label -> text. (The labels stay English.)"""
        pattern = tr("{share:.0f} % of the picture, contrast {contrast:.0f} of 255")
        return {
            "Source": self.source,
            "Picture": f"{self.width} × {self.height}",
            "Camera": self.rate_text(tr),
            "Display": self._refresh_text() or tr("refresh rate not known"),
            "Network": tr("{network} on {device}").format(network=self.network, device=self.device),
            "Flips": self.flips_text(tr),
            "Pattern": pattern.format(share=100 * self.picture_share, contrast=self.contrast),
        }

    def to_csv(self) -> str:
        """A row for each flip, see CSV_COLUMNS; times in ms after the flip, empty where it was not seen."""
        file = io.StringIO()
        writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for number, reading in enumerate(self.delays.readings):
            writer.writerow(self._csv_row(number, reading))
        return file.getvalue()

    def _csv_row(self, number: int, reading: FlipReading) -> dict[str, object]:
        return {
            "flip": number + 1,
            "time_s": f"{(reading.shown_ns - self.delays.readings[0].shown_ns) / 1e9:.3f}",
            "state": reading.state,
            "outcome": reading.outcome.value,
            "changed_ms": _decimals(reading.changed),
            "received_ms": _decimals(reading.received),
            "estimated_ms": _decimals(reading.estimated),
            "painted_ms": _decimals(reading.painted),
            "outlier": int(number in self.delays.outliers),
            "frame_interval_ms": _decimals(self.delays.waiting.interval),
            "camera_interval_ms": _decimals(self.delays.camera_interval),
            "refresh_hz": f"{self.refresh_hz:.2f}",
            "contrast": f"{self.contrast:.1f}",
            "picture_share": f"{self.picture_share:.3f}",
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "network": self.network,
            "device": self.device,
        }

    def to_text(self, tr: Translate = str) -> str:
        """For the clipboard: the figure, the table, the sentences and the conditions, columns separated by tabs."""
        rows = [[self.title(tr)], [], ["ms", "p5", "p50", "p95", "σ"]]
        for name, spread in self.rows(tr):
            rows.append([name, *(f"{value:.1f}" for value in (spread.p5, spread.p50, spread.p95, spread.sd))])
        rows += [[], [self.verdict(tr)], [self.spread_text(tr)]]
        rows += [[tr(label), " ".join(text.split())] for label, text in self.conditions(tr).items()]
        return "\n".join("\t".join(row) for row in rows) + "\n"


def _decimals(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"

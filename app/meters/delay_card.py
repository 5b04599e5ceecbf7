"""The result of a glass-to-glass measurement in words, as a table, and the conditions that it holds for."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

from app.meters.glass_to_glass import Delays, DelaySpread, FlipReading, unused_text

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

    def title(self) -> str:
        """The figure itself."""
        return f"Glass to glass: {self.delays.painted.p50:.0f} ms"

    def verdict(self) -> str:
        """What the figure means and who has which part of it, for people; a few sentences."""
        shares, delays = self.shares(), self.delays
        text = (
            f"What the camera sees is shown in this window {delays.painted.p50:.0f} ms later. "
            f"PoseScope takes {shares.posescope:.0f} ms of that, camera and display {delays.received.p50:.0f} ms. "
        )
        if not shares.split:
            rate = self._refresh_text()
            why = "the screen does not tell its refresh rate"
            if rate:
                why = f"waiting for the next picture and one refresh at {rate} may take as long by themselves"
            return text + f"How much of these is whose cannot be told: {why}.{self._rarely_text()}"
        return text + (
            f"Those two cannot be told apart from inside the computer: at {self._refresh_text()} the display takes "
            f"about {shares.display:.0f} ms, which leaves about {shares.camera:.0f} ms for the camera, "
            f"{shares.waiting:.0f} of them waiting for its next picture.{self._rarely_text()}"
        )

    def _rarely_text(self) -> str:
        """Where PoseScope itself makes the wait longer."""
        camera, looked_at = self.delays.camera_interval, self.delays.waiting.interval
        if looked_at <= _LOOKED_AT_RARELY * camera:
            return ""
        return f" Only {1000 / looked_at:.0f} of the camera’s {1000 / camera:.0f} pictures a second could be looked at."

    def spread_text(self) -> str:
        """How much the flips differ, and how much of that the frame interval alone explains."""
        whole, waiting = self.delays.painted, self.delays.waiting
        return (
            f"90 % of the flips lie between {whole.p5:.0f} and {whole.p95:.0f} ms (σ {whole.sd:.1f} ms); "
            f"a picture every {waiting.interval:.1f} ms alone makes σ {waiting.sd:.1f} ms. "
            f"The median lies between {whole.low:.0f} and {whole.high:.0f} ms (95 %)."
        )

    def flips_text(self) -> str:
        """How many flips count."""
        readings, outliers = self.delays.readings, len(self.delays.outliers)
        used = f"{self.delays.painted.count} of {len(readings)} flips{unused_text(readings)}"
        return used + (f", {outliers} far from the others and kept" if outliers else "")

    def rows(self) -> list[tuple[str, DelaySpread]]:
        """What the table on the card holds."""
        delays = self.delays
        return [
            ("Glass to glass", delays.painted),
            ("Camera and display", delays.received),
            ("… before the wait for its next picture", delays.changed),
            ("PoseScope", delays.posescope),
            ("… until the pose is known", delays.estimated),
        ]

    def _refresh_text(self) -> str:
        known = _REFRESH_HZ[0] <= self.refresh_hz <= _REFRESH_HZ[1]
        return f"{self.refresh_hz:.0f} Hz" if known else ""

    def rate_text(self) -> str:
        """How many pictures the camera delivers, and how many were looked at where that is fewer."""
        camera, looked_at = self.delays.camera_interval, self.delays.waiting.interval
        text = f"{1000 / camera:.1f} pictures a second"
        return text + (f", {1000 / looked_at:.1f} looked at" if looked_at > _LOOKED_AT_RARELY * camera else "")

    def conditions(self) -> dict[str, str]:
        """What the numbers hold for, for people: label -> text."""
        return {
            "Source": self.source,
            "Picture": f"{self.width} × {self.height}",
            "Camera": self.rate_text(),
            "Display": self._refresh_text() or "refresh rate not known",
            "Network": f"{self.network} on {self.device}",
            "Flips": self.flips_text(),
            "Pattern": f"{100 * self.picture_share:.0f} % of the picture, contrast {self.contrast:.0f} of 255",
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

    def to_text(self) -> str:
        """For the clipboard: the figure, the table, the sentences and the conditions, columns separated by tabs."""
        rows = [[self.title()], [], ["ms", "p5", "p50", "p95", "σ"]]
        for name, spread in self.rows():
            rows.append([name, *(f"{value:.1f}" for value in (spread.p5, spread.p50, spread.p95, spread.sd))])
        rows += [[], [self.verdict()], [self.spread_text()]]
        rows += [[label, " ".join(text.split())] for label, text in self.conditions().items()]
        return "\n".join("\t".join(row) for row in rows) + "\n"


def _decimals(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"

"""What travels through the pipeline: Frame -> PoseResult. Each states shape, unit and clock.

The host clock is `time.perf_counter_ns`: monotonic, shared by all threads, zero at an arbitrary moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.people import Person

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    index: counts the frames that this source delivered, from 0, without gaps.
    captured_ns: host clock when the host received the frame, before decoding. Latency is counted from here.
    time_ns: when the picture was taken, in ns on the source's own time line, strictly rising. A camera or a
        stream uses captured_ns; a file its presentation time stamps, which go on rising when it loops or is wound.
        Recordings, jitter and exported times use this clock.
    image: (H, W, 3) uint8 BGR, read-only.
    continues: False where the picture does not follow from the one before it: a file that starts again or was
        wound, a camera that was lost and came back.
    position_ns: where in its file or folder the picture lies, in ns from the beginning; None for a live source.
    """

    index: int
    captured_ns: int
    time_ns: int
    image: Image
    continues: bool = True
    position_ns: int | None = None

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"a frame is (H, W, 3) uint8, not {self.image.shape} {self.image.dtype}")
        self.image.flags.writeable = False


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long each stage of one frame took, in ns; `done_ns` is the host clock at the end of estimation.

    decoders: the parts of `decode`, see `models.estimator.EstimateTimes`.
    """

    capture_wait: int
    preprocess: int
    detect: int
    network: int
    decode: int
    done_ns: int
    decoders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PoseResult:
    """The people found in one frame, together with that very frame, so that they are never drawn on another.

    people: none, one or many; each holds the points of every decoder in pixels of `frame.image`.
    decoder: name of the decoder chosen for this frame; beta: the beta of ipr and debiased on this frame.
    stages: None while the network is still being loaded (the frame is shown without a skeleton).
    smoothed: the same people with smoothed points, in the same order; empty where smoothing is off.
    heads: for each decoder of heatmaps the head whose maps it read; empty where the network has none beside its own.
    focus: number of the person whom meters and loupe look at; None, or somebody who is not there: the first.
    network, device: what read this frame, as shown to the user, for example "full" and "cpu".
    """

    frame: Frame
    people: tuple[Person, ...]
    decoder: str
    beta: float
    stages: StageTimes | None
    network: str = ""
    device: str = ""
    smoothed: tuple[Person, ...] = ()
    focus: int | None = None
    heads: Mapping[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        """The head whose maps the chosen decoder read; empty where there is none beside the network's own."""
        return self.heads.get(self.decoder, "")

    @property
    def person(self) -> Person | None:
        """Whom meters and loupe look at; None where nobody is seen."""
        return self.with_number(self.focus) or (self.people[0] if self.people else None)

    @property
    def smoothed_person(self) -> Person | None:
        """The same one, smoothed; None also where smoothing is off."""
        return self.with_number(self.person.id, smoothed=True) if self.person is not None else None

    def with_number(self, person_id: int | None, *, smoothed: bool = False) -> Person | None:
        """The person with this number, or None."""
        people = self.smoothed if smoothed else self.people
        return next((person for person in people if person.id == person_id), None)

    @property
    def shown(self) -> tuple[Person, ...]:
        """The people to draw: smoothed where smoothing is on."""
        return self.smoothed or self.people


@dataclass(frozen=True, slots=True)
class Readings:
    """Numbers of the meters that are drawn into the picture. NaN where not yet known."""

    latency_ms: float
    fps: float
    jitter_px: Mapping[str, float]
    bias_px: Mapping[str, float]


__all__ = ["Frame", "Image", "Person", "PoseResult", "Readings", "StageTimes"]

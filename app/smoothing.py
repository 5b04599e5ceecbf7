"""Optional smoothing of the points over time: the 1 € filter, for every decoder at once.

Casiez, Roussel and Vogel, “1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems”,
CHI 2012. Slow joints are smoothed strongly, so that they do not tremble, fast joints little, so that they do not lag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError
from app.frames import Frame, Person

# After a longer gap the person may be anywhere: smoothing starts anew.
_LONGEST_GAP_NS = 500_000_000


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """How strongly points are smoothed.

    min_cutoff: cutoff frequency in Hz for a joint at rest. Lower: less jitter, more lag.
    beta: by how many Hz the cutoff rises for each body size per second that a joint moves. Higher: less lag. Speed in
        body sizes (`Region.body_size`), not in px, so that one setting does the same near and far, at 480p and 1080p.
        At the defaults, 30 frames a second and noise of 0.2 % of the body, a person at rest keeps 0.35 of the noise,
        and a hand that waves once a second, at up to 0.94 body sizes per second, lags by 23 ms (117 ms with beta 0).
    derivative_cutoff: cutoff frequency in Hz of the speed itself.

    Raises UserError where a frequency is not above 0 or beta is below 0.
    """

    min_cutoff: float = 1.0
    beta: float = 10.0
    derivative_cutoff: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("lowest cutoff", self.min_cutoff), ("derivative cutoff", self.derivative_cutoff)):
            if not 0 < value < math.inf:
                raise UserError(f"The {name} of the smoothing is a frequency above 0 Hz, not {value:g}.")
        if not 0 <= self.beta < math.inf:
            raise UserError(f"The speed coefficient β of the smoothing is 0 or more, not {self.beta:g}.")


class PersonSmoother:
    """Smooths the points of every decoder of each person; for one thread.

    settings: may be replaced as a whole by another thread; the filter goes on from where it is.
    """

    def __init__(self, settings: OneEuroSettings | None = None) -> None:
        self.settings = settings or OneEuroSettings()
        self._tracks: dict[int, _Track] = {}

    def clear(self) -> None:
        """Forget everybody."""
        self._tracks = {}

    def smooth(self, time_ns: int, people: tuple[Person, ...], *, continues: bool = True) -> tuple[Person, ...]:
        """The people with smoothed `points`; all other fields, and the people given, stay as they are.

        A person who was not in the call before, or longer than 0.5 s ago, starts anew: the points come back as they
        are. So does everybody where `continues` is False. A joint that is NaN stays NaN and starts anew after it.
        People who are not in `people` are forgotten.
        """
        settings = self.settings
        before = self._tracks if continues else {}
        self._tracks = {person.id: _advance(before.get(person.id), time_ns, person, settings) for person in people}
        return tuple(replace(person, points=self._tracks[person.id].named_points()) for person in people)


class Smoothing:
    """The smoothing of a session: off, or on with settings. For one thread.

    settings: None is off. May be replaced as a whole by another thread, at any time.
    """

    def __init__(self, settings: OneEuroSettings | None = None) -> None:
        self.settings = settings
        self._smoother = PersonSmoother()

    def smooth(self, frame: Frame, people: tuple[Person, ...]) -> tuple[Person, ...]:
        """The frame's people with smoothed points; empty while smoothing is off."""
        settings = self.settings
        if settings is None:
            self._smoother.clear()
            return ()
        self._smoother.settings = settings
        return self._smoother.smooth(frame.time_ns, people, continues=frame.continues)


@dataclass(frozen=True, slots=True)
class _Track:
    """What the filter knows of one person: points and velocities (px/s) of D decoders, both (D, K, 2)."""

    time_ns: int
    decoders: tuple[str, ...]
    points: NDArray[np.float64]
    velocities: NDArray[np.float64]

    def named_points(self) -> dict[str, NDArray[np.float32]]:
        return dict(zip(self.decoders, self.points.astype(np.float32), strict=True))


def _advance(before: _Track | None, time_ns: int, person: Person, settings: OneEuroSettings) -> _Track:
    decoders = tuple(person.points)
    measured = np.array(list(person.points.values()), np.float64)
    elapsed_ns = 0 if before is None or before.decoders != decoders else time_ns - before.time_ns
    if before is None or not 0 < elapsed_ns <= _LONGEST_GAP_NS:
        return _Track(time_ns, decoders, measured, np.zeros_like(measured))
    elapsed_s = elapsed_ns / 1e9
    step = measured - before.points
    velocity_share = _share(settings.derivative_cutoff, elapsed_s)
    velocities = before.velocities + velocity_share * (step / elapsed_s - before.velocities)
    # One cutoff for both axes, of the speed along the path: turning the camera changes nothing.
    speed = np.sqrt(np.einsum("dkc,dkc->dk", velocities, velocities)) / person.region.body_size
    cutoff = settings.min_cutoff + settings.beta * speed
    points = before.points + _share(cutoff, elapsed_s)[..., None] * step
    lost = ~np.isfinite(points).all(-1)
    if lost.any():
        points[lost], velocities[lost] = measured[lost], 0.0
    return _Track(time_ns, decoders, points, velocities)


def _share(cutoff: float | NDArray[np.float64], elapsed_s: float) -> NDArray[np.float64]:
    """How far exponential smoothing of this cutoff (Hz) goes toward the new value: 1 / (1 + τ / Te), τ = 1 / 2π fc."""
    turn = np.multiply(2 * math.pi * elapsed_s, cutoff)
    return np.asarray(turn / (1 + turn))

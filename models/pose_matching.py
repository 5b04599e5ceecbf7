"""Who is who among poses that come without names: each is the nearest of those who were there a moment ago.

Plain numpy: importing this does not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.tracking import REMEMBERED_NS

# How far a pose may be from where somebody should be by now, as a share of the body: the joints on average.
_REACH, _REACH_PER_S = 0.35, 0.6
# Of a new velocity, the weight against the one before; per frame.
_NEW_VELOCITY = 0.2


@dataclass(frozen=True, slots=True)
class Identity:
    """Number and slot of a person, see `models.people.Person`."""

    id: int
    slot: int


@dataclass(slots=True)
class _Known:
    identity: Identity
    joints: NDArray[np.float64]
    velocity: NDArray[np.float64]
    seen_ns: int

    def expected(self, time_ns: int) -> NDArray[np.float64]:
        return self.joints + self.velocity * ((time_ns - self.seen_ns) / 1e9)


class PoseMatcher:
    """Gives poses numbers that stay, over crossings and losses of up to a second. Times are in ns and never go back."""

    def __init__(self) -> None:
        self._known: list[_Known] = []
        self._last_id = 0

    def forget(self) -> None:
        """What comes does not follow from what was: everybody gets a new number."""
        self._known = []

    def identities(self, poses: Sequence[NDArray[np.float64]], bodies: Sequence[float], time_ns: int) -> list[Identity]:
        """Of each pose (K, 2) px, with the size of its body in px: who it is."""
        self._known = [one for one in self._known if time_ns - one.seen_ns <= REMEMBERED_NS]
        whose = self._nearest(poses, bodies, time_ns)
        for i, pose in enumerate(poses):
            known = whose.get(i)
            if known is None:
                whose[i] = self._stranger(pose, time_ns)
                continue
            passed_s = (time_ns - known.seen_ns) / 1e9
            if passed_s > 0:
                # One for all joints: an arm that waves goes nowhere.
                moved = (pose - known.joints).mean(0) / passed_s
                known.velocity = (1 - _NEW_VELOCITY) * known.velocity + _NEW_VELOCITY * moved
            known.joints, known.seen_ns = pose, time_ns
        return [whose[i].identity for i in range(len(poses))]

    def _nearest(
        self, poses: Sequence[NDArray[np.float64]], bodies: Sequence[float], time_ns: int
    ) -> dict[int, _Known]:
        """Pose -> who was there before, the nearest pairs first."""
        pairs = []
        for i, (pose, body) in enumerate(zip(poses, bodies, strict=True)):
            for known in self._known:
                apart = float(np.linalg.norm(pose - known.expected(time_ns), axis=-1).mean()) / body
                if apart <= _REACH + _REACH_PER_S * (time_ns - known.seen_ns) / 1e9:
                    pairs.append((apart, i, known))
        whose: dict[int, _Known] = {}
        for _, i, known in sorted(pairs, key=lambda pair: pair[0]):
            if i not in whose and all(known is not taken for taken in whose.values()):
                whose[i] = known
        return whose

    def _stranger(self, pose: NDArray[np.float64], time_ns: int) -> _Known:
        self._last_id += 1
        taken = {known.identity.slot for known in self._known}
        slot = min(set(range(len(taken) + 1)) - taken)
        known = _Known(Identity(self._last_id, slot), pose, np.zeros(2), time_ns)
        self._known.append(known)
        return known

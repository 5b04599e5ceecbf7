"""A rolling mean of squared distances, for each decoder and joint."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.frames import Person


@dataclass(frozen=True, slots=True)
class JointDistances:
    """Root mean square distances of one kind over a window, in px of the source image.

    per_joint: decoder name -> (K,), NaN for a joint that was not seen in the window.
    overall: decoder name -> root mean square over the joints that were seen; NaN where none was.
        (A median would show 0 for argmax, which sits in its cell until it jumps.)
    body_share: decoder name -> `overall` as a share of the body's size.
    joints: how many joints were seen.
    unknown: (K,) which joints the network does not have at all; None: it has all of them.
    """

    per_joint: dict[str, NDArray[np.float64]]
    overall: dict[str, float]
    body_share: dict[str, float]
    joints: int
    unknown: NDArray[np.bool_] | None = None

    @property
    def seen(self) -> NDArray[np.bool_] | None:
        """(K,) which joints were seen; None where nothing is known of any."""
        values = next(iter(self.per_joint.values()), None)
        return None if values is None else ~np.isnan(values)

    @property
    def left_out(self) -> int:
        """How many of the network's joints were not seen in the window, so that they are in no number."""
        unknown = 0 if self.unknown is None else int(np.count_nonzero(self.unknown))
        return max((len(values) for values in self.per_joint.values()), default=0) - self.joints - unknown


def unknown_joints(person: Person) -> NDArray[np.bool_]:
    """(K,) which joints the network that read this person does not have: no point, and a score of exactly 0."""
    nowhere = np.all([np.isnan(person.points[name][:, 0]) for name in person.measured], axis=0)
    return np.asarray(nowhere & (person.certainty == 0))


class RollingDistances:
    """Means of squared distances (D, K) over the last `window_s` seconds, on the time line of the frames.

    With an infinite window only sums are kept, so memory does not grow.
    """

    def __init__(self, window_s: float) -> None:
        self._window_ns = window_s * 1e9
        self._entries: deque[_Entry] = deque()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._sums: NDArray[np.float64] | None = None
        self._seen_counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._unknown: NDArray[np.bool_] | None = None
        self._body_sum = 0.0
        self._count = 0

    def set_window(self, window_s: float) -> None:
        """Keep that many seconds from now on; a finite window stays finite and an infinite one infinite."""
        self._window_ns = window_s * 1e9
        if self._entries:
            self.trim(self._entries[-1].time_ns)

    def add(
        self,
        time_ns: int,
        squares: NDArray[np.float64],
        seen: NDArray[np.bool_],
        body_size: float,
        unknown: NDArray[np.bool_] | None = None,
    ) -> None:
        """squares: (D, K) px²; seen: (K,) which joints count; body_size: px. unknown: see `unknown_joints`."""
        # The same in all frames of a network.
        self._unknown = unknown
        entry = _Entry(time_ns, np.where(seen, squares, 0.0), seen, body_size)
        if self._sums is None:
            self._sums, self._seen_counts = np.zeros(squares.shape), np.zeros(seen.shape, np.int64)
        self._account(entry, 1)
        if math.isfinite(self._window_ns):
            self._entries.append(entry)
            self.trim(time_ns)

    def trim(self, now_ns: int) -> None:
        """Forget what is older than the window at `now_ns`."""
        while self._entries and now_ns - self._entries[0].time_ns > self._window_ns:
            self._account(self._entries.popleft(), -1)
        if not self._entries and math.isfinite(self._window_ns):
            self.clear()

    @classmethod
    def pooled(cls, parts: Iterable[RollingDistances]) -> RollingDistances:
        """Everything that these hold at this moment, together."""
        whole = cls(math.inf)
        for part in parts:
            if part._sums is not None:
                if whole._sums is None:
                    whole._sums, whole._seen_counts = np.zeros_like(part._sums), np.zeros_like(part._seen_counts)
                    whole._unknown = part._unknown
                whole._sums = whole._sums + part._sums
                whole._seen_counts = whole._seen_counts + part._seen_counts
                whole._body_sum += part._body_sum
                whole._count += part._count
        return whole

    def _account(self, entry: _Entry, sign: int) -> None:
        assert self._sums is not None
        self._sums += sign * entry.squares
        self._seen_counts += sign * entry.seen
        self._body_sum += sign * entry.body_size
        self._count += sign

    def read(self, decoders: tuple[str, ...], only: NDArray[np.bool_] | None = None) -> JointDistances:
        """The distances over the window; `decoders` names the D rows. only: (K,) which joints may count."""
        if self._sums is None or not self._count:
            nothing = dict.fromkeys(decoders, float("nan"))
            return JointDistances({}, nothing, dict(nothing), 0)
        seen = self._seen_counts > 0
        if only is not None:
            seen = seen & only
        mean_squares = np.full(self._sums.shape, np.nan)
        # What was added and taken away again may leave a negative rest in the last digit.
        mean_squares[:, seen] = np.maximum(self._sums[:, seen], 0.0) / self._seen_counts[seen]
        overall = np.sqrt(mean_squares[:, seen].mean(1)) if seen.any() else np.full(len(mean_squares), np.nan)
        body_size = self._body_sum / self._count
        return JointDistances(
            per_joint=dict(zip(decoders, np.sqrt(mean_squares), strict=True)),
            overall=dict(zip(decoders, overall.tolist(), strict=True)),
            body_share=dict(zip(decoders, (overall / body_size).tolist(), strict=True)),
            joints=int(seen.sum()),
            unknown=self._unknown,
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    time_ns: int
    squares: NDArray[np.float64]
    seen: NDArray[np.bool_]
    body_size: float

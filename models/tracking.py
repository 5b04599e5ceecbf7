"""Who is who from picture to picture: tracks of up to N people, newcomers, and those who were lost for a moment.

Plain numpy: importing this does not import torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from models.readings import REGRESSION, CropReadings
from models.regions import Region

MOST_PEOPLE = 8

# How often the detector looks for newcomers while somebody is followed, and for those who were lost a moment ago.
LOOK_EVERY_NS = 200_000_000
LOOK_FOR_LOST_EVERY_NS = 100_000_000
# Who comes back within this time comes back under the same number.
REMEMBERED_NS = 1_000_000_000

# Around where somebody who was lost should be: this many times as large as the body is.
_SEARCH_SIDE = 2.0
# All of the following are shares of the body's size.
# Between the middles of the hips: nearer, it is somebody who is followed already.
_SAME_PLACE = 0.2
# Between the joints, on average: nearer, it is one person in two crops.
_SAME_JOINTS = 0.12
# How far from where they should be by now people are looked for.
_REACH, _REACH_PER_S = 0.35, 0.6
# Readings change places only where that makes the way of both of them so much shorter.
_SWAP_GAIN = 0.15
_NEWCOMERS_WAY = 10.0
# Of a new velocity, the weight against the one before; per frame.
_NEW_VELOCITY = 0.3
_LARGEST_SCALE_RATIO = 1.6

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Somebody who is followed, or who was a moment ago.

    region: the crop in which they are looked for in the next picture. seen_ns: when they were seen last.
    center: middle of the hips, px; velocity: of it, px/s. body: size in px. joints: (K, 2) px, or None before the first
    reading. slot: see `models.people.Person`.
    """

    id: int
    slot: int
    region: Region
    seen_ns: int
    center: Point
    velocity: Point
    body: float
    joints: NDArray[np.float64] | None = None

    def expected(self, time_ns: int) -> Point:
        """Where the middle of the hips should be by now."""
        return self.center + self.velocity * ((time_ns - self.seen_ns) / 1e9)


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the readings of one picture: which one, and whose it is."""

    index: int
    person_id: int
    slot: int


class PeopleTracker:
    """Keeps the identities of up to `most_people`. Times are in ns on the source's time line and never go back.

    The way of one picture: `regions` are read by the network in one go, `update` is told what was seen there. Where
    `next_look` says so the detector looks into one square of the picture too, and `add` is told what it saw; whoever is
    new is read from the next picture on, so that no picture costs both.
    """

    def __init__(self, most_people: int = 1) -> None:
        self.most_people = most_people
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._last_id = 0
        self._looked_ns: int | None = None
        self._looks = 0

    @property
    def regions(self) -> list[Region]:
        """The crops to be read in the next picture."""
        return [track.region for track in self._tracks]

    @property
    def is_full(self) -> bool:
        return len(self._tracks) >= self.most_people

    def forget(self) -> None:
        """What comes does not follow from what was: everybody gets a new number."""
        self._tracks, self._lost, self._looked_ns, self._looks = [], [], None, 0

    @property
    def follows_nobody(self) -> bool:
        return not self._tracks

    def next_look(self, time_ns: int, squares: Sequence[Region]) -> Region | None:
        """Where the detector should look in this picture, None for nowhere: around somebody who was lost, or into the
        next of `squares`.
        """
        if self.is_full:
            return None
        lost = self._remembered(time_ns)
        every_ns = LOOK_FOR_LOST_EVERY_NS if lost else LOOK_EVERY_NS
        if self._tracks and self._looked_ns is not None and time_ns - self._looked_ns < every_ns:
            return None
        self._looked_ns = time_ns
        self._looks += 1
        if lost and self._looks % 2:
            gone = lost[-1]
            x, y = gone.expected(time_ns).tolist()
            return Region(x, y, _SEARCH_SIDE * gone.body, 0.0)
        return squares[(self._looks // 2 if lost else self._looks) % len(squares)]

    def add(self, found: Iterable[Region], time_ns: int) -> None:
        """What the detector saw, the best first: whoever is not followed yet is from now on, if there is room."""
        strangers = [region for region in found if not self._is_followed(region, time_ns)]
        self._lost = self._remembered(time_ns)
        for region in strangers[: self.most_people - len(self._tracks)]:
            self._tracks.append(self._known(region, time_ns) or self._stranger(region, time_ns))
        self._tracks.sort(key=lambda track: track.id)

    def update(self, readings: CropReadings, time_ns: int) -> list[Kept]:
        """What the network saw at `regions`, one reading for each; moves the tracks on. Sorted by the number."""
        seen = [i for i in range(len(self._tracks)) if readings.holds_person(i)]
        moved = {i: _moved(self._tracks[i], readings, i, time_ns) for i in seen}
        whose = self._whose(moved, time_ns)
        kept: list[Kept] = []
        tracks: list[Track] = []
        for i, track in enumerate(self._tracks):
            reading = whose.get(i)
            if reading is None:
                # Somebody who was never read was no person.
                if track.joints is not None:
                    self._lost.append(track)
                continue
            tracks.append(_continued(track, moved[reading], time_ns))
            kept.append(Kept(reading, track.id, track.slot))
        self._tracks = tracks
        self._lost = self._remembered(time_ns)
        return kept

    def _whose(self, moved: dict[int, Track], time_ns: int) -> dict[int, int]:
        """Track -> reading. Each its own, but for two that changed places, and without those who are seen twice."""
        whose = {i: i for i in moved}
        way = {(i, j): _way(self._tracks[i], moved[j], time_ns) for i in moved for j in moved}
        for i, j in combinations(moved, 2):
            straight = way[i, whose[i]] + way[j, whose[j]]
            crossed = way[i, whose[j]] + way[j, whose[i]]
            if crossed < straight - _SWAP_GAIN:
                whose[i], whose[j] = whose[j], whose[i]
        for i, j in combinations(moved, 2):
            if i in whose and j in whose and _same_person(moved[whose[i]], moved[whose[j]]):
                # Of two who are seen in the same place, the one who was expected there is.
                del whose[j if way[i, whose[i]] <= way[j, whose[j]] else i]
        return whose

    def _is_followed(self, region: Region, time_ns: int) -> bool:
        return any(
            _distance(track.expected(time_ns), region) < _SAME_PLACE * max(track.body, region.body_size)
            and _scale_ratio(track.body, region.body_size) < _LARGEST_SCALE_RATIO
            for track in self._tracks
        )

    def _known(self, region: Region, time_ns: int) -> Track | None:
        """Whoever was lost and may be this one, the likeliest."""
        reachable = []
        for track in self._lost:
            reach = track.body * (_REACH + _REACH_PER_S * (time_ns - track.seen_ns) / 1e9)
            distance = _distance(track.expected(time_ns), region)
            if distance <= reach and _scale_ratio(track.body, region.body_size) < _LARGEST_SCALE_RATIO:
                reachable.append((distance, track))
        if not reachable:
            return None
        _, found = min(reachable, key=lambda pair: pair[0])
        self._lost.remove(found)
        return replace(found, region=region, center=_center(region), seen_ns=time_ns, body=region.body_size)

    def _stranger(self, region: Region, time_ns: int) -> Track:
        self._last_id += 1
        taken = {track.slot for track in (*self._tracks, *self._lost)}
        slot = min(set(range(len(taken) + 1)) - taken)
        return Track(self._last_id, slot, region, time_ns, _center(region), np.zeros(2), region.body_size)

    def _remembered(self, time_ns: int) -> list[Track]:
        return [track for track in self._lost if time_ns - track.seen_ns <= REMEMBERED_NS]


def _moved(track: Track, readings: CropReadings, index: int, time_ns: int) -> Track:
    """What was read in this track's crop."""
    following = readings.next_region(index, track.region)
    # A network that regresses nothing is followed by its heatmaps' peaks: neither depends on the decoder that is shown.
    regresses = REGRESSION in readings.decoders
    points = readings.points[index, readings.decoders.index(REGRESSION)] if regresses else readings.peaks[index]
    joints = track.region.to_image(points)
    center = track.region.to_image(readings.alignment[index, 0])
    return Track(track.id, track.slot, following, time_ns, center, track.velocity, following.body_size, joints)


def _continued(track: Track, now: Track, time_ns: int) -> Track:
    """The track with what was read of them."""
    velocity = track.velocity
    passed_s = (time_ns - track.seen_ns) / 1e9
    if track.joints is not None and passed_s > 0:
        velocity = (1 - _NEW_VELOCITY) * velocity + _NEW_VELOCITY * (now.center - track.center) / passed_s
    return replace(now, id=track.id, slot=track.slot, velocity=velocity)


def _way(track: Track, now: Track, time_ns: int) -> float:
    """From where somebody should be to where somebody was read, as a share of the body. Of a newcomer nothing is
    expected: everybody else goes first.
    """
    if track.joints is None:
        return _NEWCOMERS_WAY
    return float(np.linalg.norm(track.expected(time_ns) - now.center)) / track.body


def _same_person(a: Track, b: Track) -> bool:
    assert a.joints is not None
    assert b.joints is not None
    # Joints that the network does not know are NaN.
    apart = np.nanmean(np.linalg.norm(a.joints - b.joints, axis=-1))
    return bool(apart < _SAME_JOINTS * min(a.body, b.body))


def _center(region: Region) -> Point:
    return np.array([region.center_x, region.center_y])


def _distance(point: Point, region: Region) -> float:
    return float(np.linalg.norm(point - _center(region)))


def _scale_ratio(a: float, b: float) -> float:
    return max(a, b) / max(min(a, b), 1e-9)

"""Small builders of what the pipeline hands around: frames, people and results with known points."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.frames import Frame, Image, Person, PoseResult, Readings
from models.regions import Region
from models.skeletons import BLAZEPOSE_33

DECODERS = ("argmax", "argmax-quarter", "dark", "ipr", "debiased", "regression")
JOINTS = BLAZEPOSE_33.joints

# A standing person from the front: (x, y) as shares of the height; the person's left is at the right.
_HALF = {
    "eye_inner": (0.012, 0.052),
    "eye": (0.020, 0.052),
    "eye_outer": (0.028, 0.053),
    "ear": (0.042, 0.062),
    "mouth": (0.014, 0.087),
    "shoulder": (0.105, 0.175),
    "elbow": (0.145, 0.335),
    "wrist": (0.160, 0.480),
    "pinky": (0.172, 0.525),
    "index": (0.160, 0.530),
    "thumb": (0.150, 0.510),
    "hip": (0.065, 0.490),
    "knee": (0.075, 0.720),
    "ankle": (0.080, 0.935),
    "heel": (0.074, 0.965),
    "foot_index": (0.110, 0.985),
}


def standing_points(center_x: float = 160.0, top: float = 20.0, height: float = 200.0) -> NDArray[np.float32]:
    """(33, 2) joints in px of a person who stands upright and faces the camera."""
    places = []
    for joint in JOINTS:
        side, _, part = joint.partition("_")
        x, y = _HALF.get(part, (0.0, 0.070))
        places.append((center_x + (x if side == "left" else -x) * height, top + y * height))
    return np.array(places, np.float32)


def image(height: int = 240, width: int = 320, color: tuple[int, int, int] = (64, 64, 64)) -> Image:
    """A picture of one colour (blue, green, red)."""
    return np.full((height, width, 3), color, np.uint8)


def frame(index: int = 0, time_ns: int | None = None, picture: Image | None = None) -> Frame:
    """A frame at `time_ns`, by default 30 a second; `captured_ns` is another clock on purpose."""
    time_ns = round(index * 1e9 / 30) if time_ns is None else time_ns
    return Frame(index, time_ns + 5_000_000_000, time_ns, image() if picture is None else picture)


def person(
    points: NDArray[np.float32] | None = None,
    score: float | NDArray[np.float32] = 0.9,
    *,
    id: int = 0,
    step: float = 0.0,
    decoders: tuple[str, ...] = DECODERS,
) -> Person:
    """A person with the same points for every decoder, or each decoder's moved right by `step` more px."""
    points = standing_points() if points is None else np.asarray(points, np.float32)
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    center = (low + high) / 2
    return Person(
        id=id,
        region=Region(float(center[0]), float(center[1]), 1.25 * float(max(high - low)), 0.0),
        presence=0.98,
        points={name: points + np.float32([i * step, 0]) for i, name in enumerate(decoders)},
        scores={name: np.broadcast_to(np.float32(score), len(points)).copy() for name in decoders},
        peaks=points.copy(),
    )


def result(
    index: int = 0,
    time_ns: int | None = None,
    *,
    picture: Image | None = None,
    people: tuple[Person, ...] | None = None,
    decoder: str = "debiased",
    beta: float = 10.0,
    network: str = "full",
    device: str = "cpu",
) -> PoseResult:
    """A result with one standing person, or with the people given."""
    people = (person(),) if people is None else people
    return PoseResult(frame(index, time_ns, picture), people, decoder, beta, None, network, device)


def readings(latency_ms: float = 23.4, fps: float = 30.0, jitter_px: Mapping[str, float] | None = None) -> Readings:
    """Readings with a jitter for every decoder."""
    jitter_px = jitter_px or {name: 0.1 * (i + 1) for i, name in enumerate(DECODERS)}
    return Readings(latency_ms, fps, jitter_px, dict.fromkeys(jitter_px, math.nan))

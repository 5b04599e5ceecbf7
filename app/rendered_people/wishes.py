"""What a set of scenes shall be, and how its file says so. Needs nothing that is installed for rendering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.errors import UserError

FORMAT_VERSION = 1
ANNOTATIONS_NAME = "person_keypoints.json"
PARTS = ("all", "train", "test")

Tell = Callable[[int, int], None]
"""Called after each scene with how many are done, and how many there are."""


def keep_quiet(done: int, count: int) -> None:
    """A `Tell` that says nothing."""


@dataclass(frozen=True)
class Wishes:
    """size: of the picture. people: fewest and most. still_frames: noisy pictures of each scene.

    part: of PARTS; “train” and “test” share no bodies, clothes, rooms and colours, see `parts.py`.

    Raises UserError for a part that is none of them.
    """

    size: tuple[int, int] = (640, 480)
    people: tuple[int, int] = (1, 1)
    occluders: bool = False
    still_frames: int = 1
    part: str = "all"

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise UserError(f"Unknown part “{self.part}” of the rendered people. Known: {', '.join(PARTS)}.")


def description(seed: int, wishes: Wishes) -> dict[str, Any]:
    """What the file of a set says of how it was asked for, so that a set can be known again."""
    return {
        "version": FORMAT_VERSION,
        "seed": seed,
        "size": list(wishes.size),
        "people": list(wishes.people),
        "occluders": wishes.occluders,
        "still_frames": wishes.still_frames,
        "part": wishes.part,
    }

"""Two parts of all that can be drawn, one to train with and one to test on.

What is kept apart is cut into cells, and a cell belongs to the part that the sum of its numbers says: even to training,
odd to the test, as on a chessboard. So each part spans the whole range, a cell of one lies beside cells of the other,
and nothing of the one is ever in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import sqrt
from typing import TypeVar

import numpy as np

from app.rendered_people.wishes import PARTS

Drawn = TypeVar("Drawn")
Cell = tuple[int, ...]

_MOST_TRIES = 1000
_BODY_STEPS = 5  # cells of each of anny's scales from 0 to 1
_COLOR_STEPS = 10  # cells from black to white of red, green and blue, by the square root of linear light


def scene_seed(seed: int, number: int, attempt: int, part: str) -> list[int]:
    """Of one scene. Scenes of different parts have other numbers from the start, also with the same seed."""
    return [seed, number, attempt, *([] if part == "all" else [PARTS.index(part)])]


def body_cell(phenotype: Mapping[str, float]) -> Cell:
    """phenotype: anny's scales, 0 to 1, rounded to four digits."""
    return tuple(round(value * 10_000) * _BODY_STEPS // 10_000 for value in phenotype.values())


def color_cell(color: Iterable[float], steps: int = _COLOR_STEPS) -> Cell:
    """color: RGB in linear light. The square root is about as even to the eye as a screen's curve, and exact."""
    return tuple(int(sqrt(value) * steps) for value in color)


class Draws(np.random.Generator):
    """A source of random numbers, as default_rng(seed), that knows the part of PARTS that it draws for."""

    def __init__(self, seed: int | Sequence[int], part: str = "all") -> None:
        super().__init__(np.random.PCG64(seed))
        self.part = part

    def of_part(self, draw: Callable[[], Drawn], cell: Callable[[Drawn], Cell]) -> Drawn:
        """What `draw` gives, drawn again until its cell is of this part. Of all: what it gives first.

        Raises RuntimeError if the part has next to nothing of what is drawn.
        """
        drawn = draw()
        if self.part == "all":
            return drawn
        for _ in range(_MOST_TRIES):
            if sum(cell(drawn)) % 2 == (self.part == "test"):
                return drawn
            drawn = draw()
        raise RuntimeError(f"nothing for the part {self.part} in {_MOST_TRIES} tries")

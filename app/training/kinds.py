"""The heads that are compared: how each is trained, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from app.decoder_display import decoder_color, display_title
from app.training.losses import Objective

SHIPPED_HEAD = "shipped"
# What reads every head, in the order of the table.
READERS = ("argmax", "ipr", "debiased")


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to train a head. few: on a part of the pictures, in as many steps."""

    objective: Objective
    few: bool = False

    @property
    def name(self) -> str:
        """For files."""
        shape = "-shape" if self.objective.shape_weight else ""
        return f"{self.objective.decoder}{shape}{'-few' if self.few else ''}"

    @property
    def title(self) -> str:
        """For people."""
        title = f"trained through {display_title(self.objective.decoder)}"
        if self.objective.decoder == "argmax":
            title = "trained on maps (argmax)"
        return title + (" and shape" if self.objective.shape_weight else "") + (", few pictures" if self.few else "")

    @property
    def color(self) -> str:
        return decoder_color(self.objective.decoder)

    @property
    def dashed(self) -> bool:
        return bool(self.objective.shape_weight)


def compared_kinds(beta: float, shape_weight: float, few: bool) -> list[Kind]:
    """The three objectives, those through coordinates also with the map's shape; then the three on few pictures."""
    kinds = [Kind(Objective("argmax"))]
    for decoder in READERS[1:]:
        kinds.append(Kind(Objective(decoder, beta)))
        if shape_weight:
            kinds.append(Kind(Objective(decoder, beta, shape_weight)))
    if few:
        kinds += [Kind(Objective("argmax"), True), *(Kind(Objective(name, beta), True) for name in READERS[1:])]
    return kinds

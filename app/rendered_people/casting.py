"""People drawn at random: shape, clothes and colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.rendered_people.body import Body
from app.rendered_people.figure import Figure
from app.rendered_people.garments import Dressed, dress
from app.rendered_people.parts import Cell, Draws, body_cell, color_cell
from app.rendered_people.regions import Outfit
from app.rendered_people.renderer import Color, Looks
from app.rendered_people.rotations import Array
from app.rendered_people.surroundings import random_color

_CLIP_HEIGHT = 1.75  # m, of the body that the garments' lengths were made for
_FAIR_SKIN = np.array([0.58, 0.345, 0.245])
_HAIR_STEPS = 50  # cells of the colours of hair, see parts.py: all are dark, and each shall be in both parts
_HAIR_STYLES = ("short", "long", "none")
_SLEEVES = (0.35, 0.72, 0.9, 1.5, 1.9)
_LEGS = (1.0, 1.0, 1.0, 0.38, 0.5, 0.75)
_HAIR = {
    "black": (0.012, 0.010, 0.009),
    "brown": (0.06, 0.032, 0.018),
    "fair": (0.36, 0.24, 0.11),
    "red": (0.22, 0.07, 0.025),
    "grey": (0.32, 0.32, 0.31),
}


@dataclass(frozen=True, eq=False)
class Character:
    dressed: Dressed
    figure: Figure
    looks: Looks
    phenotype: dict[str, float]


def random_character(random: Draws) -> Character:
    """Of the part that is drawn for: see `parts.py`."""
    phenotype = random_phenotype(random)
    female = phenotype["gender"] > 0.5
    outfit = random_outfit(random, female)
    body = Body(phenotype)
    dressed = dress(body, outfit, body.height / _CLIP_HEIGHT)
    return Character(dressed, Figure.of(dressed), random_looks(random, female), phenotype)


def random_outfit(random: Draws, female: bool) -> Outfit:
    def draw() -> Outfit:
        hair = str(random.choice(_HAIR_STYLES, p=[0.25, 0.7, 0.05] if female else [0.75, 0.1, 0.15]))
        return Outfit(
            sleeves=float(random.choice(_SLEEVES)) + random.uniform(-0.05, 0.05),
            legs=float(random.choice(_LEGS)) + random.uniform(-0.03, 0.0),
            shoes=bool(random.random() < 0.85),
            hair=hair,
            loose=random.uniform(0.8, 1.35),
        )

    return random.of_part(draw, outfit_cell)


def outfit_cell(outfit: Outfit) -> Cell:
    """Hair, sleeves, legs and shoes, whatever the lengths are exactly."""
    sleeves, legs = (
        int(np.abs(np.array(lengths) - length).argmin())
        for lengths, length in ((_SLEEVES, outfit.sleeves), (_LEGS, outfit.legs))
    )
    return _HAIR_STYLES.index(outfit.hair), sleeves, legs, int(outfit.shoes)


def random_phenotype(random: Draws) -> dict[str, float]:
    """Anny's scales, each 0 to 1."""
    return random.of_part(lambda: _phenotype(random), body_cell)


def hair_color_cell(color: Color) -> Cell:
    """As `color_cell`, but finer."""
    return color_cell(color, _HAIR_STEPS)


def _phenotype(random: Draws) -> dict[str, float]:
    """Adults and youths of usual heights; anny's scales reach much further."""
    gender = random.uniform(0, 0.35) if random.random() < 0.5 else random.uniform(0.65, 1)
    drawn = {
        "gender": gender,
        "age": random.uniform(0.5, 0.95),
        "muscle": random.uniform(0.25, 0.85),
        "weight": random.uniform(0.25, 0.85),
        "height": random.uniform(0.28, 0.58),
        "proportions": random.uniform(0.3, 0.9),
    }
    return {name: round(float(value), 4) for name, value in drawn.items()}


def random_looks(random: Draws, female: bool) -> Looks:
    """Colours and patterns."""
    skin = random.of_part(lambda: _skin(random), color_cell)
    names = list(_HAIR)
    hair = np.array(_HAIR[names[random.choice(len(names), p=[0.35, 0.35, 0.12, 0.06, 0.12])]])
    shirt = random_color(random, 0.02, 0.75)
    return Looks(
        skin=skin,
        hair=random.of_part(lambda: _triple(hair * random.uniform(0.7, 1.3)), hair_color_cell),
        shirt=_triple(shirt),
        shirt_second=_triple(random_color(random, 0.02, 0.75)),
        shirt_pattern=int(random.choice(5, p=[0.5, 0.14, 0.12, 0.12, 0.12])),
        trousers=_triple(random_color(random, 0.02, 0.5)),
        shoes=_triple(random_color(random, 0.02, 0.7)),
        stubble=0.0 if female else random.uniform(0, 0.8),
    )


def _skin(random: Draws) -> Color:
    # The darker, the less red against blue is left.
    shade = random.uniform(0.16, 1.1)
    return _triple(_FAIR_SKIN * shade * [1, 1 - 0.06 * (1 - shade), 1 - 0.1 * (1 - shade)])


def _triple(values: Array) -> Color:
    red, green, blue = (float(value) for value in values)
    return red, green, blue

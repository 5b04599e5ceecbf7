"""The parts of the rendered people: what is trained with is never in the test. Without bodies and a renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np
import pytest

from app.errors import UserError
from app.rendered_people.camera import Camera
from app.rendered_people.casting import (
    hair_color_cell,
    outfit_cell,
    random_looks,
    random_outfit,
    random_phenotype,
)
from app.rendered_people.meshes import Material
from app.rendered_people.parts import Cell, Draws, body_cell, color_cell, scene_seed
from app.rendered_people.scenery import Thing
from app.rendered_people.surroundings import backdrop, random_color, random_place, room_cell
from app.rendered_people.wishes import PARTS, Wishes

# What is painted alike in both parts: trunks, the plant on a cupboard, stools.
ALIKE = {(0.12, 0.08, 0.05), (0.09, 0.19, 0.06), (0.25, 0.16, 0.09)}


def cells_of_paints(things: Iterable[Thing]) -> set[Cell]:
    paints = {thing.paint for thing in things if thing.material == Material.PATTERNED}
    return {color_cell(paint[:3]) for paint in paints if paint[:3] not in ALIKE}


def drawn(part: str, count: int, draw: Callable[[Draws], Cell]) -> list[Cell]:
    random = Draws(7, part)
    return [draw(random) for _ in range(count)]


def _looks_cells(random: Draws) -> list[Cell]:
    looks = random_looks(random, female=False)
    clothes = (looks.shirt, looks.shirt_second, looks.trousers, looks.shoes)
    # Skin and hair have ranges of their own, which shirts may have, too: told apart by a first number.
    return [
        *((0, *color_cell(color)) for color in clothes),
        (1, *color_cell(looks.skin)),
        (2, *hair_color_cell(looks.hair)),
    ]


@pytest.mark.parametrize(
    ("draw", "count"),
    [
        (lambda random: body_cell(random_phenotype(random)), 400),
        (lambda random: outfit_cell(random_outfit(random, female=True)), 300),
        (lambda random: color_cell(random_color(random)), 300),
    ],
    ids=["bodies", "clothes", "colours"],
)
def test_the_parts_share_no_cell_and_each_spans_the_whole_range(draw: Callable[[Draws], Cell], count: int) -> None:
    train, test, everything = (drawn(part, count, draw) for part in ("train", "test", "all"))
    assert not set(train) & set(test)
    assert set(everything) & set(train)
    assert set(everything) & set(test)
    for place, values in enumerate(zip(*everything, strict=True)):
        # Of each single scale or choice, all that is common is in both parts.
        common = {value for value in values if values.count(value) > count / 20}
        for part in (train, test):
            assert common <= {cell[place] for cell in part}


def test_the_parts_share_no_colour_of_people() -> None:
    train, test = ({cell for _ in range(60) for cell in _looks_cells(random)} for random in _both_parts())
    assert not train & test
    for kind, part in product(range(3), (train, test)):
        assert len({cell for cell in part if cell[0] == kind}) > 5


def _both_parts() -> tuple[Draws, Draws]:
    return Draws(11, "train"), Draws(11, "test")


@pytest.mark.thorough
def test_the_parts_share_no_room_and_no_colour_of_places() -> None:
    colors: list[set[Cell]] = []
    rooms: list[set[Cell]] = []
    for random in _both_parts():
        places = [random_place(random) for _ in range(30)]
        colors.append({cell for place in places for cell in cells_of_paints(place.things)})
        rooms.append({_room(place.things) for place in places if place.kind == "room"})
        assert {place.kind for place in places} == {"room", "outdoors", "studio"}
    assert not colors[0] & colors[1]
    assert not rooms[0] & rooms[1]
    assert min(map(len, colors)) > 20
    assert min(map(len, rooms)) > 1


def _room(things: list[Thing]) -> Cell:
    wall, floor = things[0], things[4]
    return room_cell(int(wall.paint[3]), None if floor.material == Material.PARQUET else int(floor.paint[3]))


@pytest.mark.parametrize("outdoors", [False, True])
def test_the_parts_share_no_sky(outdoors: bool) -> None:
    """Straight up there is the zenith alone, where there are no clouds."""
    camera = Camera(8, 6, 8.0, (0, -0.1, 1.0), (0, 0, 9.0))

    class NoClouds(Draws):
        def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
            return np.zeros(size) if isinstance(size, tuple) else super().uniform(low, high, size)

    skies = [
        {color_cell(backdrop(camera, outdoors, random)[3, 4]) for _ in range(40)}
        for random in (NoClouds(3, "train"), NoClouds(3, "test"))
    ]
    assert not skies[0] & skies[1]


def test_without_a_part_the_first_draw_is_taken_from_the_same_numbers_as_ever() -> None:
    seed = scene_seed(5, 2, 0, "all")
    assert seed == [5, 2, 0]
    plain, draws = np.random.default_rng(seed), Draws(seed)
    assert draws.of_part(draws.random, lambda _: (1,)) == plain.random()
    assert draws.random() == plain.random()


def test_scenes_of_two_parts_begin_with_other_numbers() -> None:
    assert len({Draws(scene_seed(5, 2, 0, part), part).random() for part in PARTS}) == 3


def test_a_part_that_has_nothing_is_told() -> None:
    with pytest.raises(RuntimeError, match="nothing for the part test"):
        Draws(1, "test").of_part(lambda: 0.5, lambda _: (2, 4))


def test_an_unknown_part_is_told_in_one_sentence() -> None:
    with pytest.raises(UserError, match=r"Unknown part “half” of the rendered people\. Known: all, train, test\."):
        Wishes(part="half")

"""Whom the meters know: the numbers come from the estimator, and what belongs to a number stays its own."""

from __future__ import annotations

import math
from dataclasses import replace

from app.frames import StageTimes
from app.meters.board import MeterBoard
from tests.app import builders


def show(board: MeterBoard, index: int, *numbers: int, cut: bool = False) -> None:
    """Frame `index` of 30 a second, with these people in it. cut: it does not follow from the one before it."""
    people = tuple(builders.person(id=number) for number in numbers)
    result = builders.result(index, people=people)
    stages = StageTimes(1, 2, 3, 4, 5, result.frame.captured_ns + 20)
    board.add(replace(result, frame=replace(result.frame, continues=not cut), stages=stages))


def known(board: MeterBoard) -> list[int]:
    return list(board.read().people)


def test_who_is_out_of_view_is_known_as_long_as_the_meters_look_back() -> None:
    board = MeterBoard(jitter_window_s=1.0)
    show(board, 0, 1, 2)
    for index in range(1, 31):
        show(board, index, 2)
    assert known(board) == [1, 2]
    show(board, 31, 2)
    assert known(board) == [2]


def test_over_a_cut_nobody_is_known_who_is_not_in_the_picture() -> None:
    board = MeterBoard(jitter_window_s=2.0)
    show(board, 0, 1, 2)
    show(board, 1, 2, 3, cut=True)
    assert known(board) == [2, 3]
    assert board.read().person == 2
    show(board, 2, 3)
    assert known(board) == [2, 3]


def test_the_meters_of_a_whole_run_forget_nobody() -> None:
    board = MeterBoard(jitter_window_s=math.inf)
    show(board, 0, 1)
    show(board, 1, 2, cut=True)
    assert known(board) == [1, 2]

"""One picture for the screen and the recording."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from app import drawn_once
from app.drawn_once import DrawnOnce
from app.frames import PoseResult
from app.overlay import OverlayStyle, draw_overlay
from tests.app import builders

PLAIN = OverlayStyle()


def result_at(time_s: float) -> PoseResult:
    result = builders.result()
    return dataclasses.replace(result, frame=dataclasses.replace(result.frame, time_ns=round(time_s * 1e9)))


def test_who_asks_second_gets_the_same_picture():
    result = result_at(0)
    pictures = DrawnOnce(builders.readings)
    first = pictures.draw(result, PLAIN)
    assert np.array_equal(first, draw_overlay(result, PLAIN, readings=builders.readings()))
    # An equal style is enough; the result has to be the very same.
    assert pictures.draw(result, OverlayStyle()) is first
    assert pictures.draw(dataclasses.replace(result), PLAIN) is not first


def test_another_style_is_another_picture():
    result = result_at(0)
    pictures = DrawnOnce(None)
    mirrored = OverlayStyle(mirror=True)
    assert np.array_equal(pictures.draw(result, PLAIN), draw_overlay(result, PLAIN))
    assert np.array_equal(pictures.draw(result, mirrored), draw_overlay(result, mirrored))
    assert not np.array_equal(pictures.draw(result, PLAIN), pictures.draw(result, mirrored))


def test_old_pictures_are_let_go():
    pictures = DrawnOnce(None)
    results = [result_at(i) for i in range(20)]
    first = pictures.draw(results[0], PLAIN)
    for result in results:
        pictures.draw(result, PLAIN)
    assert pictures.draw(results[0], PLAIN) is not first


def test_two_who_ask_at_once_wait_for_one_drawing(monkeypatch):
    drawn, begun, go_on = [], threading.Event(), threading.Event()

    def slow(result, style, *, readings):
        begun.set()
        assert go_on.wait(10)
        drawn.append(result)
        return draw_overlay(result, style, readings=readings)

    monkeypatch.setattr(drawn_once, "draw_overlay", slow)
    pictures, result, got = DrawnOnce(None), result_at(0), []
    threads = [threading.Thread(target=lambda: got.append(pictures.draw(result, PLAIN))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(drawn) == 1
    assert got[0] is got[1]


def test_a_drawing_that_fails_is_tried_again(monkeypatch):
    def fail(*args, **options):
        raise ValueError("no")

    pictures, result = DrawnOnce(None), result_at(0)
    with monkeypatch.context() as patch:
        patch.setattr(drawn_once, "draw_overlay", fail)
        with pytest.raises(ValueError, match="no"):
            pictures.draw(result, PLAIN)
    assert np.array_equal(pictures.draw(result, PLAIN), draw_overlay(result, PLAIN))


def test_numbers_change_four_times_a_second_whoever_asks():
    asked: list[int] = []

    def readings():
        asked.append(len(asked))
        return builders.readings()

    pictures = DrawnOnce(readings)
    # 3 s of 30 frames a second on screen, and a recorder that is 0.4 s behind.
    for i in range(90):
        pictures.draw(result_at(i / 30), PLAIN)
        if i >= 12:
            pictures.draw(result_at((i - 12) / 30), PLAIN)
    assert 11 <= len(asked) <= 13
    before = len(asked)
    # The file starts again after a long while.
    pictures.draw(result_at(30), PLAIN)
    pictures.draw(result_at(0), PLAIN)
    assert len(asked) == before + 2

"""One picture for the screen and the recording."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pytest

from app import drawn_once
from app.drawn_once import DrawnOnce
from app.frames import PoseResult, StageTimes
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


def slow_drawing(monkeypatch) -> tuple[list[str], threading.Event, threading.Event]:
    """Names of the threads that draw, what is set when the first begins, and what lets it go on."""
    drawn: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow(result, style, *, readings):
        drawn.append(threading.current_thread().name)
        if not begun.is_set():
            begun.set()
            assert go_on.wait(10)
        return draw_overlay(result, style, readings=readings)

    monkeypatch.setattr(drawn_once, "draw_overlay", slow)
    return drawn, begun, go_on


def test_the_screen_waits_for_nobody(monkeypatch):
    drawn, begun, go_on = slow_drawing(monkeypatch)
    pictures, result = DrawnOnce(None), result_at(0)
    recorder = threading.Thread(target=pictures.draw_after_screen, args=(result, PLAIN), name="the recorder")
    recorder.start()
    assert begun.wait(10)
    assert np.array_equal(pictures.draw(result, PLAIN), draw_overlay(result, PLAIN))
    go_on.set()
    recorder.join(10)
    assert drawn == ["the recorder", "MainThread"]


def new_result() -> PoseResult:
    """Known at this moment."""
    result = builders.result()
    return dataclasses.replace(result, stages=StageTimes(0, 0, 0, 0, 0, time.perf_counter_ns()))


def test_the_recorder_leaves_a_new_result_to_the_screen(monkeypatch):
    monkeypatch.setattr(drawn_once, "_HEAD_START_S", 20.0)
    pictures, result, got = DrawnOnce(None), new_result(), []
    recorder = threading.Thread(target=lambda: got.append(pictures.draw_after_screen(result, PLAIN)))
    recorder.start()
    recorder.join(0.05)
    assert got == []
    shown = pictures.draw(result, PLAIN)
    recorder.join(0.05)
    assert got == []
    pictures.painted(new_result())  # another one
    recorder.join(0.05)
    assert got == []
    pictures.painted(result)
    recorder.join(10)
    assert got[0] is shown


def test_the_recorder_draws_what_the_screen_does_not_show(monkeypatch):
    monkeypatch.setattr(drawn_once, "_HEAD_START_S", 0.2)
    pictures, result = DrawnOnce(None), new_result()
    before = time.perf_counter()
    assert np.array_equal(pictures.draw_after_screen(result, PLAIN), draw_overlay(result, PLAIN))
    assert time.perf_counter() - before > 0.1
    # A result that is older is not waited for.
    before = time.perf_counter()
    pictures.draw_after_screen(result_at(1), PLAIN)
    assert time.perf_counter() - before < 0.1


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
    # 6 s of 30 frames a second on screen, and a recorder that is 4 s behind.
    for i in range(180):
        pictures.draw(result_at(i / 30), PLAIN)
        if i >= 120:
            pictures.draw(result_at((i - 120) / 30), PLAIN)
    assert 22 <= len(asked) <= 25
    before = len(asked)
    # The file starts again after a long while.
    pictures.draw(result_at(30), PLAIN)
    first = result_at(0)
    pictures.draw(dataclasses.replace(first, frame=dataclasses.replace(first.frame, continues=False)), PLAIN)
    assert len(asked) == before + 2

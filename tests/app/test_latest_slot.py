from __future__ import annotations

import threading
import time

from app.latest_slot import LatestSlot


def test_a_new_item_replaces_the_old_one_and_is_counted():
    slot: LatestSlot[int] = LatestSlot()
    for item in range(5):
        slot.put(item)
    assert (slot.take(0), slot.replaced) == (4, 4)
    assert slot.take(0) is None
    slot.put(5)
    assert (slot.take(1.0), slot.replaced) == (5, 4)


def test_an_item_that_is_false_is_still_an_item():
    slot: LatestSlot[int] = LatestSlot()
    slot.put(0)
    assert slot.take(0) == 0
    slot.put(0)
    slot.put(1)
    assert slot.replaced == 1


def test_some_may_wait_for_a_taker_that_is_held_up():
    slot: LatestSlot[int] = LatestSlot()
    slot.patience = 3
    for item in range(3):
        slot.put(item)
    assert [slot.take(0) for _ in range(4)] == [0, 1, 2, None]
    assert slot.replaced == 0


def test_what_was_replaced_before_some_may_wait_is_forgiven():
    slot: LatestSlot[int] = LatestSlot()
    slot.put(0)
    slot.put(1)
    slot.patience = 3
    slot.put(2)
    slot.put(3)
    assert [slot.take(0) for _ in range(4)] == [1, 2, 3, None]
    assert slot.replaced == 1


def test_nothing_grows_old_for_a_taker_that_is_too_slow():
    slot: LatestSlot[int] = LatestSlot()
    slot.patience = 3
    for item in range(4):
        slot.put(item)
    assert (slot.take(0), slot.replaced) == (3, 3)
    # It never had to wait since: two come for each that it takes.
    for item in range(4, 20, 2):
        slot.put(item)
        slot.put(item + 1)
        assert slot.take(0) == item + 1
    assert slot.replaced == 3 + 8
    assert slot.take(0) is None  # caught up
    slot.put(20)
    slot.put(21)
    assert [slot.take(0), slot.take(0)] == [20, 21]
    assert slot.replaced == 3 + 8


def test_those_that_wait_are_let_go_when_they_may_no_longer():
    slot: LatestSlot[int] = LatestSlot()
    slot.patience = 3
    slot.put(0)
    slot.put(1)
    slot.patience = 1
    slot.put(2)
    assert [slot.take(0), slot.take(0)] == [2, None]
    assert slot.replaced == 2


def test_take_waits_no_longer_than_it_may():
    slot: LatestSlot[int] = LatestSlot()
    started = time.monotonic()
    assert slot.take(0.05) is None
    assert 0.04 < time.monotonic() - started < 30


def test_take_wakes_up_as_soon_as_something_comes():
    slot: LatestSlot[str] = LatestSlot()
    taken: list[str | None] = []
    taker = threading.Thread(target=lambda: taken.append(slot.take(60)))
    taker.start()
    slot.put("frame")
    taker.join(30)
    assert taken == ["frame"]


def test_nothing_is_lost_uncounted_between_two_threads():
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int] = []
    done = threading.Event()

    def take_all() -> None:
        while (item := slot.take(0.01)) is not None or not done.is_set():
            if item is not None:
                taken.append(item)

    taker = threading.Thread(target=take_all)
    taker.start()
    for item in range(5000):
        slot.put(item)
    done.set()
    taker.join(30)
    assert taken == sorted(set(taken))
    assert taken[-1] == 4999
    assert len(taken) + slot.replaced == 5000


def test_nobody_waits_for_an_item_any_more():
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(slot.take(60.0)))
    waiting.start()
    slot.let_go()
    waiting.join(10.0)
    assert not waiting.is_alive()
    assert taken == [None]
    slot.put(1)
    assert slot.take(60.0) == 1
    begun = time.monotonic()
    assert slot.take(60.0) is None
    assert time.monotonic() - begun < 30.0

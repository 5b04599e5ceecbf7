"""When the pictures of a stream that comes in bursts are due."""

from __future__ import annotations

import numpy as np
import pytest

from app.sources.stream_connection import BurstSchedule

SECOND_NS = 1_000_000_000


def scheduled(delays_s: list[float], *, segment: int = 10, rate: float = 1.0, adapts: bool = True) -> np.ndarray:
    """How long after its stamp each picture is due (s). Burst k holds the stamps of one second from k on and arrives
    `delays_s[k]` s after its end, by a host's clock that counts `rate` s in a second.
    """
    schedule = BurstSchedule(adapts=adapts)
    due = []
    for number, delay in enumerate(delays_s):
        for place in range(segment):
            stamp = number + place / segment
            arrival = (number + 1 + delay) * rate
            due.append(schedule.due_ns(round(stamp * SECOND_NS), round(arrival * SECOND_NS)) / SECOND_NS - stamp)
    return np.array(due)


def test_bursts_are_shown_evenly_and_as_early_as_their_arrival_allows() -> None:
    assert scheduled([0.0] * 20) == pytest.approx(1.0)  # all a segment late, each as far from the next as its stamps
    late_once = scheduled([0.0] * 5 + [0.7] + [0.0] * 60)
    assert late_once[:50] == pytest.approx(1.0)
    assert late_once[50:350] == pytest.approx(1.7)  # waits for the late one …
    assert late_once[-250:] == pytest.approx(1.0)  # … and does not stay behind for ever
    file = scheduled([0.0] * 5 + [0.7] + [0.0] * 60, adapts=False)
    assert file[50:] == pytest.approx(1.7)


@pytest.mark.parametrize("rate", [0.999, 1.001])
def test_a_server_whose_clock_drifts_is_followed(rate: float) -> None:
    due = scheduled([0.0] * 600, rate=rate)
    drift = (rate - 1) * np.repeat(np.arange(600), 10)
    assert np.abs(due - 1 - drift).max() < 0.05  # after 10 minutes 0.6 s, were it not for that


def test_stamps_that_jump_go_on_right_after_the_picture_before() -> None:
    schedule = BurstSchedule()
    before = [schedule.due_ns(stamp * SECOND_NS // 10, 5 * SECOND_NS) for stamp in range(10)]
    for base_s in (4000, 7):
        after = [schedule.due_ns(base_s * SECOND_NS + stamp * SECOND_NS // 10, 5 * SECOND_NS) for stamp in range(10)]
        assert 0 <= after[0] - before[-1] <= SECOND_NS // 10
        assert np.diff(after) == pytest.approx(SECOND_NS / 10)
        before = after

"""Stages on the host's clock; those on a GPU need one."""

from __future__ import annotations

import time

import pytest
import torch

from models.engines.device_clock import clock_for
from models.stage_clock import StageClock

GPU = torch.device("cuda" if torch.cuda.is_available() else "mps")
HAS_GPU = torch.cuda.is_available() or torch.backends.mps.is_available()


def busy(milliseconds: float) -> None:
    end = time.perf_counter_ns() + milliseconds * 1e6
    while time.perf_counter_ns() < end:
        pass


def test_laps_book_the_time_since_the_lap_before() -> None:
    before = time.perf_counter_ns()
    clock = StageClock()
    for stage, milliseconds in (("preprocess", 2), ("network", 5), ("preprocess", 3)):
        busy(milliseconds)
        clock.lap(stage)
    whole = time.perf_counter_ns() - before
    times = clock.times()
    assert list(times) == ["preprocess", "network"]
    assert times["preprocess"] >= 5e6
    assert times["network"] >= 5e6
    assert times["preprocess"] + times["network"] <= whole
    # Time after the last lap is nobody's, and what is skipped is not the next one's.
    busy(20)
    assert clock.times() == times
    clock.skip()
    clock.lap("decode")
    assert clock.times()["decode"] < 10e6


@pytest.mark.skipif(not HAS_GPU, reason="there is no GPU here")
def test_work_that_is_queued_is_booked_on_the_stage_that_queued_it() -> None:
    matrix = torch.rand(2048, 2048, device=GPU)
    (matrix @ matrix).sum().item()
    clock = clock_for(GPU)
    for _ in range(40):
        matrix = (matrix @ matrix).clamp(0, 1)
    clock.lap("network")
    small = matrix.sum()
    clock.lap("decode")
    small.item()
    times = clock.times()
    assert times["network"] > 5 * times["decode"]

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from app.free_memory import give_back_free_memory


def resident_pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another one")
def test_what_is_free_within_the_c_library_is_given_back():
    # Small enough to lie on the heap, and with one that stays behind them.
    pieces = [np.ones(100_000, np.uint8) for _ in range(500)]
    last = pieces[-1]
    pieces.clear()
    give_back_free_memory()
    before = resident_pages()
    pieces = [np.ones(100_000, np.uint8) for _ in range(500)]
    keeps = np.ones(100_000, np.uint8)
    pieces.clear()
    give_back_free_memory()
    assert resident_pages() - before < 0.2 * 50e6 / 4096
    assert last[0] == keeps[0] == 1

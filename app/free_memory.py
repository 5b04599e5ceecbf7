"""Gives memory that is free back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def give_back_free_memory() -> None:
    """Let the C library give back what is free within it; where it is not glibc, nothing happens.

    Pictures are made on one thread and let go on another, of which each has a heap of its own. What a heap has once
    held, while the machine was busy and pictures had to wait, it keeps: after an hour a tenth of the program's memory.
    """
    if (trim := _malloc_trim()) is not None:
        trim(0)


@cache
def _malloc_trim() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none

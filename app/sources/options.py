"""The options of the synthetic sources, and how they are written: “synthetic:person,1280x720,60fps,noise=4”."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import Any

from app.errors import SourceError
from models.errors import unknown_name

FIGURES = ("figure", "person")

_SIZE = re.compile(r"([0-9]+)[x×]([0-9]+)")
_RATE = re.compile(r"(.*[0-9.])fps")


@dataclass(frozen=True, slots=True)
class SyntheticOptions:
    """figure: “figure” is drawn, “person” the rendered clip. width, height: pixels, None for the figure's own size.

    noise: standard deviation of the sensor noise in levels of 0..255. delay_ms: a frame is handed over so long after it
    was captured, where frames are paced. frames: how many there are, None for no end. seed: of the noise.
    """

    figure: str = "figure"
    width: int | None = None
    height: int | None = None
    fps: float = 30.0
    noise: float = 0.0
    delay_ms: float = 0.0
    frames: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Number:
    """What an option takes, for the user and for the check."""

    field: str
    what: str
    least: float
    most: float
    whole: bool = False

    def read(self, written: str) -> float:
        """Raises SourceError with one sentence."""
        try:
            value = int(written) if self.whole else float(written)
        except ValueError:
            value = math.nan
        if not self.least <= value <= self.most:
            raise SourceError(f"{self.what} is a number from {self.least:g} to {self.most:g}, not “{written}”.")
        return value


_WIDTH = _Number("width", "The width of the synthetic picture", 16, 7680, whole=True)
_HEIGHT = _Number("height", "The height of the synthetic picture", 16, 4320, whole=True)
_FPS = _Number("fps", "The rate in frames a second", 0.01, 1000)
_NAMED = {
    "noise": _Number("noise", "The noise in grey levels", 0, 255),
    "delay": _Number("delay_ms", "The delay in milliseconds", 0, 60_000),
    "frames": _Number("frames", "The number of frames", 1, 2**31 - 1, whole=True),
    "seed": _Number("seed", "The seed", 0, 2**31 - 1, whole=True),
    "fps": _FPS,
    "width": _WIDTH,
    "height": _HEIGHT,
}


def parse_synthetic(text: str) -> SyntheticOptions:
    """What follows “synthetic”: “”, “:person”, “:figure,640x480,60fps,noise=4,delay=30,frames=300,seed=1”.

    The figure comes first, the rest in any order. Raises SourceError with one sentence.
    """
    options = SyntheticOptions()
    words = [word.strip() for word in text[1:].split(",")] if text else []
    for number, word in enumerate(words):
        changes = _changes(word)
        if changes is None:
            if number > 0 or word not in FIGURES:
                known = ["1280x720", "60fps", *(f"{name}=" for name in _NAMED)]
                kind = "option of the synthetic source" if number else "synthetic source"
                raise SourceError(unknown_name(kind, word, known if number else FIGURES))
            changes = {"figure": word}
        options = dataclasses.replace(options, **changes)
    return options


def _changes(word: str) -> dict[str, Any] | None:
    """The fields that an option sets; None where it is none."""
    name, is_named, value = word.partition("=")
    if size := _SIZE.fullmatch(word):
        return {"width": _WIDTH.read(size[1]), "height": _HEIGHT.read(size[2])}
    if rate := _RATE.fullmatch(word):
        return {"fps": _FPS.read(rate[1])}
    if not is_named:
        return None
    if name not in _NAMED:
        raise SourceError(unknown_name("option of the synthetic source", name, _NAMED))
    return {_NAMED[name].field: _NAMED[name].read(value)}

"""The formula of debiasing, typeset, with the live numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.decoder_display import PAPER_FORM
from app.gui import theme
from app.gui.language import tr
from app.lab.readings import FormulaNumbers

_SMALLEST_PX, _LARGEST_PX = 11.0, 40.0
_SMALL = 0.72  # of a raised or lowered letter
# Letters stand for quantities and are slanted; ^{…} is raised, _{…} lowered, [share|…] and [result|…] coloured.
_TOKEN = re.compile(
    r"\^\{(?P<raised>[^}]*)\}|_\{(?P<lowered>[^}]*)\}|(?P<letters>[A-Zhpxyβ]\u0302?+)|(?P<rest>[^A-Zhpxyβ^_]+)"
)


@dataclass(frozen=True)
class Fraction:
    """One expression above another."""

    top: str
    bottom: str


Row = Sequence["str | Fraction"]

_SYMBOLIC: Row = (
    "J = ",
    Fraction("Σ p·e^{βh}", "C"),
    "      p̂ = ",
    Fraction("C·J − Σp", "C − HW"),
    "      C = Σ e^{βh}",
)


class FormulaView(QWidget):
    """J and the corrected point p̂ as symbols, and below for x and y with the numbers of one map and one β."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = [_SYMBOLIC]
        # The letters keep their size while the numbers change: it is chosen for long ones.
        self._size_of: tuple[QSize, float] = (QSize(), _SMALLEST_PX)
        self._widest = _rows(
            FormulaNumbers(8.88e22, 88888, (88.88, 88.88), (888888.0, 888888.0), (88.88, 88.88), (0, 0))
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Formula of debiasing"))

    def sizeHint(self) -> QSize:
        return QSize(420, 170)

    def minimumSizeHint(self) -> QSize:
        return QSize(360, 130)

    def show_numbers(self, numbers: FormulaNumbers) -> None:
        """Put these numbers in."""
        self._rows = _rows(numbers)
        self.setAccessibleDescription(self.text())
        self.update()

    def text(self) -> str:
        """What is shown, as lines of plain text."""
        return "\n".join(
            "".join(f"({part.top}) / ({part.bottom})" if isinstance(part, Fraction) else part for part in row)
            for row in self._rows
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._size_of[0] != self.size():
            self._size_of = (self.size(), self._fitting_size())
        size = self._size_of[1]
        heights = [_height(row, size, self.font()) for row in self._rows]
        gap = min((self.height() - sum(heights)) / max(1, len(heights) - 1), 0.6 * size)
        top = (self.height() - sum(heights) - gap * (len(heights) - 1)) / 2
        for index, (row, height) in enumerate(zip(self._rows, heights, strict=True)):
            color = theme.MUTED if index == 1 else theme.TEXT
            _draw_row(painter, row, QPointF(0, top + height / 2), size, self.font(), color)
            top += height + gap
        painter.end()

    def _fitting_size(self) -> float:
        size = _LARGEST_PX
        while size > _SMALLEST_PX and not self._fits(size):
            size -= 0.5
        return size

    def _fits(self, size: float) -> bool:
        width = max(_width(row, size, self.font()) for row in self._widest)
        height = sum(_height(row, size, self.font()) for row in self._widest) + 0.2 * size * (len(self._widest) - 1)
        return width <= self.width() and height <= self.height()


def number_text(value: float) -> str:
    """`66,545`, or `5.18×10^{21}` where it is very large."""
    if value < 1e7:
        return f"{value:,.0f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}×10^{{{int(exponent)}}}"


def _rows(numbers: FormulaNumbers) -> list[Row]:
    total, area = number_text(numbers.C), f"{numbers.HW:,}"
    rows: list[Row] = [_SYMBOLIC, (f"C = {total}      HW = {area}",)]
    for axis, name in enumerate("xy"):
        pulled, sum_p = f"{numbers.J[axis]:.2f}", f"{numbers.sum_p[axis]:,.0f}"
        rows.append(
            (
                f"J_{{{name}}} = {pulled}      {name}\u0302 = ",
                Fraction(f"{total} · {pulled} − {sum_p}", f"{total} − {area}"),
                f" = {numbers.corrected[axis]:.2f}",
            )
        )
    return rows


def _runs(text: str, size: float, base: QFont) -> list[tuple[str, QFont, float]]:
    """Pieces of one font each: text, font and how far above the line, in pixels."""
    runs = []
    for match in _TOKEN.finditer(text):
        kind, piece = match.lastgroup, match.group(match.lastgroup or 0)
        small = kind in ("raised", "lowered")
        font = QFont(base)
        font.setPixelSize(max(1, round(size * (_SMALL if small else 1))))
        font.setItalic(kind == "letters" or (small and not piece.isdigit()))
        lift = {"raised": 0.42, "lowered": -0.18}.get(kind or "", 0.0) * size
        runs.append((piece, font, lift))
    return runs


def _text_width(text: str, size: float, base: QFont) -> float:
    return sum(QFontMetricsF(font).horizontalAdvance(piece) for piece, font, _ in _runs(text, size, base))


def _part_width(part: str | Fraction, size: float, base: QFont) -> float:
    if isinstance(part, Fraction):
        return max(_text_width(part.top, size, base), _text_width(part.bottom, size, base)) + 0.5 * size
    return _text_width(part, size, base)


def _width(row: Row, size: float, base: QFont) -> float:
    return sum(_part_width(part, size, base) for part in row)


def _height(row: Row, size: float, _base: QFont) -> float:
    return size * (2.75 if any(isinstance(part, Fraction) for part in row) else 1.35)


def _draw_row(painter: QPainter, row: Row, middle_left: QPointF, size: float, base: QFont, color: str) -> None:
    x, middle = middle_left.x(), middle_left.y()
    axis = middle - 0.02 * size  # of the fraction bars and the equals signs
    for index, part in enumerate(row):
        width = _part_width(part, size, base)
        painter.setPen(QColor(color))
        if isinstance(part, Fraction):
            for text, baseline in ((part.top, axis - 0.38 * size), (part.bottom, axis + 1.08 * size)):
                left = x + (width - _text_width(text, size, base)) / 2
                _draw_text(painter, text, QPointF(left, baseline), size, base)
            painter.fillRect(
                int(x + 0.1 * size), int(axis), int(width - 0.2 * size), max(1, round(size / 14)), QColor(color)
            )
        else:
            if index and index == len(row) - 1 and part.startswith(" = "):
                painter.setPen(QColor(theme.lab_color(PAPER_FORM)))
            _draw_text(painter, part, QPointF(x, axis + 0.34 * size), size, base)
        x += width


def _draw_text(painter: QPainter, text: str, start: QPointF, size: float, base: QFont) -> None:
    x = start.x()
    for piece, font, lift in _runs(text, size, base):
        painter.setFont(font)
        painter.drawText(QPointF(x, start.y() - lift), piece)
        x += QFontMetricsF(font).horizontalAdvance(piece)

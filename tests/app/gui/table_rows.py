"""Where the rows of the decoder table are, found out by clicking."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.gui.decoder_table import DecoderTable


@lru_cache
def row_centres() -> dict[str, int]:
    """Decoder name -> y in px of the middle of its row."""
    table = DecoderTable()
    table.resize(table.sizeHint())
    rows: dict[str, list[int]] = {}
    clicked: list[str] = []
    table.decoder_chosen.connect(clicked.append)
    for y in range(table.height()):
        QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=QPoint(150, y))
        for name in clicked:
            rows.setdefault(name, []).append(y)
        clicked.clear()
    table.deleteLater()
    return {name: sum(ys) // len(ys) for name, ys in rows.items()}

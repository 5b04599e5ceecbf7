"""Renders posescope.svg to posescope-SIZE.png, beside it: `python assets/icons/render.py`."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES = (16, 32, 48, 64, 128, 256)

folder = Path(__file__).parent
renderer = QSvgRenderer(str(folder / "posescope.svg"))
for size in SIZES:
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    image.save(str(folder / f"posescope-{size}.png"))

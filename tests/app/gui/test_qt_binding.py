"""The Qt binding itself: 6.12.0 lost a reference to None with each call of QPainter and ended Python 3.11."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

CALLS = 500


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
@pytest.mark.parametrize(
    "call",
    [
        lambda painter: painter.setPen(QColor("#ffffff")),
        lambda painter: painter.setPen(Qt.PenStyle.NoPen),
        lambda painter: painter.setBrush(QColor("#ffffff")),
        lambda painter: painter.drawRoundedRect(QRectF(0, 0, 5, 5), 2, 2),
        lambda painter: painter.drawEllipse(QRectF(0, 0, 5, 5)),
        lambda painter: painter.drawText(QRectF(0, 0, 9, 9), Qt.AlignmentFlag.AlignCenter, "x"),
        lambda painter: painter.fillRect(QRectF(0, 0, 5, 5), QColor("#ffffff")),
    ],
)
def test_painting_keeps_the_references_to_none(qapp, call):
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    call(painter)
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        call(painter)
    lost = before - sys.getrefcount(None)
    painter.end()
    assert lost < CALLS / 10

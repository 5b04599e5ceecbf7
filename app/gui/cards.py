"""What result cards share: a picture painted at a fixed size, and a dialog that copies and saves it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.errors import OutputError
from app.gui import theme
from app.gui.language import tr
from app.output_file import OutputFile, free_path

# A saved or copied card is this much larger than on screen, so that it stays sharp on slides.
PICTURE_SCALE = 2.0

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Card(Protocol):
    """A result that can be told as text for the clipboard, and as a table."""

    def to_text(self) -> str: ...

    def to_csv(self) -> str: ...


class CardView(QWidget):
    """The card itself, painted at the fixed size of `sizeHint`; a subclass paints it on `theme.WINDOW`."""

    def __init__(self, title: str, described: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setAccessibleDescription(described)

    def picture(self) -> QImage:
        """The card as a picture of PICTURE_SCALE times its size on screen."""
        picture = QImage(self.size() * PICTURE_SCALE, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(PICTURE_SCALE)
        picture.fill(QColor(theme.WINDOW))
        self.render(picture)
        return picture


class CardDialog(QDialog):
    """The card, with buttons that copy and save it. Deleted when it is closed.

    path: of the picture if it is saved; the table goes beside it. Its folder is made when the first one is saved.
    """

    def __init__(self, title: str, card: Card, view: CardView, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._card = card
        self._recordings = path.parent
        # One name for the picture and the table of a measurement, with the time of the measurement.
        self._stem = path.stem
        self._view = view
        self._said = QLabel()
        self._said.setObjectName("hint")
        self._said.setWordWrap(True)
        self._said.setMinimumHeight(34)
        self._said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said.setAccessibleName(tr("What was copied or saved"))

        buttons = QHBoxLayout()
        buttons.setContentsMargins(20, 0, 20, 16)
        for text, tip, act in (
            (tr("&Copy"), tr("Copy the picture, and the numbers for a spreadsheet"), self._copy),
            (tr("Save &PNG"), tr("Save the card as a picture"), self._save_png),
            (tr("Save CS&V"), tr("Save the numbers as a table"), self._save_csv),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            buttons.addWidget(button)
        buttons.addWidget(self._said, 1)
        close = QPushButton(tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.close)
        buttons.addWidget(close)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._view)
        layout.addLayout(buttons)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    def _copy(self) -> None:
        data = QMimeData()
        data.setText(self._card.to_text())
        data.setImageData(self._view.picture())
        QGuiApplication.clipboard().setMimeData(data)
        self._say(tr("Copied: the picture, and the numbers for a spreadsheet."))

    def _save_png(self) -> None:
        self._save(_png(self._view.picture()), ".png")

    def _save_csv(self) -> None:
        self._save(self._card.to_csv().encode(), ".csv")

    def _save(self, data: bytes, suffix: str) -> None:
        try:
            file = OutputFile(free_path(self._recordings, self._stem, suffix))
            try:
                file.write(data)
                file.close()
            except OutputError:
                file.discard()
                raise
        except OutputError as error:
            self._say(str(error), theme.RECORD)
            return
        self._say(tr("Saved “{name}” in {folder}").format(name=file.path.name, folder=file.path.parent))

    def _say(self, text: str, color: str = theme.MUTED) -> None:
        self._said.setStyleSheet(f"color: {color};")
        self._said.setText(text)
        self._said.setToolTip(text)


def font_of(painter: QPainter, pixels: int, *, bold: bool = False) -> QFont:
    """The painter's font in another size."""
    font = QFont(painter.font())
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def write(
    painter: QPainter,
    cell: QRectF,
    text: str,
    color: str,
    pixels: int,
    *,
    bold: bool = False,
    align: Qt.AlignmentFlag = LEFT,
) -> None:
    """Draw one line of text into a cell."""
    painter.setFont(font_of(painter, pixels, bold=bold))
    painter.setPen(QColor(color))
    painter.drawText(cell, align | Qt.TextFlag.TextDontClip, text)


def fill(painter: QPainter, area: QRectF, color: str, radius: float) -> None:
    """Fill a rounded rectangle."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(area, radius, radius)


def _png(picture: QImage) -> bytes:
    # Apart from what may fail: an error that is kept keeps the frames it came through, and Qt's objects must not
    # outlive the application.
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(picture)
    return bytes(buffer.data().data())

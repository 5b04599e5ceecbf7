"""Shows the result of a hold-still measurement as a card that can be copied and saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QImage, QImageWriter, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.decoder_display import decoder_color, display_title, px_share, three_digits
from app.errors import OutputError
from app.gui import theme
from app.meters.hold_still import DecoderReading, HoldStillCard
from app.output_file import OutputFile, free_path
from app.output_names import snapshot_path

# A saved or copied card is this much larger than on screen, so that it stays sharp on slides.
PICTURE_SCALE = 2.0

_MARGIN = 28.0
_WIDTH = 800.0
_TABLE_TOP = 132.0
_ROW_HEIGHT = 32.0
_NAME_WIDTH = 168.0
_NUMBER_WIDTH = 58.0
_PERCENT_WIDTH = 70.0
_SMOOTHED_WIDTH = 104.0
_COLUMN_GAP = 20.0
_VERDICT_HEIGHT = 58.0
_TICKS_PX = (0.1, 1.0, 10.0)

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class HoldStillCardView(QWidget):
    """The card itself, painted at a fixed size."""

    def __init__(self, card: HoldStillCard) -> None:
        super().__init__()
        self._card = card
        self.setFixedSize(self.sizeHint())
        self.setAccessibleName("Result of the hold-still measurement")
        self.setAccessibleDescription(card.to_text())

    def sizeHint(self) -> QSize:
        return QSize(int(_WIDTH), int(self._table_bottom() + 14 + _VERDICT_HEIGHT + 46))

    def picture(self) -> QImage:
        """The card as a picture of PICTURE_SCALE times its size on screen."""
        picture = QImage(self.size() * PICTURE_SCALE, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(PICTURE_SCALE)
        picture.fill(QColor(theme.WINDOW))
        self.render(picture)
        return picture

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.WINDOW))
        self._paint_head(painter)
        self._paint_table(painter)
        self._paint_verdict(painter)
        painter.end()

    def _table_bottom(self) -> float:
        return _TABLE_TOP + _ROW_HEIGHT * len(self._card.readings)

    def _paint_head(self, painter: QPainter) -> None:
        card, conditions = self._card, self._card.conditions()
        width = _WIDTH - 2 * _MARGIN
        line = QRectF(_MARGIN, 22, width, 30)
        _write(painter, line, "Jitter and bias while holding still", theme.TEXT, 21, bold=True)
        _write(painter, line, "PoseScope", theme.MUTED, 13, align=_RIGHT)
        rest = f"  ·  {conditions['Picture']}  ·  {conditions['Network']}  ·  β {conditions['β']}"
        font = _font(painter, 13)
        room = width - QFontMetricsF(font).horizontalAdvance(rest)
        source = QFontMetricsF(font).elidedText(card.source, Qt.TextElideMode.ElideMiddle, room)
        _write(painter, QRectF(_MARGIN, 56, width, 20), source + rest, theme.TEXT, 13)
        frames = f"{card.frames} frames in {card.seconds:.1f} s ({card.fps:.1f} a second)"
        joints = f"{conditions['Joints']} joints" + (" (the others were not seen well)" if card.joints_left_out else "")
        _write(painter, QRectF(_MARGIN, 77, width, 18), f"{frames}  ·  {joints}", theme.MUTED, 12)

    def _paint_table(self, painter: QPainter) -> None:
        card = self._card
        head = QRectF(0, _TABLE_TOP - 24, _WIDTH, 22)
        columns = self._columns()
        for (left, bar_width), title in zip(columns, ("jitter", "bias"), strict=True):
            self._paint_scale(painter, left, bar_width)
            _write(painter, QRectF(left, head.top() - 2, 50, 22), title, theme.MUTED, 12)
            number = QRectF(left + bar_width, head.top() - 2, _NUMBER_WIDTH, 22)
            _write(painter, number, "px", theme.MUTED, 12, align=_RIGHT)
            percent = QRectF(number.right(), head.top() - 2, _PERCENT_WIDTH, 22)
            _write(painter, percent, "% of body", theme.MUTED, 12, align=_RIGHT)
        smoothed = QRectF(_WIDTH - _MARGIN - _SMOOTHED_WIDTH - 8, head.top() - 2, _SMOOTHED_WIDTH, 22)
        if card.is_smoothed:
            _write(painter, smoothed, "smoothed jitter", theme.MUTED, 12, align=_RIGHT)
        steadiest, furthest = card.steadiest(), card.furthest()
        for i, reading in enumerate(card.readings):
            row = QRectF(_MARGIN - 8, _TABLE_TOP + i * _ROW_HEIGHT, _WIDTH - 2 * _MARGIN + 16, _ROW_HEIGHT)
            is_steadiest = reading.decoder in steadiest
            if is_steadiest:
                _fill(painter, row.adjusted(0, 1, 0, -1), theme.RAISED, 6)
            self._paint_row(painter, row, reading, (is_steadiest, reading.decoder == furthest))
            if card.is_smoothed:
                cell = QRectF(smoothed.left(), row.top(), smoothed.width(), row.height())
                _write(painter, cell, three_digits(reading.smoothed_jitter_px), theme.TEXT, 13, align=_RIGHT)

    def _columns(self) -> list[tuple[float, float]]:
        """Left edge and width of the bar, of jitter and bias."""
        smoothed = _SMOOTHED_WIDTH + 8 if self._card.is_smoothed else 8
        width = (_WIDTH - 2 * _MARGIN - _NAME_WIDTH - smoothed - _COLUMN_GAP) / 2
        bar_width = width - _NUMBER_WIDTH - _PERCENT_WIDTH
        left = _MARGIN + _NAME_WIDTH
        return [(left, bar_width), (left + width + _COLUMN_GAP, bar_width)]

    def _paint_scale(self, painter: QPainter, left: float, bar_width: float) -> None:
        for tick in _TICKS_PX:
            x = left + bar_width * px_share(tick)
            painter.setPen(QColor(theme.LINE))
            painter.drawLine(QPointF(x, _TABLE_TOP), QPointF(x, self._table_bottom()))
            label = QRectF(x - 20, self._table_bottom(), 40, 14)
            _write(painter, label, f"{tick:g}", theme.MUTED, 10, align=Qt.AlignmentFlag.AlignCenter)

    def _paint_row(self, painter: QPainter, row: QRectF, reading: DecoderReading, marked: tuple[bool, bool]) -> None:
        color = decoder_color(reading.decoder)
        _fill(painter, QRectF(_MARGIN, row.center().y() - 5, 10, 10), color, 5)
        name = QRectF(_MARGIN + 20, row.top(), _NAME_WIDTH - 20, row.height())
        _write(painter, name, display_title(reading.decoder), theme.TEXT, 13, bold=marked[0])
        values = ((reading.jitter_px, reading.jitter_share), (reading.bias_px, reading.bias_share))
        colors = (theme.TEXT, theme.WARNING if marked[1] else theme.TEXT)
        for (left, bar_width), (px, share), bold, ink in zip(self._columns(), values, marked, colors, strict=True):
            _fill(painter, QRectF(left, row.center().y() - 4, bar_width, 8), theme.LINE, 4)
            filled = max(8.0, bar_width * px_share(px)) if px_share(px) > 0 else 0.0
            _fill(painter, QRectF(left, row.center().y() - 4, filled, 8), color, 4)
            number = QRectF(left + bar_width, row.top(), _NUMBER_WIDTH, row.height())
            _write(painter, number, three_digits(px), ink, 14, bold=bold, align=_RIGHT)
            percent = QRectF(number.right(), row.top(), _PERCENT_WIDTH, row.height())
            _write(painter, percent, f"{three_digits(share * 100)} %", theme.MUTED, 12, align=_RIGHT)

    def _paint_verdict(self, painter: QPainter) -> None:
        top = self._table_bottom() + 22
        box = QRectF(_MARGIN - 8, top, _WIDTH - 2 * _MARGIN + 16, _VERDICT_HEIGHT)
        _fill(painter, box, theme.PANEL, 8)
        _fill(painter, QRectF(box.left(), box.top() + 8, 4, box.height() - 16), theme.ACCENT, 2)
        painter.setFont(_font(painter, 15, bold=True))
        painter.setPen(QColor(theme.TEXT))
        wrapped = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        two_lines = self._card.verdict().replace(" px. ", " px.\n").replace(" px, ", " px,\n")
        painter.drawText(box.adjusted(20, 4, -16, -4), wrapped, two_lines)
        note = (
            "Root mean square over the joints. Jitter: noise of a joint held still. "
            "Bias: distance to the peak of its heatmap. Bars are logarithmic."
        )
        _write(painter, QRectF(_MARGIN, box.bottom() + 6, _WIDTH - 2 * _MARGIN, 18), note, theme.MUTED, 11)


class HoldStillDialog(QDialog):
    """The card, with buttons that copy and save it. Deleted when it is closed.

    recordings: the folder for saved cards; made when the first one is saved.
    """

    def __init__(self, card: HoldStillCard, recordings: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Hold-still measurement")
        self._card = card
        self._recordings = recordings
        # One name for the picture and the table of a measurement, with the time of the measurement.
        self._stem = snapshot_path(recordings, card.source, "hold still").stem
        self._view = HoldStillCardView(card)
        self._said = QLabel()
        self._said.setObjectName("hint")
        self._said.setWordWrap(True)
        self._said.setMinimumHeight(34)
        self._said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said.setAccessibleName("What was copied or saved")

        buttons = QHBoxLayout()
        buttons.setContentsMargins(20, 0, 20, 16)
        for text, tip, act in (
            ("&Copy", "Copy the picture, and the numbers for a spreadsheet", self._copy),
            ("Save &PNG", "Save the card as a picture", self._save_png),
            ("Save CS&V", "Save the numbers as a table", self._save_csv),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            buttons.addWidget(button)
        buttons.addWidget(self._said, 1)
        close = QPushButton("Close")
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
        self._say("Copied: the picture, and the numbers for a spreadsheet.")

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
        self._say(f"Saved “{file.path.name}” in {file.path.parent}")

    def _say(self, text: str, color: str = theme.MUTED) -> None:
        self._said.setStyleSheet(f"color: {color};")
        self._said.setText(text)
        self._said.setToolTip(text)


def _font(painter: QPainter, pixels: int, *, bold: bool = False) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def _write(
    painter: QPainter,
    cell: QRectF,
    text: str,
    color: str,
    pixels: int,
    *,
    bold: bool = False,
    align: Qt.AlignmentFlag = _LEFT,
) -> None:
    painter.setFont(_font(painter, pixels, bold=bold))
    painter.setPen(QColor(color))
    painter.drawText(cell, align | Qt.TextFlag.TextDontClip, text)


def _fill(painter: QPainter, area: QRectF, color: str, radius: float) -> None:
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

"""The options of each kind of source, as pages of the dialog that opens one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.gui.language import tr
from app.gui.widgets import ListBox, named_label

Mode = tuple[int, int, float, str]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_VIDEOS = "*.mp4 *.mov *.mkv *.avi *.webm *.m4v *.ts *.mpg"


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """One camera. text: what `make_source` opens it by. modes: (width, height, frames a second, pixel format)."""

    name: str
    text: str
    modes: Sequence[Mode] = ()
    identity: str = ""


class Page(QWidget):
    """The options of one kind of source."""

    changed = Signal()

    def __init__(self, title: str, explained: str) -> None:
        super().__init__()
        self._title = named_label("title", title)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._title.setVisible(bool(title))
        self.rows = QGridLayout()
        self.rows.setHorizontalSpacing(12)
        self.rows.setVerticalSpacing(8)
        self.rows.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self._title)
        layout.addWidget(_hint(explained))
        layout.addLayout(self.rows)
        layout.addStretch(1)

    def add(self, title: str, *widgets: QWidget) -> None:
        """One row: a label and its widgets, the first of which it names."""
        row, label = self.rows.rowCount(), QLabel(title)
        label.setBuddy(widgets[0])
        line = QHBoxLayout()
        line.setSpacing(6)
        for widget in widgets:
            line.addWidget(widget, 1 if isinstance(widget, QLineEdit | QComboBox) else 0)
        if not isinstance(widgets[0], QLineEdit | QComboBox):
            line.addStretch(1)
        self.rows.addWidget(label, row, 0)
        self.rows.addLayout(line, row, 1)

    def source(self) -> str:
        """The text for `make_source`; empty while something is missing."""
        return ""

    def begin(self) -> None:
        """Go to what is missing."""


class CameraPage(Page):
    def __init__(self) -> None:
        super().__init__(
            "",
            tr("Automatic takes a mode that this camera can keep up. The window shows the rate that really arrives."),
        )
        self._text = ""
        self._modes = ListBox()
        self._modes.setAccessibleName(tr("Size, rate and pixel format"))
        self._modes.setMaxVisibleItems(12)
        self.add(tr("&Mode"), self._modes)
        self._identity = _hint("")
        self._identity.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._identity.setAccessibleName(tr("Identity of the camera"))
        self.rows.addWidget(self._identity, self.rows.rowCount(), 0, 1, 2)

    def show_camera(self, camera: CameraChoice) -> None:
        mode = self._modes.currentData() if camera.text == self._text else ""
        self._text = camera.text
        self._title.setText(camera.name)
        self._title.show()
        self._modes.clear()
        self._modes.addItem(tr("Automatic"), "")
        # The largest first, then the fastest; the pixel formats in the camera's own order.
        for offered in sorted(dict.fromkeys(camera.modes), key=lambda mode: (-mode[0] * mode[1], -mode[0], -mode[2])):
            self._modes.addItem(mode_title(offered), mode_text(offered))
        self._modes.setCurrentIndex(max(0, self._modes.findData(mode)))
        # A path without spaces would widen the dialog instead of going on in the next line.
        self._identity.setText(re.sub(r"([\\/&#_:.-])", "\\1\u200b", camera.identity))
        self._identity.setToolTip(camera.identity)

    def source(self) -> str:
        return self._text + (self._modes.currentData() or "")


class StreamPage(Page):
    def __init__(self) -> None:
        super().__init__(
            tr("Network stream"),
            tr("The address of an IP camera or of a stream: RTSP, HTTP (MJPEG, MPEG-TS, HLS), UDP."),
        )
        self._address = QLineEdit()
        self._address.setObjectName("field")
        self._address.setAccessibleName(tr("Address"))
        self._address.setPlaceholderText("http://192.168.1.20:8080/video.mjpg")
        self._address.textChanged.connect(self.changed)
        self.add(tr("&Address"), self._address)
        row = self.rows.rowCount()
        self.rows.addWidget(_hint(tr("Also rtsp://192.168.1.20:554/live, udp://@:5000")), row, 1)
        secret = tr("What stands there as user:password@ serves to connect; it is never stored or shown in the window.")
        self.rows.addWidget(_hint(secret), row + 1, 1)

    def source(self) -> str:
        address = self._address.text().strip()
        return address if _ADDRESS.fullmatch(address) else ""

    def begin(self) -> None:
        self._address.setFocus()


class PathPage(Page):
    def __init__(self, title: str, explained: str, *, folder: bool) -> None:
        super().__init__(title, explained)
        self._folder = folder
        self._path = QLineEdit()
        self._path.setObjectName("field")
        self._path.textChanged.connect(self._path.setToolTip)
        self._path.textChanged.connect(self.changed)
        self._path.setAccessibleName(tr("Path of the {what}").format(what=title.lower()))
        self._path.setPlaceholderText(tr("Nothing chosen yet"))
        self._button = QPushButton(tr("&Choose …"))
        self._button.setAccessibleName(tr("Choose the {what}").format(what=title.lower()))
        self._button.setAutoDefault(False)  # Enter opens what was chosen
        self._button.clicked.connect(self.begin)
        self.add(tr("Path"), self._path, self._button)

    def source(self) -> str:
        return self._path.text().strip()

    def begin(self) -> None:
        title = tr("Choose a folder of images") if self._folder else tr("Choose a video file")
        dialog = QFileDialog(self, title, self._path.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory if self._folder else QFileDialog.FileMode.ExistingFile)
        if not self._folder:
            dialog.setNameFilters([f"{tr('Videos')} ({_VIDEOS})", tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take)
        dialog.open()

    def _take(self, path: str) -> None:
        self._path.setText(str(Path(path)))


class SyntheticPage(Page):
    def __init__(self, kind: str) -> None:
        person = kind == "person"
        super().__init__(
            tr("Rendered person") if person else tr("Moving figure"),
            tr("The shipped clip of a rendered person, with the true place of every joint.")
            if person
            else tr("A drawn figure that moves, with the true place of every joint."),
        )
        self._kind = kind
        self._width = _number(tr("Width"), 960 if person else 1280, 64, 7680)
        self._height = _number(tr("Height"), 540 if person else 720, 64, 4320)
        self._rate = _number(tr("Rate"), 30, 1, 240, tr(" frames a second"))
        self._noise = _number(tr("Noise"), 0, 0, 64, tr(" grey levels"))
        self._delay = _number(tr("Delay"), 0, 0, 5000, " ms")
        self._noise.setToolTip(tr("Standard deviation of the noise that is added to every pixel"))
        self._delay.setToolTip(tr("By how much each picture is handed over after its time"))
        self.add(tr("&Size"), self._width, QLabel("×"), self._height)
        self.add(tr("&Rate"), self._rate)
        self.add(tr("&Noise"), self._noise)
        self.add(tr("&Delay"), self._delay)

    def source(self) -> str:
        options = [f"{self._width.value()}x{self._height.value()}", f"{self._rate.value()}fps"]
        options += [
            f"{name}={box.value()}" for name, box in (("noise", self._noise), ("delay", self._delay)) if box.value()
        ]
        return f"synthetic:{self._kind},{','.join(options)}"


def mode_title(mode: Mode) -> str:
    """`1280 × 720, 30 fps, MJPG`; what the camera does not tell is left out."""
    width, height, fps, pixel_format = mode
    rate = f"{fps:.4g} fps" if fps > 0 else ""
    return ", ".join(part for part in (f"{width} × {height}", rate, pixel_format) if part)


def mode_text(mode: Mode) -> str:
    """What follows the camera in the text for `make_source`: `,1280x720,30fps,MJPG`."""
    width, height, fps, pixel_format = mode
    rate = f"{fps:g}fps" if fps > 0 else ""
    return "".join(f",{part}" for part in (f"{width}x{height}", rate, pixel_format) if part)


def _hint(text: str) -> QLabel:
    label = named_label("hint", text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
    return label


def _number(name: str, value: int, low: int, high: int, unit: str = "") -> QSpinBox:
    box = QSpinBox()
    box.setObjectName("field")
    box.setAccessibleName(name)
    box.setRange(low, high)
    box.setValue(value)
    box.setSuffix(unit)
    box.lineEdit().setTextMargins(7, 0, 0, 0)  # it takes no padding from the style sheet
    box.setFixedWidth(160 if unit else 70)
    return box

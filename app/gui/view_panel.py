"""What is drawn over the picture: a second decoder, ghosts, arrows, heatmaps; and the smoothing of the points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.decoder_display import DISPLAY_NAMES, READING_NAMES
from app.gui import theme
from app.gui.language import tr
from app.gui.names import decoder_title
from app.gui.widgets import JumpSlider, ListBox, keep_lines, named_label, tool_button
from app.overlay import ALL_JOINTS
from app.smoothing import OneEuroSettings
from models.people import MEDIAPIPE

_STEPS = 200
ARROWS = (0, 1, 4, 16)
HEATMAP_OFF, HEATMAP_JOINT, HEATMAP_ALL = "off", "joint", "all"


class Segments(QWidget):
    """A row of buttons of which one is chosen."""

    chosen = Signal(object)

    def __init__(self, choices: dict[Any, str], accessible_name: str) -> None:
        super().__init__()
        self.setAccessibleName(accessible_name)
        self._group = QButtonGroup(self)
        self._values = list(choices)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for value, text in choices.items():
            button = tool_button(text, checkable=True)
            button.setAccessibleName(f"{accessible_name} {text}")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, value=value: self.chosen.emit(value))
            self._group.addButton(button)
            layout.addWidget(button)
        self.show_choice(self._values[0])

    def show_choice(self, value: Any) -> None:
        """Mark what is in use, without emitting anything."""
        self._group.buttons()[self._values.index(value)].setChecked(True)


class ViewPanel(QWidget):
    """style_changed: ghosts, arrows or the heatmap were changed. smoothing_changed: the smoothing was."""

    style_changed = Signal()
    smoothing_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.ghosts: frozenset[str] = frozenset()
        self.arrows = 0
        self.heatmap = HEATMAP_OFF
        self.split = ""
        self._last_split = ""
        self.smoothing_on = False
        self.smoothing_settings = OneEuroSettings()
        self._last_ghosts = frozenset(DISPLAY_NAMES)
        self._boxes: dict[str, QCheckBox] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(named_label("heading", tr("SPLIT VIEW")))
        layout.addWidget(self._make_split())
        layout.addWidget(named_label("heading", tr("GHOSTS ON THE SAME PICTURE")))
        layout.addLayout(self._make_ghosts())
        layout.addWidget(named_label("heading", tr("ARROWS FROM GHOST TO CHOSEN")))
        self._arrow_buttons = Segments({0: tr("Off"), 1: "× 1", 4: "× 4", 16: "× 16"}, tr("Arrows"))
        self._arrow_buttons.setToolTip(
            tr("The ghosts' distances to the chosen decoder, magnified, so that they are seen")
        )
        self._arrow_buttons.chosen.connect(self.set_arrows)
        layout.addWidget(self._arrow_buttons)
        layout.addWidget(named_label("heading", tr("HEATMAP OVER THE PICTURE")))
        self._heatmap_buttons = Segments(
            {HEATMAP_OFF: tr("Off"), HEATMAP_JOINT: tr("One joint"), HEATMAP_ALL: tr("All joints")}, tr("Heatmap")
        )
        self._heatmap_buttons.setToolTip(
            tr("One joint: the one in the loupe. Click a joint in the picture to choose it.")
        )
        self._heatmap_buttons.chosen.connect(self.set_heatmap)
        layout.addWidget(self._heatmap_buttons)
        layout.addWidget(named_label("heading", tr("SMOOTHING, 1 € FILTER")))
        layout.addLayout(self._make_smoothing())
        layout.addStretch(1)

    def _make_split(self) -> QComboBox:
        self._splits = ListBox()
        self._splits.setAccessibleName(tr("Split view"))
        self._splits.setToolTip(
            tr("The chosen decoder on the left, another one on the right of a divider that you drag")
        )
        self._splits.addItem(tr("Off"), "")
        for name in DISPLAY_NAMES:
            self._splits.addItem(tr("Right: {decoder}").format(decoder=decoder_title(name)), name)
        self._splits.activated.connect(lambda row: self.set_split(self._splits.itemData(row)))
        return self._splits

    def _make_ghosts(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        for i, name in enumerate(READING_NAMES):
            box = QCheckBox(decoder_title(name))
            box.setAccessibleName(tr("Ghost of {decoder}").format(decoder=decoder_title(name)))
            box.clicked.connect(self._ghost_clicked)
            self._boxes[name] = box
            # The last one's name is long.
            grid.addWidget(box, i // 2, i % 2, 1, 2 if name == MEDIAPIPE else 1)
        self._boxes[MEDIAPIPE].setToolTip(
            tr(
                "MediaPipe’s own PoseLandmarker beside our network, on the same pictures and the same .task file: "
                "from\npicture to points all its own. A live picture waits for it up to three others; where it comes "
                "later\nthat picture is shown without it, never with the points of another one."
            )
        )
        self._reference_text = named_label("hint")
        self._reference_text.setAccessibleName(tr("MediaPipe’s ghost"))
        self._reference_text.setToolTip(
            tr(
                "Distance of MediaPipe’s joints from those that our network regressed: the median in each picture,\n"
                "averaged over the time that the meters look back. Left out: live pictures for which it came too late."
            )
        )
        self._reference_text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        keep_lines(self._reference_text, 1)
        grid.addWidget(self._reference_text, len(READING_NAMES) // 2 + 1, 0, 1, 2)
        self._color()
        theme.broadcast.changed.connect(self._color)
        return grid

    def _color(self) -> None:
        """Chips in the colours of the theme in use."""
        for name, box in self._boxes.items():
            chip = QPixmap(10, 10)
            chip.fill(QColor(theme.decoder_color(name)))
            box.setIcon(chip)

    def _make_smoothing(self) -> QGridLayout:
        self._smoothing_box = QCheckBox(tr("Smooth the points after they are read"))
        self._smoothing_box.setAccessibleName(tr("Smoothing"))
        self._smoothing_box.clicked.connect(self.set_smoothing)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._smoothing_box, 0, 0, 1, 3)
        at_rest, fast = tr("Lower: less jitter at rest, more lag"), tr("Higher: less lag of fast joints, more jitter")
        noticed = tr("How fast a change of speed is noticed")
        self._sliders = (
            _SettingSlider("min_cutoff", tr("Min. cutoff"), "Hz", 0.1, 10.0, at_rest),
            _SettingSlider("beta", tr("Speed gain"), "", 0.1, 100.0, fast),
            _SettingSlider("derivative_cutoff", tr("Speed cutoff"), "Hz", 0.1, 10.0, noticed),
        )
        for row, slider in enumerate(self._sliders, 1):
            slider.show_value(getattr(self.smoothing_settings, slider.field))
            slider.moved.connect(self._set_smoothing_field)
            grid.addWidget(slider.title, row, 0)
            grid.addWidget(slider.slider, row, 1)
            grid.addWidget(slider.value, row, 2)
        grid.setColumnStretch(1, 1)
        return grid

    @property
    def smoothing(self) -> OneEuroSettings | None:
        """How to smooth, None where it is off."""
        return self.smoothing_settings if self.smoothing_on else None

    def heatmap_of(self, joint: int) -> int | None:
        """What the overlay is to draw while `joint` is the chosen one."""
        return {HEATMAP_OFF: None, HEATMAP_JOINT: joint, HEATMAP_ALL: ALL_JOINTS}[self.heatmap]

    def set_split(self, decoder: str) -> None:
        """Show this decoder on the right of a divider; empty: do not split."""
        self.split = decoder
        self._last_split = decoder or self._last_split
        self._splits.setCurrentIndex(self._splits.findData(decoder))
        self.style_changed.emit()

    def toggle_split(self, beside: str) -> None:
        """With the decoder that was there last, or not at all. Never twice the same: `beside` is on the left."""
        other = self._last_split or "ipr"
        if other == beside:
            other = "debiased" if beside == "ipr" else "ipr"
        self.set_split("" if self.split else other)

    def set_ghosts(self, ghosts: frozenset[str]) -> None:
        """Draw these decoders beside the chosen one."""
        if ghosts:
            self._last_ghosts = ghosts
        self.ghosts = ghosts
        for name, box in self._boxes.items():
            box.setChecked(name in ghosts)
        self.style_changed.emit()

    def take_away(self, ghost: str) -> None:
        """It cannot be drawn."""
        self._last_ghosts = self._last_ghosts - {ghost} or frozenset(DISPLAY_NAMES)
        self.set_ghosts(self.ghosts - {ghost})

    def show_reference(self, text: str) -> None:
        """How MediaPipe's ghost is getting on."""
        self._reference_text.setText(text)

    def show_decoders(self, names: Sequence[str]) -> None:
        """Which decoders read; without any there is nothing to compare."""
        for name, box in self._boxes.items():
            box.setEnabled(name in names or (name == MEDIAPIPE and bool(names)))
        for part in (self._arrow_buttons, self._heatmap_buttons):
            part.setEnabled(bool(names))

    def toggle_ghosts(self) -> None:
        """All that were last drawn, or none."""
        self.set_ghosts(frozenset() if self.ghosts else self._last_ghosts)

    def _ghost_clicked(self) -> None:
        self.set_ghosts(frozenset(name for name, box in self._boxes.items() if box.isChecked()))

    def next_arrows(self) -> None:
        """Off, × 1, × 4, × 16, off."""
        self.set_arrows(ARROWS[(ARROWS.index(self.arrows) + 1) % len(ARROWS)])

    def set_arrows(self, magnification: int) -> None:
        """0: none."""
        self.arrows = magnification
        self._arrow_buttons.show_choice(magnification)
        if magnification and not self.ghosts:
            self.set_ghosts(self._last_ghosts)  # arrows without ghosts would show nothing
        else:
            self.style_changed.emit()

    def next_heatmap(self) -> None:
        """Off, one joint, all joints, off."""
        order = (HEATMAP_OFF, HEATMAP_JOINT, HEATMAP_ALL)
        self.set_heatmap(order[(order.index(self.heatmap) + 1) % 3])

    def set_heatmap(self, which: str) -> None:
        """HEATMAP_OFF, HEATMAP_JOINT or HEATMAP_ALL."""
        self.heatmap = which
        self._heatmap_buttons.show_choice(which)
        self.style_changed.emit()

    def set_smoothing(self, on: bool) -> None:
        """Switch the smoothing."""
        self.smoothing_on = on
        self._smoothing_box.setChecked(on)
        self.smoothing_changed.emit()

    def _set_smoothing_field(self, field: str, value: float) -> None:
        self.smoothing_settings = replace(self.smoothing_settings, **{field: value})
        self.smoothing_changed.emit()


class _SettingSlider(QWidget):
    """A logarithmic slider for one field of the smoothing. Its parts are laid out by its owner."""

    moved = Signal(str, float)

    def __init__(self, field: str, title: str, unit: str, low: float, high: float, explained: str) -> None:
        super().__init__()
        self.field, self._unit, self._low, self._high = field, unit, low, high
        self.title = QLabel(title)
        self.slider = JumpSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setAccessibleName(tr("Smoothing: {title}").format(title=title))
        self.value = QLabel()
        self.value.setMinimumWidth(54)
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for widget in (self.title, self.slider):
            widget.setToolTip(explained)
        self.slider.valueChanged.connect(self._moved)

    def show_value(self, value: float) -> None:
        """Show what is in use, without emitting anything."""
        self.slider.blockSignals(True)
        self.slider.setValue(round(_STEPS * math.log(value / self._low) / math.log(self._high / self._low)))
        self.slider.blockSignals(False)
        self.value.setText(f"{value:.3g} {self._unit}".strip())

    def _moved(self, position: int) -> None:
        value = float(f"{self._low * (self._high / self._low) ** (position / _STEPS):.3g}")
        self.value.setText(f"{value:.3g} {self._unit}".strip())
        self.moved.emit(self.field, value)

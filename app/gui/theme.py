"""Colours and style sheet of the window: dark or light, as the system has it or as the user says.

The colours in use are attributes of this module (`theme.TEXT`, …), which `apply_theme` changes: read them when you
paint, and where you keep one, do so again when `broadcast.changed` is emitted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.decoder_display import DARK_SURFACE, DECODER_COLORS, PAPER_FORM, REFERENCE_COLOR, UNKNOWN_COLOR
from app.gui.style_sheet import STYLE
from models.people import MEDIAPIPE


@dataclass(frozen=True, slots=True)
class Scheme:
    """Colours as `#rrggbb`. Text has a contrast of 4.5 : 1 at least, on each surface that it stands on.

    window, panel, raised: surfaces, from the farthest to the nearest. line: borders and empty parts of meters.
    decoders: of bars, dots and lines, 3 : 1 at least; told apart with any colour vision. unknown: of what is none of
        them. paper: of the paper's form of debiasing. reference: of MediaPipe. stages: in the order of
        `app.meters.board.STAGES`.
    """

    window: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    record: str
    warning: str
    fine: str
    warning_fill: str
    error_fill: str
    decoders: Mapping[str, str]
    unknown: str
    paper: str
    reference: str
    stages: tuple[str, ...]


DARK = Scheme(
    window=DARK_SURFACE,
    panel="#1b1f26",
    raised="#262c35",
    line="#343c47",
    text="#e8eaed",
    muted="#a3adba",
    accent="#56b4e9",
    on_accent="#0b1117",
    record="#ff5c5c",
    warning="#f0c000",
    fine="#5fc99a",
    warning_fill="#3a3112",
    error_fill="#41191b",
    decoders=DECODER_COLORS,
    unknown=UNKNOWN_COLOR,
    paper="#b9a3ff",
    reference=REFERENCE_COLOR,
    stages=("#6b7787", "#8fb8de", "#c9a0dc", "#56b4e9", "#f0c24b", "#8d8265", "#7fc8a9", "#e89f7d"),
)
LIGHT = Scheme(
    window="#f2f4f7",
    panel="#ffffff",
    raised="#eceff3",
    line="#c8ced7",
    text="#1b1f26",
    muted="#56606d",
    accent="#0b66a0",
    on_accent="#ffffff",
    record="#b3261e",
    warning="#7a5600",
    fine="#1a6e48",
    warning_fill="#fff1cc",
    error_fill="#fde4e2",
    # Darker relatives of the palette of Okabe and Ito: as far apart as can be with every colour vision (a distance of
    # .11 in OKLab at least; the palette itself has .08).
    decoders={
        "argmax": "#c28100",
        "argmax-quarter": "#736300",
        "dark": "#a8236c",
        "ipr": "#6a2800",
        "debiased": "#066ca5",
        "regression": "#0ca184",
    },
    unknown="#6e7783",
    paper="#6b4fc0",
    reference="#454d58",
    stages=("#6b7787", "#4b86bd", "#9256b3", "#066ca5", "#a87a00", "#6b6044", "#2e8b67", "#c0562f"),
)


class _Broadcast(QObject):
    """changed: other colours are in use."""

    changed = Signal()


broadcast = _Broadcast()

WINDOW = DARK.window
PANEL = DARK.panel
RAISED = DARK.raised
LINE = DARK.line
TEXT = DARK.text
MUTED = DARK.muted
ACCENT = DARK.accent
ON_ACCENT = DARK.on_accent
RECORD = DARK.record
WARNING = DARK.warning
FINE = DARK.fine
WARNING_FILL = DARK.warning_fill
ERROR_FILL = DARK.error_fill
DECODERS: Mapping[str, str] = DARK.decoders
UNKNOWN = DARK.unknown
PAPER = DARK.paper
REFERENCE = DARK.reference
STAGES = DARK.stages


def decoder_color(decoder: str) -> str:
    """The decoder's colour on this theme's surfaces. (In the picture it is `app.decoder_display.decoder_color`.)"""
    return REFERENCE if decoder == MEDIAPIPE else DECODERS.get(decoder, UNKNOWN)


def reading_colors() -> Mapping[str, str]:
    """Of the decoders and of MediaPipe, on this theme's surfaces."""
    return {**DECODERS, MEDIAPIPE: REFERENCE}


def lab_color(decoder: str) -> str:
    """The same of the β laboratory, which has the paper's form of debiasing too."""
    return PAPER if decoder == PAPER_FORM else decoder_color(decoder)


def scheme_for(theme: str) -> Scheme:
    """Of `system`, `light` or `dark`. Where the system does not say, dark: pictures look best on it."""
    if theme == "system":
        light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return LIGHT if light else DARK
    return LIGHT if theme == "light" else DARK


@contextlib.contextmanager
def styled_at_the_end(application: QApplication) -> Iterator[None]:
    """What is built meanwhile gets the style sheet when it is whole: Qt would apply it to a part with all that is in it
    each time that the part is put into another, which takes longer than the building.
    """
    style = application.styleSheet()
    application.setStyleSheet("")
    try:
        yield
    finally:
        application.setStyleSheet(style)


def apply_theme(application: QApplication, theme: str = "dark") -> None:
    """Give the application this look on every platform: system, light or dark."""
    look = scheme_for(theme)
    colors = {field.name: getattr(look, field.name) for field in fields(look)}
    globals().update({name.upper(): color for name, color in colors.items()})
    application.setStyle("Fusion")
    palette = QPalette()
    for role, color in (
        (QPalette.ColorRole.Window, look.window),
        (QPalette.ColorRole.Base, look.panel),
        (QPalette.ColorRole.AlternateBase, look.raised),
        (QPalette.ColorRole.Button, look.raised),
        (QPalette.ColorRole.WindowText, look.text),
        (QPalette.ColorRole.Text, look.text),
        (QPalette.ColorRole.ButtonText, look.text),
        (QPalette.ColorRole.ToolTipBase, look.raised),
        (QPalette.ColorRole.ToolTipText, look.text),
        (QPalette.ColorRole.PlaceholderText, look.muted),
        (QPalette.ColorRole.Highlight, look.accent),
        (QPalette.ColorRole.HighlightedText, look.on_accent),
    ):
        palette.setColor(role, QColor(color))
    application.setPalette(palette)
    application.setStyleSheet(STYLE.substitute(colors))
    broadcast.changed.emit()

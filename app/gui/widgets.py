"""Small makers of widgets that the style sheet knows by name."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QToolButton


def named_label(name: str, text: str = "") -> QLabel:
    """A label of one of the style sheet's kinds: heading, hint, big or status."""
    label = QLabel(text)
    label.setObjectName(name)
    return label


def tool_button(text: str, *, checkable: bool = False) -> QToolButton:
    """A flat button with a text."""
    button = QToolButton()
    button.setText(text)
    button.setCheckable(checkable)
    return button

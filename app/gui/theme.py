"""Colours and style sheet of the window."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.decoder_display import DARK_SURFACE

WINDOW = DARK_SURFACE
PANEL = "#1b1f26"
RAISED = "#262c35"
LINE = "#343c47"
TEXT = "#e8eaed"
MUTED = "#a3adba"
ACCENT = "#56b4e9"
ON_ACCENT = "#0b1117"
RECORD = "#ff5c5c"
WARNING = "#f0c000"

_STYLE = f"""
QWidget {{ color: {TEXT}; font-size: 13px; }}
QMainWindow, QDialog {{ background: {WINDOW}; }}
QWidget#panel {{ background: {PANEL}; }}
QLabel#heading {{ color: {MUTED}; font-size: 11px; font-weight: 600; letter-spacing: 1px; }}
QLabel#hint {{ color: {MUTED}; font-size: 12px; }}
QLabel#big {{ font-size: 26px; font-weight: 600; }}
QLabel#status {{ color: {MUTED}; font-size: 12px; padding: 4px 10px; background: {PANEL}; }}
QToolButton, QPushButton {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; padding: 6px 8px;
}}
QToolButton:hover, QPushButton:hover {{ border-color: {MUTED}; }}
QToolButton:focus, QPushButton:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QToolButton:checked {{ background: {ACCENT}; border-color: {ACCENT}; color: {ON_ACCENT}; font-weight: 600; }}
QToolButton:disabled, QCheckBox:disabled {{ color: {MUTED}; }}
QToolButton:checked:disabled {{ background: {LINE}; border-color: {LINE}; }}
QToolButton#small {{ font-size: 12px; padding: 5px 1px; }}
QToolButton#record {{ font-weight: 600; }}
QToolButton#record:checked {{ background: {RECORD}; border-color: {RECORD}; color: {ON_ACCENT}; }}
QWidget#pages {{ background: {PANEL}; border-bottom: 1px solid {LINE}; }}
QWidget#pages QToolButton {{ padding: 3px 14px; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{ color: {MUTED}; padding: 6px 2px; border-bottom: 2px solid {LINE}; }}
QTabBar::tab:hover {{ color: {TEXT}; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom: 2px solid {ACCENT}; }}
QTabBar::tab:focus {{ color: {ACCENT}; }}
QCheckBox {{ spacing: 7px; }}
QCheckBox::indicator {{
    width: 13px; height: 13px; border: 1px solid {MUTED}; border-radius: 3px; background: {PANEL};
}}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QCheckBox::indicator:focus {{ border-color: {TEXT}; }}
QScrollArea, QScrollArea > QWidget > QWidget#tab {{ background: transparent; border: none; }}
QTableWidget {{ background: transparent; border: none; font-size: 12px; }}
QTableWidget::item {{ padding: 0 3px; }}
QHeaderView {{ background: transparent; }}
QHeaderView::section {{ background: transparent; color: {MUTED}; border: none; padding: 0 3px; font-size: 11px; }}
QScrollBar:vertical {{ background: transparent; width: 8px; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QComboBox {{ combobox-popup: 0; background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px; padding: 5px 8px; }}
QComboBox QAbstractItemView {{ background: {RAISED}; selection-background-color: {ACCENT};
    selection-color: {ON_ACCENT}; border: 1px solid {LINE}; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox::down-arrow {{ image: none; }}
QSlider {{ background: transparent; min-height: 22px; }}
QSlider::groove:horizontal {{ height: 4px; background: {LINE}; border: 1px solid {LINE}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {TEXT}; width: 16px; height: 16px; margin: -6px 0; border-radius: 8px; }}
QWidget#message {{ background: {RAISED}; border-bottom: 1px solid {LINE}; }}
QWidget#message[kind="warning"] {{ background: #3a3112; border-bottom: 1px solid {WARNING}; }}
QWidget#message[kind="error"] {{ background: #41191b; border-bottom: 1px solid {RECORD}; }}
QToolTip {{ color: {TEXT}; background: {RAISED}; border: 1px solid {LINE}; }}
QWidget#transport {{ background: {PANEL}; border-top: 1px solid {LINE}; }}
QWidget#transport QToolButton {{ padding: 2px 9px; }}
QWidget#transport QSlider::handle:horizontal:focus {{ background: {ACCENT}; border: 2px solid {TEXT};
    width: 12px; height: 12px; }}
QWidget#transport QSlider::handle:horizontal:disabled {{ background: {LINE}; }}
QWidget#transport QSlider::sub-page:horizontal:disabled {{ background: {LINE}; }}
QLabel#time {{ font-size: 12px; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QToolButton#more {{ padding: 6px 9px; }}
QToolButton#flat {{ background: transparent; border-color: transparent; padding: 1px 6px; font-size: 12px;
    color: {MUTED}; }}
QToolButton#flat:hover, QToolButton#flat:open {{ color: {TEXT}; border-color: {LINE}; }}
QToolButton#flat:focus {{ border-color: {ACCENT}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 5px; }}
QMenu::item {{ padding: 6px 18px 6px 10px; border-radius: 4px; }}
QMenu::item:selected {{ background: {LINE}; }}
QMenu::item:disabled {{ color: {MUTED}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 5px 8px; }}
QMenu::indicator {{ width: 13px; height: 13px; border: 1px solid {MUTED}; border-radius: 3px; background: {PANEL};
    margin-left: 8px; }}
QMenu::indicator:exclusive {{ border-radius: 7px; }}
QMenu::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QLabel#title {{ font-size: 17px; font-weight: 600; }}
QLineEdit#field, QSpinBox#field {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; padding: 5px 8px;
    selection-background-color: {ACCENT}; selection-color: {ON_ACCENT}; }}
QLineEdit#field:focus, QSpinBox#field:focus {{ border-color: {ACCENT}; }}
QSpinBox#field::up-button, QSpinBox#field::down-button {{ width: 0; border: none; }}
QPushButton#primary {{ background: {ACCENT}; border-color: {ACCENT}; color: {ON_ACCENT}; font-weight: 600; }}
QPushButton#primary:hover, QPushButton#primary:focus {{ border-color: {TEXT}; }}
QDialog#source QPushButton:disabled {{ background: {RAISED}; border-color: {LINE}; color: {MUTED}; }}
QDialog#source QListWidget {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; padding: 5px;
    outline: none; }}
QDialog#source QComboBox QAbstractItemView::item {{ min-height: 26px; padding: 0 6px; }}
QDialog#source QListWidget:focus {{ border-color: {ACCENT}; }}
QDialog#source QListWidget::item {{ padding: 6px 8px; border-radius: 4px; }}
QDialog#source QListWidget::item:hover {{ background: {RAISED}; }}
QDialog#source QListWidget::item:selected {{ background: {ACCENT}; color: {ON_ACCENT}; }}
QDialog#source QListWidget::item:disabled {{ background: transparent; color: {MUTED}; }}
"""


def apply_theme(application: QApplication) -> None:
    """Give the application one dark look on every platform."""
    application.setStyle("Fusion")
    palette = QPalette()
    for role, color in (
        (QPalette.ColorRole.Window, WINDOW),
        (QPalette.ColorRole.Base, PANEL),
        (QPalette.ColorRole.Button, RAISED),
        (QPalette.ColorRole.WindowText, TEXT),
        (QPalette.ColorRole.Text, TEXT),
        (QPalette.ColorRole.ButtonText, TEXT),
        (QPalette.ColorRole.Highlight, ACCENT),
        (QPalette.ColorRole.HighlightedText, ON_ACCENT),
    ):
        palette.setColor(role, QColor(color))
    application.setPalette(palette)
    application.setStyleSheet(_STYLE)

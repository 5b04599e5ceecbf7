"""The style sheet of the window; `$name` stands for a colour of `app.gui.theme.Scheme`."""

from __future__ import annotations

from string import Template

STYLE = Template("""\
QWidget { color: $text; font-size: 13px; }
QMainWindow, QDialog { background: $window; }
QWidget#panel { background: $panel; }
QLabel#heading { color: $muted; font-size: 11px; font-weight: 600; letter-spacing: 1px; }
QLabel#hint { color: $muted; font-size: 12px; }
QLabel#big { font-size: 26px; font-weight: 600; }
QLabel#status { color: $muted; font-size: 12px; padding: 4px 10px; background: $panel; }
QToolButton, QPushButton {
    background: $raised; border: 1px solid $line; border-radius: 6px; padding: 6px 8px;
}
QToolButton:hover, QPushButton:hover { border-color: $muted; }
QToolButton:focus, QPushButton:focus, QComboBox:focus { border-color: $accent; }
QToolButton:checked { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QToolButton:disabled, QCheckBox:disabled { color: $muted; }
QToolButton:checked:disabled { background: $line; border-color: $line; }
QToolButton#small { font-size: 12px; padding: 5px 1px; }
QToolButton#record { font-weight: 600; }
QToolButton#record:checked { background: $record; border-color: $record; color: $on_accent; }
QWidget#pages { background: $panel; border-bottom: 1px solid $line; }
QWidget#pages QToolButton { padding: 3px 14px; }
QTabBar { background: transparent; }
QTabBar::tab { color: $muted; padding: 6px 2px; border-bottom: 2px solid $line; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }
QCheckBox { spacing: 7px; }
QCheckBox::indicator {
    width: 13px; height: 13px; border: 1px solid $muted; border-radius: 3px; background: $panel;
}
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator:focus { border-color: $text; }
QScrollArea, QScrollArea > QWidget > QWidget#tab { background: transparent; border: none; }
QTableWidget { background: transparent; border: none; font-size: 12px; }
QTableWidget::item { padding: 0 3px; }
QHeaderView { background: transparent; }
QHeaderView::section { background: transparent; color: $muted; border: none; padding: 0 3px; font-size: 11px; }
QScrollBar:vertical { background: transparent; width: 8px; }
QScrollBar::handle:vertical { background: $line; border-radius: 4px; min-height: 24px; }
QScrollBar::handle:vertical:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QComboBox { combobox-popup: 0; background: $raised; border: 1px solid $line; border-radius: 6px; padding: 5px 8px; }
QComboBox QAbstractItemView { background: $raised; selection-background-color: $accent;
    selection-color: $on_accent; border: 1px solid $line; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: none; }
QSlider { background: transparent; min-height: 22px; }
QSlider::groove:horizontal { height: 4px; background: $line; border: 1px solid $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $text; width: 16px; height: 16px; margin: -6px 0; border-radius: 8px; }
QWidget#message { background: $raised; border-bottom: 1px solid $line; }
QWidget#message[kind="warning"] { background: $warning_fill; border-bottom: 1px solid $warning; }
QWidget#message[kind="error"] { background: $error_fill; border-bottom: 1px solid $record; }
QToolTip { color: $text; background: $raised; border: 1px solid $line; }
QWidget#transport { background: $panel; border-top: 1px solid $line; }
QWidget#transport QToolButton { padding: 2px 9px; }
QWidget#transport QSlider::handle:horizontal:focus { background: $accent; border: 2px solid $text;
    width: 12px; height: 12px; }
QWidget#transport QSlider::handle:horizontal:disabled { background: $line; }
QWidget#transport QSlider::sub-page:horizontal:disabled { background: $line; }
QLabel#time { font-size: 12px; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton#more { padding: 6px 9px; }
QToolButton#flat { background: transparent; border-color: transparent; padding: 1px 6px; font-size: 12px;
    color: $muted; }
QToolButton#flat:hover, QToolButton#flat:open { color: $text; border-color: $line; }
QToolButton#flat:focus { border-color: $accent; }
QFrame#tour { background: $panel; border: 1px solid $line; border-radius: 12px; }
QFrame#tour QPushButton { padding: 6px 16px; }
QPushButton:disabled { color: $line; }
QMenuBar { background: transparent; }
QMenuBar::item { background: transparent; padding: 5px 9px; border-radius: 6px; color: $muted; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $raised; color: $text; }
QMenu { background: $raised; border: 1px solid $line; padding: 5px; }
QMenu::item { padding: 6px 18px 6px 10px; border-radius: 4px; }
QMenu::item:selected { background: $line; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $line; margin: 5px 8px; }
QMenu::indicator { width: 13px; height: 13px; border: 1px solid $muted; border-radius: 3px; background: $panel;
    margin-left: 8px; }
QMenu::indicator:exclusive { border-radius: 7px; }
QMenu::indicator:checked { background: $accent; border-color: $accent; }
QLabel#title { font-size: 17px; font-weight: 600; }
QLineEdit#field, QSpinBox#field { background: $panel; border: 1px solid $line; border-radius: 6px; padding: 5px 8px;
    selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit#field:focus, QSpinBox#field:focus { border-color: $accent; }
QSpinBox#field::up-button, QSpinBox#field::down-button { width: 0; border: none; }
QPushButton#primary { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QPushButton#primary:hover, QPushButton#primary:focus { border-color: $text; }
QDialog#source QPushButton:disabled { background: $raised; border-color: $line; color: $muted; }
QDialog#source QListWidget { background: $panel; border: 1px solid $line; border-radius: 6px; padding: 5px;
    outline: none; }
QDialog#source QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 6px; }
QDialog#source QListWidget:focus { border-color: $accent; }
QDialog#source QListWidget::item { padding: 6px 8px; border-radius: 4px; }
QDialog#source QListWidget::item:hover { background: $raised; }
QDialog#source QListWidget::item:selected { background: $accent; color: $on_accent; }
QDialog#source QListWidget::item:disabled { background: transparent; color: $muted; }
QDialog#checkup QPushButton:disabled { color: $muted; }
QLabel#fine { color: $fine; font-size: 12px; }
QLabel#subject { font-weight: 600; }
QFrame#finding { background: $panel; border: 1px solid $line; border-radius: 6px;
    border-left: 4px solid $warning; border-top-left-radius: 0; border-bottom-left-radius: 0; }
QFrame#finding[severity="problem"] { border-left-color: $record; }
QFrame#commands { background: $window; border: 1px solid $line; border-radius: 6px; }
QLabel#command { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12px; }
QToolButton#copy { font-size: 12px; padding: 1px 8px; }
""")

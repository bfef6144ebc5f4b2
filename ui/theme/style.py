"""The style sheet of the application, built from the tokens.

Variants of a control are chosen by a dynamic property (`kind`), never by object name, so that pages need no
style of their own. Qt draws whole pixel sizes only: 11.5 px is 12 px with narrower letter spacing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_SHEET = """
QWidget { color: @text; }
QMainWindow, QDialog, QWidget[kind="page"], QWidget[kind="window"] { background: @window; }
QToolTip { background: @surface; color: @text; border: 1px solid @line; padding: 5px 8px; }

QLabel { background: transparent; }
QLabel[kind="title"] { font-size: 20px; font-weight: 650; }
QLabel[kind="heading"] { font-weight: 600; }
QLabel[kind="muted"], QLabel[kind="secondary"] { color: @muted; }
QLabel[kind="secondary"] { font-size: 12px; letter-spacing: -0.25px; }
QLabel[kind="label"] { font-weight: 500; }
QLabel[kind="error"] { color: @failed; font-size: 12px; letter-spacing: -0.25px; }
QLabel[kind="figure"] { font-size: 30px; font-weight: 700; }

QPushButton { background: @surface; border: 1px solid @line; border-radius: 7px; padding: 0 12px;
  min-height: 31px; max-height: 31px; font-weight: 500; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @selected; }
QPushButton:focus { border: 2px solid @accent; padding: 0 11px; min-height: 29px; max-height: 29px; }
QPushButton:disabled { color: @disabled; }
QPushButton::menu-indicator { width: 0; }
QPushButton[pictured="true"] { text-align: left; }
QPushButton[kind="primary"] { background: @accent; border-color: @accent; color: @on_accent; }
QPushButton[kind="primary"]:hover { background: @accent_hover; border-color: @accent_hover; }
QPushButton[kind="primary"]:focus { border-color: @text; }
QPushButton[kind="primary"]:disabled { background: @line; border-color: @line; color: @muted; }
QPushButton[kind="danger"] { color: @failed; }
QPushButton[kind="danger"]:disabled { color: @disabled; }
QPushButton[kind="danger-primary"] { background: @failed; border-color: @failed; color: @surface; }
QPushButton[kind="danger-primary"]:focus { border-color: @text; }
QPushButton[kind="link"] { background: transparent; border: 1px solid transparent; color: @accent; font-weight: 600;
  padding: 0; min-height: 20px; max-height: 20px; border-radius: 4px; text-align: left; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border: 1px solid @accent; }
QPushButton[kind="link"]:disabled { color: @disabled; }
QPushButton[kind="crumb"] { background: transparent; border: none; border-bottom: 2px solid transparent; color: @muted;
  font-weight: 400; padding: 0; min-height: 20px; max-height: 20px; border-radius: 0; }
QPushButton[kind="crumb"]:hover { color: @text; }
QPushButton[kind="crumb"]:focus { border-bottom-color: @accent; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 7px; padding: 4px; }
QToolButton:hover { background: @hover; border-color: @line; }
QToolButton:focus { border-color: @accent; }
QToolButton::menu-indicator { image: none; }

QPushButton[kind="chip"] { background: @surface; border: 1px solid @line; border-radius: 12px; color: @muted;
  padding: 0 10px; min-height: 23px; max-height: 23px; font-size: 12px; font-weight: 400; }
QPushButton[kind="chip"]:hover { color: @text; }
QPushButton[kind="chip"]:checked { background: @accent_weak; border-color: @accent_line; color: @accent;
  font-weight: 600; }
QPushButton[kind="chip"]:focus { border: 2px solid @accent; padding: 0 9px; min-height: 21px; max-height: 21px; }
QLabel[kind="chip"] { background: @accent_weak; border: 1px solid @accent_line; border-radius: 12px; color: @accent;
  padding: 0 10px; min-height: 23px; max-height: 23px; font-size: 12px; font-weight: 600; }
QPushButton[kind="tab"] { background: transparent; border: none; border-bottom: 2px solid transparent; border-radius: 0;
  color: @muted; font-weight: 400; padding: 0; min-height: 37px; max-height: 37px; }
QPushButton[kind="tab"]:hover { color: @text; }
QPushButton[kind="tab"]:checked { color: @text; font-weight: 600; border-bottom-color: @accent; }
QPushButton[kind="tab"]:focus { color: @accent; border-bottom-color: @accent; }

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDateTimeEdit, QTimeEdit { background: @surface;
  border: 1px solid @line; border-radius: 7px; selection-background-color: @accent;
  selection-color: @on_accent; }
QLineEdit, QComboBox, QSpinBox, QDateTimeEdit, QTimeEdit { padding: 0 8px; min-height: 31px; max-height: 31px; }
QLineEdit[kind="search"] { padding-left: 6px; }
QLineEdit[kind="title"], QLineEdit[kind="title"]:focus {
  font-size: 20px; font-weight: 650; background: @surface; padding: 0 6px; }
QPlainTextEdit, QTextEdit { padding: 6px 8px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QSpinBox:focus,
QTimeEdit:focus {
  border: 2px solid @accent; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QTimeEdit:focus { padding: 0 7px; min-height: 29px;
  max-height: 29px; }
QLineEdit[kind="search"]:focus { padding-left: 5px; }
QPlainTextEdit:focus, QTextEdit:focus { padding: 5px 7px; }
QLineEdit[invalid="true"], QComboBox[invalid="true"], QPlainTextEdit[invalid="true"] { border-color: @failed; }
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled { color: @disabled; background: @sunken; }
QLineEdit:read-only { background: @sunken; }
QLineEdit QToolButton { border: none; padding: 0; background: transparent; }
QPlainTextEdit[kind="code"] { background: @sunken; }
QComboBox { padding-left: 10px; }
QComboBox:focus { padding-left: 9px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url("@files/chevron-down.svg"); width: 14px; height: 14px; }
QComboBox QLineEdit { border: none; padding: 0; min-height: 0; background: transparent; }
QComboBox QAbstractItemView { background: @surface; border: 1px solid @line; padding: 4px; outline: 0;
  selection-background-color: @accent_weak; selection-color: @text; }
QComboBox QAbstractItemView::item { padding: 0 8px; min-height: 28px; border-radius: 5px; }
QComboBox QAbstractItemView::item:selected { background: @accent_weak; color: @text; }
QSpinBox::up-button, QSpinBox::down-button, QTimeEdit::up-button, QTimeEdit::down-button { width: 0; border: none; }
QCheckBox, QRadioButton { spacing: 8px; background: transparent; padding: 2px 0; }
QCheckBox::indicator, QRadioButton::indicator, QListView::indicator { width: 14px; height: 14px;
  border: 1px solid @muted; border-radius: 4px; background: @surface; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked, QListView::indicator:checked { background: @accent; border-color: @accent;
  image: url("@files/check.svg"); }
QCheckBox::indicator:indeterminate { background: @accent; border-color: @accent; image: url("@files/minus.svg"); }
QRadioButton::indicator:checked { border: 5px solid @accent; width: 6px; height: 6px; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 2px solid @accent; width: 12px; height: 12px; }
QCheckBox:focus, QRadioButton:focus { color: @accent; }
QCheckBox:disabled, QRadioButton:disabled { color: @disabled; }

QFrame[kind="card"] { background: @surface; border: 1px solid @line; border-radius: 10px; }
QFrame[kind="line"] { background: @line; border: none; min-height: 1px; max-height: 1px; }
QFrame[kind="notice"][tone="error"] { background: @failed_weak; border: 1px solid @failed; border-radius: 10px; }
QFrame[kind="notice"][tone="warning"] { background: @paused_weak; border: 1px solid @paused; border-radius: 10px; }
QFrame[kind="notice"][tone="info"] { background: @accent_weak; border: 1px solid @accent_line;
  border-radius: 10px; }
QFrame[kind="notice"][tone="success"] { background: @completed_weak; border: 1px solid @completed;
  border-radius: 10px; }

QTableView { background: @surface; border: none; outline: 0; gridline-color: transparent; }
QTableView[kind="framed"] { border: 1px solid @line; border-radius: 10px; }
QTableView[kind="framed"]:focus { border-color: @accent; }
QHeaderView { background: @surface; border: none; }
QHeaderView::section { background: @surface; color: @muted; border: none; border-bottom: 1px solid @line;
  padding: 0 12px; font-size: 12px; letter-spacing: -0.25px; font-weight: 500; height: 35px; }
QHeaderView::up-arrow { image: url("@files/chevron-up.svg"); width: 12px; height: 12px; }
QHeaderView::down-arrow { image: url("@files/chevron-down.svg"); width: 12px; height: 12px; }
QHeaderView::section:hover { color: @text; }
QTableCornerButton::section { background: @surface; border: none; }
QListView, QTreeView { background: @surface; border: 1px solid @line; border-radius: 7px; outline: 0; }
QListView::item, QTreeView::item { padding: 5px 8px; }
QListView::item:hover, QTreeView::item:hover { background: @hover; }
QListView::item:selected, QTreeView::item:selected { background: @accent_weak; color: @text; }

QMenu { background: @surface; border: 1px solid @line; padding: 5px; }
QMenu::item { padding: 6px 22px 6px 10px; border-radius: 5px; }
QMenu::item:selected { background: @accent_weak; color: @text; }
QMenu::item:disabled { color: @disabled; }
QMenu::separator { height: 1px; background: @line; margin: 5px 6px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 4px; }
QMenu::icon { padding-left: 8px; }

QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar:vertical { background: transparent; width: 11px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 4px; margin: 2px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: transparent; }

QFrame[kind="rail"] { background: @rail; border: none; }
QFrame[kind="rail-line"] { background: @rail_line; border: none; min-height: 1px; max-height: 1px; }
QFrame[kind="rail"] QLabel { color: @rail_muted; font-size: 12px; letter-spacing: -0.25px; }
"""


def style_sheet(tokens: Mapping[str, str], files: Path) -> str:
    """The sheet with every `@token` replaced; `files` is the folder of the pictures in the theme's colours."""
    sheet = _SHEET.replace("@files", files.as_posix())
    # The longest names first: @accent must not eat the beginning of @accent_weak.
    for name in sorted(tokens, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}", tokens[name])
    return sheet

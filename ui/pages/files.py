"""Asks for a file or a folder without stopping the window's event loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

Chosen = Callable[[Path], object]


def ask_save(parent: QWidget, title: str, name: str, kind: str, chosen: Chosen) -> QFileDialog:
    """Where to save. `kind` is a filter such as "CSV files (*.csv)"; the name gets its ending when it has none."""
    dialog = _dialog(parent, title, chosen)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(kind)
    dialog.setDefaultSuffix(Path(name).suffix.removeprefix("."))
    dialog.selectFile(name)
    dialog.open()
    return dialog


def ask_open(parent: QWidget, title: str, kind: str, chosen: Chosen) -> QFileDialog:
    """Which existing file to read."""
    dialog = _dialog(parent, title, chosen)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(kind)
    dialog.open()
    return dialog


def ask_folder(parent: QWidget, title: str, chosen: Chosen) -> QFileDialog:
    """Which folder; a new one can be made in the dialog."""
    dialog = _dialog(parent, title, chosen)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()
    return dialog


def _dialog(parent: QWidget, title: str, chosen: Chosen) -> QFileDialog:
    home = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    dialog = QFileDialog(parent, title, home)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    return dialog


def file_name(text: str) -> str:
    """A text as part of a file's name on any system: "Maja Lindholm" becomes "maja-lindholm"."""
    plain = "".join(sign if sign.isalnum() else "-" for sign in text.lower())
    return "-".join(part for part in plain.split("-") if part)[:60] or "file"

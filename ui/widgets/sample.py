"""Rows of text as they are in a file, to look at: no sorting, no selecting, any columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTableView, QWidget

from ui.widgets.delegates import MonoDelegate

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_LONGEST_CELL = 300
LEAST_WIDTH = 140


class _Rows(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self.columns: Sequence[str] = ()
        self.rows: Sequence[Sequence[str]] = ()

    def show(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.beginResetModel()
        self.columns, self.rows = columns, rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            row = self.rows[index.row()]
            return row[index.column()][:_LONGEST_CELL] if index.column() < len(row) else ""
        return None


class SampleTable(QTableView):
    """`SampleTable("First rows").show_rows(("email", "name"), rows)`."""

    hovered_row = -1
    keyboard_row = -1

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _Rows()
        self.setModel(self._rows)
        self.setItemDelegate(MonoDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAccessibleName(name)
        self.setTabKeyNavigation(False)
        self.setCornerWidget(QWidget())
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(32)
        self.horizontalHeader().setFixedHeight(36)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Columns fill the table, and are never too narrow to be read."""
        count = max(1, self.columns())
        wide = max(LEAST_WIDTH, self.viewport().width() // count)
        for at in range(self.columns()):
            self.setColumnWidth(at, wide)

    def show_rows(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show these in place of what is shown; a row may have fewer cells than there are columns."""
        others = list(columns) != list(self._rows.columns)
        self._rows.show(columns, rows)
        if others:
            self._fit()

    def columns(self) -> int:
        """How many columns are shown."""
        return len(self._rows.columns)

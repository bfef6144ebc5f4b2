"""Which columns are taken over, in which order, under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.transfer.model import Column
from app.transfer.preview import Sample
from ui.widgets import Button, Cell, CheckCell, MonoDelegate, NamedRowsModel, Role, set_kind

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
TAKEN, NAME, TO, SAMPLE = range(4)
TITLES = ("", "Column", "Called", "Sample")


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    taken: bool = True
    to: str = ""
    sample: str = ""


class _Columns(NamedRowsModel[_Row]):
    """The columns of the source; `edited` follows what the user changes."""

    titles = TITLES
    edited = Signal()

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == TO and self.rows[index.row()].taken:
            flags |= Qt.ItemFlag.ItemIsEditable
        if index.column() == TAKEN:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return ("", row.name, row.to or row.name, row.sample)[column]
        if role == Qt.ItemDataRole.CheckStateRole and column == TAKEN:
            return Qt.CheckState.Checked if row.taken else Qt.CheckState.Unchecked
        if role == Role.ROW:
            return row
        if role == Role.TONE:
            return "accent" if column == TO and row.to and row.taken else "text" if row.taken else "muted"
        if role == Qt.ItemDataRole.AccessibleTextRole and column == TAKEN:
            return f"{row.name} {'is taken over' if row.taken else 'is left out'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.sample if column == SAMPLE else row.name
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.rows[index.row()]
        if index.column() == TAKEN:
            row = replace(row, taken=not row.taken)
        else:
            text = " ".join(str(value).split())
            row = replace(row, to="" if text == row.name else text)
        self.rows[index.row()] = row
        self.dataChanged.emit(self.index(index.row(), 0), self.index(index.row(), len(TITLES) - 1))
        self.edited.emit()
        return True

    def move(self, at: int, step: int) -> int:
        """Exchange a row with the one above (-1) or below (1); where it is then."""
        to = at + step
        if not 0 <= to < len(self.rows) or at < 0:
            return at
        self.beginMoveRows(_NONE, at, at, _NONE, to + (1 if step > 0 else 0))
        self.rows.insert(to, self.rows.pop(at))
        self.endMoveRows()
        self.edited.emit()
        return to


class _NameEdit(Cell):
    """What a column is called from then on."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        edit = QLineEdit(parent)
        edit.setAccessibleName(f"New name of {index.data(Role.ROW).name}")
        edit.setPlaceholderText(index.data(Role.ROW).name)
        return edit

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QLineEdit)
        editor.setText(str(index.data()))
        editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QLineEdit)
        model.setData(index, editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(2, 2, -2, -2))


class _Table(QTableView):
    hovered_row = -1
    keyboard_row = -1

    def __init__(self, model: _Columns) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName("Columns")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(36)
        header = self.horizontalHeader()
        header.setFixedHeight(36)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._cells = (CheckCell(self), Cell(self, weight=500), _NameEdit(self), MonoDelegate(self))
        for at, cell in enumerate(self._cells):
            self.setItemDelegateForColumn(at, cell)
        self.clicked.connect(lambda index: self.edit(index) if index.column() == TO else None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index, model = self.currentIndex(), self.model()
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if index.isValid() and step and alt and isinstance(model, _Columns):
            self.setCurrentIndex(model.index(model.move(index.row(), step), index.column()))
        elif index.isValid() and event.key() == Qt.Key.Key_Space:
            model.setData(model.index(index.row(), TAKEN), None)
        elif index.isValid() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            target = model.index(index.row(), TO)
            if model.flags(target) & Qt.ItemFlag.ItemIsEditable and self.state() != self.State.EditingState:
                self.edit(target)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        room = self.viewport().width() - 40
        for at, wide in enumerate((40, round(room * 0.3), round(room * 0.3))):
            self.setColumnWidth(at, wide)
        self.setColumnWidth(SAMPLE, room - 2 * round(room * 0.3))


class ColumnsPane(QWidget):
    """`show_columns(sample)`, then `columns()`: empty while all are taken over as they are. `edited` follows edits."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.model = _Columns()
        self.model.edited.connect(self._changed)
        self.table = _Table(self.model)
        self._order: tuple[str, ...] = ()
        self._touched = False
        self.about = set_kind(QLabel(), "muted")
        self.up = Button("Up", icon="arrow-up", clicked=lambda: self._move(-1))
        self.down = Button("Down", icon="chevron-down", clicked=lambda: self._move(1))
        self.all = Button("Take all", clicked=lambda: self._take(True))
        self.none = Button("Take none", clicked=lambda: self._take(False))
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 14, 8)
        row.setSpacing(8)
        row.addWidget(self.about, 1)
        for button in (self.up, self.down, self.all, self.none):
            row.addWidget(button)
        self.up.setToolTip("Move the column up (Alt+Up)")
        self.down.setToolTip("Move the column down (Alt+Down)")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)
        self._say()

    def set_wanted(self, columns: Sequence[Column]) -> None:
        """The columns of a transfer that is shown, before its file was looked into."""
        self._touched = bool(columns)
        self._order = ()
        self.model.set_rows([_Row(column.name, True, column.to) for column in columns])
        self._say()

    def show_columns(self, sample: Sample | None) -> None:
        """The columns of the file: what was said of those that stay stays."""
        names = sample.columns if sample is not None else ()
        first = sample.rows[0] if sample is not None and sample.rows else ()
        samples = dict(zip(names, first, strict=False))
        known = self.model.rows if self._touched else []
        kept = [replace(row, sample=samples.get(row.name, "")) for row in known if row.name in names]
        self._touched = bool(kept)
        there = {row.name for row in kept}
        rest = [_Row(name, not kept, "", samples.get(name, "")) for name in names if name not in there]
        self._order = names
        self.model.set_rows(kept + rest)
        self._say()

    def columns(self) -> tuple[Column, ...]:
        """What is taken over; nothing where all is, unchanged."""
        rows = self.model.rows
        same = tuple(row.name for row in rows) == self._order and all(row.taken and not row.to for row in rows)
        return () if same or not self._touched else tuple(Column(row.name, row.to) for row in rows if row.taken)

    def nothing_taken(self) -> bool:
        """Whether the user left out every column."""
        return bool(self.model.rows) and not any(row.taken for row in self.model.rows)

    def _changed(self) -> None:
        self._touched = True
        self._say()
        self.edited.emit()

    def _say(self) -> None:
        rows = self.model.rows
        taken = sum(row.taken for row in rows)
        self.about.setText(f"{taken:,} of {len(rows):,} columns are taken over" if rows else "No columns are known yet")
        for button in (self.up, self.down, self.all, self.none):
            button.setEnabled(bool(rows))

    def _move(self, step: int) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            self.table.setCurrentIndex(self.model.index(self.model.move(index.row(), step), index.column()))

    def _take(self, taken: bool) -> None:
        self.model.set_rows([replace(row, taken=taken) for row in self.model.rows])
        self._changed()

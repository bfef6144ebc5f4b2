"""The table in which the user says what becomes of each column of the data to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.jobs.columns import OWN_EXPRESSION, SET_TYPES, ColumnChoice
from app.schema.column_types import COLUMN_TYPES
from ui.pages.values import TYPE_WORDS
from ui.theme import font, mono_font, paint_icon
from ui.widgets import Cell, CheckCell, ComboBox, MonoDelegate, NamedRowsModel, Role, draw_text

Index = QModelIndex | QPersistentModelIndex
CHOICES = {
    **{kind: TYPE_WORDS[kind] for kind in COLUMN_TYPES},
    **{kind: f"Set, parted by {kind[4:]}" if kind[4:] else "Set, one value each" for kind in SET_TYPES},
    OWN_EXPRESSION: "Expression…",
}
"""What the type of a column can be changed to."""
TITLES = ("Column", "Sample", "Type", "Profile field", "Identifier")
NAME, SAMPLE, TYPE, TARGET, IDENTIFIER = range(5)
_IDENTIFIER_WIDTH = 88
_WIDE = 440


class ColumnsModel(NamedRowsModel[ColumnChoice]):
    """The columns; what the user changes is told by `edited(column, what, value)`: "type", "target", "identifier".

    The type "expression" asks for an expression to be written.
    """

    titles = TITLES
    edited = Signal(str, str, object)

    def __init__(self) -> None:
        super().__init__()
        self.new: frozenset[str] = frozenset()

    def show_columns(self, rows: list[ColumnChoice], new: frozenset[str]) -> None:
        """Show these; `new` are fields that are still to be added."""
        self.new = new
        self.set_rows(rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        row = self.rows[index.row()]
        if index.column() in (TYPE, TARGET) and row.imported and not row.kept:
            flags |= Qt.ItemFlag.ItemIsEditable
        if index.column() == IDENTIFIER:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            if column == TARGET and role == Qt.ItemDataRole.DisplayRole:
                return row.target if row.target and row.imported else "—"
            return (row.name, row.sample, type_word(row), row.target, "")[column]
        if role == Qt.ItemDataRole.CheckStateRole and column == IDENTIFIER:
            return Qt.CheckState.Checked if row.identifier else Qt.CheckState.Unchecked
        if role == Role.ROW:
            return row
        if role == Role.TONE:
            if not row.imported or column == SAMPLE:
                return "muted"
            return "accent" if column == TARGET and row.target else "text"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == IDENTIFIER:
            return "identifier" if row.identifier else "no identifier"
        return None

    def _tip(self, row: ColumnChoice, column: int) -> str:
        if not row.imported:
            return f"{row.name} is not among the fields to import"
        if column in (TYPE, TARGET) and row.kept:
            return f"The stream fills {row.target or 'no field'} from this column already"
        if column == TYPE:
            return row.expression
        if column == TARGET:
            return "A new profile field" if row.target.lower() in self.new else row.target or "Fills no profile field"
        if column == IDENTIFIER:
            return "Rows that share a value of an identifier become one person"
        return (row.name, row.sample, "")[min(column, 2)]

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row, column = self.rows[index.row()], index.column()
        if column == TYPE and (value != row.type or value == OWN_EXPRESSION):
            self.edited.emit(row.name, "type", value)
        elif column == TARGET and value != row.target:
            self.edited.emit(row.name, "target", value)
        elif column == IDENTIFIER:
            self.edited.emit(row.name, "identifier", not row.identifier)
        return True


def type_word(row: ColumnChoice) -> str:
    """What a column is taken for; of an own expression the expression itself."""
    if row.type == OWN_EXPRESSION:
        return " ".join(row.expression.split())
    return "Set" if row.type in SET_TYPES else CHOICES.get(row.type, row.type)


class _TypeCell(Cell):
    """The type with an arrow that says that it can be changed; a combo while it is."""

    def face(self, text: str = "") -> QFont:
        # Code is what a type is not.
        return mono_font(12) if "`" in text or "(" in text else super().face(text)

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        super().content(painter, rect.adjusted(0, 0, -18, 0), index)
        if index.flags() & Qt.ItemFlag.ItemIsEditable:
            box = QRectF(rect.right() - 15, rect.top() + (rect.height() - 13) / 2, 13, 13)
            paint_icon(painter, box, "chevron-down", "muted")

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        combo = ComboBox(parent=parent)
        combo.setAccessibleName(f"Type of {index.data(Role.ROW).name}")
        combo.add_choices((word, kind) for kind, word in CHOICES.items())
        combo.set_value(index.data(Role.ROW).type)
        combo.activated.connect(lambda _: self._chosen(combo))
        QTimer.singleShot(0, combo, combo.showPopup)
        return combo

    def _chosen(self, combo: ComboBox) -> None:
        self.commitData.emit(combo)
        self.closeEditor.emit(combo)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """The editor was made with its value."""

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, ComboBox)
        model.setData(index, editor.value())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(2, 2, -2, -2))


class _TargetCell(Cell):
    """The field that a column fills, typed with the known ones offered."""

    fields: Callable[[], list[str]] = staticmethod(list)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        edit = QLineEdit(parent)
        edit.setAccessibleName(f"Profile field of {index.data(Role.ROW).name}")
        edit.setPlaceholderText("not imported into people")
        completer = QCompleter(self.fields(), edit)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        edit.setCompleter(completer)
        return edit

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QLineEdit)
        editor.setText(index.data(Role.ROW).target)
        editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QLineEdit)
        model.setData(index, editor.text().strip())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(2, 2, -2, -2))


class _NameCell(Cell):
    """A column's name, bold."""

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        draw_text(painter, rect, str(index.data()), font(13, 500), self.color(index))


class ColumnsTable(QTableView):
    """Column, sample, type, profile field, identifier: one row for each column of the source."""

    hovered_row = -1
    keyboard_row = -1

    def __init__(self, model: ColumnsModel, fields: Callable[[], list[str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setAccessibleName("Columns")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setProperty("kind", "plain")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setDefaultSectionSize(38)
        header = self.horizontalHeader()
        header.setFixedHeight(36)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(56)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        target = _TargetCell(self)
        target.fields = fields
        self._cells = (_NameCell(self), MonoDelegate(self), _TypeCell(self), target, CheckCell(self))
        for at, cell in enumerate(self._cells):
            self.setItemDelegateForColumn(at, cell)
        self.clicked.connect(self._clicked)

    def _clicked(self, index: QModelIndex) -> None:
        if index.column() in (TYPE, TARGET) and index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        editable = index.isValid() and bool(index.flags() & Qt.ItemFlag.ItemIsEditable)
        idle = self.state() != QAbstractItemView.State.EditingState
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and editable and idle:
            self.edit(index)
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        width = self.viewport().width()
        self.setColumnWidth(IDENTIFIER, _IDENTIFIER_WIDTH)
        room = width - _IDENTIFIER_WIDTH
        # Where there is little room, names need it more than samples do.
        shares = (0.24, 0.23, 0.26) if room > _WIDE else (0.29, 0.18, 0.24)
        widths = [round(room * share) for share in shares]
        for at, wide in enumerate((*widths, room - sum(widths))):
            self.setColumnWidth(at, wide)

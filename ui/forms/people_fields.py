"""Choosing profile fields: one, several in an order, or each with the name that it gets elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.catalog import OptionChoice
from app.schema.fields import Field
from app.schema.words import kind_word
from ui.widgets import ComboBox, IconButton, LinkButton, set_kind

_ROW = 30
_MOST_ROWS = 8


def labels_of(fields: Iterable[Field]) -> list[tuple[str, object]]:
    """(label with the kind, name) of each field; fields that people call alike are told apart by their names."""
    listed = list(fields)
    called = [field.label or field.name for field in listed]
    twice = {label for label in called if called.count(label) > 1}
    return [
        (
            f"{label} ({field.name}) · {kind_word(field.type)}"
            if label in twice
            else f"{label} · {kind_word(field.type)}",
            field.name,
        )
        for label, field in zip(called, listed, strict=True)
    ]


class FieldChoice(ComboBox):
    """One profile field, found by any part of its label; `value()` is its name, or what was typed."""

    def __init__(self, placeholder: str = "Choose a field", parent: QWidget | None = None) -> None:
        super().__init__(editable=True, placeholder=placeholder, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        completer = self.completer()
        if completer is not None:
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.set_value(None)

    def set_fields(self, fields: Iterable[Field]) -> None:
        """The fields that there are; the value stays."""
        self.set_choices(labels_of(fields))


class FieldsField(QWidget):
    """Several profile fields in an order that can be changed by dragging, Alt+Up and Alt+Down; none means all."""

    changed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: list[Field] = []
        self._labels: dict[str, str] = {}
        self._filling = False
        self.none = set_kind(QLabel(), "muted")
        self.none.setWordWrap(True)
        self.model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setAccessibleName("Chosen fields")
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.list.setDragDropOverwriteMode(False)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.installEventFilter(self)
        self.model.rowsRemoved.connect(self._moved)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._buttons())
        self.up = IconButton("chevron-up", "Move up (Alt+Up)", clicked=lambda: self.shift(-1))
        self.down = IconButton("chevron-down", "Move down (Alt+Down)", clicked=lambda: self.shift(1))
        self.away = IconButton("x", "Leave the field out (Delete)", clicked=self.remove)
        self.add_choice = FieldChoice("Add a field")
        self.add_choice.setAccessibleName("Add a field")
        self.add_choice.activated.connect(lambda _: self._add())
        edit = self.add_choice.lineEdit()
        assert edit is not None
        edit.returnPressed.connect(self._add)
        self.every = LinkButton("All fields", clicked=lambda: self._put([]))
        beside = QVBoxLayout()
        beside.setSpacing(2)
        for button in (self.up, self.down, self.away):
            beside.addWidget(button)
        beside.addStretch(1)
        self._chosen = QWidget()
        row = QHBoxLayout(self._chosen)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.list, 1)
        row.addLayout(beside)
        end = QHBoxLayout()
        end.setSpacing(10)
        end.addWidget(self.add_choice, 1)
        end.addWidget(self.every)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.none)
        layout.addWidget(self._chosen)
        layout.addLayout(end)
        self.setFocusProxy(self.add_choice)
        self._show([])

    def set_fields(self, fields: Sequence[Field]) -> None:
        """The fields that there are; what is chosen stays."""
        self._fields = list(fields)
        self._labels = {str(name): label for label, name in labels_of(fields)}
        self._show(self.value())

    def value(self) -> list[str]:
        """The names of the chosen fields in their order."""
        return [str(self.model.item(at).data()) for at in range(self.model.rowCount())]

    def set_value(self, names: object) -> None:
        """Show these, without telling `changed`."""
        wanted = [str(name) for name in names] if isinstance(names, Sequence) and names else []
        if wanted != self.value():
            self._show(wanted)

    def shift(self, step: int) -> None:
        """Move the current field up (-1) or down (1)."""
        names, at = self.value(), self.list.currentIndex().row()
        if at < 0 or not 0 <= at + step < len(names):
            return
        names.insert(at + step, names.pop(at))
        self._put(names, at + step)

    def remove(self) -> None:
        """Take the current field out."""
        names, at = self.value(), self.list.currentIndex().row()
        if at >= 0:
            names.pop(at)
            self._put(names, min(at, len(names) - 1))

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
            if alt and step:
                self.shift(step)
                return True
            if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self.remove()
                return True
        return super().eventFilter(watched, event)

    def _add(self) -> None:
        name = str(self.add_choice.value() or "")
        known = any(field.name == name for field in self._fields)
        if known and name not in self.value():
            names = [*self.value(), name]
            self._put(names, len(names) - 1)
        elif known:
            self.add_choice.set_value(None)

    def _moved(self) -> None:
        """A field was dragged to another place: Qt has put it there and takes the old one away."""
        if not self._filling:
            self.changed.emit(self.value())
            self._buttons()

    def _put(self, names: list[str], current: int = -1) -> None:
        self._show(names)
        if current >= 0:
            self.list.setCurrentIndex(self.model.index(current, 0))
        self.changed.emit(names)

    def _show(self, names: Sequence[str]) -> None:
        self._filling = True
        self.model.clear()
        for name in names:
            item = QStandardItem(self._labels.get(name, f"{name} · not there any more"))
            item.setData(name)
            item.setDropEnabled(False)
            item.setSizeHint(QSize(0, _ROW))
            self.model.appendRow(item)
        self._filling = False
        rows = min(max(len(names), 3), _MOST_ROWS)
        self.list.setFixedHeight(rows * _ROW + 4)
        self._chosen.setVisible(bool(names))
        self.every.setVisible(bool(names))
        self.none.setVisible(not names)
        count = len(self._fields)
        self.none.setText(f"All {count} fields" if count > 1 else "All fields")
        self.add_choice.set_fields(field for field in self._fields if field.name not in names)
        self.add_choice.set_value(None)
        self._buttons()

    def _buttons(self, *_: QModelIndex) -> None:
        at, count = self.list.currentIndex().row(), self.model.rowCount()
        self.up.setEnabled(at > 0)
        self.down.setEnabled(0 <= at < count - 1)
        self.away.setEnabled(at >= 0)


class FieldMap(QWidget):
    """Profile fields and what each is called elsewhere: a name that is typed, or one of `targets`."""

    changed = Signal(dict)

    def __init__(self, targets: Sequence[OptionChoice] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._targets = [(choice.label, choice.value) for choice in targets]
        self._fields: Sequence[Field] = ()
        self._rows: list[tuple[QWidget, FieldChoice, QLineEdit | ComboBox]] = []
        self.add_button = LinkButton("Add a field", icon="plus", clicked=self._add_by_hand)
        self.note = set_kind(QLabel(), "error")
        self.note.setWordWrap(True)
        self.note.hide()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addWidget(self.note)
        end = QHBoxLayout()
        end.addWidget(self.add_button)
        end.addStretch(1)
        self._layout.addLayout(end)
        self.setFocusProxy(self.add_button)

    @property
    def rows(self) -> list[tuple[FieldChoice, QLineEdit | ComboBox]]:
        """What the fields and their names are entered into."""
        return [(field, target) for _, field, target in self._rows]

    def set_fields(self, fields: Sequence[Field]) -> None:
        """The fields that there are; what is chosen stays."""
        self._fields = fields
        for field, _ in self.rows:
            field.set_fields(fields)

    def value(self) -> dict[str, str]:
        """Name by profile field, without rows that are not filled; of a field that is there twice, the first counts."""
        found: dict[str, str] = {}
        for field, target in self.rows:
            name, called = str(field.value() or "").strip(), _text(target)
            if name and called:
                found.setdefault(name, called)
        return found

    def set_value(self, value: object) -> None:
        """Show this, without telling `changed`."""
        wanted = {str(key): str(one) for key, one in value.items()} if isinstance(value, Mapping) else {}
        if wanted == self.value():
            return
        while self._rows:
            self._remove(self._rows[-1][0], tell=False)
        for name, called in wanted.items():
            self._add(name, called)
        self._say()

    def _add_by_hand(self) -> None:
        self._add("", "")[0].setFocus()

    def _add(self, name: str, called: str) -> tuple[FieldChoice, QLineEdit | ComboBox]:
        field = FieldChoice("Profile field")
        number = len(self._rows) + 1
        field.setAccessibleName(f"Profile field {number}")
        field.set_fields(self._fields)
        field.set_value(name or None)
        target: QLineEdit | ComboBox
        if self._targets:
            target = ComboBox(placeholder="Goes to")
            target.add_choices(self._targets)
            target.set_value(called or None)
            target.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            target.value_changed.connect(lambda _: self._edited())
        else:
            target = QLineEdit(called)
            target.setPlaceholderText("Name in the file")
            target.textChanged.connect(lambda _: self._edited())
        target.setAccessibleName(f"What profile field {number} is called")
        field.value_changed.connect(lambda _: self._edited())
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(field, 1)
        row.addWidget(set_kind(QLabel("→"), "muted"))
        row.addWidget(target, 1)
        row.addWidget(IconButton("x", f"Leave out row {number}", clicked=lambda: self._remove(frame)))
        self._layout.insertWidget(len(self._rows), frame)
        self._rows.append((frame, field, target))
        return field, target

    def _remove(self, frame: QWidget, *, tell: bool = True) -> None:
        self._rows = [row for row in self._rows if row[0] is not frame]
        self._layout.removeWidget(frame)
        frame.hide()
        frame.deleteLater()
        if tell:
            self.add_button.setFocus()
            self._edited()

    def _edited(self) -> None:
        self._say()
        self.changed.emit(self.value())

    def _say(self) -> None:
        names = [str(field.value() or "") for field, _ in self.rows]
        twice = next((name for name in names if name and names.count(name) > 1), "")
        self.note.setText(f"{twice} is there twice; the first one counts." if twice else "")
        self.note.setVisible(bool(twice))


def _text(target: QLineEdit | ComboBox) -> str:
    return (str(target.value() or "") if isinstance(target, ComboBox) else target.text()).strip()

"""Several choices out of a list that may be long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QModelIndex, QPoint, QRectF, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListView, QVBoxLayout, QWidget

from ui.theme import paint_icon
from ui.widgets import Button, LinkButton, SearchField


class ChoicesField(Button):
    """Shows what is chosen and opens a list to tick: `ChoicesField(choices, empty="All columns").value()`.

    Nothing ticked means what `empty` says. `changed(list of values)` follows each tick.
    """

    changed = Signal(list)

    def __init__(self, choices: Iterable[tuple[str, str]] = (), *, empty: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent=parent, clicked=self.open)
        self._empty = empty
        self._chosen: list[str] = []
        self._choices: list[tuple[str, str]] = []
        self._filling = False
        self.setStyleSheet("ChoicesField { text-align: left; font-weight: 400; padding-right: 28px; }")
        self.model = QStandardItemModel(self)
        self.model.itemChanged.connect(self._ticked)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self.model)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.popup.setProperty("kind", "card")
        self.search = SearchField("Search", width=1000)
        self.search.searched.connect(self._found.setFilterFixedString)
        self.list = QListView()
        self.list.setModel(self._found)
        self.list.setAccessibleName("Choices")
        self.list.activated.connect(self._toggle)
        column = QVBoxLayout(self.popup)
        column.setContentsMargins(10, 10, 10, 10)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        links = QHBoxLayout()
        links.addWidget(LinkButton(empty, clicked=lambda: self._choose([])))
        links.addStretch(1)
        links.addWidget(LinkButton("Done", clicked=self.popup.hide))
        column.addLayout(links)
        self.set_choices(choices)

    def set_choices(self, choices: Iterable[tuple[str, str]]) -> None:
        """Replace the (label, value) pairs; what is chosen stays."""
        self._choices = list(choices)
        self._show()

    def value(self) -> list[str]:
        """The ticked values in the order of the list."""
        return list(self._chosen)

    def set_value(self, values: Sequence[str]) -> None:
        """Tick these, without telling `changed`."""
        self._chosen = list(values)
        self._show()

    def open(self) -> None:
        """Show the list below the field."""
        self.popup.resize(max(self.width(), 260), 320)
        self.popup.move(self.mapToGlobal(QPoint(0, self.height() + 4)))
        self.popup.show()
        self.search.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        top = (self.height() - 14) / 2
        paint_icon(QPainter(self), QRectF(self.width() - 22, top, 14, 14), "chevron-down", "text")

    def _choose(self, values: Sequence[str]) -> None:
        self.set_value(values)
        self.changed.emit(self.value())

    def _show(self) -> None:
        self._filling = True
        self.model.clear()
        for label, value in self._choices:
            item = QStandardItem(label)
            item.setData(value)
            item.setCheckable(True)
            item.setEditable(False)
            item.setCheckState(Qt.CheckState.Checked if value in self._chosen else Qt.CheckState.Unchecked)
            self.model.appendRow(item)
        self._filling = False
        self._say()

    def _say(self) -> None:
        count = len(self._chosen)
        if not count:
            every = f"All {len(self._choices)} columns" if self._choices else "All columns"
            text = every if self._empty == "All columns" else self._empty
        elif count <= 3:
            labels = {value: label for label, value in self._choices}
            text = ", ".join(labels.get(value, value) for value in self._chosen)
        else:
            text = f"{count} of {len(self._choices)}"
        self.setText(text if len(text) < 60 else f"{count} of {len(self._choices)}")

    def _toggle(self, index: QModelIndex) -> None:
        item = self.model.itemFromIndex(self._found.mapToSource(index))
        checked = item.checkState() == Qt.CheckState.Checked
        item.setCheckState(Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked)

    def _ticked(self, item: QStandardItem) -> None:
        if self._filling:
            return
        ticked = [self.model.item(at) for at in range(self.model.rowCount())]
        self._chosen = [str(item.data()) for item in ticked if item.checkState() == Qt.CheckState.Checked]
        self._say()
        self.changed.emit(self.value())

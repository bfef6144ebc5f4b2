"""Raw events: a table of them over the whole of the chosen one as JSON, which appears with the first choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from ui.widgets import DataTable, IconButton, JsonView, Line, PagedTableModel, RowsModel, set_kind, words


class EventsView(QSplitter):
    """`EventsView(model, "person-events")`; rows need `id`, `at` (µs since 1970) and `data`.

    `about(event)` is a sentence that stands over the chosen event's JSON.
    """

    def __init__(
        self,
        model: RowsModel | PagedTableModel,
        name: str,
        *,
        about: Callable[[Any], str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.table = DataTable(model, name, row_height=36, framed=False, many=False, accessible_name="Events")
        self.json = JsonView()
        self.json.setAccessibleName("The chosen event as JSON")
        self._which = set_kind(QLabel(), "secondary")
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(6)
        column.addWidget(Line())
        head = QHBoxLayout()
        head.setContentsMargins(14, 2, 10, 0)
        head.addWidget(self._which)
        head.addStretch(1)
        head.addWidget(IconButton("copy", "Copy the event", clicked=self.json.copy_all))
        column.addLayout(head)
        self._about = about
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setVisible(about is not None)
        said = QHBoxLayout()
        said.setContentsMargins(14, 0, 14, 2)
        said.addWidget(self.note)
        column.addLayout(said)
        frame = QHBoxLayout()
        frame.setContentsMargins(14, 0, 14, 0)
        frame.addWidget(self.json)
        column.addLayout(frame, 1)
        self.below = below
        self.addWidget(self.table)
        self.addWidget(below)
        self.setChildrenCollapsible(False)
        self.setStretchFactor(0, 3)
        self.setStretchFactor(1, 2)
        below.hide()
        self.table.chosen.connect(self._chosen)

    def forget(self) -> None:
        """Choose no event."""
        self.table.clearSelection()
        self.below.hide()

    def _chosen(self, rows: list[Any]) -> None:
        if not rows:
            return
        event = rows[0]
        self._which.setText(f"Event {event.id:,} · {words.exact(event.at, seconds=True)}")
        self.json.set_document(event.data)
        if self._about is not None:
            self.note.setText(self._about(event))
        if self.below.isHidden():
            self.below.show()
            self.setSizes([self.height() * 11 // 20, self.height() * 9 // 20])

"""Choosing a file or a folder from what a provider has: buckets, a server's folders, a folder of this computer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.engine import Engine
from app.jobs.wizard import Choice
from ui.pages.authorizations.vault import VaultHelp
from ui.shell.background import run_query
from ui.theme import paint_icon
from ui.widgets import (
    Banner,
    Button,
    Cell,
    Column,
    DataTable,
    ElidedLabel,
    EmptyState,
    IconButton,
    PrimaryButton,
    Role,
    RowsModel,
    SearchField,
    Spinner,
    draw_text,
    set_kind,
    words,
)

ListFolder = Callable[[str], list[Choice]]
CRUMBS = 3
"""Of a long way, so many folders at its end are shown."""


class _NameCell(Cell):
    """A name with the picture of a folder or a file before it."""

    def content(self, painter: QPainter, rect: QRectF, index: Any) -> None:
        choice: Choice = index.data(Role.ROW)
        top = rect.top() + (rect.height() - 16) / 2
        icon, role = ("folder", "accent") if choice.folder else ("file-text", "muted")
        paint_icon(painter, QRectF(rect.left(), top, 16, 16), icon, role)
        face = self.face(choice.label)
        draw_text(painter, rect.adjusted(26, 0, 0, 0), choice.label, face, self.color(index))


class _Trail(QWidget):
    """The folders on the way, each a link back to it: `asked(depth)`, 0 for where it began."""

    asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)

    def show_names(self, names: Sequence[str]) -> None:
        """Show these, the first and the last ones of many."""
        while (old := self._row.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        hidden = range(1, len(names) - CRUMBS + 1)
        for depth, name in enumerate(names[:-1]):
            if depth in hidden:
                if depth == hidden[0]:
                    self._row.addWidget(set_kind(QLabel("… ›"), "muted"))
                continue
            crumb = Button(f"{name} ›", "crumb", clicked=functools.partial(self.asked.emit, depth))
            crumb.setAccessibleName(f"Back to {name}")
            self._row.addWidget(crumb)
        here = ElidedLabel(names[-1])
        here.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._row.addWidget(set_kind(here, "heading"), 1)


class BrowseDialog(QDialog):
    """Lists a folder with `list_folder(path)` in the background; `chosen(value)` gets the file.

    Enter or a double click opens a folder or takes a file, Backspace goes up. With `folders` it is a folder that is
    chosen: the one that is open. `start` is what the place itself is called.
    """

    def __init__(
        self,
        parent: QWidget,
        engine: Engine,
        title: str,
        list_folder: ListFolder,
        chosen: Callable[[str], object],
        *,
        start: str = "Start",
        folders: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.resize(620, 480)
        self._list_folder, self._chosen = list_folder, chosen
        self._start, self._folders = start, folders
        self._trail: list[Choice] = []
        self._found: list[Choice] = []
        self._asked = 0
        self.up = IconButton("arrow-up", "To the folder above", clicked=self.go_up)
        self.place = _Trail()
        self.place.asked.connect(self._go_to)
        self.spinner = Spinner()
        self.filter = SearchField("Filter", width=200)
        self.filter.searched.connect(lambda _: self._show())
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(self.up)
        top.addWidget(self.place, 1)
        top.addWidget(self.spinner)
        top.addWidget(self.filter)
        self.banner = Banner()
        self._help = VaultHelp(engine, self, self.banner, self._ask)
        self.model = RowsModel(
            [
                Column("name", "Name", lambda row: row.label, sort=_by_name, width=330, fixed=True),
                Column(
                    "size",
                    "Size",
                    lambda row: "" if row.size is None else words.size(row.size),
                    sort=lambda row: row.size or 0,
                    tone=lambda row: "muted",
                    width=90,
                    right=True,
                ),
                Column(
                    "modified",
                    "Modified",
                    lambda row: words.when(row.modified) if row.modified else "",
                    sort=lambda row: row.modified or "",
                    tip=lambda row: words.exact(row.modified) if row.modified else "",
                    tone=lambda row: "muted",
                    width=110,
                ),
            ]
        )
        self.table = DataTable(
            self.model, "browse", delegates={"name": _NameCell}, row_height=36, many=False, accessible_name="Files"
        )
        self.empty = EmptyState("folder-open", "Nothing here", "This folder holds neither files nor folders.")
        self.table.set_empty(self.empty)
        self.table.opened.connect(self._opened)
        self.table.chosen.connect(self._selected)
        self.count = set_kind(QLabel(), "muted")
        self.enter = Button("Open", clicked=self._take)
        self.enter.setVisible(folders)
        self.take = PrimaryButton(
            "Choose this folder" if folders else "Choose", clicked=self._take_folder if folders else self._take
        )
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addWidget(self.count)
        buttons.addStretch(1)
        for button in (Button("Cancel", clicked=self.reject), self.enter, self.take):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 18)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self.banner)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)
        self._selected([])
        self._ask()
        self.table.setFocus()

    def go_up(self) -> None:
        """To the folder that this one was opened from."""
        self._go_to(len(self._trail) - 1)

    def _go_to(self, depth: int) -> None:
        """Back to a folder on the way; 0 is where it began."""
        if 0 <= depth < len(self._trail):
            del self._trail[depth:]
            self._ask()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backspace and not self.filter.hasFocus():
            self.go_up()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.filter.hasFocus():
            self.table.setFocus()
            if self.model.rowCount():
                self.table.select(0)
        else:
            super().keyPressEvent(event)

    def _ask(self) -> None:
        path = self._trail[-1].value if self._trail else ""
        self._asked += 1
        number = self._asked
        self.place.show_names([self._start, *(choice.label for choice in self._trail)])
        self.up.setEnabled(bool(self._trail))
        self.filter.clear()
        self.spinner.start()
        run_query(
            functools.partial(self._list_folder, path),
            done=functools.partial(self._listed, number),
            failed=functools.partial(self._failed, number),
            owner=self,
        )

    def _listed(self, number: int, found: list[Choice]) -> None:
        if number != self._asked:
            return
        self.spinner.stop()
        self.banner.hide()
        self._found = found
        self._show()
        self.table.setFocus()

    def _failed(self, number: int, error: BaseException) -> None:
        if number != self._asked:
            return
        self.spinner.stop()
        self._found = []
        self._show()
        self._help.tell_error(error)

    def _show(self) -> None:
        sought = self.filter.text().strip().casefold()
        rows = [choice for choice in self._found if sought in choice.label.casefold()]
        if sought:
            self.empty.set_text("Nothing found", "No name in this folder contains what you typed.")
        else:
            self.empty.set_text("Nothing here", "This folder holds neither files nor folders.")
        self.model.set_rows(rows)
        some = f"{len(rows):,} of " if sought else ""
        self.count.setText(f"{some}{words.count_of(len(self._found), 'entry', 'entries')}")
        if rows:
            self.table.select(0)
        self._selected(self.table.selected())

    def _selected(self, rows: list[Choice]) -> None:
        if self._folders:
            self.enter.setEnabled(bool(rows))
            # What the place itself is called is no folder of it.
            self.take.setEnabled(bool(self._trail))
            return
        self.take.setEnabled(bool(rows))
        self.take.setText("Open" if rows and rows[0].folder else "Choose")

    def _take_folder(self) -> None:
        self._chosen(self._trail[-1].value)
        self.accept()

    def _take(self) -> None:
        rows = self.table.selected()
        if rows:
            self._opened(rows[0])

    def _opened(self, choice: Choice) -> None:
        if choice.folder:
            self._trail.append(choice)
            self._ask()
        elif not self._folders:
            self._chosen(choice.value)
            self.accept()


def _by_name(choice: Choice) -> tuple[bool, str]:
    return (not choice.folder, choice.label.casefold())

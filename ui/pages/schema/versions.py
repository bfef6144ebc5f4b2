"""Versions of the schema: who published what and when, what differs between two, and the way back."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.engine import Engine
from app.schema.differences import Difference
from app.schema.queries import Version, compare_versions
from ui.pages.schema.difference_list import DifferenceList, Told
from ui.shell.background import run_query
from ui.widgets import Banner, Button, Card, Column, DataTable, EmptyState, Line, RowsModel, set_kind, words


class VersionsView(QWidget):
    """One version chosen: what it changed. Two chosen: what differs between them. `load_asked(number)`."""

    load_asked = Signal(int)

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._pair: tuple[int, int] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.model = RowsModel(
            [
                Column(
                    "number", "Version", lambda row: str(row.number), sort=lambda row: row.number, width=66, fixed=True
                ),
                Column(
                    "at",
                    "Published",
                    lambda row: words.when(row.at),
                    sort=lambda row: row.at,
                    tip=lambda row: words.exact(row.at),
                    width=90,
                ),
                Column("by", "By", lambda row: row.by, tone=lambda row: "muted", width=90),
                Column(
                    "comment", "Comment", lambda row: row.comment, tip=lambda row: row.comment, width=300, fixed=True
                ),
                Column("changes", "Changes", lambda row: f"{row.changes:,}", sort=lambda row: row.changes, width=74),
            ],
            key=lambda row: row.number,
        )
        self.table = DataTable(self.model, "schema-versions", row_height=38, accessible_name="Versions")
        self.table.set_empty(
            EmptyState(
                "history", "No version yet", "Each time the schema is published it gets a number, and can be had back."
            )
        )
        self.table.chosen.connect(lambda _: self._chosen())
        self.table.opened.connect(lambda _: self._chosen())
        self.table.set_menu(self._menu)
        column.addWidget(self.table, 3)
        self.card = Card(flush=True)
        head = QHBoxLayout()
        head.setContentsMargins(14, 10, 12, 10)
        self.heading = set_kind(QLabel(), "heading")
        head.addWidget(self.heading)
        head.addStretch(1)
        self.load = Button("Load as unpublished changes", clicked=self._load)
        head.addWidget(self.load)
        self.card.add(head)
        self.card.add(Line())
        self.differences = DifferenceList("What differs")
        self.differences.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.same = set_kind(QLabel("The two are the same."), "muted")
        self.same.setContentsMargins(14, 10, 14, 10)
        self.card.add(self.same)
        self.card.add(self.differences, 1)
        column.addWidget(self.card, 2)
        self.card.hide()

    def show_versions(self, versions: Sequence[Version]) -> None:
        """Show these, and what the newest changed unless another is chosen."""
        self.model.set_rows(versions)
        if versions and not self.table.selected():
            self.table.select(0)

    def _menu(self, rows: list[Version]) -> QMenu | None:
        if len(rows) != 1:
            return None
        menu = QMenu(self)
        menu.addAction("Load as unpublished changes", lambda: self.load_asked.emit(rows[0].number))
        return menu

    def _load(self) -> None:
        chosen = self.table.selected()
        if len(chosen) == 1:
            self.load_asked.emit(chosen[0].number)

    def _chosen(self) -> None:
        chosen = sorted((row for row in self.table.selected()), key=lambda row: row.number)
        if not chosen:
            return
        newest = max((row.number for row in self.model.rows()), default=0)
        if len(chosen) == 1:
            number = chosen[0].number
            earlier = [row.number for row in self.model.rows() if row.number < number]
            pair = (max(earlier, default=0), number)
            self.heading.setText(f"What version {number} changed")
        else:
            pair = (chosen[0].number, chosen[-1].number)
            self.heading.setText(f"From version {pair[0]} to version {pair[1]}")
        self.load.setVisible(len(chosen) == 1 and chosen[0].number != newest)
        self.card.show()
        if pair == self._pair:
            return
        self._pair = pair
        engine = self._engine
        run_query(
            lambda: compare_versions(engine, *pair),
            done=functools.partial(self._compared, pair),
            failed=self._banner.tell_error,
            owner=self,
        )

    def _compared(self, pair: tuple[int, int], differences: list[Difference]) -> None:
        if pair != self._pair:
            return
        self.differences.show_differences(Told(change) for change in differences)
        self.same.setVisible(not differences)

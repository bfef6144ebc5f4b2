"""The transfers that were made, to be made again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.engine import Engine
from app.transfer.saved import SavedTransfer, delete_transfer, list_transfers
from ui.pages.live import Live
from ui.shell.background import run_operation, run_query
from ui.widgets import (
    Button,
    Column,
    DataTable,
    EmptyState,
    RowsModel,
    StatusDelegate,
    TwoLineDelegate,
    confirm,
    set_kind,
    words,
)

PILLS = {"completed": "Completed", "failed": "Failed", "cancelled": "Stopped"}


class RecentPane(QWidget):
    """`opened(transfer)` to look at one, `again(transfer)` to make it once more; both carry a SavedTransfer."""

    opened = Signal(object)
    again = Signal(object)

    def __init__(self, engine: Engine, failed: Callable[[BaseException], object]) -> None:
        super().__init__()
        self._engine, self._failed = engine, failed
        self.run = Button("Run again", icon="play", clicked=lambda: self._tell(self.again))
        self.show_one = Button("Open", clicked=lambda: self._tell(self.opened))
        self.delete = Button("Forget…", clicked=self._ask_delete)
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 14, 8)
        row.setSpacing(8)
        row.addWidget(set_kind(QLabel("Those with a name are kept; of the others the last 30."), "muted"), 1)
        for button in (self.run, self.show_one, self.delete):
            row.addWidget(button)
        self.model = RowsModel(
            [
                Column("name", "Transfer", lambda one: one.name, second=_way, tip=_way, width=330, fixed=True),
                Column(
                    "status",
                    "Last time",
                    lambda one: PILLS.get(one.status, ""),
                    status=lambda one: "paused" if one.status == "cancelled" else one.status,
                    tip=lambda one: one.message,
                    width=110,
                ),
                Column("rows", "Rows", lambda one: f"{one.rows:,}" if one.rows else "", sort=lambda one: one.rows,
                       right=True, width=80, spare=True),
                Column("size", "Size", lambda one: words.size(one.size) if one.size else "", sort=lambda one: one.size,
                       right=True, width=80, spare=True),
                Column("used", "When", lambda one: words.when(one.used_at), sort=lambda one: one.used_at or "",
                       tip=lambda one: words.exact(one.used_at), tone=lambda one: "muted", width=90),
            ],
            key=lambda one: one.id,
        )  # fmt: skip
        self.table = DataTable(
            self.model,
            "transfers",
            row_height=52,
            many=False,
            framed=False,
            delegates={"name": TwoLineDelegate, "status": StatusDelegate},
            accessible_name="Last transfers",
        )
        self.table.set_empty(
            EmptyState("history", "No transfers yet", "The last ones are listed here, to be made again with one click.")
        )
        self.table.chosen.connect(lambda _: self._free())
        self.table.opened.connect(self.opened)
        self.table.set_menu(self._menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)
        self._free()
        Live(self, engine, ("transfers", "authorizations"), self.refresh)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Read them anew."""
        engine = self._engine
        run_query(lambda: list_transfers(engine), done=self._show, failed=self._failed, owner=self)

    def _show(self, found: list[SavedTransfer]) -> None:
        self.model.set_rows(found)
        self._free()

    def _free(self) -> None:
        for button in (self.run, self.show_one, self.delete):
            button.setEnabled(bool(self.table.selected()))

    def _tell(self, signal: Any) -> None:
        for one in self.table.selected():
            signal.emit(one)

    def _menu(self, rows: list[SavedTransfer]) -> QMenu | None:
        if not rows:
            return None
        menu = QMenu(self)
        menu.addAction("Run again", lambda: self._tell(self.again))
        menu.addAction("Open", lambda: self._tell(self.opened))
        menu.addSeparator()
        menu.addAction("Forget…", self._ask_delete)
        return menu

    def _ask_delete(self) -> None:
        for one in self.table.selected():
            confirm(
                self,
                f"Forget “{one.name}”?",
                "What was set up for it is gone then. The files that it brought stay where they are.",
                "Forget transfer",
                functools.partial(self._delete, one),
            )

    def _delete(self, one: SavedTransfer) -> None:
        engine = self._engine
        run_operation(
            lambda task: delete_transfer(engine, one.id),
            done=lambda _: self.refresh(),
            failed=self._failed,
            owner=self,
        )


def _way(one: SavedTransfer) -> str:
    """From where to where."""
    source, target = one.transfer.source.path, one.transfer.target.path
    there = target if one.transfer.target.authorization is None else f"{one.target_name}: {target}"
    return f"{source if one.transfer.source.authorization is None else f'{one.source_name}: {source}'}  →  {there}"

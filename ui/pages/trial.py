"""What an expression makes of real values, shown while it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QWidget

from ui.pages.values import value_text
from ui.widgets import Column, DataTable, EmptyState, MonoDelegate, RowsModel

ROWS = 5


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    raw: str
    value: str
    empty: bool


class TrialTable(DataTable):
    """`show_trial(kind, [(raw value, stored value or None), …])`."""

    def __init__(self, source: str, nothing: str, parent: QWidget | None = None) -> None:
        self.rows_model = RowsModel(
            [
                Column("raw", source, lambda row: row.raw, tip=lambda row: row.raw, width=200, fixed=True),
                Column(
                    "value",
                    "Becomes",
                    lambda row: row.value,
                    tip=lambda row: row.value,
                    tone=lambda row: "muted" if row.empty else "text",
                    width=260,
                    fixed=True,
                ),
            ],
            key=lambda row: row.number,
        )
        super().__init__(
            self.rows_model,
            delegates={"raw": MonoDelegate},
            row_height=30,
            many=False,
            accessible_name="What the expression makes of real values",
        )
        self.setSortingEnabled(False)
        self.setFixedHeight(36 + ROWS * 30 + 4)
        self.set_empty(EmptyState("inbox", "Nothing to try it on", nothing))

    def show_trial(self, kind: str, values: Iterable[tuple[Any, Any]]) -> None:
        """Show what values become; None is no value."""
        self.rows_model.set_rows(
            _Row(
                number,
                raw if isinstance(raw, str) else value_text(raw, identifier=True),
                "no value" if value is None else value_text(value, kind),
                value is None,
            )
            for number, (raw, value) in enumerate(values)
        )

    def clear_trial(self) -> None:
        """Nothing can be tried: the expression can't be read."""
        self.rows_model.set_rows([])

"""The Rejected rows tab of a job: reason, line and text of each row that an import could not take."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.engine import Engine
from app.jobs import RejectedInfo, rejected_count, rejected_rows, save_rejected
from ui.pages.files import ask_save
from ui.shell.background import run_operation, run_query
from ui.widgets import (
    Banner,
    Button,
    Column,
    DataTable,
    EmptyState,
    MonoDelegate,
    RowsModel,
    set_kind,
    words,
)

SHOWN = 1_000


class RejectedView(QWidget):
    """The first rows in the table; all of them in the download, and those of one run in a retry."""

    retry_asked = Signal(object)
    """The rejected rows of this run (a number) are to be read again; None: of the newest run that has some."""

    def __init__(self, engine: Engine, banner: Banner) -> None:
        super().__init__()
        self._engine, self._banner = engine, banner
        self._job_id = 0
        self.model = RowsModel(
            [
                Column("run", "Run", lambda row: str(row.run_id), sort=lambda row: row.run_id, width=60),
                Column("line", "Line", lambda row: f"{row.line:,}", sort=lambda row: row.line, right=True, width=80),
                Column("reason", "Reason", lambda row: row.reason, tip=lambda row: row.reason, width=340, fixed=True),
                Column("row", "Row", lambda row: row.text, tip=lambda row: row.text, width=480),
            ],
            key=lambda row: (row.run_id, row.line),
        )
        self.table = DataTable(
            self.model,
            "rejected-rows",
            delegates={"row": MonoDelegate},
            row_height=38,
            framed=False,
            accessible_name="Rejected rows",
        )
        self.table.set_empty(EmptyState("check", "No row was rejected", "Every row of every run was taken."))
        self.count = set_kind(QLabel(), "muted")
        self.download = Button("Download…", icon="download", clicked=self._ask_save)
        self.retry = Button("Retry", icon="rotate-ccw", clicked=self._ask_retry)
        self.retry.setToolTip(
            "Reads these rows again, and nothing else: for when you have changed the configuration. "
            "Rows that can be taken now leave the list."
        )
        # Until it is known that there are rows.
        self.download.setEnabled(False)
        self.retry.setEnabled(False)
        row = QHBoxLayout()
        row.setContentsMargins(12, 10, 12, 8)
        row.setSpacing(10)
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.retry)
        row.addWidget(self.download)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)

    def set_job(self, job_id: int) -> None:
        """Show another job's rows."""
        self._job_id = job_id
        self.model.set_rows([])

    def refresh(self) -> None:
        """Read the rows."""
        engine, job_id = self._engine, self._job_id

        def read() -> tuple[list[RejectedInfo], int]:
            return rejected_rows(engine, job_id, limit=SHOWN), rejected_count(engine, job_id)

        run_query(read, done=self._show, failed=self._banner.tell_error, owner=self)

    def _show(self, read: tuple[list[RejectedInfo], int]) -> None:
        rows, count = read
        self.model.set_rows(rows)
        self.download.setEnabled(count > 0)
        self.retry.setEnabled(count > 0)
        shown = f"The first {len(rows):,} of {count:,} rows" if count > len(rows) else words.count_of(count, "row")
        self.count.setText(shown if count else "")

    def _ask_retry(self) -> None:
        chosen = self.table.selected()
        self.retry_asked.emit(chosen[0].run_id if chosen else None)

    def _ask_save(self) -> None:
        ask_save(self, "Save the rejected rows", "rejected-rows.csv", "CSV files (*.csv)", self._save)

    def _save(self, target: Path) -> None:
        run_operation(
            lambda _: save_rejected(self._engine, self._job_id, target),
            done=lambda count: self._banner.tell(
                "success", f"{words.count_of(count, 'rejected row')} saved in {target}."
            ),
            failed=self._banner.tell_error,
            owner=self,
        )

"""The Runs tab of a job: when each run was, how long it took, what it did."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.engine import Engine
from app.jobs import RunInfo, job_runs
from ui.pages.jobs.words import duration
from ui.shell.background import run_query
from ui.widgets import Banner, Column, DataTable, EmptyState, RowsModel, StatusDelegate, words


class RunsView(QWidget):
    """Runs, newest first."""

    def __init__(self, engine: Engine, banner: Banner) -> None:
        super().__init__()
        self._engine, self._banner = engine, banner
        self._job_id = 0

        def figure(key: str, title: str) -> Column:
            return Column(
                key,
                title,
                lambda run: f"{getattr(run, key):,}",
                sort=lambda run: getattr(run, key),
                right=True,
                width=86,
            )

        self.model = RowsModel(
            [
                Column(
                    "started",
                    "Started",
                    lambda run: words.exact(run.started_at),
                    sort=lambda run: run.id,
                    width=182,
                    fixed=True,
                ),
                Column(
                    "status",
                    "Status",
                    lambda run: words.status_word(run.status),
                    status=lambda run: run.status,
                    tip=lambda run: run.message,
                    width=120,
                ),
                Column("took", "Took", duration, width=80),
                Column("trigger", "Started by", _trigger, width=130),
                figure("read", "Rows"),
                figure("added", "Added"),
                figure("updated", "Updated"),
                figure("rejected", "Rejected"),
                Column(
                    "message", "Message", lambda run: run.message, tip=lambda run: run.message, width=228, spare=True
                ),
            ],
            key=lambda run: run.id,
        )
        self.table = DataTable(
            self.model,
            "runs",
            delegates={"status": StatusDelegate},
            row_height=42,
            framed=False,
            accessible_name="Runs",
        )
        self.table.set_empty(EmptyState("play", "Not run yet", "“Run now” starts the first run."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table, 1)

    def set_job(self, job_id: int) -> None:
        """Show another job's runs."""
        self._job_id = job_id
        self.model.set_rows([])

    def refresh(self) -> None:
        """Read the runs."""
        run_query(
            lambda: job_runs(self._engine, self._job_id),
            done=self.model.set_rows,
            failed=self._banner.tell_error,
            owner=self,
        )


def _trigger(run: RunInfo) -> str:
    started = run.trigger.capitalize()
    return f"{started}, continues {run.continues}" if run.continues is not None else started

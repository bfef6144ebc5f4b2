"""The Runs tab of a job: when each run was, how long it took, what it did, and undoing what it brought."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.engine import Engine
from app.errors import CausewayError
from app.jobs import RunInfo, job_runs
from app.jobs.rebuilding import can_undo
from ui.pages.jobs.undo import UndoDialog
from ui.pages.jobs.words import duration
from ui.shell.background import run_query
from ui.widgets import Banner, Button, Column, DataTable, EmptyState, RowsModel, StatusDelegate, set_kind, words

SHOWN = 500
"""Of a job that runs every quarter of an hour, the runs of the last five days; the command line lists all."""


ABOUT_PEOPLE = ("added", "updated", "omitted", "rejected")
"""Columns of what only an import does."""


class RunsView(QWidget):
    """The newest runs, the last one first."""

    read = Signal()
    """The runs were read anew."""
    evidence_asked = Signal(int)
    """The evidence of this run is wanted."""

    def __init__(self, engine: Engine, banner: Banner) -> None:
        super().__init__()
        self._engine, self._banner = engine, banner
        self._job_id = 0
        self._imports = True
        self._runs: Sequence[RunInfo] = ()

        def figure(key: str, title: str, *, spare: bool = False) -> Column:
            return Column(
                key,
                title,
                lambda run: f"{getattr(run, key):,}",
                sort=lambda run: getattr(run, key),
                right=True,
                width=86,
                spare=spare,
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
                Column("trigger", "Started by", _trigger, tip=lambda run: run.reason, width=130),
                figure("read", "Rows"),
                figure("added", "Added"),
                figure("updated", "Updated"),
                figure("omitted", "Omitted", spare=True),
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
            many=False,
            accessible_name="Runs",
        )
        self.table.set_empty(EmptyState("play", "Not run yet", "“Run now” starts the first run."))
        self.table.set_menu(self._menu)
        self.table.chosen.connect(lambda _: self._show_action())
        self.hint = set_kind(QLabel(), "muted")
        self.undo = Button("Undo import…", icon="rotate-ccw", clicked=lambda: self.ask_undo(self.table.selected()))
        row = QHBoxLayout()
        row.setContentsMargins(12, 10, 12, 8)
        row.setSpacing(10)
        row.addWidget(self.hint)
        row.addStretch(1)
        row.addWidget(self.undo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)
        self._show_action()

    def set_job(self, job_id: int) -> None:
        """Show another job's runs."""
        self._job_id = job_id
        self._show([])

    def set_kind(self, kind: str) -> None:
        """What kind of job it is: only what an import brought can be undone."""
        self._imports = kind == "import"
        self.undo.setVisible(self._imports)
        self.table.set_columns_away(() if self._imports else ABOUT_PEOPLE)
        self._show_action()

    def refresh(self) -> None:
        """Read the runs."""
        run_query(
            lambda: job_runs(self._engine, self._job_id, limit=SHOWN),
            done=self._was_read,
            failed=self._banner.tell_error,
            owner=self,
        )

    def numbers(self) -> set[int]:
        """The numbers of the runs that are shown."""
        return {run.id for run in self._runs}

    def ask_undo(self, runs: Sequence[RunInfo]) -> UndoDialog | None:
        """Show what undoing the import of the chosen run would change, and ask."""
        if len(runs) != 1 or not self._can_undo(runs[0]):
            return None
        try:
            self._engine.require_charge()
        except CausewayError as error:
            self._banner.tell_error(error)
            return None
        dialog = UndoDialog(self, self._engine, runs[0])
        dialog.open()
        return dialog

    def _was_read(self, runs: Sequence[RunInfo]) -> None:
        self._show(runs)
        self.read.emit()

    def _show(self, runs: Sequence[RunInfo]) -> None:
        self._runs = runs
        self.model.set_rows(runs)
        self._show_action()

    def _show_action(self) -> None:
        chosen = self.table.selected()
        able = len(chosen) == 1 and self._can_undo(chosen[0])
        self.undo.setEnabled(able)
        if not self._imports:
            self.hint.setText(words.count_of(len(self._runs), "run") if self._runs else "")
        elif not chosen:
            self.hint.setText("Choose a run to undo what it imported." if any(map(can_undo, self._runs)) else "")
        elif able:
            self.hint.setText(f"The run of {words.exact(chosen[0].started_at)} is chosen.")
        elif chosen[0].status == "undone":
            self.hint.setText("This import was undone.")
        else:
            self.hint.setText(
                "This run still goes on." if chosen[0].status == "running" else "This run brought nothing."
            )

    def _can_undo(self, run: RunInfo) -> bool:
        return self._imports and can_undo(run)

    def _menu(self, runs: list[RunInfo]) -> QMenu | None:
        if len(runs) != 1:
            return None
        menu = QMenu(self)
        if self._imports:
            menu.addAction("Undo import…", lambda: self.ask_undo(runs)).setEnabled(can_undo(runs[0]))
        menu.addAction("Evidence pack…", lambda: self.evidence_asked.emit(runs[0].id))
        return menu


def _trigger(run: RunInfo) -> str:
    started = run.trigger.capitalize()
    return f"{started}, continues {run.continues}" if run.continues is not None else started

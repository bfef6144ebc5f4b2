"""The Logs tab of a job: filtered by level, searched, followed, copied, saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.engine import Engine
from app.jobs import LogLine, job_log
from ui.pages.files import ask_save
from ui.shell.background import run_operation, run_query
from ui.widgets import (
    Banner,
    CheckBox,
    ChipRow,
    Column,
    ComboBox,
    DataTable,
    EmptyState,
    IconButton,
    LinkButton,
    MonoDelegate,
    RowsModel,
    SearchField,
    StatusDelegate,
    words,
)

PAGE = 200
LEVELS = (("all", "All"), ("warning", "Warnings"), ("error", "Errors"))
EVENTS = ("started", "synced", "completed", "sleeping", "error", "failed", "paused", "edited", "note")


class LogsView(QWidget):
    """Lines newest first; older ones are read on request."""

    def __init__(self, engine: Engine, banner: Banner) -> None:
        super().__init__()
        self._engine, self._banner = engine, banner
        self._job_id = 0
        self._lines: list[LogLine] = []
        self.levels = ChipRow(list(LEVELS))
        self.levels.changed.connect(lambda _: self._read())
        self.events = ComboBox()
        self.events.setAccessibleName("Event")
        self.events.add_choices([("Every event", ""), *((words.status_word(event), event) for event in EVENTS)])
        self.events.value_changed.connect(lambda _: self._read())
        self.search = SearchField("Search the log", width=200)
        self.search.searched.connect(lambda _: self._read())
        self.follow = CheckBox("Follow")
        self.follow.setChecked(True)
        self.follow.setToolTip("Read new lines as they come")
        self.model = RowsModel(
            [
                Column(
                    "at", "Time", lambda line: words.clock(line.at), tip=_exact, width=150, sort=lambda line: line.id
                ),
                Column(
                    "event",
                    "Event",
                    lambda line: words.status_word(line.event),
                    status=_tone,
                    width=160,
                ),
                Column(
                    "message",
                    "Message",
                    lambda line: line.message,
                    tip=lambda line: line.message,
                    width=550,
                    fixed=True,
                ),
                Column(
                    "rows",
                    "Rows",
                    lambda line: "—" if line.rows is None else f"{line.rows:,}",
                    sort=lambda line: line.rows or 0,
                    right=True,
                    width=100,
                ),
            ],
            key=lambda line: line.id,
        )
        self.table = DataTable(
            self.model,
            "job-log",
            delegates={"at": MonoDelegate, "event": StatusDelegate},
            row_height=40,
            framed=False,
            accessible_name="Log",
        )
        self.table.set_empty(EmptyState("file-text", "Nothing here", "Lines appear as the job runs."))
        self.more = LinkButton("Older lines", clicked=self._read_older)
        self.more.hide()
        row = QHBoxLayout()
        row.setContentsMargins(12, 10, 12, 8)
        row.setSpacing(10)
        row.addWidget(self.levels, 1)
        row.addWidget(self.events)
        row.addWidget(self.follow)
        row.addWidget(self.search)
        row.addWidget(IconButton("copy", "Copy the log", clicked=self._copy))
        row.addWidget(IconButton("download", "Save the log…", clicked=self._ask_save))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.more)

    def set_job(self, job_id: int) -> None:
        """Show another job's log."""
        self._job_id = job_id
        self._lines = []
        self.model.set_rows([])

    def refresh(self) -> None:
        """Read new lines, if they are followed."""
        if self.follow.isChecked() or not self._lines:
            self._read()

    def _read(self) -> None:
        run_query(lambda: self._lines_before(None), done=self._show, failed=self._banner.tell_error, owner=self)

    def _read_older(self) -> None:
        oldest = self._lines[-1].id if self._lines else None
        run_query(lambda: self._lines_before(oldest), done=self._add, failed=self._banner.tell_error, owner=self)

    def _lines_before(self, before_id: int | None) -> list[LogLine]:
        level, event = str(self.levels.chosen()), str(self.events.value() or "")
        return job_log(
            self._engine,
            self._job_id,
            search=self.search.text().strip(),
            events=(event,) if event else (),
            levels=() if level == "all" else (level,),
            before_id=before_id,
            limit=PAGE,
        )

    def _show(self, lines: list[LogLine]) -> None:
        self._lines = lines
        self.model.set_rows(lines)
        self.more.setVisible(len(lines) == PAGE)

    def _add(self, lines: list[LogLine]) -> None:
        self._lines = [*self._lines, *lines]
        self.model.set_rows(self._lines)
        self.more.setVisible(len(lines) == PAGE)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(_text(self.table.selected() or self._lines))

    def _ask_save(self) -> None:
        ask_save(self, "Save the log", "job-log.txt", "Text files (*.txt)", self._save)

    def _save(self, target: Path) -> None:
        def write() -> None:
            lines: list[LogLine] = []
            while part := job_log(self._engine, self._job_id, before_id=lines[-1].id if lines else None, limit=10_000):
                lines += part
            target.write_text(_text(lines), "utf-8")

        run_operation(
            lambda _: write(),
            done=lambda _: self._banner.tell("success", f"The log is saved in {target}."),
            failed=self._banner.tell_error,
            owner=self,
        )


def _text(lines: list[LogLine]) -> str:
    """Oldest first, one line each."""
    return "".join(f"{line.at}  {line.event:10} {line.level:8} {line.message}\n" for line in reversed(lines))


def _exact(line: LogLine) -> str:
    return words.exact(line.at, seconds=True)


def _tone(line: LogLine) -> str:
    return {"warning": "warn", "error": "bad"}.get(line.level, line.event)

"""The Jobs page: every job with its status, filtered by chips and search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.changes import Change
from app.engine import Engine
from app.jobs import JobInfo, list_jobs
from ui.pages.jobs.acts import JobActs
from ui.pages.jobs.words import KINDS, authorization, listens, meaning, runs, second_line, share
from ui.pages.live import Live
from ui.shell.background import into_ui, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    ChipRow,
    Column,
    DataTable,
    EmptyState,
    FlowLayout,
    Page,
    PrimaryButton,
    ProviderDelegate,
    RowsModel,
    SearchField,
    StatusDelegate,
    TwoLineDelegate,
    words,
)

STATUSES = (
    ("all", "All"),
    ("running", "Running"),
    ("sleeping", "Sleeping"),
    ("failed", "Failed"),
    ("paused", "Paused"),
    ("completed", "Completed"),
)
KINDS_OF_JOBS = (("import", "Imports"), ("export", "Exports"), ("enrichment", "Enrichment"), ("alert", "Alerts"))
KEPT_FILTER, KEPT_KINDS = "jobs/filter", "jobs/kinds"
FILTER_GAP = 20
"""Pixels between the two rows of chips."""
NO_JOBS = (
    "A job moves people between a tool or a file and this computer. "
    "The demo shows it on the people of an invented shop: type “causeway demo” in a terminal."
)


class JobsPage(Page):
    """All jobs; Enter opens one, Delete asks to delete the chosen ones."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Jobs")
        self._engine, self._shell = engine, shell
        self._jobs: list[JobInfo] = []
        self.banner = Banner()
        self.acts = JobActs(engine, shell, self, self.banner)
        self.search = self._sought = SearchField("Search jobs")
        self._sought.searched.connect(lambda _: self._filter())
        self.recipe_button = Button("Import recipe…", clicked=self._import_recipe)
        new = PrimaryButton("New job", clicked=lambda: shell.navigate("new_job"))
        self.add_action(self._sought, self.recipe_button, new)
        self.statuses = ChipRow(list(STATUSES))
        kept = str(QSettings().value(KEPT_FILTER, "all"))
        self._status = kept if kept in dict(STATUSES) else "all"
        self.statuses.choose(self._status)
        self.statuses.changed.connect(self._status_chosen)
        self._kinds = frozenset(str(QSettings().value(KEPT_KINDS, "")).split()) & set(dict(KINDS_OF_JOBS))
        self.kinds = ChipRow(list(KINDS_OF_JOBS), exclusive=False, chosen=self._kinds, name="Kinds of jobs")
        self.kinds.changed.connect(self._kinds_chosen)
        filters = QWidget()
        both = FlowLayout(filters, FILTER_GAP)
        both.addWidget(self.statuses)
        both.addWidget(self.kinds)
        self.add(self.banner)
        self.add(filters)
        self.table = DataTable(
            self._model(),
            "jobs",
            delegates={"name": TwoLineDelegate, "provider": ProviderDelegate, "status": StatusDelegate},
            row_height=57,
            fit=True,
            accessible_name="Jobs",
        )
        self.table.opened.connect(lambda job: shell.navigate("job", job_id=job.id))
        self.table.set_menu(self.acts.menu)
        self.empty = self._nothing()
        self.table.set_empty(self.empty)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._delete)
        self.add(self.table, 1)
        self.add_spring()
        Live(self, engine, ("jobs", "runs", "authorizations"), self.refresh)
        self.destroyed.connect(engine.changes.subscribe(into_ui(self._progressed, self)))

    def _model(self) -> RowsModel:
        self.model = RowsModel(
            [
                Column("name", "Name", lambda job: job.name, second=second_line, width=236, fixed=True),
                Column(
                    "provider",
                    "Provider",
                    lambda job: job.provider_name,
                    mark=lambda job: job.provider,
                    width=146,
                ),
                Column(
                    "type",
                    "Type",
                    lambda job: KINDS[job.kind],
                    tip=lambda job: job.type_name,
                    width=88,
                    spare=True,
                ),
                Column(
                    "authorization",
                    "Authorization",
                    lambda job: (
                        f"{job.authorization_name} fails" if job.failing_since else job.authorization_name or "—"
                    ),
                    tip=authorization,
                    tone=lambda job: "text" if job.failing_since is None else "failed",
                    width=140,
                ),
                Column(
                    "status",
                    "Status",
                    lambda job: words.status_word(job.status),
                    second=meaning,
                    status=lambda job: job.status,
                    progress=share,
                    tip=meaning,
                    width=246,
                    fixed=True,
                ),
                Column(
                    "last_run",
                    "Last run",
                    lambda job: "Now" if runs(job) else words.when(job.last_run_at),
                    sort=lambda job: job.last_run_at or "",
                    tip=lambda job: words.exact(job.last_run_at),
                    width=96,
                ),
                Column(
                    "next_run",
                    "Next run",
                    lambda job: "Live" if listens(job) else words.when(job.next_run_at),
                    sort=lambda job: job.next_run_at or "",
                    tip=lambda job: "As things happen" if listens(job) else words.exact(job.next_run_at),
                    width=84,
                    spare=True,
                ),
                Column(
                    "created",
                    "Created",
                    lambda job: words.when(job.created_at),
                    sort=lambda job: job.created_at,
                    tip=lambda job: words.exact(job.created_at),
                    width=85,
                    hidden=True,
                ),
            ],
            key=lambda job: job.id,
        )
        return self.model

    def _nothing(self) -> EmptyState:
        self._new_button = PrimaryButton("New job", icon="plus", clicked=lambda: self._shell.navigate("new_job"))
        self._show_all_button = Button("Show all jobs", clicked=self._show_all)
        return EmptyState(
            "workflow",
            "No jobs yet",
            NO_JOBS,
            [self._new_button, self._show_all_button],
        )

    def open(self, **args: object) -> None:
        """Read the jobs."""
        self.refresh()

    def refresh(self) -> None:
        """Read the jobs anew."""
        run_query(lambda: list_jobs(self._engine), done=self._show, failed=self.banner.tell_error, owner=self)

    def _show(self, jobs: Sequence[JobInfo]) -> None:
        self._jobs = list(jobs)
        self._count()
        self._filter()

    def _count(self) -> None:
        """Each chip shows how many jobs it would leave of those that the other row of chips leaves."""
        statuses = Counter[str](job.status for job in self._jobs if self._fits_kinds(job))
        self.statuses.set_counts(
            {key: statuses.total() if key == "all" else statuses[key] for key, _ in STATUSES},
        )
        kinds = Counter[str](job.kind for job in self._jobs if self._fits_status(job))
        self.kinds.set_counts({key: kinds[key] for key, _ in KINDS_OF_JOBS})

    def _fits_status(self, job: JobInfo) -> bool:
        return self._status in ("all", job.status)

    def _fits_kinds(self, job: JobInfo) -> bool:
        return not self._kinds or job.kind in self._kinds

    def _filter(self) -> None:
        if self._jobs:
            self.empty.set_text("No job fits", "Try another word, another status or another kind.")
        else:
            self.empty.set_text("No jobs yet", NO_JOBS)
        self._show_all_button.setVisible(bool(self._jobs))
        self._new_button.setVisible(not self._jobs)
        sought = self._sought.text().casefold().split()
        self.model.set_rows(
            job
            for job in self._jobs
            if self._fits_status(job) and self._fits_kinds(job) and all(word in _searched(job) for word in sought)
        )

    def _status_chosen(self, key: str) -> None:
        self._status = key
        QSettings().setValue(KEPT_FILTER, key)
        self._count()
        self._filter()

    def _kinds_chosen(self, kinds: frozenset[str]) -> None:
        self._kinds = kinds
        QSettings().setValue(KEPT_KINDS, " ".join(sorted(kinds)))
        self._count()
        self._filter()

    def _import_recipe(self) -> None:
        # Imported here: few visits of this page need what a recipe's dialog is made of.
        from ui.pages.new_job.recipe import ask_recipe

        ask_recipe(self, self._engine, self.banner, self._recipe_imported)

    def _recipe_imported(self, made: list[int]) -> None:
        if len(made) == 1:
            self._shell.navigate("job", job_id=made[0])

    def _progressed(self, change: Change) -> None:
        """A running job's row is painted anew; nothing else is read."""
        if change.what != "progress" or not self.isVisible() or self._engine.supervisor is None:
            return
        for at, job in enumerate(self._jobs):
            if job.id == change.id:
                self._jobs[at] = replace(job, progress=self._engine.supervisor.progress(job.id))
                self.model.replace_row(self._jobs[at])
                return

    def _show_all(self) -> None:
        self._sought.clear()
        self.statuses.choose("all")
        for key, _ in KINDS_OF_JOBS:
            self.kinds.choose(key, on=False)
        self._kinds_chosen(frozenset())
        self._status_chosen("all")

    def _delete(self) -> None:
        jobs = self.table.selected()
        if any(job.status == "running" for job in jobs):
            self.banner.tell("info", "A running job can't be deleted.", "Stop it first, then delete it.")
        elif jobs:
            self.acts.delete(jobs)


def _searched(job: JobInfo) -> str:
    return f"{job.name} {job.description} {job.provider_name} {job.type_name} {job.authorization_name}".casefold()

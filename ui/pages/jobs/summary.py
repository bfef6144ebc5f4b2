"""The page of one job: what it is, how it goes, what it did, and what it says."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.changes import Change
from app.engine import Engine
from app.jobs import Bucket, JobInfo, RunInfo, activity, edit_job, get_job, job_log, job_runs, rejected_count
from app.jobs.schedule import describe_frequency, describe_quiet, read_schedule
from ui.pages.files import ask_save, file_name
from ui.pages.jobs.acts import JobActs
from ui.pages.jobs.files import FilesView
from ui.pages.jobs.logs import LogsView
from ui.pages.jobs.rejected import RejectedView
from ui.pages.jobs.runs import RunsView
from ui.pages.jobs.words import authorization, progress_line
from ui.pages.live import Live
from ui.pages.rebuilding import RebuildNotice
from ui.shell.background import into_ui, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    ActivityChart,
    Banner,
    Button,
    Card,
    ChartBucket,
    FactsStrip,
    InlineEdit,
    JsonView,
    MenuButton,
    Page,
    ProgressLine,
    ProviderMark,
    Tabs,
    set_kind,
    words,
)
from ui.widgets.chart import ACTIVITY, SENT


@dataclass(frozen=True, slots=True)
class _Read:
    """What the page reads at once."""

    job: JobInfo
    buckets: list[Bucket]
    rejected: int
    run: RunInfo | None
    """The newest one."""
    details: str
    """What stands behind the failure of that run."""


class JobPage(Page):
    """`open(job_id=3)` shows a job."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Job", crumb=("Jobs", lambda: shell.navigate("jobs")))
        self._engine, self._shell = engine, shell
        self._job: JobInfo | None = None
        self._job_id = 0
        self._span = "28d"
        self._told_run = 0
        self.banner = Banner()
        self.acts = JobActs(engine, shell, self, self.banner)
        self.mark = ProviderMark("", "")
        self.add_lead(self.mark)
        self.make_title_editable("Name of the job", self._rename)
        self.run_button = Button("Run now", clicked=self._run_or_stop)
        self.hold_button = Button("Pause", clicked=self._pause_or_resume)
        self.edit_button = Button("Edit", clicked=lambda: shell.navigate("new_job", job_id=self._job_id))
        more = QMenu(self)
        more.addAction("Duplicate", lambda: self.acts.duplicate([self._shown()]))
        more.addAction("Export recipe…", lambda: self.acts.export_recipe([self._shown()]))
        more.addAction("Evidence pack…", lambda: self.acts.save_evidence(self._shown()))
        self._delete = more.addAction(
            "Delete…", lambda: self.acts.delete([self._shown()], lambda: shell.navigate("jobs"))
        )
        self.more_button = MenuButton("More", more)
        self.add_action(self.run_button, self.hold_button, self.edit_button, self.more_button)
        self.add(self.banner)
        self.runs = RunsView(engine, self.banner)
        self.runs.evidence_asked.connect(lambda run: self.acts.save_evidence(self._shown(), run))
        self.rebuild = RebuildNotice(
            engine, self, self.banner, lambda undone: not self.runs.numbers().isdisjoint(undone)
        )
        self.runs.read.connect(self.rebuild.refresh)
        self.description = InlineEdit(name="Description of the job", kind="muted", placeholder="Add a description")
        self.description.edited.connect(self._describe)
        self.add(self.description)
        self.facts = FactsStrip()
        self.add(self.facts)
        self.add(self._progress_card())
        self.chart = ActivityChart()
        self.chart.span_changed.connect(self._span_chosen)
        self.add(self.chart)
        self.tabs = Tabs()
        self.logs = LogsView(engine, self.banner)
        self.configuration = _Configuration(self.banner)
        self.files = FilesView(engine, self.banner)
        self.rejected = RejectedView(engine, self.banner)
        self.rejected.retry_asked.connect(lambda run: self.acts.retry_rejected(self._shown(), run))
        self.tabs.add("logs", "Logs", self.logs)
        self.tabs.add("configuration", "Configuration", self.configuration)
        self.tabs.add("rejected", "Rejected rows", self.rejected)
        self.tabs.add("runs", "Runs", self.runs)
        self.tabs.add("files", "Files", self.files)
        card = Card(flush=True)
        card.add(self.tabs, 1)
        self.add(card, 1)
        Live(self, engine, ("jobs", "runs", "authorizations"), self.refresh)
        self.destroyed.connect(engine.changes.subscribe(into_ui(self._progressed, self)))

    def _progress_card(self) -> Card:
        self.progress_text = QLabel()
        self.progress_bar = ProgressLine()
        self.progress_card = Card()
        self.progress_card.body.setContentsMargins(14, 10, 14, 12)
        self.progress_card.add(self.progress_text)
        self.progress_card.add(self.progress_bar)
        self.progress_card.hide()
        return self.progress_card

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a low window the log needs the room more than the chart.
        self.chart.chart.setFixedHeight(172 if self.height() >= 760 else 120)

    def open(self, *, job_id: int = 0, **args: Any) -> None:
        """Show a job, or the one of before."""
        if job_id and job_id != self._job_id:
            self._job_id, self._job, self._told_run = job_id, None, 0
            self.banner.dismiss()
            self.tabs.choose("logs")
            for view in (self.logs, self.rejected, self.runs, self.files):
                view.set_job(job_id)
        self.refresh()

    def refresh(self) -> None:
        """Read the job anew."""
        job_id, span, engine = self._job_id, self._span, self._engine

        def read() -> _Read:
            run = next(iter(job_runs(engine, job_id, limit=1)), None)
            notes = job_log(engine, job_id, events=("note",), levels=("error",), limit=1)
            return _Read(
                get_job(engine, job_id),
                activity(engine, job_id, span),
                rejected_count(engine, job_id),
                run,
                "\n".join(note.message for note in notes if run is not None and note.run_id == run.id),
            )

        run_query(read, done=self._show, failed=self.banner.tell_error, owner=self)
        for view in (self.logs, self.rejected, self.runs, self.files):
            view.refresh()

    def _shown(self) -> JobInfo:
        if self._job is None:
            raise RuntimeError("no job is shown")
        return self._job

    def _show(self, read: _Read) -> None:
        job = read.job
        if job.id != self._job_id:
            return
        self._job = job
        running = job.status == "running"
        self.set_title(job.name)
        self.set_status(job.status, words.status_word(job.status))
        self.mark.set_provider(job.provider_name, job.provider)
        self.description.set_text(job.description)
        self.run_button.setText("Stop" if running else "Run now")
        self.hold_button.setVisible(job.status in ("sleeping", "paused", "failed"))
        self.hold_button.setText("Pause" if job.status == "sleeping" else "Resume")
        self.edit_button.setEnabled(not running)
        self.rejected.retry.setVisible(self._engine.catalog.job_type(job.job_type).rereads)
        self._delete.setEnabled(not running)
        schedule = read_schedule(job.schedule)
        following = "After this one" if running and schedule.again else "When you run it"
        if job.next_run_at is not None or job.kind == "alert":
            following = words.exact(job.next_run_at)
        creator = f"{job.created_by} on " if job.created_by else ""
        self.facts.set_facts(
            [
                ("Provider", job.provider_name),
                ("Type", job.type_name),
                ("Authorization", authorization(job) or "None any more"),
                ("Created by", f"{creator}{words.exact(job.created_at).partition(',')[0]}"),
                ("Last run", words.exact(job.last_run_at)),
                ("Runs", job.schedule_text if job.kind == "alert" else describe_frequency(schedule)),
                *([("Quiet from", describe_quiet(schedule))] if schedule.quiet is not None else []),
                ("Next run", following),
            ]
        )
        self.configuration.set_options(job)
        exports = job.kind == "export"
        self.chart.set_series(SENT if exports else ACTIVITY)
        self.chart.set_buckets([_bar(bucket, self._span, exports) for bucket in read.buckets])
        self.runs.set_kind(job.kind)
        self.tabs.set_count("rejected", read.rejected or None)
        self._show_progress(job)
        self._tell_failure(read)

    def _tell_failure(self, read: _Read) -> None:
        """Say once why the newest run failed; what the user has put away stays away."""
        if read.job.status != "failed" or read.run is None:
            if self._told_run:
                self._told_run = 0
                self.banner.dismiss()
        elif read.run.id != self._told_run:
            self._told_run = read.run.id
            advice = read.run.message.removeprefix(read.job.reason).strip()
            # A job that gave up after many errors says so in its reason, which begins with the last one.
            advice = "" if advice == read.run.message and read.job.reason else advice
            self.banner.tell("error", read.job.reason, advice, read.details)

    def _show_progress(self, job: JobInfo) -> None:
        self.progress_card.setVisible(job.status == "running" and job.kind != "alert")
        if job.status == "running":
            self.progress_text.setText(progress_line(job.progress) if job.progress else job.reason or "Starts")
            self.progress_bar.set_progress(job.progress.fraction if job.progress else None)

    def _progressed(self, change: Change) -> None:
        supervisor = self._engine.supervisor
        if change.what != "progress" or change.id != self._job_id or not self.isVisible() or supervisor is None:
            return
        progress = supervisor.progress(self._job_id)
        if progress is not None:
            self.progress_card.show()
            self.progress_text.setText(f"{progress.activity}: {progress_line(progress)}")
            self.progress_bar.set_progress(progress.fraction)

    def _run_or_stop(self) -> None:
        job = self._shown()
        self.banner.dismiss()
        if job.status == "running":
            self.acts.stop([job])
        else:
            self.acts.run([job])

    def _pause_or_resume(self) -> None:
        job = self._shown()
        self.banner.dismiss()
        if job.status == "sleeping":
            self.acts.pause([job])
        else:
            self.acts.resume([job])

    def _span_chosen(self, span: str) -> None:
        self._span = span
        self.refresh()

    def _rename(self, name: str) -> None:
        self._edit(functools.partial(edit_job, self._engine, self._job_id, name=name))

    def _describe(self, description: str) -> None:
        self._edit(functools.partial(edit_job, self._engine, self._job_id, description=description))

    def _edit(self, change: Callable[[], None]) -> None:
        run_operation(
            lambda _: change(),
            done=lambda _: self.refresh(),
            failed=self._not_edited,
            owner=self,
        )

    def _not_edited(self, error: BaseException) -> None:
        self.banner.tell_error(error)
        self.refresh()


class _Configuration(QWidget):
    """The job's configuration as JSON; secrets are not part of it."""

    def __init__(self, banner: Banner) -> None:
        super().__init__()
        self._banner = banner
        self._name = ""
        self._document: dict[str, Any] = {}
        self.view = JsonView({})
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 14)
        row = QHBoxLayout()
        row.addWidget(set_kind(QLabel("As the job runs it. Secrets are in the authorization, not here."), "muted"))
        row.addStretch(1)
        row.addWidget(Button("Copy", icon="copy", clicked=self.view.copy_all))
        row.addWidget(Button("Save…", icon="download", clicked=self._ask_save))
        layout.addLayout(row)
        layout.addWidget(self.view, 1)

    def set_options(self, job: JobInfo) -> None:
        """Show a job's configuration."""
        document = {"job_type": job.job_type, "authorization": job.authorization_name, "configuration": job.options}
        self._name = job.name
        # A document that is shown anew loses the reader's place and selection.
        if document != self._document:
            self._document = document
            self.view.set_document(document)

    def _ask_save(self) -> None:
        ask_save(self, "Save the configuration", f"{file_name(self._name)}.json", "JSON files (*.json)", self._save)

    def _save(self, target: Path) -> None:
        text = self.view.toPlainText()
        run_operation(
            lambda _: target.write_text(text + "\n", "utf-8"),
            done=lambda _: self._banner.tell("success", f"The configuration is saved in {target}."),
            failed=self._banner.tell_error,
            owner=self,
        )


def _bar(bucket: Bucket, span: str, exports: bool) -> ChartBucket:
    at = words.moment(bucket.start)
    if span == "24h":
        label, title = f"{at:%H:%M}", words.exact(bucket.start)
    else:
        # A day's bucket begins at midnight in UTC and is named for that day.
        day = bucket.start[:10]
        at = words.moment(f"{day}T12:00:00+00:00")
        label, title = f"{at.day} {at:%b}", f"{at.day} {at:%b %Y}"
    figures = (bucket.added,) if exports else (bucket.added, bucket.updated, bucket.rejected)
    return ChartBucket(label, title, figures)

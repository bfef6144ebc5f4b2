"""Jobs, runs and what they leave behind, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.jobs.schedule import ONCE, Schedule

JobStatus = Literal["running", "sleeping", "paused", "failed", "completed"]
RunStatus = Literal["running", "completed", "failed", "interrupted", "cancelled", "undone"]
Trigger = Literal["created", "by hand", "command line", "demo", "schedule", "catch-up", "retry", "rejected rows"]
JobEvent = Literal["started", "synced", "error", "sleeping", "failed", "completed", "paused", "edited", "note"]


@dataclass(frozen=True, slots=True)
class JobDraft:
    """What a person chose for a new job."""

    name: str
    job_type: str
    authorization_id: int | None
    options: dict[str, Any]
    description: str = ""
    schedule: Schedule = ONCE


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a running job is: `done` of `total` units (bytes), rows so far, rows a second, seconds left."""

    activity: str
    done: int
    total: int | None
    unit: str
    rows: int
    rate: float
    seconds_left: float | None

    @property
    def fraction(self) -> float | None:
        """From 0 to 1, None while the whole is unknown."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class JobInfo:
    """One job as lists and pages show it. Times are UTC text.

    `schedule` is as app.jobs.schedule writes it, `schedule_text` says it in a line. `last_run_at` of an alert is when
    it told last; `next_run_at` is when a job wakes, for what `waits_for` says; `removed_at` is there in the last week
    of a job that does nothing any more.
    """

    id: int
    name: str
    description: str
    provider: str
    provider_name: str
    job_type: str
    type_name: str
    kind: str
    authorization_id: int | None
    authorization_name: str
    status: JobStatus
    reason: str
    created_by: str
    created_at: str
    updated_at: str
    last_run_at: str | None
    options: dict[str, Any] = field(repr=False)
    progress: RunProgress | None = None
    next_run_at: str | None = None
    schedule: dict[str, Any] = field(default_factory=dict)
    schedule_text: str = ""
    waits_for: str = ""
    errors: int = 0
    removed_at: str | None = None
    failing_since: str | None = None
    """Since when its authorization fails."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run with its counts; `continues` is the interrupted run that it took over from."""

    id: int
    job_id: int
    continues: int | None
    trigger: str
    status: RunStatus
    message: str
    started_at: str
    ended_at: str | None
    read: int
    added: int
    updated: int
    rejected: int
    reason: str = ""
    """Why it began, in a line; empty for one that somebody began."""
    removed: int = 0
    omitted: int = 0
    """Rows that became part of nobody."""
    retries: int | None = None
    """The run whose rejected rows it read again."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a job's log."""

    id: int
    run_id: int | None
    at: str
    event: str
    level: str
    message: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class RejectedInfo:
    """A row that an import could not take, with its line in the file and the reason."""

    run_id: int
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that a job has read, or one that it has written (`sent`): in which run, when, where it was or went.

    `place` and `rows` are known of files that were sent only. `local` is the path of one that is on this computer.
    """

    sent: bool
    run_id: int | None
    at: str
    place: str
    path: str
    size: int
    sha256: str
    rows: int | None

    @property
    def local(self) -> str:
        return str(Path(self.place, self.path)) if Path(self.place).is_absolute() else ""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Counts of one hour or day that begins at `start` (UTC text)."""

    start: str
    added: int
    updated: int
    removed: int
    omitted: int
    rejected: int

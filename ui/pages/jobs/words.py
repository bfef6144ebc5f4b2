"""What is said of jobs: one line of meaning under a status, progress in figures."""

from __future__ import annotations

from datetime import UTC, datetime

from app.jobs import JobInfo, RunInfo, RunProgress
from ui.widgets import words

KINDS = {"import": "Import", "export": "Export", "enrichment": "Enrichment", "alert": "Alert"}


def authorization(job: JobInfo) -> str:
    """The name of the job's authorization, and since when it fails."""
    if job.failing_since is None:
        return job.authorization_name
    return f"{job.authorization_name}, failing since {words.when(job.failing_since)}"


def meaning(job: JobInfo) -> str:
    """The line under the job's status."""
    if job.removed_at is not None:
        return f"Will be removed {runs_at(job.removed_at)}. {job.reason}"
    if job.status == "sleeping" and job.waits_for == "schedule" and job.next_run_at is not None:
        return f"Runs again {runs_at(job.next_run_at)}"
    if job.status != "running":
        return job.reason
    return progress_line(job.progress) if job.progress is not None else job.reason or "Starts"


def runs_at(time: str) -> str:
    """When something will be: "in 43 min", "at 17:00", "tomorrow at 06:00", "on 30 Nov at 06:00"."""
    at = words.moment(time)
    seconds = (at - datetime.now(UTC)).total_seconds()
    if seconds < 60:
        return "in a moment"
    if seconds < 3600:
        return f"in {words.lasting(seconds)}"
    day = words.when(time)
    if ":" in day:
        return f"at {at:%H:%M}"
    return f"{'tomorrow' if day == 'Tomorrow' else f'on {day}'} at {at:%H:%M}"


def runs(job: JobInfo) -> bool:
    """Whether a job has a run under way; an alert has none."""
    return job.status == "running" and job.kind != "alert"


def listens(job: JobInfo) -> bool:
    """Whether it is an alert that tells of things as they happen."""
    return job.status == "running" and job.kind == "alert"


def second_line(job: JobInfo) -> str:
    """The line under the job's name: what it is for, else when it runs."""
    return job.description or (job.schedule_text if job.schedule.get("every", "once") != "once" else "")


def progress_line(progress: RunProgress) -> str:
    """ "618,400 rows · 62 % · 41,200/s · 12 s left" """
    parts = []
    if progress.rows:
        parts.append(words.count_of(progress.rows, "row"))
    else:
        parts.append(progress.activity)
    if progress.fraction is not None:
        parts.append(f"{progress.fraction:.0%}".replace("%", " %"))
    if progress.rows:
        parts.append(f"{progress.rate:,.0f}/s")
    if progress.seconds_left is not None and progress.seconds_left >= 1:
        parts.append(f"{words.lasting(progress.seconds_left)} left")
    return " · ".join(parts)


def share(job: JobInfo) -> float | None:
    """How full the job's bar is; -1 while its end is unknown, None without a bar."""
    if not runs(job):
        return None
    fraction = job.progress.fraction if job.progress is not None else None
    return -1 if fraction is None else fraction


def duration(run: RunInfo) -> str:
    """How long a run took."""
    if run.ended_at is None:
        return "—"
    return words.lasting((words.moment(run.ended_at) - words.moment(run.started_at)).total_seconds())

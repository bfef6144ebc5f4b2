"""What is said of jobs: one line of meaning under a status, progress in figures."""

from __future__ import annotations

from app.jobs import JobInfo, RunInfo, RunProgress
from ui.widgets import words

KINDS = {"import": "Import", "export": "Export", "enrichment": "Enrichment", "alert": "Alert"}


def meaning(job: JobInfo) -> str:
    """The line under the job's status."""
    if job.status != "running":
        return job.reason
    return progress_line(job.progress) if job.progress is not None else "Waits for a worker"


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
    if job.status != "running":
        return None
    fraction = job.progress.fraction if job.progress is not None else None
    return -1 if fraction is None else fraction


def duration(run: RunInfo) -> str:
    """How long a run took."""
    if run.ended_at is None:
        return "—"
    return words.lasting((words.moment(run.ended_at) - words.moment(run.started_at)).total_seconds())

"""Jobs: what a person set up to be done, its runs, and who sees them through."""

from app.jobs.log import job_log
from app.jobs.model import (
    Bucket,
    JobDraft,
    JobFile,
    JobInfo,
    JobStatus,
    LogLine,
    RejectedInfo,
    RunInfo,
    RunProgress,
    RunStatus,
)
from app.jobs.operations import create_job, delete_job, duplicate_job, edit_job, pause_job, resume_job
from app.jobs.queries import (
    activity,
    get_job,
    get_run,
    job_runs,
    list_files,
    list_jobs,
    rejected_count,
    rejected_rows,
    save_rejected,
)

__all__ = [
    "Bucket",
    "JobDraft",
    "JobFile",
    "JobInfo",
    "JobStatus",
    "LogLine",
    "RejectedInfo",
    "RunInfo",
    "RunProgress",
    "RunStatus",
    "activity",
    "create_job",
    "delete_job",
    "duplicate_job",
    "edit_job",
    "get_job",
    "get_run",
    "job_log",
    "job_runs",
    "list_files",
    "list_jobs",
    "pause_job",
    "rejected_count",
    "rejected_rows",
    "resume_job",
    "save_rejected",
]

"""What people ask about jobs: lists, one job, its runs, rejected rows and activity."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.clock import text_of
from app.errors import NotFound
from app.jobs.lifecycle import removal
from app.jobs.model import Bucket, JobFile, JobInfo, RejectedInfo, RunInfo
from app.jobs.schedule import describe
from app.jobs.states import keep_ended, read_state, schedule_of
from app.whole_file import whole_file

if TYPE_CHECKING:
    from app.engine import Engine

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPANS = {"24h": (24, HOUR), "7d": (7, DAY), "28d": (28, DAY), "90d": (90, DAY)}
"""How many buckets an activity chart has and how long each lasts."""

JOB_COLUMNS = """jobs.*, coalesce(authorizations.name, '') as authorization_name,
    case authorizations.state when 'failing' then state_since end as failing_since,
    coalesce(
        (select started_at from runs where runs.job_id = jobs.id order by id desc limit 1),
        (select sent_at from alert_state where alert_state.job_id = jobs.id)
    ) as last_run_at
    from jobs left join authorizations on authorizations.id = authorization_id"""
RUN_COLUMNS = """id, job_id, continues, trigger, status, message, started_at, ended_at, read, added, updated, rejected,
    reason, removed, omitted, retries"""


NO_RUN = 1 << 62
"""Greater than the number of any run."""


def list_jobs(engine: Engine) -> list[JobInfo]:
    """Every job, the one that ran last first."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            f"select {JOB_COLUMNS} order by coalesce(last_run_at, jobs.created_at) desc, jobs.id desc"
        ).fetchall()
    return [_job(engine, row) for row in rows]


def get_job(engine: Engine, job_id: int) -> JobInfo:
    """One job. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        row = connection.execute(f"select {JOB_COLUMNS} where jobs.id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFound(
            f"There is no job {job_id} in this workspace.", advice="`causeway job list` shows those there are."
        )
    return _job(engine, row)


def _job(engine: Engine, row: sqlite3.Row) -> JobInfo:
    provider = engine.catalog.provider(row["provider"])
    supervisor = engine.supervisor
    waiting = supervisor.waiting_because(row["id"]) if supervisor is not None else ""
    return JobInfo(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        provider=row["provider"],
        provider_name=provider.name,
        job_type=row["job_type"],
        type_name=engine.catalog.job_type(row["job_type"]).name,
        kind=row["kind"],
        authorization_id=row["authorization_id"],
        authorization_name=row["authorization_name"],
        status=row["status"],
        reason=waiting or row["reason"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_run_at=row["last_run_at"],
        options=orjson.loads(row["options"]),
        progress=supervisor.progress(row["id"]) if supervisor is not None else None,
        next_run_at=row["wakes_at"] if row["status"] == "sleeping" else None,
        schedule=orjson.loads(row["schedule"]),
        schedule_text="As things happen" if row["kind"] == "alert" else describe(schedule_of(row)),
        waits_for=row["waits_for"],
        errors=row["errors"],
        removed_at=_removed_at(engine, row),
        failing_since=row["failing_since"],
    )


def _removed_at(engine: Engine, row: sqlite3.Row) -> str | None:
    """When a job that does nothing any more is removed, once that was said."""
    at = removal(read_state(row), keep_ended(engine)) if row["warned_at"] is not None else None
    return None if at is None else text_of(at)


def job_runs(engine: Engine, job_id: int, *, before_id: int | None = None, limit: int = -1) -> list[RunInfo]:
    """The job's runs, newest first; all of them without a limit. `before_id` pages on."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            f"select {RUN_COLUMNS} from runs where job_id = ? and id < ? order by id desc limit ?",
            (job_id, NO_RUN if before_id is None else before_id, limit),
        ).fetchall()
    return [RunInfo(*row) for row in rows]


def get_run(engine: Engine, run_id: int) -> RunInfo:
    """One run. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        row = connection.execute(f"select {RUN_COLUMNS} from runs where id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no run {run_id} in this workspace.")
    return RunInfo(*row)


def _rejected_where(job_id: int, run_id: int | None) -> tuple[str, tuple[int, ...]]:
    if run_id is not None:
        return "run_id = ?", (run_id,)
    return "run_id in (select id from runs where job_id = ?)", (job_id,)


def rejected_rows(
    engine: Engine, job_id: int, *, run_id: int | None = None, offset: int = 0, limit: int = 200
) -> list[RejectedInfo]:
    """Rows that the job's runs (or one run) could not take, in the order of the runs and lines."""
    where, values = _rejected_where(job_id, run_id)
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            f"select run_id, line, reason, text from rejected_rows where {where} order by run_id, id limit ? offset ?",
            (*values, limit, offset),
        ).fetchall()
    return [RejectedInfo(*row) for row in rows]


def rejected_count(engine: Engine, job_id: int, *, run_id: int | None = None) -> int:
    """How many rows were rejected."""
    where, values = _rejected_where(job_id, run_id)
    with engine.workspace.database.read() as connection:
        return int(connection.execute(f"select count(*) from rejected_rows where {where}", values).fetchone()[0])


def save_rejected(engine: Engine, job_id: int, target: Path, *, run_id: int | None = None) -> int:
    """Write the rejected rows to a CSV file with run, line, reason and the row's text; how many there were.

    Raises Refused and DiskFull.
    """
    # Imported here: nothing else that is asked about jobs needs the room of people.
    from app.profiles.written import remember_written

    where, values = _rejected_where(job_id, run_id)
    count = 0
    with (
        whole_file(target) as part,
        engine.workspace.database.read() as connection,
        part.open("w", newline="", encoding="utf-8-sig") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("run", "line", "reason", "row"))
        for row in connection.execute(
            f"select run_id, line, reason, text from rejected_rows where {where} order by run_id, id", values
        ):
            writer.writerow(tuple(row))
            count += 1
    remember_written(engine, target, "rejected")
    return count


def list_files(engine: Engine, job_id: int, *, run_id: int | None = None, limit: int = -1) -> list[JobFile]:
    """The files that a job (or one run of it) has read or written, newest first; of one that was read again, the last
    time."""
    with engine.workspace.database.read() as connection:
        return list(job_files(connection, job_id, run_id, limit))


def job_files(connection: sqlite3.Connection, job_id: int, run_id: int | None, limit: int = -1) -> Iterator[JobFile]:
    """`list_files` on a connection."""
    rows = connection.execute(
        """select false, run_id, at, '', path, size, sha256, null, 0 as id from imported_files
        where job_id = :job and (:run is null or run_id = :run)
        union all select true, run_id, at, place, path, size, sha256, rows, id from exported_files
        where job_id = :job and (:run is null or run_id = :run)
        order by at desc, id desc, path limit :limit""",
        {"job": job_id, "run": run_id, "limit": limit},
    )
    return (JobFile(bool(row[0]), *tuple(row)[1:8]) for row in rows)


def activity(engine: Engine, job_id: int, span: str = "28d") -> list[Bucket]:
    """Counts by hour ("24h") or UTC day ("7d", "28d", "90d") up to now, oldest first, empty ones included."""
    count, step = SPANS[span]
    width = 13 if step == HOUR else 10
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    if step == DAY:
        end = end.replace(hour=0)
    starts = [(end - step * back).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for back in reversed(range(count))]
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            f"""select substr(hour, 1, {width}) as start, sum(added), sum(updated), sum(removed), sum(omitted),
                sum(rejected) from activity
            where job_id = ? and hour >= ? group by start""",
            (job_id, starts[0][:width]),
        ).fetchall()
    counts: dict[str, tuple[Any, ...]] = {row[0]: tuple(row)[1:] for row in rows}
    return [Bucket(start, *counts.get(start[:width], (0, 0, 0, 0, 0))) for start in starts]

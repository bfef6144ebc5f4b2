"""What a person can do with jobs: create, edit, pause, resume, duplicate, delete. Runs are the supervisor's."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from app.alerts.options import wanted_of
from app.catalog import JobType
from app.changes import Change
from app.clock import now_text
from app.errors import NotFound, Refused
from app.jobs.folders import remove_folders
from app.jobs.lifecycle import FIRST_RUN, Happening, JobState, What, new_state
from app.jobs.log import write_log
from app.jobs.model import JobDraft
from app.jobs.queries import get_job
from app.jobs.schedule import Schedule, describe, read_schedule
from app.jobs.states import fail_after, happen, write_state
from app.user import user_name

if TYPE_CHECKING:
    from app.engine import Engine


def create_job(engine: Engine, draft: JobDraft) -> int:
    """Keep a new job, not yet started. Raises Refused when something required is missing."""
    engine.require_charge()
    job_type = engine.catalog.job_type(draft.job_type)
    provider = engine.catalog.provider_of_job_type(draft.job_type)
    if not draft.name.strip():
        raise Refused("The job needs a name.")
    _check_options(engine, draft.job_type, draft.options)
    _check_schedule(job_type, draft.schedule)
    now = now_text()
    with engine.workspace.database.write() as connection:
        if draft.authorization_id is not None:
            row = connection.execute(
                "select method from authorizations where id = ?", (draft.authorization_id,)
            ).fetchone()
            if row is None:
                raise NotFound("That authorization does not exist any more.", advice="Choose another one.")
            if row["method"] not in job_type.authorizations:
                raise Refused(f"That authorization does not fit {job_type.name}.", advice="Choose another one.")
        job_id = connection.execute(
            """insert into jobs (name, description, provider, job_type, kind, authorization_id, options, schedule,
                status, reason, created_by, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?)""",
            (
                draft.name.strip(),
                draft.description.strip(),
                provider.slug,
                draft.job_type,
                job_type.kind,
                draft.authorization_id,
                orjson.dumps(draft.options).decode(),
                orjson.dumps(draft.schedule.document()).decode(),
                user_name(),
                now,
                now,
            ),
        ).lastrowid
        assert isinstance(job_id, int)
        write_state(connection, job_id, new_state(engine.clock.now()))
    engine.changes.announce(Change("jobs", job_id))
    return job_id


def edit_job(
    engine: Engine,
    job_id: int,
    *,
    name: str | None = None,
    description: str | None = None,
    options: Mapping[str, Any] | None = None,
    schedule: Schedule | None = None,
) -> None:
    """Change what is given. Other options begin anew: an interrupted run is then not continued.

    What an import has read counts as new again; what an export has sent does not.
    """
    engine.require_charge()
    job = get_job(engine, job_id)
    if schedule is not None:
        _check_schedule(engine.catalog.job_type(job.job_type), schedule)
    if name is not None and not name.strip():
        raise Refused("The job needs a name.")
    if options is not None:
        _require_idle(engine, job_id)
        _check_options(engine, job.job_type, options)
    with engine.workspace.database.write() as connection:
        connection.execute(
            "update jobs set name = ?, description = ?, options = ?, schedule = ?, updated_at = ? where id = ?",
            (
                job.name if name is None else name.strip(),
                job.description if description is None else description.strip(),
                orjson.dumps(job.options if options is None else dict(options)).decode(),
                orjson.dumps(job.schedule if schedule is None else schedule.document()).decode(),
                now_text(),
                job_id,
            ),
        )
        if options is not None and dict(options) != job.options:
            connection.execute(
                "update runs set cursor = null where job_id = ? and (status <> 'completed' or ? <> 'export')",
                (job_id, job.kind),
            )
            write_log(connection, job_id, None, "edited", "The configuration was changed")
        if schedule is not None and schedule.document() != job.schedule:
            write_log(connection, job_id, None, "edited", f"It runs: {describe(schedule)}")
        _let_happen(engine, connection, job_id, "edited")
    engine.changes.announce(Change("jobs", job_id))


def duplicate_job(engine: Engine, job_id: int) -> int:
    """A copy that was never run."""
    job = get_job(engine, job_id)
    return create_job(
        engine,
        JobDraft(
            f"{job.name} (copy)",
            job.job_type,
            job.authorization_id,
            job.options,
            job.description,
            read_schedule(job.schedule),
        ),
    )


def pause_job(engine: Engine, job_id: int) -> None:
    """Let a job do nothing until it is resumed. A run under way is stopped after its present rows. Raises Refused."""
    engine.require_charge()
    get_job(engine, job_id)
    with engine.workspace.database.write() as connection:
        _let_happen(engine, connection, job_id, "pause")
        write_log(connection, job_id, None, "paused", "Paused by you")
    if engine.supervisor is not None:
        engine.supervisor.stop_soon(job_id)
    engine.changes.announce(Change("jobs", job_id))


def resume_job(engine: Engine, job_id: int) -> None:
    """Let a paused or failed job go on: at its next run if that is still to come, else at once. Raises Refused."""
    engine.require_charge()
    get_job(engine, job_id)
    with engine.workspace.database.write() as connection:
        reason = _let_happen(engine, connection, job_id, "resume").reason
        write_log(connection, job_id, None, "note", reason if reason == FIRST_RUN else "Resumed by you")
    engine.changes.announce(Change("jobs", job_id))


def delete_job(engine: Engine, job_id: int) -> None:
    """Remove a job with its runs, log and rejected rows. Events and people that it brought stay."""
    engine.require_charge()
    get_job(engine, job_id)
    _require_idle(engine, job_id)
    with engine.workspace.database.write() as connection:
        _let_happen(engine, connection, job_id, "delete")
        connection.execute("delete from jobs where id = ?", (job_id,))
    remove_folders(engine, job_id)
    engine.changes.announce(Change("jobs", job_id))


def _require_idle(engine: Engine, job_id: int) -> None:
    if engine.supervisor is not None and engine.supervisor.running_run(job_id) is not None:
        raise Refused("The job is running; nothing was changed.", advice="Stop it first.")


def _let_happen(engine: Engine, connection: sqlite3.Connection, job_id: int, act: What) -> JobState:
    """An act on a job, within the caller's transaction; its state then. Raises Refused."""
    now, patience = engine.clock.now(), fail_after(engine)
    under_way = engine.supervisor is not None and engine.supervisor.running_run(job_id) is not None
    if act == "delete" and not under_way:
        # Its run may have ended with the program that was in charge of it.
        connection.execute("update jobs set status = 'failed' where id = ? and status = 'running'", (job_id,))
    return happen(connection, job_id, Happening(act), now, patience)


def _check_schedule(job_type: JobType, schedule: Schedule) -> None:
    if schedule.again and not job_type.runs_again:
        raise Refused(f"{job_type.name} runs once only.", advice="Leave the schedule out.")


def _check_options(engine: Engine, job_type: str, options: Mapping[str, Any]) -> None:
    known = engine.catalog.job_type(job_type)
    values = {option.name: option.default for option in known.options} | dict(options)
    for option in known.options:
        value = options.get(option.name)
        if option.required and option.applies(values) and option.default is None and value in (None, "", [], {}):
            raise Refused(f"“{option.label}” is missing.", advice="Fill it in, then create the job again.")
    if known.kind == "alert":
        wanted_of(known, options)

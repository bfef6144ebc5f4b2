"""How a run begins and ends in the workspace file, and what its end means for the job."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from app.clock import now_microseconds, text_of
from app.errors import NotFound
from app.jobs.lifecycle import Happening, JobState
from app.jobs.log import write_log
from app.jobs.model import RunStatus, Trigger
from app.jobs.schedule import BY_THE_DAY, Schedule, describe
from app.jobs.states import happen, schedule_of
from app.jobs.worker import Outcome
from connectors.kit.types import Again, DoneFile

BY_ITSELF: tuple[Trigger, ...] = ("schedule", "catch-up", "retry")
"""Triggers of runs that nobody asked for at that moment."""
LATE = timedelta(minutes=5)
"""A run that begins so much after it was due is one that was missed."""


def trigger_of(state: JobState, schedule: Schedule, now: datetime) -> tuple[Trigger, str]:
    """Why a job that slept runs now, in a word and in a line."""
    if state.waits_for != "schedule" or state.wakes_at is None:
        # What was resumed, or cut off as the program was closed, is no try after an error.
        follows = state.waits_for == "retry" and not state.errors and schedule.again
        return "schedule" if follows else "retry", state.reason
    if now - state.wakes_at < LATE:
        return "schedule", describe(schedule)
    zone = schedule.zone if schedule.every in BY_THE_DAY else "UTC"
    due = state.wakes_at.astimezone(ZoneInfo(zone))
    return "catch-up", f"Was due on {due.day} {due:%b at %H:%M} ({zone}), when Causeway was not running"


def begin_run(
    connection: sqlite3.Connection,
    job_id: int,
    trigger: Trigger,
    reason: str,
    now: datetime,
    patience: timedelta,
    *,
    retries: int | None = None,
) -> int:
    """Record a run that waits for its turn; its number. It goes on where one that did not complete stopped.

    One that `retries` the rejected rows of another run stands by itself: it goes on from none, and none from it.
    Raises NotFound, and Refused for a job that can't run in its state.
    """
    if connection.execute("select 1 from jobs where id = ?", (job_id,)).fetchone() is None:
        raise NotFound("That job does not exist any more.")
    happen(connection, job_id, Happening("due" if trigger in BY_ITSELF else "run now"), now, patience)
    before = connection.execute(
        "select * from runs where job_id = ? and retries is null order by id desc limit 1", (job_id,)
    ).fetchone()
    unfinished = before is not None and before["status"] != "completed" and before["cursor"] is not None
    continued = unfinished and retries is None
    run_id = connection.execute(
        """insert into runs (job_id, continues, retries, trigger, reason, status, started_at, cursor, first_event_at,
            events_before) values (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)""",
        (
            job_id,
            before["id"] if continued else None,
            retries,
            trigger,
            reason,
            text_of(now),
            before["cursor"] if continued else None,
            before["first_event_at"] if continued else now_microseconds(),
            before["events_before"] + before["read"] - before["rejected"] if continued else 0,
        ),
    ).lastrowid
    assert isinstance(run_id, int)
    message = f"Run {run_id} started"
    if retries is not None:
        message += f"; it reads the rejected rows of run {retries} again"
    if trigger in BY_ITSELF and reason:
        message += f" ({reason})"
    if continued:
        message += f"; it goes on where run {before['id']} stopped"
    write_log(connection, job_id, run_id, "started", message)
    return run_id


def read_again(connection: sqlite3.Connection, run_id: int) -> Again:
    """The rejected rows of a run, and what it had opened to read them."""
    lines = connection.execute("select line from rejected_rows where run_id = ?", (run_id,))
    # A run that retried another one has its requests, and so has one that went on from another.
    requests = connection.execute("select request from run_requests where run_id = ? order by id", (run_id,))
    return Again(frozenset(row[0] for row in lines), tuple(orjson.loads(row[0]) for row in requests))


def done_files(connection: sqlite3.Connection, job_id: int) -> dict[str, DoneFile]:
    """The files that a job has read, by path."""
    rows = connection.execute(
        "select path, size, modified, tag, sha256 from imported_files where job_id = ?", (job_id,)
    )
    return {row[0]: DoneFile(*row) for row in rows}


def began_at(connection: sqlite3.Connection, run_id: int) -> datetime:
    """When a run began, or the first of those that it goes on from."""
    row = connection.execute(
        """with recursive chain(id, continues, started_at) as (
            select id, continues, started_at from runs where id = ?
            union all select runs.id, runs.continues, runs.started_at from runs join chain on runs.id = chain.continues)
        select min(started_at) from chain""",
        (run_id,),
    ).fetchone()
    return datetime.fromisoformat(row[0])


def last_cursor(connection: sqlite3.Connection, job_id: int) -> Any:
    """What the last complete run of a job saved, None if nothing."""
    found = connection.execute(
        "select cursor from runs where job_id = ? and status = 'completed' and cursor is not null order by id desc",
        (job_id,),
    ).fetchone()
    return None if found is None else orjson.loads(found["cursor"])


def previous_cursor(connection: sqlite3.Connection, row: Any) -> Any:
    """Where the last complete import of a job that runs again stands, for a run that begins by itself, else None."""
    if row["trigger"] not in BY_ITSELF or row["cursor"] is not None or not schedule_of(row).again:
        return None
    return last_cursor(connection, row["id"])


def end_run(
    connection: sqlite3.Connection,
    run_id: int,
    job_id: int,
    outcome: Outcome,
    now: datetime,
    patience: timedelta,
    *,
    online: bool = True,
) -> None:
    """Write how a run ended and where its job stands then. `online` is whether there is a network."""
    row = connection.execute(
        """select read, added, updated, rejected, retries, schedule, kind from runs join jobs on jobs.id = job_id
        where runs.id = ?""",
        (run_id,),
    ).fetchone()
    again = schedule_of(row).again
    happening = _happening(outcome, row, again=again, online=online)
    if row["retries"] is not None and outcome.status != "completed":
        # However it ends, the job itself is where it was: its own rows are all read, and nothing is to be gone on with.
        left = f"{row['read']:,} rejected rows were read again, the others stay in the list"
        happening = Happening("completed", left)
        outcome = replace(outcome, remedy="mend")
    if row["read"] and happening.what != "completed":
        happen(connection, job_id, Happening("synced"), now, patience)
    state = happen(connection, job_id, happening, now, patience)
    status: RunStatus
    match outcome.status:
        case "completed":
            status, message = "completed", ""
            write_log(connection, job_id, run_id, "completed", happening.message, rows=row["read"])
        case "cancelled":
            status, message = "cancelled", ""
            on = "it can go on from there" if row["retries"] is None else "stopped by you"
            write_log(connection, job_id, run_id, "paused", f"{happening.message}; {on}")
        case "closed":
            status, message = "interrupted", outcome.message
            write_log(connection, job_id, run_id, "note", happening.message)
        case "interrupted":
            status, message = "interrupted", outcome.message
            on = "it goes on from there" if row["retries"] is None else "the others stay in the list"
            said = f"{message} {row['read']:,} rows are saved; {on}."
            write_log(connection, job_id, run_id, "error", said, level="error")
        case _:
            status, message = "failed", " ".join(part for part in (outcome.message, outcome.advice) if part)
            _log_failure(connection, job_id, run_id, state, message, outcome)
            if outcome.remedy == "begin anew" and again:
                connection.execute(
                    "update runs set cursor = null where job_id = ? and status <> 'completed'", (job_id,)
                )
    connection.execute(
        "update runs set status = ?, ended_at = ?, message = ? where id = ?", (status, text_of(now), message, run_id)
    )


def _happening(outcome: Outcome, row: sqlite3.Row, *, again: bool, online: bool) -> Happening:
    """What the end of a run is in the life of its job."""
    match outcome.status:
        case "completed":
            counts = f"{row['added']:,} added · {row['updated']:,} updated · {row['rejected']:,} rejected"
            return Happening("completed", f"{row['read']:,} rows sent" if row["kind"] == "export" else counts)
        case "cancelled":
            return Happening("stopped", f"Stopped by you after {row['read']:,} rows")
        case "closed":
            return Happening("closed", f"Causeway was closed after {row['read']:,} rows; it goes on by itself")
        case "interrupted":
            return Happening("interrupted", f"Interrupted after {row['read']:,} rows.")
    return trouble(outcome, again=again, online=online)


def trouble(outcome: Outcome, *, again: bool, online: bool) -> Happening:
    """What a failure is in the life of a job. `again`: it has a schedule; `online`: there is a network."""
    match outcome.remedy:
        case "wait" if outcome.retry_after is not None:
            return Happening("sleeping", outcome.message, outcome.retry_after)
        case "wait" if not online:
            return Happening("offline")
        case "wait" if outcome.unreached:
            return Happening("unreached", outcome.message)
        case "sign in":
            return Happening("failed", outcome.message)
        case "mend" | "begin anew" if not again:
            return Happening("failed", outcome.message)
    return Happening("error", outcome.message)


def _log_failure(
    connection: sqlite3.Connection, job_id: int, run_id: int, state: JobState, message: str, outcome: Outcome
) -> None:
    # The reason begins with what the failure said, and goes on with what becomes of it.
    text = f"{message} {state.reason.removeprefix(outcome.message).strip()}".strip()
    if state.status == "failed":
        write_log(connection, job_id, run_id, "failed", text, level="error")
    elif state.waits_for in ("provider", "network"):
        write_log(connection, job_id, run_id, "sleeping", text, level="warning")
    else:
        write_log(connection, job_id, run_id, "error", message, level="error")
    if outcome.details:
        write_log(connection, job_id, run_id, "note", outcome.details, level="error")

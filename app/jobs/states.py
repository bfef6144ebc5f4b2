"""The states of jobs in the workspace file, and how what happens changes them."""

from __future__ import annotations

import random
import sqlite3
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from app.clock import moment_of, text_of
from app.jobs.lifecycle import Happening, JobState, Rules, next_state
from app.jobs.schedule import Schedule, read_schedule

if TYPE_CHECKING:
    from app.engine import Engine

STATE_COLUMNS = "status, reason, changed_at, wakes_at, waits_for, errors, first_error_at, warned_at"


def read_state(row: sqlite3.Row) -> JobState:
    """The state of a row with STATE_COLUMNS."""
    return JobState(
        status=row["status"],
        reason=row["reason"],
        changed_at=moment_of(row["changed_at"]),
        wakes_at=_moment(row["wakes_at"]),
        waits_for=row["waits_for"],
        errors=row["errors"],
        first_error_at=_moment(row["first_error_at"]),
        warned_at=_moment(row["warned_at"]),
    )


def write_state(connection: sqlite3.Connection, job_id: int, state: JobState) -> None:
    """Keep where a job stands, within the caller's transaction."""
    connection.execute(
        """update jobs set status = ?, reason = ?, changed_at = ?, wakes_at = ?, waits_for = ?, errors = ?,
            first_error_at = ?, warned_at = ? where id = ?""",
        (
            state.status,
            state.reason,
            text_of(state.changed_at),
            _text(state.wakes_at),
            state.waits_for,
            state.errors,
            _text(state.first_error_at),
            _text(state.warned_at),
            job_id,
        ),
    )


def schedule_of(row: Any) -> Schedule:
    """When the job of a row runs."""
    return read_schedule(orjson.loads(row["schedule"]))


def happen(
    connection: sqlite3.Connection, job_id: int, happening: Happening, now: datetime, patience: timedelta
) -> JobState:
    """Let something happen to a job, within the caller's transaction; its state then. Raises Refused.

    `patience` is what `fail_after` answers.
    """
    row = connection.execute(f"select {STATE_COLUMNS}, schedule from jobs where id = ?", (job_id,)).fetchone()
    rules = Rules(schedule_of(row), patience, random.random)
    state = next_state(read_state(row), happening, now, rules)
    write_state(connection, job_id, state)
    return state


def fail_after(engine: Engine) -> timedelta:
    """How long a job bears nothing but errors."""
    return timedelta(hours=int(engine.workspace.setting("fail_after_hours")))


def keep_ended(engine: Engine) -> timedelta:
    """How long a job is kept that does nothing any more."""
    return timedelta(days=int(engine.workspace.setting("keep_ended_days")))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment_of(text)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else text_of(moment)

"""Keeps the history of jobs small: old lines of logs are let go, old hours of activity become days."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.changes import Change
from app.clock import text_of
from app.errors import CausewayError
from app.jobs.log import write_log

if TYPE_CHECKING:
    from app.engine import Engine

TIDY_SECONDS = 3_600.0
HOURS_ARE_KEPT = timedelta(days=28)
"""The chart shows hours for a day and days for 90; who looks at the file may want them a little longer."""
LINES_AT_ONCE = 10_000
"""Runs write too: a transaction that lets go of lines is over in a moment."""


async def keep_history_small(engine: Engine) -> None:
    """Tidy now and once an hour, until cancelled. A task for `Engine.at_start`."""
    while True:
        # A file that is locked, or a full disk, is told by what the user does; the next look may find it well.
        with suppress(CausewayError):
            for job_id in await asyncio.to_thread(tidy, engine, engine.clock.now()):
                engine.changes.announce(Change("runs", job_id))
        await asyncio.sleep(TIDY_SECONDS)


def tidy(engine: Engine, now: datetime) -> list[int]:
    """Let go of what is too old or too much; the jobs whose logs lost lines."""
    keep = int(engine.workspace.setting("keep_log_lines"))
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            "select job_id, count(*) from job_events group by job_id having count(*) > ?", (keep,)
        )
        long = [row[0] for row in rows]
    for job_id in long:
        _shorten(engine, job_id, keep, now)
    with engine.workspace.database.write() as connection:
        _fold(connection, now)
    return long


def _shorten(engine: Engine, job_id: int, keep: int, now: datetime) -> None:
    """Let go of the oldest lines of a job; that this happens is said in the log the first time."""
    database = engine.workspace.database
    with database.write() as connection:
        row = connection.execute("select lines_dropped_at from jobs where id = ?", (job_id,)).fetchone()
        if row is not None and row["lines_dropped_at"] is None:
            said = f"The log keeps the newest {keep:,} lines of a job from now on; older ones are let go."
            write_log(connection, job_id, None, "note", said)
        connection.execute("update jobs set lines_dropped_at = ? where id = ?", (text_of(now), job_id))
        oldest = connection.execute(
            "select id from job_events where job_id = ? order by id desc limit 1 offset ?", (job_id, keep - 1)
        ).fetchone()
    gone = LINES_AT_ONCE
    while gone == LINES_AT_ONCE:
        with database.write() as connection:
            gone = connection.execute(
                """delete from job_events where id in
                    (select id from job_events where job_id = ? and id < ? order by id limit ?)""",
                (job_id, oldest["id"], LINES_AT_ONCE),
            ).rowcount


def _fold(connection: sqlite3.Connection, now: datetime) -> None:
    """Make one row of the hours of each day that is long over: the first hour's."""
    first = text_of(now - HOURS_ARE_KEPT)[:10]
    connection.execute(
        """insert into activity (job_id, hour, added, updated, removed, omitted, rejected)
        select job_id, substr(hour, 1, 10) || 'T00', sum(added), sum(updated), sum(removed), sum(omitted),
            sum(rejected)
        from activity where hour < ? and substr(hour, 12) <> '00' group by 1, 2
        on conflict (job_id, hour) do update set added = added + excluded.added,
            updated = updated + excluded.updated, removed = removed + excluded.removed,
            omitted = omitted + excluded.omitted, rejected = rejected + excluded.rejected""",
        (first,),
    )
    connection.execute("delete from activity where hour < ? and substr(hour, 12) <> '00'", (first,))

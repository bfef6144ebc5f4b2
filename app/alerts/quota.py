"""How many events the imports of a month have brought, and which share of the quota of an alert that is."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from app.alerts.options import Wanted
from app.clock import text_of


def events_of_month(connection: sqlite3.Connection, now: datetime) -> int:
    """Rows that were kept as events since the month began in UTC, by the runs that are still in the history."""
    row = connection.execute(
        "select coalesce(sum(read - rejected), 0) from runs where started_at >= ?", (_month(now),)
    ).fetchone()
    return int(row[0])


def watch_quota(connection: sqlite3.Connection, job_id: int, wanted: Wanted, used: int, now: datetime) -> None:
    """Write a system event if a share is reached that was not told this month.

    Of several shares that were passed at once, the highest is told.
    """
    quota = wanted.quota
    share = max((share for share in wanted.shares if used * 100 >= share * quota), default=0)
    told = connection.execute(
        """select coalesce(max(cast(name as integer)), 0) from system_events
            where subject = 'quota' and subject_id = ? and at >= ?""",
        (job_id, _month(now)),
    ).fetchone()[0]
    if share <= told:
        return
    connection.execute(
        "insert into system_events (at, subject, subject_id, event, name, message) values (?, 'quota', ?, ?, ?, ?)",
        (text_of(now), job_id, "reached", f"{share} %", f"{used:,} of {quota:,} events since the month began"),
    )


def _month(now: datetime) -> str:
    return text_of(now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0))

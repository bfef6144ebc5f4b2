"""System events: what happened to jobs, authorizations and the schema, in the words that people read.

Triggers of the workspace file write them (app/store/system_events.py), so none is missed whichever process it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 2_000
"""Events that are kept. An alert that could send nothing for so long tells of the newest ones only."""
QUOTA_MONTHS = "-62 days"
"""How long quota events are kept at least: they say what was told this month."""


@dataclass(frozen=True, slots=True)
class Wording:
    """`title` with the thing's name in it, `kind` for counting many, and whether somebody has to do something."""

    title: str
    kind: str
    bad: bool = False


WORDINGS = {
    ("job", "created"): Wording("Job “{}” was created", "job created"),
    ("job", "updated"): Wording("Job “{}” was edited", "job edited"),
    ("job", "deleted"): Wording("Job “{}” was deleted", "job deleted"),
    ("job", "started"): Wording("Job “{}” started", "job started"),
    ("job", "synced"): Wording("A run of “{}” ended well", "run ended well"),
    ("job", "completed"): Wording("Job “{}” is completed", "job completed"),
    ("job", "paused"): Wording("Job “{}” was paused", "job paused"),
    ("job", "resumed"): Wording("Job “{}” goes on", "job resumed"),
    ("job", "sleeping"): Wording("Job “{}” is held back", "job held back"),
    ("job", "error"): Wording("A run of “{}” failed and is tried again", "run failed", bad=True),
    ("job", "failed"): Wording("Job “{}” failed", "job failed", bad=True),
    ("authorization", "unhealthy"): Wording("Authorization “{}” fails", "authorization fails", bad=True),
    ("authorization", "healthy"): Wording("Authorization “{}” works again", "authorization works again"),
    ("schema", "published"): Wording("The schema was published: {}", "schema published"),
    ("quota", "reached"): Wording("{} of the month's events are used", "quota reached", bad=True),
}
UNKNOWN = Wording("{}", "event")
"""For a file that a newer program wrote to."""


def types_of(subject: str) -> tuple[str, ...]:
    """The types of events that can happen to a subject."""
    return tuple(event for known, event in WORDINGS if known == subject)


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """One event. `at` is UTC text, `subject_id` the number of the job, authorization or version of the schema."""

    id: int
    at: str
    subject: str
    subject_id: int | None
    event: str
    name: str
    message: str

    @property
    def wording(self) -> Wording:
        return WORDINGS.get((self.subject, self.event), UNKNOWN)

    @property
    def title(self) -> str:
        return self.wording.title.format(self.name)


COLUMNS = "id, at, subject, subject_id, event, name, message"


def newest_event(connection: sqlite3.Connection) -> int:
    """The number of the newest event, 0 before the first."""
    return int(connection.execute("select coalesce(max(id), 0) from system_events").fetchone()[0])


def find_events(
    connection: sqlite3.Connection,
    after: int,
    subject: str,
    types: Sequence[str],
    subject_ids: Sequence[int],
    *,
    except_job: int,
    limit: int,
) -> list[SystemEvent]:
    """Events that came after `after`, the oldest first. No `subject_ids` means all; `except_job` hears not itself."""
    chosen = f" and subject_id in ({', '.join('?' * len(subject_ids))})" if subject_ids else ""
    rows = connection.execute(
        f"""select {COLUMNS} from system_events where id > ? and subject = ?
            and event in ({", ".join("?" * len(types))}){chosen} and not (subject = 'job' and subject_id = ?)
            order by id limit ?""",
        (after, subject, *types, *subject_ids, except_job, limit),
    ).fetchall()
    return [SystemEvent(*row) for row in rows]


def prune_events(connection: sqlite3.Connection) -> None:
    """Let go of all but the newest, within the caller's transaction."""
    connection.execute(
        """delete from system_events where id <= (select max(id) from system_events) - ?
            and not (subject = 'quota' and at > strftime('%Y-%m-%dT%H:%M:%f', 'now', ?))""",
        (KEPT, QUOTA_MONTHS),
    )

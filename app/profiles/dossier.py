"""All that the workspace knows of one person besides the raw events."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from app.clock import now_text
from app.profiles.history import HistoryEntry, read_history
from app.profiles.person import Profile, read_profile
from app.profiles.traces import Wanted

if TYPE_CHECKING:
    from app.engine import Engine

MOST_HISTORY = 10_000


@dataclass(frozen=True, slots=True)
class RunSource:
    """A run that brought events of the person: its job, the file or table it read, when it ran, how many events."""

    run_id: int
    job: str
    provider: str
    source: str
    started_at: str
    events: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be taken and names the person."""

    run_id: int
    job: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is known of a person except the raw events, which may be many."""

    workspace: str
    written_at: str
    person: Profile
    history: list[HistoryEntry]
    runs: list[RunSource]
    rejected: list[RejectedRow]


def gathered(engine: Engine, connection: sqlite3.Connection, profile_id: int) -> Dossier:
    """Collect it, in the caller's transaction. Raises NotFound."""
    person = read_profile(connection, profile_id)
    runs = [
        RunSource(row[0], row[1], engine.catalog.provider(row[2]).name, _read_from(row[3]), row[4], row[5])
        for row in connection.execute(
            """select runs.id, jobs.name, jobs.provider, jobs.options, runs.started_at, count(*) from profile_events
            join events on events.id = event_id join runs on runs.id = run_id join jobs on jobs.id = job_id
            where profile_id = ? group by runs.id order by runs.id""",
            (profile_id,),
        )
    ]
    wanted = Wanted(person.identifiers)
    rejected = [
        RejectedRow(*row)
        for row in connection.execute(
            """select runs.id, jobs.name, line, rejected_rows.reason, text from rejected_rows
            join runs on runs.id = run_id join jobs on jobs.id = job_id order by rejected_rows.id"""
        )
        if wanted.named_in(row["text"])
    ]
    history = read_history(connection, profile_id, 0, MOST_HISTORY)
    return Dossier(engine.workspace.name, now_text(), person, history, runs, rejected)


def _read_from(options: str) -> str:
    """What a job reads, as far as its configuration names a file."""
    return str(orjson.loads(options).get("filename") or "")

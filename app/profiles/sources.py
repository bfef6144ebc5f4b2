"""Where something came from: the stream, job and run of an event."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Source:
    """An event's stream, the job and run that brought it, and its time (µs since 1970).

    `job` is "" and `run_id` None where the job was deleted since.
    """

    stream: str = ""
    job: str = ""
    run_id: int | None = None
    at: int | None = None


NOWHERE = Source()


def find_sources(connection: sqlite3.Connection, events: Iterable[int | None]) -> dict[int, Source]:
    """The sources of these events, by number; an event that is no longer there has none."""
    wanted = sorted({event for event in events if event is not None})
    rows = connection.execute(
        """select events.id, streams.name, coalesce(jobs.name, ''), runs.id, events.at from events
        join streams on streams.id = stream_id
        left join runs on runs.id = run_id left join jobs on jobs.id = job_id
        where events.id in (select value from json_each(?))""",
        (orjson.dumps(wanted).decode(),),
    )
    return {row[0]: Source(row[1], row[2], row[3], row[4]) for row in rows}

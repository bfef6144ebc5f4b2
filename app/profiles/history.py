"""What happened to a person: first known, joined with others, kept apart, values held back, changed by runs."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from app.errors import NotFound
from app.profiles.person import read_profile
from app.profiles.sources import NOWHERE, Source, find_sources

if TYPE_CHECKING:
    from app.engine import Engine

Verb = Literal["created", "joined", "conflict", "held back", "changed"]

NAMED_FIELDS = 6

ENTRIES = """
with named(field_id, value) as (
    select field_id, value from identifiers where profile_id = :person
)
select 'created' as verb, events.at as at, event_id, null as run_id, null as field_id, '' as value, 0 as number
from (
    select event_id from profile_events join events on events.id = event_id
    where profile_id = :person order by events.at, event_id limit 1
) join events on events.id = event_id
union all
select 'joined', coalesce(events.at, 0), event_id, events.run_id, field_id, value, gone
from joins left join events on events.id = event_id where kept = :person
union all
select 'conflict', coalesce(events.at, 0), event_id, events.run_id, field_id, value, 0
from conflicts left join events on events.id = event_id where profile_id = :person
union all
select 'conflict', coalesce(events.at, 0), event_id, events.run_id, conflicts.field_id, conflicts.value, profile_id
from named join conflicts using (field_id, value) left join events on events.id = event_id
where profile_id <> :person
union all
select 'held back', coalesce(events.at, 0), shared_values.event_id, events.run_id, field_id, value, others
from shared_values join profile_events on profile_events.event_id = shared_values.event_id and profile_id = :person
left join events on events.id = shared_values.event_id
union all
select 'changed', max(events.at), max(events.id), run_id, null, '', count(*)
from profile_events join events on events.id = event_id where profile_id = :person group by run_id
"""
PLACE = {"changed": 0, "held back": 1, "conflict": 2, "joined": 3, "created": 4}
"""Of the same time, the last one was first."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened. `words` is the sentence; `at` the event's time (µs since 1970).

    `field` and `value` are the identifier that it is about, "" for none; `event_id` the event (of a run that changed
    the person: the newest of it), with its stream, job and run as far as they are still there.
    """

    at: int
    verb: Verb
    words: str
    event_id: int
    stream: str
    job: str
    run_id: int | None
    field: str = ""
    value: str = ""


def person_history(engine: Engine, profile_id: int, offset: int = 0, limit: int = 100) -> list[HistoryEntry]:
    """What happened to a person, newest first. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        return read_history(connection, profile_id, offset, limit)


def count_history(engine: Engine, profile_id: int) -> int:
    """How many entries `person_history` has in all."""
    with engine.workspace.database.read() as connection:
        found = connection.execute(f"select count(*) from ({ENTRIES})", {"person": profile_id}).fetchone()
    return int(found[0])


def read_history(connection: sqlite3.Connection, profile_id: int, offset: int, limit: int) -> list[HistoryEntry]:
    """`person_history` in a transaction of the caller's."""
    if connection.execute("select 1 from profiles where _id = ?", (profile_id,)).fetchone() is None:
        raise NotFound("That person is not in this workspace (any more).")
    order = " ".join(f"when '{verb}' then {place}" for verb, place in PLACE.items())
    rows = connection.execute(
        f"""select * from ({ENTRIES}) order by at desc, case verb {order} end, event_id desc, field_id, value
        limit :limit offset :offset""",
        {"person": profile_id, "limit": limit, "offset": offset},
    ).fetchall()
    names = dict(connection.execute("select id, name from fields"))
    sources = find_sources(connection, [row["event_id"] for row in rows])
    brought = _brought(connection, profile_id) if any(row["verb"] == "changed" for row in rows) else {}
    return [_entry(row, names, sources.get(row["event_id"], NOWHERE), brought) for row in rows]


def _entry(
    row: sqlite3.Row, names: Mapping[int, str], source: Source, brought: Mapping[int | None, Sequence[str]]
) -> HistoryEntry:
    field = names.get(row["field_id"], "") if row["field_id"] is not None else ""
    return HistoryEntry(
        row["at"],
        row["verb"],
        _words(row, field, source, brought.get(source.run_id, ())),
        row["event_id"],
        source.stream,
        source.job,
        source.run_id,
        field,
        row["value"],
    )


def _words(row: sqlite3.Row, field: str, source: Source, brought: Sequence[str]) -> str:
    named = f"{field} {row['value']}" if field else row["value"]
    origin = source.job or source.stream or "a job that was deleted since"
    match row["verb"]:
        case "created":
            return f"First known from {origin}"
        case "joined":
            return f"Joined with another person by {named}"
        case "conflict" if row["number"]:
            return f"An event of somebody else also named {named}: the two were kept apart"
        case "conflict":
            return f"An event also named {named}, which belongs to somebody else: the two were kept apart"
        case "held back":
            return f"{named} came with {row['number']:,} others and no longer ties people together"
    told = ", ".join(brought[:NAMED_FIELDS])
    if len(brought) > NAMED_FIELDS:
        told += f" and {len(brought) - NAMED_FIELDS} more"
    count = f"{row['number']:,} {'event' if row['number'] == 1 else 'events'} came from {origin}"
    return f"{count}: {told}" if told else f"{count}; newer values counted"


def _brought(connection: sqlite3.Connection, profile_id: int) -> dict[int | None, list[str]]:
    """The fields whose present values each run brought."""
    found: dict[int | None, list[str]] = defaultdict(list)
    for field in read_profile(connection, profile_id).fields:
        found[field.run_id].append(field.name)
    return found

"""One person: every value with where it came from, identifiers, events."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.errors import NotFound
from app.profiles.sources import NOWHERE, Source, find_sources
from app.profiles.titles import title
from app.schema.fields import Field, list_fields

if TYPE_CHECKING:
    from app.engine import Engine

COLLECTIONS = ("[]", "ts[]", "map[")
"""How the kinds begin that hold several values."""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value with its origin: the event that brought it (of a set, map or counter: the newest that changed it).

    `at` is the time of that event in µs since 1970; `job` is "" and `run_id` None where the job was deleted since.
    """

    name: str
    label: str
    value: Any
    type: str
    stream: str
    job: str
    at: int
    event_id: int
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value that says who the person is, the strength of its field (1 is the strongest), and its first event.

    `at` is the time of that event in µs since 1970, None where it is not known any more.
    """

    field: str
    value: str
    rank: int | None
    stream: str
    job: str
    at: int | None
    event_id: int | None
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Profile:
    """One person. `identifiers` are (field, value) pairs, strongest first; `known_by` says where each came from."""

    id: int
    title: str
    created_at: str
    updated_at: str
    identifiers: tuple[tuple[str, str], ...]
    fields: tuple[FieldValue, ...]
    event_count: int
    known_by: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonEvent:
    """A raw event that belongs to a person; `at` in microseconds since 1970."""

    id: int
    at: int
    stream: str
    data: dict[str, Any]
    job: str = ""
    run_id: int | None = None


def get_profile(engine: Engine, profile_id: int) -> Profile:
    """Everything known of a person. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        return read_profile(connection, profile_id)


def read_profile(connection: sqlite3.Connection, profile_id: int) -> Profile:
    """`get_profile` in a transaction of the caller's."""
    fields = list_fields(connection)
    row = connection.execute("select * from profiles where _id = ?", (profile_id,)).fetchone()
    if row is None:
        raise NotFound("That person is not in this workspace (any more).")
    others = orjson.loads(row["_origins"]) if row["_origins"] else {}
    main = (row["_origin_at"], row["_origin_event"])
    origins = {field.name: tuple(others.get(str(field.id), main)) for field in fields}
    named = connection.execute(
        """select fields.name, value, rank, event_id from identifiers join fields on fields.id = field_id
        where profile_id = ? order by coalesce(rank, 1 << 30), field_id, value""",
        (profile_id,),
    ).fetchall()
    sources = find_sources(connection, [*(event for _, event in origins.values()), *(one[3] for one in named)])
    event_count = connection.execute(
        "select count(*) from profile_events where profile_id = ?", (profile_id,)
    ).fetchone()[0]
    values = {field.name: stored_value(row[field.name], field.type) for field in fields if row[field.name] is not None}
    return Profile(
        id=profile_id,
        title=title(values, fields, profile_id),
        created_at=row["_created"],
        updated_at=row["_updated"],
        identifiers=tuple((name, value) for name, value, _, _ in named),
        fields=tuple(
            _field_value(field, values[field.name], origins[field.name], sources)
            for field in fields
            if field.name in values
        ),
        event_count=event_count,
        known_by=tuple(
            Identifier(name, value, rank, source.stream, source.job, source.at, event, source.run_id)
            for name, value, rank, event in named
            for source in (sources.get(event, NOWHERE),)
        ),
    )


def _field_value(field: Field, value: Any, origin: tuple[int, int], sources: Mapping[int, Source]) -> FieldValue:
    source = sources.get(origin[1], NOWHERE)
    return FieldValue(
        field.name, field.label, value, field.type, source.stream, source.job, *origin, run_id=source.run_id
    )


def stored_value(value: Any, kind: str) -> Any:
    """What a column of `profiles` means: sets and maps are kept as JSON, yes and no as 1 and 0."""
    if kind == "bool":
        return bool(value)
    if kind.startswith(COLLECTIONS):
        return orjson.loads(value)
    return value


def find_profile(engine: Engine, identifier: str) -> int | None:
    """The person with this identifier value, in whatever identifier field; None when nobody has it."""
    with engine.workspace.database.read() as connection:
        row = connection.execute(
            """select profile_id from identifiers where field_id in (select id from fields where is_identifier)
            and value in (?, ?) order by field_id limit 1""",
            (identifier.strip(), identifier.strip().lower()),
        ).fetchone()
    return row[0] if row is not None else None


def profile_events(engine: Engine, profile_id: int, offset: int = 0, limit: int = 100) -> list[PersonEvent]:
    """The person's raw events, newest first."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select events.id, events.at, streams.name, events.data, coalesce(jobs.name, ''), runs.id
            from profile_events join events on events.id = event_id join streams on streams.id = stream_id
            left join runs on runs.id = run_id left join jobs on jobs.id = job_id
            where profile_id = ? order by events.at desc, events.id desc limit ? offset ?""",
            (profile_id, limit, offset),
        ).fetchall()
    return [PersonEvent(row[0], row[1], row[2], orjson.loads(row[3]), row[4], row[5]) for row in rows]

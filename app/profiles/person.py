"""One person: every value with where it came from, identifiers, events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.changes import Change
from app.errors import NotFound
from app.profiles.titles import title
from app.schema.fields import list_fields

if TYPE_CHECKING:
    from app.engine import Engine


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value with its origin: the stream and job that brought it, and the time of its event (µs since 1970)."""

    name: str
    label: str
    value: Any
    type: str
    stream: str
    job: str
    at: int
    event_id: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One person. `identifiers` are (field, value) pairs; a person may have several of one field."""

    id: int
    title: str
    created_at: str
    updated_at: str
    identifiers: tuple[tuple[str, str], ...]
    fields: tuple[FieldValue, ...]
    event_count: int


@dataclass(frozen=True, slots=True)
class PersonEvent:
    """A raw event that belongs to a person; `at` in microseconds since 1970."""

    id: int
    at: int
    stream: str
    data: dict[str, Any]


def get_profile(engine: Engine, profile_id: int) -> Profile:
    """Everything known of a person. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        fields = list_fields(connection)
        row = connection.execute("select * from profiles where _id = ?", (profile_id,)).fetchone()
        if row is None:
            raise NotFound("That person is not in this workspace (any more).")
        others = orjson.loads(row["_origins"]) if row["_origins"] else {}
        main = (row["_origin_at"], row["_origin_event"])
        origins = {field.name: tuple(others.get(str(field.id), main)) for field in fields}
        events = {event for _, event in origins.values()}
        sources = {
            source[0]: (source[1], source[2])
            for source in connection.execute(
                f"""select events.id, streams.name, coalesce(jobs.name, '') from events
                join streams on streams.id = stream_id
                left join runs on runs.id = run_id left join jobs on jobs.id = job_id
                where events.id in ({", ".join(map(str, events))})"""
            )
        }
        identifiers = connection.execute(
            """select fields.name, value from identifiers join fields on fields.id = field_id
            where profile_id = ? order by field_id, value""",
            (profile_id,),
        ).fetchall()
        event_count = connection.execute(
            "select count(*) from profile_events where profile_id = ?", (profile_id,)
        ).fetchone()[0]
    values = {field.name: row[field.name] for field in fields if row[field.name] is not None}
    return Profile(
        id=profile_id,
        title=title(values, fields, profile_id),
        created_at=row["_created"],
        updated_at=row["_updated"],
        identifiers=tuple((name, value) for name, value in identifiers),
        fields=tuple(
            FieldValue(
                field.name,
                field.label,
                bool(values[field.name]) if field.type == "bool" else values[field.name],
                field.type,
                *sources.get(origins[field.name][1], ("", "")),
                *origins[field.name],
            )
            for field in fields
            if field.name in values
        ),
        event_count=event_count,
    )


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
            """select events.id, events.at, streams.name, events.data from profile_events
            join events on events.id = event_id join streams on streams.id = stream_id
            where profile_id = ? order by events.at desc, events.id desc limit ? offset ?""",
            (profile_id, limit, offset),
        ).fetchall()
    return [PersonEvent(row[0], row[1], row[2], orjson.loads(row[3])) for row in rows]


def delete_profile(engine: Engine, profile_id: int) -> None:
    """Remove a person with identifiers and the raw events that belong to them. Raises NotFound."""
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        streams = connection.execute(
            """select stream_id, count(*) from profile_events join events on events.id = event_id
            where profile_id = ? group by stream_id""",
            (profile_id,),
        ).fetchall()
        if connection.execute("delete from profiles where _id = ?", (profile_id,)).rowcount == 0:
            raise NotFound("That person is not in this workspace (any more).")
        for stream_id, count in streams:
            connection.execute("update streams set event_count = event_count - ? where id = ?", (count, stream_id))
        connection.execute(
            "delete from events where id in (select event_id from profile_events where profile_id = ?)", (profile_id,)
        )
        connection.execute("delete from profile_events where profile_id = ?", (profile_id,))
        connection.execute("delete from identifiers where profile_id = ?", (profile_id,))
    engine.changes.announce(Change("profiles", profile_id))
    engine.changes.announce(Change("streams"))

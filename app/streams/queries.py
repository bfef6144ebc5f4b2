"""What people ask about streams: the list, how much comes in, the fields seen, raw events newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.clock import now_microseconds
from app.lql import columns_of, parse_expression
from app.schema import tables
from app.schema.model import Schema

if TYPE_CHECKING:
    from app.engine import Engine

DAY = 86_400_000_000
NUMBERS = ("integer", "number")


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream; `last_event_at` is the newest event time in microseconds since 1970.

    `last_day` and `last_week` say how many events are of the last 24 hours and of the last 7 days, by event time.
    """

    id: int
    name: str
    events: int
    last_event_at: int | None
    fields: int
    last_day: int
    last_week: int


@dataclass(frozen=True, slots=True)
class StreamField:
    """One key seen in a stream's events; times are event times in microseconds since 1970.

    `type` is what to take its values for. `kinds` are what its sampled values look like, each with its share of 1,
    the commonest first. `distinct` is how many different values the samples held, None for more than 50; it means
    nothing while `kinds` is empty. It fills the profile fields `mapped_to`, and `unpublished` once the schema's draft
    is published.
    """

    name: str
    type: str
    kinds: tuple[tuple[str, float], ...]
    samples: tuple[str, ...]
    distinct: int | None
    seen: int
    first_seen: int | None
    last_seen: int | None
    mapped_to: tuple[str, ...]
    unpublished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventInfo:
    """One raw event as it came; `at` in microseconds since 1970."""

    id: int
    at: int
    run_id: int
    data: dict[str, Any]


def list_streams(engine: Engine, now: int | None = None) -> list[StreamInfo]:
    """Every stream by name; `now` in microseconds since 1970 is the present unless it is given."""
    now = now_microseconds() if now is None else now
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select id, name, event_count, last_event_at,
                (select count(*) from stream_fields where stream_id = streams.id),
                (select count(*) from events where stream_id = streams.id and at > :day and at <= :now),
                (select count(*) from events where stream_id = streams.id and at > :week and at <= :now)
            from streams order by name""",
            {"now": now, "day": now - DAY, "week": now - 7 * DAY},
        ).fetchall()
    return [StreamInfo(*row) for row in rows]


def stream_fields(engine: Engine, stream_id: int) -> list[StreamField]:
    """The keys seen in a stream, with the profile fields that they fill."""
    with engine.workspace.database.read() as connection:
        stream = connection.execute("select name from streams where id = ?", (stream_id,)).fetchone()
        published = tables.read_schema(connection)
        draft = tables.drafted(published, tables.read_draft(connection))
        mapped, to_come = (_mapped(schema, stream["name"] if stream else "") for schema in (published, draft))
        rows = connection.execute(
            """select name, type, samples, shape, seen, first_seen, last_seen from stream_fields
            where stream_id = ? order by seen desc, name""",
            (stream_id,),
        ).fetchall()
    found = []
    for row in rows:
        shape = orjson.loads(row["shape"])
        counts: dict[str, int] = shape.get("kinds", {})
        total = sum(counts.values())
        kinds = sorted(((kind, count / total) for kind, count in counts.items()), key=lambda one: (-one[1], one[0]))
        distinct = shape.get("distinct", [])
        found.append(
            StreamField(
                name=row["name"],
                type=likely_type(row["type"], dict(kinds)),
                kinds=tuple(kinds),
                samples=tuple(orjson.loads(row["samples"])),
                distinct=None if distinct is None else len(distinct),
                seen=row["seen"],
                first_seen=row["first_seen"],
                last_seen=row["last_seen"],
                mapped_to=tuple(mapped.get(row["name"], ())),
                unpublished=tuple(
                    field for field in to_come.get(row["name"], ()) if field not in mapped.get(row["name"], ())
                ),
            )
        )
    return found


def likely_type(first: str, kinds: Mapping[str, float]) -> str:
    """What to take a key's values for, by what they look like; `first` is what its first import took them for."""
    if not kinds:
        return first
    numbers = sum(kinds.get(kind, 0.0) for kind in NUMBERS)
    commonest = max(kinds, key=lambda kind: kinds[kind])
    if numbers > kinds[commonest] or commonest in NUMBERS:
        # Digits that its name or the user called text name something: nobody adds up postal codes.
        return first if first == "text" else "number" if kinds.get("number") else "integer"
    return commonest


def stream_events(
    engine: Engine, stream_id: int, *, before: tuple[int, int] | None = None, limit: int = 100
) -> list[EventInfo]:
    """Raw events, newest first; `before` is the (at, id) of an event, or (a time, 0), to page on from."""
    at, event = before if before is not None else (1 << 62, 0)
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select id, at, run_id, data from events where stream_id = ? and (at, id) < (?, ?)
            order by at desc, id desc limit ?""",
            (stream_id, at, event, limit),
        ).fetchall()
    return [EventInfo(row[0], row[1], row[2], orjson.loads(row[3])) for row in rows]


def event_place(engine: Engine, event_id: int) -> tuple[int, int] | None:
    """Where an event stands among those of its stream: (at, id); None when there is none of this id."""
    with engine.workspace.database.read() as connection:
        row = connection.execute("select at, id from events where id = ?", (event_id,)).fetchone()
    return (row[0], row[1]) if row is not None else None


def _mapped(schema: Schema, stream: str) -> dict[str, list[str]]:
    """By each key that a stream's mappings read, the fields that they fill."""
    found: dict[str, list[str]] = {}
    for mapping in schema.mappings:
        if mapping.stream == stream:
            for column in columns_of(parse_expression(mapping.expression)):
                if mapping.field not in (fields := found.setdefault(column, [])):
                    fields.append(mapping.field)
    return found

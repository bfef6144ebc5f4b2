"""What people ask about streams: the list, the fields seen, raw events newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.schema.expressions import compile_expression

if TYPE_CHECKING:
    from app.engine import Engine


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream; `last_event_at` is the newest event time in microseconds since 1970."""

    id: int
    name: str
    events: int
    last_event_at: int | None
    fields: int


@dataclass(frozen=True, slots=True)
class StreamField:
    """One key seen in a stream's events; times are event times in microseconds since 1970."""

    name: str
    type: str
    samples: tuple[str, ...]
    seen: int
    first_seen: int | None
    last_seen: int | None
    mapped_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventInfo:
    """One raw event as it came."""

    id: int
    at: int
    run_id: int
    data: dict[str, Any]


def list_streams(engine: Engine) -> list[StreamInfo]:
    """Every stream by name."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select id, name, event_count, last_event_at,
                (select count(*) from stream_fields where stream_id = streams.id) from streams order by name"""
        ).fetchall()
    return [StreamInfo(*row) for row in rows]


def stream_fields(engine: Engine, stream_id: int) -> list[StreamField]:
    """The keys seen in a stream, with the profile fields that they fill."""
    with engine.workspace.database.read() as connection:
        mapped: dict[str, list[str]] = {}
        for expression, field in connection.execute(
            "select expression, fields.name from mappings join fields on fields.id = field_id where stream_id = ?",
            (stream_id,),
        ):
            mapped.setdefault(compile_expression(expression).column, []).append(field)
        rows = connection.execute(
            """select name, type, samples, seen, first_seen, last_seen from stream_fields
            where stream_id = ? order by seen desc, name""",
            (stream_id,),
        ).fetchall()
    return [
        StreamField(row[0], row[1], tuple(orjson.loads(row[2])), row[3], row[4], row[5], tuple(mapped.get(row[0], ())))
        for row in rows
    ]


def stream_events(engine: Engine, stream_id: int, *, before_id: int | None = None, limit: int = 100) -> list[EventInfo]:
    """Raw events, the last to arrive first; `before_id` pages on."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            "select id, at, run_id, data from events where stream_id = ? and id < ? order by id desc limit ?",
            (stream_id, before_id if before_id is not None else 1 << 62, limit),
        ).fetchall()
    return [EventInfo(row[0], row[1], row[2], orjson.loads(row[3])) for row in rows]

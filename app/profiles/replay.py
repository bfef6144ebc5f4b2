"""People made of given events, from nothing and in memory, as a schema would have them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.identity.merge import Merge
from app.identity.resolve import Key, Resolver, Row, World, keys_of
from app.profiles.people_table import as_json
from app.schema.mapping import CompiledSchema, Table

Loaded = tuple[int, int, str, Row, list[Key], Sequence[int]]
"""(event id, time, raw text, row, identifier values, positions that its stream can fill)"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A person made of events: stored field values by name, identifier values as (field, value), ids of the events."""

    values: dict[str, Any]
    identifiers: frozenset[tuple[str, str]]
    events: frozenset[int]


def replay(
    schema: CompiledSchema, events: Sequence[tuple[int, int, str, str]], held: Collection[Key] = ()
) -> list[Replayed]:
    """The people that these events (id, time, raw text, stream) make. `held` values tie nobody."""
    resolver = resolve_events(schema, evaluated(schema, events), held)
    keys: dict[int, set[tuple[str, str]]] = {}
    for field_id, text, person, _ in resolver.new_keys:
        keys.setdefault(resolver.last(person), set()).add((schema.field_name(field_id), text))
    links: dict[int, set[int]] = {}
    for person, event in resolver.links:
        links.setdefault(resolver.last(person), set()).add(event)
    names = [field.name for field in schema.fields]
    return [
        Replayed(
            {
                name: value
                for name, value in zip(names, resolver.state(person).values, strict=True)
                if value is not None
            },
            frozenset(keys.get(person, ())),
            frozenset(found),
        )
        for person, found in links.items()
    ]


def load_events(connection: sqlite3.Connection, schema: CompiledSchema, ids: Iterable[int]) -> list[Loaded]:
    """These events with their values, in the order of their times and texts."""
    rows = connection.execute(
        """select events.id, events.at, events.data, streams.name from events join streams on streams.id = stream_id
        where events.id in (select value from json_each(?))""",
        (as_json(ids),),
    ).fetchall()
    return evaluated(schema, [(row[0], row[1], row[2], row[3]) for row in rows])


def evaluated(schema: CompiledSchema, events: Sequence[tuple[int, int, str, str]]) -> list[Loaded]:
    """Events (id, time, raw text, stream) with their values, in the order of their times and texts."""
    loaded: list[Loaded] = []
    by_stream: dict[str, list[tuple[int, int, str]]] = {}
    for event, at, text, stream in events:
        by_stream.setdefault(stream, []).append((event, at, text))
    for stream, listed in by_stream.items():
        mapping = schema.stream(stream)
        table = Table([orjson.loads(text) for _, _, text in listed], times=[at for _, at, _ in listed])
        values = mapping.evaluate(table, Counter())
        keys, _ = keys_of(schema.identifiers, values)
        loaded += [
            (event, at, text, row, named, mapping.positions)
            for (event, at, text), row, named in zip(listed, values, keys, strict=True)
        ]
    loaded.sort(key=lambda event: (event[1], event[2]))
    return loaded


def resolve_events(schema: CompiledSchema, events: Sequence[Loaded], held: Collection[Key]) -> Resolver:
    """The people that these events make, from nothing. They are numbered from 0."""
    texts = {event: text for event, _, text, _, _, _ in events}
    resolver = Resolver(
        schema.identifiers, Merge(schema.operators, texts.__getitem__), World({}, {}, next_person=0, held=held)
    )
    for event, at, _, row, named, positions in events:
        resolver.fold([(event, at, row, named)], positions)
    return resolver

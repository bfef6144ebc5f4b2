"""The schema in the workspace file: reading it, and putting another one in force.

Everything here works on a connection, so that a run, a publication and a rebuild share it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.clock import now_text
from app.schema.columns import add_column, change_column, drop_column, forget_state
from app.schema.differences import delta, overlay
from app.schema.model import (
    DEFAULT_SHARED_LIMIT,
    FieldDefinition,
    MappingDefinition,
    Schema,
    make_schema,
    schema_document,
)
from app.streams.seen import ensure_stream


@dataclass(frozen=True, slots=True)
class DraftEntry:
    """One unpublished change as it is kept; `after` is None where the thing is removed."""

    subject: str
    after: Any
    origin: str
    at: str


def read_schema(connection: sqlite3.Connection) -> Schema:
    """The published schema."""
    fields = [
        FieldDefinition(
            name=row["name"],
            label=row["label"],
            description=row["description"],
            type=row["type"],
            merge=row["merge"],
            is_identifier=bool(row["is_identifier"]),
            rank=row["rank"],
            capacity=row["capacity"],
            keep_days=row["keep_days"],
            managed_by=row["managed_by"],
        )
        for row in connection.execute(
            """select name, label, description, type, merge, is_identifier, rank, capacity, keep_days, managed_by
            from fields"""
        )
    ]
    mappings = [
        MappingDefinition(*row)
        for row in connection.execute(
            """select key, streams.name, fields.name, expression, condition, mappings.managed_by from mappings
            join streams on streams.id = stream_id join fields on fields.id = field_id"""
        )
    ]
    return make_schema(fields, mappings, read_shared_limit(connection))


def read_shared_limit(connection: sqlite3.Connection) -> int:
    """How many others an identifier value may come with before it ties nobody together any more."""
    row = connection.execute(
        "select json_extract(document, '$.shared_limit') from schema_versions order by number desc limit 1"
    ).fetchone()
    return DEFAULT_SHARED_LIMIT if row is None or row[0] is None else int(row[0])


def version_number(connection: sqlite3.Connection) -> int:
    """The number of the version in force; 0 before the first."""
    return int(connection.execute("select coalesce(max(number), 0) from schema_versions").fetchone()[0])


def read_draft(connection: sqlite3.Connection) -> list[DraftEntry]:
    """The unpublished changes as they are kept, in the order of their subjects."""
    return [
        DraftEntry(row[0], None if row[1] is None else orjson.loads(row[1]), row[2], row[3])
        for row in connection.execute("select subject, after, origin, at from schema_draft order by subject")
    ]


def drafted(published: Schema, entries: Collection[DraftEntry]) -> Schema:
    """The schema as it would be with the unpublished changes."""
    return overlay(published, {entry.subject: entry.after for entry in entries})


def write_draft(connection: sqlite3.Connection, published: Schema, after: Schema, origin: str) -> None:
    """Make `after` the draft. Changes that were there before keep their origin and time."""
    after = _spelt_as(after, published)
    before = {entry.subject: entry for entry in read_draft(connection)}
    entries = delta(published, after)
    now = now_text()
    connection.executemany(
        "delete from schema_draft where subject = ?", [(subject,) for subject in before.keys() - entries.keys()]
    )
    connection.executemany(
        "insert or replace into schema_draft (subject, after, origin, at) values (?, ?, ?, ?)",
        [
            (subject, None if document is None else orjson.dumps(document).decode(), origin, now)
            for subject, document in entries.items()
            if subject not in before or before[subject].after != document
        ],
    )


def _spelt_as(schema: Schema, published: Schema) -> Schema:
    """The schema with the letter case of published field names: a column keeps the name that it has."""
    spelling = {field.name.casefold(): field.name for field in (*schema.fields, *published.fields)}
    return make_schema(
        (replace(field, name=spelling[field.name.casefold()]) for field in schema.fields),
        (replace(mapping, field=spelling.get(mapping.field.casefold(), mapping.field)) for mapping in schema.mappings),
        schema.shared_limit,
    )


def put_in_force(
    connection: sqlite3.Connection,
    before: Schema,
    after: Schema,
    *,
    comment: str,
    by: str,
    origins: Mapping[str, str],
) -> int:
    """Make `after` the published schema and a version of it; the number of the version.

    `before` is what is published now. `origins` says by subject whose change it is; a thing that a provider manages
    and somebody else changes counts as edited from then on, and the provider's later changes are only offered.
    The transaction is the caller's.
    """
    there = {field.name.casefold(): field for field in before.fields}
    wanted = {field.name.casefold(): field for field in after.fields}
    for subject in delta(before, after):
        room, _, name = subject.partition(":")
        if room == "field":
            _put_field(connection, there.get(name.casefold()), wanted.get(name.casefold()), origins.get(subject, "you"))
    for field in after.fields:
        if field.is_identifier:
            connection.execute("update fields set rank = ? where name = ?", (field.rank, field.name))
    _put_mappings(connection, before, after, origins)
    number = version_number(connection) + 1
    connection.execute(
        "insert into schema_versions (number, at, by, comment, document) values (?, ?, ?, ?, ?)",
        (number, now_text(), by, comment, orjson.dumps(schema_document(after)).decode()),
    )
    return number


def _put_field(
    connection: sqlite3.Connection, before: FieldDefinition | None, after: FieldDefinition | None, origin: str
) -> None:
    if before is None:
        assert after is not None
        _add_field(connection, after, origin)
        return
    field_id = int(connection.execute("select id from fields where name = ?", (before.name,)).fetchone()[0])
    if after is None or (before.is_identifier and not after.is_identifier):
        connection.execute("delete from identifiers where field_id = ?", (field_id,))
    if after is None:
        connection.execute("delete from fields where id = ?", (field_id,))
        drop_column(connection, before.name, field_id)
        return
    connection.execute(
        """update fields set label = ?, description = ?, type = ?, merge = ?, is_identifier = ?, rank = ?,
            capacity = ?, keep_days = ?, managed_by = ?, edited = ? where id = ?""",
        (*_row(after, origin), field_id),
    )
    if before.type != after.type:
        change_column(connection, before.name, field_id, before.type, after.type)
    elif before.merge != after.merge:
        forget_state(connection, field_id)


def _add_field(connection: sqlite3.Connection, field: FieldDefinition, origin: str) -> None:
    add_column(connection, field.name, field.type)
    connection.execute(
        """insert into fields (label, description, type, merge, is_identifier, rank, capacity, keep_days,
            managed_by, edited, name, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (*_row(field, origin), field.name, now_text()),
    )


def _row(field: FieldDefinition, origin: str) -> tuple[Any, ...]:
    return (
        field.label,
        field.description,
        field.type,
        field.merge,
        int(field.is_identifier),
        field.rank,
        field.capacity,
        field.keep_days,
        field.managed_by,
        int(origin != field.managed_by),
    )


def _put_mappings(connection: sqlite3.Connection, before: Schema, after: Schema, origins: Mapping[str, str]) -> None:
    kept = {mapping.key: mapping for mapping in after.mappings}
    there = {mapping.key: mapping for mapping in before.mappings}
    ids = {row[0]: row[1] for row in connection.execute("select key, id from mappings")}
    # All that changes goes first: one mapping may become what another one was.
    connection.executemany(
        "delete from mappings where key = ?", [(key,) for key, mapping in there.items() if kept.get(key) != mapping]
    )
    streams = {row[0]: row[1] for row in connection.execute("select name, id from streams")}
    fields = {row[0].casefold(): row[1] for row in connection.execute("select name, id from fields")}
    for key, mapping in kept.items():
        if there.get(key) == mapping:
            continue
        if mapping.stream not in streams:
            streams[mapping.stream] = ensure_stream(connection, mapping.stream, now_text())
        connection.execute(
            """insert into mappings (id, key, stream_id, field_id, expression, condition, managed_by, edited)
            values (?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                ids.get(key),
                key,
                streams[mapping.stream],
                fields[mapping.field.casefold()],
                mapping.expression,
                mapping.condition,
                mapping.managed_by,
                int(origins.get(f"mapping:{key}", "you") != mapping.managed_by),
            ),
        )

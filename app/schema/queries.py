"""What people ask about the schema: as it is, as it would be, what differs, versions, how full its fields are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from app.errors import NotFound
from app.lql import compile_expression
from app.lql.events import flatten
from app.schema.differences import Difference, compare, overlay
from app.schema.model import Schema, schema_of_document
from app.schema.tables import drafted, read_draft, read_schema

if TYPE_CHECKING:
    from app.engine import Engine


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the published schema; `changes` is how many things it changed in the one before."""

    number: int
    at: str
    by: str
    comment: str
    changes: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider's change to something that somebody edited here; `difference` is what accepting it would do."""

    id: int
    provider: str
    difference: Difference
    at: str


@dataclass(frozen=True, slots=True)
class FieldUse:
    """How many of all people have a value of a field."""

    filled: int
    people: int


def published_schema(engine: Engine) -> Schema:
    """The schema in force."""
    with engine.workspace.database.read() as connection:
        return read_schema(connection)


def draft_schema(engine: Engine) -> Schema:
    """The schema as it would be with the unpublished changes."""
    with engine.workspace.database.read() as connection:
        return drafted(read_schema(connection), read_draft(connection))


def unpublished_changes(engine: Engine) -> list[Difference]:
    """What publishing would change, with whose change it is and since when."""
    with engine.workspace.database.read() as connection:
        published = read_schema(connection)
        entries = {entry.subject.casefold(): entry for entry in read_draft(connection)}
    found = compare(published, drafted(published, entries.values()))
    return [
        replace(difference, origin=entry.origin, at=entry.at)
        if (entry := entries.get(difference.subject.casefold())) is not None
        else difference
        for difference in found
    ]


def compare_versions(engine: Engine, a: int, b: int) -> list[Difference]:
    """What is different in version `b`, seen from version `a`; 0 is the empty schema before all. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        return compare(read_version(connection, a) if a else Schema(), read_version(connection, b))


def version_schema(engine: Engine, number: int) -> Schema:
    """The schema of a version. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        return read_version(connection, number)


def read_version(connection: sqlite3.Connection, number: int) -> Schema:
    """The schema of a version. Raises NotFound."""
    row = connection.execute("select document from schema_versions where number = ?", (number,)).fetchone()
    if row is None:
        raise NotFound(
            f"The schema has no version {number}.", advice="`causeway schema versions` lists those there are."
        )
    return schema_of_document(orjson.loads(row[0]))


def list_versions(engine: Engine, *, limit: int = 1_000) -> list[Version]:
    """Versions of the published schema, the newest first."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            "select number, at, by, comment, document from schema_versions order by number desc limit ?", (limit + 1,)
        ).fetchall()
    schemas = [schema_of_document(orjson.loads(row["document"])) for row in rows]
    schemas.append(Schema())
    return [
        Version(row["number"], row["at"], row["by"], row["comment"], len(compare(schemas[place + 1], schemas[place])))
        for place, row in enumerate(rows[:limit])
    ]


def list_offers(engine: Engine) -> list[Offer]:
    """Changes that providers offer and nobody has decided about, the oldest first."""
    with engine.workspace.database.read() as connection:
        draft = drafted(read_schema(connection), read_draft(connection))
        rows = connection.execute(
            "select id, provider, subject, after, at from schema_offers where state = 'open' order by id"
        ).fetchall()
    offers = []
    for row in rows:
        found = compare(draft, overlay(draft, {row["subject"]: orjson.loads(row["after"])}))
        if found:
            difference = replace(found[0], origin=row["provider"], at=row["at"])
            offers.append(Offer(row["id"], row["provider"], difference, row["at"]))
    return offers


def field_use(engine: Engine) -> dict[str, FieldUse]:
    """How many people have a value, by the name of each published field. Reads all people once."""
    with engine.workspace.database.read() as connection:
        names = [row[0] for row in connection.execute("select name from fields order by id")]
        counts = connection.execute(
            "select count(*)" + "".join(f', count("{name}")' for name in names) + " from profiles"
        ).fetchone()
    return {name: FieldUse(filled, counts[0]) for name, filled in zip(names, counts[1:], strict=True)}


def try_mapping(
    engine: Engine, expression: str, condition: str, event: Mapping[str, Any], at: int, *, kind: str | None = None
) -> tuple[Any, str]:
    """What a mapping would make of an event at a time (microseconds since 1970): the value as kept, and its kind.

    `kind` is that of the field; without one it is what the expression brings. The value is None for no value. Raises
    LqlError with the places of what can't be read.
    """
    compiled = compile_expression(expression, kind=kind, condition=condition or None)
    flat = flatten(event)
    arguments: list[Any] = [flat.get(column) for column in compiled.columns]
    if compiled.needs_time:
        arguments.append(at)
    if compiled.needs_event:
        arguments.append(flat)
    return compiled.call(*arguments), compiled.kind

"""Changes that come from elsewhere than a person at the schema: the fields of an import, the mappings of a provider.

They go into the published schema at once as far as they add something, each with a version of its own, and leave
unpublished changes alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from app.clock import now_text
from app.errors import Refused
from app.schema import editing
from app.schema.differences import RANKING, delta, overlay
from app.schema.lql_files import brought_schema
from app.schema.model import (
    IDENTIFIER_KINDS,
    MAX_FIELDS,
    FieldDefinition,
    MappingDefinition,
    Schema,
    make_schema,
)
from app.schema.tables import put_in_force, read_schema
from app.schema.words import kind_word


def apply_additions(
    connection: sqlite3.Connection,
    fields: Iterable[FieldDefinition],
    mappings: Iterable[MappingDefinition],
    *,
    comment: str,
    by: str,
) -> list[str]:
    """Add what is new to the published schema; answers the names of the fields that are new.

    What is there stays as it is, with one exception: a text field becomes an identifier where one of `fields` is to
    be one. A mapping that is there already, whatever its key, is not added again. The transaction is the caller's.
    Raises Refused for a field that can't be, and LqlError.
    """
    before = read_schema(connection)
    after, new = with_additions(before, fields, mappings)
    if after != before:
        origins = dict.fromkeys(delta(before, after), "")
        put_in_force(connection, before, after, comment=comment, by=by, origins=origins)
    return new


def with_additions(
    before: Schema, fields: Iterable[FieldDefinition], mappings: Iterable[MappingDefinition]
) -> tuple[Schema, list[str]]:
    """The schema that `apply_additions` would make, and the names of the fields that are new. Raises as it does."""
    known = {field.name.casefold(): field for field in before.fields}
    wanted = []
    new = []
    for field in fields:
        there = known.get(field.name.casefold())
        if there is None:
            known[field.name.casefold()] = field
            wanted.append(replace(field, rank=None))
            new.append(field.name)
        elif field.is_identifier and not there.is_identifier:
            wanted.append(_as_identifier(there))
    after, _ = editing.with_mappings(editing.with_fields(before, wanted), mappings)
    if after != before:
        _check_room(after)
    return after, new


def _as_identifier(field: FieldDefinition) -> FieldDefinition:
    if field.type not in IDENTIFIER_KINDS:
        raise Refused(
            f"{field.name} can't say who somebody is: the field holds {kind_word(field.type).lower()}.",
            advice="Let the column fill another field, or make this one a text on the Schema page.",
        )
    return replace(field, is_identifier=True, merge="")


def _check_room(schema: Schema) -> None:
    if len(schema.fields) > MAX_FIELDS:
        raise Refused(
            f"The workspace would have {len(schema.fields):,} fields; it can have {MAX_FIELDS:,}.",
            advice="Choose fewer columns to import, or remove fields on the Schema page.",
        )


def apply_provider_mappings(
    connection: sqlite3.Connection, provider: str, lql_text: str, *, name: str, by: str = ""
) -> tuple[list[str], int]:
    """Bring a provider's default mappings up to date; answers (names of new fields, how many changes were offered).

    `provider` is the slug, `name` what people call it. What is new is added, and what nobody edited here follows the
    provider. A change to something that was edited or removed here is offered, never forced, and what the provider
    brought unchanged since is not offered again. Fields that somebody else made are used as they are. Nothing is
    ever removed. The transaction is the caller's. Raises LqlError for a text that can't be read.
    """
    before = read_schema(connection)
    brought = brought_schema(lql_text, provider)
    last = _last_brought(connection, provider)
    edited = _edited(connection)
    taken: dict[str, Any] = {}
    offered: dict[str, Any] = {}
    for subject, document in delta(Schema(), brought).items():
        there = _thing(before, subject)
        if subject == RANKING or last.get(subject) == document or (there is not None and there.managed_by != provider):
            continue
        # What was brought before and is not there was removed here.
        removed = there is None and subject in last
        (offered if removed or subject in edited else taken)[subject] = document
    after = overlay(before, taken)
    # A mapping waits with its field where that is only offered.
    for mapping in after.mappings:
        if after.field(mapping.field) is None:
            offered[f"mapping:{mapping.key}"] = taken.pop(f"mapping:{mapping.key}")
    after = _with_new_ranks(before, overlay(before, taken), brought)
    _note(connection, provider, offered, "open")
    _note(connection, provider, taken, "applied")
    if after != before:
        _check_room(after)
        origins = dict.fromkeys(delta(before, after), provider)
        put_in_force(connection, before, after, comment=f"{name}'s default mappings", by=by, origins=origins)
    new = [field.name for field in after.fields if before.field(field.name) is None]
    return new, len(offered)


def _with_new_ranks(before: Schema, after: Schema, brought: Schema) -> Schema:
    """New identifiers come after those that are there, in the provider's order."""
    ranking = dict.fromkeys((*before.ranking(), *brought.ranking()))
    return make_schema(after.fields, after.mappings, after.shared_limit, ranking)


def _thing(schema: Schema, subject: str) -> FieldDefinition | MappingDefinition | None:
    room, _, name = subject.partition(":")
    return schema.field(name) if room == "field" else schema.mapping(name)


def _last_brought(connection: sqlite3.Connection, provider: str) -> dict[str, Any]:
    """What the provider brought last, by subject, whatever became of it."""
    rows = connection.execute("select subject, after from schema_offers where provider = ? order by id", (provider,))
    return {subject: orjson.loads(after) for subject, after in rows}


def _edited(connection: sqlite3.Connection) -> set[str]:
    """The subjects of what somebody changed here."""
    rows = connection.execute(
        """select 'field:' || name from fields where edited union all
        select 'mapping:' || key from mappings where edited"""
    )
    return {row[0] for row in rows}


def _note(connection: sqlite3.Connection, provider: str, documents: Mapping[str, Any], state: str) -> None:
    """Remember what a provider brought; an older offer about the same thing is over."""
    now = now_text()
    connection.executemany(
        "update schema_offers set state = 'replaced' where provider = ? and subject = ? and state = 'open'",
        [(provider, subject) for subject in documents],
    )
    connection.executemany(
        "insert into schema_offers (provider, subject, after, at, state) values (?, ?, ?, ?, ?)",
        [(provider, subject, orjson.dumps(document).decode(), now, state) for subject, document in documents.items()],
    )

"""Changes that come from elsewhere than a person at the schema: the fields of an import, the mappings of a provider.

They go into the published schema at once as far as they add something, each with a version of its own, and leave
unpublished changes alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from app.errors import Refused
from app.schema import editing
from app.schema.differences import delta
from app.schema.model import (
    IDENTIFIER_KINDS,
    MAX_FIELDS,
    FieldDefinition,
    MappingDefinition,
    Schema,
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
    before = after = read_schema(connection)
    new: list[str] = []
    for field in fields:
        there = after.field(field.name)
        if there is None:
            after = editing.with_field(after, replace(field, rank=None))
            new.append(field.name)
        elif field.is_identifier and not there.is_identifier:
            after = editing.with_field(after, _as_identifier(there))
    for mapping in mappings:
        after, _ = editing.with_mapping(after, mapping)
    if after != before:
        _check_room(after)
        origins = dict.fromkeys(delta(before, after), "")
        put_in_force(connection, before, after, comment=comment, by=by, origins=origins)
    return new


def _as_identifier(field: FieldDefinition) -> FieldDefinition:
    if field.type not in IDENTIFIER_KINDS:
        raise Refused(
            f"{field.name} can't say who somebody is: the field holds {kind_word(field.type).lower()}.",
            advice="Let the column fill another field, or make this one a text on the Schema page.",
        )
    return replace(field, is_identifier=True, merge="", capacity=None, keep_days=None)


def _check_room(schema: Schema) -> None:
    if len(schema.fields) > MAX_FIELDS:
        raise Refused(
            f"The workspace would have {len(schema.fields):,} fields; it can have {MAX_FIELDS:,}.",
            advice="Choose fewer columns to import, or remove fields on the Schema page.",
        )

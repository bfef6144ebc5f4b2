"""The mapping that an import makes by itself: each column fills a field of its own kind, unless somebody said else."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.errors import Refused
from app.lql import columns_of, compile_expression, parse_expression
from app.schema.column_types import COLUMN_TYPES, column_expression
from app.schema.fields import field_name
from app.schema.model import IDENTIFIER_KINDS, MERGE_OPERATORS, FieldDefinition, MappingDefinition, Schema
from app.schema.patches import apply_additions
from app.schema.tables import read_schema


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody chose for an import's columns, each by column; what is not named is guessed.

    `types` are the words of COLUMN_TYPES, `targets` the fields to fill ("" for none), `kinds` those of new fields,
    `expressions` LQL texts. `identifiers` are the columns that say who somebody is.
    """

    types: Mapping[str, str]
    identifiers: Sequence[str] = ()
    targets: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    expressions: Mapping[str, str] = field(default_factory=dict)


def generate_mapping(
    connection: sqlite3.Connection, stream: str, columns: Collection[str], wishes: Wishes, *, comment: str
) -> list[str]:
    """Map each of these columns that fills nothing yet in this stream; the names of the fields that are new.

    What the schema has stays; the additions are a version of it with this comment. The transaction is the caller's.
    Raises Refused and LqlError.
    """
    fields, mappings = wanted_additions(read_schema(connection), stream, columns, wishes)
    return apply_additions(connection, fields, mappings, comment=comment, by="")


def wanted_additions(
    schema: Schema, stream: str, columns: Collection[str], wishes: Wishes
) -> tuple[list[FieldDefinition], list[MappingDefinition]]:
    """The fields and mappings that `generate_mapping` adds to this schema. Raises as it does."""
    missing = [column for column in wishes.identifiers if column not in columns]
    if missing:
        raise Refused(
            f"The identifier column {missing[0]} is not in the file.",
            advice=f"Choose one of: {', '.join(list(columns)[:20])}.",
        )
    unmappable = [column for column in wishes.identifiers if "`" in column or wishes.targets.get(column) == ""]
    if unmappable:
        raise Refused(f"The identifier column {unmappable[0]} must fill a profile field.")
    mapped = {
        column
        for mapping in schema.mappings
        if mapping.stream == stream
        for column in columns_of(parse_expression(mapping.expression))
    }
    fields: list[FieldDefinition] = []
    mappings: list[MappingDefinition] = []
    for column in columns:
        target = wishes.targets.get(column, field_name(column))
        expression = wishes.expressions.get(column)
        identifier = column in wishes.identifiers
        if not target or (expression is None and "`" in column):
            continue
        if column in mapped and not identifier and expression is None:
            continue
        generated, kind = column_expression(column, wishes.types[column])
        if expression is not None:
            kind = compile_expression(expression).kind
        kind = wishes.kinds.get(column, kind)
        if identifier and kind not in IDENTIFIER_KINDS:
            generated, kind = f"`{column}`", "string"
        known = schema.field(target)
        fields.append(
            FieldDefinition(
                target,
                label=target.replace("_", " ").capitalize(),
                type=kind,
                merge="" if identifier else default_operator(expression or generated, kind),
                is_identifier=identifier,
            )
        )
        if known is not None and known.type != kind and expression is None:
            generated = reading(column, known.type)
        if column not in mapped or expression is not None:
            mappings.append(MappingDefinition("", stream, target, expression or generated))
    return fields, mappings


def default_operator(expression: str, kind: str) -> str:
    """The merge operator of a new field of this kind that is filled by this expression."""
    operator = compile_expression(expression, kind=kind).operator
    return operator if operator in MERGE_OPERATORS[kind] else MERGE_OPERATORS[kind][0]


def reading(column: str, kind: str) -> str:
    """The expression that reads a column for a field of this kind."""
    template = next((template for template, one in COLUMN_TYPES.values() if one == kind), "{}")
    return template.format(f"`{column}`")

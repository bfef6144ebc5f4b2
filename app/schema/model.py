"""What a schema is: fields that a person can hold, mappings that fill them, and one limit; all of it plain data.

Two schemas that say the same are equal: fields and mappings stand in one order, whatever order they were made in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.lql.kinds import MERGE_OPERATORS

__all__ = [
    "DEFAULT_SHARED_LIMIT",
    "FIELD_NAME",
    "IDENTIFIER_KINDS",
    "MAX_FIELDS",
    "MERGE_OPERATORS",
    "FieldDefinition",
    "MappingDefinition",
    "Schema",
    "field_document",
    "holds_several",
    "make_schema",
    "mapping_document",
    "schema_document",
    "schema_of_document",
]

DEFAULT_SHARED_LIMIT = 50
"""An identifier value that came with more different values of another identifier ties nobody together any more."""

FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
MAX_FIELDS = 1_900
"""SQLite's own limit is 2,000 columns in a table."""

IDENTIFIER_KINDS = ("string", "[]string")


def holds_several(kind: str) -> bool:
    """Whether a field of this kind is a set or a map: kept as JSON text, and limited by a capacity."""
    return kind.startswith(("[]", "ts[]", "map["))


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A field. Its name is what it is known by and never changes.

    `type` is one of MERGE_OPERATORS. An identifier has no merge operator (""), and a rank: 1 is the strongest.
    `capacity` is the most values that a set or map keeps, `keep_days` for how long; None: no limit.
    `managed_by` is the slug of the provider that brought it.
    """

    name: str
    label: str = ""
    description: str = ""
    type: str = "string"
    merge: str = "latest"
    is_identifier: bool = False
    rank: int | None = None
    capacity: int | None = None
    keep_days: int | None = None
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class MappingDefinition:
    """A mapping: `expression` on the events of a stream fills a field where `condition` (LQL, "" for always) holds."""

    key: str
    stream: str
    field: str
    expression: str
    condition: str = ""
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """Fields (identifiers by rank, then the others by name), mappings (by stream and field) and the shared limit."""

    fields: tuple[FieldDefinition, ...] = ()
    mappings: tuple[MappingDefinition, ...] = ()
    shared_limit: int = DEFAULT_SHARED_LIMIT

    def field(self, name: str) -> FieldDefinition | None:
        """The field of this name, in whatever letter case."""
        folded = name.casefold()
        return next((field for field in self.fields if field.name.casefold() == folded), None)

    def mapping(self, key: str) -> MappingDefinition | None:
        """The mapping with this key."""
        return next((mapping for mapping in self.mappings if mapping.key == key), None)

    def ranking(self) -> tuple[str, ...]:
        """The names of the identifiers, the strongest first."""
        return tuple(field.name for field in self.fields if field.is_identifier)

    def streams(self) -> tuple[str, ...]:
        """The streams that have a mapping, by name."""
        return tuple(sorted({mapping.stream for mapping in self.mappings}))


def make_schema(
    fields: Iterable[FieldDefinition],
    mappings: Iterable[MappingDefinition],
    shared_limit: int = DEFAULT_SHARED_LIMIT,
    ranking: Iterable[str] | None = None,
) -> Schema:
    """A schema in its one order, the ranks of identifiers from 1 without a gap.

    `ranking` names identifiers, the strongest first, and wins over the ranks of the fields; those it does not name
    come after the others.
    """
    places = {name.casefold(): place for place, name in enumerate(ranking or ())}

    def strength(field: FieldDefinition) -> tuple[int, int, str]:
        return (
            places.get(field.name.casefold(), len(places)),
            field.rank if field.rank is not None else MAX_FIELDS,
            field.name.casefold(),
        )

    listed = list(fields)
    identifiers = sorted((field for field in listed if field.is_identifier), key=strength)
    others = sorted((field for field in listed if not field.is_identifier), key=lambda field: field.name.casefold())
    return Schema(
        (
            *(replace(field, rank=rank) for rank, field in enumerate(identifiers, start=1)),
            *(field if field.rank is None else replace(field, rank=None) for field in others),
        ),
        tuple(sorted(mappings, key=_mapping_order)),
        shared_limit,
    )


def _mapping_order(mapping: MappingDefinition) -> tuple[str, str, str, str, str]:
    return (mapping.stream, mapping.field.casefold(), mapping.expression, mapping.condition, mapping.key)


def schema_document(schema: Schema) -> dict[str, Any]:
    """The schema as a JSON document; what is empty is left out of fields and mappings."""
    return {
        "fields": [field_document(field) for field in schema.fields],
        "mappings": [mapping_document(mapping) for mapping in schema.mappings],
        "shared_limit": schema.shared_limit,
    }


def field_document(field: FieldDefinition) -> dict[str, Any]:
    """One field as JSON has it."""
    kept = {key: value for key, value in asdict(field).items() if value not in (None, "", False)}
    return {"type": field.type, "merge": field.merge} | kept


def mapping_document(mapping: MappingDefinition) -> dict[str, Any]:
    """One mapping as JSON has it."""
    return {key: value for key, value in asdict(mapping).items() if value != ""}


def schema_of_document(document: Mapping[str, Any]) -> Schema:
    """The schema of a document that `schema_document` made."""
    return make_schema(
        (FieldDefinition(**entry) for entry in document["fields"]),
        (MappingDefinition(**entry) for entry in document["mappings"]),
        document["shared_limit"],
    )

"""Changes of a schema as plain data: each answers the schema as it is afterwards, or raises Refused."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from app.errors import NotFound, Refused
from app.schema.checks import check_field, check_mapping
from app.schema.model import MERGE_OPERATORS, FieldDefinition, MappingDefinition, Schema, make_schema


def new_key() -> str:
    """A key for a new mapping."""
    return f"m_{secrets.token_hex(6)}"


def completed(field: FieldDefinition) -> FieldDefinition:
    """The field with what follows from the rest: a label from its name, its kind's merge operator, none for
    an identifier."""
    operators = MERGE_OPERATORS.get(field.type, ("",))
    return replace(
        field,
        label=field.label.strip() or field.name.replace("_", " ").capitalize(),
        description=field.description.strip(),
        merge="" if field.is_identifier else field.merge or operators[0],
        rank=field.rank if field.is_identifier else None,
    )


def with_field(schema: Schema, field: FieldDefinition) -> Schema:
    """Add the field, or put it in the place of the one of this name.

    An identifier with a rank moves to that place; without one it stays where it is, and a new one comes last.
    A field that a provider brought stays the provider's.
    """
    there = schema.field(field.name)
    if there is not None:
        field = replace(field, name=there.name, managed_by=there.managed_by or field.managed_by)
    field = completed(field)
    check_field(field)
    others = [other for other in schema.fields if other.name != field.name]
    ranking = [name for name in schema.ranking() if name != field.name]
    if field.is_identifier:
        rank = field.rank
        if rank is None:
            rank = there.rank if there is not None and there.rank is not None else len(ranking) + 1
        ranking.insert(max(rank, 1) - 1, field.name)
    return make_schema([*others, field], schema.mappings, schema.shared_limit, ranking)


def without_field(schema: Schema, name: str) -> Schema:
    """Remove the field with the mappings that fill it. Raises NotFound."""
    there = _known_field(schema, name)
    return make_schema(
        (field for field in schema.fields if field != there),
        (mapping for mapping in schema.mappings if mapping.field.casefold() != there.name.casefold()),
        schema.shared_limit,
    )


def with_mapping(schema: Schema, mapping: MappingDefinition) -> tuple[Schema, str]:
    """Add the mapping (key ""), or put it in the place of the one with its key; the schema and the key.

    The same mapping is never there twice: adding one that is there already answers that one's key.
    """
    there = schema.mapping(mapping.key) if mapping.key else None
    if mapping.key and there is None:
        raise NotFound("That mapping is not in the schema (any more).")
    field = _known_field(schema, mapping.field)
    stream = mapping.stream.strip()
    if there is not None and there.stream != stream:
        raise Refused(
            f"A mapping of the stream {there.stream} can't move to another stream.",
            advice="Remove it, and make a new one for the other stream.",
        )
    mapping = replace(
        mapping,
        key=mapping.key or new_key(),
        stream=stream,
        field=field.name,
        expression=mapping.expression.strip(),
        condition=mapping.condition.strip(),
        managed_by=there.managed_by if there is not None else mapping.managed_by,
    )
    check_mapping(mapping, field)
    for other in schema.mappings:
        if other.key != mapping.key and says_the_same(other, mapping):
            if there is None:
                return schema, other.key
            raise Refused(f"{mapping.expression} fills {field.name} from {stream} already.")
    others = (other for other in schema.mappings if other.key != mapping.key)
    return make_schema(schema.fields, [*others, mapping], schema.shared_limit), mapping.key


def says_the_same(one: MappingDefinition, other: MappingDefinition) -> bool:
    """Whether two mappings do the same, whatever their keys."""
    return (one.stream, one.field.casefold(), one.expression, one.condition) == (
        other.stream,
        other.field.casefold(),
        other.expression,
        other.condition,
    )


def without_mapping(schema: Schema, key: str) -> Schema:
    """Remove the mapping. Raises NotFound."""
    if schema.mapping(key) is None:
        raise NotFound("That mapping is not in the schema (any more).")
    return make_schema(
        schema.fields, (mapping for mapping in schema.mappings if mapping.key != key), schema.shared_limit
    )


def with_ranking(schema: Schema, names: Sequence[str]) -> Schema:
    """Rank the identifiers, the strongest first; those not named keep their order behind them."""
    known = {name.casefold() for name in schema.ranking()}
    for name in names:
        if name.casefold() not in known:
            raise Refused(f"“{name}” is no identifier.", advice=f"Identifiers are: {', '.join(schema.ranking())}.")
    return make_schema(schema.fields, schema.mappings, schema.shared_limit, names)


def with_shared_limit(schema: Schema, limit: int) -> Schema:
    """Set how many others an identifier value may come with before it ties nobody together any more."""
    if not 1 <= limit <= 1_000_000:
        raise Refused(f"The limit of shared identifiers can't be {limit:,}.", advice="Choose 1 to 1,000,000.")
    return replace(schema, shared_limit=limit)


def _known_field(schema: Schema, name: str) -> FieldDefinition:
    field = schema.field(name)
    if field is None:
        raise NotFound(f"There is no profile field “{name}”.", advice="Make the field first.")
    return field

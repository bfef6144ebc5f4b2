"""Changes of a schema as plain data: each answers the schema as it is afterwards, or raises Refused."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.errors import NotFound, Refused
from app.schema.checks import check_field, check_mapping
from app.schema.model import MERGE_OPERATORS, FieldDefinition, MappingDefinition, Schema, make_schema


def new_key() -> str:
    """A key for a new mapping."""
    return f"m_{secrets.token_hex(6)}"


def default_label(name: str) -> str:
    """What a field is called where nobody gave it a label: "first_name" is "First name"."""
    return name.replace("_", " ").capitalize()


def completed(field: FieldDefinition) -> FieldDefinition:
    """The field with what follows from the rest: a label from its name, its kind's merge operator, none for
    an identifier."""
    operators = MERGE_OPERATORS.get(field.type, ("",))
    return replace(
        field,
        label=field.label.strip() or default_label(field.name),
        description=field.description.strip(),
        merge="" if field.is_identifier else field.merge or operators[0],
        rank=field.rank if field.is_identifier else None,
    )


def with_field(schema: Schema, field: FieldDefinition) -> Schema:
    """Add the field, or put it in the place of the one of this name.

    An identifier with a rank moves to that place; without one it stays where it is, and a new one comes last.
    A field that a provider brought stays the provider's.
    """
    return with_fields(schema, (field,))


def with_fields(schema: Schema, fields: Iterable[FieldDefinition]) -> Schema:
    """The same for several, one after the other."""
    kept = {field.name.casefold(): field for field in schema.fields}
    ranking = list(schema.ranking())
    for field in fields:
        there = kept.get(field.name.casefold())
        if there is not None:
            field = replace(field, name=there.name, managed_by=there.managed_by or field.managed_by)
        field = completed(field)
        check_field(field)
        kept[field.name.casefold()] = field
        place = len(ranking)
        if there is not None and there.is_identifier:
            place = ranking.index(there.name)
            ranking.remove(there.name)
        if field.is_identifier:
            ranking.insert(place if field.rank is None else max(field.rank, 1) - 1, field.name)
    return make_schema(kept.values(), schema.mappings, schema.shared_limit, ranking)


def without_field(schema: Schema, name: str) -> Schema:
    """Remove the field with the mappings that fill it. Raises NotFound."""
    there = schema.field(name)
    if there is None:
        raise NotFound(f"There is no profile field “{name}”.")
    return make_schema(
        (field for field in schema.fields if field != there),
        (mapping for mapping in schema.mappings if mapping.field.casefold() != there.name.casefold()),
        schema.shared_limit,
    )


def with_mapping(schema: Schema, mapping: MappingDefinition) -> tuple[Schema, str]:
    """Add the mapping (key ""), or put it in the place of the one with its key; the schema and the key.

    The same mapping is never there twice: adding one that is there already answers that one's key.
    """
    after, keys = with_mappings(schema, (mapping,))
    return after, keys[0]


def with_mappings(schema: Schema, mappings: Iterable[MappingDefinition]) -> tuple[Schema, list[str]]:
    """The same for several, one after the other."""
    kept = {mapping.key: mapping for mapping in schema.mappings}
    meanings = {_meaning(mapping): mapping.key for mapping in schema.mappings}
    fields = {field.name.casefold(): field for field in schema.fields}
    keys = []
    for mapping in mappings:
        there = kept.get(mapping.key)
        if mapping.key and there is None:
            raise NotFound("That mapping is not in the schema (any more).")
        field = fields.get(mapping.field.casefold())
        if field is None:
            raise NotFound(f"There is no profile field “{mapping.field}”.", advice="Make the field first.")
        mapping = _settled(mapping, there, field)
        check_mapping(mapping, field)
        same = meanings.get(_meaning(mapping))
        if same is not None and there is None:
            keys.append(same)
            continue
        if there is not None:
            if same not in (None, mapping.key):
                raise Refused(f"{mapping.expression} fills {field.name} from {mapping.stream} already.")
            del meanings[_meaning(there)]
        kept[mapping.key] = mapping
        meanings[_meaning(mapping)] = mapping.key
        keys.append(mapping.key)
    return make_schema(schema.fields, kept.values(), schema.shared_limit), keys


def _settled(mapping: MappingDefinition, there: MappingDefinition | None, field: FieldDefinition) -> MappingDefinition:
    """The mapping as it is kept. Raises Refused where it would move to another stream."""
    stream = mapping.stream.strip()
    if there is not None and there.stream != stream:
        raise Refused(
            f"A mapping of the stream {there.stream} can't move to another stream.",
            advice="Remove it, and make a new one for the other stream.",
        )
    return replace(
        mapping,
        key=mapping.key or new_key(),
        stream=stream,
        field=field.name,
        expression=mapping.expression.strip(),
        condition=mapping.condition.strip(),
        managed_by=there.managed_by if there is not None else mapping.managed_by,
    )


def _meaning(mapping: MappingDefinition) -> tuple[str, str, str, str]:
    """What a mapping does, whatever its key."""
    return mapping.stream, mapping.field.casefold(), mapping.expression, mapping.condition


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

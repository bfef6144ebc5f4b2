"""What a schema may not be: each fault as a sentence that names the field or the mapping."""

from __future__ import annotations

from collections import Counter

from app.errors import CausewayError, Refused
from app.lql import compile_expression
from app.schema.model import (
    FIELD_NAME,
    IDENTIFIER_KINDS,
    MAX_FIELDS,
    MERGE_OPERATORS,
    FieldDefinition,
    MappingDefinition,
    Schema,
    holds_several,
)
from app.schema.words import KIND_WORDS, kind_word, operator_word

MAX_STREAM_NAME = 200


def check_field(field: FieldDefinition) -> None:
    """Raises Refused for a field that can't be."""
    if not FIELD_NAME.fullmatch(field.name):
        raise Refused(
            f"“{field.name}” can't be the name of a profile field.",
            advice="Use letters without accents, digits and underscores, at most 63, and begin with a letter.",
        )
    if field.type not in MERGE_OPERATORS:
        raise Refused(
            f"{field.name} can't be of the kind “{field.type}”.", advice=f"Kinds are: {', '.join(MERGE_OPERATORS)}."
        )
    if field.is_identifier:
        if field.type not in IDENTIFIER_KINDS:
            raise Refused(
                f"{field.name} can't be an identifier: it holds {kind_word(field.type).lower()}.",
                advice="An identifier is a text, or a set of texts where a person can have several.",
            )
        if field.merge:
            raise Refused(
                f"The identifier {field.name} can't have a merge rule.",
                advice="A person's identifier values come from the events that named them.",
            )
    elif field.merge not in MERGE_OPERATORS[field.type]:
        legal = [operator_word(operator, field.type) for operator in MERGE_OPERATORS[field.type]]
        raise Refused(
            f"{field.name} ({kind_word(field.type).lower()}) can't be merged by “{field.merge}”.",
            advice=f"Choose {', '.join(legal[:-1])} or {legal[-1]}"
            f" ({', '.join(MERGE_OPERATORS[field.type])} in the mapping language).",
        )
    _check_limits(field)


def _check_limits(field: FieldDefinition) -> None:
    if field.capacity is not None and not holds_several(field.type):
        raise Refused(
            f"{field.name} can't have a capacity: it holds one value.", advice="Only sets and maps are limited."
        )
    if field.keep_days is not None and field.is_identifier:
        raise Refused(
            f"{field.name} can't forget its values after some days: it says who somebody is.",
            advice="Choose other fields to be kept for some days.",
        )
    for limit, what in ((field.capacity, "capacity"), (field.keep_days, "number of days")):
        if limit is None:
            continue
        if not 1 <= limit <= 1_000_000:
            raise Refused(f"The {what} of {field.name} can't be {limit:,}.", advice="Choose 1 to 1,000,000.")
    if field.merge == "capped" and field.capacity is None:
        raise Refused(f"{field.name} is to be limited, but has no capacity.", advice="Say how many values it keeps.")


def check_mapping(mapping: MappingDefinition, field: FieldDefinition) -> None:
    """Raises Refused, or LqlError for an expression or a condition that can't be read."""
    if not mapping.stream or len(mapping.stream) > MAX_STREAM_NAME or not mapping.stream.isprintable():
        raise Refused(f"The mapping of {field.name} needs a stream with a name of 1 to {MAX_STREAM_NAME} characters.")
    if not mapping.expression:
        raise Refused(
            f"The mapping of {mapping.stream} to {field.name} has no expression.",
            advice="Write a column in backticks, for example `email` or todate(`signup date`).",
        )
    compile_expression(mapping.expression, kind=field.type, condition=mapping.condition or None)


def faults(schema: Schema) -> list[str]:
    """Everything that keeps this schema from being published, a sentence each."""
    found: list[str] = []
    if len(schema.fields) > MAX_FIELDS:
        found.append(f"The schema would have {len(schema.fields):,} fields; a workspace can have {MAX_FIELDS:,}.")
    for field in schema.fields:
        try:
            check_field(field)
        except Refused as error:
            found.append(error.message)
    for mapping in schema.mappings:
        target = schema.field(mapping.field)
        if target is None:
            found.append(
                f"{mapping.expression} of the stream {mapping.stream} fills the field {mapping.field}, "
                "which is not there."
            )
            continue
        if target.type not in KIND_WORDS:
            continue
        try:
            check_mapping(mapping, target)
        except CausewayError as error:
            found.append(f"{mapping.expression} of the stream {mapping.stream} can't fill {target.name}: {error}")
    same = Counter((one.stream, one.field.casefold(), one.expression, one.condition) for one in schema.mappings)
    found += [
        f"{expression} of the stream {stream} fills {field} {count} times."
        for (stream, field, expression, _), count in same.items()
        if count > 1
    ]
    return found


def refuse(found: list[str]) -> Refused:
    """The refusal to publish that names every fault."""
    return Refused(
        found[0]
        if len(found) == 1
        else f"{len(found):,} faults keep the changes from being published: " + " ".join(found[:5]),
        advice="Mend it, or discard that change." if len(found) == 1 else "Mend them, or discard those changes.",
        details="\n".join(found),
    )

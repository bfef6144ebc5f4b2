"""The schema as text of the mapping language, one statement a stream, and such text read into a schema.

What a text does not say of a field stays as it is. It does say all mappings of the streams that it names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.changes import Change
from app.lql import (
    LqlError,
    Problem,
    Statement,
    check_statements,
    parse_condition,
    parse_expression,
    parse_statements,
    print_expression,
    print_statement,
    statement_mappings,
)
from app.lql.statements import ColumnField, ColumnMapping, column_name
from app.lql.tree import Column, Name
from app.schema.checks import check_mapping
from app.schema.differences import Difference, compare
from app.schema.editing import default_label, new_key, with_fields
from app.schema.model import MERGE_OPERATORS, FieldDefinition, MappingDefinition, Schema, make_schema
from app.schema.tables import drafted, read_draft, read_schema, write_draft

if TYPE_CHECKING:
    from app.engine import Engine

PEOPLE = "user"
"""The table that the language calls people."""


def export_lql(engine: Engine, *, draft: bool = False) -> dict[str, str]:
    """The mappings of each stream as a statement. Fields that nothing fills are in none of them."""
    with engine.workspace.database.read() as connection:
        schema = read_schema(connection)
        if draft:
            schema = drafted(schema, read_draft(connection))
    return {stream: stream_lql(schema, stream) for stream in schema.streams()}


def stream_lql(schema: Schema, stream: str) -> str:
    """The statement of one stream: BY names its identifiers, the strongest first."""
    fields = {field.name.casefold(): field for field in schema.fields}
    columns: list[Column] = []
    told: set[str] = set()
    by_field: dict[str, list[MappingDefinition]] = {}
    for mapping in schema.mappings:
        if mapping.stream == stream:
            by_field.setdefault(mapping.field.casefold(), []).append(mapping)
    for name, field in fields.items():
        for mapping in by_field.get(name, []):
            column = Column(
                parse_expression(mapping.expression),
                Name(field.name),
                parse_condition(mapping.condition) if mapping.condition else None,
            )
            columns.append(column if name in told else _with_options(column, field))
            told.add(name)
    statement = Statement(
        tuple(columns),
        Name(stream),
        Name(PEOPLE),
        tuple(Name(name) for name in schema.ranking() if name.casefold() in told),
        None,
        Name(f"{stream}_user"),
    )
    return print_statement(statement)


def _with_options(column: Column, field: FieldDefinition) -> Column:
    return replace(
        column,
        kind=Name(field.type),
        operator=Name(field.merge) if field.merge else None,
        short=field.label if field.label != default_label(field.name) else None,
        long=field.description or None,
        capacity=field.capacity,
        keep_days=field.keep_days,
    )


def lql_file_name(stream: str) -> str:
    """The name of the file for a stream's statement, good on every system."""
    return quote(stream, safe=" ()+,=@") + ".lql"


def read_lql(text: str) -> list[Statement]:
    """The statements of a text. Raises LqlError with everything that is wrong with it."""
    problems = check_statements(text)
    if problems:
        raise LqlError(problems)
    statements = parse_statements(text)
    kinds: dict[str, Name] = {}
    for statement in statements:
        if statement.table is not None and statement.table.text != PEOPLE:
            problems.append(
                Problem.at(statement.table.at, f"There is no table {statement.table.text}: people are INTO {PEOPLE}.")
            )
        for column in statement.columns:
            if column.kind is None:
                continue
            name = column_name(column)
            said = kinds.setdefault(name.casefold(), column.kind)
            if said.text != column.kind.text:
                problems.append(
                    Problem.at(column.kind.at, f"{name} is of the kind {said.text} in a statement before this one.")
                )
    if problems:
        raise LqlError(problems)
    return statements


def import_lql(engine: Engine, text: str, *, origin: str) -> list[Difference]:
    """Read LQL into the draft; what it changed there.

    Fields that the text names are made or changed, fields that it does not name stay. A mapping of a stream that it
    names is removed where the text lacks it. BY orders the identifiers that it names among each other.
    Raises LqlError with the places of everything that is wrong, and Refused; then nothing changed.
    """
    statements = read_lql(text)
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        published = read_schema(connection)
        draft = drafted(published, read_draft(connection))
        after = with_statements(draft, statements)
        write_draft(connection, published, after, origin)
    engine.changes.announce(Change("schema"))
    return compare(draft, after)


def with_statements(schema: Schema, statements: Sequence[Statement]) -> Schema:
    """The schema as these statements want it."""
    by_stream: dict[str, list[ColumnMapping]] = {}
    for statement in statements:
        fields, mappings = statement_mappings(statement)
        said = {column_name(column): column.operator.text for column in statement.columns if column.operator}
        schema = with_fields(
            schema, [_definition(schema.field(field.name), field, said.get(field.name)) for field in fields]
        )
        schema = _ranked_by(schema, [name.text for name in statement.identifiers])
        for mapping in mappings:
            by_stream.setdefault(mapping.stream, []).append(mapping)
    kept = [mapping for mapping in schema.mappings if mapping.stream not in by_stream]
    for stream, columns in by_stream.items():
        kept += _matched(schema, stream, columns)
    return make_schema(schema.fields, kept, schema.shared_limit)


def _definition(there: FieldDefinition | None, said: ColumnField, operator: str | None) -> FieldDefinition:
    """The field as a statement wants it: what it says, and the rest as it is or, for a new field, as it is usual."""
    field = there or FieldDefinition(said.name, merge="")
    kind = said.kind if said.kind_is_said or there is None else field.type
    if operator is None:
        # A field that is there keeps its rule; a new one takes the rule that an aggregate brings.
        operator = field.merge if there is not None else said.operator
    is_identifier = said.is_identifier or field.is_identifier
    if is_identifier:
        operator = ""
    elif operator not in MERGE_OPERATORS[kind]:
        operator = MERGE_OPERATORS[kind][0]
    return replace(
        field,
        label=said.short or field.label,
        description=said.long or field.description,
        type=kind,
        merge=operator,
        is_identifier=is_identifier,
        capacity=said.capacity or field.capacity,
        keep_days=said.keep_days or field.keep_days,
    )


def _ranked_by(schema: Schema, names: Iterable[str]) -> Schema:
    """The identifiers named take the places that they have together, in the order named."""
    wanted = [field.name for name in names if (field := schema.field(name)) is not None]
    waiting = iter(dict.fromkeys(wanted))
    ranking = [next(waiting) if name in wanted else name for name in schema.ranking()]
    return make_schema(schema.fields, schema.mappings, schema.shared_limit, ranking)


def _matched(schema: Schema, stream: str, columns: Sequence[ColumnMapping]) -> list[MappingDefinition]:
    """The mappings that a stream has after a text: those that say the same stay, others change or are new."""
    fields = {field.name.casefold(): field for field in schema.fields}
    there = [mapping for mapping in schema.mappings if mapping.stream == stream]
    waiting = {
        (column.field.casefold(), column.expression, column.condition): column
        for column in columns
    }  # fmt: skip
    kept = []
    for mapping in there:
        meaning = (mapping.field.casefold(), canonical(mapping.expression), canonical_condition(mapping.condition))
        if waiting.pop(meaning, None) is not None:
            kept.append(mapping)
    open_keys: dict[str, list[MappingDefinition]] = {}
    for mapping in there:
        if mapping not in kept:
            open_keys.setdefault(mapping.field.casefold(), []).append(mapping)
    for name, expression, condition in waiting:
        field = fields[name]
        candidates = open_keys.get(name, [])
        # Where a field has several, the one of which half says the same is the one that was changed.
        candidates.sort(
            key=lambda one: (canonical(one.expression) != expression, canonical_condition(one.condition) != condition)
        )
        old = candidates.pop(0) if candidates else None
        mapping = (
            replace(old, expression=expression, condition=condition)
            if old is not None
            else MappingDefinition(new_key(), stream, field.name, expression, condition)
        )
        check_mapping(mapping, field)
        kept.append(mapping)
    return kept


@lru_cache(maxsize=4096)
def canonical(expression: str) -> str:
    """The expression as the language prints it, so that two ways of writing one are equal; else as it is."""
    try:
        return print_expression(parse_expression(expression))
    except LqlError:
        return expression


@lru_cache(maxsize=4096)
def canonical_condition(condition: str) -> str:
    """The condition as the language prints it; "" for none."""
    try:
        return print_expression(parse_condition(condition)) if condition else ""
    except LqlError:
        return condition


def brought_schema(text: str, provider: str) -> Schema:
    """The fields and mappings that a provider's text brings, with keys that are the same every time.

    Raises LqlError.
    """
    schema = with_statements(Schema(), read_lql(text))
    numbers: dict[tuple[str, str], int] = {}
    mappings = []
    for mapping in schema.mappings:
        place = (mapping.stream, mapping.field)
        number = numbers[place] = numbers.get(place, 0) + 1
        digest = hashlib.sha256("\0".join((provider, *place, str(number))).encode()).hexdigest()
        mappings.append(replace(mapping, key=f"m_{digest[:12]}", managed_by=provider))
    return make_schema(
        (replace(field, managed_by=provider) for field in schema.fields), mappings, ranking=schema.ranking()
    )

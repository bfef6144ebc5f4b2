"""The mapping of a stream: which fields its events fill, kept in the workspace and compiled for a run."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Refused
from app.schema.expressions import Convert, column_expression, compile_expression, to_text
from app.schema.fields import Field, ensure_field, field_name, list_fields


class Table:
    """A chunk of records, read by column."""

    def __init__(self, records: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
        self.length = len(records)
        self._records = records
        self._columns: dict[str, Sequence[Any]] | None = None
        self._empty: dict[str, int] = {}
        if columns and records:
            self._columns = dict(zip(columns, zip(*(record.values() for record in records), strict=True), strict=True))
        self._nothing: Sequence[Any] = (None,) * self.length

    def column(self, name: str) -> Sequence[Any]:
        """The raw value of each record, None where it has no such key."""
        if self._columns is not None:
            return self._columns.get(name, self._nothing)
        return [record.get(name) for record in self._records]

    def empty(self, name: str) -> int:
        """How many records have no value there. An empty text is none."""
        count = self._empty.get(name)
        if count is None:
            values = self.column(name)
            count = self._empty[name] = values.count("") + values.count(None)
        return count

    def filled(self) -> dict[str, int]:
        """How many records have a value, by key."""
        names = (
            self._columns if self._columns is not None else dict.fromkeys(key for one in self._records for key in one)
        )
        return {name: count for name in names if (count := self.length - self.empty(name))}


TEXT_OR_NOTHING = {str, type(None)}


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """One mapping of a compiled stream: position of the field among all fields, source column, conversion."""

    position: int
    field: Field
    column: str
    convert: Convert


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """A stream's mappings over the schema as it stood when the run began."""

    fields: tuple[Field, ...]
    columns: tuple[ColumnMapping, ...]
    identifiers: tuple[tuple[int, int], ...]
    """(position, field id) of each identifier field that this stream fills."""

    def evaluate(self, table: Table, unreadable: Counter[str]) -> list[tuple[Any, ...]]:
        """The values of all fields for each record, None for no value.

        It works column by column, which is twice as fast as record by record. `unreadable` counts, by field,
        the values that did not fit the field's type. Where several columns fill a field, the last one counts.
        """
        by_position: list[Sequence[Any] | None] = [None] * len(self.fields)
        for mapping in self.columns:
            raw = table.column(mapping.column)
            empty = table.empty(mapping.column)
            values = converted(raw, mapping.convert, empty)
            if mapping.convert is not to_text and (lost := values.count(None) - empty):
                unreadable[mapping.field.name] += lost
            before = by_position[mapping.position]
            if before is not None:
                values = [old if new is None else new for old, new in zip(before, values, strict=True)]
            by_position[mapping.position] = values
        if not by_position:
            return [()] * table.length
        nothing = [None] * table.length
        return list(zip(*(values or nothing for values in by_position), strict=True))


def converted(raw: Sequence[Any], convert: Convert, empty: int) -> Sequence[Any]:
    """`convert` of each value, once for each distinct one where they repeat. `empty` of them are no value."""
    if not set(map(type, raw)) <= TEXT_OR_NOTHING:
        # 1, 1.0 and True are equal to each other, so only texts may share an answer.
        return list(map(convert, raw))
    if convert is to_text:
        return [value or None for value in raw] if empty else raw
    distinct = set(raw)
    if len(distinct) * 2 > len(raw):
        return list(map(convert, raw))
    table = {value: convert(value) for value in distinct}
    return [table[value] for value in raw]


def load_mapping(connection: sqlite3.Connection, stream_id: int) -> StreamMapping:
    """Compile what the workspace holds for the stream."""
    fields = tuple(list_fields(connection))
    positions = {field.id: position for position, field in enumerate(fields)}
    columns = []
    for field_id, expression in connection.execute(
        "select field_id, expression from mappings where stream_id = ? order by id", (stream_id,)
    ):
        compiled = compile_expression(expression)
        position = positions[field_id]
        columns.append(ColumnMapping(position, fields[position], compiled.column, compiled.convert))
    filled = {column.position for column in columns}
    identifiers = tuple(
        (position, field.id) for position, field in enumerate(fields) if field.is_identifier and position in filled
    )
    return StreamMapping(fields, tuple(columns), identifiers)


def generate_mapping(
    connection: sqlite3.Connection,
    stream_id: int,
    types: Mapping[str, str],
    identifiers: Sequence[str],
    targets: Mapping[str, str],
) -> list[str]:
    """Map each column of `types` (column to text, email, integer …) that has no mapping in this stream yet.

    `targets` names a column's field where it is not the default one; "" leaves a column unmapped. Columns named
    in `identifiers` fill identifier fields. Answers the names of fields that are new. Raises Refused.
    """
    missing = [column for column in identifiers if column not in types]
    if missing:
        raise Refused(
            f"The identifier column {missing[0]} is not in the file.",
            advice=f"Choose one of: {', '.join(list(types)[:20])}.",
        )
    unmappable = [column for column in identifiers if "`" in column or targets.get(column) == ""]
    if unmappable:
        raise Refused(f"The identifier column {unmappable[0]} must fill a profile field.")
    mapped = {
        compile_expression(row[0]).column
        for row in connection.execute("select expression from mappings where stream_id = ?", (stream_id,))
    }
    known = {field.name.lower() for field in list_fields(connection)}
    new = []
    for column, column_type in types.items():
        target = targets.get(column, field_name(column))
        if not target or "`" in column:
            continue
        if column in mapped and column not in identifiers:
            continue
        expression, field_type = column_expression(column, column_type)
        field = ensure_field(connection, target, field_type, identifier=column in identifiers)
        if field.name.lower() not in known:
            known.add(field.name.lower())
            new.append(field.name)
        if column not in mapped:
            connection.execute(
                "insert or ignore into mappings (stream_id, field_id, expression) values (?, ?, ?)",
                (stream_id, field.id, expression_for(field, column, expression)),
            )
    return new


def expression_for(field: Field, column: str, generated: str) -> str:
    """The generated expression, unless the field exists with another type: then the conversion to that type."""
    if compile_expression(generated).type == field.type:
        return generated
    by_type = {"int": "integer", "number": "number", "date": "date", "bool": "boolean", "string": "text"}
    return column_expression(column, by_type[field.type])[0]

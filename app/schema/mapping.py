"""The schema compiled for a run: which fields a stream's events fill, with what, and how people's values meet."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.identity.operators import Combine, Limits, contribution, operator_for, within
from app.identity.resolve import Identifier
from app.lql import Compiled, compile_expression, flatten, values_of
from app.schema.model import FieldDefinition, MappingDefinition, Schema, holds_several
from app.schema.tables import read_schema, version_number

DAY_US = 86_400_000_000
CONVERTED_COLUMN = re.compile(r"(?:[a-z0-9.]+\(\s*)?`[^`]+`(?:\s*\))?")
"""One column, maybe read by one function: where it brings nothing of a value, the value did not fit."""


TEXT_OR_NOTHING = {str, type(None)}
SAMPLED_VALUES = 1_000


class Table:
    """A chunk of records, read by column. `columns` promises that each record has exactly these keys, in order."""

    def __init__(
        self, records: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), times: Sequence[int] = ()
    ) -> None:
        self.length = len(records)
        self.times = times
        self.records = records
        self._columns: dict[str, Sequence[Any]] = {}
        self._nested: Sequence[Mapping[str, Any]] = ()
        self._empty: dict[str, int] = {}
        self._repeats: dict[str, bool] = {}
        columns = columns or _common_keys(records)
        self._whole = bool(columns and records)
        if self._whole:
            self._columns = dict(zip(columns, zip(*(record.values() for record in records), strict=True), strict=True))
            types: set[type] = set().union(*(map(type, column) for column in self._columns.values()))
        else:
            types = {value.__class__ for record in records for value in record.values()}
        self._lists = list in types or dict in types
        if dict in types:
            self._nested, self._columns, self._whole = records, {}, False
            self.records = [flatten(record) for record in records]
        self._nothing: Sequence[Any] = (None,) * self.length

    def column(self, name: str) -> Sequence[Any]:
        """The raw value of each record, None where it has no such key."""
        column = self._columns.get(name)
        if column is None:
            column = self._nothing if self._whole else self._read(name)
            self._columns[name] = column
        return column

    def _read(self, name: str) -> Sequence[Any]:
        if not self._nested:
            return [record.get(name) for record in self.records]
        return [values_of(event, flat, (name,))[0] for event, flat in zip(self._nested, self.records, strict=True)]

    def repeats(self, name: str) -> bool:
        """Whether a column is of texts that come again, so that each different one is best looked at once."""
        answer = self._repeats.get(name)
        if answer is None:
            values = self.column(name)
            sample = values[:SAMPLED_VALUES]
            # 1, 1.0 and True are equal to each other, so only texts may share an answer; lists can't even be compared.
            answer = (
                set(map(type, sample)) <= TEXT_OR_NOTHING
                and len(set(sample)) * 2 <= len(sample)
                and set(map(type, values)) <= TEXT_OR_NOTHING
            )
            self._repeats[name] = answer
        return answer

    def empty(self, name: str) -> int:
        """How many records have no value there. An empty text or list is none."""
        count = self._empty.get(name)
        if count is None:
            values = self.column(name)
            count = values.count("") + values.count(None) + (values.count([]) if self._lists else 0)
            self._empty[name] = count
        return count

    def filled(self) -> dict[str, int]:
        """How many records have a value, by key."""
        names = list(self._columns) if self._whole else dict.fromkeys(key for one in self.records for key in one)
        return {name: count for name in names if (count := self.length - self.empty(name))}


def _common_keys(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys that all records have, in their order, or none where they differ."""
    if not records:
        return []
    keys = list(records[0])
    return keys if all(list(record) == keys for record in records) else []


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """One compiled mapping: the position of its field among all, what it evaluates, and how its values are stored."""

    position: int
    field: str
    compiled: Compiled
    store: Callable[..., Any]
    """`compiled.call` with the answer as the table of people keeps it."""
    conversion: bool
    """Whether a value that brings nothing did not fit, rather than being left out on purpose."""

    def values(self, table: Table) -> Sequence[Any]:
        """The stored value of each record."""
        compiled = self.compiled
        columns = [table.column(name) for name in compiled.columns]
        if compiled.needs_time:
            columns.append(table.times)
        if compiled.needs_event:
            columns.append(table.records)
        if len(columns) == 1 and compiled.pure and compiled.columns and table.repeats(compiled.columns[0]):
            answers = {value: self.store(value) for value in set(columns[0])}
            return [answers[value] for value in columns[0]]
        if not columns:
            return [self.store() for _ in range(table.length)]
        return list(map(self.store, *columns))


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """A stream's compiled mappings. `positions` are those of the fields that its events can fill."""

    width: int
    columns: tuple[ColumnMapping, ...]
    operators: Mapping[int, Combine]
    oldest: Mapping[int, int]
    positions: tuple[int, ...]

    def evaluate(self, table: Table, unreadable: Counter[str]) -> list[tuple[Any, ...]]:
        """The stored values of all fields for each record, None for no value.

        It works column by column, which is twice as fast as record by record. `unreadable` counts, by field, the
        values that did not fit. Where several mappings fill a field, its merge operator joins their values; where
        the newest counts, the last mapping does.
        """
        by_position: list[Sequence[Any] | None] = [None] * self.width
        for mapping in self.columns:
            values = mapping.values(table)
            if mapping.conversion and (lost := values.count(None) - table.empty(mapping.compiled.columns[0])) > 0:
                unreadable[mapping.field] += lost
            before = by_position[mapping.position]
            if before is not None:
                combine = self.operators.get(mapping.position)
                values = [_both(old, new, combine) for old, new in zip(before, values, strict=True)]
            by_position[mapping.position] = values
        for position, oldest in self.oldest.items():
            kept = by_position[position]
            if kept is not None:
                by_position[position] = [
                    value if at >= oldest else None for value, at in zip(kept, table.times, strict=True)
                ]
        if not by_position:
            return [()] * table.length
        nothing = [None] * table.length
        return list(zip(*(values or nothing for values in by_position), strict=True))


def _both(old: Any, new: Any, combine: Combine | None) -> Any:
    """What one event gives to a field by two mappings."""
    if old is None or new is None:
        return old if new is None else new
    return new if combine is None else combine((old, (0, 0), None), (new, (0, 0), None), lambda one, other: False)[0]


class CompiledSchema:
    """A schema ready for events: fields by position, identifiers by rank, merge operators, mappings by stream."""

    def __init__(self, schema: Schema, field_ids: Mapping[str, int], *, version: int, now: int) -> None:
        """`field_ids` are those of the fields by name. `now` (µs since 1970) is what days to keep are counted from."""
        self.version = version
        self.shared_limit = schema.shared_limit
        self.fields: tuple[FieldDefinition, ...] = tuple(sorted(schema.fields, key=lambda one: field_ids[one.name]))
        self.field_ids = tuple(field_ids[field.name] for field in self.fields)
        self._positions = {field.name.casefold(): position for position, field in enumerate(self.fields)}
        self.operators: dict[int, Combine] = {}
        self.oldest = {
            position: now - field.keep_days * DAY_US
            for position, field in enumerate(self.fields)
            if field.keep_days is not None and not field.is_identifier
        }
        """By position, the time (µs since 1970) before which a field keeps nothing."""
        for position, field in enumerate(self.fields):
            limits = Limits(field.capacity, self.oldest.get(position))
            operator = operator_for(field.type, "merge" if field.is_identifier else field.merge, limits)
            if operator is not None:
                self.operators[position] = operator
        ranked = sorted(
            (position for position, field in enumerate(self.fields) if field.is_identifier),
            key=lambda position: (self.fields[position].rank or 0, position),
        )
        self.identifiers = tuple(
            Identifier(position, self.field_ids[position], self.fields[position].type != "[]string")
            for position in ranked
        )
        self._mappings: dict[str, list[MappingDefinition]] = {}
        for mapping in schema.mappings:
            self._mappings.setdefault(mapping.stream, []).append(mapping)
        self._streams: dict[str, StreamMapping] = {}

    def field_name(self, field_id: int) -> str:
        """The name of a field by its id."""
        return self.fields[self.field_ids.index(field_id)].name

    def stream(self, name: str) -> StreamMapping:
        """The mappings of a stream, compiled at first use."""
        compiled = self._streams.get(name)
        if compiled is None:
            columns = tuple(self._compile(mapping) for mapping in self._mappings.get(name, []))
            positions = tuple(sorted({column.position for column in columns}))
            operators = {
                position: operator for position, operator in self.operators.items() if position in set(positions)
            }
            oldest = {position: at for position, at in self.oldest.items() if position in set(positions)}
            compiled = self._streams[name] = StreamMapping(len(self.fields), columns, operators, oldest, positions)
        return compiled

    def _compile(self, mapping: MappingDefinition) -> ColumnMapping:
        position = self._positions[mapping.field.casefold()]
        field = self.fields[position]
        compiled = compile_expression(mapping.expression, kind=field.type, condition=mapping.condition or None)
        return ColumnMapping(
            position,
            field.name,
            compiled,
            _storing(compiled.call, field),
            not mapping.condition
            and len(compiled.columns) == 1
            and not compiled.needs_event
            and CONVERTED_COLUMN.fullmatch(mapping.expression) is not None,
        )


def _storing(call: Callable[..., Any], field: FieldDefinition) -> Callable[..., Any]:
    counted = contribution(field.type, field.merge)
    if counted is not None:
        return lambda *values: counted(call(*values))
    if not holds_several(field.type):
        return call

    capacity = field.capacity

    def as_json(*values: Any) -> str | None:
        value = call(*values)
        if capacity is not None and value and len(value) > capacity:
            value = within(value, capacity)
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else None

    return as_json


def load_schema(connection: sqlite3.Connection, now: int) -> CompiledSchema:
    """Compile the published schema. `now` in microseconds since 1970."""
    ids = {row[0]: row[1] for row in connection.execute("select name, id from fields")}
    return CompiledSchema(read_schema(connection), ids, version=version_number(connection), now=now)

"""What becomes of one column of the data to come, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from app.clock import now_microseconds
from app.lql import Compiled, LqlError, columns_of, compile_expression, parse_expression
from app.schema.column_types import COLUMN_TYPES, SEPARATORS, column_expression, separator_of
from app.schema.fields import Field
from app.schema.words import kind_word
from connectors.kit.types import Preview, Record

SET_TYPES = tuple(f"set:{separator}" for separator in (*SEPARATORS, ""))
"""Types of a column that holds several values, with what stands between them."""
OWN_EXPRESSION = "expression"
"""The type of a column for which somebody wrote what becomes of it."""
LIST = "list"
"""What a preview says of a column whose values are lists, as JSON texts; each list is a set of people's values."""
TRIED_ROWS = 5
OTHER_KINDS_SAID = 4


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column of the data to come and what becomes of it.

    `type` is one of COLUMN_TYPES, SET_TYPES or OWN_EXPRESSION; `expression` is the mapping that follows from it and
    `kind` what that brings; `plain` is the one of COLUMN_TYPES that its values look like. `target` is the profile
    field that it fills, "" for none. `kept` columns are mapped by their stream already: the field and the type stay
    what they are.
    """

    name: str
    sample: str
    type: str
    identifier: bool
    target: str
    kept: bool = False
    imported: bool = True
    expression: str = ""
    kind: str = "string"
    plain: str = "text"


@dataclass(frozen=True, slots=True)
class Kept:
    """A mapping that a stream has already: the field, and the expression that reads the column."""

    field: str
    expression: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an expression makes of the first rows: its kind, and (raw value of the column, stored value) pairs."""

    kind: str
    rows: tuple[tuple[str, Any], ...]


def records_of(preview: Preview) -> list[Record]:
    """The rows of a preview as an import would have them: a text for each column, and lists as lists."""
    names = [column.name for column in preview.columns]
    lists = [column.name for column in preview.columns if column.type == LIST]
    found: list[Record] = []
    for row in preview.rows:
        record: Record = dict(zip(names, row, strict=False))
        for name in lists:
            with suppress(orjson.JSONDecodeError):
                record[name] = orjson.loads(record.get(name) or "null")
        found.append(record)
    return found


def type_of(column: str, expression: str) -> str:
    """The type of a column that an expression reads: one of COLUMN_TYPES or SET_TYPES, else OWN_EXPRESSION."""
    for plain in COLUMN_TYPES:
        if expression == column_expression(column, plain)[0]:
            return plain
    separator = separator_of(column, expression)
    return OWN_EXPRESSION if separator is None else f"set:{separator}"


class Programs:
    """Expressions compiled once, as the same ones are looked at after each edit."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], Compiled] = {}

    def compiled(self, expression: str, kind: str = "") -> Compiled:
        """The expression ready to run; its answers are of `kind`, "" for what it brings. Raises LqlError."""
        found = self._compiled.get((expression, kind))
        if found is None:
            found = self._compiled[expression, kind] = compile_expression(expression, kind=kind or None)
        return found

    def kind(self, expression: str) -> str:
        """What an expression brings; text for one that can't be read, as a job's options written by hand may be."""
        try:
            return self.compiled(expression).kind
        except LqlError:
            return "string"

    def fault(self, expression: str, kind: str = "") -> str:
        """What is wrong with an expression, "" for nothing."""
        try:
            self.compiled(expression, kind)
        except LqlError as error:
            return error.message
        return ""

    def attempt(self, expression: str, kind: str, texts: Sequence[str], events: Sequence[Record]) -> Attempt:
        """What an expression makes of rows with different values, a few of them. Raises LqlError.

        `texts` are the values of the column that it is about, `events` the rows that they are of.
        """
        compiled = self.compiled(expression, kind)
        tried: dict[str, Any] = {}
        for raw, event in zip(texts, events, strict=True):
            if not raw or raw in tried:
                continue
            arguments: list[Any] = [event.get(name) for name in compiled.columns]
            if compiled.needs_time:
                arguments.append(now_microseconds())
            if compiled.needs_event:
                arguments.append(event)
            tried[raw] = compiled.call(*arguments)
            if len(tried) == TRIED_ROWS:
                break
        return Attempt(compiled.kind, tuple(tried.items()))

    def missing_columns(self, columns: Sequence[ColumnChoice]) -> list[str]:
        """A sentence for each expression that reads what is not imported."""
        there = {column.name for column in columns}
        found = []
        for column in columns:
            if column.type == OWN_EXPRESSION and not column.kept and not self.fault(column.expression):
                missing = [name for name in columns_of(parse_expression(column.expression)) if name not in there]
                if missing:
                    found.append(f"The expression of {column.name} reads {', '.join(missing)}, which is not imported.")
        return found


def shared_targets(columns: Iterable[ColumnChoice]) -> list[str]:
    """A sentence for each field that several columns fill."""
    sources: dict[str, list[str]] = {}
    for column in columns:
        if column.target:
            sources.setdefault(column.target.lower(), []).append(column.name)
    return [
        f"{', '.join(names)} all fill {target}; where several have a value, the last one counts."
        for target, names in sources.items()
        if len(names) > 1
    ]


def other_kinds(columns: Iterable[ColumnChoice], fields: Mapping[str, Field]) -> list[str]:
    """Where a field (by its lower-case name) exists with another kind than its column brings, and what is done then."""
    found = []
    for column in columns:
        field = fields.get(column.target.lower())
        if field is not None and not column.kept and field.type != column.kind:
            there, brought = kind_word(field.type).lower(), kind_word(column.kind).lower()
            found.append(
                f"{field.name} is {there} in the schema and {column.name} would bring {brought}: the field stays "
                f"{there}, values are converted, and what can't be is left out of people."
            )
    more = len(found) - OTHER_KINDS_SAID
    rest = [f"{more} more columns differ from their fields likewise."] if more > 0 else []
    return [*found[:OTHER_KINDS_SAID], *rest]

"""What a statement says about fields and mappings, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from app.lql.checker import kind_of, name_of
from app.lql.compiler import operator_of
from app.lql.printer import print_expression
from app.lql.tree import Column, Expression, Logic, Statement


@dataclass(frozen=True, slots=True)
class ColumnField:
    """What the columns of one name say about its field; None and "" where they say nothing."""

    name: str
    kind: str
    """The one said by KIND, else the one that the expression brings; "string" where neither is known."""
    kind_is_said: bool
    operator: str | None
    """The one said by MERGEOP, else the one that an aggregate brings."""
    short: str
    long: str
    capacity: int | None
    keep_days: int | None
    is_identifier: bool


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """One column as a mapping: expression and condition as text, the statement's WHERE in the condition."""

    stream: str
    field: str
    expression: str
    condition: str


def statement_mappings(statement: Statement) -> tuple[tuple[ColumnField, ...], tuple[ColumnMapping, ...]]:
    """The fields of a statement, each once, and its mappings, one a column. Expects a statement without mistakes."""
    identifiers = {name.text for name in statement.identifiers}
    stream = statement.stream.text if statement.stream else ""
    by_name: dict[str, list[Column]] = {}
    mappings = []
    for column in statement.columns:
        name = column_name(column)
        by_name.setdefault(name, []).append(column)
        condition = _both(statement.condition, column.condition)
        mappings.append(
            ColumnMapping(
                stream,
                name,
                print_expression(column.expression),
                "" if condition is None else print_expression(condition),
            )
        )
    fields = tuple(_field(name, columns, name in identifiers) for name, columns in by_name.items())
    return fields, tuple(mappings)


def column_name(column: Column) -> str:
    """The name after AS, else the one that the expression gives; "" where neither is there."""
    return column.name.text if column.name else name_of(column.expression) or ""


def _both(first: Expression | None, second: Expression | None) -> Expression | None:
    if first is None or second is None:
        return second if first is None else first
    return Logic("AND", (*_conjuncts(first), *_conjuncts(second)))


def _conjuncts(test: Expression) -> tuple[Expression, ...]:
    if isinstance(test, Logic) and test.operator == "AND" and not test.listed:
        return test.operands
    return (test,)


def _field(name: str, columns: list[Column], is_identifier: bool) -> ColumnField:
    said = next((column.kind.text for column in columns if column.kind), None)
    brought = next((kind for column in columns if (kind := kind_of(column.expression))), None)
    operators = (column.operator.text if column.operator else operator_of(column.expression) for column in columns)
    return ColumnField(
        name=name,
        kind=said or brought or "string",
        kind_is_said=said is not None,
        operator=None if is_identifier else next((operator for operator in operators if operator), None),
        short=next((column.short for column in columns if column.short), ""),
        long=next((column.long for column in columns if column.long), ""),
        capacity=next((column.capacity for column in columns if column.capacity), None),
        keep_days=next((column.keep_days for column in columns if column.keep_days), None),
        is_identifier=is_identifier,
    )

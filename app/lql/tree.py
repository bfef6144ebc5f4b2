"""The syntax tree of the mapping language. Nodes are equal when they mean the same; where they stand does not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: lines and columns count from 1, the end column is the first one behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


NOWHERE: Final = Span(1, 1, 1, 1)
"""Of nodes that were not read from a text."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, true, false, or NULL (None)."""

    value: str | int | float | bool | None
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """The value that the event has under a key."""

    name: str
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Star:
    """The `*` of count(*): every event."""

    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Items:
    """A list: ["a", 3]."""

    items: tuple[Expression, ...]
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its lower-case name. `cast(x AS int)` is cast(x, "int"), `EXISTS x` is exists(x)."""

    name: str
    arguments: tuple[Expression, ...]
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides and one of + - * / % == != < <= > >= LIKE CONTAINS IN INTERSECTS."""

    operator: str
    left: Expression
    right: Expression
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Between:
    """`value BETWEEN low AND high`, without the ends."""

    value: Expression
    low: Expression
    high: Expression
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """AND or OR of several, between them or (`listed`) as a list in front: AND (a, b)."""

    operator: str
    operands: tuple[Expression, ...]
    listed: bool = False
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a test."""

    operand: Expression
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class When:
    """`value IF condition ELSE other`; without `other` it has no value where the condition does not hold."""

    value: Expression
    condition: Expression
    other: Expression | None = None
    at: Span = field(default=NOWHERE, compare=False, repr=False)


Expression: TypeAlias = Literal | Field | Star | Items | Call | Binary | Between | Logic | Not | When


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a column, stream, table or statement."""

    text: str
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what is evaluated, where it goes, and what is said about the field."""

    expression: Expression
    name: Name | None = None
    condition: Expression | None = None
    kind: Name | None = None
    operator: Name | None = None
    short: str | None = None
    long: str | None = None
    capacity: int | None = None
    keep_days: int | None = None
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """SELECT columns FROM stream INTO table BY names WHERE condition ALIAS name."""

    columns: tuple[Column, ...]
    stream: Name | None = None
    table: Name | None = None
    identifiers: tuple[Name, ...] = ()
    condition: Expression | None = None
    alias: Name | None = None
    at: Span = field(default=NOWHERE, compare=False, repr=False)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside of one."""
    match node:
        case Items(items):
            return items
        case Call(arguments=arguments):
            return arguments
        case Binary(left=left, right=right):
            return (left, right)
        case Between(value, low, high):
            return (value, low, high)
        case Logic(operands=operands):
            return operands
        case Not(operand):
            return (operand,)
        case When(value, condition, other):
            return (value, condition) if other is None else (value, condition, other)
        case _:
            return ()

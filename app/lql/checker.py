"""Finds what is wrong with expressions and statements that can be read: every mistake, with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from app.lql.functions import FUNCTIONS, NOT_LITERAL, BadArgument, Function
from app.lql.kinds import MERGE_OPERATORS, map_of
from app.lql.parser import read_statements
from app.lql.problems import LqlError, Problem
from app.lql.tree import (
    Between,
    Binary,
    Call,
    Column,
    Expression,
    Field,
    Items,
    Literal,
    Logic,
    Name,
    Not,
    Span,
    Star,
    Statement,
    When,
    children,
)

ARITHMETIC = frozenset("+-*/%")
ADD_NOTHING = frozenset(("todate", "toint", "tostring", "tofloat"))
"""Casts leave no trace in the name of a column without AS."""
SHORTENED = {"count": "ct", "valuect": "cts"}
CAST_KINDS = {"time": "date", "char": "string"}
WRITTEN_ONLY = ("ifcase",)
"""Calls that are no functions: their arguments are not all evaluated."""


def is_test(node: Expression) -> bool:
    """Whether it answers yes or no whatever the event."""
    match node:
        case Literal(value):
            return isinstance(value, bool)
        case Binary(operator):
            return operator not in ARITHMETIC
        case Logic(operator, operands, listed):
            return not (listed and operator == "OR") or any(map(is_test, operands))
        case Between() | Not():
            return True
        case Call(name):
            return name in FUNCTIONS and FUNCTIONS[name].result == "bool"
        case _:
            return False


def is_first_of(node: Expression) -> bool:
    """Whether `or(a, b)` stands where a value is asked for, and so means the first that is there."""
    return isinstance(node, Logic) and not is_test(node)


def kind_of(node: Expression) -> str | None:
    """The kind that an expression brings, as far as its text says; None where the event decides."""
    match node:
        case Literal(value):
            return {bool: "bool", int: "int", float: "number", str: "string"}.get(value.__class__)
        case Items():
            return "[]string"
        case Binary(operator, left, right) if operator in ARITHMETIC:
            return "int" if kind_of(left) == kind_of(right) == "int" else "number"
        case Logic(_, operands) if is_first_of(node):
            return _common(operands)
        case Binary() | Between() | Logic() | Not():
            return "bool"
        case When(value, _, other):
            return kind_of(value) if other is None else _common((value, other))
        case Call(name, arguments):
            return _kind_of_call(name, arguments)
        case _:
            return None


def _kind_of_call(name: str, arguments: Sequence[Expression]) -> str | None:
    function = FUNCTIONS.get(name)
    if name == "ifcase":
        return _common(arguments)
    if function is None:
        return None
    if function.name == "map" and len(arguments) == 2:
        return map_of(kind_of(arguments[1]) or "string")
    if function.result is not None:
        return function.result
    match function.name, arguments:
        case "cast", (_, Literal(str() as kind)):
            kind = kind.lower()
            return CAST_KINDS.get(kind, kind if kind in MERGE_OPERATORS else None)
        case "array.index", _:
            return "string"
        case "oneof" | "or", _:
            return _common(arguments)
        case _, (value, *_):
            return kind_of(value)
        case _:
            return None


def _common(nodes: Sequence[Expression]) -> str | None:
    kinds = {kind_of(node) for node in nodes}
    return kinds.pop() if len(kinds) == 1 else None


def columns_of(node: Expression) -> tuple[str, ...]:
    """The keys of the event that an expression reads, each once, in the order in which they stand."""
    found: dict[str, None] = {}
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Field):
            found[current.name] = None
        waiting += reversed(children(current))
    return tuple(found)


def name_of(node: Expression) -> str | None:
    """The name that a column has without AS: the field's own, or function and field; None where neither is there."""
    match node:
        case Field(name):
            return name
        case When(value):
            return name_of(value)
        case Call(name, arguments):
            inner = next((column for argument in arguments for column in columns_of(argument)), None)
            if inner is None:
                return None
            return inner if name in ADD_NOTHING else f"{SHORTENED.get(name, name)}_{inner}"
        case _:
            return next(iter(columns_of(node)), None)


def literal_of(node: Expression) -> Any:
    """The value of a literal, or of a list of literals; NOT_LITERAL for anything else."""
    match node:
        case Literal(value):
            return value
        case Items(items):
            values = [literal_of(item) for item in items]
            return NOT_LITERAL if any(value is NOT_LITERAL for value in values) else values
        case _:
            return NOT_LITERAL


def check_expression(node: Expression, *, outermost: bool = True) -> Iterator[Problem]:
    """What is wrong with an expression. Only `outermost` may an aggregate stand, since the person keeps its result."""
    match node:
        case When(value, condition, other):
            yield from check_expression(value, outermost=outermost)
            yield from check_expression(condition, outermost=False)
            if other is not None:
                yield from check_expression(other, outermost=outermost)
        case Call("ifcase", arguments):
            yield from _check_ifcase(node, outermost)
            for argument in arguments:
                yield from check_expression(argument, outermost=outermost)
        case Call(name, arguments):
            yield from _check_call(node, outermost)
            for argument in arguments:
                if not isinstance(argument, Star):
                    yield from check_expression(argument, outermost=False)
                elif name != "count" or len(arguments) != 1:
                    yield Problem.at(argument.at, "* stands alone in count(*) and nowhere else.")
        case _:
            for child in children(node):
                yield from check_expression(child, outermost=False)


def _check_ifcase(node: Call, outermost: bool) -> Iterator[Problem]:
    *cases, last = node.arguments or (None,)
    if last is None or (not cases and not isinstance(last, When)):
        yield Problem.at(node.at, "ifcase takes values with conditions: ifcase(value IF condition, other).")
    for case in cases:
        if not isinstance(case, When):
            yield Problem.at(case.at, "Only the last value of ifcase stands without IF.")


def _check_call(node: Call, outermost: bool) -> Iterator[Problem]:
    function = FUNCTIONS.get(node.name)
    if function is None:
        yield Problem.at(_name_span(node), f"There is no function {node.name}.{_suggestion(node.name)}")
        return
    if function.filter_only:
        yield Problem.at(_name_span(node), f"{node.name} is for audiences: it looks at people, not at events.")
    if function.operator is not None and not outermost:
        yield Problem.at(
            _name_span(node),
            f"{node.name} adds up over all events of a person, so nothing can stand around it in a mapping.",
        )
    count = len(node.arguments)
    if count < function.least or (function.most is not None and count > function.most):
        yield Problem.at(node.at, f"{node.name} takes {_how_many(function)}, not {count}.")
    elif function.prepare is not None:
        try:
            function.prepare([literal_of(argument) for argument in node.arguments])
        except BadArgument as bad:
            yield Problem.at(node.arguments[bad.index].at, bad.sentence)


def _name_span(node: Call) -> Span:
    at = node.at
    return Span(at.line, at.column, at.line, at.column + len(node.name))


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name, [*FUNCTIONS, *WRITTEN_ONLY], n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _how_many(function: Function) -> str:
    least, most = function.least, function.most
    if most is None:
        return f"{_number(least)} or more" if least else "any number of arguments"
    return _number(least) if least == most else f"{least} to {_number(most)}"


def _number(count: int) -> str:
    return "no argument" if count == 0 else "1 argument" if count == 1 else f"{count} arguments"


def check_statements(text: str) -> list[Problem]:
    """Every mistake of a text of statements, in the order of the text. Never raises."""
    statements, problems = read_statements(text)
    for statement in statements:
        problems += check_statement(statement)
    return sorted(set(problems))


def check_statement(statement: Statement) -> Iterator[Problem]:
    """What is wrong with one statement."""
    if statement.stream is None:
        yield Problem.at(_begin(statement.at), "This statement says no stream: FROM is missing.")
    if statement.condition is not None:
        yield from check_expression(statement.condition, outermost=False)
    identifiers = {name.text for name in statement.identifiers}
    known: dict[str, str] = {}
    for column in statement.columns:
        yield from check_expression(column.expression)
        if column.condition is not None:
            yield from check_expression(column.condition, outermost=False)
        yield from _check_column(column, identifiers, known)
    for name in statement.identifiers:
        if name.text not in known:
            yield Problem.at(name.at, f"BY names {name.text}, but no column has this name.")


def _check_column(column: Column, identifiers: set[str], known: dict[str, str]) -> Iterator[Problem]:
    """One column's name, kind and merge operator; `known` is each name's kind so far ("" for not said)."""
    name = column.name.text if column.name else name_of(column.expression)
    at = column.name.at if column.name else column.expression.at
    if name is None:
        yield Problem.at(at, "This column has no name: add AS and a name.")
        return
    said = column.kind.text if column.kind else None
    if column.kind and said not in MERGE_OPERATORS:
        close = difflib.get_close_matches(column.kind.text, MERGE_OPERATORS, n=1)
        yield Problem.at(column.kind.at, f"There is no kind {said}.{f' Did you mean {close[0]}?' if close else ''}")
        said = None
    kind = said or kind_of(column.expression)
    if known.get(name) and kind and known[name] != kind:
        yield Problem.at(at, f"{name} has the kind {known[name]} in a column before this one, and {kind} here.")
    known[name] = known.get(name) or kind or ""
    if column.operator is not None:
        yield from _check_operator(column.operator, name, kind or "string", name in identifiers)


def _check_operator(operator: Name, name: str, kind: str, is_identifier: bool) -> Iterator[Problem]:
    if is_identifier:
        yield Problem.at(operator.at, f"{name} is an identifier (BY), and identifiers have no merge operator.")
        return
    if all(operator.text not in legal for legal in MERGE_OPERATORS.values()):
        yield Problem.at(operator.at, f"There is no merge operator {operator.text}.")
    elif kind in MERGE_OPERATORS and operator.text not in MERGE_OPERATORS[kind]:
        legal = ", ".join(MERGE_OPERATORS[kind])
        yield Problem.at(operator.at, f"{kind} can't be merged by {operator.text}. Possible are: {legal}.")


def _begin(at: Span) -> Span:
    return Span(at.line, at.column, at.line, at.column + len("SELECT"))


def require_sound(node: Expression, *, outermost: bool = True) -> None:
    """Raise LqlError when something is wrong with an expression."""
    if problems := list(check_expression(node, outermost=outermost)):
        raise LqlError(problems)

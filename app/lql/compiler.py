"""Turns expressions into Python functions: one generated expression for each, so that an event costs few calls.

What is generated consists of names that are made here (a0, f1, m) and of Python's own words; texts and numbers of the
expression are never part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.lql import compare, operators
from app.lql.checker import is_first_of, kind_of, literal_of, require_sound
from app.lql.functions import FUNCTIONS
from app.lql.kinds import MERGE_OPERATORS
from app.lql.parser import parse_condition, parse_expression
from app.lql.problems import LqlError, Problem
from app.lql.stored import STORE
from app.lql.tree import (
    NOWHERE,
    Between,
    Binary,
    Call,
    Expression,
    Field,
    Items,
    Literal,
    Logic,
    Not,
    Star,
    When,
)
from app.lql.values.moments import is_relative
from app.lql.values.reading import EPOCH

DEEPEST_SOURCE: Final = 20
"""Levels in one generated expression; Python reads no more than 100 or so brackets in each other."""

TESTS: Mapping[str, Callable[..., Any]] = {
    "==": compare.equal,
    "!=": compare.unequal,
    "LIKE": compare.like,
    "CONTAINS": compare.contains,
    "IN": compare.intersects,
    "INTERSECTS": compare.intersects,
}
IN_TIME = frozenset(("==", "!=", "<", "<=", ">", ">="))
"""Comparisons that may have to know when now is, for "now-3d"."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to run on events, answering what a field of `kind` keeps, or None for no value."""

    columns: tuple[str, ...]
    """Keys of the event whose raw values are the arguments of `call`, in this order."""

    needs_time: bool
    """Then the event's time follows, in whole microseconds since 1970 UTC."""

    needs_event: bool
    """Then the flattened event follows."""

    call: Callable[..., Any]

    kind: str

    operator: str
    """The merge operator that the expression brings, else the usual one of the kind."""

    pure: bool
    """Same arguments, same answer."""


def compile_expression(
    text: str | Expression, *, kind: str | None = None, condition: str | Expression | None = None
) -> Compiled:
    """Make a mapping's expression ready to run.

    `kind` is that of the field it fills; without it, the expression's own counts, and text where it has none. Where
    `condition` ("" for always) is not exactly true there is no value. Raises LqlError.
    """
    node = parse_expression(text) if isinstance(text, str) else text
    require_sound(node)
    test = (parse_condition(condition) if condition else None) if isinstance(condition, str) else condition
    if test is not None:
        require_sound(test, outermost=False)
    kind = kind or kind_of(node) or "string"
    if kind not in STORE:
        raise LqlError([Problem.at(NOWHERE, f"There is no kind {kind}.")])
    writer = Writer()
    source = writer.stored(node, kind)
    if test is not None:
        source = f"({source} if {writer.test(test)} else None)"
    return Compiled(
        columns=tuple(writer.columns),
        needs_time=writer.needs_time,
        needs_event=writer.needs_event,
        call=writer.function(source),
        kind=kind,
        operator=operator_of(node) or MERGE_OPERATORS[kind][0],
        pure=writer.pure,
    )


def operator_of(node: Expression) -> str | None:
    """The merge operator that an aggregate brings; None for other expressions."""
    if isinstance(node, When):
        return operator_of(node.value)
    if isinstance(node, Call):
        if node.name == "ifcase":
            return operator_of(node.arguments[0])
        return FUNCTIONS[node.name].operator
    return None


def compile_value(node: Expression) -> tuple[tuple[str, ...], Callable[[Sequence[Any], datetime, Any, datetime], Any]]:
    """For a look at one event: the columns, and a function of their values, the event's time, the event, and now.

    It answers the value of the language itself, not what a field would keep. Raises LqlError.
    """
    require_sound(node)
    writer = Writer(for_one_event=True)
    body = writer.value(node)
    columns = ", ".join(writer.columns.values())
    return tuple(writer.columns), writer.run(f"def call(values, m, e, n):\n    [{columns}] = values\n    return {body}")


def moment_of(us: int) -> datetime:
    """An event's time as a date of the language."""
    return EPOCH + timedelta(microseconds=us)


class Writer:
    """Writes one expression as Python.

    In what it writes, a0, a1 … are the values of columns, m is the event's time, n is now, e is the event.
    """

    def __init__(self, *, for_one_event: bool = False) -> None:
        self.columns: dict[str, str] = {}
        self.names: dict[str, Any] = {"moment_of": moment_of}
        self.needs_time = False
        self.needs_event = False
        self.pure = True
        self._for_one_event = for_one_event
        self._depth = 0

    def function(self, source: str) -> Callable[..., Any]:
        """The function for the source of the whole expression: columns, time and event in, the answer out."""
        arguments = [*self.columns.values(), *(["t"] if self.needs_time else []), *(["e"] if self.needs_event else [])]
        name, bracket, inner = source.partition("(")
        if bracket and inner == ", ".join(arguments) + ")" and name in self.names:
            # Nothing but one function of the columns as they come: no need for a function around it.
            found: Callable[..., Any] = self.names[name]
            return found
        moments = "    m = n = moment_of(t)\n" if self.needs_time else ""
        return self.run(f"def call({', '.join(arguments)}):\n{moments}    return {source}")

    def run(self, source: str) -> Callable[..., Any]:
        """The function `call` of a source."""
        space = dict(self.names)
        exec(compile(source, "<lql>", "exec"), space)
        made: Callable[..., Any] = space["call"]
        return made

    def bind(self, thing: Any, letter: str = "k") -> str:
        """A name for something that is no part of the source."""
        for name, known in self.names.items():
            if known is thing:
                return name
        name = f"{letter}{len(self.names)}"
        self.names[name] = thing
        return name

    # What an expression is written as

    def stored(self, node: Expression, kind: str) -> str:
        """What a field of a kind keeps of the expression's value."""
        if isinstance(node, When):
            other = "None" if node.other is None else self.stored(node.other, kind)
            return f"({self.stored(node.value, kind)} if {self.test(node.condition)} else {other})"
        if isinstance(node, Call) and node.name in FUNCTIONS:
            function = FUNCTIONS[node.name]
            literals = [literal_of(argument) for argument in node.arguments]
            prepared = function.prepare is not None and function.prepare(literals) is not None
            if function.stored is not None and function.result == kind and not prepared and not self._in_time(node):
                arguments = self._arguments(node)
                return f"{self.bind(function.stored, 'f')}({', '.join(arguments)})"
        return f"{self.bind(STORE[kind], 'f')}({self.value(node)})"

    def test(self, node: Expression) -> str:
        """Python's own yes or no: whether the expression is exactly true."""
        return self._nested(self._test, node)

    def value(self, node: Expression) -> str:
        """The expression's value."""
        return self._nested(self._value, node)

    def _nested(self, write: Callable[[Expression], str], node: Expression) -> str:
        self._depth += 1
        try:
            if self._depth % DEEPEST_SOURCE:
                return write(node)
            # Too deep for one Python expression: the inner part becomes a function of its own.
            body = write(node)
            columns = list(self.columns.values())
            name = self.bind(self.run(f"def call({', '.join([*columns, 'm', 'n', 'e'])}):\n    return {body}"), "h")
            time = ["m", "n"] if self.needs_time or self._for_one_event else ["None", "None"]
            event = ["e"] if self.needs_event or self._for_one_event else ["None"]
            return f"{name}({', '.join([*columns, *time, *event])})"
        finally:
            self._depth -= 1

    def _test(self, node: Expression) -> str:
        match node:
            case Logic(operator, operands, False):
                return "(" + f" {operator.lower()} ".join(self.test(operand) for operand in operands) + ")"
            case Logic("OR", operands):
                return "(" + " or ".join(self.test(operand) for operand in operands) + ")"
            case _:
                return f"({self.value(node)} is True)"

    def _value(self, node: Expression) -> str:
        match node:
            case Literal(None):
                return "None"
            case Literal(value):
                return self.bind(value)
            case Field(name):
                return self.columns.setdefault(name, f"a{len(self.columns)}")
            case Star():
                return "True"
            case Items():
                return self._items(node)
            case Binary(operator, left, right) if operator in operators.ARITHMETIC:
                return self._call(operators.ARITHMETIC[operator], left, right)
            case Binary():
                return self._comparison(node)
            case Between(value, low, high):
                return self._call(compare.between, value, low, high, now=True)
            case Logic(_, operands) if is_first_of(node):
                return self._call(FUNCTIONS["oneof"].call, *operands)
            case Logic("AND", operands, True):
                return self._call(operators.every, *operands)
            case Logic():
                return self.test(node)
            case Not(operand):
                return f"{self.bind(operators.negate, 'f')}({self._decided(operand)})"
            case When(value, condition, other):
                otherwise = "None" if other is None else self.value(other)
                return f"({self.value(value)} if {self.test(condition)} else {otherwise})"
            case Call("ifcase", arguments):
                return self._cases(arguments)
            case Call():
                return self._function(node)

    def _decided(self, node: Expression) -> str:
        """The value of a test, where `or(a, b)` is a test too."""
        return self.test(node) if is_first_of(node) else self.value(node)

    def _items(self, node: Items) -> str:
        literal = literal_of(node)
        if isinstance(literal, list) and None not in literal:
            return self.bind(literal)
        return self._call(operators.collect, *node.items)

    def _call(self, function: Callable[..., Any], *arguments: Expression, now: bool = False) -> str:
        written = [self.value(argument) for argument in arguments]
        if now and (self._for_one_event or any(map(_is_relative, arguments))):
            self.needs_time = True
            written.append("n")
        return f"{self.bind(function, 'f')}({', '.join(written)})"

    def _comparison(self, node: Binary) -> str:
        operator, left, right = node.operator, node.left, node.right
        if right == Literal(None) and operator in ("==", "!="):
            return self._call(operators.is_null if operator == "==" else operators.is_not_null, left)
        if operator in ("IN", "INTERSECTS") and isinstance(right, Items) and not isinstance(literal_of(right), list):
            spread = ", ".join(self.value(item) for item in right.items)
            choices = f"{self.bind(operators.spread, 'f')}({spread})"
            return f"{self.bind(compare.intersects, 'f')}({self.value(left)}, {choices})"
        if operator in TESTS:
            return self._call(TESTS[operator], left, right, now=operator in IN_TIME)
        return self._call(compare.ordered, Literal(operator), left, right, now=True)

    def _cases(self, arguments: Sequence[Expression]) -> str:
        *cases, last = arguments
        written = self.value(last)
        for case in reversed(cases):
            assert isinstance(case, When), "the checker lets nothing else through"
            written = f"({self.value(case.value)} if {self.test(case.condition)} else {written})"
        return written

    def _function(self, node: Call) -> str:
        function = FUNCTIONS[node.name]
        literals = [literal_of(argument) for argument in node.arguments]
        call = (function.prepare(literals) if function.prepare is not None else None) or function.call
        arguments = self._arguments(node)
        if self._in_time(node) and function.timed is not None:
            self.needs_time = True
            call, arguments = function.timed, ["n", *arguments]
        return f"{self.bind(call, 'f')}({', '.join(arguments)})"

    def _in_time(self, node: Call) -> bool:
        """Whether a function that reads dates must know when now is."""
        function = FUNCTIONS[node.name]
        return function.timed is not None and (self._for_one_event or any(map(_is_relative, node.arguments)))

    def _arguments(self, node: Call) -> list[str]:
        """What a function is called with: the event's time and the event in front where it asks for them."""
        function = FUNCTIONS[node.name]
        self.pure = self.pure and function.pure
        front: list[str] = []
        if function.needs_time:
            self.needs_time = True
            front.append("m")
        if function.needs_event:
            self.needs_event = True
            front.append("e")
        return front + [self.value(argument) for argument in node.arguments]


def _is_relative(node: Expression) -> bool:
    return isinstance(node, Literal) and is_relative(node.value)

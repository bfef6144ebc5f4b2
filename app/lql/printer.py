"""Writes a syntax tree as text that reads back as the same tree: one column a line, aligned."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.lql.grammar import KEYWORDS
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
    Not,
    Star,
    Statement,
    When,
)

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
KIND = re.compile(r"[a-z_][a-z0-9_]*(\[[a-z]*\][a-z]*)?|\[\][a-z]+")
WORST_IN_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
LONGEST_EXPRESSION = 60
"""Longer ones do not push the names of all other columns to the right."""

CHOICE, EITHER, BOTH, NEGATION, COMPARISON, SUM, PRODUCT, ATOM = range(8)
"""How tightly things bind; an operand that binds less than its place asks for stands in brackets."""

OPERATOR_LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT}
NEGATED = ("IN", "LIKE", "CONTAINS", "INTERSECTS")


def quote(name: str) -> str:
    """A name as it stands in a text: plain, or in backticks."""
    return name if PLAIN.fullmatch(name) and name.upper() not in KEYWORDS else f"`{name}`"


def quote_text(text: str) -> str:
    """A text in double quotes."""
    return f'"{text.translate(WORST_IN_TEXT)}"'


def print_expression(expression: Expression) -> str:
    """The expression in one line."""
    return _print(expression, CHOICE)


def print_statement(statement: Statement) -> str:
    """The statement in lines, ending with a semicolon and a line end."""
    lines = ["SELECT"]
    heads = [_head(column) for column in statement.columns]
    names = [f"AS {quote(column.name.text)}" if column.name else "" for column in statement.columns]
    tails = [_options(column) for column in statement.columns]
    width = _width(heads)
    name_width = _width(names)
    for number, (head, name, tail) in enumerate(zip(heads, names, tails, strict=True)):
        begin = "    " if not number else "  , "
        middle = f"{head:<{width}} {name:<{name_width}} {tail}" if name else f"{head} {tail}"
        lines.append(begin + middle.rstrip())
    for word, name_ in (("FROM", statement.stream), ("INTO", statement.table)):
        if name_:
            lines.append(f"{word} {quote(name_.text)}")
    if statement.identifiers:
        lines.append("BY " + " OR ".join(quote(name.text) for name in statement.identifiers))
    if statement.condition is not None:
        lines.append("WHERE " + _print(statement.condition, EITHER))
    if statement.alias:
        lines.append(f"ALIAS {quote(statement.alias.text)}")
    return "\n".join(lines) + ";\n"


def _head(column: Column) -> str:
    # The IF of a value and the column's own condition must not be taken for each other.
    guarded = column.condition is not None or (isinstance(column.expression, When) and column.expression.other is None)
    return _print(column.expression, EITHER if guarded else CHOICE)


def _width(cells: Sequence[str]) -> int:
    return max((len(cell) for cell in cells if len(cell) <= LONGEST_EXPRESSION), default=0)


def _options(column: Column) -> str:
    limits = [str(column.capacity)] if column.capacity else []
    limits += [f"{column.keep_days}d"] if column.keep_days else []
    said = (
        f"SHORTDESC {quote_text(column.short)}" if column.short is not None else "",
        f"LONGDESC {quote_text(column.long)}" if column.long is not None else "",
        f"KIND {column.kind.text}" if column.kind else "",
        f"MERGEOP {quote(column.operator.text)}" if column.operator else "",
        f"CAP {quote_text(', '.join(limits))}" if limits else "",
        f"IF {_print(column.condition, EITHER)}" if column.condition is not None else "",
    )
    return "  ".join(option for option in said if option)


def _print(node: Expression, place: int) -> str:
    text, level = _form(node)
    return text if level >= place else f"({text})"


def _form(node: Expression) -> tuple[str, int]:
    """The text of a node and how tightly it binds."""
    match node:
        case Literal(value):
            return _literal(value), ATOM
        case Field(name):
            return quote(name), ATOM
        case Star():
            return "*", ATOM
        case Items(items):
            return f"[{_list(items)}]", ATOM
        case Call("cast", (value, Literal(str() as kind))) if KIND.fullmatch(kind):
            return f"cast({_print(value, CHOICE)} AS {kind})", ATOM
        case Call("exists", (value,)):
            return f"exists({_print(value, CHOICE)})", ATOM
        case Call(name, arguments):
            return f"{name}({_list(arguments)})", ATOM
        case Binary() | Between():
            return _comparison(node, "")
        case Logic(operator, operands, True):
            return f"{operator} ({_list(operands)})", ATOM
        case Logic("AND", operands):
            return " AND ".join(_print(operand, NEGATION) for operand in operands), BOTH
        case Logic(_, operands):
            return " OR ".join(_print(operand, BOTH) for operand in operands), EITHER
        case Not(Between() as test):
            return _comparison(test, "NOT ")
        case Not(Binary(operator) as test) if operator in NEGATED:
            return _comparison(test, "NOT ")
        case Not(operand):
            return f"NOT {_print(operand, NEGATION)}", NEGATION
        case When(value, condition, other):
            text = f"{_print(value, EITHER)} IF {_print(condition, EITHER)}"
            return (text if other is None else f"{text} ELSE {_print(other, CHOICE)}"), CHOICE


def _comparison(node: Binary | Between, negation: str) -> tuple[str, int]:
    if isinstance(node, Between):
        value, low, high = _print(node.value, COMPARISON), _print(node.low, SUM), _print(node.high, SUM)
        return f"{value} {negation}BETWEEN {low} AND {high}", COMPARISON
    if node.operator in ("IN", "INTERSECTS") and isinstance(node.right, Items):
        return f"{_print(node.left, COMPARISON)} {negation}{node.operator} ({_list(node.right.items)})", COMPARISON
    level = OPERATOR_LEVELS.get(node.operator, COMPARISON)
    left = _print(node.left, level)
    right = _print(node.right, level + 1)
    return f"{left} {negation}{node.operator} {right}", level


def _list(items: Sequence[Expression]) -> str:
    return ", ".join(_print(item, CHOICE) for item in items)


def _literal(value: str | float | bool | None) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case str():
            return quote_text(value)
        case _:
            return repr(value)

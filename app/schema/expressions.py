"""Mapping expressions: from the raw value of a column to the value of a field.

An expression is a column in backticks, alone or inside one conversion: `` email(`E-Mail`) ``. The text is what the
workspace keeps; everything that evaluates a mapping goes through `compile_expression`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Refused
from connectors.kit.times import format_time, parse_time

Value = str | int | float | bool | None
Convert = Callable[[Any], Value]

MONEY = str.maketrans("", "", "$£€, \u00a0")
INTEGER_LIMIT = 2**63
EMAIL = re.compile(r"[^@\s<>\",;]+@[^@\s<>\",;]+\.[^@\s<>\",;.]+")
PLAIN_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
USUAL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")
TRUE_WORDS = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE_WORDS = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def to_text(value: Any) -> Value:
    """As text; an empty text is no value."""
    if value.__class__ is str:
        return value or None
    return None if value is None else str(value)


def to_integer(value: Any) -> Value:
    """A whole number of 64 bits: currency signs and grouping removed, decimals cut. Unreadable: no value."""
    number: int | float | None
    try:
        number = int(value) if value.__class__ is str and "_" not in value else to_number(value)
    except ValueError:
        number = to_number(value)
    if number is None or not -INTEGER_LIMIT <= number < INTEGER_LIMIT:
        return None
    return int(number)


def to_number(value: Any) -> float | None:
    """A finite number: currency signs and grouping removed. Unreadable, or a yes/no: no value."""
    try:
        if value.__class__ is not str:
            number = float(value) if value.__class__ in (int, float) else None
        elif "_" in value:  # Python reads 1_000, people don't
            number = None
        else:
            try:
                number = float(value)
            except ValueError:
                number = float(value.translate(MONEY))
    except (ValueError, OverflowError):
        return None
    return number if number is not None and number - number == 0 else None


def to_boolean(value: Any) -> Value:
    """True or false from 1, t, T, true, TRUE, True and their opposites. Anything else: no value."""
    word = str(value)
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else None


def to_date(value: Any) -> Value:
    """A moment as UTC text of fixed width. Unreadable: no value."""
    if (
        value.__class__ is str
        and (len(value) == 10 or (len(value) == 20 and value[19] == "Z"))
        and value[4] == value[7] == "-"
        and value.isascii()
    ):
        # The usual forms need no arithmetic, only a look whether such a day and time exist.
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return None
        return f"{value[:10]}T{value[11:19] or '00:00:00'}.000000Z"
    if value is None:
        return None
    moment = parse_time(value if isinstance(value, str) else str(value))
    return None if moment is None else format_time(moment)


def to_email(value: Any) -> Value:
    """The one address in a mail header ("Bob <Bob@Bob.com>"), lower-cased. None or several: no value."""
    if not isinstance(value, str):
        return None
    if PLAIN_EMAIL.fullmatch(value):
        return value.lower()
    found = EMAIL.findall(value)
    return found[0].lower() if len(found) == 1 else None


CONVERSIONS: dict[str, tuple[Convert, str]] = {
    "email": (to_email, "string"),
    "toint": (to_integer, "int"),
    "tonumber": (to_number, "number"),
    "todate": (to_date, "date"),
    "tobool": (to_boolean, "bool"),
}
"""Function name to what it does and the field type that it brings."""

COLUMN_TYPES = {
    "text": ("{}", "string"),
    "email": ("email({})", "string"),
    "integer": ("toint({})", "int"),
    "number": ("tonumber({})", "number"),
    "date": ("todate({})", "date"),
    "boolean": ("tobool({})", "bool"),
}
"""What a column can hold, by the words of connectors.kit: the expression that reads it and the field's type."""

EXPRESSION = re.compile(r"\s*(?:(?P<function>[a-z]+)\s*\(\s*)?`(?P<column>[^`]+)`(?P<end>\s*\))?\s*")


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to run: read `column`, apply `convert`; `type` is the field type it brings."""

    column: str
    convert: Convert
    type: str


def compile_expression(expression: str) -> Compiled:
    """Raises Refused with the place of the error in the expression."""
    match = EXPRESSION.fullmatch(expression)
    if match is None or bool(match["function"]) != bool(match["end"]):
        raise Refused(
            f"The mapping expression {expression!r} can't be read.",
            advice="Write a column in backticks, for example `email` or todate(`signup date`).",
        )
    if match["function"] is None:
        return Compiled(match["column"], to_text, "string")
    known = CONVERSIONS.get(match["function"])
    if known is None:
        raise Refused(
            f"The mapping expression {expression!r} uses the unknown function {match['function']}.",
            advice=f"Known functions: {', '.join(sorted(CONVERSIONS))}.",
        )
    return Compiled(match["column"], known[0], known[1])


def column_expression(column: str, column_type: str) -> tuple[str, str]:
    """The generated expression for a column of a type, and the field type: ("toint(`visits`)", "int")."""
    template, field_type = COLUMN_TYPES[column_type]
    # A backtick can't be written inside a quoted name, so such a column can't be mapped by its name.
    return template.format(f"`{column}`"), field_type

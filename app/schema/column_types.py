"""What a column of text can hold, and the mapping expression that reads it so."""

from __future__ import annotations

from collections.abc import Mapping

COLUMN_TYPES: Mapping[str, tuple[str, str]] = {
    "text": ("{}", "string"),
    "email": ("email({})", "string"),
    "integer": ("toint({})", "int"),
    "number": ("tonumber({})", "number"),
    "date": ("todate({})", "date"),
    "boolean": ("tobool({})", "bool"),
}
"""By the words of connectors.kit: the expression that reads such a column and the field's kind."""

SEPARATORS = (";", ",", "|")
"""What may stand between the members of a set in one column."""


def column_expression(column: str, column_type: str) -> tuple[str, str]:
    """The generated expression for a column of a type, and the field's kind: ("toint(`visits`)", "int").

    A name with a backtick can't be written in an expression; such a column must not be asked for.
    """
    template, kind = COLUMN_TYPES[column_type]
    return template.format(f"`{column}`"), kind


def set_expression(column: str, separator: str) -> str:
    """The expression that reads a column as a set; without a separator, each value is one member."""
    return f'set(split(`{column}`, "{separator}"))' if separator else f"set(`{column}`)"


def separator_of(column: str, expression: str) -> str | None:
    """The separator of a set expression of this column ("" for none); None for any other expression."""
    found = (separator for separator in (*SEPARATORS, "") if expression == set_expression(column, separator))
    return next(found, None)

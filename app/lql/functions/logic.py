"""Tests of values, and the choice of the first that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.lql.compare import ORDERS, reads_equal
from app.lql.functions.base import Function
from app.lql.values.reading import is_present, number_of, truth_of


def not_equal(left: Any, right: Any) -> bool | None:
    answer = reads_equal(left, right)
    return None if answer is None else not answer


def _by_number(sign: str) -> Callable[[Any, Any], bool | None]:
    order = ORDERS[sign]

    def compare(left: Any, right: Any) -> bool | None:
        first, second = number_of(left), number_of(right)
        return None if first is None or second is None else order(first, second)

    return compare


def negation(value: Any) -> bool | None:
    answer = truth_of(value)
    return None if answer is None else not answer


def exists(value: Any) -> bool:
    return value is not None


def any_present(*values: Any) -> bool:
    return any(map(is_present, values))


def all_true(*values: Any) -> bool:
    """Present, and neither false nor 0."""
    return all(is_present(value) and value is not False and value != 0 for value in values)


def first_present(*values: Any) -> Any:
    for value in values:
        if is_present(value):
            return value
    return None


LOGIC = (
    Function(
        "eq", reads_equal, 2, 2, "bool",
        "Whether both are equal; the type of the first decides how the second is read.",
    ),
    Function("ne", not_equal, 2, 2, "bool", "Whether they differ; true when the first is missing."),
    Function("gt", _by_number(">"), 2, 2, "bool", "Whether the first is the greater number."),
    Function("ge", _by_number(">="), 2, 2, "bool", "Whether the first is the greater number, or equal."),
    Function("lt", _by_number("<"), 2, 2, "bool", "Whether the first is the smaller number."),
    Function("le", _by_number("<="), 2, 2, "bool", "Whether the first is the smaller number, or equal."),
    Function("not", negation, 1, 1, "bool", "The opposite of what can be read as true or false."),
    Function("exists", exists, 1, 1, "bool", "Whether there is a value, even an empty text."),
    Function("any", any_present, 1, None, "bool", "Whether one of them has a value; an empty text has none."),
    Function("all", all_true, 1, None, "bool", "Whether all of them have a value that is neither false nor 0."),
    Function(
        "oneof", first_present, 2, None, None,
        "The first that has a value; an empty text has none.",
        aliases=("or",),
    ),
)  # fmt: skip

"""What the operators do, beside the comparisons that functions share.

None is no value, or a test that can't be decided. Nothing here raises for bad data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from app.lql.compare import truth
from app.lql.values.reading import LARGEST_INTEGER, LONGEST_NUMBER, SMALLEST_INTEGER

NUMBERS = frozenset((int, float))


def _number(text: str) -> float | None:
    """Text as a number in arithmetic: only what is a number and nothing else."""
    if "_" in text or len(text) > LONGEST_NUMBER:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _sides(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Both sides as numbers, or None: text counts as a number beside a number, two texts never do."""
    if right.__class__ is str and left.__class__ in NUMBERS:
        # Beside a whole number, a text that is a whole number is one.
        whole = left.__class__ is int and len(right) < 20 and right.isascii() and right.lstrip("+-").isdigit()
        right = int(right) if whole and right.count("-") + right.count("+") < 2 else _number(right)
    elif left.__class__ is str and right.__class__ in NUMBERS:
        left = _number(left)
    return (left, right) if left.__class__ in NUMBERS and right.__class__ in NUMBERS else None


def _arithmetic(calculate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operator(left: Any, right: Any) -> Any:
        sides = _sides(left, right)
        if sides is None:
            return None
        try:
            result = calculate(*sides)
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
        if result.__class__ is int:
            return result if SMALLEST_INTEGER <= result <= LARGEST_INTEGER else None
        return result if math.isfinite(result) else None

    return operator


def _divide(left: Any, right: Any) -> Any:
    """Whole by whole stays whole, cut off towards zero: -7/2 is -3."""
    if left.__class__ is int and right.__class__ is int:
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    """What a division of the whole parts leaves, with the sign of the left side."""
    remainder = abs(int(left)) % abs(int(right)) * (-1 if left < 0 else 1)
    return remainder if left.__class__ is int and right.__class__ is int else float(remainder)


ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(_divide),
    "%": _arithmetic(_remainder),
}


def negate(value: Any) -> bool | None:
    """The opposite of what can be read as a boolean."""
    known = truth(value)
    return None if known is None else not known


def is_null(value: Any) -> bool | None:
    """`value == NULL`: false, and undecided for what is neither text nor boolean. EXISTS is the reliable test."""
    return None if value is not None and value.__class__ not in (str, bool) else False


def is_not_null(value: Any) -> bool | None:
    """`value != NULL`: true even where the value is missing; undecided for what is neither text nor boolean."""
    return None if value is not None and value.__class__ not in (str, bool) else True


def every(*tests: Any) -> bool | None:
    """`AND (a, b)`: the first test that is false or undecided settles it."""
    for test in tests:
        if test is not True:
            return False if test is False else None
    return True


def spread(*values: Any) -> list[Any]:
    """The entries behind IN: lists among them count with their own entries."""
    entries: list[Any] = []
    for value in values:
        if isinstance(value, list):
            entries += value
        elif value is not None:
            entries.append(value)
    return entries


def collect(*values: Any) -> list[Any] | None:
    """A written list of what has a value."""
    return [value for value in values if value is not None] or None

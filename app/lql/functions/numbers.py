"""Functions of numbers."""

from __future__ import annotations

import math
from typing import Any

from app.lql.functions.base import Function
from app.lql.values.reading import NUMBERS, number_of


def square_root(value: Any) -> float | None:
    """Of numbers only: text that looks like one has none."""
    number = number_of(value) if value.__class__ in NUMBERS else None
    return None if number is None or number < 0 else math.sqrt(number)


def power(value: Any, exponent: Any) -> float | None:
    number, by = number_of(value), number_of(exponent)
    if number is None or by is None:
        return None
    try:
        return math.pow(number, by)
    except (OverflowError, ValueError):  # too large, or a root of a negative number
        return None


NUMERIC = (
    Function("sqrt", square_root, 1, 1, "number", "The square root of a number."),
    Function("pow", power, 2, 2, "number", "A number to the power of another."),
)

"""How a value is read as text, as a number, as yes or no: the rules that all functions share.

A list stands for its first entry. Unreadable is None, as is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
LARGEST_WHOLE = 1e21
"""Whole floats below it are written in plain figures."""

MONEY = str.maketrans("", "", "$£€, \u00a0\u202f")
TRUE_WORDS = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE_WORDS = frozenset({"0", "f", "F", "false", "FALSE", "False"})
NUMBERS: frozenset[type] = frozenset({int, float})
LONGEST_NUMBER = 400
"""Characters; no number that can be kept is written longer, and reading longer ones takes time."""


def first(value: Any) -> Any:
    """The value that stands for a list: its first entry; of anything else the thing itself."""
    while value.__class__ is list:
        value = value[0] if value else None
    return value


def flat(values: Iterable[Any]) -> Iterator[Any]:
    """The values one by one, the entries of lists in their place."""
    for value in values:
        if value.__class__ is list:
            yield from value
        else:
            yield value


def is_present(value: Any) -> bool:
    """Whether there is something: neither missing nor an empty text, list or map."""
    return value is not None and value != "" and value != [] and value != {}


def text_of(value: Any) -> str | None:
    """As text; None for what has none: missing, an empty list, a map."""
    if value.__class__ is str:
        return value
    if value.__class__ is list:
        value = first(value)
    if value is None or value.__class__ is dict:
        return None
    return scalar_text(value)


def scalar_text(value: Any) -> str:
    """A single value as people write it: true, 5, 2.5, 2026-11-22T08:30:00Z."""
    if value.__class__ is str:
        return value
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is float:
        return str(int(value)) if value.is_integer() and abs(value) < LARGEST_WHOLE else repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    return str(value)


def written(value: Any) -> str:
    """Anything as one text: lists joined by commas, what is inside them and maps as JSON, missing as the empty text."""
    if value.__class__ is list:
        return ",".join(map(_entry_text, value))
    return _entry_text(value)


def _entry_text(value: Any) -> str:
    if value is None:
        return ""
    if value.__class__ not in (list, dict):
        return scalar_text(value)
    try:
        return orjson.dumps(value, default=scalar_text, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    except TypeError:  # nested too deep, or half a character
        return ""


def number_of(value: Any) -> float | None:
    """A finite number: currency signs and grouping removed, a date as its milliseconds since 1970.

    Unreadable, or a yes/no: None.
    """
    try:
        if value.__class__ is str:
            if "_" in value or len(value) > LONGEST_NUMBER:  # Python reads 1_000, people don't
                return None
            try:
                number = float(value)
            except ValueError:
                number = float(value.translate(MONEY))
        elif value.__class__ is float or value.__class__ is int:
            number = float(value)
        elif value.__class__ is list:
            return number_of(first(value))
        elif isinstance(value, datetime):
            return float(milliseconds(value))
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def integer_of(value: Any) -> int | None:
    """A whole number of 64 bits, read as `number_of` does, decimals cut off. Unreadable: None."""
    number: int | float | None
    if value.__class__ is str:
        try:
            number = int(value) if "_" not in value and len(value) < LONGEST_NUMBER else None
        except ValueError:
            number = _grouped(value)
    elif value.__class__ is int:
        number = value
    elif value.__class__ is list:
        return integer_of(first(value))
    elif isinstance(value, datetime):
        number = milliseconds(value)
    else:
        number = number_of(value)
    if number is None:
        return None
    number = int(number)
    return number if SMALLEST_INTEGER <= number <= LARGEST_INTEGER else None


def _grouped(text: str) -> int | float | None:
    """Figures with signs around them: whole ones exactly, since a float has only 53 bits."""
    figures = text.translate(MONEY)
    try:
        return int(figures)
    except ValueError:
        return number_of(figures)


def truth_of(value: Any) -> bool | None:
    """Yes or no: booleans, the words 1 t T true TRUE True and their opposites, the numbers 0 and 1. Else None."""
    if value.__class__ is bool:
        return value
    if value.__class__ is str:
        if value in TRUE_WORDS:
            return True
        return False if value in FALSE_WORDS else None
    if value.__class__ in NUMBERS:
        if value == 1:
            return True
        return False if value == 0 else None
    if value.__class__ is list:
        return truth_of(first(value))
    return None


def microseconds(moment: datetime) -> int:
    """Since 1970 UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def milliseconds(moment: datetime) -> int:
    """Since 1970 UTC, cut down to whole ones."""
    return (moment - EPOCH) // timedelta(milliseconds=1)

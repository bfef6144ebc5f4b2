"""Aggregates: each answers one event's share, and the merge operator of the field adds the shares up."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.lql.functions.base import Function
from app.lql.values.moments import date_of, date_text
from app.lql.values.reading import flat, is_present, number_of, scalar_text


def count(value: Any) -> int | None:
    """1 where there is a value; a list counts once."""
    return 1 if is_present(value) else None


def _numbers(values: tuple[Any, ...]) -> list[float] | None:
    """The numbers of arguments and lists, missing ones left out; None when one is no number."""
    found = []
    for value in flat(values):
        if value is None:
            continue
        number = None if isinstance(value, datetime) else number_of(value)
        if number is None:
            return None
        found.append(number)
    return found


def total(*values: Any) -> float | None:
    """A total of 0 is no value: it would change nothing."""
    numbers = _numbers(values)
    result = sum(numbers) if numbers else 0.0
    return result if result and math.isfinite(result) else None


def average(*values: Any) -> float | None:
    """Within the event."""
    numbers = _numbers(values)
    if not numbers:
        return None
    result = sum(numbers) / len(numbers)
    return result if math.isfinite(result) else None


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    """min() and max() of the event: of a list its own smallest or largest; numbers before dates."""

    def extreme(value: Any) -> Any:
        entries = [entry for entry in flat((value,)) if is_present(entry)]
        if not entries:
            return None
        if not any(isinstance(entry, datetime) for entry in entries):
            numbers = [entry if entry.__class__ is int else number_of(entry) for entry in entries]
            if None not in numbers:
                return choose(numbers)
        moments = [date_of(entry) for entry in entries]
        return None if None in moments else choose(moments)

    return extreme


def text_set(*values: Any) -> list[str] | None:
    """The texts of values and lists, each once and sorted; maps and empty texts have none."""
    if len(values) == 1 and values[0].__class__ is str:
        return [values[0]] if values[0] else None
    return sorted({text for value in flat(values) if (text := _member(value))}) or None


def value_count(value: Any) -> dict[str, int] | None:
    """How often each value stands in the event: once, unless a list repeats it."""
    if value.__class__ is str:
        return {value: 1} if value else None
    counts: dict[str, int] = {}
    for entry in flat((value,)):
        if text := _member(entry):
            counts[text] = counts.get(text, 0) + 1
    return counts or None


def _member(value: Any) -> str | None:
    """A single value as a member of a set; dates as they are stored, so that their order is that of time."""
    if value is None or value.__class__ in (list, dict):
        return None
    return date_text(value) if isinstance(value, datetime) else scalar_text(value)


AGGREGATES = (
    Function("count", count, 1, 1, "int", "Counts the events that have a value.", operator="count", stored=count),
    Function("sum", total, 1, None, "number", "Adds numbers up over all events.", operator="sum", stored=total),
    Function("avg", average, 1, None, "number", "The average of numbers within the event.", operator="latest"),
    Function("min", _extreme(min), 1, 1, None, "The smallest number or earliest date so far.", operator="min"),
    Function("max", _extreme(max), 1, 1, None, "The largest number or latest date so far.", operator="max"),
    Function(
        "set", text_set, 1, None, "[]string",
        "Collects the different values of all events.",
        operator="merge", stored=text_set,
    ),
    Function(
        "valuect", value_count, 1, 1, "map[string]int",
        "Counts how often each value occurred.",
        operator="sum", stored=value_count,
    ),
)  # fmt: skip

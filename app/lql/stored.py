"""From a value of the language to what a field of a kind keeps; what does not fit is no value.

Texts are never empty, numbers finite, dates are UTC text of fixed width, sets are sorted lists without repetition, maps
are never empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.lql.values.moments import date_text
from app.lql.values.reading import (
    LARGEST_INTEGER,
    SMALLEST_INTEGER,
    integer_of,
    number_of,
    text_of,
    truth_of,
)

Convert = Callable[[Any], Any]


def to_text(value: Any) -> str | None:
    """Text; an empty one is no value, a list stands for its first entry."""
    if value.__class__ is str:
        return value or None
    return text_of(value) or None


def to_integer(value: Any) -> int | None:
    """A whole number of 64 bits."""
    if value.__class__ is int:
        return value if SMALLEST_INTEGER <= value <= LARGEST_INTEGER else None
    return integer_of(value)


def to_set(value: Any) -> list[str] | None:
    """A set of texts, sorted."""
    if value.__class__ is str:
        return [value] if value else None
    return sorted(set(_texts(value))) or None


def to_ordered_set(value: Any) -> list[str] | None:
    """A set of texts in the order in which they came."""
    return list(dict.fromkeys(_texts(value))) or None


def _texts(value: Any) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [text for entry in entries if (text := to_text(entry)) is not None]


def to_dates(value: Any) -> list[str] | None:
    """A set of dates, the earliest first."""
    entries = value if isinstance(value, list) else [value]
    return sorted({text for entry in entries if (text := date_text(entry)) is not None}) or None


def _map_of(convert: Convert) -> Convert:
    def to_map(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        return {str(key): kept for key, entry in value.items() if (kept := convert(entry)) is not None} or None

    return to_map


def _anything(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return date_text(value)
    if isinstance(value, list):
        return [_anything(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): _anything(entry) for key, entry in value.items()}
    return None if value.__class__ is float and not math.isfinite(value) else value


def to_buckets(value: Any) -> dict[str, int] | None:
    """Events by day: of a map day by day, of a date one event on its day."""
    if isinstance(value, dict):
        buckets: dict[str, int] | None = to_counts(value)
        return buckets
    date = date_text(value)
    return None if date is None else {date[:10]: 1}


def to_place(value: Any) -> str | None:
    """ "52.09,5.12": latitude and longitude, from text or a list of two numbers."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) != 2:
        return None
    latitude, longitude = (number_of(part) for part in parts)
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return f"{latitude:g},{longitude:g}" if isinstance(value, list) else ",".join(part.strip() for part in parts)


to_counts = _map_of(to_integer)

STORE: Mapping[str, Convert] = {
    "string": to_text,
    "int": to_integer,
    "number": number_of,
    "bool": truth_of,
    "date": date_text,
    "[]string": to_set,
    "ts[]string": to_ordered_set,
    "[]time": to_dates,
    "map[string]string": _map_of(to_text),
    "map[string]int": to_counts,
    "map[string]number": _map_of(number_of),
    "map[string]bool": _map_of(truth_of),
    "map[string]time": _map_of(date_text),
    "map[string]intsum": to_counts,
    "map[string]value": _map_of(_anything),
    "[]timebucket": to_buckets,
    "geolocation": to_place,
}
"""For each kind of field, how any value is brought into the form that is kept."""

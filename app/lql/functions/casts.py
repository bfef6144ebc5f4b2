"""Functions that turn a value into another type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.lql.functions.base import NOT_LITERAL, BadArgument, Call, Function
from app.lql.values.moments import date_of, date_text, is_relative, layout_reader
from app.lql.values.reading import flat, integer_of, microseconds, number_of, text_of, truth_of, written
from connectors.kit.times import format_time

CAST_KINDS = {"time": "date", "date": "date", "string": "string", "char": "string", "int": "int"}
"""The types of cast() and the kinds that they bring."""


def to_date(*arguments: Any) -> datetime | None:
    """todate(value) or todate(layout, value)."""
    if len(arguments) == 1:
        return date_of(arguments[0])
    layout, text = text_of(arguments[0]), text_of(arguments[1])
    if layout is None or text is None:
        return None
    read = layout_reader(layout)
    return None if read is None else read(text)


def to_date_from(now: datetime, *arguments: Any) -> datetime | None:
    """The same, with "now-3d" counted from the event's time."""
    return date_of(arguments[0], now) if len(arguments) == 1 else to_date(*arguments)


def to_date_text(*arguments: Any) -> str | None:
    """The same as todate(), answering the text that is stored."""
    if len(arguments) == 1:
        return date_text(arguments[0])
    moment = to_date(*arguments)
    return None if moment is None else format_time(microseconds(moment))


def prepare_to_date(arguments: Sequence[Any]) -> Call | None:
    if len(arguments) == 2 and arguments[0] is not NOT_LITERAL and layout_reader(written(arguments[0])) is None:
        raise BadArgument(0, "The layout of todate() is too long to be one.")
    if len(arguments) == 1 and arguments[0].__class__ is str:
        _check_relative(arguments[0])
    return None


def _check_relative(text: str) -> None:
    if text[:3].lower() == "now" and not is_relative(text):
        raise BadArgument(
            0, f"{text} can't be read as a moment. Write for example now-3d, with s, m, h, d, w, M or y as the unit."
        )


def to_date_in(value: Any, place: Any) -> datetime | None:
    """A local time of a place, in UTC."""
    zone = _zone(place)
    return None if zone is None else date_of(value, None, zone)


def to_date_in_from(now: datetime, value: Any, place: Any) -> datetime | None:
    zone = _zone(place)
    return None if zone is None else date_of(value, now, zone)


def _zone(name: Any) -> ZoneInfo | None:
    if name.__class__ is not str or not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError; a path or a folder is the others
        return None


def prepare_to_date_in(arguments: Sequence[Any]) -> Call | None:
    if arguments[1] is NOT_LITERAL:
        raise BadArgument(1, 'The time zone of todatein() must be a text, such as "America/Los_Angeles".')
    zone = _zone(arguments[1])
    if zone is None:
        raise BadArgument(1, f'{written(arguments[1])} is no known time zone. Write it as "America/Los_Angeles".')
    if arguments[0].__class__ is str:
        _check_relative(arguments[0])
        if is_relative(arguments[0]):
            return None
    return lambda value, _place: date_of(value, None, zone)


def to_timestamp(value: Any) -> int | None:
    moment = date_of(value)
    return None if moment is None else microseconds(moment) // 1_000_000


def to_timestamp_from(now: datetime, value: Any) -> int | None:
    return to_timestamp(date_of(value, now))


def cast(value: Any, kind: Any) -> Any:
    """cast(value, "int")."""
    convert = CASTS.get(kind.lower()) if kind.__class__ is str else None
    return None if convert is None or value is None else convert(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else written(value)


CASTS: dict[str, Call] = {
    "time": date_of,
    "date": date_of,
    "string": _text_or_none,
    "char": _text_or_none,
    "int": integer_of,
}


def prepare_cast(arguments: Sequence[Any]) -> Call | None:
    kind = arguments[1]
    if kind is NOT_LITERAL:
        raise BadArgument(1, f"The type of cast() must be one of {', '.join(CAST_KINDS)}.")
    convert = CASTS.get(kind.lower()) if kind.__class__ is str else None
    if convert is None:
        raise BadArgument(1, f"{written(kind)} is no type that cast() knows. Known are {', '.join(CAST_KINDS)}.")
    return lambda value, _kind: convert(value)


def date_set(*values: Any) -> list[datetime] | None:
    """A set of dates, oldest first, from values and lists; unreadable entries are left out."""
    moments = {moment for entry in flat(values) if (moment := date_of(entry)) is not None}
    return sorted(moments) or None


def date_set_text(*values: Any) -> list[str] | None:
    moments = date_set(*values)
    return None if moments is None else [format_time(microseconds(moment)) for moment in moments]


CASTING = (
    Function(
        "toint", integer_of, 1, 1, "int",
        "A whole number: currency signs, grouping and spaces removed, decimals cut off; a date in milliseconds.",
        stored=integer_of,
    ),
    Function(
        "tonumber", number_of, 1, 1, "number",
        "A number: currency signs, grouping and spaces removed.",
        aliases=("tofloat",), stored=number_of,
    ),
    Function(
        "tobool", truth_of, 1, 1, "bool",
        "True or false, from 1, t, true and their opposites, or the numbers 0 and 1.",
        stored=truth_of,
    ),
    Function(
        "tostring", written, 1, 1, "string",
        "The value as text; a missing one as the empty text.",
    ),
    Function(
        "todate", to_date, 1, 2, "date",
        'A date, read in its many written forms, or by a layout made of 2 January 2006 15:04:05; "now-3d" too.',
        prepare=prepare_to_date, stored=to_date_text, timed=to_date_from,
    ),
    Function(
        "todatein", to_date_in, 2, 2, "date",
        "A date, read as the local time of a zone such as America/Los_Angeles.",
        prepare=prepare_to_date_in, timed=to_date_in_from,
    ),
    Function(
        "totimestamp", to_timestamp, 1, 1, "int",
        "A date as seconds since 1970.",
        stored=to_timestamp, timed=to_timestamp_from,
    ),
    Function(
        "cast", cast, 2, 2, None,
        "The value as time, string, int or char.",
        prepare=prepare_cast,
    ),
    Function(
        "totimeset", date_set, 1, None, "[]time",
        "A set of dates.",
        stored=date_set_text,
    ),
)  # fmt: skip

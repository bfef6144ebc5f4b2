"""Parts and forms of dates. Without an argument they are of the event's own time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.lql.functions.base import Call, Function
from app.lql.values.moments import date_of, write_date
from app.lql.values.reading import NUMBERS, first, microseconds, milliseconds, number_of, text_of

MINUTES = re.compile(r"[A-Za-z]*([0-9.]+):([0-9.]+)", re.ASCII)
PLAIN_NUMBER = re.compile(r"[A-Za-z]*(-?(?:[0-9]{1,7}|[0-9]*\.[0-9]+|[0-9]+\.))", re.ASCII)


def _part(read: Callable[[datetime], Any]) -> Callable[..., Any]:
    """A function of the event's time, or of the date given."""

    def part(time: datetime, *dates: Any) -> Any:
        moment = date_of(dates[0], time) if dates else time
        return None if moment is None else read(moment.astimezone(UTC))

    return part


def _weekday(moment: datetime) -> int:
    return moment.isoweekday() % 7


def now(time: datetime) -> datetime:
    return time


def event_milliseconds(time: datetime) -> int:
    return milliseconds(time)


def _from_time(call: Call) -> Call:
    """The same function, its first argument a date that may count from the event's time."""
    return lambda time, value, *rest: call(date_of(value, time), *rest)


def extract(value: Any, pattern: Any) -> str | None:
    moment = date_of(value)
    form = first(pattern)
    return None if moment is None or form.__class__ is not str else write_date(moment.astimezone(UTC), form)


def seconds(value: Any) -> float | None:
    """Of mm:ss, letters in front allowed; of a date, since 1970; of a number, itself."""
    value = first(value)
    if value.__class__ in NUMBERS:
        return number_of(value)
    text = text_of(value)
    if text is None:
        return None
    if plain := PLAIN_NUMBER.fullmatch(text):
        return number_of(plain[1])
    if parts := MINUTES.fullmatch(text):
        minutes, rest = number_of(parts[1]), number_of(parts[2])
        return None if minutes is None or rest is None else 60 * minutes + rest
    moment = date_of(value)
    return None if moment is None else float(microseconds(moment) // 1_000_000)


def unix_text(value: Any, *units: Any) -> str | None:
    """Seconds since 1970 as text, or with a unit: seconds with 3 decimals, milliseconds, seconds with 6 decimals."""
    moment = date_of(value)
    if moment is None:
        return None
    us = microseconds(moment)
    if not units:
        return str(us // 1_000_000)
    match (text_of(units[0]) or "").lower():
        case "s" | "seconds":
            ms = milliseconds(moment)
            return f"{'-' if ms < 0 else ''}{abs(ms) // 1000}.{abs(ms) % 1000:03}"
        case "ms" | "milliseconds":
            return str(milliseconds(moment))
        case "sm" | "secondsmicro":
            return f"{'-' if us < 0 else ''}{abs(us) // 1_000_000}.{abs(us) % 1_000_000:06}"
    return None


def time_bucket(value: Any) -> dict[str, int] | None:
    """One event on the day of a date, a day of UTC."""
    moment = date_of(value)
    return None if moment is None else {moment.astimezone(UTC).date().isoformat(): 1}


DATES = (
    Function("now", now, 0, 0, "date", "The event's own time.", needs_time=True),
    Function("epochms", event_milliseconds, 0, 0, "int", "The event's time in milliseconds.", needs_time=True),
    Function("yy", _part(lambda d: d.year % 100), 0, 1, "int", "The year in two figures.", needs_time=True),
    Function(
        "mm", _part(lambda d: d.month), 0, 1, "int",
        "The month, 1 to 12.",
        aliases=("monthofyear",), needs_time=True,
    ),
    Function(
        "yymm", _part(lambda d: f"{d.year % 100:02}{d.month:02}"), 0, 1, "string",
        "Year and month in four figures.",
        needs_time=True,
    ),
    Function("dayofweek", _part(_weekday), 0, 1, "int", "The day of the week, Sunday is 0.", needs_time=True),
    Function("hourofday", _part(lambda d: d.hour), 0, 1, "int", "The hour in UTC, 0 to 23.", needs_time=True),
    Function(
        "hourofweek", _part(lambda d: _weekday(d) * 24 + d.hour), 0, 1, "int",
        "The hour of the week in UTC, 0 to 167; 0 is the first of Sunday.",
        needs_time=True,
    ),
    Function(
        "extract", extract, 2, 2, "string",
        'A date written by a format such as "%B %d".',
        aliases=("strftime",), timed=_from_time(extract),
    ),
    Function("seconds", seconds, 1, 1, "number", "The seconds of mm:ss, of a date since 1970, or of a number."),
    Function(
        "unixtrunc", unix_text, 1, 2, "string",
        "A date as Unix time in text, in seconds, milliseconds or secondsmicro.",
        timed=_from_time(unix_text),
    ),
    Function(
        "timebucket", time_bucket, 1, 1, "[]timebucket",
        "Counts one event on the day of a date.",
        operator="sum", timed=_from_time(time_bucket),
    ),
)  # fmt: skip

"""Dates of the language: how they are read, moved, laid out and written.

A date is an aware datetime in UTC, years 1 to 9999.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any

from app.lql.values.reading import EPOCH, first, microseconds, scalar_text
from connectors.kit.times import format_time, parse_time

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

RELATIVE = re.compile(r"(?i:now)(?:[+-][0-9]{1,6}[smhdwMy])*")
STEP = re.compile(r"([+-][0-9]+)([smhdwMy])")
STEP_LENGTHS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def is_relative(text: Any) -> bool:
    """Whether a literal names a moment by its distance from now: "now-3d", "now+2h"."""
    return text.__class__ is str and text[:3].lower() == "now" and RELATIVE.fullmatch(text) is not None


def relative(text: str, now: datetime) -> datetime | None:
    """The moment that "now-3d" names: s, m, h, d, w are seconds to weeks, M and y months and years of the calendar."""
    if not is_relative(text):
        return None
    moment = now
    try:
        for amount_text, unit in STEP.findall(text):
            amount = int(amount_text)
            if unit in "My":
                moment = _later(moment, amount * (12 if unit == "y" else 1))
            else:
                moment += timedelta(seconds=amount * STEP_LENGTHS[unit])
    except (ValueError, OverflowError):
        return None
    return moment


def _later(moment: datetime, months: int) -> datetime:
    """Some months on, at the last day of the month where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1, day=min(moment.day, 28))


def date_of(value: Any, now: datetime | None = None, place: tzinfo = UTC) -> datetime | None:
    """A date from any value: text in its many forms, Unix times, dates themselves. Unreadable: None.

    "now-3d" counts from `now`, the clock when that is not given. What names no zone is of `place`.
    """
    if value.__class__ is datetime:
        return value
    us = _date_microseconds(value, now, place)
    return None if us is None else EPOCH + timedelta(microseconds=us)


def date_text(value: Any) -> str | None:
    """The same, written as it is stored: "2026-11-22T08:30:00.000000Z"."""
    if value.__class__ is str:
        length = len(value)
        if (
            (length == 10 or (length in (19, 20) and value[10] in "T " and (length == 19 or value[19] == "Z")))
            and value[4] == value[7] == "-"
            and value.isascii()
        ):
            # The usual forms need no arithmetic, only a look whether such a day and time exist.
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return None
            return f"{value[:10]}T{value[11:19] or '00:00:00'}.000000Z"
    elif value.__class__ is datetime:
        return format_time(microseconds(value))
    us = _date_microseconds(value, None, UTC)
    return None if us is None else format_time(us)


def _date_microseconds(value: Any, now: datetime | None, place: tzinfo) -> int | None:
    if value.__class__ is list:
        value = first(value)
    if value.__class__ is not str:
        if value is None or value.__class__ in (bool, dict):
            return None
        if isinstance(value, datetime):
            return microseconds(value)
        value = scalar_text(value)
    if value[:3] in ("now", "Now", "NOW"):
        moment = relative(value, datetime.now(UTC) if now is None else now)
        return None if moment is None else microseconds(moment)
    if len(value) == 4 and value.isascii() and value.isdigit():
        # A year alone.
        return None if value < "1000" else microseconds(datetime(int(value), 1, 1, tzinfo=place))
    return parse_time(value, place=place, named_zones=False)


# Layouts: the parts of 2 January 2006 15:04:05 show where each part of a date stands.

LAYOUT_PARTS = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006"
    r"|[Z-]07:00:00|[Z-]070000|[Z-]07:00|[Z-]0700|[Z-]07|002|__2|0[1-6]|15|_2(?!006)|PM|pm|[1-5]"
    r"|[.,](?:0+|9+)(?![0-9])| +"
)
LONGEST_LAYOUT = 100
NAMES_OF_MONTHS = "|".join(MONTHS)
PATTERNS = {
    "January": ("month name", f"({NAMES_OF_MONTHS})"),
    "Jan": ("month name", "(" + "|".join(name[:3] for name in MONTHS) + ")"),
    "Monday": ("", "(?:" + "|".join(DAYS) + ")"),
    "Mon": ("", "(?:" + "|".join(name[:3] for name in DAYS) + ")"),
    "MST": ("", r"(?:[A-Z]{3,5}|[+-]\d{2,4})"),
    "2006": ("year", r"(\d{4})"),
    "06": ("short year", r"(\d{2})"),
    "01": ("month", r"(\d{2})"),
    "1": ("month", r"(\d{1,2})"),
    "02": ("day", r"(\d{2})"),
    "2": ("day", r"(\d{1,2})"),
    "_2": ("day", r" ?(\d{1,2})"),
    "002": ("day of year", r"(\d{3})"),
    "__2": ("day of year", r" {0,2}(\d{1,3})"),
    "15": ("hour", r"(\d{1,2})"),
    "03": ("half hour", r"(\d{2})"),
    "3": ("half hour", r"(\d{1,2})"),
    "04": ("minute", r"(\d{2})"),
    "4": ("minute", r"(\d{1,2})"),
    "05": ("second", r"(\d{2})"),
    "5": ("second", r"(\d{1,2})"),
    "PM": ("half", "(AM|PM)"),
    "pm": ("half", "(am|pm)"),
}


def layout_reader(layout: str) -> Callable[[str], datetime | None] | None:
    """What reads texts of a layout such as "02/01/2006"; None when the layout is too long to be one."""
    return _layout_reader(layout) if len(layout) <= LONGEST_LAYOUT else None


@lru_cache(maxsize=256)
def _layout_reader(layout: str) -> Callable[[str], datetime | None]:
    pattern, meanings, at = "", [], 0
    found = list(LAYOUT_PARTS.finditer(layout))
    for number, part in enumerate(found):
        token = part[0]
        pattern += re.escape(layout[at : part.start()])
        at = part.end()
        if token[0] == " ":
            pattern += " +"
        elif token[0] in ".,":
            pattern += rf"[.,](\d{{{len(token) - 1}}})" if token[1] == "0" else r"(?:[.,](\d{1,9}))?"
            meanings.append("fraction")
        elif token[0] in "Z-":
            colon = ":" if ":" in token else ""
            offset = r"[+-]\d{2}" + (rf"{colon}\d{{2}}" if len(token) > 3 else "")
            offset += rf"{colon}\d{{2}}" if len(token) > 6 else ""
            pattern += f"(Z|{offset})" if token[0] == "Z" else f"({offset})"
            meanings.append("offset")
        else:
            meaning, text = PATTERNS[token]
            pattern += text
            if meaning:
                meanings.append(meaning)
            follower = found[number + 1] if number + 1 < len(found) else None
            if meaning == "second" and not (follower and follower.start() == at and follower[0][0] in ".,"):
                pattern += r"(?:[.,](\d{1,9}))?"
                meanings.append("fraction")
    whole = re.compile(pattern + re.escape(layout[at:]), re.ASCII | re.IGNORECASE)

    def read(text: str) -> datetime | None:
        match = whole.fullmatch(text)
        if match is None:
            return None
        parts = {meaning: value for meaning, value in zip(meanings, match.groups(), strict=True) if value is not None}
        try:
            return _from_parts(parts)
        except (ValueError, OverflowError):
            return None

    return read


def _from_parts(parts: dict[str, str]) -> datetime:
    """The moment that the parts of a layout name; ValueError when there is none, as without a year."""
    year = int(parts.get("year", "0"))
    if short := parts.get("short year"):
        year = int(short) + (1900 if int(short) >= 69 else 2000)
    month = int(parts.get("month", "1"))
    if name := parts.get("month name"):
        month = next(number for number, known in enumerate(MONTHS, 1) if known[:3].lower() == name[:3].lower())
    hour = int(parts.get("hour", parts.get("half hour", "0")))
    if "half hour" in parts and hour > 12:
        raise ValueError(hour)
    half = parts.get("half", "").lower()
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    moment = datetime(
        year,
        month,
        int(parts.get("day", "1")),
        hour,
        int(parts.get("minute", "0")),
        int(parts.get("second", "0")),
        int(parts.get("fraction", "").ljust(6, "0")[:6]),
        tzinfo=_offset(parts.get("offset", "Z")),
    )
    if day_of_year := parts.get("day of year"):
        moment = moment.replace(month=1, day=1) + timedelta(days=int(day_of_year) - 1)
        if moment.year != year or day_of_year == "000":
            raise ValueError(day_of_year)
    return moment.astimezone(UTC)


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    figures = text[1:].replace(":", "").ljust(6, "0")
    length = timedelta(hours=int(figures[:2]), minutes=int(figures[2:4]), seconds=int(figures[4:]))
    return timezone(-length if text[0] == "-" else length)


# Formats of strftime, with English names whatever the computer speaks.


def _week(moment: datetime, first_day: int) -> int:
    """The week of the year; the days before the first `first_day` (0 = Sunday) are of week 0."""
    weekday = (moment.isoweekday() - first_day) % 7
    return (moment.timetuple().tm_yday + 6 - weekday) // 7


DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "a": lambda d: DAYS[d.isoweekday() % 7][:3],
    "A": lambda d: DAYS[d.isoweekday() % 7],
    "b": lambda d: MONTHS[d.month - 1][:3],
    "B": lambda d: MONTHS[d.month - 1],
    "c": lambda d: write_date(d, "%a %b %e %H:%M:%S %Y"),
    "C": lambda d: f"{d.year // 100:02}",
    "d": lambda d: f"{d.day:02}",
    "D": lambda d: write_date(d, "%m/%d/%y"),
    "e": lambda d: f"{d.day:2}",
    "f": lambda d: f"{d.microsecond:06}",
    "F": lambda d: write_date(d, "%Y-%m-%d"),
    "h": lambda d: MONTHS[d.month - 1][:3],
    "H": lambda d: f"{d.hour:02}",
    "I": lambda d: f"{d.hour % 12 or 12:02}",
    "j": lambda d: f"{d.timetuple().tm_yday:03}",
    "m": lambda d: f"{d.month:02}",
    "M": lambda d: f"{d.minute:02}",
    "p": lambda d: "AM" if d.hour < 12 else "PM",
    "s": lambda d: str(microseconds(d) // 1_000_000),
    "S": lambda d: f"{d.second:02}",
    "T": lambda d: write_date(d, "%H:%M:%S"),
    "u": lambda d: str(d.isoweekday()),
    "U": lambda d: f"{_week(d, 0):02}",
    "V": lambda d: f"{d.isocalendar().week:02}",
    "w": lambda d: str(d.isoweekday() % 7),
    "W": lambda d: f"{_week(d, 1):02}",
    "x": lambda d: write_date(d, "%m/%d/%y"),
    "X": lambda d: write_date(d, "%H:%M:%S"),
    "y": lambda d: f"{d.year % 100:02}",
    "Y": lambda d: f"{d.year:04}",
    "z": lambda d: "+0000",
    "Z": lambda d: "UTC",
    "%": lambda d: "%",
}
DIRECTIVE = re.compile("%(.)", re.DOTALL)


def write_date(moment: datetime, pattern: str) -> str:
    """A date as strftime writes it; what is no directive stays as it is."""
    return DIRECTIVE.sub(lambda found: DIRECTIVES[found[1]](moment) if found[1] in DIRECTIVES else found[0], pattern)

"""Reads the times that people and programs write into files, and writes them in one form.

Times are whole microseconds since 1970-01-01 UTC. What names no zone is taken as UTC, unless a place is given.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE = datetime(1970, 1, 1)  # noqa: DTZ001 - subtracted from times that name no zone, which count as UTC
_LONGEST = 64
"""No form known here is longer; a longer text is prose, not worth a pattern search."""

_EARLIEST = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z
_LATEST = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z

_UNIX_SCALES = {10: 1_000_000, 13: 1_000, 16: 1}
_DIGIT_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}

_ZONES = {  # hours; the names that RFC 2822 defines
    "z": 0, "utc": 0, "gmt": 0, "ut": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip

_MONTH = "(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]?\s+)?"
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?"
    r"(?:\s*(?P<half>am|pm|a\.m\.|p\.m\.))?"
)
_OFFSET = r"(?P<sign>[+-])(?P<zone_hours>\d{2}):?(?P<zone_minutes>\d{2})?"
_ZONE = rf"(?:\s*(?:[a-z]{{3,4}})?{_OFFSET}(?:\s+[a-z]{{3,5}}|\s+[+-]\d{{2}})?|\s*(?P<zone>z|[a-z]{{2,5}}))?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TAIL = rf"(?:(?:\s*,\s*|\s+at\s+|\s+|[t:]){_TIME}{_ZONE})?"
_REMARK = re.compile(r"(?: m=[+-][0-9.]+|\s*\([^()]*\))$")
"""What some programs set behind a time: "(GMT Daylight Time)", or the reading of a stop watch."""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE)


_FORMS = (
    # 2026-1-5, 2026/01/15, 2026.01.15, and ISO times with a zone set off by a space
    _pattern(rf"(?P<year>\d{{4}})(?P<mark>[-/.:])(?P<month>\d{{1,2}})(?P=mark){_DAY}{_TAIL}"),
    # 2026-01, 2026/01
    _pattern(r"(?P<year>\d{4})[-/](?P<month>\d{2})"),
    # 2026-01-15+01:00
    _pattern(rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}}){_OFFSET}"),
    # 1/15/2026, 01-15-26: month first
    _pattern(rf"(?P<month>\d{{1,2}})(?P<mark>[-/])(?P<day>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}}){_TAIL}"),
    # 15.01.2026: who writes dots writes the day first
    _pattern(rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}|\d{{2}}){_TAIL}"),
    # Thu, 15 Jan 2026 · 15-Jan-26 · 15th January, 2026 · 15/Jan/2026:10:30:05 +0100
    _pattern(rf"{_WEEKDAY}{_DAY}[\s/-]+{_MONTH},?[\s/-]+(?P<year>\d{{4}}|\d{{2}}){_TAIL}"),
    # January 15, 2026 · Thu Jan 15 2026
    _pattern(rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}}){_TAIL}"),
    # Jan 15, 26 · Jan 15 '26: a comma or an apostrophe says that no time follows
    _pattern(rf"{_WEEKDAY}{_MONTH}\s+{_DAY}(?:,\s*'?|\s+')(?P<year>\d{{2}})"),
    # Thu Jan 15 10:30:00 UTC 2026
    _pattern(rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_TIME}{_ZONE}\s+(?P<year>\d{{4}})"),
    # 2026-Jan-15
    _pattern(rf"(?P<year>\d{{4}})[\s-]{_MONTH}[\s-]{_DAY}{_TAIL}"),
    # 260115 10:30:05, as database logs write it
    _pattern(rf"(?P<year>\d{{2}})(?P<month>\d{{2}})(?P<day>\d{{2}})\s+{_TIME}"),
)
_HAN = str.maketrans({"年": "-", "月": "-", "日": None})
_UNIX_FRACTION = _pattern(r"(\d{10})\.(\d{1,9})")


def parse_time(text: str, *, place: tzinfo = UTC, named_zones: bool = True) -> int | None:
    """Microseconds since 1970 UTC of a written time; None when `text` is no time.

    Read are ISO 8601, Unix time by its number of digits (10 s, 13 ms, 16 µs, 19 ns), digits run together
    (20260115, 20260115103000), dates with slashes or hyphens (month first), with dots (day first) and with
    English month names. A date that does not exist, like 31.02. or month 13, is None: nothing is guessed,
    since a column read half one way and half the other would be worse than a column not read.

    `place` is the zone of what names none. With `named_zones` the zones of RFC 2822 (EST, PDT) count and any other
    name makes the text unreadable; without it a name is read over, and only offsets in figures count.
    """
    if text.isdigit():
        return _from_digits(text, place)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _from_forms(text, place, named_zones)
    if len(text) > 10 and text[4] == "-" and text[5] != "W" and text[10] not in "T t":
        return _from_forms(text, place, named_zones)
    if moment.tzinfo is None and place is not UTC:
        return _microseconds(moment.replace(tzinfo=place))
    since = moment - (_EPOCH_NAIVE if moment.tzinfo is None else EPOCH)
    return _within(since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds)


def format_time(us: int) -> str:
    """ "2026-11-22T04:15:00.000000Z": always 27 characters, so text order is time order. Years 1 to 9999."""
    return (EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds")[:26] + "Z"


def _within(us: int) -> int | None:
    return us if _EARLIEST <= us <= _LATEST else None


def _from_digits(text: str, place: tzinfo) -> int | None:
    if not text.isascii():
        return None
    length = len(text)
    if scale := _UNIX_SCALES.get(length):
        return _within(int(text) * scale)
    if length == 19:
        return int(text) // 1000
    form = _DIGIT_FORMS.get(length)
    if form is None:
        return None
    try:
        return _microseconds(datetime.strptime(text, form).replace(tzinfo=place))
    except (ValueError, OverflowError):
        return None


def _from_forms(text: str, place: tzinfo, named_zones: bool) -> int | None:
    if len(text) > 2 * _LONGEST:
        return None
    text = _REMARK.sub("", text.strip())
    if not text.isascii():
        text = text.translate(_HAN)
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    if text.isdigit():
        return _from_digits(text, place)
    if unix := _UNIX_FRACTION.fullmatch(text):
        return int(unix[1]) * 1_000_000 + int(unix[2].ljust(6, "0")[:6])
    for form in _FORMS:
        if found := form.fullmatch(text):
            try:
                return _microseconds(_moment(found.groupdict(), place, named_zones))
            except (ValueError, OverflowError):
                return None
    return None


def _moment(parts: dict[str, str | None], place: tzinfo, named_zones: bool) -> datetime:
    """The moment that a form's parts name; ValueError when there is none."""
    year = int(parts["year"] or "")
    if len(parts["year"] or "") == 2:
        year += 1900 if year >= 69 else 2000  # as POSIX reads two digits
    month_text = parts["month"] or ""
    month = int(month_text) if month_text.isdigit() else _MONTHS[month_text.lower()]
    hour = int(parts.get("hour") or 0)
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return datetime(
        year,
        month,
        int(parts.get("day") or 1),
        hour,
        int(parts.get("minute") or 0),
        int(parts.get("second") or 0),
        int((parts.get("fraction") or "").ljust(6, "0")[:6]),
        tzinfo=_zone(parts, place, named_zones),
    )


def _zone(parts: dict[str, str | None], place: tzinfo, named_zones: bool) -> tzinfo:
    if name := parts.get("zone"):
        hours = _ZONES.get(name.lower())
        if not named_zones:
            return UTC
        if hours is None:
            raise ValueError(name)
        return timezone(timedelta(hours=hours))
    if sign := parts.get("sign"):
        minutes = int(parts.get("zone_minutes") or 0)
        if minutes > 59:
            raise ValueError(minutes)
        offset = timedelta(hours=int(parts["zone_hours"] or ""), minutes=minutes)
        return timezone(-offset if sign == "-" else offset)
    return place


def _microseconds(moment: datetime) -> int | None:
    since = moment - EPOCH
    return _within(since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds)

"""Dates and times in the names of files: customers_20260115.csv, orders-2026-01-15T0930.json, log-1768469400.csv."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_STAMP = re.compile(
    r"""(?<!\d)(?:
      (?P<date>(?:19|20)\d\d (?P<mark>[-_.]?) \d\d (?P=mark) \d\d)
        (?: [T_.\- ]? (?P<time>\d\d (?P<colon>[-_.:]?) \d\d (?:(?P=colon) \d\d)? | \d\d) Z? )?
    | (?P<unix>\d{13}|\d{10})
    | (?P<month>(?:19|20)\d\d [-_.]? \d\d)
    )(?!\d)""",
    re.VERBOSE | re.ASCII,
)
_BETWEEN = re.compile(r"(?:[^\w]|_)*(?:to|bis|until)?(?:[^\w]|_)*", re.IGNORECASE)
"""What stands between the two stamps of a span of time."""

PACKINGS = (".gz", ".zip", ".bz2", ".zst", ".pgp", ".gpg", ".asc")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where in a name a time stands, and which it is (UTC, as nothing says otherwise)."""

    start: int
    end: int
    time: datetime


def stamps_in(name: str) -> list[Stamp]:
    """The times in a name, in their order. Digits that are no time on any calendar are none."""
    found: list[Stamp] = []
    at = 0
    while match := _STAMP.search(name, at):
        end, time = _time_of(match)
        if time is None:
            at = match.start() + 1
            while at < len(name) and name[at].isdigit():
                at += 1
        else:
            found.append(Stamp(match.start(), end, time))
            at = end
    return found


def _time_of(match: re.Match[str]) -> tuple[int, datetime | None]:
    """Where the stamp ends, and its time; digits after a date that are no time of day don't belong to it."""
    if match["unix"]:
        # Ten digits may also be a date with an hour; Unix times that look like one begin in 2033.
        if len(match["unix"]) == 10 and (hour := _parsed(match["unix"], "%Y%m%d%H")) is not None:
            return match.end(), hour
        seconds = int(match["unix"]) / (1 if len(match["unix"]) == 10 else 1000)
        return match.end(), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if match["month"]:
        return match.end(), _parsed(_digits(match["month"]) + "01", "%Y%m%d")
    day = _digits(match["date"])
    if match["time"]:
        clock = _digits(match["time"])
        whole = _parsed(day + clock, "%Y%m%d" + "%H%M%S"[: len(clock)])
        if whole is not None:
            return match.end(), whole
    return match.end("date"), _parsed(day, "%Y%m%d")


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def root_of(name: str) -> str:
    """What all names of a series begin with, judged by one of them: all before its time, or before its ending."""
    stamps = stamps_in(name)
    if not stamps:
        return name.removesuffix(ending_of(name)) or name
    start = stamps[-1].start
    for earlier, later in zip(stamps[-2::-1], stamps[:0:-1], strict=False):
        if not _BETWEEN.fullmatch(name[earlier.end : later.start]):
            break
        start = earlier.start
    return name[:start]


def ending_of(name: str) -> str:
    """The end of a name that says what kind of file it is, packings included: ".csv.gz.pgp"."""
    bare = _unpacked(name)
    dot = bare.rfind(".")
    if dot > 0 and 0 < len(bare) - dot - 1 <= 8 and not bare[dot + 1 :].isdigit():
        return name[dot:]
    return name[len(bare) :]


def kind_of(name: str) -> str:
    """The same without packings, in small letters: ".csv", or "" for a name that does not say."""
    return _unpacked(ending_of(name)).lower()


def _unpacked(name: str) -> str:
    while (dot := name.rfind(".")) >= 0 and name[dot:].lower() in PACKINGS:
        name = name[:dot]
    return name

"""Names of files that a job writes: a pattern with placeholders, filled in and made safe.

A value that is put in never makes a folder; a folder that stands in the pattern itself does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from connectors.kit.errors import InputError

DAY = "YYYYMMDD"
SECOND = "YYYY-MM-DDTHH-mm-ss"
UNIX, UNIX_MS = "unix", "unix_ms"

LONGEST_VALUE, LONGEST_NAME = 80, 200
"""Characters that a value may take in a name, and bytes of a name: file systems stop at 255, and places need some for
their temporary names."""

TIMES = frozenset(("date_time", "timestamp"))
"""Placeholders whose values keep their colons, where somebody chose a form with colons."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PARTS_OF_TIME = re.compile("YYYY|YY|MM|DD|HH|mm|SSS|ss")
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_UNSAFE_BUT_COLONS = re.compile(_UNSAFE.pattern.replace(":", ""))


def zone_of(name: str) -> tzinfo | None:
    """A time zone by its name, None (this computer's own) for an empty one. Raises InputError."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"There is no time zone “{name}”.", advice="Use a name such as Europe/Berlin, America/New_York or UTC."
        ) from error


def time_text(moment: datetime, form: str, zone: tzinfo | None = UTC) -> str:
    """A moment as `form` says: YYYY year, MM month, DD day, HH hour, mm minute, ss second, SSS millisecond; anything
    else stands for itself. "unix" and "unix_ms" are seconds and milliseconds since 1970."""
    if form == UNIX:
        return str(int(moment.timestamp()))
    if form == UNIX_MS:
        return str(int(moment.timestamp()) * 1000 + moment.microsecond // 1000)
    local = moment.astimezone(zone)
    parts = {
        "YYYY": f"{local.year:04}",
        "YY": f"{local.year % 100:02}",
        "MM": f"{local.month:02}",
        "DD": f"{local.day:02}",
        "HH": f"{local.hour:02}",
        "mm": f"{local.minute:02}",
        "ss": f"{local.second:02}",
        "SSS": f"{local.microsecond // 1000:03}",
    }
    return _PARTS_OF_TIME.sub(lambda found: parts[found.group()], form)


def safe_value(text: str, *, colons: bool = False) -> str:
    """A value as a part of a name: without characters that some system has a use for, and not too long. Colons are one,
    but may stay."""
    return (_UNSAFE_BUT_COLONS if colons else _UNSAFE).sub("_", text).strip()[:LONGEST_VALUE]


class Names:
    """The names of one run's files, no two alike.

    `values` are what placeholders stand for; times are in them as text. `extension` is what a name gets that has no
    ending of its own, `packings` are the endings of what the file is packed in: (".gz", ".pgp").
    """

    def __init__(
        self, pattern: str, values: Mapping[str, str], *, extension: str, packings: Sequence[str], folder: str = ""
    ) -> None:
        """Raises InputError for a pattern that makes no name."""
        self._values = {
            name.casefold(): safe_value(value, colons=name.casefold() in TIMES) for name, value in values.items()
        }
        self._known = (*values, "part")
        stem, tail = _split(pattern.strip(), extension, packings)
        self._stem = "/".join(part for part in (*_folders(folder), *_folders(stem)))
        self._tail = self._inner = tail
        self._extension = extension
        for packing in reversed(packings):
            self._inner = self._inner.removesuffix(packing)
        self._numbered = "{part}" in stem.casefold()
        self._used: set[str] = set()
        self.path()
        self._used.clear()

    def path(self, table: str = "", part: int = 0) -> str:
        """A path, with / and relative to the place's folder. `table` tells the files of one run apart, `part` the
        parts of one of them from 1 on; 0: there is only one. Raises InputError."""
        stem = self._filled(part)
        if table:
            stem += f"_{safe_value(table)}"
        if part and not self._numbered:
            stem += f"_{part}"
        path, again = stem + self._tail, 1
        while path.casefold() in self._used:
            again += 1
            path = f"{stem}_{again}{self._tail}"
        self._used.add(path.casefold())
        for name in path.split("/"):
            if len(name.encode()) > LONGEST_NAME:
                raise InputError(
                    f"The file's name would be too long: {name[:60]}…", advice="Choose a shorter name for the file."
                )
        return path

    def member(self) -> str:
        """What the first file is called within its archive."""
        return self._filled(0).rpartition("/")[2] + (self._inner or self._extension)

    def _filled(self, part: int) -> str:
        values = self._values | {"part": str(part or 1)}
        filled = _PLACEHOLDER.sub(lambda found: self._value(values, found), self._stem)
        names = filled.split("/")
        if not names[-1] or any(name.strip(" .") == "" for name in names):
            raise InputError(f"“{filled}” can't be the name of a file.", advice="Type a name for the file.")
        return filled

    def _value(self, values: Mapping[str, str], found: re.Match[str]) -> str:
        name = found.group(1).casefold()
        if name not in values:
            known = ", ".join(f"{{{one}}}" for one in self._known)
            raise InputError(
                f"The name of the file has {found.group()}, which stands for nothing.",
                advice=f"What can be filled in: {known}.",
            )
        return values[name]


def _split(pattern: str, extension: str, packings: Sequence[str]) -> tuple[str, str]:
    """A pattern as its stem and all endings: those that are typed already are not added once more."""
    if not pattern:
        raise InputError("The file has no name.", advice="Type a name for the file.")
    if pattern.endswith("/") or any(character in pattern for character in "\\\0\n\r\t"):
        raise InputError(
            f"“{pattern}” can't be the name of a file.", advice="Folders are written with /, and a name is one line."
        )
    packed = "".join(packings)
    typed = next(
        (end for count in range(len(packings), 0, -1) if pattern.lower().endswith(end := "".join(packings[:count]))), ""
    )
    stem = pattern[: len(pattern) - len(typed)]
    ending = _ENDING.search(stem)
    if ending is not None:
        return stem[: ending.start()], ending.group() + packed
    return stem, ("" if typed else extension) + packed


def _folders(path: str) -> list[str]:
    """The parts of a path; one that begins with / begins in the place's folder. Raises InputError when it goes up."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise InputError(f"“{path}” leaves the folder of the authorization.", advice="Leave .. out of the name.")
    return parts

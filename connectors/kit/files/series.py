"""Which files of a folder belong to a series, in which order they are read, and when the next one is late."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import re2  # type: ignore[import-untyped]

from connectors.kit.errors import InputError
from connectors.kit.files.stamps import ending_of, kind_of, root_of, stamps_in
from connectors.kit.places.base import Entry, FileMark
from connectors.kit.times import EPOCH, parse_time
from connectors.kit.types import DoneFile

UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".partial", ".crdownload", ".swp", ".lock")
"""Ends of names under which programs write what is not complete yet."""

KINDS: Mapping[str, frozenset[str]] = {
    "csv": frozenset({"", ".csv", ".tsv", ".tab", ".txt", ".dat", ".psv"}),
    "json": frozenset({"", ".json", ".jsonl", ".ndjson", ".txt", ".log"}),
}
RHYTHMS: Mapping[str, timedelta] = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=31),
}
_SEPARATORS = "-_. "

Key = tuple[datetime, datetime, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is to be read; `changed` if it was read before, in another state."""

    entry: Entry
    changed: bool


class Series:
    """What a job's options say of its files. Raises InputError for what can't be."""

    def __init__(self, options: Mapping[str, Any], form: Literal["csv", "json"]) -> None:
        self.chosen = str(options.get("filename") or options.get("starting_file") or "")
        self.folder = posixpath.dirname(self.chosen) if self.chosen else str(options.get("folder") or "").rstrip("/")
        self._name = posixpath.basename(self.chosen)
        self._form = form
        given = str(options.get("prefix") or "").strip()
        self._prefix = given or (root_of(self._name) if self._name else "")
        self._pattern = _compiled(given) if given else None
        stamps = stamps_in(self._name)
        self._dated = bool(stamps)
        self._tail = self._bare(self._name[stamps[0].end :]) if stamps else ""
        self._strict = bool(self._name) and (not given or self._has_mark(self._name))
        self._since = _since(options.get("since"))
        self.rhythm = RHYTHMS.get(str(options.get("file_frequency") or "").lower())

    @property
    def begins_with_chosen(self) -> bool:
        """Whether the chosen file is where the series begins."""
        return bool(self.chosen) and self._since is None

    def describe(self) -> str:
        """The series in words: “customers_” in /outgoing."""
        named = f"named “{self._prefix}…”" if self._prefix else "of any name"
        return f"{named} in {self.folder}" if self.folder else named

    def has(self, name: str) -> bool:
        """Whether a file of this name is one of the series."""
        if name.startswith(".") or name.lower().endswith(UNFINISHED) or name.endswith("~"):
            return False
        if name == self._name:
            return True
        if not self._is_kind(name):
            return False
        if self._strict:
            return self._has_mark(name) or (not self._dated and self._bare(name) == self._prefix)
        return name.startswith(self._prefix) or (self._pattern is not None and bool(self._pattern.match(name)))

    def _is_kind(self, name: str) -> bool:
        kind = kind_of(name)
        expected = kind_of(self._name) if self._name else ""
        return kind == expected if expected and kind else kind in KINDS[self._form]

    @staticmethod
    def _bare(name: str) -> str:
        return name.removesuffix(ending_of(name))

    def _has_mark(self, name: str) -> bool:
        """Whether the prefix is all that stands before a time in the name."""
        for stamp in stamps_in(name):
            head = name[: stamp.start]
            bare = head.rstrip(_SEPARATORS)
            if not self._prefix:
                # Names that begin with the time are told apart by what follows it.
                if not head and self._bare(name[stamp.end :]) == self._tail:
                    return True
            elif head == self._prefix or (bare and bare == self._prefix.rstrip(_SEPARATORS)):
                return True
            if self._pattern is not None and (self._pattern.fullmatch(head) or self._pattern.fullmatch(bare)):
                return True
        return False

    def files(self, entries: Iterable[Entry]) -> list[Entry]:
        """The files of the series, in the order in which they are read."""
        own = [entry for entry in entries if not entry.is_folder and self.has(entry.name)]
        return sorted(own, key=key_of)

    def waiting(self, entries: Iterable[Entry], done: Mapping[str, DoneFile]) -> list[Waiting]:
        """The files of the series that are still to be read, or anew because they changed, in their order."""
        files = self.files(entries)
        begin = None if self._since is not None else self._begin(files, done)
        found = []
        for entry in files:
            before = done.get(entry.path)
            if before is not None and same_state(before, mark_of(entry)):
                continue
            if before is None and self._since is not None and key_of(entry)[0] < self._since:
                continue
            if before is None and begin is not None and key_of(entry) < begin:
                continue
            found.append(Waiting(entry, before is not None))
        return found

    def _begin(self, files: list[Entry], done: Mapping[str, DoneFile]) -> Key | None:
        """What is older than the chosen file, and than all that was read, is not meant."""
        keys = [_key(posixpath.basename(file.path), _moment(file.modified)) for file in self.read(done)]
        keys += [key_of(entry) for entry in files if entry.name == self._name]
        return min(keys, default=None)

    def read(self, done: Mapping[str, DoneFile]) -> list[DoneFile]:
        """The files of the series that were read."""
        return [
            file
            for path, file in done.items()
            if posixpath.dirname(path) == self.folder and self.has(posixpath.basename(path))
        ]

    def late(self, done: Mapping[str, DoneFile], now: datetime) -> tuple[str, datetime] | None:
        """The newest file that was read, and when the next one should have come; None while there is time."""
        read = [
            (_key(posixpath.basename(file.path), _moment(file.modified)), posixpath.basename(file.path))
            for file in self.read(done)
        ]
        if self.rhythm is None or not read:
            return None
        (newest, _, _), name = max(read)
        expected = newest + self.rhythm
        # Who writes a file a day does not do so at the same minute.
        return (name, expected) if now > expected + self.rhythm / 4 else None


def key_of(entry: Entry) -> Key:
    """What files of a series are ordered by: when they were changed, the time in their name, the name."""
    return _key(entry.name, entry.modified)


def _key(name: str, modified: datetime | None) -> Key:
    stamps = stamps_in(name)
    stamp = stamps[-1].time if stamps else EPOCH
    return (modified or stamp, stamp, name)


def mark_of(entry: Entry) -> FileMark:
    return FileMark(entry.size, entry.modified, entry.tag)


def same_state(done: DoneFile, mark: FileMark) -> bool:
    """Whether a file is still as it was when it was read."""
    return same_mark(FileMark(done.size, _moment(done.modified), done.tag), mark)


def same_mark(one: FileMark, other: FileMark) -> bool:
    """Whether two looks saw the same state. A place's own mark of the content says it best: object storage tells the
    time of the same object with and without fractions of a second."""
    if one.tag and other.tag:
        return (one.size, one.tag) == (other.size, other.tag)
    return (one.size, one.modified) == (other.size, other.modified)


def derived_prefix(filename: str) -> str:
    """The prefix that is offered for a chosen file."""
    return root_of(posixpath.basename(filename))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _compiled(prefix: str) -> Any:
    """The prefix as a pattern; None for one that is none, and so stands for itself."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(prefix, options=options)
    except (re2.error, UnicodeEncodeError):
        return None


def _since(value: Any) -> datetime | None:
    text = str(value or "").strip()
    if not text:
        return None
    time = parse_time(text)
    if time is None:
        raise InputError(
            f"“{text}” is no date that files could be read from.",
            advice="Write it like 2026-01-31 or 2026-01-31 08:00.",
        )
    return EPOCH + timedelta(microseconds=time)

"""What the window shows of a place: its files and folders, and the first rows of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from connectors.kit.errors import InputError
from connectors.kit.files.nested import flattened
from connectors.kit.files.reading import CsvFile, Form, JsonFile, opened, pgp_keys
from connectors.kit.files.series import Series, derived_prefix
from connectors.kit.formats.chain import members
from connectors.kit.formats.csv import CsvBatch
from connectors.kit.formats.guess import ColumnGuess, guess_timestamp, guess_types
from connectors.kit.formats.json import JsonBatch
from connectors.kit.places.base import Place
from connectors.kit.types import Choice, Credentials, Preview, PreviewColumn, Rejected

PREVIEW_ROWS = 100
CELL_LIMIT = 2_000

Part = TypeVar("Part", CsvBatch, JsonBatch)
OpenPlace = Callable[[], Place]


def list_files(open_place: OpenPlace, path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    with closing(open_place()) as place:
        entries = place.list(path)
    long_ago = datetime(1, 1, 1, tzinfo=UTC)
    entries.sort(key=lambda entry: entry.modified or long_ago, reverse=True)
    entries.sort(key=lambda entry: not entry.is_folder)
    return [
        Choice(
            entry.path,
            entry.name,
            folder=entry.is_folder,
            size=None if entry.is_folder else entry.size,
            modified=entry.modified.isoformat() if entry.modified else None,
        )
        for entry in entries
    ]


def list_folders(open_place: OpenPlace, path: str) -> list[Choice]:
    """The folders below `path`, by name."""
    with closing(open_place()) as place:
        return [Choice(entry.path, entry.name, folder=True) for entry in place.list(path) if entry.is_folder]


def list_members(credentials: Credentials, options: Mapping[str, Any], open_place: OpenPlace) -> list[Choice]:
    """The files in the chosen archive; none where it is no zip."""
    filename = chosen_file(options)
    if not filename:
        return []
    with closing(open_place()) as place, closing(place.open(filename)) as stream:
        return [Choice(name, name) for name in members(stream, keys=pgp_keys(credentials))]


def chosen_file(options: Mapping[str, Any]) -> str:
    """The file that a job's options name; "" for none."""
    return str(options.get("filename") or options.get("starting_file") or "")


def list_prefixes(options: Mapping[str, Any]) -> list[Choice]:
    """What the names of further files may begin with, judged by the chosen one."""
    filename = chosen_file(options)
    prefix = derived_prefix(filename) if filename else ""
    return [Choice(prefix, prefix)] if prefix else []


def preview_file(credentials: Credentials, options: Mapping[str, Any], open_place: OpenPlace, form: Form) -> Preview:
    """The first rows as the import will read them, unpacked and decrypted; of a remote file only the head is moved.

    Without a file but with a prefix, those of the first file of the series.
    """
    with closing(open_place()) as place:
        filename = chosen_file(options)
        if not filename and not options.get("prefix"):
            raise InputError("No file is chosen.", advice="Choose the file to import.")
        if not filename:
            series = Series(options, form)
            files = series.files(place.list(series.folder))
            if not files:
                raise InputError(f"There is no file {series.describe()}.", advice="Check the prefix and the folder.")
            filename = files[0].path
        size = place.stat(filename).size
        # Which columns are missing is what the preview is to show, so nothing is asked of them here.
        reading = {name: value for name, value in options.items() if name not in ASKS_FOR_COLUMNS}
        with opened(place.open(filename), form, reading, credentials) as file:
            if isinstance(file, CsvFile):
                return _table(file, reading, size)
            return _objects(file, size)


ASKS_FOR_COLUMNS = frozenset({"fields", "identifiers", "timestamp_field", "timestamps"})


def _first(batches: Iterator[Part]) -> tuple[list[Part], list[Rejected], list[str]]:
    """Parts with as many rows as a preview shows, the rejected ones, and a note where the file broke off before."""
    parts: list[Part] = []
    rejected: list[Rejected] = []
    count = 0
    try:
        for part in batches:
            parts.append(part)
            rejected += part.rejected
            count += len(part.lines) + len(part.rejected)
            if count >= PREVIEW_ROWS:
                break
    except InputError as error:
        if not count:
            raise
        return parts, rejected, [str(error)]
    return parts, rejected, []


def _table(file: CsvFile, options: Mapping[str, Any], size: int) -> Preview:
    parts, rejected, notes = _first(file.reader.batches(PREVIEW_ROWS))
    rows = [row for part in parts for row in part.rows][:PREVIEW_ROWS]
    guesses = guess_types(file.columns, rows)
    header = "header" if options.get("header", True) and not options.get("columns") else "no header"
    return Preview(
        columns=tuple(PreviewColumn(guess.name, guess.sample, guess.kind, guess.is_identifier) for guess in guesses),
        rows=tuple(tuple(row) for row in rows),
        summary=(*file.summary[:-1], header),
        notes=(*file.notes, *notes),
        rejected=tuple(rejected),
        timestamp=guess_timestamp(file.columns, guesses),
        size=size,
    )


def _objects(file: JsonFile, size: int) -> Preview:
    parts, rejected, notes = _first(file.reader.batches(PREVIEW_ROWS))
    records = [flattened(record) for part in parts for record in part.records][:PREVIEW_ROWS]
    names = list(dict.fromkeys(name for record in records for name in record))
    rows = [[_cell(record.get(name)) for name in names] for record in records]
    guesses = guess_types(names, rows)
    notes += [
        f"{name} holds objects in a list: it stays in the events and fills no field."
        for name in names
        if any(isinstance(item, dict | list) for items in _lists(records, name) for item in items)
    ]
    return Preview(
        columns=tuple(_column(guess, records) for guess in guesses),
        rows=tuple(tuple(row) for row in rows),
        summary=file.summary,
        notes=tuple(notes),
        rejected=tuple(rejected),
        timestamp=guess_timestamp(names, guesses),
        size=size,
    )


def _column(guess: ColumnGuess, records: list[dict[str, Any]]) -> PreviewColumn:
    if _lists(records, guess.name):
        return PreviewColumn(guess.name, guess.sample, "list")
    return PreviewColumn(guess.name, guess.sample, guess.kind, guess.is_identifier)


def _lists(records: list[dict[str, Any]], name: str) -> list[list[Any]]:
    return [value for record in records if isinstance(value := record.get(name), list)]


def _cell(value: Any) -> str:
    """A value as it is shown."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        text = orjson.dumps(value).decode()
        return text if len(text) <= CELL_LIMIT else text[:CELL_LIMIT] + "…"
    return orjson.dumps(value).decode()

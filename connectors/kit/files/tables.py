"""The tables that a layout makes of people, and rows as the lines of a file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Protocol

import orjson

from connectors.kit.files.cells import Cells, People, guarded, headers_of, joined
from connectors.kit.files.layout import FieldValue, Layout, header_of
from connectors.kit.types import ExportSource

JOIN_KEY = "join_key"
SEVERAL = ("[]", "ts[]", "map[")
"""What kinds of fields begin with that hold several values."""

Rows = Iterable[Sequence[Any]]


class Lines(Protocol):
    """Makes lines of rows, each with its end."""

    def __call__(self, rows: Rows) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """One file of an export: what is added to its name, its columns, its rows for some people, how they are written."""

    name: str
    headers: tuple[str, ...]
    rows: Callable[[People], Rows]
    lines: Lines
    head: str


def tables_of(layout: Layout, source: ExportSource) -> list[Table]:
    """The tables of a layout: one, but for the form "multi-csv", which has one more for each field with several values.
    They belong together by a key that is made of the identifiers."""
    if layout.form == "json":
        cells = Cells(layout, source, raw=True)
        headers = tuple(header_of(one) for one in layout.columns)
        return [Table("", headers, _rows_of(cells), json_lines(headers), "")]
    if layout.form == "csv":
        return [_csv_table("", headers_of(layout), _rows_of(Cells(layout, source)), layout)]
    kinds = {one.name: one.kind for one in source.fields}
    several = [one for one in layout.columns if isinstance(one, FieldValue) and kinds[one.field].startswith(SEVERAL)]
    single = replace(layout, columns=tuple(one for one in layout.columns if one not in several))
    keys = identifiers(source)
    first = Cells(single, source)

    def rows(people: People) -> Rows:
        return zip(join_keys(people, keys), *first.columns(people), strict=True)

    return [
        _csv_table("", [JOIN_KEY, *headers_of(single)], rows, layout),
        *(_side_table(one, kinds[one.field], keys, layout) for one in several),
    ]


def further_fields(layout: Layout, source: ExportSource) -> list[str]:
    """Fields that the tables need beside those of the layout's columns."""
    return identifiers(source) if layout.form == "multi-csv" else []


def identifiers(source: ExportSource) -> list[str]:
    """The fields that say who somebody is."""
    return [one.name for one in source.fields if one.identifier]


def join_keys(people: People, fields: Sequence[str]) -> list[str]:
    """A key for each of some people: the SHA-256 of their identifiers, so it is another one when these change."""
    if not fields:
        return [""] * people.count
    listed = zip(*(people.fields[name] for name in fields), strict=True)
    return [hashlib.sha256(orjson.dumps(values)).hexdigest() for values in listed]


def csv_lines(layout: Layout) -> Lines:
    """Writes rows as a layout's CSV."""
    made: list[str] = []
    if layout.quoting == "never":
        between, end = layout.delimiter, layout.line_end

        def plain(rows: Rows) -> list[str]:
            return [between.join(["" if cell is None else str(cell) for cell in row]) + end for row in rows]

        return plain
    # Both characters end the line, or csv would leave a lone one of them in a value without quotes.
    writer = csv.writer(
        SimpleNamespace(write=made.append),
        delimiter=layout.delimiter,
        quoting=csv.QUOTE_ALL if layout.quoting == "all" else csv.QUOTE_MINIMAL,
        lineterminator="\r\n",
    )

    def quoted(rows: Rows) -> list[str]:
        made.clear()
        writer.writerows(rows)
        return made.copy() if layout.line_end == "\r\n" else [f"{line[:-2]}\n" for line in made]

    return quoted


def json_lines(headers: Sequence[str]) -> Lines:
    """Writes each row as a JSON object on a line of its own; what has no value is left out."""

    def lines(rows: Rows) -> list[str]:
        return [
            orjson.dumps(
                {name: value for name, value in zip(headers, row, strict=True) if value is not None},
                option=orjson.OPT_APPEND_NEWLINE,
            ).decode()
            for row in rows
        ]

    return lines


def _rows_of(cells: Cells) -> Callable[[People], Rows]:
    def rows(people: People) -> Rows:
        columns = cells.columns(people)
        return zip(*columns, strict=True) if columns else [()] * people.count

    return rows


def _csv_table(name: str, headers: Sequence[str], rows: Callable[[People], Rows], layout: Layout) -> Table:
    lines = csv_lines(layout)
    return Table(name, tuple(headers), rows, lines, "".join(lines([headers])) if layout.header else "")


def _side_table(column: FieldValue, kind: str, keys: Sequence[str], layout: Layout) -> Table:
    header = header_of(column)
    guard = guarded if layout.guard else str
    is_map = kind.startswith("map[")

    def rows(people: People) -> Rows:
        for key, value in zip(join_keys(people, keys), people.fields[column.field], strict=True):
            if is_map:
                for name, one in (value or {}).items():
                    yield key, guard(name), _cell(one, guard)
            else:
                for one in value or ():
                    yield key, _cell(one, guard)

    return _csv_table(header, [JOIN_KEY, *(("key",) if is_map else ()), header], rows, layout)


def _cell(value: Any, guard: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return guard(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else joined(value, "&")

"""Rows as bytes of the target: which columns, under which names, as a table or as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, Literal, Protocol

import orjson

from app.transfer.model import Form, Transfer, Writing
from app.transfer.reading import Block, Style, flat, text_of
from connectors.kit.errors import InputError
from connectors.kit.files.nested import value_at
from connectors.kit.formats.detect import encoding_name, known_encoding

SHOWN_COLUMNS = 20
MARKS = {
    "utf-8-sig": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
}
"""Encodings whose files begin with a mark."""
MARKING = {"utf-8-sig": "utf-8-sig", "utf_8_sig": "utf-8-sig", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Names that ask for one."""
Quoting = Literal[0, 1, 3]
"""Of the csv module: only where it has to be, always, never."""


class Unwritable(Exception):
    """A row has no form in the target; says why."""


class Columns(Protocol):
    """What has to be known of a source to say how its rows are written."""

    @property
    def form(self) -> Form: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def style(self) -> Style: ...


class Shape(Protocol):
    """The form of the target. `columns` are its titles where it is a table or columns were chosen, else empty."""

    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def begin(self) -> bytes:
        """What each file begins with."""
        ...

    def items(self, block: Block) -> Sequence[Any]:
        """The block's rows as `encode` takes them."""
        ...

    def encode(self, items: Sequence[Any]) -> bytes:
        """Raises Unwritable when one of them has no form; asked for that one alone it says why."""
        ...

    def shown(self, item: Any) -> tuple[str, ...]:
        """One row as a person sees it, under `columns`."""
        ...


def shape_of(source: Columns, transfer: Transfer, keys: Sequence[str] = ()) -> Shape:
    """How the rows of `source` are written. `keys` are those of JSON that becomes a table with all of them.

    Raises InputError for a column that the file does not have.
    """
    form = transfer.writing.form or source.form
    names = [column.name for column in transfer.columns]
    titles = [column.title for column in transfer.columns]
    if source.form == "csv":
        _refuse_unknown(source.columns, names)
        names = names or source.columns
        titles = titles or source.columns
        pick = _picker([source.columns.index(name) for name in names], len(source.columns))
        if form == "csv":
            return _Table(lambda block: pick(block.rows), titles, _style(source.style, transfer.writing))
        return _Lines(lambda block: [dict(zip(titles, row, strict=True)) for row in pick(block.rows)], titles)
    if form == "json":
        if not names:
            return _Lines(lambda block: block.records, [])
        return _Lines(lambda block: [_picked(record, names, titles) for record in block.records], titles)
    names, titles = names or list(keys), titles or list(keys)

    def cells(block: Block) -> list[list[str]]:
        if transfer.columns:
            return [[text_of(value_at(record, name)) for name in names] for record in block.records]
        return [[text_of(record.get(name)) for name in names] for record in map(flat, block.records)]

    return _Table(cells, titles, _style(Style(), transfer.writing))


def _refuse_unknown(columns: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in columns]
    if missing:
        shown = ", ".join(columns[:SHOWN_COLUMNS]) + (" …" if len(columns) > SHOWN_COLUMNS else "")
        raise InputError(
            f"The file has no column “{missing[0]}”.", advice=f"Its columns are: {shown}. Correct the columns."
        )


def _picker(places: list[int], width: int) -> Callable[[list[list[str]]], list[Any]]:
    if places == list(range(width)):
        return lambda rows: rows
    if len(places) == 1:
        [only] = places
        return lambda rows: [(row[only],) for row in rows]
    pick = itemgetter(*places)
    return lambda rows: list(map(pick, rows))


def _picked(record: dict[str, Any], names: Sequence[str], titles: Sequence[str]) -> dict[str, Any]:
    """The chosen keys of a record; one that it does not have is left out, as the record does."""
    found = {}
    for name, title in zip(names, titles, strict=True):
        value = value_at(record, name)
        if value is not None or name in record:
            found[title] = value
    return found


def _style(own: Style, writing: Writing) -> Style:
    """The source's style with what is to be changed."""
    changes: dict[str, Any] = {}
    if writing.encoding:
        changes["encoding"] = MARKING.get(writing.encoding.lower()) or known_encoding(writing.encoding, b"")[0]
    if writing.delimiter:
        changes["delimiter"] = writing.delimiter
    if writing.quote:
        changes["quote"] = "" if writing.quote == "none" else writing.quote
    if writing.line_end:
        changes["line_end"] = "\r\n" if writing.line_end == "crlf" else "\n"
    if writing.header is not None:
        changes["header"] = writing.header
    style = replace(own, **changes)
    if writing.quote_all:
        return replace(style, quote=style.quote or '"', quote_all=True)
    return style


class _Table:
    """Rows as CSV."""

    def __init__(self, items: Callable[[Block], list[Any]], columns: Sequence[str], style: Style) -> None:
        self.items = items
        self.columns = columns
        self._encoding = style.encoding.removesuffix("-sig")
        self._style = style
        self.begin = MARKS.get(style.encoding, b"")
        if style.header:
            try:
                self.begin += self.encode([columns])
            except Unwritable as error:
                raise InputError(
                    f"The header row can't be written: {error}", advice="Rename that column, or choose UTF-8."
                ) from error

    def encode(self, items: Sequence[Any]) -> bytes:
        style = self._style
        quoting: Quoting = csv.QUOTE_ALL if style.quote_all else csv.QUOTE_MINIMAL if style.quote else csv.QUOTE_NONE
        try:
            text = self._text(items, quoting)
            if style.line_end == "\n" and "\r" in text and not style.quote_all:
                # Python quotes only what holds the end of line that is written, and readers take the other for one too.
                if not style.quote:
                    raise csv.Error
                text = "".join(
                    self._text([item], csv.QUOTE_ALL if any("\r" in cell for cell in item) else quoting)
                    for item in items
                )
        except csv.Error as error:
            raise Unwritable("It holds the delimiter or the end of a line, and values are not quoted.") from error
        try:
            return text.encode(self._encoding)
        except UnicodeEncodeError as error:
            sign = error.object[error.start]
            shown = f"“{sign}”" if sign.isprintable() else f"U+{ord(sign):04X}"
            raise Unwritable(f"It holds {shown}, which {encoding_name(self._encoding)} does not have.") from error

    def _text(self, items: Sequence[Any], quoting: Quoting) -> str:
        text, style = io.StringIO(newline=""), self._style
        csv.writer(
            text,
            delimiter=style.delimiter,
            quotechar=style.quote or None,
            quoting=quoting,
            lineterminator=style.line_end,
        ).writerows(items)
        return text.getvalue()

    def shown(self, item: Any) -> tuple[str, ...]:
        return tuple(item)


class _Lines:
    """Records as JSON, one a line."""

    begin = b""

    def __init__(self, items: Callable[[Block], list[Any]], columns: Sequence[str]) -> None:
        self.items = items
        self.columns = columns

    def encode(self, items: Sequence[Any]) -> bytes:
        try:
            return b"".join([orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items])
        except orjson.JSONEncodeError as error:
            raise Unwritable(f"It has no form in JSON ({error}).") from error

    def shown(self, item: Any) -> tuple[str, ...]:
        return (orjson.dumps(item).decode(),)

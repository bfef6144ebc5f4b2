"""The rows of a file that is transferred, whatever its form: a table, or JSON whose records become rows."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.transfer.model import DELIMITERS, Form, Reading, Transfer
from connectors.kit.errors import InputError
from connectors.kit.files.nested import flattened
from connectors.kit.formats.chain import Keys, unpacked
from connectors.kit.formats.csv import COLUMN_LIMIT, CsvOptions, CsvReader, open_csv
from connectors.kit.formats.detect import encoding_name
from connectors.kit.formats.json import JsonReader, open_json
from connectors.kit.formats.streams import ByteStream, read_fully
from connectors.kit.types import Rejected

BLOCK_ROWS = 10_000
HEAD = 64 * 1024

Row = Sequence[str]
Record = dict[str, Any]


@dataclass(slots=True)
class Block:
    """Some rows of a table, or some records of JSON (the other list is empty), and the line that each began at."""

    lines: list[int]
    rejected: list[Rejected]
    rows: list[list[str]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Style:
    """How a table is written: encoding, delimiter, quote ("" for none), end of line, whether it has a header row."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    line_end: str = "\n"
    header: bool = True
    quote_all: bool = False


class Source:
    """A file that is being read. `columns` is empty for JSON: its keys are known when all of it was read.

    `style` is the file's own, `summary` says it in words, `notes` are sentences about oddities.
    """

    def __init__(self, form: Form, reader: CsvReader | JsonReader, style: Style, steps: tuple[str, ...]) -> None:
        self.form = form
        self.style = style
        self._reader = reader
        if isinstance(reader, CsvReader):
            self.columns = reader.columns
            self.notes = tuple(reader.notes)
            delimiter = DELIMITERS.get(reader.delimiter, reader.delimiter)
            about: tuple[str, ...] = (
                encoding_name(reader.encoding),
                delimiter,
                "header row" if style.header else "no header row",
            )
        else:
            self.columns = []
            self.notes = ()
            about = ("JSON",)
        self.summary = (*steps, *about)

    def blocks(self, most: int = BLOCK_ROWS) -> Iterator[Block]:
        """What is in it, at most `most` rows and some megabytes at a time."""
        if isinstance(self._reader, CsvReader):
            for table in self._reader.batches(most):
                yield Block(table.lines, table.rejected, rows=table.rows)
        else:
            for batch in self._reader.batches(most):
                yield Block(batch.lines, batch.rejected, records=batch.records)


@contextmanager
def opened(stream: ByteStream, transfer: Transfer, keys: Keys | None) -> Iterator[Source]:
    """The rows of a file, unpacked and decrypted. `stream` stands at its start and stays open. Raises InputError."""
    reading = transfer.reading
    with unpacked(stream, keys=keys, member=reading.member or None) as plain:
        table = _Headed(plain)
        form = reading.form or ("json" if _is_json(table.head) else "csv")
        if form == "json":
            yield Source("json", open_json(table), Style(), plain.steps)
            return
        csv_reader = open_csv(table, _csv_options(reading))
        style = Style(
            encoding=_with_mark(csv_reader.encoding, table.head),
            delimiter="," if csv_reader.delimiter == "whitespace" else csv_reader.delimiter,
            quote="" if reading.quote == "none" else reading.quote or '"',
            line_end="\r\n" if b"\r\n" in table.head or b"\r\0\n\0" in table.head else "\n",
            header=reading.header and not reading.columns,
        )
        yield Source("csv", csv_reader, style, plain.steps)


def _csv_options(reading: Reading) -> CsvOptions:
    return CsvOptions(
        delimiter=reading.delimiter or None,
        quote="" if reading.quote == "none" else reading.quote or '"',
        encoding=reading.encoding or None,
        columns=list(reading.columns) or None,
        header=reading.header,
    )


class _Headed:
    """A stream whose head can be looked at before it is read."""

    def __init__(self, inner: ByteStream) -> None:
        self.head, self._failure = read_fully(inner, HEAD)
        self._inner = inner
        self._at = 0

    def read(self, size: int, /) -> bytes:
        data = self.head[self._at : self._at + size]
        if not data and size:
            if self._failure is not None:
                raise self._failure
            data = self._inner.read(size)
        self._at += len(data)
        return data

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("the file is read from front to back")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._inner.close()


def _is_json(head: bytes) -> bool:
    """Whether a text begins as an object or an array does: no header row has a quote or a brace after its first."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    after = text[1:].lstrip(b" \t\r\n")[:1]
    return (text[:1] == b"{" and after in (b'"', b"}")) or (text[:1] == b"[" and after in (b"{", b"[", b"]"))


def _with_mark(encoding: str, head: bytes) -> str:
    """The encoding under the name that keeps the mark which the file begins with."""
    if encoding == "utf-8" and head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    return encoding


def all_keys(source: Source) -> Iterator[list[str]]:
    """Read JSON to its end for its keys, levels joined by dots, in the order in which they come up.

    Yields those found so far now and then. Raises InputError when there are more than a table can have.
    """
    keys: dict[str, None] = {}
    for block in source.blocks():
        for record in block.records:
            keys.update(dict.fromkeys(flat(record)))
        if len(keys) > COLUMN_LIMIT:
            raise InputError(
                f"The file has more than {COLUMN_LIMIT:,} different keys, too many for the columns of a table.",
                advice="Choose the columns to take over, or write JSON.",
            )
        yield list(keys)


def flat(record: Record) -> Record:
    """One level of keys: deeper ones are named by the keys on the way, joined by dots."""
    return flattened(record) if any(value.__class__ is dict for value in record.values()) else record


def text_of(value: Any) -> str:
    """A value of JSON as the text of a cell: lists as JSON, nothing for null."""
    if value.__class__ is str:
        text: str = value
        return text
    return "" if value is None else orjson.dumps(value).decode()

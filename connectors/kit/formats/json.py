"""JSON read record by record in bounded memory: an object per line, an array of objects, or objects in a row.

A record that can't be read is rejected with its place and reason while the next ones are read. Nested objects and
lists stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from connectors.kit.errors import InputError
from connectors.kit.formats import detect
from connectors.kit.formats.json_elements import (
    KEPT_SIZE,
    TOO_LONG,
    Elements,
    ElementScanner,
    Lost,
    Transcoded,
    why,
)
from connectors.kit.formats.rows import TEXT_LIMIT
from connectors.kit.formats.streams import ByteStream, read_fully
from connectors.kit.formats.text import LINE_LIMIT, shown
from connectors.kit.types import Record, Rejected

HEAD_SIZE = 256 * 1024
"""Bytes that are looked at before the first record is read; also what a preview costs at least."""

DEPTH_LIMIT = 100
"""Levels of objects and lists in a record; what makes more is no customer data."""

FIELD_LIMIT = 2_000
"""Fields of one record, as many as columns of a table."""

BLOCK_SIZE = 256 * 1024

_SAMPLE_LINES = 20
_ARRAY = re.compile(rb"[ \t\r\n]*\[(?:[ \t]*\r?\n([ \t]*)(?=\{))?")
_KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}

_CONTAINERS = (dict, list)
_NUL = "The record contains NUL characters, which no text has."

Form = Literal["lines", "array", "objects"]


@dataclass(frozen=True, slots=True)
class JsonPosition:
    """A place between two records: records before it (rejected ones too), the number that the next one has, and its
    byte if known."""

    row: int
    line: int
    offset: int | None


@dataclass(slots=True)
class JsonBatch:
    """Records that were read together, in file order.

    `lines` says where each record stands: its 1-based line in a file of lines; elsewhere, where many records may share
    a line, its number. `rows_seen` counts the records of the file up to the end of this batch, rejected ones included;
    `position` is where to go on after it.
    """

    records: list[Record] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    rows_seen: int = 0
    position: JsonPosition = JsonPosition(0, 1, None)

    def reject(self, line: int, reason: str, text: bytes) -> None:
        told = shown(text[:KEPT_SIZE].decode("utf-8", "replace"), TEXT_LIMIT)
        self.rejected.append(Rejected(line, reason, told))


class JsonReader:
    """A file being read; made by `open_json`. `form` is what it was found to be, `encoding` what it is written in."""

    def __init__(self, stream: ByteStream, form: Form, encoding: str, indent: bytes | None, *, exact: bool) -> None:
        """`exact` says that the bytes of `stream` are those of the file."""
        self.form = form
        self.encoding = encoding
        self._stream = stream
        self._indent = indent
        self._exact = exact
        self._row, self._line, self._offset = 0, 1, 0
        self._skip = 0
        self._head = b""
        self._failure: Exception | None = None
        self._ended = False

    def begin(self, head: bytes, offset: int, *, ended: bool, failure: Exception | None) -> None:
        """Start with bytes that were already read, the first of which is the one at `offset` of the file."""
        self._head, self._offset = head, offset
        self._ended, self._failure = ended or failure is not None, failure

    def go_to(self, position: JsonPosition) -> None:
        """Stand at `position` of the same file; by its byte if that is known and the stream can seek."""
        if position.offset is None or not self._exact or not self._stream.seekable():
            self._skip = position.row
            return
        self._stream.seek(position.offset)
        self._head, self._failure, self._ended = b"", None, False
        self._row, self._line, self._offset = position.row, position.line, position.offset

    def batches(self, max_rows: int = 10_000) -> Iterator[JsonBatch]:
        """The records from here on, at most `max_rows` (rejected ones included) and about a megabyte at a time.

        Raises what the stream raised (a gz that is cut off, a lost file) after the records before it; InputError for
        an array that is cut off, or goes wrong in a way that leaves open where its next record begins.
        """
        for batch in self._from_lines(max_rows) if self.form == "lines" else self._from_elements(max_rows):
            count = len(batch.records) + len(batch.rejected)
            left_out = min(self._skip, count)
            self._skip -= left_out
            if left_out:
                _leave_out(batch, left_out)
            if left_out < count:
                yield batch
        if self._failure is not None:
            raise self._failure

    def _read(self) -> bytes:
        """The next bytes; b"" once there are none, or after a failure, which is kept for later."""
        data, self._head = self._head, b""
        if not data and not self._ended:
            data, self._failure = read_fully(self._stream, BLOCK_SIZE)
            self._ended = self._failure is not None or len(data) < BLOCK_SIZE
        return data

    def _close(self, batch: JsonBatch, *, lines: int, size: int | None) -> JsonBatch:
        """Say where a batch ends: so many lines or elements on, and bytes, None if they come with a later one."""
        self._row += len(batch.records) + len(batch.rejected)
        self._line += lines
        self._offset += size or 0
        known = self._exact and size is not None
        batch.rows_seen = self._row
        batch.position = JsonPosition(self._row, self._line, self._offset if known else None)
        return batch

    def _from_lines(self, max_rows: int) -> Iterator[JsonBatch]:
        rest, dropping = b"", False
        while data := self._read():
            if dropping:
                end = data.find(b"\n") + 1
                self._offset += end or len(data)
                if not end:
                    continue
                self._line += 1
                data, dropping = data[end:], False
            data = rest + data
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if end:
                yield from self._from_block(data[: end - 1].split(b"\n"), max_rows, newline=1)
            if len(rest) > LINE_LIMIT:
                batch = JsonBatch()
                batch.reject(self._line, TOO_LONG, rest)
                self._close(batch, lines=0, size=len(rest))
                # Going on from within the line would take its end for a record.
                batch.position = JsonPosition(self._row, self._line, None)
                yield batch
                rest, dropping = b"", True
        if rest and self._failure is None:
            yield from self._from_block([rest], max_rows, newline=0)

    def _from_block(self, block: list[bytes], max_rows: int, *, newline: int) -> Iterator[JsonBatch]:
        """Batches of whole lines, each of which was followed by so many bytes of a line's end."""
        loads = orjson.loads
        for start in range(0, len(block), max_rows):
            lines = block[start : start + max_rows]
            batch = JsonBatch()
            add, note = batch.records.append, batch.lines.append
            for number, line in enumerate(lines, self._line):
                try:
                    record = loads(line)
                except orjson.JSONDecodeError as error:
                    if line.strip():
                        batch.reject(number, why(line, error) if len(line) <= LINE_LIMIT else TOO_LONG, line)
                    continue
                if record.__class__ is dict:
                    brackets = line.count(b"{") + line.count(b"[")
                    usual = len(record) <= FIELD_LIMIT and brackets <= DEPTH_LIMIT and b"\\u0000" not in line
                    if usual and len(line) <= LINE_LIMIT:
                        add(record)
                        note(number)
                        continue
                if reason := TOO_LONG if len(line) > LINE_LIMIT else _fault(record, nul=b"\\u0000" in line):
                    batch.reject(number, reason, line)
                else:
                    add(record)
                    note(number)
            yield self._close(batch, lines=len(lines), size=sum(map(len, lines)) + newline * len(lines))

    def _from_elements(self, max_rows: int) -> Iterator[JsonBatch]:
        scanner = ElementScanner(self._read, array=self.form == "array", indent=self._indent)
        blocks = scanner.blocks()
        while True:
            try:
                block = next(blocks, None)
            except Lost as lost:
                if self._failure is None:
                    self._failure = InputError(
                        f"The JSON can't be read any further: at record {self._line:,}, {lost}.",
                        advice="Probably it was not copied completely. Get the file once more.",
                    )
                return
            if block is None:
                return
            yield from self._from_values(block, max_rows)

    def _from_values(self, block: Elements, max_rows: int) -> Iterator[JsonBatch]:
        careful = bool(block.faults) or block.nul or block.deep
        for start in range(0, len(block.values), max_rows):
            values = block.values[start : start + max_rows]
            batch = JsonBatch()
            for index, value in enumerate(values):
                if not careful and value.__class__ is dict and len(value) <= FIELD_LIMIT:
                    batch.records.append(value)
                    batch.lines.append(self._line + index)
                elif fault := block.faults.get(start + index):
                    batch.reject(self._line + index, *fault)
                elif reason := _fault(value, nul=block.nul):
                    batch.reject(self._line + index, reason, orjson.dumps(value))
                else:
                    batch.records.append(value)
                    batch.lines.append(self._line + index)
            last = start + max_rows >= len(block.values)
            yield self._close(batch, lines=len(values), size=block.size if last else None)


def open_json(stream: ByteStream, *, position: JsonPosition | None = None) -> JsonReader:
    """Look at the start of a file and stand before its first record, or at `position`.

    `stream` stands at its start and stays open. Going to a position of a file that can seek takes no time. Raises
    InputError for a file that is empty or no JSON.
    """
    head, failure = read_fully(stream, HEAD_SIZE)
    if failure is not None and not head:
        raise failure
    detect.refuse_other_kinds(head, wanted="JSON")
    ended = failure is None and len(head) < HEAD_SIZE
    encoding, mark = detect.detect_encoding(head, whole=ended)
    exact = encoding == "utf-8"
    if not exact and failure is None:
        stream = Transcoded(head[mark:], stream, encoding)
        head, failure = read_fully(stream, HEAD_SIZE)
        mark, ended = 0, failure is None and len(head) < HEAD_SIZE
        detect.refuse_other_kinds(head, wanted="JSON")
    head = head[mark:]
    form = _form(head)
    start, indent = 0, None
    if form == "array" and (found := _ARRAY.match(head)):
        start, indent = head.index(b"[") + 1, found[1]
    elif form == "objects":
        indent = b""
    reader = JsonReader(stream, form, encoding, indent, exact=exact)
    reader.begin(head[start:], mark + start, ended=ended, failure=failure)
    if position is not None:
        reader.go_to(position)
    return reader


def _form(head: bytes) -> Form:
    """What a file that begins with `head` is. Raises InputError when it is no JSON."""
    text = head.lstrip()
    if text.startswith(b"["):
        return "array"
    lines = text.split(b"\n", _SAMPLE_LINES)
    first = lines[0].rstrip()
    if text.startswith(b"{"):
        if _is_object(first) and b"{" not in map(bytes.strip, lines[:_SAMPLE_LINES]):
            return "lines"
        if first.endswith((b"{", b"[", b",", b":")) or _begins_with_object(text):
            return "objects"
        return "lines"
    if any(_is_object(line) for line in lines[:_SAMPLE_LINES]):
        return "lines"
    raise InputError(
        "This file is no JSON: it does not begin with { or [.",
        advice="Choose a file with a JSON object in each line, or an array of them; a table is imported as CSV.",
        details=shown(text[:200].decode("utf-8", "replace"), 80),
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _begins_with_object(text: bytes) -> bool:
    """Whether a whole object stands at the start, whatever follows it."""
    pieces = iter([text])
    try:
        first = next(ElementScanner(lambda: next(pieces, b""), array=False, indent=None).blocks(), None)
    except Lost:
        return False
    return first is not None and isinstance(first.values[0], dict)


def _fault(value: Any, *, nul: bool) -> str:
    """Why a value is not taken as a record; "" if it is. `nul` says that there may be NUL characters in it."""
    if value.__class__ is not dict:
        return f"The record is no object, but {_KINDS.get(value.__class__, 'something else')}."
    if len(value) > FIELD_LIMIT:
        return f"The record has {len(value):,} fields; more than {FIELD_LIMIT:,} can't be read."
    level = [item for item in value.values() if item.__class__ in _CONTAINERS]
    for _ in range(DEPTH_LIMIT - 1):
        if not level:
            return _NUL if nul and _has_nul(value) else ""
        level = [item for container in level for item in _values(container) if item.__class__ in _CONTAINERS]
    return f"The record is nested more than {DEPTH_LIMIT} levels deep."


def _has_nul(record: Record) -> bool:
    level: list[Any] = [record]
    while level:
        if any(item.__class__ is str and "\0" in item for item in level):
            return True
        keys = [key for item in level if item.__class__ is dict for key in item]
        level = keys + [
            item for container in level if container.__class__ in _CONTAINERS for item in _values(container)
        ]
    return False


def _values(container: Any) -> Iterable[Any]:
    return container.values() if container.__class__ is dict else container


def _leave_out(batch: JsonBatch, count: int) -> None:
    """Take the first records, rejected ones included, off a batch."""
    places = sorted([*batch.lines, *(rejected.line for rejected in batch.rejected)])
    first = places[count] if count < len(places) else places[-1] + 1
    kept = [index for index, line in enumerate(batch.lines) if line >= first]
    batch.records = [batch.records[index] for index in kept]
    batch.lines = [batch.lines[index] for index in kept]
    batch.rejected = [rejected for rejected in batch.rejected if rejected.line >= first]

"""Tables as text, read row by row in bounded memory.

A bad row is rejected with its reason and line while the next ones are read; a file that is no table at all is
refused before the first row. `open_csv` looks at the start of the file and finds out what the options leave open.
"""

from __future__ import annotations

import contextlib
import csv
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.kit.errors import InputError
from connectors.kit.formats import detect
from connectors.kit.formats.rows import Block, RowParser
from connectors.kit.formats.streams import ByteStream, read_fully
from connectors.kit.formats.text import LINE_LIMIT, TextLines, any_cut
from connectors.kit.types import Rejected

HEAD_SIZE = 512 * 1024
"""Bytes that are looked at before the first row is read; also what a preview costs at least."""

COLUMN_LIMIT = 2_000
"""More is a file read with the wrong delimiter, or an attack."""

NAME_LIMIT = 200

_SAMPLE_CHARACTERS = 128 * 1024
_SEPARATOR_LINE = re.compile(r"sep=(.)[\r\n]+", re.IGNORECASE)
"""The first line that Excel reads, and writes nowhere else, to learn the delimiter."""


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """How to read a table; None means to look at the file.

    `delimiter` is one character or "whitespace" (columns aligned with blanks or tabs, no quoting). An empty
    `quote` turns quoting off. `columns` names the columns of a file without a header row: its first row is data
    then, whatever `header` says. With `header` False and no names they are called column_1, column_2, …
    """

    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    columns: list[str] | None = None
    header: bool = True


@dataclass(frozen=True, slots=True)
class CsvPosition:
    """A place between two rows: data rows before it (rejected ones too), its 1-based line, its byte if known."""

    row: int
    line: int
    offset: int | None


@dataclass(slots=True)
class CsvBatch:
    """Rows that were read together, in file order.

    `lines` holds the first physical line of each row, 1-based. `rows_seen` counts the data rows of the file up to
    the end of this batch, rejected ones included; `position` is where to go on after it.
    """

    rows: list[list[str]]
    lines: list[int]
    rejected: list[Rejected]
    rows_seen: int
    position: CsvPosition


class CsvReader:
    """A table being read; made by `open_csv`.

    `columns` are unique names, `encoding` and `delimiter` what was given or found, `notes` sentences about what
    was odd in the header row.
    """

    def __init__(
        self,
        source: TextLines,
        parser: RowParser,
        *,
        encoding: str,
        delimiter: str,
        columns: list[str],
        notes: list[str],
        waiting: list[str],
        line: int,
    ) -> None:
        """`waiting` are lines taken from `source` whose rows are still to come; the first is line `line`."""
        self.encoding = encoding
        self.delimiter = delimiter
        self.columns = columns
        self.notes = notes
        self._source = source
        self._parser = parser
        self._waiting = waiting
        self._fresh = True
        self._strange = source.strange
        self._line = line
        self._row = 0
        self._skip = 0

    def go_to(self, position: CsvPosition, stream: ByteStream) -> None:
        """Stand at `position` of the same file; by its byte if that is known and `stream` can seek."""
        if position.offset is None or not stream.seekable():
            self._skip = position.row
            return
        stream.seek(position.offset)
        self._source = TextLines(stream, self.encoding, offset=position.offset)
        self._waiting, self._fresh, self._strange = [], False, False
        self._line, self._row, self._skip = position.line, position.row, 0

    def batches(self, max_rows: int = 10_000) -> Iterator[CsvBatch]:
        """The rows from here on, at most `max_rows` (rejected ones included) and some megabytes at a time.

        Raises what the stream raised (a gz that is cut off, a lost file) after the rows before it.
        """
        while True:
            block, lines, end = self._next_block()
            start = min(self._skip, len(block))
            self._skip -= start
            self._row += start
            for at in range(start, len(block), max_rows):
                stop = min(at + max_rows, len(block))
                self._row += stop - at
                yield self._cut(block, at, stop, lines, end)
            if self._source.ended:
                break
        if self._source.failure is not None:
            raise self._source.failure

    def _next_block(self) -> tuple[Block, list[str], CsvPosition]:
        """Rows of the next lines, those lines, and the position after them (its `row` is not filled in)."""
        lines = self._waiting
        if not self._fresh:
            kept, strange = len(lines), self._strange
            lines = lines + self._source.read(at_least=sum(map(len, lines)))
            self._strange = self._source.strange or (strange and kept > 0)
        self._fresh = False
        final = self._source.ended and self._source.failure is None
        block, used = self._parser.parse(lines, self._line, strange=self._strange, final=final)
        self._waiting = lines[used:]
        self._line += used
        del lines[used:]
        return block, lines, CsvPosition(0, self._line, self._source.offset_before(self._waiting))

    def _cut(self, block: Block, start: int, stop: int, lines: list[str], end: CsvPosition) -> CsvBatch:
        """Rows `start` to `stop` of a block that was parsed from `lines`, which end at `end`."""
        if start == 0 and stop == len(block):
            position = CsvPosition(self._row, end.line, end.offset)
            return CsvBatch(block.rows, block.starts, block.rejected, self._row, position)
        bad_start, bad_stop = bisect_left(block.rejected_at, start), bisect_left(block.rejected_at, stop)
        good_start, good_stop = start - bad_start, stop - bad_stop
        line, offset = end.line, end.offset
        if stop < len(block):
            line = min(
                [*block.starts[good_stop : good_stop + 1]]
                + [rejected.line for rejected in block.rejected[bad_stop : bad_stop + 1]]
            )
            rest = lines[line - end.line :]
            if offset is not None:
                offset = None if any_cut(rest) else offset - self._source.size("".join(rest))
        return CsvBatch(
            block.rows[good_start:good_stop],
            block.starts[good_start:good_stop],
            block.rejected[bad_start:bad_stop],
            self._row,
            CsvPosition(self._row, line, offset),
        )


def open_csv(
    stream: ByteStream,
    options: CsvOptions | None = None,
    *,
    start_row: int = 0,
    position: CsvPosition | None = None,
) -> CsvReader:
    """Look at the start of a table and stand before its data row `start_row`, or at `position`.

    `stream` stands at its start and stays open. Going to a row means to read over the rows before it; going to a
    position of a file that can seek takes no time. Raises InputError for an empty file, one that is no table, or
    one that does not fit the options.
    """
    options = options or CsvOptions()
    head, failure = read_fully(stream, HEAD_SIZE)
    if failure is not None and not head:
        raise failure
    detect.refuse_other_kinds(head)
    whole = failure is None and len(head) < HEAD_SIZE
    if options.encoding:
        encoding, mark = detect.known_encoding(options.encoding, head)
    else:
        encoding, mark = detect.detect_encoding(head, whole=whole)
    source = TextLines(stream, encoding, offset=mark)
    source.begin_with(head[mark:], ended=whole, failure=failure)
    lines = source.read()
    while not lines and not source.ended:
        lines = source.read()
    sample = _sample(lines)
    detect.refuse_binary("".join(sample))
    quote = _one_character(options.quote, "quote")
    start = 0
    delimiter = _one_character(options.delimiter, "delimiter")
    if announced := _SEPARATOR_LINE.fullmatch(sample[0]) if sample else None:
        start, delimiter = 1, delimiter or announced.group(1)
    delimiter = delimiter or detect.detect_delimiter(sample[start:], quote)
    skip_blank = detect.blank_before_quote(sample[start:], delimiter, quote)
    names_given = options.columns is not None or not options.header
    parser = RowParser(
        delimiter=delimiter, quote=quote, skip_blank=skip_blank, width=0, trailing=False, encoding=encoding
    )
    first, first_end = _first_row(parser, lines, start)
    cells = first if not names_given else options.columns or [""] * len(first)
    if len(cells) > COLUMN_LIMIT:
        raise InputError(
            f"The table has {len(cells):,} columns; more than {COLUMN_LIMIT:,} can't be read.",
            advice="Check the delimiter.",
        )
    columns, notes = _unique_names(cells, quiet=names_given)
    data_start = start if names_given else first_end
    widths = _widths(parser, sample[data_start:])
    trailing = bool(widths) and widths == {(len(columns) + 1, True)}
    if options.columns and widths and not trailing and all(width != len(columns) for width, _ in widths):
        raise InputError(
            f"The rows of the file have {min(widths)[0]} fields, but {len(columns)} column names are given.",
            advice="Name every column, or check the delimiter.",
        )
    parser = RowParser(
        delimiter=delimiter,
        quote=quote,
        skip_blank=skip_blank,
        width=len(columns),
        trailing=trailing,
        encoding=encoding,
    )
    reader = CsvReader(
        source,
        parser,
        encoding=encoding,
        delimiter=delimiter,
        columns=columns,
        notes=notes,
        waiting=lines[data_start:],
        line=data_start + 1,
    )
    reader.go_to(position or CsvPosition(start_row, 0, None), stream)
    return reader


def _one_character(text: str | None, name: str) -> str:
    if not text or text == detect.WHITESPACE:
        return text or ""
    if text == "\\t":
        return "\t"
    if len(text) > 1 or text in "\r\n\0":
        raise InputError(f"The {name} must be one character, not “{text}”.", advice="Correct it and try again.")
    return text


def _sample(lines: list[str]) -> list[str]:
    """The first lines, about as many as say what the file is like, always the first one."""
    total = 0
    for index, line in enumerate(lines):
        total += len(line)
        if total > _SAMPLE_CHARACTERS:
            return lines[: index + 1]
    return lines


def _first_row(parser: RowParser, lines: list[str], start: int) -> tuple[list[str], int]:
    """The first row that is not blank, and the index of the line after it."""
    reader = parser.reader(lines[start:])
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                if len("".join(row)) > LINE_LIMIT // 2:
                    break
                return row, start + reader.line_num
    except csv.Error as error:
        raise InputError(
            f"The first row can't be read: a quotation mark in it has no partner (line {start + reader.line_num}).",
            advice="Correct the row, or choose another quote character.",
            details=str(error),
        ) from error
    raise InputError("The file does not begin with a row of a table.", advice="Choose a CSV file.")


def _widths(parser: RowParser, lines: list[str]) -> set[tuple[int, bool]]:
    """Numbers of fields in the sampled rows, each with whether the last field is empty in such a row."""
    widths: set[tuple[int, bool]] = set()
    # The sample may end inside a row, and a bad row is dealt with when it is read.
    with contextlib.suppress(csv.Error):
        widths.update((len(row), not row[-1]) for row in parser.reader(lines) if row)
    return widths


def _unique_names(cells: list[str], *, quiet: bool) -> tuple[list[str], list[str]]:
    """Column names that differ, whatever their case, and sentences about the ones that had to change."""
    names: list[str] = []
    notes: list[str] = []
    wanted = [" ".join(cell.split())[:NAME_LIMIT].replace("\0", "") for cell in cells]
    taken: set[str] = set()
    reserved = {name.casefold() for name in wanted}
    for number, name in enumerate(wanted, 1):
        final = name or f"column_{number}"
        again = 2
        while final.casefold() in taken or (final != name and final.casefold() in reserved):
            final = f"{name or f'column_{number}'}_{again}"
            again += 1
        if not name and not quiet:
            notes.append(f"Column {number} has no name in the header row; it is called {final}.")
        elif final != name and not quiet:
            notes.append(f"The header row has {name} more than once; column {number} is called {final}.")
        taken.add(final.casefold())
        names.append(final)
    return names, notes

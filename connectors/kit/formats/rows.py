"""Physical lines to rows: the strict inner part of reading a table.

How a row is found decides what is lost with a bad one. A row whose quotes do not pair up, or that spans lines
and has the wrong number of fields, or is too long, gives up its first physical line only, and reading goes on at
the next one: a quote that is never closed swallows nothing. The outcome depends on the file alone, never on
where it was cut into blocks, so counting rows is an exact way to find a place again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.kit.formats.detect import CELL, WHITESPACE, RowReader, encoding_name, row_reader
from connectors.kit.formats.text import LINE_LIMIT, has_bad_bytes, shown
from connectors.kit.types import Rejected

TEXT_LIMIT = 4_000
"""Characters of a rejected row that are kept to be shown."""


@dataclass(slots=True)
class Block:
    """The rows of some lines: fields and first line of each good one; `rejected_at` counts both kinds from 0."""

    rows: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    rejected_at: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.rejected)


class _AlignedReader:
    """`csv.reader` for columns aligned with blanks or tabs: one row a line, no quoting."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        line = next(self._lines)
        self.line_num += 1
        return CELL.findall(line)


class RowParser:
    """Parses blocks of lines into rows of `width` fields.

    `trailing` says that all rows end with a delimiter too many, whose empty field is left out. `encoding` is
    only named in reasons.
    """

    def __init__(
        self, *, delimiter: str, quote: str, skip_blank: bool, width: int, trailing: bool, encoding: str
    ) -> None:
        self._delimiter = delimiter
        self._quote = quote
        self._skip_blank = skip_blank
        self._width = width
        self._trailing = trailing
        self._encoding = encoding

    def reader(self, lines: Iterable[str]) -> RowReader:
        if self._delimiter == WHITESPACE:
            return _AlignedReader(lines)
        # A limit of the whole process: fields may be as long as a row, not only 131,072 characters.
        csv.field_size_limit(LINE_LIMIT)
        return row_reader(lines, self._delimiter, self._quote, skip_blank=self._skip_blank)

    def parse(self, lines: list[str], first_line: int, *, strange: bool, final: bool) -> tuple[Block, int]:
        """The rows in `lines`, and how many of the lines they took.

        `strange` says that NUL characters or bad bytes may be among them. Unless `final`, a row that is still
        open at the end is left for the next call, which must begin with the lines that were not taken.
        """
        rows: list[list[str]] = []
        ends: list[int] = []
        add, mark = rows.append, ends.append
        reader = self.reader(lines)
        broken = False
        try:
            for row in reader:
                add(row)
                mark(reader.line_num)
        except csv.Error:
            broken = True
        good = 0 if strange or sum(map(len, lines)) > LINE_LIMIT else self._good_rows(rows)
        block = Block(rows, []) if good == len(rows) else Block(rows[:good], [])
        if good and ends[good - 1] == good:
            block.starts = list(range(first_line, first_line + good))
        elif good:
            block.starts = [first_line, *(first_line + end for end in ends[: good - 1])]
        if good == len(rows) and not broken:
            return block, len(lines)
        return block, self._parse_carefully(block, lines, ends[good - 1] if good else 0, first_line, final=final)

    def _good_rows(self, rows: list[list[str]]) -> int:
        """How many rows from the start have the right number of fields."""
        if self._trailing:
            for row in rows:
                self._trim(row)
        if set(map(len, rows)) <= {self._width}:
            return len(rows)
        return next(index for index, row in enumerate(rows) if len(row) != self._width)

    def _trim(self, row: list[str]) -> None:
        if self._trailing and len(row) == self._width + 1 and not row[-1]:
            del row[-1]

    def _parse_carefully(self, block: Block, lines: list[str], at: int, first_line: int, *, final: bool) -> int:
        """Parse on from line index `at`, looking at every row; the index of the first line not taken."""
        count = len(lines)
        while at < count:
            base = at
            reader = self.reader(lines[index] for index in range(base, count))
            try:
                for row in reader:
                    end = base + reader.line_num
                    text = lines[at] if end == at + 1 else "".join(lines[at:end])
                    self._trim(row)
                    if len(text) > LINE_LIMIT:
                        self._reject_line(block, lines, at, first_line, "")
                        end = at + 1
                    elif not row or (len(row) != self._width and not text.strip(" \t\r\n\x1a")):
                        pass
                    elif len(row) != self._width:
                        has, wanted = _count(len(row), "field"), _count(self._width, "column")
                        reason = f"The row has {has}, but the table has {wanted}."
                        self._reject_line(block, lines, at, first_line, reason)
                        end = at + 1
                    elif reason := self._strangeness(text):
                        _reject(block, first_line + at, reason, text)
                    else:
                        block.rows.append(row)
                        block.starts.append(first_line + at)
                    at = end
                    if at != base + reader.line_num:
                        break
            except csv.Error as error:
                if "unexpected end" in str(error) and not final and sum(map(len, lines[at:])) <= LINE_LIMIT:
                    return at
                self._reject_line(block, lines, at, first_line, "A quotation mark in this row has no partner.")
                at += 1
        return count

    def _strangeness(self, text: str) -> str:
        if "\0" in text:
            return "The row contains NUL characters, which no text has."
        if has_bad_bytes(text):
            return f"The row contains bytes that are no {encoding_name(self._encoding)} text."
        return ""

    def _reject_line(self, block: Block, lines: list[str], at: int, first_line: int, reason: str) -> None:
        text = lines[at]
        if len(text) > LINE_LIMIT or not reason:
            reason = f"The row is longer than {LINE_LIMIT:,} characters."
        _reject(block, first_line + at, reason, text)


def _reject(block: Block, line: int, reason: str, text: str) -> None:
    block.rejected_at.append(len(block))
    block.rejected.append(Rejected(line, reason, shown(text, TEXT_LIMIT)))


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"

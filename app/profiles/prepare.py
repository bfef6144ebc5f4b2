"""The first half of a chunk's way: records become the values of people's fields. Nothing is written here.

It is apart from the second half (app.profiles.ingest) so that a long import can do both at once, in two processes.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

from app.clock import now_microseconds
from app.profiles.tombstones import Mark, Tombstones
from app.schema.mapping import Table, load_schema
from app.schema.tables import version_number
from app.streams.seen import spread
from connectors.kit.types import Batch, Cursor, DoneFile, Record, Rejected


@dataclass(slots=True)
class Prepared:
    """A chunk ready to be written: for each record its event time, raw text and stored field values.

    They hold for the schema `version` and for what was `erased` before. `filled` counts values by key,
    `sampled` are some records to learn what the stream's values look like. `unreadable` counts, by field, values
    that did not fit. `read` counts the rejected rows as well, `left_out` the records that name
    somebody who was erased after them.
    """

    version: int
    erased: Mark
    times: list[int]
    texts: list[str]
    rows: list[tuple[Any, ...]]
    filled: dict[str, int]
    sampled: list[Record]
    rejected: list[Rejected]
    cursor: Cursor
    file: DoneFile | None
    read: int
    left_out: int
    unreadable: Counter[str]


class Preparer:
    """Prepares the chunks of one run.

    `first_time` is the event time of the next record where the source has no event times: records then follow each
    other by a microsecond, so that file order decides which value is newest.
    """

    def __init__(self, connection: sqlite3.Connection, stream: str, first_time: int) -> None:
        self._connection = connection
        self._stream = stream
        self._next_time = first_time
        self._tombstones = Tombstones.load(connection)
        self._schema = load_schema(connection, now_microseconds())

    def prepare(self, batch: Batch) -> Prepared:
        """Evaluate the stream's mapping on a batch; records without a time take the next ones."""
        length = len(batch.records)
        arrival = range(self._next_time, self._next_time + length)
        self._next_time += length
        times = (
            [at if at is not None else own for at, own in zip(batch.times, arrival, strict=True)]
            if batch.times
            else list(arrival)
        )
        if version_number(self._connection) != self._schema.version:
            self._schema = load_schema(self._connection, now_microseconds())
        self._tombstones = self._tombstones.loaded_anew(self._connection)
        records = batch.records
        table = Table(records, batch.columns, times)
        unreadable: Counter[str] = Counter()
        rows = self._schema.stream(self._stream).evaluate(table, unreadable)
        if self._tombstones:
            kept = self._tombstones.spares(self._schema, rows, times)
            if len(kept) < len(records):
                records = [records[place] for place in kept]
                times = [times[place] for place in kept]
                rows = [rows[place] for place in kept]
                table = Table(records, batch.columns, times)
        return Prepared(
            version=self._schema.version,
            erased=self._tombstones.mark,
            times=times,
            texts=[orjson.dumps(record).decode() for record in records],
            rows=rows,
            filled=table.filled(),
            sampled=spread(records),
            rejected=batch.rejected,
            cursor=batch.cursor,
            file=batch.file,
            read=length + len(batch.rejected),
            left_out=length - len(records),
            unreadable=unreadable,
        )

    def again(self, before: Prepared) -> Prepared:
        """Prepare a chunk once more: the schema has changed meanwhile, or somebody was erased."""
        records = [orjson.loads(text) for text in before.texts]
        anew = self.prepare(
            Batch(records, before.cursor, times=list(before.times), rejected=before.rejected, file=before.file)
        )
        self._next_time -= len(records)
        anew.read = before.read
        anew.left_out += before.left_out
        return anew

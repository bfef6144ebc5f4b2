"""One chunk of records becomes events and people, in one transaction with the run's cursor and counts."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from app.clock import now_microseconds, now_text
from app.identity.resolve import Row, keys_of
from app.profiles.chunk import Chunk
from app.profiles.people_table import PeopleTable
from app.profiles.surroundings import Surroundings
from app.profiles.tombstones import Tombstones
from app.schema.mapping import Table, load_schema
from app.schema.tables import version_number
from app.store.database import transaction
from app.streams.seen import FieldsSeen
from connectors.kit.types import Batch

WORKER_CACHE_KIB = 131_072
"""SQLite's page cache in a worker: identifiers are looked up all over their index."""
CHECKPOINT_PAGES = 50_000
"""Pages that are written again and again go from the WAL to the file once in 200 MB rather than once in 4."""


@dataclass(slots=True)
class ChunkResult:
    """What one chunk did.

    `nobody` counts records without an identifier. `unreadable` counts, by field, values that did not fit its type
    and were left out of people. `too_long` counts identifiers over the limit, which name nobody. `erased` counts
    records that were not kept because they name somebody who was erased, at a time before the erasure.
    """

    read: int
    added: int
    updated: int
    rejected: int
    nobody: int
    too_long: int
    erased: int
    unreadable: Counter[str]


class Ingest:
    """Writes the chunks of one run. The connection is the worker's own.

    `first_event_at` is the event time of the run's first record where the source has no event times: records
    then follow each other by a microsecond, so that file order decides which value is newest.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        run_id: int,
        job_id: int,
        stream_id: int,
        types: Mapping[str, str],
        first_event_at: int,
        records_before: int,
    ) -> None:
        connection.execute(f"pragma cache_size = -{WORKER_CACHE_KIB}")
        connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._connection = connection
        self._run_id = run_id
        self._job_id = job_id
        self._stream_id = stream_id
        self._stream = str(connection.execute("select name from streams where id = ?", (stream_id,)).fetchone()[0])
        self._seen = FieldsSeen(connection, stream_id, types)
        self._next_time = first_event_at + records_before
        self._tombstones = Tombstones.load(connection)
        self._use_schema()

    def _use_schema(self) -> None:
        self._schema = load_schema(self._connection, now_microseconds())
        self._mapping = self._schema.stream(self._stream)
        self._table = PeopleTable(self._connection, self._schema)
        self._surroundings = Surroundings(self._table, self._schema)

    def write(self, batch: Batch) -> ChunkResult:
        """Store one batch and move the run's cursor, all or nothing."""
        with transaction(self._connection):
            return self._write(batch)

    def _write(self, batch: Batch) -> ChunkResult:
        connection = self._connection
        if version_number(connection) != self._schema.version:
            # Somebody published meanwhile, or another run made a field: people are read and written with all fields.
            self._use_schema()
        now = now_text()
        records, times = batch.records, self._times(batch)
        table = Table(records, batch.columns, times)
        unreadable: Counter[str] = Counter()
        rows = self._mapping.evaluate(table, unreadable)
        self._tombstones = self._tombstones.loaded_anew(connection)
        if self._tombstones:
            kept = self._not_erased(rows, times)
            records = [records[place] for place in kept]
            times = [times[place] for place in kept]
            rows = [rows[place] for place in kept]
            table = Table(records, batch.columns, times)
        texts = [orjson.dumps(record).decode() for record in records]
        settled, newest = connection.execute(
            "select (select max(last_event_at) from streams), (select max(id) from events)"
        ).fetchone()
        first_event = (newest or 0) + 1
        events = range(first_event, first_event + len(records))
        connection.executemany(
            "insert into events (id, stream_id, run_id, at, data) values (?, ?, ?, ?, ?)",
            [
                (event, self._stream_id, self._run_id, at, text)
                for event, at, text in zip(events, times, texts, strict=True)
            ],
        )
        chunk = Chunk(self._table, self._schema, self._surroundings, events, texts, settled)
        chunk.take(self._mapping, rows, times, now)
        if records:
            self._seen.save(connection, records, table.filled(), min(times), max(times))
            connection.execute(
                """update streams set event_count = event_count + ?,
                    last_event_at = max(coalesce(last_event_at, ?), ?) where id = ?""",
                (len(records), times[-1], max(times), self._stream_id),
            )
            connection.execute(
                "update runs set first_event = coalesce(first_event, ?), last_event = ? where id = ?",
                (events[0], events[-1], self._run_id),
            )
        result = ChunkResult(
            read=len(batch.records) + len(batch.rejected),
            added=chunk.added,
            updated=chunk.updated,
            rejected=len(batch.rejected),
            nobody=chunk.nobody,
            too_long=chunk.too_long,
            erased=len(batch.records) - len(records),
            unreadable=unreadable,
        )
        self._account(batch, result, now)
        return result

    def _not_erased(self, rows: Sequence[Row], times: Sequence[int]) -> list[int]:
        """The places of the records that name nobody who was erased after them."""
        schema = self._schema
        keys, _ = keys_of(schema.identifiers, rows)
        names = {identifier.field_id: schema.field_name(identifier.field_id) for identifier in schema.identifiers}
        suppresses = self._tombstones.suppresses
        return [
            place
            for place, (named, at) in enumerate(zip(keys, times, strict=True))
            if not any(suppresses(names[field_id], text, at) for field_id, text in named)
        ]

    def _times(self, batch: Batch) -> list[int]:
        """Each record's event time; a record without one takes the time of its arrival in the run's order."""
        length = len(batch.records)
        arrival = range(self._next_time, self._next_time + length)
        self._next_time += length
        if not batch.times:
            return list(arrival)
        return [at if at is not None else own for at, own in zip(batch.times, arrival, strict=True)]

    def _account(self, batch: Batch, result: ChunkResult, now: str) -> None:
        connection = self._connection
        connection.executemany(
            "insert into rejected_rows (run_id, line, reason, text) values (?, ?, ?, ?)",
            [(self._run_id, row.line, row.reason, row.text) for row in batch.rejected],
        )
        connection.execute(
            """update runs set cursor = ?, read = read + ?, added = added + ?, updated = updated + ?,
                rejected = rejected + ? where id = ?""",
            (
                orjson.dumps(batch.cursor).decode(),
                result.read,
                result.added,
                result.updated,
                result.rejected,
                self._run_id,
            ),
        )
        connection.execute(
            """insert into activity (job_id, hour, added, updated, rejected) values (?, ?, ?, ?, ?)
            on conflict (job_id, hour) do update set added = added + excluded.added,
                updated = updated + excluded.updated, rejected = rejected + excluded.rejected""",
            (self._job_id, now[:13], result.added, result.updated, result.rejected),
        )

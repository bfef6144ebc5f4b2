"""A chunk of records becomes events and people, in one transaction with the run's cursor and counts."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from app.clock import now_microseconds, now_text
from app.profiles.chunk import Chunk
from app.profiles.people_table import PeopleTable
from app.profiles.prepare import Prepared, Preparer
from app.profiles.surroundings import Surroundings
from app.profiles.tombstones import newest_mark
from app.schema.mapping import load_schema
from app.schema.tables import version_number
from app.store.database import transaction
from app.streams.seen import FieldsSeen
from connectors.kit.types import Batch

WORKER_CACHE_KIB = 81_920
"""SQLite's page cache in a worker. Twice as much was no faster: larger chunks do more for the identifiers' index."""
CHECKPOINT_PAGES = 50_000
"""Pages that are written again and again go from the WAL to the file once in 200 MB rather than once in 4."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the chunks of one run go. `types` are what its columns were taken for (words of connectors.kit).

    `retries` is the run whose rejected rows this one reads again: those of a chunk's lines then leave its list.
    """

    run_id: int
    job_id: int
    stream_id: int
    stream: str
    types: Mapping[str, str]
    retries: int | None = None


@dataclass(frozen=True, slots=True)
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

    @property
    def omitted(self) -> int:
        """Records that became part of nobody."""
        return self.nobody + self.erased


class Stale(Exception):
    """The schema changed, or somebody was erased, since the chunk was prepared. Nothing was written."""


class Withdrawn(Exception):
    """The run is over for everybody else: this process was given up. Nothing was written."""


class ChunkWriter:
    """Writes the prepared chunks of one run. The connection is its own."""

    def __init__(self, connection: sqlite3.Connection, target: Target) -> None:
        connection.execute(f"pragma cache_size = -{WORKER_CACHE_KIB}")
        connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._connection = connection
        self._target = target
        self._seen = FieldsSeen(connection, target.stream_id, target.types)
        self._use_schema()

    def _use_schema(self) -> None:
        self._schema = load_schema(self._connection, now_microseconds())
        self._mapping = self._schema.stream(self._target.stream)
        self._table = PeopleTable(self._connection, self._schema)
        self._surroundings = Surroundings(self._table, self._schema)

    def write(self, prepared: Prepared) -> ChunkResult:
        """Store one chunk and move the run's cursor, all or nothing. Raises Stale and Withdrawn."""
        with transaction(self._connection):
            return self._write(prepared)

    def _write(self, prepared: Prepared) -> ChunkResult:
        connection, target = self._connection, self._target
        run = connection.execute("select status from runs where id = ?", (target.run_id,)).fetchone()
        if run is None or run["status"] != "running":
            # A process whose owner was killed must not move the cursor of a run that may be continued already.
            raise Withdrawn
        if version_number(connection) != prepared.version or newest_mark(connection) != prepared.erased:
            raise Stale
        if prepared.version != self._schema.version:
            self._use_schema()
        now = now_text()
        settled, newest = connection.execute(
            "select (select max(last_event_at) from streams), (select max(id) from events)"
        ).fetchone()
        times, texts = prepared.times, prepared.texts
        first_event = (newest or 0) + 1
        events = range(first_event, first_event + len(texts))
        connection.executemany(
            "insert into events (id, stream_id, run_id, at, data) values (?, ?, ?, ?, ?)",
            [
                (event, target.stream_id, target.run_id, at, text)
                for event, at, text in zip(events, times, texts, strict=True)
            ],
        )
        chunk = Chunk(self._table, self._schema, self._surroundings, events, texts, settled)
        chunk.take(self._mapping, prepared.rows, times, now)
        if texts:
            self._seen.save(connection, prepared.sampled, prepared.filled, min(times), max(times))
            connection.execute(
                """update streams set event_count = event_count + ?,
                    last_event_at = max(coalesce(last_event_at, ?), ?) where id = ?""",
                (len(texts), times[-1], max(times), target.stream_id),
            )
            connection.execute(
                "update runs set first_event = coalesce(first_event, ?), last_event = ? where id = ?",
                (events[0], events[-1], target.run_id),
            )
        result = ChunkResult(
            read=prepared.read,
            added=chunk.added,
            updated=chunk.updated,
            rejected=len(prepared.rejected),
            nobody=chunk.nobody,
            too_long=chunk.too_long,
            erased=prepared.left_out,
            unreadable=prepared.unreadable,
        )
        self._account(prepared, result, now)
        return result

    def _account(self, prepared: Prepared, result: ChunkResult, now: str) -> None:
        connection, target = self._connection, self._target
        if target.retries is not None:
            connection.executemany(
                "delete from rejected_rows where run_id = ? and line = ?",
                [(target.retries, line) for line in prepared.cursor["lines"]],
            )
        connection.executemany(
            "insert into rejected_rows (run_id, line, reason, text) values (?, ?, ?, ?)",
            [(self._target.run_id, row.line, row.reason, row.text) for row in prepared.rejected],
        )
        connection.execute(
            """update runs set cursor = ?, read = read + ?, added = added + ?, updated = updated + ?,
                omitted = omitted + ?, rejected = rejected + ? where id = ?""",
            (
                orjson.dumps(prepared.cursor).decode() if target.retries is None else None,
                result.read,
                result.added,
                result.updated,
                result.omitted,
                result.rejected,
                self._target.run_id,
            ),
        )
        if (file := prepared.file) is not None:
            connection.execute(
                """insert or replace into imported_files (job_id, path, size, modified, tag, sha256, run_id, at)
                values (?, ?, ?, ?, ?, ?, ?, ?)""",
                (target.job_id, file.path, file.size, file.modified, file.tag, file.sha256, target.run_id, now),
            )
        connection.execute(
            """insert into activity (job_id, hour, added, updated, omitted, rejected) values (?, ?, ?, ?, ?, ?)
            on conflict (job_id, hour) do update set added = added + excluded.added,
                updated = updated + excluded.updated, omitted = omitted + excluded.omitted,
                rejected = rejected + excluded.rejected""",
            (self._target.job_id, now[:13], result.added, result.updated, result.omitted, result.rejected),
        )


class Ingest:
    """Prepares and writes the chunks of one run, one after the other."""

    def __init__(self, connection: sqlite3.Connection, target: Target, first_time: int) -> None:
        self.preparer = Preparer(connection, target.stream, first_time)
        self._writer = ChunkWriter(connection, target)

    def write(self, batch: Batch) -> ChunkResult:
        """Store one batch and move the run's cursor, all or nothing. Raises Withdrawn."""
        prepared = self.preparer.prepare(batch)
        while True:
            try:
                return self._writer.write(prepared)
            except Stale:
                prepared = self.preparer.again(prepared)

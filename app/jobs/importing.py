"""One import under way in its worker process: it reads from the provider and writes events and people, in chunks."""

from __future__ import annotations

import asyncio
import gc
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.clock import now_text
from app.identity.resolve import MAX_IDENTIFIER_BYTES
from app.jobs.beside import BesideWriter
from app.jobs.log import write_log
from app.jobs.run_context import RunContext, limited
from app.jobs.worker import Reporter
from app.lql.events import flatten
from app.profiles.ingest import ChunkResult, Ingest, Target
from app.schema.column_types import set_expression
from app.schema.generated import Wishes, generate_mapping
from app.schema.patches import apply_provider_mappings
from app.store.database import transaction
from app.streams.seen import ensure_stream
from connectors.kit.formats.guess import guess_types
from connectors.kit.types import Again, Batch, Credentials, Cursor, DoneFile, ImportFunction, Record

SYNC_LOG_SECONDS = 5.0
GUESSED_RECORDS = 1_000
BESIDE_AFTER = 1
"""After so many chunks an import is a long one, and writes in a process beside."""
COLLECTED_CHUNKS = 50
"""A connector may leave cycles behind; they are collected every so many chunks."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """One run of an import job. `function` travels by its name."""

    database: Path
    job_id: int
    run_id: int
    function: ImportFunction
    credentials: Credentials = field(repr=False)
    options: Mapping[str, Any]
    cursor: Cursor | None
    scratch: Path
    keep: Path
    first_event_at: int
    events_before: int
    provider: str = ""
    provider_name: str = ""
    default_mapping: str | None = None
    """LQL text that the provider brings for this stream."""
    previous: Cursor | None = None
    """Where the last complete import stands, if only what is new is wanted."""
    retries: int | None = None
    done_files: Mapping[str, DoneFile] = field(default_factory=dict)
    again: Again | None = None
    """The run whose rejected rows are to be read again, and which they are."""
    memory: int = 2_048
    """Megabytes that the run may hold."""

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Read to the end. Raises Cancelled and what the provider and the workspace raise."""
        advice = "What was imported before is kept. Allow more in the settings, or split the file, and run it again."
        with limited(self.memory, reporter, advice):
            asyncio.run(_Run(self, connection, reporter).execute())
        shutil.rmtree(self.scratch, ignore_errors=True)


class _Run(RunContext):
    """One import under way; what connectors see of it is `connectors.kit.types.ImportContext`."""

    def __init__(self, order: ImportOrder, connection: sqlite3.Connection, reporter: Reporter) -> None:
        super().__init__(order.job_id, order.run_id, order.credentials, connection, reporter)
        self.options = order.options
        self.cursor = order.cursor
        self.previous = order.previous
        self.again = order.again
        self.scratch = order.scratch
        self.keep = order.keep
        self.done_files = order.done_files
        self._order = order
        self._columns: set[str] = set()
        self._types: dict[str, str] = dict(order.options.get("types") or {})
        self._stream_id = 0
        self._ingest: Ingest | None = None
        self._beside: BesideWriter | None = None
        self._synced = _SyncedRows()
        self._nobody = 0
        self._too_long = 0
        self._erased = 0
        self._unreadable: Counter[str] = Counter()

    async def execute(self) -> None:
        """Read to the end, chunk by chunk."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        chunks = 0
        try:
            async for batch in self._order.function(self):
                self._reporter.check()
                if self._has_new_columns(batch):
                    self._count(self._finish())
                    self._map_new_columns(batch)
                self._count(self._put(batch, chunks))
                chunks += 1
                if chunks % COLLECTED_CHUNKS == 0:
                    gc.collect()
                self.progress(batch.done, batch.total, batch.unit, "Importing")
            self._count(self._finish())
        finally:
            if self._beside is not None:
                self._beside.close()
        if self._synced.read:
            self._log_synced()
        self._log_losses()

    def _put(self, batch: Batch, chunks: int) -> list[ChunkResult]:
        """Have a batch written, maybe while the next one is read; the results that are known by now."""
        if self._ingest is None:
            self._target = Target(
                self._order.run_id,
                self._order.job_id,
                self._stream_id,
                str(self.options["stream"]),
                self._types,
                self._order.retries,
            )
            first_time = self._order.first_event_at + self._order.events_before
            self._ingest = Ingest(self._connection, self._target, first_time)
        if chunks < BESIDE_AFTER:
            return [self._ingest.write(batch)]
        if self._beside is None:
            self._beside = BesideWriter(self._order.database, self._target, self._ingest.preparer)
        return self._beside.put(batch)

    def _finish(self) -> list[ChunkResult]:
        return self._beside.finish() if self._beside is not None else []

    def _count(self, results: list[ChunkResult]) -> None:
        for result in results:
            self._rows += result.read
            self._nobody += result.nobody
            self._too_long += result.too_long
            self._erased += result.erased
            self._unreadable.update(result.unreadable)
            self._synced.add(result)
            if self._synced.seconds() >= SYNC_LOG_SECONDS:
                self._log_synced()

    def committed(self) -> None:
        """Wait until all batches that were handed over are saved."""
        self._count(self._finish())

    def _has_new_columns(self, batch: Batch) -> bool:
        """Whether a batch has columns that were not seen in this run yet, or is the first."""
        return not self._columns or not self._columns.issuperset(batch.columns or set().union(*_flat(batch)))

    def _map_new_columns(self, batch: Batch) -> None:
        """Give columns that were not seen in this run yet a mapping."""
        known = bool(self._columns)
        records = _flat(batch)
        columns = [
            column
            for column in dict.fromkeys(key for record in records for key in record)
            if column not in self._columns
        ]
        self._columns.update(columns)
        new = set(columns)
        records = records[:GUESSED_RECORDS]
        lists = {column for record in records for column, value in record.items() if value.__class__ is list} & new
        sample = [[_text(record.get(column)) for column in columns] for record in records]
        guesses = guess_types(columns, sample)
        for guess in guesses:
            self._types.setdefault(guess.name, guess.kind)
        chosen = self.options.get("identifiers")
        identifiers = (
            [guess.name for guess in guesses if guess.is_identifier]
            if chosen is None
            else [column for column in chosen if column in new]
        )
        order = self._order
        with transaction(self._connection):
            self._stream_id = ensure_stream(self._connection, str(self.options["stream"]), now_text())
            if order.default_mapping is not None and not known:
                brought, offered = apply_provider_mappings(
                    self._connection, order.provider, order.default_mapping, name=order.provider_name
                )
                self._log_brought(brought, offered)
            fields = generate_mapping(
                self._connection,
                str(self.options["stream"]),
                columns,
                Wishes(
                    {column: self._types[column] for column in columns},
                    identifiers,
                    # What holds objects in lists fits no field; the events have it.
                    {column: "" for column in lists if _holds_objects(records, column)}
                    | (self.options.get("targets") or {}),
                    self.options.get("kinds") or {},
                    {column: set_expression(column, "") for column in lists if "`" not in column}
                    | (self.options.get("expressions") or {}),
                ),
                comment=f"New columns of the job “{self._job_name()}”",
            )
            if fields:
                noun = "profile field" if len(fields) == 1 else "profile fields"
                message = f"{len(fields)} new {noun}: {', '.join(fields)}"
                write_log(self._connection, self._order.job_id, self._order.run_id, "note", message)

    def _log_brought(self, fields: list[str], offered: int) -> None:
        """Say what the provider's own mapping did to the schema; within the transaction that did it."""
        order = self._order
        if fields:
            message = f"{order.provider_name} brought {len(fields)} profile fields: {', '.join(fields)}"
            write_log(self._connection, order.job_id, order.run_id, "note", message)
        if offered:
            message = (
                f"{order.provider_name} would change {offered} things that were edited here; "
                "the Schema page shows them and asks."
            )
            write_log(self._connection, order.job_id, order.run_id, "note", message, level="warning")

    def _job_name(self) -> str:
        return str(
            self._connection.execute("select name from jobs where id = ?", (self._order.job_id,)).fetchone()["name"]
        )

    def _log_synced(self) -> None:
        synced, self._synced = self._synced, _SyncedRows()
        first = self._rows - synced.read + 1
        rejected = f", {synced.rejected:,} rejected" if synced.rejected else ""
        self._write_log(
            "synced",
            f"Rows {first:,} to {self._rows:,}: {synced.added:,} new people, {synced.updated:,} updated{rejected}",
            rows=synced.read,
        )

    def _log_losses(self) -> None:
        """Say what was kept as an event only, and which values were left out: nothing is lost in silence."""
        if self._nobody:
            self._write_log(
                "note",
                f"{_rows(self._nobody)} without an identifier: kept as events, part of nobody.",
                "warning",
            )
        if self._too_long:
            self._write_log(
                "note",
                f"{self._too_long:,} identifiers are longer than {MAX_IDENTIFIER_BYTES} bytes and name nobody.",
                "warning",
            )
        if self._erased:
            self._write_log(
                "note",
                f"{_rows(self._erased)} about somebody who was erased, of a time before that: not kept.",
                "warning",
            )
        for name, count in self._unreadable.most_common():
            self._write_log(
                "note",
                f"Left out of {name}: {count:,} {'value' if count == 1 else 'values'} that the field's type does not "
                "fit. The raw events have them.",
                "warning",
            )


def _flat(batch: Batch) -> Sequence[Record]:
    """A batch's records with one level of keys, as mappings see them."""
    return batch.records if batch.columns else [flatten(record) for record in batch.records]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _holds_objects(records: Sequence[Record], column: str) -> bool:
    values = (record.get(column) for record in records)
    return any(item.__class__ is dict for value in values if value.__class__ is list for item in value)


class _SyncedRows:
    """Counts since the last line about them in the log."""

    def __init__(self) -> None:
        self.read = self.added = self.updated = self.rejected = 0
        self._since = time.monotonic()

    def add(self, result: ChunkResult) -> None:
        self.read += result.read
        self.added += result.added
        self.updated += result.updated
        self.rejected += result.rejected

    def seconds(self) -> float:
        return time.monotonic() - self._since

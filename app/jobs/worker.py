"""The process of one run: it reads from the provider, writes chunks, and reports over a pipe.

It is started by the supervisor with one end of a pipe and gets its `Order` through it, secrets included: nothing
of an order is an argument or in the environment. Messages back are `Report`s; the last one is an `Outcome`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import signal
import sqlite3
import threading
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.clock import now_text
from app.errors import CausewayError
from app.identity.resolve import MAX_IDENTIFIER_BYTES
from app.jobs.log import write_log
from app.jobs.model import JobEvent, RunProgress
from app.profiles.ingest import ChunkResult, Ingest
from app.schema.generated import Wishes, generate_mapping
from app.store.database import open_connection, transaction, translated
from app.streams.seen import ensure_stream
from connectors.kit.errors import ConnectorError
from connectors.kit.formats.guess import guess_types
from connectors.kit.types import Batch, Credentials, Cursor, ImportFunction, Level

REPORT_SECONDS = 0.1
"""A worker reports at most ten times a second."""
SYNC_LOG_SECONDS = 5.0
GUESSED_RECORDS = 1_000
COLLECTED_CHUNKS = 50
"""A connector may leave cycles behind; they are collected every so many chunks."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do. `function` travels by its name."""

    database: Path
    job_id: int
    run_id: int
    function: ImportFunction
    credentials: Credentials = field(repr=False)
    options: Mapping[str, Any]
    cursor: Cursor | None
    scratch: Path
    first_event_at: int
    events_before: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: "completed", "cancelled" or "failed" with a sentence and, maybe, technical details."""

    status: str
    message: str = ""
    advice: str = ""
    details: str = ""


class Cancelled(Exception):
    """The user stopped the run, or the program that watches over it is gone."""


def work(pipe: Connection) -> None:
    """The process: wait for an order, carry it out, end."""
    # Ctrl-C in a terminal reaches every process of the group; stopping is the supervisor's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        order = pipe.recv()
    except (EOFError, OSError):
        return
    cancelled = threading.Event()
    threading.Thread(target=_listen, args=(pipe, cancelled), daemon=True).start()
    outcome = carry_out(order, _Reporter(pipe), cancelled)
    # A supervisor that is gone is told nothing; it finds the run in the workspace when it starts again.
    with contextlib.suppress(OSError):
        pipe.send(outcome)


def _listen(pipe: Connection, cancelled: threading.Event) -> None:
    """Whatever arrives after the order, the end of the pipe included, means: stop."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    cancelled.set()


def carry_out(order: Order, reporter: _Reporter, cancelled: threading.Event) -> Outcome:
    """Run an order to its end; every failure becomes an outcome."""
    connection: sqlite3.Connection | None = None
    # A chunk's many short-lived values hold no cycles, and looking for some would cost a quarter of the run.
    gc.freeze()
    gc.disable()
    try:
        with translated(order.database):
            connection = open_connection(order.database)
            run = _Run(order, connection, reporter, cancelled)
            asyncio.run(run.execute())
    except Cancelled:
        return Outcome("cancelled")
    except (ConnectorError, CausewayError) as error:
        return Outcome("failed", error.message, error.advice, error.details)
    except MemoryError:
        return Outcome("failed", "The run needed more memory than there is.", "Close other programs and run it again.")
    except Exception as error:
        return Outcome(
            "failed",
            f"The run stopped because of a defect in Causeway ({type(error).__name__}).",
            "Please report it with the details; what was imported before is kept.",
            traceback.format_exc(),
        )
    finally:
        if connection is not None:
            connection.close()
    shutil.rmtree(order.scratch, ignore_errors=True)
    return Outcome("completed")


class _Reporter:
    """Progress, at most every REPORT_SECONDS."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._last = 0.0

    def report(self, progress: RunProgress) -> None:
        now = time.monotonic()
        if now - self._last >= REPORT_SECONDS:
            self._last = now
            with contextlib.suppress(OSError):
                self._pipe.send(progress)


class _Run:
    """One import under way; what connectors see of it is `connectors.kit.types.ImportContext`."""

    def __init__(
        self, order: Order, connection: sqlite3.Connection, reporter: _Reporter, cancelled: threading.Event
    ) -> None:
        self.credentials = order.credentials
        self.options = order.options
        self.cursor = order.cursor
        self.scratch = order.scratch
        self._order = order
        self._connection = connection
        self._reporter = reporter
        self._cancelled = cancelled
        self._columns: set[str] = set()
        self._types: dict[str, str] = dict(order.options.get("types") or {})
        self._rows = 0
        self._stored = 0
        self._stream_id = 0
        self._started = time.monotonic()
        self._first_done: tuple[float, int] | None = None
        self._nobody = 0
        self._too_long = 0
        self._erased = 0
        self._unreadable: Counter[str] = Counter()

    async def execute(self) -> None:
        """Read to the end, chunk by chunk."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        ingest: Ingest | None = None
        synced = _SyncedRows()
        chunks = 0
        async for batch in self._order.function(self):
            self._check()
            if self._map_new_columns(batch) or ingest is None:
                ingest = self._ingest()
            result = ingest.write(batch)
            chunks += 1
            if chunks % COLLECTED_CHUNKS == 0:
                gc.collect()
            self._rows += result.read
            self._stored += len(batch.records)
            self._nobody += result.nobody
            self._too_long += result.too_long
            self._erased += result.erased
            self._unreadable.update(result.unreadable)
            synced.add(result)
            if synced.seconds() >= SYNC_LOG_SECONDS:
                self._log_synced(synced)
                synced = _SyncedRows()
            self.progress(batch.done, batch.total, batch.unit, "Importing")
        if synced.read:
            self._log_synced(synced)
        self._log_losses()

    def log(self, message: str, level: Level = "info") -> None:
        """A line in the job's log."""
        self._write_log("note", message, level)

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        """Report; raises Cancelled when the run is to stop."""
        self._check()
        now = time.monotonic()
        if self._first_done is None or self._first_done[1] > done:
            self._first_done = (now, done)
        since, at = self._first_done
        speed = (done - at) / (now - since) if now > since else 0.0
        left = (total - done) / speed if total is not None and speed > 0 else None
        rate = self._rows / (now - self._started) if now > self._started else 0.0
        self._reporter.report(RunProgress(activity, done, total, unit, self._rows, rate, left))

    def _check(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    def _ingest(self) -> Ingest:
        return Ingest(
            self._connection,
            run_id=self._order.run_id,
            job_id=self._order.job_id,
            stream_id=self._stream_id,
            types=self._types,
            first_event_at=self._order.first_event_at,
            records_before=self._order.events_before + self._stored,
        )

    def _map_new_columns(self, batch: Batch) -> bool:
        """Give columns that were not seen in this run yet a mapping; whether there were any."""
        new = set().union(*batch.records) - self._columns
        if not new and self._columns:
            return False
        columns = [
            column for column in dict.fromkeys(key for record in batch.records for key in record) if column in new
        ]
        self._columns |= new
        sample = [[str(record.get(column, "")) for column in columns] for record in batch.records[:GUESSED_RECORDS]]
        guesses = guess_types(columns, sample)
        for guess in guesses:
            self._types.setdefault(guess.name, guess.kind)
        chosen = self.options.get("identifiers")
        identifiers = (
            [guess.name for guess in guesses if guess.is_identifier]
            if chosen is None
            else [column for column in chosen if column in new]
        )
        with transaction(self._connection):
            self._stream_id = ensure_stream(self._connection, str(self.options["stream"]), now_text())
            fields = generate_mapping(
                self._connection,
                str(self.options["stream"]),
                columns,
                Wishes(
                    {column: self._types[column] for column in columns},
                    identifiers,
                    self.options.get("targets") or {},
                    self.options.get("kinds") or {},
                    self.options.get("expressions") or {},
                ),
                comment=f"New columns of the job “{self._job_name()}”",
            )
            if fields:
                noun = "profile field" if len(fields) == 1 else "profile fields"
                message = f"{len(fields)} new {noun}: {', '.join(fields)}"
                write_log(self._connection, self._order.job_id, self._order.run_id, "note", message)
        return True

    def _job_name(self) -> str:
        return str(
            self._connection.execute("select name from jobs where id = ?", (self._order.job_id,)).fetchone()["name"]
        )

    def _write_log(self, event: JobEvent, message: str, level: Level = "info", rows: int | None = None) -> None:
        with transaction(self._connection):
            write_log(
                self._connection,
                self._order.job_id,
                self._order.run_id,
                event,
                message,
                level=level,
                rows=rows,
            )

    def _log_synced(self, synced: _SyncedRows) -> None:
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
                f"{self._nobody:,} rows have no identifier: they are kept as events and belong to nobody.",
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
                f"{self._erased:,} rows name somebody who was erased, at a time before that: they were not kept.",
                "warning",
            )
        for name, count in self._unreadable.most_common():
            self._write_log(
                "note",
                f"{count:,} values of {name} do not fit the field's type and were left out of profiles; "
                "the raw events have them.",
                "warning",
            )


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

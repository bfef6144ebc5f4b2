"""One export under way in its worker process: it reads people or events and hands them to the provider."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from app.clock import now_text
from app.jobs.export_source import WorkspaceSource, source_of
from app.jobs.run_context import RunContext, limited
from app.jobs.worker import Reporter
from app.profiles.written import Kind, remember
from app.store.database import open_connection, transaction
from connectors.kit.types import Credentials, Cursor, ExportFunction, SentFile


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """One run of an export job. `function` travels by its name."""

    database: Path
    job_id: int
    run_id: int
    job_name: str
    function: ExportFunction
    credentials: Credentials = field(repr=False)
    options: Mapping[str, Any]
    cursor: Cursor | None
    previous: Cursor | None
    scratch: Path
    started: datetime
    memory: int = 2_048
    """Megabytes that the run may hold."""

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Send everything. Raises Cancelled and what the provider and the workspace raise."""
        advice = "Nothing was sent in part. Allow more in the settings, and run it again."
        with (
            limited(self.memory, reporter, advice),
            # Reads for as long as the run lasts, in one transaction; what is saved meanwhile needs another.
            closing(open_connection(self.database)) as reading,
            source_of(reading) as source,
        ):
            self.scratch.mkdir(parents=True, exist_ok=True)
            asyncio.run(self._send(_Run(self, source, connection, reporter)))
        shutil.rmtree(self.scratch, ignore_errors=True)

    async def _send(self, run: _Run) -> None:
        await self.function(run)


class _Run(RunContext):
    """One export under way: `connectors.kit.types.ExportContext`."""

    def __init__(
        self, order: ExportOrder, source: WorkspaceSource, connection: sqlite3.Connection, reporter: Reporter
    ) -> None:
        super().__init__(order.job_id, order.run_id, order.credentials, connection, reporter)
        self.options = order.options
        self.source = source
        self.cursor = order.cursor
        self.previous = order.previous
        self.scratch = order.scratch
        self.started = order.started
        self.job_name = order.job_name

    def save(self, cursor: Cursor) -> None:
        """Keep where the run stands."""
        with transaction(self._connection):
            self._keep(cursor)

    def _keep(self, cursor: Cursor) -> None:
        self._connection.execute(
            "update runs set cursor = ? where id = ?", (orjson.dumps(cursor).decode(), self._run_id)
        )

    def sent(self, file: SentFile, cursor: Cursor | None = None) -> None:
        """Count the rows of a file that has arrived, and keep it in the run's list; one transaction with the cursor."""
        self._rows += file.rows
        now = now_text()
        with transaction(self._connection):
            if cursor is not None:
                self._keep(cursor)
            if file.local:
                kind: Kind = "people" if file.table else "export"
                remember(self._connection, Path(file.local), kind, file.size, file.sha256)
            self._connection.execute(
                """insert into exported_files (job_id, run_id, place, path, size, sha256, rows, at)
                values (?, ?, ?, ?, ?, ?, ?, ?)""",
                (self.job_id, self._run_id, file.place, file.path, file.size, file.sha256, file.rows, now),
            )
            self._connection.execute(
                "update runs set read = read + ?, added = added + ? where id = ?", (file.rows, file.rows, self._run_id)
            )
            self._connection.execute(
                """insert into activity (job_id, hour, added) values (?, ?, ?)
                on conflict (job_id, hour) do update set added = added + excluded.added""",
                (self.job_id, now[:13], file.rows),
            )
        self._write_log("synced", f"{file.path}: {file.rows:,} rows sent to {file.place}", rows=file.rows)

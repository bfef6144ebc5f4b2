"""Who runs what: one worker process a run, its progress, its end, and the job's status that follows from it.

The supervisor lives in the asyncio loop of its program (the window's or the command line's). It does no heavy
work there: the database is written in threads, each worker's pipe is read by a thread of its own.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from app.authorizations import open_credentials
from app.changes import Change
from app.clock import now_microseconds, now_text
from app.errors import CausewayError, NotFound, Refused
from app.jobs.importing import ImportOrder
from app.jobs.log import write_log
from app.jobs.model import JobStatus, RunInfo, RunProgress, RunStatus, Trigger
from app.jobs.process import WorkerProcess
from app.jobs.queries import get_run
from app.jobs.rebuilding import Rebuilder
from app.jobs.worker import Outcome
from connectors.kit.errors import ConnectorError

if TYPE_CHECKING:
    from app.engine import Engine

PEOPLE_CHANGED, STREAMS_CHANGED, SCHEMA_CHANGED = Change("profiles"), Change("streams"), Change("schema")


@dataclass(slots=True)
class _Running:
    job_id: int
    ended: asyncio.Future[RunInfo]
    begun: bool = False
    """Whether it has a worker or is being given one."""
    worker: WorkerProcess | None = None
    cancelled: bool = False
    progress: RunProgress | None = None
    outcome: Outcome | None = None


class Supervisor:
    """Starts runs, at most `limit` at once, and sees each one to its end."""

    def __init__(self, engine: Engine, limit: int) -> None:
        self.limit = limit
        self._engine = engine
        self._database = engine.workspace.database
        self._running: dict[int, _Running] = {}
        self._waiting: list[int] = []
        self._starting: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._spare: WorkerProcess | None = None
        self.rebuilds = Rebuilder(engine)
        self._closing = False

    async def start(self) -> None:
        """Find runs that a crash of the program left behind, and keep a worker warm."""
        await asyncio.to_thread(self._mark_interrupted)
        await self._keep_warm()

    async def _keep_warm(self) -> None:
        spare = await asyncio.to_thread(WorkerProcess)
        if self._spare is None and not self._closing:
            self._spare = spare
        else:
            await spare.dismiss()

    async def stop(self) -> None:
        """End every run (it can be continued later) and the spare worker."""
        self._closing = True
        for run_id in list(self._running):
            self.cancel(run_id)
        await self.rebuilds.stop()
        await asyncio.gather(*(running.ended for running in self._running.values()))
        await asyncio.gather(*self._tasks)
        spare, self._spare = self._spare, None
        if spare is not None:
            await spare.dismiss()

    @property
    def busy(self) -> int:
        """How many workers are at work."""
        return sum(running.begun for running in self._running.values())

    @property
    def waiting(self) -> int:
        """How many runs wait for a free worker."""
        return len(self._waiting)

    def progress(self, job_id: int) -> RunProgress | None:
        """How far the job's run is, None while it does not run."""
        for running in self._running.values():
            if running.job_id == job_id:
                return running.progress
        return None

    def running_run(self, job_id: int) -> int | None:
        """The id of the job's run under way or waiting."""
        return next((run_id for run_id, running in self._running.items() if running.job_id == job_id), None)

    async def run(self, job_id: int, trigger: Trigger = "by hand") -> int:
        """Begin a run of the job, or queue it while all workers are busy. Raises Refused, NotFound."""
        if self._closing:
            raise Refused("Causeway is closing; no run was started.")
        if job_id in self._starting or self.running_run(job_id) is not None:
            raise Refused("This job is running already.", advice="Wait for it to end, or stop it first.")
        self._starting.add(job_id)
        try:
            run_id = await asyncio.to_thread(self._record_start, job_id, trigger)
        finally:
            self._starting.discard(job_id)
        self._running[run_id] = _Running(job_id, asyncio.get_running_loop().create_future())
        self._waiting.append(run_id)
        self._announce(job_id)
        self._fill()
        return run_id

    async def finished(self, run_id: int) -> RunInfo:
        """Wait for the end of a run."""
        running = self._running.get(run_id)
        if running is None:
            return await asyncio.to_thread(get_run, self._engine, run_id)
        return await asyncio.shield(running.ended)

    def cancel(self, run_id: int) -> None:
        """Stop a run: it ends after its present chunk, or is killed after two seconds. It can be continued."""
        running = self._running.get(run_id)
        if running is None or running.cancelled:
            return
        running.cancelled = True
        if not running.begun:
            self._waiting.remove(run_id)
            self._later(self._conclude(run_id, Outcome("cancelled")))
        elif running.worker is not None:
            self._later(running.worker.stop())

    def _fill(self) -> None:
        """Give free workers to the runs that wait longest."""
        while self._waiting and self.busy < self.limit:
            run_id = self._waiting.pop(0)
            running = self._running[run_id]
            worker, self._spare = self._spare, None
            if worker is not None and not worker.is_alive():
                worker = None
            running.begun = True
            self._later(self._launch(run_id, running, worker))

    async def _launch(self, run_id: int, running: _Running, spare: WorkerProcess | None) -> None:
        try:
            order = await asyncio.to_thread(self._order, run_id)
        except (CausewayError, ConnectorError) as error:
            self._spare = self._spare or spare
            await self._conclude(run_id, Outcome("failed", error.message, error.advice, error.details))
            return
        worker = spare if spare is not None else await asyncio.to_thread(WorkerProcess)
        running.worker = worker
        worker.give(order)
        if running.cancelled:
            self._later(worker.stop())

        def received(message: RunProgress | Outcome) -> None:
            if isinstance(message, Outcome):
                running.outcome = message
            else:
                running.progress = message
                self._engine.changes.announce(Change("progress", running.job_id))

        def ended() -> None:
            outcome = running.outcome or _sudden_end(worker.exit_code, running.cancelled)
            self._later(self._conclude(run_id, outcome))

        worker.listen(received, ended)

    async def _conclude(self, run_id: int, outcome: Outcome) -> None:
        running = self._running[run_id]
        info = await asyncio.to_thread(self._record_end, run_id, running.job_id, outcome)
        del self._running[run_id]
        running.ended.set_result(info)
        self._announce(running.job_id)
        self._fill()
        if self._spare is None and not self._closing:
            await self._keep_warm()

    def _later(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _announce(self, job_id: int) -> None:
        for change in (Change("jobs", job_id), Change("runs", job_id), PEOPLE_CHANGED, STREAMS_CHANGED, SCHEMA_CHANGED):
            self._engine.changes.announce(change)

    def _order(self, run_id: int) -> ImportOrder:
        """What the worker gets; secrets are read now and travel through the pipe only."""
        engine = self._engine
        with self._database.read() as connection:
            row = connection.execute(
                """select jobs.*, runs.cursor, runs.first_event_at, runs.events_before
                from runs join jobs on jobs.id = job_id where runs.id = ?""",
                (run_id,),
            ).fetchone()
        job_type = engine.catalog.job_type(row["job_type"])
        options = orjson.loads(row["options"])
        return ImportOrder(
            database=self._database.path,
            job_id=row["id"],
            run_id=run_id,
            function=engine.catalog.function(row["provider"], job_type.run),
            credentials=open_credentials(engine, row["authorization_id"]),
            options=options,
            cursor=orjson.loads(row["cursor"]) if row["cursor"] else None,
            scratch=engine.workspace.folder / "downloads" / f"job-{row['id']}",
            first_event_at=row["first_event_at"],
            events_before=row["events_before"],
            provider=row["provider"],
            provider_name=engine.catalog.provider_of_job_type(row["job_type"]).name,
            default_mapping=engine.catalog.default_mapping(row["provider"], str(options.get("stream", ""))),
        )

    def _record_start(self, job_id: int, trigger: Trigger) -> int:
        now = now_text()
        with self._database.write() as connection:
            job = connection.execute("select name from jobs where id = ?", (job_id,)).fetchone()
            if job is None:
                raise NotFound("That job does not exist any more.")
            before = connection.execute(
                "select * from runs where job_id = ? order by id desc limit 1", (job_id,)
            ).fetchone()
            continued = before is not None and before["status"] != "completed" and before["cursor"] is not None
            run_id = connection.execute(
                """insert into runs (job_id, continues, trigger, status, started_at, cursor, first_event_at,
                    events_before) values (?, ?, ?, 'running', ?, ?, ?, ?)""",
                (
                    job_id,
                    before["id"] if continued else None,
                    trigger,
                    now,
                    before["cursor"] if continued else None,
                    before["first_event_at"] if continued else now_microseconds(),
                    before["events_before"] + before["read"] - before["rejected"] if continued else 0,
                ),
            ).lastrowid
            assert isinstance(run_id, int)
            _set_status(connection, job_id, "running", "")
            message = f"Run {run_id} started"
            if continued:
                message += f"; it goes on where run {before['id']} stopped"
            write_log(connection, job_id, run_id, "started", message)
        return run_id

    def _record_end(self, run_id: int, job_id: int, outcome: Outcome) -> RunInfo:
        with self._database.write() as connection:
            _end_run(connection, run_id, job_id, outcome)
        return get_run(self._engine, run_id)

    def _mark_interrupted(self) -> None:
        """Runs that were under way when the program was killed or the computer went off."""
        with self._database.write() as connection:
            for run_id, job_id in connection.execute("select id, job_id from runs where status = 'running'").fetchall():
                _end_run(connection, run_id, job_id, Outcome("interrupted", "Causeway was closed while it ran."))


def _sudden_end(exit_code: int | None, cancelled: bool) -> Outcome:
    if cancelled:
        return Outcome("cancelled")
    if exit_code is not None and exit_code < 0:
        with suppress(ValueError):
            name = signal.Signals(-exit_code).name
            return Outcome("interrupted", f"The worker process was ended from outside ({name}).")
    return Outcome("interrupted", f"The worker process ended unexpectedly (exit code {exit_code}).")


def _end_run(connection: sqlite3.Connection, run_id: int, job_id: int, outcome: Outcome) -> None:
    """Write how a run ended, and the status of its job that follows."""
    row = connection.execute(
        "select read, added, updated, rejected, cursor from runs where id = ?", (run_id,)
    ).fetchone()
    counts = f"{row['added']:,} added · {row['updated']:,} updated · {row['rejected']:,} rejected"
    message = " ".join(part for part in (outcome.message, outcome.advice) if part)
    status: RunStatus
    job_status: JobStatus
    match outcome.status:
        case "completed":
            status, job_status, reason = "completed", "completed", counts
            write_log(connection, job_id, run_id, "completed", counts, rows=row["read"])
        case "cancelled":
            status, job_status = "cancelled", "paused"
            reason = f"Stopped by you after {row['read']:,} rows"
            write_log(connection, job_id, run_id, "paused", f"{reason}; running it again goes on from there")
        case "interrupted":
            status, job_status = "interrupted", "failed"
            reason = f"Interrupted after {row['read']:,} rows; run it again to go on"
            write_log(
                connection,
                job_id,
                run_id,
                "error",
                f"{outcome.message} {row['read']:,} rows are saved; running it again goes on from there.",
                level="error",
            )
            message = outcome.message
        case _:
            status, job_status, reason = "failed", "failed", outcome.message
            write_log(connection, job_id, run_id, "failed", message, level="error")
            if outcome.details:
                write_log(connection, job_id, run_id, "note", outcome.details, level="error")
    connection.execute(
        "update runs set status = ?, ended_at = ?, message = ? where id = ?", (status, now_text(), message, run_id)
    )
    _set_status(connection, job_id, job_status, reason)


def _set_status(connection: sqlite3.Connection, job_id: int, status: JobStatus, reason: str) -> None:
    connection.execute("update jobs set status = ?, reason = ? where id = ?", (status, reason, job_id))

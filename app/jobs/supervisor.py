"""Who runs what: one worker process a run, its progress, its end, and the job's status that follows from it.

Runs that nobody asked for at that moment, by schedule and after errors, are begun by app.jobs.watching.

The supervisor lives in the asyncio loop of its program (the window's or the command line's). It does no heavy
work there: the database is written in threads, each worker's pipe is read by a thread of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson

from app.alerts.listening import listen
from app.apart import apart
from app.authorizations import open_credentials
from app.changes import Change
from app.errors import CausewayError, NoProcess, Refused
from app.health import check_before_run
from app.jobs.exporting import ExportOrder
from app.jobs.folders import keep_folder, scratch_folder
from app.jobs.importing import ImportOrder
from app.jobs.indexing import Indexer
from app.jobs.lifecycle import Happening
from app.jobs.model import RunInfo, RunProgress, Trigger
from app.jobs.process import WorkerProcess, sudden_end
from app.jobs.queries import get_run
from app.jobs.rebuilding import Rebuilder
from app.jobs.records import (
    BY_ITSELF,
    began_at,
    begin_run,
    done_files,
    end_run,
    last_cursor,
    previous_cursor,
    read_again,
)
from app.jobs.states import fail_after, happen
from app.jobs.worker import Cancelled, Outcome, outcome_of
from connectors.kit.errors import ConnectorError

if TYPE_CHECKING:
    from app.engine import Engine

LISTENS = 0
"""Stands for the number of a run where there is none."""
PEOPLE_CHANGED, STREAMS_CHANGED, SCHEMA_CHANGED = Change("profiles"), Change("streams"), Change("schema")


@dataclass(slots=True)
class _Running:
    job_id: int
    name: str
    account: int | None
    """The authorization that no other run may use meanwhile."""
    ended: asyncio.Future[RunInfo]
    begun: bool = False
    """Whether it has a worker or is being given one."""
    worker: WorkerProcess | None = None
    checking: asyncio.Task[None] | None = None
    """What happens before it is given to the worker: its authorization is tried."""
    cancelled: bool = False
    closed: bool = False
    """Whether it was the program's end that cancelled it."""
    progress: RunProgress | None = None
    outcome: Outcome | None = None


class Supervisor:
    """Starts runs, at most `limit` at once and one an account, and sees each one to its end."""

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
        self.index = Indexer(engine)
        self.clearing_error: Outcome | None = None
        """Why fields were not cleared of what is too old (app.jobs.retention), if that failed."""
        self._closing = False
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Find runs that a crash of the program left behind, and keep a worker warm."""
        await asyncio.to_thread(self._mark_interrupted)
        await self._keep_warm()
        self.index.begin()

    async def _keep_warm(self) -> None:
        try:
            spare = await asyncio.to_thread(WorkerProcess)
        except NoProcess:
            # The next run says so, if there is none then either.
            return
        if self._spare is None and not self._closing:
            self._spare = spare
        else:
            await spare.dismiss()

    async def stop(self) -> None:
        """End every run (it can be continued later) and the spare worker."""
        self._closing = True
        for run_id, running in list(self._running.items()):
            # One that a person stopped a moment ago stays stopped.
            running.closed = not running.cancelled
            self.cancel(run_id)
        await self.rebuilds.stop()
        await self.index.stop()
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

    def waiting_because(self, job_id: int) -> str:
        """Why the job's run has not begun yet, "" if it has or there is none."""
        run_id = self.running_run(job_id)
        if run_id is None or self._running[run_id].begun:
            return ""
        other = self._user_of(self._running[run_id].account)
        return "Waits for a free worker" if other is None else f"Waits for “{other.name}”, which uses the same account"

    def _user_of(self, account: int | None) -> _Running | None:
        """The run that has an account to itself now."""
        if account is None:
            return None
        return next((one for one in self._running.values() if one.begun and one.account == account), None)

    async def run(
        self, job_id: int, trigger: Trigger = "by hand", reason: str = "", *, retries: int | None = None
    ) -> int:
        """Begin a run of the job, or queue it while it is not its turn; its number. Raises Refused, NotFound.

        An alert begins to listen and has no run: the answer is LISTENS. With `retries` only the rejected rows of that
        run are read again (app.jobs.rejected).
        """
        if self._closing:
            raise Refused("Causeway is closing; no run was started.")
        if job_id in self._starting or self.running_run(job_id) is not None:
            raise Refused("This job is running already.", advice="Wait for it to end, or stop it first.")
        self._starting.add(job_id)
        try:
            if await asyncio.to_thread(listen, self._engine, job_id, by_itself=trigger in BY_ITSELF):
                return LISTENS
            run_id, name, account = await asyncio.to_thread(self._record_begin, job_id, trigger, reason, retries)
        finally:
            self._starting.discard(job_id)
        self._running[run_id] = _Running(job_id, name, account, asyncio.get_running_loop().create_future())
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
        elif running.checking is not None:
            running.checking.cancel()

    def stop_soon(self, job_id: int) -> None:
        """Stop the job's run, if there is one. Can be called in any thread."""
        with suppress(RuntimeError):  # the loop is closed: the program is ending
            self._loop.call_soon_threadsafe(self._stop_job, job_id)

    def _stop_job(self, job_id: int) -> None:
        run_id = self.running_run(job_id)
        if run_id is not None:
            self.cancel(run_id)

    def _fill(self) -> None:
        """Give free workers to the runs that wait longest, but for those whose account is in use."""
        for run_id in list(self._waiting):
            if self.busy >= self.limit:
                return
            running = self._running[run_id]
            if self._user_of(running.account) is not None:
                continue
            self._waiting.remove(run_id)
            worker, self._spare = self._spare, None
            if worker is not None and not worker.is_alive():
                worker = None
            running.begun = True
            self._later(self._launch(run_id, running, worker))

    async def _launch(self, run_id: int, running: _Running, worker: WorkerProcess | None) -> None:
        try:
            await self._check(running)
            order = await asyncio.to_thread(self._order, run_id)
            worker = worker if worker is not None else await asyncio.to_thread(WorkerProcess)
            await asyncio.to_thread(self._record_start, running.job_id)
        except (CausewayError, ConnectorError, Cancelled) as error:
            self._spare = self._spare or worker
            await self._conclude(run_id, outcome_of(error))
            return
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
            outcome = running.outcome or sudden_end(worker.exit_code, running.cancelled)
            self._later(self._conclude(run_id, outcome))

        worker.listen(received, ended)

    async def _check(self, running: _Running) -> None:
        """Try the run's authorization if it was not tried for long. Raises Cancelled."""
        if not running.cancelled:
            running.checking = self._loop.create_task(apart(partial(check_before_run, self._engine, running.account)))
            await asyncio.wait([running.checking])
            if not running.cancelled:
                running.checking.result()
        if running.cancelled:
            raise Cancelled

    async def _conclude(self, run_id: int, outcome: Outcome) -> None:
        running = self._running[run_id]
        if running.closed and outcome.status == "cancelled":
            outcome = Outcome("closed", "Causeway was closed while it ran.")
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

    def _order(self, run_id: int) -> ImportOrder | ExportOrder:
        """What the worker gets; secrets are read now and travel through the pipe only."""
        with self._database.read() as connection:
            row = connection.execute(
                """select jobs.*, runs.id as run_id, runs.trigger, runs.cursor, runs.started_at, runs.first_event_at,
                    runs.events_before, runs.retries from runs join jobs on jobs.id = job_id where runs.id = ?""",
                (run_id,),
            ).fetchone()
            return (
                self._export_order(connection, row) if row["kind"] == "export" else self._import_order(connection, row)
            )

    def _import_order(self, connection: sqlite3.Connection, row: sqlite3.Row) -> ImportOrder:
        catalog = self._engine.catalog
        options = orjson.loads(row["options"])
        return ImportOrder(
            database=self._database.path,
            job_id=row["id"],
            run_id=row["run_id"],
            function=catalog.function(row["provider"], catalog.job_type(row["job_type"]).run),
            credentials=open_credentials(self._engine, row["authorization_id"]),
            options=options,
            cursor=orjson.loads(row["cursor"]) if row["cursor"] else None,
            scratch=scratch_folder(self._engine, row["id"]),
            keep=keep_folder(self._engine, row["id"]),
            first_event_at=row["first_event_at"],
            events_before=row["events_before"],
            previous=previous_cursor(connection, row),
            retries=row["retries"],
            again=read_again(connection, row["retries"]) if row["retries"] is not None else None,
            done_files=done_files(connection, row["id"]),
            memory=int(self._engine.workspace.setting("run_memory_mb")),
            provider=row["provider"],
            provider_name=catalog.provider_of_job_type(row["job_type"]).name,
            default_mapping=catalog.default_mapping(row["provider"], str(options.get("stream", ""))),
        )

    def _export_order(self, connection: sqlite3.Connection, row: sqlite3.Row) -> ExportOrder:
        catalog = self._engine.catalog
        return ExportOrder(
            database=self._database.path,
            job_id=row["id"],
            run_id=row["run_id"],
            job_name=row["name"],
            function=catalog.function(row["provider"], catalog.job_type(row["job_type"]).run),
            credentials=open_credentials(self._engine, row["authorization_id"]),
            options=orjson.loads(row["options"]),
            cursor=orjson.loads(row["cursor"]) if row["cursor"] else None,
            previous=last_cursor(connection, row["id"]),
            scratch=scratch_folder(self._engine, row["id"]),
            started=began_at(connection, row["run_id"]),
            memory=int(self._engine.workspace.setting("run_memory_mb")),
        )

    def _record_begin(
        self, job_id: int, trigger: Trigger, reason: str, retries: int | None
    ) -> tuple[int, str, int | None]:
        """A run that waits for its turn: its number, the job's name, and the account that it has to itself, if any."""
        with self._database.write() as connection:
            now, patience = self._engine.clock.now(), fail_after(self._engine)
            run_id = begin_run(connection, job_id, trigger, reason, now, patience, retries=retries)
            row = connection.execute("select name, authorization_id from jobs where id = ?", (job_id,)).fetchone()
            account: int | None = row["authorization_id"]
            method = connection.execute("select method from authorizations where id = ?", (account,)).fetchone()
        # A folder of this computer is nobody's account.
        if method is None or self._engine.catalog.method(method["method"]).kind == "folder":
            account = None
        return run_id, row["name"], account

    def _record_start(self, job_id: int) -> None:
        with self._database.write() as connection:
            happen(connection, job_id, Happening("started"), self._engine.clock.now(), fail_after(self._engine))

    def _record_end(self, run_id: int, job_id: int, outcome: Outcome) -> RunInfo:
        online = outcome.remedy != "wait" or self._engine.has_network()
        now, patience = self._engine.clock.now(), fail_after(self._engine)
        with self._database.write() as connection:
            end_run(connection, run_id, job_id, outcome, now, patience, online=online)
        return get_run(self._engine, run_id)

    def _mark_interrupted(self) -> None:
        """Runs that were under way when the program was killed or the computer went off."""
        now, patience = self._engine.clock.now(), fail_after(self._engine)
        outcome = Outcome("interrupted", "Causeway was closed while it ran.")
        with self._database.write() as connection:
            for run_id, job_id in connection.execute("select id, job_id from runs where status = 'running'").fetchall():
                end_run(connection, run_id, job_id, outcome, now, patience)

"""Rebuilding all people in a worker process, and undoing an import, which is a rebuild without its events."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.changes import Change
from app.errors import CausewayError, NotFound, Refused
from app.jobs.log import write_log
from app.jobs.process import WorkerProcess
from app.jobs.worker import Outcome, Reporter
from app.profiles.people_table import as_json
from app.profiles.rebuild import RebuildState, abandon_rebuild, rebuild, rebuild_state

if TYPE_CHECKING:
    from app.engine import Engine

ALL_CHANGED = (Change("profiles"), Change("streams"), Change("schema"), Change("runs"), Change("jobs"))


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far a rebuild is: events done of all. `undone` are the runs that are left out."""

    done: int
    total: int
    undone: tuple[int, ...]

    @property
    def fraction(self) -> float | None:
        """From 0 to 1, None while there is nothing to say."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class RebuildOrder:
    """What the worker of a rebuild gets."""

    database: Path
    undone: tuple[int, ...]

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Rebuild to the end. Raises Cancelled."""

        def progress(done: int, total: int) -> None:
            reporter.check()
            reporter.report(RebuildProgress(done, total, self.undone))

        rebuild(connection, self.undone, progress)


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing an import would do. `runs` are one import: a run that went on where another stopped belongs to it.

    `removed` people have no other events, `changed` ones lose what these events gave them.
    """

    runs: tuple[int, ...]
    job: str
    events: int
    removed: int
    changed: int


class Rebuilder:
    """The one rebuild that can be under way in a workspace."""

    def __init__(self, engine: Engine) -> None:
        self.progress: RebuildProgress | None = None
        """How far it is, None while none is under way."""
        self.error: Outcome | None = None
        """Why the last one failed, if it did."""
        self._engine = engine
        self._worker: WorkerProcess | None = None
        self._ended: asyncio.Future[Outcome] | None = None
        self._outcome: Outcome | None = None

    async def start(self, undone: tuple[int, ...] = ()) -> None:
        """Begin, or go on with an interrupted one of the same kind. Raises Refused while one is under way."""
        if self._ended is not None and not self._ended.done():
            raise Refused("People are being rebuilt already.", advice="Wait for it to end, or stop it first.")
        self.error = self._outcome = None
        self._ended = asyncio.get_running_loop().create_future()
        self.progress = RebuildProgress(0, 0, undone)
        worker = self._worker = await asyncio.to_thread(WorkerProcess)
        worker.listen(self._received, lambda: self._gone(worker))
        worker.give(RebuildOrder(self._engine.workspace.database.path, undone))
        self._engine.changes.announce(Change("rebuild"))

    async def resume(self) -> None:
        """Go on with a rebuild that was interrupted, if there is one."""
        with suppress(CausewayError):
            state = await asyncio.to_thread(self.unfinished)
            if state is not None:
                await self.start(state.undone)

    async def finished(self) -> Outcome | None:
        """Wait for the end of what is under way; how it ended, None when nothing ever was."""
        return await asyncio.shield(self._ended) if self._ended is not None else None

    async def stop(self) -> None:
        """Interrupt it. It can go on later; the people in use are those from before."""
        if self._worker is not None and self._ended is not None and not self._ended.done():
            await self._worker.stop()
            await self.finished()

    async def give_up(self) -> None:
        """Stop it and forget what it has built."""
        await self.stop()
        await asyncio.to_thread(self._abandon)
        self._engine.changes.announce(Change("rebuild"))

    def unfinished(self) -> RebuildState | None:
        """The rebuild that was begun and not finished, under way or not."""
        with self._engine.workspace.database.read() as connection:
            return rebuild_state(connection)

    def _abandon(self) -> None:
        with self._engine.workspace.database.read() as connection:
            abandon_rebuild(connection)

    def _received(self, message: RebuildProgress | Outcome) -> None:
        if isinstance(message, Outcome):
            self._outcome = message
        else:
            self.progress = message
            self._engine.changes.announce(Change("rebuild"))

    def _gone(self, worker: WorkerProcess) -> None:
        outcome = self._outcome or Outcome(
            "failed",
            f"The process that rebuilt the people ended unexpectedly (exit code {worker.exit_code}).",
            "Nothing is lost; start the rebuild again and it goes on where it was.",
        )
        self.progress = None
        self.error = outcome if outcome.status == "failed" else None
        self._worker = None
        if self._ended is not None:
            self._ended.set_result(outcome)
        for change in (Change("rebuild"), *ALL_CHANGED):
            self._engine.changes.announce(change)


def plan_undo(engine: Engine, run_id: int) -> UndoPlan:
    """What undoing the import of a run would do. It counts through people's events: not for the window's own thread.

    Raises NotFound, and Refused for a run that is under way or undone already.
    """
    with engine.workspace.database.read() as connection:
        runs = _import_of(connection, run_id)
        listed = as_json(runs)
        job = connection.execute(
            "select jobs.name from runs join jobs on jobs.id = job_id where runs.id = ?", (run_id,)
        ).fetchone()
        events = connection.execute(
            "select count(*) from events where run_id in (select value from json_each(?))", (listed,)
        ).fetchone()[0]
        removed, touched = connection.execute(
            """with touched as (
                select profile_id, count(*) as theirs from profile_events join events on events.id = event_id
                where run_id in (select value from json_each(?)) group by profile_id)
            select coalesce(sum(theirs = (
                select count(*) from profile_events where profile_events.profile_id = touched.profile_id)), 0),
                count(*) from touched""",
            (listed,),
        ).fetchone()
    return UndoPlan(tuple(runs), job["name"] if job is not None else "", events, removed, touched - removed)


async def undo_import(engine: Engine, run_id: int) -> None:
    """Begin to rebuild all people without the events of an import. Raises NotFound and Refused."""
    engine.require_charge()
    if engine.supervisor is None:
        raise Refused("Causeway is closing; nothing was undone.")

    def prepare() -> list[int]:
        with engine.workspace.database.write() as connection:
            runs = _import_of(connection, run_id)
            for run in runs:
                # Whatever happens, a later run of the job must not go on where an undone one stopped.
                connection.execute("update runs set cursor = null where id = ?", (run,))
            row = connection.execute("select job_id from runs where id = ?", (run_id,)).fetchone()
            write_log(connection, row["job_id"], run_id, "note", f"The import of run {run_id} is being undone")
            return runs

    await engine.supervisor.rebuilds.start(tuple(await asyncio.to_thread(prepare)))


async def start_rebuild(engine: Engine) -> None:
    """Begin to rebuild all people with the published schema. Raises Refused while a rebuild is under way."""
    engine.require_charge()
    if engine.supervisor is None:
        raise Refused("Causeway is closing; nothing was rebuilt.")
    await engine.supervisor.rebuilds.start()


def _import_of(connection: sqlite3.Connection, run_id: int) -> list[int]:
    """The runs that are one import with this one: those it went on from, and those that went on from it."""
    rows = connection.execute(
        """with recursive before(id) as (
            select ? union select continues from runs join before on runs.id = before.id where continues is not null),
        chain(id) as (
            select id from before union select runs.id from runs join chain on runs.continues = chain.id)
        select runs.id, status from chain join runs on runs.id = chain.id order by runs.id""",
        (run_id,),
    ).fetchall()
    if not rows:
        raise NotFound("That run does not exist any more.")
    if any(row["status"] == "running" for row in rows):
        raise Refused("That import is still running.", advice="Stop it first, then undo it.")
    if any(row["status"] == "undone" for row in rows):
        raise Refused("That import was undone already.")
    return [row["id"] for row in rows]

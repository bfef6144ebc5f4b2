"""Rebuilding all people in a worker process, and undoing an import, which is a rebuild without its events."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.changes import Change
from app.errors import CausewayError, NotFound, Refused
from app.jobs.beside import reading_beside
from app.jobs.log import write_log
from app.jobs.model import RunInfo
from app.jobs.process import Errand
from app.jobs.run_context import limited
from app.jobs.worker import Outcome, Reporter
from app.profiles.people_table import as_json
from app.profiles.rebuild import RebuildState, abandon_rebuild, events_span, rebuild, rebuild_state

if TYPE_CHECKING:
    from app.engine import Engine

ALL_CHANGED = (Change("profiles"), Change("streams"), Change("schema"), Change("runs"), Change("jobs"))


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far a rebuild is: events done of all, events a second. `undone` are the runs that are left out."""

    done: int
    total: int
    undone: tuple[int, ...]
    rate: float = 0.0
    seconds_left: float | None = None

    @property
    def fraction(self) -> float | None:
        """From 0 to 1, None while there is nothing to say."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class RebuildOrder:
    """What the worker of a rebuild gets."""

    database: Path
    undone: tuple[int, ...]
    memory: int
    """Megabytes that it may hold."""

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Rebuild to the end. Raises Cancelled."""
        began: tuple[float, int] | None = None

        def progress(done: int, total: int) -> None:
            nonlocal began
            reporter.check()
            now = time.monotonic()
            if began is None or began[1] > done:
                began = (now, done)
            since, at = began
            rate = (done - at) / (now - since) if now > since else 0.0
            left = (total - done) / rate if rate > 0 else None
            reporter.report(RebuildProgress(done, total, self.undone, rate, left))

        def finished(gone: Mapping[int, int], people: int) -> None:
            _tell_undone(connection, self.undone, gone, people)

        advice = "People are as they were. Allow more in the settings and start it again: it goes on where it was."
        with (
            limited(self.memory, reporter, advice, what="The rebuild"),
            reading_beside(self.database) as read_ahead,
        ):
            rebuild(connection, self.undone, progress, finished, read_ahead)


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing an import would do. `runs` are one import: a run that went on where another stopped belongs to it.

    `removed` people have no other events, `changed` ones lose what these events gave them; `joined` of the latter were
    joined by these events and may come apart.
    """

    runs: tuple[int, ...]
    job: str
    events: int
    removed: int
    changed: int
    joined: int

    def sentence(self) -> str:
        """What it would do, for people."""
        effects = [
            f"{_counted(number, 'person', 'people')} {one if number == 1 else many}"
            for number, one, many in (
                (self.removed, "has nothing else and goes", "have nothing else and go"),
                (self.changed, "loses what these rows gave them", "lose what these rows gave them"),
            )
            if number
        ]
        said = [f"Takes away {_counted(self.events, 'event', 'events')}."]
        said.append(f"{'; '.join(effects)}." if effects else "They belong to nobody, so people stay as they are.")
        if self.joined:
            verb = "was" if self.joined == 1 else "were"
            said.append(f"{self.joined:,} of them {verb} joined by these rows and may come apart.")
        return " ".join(said)


class Rebuilder:
    """The one rebuild that can be under way in a workspace."""

    def __init__(self, engine: Engine) -> None:
        self.progress: RebuildProgress | None = None
        """How far it is, None while none is under way."""
        self.error: Outcome | None = None
        """Why the last one failed, if it did."""
        self.undone: tuple[int, ...] = ()
        """The runs that the last one leaves out."""
        self._engine = engine
        self._turn = asyncio.Lock()
        self._errand = Errand()
        self._work: asyncio.Task[Outcome] | None = None

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._work is not None and not self._work.done()

    async def start(self, choose: Callable[[], tuple[int, ...]]) -> None:
        """Begin, or go on with an interrupted one that leaves out the same runs.

        `choose` is called in a thread, once it is certain that no other is under way, and says which runs are left
        out. Raises what it raises, and Refused while one is under way.
        """
        async with self._turn:
            if self.busy:
                raise Refused("People are being rebuilt already.", advice="Wait for it to end, or stop it first.")
            undone = await asyncio.to_thread(choose)
            workspace = self._engine.workspace
            order = RebuildOrder(workspace.database.path, undone, int(workspace.setting("run_memory_mb")))
            self.error, self.undone, self._errand = None, undone, Errand()
            self.progress = RebuildProgress(0, 0, undone)
            self._work = asyncio.get_running_loop().create_task(self._carry_out(order))
        self._engine.changes.announce(Change("rebuild"))

    async def resume(self) -> None:
        """Go on with a rebuild that was interrupted, if there is one."""
        with suppress(CausewayError):
            state = await asyncio.to_thread(self.unfinished)
            if state is not None:
                await self.start(lambda: state.undone)

    async def go_on(self) -> None:
        """Go on with what was stopped or failed. Raises Refused while one is under way."""

        def choose() -> tuple[int, ...]:
            state = self.unfinished()
            return self.undone if state is None else state.undone

        await self.start(choose)

    async def finished(self) -> Outcome | None:
        """Wait for the end of what is under way; how it ended, None when nothing ever was."""
        return await asyncio.shield(self._work) if self._work is not None else None

    async def stop(self) -> None:
        """Interrupt it. It can go on later; the people in use are those from before."""
        async with self._turn:
            await self._halt()

    async def give_up(self) -> None:
        """Stop it and forget what it has built."""
        async with self._turn:
            await self._halt()
            await asyncio.to_thread(forget_rebuild, self._engine)
            self.error = None

    def unfinished(self) -> RebuildState | None:
        """The rebuild that was begun and not finished, under way or not."""
        with self._engine.workspace.database.read() as connection:
            return rebuild_state(connection)

    async def _halt(self) -> None:
        if self.busy:
            await self._errand.stop()
            await self.finished()

    async def _carry_out(self, order: RebuildOrder) -> Outcome:
        outcome = await self._errand.carry_out(order, self._received)
        if outcome.status == "interrupted":
            advice = "Nothing is lost; start the rebuild again and it goes on where it was."
            outcome = replace(outcome, status="failed", advice=advice)
        self.progress = None
        self.error = outcome if outcome.status == "failed" else None
        for change in (Change("rebuild"), *ALL_CHANGED):
            self._engine.changes.announce(change)
        return outcome

    def _received(self, progress: RebuildProgress) -> None:
        self.progress = progress
        self._engine.changes.announce(Change("rebuild"))


def forget_rebuild(engine: Engine) -> RebuildState | None:
    """Drop what an interrupted rebuild has built, and tell what it was: none where there is none.

    People stay as they are, and so do imports that were to be undone.
    """
    engine.require_charge()
    with engine.workspace.database.read() as connection:
        state = rebuild_state(connection)
        abandon_rebuild(connection)
    engine.changes.announce(Change("rebuild"))
    return state


def can_undo(run: RunInfo) -> bool:
    """Whether a run brought events that can be taken away."""
    return run.status not in ("running", "undone") and run.read > run.rejected


def plan_undo(engine: Engine, run_id: int) -> UndoPlan:
    """What undoing the import of a run would do. It counts through people's events: not for the window's own thread.

    Raises NotFound, and Refused for a run that is under way, was undone already or brought nothing.
    """
    with engine.workspace.database.read() as connection:
        runs = _import_of(connection, run_id)
        job = connection.execute(
            "select jobs.name from runs join jobs on jobs.id = job_id where runs.id = ?", (run_id,)
        ).fetchone()
        row = connection.execute(
            """with gone as materialized (
                select id from events where id between ? and ? and run_id in (select value from json_each(?))),
            touched as materialized (
                select profile_id, count(*) as theirs from profile_events join gone on gone.id = event_id
                group by profile_id),
            counted as materialized (
                select profile_id, theirs = (
                    select count(*) from profile_events where profile_events.profile_id = touched.profile_id) as goes
                from touched)
            select (select count(*) from gone) as events, coalesce(sum(goes), 0) as removed,
                coalesce(sum(not goes), 0) as changed,
                coalesce(sum(not goes and profile_id in (
                    select kept from joins join gone on gone.id = event_id)), 0) as joined
            from counted""",
            (*events_span(connection, runs), as_json(runs)),
        ).fetchone()
    if not row["events"]:
        raise Refused(f"Run {run_id} brought no events that are still there.", advice="There is nothing to undo.")
    return UndoPlan(tuple(runs), job["name"] if job is not None else "", *row)


async def undo_import(engine: Engine, run_id: int) -> None:
    """Begin to rebuild all people without the events of an import. Raises NotFound and Refused.

    An import whose undoing was interrupted goes in the same rebuild.
    """
    engine.require_charge()
    if engine.supervisor is None:
        raise Refused("Causeway is closing; nothing was undone.")

    def prepare() -> tuple[int, ...]:
        with engine.workspace.database.write() as connection:
            state = rebuild_state(connection)
            before = () if state is None else state.undone
            runs = _import_of(connection, run_id)
            for run in runs:
                # Whatever happens, a later run of the job must not go on where an undone one stopped.
                connection.execute("update runs set cursor = null where id = ?", (run,))
            if run_id not in before:
                row = connection.execute("select job_id from runs where id = ?", (run_id,)).fetchone()
                write_log(connection, row["job_id"], run_id, "note", f"The import of run {run_id} is being undone")
        return tuple(sorted({*before, *runs}))

    await engine.supervisor.rebuilds.start(prepare)


async def start_rebuild(engine: Engine) -> None:
    """Begin to rebuild all people with the published schema, or go on with what was interrupted.

    Raises Refused while a rebuild is under way.
    """
    engine.require_charge()
    if engine.supervisor is None:
        raise Refused("Causeway is closing; nothing was rebuilt.")
    rebuilds = engine.supervisor.rebuilds

    def interrupted() -> tuple[int, ...]:
        # An undo that was cut short must not be forgotten: it becomes this rebuild.
        state = rebuilds.unfinished()
        return () if state is None else state.undone

    await rebuilds.start(interrupted)


def _tell_undone(connection: sqlite3.Connection, undone: tuple[int, ...], gone: Mapping[int, int], people: int) -> None:
    """Say in each job's log, and in its status where its newest run is gone, that an import was undone."""
    by_job: dict[int, list[int]] = {}
    for run, job in connection.execute(
        "select id, job_id from runs where id in (select value from json_each(?)) order by id", (as_json(undone),)
    ):
        by_job.setdefault(job, []).append(run)
    for job, runs in by_job.items():
        which = f"run {runs[0]}" if len(runs) == 1 else f"runs {', '.join(map(str, runs[:-1]))} and {runs[-1]}"
        events = sum(gone.get(run, 0) for run in runs)
        write_log(
            connection,
            job,
            runs[-1],
            "note",
            f"The import of {which} was undone: {events:,} events were taken away, {people:,} people are left",
        )
        connection.execute(
            """update jobs set status = 'paused', reason = 'The import was undone; running it again brings it back'
            where id = ? and status <> 'running' and ? = (select max(id) from runs where job_id = jobs.id)""",
            (job, runs[-1]),
        )


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
    kind = connection.execute(
        "select kind from jobs join runs on job_id = jobs.id where runs.id = ?", (run_id,)
    ).fetchone()[0]
    if kind == "export":
        raise Refused("That run has sent files, which can't be undone.", advice="Ask their owner to delete them.")
    if any(row["status"] == "running" for row in rows):
        raise Refused("That import is still running.", advice="Stop it first, then undo it.")
    if any(row["status"] == "undone" for row in rows):
        raise Refused("That import was undone already.")
    return [row["id"] for row in rows]


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"

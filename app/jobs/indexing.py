"""The index of people's words is brought up to date in a worker process, whenever there is more than a little to do."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.changes import Change
from app.errors import CausewayError
from app.jobs.process import Errand
from app.jobs.run_context import limited
from app.jobs.worker import Outcome, Reporter
from app.profiles.search_index import count_unindexed, index_people

if TYPE_CHECKING:
    from app.engine import Engine

NICENESS = 10
WRITERS = frozenset({"profiles", "schema"})
"""Kinds of changes after which people may have other words."""


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """What the worker gets."""

    database: Path
    memory: int
    """Megabytes that it may hold."""

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Index everybody who is left. Raises Cancelled."""
        if hasattr(os, "nice"):
            os.nice(NICENESS)

        def progress(done: int, total: int) -> None:
            reporter.check()
            reporter.report((done, total))

        advice = "Who is indexed stays so. Allow more in the settings; the next change of people tries again."
        with limited(self.memory, reporter, advice, what="Indexing"):
            index_people(connection, progress, reporter.pause)


class Indexer:
    """Looks after the index of one workspace, from `begin` to `stop`."""

    def __init__(self, engine: Engine) -> None:
        self.error: Outcome | None = None
        """Why the last work failed, if it did; the next change tries again."""
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._unsubscribe: Callable[[], None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._errand: Errand | None = None
        self._again = False
        self._stopping = False

    def begin(self) -> None:
        """Index what was left, and from now on what changes."""
        self._unsubscribe = self._engine.changes.subscribe(self._heard)
        self._look()

    async def stop(self) -> None:
        """End what is under way; it goes on at the next start."""
        self._stopping = True
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._errand is not None:
            await self._errand.stop()
        await self.finished()

    async def finished(self) -> None:
        """Wait for the end of what is under way."""
        while self._work is not None and not self._work.done():
            await asyncio.shield(self._work)

    def _heard(self, change: Change) -> None:
        if change.what in WRITERS:
            with suppress(RuntimeError):  # the loop is closed: the program is ending
                self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._again = True
        if not self._stopping and (self._work is None or self._work.done()):
            self._work = self._loop.create_task(self._index())

    async def _index(self) -> None:
        while self._again and not self._stopping:
            self._again = False
            # A file that can't be read now is told of by whoever needs it.
            with suppress(CausewayError):
                if await asyncio.to_thread(count_unindexed, self._engine):
                    await self._carry_out()

    async def _carry_out(self) -> None:
        workspace, changes = self._engine.workspace, self._engine.changes
        order = IndexOrder(workspace.database.path, int(workspace.setting("run_memory_mb")))
        self._errand, self.error = Errand(), None
        outcome = await self._errand.carry_out(order, lambda _: changes.announce(Change("index")))
        self._errand = None
        self.error = outcome if outcome.status == "failed" else None
        changes.announce(Change("index"))

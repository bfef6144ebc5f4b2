"""Once a day, fields that keep their values only for some days are cleared of older ones, in a worker process."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.changes import Change
from app.clock import now_microseconds
from app.jobs.process import WorkerProcess
from app.jobs.worker import Outcome, Reporter
from app.profiles.retention import drop_expired, has_limits

if TYPE_CHECKING:
    from app.engine import Engine

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class RetentionOrder:
    """What the worker gets."""

    database: Path

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Clear all people of what is too old. Raises Cancelled."""
        drop_expired(connection, now_microseconds(), reporter.check)


async def keep_within_days(engine: Engine) -> None:
    """Clear now and once a day, until cancelled. A task for `Engine.at_start`."""
    while True:
        if await asyncio.to_thread(_has_limits, engine):
            await _clear(engine)
        await asyncio.sleep(DAY_SECONDS)


async def _clear(engine: Engine) -> None:
    worker = await asyncio.to_thread(WorkerProcess)
    ended = asyncio.Event()
    outcomes: list[Outcome] = []
    worker.listen(outcomes.append, ended.set)
    worker.give(RetentionOrder(engine.workspace.database.path))
    try:
        await ended.wait()
    except asyncio.CancelledError:
        await worker.stop()
        raise
    engine.changes.announce(Change("profiles"))


def _has_limits(engine: Engine) -> bool:
    with engine.workspace.database.read() as connection:
        return has_limits(connection)
